/* SPDX-License-Identifier: BSD-3-Clause */
/* mac: an Ethernet address, wherever one is kept or passed. DPDK has a type of it, too, but
 * rte_ether.h costs each file that includes it half a second: it brings all of x86's intrinsics.
 * So DPDK's type stays within frames, and common/ether.h lies between the two. Any core. */
#ifndef TANDEM_COMMON_MAC_H
#define TANDEM_COMMON_MAC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A MAC address, aligned as in frames. */
struct mac_addr {
	uint8_t octet[6];
} __attribute__((aligned(2)));

enum { MAC_TEXT = 18 }; /* bytes, terminating zero included */

static inline bool mac_equal(const struct mac_addr *a, const struct mac_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Whether the address is one station's: not a group's, and not zero. */
static inline bool mac_is_station(const struct mac_addr *a)
{
	return (a->octet[0] & 1) == 0 && !mac_equal(a, &(struct mac_addr){ { 0 } });
}

/* Writes the address as "02:00:00:0A:00:01"; returns `to`. */
const char *mac_print(const struct mac_addr *a, char to[MAC_TEXT]);

#endif
