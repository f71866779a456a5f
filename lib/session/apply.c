/* SPDX-License-Identifier: BSD-3-Clause */
/* What the stream brings, applied by the shard's writer. All checks come before the first
 * change. */
#include <errno.h>

#include <rte_prefetch.h>

#include "annex.h"
#include "common/places.h"
#include "slot.h"
#include "wire.h"

enum { AHEAD = 24 }; /* how many records before its turn a slot is asked for */

/* Where a record goes. */
struct apply_target {
	struct session_shard *sh;
	struct session_slot *s;
	uint32_t shard, slot;
	uint8_t by;
};

static struct apply_target apply_target_of(struct session_table *t, uint8_t by, uint32_t handle)
{
	struct apply_target p = { .shard = session_handle_shard(handle),
		.slot = session_handle_slot(t, handle),
		.by = by };

	p.sh = &t->shard[p.shard];
	p.s = &p.sh->slots[p.slot];
	return p;
}

/* The shard that a body of whatever quality belongs to: refusals of garbage count there. */
static uint32_t body_shard(const struct rd *body)
{
	return session_handle_shard(!body->bad && body->left >= 4 ? wire_get32(body->p) : 0);
}

static int apply_malformed(struct session_table *t, uint32_t shard)
{
	t->shard[shard].count.refused_malformed++;
	return -EBADMSG;
}

static int not_here(struct apply_target *p)
{
	p->sh->count.refused_pool++;
	return -ENOENT;
}

/* A session began, or it ended: the stream brings too many for more to be said. */
static void apply_report(const struct session_table *t, uint8_t by, uint64_t key, uint32_t handle,
	enum session_event_kind kind)
{
	const struct session_event e = { .kind = kind, .by = by, .handle = handle, .key = key };

	slot_event(t, &e);
}

/* Before anything of it is applied. */
static int apply_no_annex(struct session_table *t, uint32_t shard)
{
	t->shard[shard].count.refused_annex++;
	return -E2BIG;
}

/* Ends what the slot held for the address table and the index. The slot itself is the caller's to
 * change. */
static void apply_leave_address(
	struct session_table *t, struct apply_target *p, uint8_t pool, uint32_t ue4)
{
	const struct session_slot *s = p->s;
	uint32_t held = s->ue4;
	struct ip_addr ue = slot_address(held);

	if (held == 0 || (held == ue4 && s->pool == pool))
		return;
	quarantine_leave(t, p->shard, p->slot);
	/* A free or ending slot has handed it on already. */
	if (s->teid != 0 && p->sh->contested > 0 && t->hooks.named(t->hooks.ctx, s->pool, &ue) == 0)
		quarantine_inherit(t, p->shard, p->slot, s->pool, held);
}

/* The live session lost its address to another one: whatever it was, it is over; its own record
 * will say so too. */
static void apply_evict(
	struct session_table *t, const struct apply_target *p, struct session_slot *s)
{
	struct session_shard *sh = p->sh;
	uint32_t handle = s->teid;
	uint64_t key = s->key;

	slot_write_begin(s);
	slot_store_free(t, s, s->gen, s->pool, s->ue4);
	slot_write_end(t, s);
	rte_bitmap_set(sh->free_map, session_handle_slot(t, handle));
	sh->n_live--;
	sh->count.evicted++;
	sh->count.ended_by_peer++;
	apply_report(t, p->by, key, handle, SESSION_ENDED);
}

/* The address of a session that lives from now on was named `holder`'s. */
static void apply_overtake(struct session_table *t, const struct apply_target *p, uint32_t holder)
{
	struct session_slot *s = holder != 0 ? session_slot_of(t, holder) : NULL;

	if (s == NULL || s == p->s)
		return;
	if (s->teid == holder)
		apply_evict(t, p, s);
	else
		quarantine_contest(t, s);
}

static uint64_t apply_larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The worker may be counting late packets right now: what does not grow is not written. */
static void apply_raise_own(struct session_slot *s, const struct session_usage *u)
{
	if (u->up_pkts > usage_get(&s->up_pkts))
		usage_set(&s->up_pkts, u->up_pkts);
	if (u->up_bytes > usage_get(&s->up_bytes))
		usage_set(&s->up_bytes, u->up_bytes);
	if (u->dn_pkts > usage_get(&s->dn_pkts))
		usage_set(&s->dn_pkts, u->dn_pkts);
	if (u->dn_bytes > usage_get(&s->dn_bytes))
		usage_set(&s->dn_bytes, u->dn_bytes);
}

static void apply_set_other(struct session_slot *s, const struct session_usage *u)
{
	usage_set(&s->other.up_pkts, u->up_pkts);
	usage_set(&s->other.up_bytes, u->up_bytes);
	usage_set(&s->other.dn_pkts, u->dn_pkts);
	usage_set(&s->other.dn_bytes, u->dn_bytes);
}

static void apply_set_own(
	struct session_table *t, struct session_slot *s, const struct session_usage *u)
{
	if (atomic_load_explicit(&t->late_merge, memory_order_relaxed)) {
		apply_raise_own(s, u);
		return;
	}
	usage_set(&s->up_pkts, u->up_pkts);
	usage_set(&s->up_bytes, u->up_bytes);
	usage_set(&s->dn_pkts, u->dn_pkts);
	usage_set(&s->dn_bytes, u->dn_bytes);
}

static bool apply_has_apn(const struct session_table *t, const struct session_rec *r)
{
	return t->n_apns == 0 || places_of(t->places, PLACES_APN, r->apn) < t->n_apns;
}

static int apply_live(
	struct session_table *t, struct apply_target *p, const struct wire_body *b, uint32_t now_s)
{
	const struct session_rec *r = &b->rec;
	struct session_slot *s = p->s;
	uint32_t was = s->teid;
	uint64_t was_key = s->key;
	bool same = was == r->handle && was_key == r->key;
	uint32_t holder = t->hooks.named(t->hooks.ctx, r->pool, &r->ue);

	if (!apply_has_apn(t, r))
		return not_here(p);
	if (t->hooks.bind(t->hooks.ctx, r->pool, &r->ue, r->handle) < 0)
		return not_here(p);
	apply_leave_address(t, p, r->pool, ip_addr_to_v4(&r->ue));
	apply_overtake(t, p, holder);
	if (was != 0 && !same)
		apply_report(t, p->by, was_key, was, SESSION_ENDED);
	quarantine_drop(t, s);
	rte_bitmap_clear(p->sh->free_map, p->slot);
	slot_write_begin(s);
	slot_store_live(t, s, r, now_s);
	if (was == r->handle) {
		apply_set_own(t, s, &b->other);
		apply_set_other(s, &b->sender);
	} else {
		slot_store_usage(s, &b->other, &b->sender);
	}
	slot_write_end(t, s);
	p->sh->n_live += was == 0;
	p->sh->count.ended_by_peer += was != 0 && !same;
	if (!same)
		apply_report(t, p->by, r->key, r->handle, SESSION_BEGUN);
	return 0;
}

/* An end, as the peer tells it. */
struct apply_end {
	uint32_t handle, last4; /* last4: the address, 0 none */
	/* It is no news that this session is over and has that address; then its address may still
	 * wait, or the slot is an ending one whose address has waited. */
	bool known, waits, over;
	bool same;                 /* the slot has that session's record, live or ending */
	bool contested;            /* a live session has its address */
	struct session_slot *from; /* from which it took its address over; NULL none */
};

static struct apply_end apply_end_of(
	const struct session_table *t, const struct apply_target *p, const struct session_rec *r)
{
	const struct session_slot *s = p->s;
	struct apply_end e = { .handle = r->handle, .last4 = ip_addr_to_v4(&r->ue) };
	bool gen = s->gen == (uint16_t)(r->handle & t->gen_mask);

	e.known = s->teid == 0 && gen && s->ue4 == e.last4 && s->pool == r->pool;
	e.waits = e.known && s->flags & SESSION_F_QUARANTINE;
	/* A free slot waits or may be given out. This says so whatever bit of its state is wrong.
	 */
	e.over = e.known && !e.waits && rte_bitmap_get(p->sh->free_map, p->slot) == 0;
	e.same = slot_is_whole(s) && gen && s->key == r->key;
	return e;
}

/* Another session may have the address already, and keeps it. Another slot may wait with it, where
 * of this session nothing but its end was heard: the address waits with this one, whose quarantine
 * ends last here, unless the end is no news. */
static int apply_end_address(struct session_table *t, const struct apply_target *p,
	const struct session_rec *r, struct apply_end *e)
{
	uint32_t mine = session_handle_make(t, p->shard, p->slot, p->s->gen);
	uint32_t holder = t->hooks.named(t->hooks.ctx, r->pool, &r->ue);
	bool other_has = holder != mine && session_find(t, holder) != NULL;
	bool other_waits = holder != mine && !other_has && !e->known;

	if ((holder == 0 || (holder == mine && p->s->gen != 0) || other_waits) &&
		t->hooks.bind(t->hooks.ctx, r->pool, &r->ue, r->handle) < 0)
		return -ENOENT;
	e->contested = other_has;
	if (holder != 0 && other_waits && session_slot_of(t, holder) != p->s)
		e->from = session_slot_of(t, holder);
	return 0;
}

static void apply_store_ending(struct session_table *t, struct session_slot *s,
	const struct wire_body *b, const struct apply_end *e)
{
	slot_store_ending(t, s, &b->rec);
	if (e->same) {
		apply_set_own(t, s, &b->other);
		apply_set_other(s, &b->sender);
	} else {
		slot_store_usage(s, &b->other, &b->sender);
	}
}

/* From now on the slot waits with its address, or goes on waiting, or nothing waits. */
static void apply_end_waits(struct session_table *t, const struct apply_target *p,
	const struct apply_end *e, uint32_t now_s)
{
	struct session_slot *s = p->s;

	if (e->last4 == 0 || e->over) {
		quarantine_drop(t, s);
		if (s->state != SESSION_ENDING)
			rte_bitmap_set(p->sh->free_map, p->slot);
		else
			rte_bitmap_clear(p->sh->free_map, p->slot);
	} else if (!e->waits) {
		quarantine_put(t, p->shard, p->slot, now_s);
		quarantine_uncontest(t, s);
		if (e->from != NULL)
			quarantine_behind(t, s, e->from);
	}
	if (e->contested)
		quarantine_contest(t, s);
}

static int apply_end(
	struct session_table *t, struct apply_target *p, const struct wire_body *b, uint32_t now_s)
{
	const struct session_rec *r = &b->rec;
	struct apply_end e = apply_end_of(t, p, r);
	struct session_slot *s = p->s;
	uint32_t was = s->teid;
	uint64_t was_key = s->key;
	bool ending = r->state == SESSION_ENDING;

	if (ending && !apply_has_apn(t, r))
		return not_here(p);
	/* A pool may leave before the slots that had its addresses are used anew: it leaves when
	 * none of them waits, so that nothing waits here either. */
	if (e.last4 != 0 && !e.over && apply_end_address(t, p, r, &e) < 0)
		e.over = true;
	apply_leave_address(t, p, r->pool, e.last4);
	slot_write_begin(s);
	if (ending) {
		apply_store_ending(t, s, b, &e);
	} else {
		slot_store_free(t, s, (uint16_t)(r->handle & t->gen_mask), r->pool, e.last4);
		slot_store(t, s, r, SESSION_G_TUNNEL | SESSION_G_REQUEST | SESSION_G_EXTRA);
		memset(s->later, 0, sizeof(s->later)); /* of whole ones alone */
	}
	slot_write_end(t, s);
	apply_end_waits(t, p, &e, now_s);
	p->sh->n_live -= was != 0;
	p->sh->count.ended_by_peer += was != 0;
	if (was != 0)
		apply_report(t, p->by, was_key, was, SESSION_ENDED);
	return 0;
}

/* Whether a SLOT's body hangs together: groups by state, shard by address, a generation that can
 * be. */
static bool apply_is_whole(const struct session_table *t, const struct wire_body *b)
{
	const struct session_rec *r = &b->rec;
	uint32_t gen_field = r->handle & ((UINT32_C(1) << t->gen_bits) - 1);
	bool addressed = !ip_addr_is_none(&r->ue);

	if (!(b->groups & SESSION_G_IDENTITY) || gen_field > t->gen_mask)
		return false;
	if (addressed && session_shard_of(&r->ue) != session_handle_shard(r->handle))
		return false;
	if (r->state != SESSION_FREE)
		return b->groups == SESSION_G_SLOT && slot_may_begin(r) && addressed &&
		       gen_field != 0 && r->handle != UINT32_MAX;
	if (gen_field == 0) /* never used */
		return b->groups == SESSION_G_IDENTITY && !addressed;
	return (b->groups & ~SLOT_G_FREE) == 0 && r->annex_use == 0;
}

int session_apply_slot(struct session_table *t, uint8_t by, struct rd *body, uint32_t now_s)
{
	uint32_t shard = body_shard(body);
	struct wire_body b;
	struct apply_target p;
	int ret;

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (wire_decode(body, &b) < 0 || !apply_is_whole(t, &b))
		return apply_malformed(t, shard);
	if (!annex_fits(t, &b.rec))
		return apply_no_annex(t, shard);
	p = apply_target_of(t, by, b.rec.handle);
	/* no pool has these yet */
	if (ip_addr_to_v4(&b.rec.ue) == 0 && !ip_addr_is_none(&b.rec.ue))
		return not_here(&p);
	ret = b.rec.state == SESSION_LIVE ? apply_live(t, &p, &b, now_s)
					  : apply_end(t, &p, &b, now_s);
	p.sh->count.applied_slot += ret == 0;
	return ret;
}

/* The 64-bit counter that ends in `low` and is not less than `cur`: counters only grow. */
static uint64_t apply_extend(uint64_t cur, uint32_t low)
{
	return cur + (uint32_t)(low - (uint32_t)cur);
}

static void apply_low(struct session_slot *s, const uint32_t low[4])
{
	struct session_usage u = { apply_extend(s->other.up_pkts, low[0]),
		apply_extend(s->other.up_bytes, low[1]), apply_extend(s->other.dn_pkts, low[2]),
		apply_extend(s->other.dn_bytes, low[3]) };

	apply_set_other(s, &u);
}

/* A DELTA says which session it means in full where it says it at all. */
static bool apply_is_same_session(const struct session_slot *s, const struct session_rec *r)
{
	return r->state == SESSION_LIVE && r->key == s->key && r->pool == s->pool &&
	       ip_addr_to_v4(&r->ue) == s->ue4;
}

static int apply_groups(struct session_table *t, struct apply_target *p, const struct wire_body *b)
{
	struct session_slot *s = p->s;

	if (s->teid != b->rec.handle || s->teid == 0) {
		p->sh->count.refused_handle++;
		return -ESTALE;
	}
	if (b->groups & SESSION_G_IDENTITY && !apply_is_same_session(s, &b->rec))
		return apply_malformed(t, p->shard);
	if (!annex_fits(t, &b->rec))
		return apply_no_annex(t, p->shard);
	if (b->groups & SLOT_G_STORED) {
		slot_write_begin(s);
		slot_store(t, s, &b->rec, b->groups);
		slot_write_end(t, s);
	}
	if (b->groups & SESSION_G_USAGE32)
		apply_low(s, b->low);
	if (b->groups & SESSION_G_USAGE64)
		apply_set_other(s, &b->sender);
	if (b->groups & SESSION_G_OTHER64)
		apply_set_own(t, s, &b->other);
	p->sh->count.applied_delta++;
	return 0;
}

int session_apply_delta(struct session_table *t, uint8_t by, struct rd *body)
{
	uint32_t shard = body_shard(body);
	struct wire_body b;
	struct apply_target p;

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (!body->bad && body->left == WIRE_HEAD + WIRE_USAGE32 &&
		body->p[4] == SESSION_G_USAGE32) {
		const uint8_t *in = rd_bytes(body, WIRE_HEAD + WIRE_USAGE32);
		uint32_t handle = wire_get32(in);

		p = apply_target_of(t, by, handle);
		if (p.s->teid == handle && handle != 0) {
			uint32_t low[4] = { wire_get32(in + 5), wire_get32(in + 9),
				wire_get32(in + 13), wire_get32(in + 17) };

			apply_low(p.s, low);
			p.sh->count.applied_delta++;
			return 0;
		}
		p.sh->count.refused_handle++;
		return -ESTALE;
	}
	if (wire_decode(body, &b) < 0)
		return apply_malformed(t, shard);
	p = apply_target_of(t, by, b.rec.handle);
	return apply_groups(t, &p, &b);
}

static void apply_prefetch_usage(const struct session_table *t, const uint8_t *in)
{
	const struct session_slot *s = session_slot_of(t, wire_get32(in));

	rte_prefetch0(s);
	rte_prefetch0(&s->other);
}

/* What a run does between its checks: the slots are far apart and cold, so each is asked for long
 * before it is needed. */
static unsigned int apply_run(struct session_table *t, uint8_t by, const uint8_t *in, size_t n)
{
	unsigned int applied = 0;

	for (size_t i = 0; i < n && i < AHEAD; i++)
		apply_prefetch_usage(t, in + i * SESSION_USAGE_BYTES);
	for (size_t i = 0; i < n; i++, in += SESSION_USAGE_BYTES) {
		uint32_t handle = wire_get32(in), low[4];
		struct session_slot *s = session_slot_of(t, handle);

		if (i + AHEAD < n)
			apply_prefetch_usage(t, in + AHEAD * SESSION_USAGE_BYTES);
		if (s->teid != handle || handle == 0 ||
			!session_owns(t, session_handle_shard(handle), by)) {
			t->shard[session_handle_shard(handle)].count.refused_handle++;
			continue;
		}
		for (unsigned int k = 0; k < 4; k++)
			low[k] = wire_get32(in + 4 + 4 * k);
		apply_low(s, low);
		applied++;
	}
	return applied;
}

int session_apply_usage(struct session_table *t, uint8_t by, struct rd *body)
{
	uint32_t shard = body_shard(body);
	size_t n = body->left / SESSION_USAGE_BYTES;
	const uint8_t *in;
	unsigned int applied;

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (body->bad || n == 0 || body->left % SESSION_USAGE_BYTES != 0)
		return apply_malformed(t, shard);
	in = rd_bytes(body, body->left);
	applied = apply_run(t, by, in, n);
	/* of all shards: nobody asks for them one by one */
	t->shard[shard].count.applied_delta += applied;
	return (int)applied;
}

int session_apply_late(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_usage *u)
{
	struct apply_target p = apply_target_of(t, by, handle);
	struct session_usage *have = &p.s->other;
	struct session_usage most = { apply_larger(have->up_pkts, u->up_pkts),
		apply_larger(have->up_bytes, u->up_bytes), apply_larger(have->dn_pkts, u->dn_pkts),
		apply_larger(have->dn_bytes, u->dn_bytes) };

	if (!shard_writable(t, p.shard, by))
		return -EPERM;
	if (session_find(t, handle) == NULL) {
		p.sh->count.refused_handle++;
		return -ESTALE;
	}
	apply_set_other(p.s, &most);
	p.sh->count.applied_delta++;
	return 0;
}
