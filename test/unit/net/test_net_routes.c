/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/net/routes and the rte_lpm that it fills, against a plain list. */
#include <limits.h>
#include <unistd.h>

#include <rte_eal.h>

#include "routes.h"
#include "ut.h"

static struct fib *fib;

enum { MODEL_ROUTES = 300, NHS = 6 };

static struct {
	bool used;
	uint32_t prefix, metric, nh;
	uint8_t len;
} model[MODEL_ROUTES];
static uint32_t model_host[16]; /* of 10.0.0.0..15 */
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

static uint32_t mask(uint8_t len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

static uint32_t model_best(uint32_t prefix, uint8_t len)
{
	uint32_t best = FIB_NONE, metric = 0;
	bool up = false;

	for (int i = 0; i < MODEL_ROUTES; i++) {
		bool is_up;

		if (!model[i].used || model[i].len != len || model[i].prefix != prefix)
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

static uint32_t model_lookup(uint32_t dst)
{
	uint32_t nh = model_best(dst, 32);

	if (dst - 0x0a000000 < 16 && model_host[dst - 0x0a000000] != FIB_NONE &&
		(nh == FIB_NONE || nh & FIB_GLEAN))
		return model_host[dst - 0x0a000000];
	for (int len = 32; nh == FIB_NONE && len >= 0; len--)
		nh = model_best(dst & mask((uint8_t)len), (uint8_t)len);
	return nh;
}

static void model_set(struct routes *t, uint64_t *s, uint32_t prefix, uint8_t len, uint32_t metric)
{
	uint32_t nh = nh_value(ut_random(s) % NHS);
	int at = -1, was = -1;

	for (int i = 0; i < MODEL_ROUTES; i++) {
		if (!model[i].used)
			at = i;
		else if (model[i].prefix == prefix && model[i].len == len &&
			 model[i].metric == metric)
			was = i;
	}
	CU_ASSERT_EQUAL(routes_get(t, prefix, len, metric), was < 0 ? FIB_NONE : model[was].nh);
	if (ut_random(s) % 2 == 0 || (was < 0 && at < 0)) {
		CU_ASSERT_EQUAL(routes_del(t, prefix, len, metric), was >= 0);
		if (was >= 0)
			model[was].used = false;
		return;
	}
	CU_ASSERT_EQUAL(routes_set(t, prefix, len, metric, nh, true, 1), was < 0);
	at = was < 0 ? at : was;
	model[at].used = true;
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

	if (what == 0) {
		nh_up[ut_random(s) % NHS] ^= true;
		routes_choose(t);
		while (!routes_work(t, 3))
			;
	} else if (what < 4) {
		model_host[addr % 16] = ut_random(s) % 2 ? (uint32_t)(ut_random(s) % 3) : FIB_NONE;
		CU_ASSERT_EQUAL(routes_host(t, 0x0a000000 + addr % 16, model_host[addr % 16]), 0);
	} else {
		model_set(t, s, addr & mask(len), len, ut_random(s) % 3);
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

static void test_routes_model(void)
{
	struct routes_conf c = {
		.fib = fib, .usable = model_usable, .refer = model_refer, .hold = model_hold
	};
	struct routes *t = routes_create(&c);
	uint64_t s = ut_seed(42);
	int held = 0, want[NHS] = { 0 };

	for (int i = 0; i < 16; i++)
		model_host[i] = FIB_NONE;
	for (int step = 0; step < 2500; step++) {
		uint32_t gen = atomic_load(&fib->gen), before = fib_lookup(fib, 0x0a000003);

		model_step(t, &s);
		if (fib_lookup(fib, 0x0a000003) != before)
			CU_ASSERT_NOT_EQUAL(atomic_load(&fib->gen), gen);
		for (uint32_t a = 0x0a000000 - 1; a < 0x0a000000 + 17; a++)
			CU_ASSERT_EQUAL(fib_lookup(fib, a), model_lookup(a));
		uint32_t far = (uint32_t)ut_random(&s);

		CU_ASSERT_EQUAL(fib_lookup(fib, far), model_lookup(far));
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
	for (uint32_t a = 0x0a000000 - 1; a < 0x0a000000 + 17; a++)
		CU_ASSERT_EQUAL(fib_lookup(fib, a), model_lookup(a));
	routes_sweep(t, all_gone, NULL);
	for (uint32_t i = 0; i < 16; i++)
		routes_host(t, 0x0a000000 + i, FIB_NONE);
	CU_ASSERT_TRUE(routes_work(t, UINT_MAX));
	for (int i = 0; i < NHS; i++)
		CU_ASSERT_TRUE(refs[i] == 0 && holds[i] == 0);
	CU_ASSERT_EQUAL(fib_lookup(fib, 0x0a000003), FIB_NONE);
	routes_destroy(t);
}

static int suite_up(void)
{
	fib = fib_create("fib", SOCKET_ID_ANY);
	return fib == NULL ? -1 : 0;
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
		"128", prefix, "--log-level=3", "-l", "0", NULL }; /* an rte_lpm takes 64 MB */
	CU_TestInfo tests[] = {
		{ "routes_model", test_routes_model },
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
