/* SPDX-License-Identifier: BSD-3-Clause */
/* addr: an IP address wide enough for both families; IPv4 is kept v4-mapped (RFC 4291 2.5.5.2).
 * Value type. */
#ifndef TANDEM_COMMON_ADDR_H
#define TANDEM_COMMON_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
	uint8_t b[16];
};

enum { IP_ADDR_TEXT = 46 }; /* bytes, terminating zero included */

/* v4: host order. */
static inline struct ip_addr ip_addr_v4(uint32_t v4)
{
	return (struct ip_addr){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(v4 >> 24),
		(uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4 } };
}

static inline bool ip_addr_is_v4(const struct ip_addr *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

/* Host order; 0 if it is not IPv4. */
static inline uint32_t ip_addr_to_v4(const struct ip_addr *a)
{
	if (!ip_addr_is_v4(a))
		return 0;
	return (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 |
	       a->b[15];
}

static inline bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Text to address; -EINVAL if it is neither family's. */
int ip_addr_parse(const char *text, struct ip_addr *a);
/* Address to text in `to` (IP_ADDR_TEXT bytes); returns `to`. */
char *ip_addr_print(const struct ip_addr *a, char to[IP_ADDR_TEXT]);

#endif
