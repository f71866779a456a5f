/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/siphash.h"

#include <endian.h>
#include <string.h>

enum { SIPHASH_WORD = 8, SIPHASH_LAST_ROUNDS = 3 };

struct siphash_state {
	uint64_t a, b, c, d; /* v0 to v3 of the paper */
};

static inline uint64_t siphash_rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void siphash_round(struct siphash_state *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = siphash_rotate(s->b, 13) ^ s->a;
	s->d = siphash_rotate(s->d, 16) ^ s->c;
	s->a = siphash_rotate(s->a, 32) + s->d;
	s->c += s->b;
	s->d = siphash_rotate(s->d, 21) ^ s->a;
	s->b = siphash_rotate(s->b, 17) ^ s->c;
	s->c = siphash_rotate(s->c, 32);
}

/* The octets of an unaligned word, the least significant first. */
static inline uint64_t siphash_load(const uint8_t *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return le64toh(w);
}

/* The constants are the text "somepseudorandomlygeneratedbytes". */
static inline struct siphash_state siphash_begin(const struct siphash_secret *secret)
{
	uint64_t k0 = siphash_load(secret->octet);
	uint64_t k1 = siphash_load(secret->octet + SIPHASH_WORD);

	return (struct siphash_state){ k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d), k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573) };
}

static inline void siphash_add(struct siphash_state *s, uint64_t word)
{
	s->d ^= word;
	siphash_round(s);
	s->a ^= word;
}

/* last: the octets that fill no word, and above them the length modulo 256. */
static inline uint64_t siphash_end(struct siphash_state *s, uint64_t last)
{
	siphash_add(s, last);
	s->c ^= 0xff;
	for (unsigned int i = 0; i < SIPHASH_LAST_ROUNDS; i++)
		siphash_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

uint64_t siphash(const struct siphash_secret *secret, const void *data, size_t len)
{
	struct siphash_state s = siphash_begin(secret);
	const uint8_t *at = data, *words_end = at + len / SIPHASH_WORD * SIPHASH_WORD;
	uint64_t last = (uint64_t)len << 56;

	for (; at < words_end; at += SIPHASH_WORD)
		siphash_add(&s, siphash_load(at));
	for (unsigned int i = 0; i < len % SIPHASH_WORD; i++)
		last |= (uint64_t)at[i] << 8 * i;
	return siphash_end(&s, last);
}

uint64_t siphash_word(const struct siphash_secret *secret, uint64_t word)
{
	struct siphash_state s = siphash_begin(secret);

	siphash_add(&s, word);
	return siphash_end(&s, (uint64_t)SIPHASH_WORD << 56);
}
