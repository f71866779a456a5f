/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/net/routes and the fib that it fills, in two routing instances, against a plain list. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <rte_eal.h>

#include "net/fib_lookup.h"
#include "routes.h"
#include "ut.h"

static struct fib *fib;

enum { MODEL_ROUTES = 300, NHS = 6, MODEL_INSTANCES = 2 };

static struct {
	bool used;
	uint32_t prefix, metric, nh;
	uint8_t len;
	uint16_t instance;
} model[MODEL_ROUTES];
static uint32_t model_host[MODEL_INSTANCES][16]; /* of 10.0.0.0..15 */
static bool nh_up[NHS];
static int refs[NHS], holds[NHS];

/* 0..2 adjacencies, 3..5 connected. */
static uint32_t nh_value(unsigned int i)
{
	return i < 3 ? i : FIB_GLEAN | i;
}

static bool model_usable(void *ctx, uint32_t nh)
{
	return nh_up[nh & 0xff];
}

static void model_refer(void *ctx, uint32_t nh, int by)
{
	refs[nh & 0xff] += by;
}

static void model_hold(void *ctx, uint32_t nh, int by)
{
	holds[nh & 0xff] += by;
}

static uint32_t model_best(uint16_t instance, uint32_t prefix, uint8_t len)
{
	uint32_t best = FIB_NONE, metric = 0;
	bool up = false;

	for (int i = 0; i < MODEL_ROUTES; i++) {
		bool is_up;

		if (!model[i].used || model[i].len != len || model[i].prefix != prefix ||
			model[i].instance != instance)
			continue;
		is_up = nh_up[model[i].nh & 0xff];
		if (best != FIB_NONE && (up > is_up || (up == is_up && metric < model[i].metric)))
			continue;
		best = model[i].nh;
		metric = model[i].metric;
		up = is_up;
	}
	return best;
}

static uint32_t model_lookup(uint16_t instance, uint32_t dst)
{
	uint32_t nh = model_best(instance, dst, 32), near = dst - 0x0a000000;

	if (near < 16 && model_host[instance][near] != FIB_NONE &&
		(nh == FIB_NONE || nh & FIB_GLEAN))
		return model_host[instance][near];
	for (int len = 32; nh == FIB_NONE && len >= 0; len--)
		nh = model_best(instance, dst & ip4_mask((uint8_t)len), (uint8_t)len);
	return nh;
}

static void model_set(struct routes *t, uint64_t *s, uint16_t instance, uint32_t prefix,
	uint8_t len, uint32_t metric)
{
	struct ip_prefix to = { ip_addr_v4(prefix), len };
	uint32_t nh = nh_value(ut_random(s) % NHS);
	int at = -1, was = -1;

	for (int i = 0; i < MODEL_ROUTES; i++) {
		if (!model[i].used)
			at = i;
		else if (model[i].instance == instance && model[i].prefix == prefix &&
			 model[i].len == len && model[i].metric == metric)
			was = i;
	}
	CU_ASSERT_EQUAL(routes_get(t, instance, &to, metric), was < 0 ? FIB_NONE : model[was].nh);
	if (ut_random(s) % 2 == 0 || (was < 0 && at < 0)) {
		CU_ASSERT_EQUAL(routes_del(t, instance, &to, metric), was >= 0);
		if (was >= 0)
			model[was].used = false;
		return;
	}
	CU_ASSERT_EQUAL(routes_set(t, instance, &to, metric, nh, true, 1), was < 0);
	at = was < 0 ? at : was;
	model[at].used = true;
	model[at].instance = instance;
	model[at].prefix = prefix;
	model[at].len = len;
	model[at].metric = metric;
	model[at].nh = nh;
}

static void model_step(struct routes *t, uint64_t *s)
{
	static const uint8_t lens[] = { 0, 1, 1, 8, 24, 28, 30, 31, 32, 32 };
	uint8_t len = lens[ut_random(s) % sizeof(lens)];
	uint32_t addr = (uint32_t)(ut_random(s) % 4 == 0 ? ut_random(s) >> 16
							 : 0x0a000000 + ut_random(s) % 16);
	uint64_t what = ut_random(s) % 16;
	uint16_t instance = (uint16_t)(ut_random(s) % MODEL_INSTANCES);

	if (what == 0) {
		nh_up[ut_random(s) % NHS] ^= true;
		routes_choose(t);
		while (!routes_work(t, 3))
			;
	} else if (what < 4) {
		uint32_t *host = &model_host[instance][addr % 16];
		struct ip_addr dst = ip_addr_v4(0x0a000000 + addr % 16);

		*host = ut_random(s) % 2 ? (uint32_t)(ut_random(s) % 3) : FIB_NONE;
		CU_ASSERT_EQUAL(routes_host(t, instance, &dst, *host), 0);
	} else {
		model_set(t, s, instance, addr & ip4_mask(len), len, ut_random(s) % 3);
	}
}

static bool odd_gone(const void *ctx, uint32_t nh, uint32_t stamp)
{
	return nh & 1;
}

static bool all_gone(const void *ctx, uint32_t nh, uint32_t stamp)
{
	return true;
}

static uint32_t lookup(uint16_t instance, uint32_t dst4)
{
	struct ip_addr dst = ip_addr_v4(dst4);

	return fib_lookup(fib, instance, &dst);
}

/* What workers see at both sides of every boundary near 10.0.0.0, in each instance. */
static void model_compare(void)
{
	for (uint16_t i = 0; i < MODEL_INSTANCES; i++)
		for (uint32_t a = 0x0a000000 - 1; a < 0x0a000000 + 17; a++) {
			CU_ASSERT_EQUAL(lookup(i, a), model_lookup(i, a));
			CU_ASSERT_EQUAL(fib_lookup4(fib, i, a), lookup(i, a));
		}
}

static void test_routes_model(void)
{
	struct routes_conf c = {
		.fib = fib, .usable = model_usable, .refer = model_refer, .hold = model_hold
	};
	struct routes *t = routes_create(&c);
	uint64_t s = ut_seed(42);
	int held = 0, want[NHS] = { 0 };

	for (int i = 0; i < 16; i++)
		model_host[0][i] = model_host[1][i] = FIB_NONE;
	for (int step = 0; step < 2500; step++) {
		uint32_t gen = atomic_load(&fib->gen), before = lookup(1, 0x0a000003);

		model_step(t, &s);
		if (lookup(1, 0x0a000003) != before)
			CU_ASSERT_NOT_EQUAL(atomic_load(&fib->gen), gen);
		model_compare();
		uint32_t far = (uint32_t)ut_random(&s);

		CU_ASSERT_EQUAL(lookup(0, far), model_lookup(0, far));
		CU_ASSERT_EQUAL(lookup(1, far), model_lookup(1, far));
	}
	for (int i = 0; i < MODEL_ROUTES; i++) {
		want[model[i].nh & 0xff] += model[i].used;
		held += model[i].used && model[i].nh & 1;
	}
	CU_ASSERT_EQUAL(memcmp(want, refs, sizeof(refs)), 0);
	CU_ASSERT_EQUAL(routes_sweep(t, odd_gone, NULL), (unsigned int)held);
	CU_ASSERT_TRUE(routes_work(t, UINT_MAX));
	for (int i = 0; i < MODEL_ROUTES; i++)
		model[i].used = model[i].used && !(model[i].nh & 1);
	model_compare();
	routes_sweep(t, all_gone, NULL);
	for (uint32_t i = 0; i < 32; i++) {
		struct ip_addr dst = ip_addr_v4(0x0a000000 + i / 2);

		routes_host(t, i % 2, &dst, FIB_NONE);
	}
	CU_ASSERT_TRUE(routes_work(t, UINT_MAX));
	for (int i = 0; i < NHS; i++)
		CU_ASSERT_TRUE(refs[i] == 0 && holds[i] == 0);
	CU_ASSERT_TRUE(lookup(0, 0x0a000003) == FIB_NONE && lookup(1, 0x0a000003) == FIB_NONE);
	routes_destroy(t);
}

/* The same steps for each family, and each in two instances. */
static const struct {
	const char *wide, *narrow, *host, *beside, *outside;
	uint8_t wide_len, narrow_len;
} families[] = {
	{ "10.0.0.0", "10.0.9.0", "10.0.9.7", "10.0.8.7", "10.1.0.0", 16, 24 },
	{ "2001:db8::", "2001:db8:0:9::", "2001:db8:0:9::7", "2001:db8:0:8::7", "2001:db9::", 32,
		64 },
	{ "0.0.0.0", "128.0.0.0", "200.0.0.7", "100.0.0.7", "2001:db8::", 0, 1 },
	{ "::", "8000::", "c000::7", "2001:db8::7", "10.0.0.1", 0, 1 },
};

static uint32_t cover(const struct routes *t, uint16_t instance, const char *text)
{
	struct ip_addr dst;

	CU_ASSERT_EQUAL_FATAL(ip_addr_parse(text, &dst), 0);
	return routes_cover(t, instance, &dst);
}

static struct ip_prefix prefix_of(const char *text, uint8_t len)
{
	struct ip_prefix p = { .len = len };

	CU_ASSERT_EQUAL_FATAL(ip_addr_parse(text, &p.addr), 0);
	return p;
}

static void routes_of_family(struct routes *t, unsigned int f, uint16_t in, uint16_t out)
{
	struct ip_prefix wide = prefix_of(families[f].wide, families[f].wide_len);
	struct ip_prefix narrow = prefix_of(families[f].narrow, families[f].narrow_len);
	struct ip_prefix host = prefix_of(families[f].host, 0);

	CU_ASSERT_EQUAL(routes_set(t, in, &wide, 5, nh_value(4), false, 1), 1);
	CU_ASSERT_EQUAL(routes_set(t, in, &narrow, 5, nh_value(1), false, 1), 1);
	CU_ASSERT_EQUAL(routes_get(t, in, &wide, 5), nh_value(4));
	CU_ASSERT_EQUAL(cover(t, in, families[f].host), nh_value(1));
	CU_ASSERT_EQUAL(cover(t, in, families[f].beside), nh_value(4));
	CU_ASSERT_EQUAL(cover(t, in, families[f].outside), FIB_NONE);
	CU_ASSERT_EQUAL(routes_get(t, out, &wide, 5), FIB_NONE);
	CU_ASSERT_EQUAL(cover(t, out, families[f].host), FIB_NONE);
	CU_ASSERT_EQUAL(routes_del(t, out, &wide, 5), 0);
	CU_ASSERT_EQUAL(routes_set(t, out, &wide, 5, nh_value(5), false, 1), 1);
	CU_ASSERT_EQUAL(cover(t, in, families[f].beside), nh_value(4));
	CU_ASSERT_EQUAL(cover(t, out, families[f].host), nh_value(5));
	CU_ASSERT_EQUAL(routes_host(t, in, &host.addr, nh_value(2)), 0);
	CU_ASSERT_EQUAL(routes_host(t, out, &host.addr, FIB_NONE), 0); /* it has none */
	if (ip_addr_is_v4(&host.addr)) {
		CU_ASSERT_EQUAL(fib_lookup(fib, in, &host.addr), nh_value(2));
		CU_ASSERT_EQUAL(fib_lookup(fib, out, &host.addr), nh_value(5));
	} else {
		CU_ASSERT_EQUAL(fib_lookup(fib, in, &host.addr), FIB_NONE);
	}
	CU_ASSERT_EQUAL(routes_host(t, in, &host.addr, FIB_NONE), 0);
	CU_ASSERT_EQUAL(routes_del(t, in, &narrow, 5), 1);
	CU_ASSERT_EQUAL(cover(t, in, families[f].host), nh_value(4));
	CU_ASSERT_EQUAL(routes_del(t, in, &wide, 5), 1);
	CU_ASSERT_EQUAL(cover(t, in, families[f].host), FIB_NONE);
	CU_ASSERT_EQUAL(cover(t, out, families[f].host), nh_value(5));
	CU_ASSERT_EQUAL(routes_del(t, out, &wide, 5), 1);
	CU_ASSERT_EQUAL(routes_count(t), 0);
}

static void test_routes_families(void)
{
	struct routes_conf c = {
		.fib = fib, .usable = model_usable, .refer = model_refer, .hold = model_hold
	};
	struct routes *t = routes_create(&c);
	struct ip_prefix p = prefix_of("10.0.0.0", 33), q = prefix_of("2001:db8::", 129);

	for (unsigned int f = 0; f < RTE_DIM(families); f++) {
		routes_of_family(t, f, 0, 1);
		routes_of_family(t, f, 1, 0);
	}
	for (int i = 0; i < NHS; i++)
		CU_ASSERT_TRUE(refs[i] == 0 && holds[i] == 0);
	CU_ASSERT_EQUAL(routes_refused(t), 0);
	CU_ASSERT_EQUAL(routes_set(t, 0, &p, 0, 0, false, 1), -EINVAL);
	CU_ASSERT_EQUAL(routes_set(t, 0, &q, 0, 0, false, 1), -EINVAL);
	p.len = 24;
	CU_ASSERT_EQUAL(routes_set(t, INSTANCES, &p, 0, 0, false, 1), -EINVAL);
	routes_destroy(t);
}

/* Prefixes that a router chose for a secret that it had learnt meet in one bucket, which has no
 * more than it may, and others find room. For any other secret they are as any others. */
static void test_routes_chosen(void)
{
	enum { CHOSEN = 40, BUCKETS = 1 << 16, CHAIN = 24 };
	struct routes_conf c = { .fib = fib,
		.usable = model_usable,
		.refer = model_refer,
		.hold = model_hold,
		.secret = { { 1 } } };
	struct ip_prefix to[CHOSEN], other = prefix_of("10.1.0.0", 16);

	for (uint32_t n = 0, net = 0; n < CHOSEN; net++) {
		uint64_t words[] = { 0, 0, 24 };

		to[n] = (struct ip_prefix){ ip_addr_v4(0x14000000 + (net << 8)), 24 };
		words[0] = ip_addr_half(&to[n].addr, 0);
		words[1] = ip_addr_half(&to[n].addr, 1);
		n += siphash(&c.secret, words, sizeof(words)) % BUCKETS == 77;
	}
	for (int learnt = 1; learnt >= 0; learnt--) {
		struct routes *t;

		c.secret.octet[0] = (uint8_t)learnt;
		t = routes_create(&c);
		for (unsigned int i = 0; i < CHOSEN; i++)
			CU_ASSERT_EQUAL(routes_set(t, 0, &to[i], 5, nh_value(1), false, 1),
				learnt && i >= CHAIN ? -ENOBUFS : 1);
		CU_ASSERT_EQUAL(routes_set(t, 0, &other, 5, nh_value(1), false, 1), 1);
		CU_ASSERT_EQUAL(routes_count(t), learnt ? CHAIN + 1 : CHOSEN + 1);
		if (learnt) /* one goes, and there is room for one */
			CU_ASSERT_EQUAL(routes_del(t, 0, &to[3], 5), 1);
		CU_ASSERT_EQUAL(routes_set(t, 0, &to[CHOSEN - 1], 5, nh_value(1), false, 1),
			learnt ? 1 : 0);
		routes_sweep(t, all_gone, NULL);
		CU_ASSERT_TRUE(routes_work(t, UINT_MAX));
		routes_destroy(t);
	}
}

/* Instances that have no tables answer that there is no route, and take none. */
static void test_fib_instances(void)
{
	struct ip_prefix p = prefix_of("10.0.0.0", 24), q = prefix_of("2001:db8::", 32);
	uint32_t gen = atomic_load(&fib->gen);

	CU_ASSERT_EQUAL(fib_instance_open(fib, INSTANCES, "fib-n"), -EINVAL);
	CU_ASSERT_EQUAL(fib_instance_open(fib, 1, "fib-1"), 0); /* it is there */
	CU_ASSERT_EQUAL(fib_put(fib, 2, &p, 7), -ENOENT);
	CU_ASSERT_EQUAL(fib_put(fib, INSTANCES, &p, 7), -ENOENT);
	CU_ASSERT_EQUAL(fib_put(fib, INSTANCE_MAIN, &q, 7), -ENOENT);
	CU_ASSERT_EQUAL(fib_remove(fib, 2, &p), -ENOENT);
	CU_ASSERT_EQUAL(atomic_load(&fib->gen), gen);
	CU_ASSERT_EQUAL(fib_put(fib, 1, &p, 7), 0);
	CU_ASSERT_EQUAL(lookup(1, 0x0a000005), 7);
	CU_ASSERT_EQUAL(lookup(0, 0x0a000005), FIB_NONE);
	CU_ASSERT_EQUAL(lookup(2, 0x0a000005), FIB_NONE);
	CU_ASSERT_EQUAL(lookup(INSTANCES, 0x0a000005), FIB_NONE);
	CU_ASSERT_EQUAL(fib_remove(fib, 1, &p), 0);
	CU_ASSERT_EQUAL(lookup(1, 0x0a000005), FIB_NONE);
	CU_ASSERT_EQUAL(atomic_load(&fib->gen), gen + 2);
}

static int suite_up(void)
{
	fib = fib_create("fib", SOCKET_ID_ANY);
	return fib == NULL || fib_instance_open(fib, 1, "fib-1") < 0 ? -1 : 0;
}

static int suite_down(void)
{
	fib_destroy(fib);
	return 0;
}

int main(int argc, char **argv)
{
	char prefix[48], run_dir[128];
	char *eal[] = { argv[0], "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		"256", prefix, "--log-level=3", "-l", "0", NULL }; /* an rte_lpm takes 64 MB */
	CU_TestInfo tests[] = {
		{ "routes_model", test_routes_model },
		{ "routes_families", test_routes_families },
		{ "routes_chosen", test_routes_chosen },
		{ "fib_instances", test_fib_instances },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "net_routes", suite_up, suite_down, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	snprintf(prefix, sizeof(prefix), "--file-prefix=ut_netr_%d", getpid());
	if (rte_eal_init(RTE_DIM(eal) - 1, eal) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	snprintf(run_dir, sizeof(run_dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(run_dir); /* which EAL leaves behind */
	return ret;
}
