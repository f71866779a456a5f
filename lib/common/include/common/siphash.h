/* SPDX-License-Identifier: BSD-3-Clause */
/* siphash: SipHash-1-3 (Aumasson and Bernstein, 2012), the hash of tables whose keys a stranger
 * chooses: who does not know the 16 secret octets cannot find keys that meet in one bucket. It is
 * no signature, and its values stay within the process. Any core. */
#ifndef TANDEM_COMMON_SIPHASH_H
#define TANDEM_COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* The 16 secret octets, as random as the kernel gives them. Simulators and tests give others. */
struct siphash_secret {
	uint8_t octet[16];
};

/* The hash of `len` octets. All 64 bits are equally good. */
uint64_t siphash(const struct siphash_secret *secret, const void *data, size_t len);
/* The same of the eight octets of `word`, the least significant first, and faster. */
uint64_t siphash_word(const struct siphash_secret *secret, uint64_t word);
/* Of an address. */
static inline uint64_t siphash_addr(const struct siphash_secret *secret, const struct ip_addr *a)
{
	return siphash(secret, a->b, sizeof(a->b));
}

#endif
