/* SPDX-License-Identifier: BSD-3-Clause */
/* Places of APNs and pools: kept while a new file comes, drained, left, and given again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/placed.h"
#include "ut.h"

static struct config conf;
static struct config_placed p, to;
static char why[PLACED_WHY];

static void file_pool(const char *name, uint32_t base4)
{
	struct config_pool *pool = &conf.pools[conf.n_pools++];

	*pool = (struct config_pool){
		.prefix = { ip_addr_v4(base4), 24 }, .srp_activate = true, .quarantine_s = 10
	};
	snprintf(pool->name, sizeof(pool->name), "%s", name);
}

static void file_apn(const char *name, const char *pool)
{
	struct config_apn *apn = &conf.apns[conf.n_apns++];

	*apn = (struct config_apn){ .idle_timeout_s = 7 };
	snprintf(apn->name, sizeof(apn->name), "%s", name);
	snprintf(apn->pool, sizeof(apn->pool), "%s", pool);
	for (unsigned int i = 0; i < conf.n_pools; i++)
		if (strcmp(conf.pools[i].name, pool) == 0)
			apn->pool_index = (uint8_t)i;
}

static void file_begin(void)
{
	memset(&conf, 0, sizeof(conf));
}

/* b and d, each with a pool. */
static void file_two(void)
{
	file_begin();
	file_pool("b", 0x0a000100);
	file_pool("d", 0x0a000200);
	file_apn("b", "b");
	file_apn("d", "d");
}

static int next(void)
{
	int ret = placed_next(&p, &conf, &to, why);

	if (ret == 0)
		p = to;
	return ret;
}

/* "b+ d- ." : used, draining, free. */
static const char *text(enum places_kind kind)
{
	static char out[4096];
	size_t n = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < placed_places(&p, kind); i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s%s", i > 0 ? " " : "",
			placed_name(&p, kind, i),
			placed_state(&p, kind, i) == PLACED_USED       ? "+"
			: placed_state(&p, kind, i) == PLACED_DRAINING ? "-"
								       : ".");
	return out;
}

#define SAME(kind, want) CU_ASSERT_STRING_EQUAL(text(kind), want)

static void test_keeps(void)
{
	file_two();
	placed_begin(&p, &conf);
	SAME(PLACES_APN, "b+ d+");
	/* a sorts in front of both, c between: nobody moves */
	file_begin();
	file_pool("a", 0x0a000300);
	file_pool("b", 0x0a000100);
	file_pool("c", 0x0a000400);
	file_pool("d", 0x0a000200);
	file_apn("a", "c");
	file_apn("b", "d");
	file_apn("d", "d");
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_POOL, "b+ d+ a+ c+");
	SAME(PLACES_APN, "b+ d+ a+");
	CU_ASSERT_EQUAL(p.apn[2].conf.pool_index, 3);
	CU_ASSERT_EQUAL(p.apn[0].conf.pool_index, 1);
	CU_ASSERT_EQUAL(placed_find(&p, PLACES_APN, "a"), 2);
	CU_ASSERT_EQUAL(placed_find(&p, PLACES_APN, "c"), -ENOENT);
}

static void test_drains(void)
{
	file_two();
	placed_begin(&p, &conf);
	file_begin();
	file_pool("d", 0x0a000200);
	file_apn("d", "d");
	conf.apns[0].idle_timeout_s = 8;
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_POOL, "b- d+");
	SAME(PLACES_APN, "b- d+");
	CU_ASSERT_EQUAL(p.apn[0].conf.idle_timeout_s, 7);
	CU_ASSERT_EQUAL(p.apn[1].conf.idle_timeout_s, 8);
	CU_ASSERT_EQUAL(p.apn[1].conf.pool_index, 1);
	/* once more the same: it drains on */
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_APN, "b- d+");
	/* back: where it was, with what the file says now */
	file_two();
	conf.apns[0].idle_timeout_s = 9;
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_POOL, "b+ d+");
	SAME(PLACES_APN, "b+ d+");
	CU_ASSERT_EQUAL(p.apn[0].conf.idle_timeout_s, 9);
}

static void test_leaves(void)
{
	file_two();
	placed_begin(&p, &conf);
	file_begin();
	file_pool("b", 0x0a000100);
	file_apn("b", "b");
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_APN, "b+ d-");
	placed_leave(&p, PLACES_POOL, 1);
	SAME(PLACES_POOL, "b+");
	CU_ASSERT_EQUAL(p.apn[1].conf.pool_index, CONFIG_POOLS);
	placed_leave(&p, PLACES_APN, 1);
	SAME(PLACES_APN, "b+");
	CU_ASSERT_EQUAL(p.n_apns, 1);
	/* the place is given again, to another of the same addresses */
	file_pool("e", 0x0a000200);
	file_apn("e", "e");
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_POOL, "b+ e+");
	SAME(PLACES_APN, "b+ e+");
}

/* The lowest place that is free, not the one behind all. */
static void test_gap(void)
{
	file_two();
	placed_begin(&p, &conf);
	file_begin();
	file_pool("d", 0x0a000200);
	file_apn("d", "d");
	CU_ASSERT_EQUAL(next(), 0);
	placed_leave(&p, PLACES_POOL, 0);
	placed_leave(&p, PLACES_APN, 0);
	SAME(PLACES_APN, ". d+");
	file_pool("z", 0x0a000900);
	file_apn("z", "z");
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_APN, "z+ d+");
	SAME(PLACES_POOL, "z+ d+");
}

/* b drains; whoever wants what its sessions have is refused, and nothing is changed. */
static void test_in_the_way(void)
{
	static struct config_placed was;

	file_two();
	conf.pools[0].id = 20;
	conf.apns[0].id = 30;
	placed_begin(&p, &conf);
	file_begin();
	file_pool("d", 0x0a000200);
	file_apn("d", "d");
	CU_ASSERT_EQUAL(next(), 0);
	was = p;
	file_pool("e", 0x0a000180);
	conf.pools[1].prefix.len = 25;
	CU_ASSERT_EQUAL(next(), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "pools[e].prefix overlaps that of pool b"));
	conf.pools[1].prefix = (struct ip_prefix){ ip_addr_v4(0x0a000500), 24 };
	conf.pools[1].id = 20;
	CU_ASSERT_EQUAL(next(), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "pools[e].id is that of b"));
	conf.pools[1].id = 30; /* an APN has that */
	file_apn("e", "e");
	conf.apns[1].id = 30;
	CU_ASSERT_EQUAL(next(), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "apns[e].id is that of b"));
	conf.apns[1].id = 20;
	file_pool("b", 0x0a000700);
	CU_ASSERT_EQUAL(next(), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "let it have prefix 10.0.1.0/24"));
	conf.n_pools--;
	file_apn("b", "e");
	CU_ASSERT_EQUAL(next(), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "let it have id 30"));
	CU_ASSERT_EQUAL(memcmp(&was, &p, sizeof(p)), 0);
	conf.n_apns--;
	CU_ASSERT_EQUAL(next(), 0);
	SAME(PLACES_APN, "b- d+ e+");
}

/* 63 drain, and a file of two has room for one. */
static void test_full(void)
{
	file_begin();
	for (unsigned int i = 0; i < CONFIG_POOLS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%u", i);
		file_pool(name, 0x0a000000 + (i << 8));
		file_apn(name, name);
	}
	placed_begin(&p, &conf);
	conf.n_pools = conf.n_apns = 1;
	CU_ASSERT_EQUAL(next(), 0);
	file_pool("new", 0x0b000000);
	CU_ASSERT_EQUAL(next(), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "there is no place for pools[new]"));
	placed_leave(&p, PLACES_POOL, 40);
	file_apn("new", "new");
	CU_ASSERT_EQUAL(next(), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "there is no place for apns[new]"));
	placed_leave(&p, PLACES_APN, 63);
	CU_ASSERT_EQUAL(next(), 0);
	CU_ASSERT_EQUAL(placed_find(&p, PLACES_POOL, "new"), 40);
	CU_ASSERT_EQUAL(placed_find(&p, PLACES_APN, "new"), 63);
	CU_ASSERT_EQUAL(p.apn[63].conf.pool_index, 40);
}

static void test_what(void)
{
	char what[PLACED_WHAT];

	file_two();
	conf.apns[0].session_timeout_s = 31536000;
	conf.apns[0].ambr_up_kbps = 64;
	conf.apns[0].ambr_down_kbps = 1000000;
	conf.apns[0].id = 254;
	placed_begin(&p, &conf);
	placed_what(&p, PLACES_POOL, 0, what);
	CU_ASSERT_STRING_EQUAL(what, "10.0.1.0/24,1,10,0");
	file_begin();
	placed_begin(&to, &conf);
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_POOL, "b", what), 0);
	placed_what(&p, PLACES_APN, 0, what);
	CU_ASSERT_STRING_EQUAL(what, "b,31536000,7,64,1000000,254");
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_APN, "b", what), 0);
	CU_ASSERT_EQUAL(to.apn[0].state, PLACED_DRAINING);
	CU_ASSERT_EQUAL(memcmp(&to.apn[0].conf, &p.apn[0].conf, sizeof(p.apn[0].conf)), 0);
	CU_ASSERT_EQUAL(memcmp(&to.pool[0].conf, &p.pool[0].conf, sizeof(p.pool[0].conf)), 0);
	/* there already, whoever else has the addresses, and of a pool that nobody has */
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_APN, "b", what), -EEXIST);
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_POOL, "b", "10.9.1.0/24,1,10,0"), -EEXIST);
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_POOL, "c", "10.0.0.0/16,1,10,0"), -EEXIST);
	CU_ASSERT_EQUAL(placed_drain(&to, PLACES_APN, "c", "gone,0,0,0,0,0"), 1);
	CU_ASSERT_EQUAL(to.apn[1].conf.pool_index, CONFIG_POOLS);
	CU_ASSERT_EQUAL(to.n_apns, 2);
}

static void test_longest_what(void)
{
	char what[PLACED_WHAT];

	file_begin();
	file_pool("a234567890123456789012345678901", 0xfefefe00);
	file_apn("x", "a234567890123456789012345678901");
	conf.apns[0].session_timeout_s = conf.apns[0].idle_timeout_s = 31536000;
	conf.apns[0].ambr_up_kbps = conf.apns[0].ambr_down_kbps = UINT32_MAX;
	conf.apns[0].id = 254;
	placed_begin(&p, &conf);
	placed_what(&p, PLACES_APN, 0, what);
	CU_ASSERT_STRING_EQUAL(what, "a234567890123456789012345678901,31536000,31536000,"
				     "4294967295,4294967295,254");
}

static void test_hostile_what(void)
{
	static const char *const pools[] = { "", ",", "10.0.1.0/24", "10.0.1.0/24,1,10",
		"10.0.1.0/24,1,10,", "10.0.1.0/24,1,10,0,", "10.0.1.0/24,1,10,0,0",
		"10.0.1.1/24,1,10,0", "10.0.1.0/7,1,10,0", "10.0.1.0/31,1,10,0",
		"10.0.1.0/024,1,10,0", "10.0.1.0/280,1,10,0", "10.0.1.0,1,10,0",
		"2001:db8::/24,1,10,0", "::ffff:10.0.1.0/24,1,10,0", "10.0.1.0/24,2,10,0",
		"10.0.1.0/24,01,10,0", "10.0.1.0/24,1,3601,0", "10.0.1.0/24,1,-1,0",
		"10.0.1.0/24,1,4294967306,0", "10.0.1.0/24,1,10,255", "10.0.1.0/24,1, 10,0",
		"10.0.1.0/24,1,10,0 ", "10.0.1.0/24,1,10,0\n" };
	static const char *const apns[] = { "", "b", "b,0,0,0,0", "b,0,0,0,0,255",
		"b,31536001,0,0,0,0", "b,0,31536001,0,0,0", "b,0,0,99999999999,0,0",
		"b,0,0,0,99999999999,0", ",0,0,0,0,0", "b\x1b[1m,0,0,0,0,0",
		"a2345678901234567890123456789012,0,0,0,0,0", "b,0,0,0,0,0,", "b,00,0,0,0,0" };
	static const char *const names[] = { "", "B", "a b", "a\n", "\x7f", "a_b" };
	char longest[CONFIG_APN_NAME + 1];

	file_begin();
	placed_begin(&p, &conf);
	for (unsigned int i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		CU_ASSERT_EQUAL(placed_drain(&p, PLACES_POOL, "x", pools[i]), -EBADMSG);
	for (unsigned int i = 0; i < sizeof(apns) / sizeof(apns[0]); i++)
		CU_ASSERT_EQUAL(placed_drain(&p, PLACES_APN, "x", apns[i]), -EBADMSG);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_EQUAL(placed_drain(&p, PLACES_APN, names[i], "b,0,0,0,0,0"), -EBADMSG);
	memset(longest, 'a', sizeof(longest));
	longest[CONFIG_APN_NAME] = '\0';
	CU_ASSERT_EQUAL(placed_drain(&p, PLACES_APN, longest, "b,0,0,0,0,0"), -EBADMSG);
	longest[CONFIG_NAME] = '\0';
	CU_ASSERT_EQUAL(placed_drain(&p, PLACES_POOL, longest, "10.0.1.0/24,1,10,0"), -EBADMSG);
	CU_ASSERT_EQUAL(p.n_apns + p.n_pools, 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "keeps", test_keeps }, { "drains", test_drains },
		{ "leaves", test_leaves }, { "gap", test_gap }, { "in the way", test_in_the_way },
		{ "full", test_full }, { "what", test_what }, { "longest what", test_longest_what },
		{ "hostile what", test_hostile_what }, CU_TEST_INFO_NULL };

	CU_SuiteInfo suites[] = { { "placed", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
