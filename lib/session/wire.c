/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of records. Room and length are checked once for a whole body, whose size its bitmap and
 * the families of its addresses give: the steps within run on bare pointers. Groups of fields.h are
 * written and read by group.h, usage here. */
#include <errno.h>

#include <rte_pause.h>

#include "slot.h"
#include "wire.h"

_Static_assert(
	(int)SESSION_LATE_BYTES == (int)WIRE_HEAD + (int)WIRE_USAGE64, "what late usage takes");

/* Bytes of what four groups there are, by their bits: a sum of as many conditions costs more than a
 * body. */
#define BYTES4(i, a, b, c, d)                                                                      \
	(((i)&1 ? (a) : 0) + ((i)&2 ? (b) : 0) + ((i)&4 ? (c) : 0) + ((i)&8 ? (d) : 0))
#define BYTES16(a, b, c, d)                                                                        \
	{                                                                                          \
		BYTES4(0, a, b, c, d), BYTES4(1, a, b, c, d), BYTES4(2, a, b, c, d),               \
			BYTES4(3, a, b, c, d), BYTES4(4, a, b, c, d), BYTES4(5, a, b, c, d),       \
			BYTES4(6, a, b, c, d), BYTES4(7, a, b, c, d), BYTES4(8, a, b, c, d),       \
			BYTES4(9, a, b, c, d), BYTES4(10, a, b, c, d), BYTES4(11, a, b, c, d),     \
			BYTES4(12, a, b, c, d), BYTES4(13, a, b, c, d), BYTES4(14, a, b, c, d),    \
			BYTES4(15, a, b, c, d)                                                     \
	}
static const uint8_t low_bytes[] = BYTES16(WIRE_IDENTITY, WIRE_TUNNEL, WIRE_QOS, WIRE_REQUEST);
static const uint8_t high_bytes[] = BYTES16(WIRE_USAGE32, WIRE_USAGE64, WIRE_USAGE64, 0);

/* With addresses of 4 octets, without EXTRA. */
static inline unsigned int size_of(uint8_t groups)
{
	return low_bytes[groups & 15] + high_bytes[groups >> 4 & 7];
}

/* What a slot's record holds, of which `groups` are to be sent. */
static inline uint8_t wire_groups_of(const struct session_slot *s, uint8_t groups)
{
	if (likely(s->teid != 0))
		return groups;
	if (s->state == SESSION_ENDING)
		return SESSION_G_SLOT;
	return s->gen != 0 ? SLOT_G_FREE : SESSION_G_IDENTITY;
}

#define WIRE_LONG_ADDR(name)   group_is_long(s->name)
#define WIRE_LONG_DEC(name)    0
#define WIRE_LONG_HEX(name)    0
#define WIRE_LONG_OCTETS(name) 0
#define WIRE_LONG_HEAD(name)   0
#define WIRE_LONG_NIBBLE(name) 0
#define WIRE_LONG_FLAG(name)   0
#define WIRE_LONG_UE(name)     0
#define WIRE_LONG_MS(name)     0

#define WIRE_LONG_ROW(name, type, bytes, group, set, end, line, view)                              \
	+(groups & SESSION_BIT_##group ? WIRE_LONG_##type(name) : 0)

/* How many addresses of the groups have 16 octets. */
static inline unsigned int wire_long(const struct session_slot *s, uint8_t groups)
{
	return 0u SESSION_FIELDS(WIRE_LONG_ROW);
}

static __rte_always_inline unsigned int wire_size_of_slot(const struct session_table *t,
	const struct session_slot *s, uint8_t groups, uint8_t version)
{
	return WIRE_HEAD + size_of(groups) + GROUP_LONGER * wire_long(s, groups) +
	       (groups & SESSION_G_EXTRA && wire_extra_any(s) ? wire_extra_size(t, s, version) : 0);
}

unsigned int session_wire_size(const struct session_table *t, const struct session_slot *s,
	uint8_t groups, uint8_t version)
{
	return wire_size_of_slot(t, s, wire_groups_of(s, groups), version);
}

static __rte_always_inline void wire_add64(uint8_t **p, uint64_t v)
{
	group_put8(*p, v);
	*p += 8;
}
static __rte_always_inline uint64_t wire_take64(const uint8_t **p)
{
	*p += 8;
	return group_get8(*p - 8);
}

static __rte_always_inline void wire_put_usage64(uint8_t **p, const struct session_usage *u)
{
	wire_add64(p, u->up_pkts);
	wire_add64(p, u->up_bytes);
	wire_add64(p, u->dn_pkts);
	wire_add64(p, u->dn_bytes);
}
static __rte_always_inline void wire_get_usage64(const uint8_t **p, struct session_usage *u)
{
	u->up_pkts = wire_take64(p);
	u->up_bytes = wire_take64(p);
	u->dn_pkts = wire_take64(p);
	u->dn_bytes = wire_take64(p);
}

static uint8_t *wire_put_usage32(uint8_t *p, const struct session_usage *u)
{
	group_put4(p, (uint32_t)u->up_pkts);
	group_put4(p + 4, (uint32_t)u->up_bytes);
	group_put4(p + 8, (uint32_t)u->dn_pkts);
	group_put4(p + 12, (uint32_t)u->dn_bytes);
	return p + WIRE_USAGE32;
}
static const uint8_t *wire_get_usage32(const uint8_t *p, uint32_t low[4])
{
	for (unsigned int i = 0; i < 4; i++)
		low[i] = wire_get32(p + 4 * i);
	return p + WIRE_USAGE32;
}

static uint16_t usage_hi(const struct session_usage *u)
{
	return (uint16_t)((u->up_pkts >> 30) + (u->up_bytes >> 30) + (u->dn_pkts >> 30) +
			  (u->dn_bytes >> 30));
}

static inline struct session_usage wire_own(const struct session_slot *s)
{
	return (struct session_usage){ usage_get(&s->up_pkts), usage_get(&s->up_bytes),
		usage_get(&s->dn_pkts), usage_get(&s->dn_bytes) };
}

/* The micro checkpoint of a session that carries traffic: nearly all that is ever encoded. 0: not
 * this easy. */
static uint8_t wire_encode_usage32(const struct session_slot *s, struct wr *w)
{
	struct session_usage own = wire_own(s);
	uint8_t *p;

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return 0;
	p = wr_room(w, WIRE_HEAD + WIRE_USAGE32);
	if (p == NULL)
		return 0;
	group_put4(p, s->teid);
	p[4] = SESSION_G_USAGE32;
	wire_put_usage32(p + WIRE_HEAD, &own);
	return SESSION_G_USAGE32;
}

bool session_put_usage(const struct session_slot *s, uint8_t p[SESSION_USAGE_BYTES])
{
	struct session_usage own = wire_own(s);

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return false;
	group_put4(p, s->teid);
	wire_put_usage32(p + 4, &own);
	return true;
}

/* plain: WIRE_PLAIN is its size. */
static __rte_always_inline void wire_encode_groups(uint8_t *p, const struct session_table *t,
	const struct session_slot *s, uint32_t handle, uint8_t groups, uint8_t version,
	const bool plain, const struct session_usage *own)
{
	group_put4(p, handle);
	p[4] = groups;
	p += WIRE_HEAD;
	if (groups & SESSION_G_IDENTITY)
		p = group_put(p, s, SESSION_NO_IDENTITY, plain);
	if (groups & SESSION_G_TUNNEL)
		p = group_put(p, s, SESSION_NO_TUNNEL, plain);
	if (groups & SESSION_G_QOS)
		p = group_put(p, s, SESSION_NO_QOS, plain);
	if (groups & SESSION_G_REQUEST)
		p = group_put(p, s, SESSION_NO_REQUEST, plain);
	if (groups & SESSION_G_USAGE32)
		p = wire_put_usage32(p, own);
	if (groups & SESSION_G_USAGE64)
		wire_put_usage64(&p, own);
	if (groups & SESSION_G_OTHER64)
		wire_put_usage64(&p, &s->other);
	if (!plain && groups & SESSION_G_EXTRA && wire_extra_any(s))
		wire_extra_put(p, t, s, version);
}

/* As the slot stands, or as a writer is just changing it: the caller looks whether there was
 * one. */
static uint8_t wire_encode_once(const struct session_table *t, uint32_t shard, uint32_t slot,
	uint8_t groups, uint8_t version, const struct session_usage *own, struct wr *w)
{
	const struct session_slot *s = &t->shard[shard].slots[slot];
	uint32_t handle = s->teid;
	unsigned int size;
	uint8_t *p;

	groups = wire_groups_of(s, groups);
	if (handle == 0)
		handle = session_handle_make(t, shard, slot, s->gen);
	else if (groups & SESSION_G_USAGE32 && usage_hi(own) != s->usage_hi)
		groups |= SESSION_G_USAGE64;
	if (groups & SESSION_G_USAGE64)
		groups &= (uint8_t)~SESSION_G_USAGE32;
	size = wire_size_of_slot(t, s, groups, version);
	p = wr_room(w, size);
	if (p == NULL)
		return 0;
	/* of an audit nearly always: nothing is left to ask */
	if (groups == SESSION_G_SLOT && size == WIRE_PLAIN)
		wire_encode_groups(p, t, s, handle, SESSION_G_SLOT, version, true, own);
	else
		wire_encode_groups(p, t, s, handle, groups, version, false, own);
	return groups;
}

uint8_t session_encode_in(const struct session_table *t, uint32_t shard, uint32_t slot,
	uint8_t groups, uint8_t version, struct wr *w)
{
	struct session_slot *s = &t->shard[shard].slots[slot];

	if (groups == SESSION_G_USAGE32 && wire_encode_usage32(s, w) != 0)
		return SESSION_G_USAGE32;
	for (;;) {
		/* R0, with W1 */
		uint32_t before = atomic_load_explicit(&s->seq, memory_order_acquire);
		struct session_usage own = wire_own(s);
		struct wr at = *w;
		uint8_t written;

		if (before & 1) {
			rte_pause();
			continue;
		}
		written = wire_encode_once(t, shard, slot, groups, version, &own, &at);
		atomic_thread_fence(memory_order_acquire); /* R1, with W0 */
		if (atomic_load_explicit(&s->seq, memory_order_relaxed) != before)
			continue;
		*w = at;
		if (written & SESSION_G_USAGE64)
			s->usage_hi = usage_hi(&own);
		return written;
	}
}

/* A size that was found out would not hold: whoever writes the slot may change it, and make it
 * another session's, between any two looks. */
uint32_t session_encode_late(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct wr *w)
{
	const struct session_slot *s = &t->shard[shard].slots[slot];
	struct session_usage own;
	uint32_t before, handle;
	uint8_t *p;

	do {
		/* R0, with W1 */
		while ((before = atomic_load_explicit(&s->seq, memory_order_acquire)) & 1)
			rte_pause();
		handle = __atomic_load_n(&s->teid, __ATOMIC_RELAXED);
		own = wire_own(s);
		atomic_thread_fence(memory_order_acquire); /* R1, with W0 */
	} while (atomic_load_explicit(&s->seq, memory_order_relaxed) != before);
	p = handle != 0 ? wr_room(w, SESSION_LATE_BYTES) : NULL;
	if (p == NULL)
		return 0;
	group_put4(p, handle);
	p[4] = SESSION_G_USAGE64;
	p += WIRE_HEAD;
	wire_put_usage64(&p, &own);
	return handle;
}

static bool wire_is_meant(const struct wire_body *b)
{
	const struct session_rec *r = &b->rec;

	if (b->groups & SESSION_G_IDENTITY && r->state > SESSION_ENDING)
		return false;
	return !(b->groups & SESSION_G_QOS) || r->qos_len <= SESSION_QOS_MAX;
}

/* Bytes of the groups that stand at p, without EXTRA; 0: there are fewer. */
static unsigned int wire_body_size(const uint8_t *p, size_t left, uint8_t groups)
{
	unsigned int n = size_of(groups), at = 0;

	if (left < n)
		return 0;
	if (groups & SESSION_G_IDENTITY) {
		at = WIRE_IDENTITY + GROUP_LONGER * (p[0] >> 7);
		n += GROUP_LONGER * (p[0] >> 7);
	}
	if (left < n)
		return 0;
	if (groups & SESSION_G_TUNNEL) {
		unsigned int more = GROUP_LONGER * ((p[at] >> 7) + (p[at] >> 6 & 1));

		at += WIRE_TUNNEL + more;
		n += more;
	}
	if (left < n)
		return 0;
	if (groups & SESSION_G_QOS)
		at += WIRE_QOS;
	if (groups & SESSION_G_REQUEST)
		n += GROUP_LONGER * (p[at] >> 7);
	return left < n ? 0 : n;
}

unsigned int wire_extra_at(const struct rd *body)
{
	return WIRE_HEAD +
	       wire_body_size(body->p + WIRE_HEAD, body->left - WIRE_HEAD, body->p[WIRE_HEAD - 1]);
}

/* False: a value that no version means. */
static __rte_always_inline bool wire_decode_groups(
	const uint8_t *p, struct wire_body *b, const uint8_t groups, const bool plain)
{
	bool bad = false;

	if (groups & SESSION_G_IDENTITY)
		p = group_get(p, &b->rec, SESSION_NO_IDENTITY, plain, &bad);
	if (groups & SESSION_G_TUNNEL)
		p = group_get(p, &b->rec, SESSION_NO_TUNNEL, plain, &bad);
	if (groups & SESSION_G_QOS)
		p = group_get(p, &b->rec, SESSION_NO_QOS, plain, &bad);
	if (groups & SESSION_G_REQUEST)
		p = group_get(p, &b->rec, SESSION_NO_REQUEST, plain, &bad);
	if (groups & SESSION_G_USAGE32)
		p = wire_get_usage32(p, b->low);
	if (groups & SESSION_G_USAGE64)
		wire_get_usage64(&p, &b->sender);
	if (groups & SESSION_G_OTHER64)
		wire_get_usage64(&p, &b->other);
	return !bad && wire_is_meant(b);
}

int wire_decode(struct rd *body, struct wire_body *b)
{
	const uint8_t *head = rd_bytes(body, WIRE_HEAD);
	const uint8_t *p;
	unsigned int n;

	if (head == NULL || head[4] == 0)
		return -EBADMSG;
	if (head[4] == SESSION_G_SLOT && body->left == WIRE_PLAIN - WIRE_HEAD) {
		b->rec.handle = wire_get32(head);
		b->groups = SESSION_G_SLOT;
		wire_extra_clear(&b->rec);
		p = rd_bytes(body, WIRE_PLAIN - WIRE_HEAD);
		return wire_decode_groups(p, b, SESSION_G_SLOT, true) ? 0 : -EBADMSG;
	}
	if ((head[4] & SESSION_G_SLOT) != SESSION_G_SLOT) /* else everything is overwritten */
		memset(b, 0, offsetof(struct wire_body, rec.annex));
	b->rec.handle = wire_get32(head);
	b->groups = head[4];
	n = wire_body_size(body->p, body->left, b->groups);
	p = rd_bytes(body, n);
	if (p == NULL || (n == 0 && size_of(b->groups) > 0))
		return -EBADMSG;
	wire_extra_clear(&b->rec);
	if (body->left > 0 && (!(b->groups & SESSION_G_EXTRA) || wire_extra_get(body, &b->rec) < 0))
		return -EBADMSG;
	return wire_decode_groups(p, b, b->groups, false) ? 0 : -EBADMSG;
}

int session_decode_late(struct rd *body, uint32_t *handle, struct session_usage *u)
{
	const uint8_t *p;

	if (body->left != SESSION_LATE_BYTES)
		return -EBADMSG;
	p = rd_bytes(body, SESSION_LATE_BYTES);
	if (p == NULL || p[4] != SESSION_G_USAGE64)
		return -EBADMSG;
	*handle = wire_get32(p);
	p += WIRE_HEAD;
	wire_get_usage64(&p, u);
	return 0;
}
