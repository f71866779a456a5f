/* SPDX-License-Identifier: BSD-3-Clause */
/* generation: the order in which a slot's sessions get their generations. It is a cycle of a keyed
 * permutation of its own for each slot, so that who knows some TEIDs cannot compute others. Pure;
 * any core. */
#ifndef TANDEM_SESSION_GENERATION_H
#define TANDEM_SESSION_GENERATION_H

#include <stdint.h>

#include "common/siphash.h"

enum { GENERATION_BITS_MIN = 6, GENERATION_BITS_MAX = 16 };

/* The order of one reign in one shard: of the secret of this life of the process, which nobody else
 * may know, and of the term. Two lives or terms have orders that meet by chance only. */
struct siphash_secret generation_key(
	const struct siphash_secret *life, uint64_t term, uint32_t shard);

/* The generation behind `gen` in the slot's order, with `side` in the lowest bit, whose ever `gen`
 * was. bits: of a generation, GENERATION_BITS_MIN to _MAX, of which `gen` has no more. All
 * 2^(bits - 1) of a side come before one comes again. Who may not give one out, as 0 and 1, asks
 * for the one behind it. */
uint32_t generation_next(const struct siphash_secret *key, uint32_t slot, unsigned int bits,
	uint32_t gen, uint32_t side);

#endif
