/* SPDX-License-Identifier: BSD-3-Clause */
/* Digests. Every step is a bijection of the state for a given word and of the word for a given
 * state, so a slot in which one word differs, by one bit or by all, never hashes equally; other
 * differences meet by chance of 2^-64. Four lanes, because one chain of multiplications would be
 * waited for. */
#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "annex.h"
#include "slot.h"
#include "wire.h"

#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xbf58476d1ce4e5b9)

struct lanes {
	uint64_t h[4];
};

static inline uint64_t hash_step(uint64_t h, uint64_t word)
{
	h = (h ^ word) * K0;
	return h ^ h >> 29;
}

static inline void hash_mix4(struct lanes *l, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	l->h[0] = hash_step(l->h[0], a);
	l->h[1] = hash_step(l->h[1], b);
	l->h[2] = hash_step(l->h[2], c);
	l->h[3] = hash_step(l->h[3], d);
}

/* All bits of the result depend on all of the lanes: its low 16 bits are used alone too. */
static inline uint64_t hash_finish(const struct lanes *l)
{
	uint64_t h = hash_step(hash_step(hash_step(l->h[0], l->h[1]), l->h[2]), l->h[3]);

	h = (h ^ h >> 30) * K1;
	h = (h ^ h >> 27) * K0;
	return h ^ h >> 31;
}

static inline uint64_t hash_pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

/* ---- a slot's words: each of its 64-bit words with the bits that rows of fields.h have there.
 * What has no row is local, and in no digest ---- */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "both chassis read words alike");

/* Bits of word `word` that lie in the octets from `at` to `end` of the slot. */
static __rte_always_inline uint64_t hash_bits(unsigned int word, size_t at, size_t end)
{
	size_t from = RTE_MAX(at, 8 * word), to = RTE_MIN(end, 8 * word + 8);

	return from >= to ? 0 : (UINT64_MAX >> (64 - 8 * (to - from))) << 8 * (from - 8 * word);
}

#define HASH_OCTET_DEC(name)    UINT64_MAX
#define HASH_OCTET_HEX(name)    UINT64_MAX
#define HASH_OCTET_OCTETS(name) UINT64_MAX
#define HASH_OCTET_HEAD(name)   UINT64_MAX
#define HASH_OCTET_NIBBLE(name) UINT64_MAX
#define HASH_OCTET_ADDR(name)   UINT64_MAX
#define HASH_OCTET_UE(name)     UINT64_MAX
#define HASH_OCTET_MS(name)     UINT64_MAX
#define HASH_OCTET_FLAG(name)   (SESSION_FLAG_##name * UINT64_C(0x0101010101010101))
#define HASH_LIVE_GONE          live
#define HASH_LIVE_KEPT          true

#define HASH_ROW(name, type, bytes, group, set, end, line, view)                                   \
	if (HASH_LIVE_##end)                                                                       \
		mask |= hash_bits(word, SESSION_ROW_AT(name, type),                                \
				SESSION_ROW_AT(name, type) + SESSION_ROW_SIZE(name, type)) &       \
			HASH_OCTET_##type(name);

/* How the annex is used, in every octet. */
#define HASH_A ((SESSION_A_USED | SESSION_A_PFCP) * UINT64_C(0x0101010101010101))

/* A constant where both arguments are. */
static __rte_always_inline uint64_t hash_mask(const unsigned int word, const bool live)
{
	uint64_t mask = live ? hash_bits(word, offsetof(struct session_slot, teid), 4) |
					(hash_bits(word, offsetof(struct session_slot, flags2),
						 offsetof(struct session_slot, flags2) + 1) &
						HASH_A)
			     : 0;

	SESSION_FIELDS(HASH_ROW)
	return mask;
}

static __rte_always_inline void hash_mix_word(
	struct lanes *l, const struct session_slot *s, const unsigned int word, const bool live)
{
	const uint64_t mask = hash_mask(word, live);
	uint64_t v;

	if (mask == 0)
		return;
	memcpy(&v, (const uint8_t *)s + 8 * word, sizeof(v));
	l->h[word % 4] = hash_step(l->h[word % 4], v & mask);
}

static __rte_always_inline void hash_mix_words(
	struct lanes *l, const struct session_slot *s, const bool live)
{
#define HASH_8(n)                                                                                  \
	hash_mix_word(l, s, (n), live);                                                            \
	hash_mix_word(l, s, (n) + 1, live);                                                        \
	hash_mix_word(l, s, (n) + 2, live);                                                        \
	hash_mix_word(l, s, (n) + 3, live);                                                        \
	hash_mix_word(l, s, (n) + 4, live);                                                        \
	hash_mix_word(l, s, (n) + 5, live);                                                        \
	hash_mix_word(l, s, (n) + 6, live);                                                        \
	hash_mix_word(l, s, (n) + 7, live)
	HASH_8(0);
	HASH_8(8);
	HASH_8(16);
	HASH_8(24);
#undef HASH_8
}

/* The first counter of each side's set in order of the sides. */
static __rte_always_inline void hash_mix_usage(
	struct lanes *l, const struct session_slot *s, uint8_t side)
{
	uint64_t own[4] = { usage_get(&s->up_pkts), usage_get(&s->up_bytes), usage_get(&s->dn_pkts),
		usage_get(&s->dn_bytes) };
	uint64_t other[4] = { s->other.up_pkts, s->other.up_bytes, s->other.dn_pkts,
		s->other.dn_bytes };
	const uint64_t *first = side == 0 ? own : other, *second = side == 0 ? other : own;

	hash_mix4(l, first[0], first[1], first[2], first[3]);
	hash_mix4(l, second[0], second[1], second[2], second[3]);
}

/* All of it: what is not used is zero. */
static void hash_mix_annex(struct lanes *l, const struct session_annex *a, unsigned int bytes)
{
	uint64_t w[4];

	for (unsigned int at = 0; at < bytes; at += sizeof(w)) {
		memcpy(w, (const uint8_t *)a + at, sizeof(w));
		hash_mix4(l, w[0], w[1], w[2], w[3]);
	}
}

static __rte_always_inline uint64_t hash_of_slot(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t version)
{
	const struct session_slot *s = &t->shard[shard].slots[slot];
	uint32_t handle = session_handle_make(t, shard, slot, s->gen);
	bool whole = slot_is_whole(s);
	struct lanes l = { { K0, K1, ~K0, ~K1 } };

	hash_mix4(&l, hash_pair(handle, whole), 0, s->gen, 0);
	if (whole) {
		hash_mix_words(&l, s, true);
		hash_mix_usage(&l, s, t->side);
		if (annex_used(t, s) != NULL)
			hash_mix_annex(&l, annex_used(t, s), t->annex_bytes);
		if (version > 1)
			hash_mix4(&l, wire_later_word(s, version), 0, 0, 0);
	} else if (s->gen != 0) {
		hash_mix_words(&l, s, false);
	}
	return hash_finish(&l);
}

uint64_t session_hash_slot_in(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t version)
{
	return hash_of_slot(t, shard, slot, version);
}

uint64_t session_hash_bucket_in(
	const struct session_table *t, uint32_t shard, uint32_t bucket, uint8_t version)
{
	uint64_t h = K1;

	for (uint32_t i = bucket * SESSION_BUCKET; i < (bucket + 1) * SESSION_BUCKET; i++) {
		/* whoever hashes one goes on with the next */
		session_prefetch(t, shard, i + SESSION_BUCKET);
		h = hash_step(h, hash_of_slot(t, shard, i, version));
	}
	return h;
}
