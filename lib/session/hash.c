/* SPDX-License-Identifier: BSD-3-Clause */
/* Digests. Every step is a bijection of the state for a given word and of the word for a given
 * state, so a slot in which one word differs, by one bit or by all, never hashes equally; other
 * differences meet by chance of 2^-64. Four lanes, because one chain of multiplications would be
 * waited for. */
#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "extra.h"
#include "slot.h"

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

static inline uint64_t hash_bytes8(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return rte_le_to_cpu_64(v);
}

static inline uint64_t hash_pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

/* Kept by live and free slots alike: TUNNEL and REQUEST. */
static __rte_always_inline void hash_mix_common(struct lanes *l, const struct session_slot *s)
{
	uint64_t request = (uint64_t)s->req_port << 48 | (uint64_t)s->req_seq << 32 |
			   (uint64_t)s->req_type << 24 | (uint64_t)s->recovery << 16 |
			   (uint64_t)(s->flags & SESSION_F_RECOVERY) << 8;

	hash_mix4(l, hash_pair(s->peer_usr_teid, s->peer_usr4),
		hash_pair(s->peer_ctl_teid, s->req_src4), request, hash_bytes8(s->peer_ctl));
	hash_mix4(l, hash_bytes8(s->peer_ctl + 8), hash_bytes8(s->peer_usr),
		hash_bytes8(s->peer_usr + 8), 0);
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

static __rte_always_inline void hash_mix_live(
	struct lanes *l, const struct session_slot *s, uint8_t side, uint8_t version)
{
	uint64_t kind = (uint64_t)s->apn << 56 | (uint64_t)s->pool << 48 |
			(uint64_t)s->pdp_type << 40 | (uint64_t)s->qos_len << 32 |
			(uint64_t)s->qos[16] << 24;

	hash_mix4(l, hash_pair(s->teid, s->ue4), kind, s->key, hash_bytes8(s->msisdn));
	hash_mix4(l, hash_pair(s->charging_id, s->created_s), hash_bytes8(s->qos),
		hash_bytes8(s->qos + 8), s->gen);
	hash_mix_usage(l, s, side);
	if (version > 1)
		hash_mix4(l, slot_extra_word(s, version), 0, 0, 0);
	hash_mix_common(l, s);
}

static __rte_always_inline uint64_t hash_of_slot(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t version)
{
	const struct session_slot *s = &t->shard[shard].slots[slot];
	uint32_t handle = session_handle_make(t, shard, slot, s->gen);
	bool live = s->teid != 0;
	struct lanes l = { { K0, K1, ~K0, ~K1 } };

	hash_mix4(&l, hash_pair(handle, live), 0, 0, 0);
	if (live)
		hash_mix_live(&l, s, t->side, version);
	else if (s->gen != 0) {
		hash_mix4(&l, hash_pair(s->last_ue4, s->last_ue4 != 0 ? s->pool : SESSION_NO_POOL),
			0, 0, 0);
		hash_mix_common(&l, s);
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
