/* SPDX-License-Identifier: BSD-3-Clause */
/* A generation without its side has a place in the slot's order. Place and generation are each
 * other's image under a Feistel network of two halves, which may differ by one bit, as FF1 of NIST
 * SP 800-38G has it. So the next generation is the image of the next place, and no memory is
 * needed: not of the place, and not of what was given out. */
#include "session/generation.h"

/* FF1 has as many. They are even, so that the halves end as wide as they began. */
enum { GENERATION_ROUNDS = 10 };

struct generation_order {
	const struct siphash_secret *key;
	uint32_t slot;
	unsigned int width[2]; /* bits of the upper half and of the lower one */
};

static inline uint32_t generation_mask(unsigned int bits)
{
	return (UINT32_C(1) << bits) - 1;
}

/* What a half is mixed with in that round, by the other half. */
static uint32_t generation_mix(const struct generation_order *o, unsigned int round, uint32_t half)
{
	uint64_t word = (uint64_t)o->slot << 32 | round << 16 | half;

	return (uint32_t)siphash_word(o->key, word) & generation_mask(o->width[round % 2]);
}

static uint32_t generation_at(const struct generation_order *o, uint32_t pos)
{
	uint32_t a = pos >> o->width[1], b = pos & generation_mask(o->width[1]);

	for (unsigned int round = 0; round < GENERATION_ROUNDS; round++) {
		uint32_t mixed = a ^ generation_mix(o, round, b);

		a = b;
		b = mixed;
	}
	return a << o->width[1] | b;
}

static uint32_t generation_position(const struct generation_order *o, uint32_t at)
{
	uint32_t a = at >> o->width[1], b = at & generation_mask(o->width[1]);

	for (unsigned int round = GENERATION_ROUNDS; round-- > 0;) {
		uint32_t mixed = b;

		b = a;
		a = mixed ^ generation_mix(o, round, b);
	}
	return a << o->width[1] | b;
}

struct siphash_secret generation_key(
	const struct siphash_secret *life, uint64_t term, uint32_t shard)
{
	struct siphash_secret key;

	for (uint32_t half = 0; half < 2; half++) {
		const uint64_t words[] = { term, (uint64_t)shard << 32 | half };
		uint64_t h = siphash(life, words, sizeof(words));

		for (unsigned int i = 0; i < sizeof(h); i++)
			key.octet[half * sizeof(h) + i] = (uint8_t)(h >> 8 * i);
	}
	return key;
}

uint32_t generation_next(const struct siphash_secret *key, uint32_t slot, unsigned int bits,
	uint32_t gen, uint32_t side)
{
	const unsigned int low = bits / 2, high = bits - 1 - low;
	const struct generation_order o = { .key = key, .slot = slot, .width = { high, low } };
	uint32_t pos = (generation_position(&o, gen >> 1) + 1) & generation_mask(bits - 1);

	return generation_at(&o, pos) << 1 | side;
}
