/* SPDX-License-Identifier: BSD-3-Clause */
/* chosen_keys: 2^32 keys of sessions that CRC-32C gives one value: what a stranger does to a table
 * whose hash has no secret. CRC is linear, so keys that it maps to 0 are found by elimination. */
#ifndef TANDEM_CHOSEN_KEYS_H
#define TANDEM_CHOSEN_KEYS_H

#include <stdint.h>

#include <rte_hash_crc.h>

enum { CHOSEN_BITS = 32 };

struct chosen_keys {
	uint64_t basis[CHOSEN_BITS]; /* each has the CRC 0 */
};

static inline struct chosen_keys chosen_keys(void)
{
	uint64_t of[CHOSEN_BITS]; /* a word with the CRC crc[i] */
	uint32_t crc[CHOSEN_BITS];
	unsigned int n = 0, found = 0;
	struct chosen_keys c = { { 0 } };

	for (unsigned int b = 0; b < 64; b++) {
		uint64_t word = UINT64_C(1) << b;
		uint32_t rest = rte_hash_crc(&word, sizeof(word), 0);

		for (unsigned int i = 0; i < n; i++)
			if ((rest ^ crc[i]) < rest) { /* it has the highest bit of crc[i] */
				rest ^= crc[i];
				word ^= of[i];
			}
		if (rest == 0 && found < CHOSEN_BITS) {
			c.basis[found++] = word;
		} else if (rest != 0) {
			crc[n] = rest;
			of[n++] = word;
		}
	}
	return c;
}

static inline uint64_t chosen_key(const struct chosen_keys *c, uint32_t i)
{
	uint64_t key = UINT64_C(0x2400100000000005);

	for (unsigned int b = 0; b < CHOSEN_BITS; b++)
		if (i >> b & 1)
			key ^= c->basis[b];
	return key;
}

#endif
