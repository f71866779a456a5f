/* SPDX-License-Identifier: BSD-3-Clause */
/* session_fixture: chassis (table, pools, an index of keys) for the tests of lib/session and
 * lib/pool. */
#ifndef TANDEM_SESSION_FIXTURE_H
#define TANDEM_SESSION_FIXTURE_H

#include <string.h>

#include <rte_bitmap.h>

#include "pool/pool.h"
#include "session/generation.h"
#include "session/session.h"
#include "ut.h"

enum { FIX_KEYS = 1 << 14, FIX_BY = SESSION_BY_REPL, FIX_QUARANTINE = 10 };

struct chassis {
	struct session_table *t;
	struct pool_set *ps;
	uint32_t index[FIX_KEYS]; /* key: a small number here */
};

static inline int fix_event(void *ctx, const struct session_event *e)
{
	struct chassis *c = ctx;
	uint32_t *i = &c->index[e->key % FIX_KEYS];

	if (e->kind == SESSION_BEGUN)
		*i = e->handle;
	else if (e->kind == SESSION_ENDED && *i == e->handle)
		*i = 0;
	return 0;
}

/* How an SGSN's request ends a session in that second. */
#define FIX_END(now)                                                                               \
	(&(const struct session_end){ .why = SESSION_WHY_REQUEST, .now_s = (uint32_t)(now) })

/* The generation that this chassis gives out behind that one, 0 and 1 and ~0 not left out. */
static inline uint32_t fix_gen_behind(
	const struct chassis *c, uint32_t shard, uint32_t slot, uint32_t gen)
{
	return generation_next(&c->t->shard[shard].gen_key, slot, c->t->gen_width, gen, c->t->side);
}

/* The one that has that one, of its own side, behind it. */
static inline uint16_t fix_gen_before(
	const struct chassis *c, uint32_t shard, uint32_t slot, uint32_t gen)
{
	uint32_t before = 0;

	while (fix_gen_behind(c, shard, slot, before) != gen)
		before++;
	return (uint16_t)before;
}

static inline void fix_pool_conf(struct pool_conf *p, const char *prefix, uint8_t len)
{
	memset(p, 0, sizeof(*p));
	CU_ASSERT_EQUAL(ip_addr_parse(prefix, &p->prefix.addr), 0);
	p->prefix.len = len;
}

/* The handle that holds an address of a pool; 0: none. */
static inline uint32_t fix_holder(const struct pool_set *ps, uint32_t ue4)
{
	struct ip_addr ue = ip_addr_v4(ue4);
	bool in_pool;

	return pool_lookup(ps, INSTANCE_MAIN, &ue, &in_pool);
}

/* Two pools, 0: 10.0.0.0/24, 1: 10.1.0.32/27; FIX_BY owns every shard. annex: its bytes. */
static inline struct chassis *fix_new_annex(uint8_t side, uint32_t capacity, uint16_t annex)
{
	struct chassis *c = calloc(1, sizeof(*c));
	struct session_params p = { .capacity = capacity,
		.side = side,
		.quarantine_s = FIX_QUARANTINE,
		.annex = annex,
		.n_apns = 4,
		.mem = &session_mem_libc };
	struct pool_conf conf[2];

	fix_pool_conf(&conf[0], "10.0.0.0", 24);
	fix_pool_conf(&conf[1], "10.1.0.32", 27);
	c->ps = pool_set_create(conf, 2, &session_mem_libc);
	pool_hooks(c->ps, &p.hooks);
	p.hooks.event = fix_event;
	p.hooks.event_ctx = c;
	c->t = session_table_create(&p);
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_own(c->t, i, FIX_BY);
	return c;
}

static inline struct chassis *fix_new(uint8_t side, uint32_t capacity)
{
	return fix_new_annex(side, capacity, 0);
}

static inline void fix_free(struct chassis *c)
{
	session_table_destroy(c->t);
	pool_set_destroy(c->ps);
	free(c);
}

/* Any value that the field's bytes can hold. */
static inline void fix_draw(uint64_t *seed, void *to, size_t n)
{
	uint8_t *p = to;

	while (n-- > 0)
		*p++ = (uint8_t)ut_random(seed);
}

#define FIX_DRAW_DEC(name)    fix_draw(seed, &r.name, sizeof(r.name))
#define FIX_DRAW_HEX(name)    fix_draw(seed, &r.name, sizeof(r.name))
#define FIX_DRAW_OCTETS(name) fix_draw(seed, r.name, sizeof(r.name))
#define FIX_DRAW_HEAD(name)   r.name = ut_random(seed) & 15
#define FIX_DRAW_NIBBLE(name) r.name = ut_random(seed) & 15
#define FIX_DRAW_FLAG(name)   r.name = ut_random(seed) & 1
/* one in four is IPv6 */
#define FIX_DRAW_ADDR(name)                                                                        \
	r.name = ip_addr_v4((uint32_t)ut_random(seed) | 1);                                        \
	if (ut_random(seed) % 4 == 0)                                                              \
	fix_draw(seed, r.name.b, sizeof(r.name.b))
#define FIX_DRAW_UE(name)
#define FIX_DRAW_MS(name) r.name = ut_random(seed) % 100000000 * 1000

#define FIX_DRAW_ROW(name, type, bytes, group, set, end, line, view) FIX_DRAW_##type(name);

/* A record with random content for `ue4` of pool; key names the subscriber. */
static inline struct session_rec fix_rec(uint64_t *seed, uint8_t pool, uint32_t ue4, uint64_t key)
{
	struct session_rec r = { 0 };

	SESSION_FIELDS(FIX_DRAW_ROW)
	r.state = SESSION_LIVE;
	r.pool = pool;
	r.pdp_type = 0x21;
	r.key = key;
	r.apn %= 4;
	r.ue = ip_addr_v4(ue4);
	r.qos_len %= SESSION_QOS_MAX + 1;
	memset(r.qos + r.qos_len, 0, sizeof(r.qos) - r.qos_len);
	if (!r.has_recovery)
		r.recovery = 0;
	if (ut_random(seed) % 2 == 0) { /* no IPv6 */
		memset(r.ue6, 0, sizeof(r.ue6));
		r.pool6 = 0;
	}
	return r;
}

#define FIX_ANNEX_ROW(name, type, bytes, group, set, end, line, view)                              \
	if (ut_random(seed) % 4 != 0)                                                              \
		fix_draw(seed, &a->name, sizeof(a->name));

/* An annex of random content: some of its groups, with so many octets of strings. */
static inline void fix_annex(uint64_t *seed, struct session_rec *rec, unsigned int room)
{
	struct session_annex *a = session_rec_annex(rec);

	SESSION_COMMON_FIELDS(FIX_ANNEX_ROW)
	a->uli_len %= sizeof(a->uli) + 1;
	memset(a->uli + a->uli_len, 0, sizeof(a->uli) - a->uli_len);
	if (ut_random(seed) & 1) {
		fix_draw(seed, &a->pfcp, sizeof(a->pfcp));
		a->pfcp.ur_seqn |= 1;
		rec->annex_use |= SESSION_A_PFCP;
	} else {
		fix_draw(seed, &a->bearer, sizeof(a->bearer));
	}
	a->class_len = (uint8_t)(ut_random(seed) % (room + 1));
	a->name_len = (uint8_t)(ut_random(seed) % (room + 1 - a->class_len));
	fix_draw(seed, a->strings, a->class_len + a->name_len);
}

static inline size_t fix_annex_bytes(const struct session_rec *r)
{
	return SESSION_ANNEX_FIXED + r->annex.class_len + r->annex.name_len;
}

static inline bool fix_same_annex(const struct session_rec *a, const struct session_rec *b)
{
	return a->annex_use == b->annex_use &&
	       (a->annex_use == 0 || memcmp(&a->annex, &b->annex, fix_annex_bytes(a)) == 0);
}

/* A session of random content that was made at 100 s, in the first pool, or in the second for its
 * addresses. */
static inline struct session_rec fix_made(
	uint64_t *seed, struct chassis *c, uint32_t ue4, uint64_t key)
{
	struct session_rec r = fix_rec(seed, ue4 >= 0x0a010000, ue4, key);

	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	return r;
}

/* Ships a slot as it stands, which is heard then; the answer of the other side. */
static inline int fix_ship_at(
	struct chassis *from, struct chassis *to, uint32_t handle, uint8_t groups, uint32_t now_s)
{
	uint8_t buf[SESSION_WIRE_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	uint32_t shard = session_handle_shard(handle), slot = session_handle_slot(from->t, handle);

	CU_ASSERT_NOT_EQUAL(session_encode(from->t, shard, slot, groups, &w), 0);
	struct rd r = rd_init(buf, sizeof(buf) - w.left);
	return groups & SESSION_G_IDENTITY ? session_apply_slot(to->t, FIX_BY, &r, now_s)
					   : session_apply_delta(to->t, FIX_BY, &r);
}

static inline int fix_ship(
	struct chassis *from, struct chassis *to, uint32_t handle, uint8_t groups)
{
	return fix_ship_at(from, to, handle, groups, 100);
}

static inline bool fix_same_usage(const struct session_usage *a, const struct session_usage *b)
{
	return a->up_pkts == b->up_pkts && a->up_bytes == b->up_bytes && a->dn_pkts == b->dn_pkts &&
	       a->dn_bytes == b->dn_bytes;
}

#define FIX_SAME_ROW(name, type, bytes, group, set, end, line, view)                               \
	&&memcmp(&a->name, &b->name, sizeof(a->name)) == 0

static inline bool fix_same(const struct session_rec *a, const struct session_rec *b)
{
	return a->handle == b->handle SESSION_FIELDS(FIX_SAME_ROW) &&
	       memcmp(a->later, b->later, sizeof(a->later)) == 0 && fix_same_annex(a, b) &&
	       fix_same_usage(&a->usage[0], &b->usage[0]) &&
	       fix_same_usage(&a->usage[1], &b->usage[1]);
}

/* What must hold of a chassis at any time; returns the number of broken rules. */
unsigned int fix_broken(const struct chassis *c);

void test_model(void);
void test_model_dual(void);
void test_model_annex(void);
void test_annex_sizes(void);
void test_annex_refused(void);
void test_annex_wire(void);
void test_annex_order(void);
void test_annex_hash(void);
void test_annex_ends(void);
void test_peer_entry(void);
void test_read_flipped(void);
void test_sizes_on_wire(void);
void test_slot_bytes(void);
void test_usage_forms(void);
void test_usage_short(void);
void test_usage_run(void);
void test_usage_late(void);
void test_bad_slots(void);
void test_later_groups(void);
void test_bad_deltas(void);
void test_eviction(void);
void test_quarantine_inherited(void);
void test_quarantine_by_end_alone(void);
void test_quarantine_old_end(void);
void test_quarantine_inherited_youngest(void);
void test_quarantine_of_reused(void);
void test_quarantine_heard_late(void);
void test_quarantine_of_left_pool(void);
void test_quarantine_behind_live(void);
void test_quarantine_behind_live_of_many(void);
void test_quarantine_inherited_by_two(void);
void test_freed_keeps_request(void);
void test_usage_comes_round(void);
void test_freed_again(void);
void test_hash_live(void);
void test_hash_free(void);
void test_ending(void);
void test_ending_refused(void);
void test_ending_waits_once(void);
void test_ending_keeps_slot(void);
void test_ending_promoted(void);
void test_ending_applied(void);
void test_ending_applied_free(void);
void test_ending_compared(void);
void test_ending_not_evicted(void);
void test_ending_mended(void);
void test_ending_malformed(void);
void test_counted(void);
void test_counted_flipped(void);

#endif
