/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "session/dirty.h"
#include "session_fixture.h"

static uint64_t seed = 7;

/* ---- table ---- */

static const struct {
	uint32_t capacity, n_slots;
	uint8_t side, gen_bits;
	int err;
} sizes[] = {
	{ 1, 64, 0, 20, 0 },
	{ 4096, 64, 1, 20, 0 },
	{ 4097, 128, 0, 19, 0 },
	{ 100000, 2048, 0, 15, 0 },
	{ 0, 0, 0, 0, EINVAL },
	{ 64, 0, 2, 0, EINVAL },
	{ (1U << 26) + 1, 0, 0, 0, EINVAL },
	{ UINT32_MAX, 0, 0, 0, EINVAL },
};

static void test_table_sizes(void)
{
	struct pool_set *ps = pool_set_create(NULL, 0, &session_mem_libc);

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct session_params p = { .capacity = sizes[i].capacity,
			.side = sizes[i].side,
			.mem = &session_mem_libc };

		pool_hooks(ps, &p.hooks);
		errno = 0;
		struct session_table *t = session_table_create(&p);
		CU_ASSERT_EQUAL(t == NULL, sizes[i].err != 0);
		CU_ASSERT_EQUAL(t == NULL ? errno : 0, sizes[i].err);
		if (t == NULL)
			continue;
		CU_ASSERT_EQUAL(t->n_slots, sizes[i].n_slots);
		CU_ASSERT_EQUAL(t->gen_bits, sizes[i].gen_bits);
		CU_ASSERT_EQUAL(t->buckets * SESSION_BUCKET, t->n_slots);
		CU_ASSERT_TRUE((t->bytes - sizeof(*t)) / 64 / t->n_slots < 280);
		CU_ASSERT_TRUE(sizeof(*t) < 128 * 1024); /* counts by number, mostly */
		CU_ASSERT_PTR_EQUAL(
			session_slot_of(t, UINT32_MAX), &t->shard[63].slots[t->n_slots - 1]);
		CU_ASSERT_PTR_NULL(session_find(t, 0));
		CU_ASSERT_PTR_NULL(session_find(t, UINT32_MAX));
		session_table_destroy(t);
	}
	pool_set_destroy(ps);
	session_table_destroy(NULL);
}

/* An allocator whose n-th allocation fails. */
struct rigged {
	int left, held;
};
static void *rigged_alloc(void *ctx, size_t size, size_t align)
{
	struct rigged *r = ctx;

	if (r->left-- == 0)
		return NULL;
	r->held++;
	return session_mem_libc.alloc(NULL, size, align);
}
static void rigged_free(void *ctx, void *p)
{
	((struct rigged *)ctx)->held--;
	free(p);
}

static void test_nth_allocation_fails(void)
{
	bool done = false;

	for (int n = 0; !done && n < 20; n++) {
		struct rigged r = { n, 0 };
		struct session_mem mem = { rigged_alloc, rigged_free, &r };
		struct session_params p = { .capacity = 1, .mem = &mem };
		struct pool_conf conf[2];
		struct dirty d = { 0 };
		struct session_table *t = NULL;

		fix_pool_conf(&conf[0], "10.0.0.0", 24);
		fix_pool_conf(&conf[1], "10.1.0.0", 30);
		errno = 0;
		struct pool_set *ps = pool_set_create(conf, 2, &mem);
		if (ps != NULL) {
			pool_hooks(ps, &p.hooks);
			t = session_table_create(&p);
		}
		if (t != NULL)
			done = dirty_init(&d, 64, 1, &mem) == 0;
		else
			CU_ASSERT_EQUAL(errno, ENOMEM);
		dirty_fini(&d, &mem);
		session_table_destroy(t);
		pool_set_destroy(ps);
		CU_ASSERT_EQUAL(r.held, 0);
	}
	CU_ASSERT_TRUE(done);
}

/* ---- door ---- */

static void test_door_refuses(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_rec r = fix_made(&seed, c, 0x0a000001, 1), bad = r;
	struct session_counters *n = &c->t->shard[1].count;
	struct rd body = rd_init("\x04\0\0\0\1", 5);

	CU_ASSERT_EQUAL(session_create(c->t, 3, &bad, 100), -EPERM);
	CU_ASSERT_EQUAL(session_update(c->t, 3, &r, SESSION_G_QOS), -EPERM);
	CU_ASSERT_EQUAL(session_free(c->t, 3, r.handle, FIX_END(100)), -EPERM);
	CU_ASSERT_EQUAL(session_apply_slot(c->t, 3, &body, 100), -EPERM);
	CU_ASSERT_EQUAL(session_apply_delta(c->t, 3, &body), -EPERM);
	CU_ASSERT_EQUAL(session_apply_late(c->t, 3, r.handle, &r.usage[0]), -EPERM);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, 3, 1, 100, 1), 0);
	CU_ASSERT_EQUAL(n->not_owner, 7);
	bad.handle += 2;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -EEXIST);
	bad.handle += 2;
	CU_ASSERT_EQUAL(session_update(c->t, FIX_BY, &bad, SESSION_G_QOS), -ENOENT);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, bad.handle, FIX_END(100)), -ENOENT);
	bad.pool = 2;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -ENOENT);
	bad.pool = SESSION_NO_POOL;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -ENOENT);
	bad.pool = 0;
	bad.ue = ip_addr_v4(0x0a000000);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -ENOENT);
	bad.ue = ip_addr_v4(0x0a0000ff);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -ENOENT);
	memset(&bad.ue, 0x20, sizeof(bad.ue));
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -ENOENT);
	CU_ASSERT_EQUAL(n->refused_pool, 2); /* the others are of other shards */
	bad = fix_rec(&seed, 0, 0x0a000041, 0);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -EINVAL);
	bad = fix_rec(&seed, 0, 0x0a000041, 1);
	bad.pdp_type = 0;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &bad, 100), -EINVAL);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* Leaves one slot of the shard that may be given out, with this generation behind it. */
static struct session_slot *only(struct chassis *c, uint32_t shard, uint32_t slot, uint16_t gen)
{
	struct session_shard *sh = &c->t->shard[shard];

	rte_bitmap_reset(sh->free_map);
	rte_bitmap_set(sh->free_map, slot);
	sh->slots[slot].gen = gen;
	return &sh->slots[slot];
}

static void test_handles(void)
{
	/* 16 generation bits, all of which a slot keeps, so that ~0 is within reach */
	struct chassis *c[2] = { fix_new(0, 65536), fix_new(1, 65536) };

	CU_ASSERT_EQUAL(c[0]->t->gen_bits, 16);
	only(c[0], 0, 0, fix_gen_before(c[0], 0, 0, 0)); /* 0 is skipped */
	CU_ASSERT_EQUAL(fix_made(&seed, c[0], 0x0a000040, 1).handle, fix_gen_behind(c[0], 0, 0, 0));
	only(c[1], 6, 0, fix_gen_before(c[1], 6, 0, 1)); /* and generation 1 */
	CU_ASSERT_EQUAL(fix_made(&seed, c[1], 0x0a000006, 1).handle,
		6U << 26 | fix_gen_behind(c[1], 6, 0, 1));
	only(c[1], 63, 1023, fix_gen_before(c[1], 63, 1023, 0xffff)); /* and ~0 */
	CU_ASSERT_EQUAL(fix_made(&seed, c[1], 0x0a00003f, 1).handle,
		0xffff0000 | fix_gen_behind(c[1], 63, 1023, 0xffff));
	only(c[1], 62, 0, fix_gen_before(c[1], 62, 0, 0xffff));
	CU_ASSERT_EQUAL(fix_made(&seed, c[1], 0x0a00003e, 2).handle, 62U << 26 | 0xffff);
	/* a slot that the other side had: this side's bit, and behind the old one */
	only(c[1], 5, 7, 8);
	CU_ASSERT_EQUAL(fix_gen_behind(c[1], 5, 7, 8) & 1, 1);
	CU_ASSERT_EQUAL(fix_made(&seed, c[1], 0x0a000005, 3).handle,
		5U << 26 | 7U << 16 | fix_gen_behind(c[1], 5, 7, 8));
	struct session_rec r = fix_rec(&seed, 0, 0x0a000045, 4);
	CU_ASSERT_EQUAL(session_create(c[1]->t, FIX_BY, &r, 100), -ENOSPC);
	CU_ASSERT_EQUAL(c[1]->t->shard[5].count.full, 1);
	fix_free(c[0]);
	fix_free(c[1]);
}

static void test_generation_cycle(void)
{
	struct chassis *c = fix_new(0, 1);
	uint32_t last = 0, same = 0, zero = 0;

	c->t->quarantine_s = 0; /* reusable with the next expiry, in the same second */
	only(c, 0, 0, 0);
	for (unsigned int i = 0; i < 70000; i++) {
		struct session_rec r = fix_made(&seed, c, 0x0a000040, 1);

		same += r.handle == last;
		zero += r.handle == 0 || session_find(c->t, r.handle) == NULL;
		last = r.handle;
		CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(100)), 0);
		CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 0, 100, 1), 1);
	}
	CU_ASSERT_EQUAL(same + zero, 0);
	fix_free(c);
}

/* A chassis begins anew, empty, life after life and term after term: its first TEID in a slot is
 * not always the same one. */
static void test_generations_of_terms(void)
{
	enum { LIVES = 200, CYCLE = (1 << 15) - 1 };
	uint32_t first[LIVES], met = 0;
	uint8_t seen[1 << 16] = { 0 };
	struct chassis *c;

	for (uint32_t life = 0; life < LIVES; life++) {
		c = fix_new(0, 65536);
		only(c, 0, 0, 0);
		session_generations(c->t, 0,
			&(const struct siphash_secret){ { (uint8_t)(life / 2) } },
			(life % 2 * UINT64_C(1000) + 1) << 1);
		first[life] = fix_made(&seed, c, 0x0a000040, 1).handle;
		for (uint32_t other = 0; other < life; other++)
			met += first[other] == first[life];
		fix_free(c);
	}
	CU_ASSERT_TRUE(met <= 10); /* by chance LIVES^2 / 2 / 2^15: 0.6 */

	/* Within a term all others come before one comes again. */
	c = fix_new(0, 65536);
	c->t->quarantine_s = 0;
	only(c, 0, 0, 0);
	session_generations(c->t, 0, &(const struct siphash_secret){ { 7 } }, 2001 << 1);
	for (unsigned int i = 0; i < CYCLE; i++) {
		struct session_rec r = fix_made(&seed, c, 0x0a000040, 1);

		met = seen[r.handle & 0xffff]++;
		CU_ASSERT_EQUAL_FATAL(met, 0);
		CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(100)), 0);
		CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 0, 100, 1), 1);
	}
	fix_free(c);
}

static void test_quarantine(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_rec r = fix_made(&seed, c, 0x0a000003, 1), again = r;
	struct ip_addr ue;

	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(200)), 0);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 200), -EEXIST);
	for (int i = 0; i < 8; i++)
		CU_ASSERT_TRUE(
			pool_pick(c->ps, 0, 3, &ue) == 0 && ip_addr_to_v4(&ue) != 0x0a000003);
	/* a clock that went back */
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 3, 150, 9), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 3, 209, 9), 0);
	session_quarantine_restart(c->t, 3, 205);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 3, 214, 9), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 3, 215, 0), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, 3, 215, 9), 1);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 215), 0);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* A session begins with full buckets, whoever had its slot; what changes it leaves them alone. */
static void test_full_buckets(void)
{
	struct chassis *c = fix_new(0, 1), *peer = fix_new(1, 1);
	struct session_slot *s = only(c, 3, 5, 1);
	struct session_rec r = fix_made(&seed, c, 0x0a000003, 1);

	s->up_tat = 1;
	s->dn_tat = 2;
	CU_ASSERT_EQUAL(session_update(c->t, FIX_BY, &r, SESSION_G_QOS), 0);
	CU_ASSERT_TRUE(s->teid == r.handle && s->up_tat == 1 && s->dn_tat == 2);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(200)), 0);
	only(c, 3, 5, s->gen);
	r = fix_made(&seed, c, 0x0a000043, 2);
	CU_ASSERT_TRUE(s->teid == r.handle && s->up_tat == 0 && s->dn_tat == 0);
	/* The peer's word of the same session changes nothing; that of another does. */
	CU_ASSERT_EQUAL(fix_ship(c, peer, r.handle, SESSION_G_SLOT), 0);
	s = session_slot_of(peer->t, r.handle);
	s->up_tat = 1;
	s->dn_tat = 2;
	CU_ASSERT_EQUAL(fix_ship(c, peer, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(s->up_tat == 1 && s->dn_tat == 2);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(200)), 0);
	only(c, 3, 5, session_slot_of(c->t, r.handle)->gen);
	r = fix_made(&seed, c, 0x0a000083, 3);
	CU_ASSERT_EQUAL(fix_ship(c, peer, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(s->teid == r.handle && s->up_tat == 0 && s->dn_tat == 0);
	fix_free(c);
	fix_free(peer);
}

/* ---- reading while another core writes ---- */

struct race {
	struct chassis *c;
	uint32_t handle;
	atomic_bool stop;
	unsigned int torn;
	atomic_uint reads;
};

static void *reader(void *arg)
{
	struct race *r = arg;
	struct session_rec rec;

	while (!atomic_load(&r->stop)) {
		session_read(r->c->t, session_slot_of(r->c->t, r->handle), &rec);
		r->torn += rec.peer_ctl_teid != rec.peer_usr_teid ||
			   rec.qos[0] != (uint8_t)rec.peer_ctl_teid ||
			   rec.req_seq != (uint16_t)rec.peer_ctl_teid;
		atomic_fetch_add(&r->reads, 1);
	}
	return NULL;
}

static void test_read_is_whole(void)
{
	struct race r = { .c = fix_new(0, 1) };
	struct session_rec rec = fix_rec(&seed, 0, 0x0a000001, 1);
	pthread_t thread;

	rec.peer_ctl_teid = rec.peer_usr_teid = rec.req_seq = rec.qos[0] = 0;
	rec.qos_len = SESSION_QOS_MAX;
	CU_ASSERT_EQUAL(session_create(r.c->t, FIX_BY, &rec, 1), 0);
	r.handle = rec.handle;
	CU_ASSERT_EQUAL(pthread_create(&thread, NULL, reader, &r), 0);
	for (uint32_t i = 0; i < 300000 || atomic_load(&r.reads) < 1000; i++) {
		rec.peer_ctl_teid = rec.peer_usr_teid = i;
		rec.req_seq = (uint16_t)i;
		rec.qos[0] = (uint8_t)i;
		session_update(r.c->t, FIX_BY, &rec,
			SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST | SESSION_G_IDENTITY);
	}
	atomic_store(&r.stop, true);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(r.torn, 0);
	fix_free(r.c);
}

/* ---- dirty lists ---- */

static void test_dirty_order(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_table *t = c->t;
	struct session_slot *s[3] = { session_slot_of(t, 0), session_slot_of(t, 1 << 20),
		session_slot_of(t, 2 << 20) };
	struct dirty d;
	uint32_t h;

	CU_ASSERT_EQUAL(dirty_init(&d, 4096, 3, &session_mem_libc), 0);
	dirty_mark(&d, s[0], 0, SESSION_G_USAGE32);
	dirty_mark(&d, s[0], 0, SESSION_G_QOS);
	CU_ASSERT_EQUAL(s[0]->dirty, SESSION_G_USAGE32 | SESSION_G_QOS);
	dirty_tick(&d);
	dirty_mark(&d, s[1], 1 << 20, SESSION_G_QOS);
	dirty_tick(&d);
	CU_ASSERT_FALSE(dirty_next(&d, t, &h));
	dirty_mark_soon(&d, s[2], 2 << 20, SESSION_G_SLOT);
	dirty_mark_soon(&d, s[2], 2 << 20, SESSION_G_SLOT);
	dirty_mark_soon(&d, s[1], 1 << 20, SESSION_G_SLOT);
	CU_ASSERT_TRUE(dirty_next(&d, t, &h) && h == 2 << 20);
	CU_ASSERT_EQUAL(s[2]->listed, 0);
	CU_ASSERT_TRUE(dirty_next(&d, t, &h) && h == 1 << 20);
	CU_ASSERT_EQUAL(s[1]->listed, DIRTY_NORMAL); /* stays where it waits */
	CU_ASSERT_FALSE(dirty_next(&d, t, &h));
	dirty_tick(&d); /* the third since the first mark */
	CU_ASSERT_TRUE(dirty_next(&d, t, &h) && h == 0);
	CU_ASSERT_FALSE(dirty_next(&d, t, &h));
	CU_ASSERT_TRUE(dirty_any(&d));
	dirty_mark_soon(&d, s[2], 2 << 20, SESSION_G_SLOT);
	dirty_forget(&d, t);
	CU_ASSERT_FALSE(dirty_any(&d));
	CU_ASSERT_EQUAL(s[1]->listed | s[1]->dirty | s[2]->listed | s[2]->dirty, 0);
	for (unsigned int i = 0; i < 600; i++)
		dirty_tick(&d);
	CU_ASSERT_FALSE(dirty_next(&d, t, &h));
	dirty_fini(&d, &session_mem_libc);
	fix_free(c);
}

/* A drain takes marks before their time; the ticks after it must not look for them again. */
static void test_dirty_drain(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_slot *s = session_slot_of(c->t, 0);
	struct dirty d;
	uint32_t h;

	CU_ASSERT_EQUAL(dirty_init(&d, 4096, 3, &session_mem_libc), 0);
	dirty_tick(&d);
	dirty_mark(&d, s, 0, SESSION_G_QOS);
	CU_ASSERT_EQUAL(dirty_due_now(&d), 1);
	CU_ASSERT_TRUE(dirty_next(&d, c->t, &h) && h == 0);
	dirty_tick(&d);
	CU_ASSERT_FALSE(dirty_next(&d, c->t, &h));
	dirty_mark(&d, s, 0, SESSION_G_QOS);
	for (unsigned int i = 0; i < 3; i++) {
		CU_ASSERT_FALSE(dirty_next(&d, c->t, &h));
		dirty_tick(&d);
	}
	CU_ASSERT_TRUE(dirty_next(&d, c->t, &h) && h == 0);
	CU_ASSERT_FALSE(dirty_any(&d));
	dirty_fini(&d, &session_mem_libc);
	fix_free(c);
}

/* Against a queue in which each mark is remembered with its tick. */
static void test_dirty_model(void)
{
	struct chassis *c = fix_new(0, 1);
	uint32_t marked[64], wait = 255, tick = 0, h, due = 0, n = 0;
	struct dirty d;

	CU_ASSERT_EQUAL(dirty_init(&d, 64, wait, &session_mem_libc), 0);
	for (unsigned int i = 0; i < 64; i++)
		marked[i] = UINT32_MAX;
	for (unsigned int i = 0; i < 100000; i++) {
		uint32_t slot = (uint32_t)(ut_random(&seed) % 64),
			 what = (uint32_t)(ut_random(&seed) >> 60);

		if (what < 4) {
			dirty_mark(&d, session_slot_of(c->t, slot << 20), slot << 20, 1);
			if (marked[slot] == UINT32_MAX)
				marked[slot] = tick;
		} else if (what < 14) {
			dirty_tick(&d);
			tick++;
		} else if (dirty_next(&d, c->t, &h)) {
			CU_ASSERT_TRUE(tick - marked[h >> 20] >= wait);
			marked[h >> 20] = UINT32_MAX;
			n++;
		} else {
			for (unsigned int k = 0; k < 64; k++)
				due += marked[k] != UINT32_MAX && tick - marked[k] >= wait;
		}
	}
	CU_ASSERT_EQUAL(due, 0);
	CU_ASSERT_TRUE(n > 1000);
	dirty_fini(&d, &session_mem_libc);
	fix_free(c);
}

int main(void)
{
	CU_TestInfo table[] = {
		{ "table_sizes", test_table_sizes },
		{ "nth_allocation_fails", test_nth_allocation_fails },
		{ "door_refuses", test_door_refuses },
		{ "handles", test_handles },
		{ "generation_cycle", test_generation_cycle },
		{ "generations_of_terms", test_generations_of_terms },
		{ "quarantine", test_quarantine },
		{ "full_buckets", test_full_buckets },
		{ "read_is_whole", test_read_is_whole },
		{ "dirty_order", test_dirty_order },
		{ "dirty_drain", test_dirty_drain },
		{ "dirty_model", test_dirty_model },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo wire[] = {
		{ "sizes_on_wire", test_sizes_on_wire },
		{ "slot_bytes", test_slot_bytes },
		{ "usage_forms", test_usage_forms },
		{ "usage_short", test_usage_short },
		{ "usage_run", test_usage_run },
		{ "usage_late", test_usage_late },
		{ "bad_slots", test_bad_slots },
		{ "later_groups", test_later_groups },
		{ "bad_deltas", test_bad_deltas },
		{ "eviction", test_eviction },
		{ "quarantine_inherited", test_quarantine_inherited },
		{ "quarantine_by_end_alone", test_quarantine_by_end_alone },
		{ "quarantine_old_end", test_quarantine_old_end },
		{ "quarantine_inherited_youngest", test_quarantine_inherited_youngest },
		{ "quarantine_of_reused", test_quarantine_of_reused },
		{ "quarantine_heard_late", test_quarantine_heard_late },
		{ "quarantine_of_left_pool", test_quarantine_of_left_pool },
		{ "quarantine_behind_live", test_quarantine_behind_live },
		{ "quarantine_behind_live_of_many", test_quarantine_behind_live_of_many },
		{ "quarantine_inherited_by_two", test_quarantine_inherited_by_two },
		{ "freed_keeps_request", test_freed_keeps_request },
		{ "usage_comes_round", test_usage_comes_round },
		{ "freed_again", test_freed_again },
		{ "hash_live", test_hash_live },
		{ "hash_free", test_hash_free },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo annex[] = {
		{ "annex_sizes", test_annex_sizes },
		{ "annex_refused", test_annex_refused },
		{ "annex_wire", test_annex_wire },
		{ "annex_order", test_annex_order },
		{ "annex_hash", test_annex_hash },
		{ "annex_ends", test_annex_ends },
		{ "peer_entry", test_peer_entry },
		{ "read_flipped", test_read_flipped },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo ending[] = {
		{ "ending", test_ending },
		{ "ending_refused", test_ending_refused },
		{ "ending_waits_once", test_ending_waits_once },
		{ "ending_keeps_slot", test_ending_keeps_slot },
		{ "ending_promoted", test_ending_promoted },
		{ "ending_applied", test_ending_applied },
		{ "ending_applied_free", test_ending_applied_free },
		{ "ending_compared", test_ending_compared },
		{ "ending_not_evicted", test_ending_not_evicted },
		{ "ending_mended", test_ending_mended },
		{ "ending_malformed", test_ending_malformed },
		{ "counted", test_counted },
		{ "counted_flipped", test_counted_flipped },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo model[] = {
		{ "model", test_model },
		{ "model_dual", test_model_dual },
		{ "model_annex", test_model_annex },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ "table", NULL, NULL, NULL, NULL, table },
		{ "wire", NULL, NULL, NULL, NULL, wire },
		{ "annex", NULL, NULL, NULL, NULL, annex },
		{ "ending", NULL, NULL, NULL, NULL, ending },
		{ "model", NULL, NULL, NULL, NULL, model },
		CU_SUITE_INFO_NULL,
	};

	return ut_run(suites);
}
