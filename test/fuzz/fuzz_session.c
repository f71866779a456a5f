/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of SLOT, DELTA and late usage into a table: whatever comes, slots, maps and addresses
 * agree, and what the table holds is read back as the same by the other side. The input is a chain
 * of `how u8 | length u8 | body`; `how` says whether handle and address are first made to fit, so
 * that the groups are reached. */
#include <stdlib.h>
#include <string.h>

#include <rte_bitmap.h>

#include "pool/pool.h"
#include "session/session.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ARENA = 4 << 20,
	SEEN = 64,
	POOL4 = 0x0a000000,
	PREFIX = 24,
	AT_UE = 5 + 20,
	FIT = 8,
	MOST = 600
};

/* A side's memory is one piece, copied back as it was when new: making a table takes a hundred
 * times longer. */
struct side {
	struct session_table *t;
	struct pool_set *ps;
	size_t used;
	_Alignas(64) uint8_t mem[ARENA], as_new[ARENA];
};

static struct side sides[2];

static void *arena_alloc(void *ctx, size_t size, size_t align)
{
	struct side *s = ctx;
	size_t at = (s->used + align - 1) / align * align;

	if (at + size > ARENA)
		abort();
	s->used = at + size;
	return s->mem + at;
}

static void arena_free(void *ctx, void *p) {}

static void make_side(struct side *s, uint8_t side)
{
	struct session_mem mem = { arena_alloc, arena_free, s };
	struct session_params p = {
		.capacity = 64, .side = side, .quarantine_s = 2, .annex = 128, .mem = &mem
	};
	struct pool_conf conf = { .name = "pool", .prefix = { ip_addr_v4(POOL4), PREFIX } };

	s->ps = pool_set_create(&conf, 1, &mem);
	if (s->ps == NULL)
		abort();
	pool_hooks(s->ps, &p.hooks);
	s->t = session_table_create(&p);
	if (s->t == NULL)
		abort();
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_own(s->t, i, SESSION_BY_REPL);
	memcpy(s->as_new, s->mem, s->used);
}

static struct side *new_side(uint8_t side)
{
	struct side *s = &sides[side];

	if (s->used == 0)
		make_side(s, side);
	else
		memcpy(s->mem, s->as_new, s->used);
	return s;
}

/* Groups of EXTRA in order, of lengths that fit them, as far as the body goes. */
static size_t fit_extra(uint8_t *body, size_t at, size_t len)
{
	static const uint8_t lengths[] = { 0, 2, WIRE_ADDR6, 16, 29, 0, 0, 6, 8, 5, 14 };
	unsigned int id = 0;

	while (at + WIRE_EXTRA_HEAD < len && id < SESSION_X_PFCP) {
		uint8_t *value = body + at + WIRE_EXTRA_HEAD;
		unsigned int n;

		id += 1 + body[at] % 4;
		n = id < sizeof(lengths) ? lengths[id] : 0;
		if (n == 0)
			n = body[at + 1] % 24;
		if (at + WIRE_EXTRA_HEAD + n + 13 > MOST)
			break;
		if (id == SESSION_X_ACCESS) {
			value[15] %= 14;
			n += value[15];
		}
		body[at] = (uint8_t)id;
		body[at + 1] = (uint8_t)n;
		at += WIRE_EXTRA_HEAD + n;
	}
	return at;
}

/* Heads of groups without bits that mean nothing, and what is behind them. */
static size_t fit_groups(uint8_t *body, size_t len)
{
	size_t at = WIRE_HEAD;

	if (body[4] & SESSION_G_IDENTITY)
		at += WIRE_IDENTITY;
	if (body[4] & SESSION_G_TUNNEL) {
		body[at] &= 0xcf;
		at += WIRE_TUNNEL + GROUP_LONGER * ((body[at] >> 7) + (body[at] >> 6 & 1));
	}
	if (body[4] & SESSION_G_QOS) {
		body[at] %= SESSION_QOS_MAX + 1;
		at += WIRE_QOS;
	}
	if (body[4] & SESSION_G_REQUEST) {
		body[at] &= 0x9f;
		at += WIRE_REQUEST + GROUP_LONGER * (body[at] >> 7);
	}
	at += (body[4] & SESSION_G_USAGE32 ? WIRE_USAGE32 : 0) +
	      (body[4] & SESSION_G_USAGE64 ? WIRE_USAGE64 : 0) +
	      (body[4] & SESSION_G_OTHER64 ? WIRE_USAGE64 : 0);
	return body[4] & SESSION_G_EXTRA ? fit_extra(body, at, len) : at;
}

/* A body of the length that its groups need. With IDENTITY an address of the pool, and a handle in
 * its shard: one of few slots, so that they meet, in one of few generations; else the handle of a
 * session that is there. */
static size_t fit(
	const struct side *s, uint8_t *body, size_t len, const uint32_t *seen, unsigned int n)
{
	const struct session_table *t = s->t;
	struct rd r = rd_init(body, 4);
	struct wr w = wr_init(body, 4), ue;
	uint32_t handle = rd_u32(&r), ue4 = POOL4 + 1 + body[3] % 254;

	if (len < 6)
		return len;
	if (body[4] & SESSION_G_IDENTITY) {
		ue = wr_init(body + AT_UE, 4);
		wr_u32(&ue, ue4);
		wr_u32(&w, session_handle_make(t, session_shard_of_ue4(ue4),
				   session_handle_slot(t, handle) % 4, handle >> 8 & 3));
		body[5] %= 3; /* state */
		body[7] &= 1; /* pool: there is one */
	} else if (n > 0) {
		uint32_t at = seen[body[3] % n];

		wr_u32(&w, t->shard[at / 64].slots[at % 64].teid);
	}
	return fit_groups(body, len);
}

static void check_slot(const struct side *s, uint32_t shard, uint32_t slot)
{
	struct session_shard *sh = &s->t->shard[shard];
	const struct session_slot *p = &sh->slots[slot];
	struct ip_addr ue = ip_addr_v4(p->ue4);
	bool given = rte_bitmap_get(sh->free_map, slot) == 0;

	if (p->teid == 0 && p->state == SESSION_ENDING) {
		if (!given)
			abort();
		return;
	}
	if (p->teid == 0) {
		if (given != (p->flags & SESSION_F_QUARANTINE))
			if (!given || !(p->flags & SESSION_F_QUARANTINE))
				abort();
		return;
	}
	if (!given || p->teid != session_handle_make(s->t, shard, slot, p->gen) ||
		s->t->hooks.named(s->t->hooks.ctx, p->pool, &ue) != p->teid)
		abort();
}

static void check_pool(const struct side *s)
{
	const struct pool *p = &s->ps->p[0];

	for (uint32_t i = 0; i < p->size; i++) {
		uint32_t handle = p->handle[i];
		const struct session_slot *slot = session_slot_of(s->t, handle);

		if (handle != 0 && !(slot->teid == handle && slot->ue4 == POOL4 + i) &&
			!(slot->teid == 0 && slot->ue4 == POOL4 + i))
			abort();
	}
}

/* What is counted is what the slots say. */
static void check_counts(const struct side *s)
{
	uint32_t has[PLACES_NUMBERS] = { 0 };

	for (uint32_t shard = 0; shard < SESSION_SHARDS; shard++) {
		const struct session_shard *sh = &s->t->shard[shard];
		uint32_t contested = 0;

		for (uint32_t i = 0; i < s->t->n_slots; i++) {
			const struct session_slot *p = &sh->slots[i];

			has[p->apn] += p->teid != 0 || p->state == SESSION_ENDING;
			contested += (p->flags & SESSION_F_CONTESTED) != 0;
		}
		if (contested != sh->contested)
			abort();
	}
	for (unsigned int i = 0; i < PLACES_NUMBERS; i++)
		if (session_count_of_apn(s->t, (uint8_t)i) != has[i])
			abort();
}

/* The other side, given all that this one has, has the same. */
static void check_mirror(const struct side *s, const uint32_t *seen, unsigned int n)
{
	uint8_t bytes[SESSION_WIRE_MAX];
	struct side *other = new_side(!s->t->side);

	for (unsigned int i = 0; i < n; i++) {
		struct wr w = wr_init(bytes, sizeof(bytes));
		struct rd r;

		if (session_encode(s->t, seen[i] / 64, seen[i] % 64, SESSION_G_SLOT, &w) == 0)
			abort();
		r = rd_init(bytes, sizeof(bytes) - w.left);
		if (session_apply_slot(other->t, SESSION_BY_REPL, &r, 1) < 0)
			abort();
	}
	for (unsigned int i = 0; i < n; i++)
		if (session_hash_slot(other->t, seen[i] / 64, seen[i] % 64) !=
			session_hash_slot(s->t, seen[i] / 64, seen[i] % 64))
			abort();
}

static unsigned int note(const struct side *s, const uint8_t *body, uint32_t *seen, unsigned int n)
{
	struct rd r = rd_init(body, 4);
	uint32_t handle = rd_u32(&r);
	uint32_t pos = session_handle_shard(handle) * 64 + session_handle_slot(s->t, handle);

	for (unsigned int i = 0; i < n; i++)
		if (seen[i] == pos)
			return n;
	seen[n] = pos;
	return n + 1;
}

static void apply(const struct side *s, unsigned int how, uint8_t *body, size_t len, uint32_t now)
{
	struct rd r = rd_init(body, len);
	struct session_usage u;
	uint32_t handle;

	switch (how & 3) {
	case 0:
		session_apply_slot(s->t, SESSION_BY_REPL, &r, now);
		break;
	case 1:
		session_apply_delta(s->t, SESSION_BY_REPL, &r);
		break;
	case 2:
		if (session_decode_late(&r, &handle, &u) == 0)
			session_apply_late(s->t, SESSION_BY_REPL, handle, &u);
		break;
	default:
		s->t->late_merge = len % 2;
		for (uint32_t i = 0; i < SESSION_SHARDS; i++)
			session_quarantine_expire(s->t, SESSION_BY_REPL, i, now, 8);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	uint32_t seen[SEEN], now = 1;
	unsigned int n = 0;
	struct side *s = new_side(size % 2);

	while (in.left > 1 && n < SEEN) {
		unsigned int how = rd_u8(&in), len = rd_u8(&in);
		struct rd body = rd_sub(&in, len < in.left ? len : in.left);
		uint8_t *copy = calloc(1, MOST);
		size_t left = body.left;

		if (copy == NULL)
			abort();
		if (left > 0)
			memcpy(copy, body.p, left);
		if (how & FIT)
			left = fit(s, copy, left, seen, n);
		copy = realloc(copy, left > 0 ? left : 1); /* a read behind it is seen */
		if (copy == NULL)
			abort();
		now += how >> 6;
		if (left >= 4)
			n = note(s, copy, seen, n);
		apply(s, how, copy, left, now);
		free(copy);
		for (unsigned int i = 0; i < n; i++)
			check_slot(s, seen[i] / 64, seen[i] % 64);
	}
	check_pool(s);
	check_counts(s);
	check_mirror(s, seen, n);
	return 0;
}
