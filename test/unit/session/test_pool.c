/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "pool/pool.h"
#include "ut.h"

static struct pool_conf conf_of(const char *prefix, uint8_t len)
{
	struct pool_conf c = { .prefix = { .len = len } };

	CU_ASSERT_EQUAL(ip_addr_parse(prefix, &c.prefix.addr), 0);
	return c;
}

static const struct {
	const char *a;
	uint8_t a_len;
	const char *b;
	uint8_t b_len;
	bool ok;
} prefixes[] = {
	{ "10.0.0.0", 24, "10.0.1.0", 24, true },
	{ "10.0.0.0", 30, "10.0.0.4", 30, true },
	{ "10.0.0.0", 24, "10.0.0.0", 24, false },
	{ "10.0.0.0", 16, "10.0.9.0", 24, false },
	{ "10.0.9.0", 24, "10.0.0.0", 16, false },
	{ "10.0.0.0", 7, "11.0.1.0", 24, false },
	{ "10.0.0.0", 31, "11.0.1.0", 24, false },
	{ "10.0.0.0", 0, "11.0.1.0", 24, false },
	{ "10.0.0.1", 24, "11.0.1.0", 24, false },
	{ "2001:db8::", 24, "11.0.1.0", 24, false },
};

static void test_prefixes(void)
{
	struct pool_conf many[POOL_MAX + 1];

	for (unsigned int i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct pool_conf c[2] = { conf_of(prefixes[i].a, prefixes[i].a_len),
			conf_of(prefixes[i].b, prefixes[i].b_len) };
		struct pool_set *ps;

		errno = 0;
		ps = pool_set_create(c, 2, &session_mem_libc);
		CU_ASSERT_EQUAL(ps != NULL, prefixes[i].ok);
		CU_ASSERT_EQUAL(ps != NULL ? 0 : errno, prefixes[i].ok ? 0 : EINVAL);
		pool_set_destroy(ps);
	}
	for (uint32_t i = 0; i < POOL_MAX + 1; i++) {
		many[i] = conf_of("10.0.0.0", 24);
		many[i].prefix.addr = ip_addr_v4(0x0a000000 + (i << 8));
	}
	CU_ASSERT_PTR_NULL(pool_set_create(many, POOL_MAX + 1, &session_mem_libc));
	struct pool_set *ps = pool_set_create(many, POOL_MAX, &session_mem_libc);
	CU_ASSERT_PTR_NOT_NULL(ps);
	pool_set_destroy(ps);
}

/* Everything a pool has is picked exactly once, whatever its size and place. */
static const struct {
	const char *prefix;
	uint8_t len;
} sizes[] = { { "10.0.0.0", 30 }, { "10.0.0.60", 30 }, { "10.0.0.32", 27 }, { "10.0.0.64", 26 },
	{ "10.0.0.0", 25 }, { "10.3.0.0", 18 } };

static void exhaust(const char *prefix, uint8_t len)
{
	struct pool_conf c = conf_of(prefix, len);
	struct pool_set *ps = pool_set_create(&c, 1, &session_mem_libc);
	uint32_t size = UINT32_C(1) << (32 - len), n = 0;
	struct session_hooks h;
	struct ip_addr ue;
	bool in_pool;

	pool_hooks(ps, &h);
	for (uint32_t shard = 0; shard < SESSION_SHARDS; shard++)
		while (pool_pick(ps, 0, shard, &ue) == 0) {
			CU_ASSERT_EQUAL(session_shard_of(&ue), shard);
			CU_ASSERT_EQUAL(h.named(h.ctx, 0, &ue), 0);
			CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &ue, ++n), 0);
			CU_ASSERT_EQUAL(pool_lookup(ps, INSTANCE_MAIN, &ue, &in_pool), n);
		}
	CU_ASSERT_EQUAL(n, size - 2);
	CU_ASSERT_EQUAL(pool_used(&ps->p[0]), size - 2);
	pool_set_destroy(ps);
}

static void test_exhaust(void)
{
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		exhaust(sizes[i].prefix, sizes[i].len);
}

static const struct {
	uint8_t pool;
	uint32_t ue4;
	bool there, in_pool;
} addresses[] = {
	{ 0, 0x0a000001, true, true },
	{ 0, 0x0a0000fe, true, true },
	{ 0, 0x0a000000, false, true }, /* network */
	{ 0, 0x0a0000ff, false, true }, /* broadcast */
	{ 0, 0x0a000100, false, false },
	{ 0, 0x09ffffff, false, false },
	{ 1, 0x0a000001, false, true }, /* the other pool's */
	{ 2, 0x0a000001, false, true }, /* no such pool */
	{ SESSION_NO_POOL, 0x0a000001, false, true },
	{ 0, 0, false, false },
};

static void test_addresses(void)
{
	struct pool_conf c[2] = { conf_of("10.0.0.0", 24), conf_of("10.1.0.0", 24) };
	struct pool_set *ps = pool_set_create(c, 2, &session_mem_libc);
	struct session_hooks h;
	struct ip_addr v6;

	pool_hooks(ps, &h);
	for (unsigned int i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct ip_addr ue = ip_addr_v4(addresses[i].ue4);
		bool there = addresses[i].there, in_pool;

		CU_ASSERT_EQUAL(h.bind(h.ctx, addresses[i].pool, &ue, 9), there ? 0 : -ENOENT);
		CU_ASSERT_EQUAL(h.named(h.ctx, addresses[i].pool, &ue), there ? 9 : 0);
		CU_ASSERT_EQUAL(pool_lookup(ps, INSTANCE_MAIN, &ue, &in_pool), there ? 9 : 0);
		CU_ASSERT_EQUAL(in_pool, addresses[i].in_pool);
		/* names another handle: nothing happens */
		h.unbind(h.ctx, addresses[i].pool, &ue, 8);
		CU_ASSERT_EQUAL(h.named(h.ctx, addresses[i].pool, &ue), there ? 9 : 0);
		h.unbind(h.ctx, addresses[i].pool, &ue, 9);
		h.unbind(h.ctx, addresses[i].pool, &ue, 0);
		CU_ASSERT_EQUAL(h.named(h.ctx, addresses[i].pool, &ue), 0);
		CU_ASSERT_EQUAL(pool_used(&ps->p[0]), 0);
	}
	memset(&v6, 0x20, sizeof(v6));
	CU_ASSERT_PTR_NULL(pool_entry(ps, INSTANCE_MAIN, &v6));
	CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &v6, 9), -ENOENT);
	CU_ASSERT_EQUAL(pool_pick(ps, 2, 0, &v6), -ENOSPC);
	CU_ASSERT_EQUAL(pool_pick(ps, 0, SESSION_SHARDS, &v6), -ENOSPC);
	pool_set_destroy(ps);
	pool_set_destroy(NULL);
}

/* Pools of two instances have the same addresses, and neither knows the other's sessions. */
static void test_instances(void)
{
	struct pool_conf c[3] = { conf_of("10.0.0.0", 24), conf_of("10.0.0.0", 24),
		conf_of("10.0.0.0", 16) };
	struct ip_addr ue = ip_addr_v4(0x0a000001), wide = ip_addr_v4(0x0a000101);
	struct session_hooks h;
	struct pool_set *ps;
	bool in_pool;

	c[1].instance = 1;
	c[2].instance = INSTANCES - 1;
	ps = pool_set_create(c, 3, &session_mem_libc);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ps);
	pool_hooks(ps, &h);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 1, &ue, 9), 0);
	CU_ASSERT_EQUAL(pool_lookup(ps, INSTANCE_MAIN, &ue, &in_pool), 0);
	CU_ASSERT_TRUE(in_pool);
	CU_ASSERT_EQUAL(pool_lookup(ps, 1, &ue, &in_pool), 9);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &ue, 7), 0);
	CU_ASSERT_EQUAL(pool_lookup(ps, 1, &ue, &in_pool), 9);
	CU_ASSERT_EQUAL(pool_lookup(ps, INSTANCE_MAIN, &ue, &in_pool), 7);
	CU_ASSERT_EQUAL(pool_lookup(ps, INSTANCES - 1, &ue, &in_pool), 0);
	CU_ASSERT_PTR_NULL(pool_entry(ps, 2, &ue));
	CU_ASSERT_PTR_NULL(pool_entry(ps, INSTANCE_MAIN, &wide));
	CU_ASSERT_PTR_NULL(pool_entry(ps, 1, &wide));
	CU_ASSERT_PTR_NOT_NULL(pool_entry(ps, INSTANCES - 1, &wide));
	pool_set_destroy(ps);
	c[2].instance = 1; /* overlaps the second one */
	CU_ASSERT_PTR_NULL(pool_set_create(c, 3, &session_mem_libc));
	c[2].instance = INSTANCES;
	CU_ASSERT_PTR_NULL(pool_set_create(c, 3, &session_mem_libc));
}

/* Picks, binds and unbinds against one array; next-fit means that a freed address is not the next
 * one. */
static void test_random(void)
{
	static uint32_t model[4096];
	struct pool_conf c = conf_of("10.4.0.0", 20);
	struct pool_set *ps = pool_set_create(&c, 1, &session_mem_libc);
	uint64_t seed = ut_seed(5);
	uint32_t used = 0, full = 0;
	struct session_hooks h;

	pool_hooks(ps, &h);
	for (uint32_t i = 1; i < 200000; i++) {
		uint32_t at = (uint32_t)(ut_random(&seed) >> 40) % 4096, shard = at % 64, there = 0;
		struct ip_addr ue = ip_addr_v4(0x0a040000 + at);

		if (ut_random(&seed) >> 63 || i < 20000) {
			if (pool_pick(ps, 0, shard, &ue) < 0) {
				for (uint32_t k = shard; k < 4096; k += 64)
					there += model[k] == 0 && k != 0 && k != 4095;
				CU_ASSERT_EQUAL(there, 0);
				full++;
				continue;
			}
			at = ip_addr_to_v4(&ue) & 4095;
			CU_ASSERT_TRUE(model[at] == 0 && at != 0 && at != 4095);
			CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &ue, i), 0);
			model[at] = i;
			used++;
		} else if (model[at] != 0) {
			h.unbind(h.ctx, 0, &ue, model[at]);
			model[at] = 0;
			used--;
		}
		CU_ASSERT_EQUAL(h.named(h.ctx, 0, &ue), model[at]);
		CU_ASSERT_EQUAL(pool_used(&ps->p[0]), used);
	}
	CU_ASSERT_TRUE(full > 0);
	pool_set_destroy(ps);
}

/* Records name a pool by its number, wherever it stands in this chassis' list. */
static void test_numbers(void)
{
	struct pool_conf c[2] = { conf_of("10.0.0.0", 24), conf_of("10.0.1.0", 24) };
	struct pool_set *ps = pool_set_create(c, 2, &session_mem_libc);
	struct places p;
	struct session_hooks h;
	struct ip_addr ue, other;

	places_init(&p);
	pool_places(ps, &p);
	pool_hooks(ps, &h);
	CU_ASSERT_EQUAL(pool_pick(ps, 7, 5, &ue), -ENOSPC); /* nobody has it yet */
	atomic_store(&p.at[PLACES_POOL][7], 1);
	atomic_store(&p.at[PLACES_POOL][9], 0);
	CU_ASSERT_EQUAL_FATAL(pool_pick(ps, 7, 5, &ue), 0);
	CU_ASSERT_TRUE(ip_prefix_covers(&c[1].prefix, &ue));
	CU_ASSERT_EQUAL_FATAL(pool_pick(ps, 9, 5, &other), 0);
	CU_ASSERT_TRUE(ip_prefix_covers(&c[0].prefix, &other));
	CU_ASSERT_EQUAL(h.bind(h.ctx, 9, &ue, 17), -ENOENT); /* it is another pool's */
	CU_ASSERT_EQUAL(h.bind(h.ctx, 1, &ue, 17), -ENOENT);
	CU_ASSERT_EQUAL(h.bind(h.ctx, SESSION_NO_POOL, &ue, 17), -ENOENT);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 7, &ue, 17), 0);
	CU_ASSERT_EQUAL(h.named(h.ctx, 7, &ue), 17);
	CU_ASSERT_EQUAL(pool_used(&ps->p[1]), 1);
	CU_ASSERT_EQUAL(pool_used(&ps->p[0]), 0);
	h.unbind(h.ctx, 7, &ue, 17);
	CU_ASSERT_EQUAL(h.named(h.ctx, 7, &ue), 0);
	CU_ASSERT_EQUAL(pool_used(&ps->p[1]), 0);
	pool_set_destroy(ps);
}

/* An address given back is the last to be given again. */
static void test_next_fit(void)
{
	struct pool_conf c = conf_of("10.4.0.0", 18);
	struct pool_set *ps = pool_set_create(&c, 1, &session_mem_libc);
	bool seen[256] = { false };
	struct session_hooks h;
	struct ip_addr ue;

	pool_hooks(ps, &h);
	for (unsigned int i = 0; i < 2 * 256; i++) {
		unsigned int at;

		CU_ASSERT_EQUAL(pool_pick(ps, 0, 5, &ue), 0);
		at = (ip_addr_to_v4(&ue) & 0x3fff) / 64;
		CU_ASSERT_EQUAL(seen[at], i >= 256);
		seen[at] = true;
		CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &ue, 1), 0);
		h.unbind(h.ctx, 0, &ue, 1);
	}
	pool_set_destroy(ps);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "prefixes", test_prefixes },
		{ "exhaust", test_exhaust },
		{ "addresses", test_addresses },
		{ "instances", test_instances },
		{ "random", test_random },
		{ "next_fit", test_next_fit },
		{ "numbers", test_numbers },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "pool", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
