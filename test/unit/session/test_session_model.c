/* SPDX-License-Identifier: BSD-3-Clause */
/* A pair of tables against a model that is one array of addresses, and the rules that must always
 * hold. */
#include <errno.h>

#include <rte_bitmap.h>

#include "session_fixture.h"

enum { ADDRESSES = 256 + 32, STEPS = 40000, RECORD = SESSION_WIRE_MAX, ENDINGS = 24 };

static uint32_t address(unsigned int i, uint8_t *pool)
{
	*pool = i >= 256;
	return i < 256 ? 0x0a000000 + i : 0x0a010020 + (i - 256);
}

static unsigned int broken_slots(const struct chassis *c, uint32_t shard)
{
	const struct session_table *t = c->t;
	const struct session_shard *sh = &t->shard[shard];
	unsigned int bad = 0, live = 0, listed = 0, contested = 0;

	for (uint32_t i = 0; i < t->n_slots; i++) {
		const struct session_slot *s = &sh->slots[i];
		bool given = rte_bitmap_get(sh->free_map, i) == 0;
		uint32_t handle = session_handle_make(t, shard, i, s->gen);

		listed += (s->flags & SESSION_F_IN_FIFO) != 0;
		contested += (s->flags & SESSION_F_CONTESTED) != 0;
		bad += s->flags & SESSION_F_CONTESTED && !(s->flags & SESSION_F_QUARANTINE);
		if (s->teid != 0) {
			live++;
			bad += s->teid != handle || handle == UINT32_MAX || s->gen == 0;
			bad += session_shard_of_ue4(s->ue4) != shard || !given ||
			       s->state != SESSION_LIVE;
			bad += fix_holder(c->ps, s->ue4) != s->teid;
			bad += c->index[s->key % FIX_KEYS] == 0;
			bad += (s->flags & SESSION_F_QUARANTINE) != 0;
		} else if (s->state == SESSION_ENDING) {
			bad += !given || s->key == 0 || s->gen == 0;
			bad += s->flags & SESSION_F_QUARANTINE && !(s->flags & SESSION_F_IN_FIFO);
			bad += !(s->flags & SESSION_F_QUARANTINE) &&
			       fix_holder(c->ps, s->ue4) == handle;
		} else {
			bad += s->state != SESSION_FREE;
			bad += given != ((s->flags & SESSION_F_QUARANTINE) != 0);
			bad += given && !(s->flags & SESSION_F_IN_FIFO);
		}
		bad += (s->seq & 1) != 0;
	}
	bad += live != sh->n_live || listed != sh->fifo_tail - sh->fifo_head;
	bad += contested != sh->contested;
	for (uint32_t i = sh->fifo_head; i != sh->fifo_tail; i++) {
		uint32_t slot = sh->fifo[i & (t->n_slots - 1)];

		bad += !(sh->slots[slot].flags & SESSION_F_IN_FIFO);
		for (uint32_t k = i + 1; k != sh->fifo_tail; k++)
			bad += sh->fifo[k & (t->n_slots - 1)] == slot;
	}
	return bad;
}

static unsigned int broken_addresses(const struct chassis *c)
{
	unsigned int bad = 0, used[2] = { 0, 0 };

	for (unsigned int i = 0; i < ADDRESSES; i++) {
		uint8_t pool;
		uint32_t ue4 = address(i, &pool), offset = ue4 - c->ps->p[pool].base4;
		bool in_pool = pool_entry4(c->ps, INSTANCE_MAIN, ue4) != NULL;
		bool edge = offset == 0 || offset == c->ps->p[pool].size - 1;
		uint32_t h = fix_holder(c->ps, ue4);
		const struct session_slot *s = session_slot_of(c->t, h);
		bool is_free = rte_bitmap_get(c->ps->p[pool].free_map[ue4 & 63], offset / 64) != 0;

		used[pool] += h != 0;
		bad += !in_pool || is_free != (h == 0 && !edge);
		if (h == 0)
			continue;
		if (s->teid == 0)
			bad += !(s->flags & SESSION_F_QUARANTINE) || s->ue4 != ue4 ||
			       s->gen != (h & c->t->gen_mask);
		else
			bad += s->teid != h || s->ue4 != ue4;
	}
	return bad + (used[0] != pool_used(&c->ps->p[0])) + (used[1] != pool_used(&c->ps->p[1]));
}

/* Whole slots, by the numbers of their APNs. */
static unsigned int broken_counts(const struct chassis *c)
{
	const struct session_table *t = c->t;
	uint32_t has[PLACES_NUMBERS] = { 0 };
	unsigned int bad = 0;

	for (uint32_t i = 0; i < SESSION_SHARDS * t->n_slots; i++)
		has[t->slots[i].apn] +=
			t->slots[i].teid != 0 || t->slots[i].state == SESSION_ENDING;
	for (unsigned int i = 0; i < PLACES_NUMBERS; i++)
		bad += session_count_of_apn(t, (uint8_t)i) != has[i];
	return bad;
}

unsigned int fix_broken(const struct chassis *c)
{
	unsigned int bad = broken_addresses(c) + broken_counts(c), keys = 0, live = 0;

	for (uint32_t i = 0; i < SESSION_SHARDS; i++) {
		bad += broken_slots(c, i);
		live += c->t->shard[i].n_live;
	}
	for (unsigned int i = 0; i < FIX_KEYS; i++)
		keys += c->index[i] != 0;
	return bad + (keys != live);
}

/* The model: what the active one holds, by address. */
struct truth {
	enum { NONE, LIVE, WAITS } is;
	uint32_t since; /* WAITS: freed at */
	struct session_rec rec;
};

struct pair {
	struct chassis *c[2];
	unsigned int active;
	uint64_t seed, key;
	uint32_t now;
	struct truth truth[ADDRESSES];
	/* sessions that have ended and whose slots are kept, whatever becomes of their addresses */
	struct session_rec ending[ENDINGS];
	unsigned int n_ending, n_kept; /* n_kept: freed after their address had waited */
	/* gone: lost, not yet noticed */
	uint8_t dirty[SESSION_SHARDS][64], gone[SESSION_SHARDS][64];
	unsigned int lost, stale;
};

static uint64_t roll(struct pair *p, uint64_t n)
{
	return (ut_random(&p->seed) >> 8) % n;
}

static void mark(struct pair *p, uint32_t handle, uint8_t groups)
{
	const struct session_table *t = p->c[0]->t;

	p->dirty[session_handle_shard(handle)][session_handle_slot(t, handle)] |= groups;
}

/* One dirty slot to the standby; what is lost is dirty again a while later, as the stream does
 * it. */
static void ship(struct pair *p, uint32_t shard, uint32_t slot, bool lose)
{
	struct chassis *from = p->c[p->active], *to = p->c[!p->active];
	uint8_t buf[RECORD], *d = &p->dirty[shard][slot], groups = *d;
	struct wr w = wr_init(buf, sizeof(buf));
	bool whole = groups & SESSION_G_IDENTITY;
	int ret;

	if (groups == 0)
		return;
	*d = 0;
	groups = session_encode(from->t, shard, slot, whole ? SESSION_G_SLOT : groups, &w);
	CU_ASSERT_NOT_EQUAL(groups, 0);
	CU_ASSERT_EQUAL(sizeof(buf) - w.left,
		session_wire_size(from->t, &from->t->shard[shard].slots[slot], groups, 1));
	if (lose) {
		p->lost++;
		p->gone[shard][slot] |= groups & SESSION_G_USAGE32
						? (groups & ~SESSION_G_USAGE32) | SESSION_G_USAGE64
						: groups;
		return;
	}
	struct rd r = rd_init(buf, sizeof(buf) - w.left);

	ret = whole ? session_apply_slot(to->t, FIX_BY, &r, p->now)
		    : session_apply_delta(to->t, FIX_BY, &r);
	p->stale += ret == -ESTALE;
	CU_ASSERT_TRUE(ret == 0 || (ret == -ESTALE && !whole));
}

static void notice_losses(struct pair *p)
{
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		for (uint32_t k = 0; k < 64; k++)
			p->dirty[i][k] |= p->gone[i][k];
	memset(p->gone, 0, sizeof(p->gone));
}

static void ship_all(struct pair *p)
{
	notice_losses(p);
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		for (uint32_t k = 0; k < 64; k++)
			ship(p, i, k, false);
}

/* Half of the sessions of tables that have annexes. */
static void draw_annex(struct pair *p, struct session_rec *rec)
{
	unsigned int bytes = p->c[p->active]->t->annex_bytes;

	if (bytes > 0 && roll(p, 2) == 0)
		fix_annex(&p->seed, rec, bytes - SESSION_ANNEX_FIXED);
}

static void do_create(struct pair *p)
{
	struct chassis *c = p->c[p->active];
	uint8_t pool = (uint8_t)roll(p, 2);
	uint32_t shard = (uint32_t)roll(p, SESSION_SHARDS);
	struct session_rec rec;
	struct ip_addr ue;
	unsigned int i;

	if (pool_pick(c->ps, pool, shard, &ue) < 0)
		return;
	i = pool == 0 ? ip_addr_to_v4(&ue) - 0x0a000000 : ip_addr_to_v4(&ue) - 0x0a010020 + 256;
	CU_ASSERT_EQUAL(p->truth[i].is, NONE);
	rec = fix_rec(&p->seed, pool, ip_addr_to_v4(&ue), ++p->key % FIX_KEYS);
	draw_annex(p, &rec);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &rec, p->now), 0);
	CU_ASSERT_EQUAL(rec.handle & 1, p->active);
	CU_ASSERT_EQUAL(
		session_create(c->t, FIX_BY,
			&(struct session_rec){ .pool = pool, .ue = ue, .key = 1, .pdp_type = 0x21 },
			p->now),
		-EEXIST);
	p->truth[i].is = LIVE;
	p->truth[i].rec = rec;
	mark(p, rec.handle, SESSION_G_SLOT);
}

#define CHANGE_ONCE false
#define CHANGE_ANY  true
#define CHANGE_ROW(name, type, bytes, group, set, end, line, view)                                 \
	if (SESSION_BIT_##group == groups && CHANGE_##set)                                         \
		memcpy(&have->name, &rec.name, sizeof(rec.name));

static void do_change(struct pair *p, unsigned int i)
{
	static const uint8_t parts[] = { SESSION_G_IDENTITY, SESSION_G_TUNNEL, SESSION_G_QOS,
		SESSION_G_REQUEST, SESSION_G_EXTRA };
	struct chassis *c = p->c[p->active];
	struct session_rec *have = &p->truth[i].rec;
	struct session_rec rec = fix_rec(&p->seed, have->pool, ip_addr_to_v4(&have->ue), have->key);
	uint8_t groups = parts[roll(p, sizeof(parts))];

	draw_annex(p, &rec);
	rec.handle = have->handle;
	CU_ASSERT_EQUAL(session_update(c->t, FIX_BY, &rec, groups), 0);
	if (groups == SESSION_G_EXTRA) {
		have->annex_use = rec.annex_use;
		have->annex = rec.annex;
	}
	SESSION_FIELDS(CHANGE_ROW)
	mark(p, rec.handle, groups);
}

/* Bytes come in jumps up to 2^29, so that the 32-bit form wraps often. */
static void do_traffic(struct pair *p, unsigned int i)
{
	struct session_slot *s = session_find(p->c[p->active]->t, p->truth[i].rec.handle);
	struct session_usage *u = &p->truth[i].rec.usage[p->active];

	CU_ASSERT_PTR_NOT_NULL(s);
	if (s == NULL)
		return;
	u->up_pkts = ++s->up_pkts;
	u->up_bytes = s->up_bytes += roll(p, 1 << 29);
	u->dn_pkts = ++s->dn_pkts;
	u->dn_bytes = s->dn_bytes += roll(p, 1 << 29);
	mark(p, s->teid, SESSION_G_USAGE32);
}

/* Its slot is kept, and has all that it had. */
static void do_end(struct pair *p, struct truth *u)
{
	struct session_table *t = p->c[p->active]->t;
	uint32_t handle = u->rec.handle;

	CU_ASSERT_EQUAL(session_end(t, FIX_BY, handle, FIX_END(p->now)), 0);
	CU_ASSERT_EQUAL(session_end(t, FIX_BY, handle, FIX_END(p->now)), -ENOENT);
	CU_ASSERT_PTR_NULL(session_find(t, handle));
	u->rec.state = SESSION_ENDING;
	p->ending[p->n_ending++] = u->rec;
	u->is = WAITS;
	u->since = p->now;
	mark(p, handle, SESSION_G_SLOT);
}

/* The end is acknowledged. */
static void do_finish(struct pair *p)
{
	unsigned int k = (unsigned int)roll(p, p->n_ending);
	uint32_t handle = p->ending[k].handle;
	struct session_table *t = p->c[p->active]->t;

	p->n_kept += !(session_slot_of(t, handle)->flags & SESSION_F_QUARANTINE);
	CU_ASSERT_EQUAL(session_free(t, FIX_BY, handle, FIX_END(p->now)), 0);
	CU_ASSERT_EQUAL(session_free(t, FIX_BY, handle, FIX_END(p->now)), -ENOENT);
	p->ending[k] = p->ending[--p->n_ending];
	mark(p, handle, SESSION_G_SLOT);
}

static void do_free(struct pair *p, unsigned int i)
{
	uint32_t handle = p->truth[i].rec.handle;

	if (p->n_ending < ENDINGS && p->truth[i].rec.key != 0 && roll(p, 2)) {
		do_end(p, &p->truth[i]);
		return;
	}
	CU_ASSERT_EQUAL(session_free(p->c[p->active]->t, FIX_BY, handle, FIX_END(p->now)), 0);
	CU_ASSERT_EQUAL(session_free(p->c[p->active]->t, FIX_BY, handle, FIX_END(p->now)), -ENOENT);
	p->truth[i].is = WAITS;
	p->truth[i].since = p->now;
	mark(p, handle, SESSION_G_SLOT);
}

static bool is_named(struct pair *p, unsigned int i)
{
	uint8_t pool;
	uint32_t ue4 = address(i, &pool);

	return fix_holder(p->c[p->active]->ps, ue4) != 0;
}

/* Never early; late by no more than one more quarantine (a slot that was listed already when it was
 * freed). */
static void do_time(struct pair *p)
{
	p->now += (uint32_t)roll(p, 4);
	if (roll(p, 8) == 0)
		notice_losses(p);
	for (uint32_t i = 0; i < SESSION_SHARDS; i++) {
		session_quarantine_expire(p->c[0]->t, FIX_BY, i, p->now, 1000);
		session_quarantine_expire(p->c[1]->t, FIX_BY, i, p->now, 1000);
	}
	for (unsigned int i = 0; i < ADDRESSES; i++) {
		struct truth *u = &p->truth[i];

		if (u->is != WAITS)
			continue;
		if (is_named(p, i)) {
			CU_ASSERT_TRUE(p->now - u->since < 2 * FIX_QUARANTINE + 4);
		} else {
			CU_ASSERT_TRUE(p->now - u->since >= FIX_QUARANTINE);
			u->is = NONE;
		}
	}
}

static void compare_model(struct pair *p)
{
	struct session_rec rec;

	for (unsigned int i = 0; i < ADDRESSES; i++) {
		const struct truth *u = &p->truth[i];
		const struct session_slot *s = session_find(p->c[p->active]->t, u->rec.handle);

		CU_ASSERT_EQUAL(is_named(p, i), u->is != NONE);
		if (u->is != LIVE)
			continue;
		CU_ASSERT_PTR_NOT_NULL(s);
		if (s == NULL)
			continue;
		session_read(p->c[p->active]->t, s, &rec);
		CU_ASSERT_TRUE(fix_same(&rec, &u->rec));
	}
	for (unsigned int k = 0; k < p->n_ending; k++) {
		const struct session_table *t = p->c[p->active]->t;

		session_read(t, session_slot_of(t, p->ending[k].handle), &rec);
		CU_ASSERT_TRUE(fix_same(&rec, &p->ending[k]));
	}
}

static void compare_pair(struct pair *p)
{
	const struct session_table *a = p->c[0]->t, *b = p->c[1]->t;
	struct session_rec ra, rb;

	for (uint32_t i = 0; i < SESSION_SHARDS; i++) {
		CU_ASSERT_EQUAL(session_hash_bucket(a, i, 0), session_hash_bucket(b, i, 0));
		for (uint32_t k = 0; k < 64; k++) {
			session_read_at(a, i, k, &ra);
			session_read_at(b, i, k, &rb);
			CU_ASSERT_TRUE(fix_same(&ra, &rb));
		}
	}
}

/* The other side takes over what it has; all its quarantines start again. */
static void do_switch(struct pair *p)
{
	ship_all(p);
	p->active = !p->active;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_quarantine_restart(p->c[p->active]->t, i, p->now);
	for (unsigned int i = 0; i < ADDRESSES; i++) {
		if (p->truth[i].is == LIVE)
			continue;
		p->truth[i].is = is_named(p, i) ? WAITS : NONE;
		p->truth[i].since = p->now;
	}
}

static void do_something(struct pair *p)
{
	unsigned int i = (unsigned int)roll(p, ADDRESSES), what = (unsigned int)roll(p, 16);

	if (what < 4)
		do_create(p);
	else if (what == 15)
		do_time(p);
	else if (what == 10 && p->n_ending > 0)
		do_finish(p);
	else if (what > 10)
		for (uint32_t k = 0; k < 16 * 64; k++) /* a quarter of the shards */
			ship(p, (i + k / 64) % SESSION_SHARDS, k % 64, roll(p, 4) == 0);
	else if (p->truth[i].is == LIVE)
		what < 6 ? do_change(p, i) : what < 9 ? do_traffic(p, i) : do_free(p, i);
}

static void pair_new(struct pair *p, uint16_t annex)
{
	memset(p, 0, sizeof(*p));
	p->seed = ut_seed(20261122);
	p->now = 1000;
	p->c[0] = fix_new_annex(0, 1, annex);
	p->c[1] = fix_new_annex(1, 1, annex);
}

static void pair_free(struct pair *p)
{
	fix_free(p->c[0]);
	fix_free(p->c[1]);
}

static void run(uint16_t annex, unsigned int steps)
{
	static struct pair p;

	pair_new(&p, annex);
	for (unsigned int i = 1; i <= steps; i++) {
		do_something(&p);
		if (i % 500 == 0) {
			CU_ASSERT_EQUAL(fix_broken(p.c[0]), 0);
			CU_ASSERT_EQUAL(fix_broken(p.c[1]), 0);
			compare_model(&p);
		}
		if (i % 2000 == 0) {
			do_switch(&p);
			compare_pair(&p);
		}
	}
	CU_ASSERT_TRUE(p.lost > steps / 40);
	CU_ASSERT_TRUE(p.stale > 0);
	CU_ASSERT_TRUE(p.n_kept > steps / 1300);
	pair_free(&p);
}

void test_model(void)
{
	run(0, STEPS);
}

void test_model_annex(void)
{
	run(128, STEPS / 4);
	run(SESSION_ANNEX_MAX, STEPS / 4);
}

/* The model follows whoever is active now. Quarantines start again, which forgives what it cannot
 * know. */
static void learn(struct pair *p)
{
	const struct session_table *t = p->c[p->active]->t;

	p->n_ending = 0;
	for (uint32_t i = 0; i < SESSION_SHARDS * t->n_slots; i++)
		if (t->slots[i].state == SESSION_ENDING && p->n_ending < ENDINGS)
			session_read(t, &t->slots[i], &p->ending[p->n_ending++]);
	for (unsigned int i = 0; i < ADDRESSES; i++) {
		struct truth *u = &p->truth[i];
		uint8_t pool;
		uint32_t ue4 = address(i, &pool);
		uint32_t h = fix_holder(p->c[p->active]->ps, ue4);
		const struct session_slot *s = session_find(p->c[p->active]->t, h);

		u->is = s != NULL ? LIVE : h != 0 ? WAITS : NONE;
		u->since = p->now;
		if (s != NULL)
			session_read(p->c[p->active]->t, s, &u->rec);
	}
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_quarantine_restart(p->c[p->active]->t, i, p->now);
}

/* Both were active for a while: the winner's table wins whole. */
void test_model_dual(void)
{
	static struct pair p;

	pair_new(&p, 0);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 300; i++)
			do_something(&p);
		p.active = !p.active;
		learn(&p);
		for (unsigned int i = 0; i < 200; i++) {
			unsigned int at = (unsigned int)roll(&p, ADDRESSES);

			if (roll(&p, 2))
				do_create(&p);
			else if (p.truth[at].is == LIVE)
				do_free(&p, at);
		}
		p.active = (unsigned int)roll(&p, 2);
		memset(p.dirty, SESSION_G_SLOT, sizeof(p.dirty));
		ship_all(&p);
		compare_pair(&p);
		CU_ASSERT_EQUAL(fix_broken(p.c[0]), 0);
		CU_ASSERT_EQUAL(fix_broken(p.c[1]), 0);
		learn(&p);
	}
	pair_free(&p);
}
