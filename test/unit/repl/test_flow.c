/* SPDX-License-Identifier: BSD-3-Clause */
/* The token bucket against a ledger, and who may encode when. */
#include "repl/flow.h"
#include "ut.h"

enum { FRAME = 1514 };

/* Whatever comes when, what was sent is never more than the rate since the beginning, one bucket
 * and one frame. */
static void test_rate_is_kept(void)
{
	static const uint32_t mbits[] = { 1, 10, 100, 1000, 40000, 400000 };
	uint64_t seed = ut_seed(3);

	for (unsigned int i = 0; i < sizeof(mbits) / sizeof(mbits[0]); i++) {
		uint64_t sent = 0, rate = mbits[i] * UINT64_C(125000), most = rate / 1000;
		usec_t now = 77, start = now;
		struct flow f;

		if (most < 2 * FRAME)
			most = 2 * FRAME;
		flow_init(&f, mbits[i], FRAME, 2, 256, now);
		for (unsigned int turn = 0; turn < 20000; turn++) {
			unsigned int n;

			now += ut_random(&seed) % (turn % 100 == 0 ? 20000 : 200);
			flow_tick(&f, now);
			n = flow_packets(&f);
			if (ut_random(&seed) % 4 == 0)
				n /= 2;
			for (; n > 0; n--) {
				unsigned int bytes =
					60 + (unsigned int)(ut_random(&seed) % (FRAME - 59));

				flow_sent(&f, bytes);
				sent += bytes;
			}
			if (sent > rate * (now - start) / 1000000 + most + 2 * FRAME)
				break;
		}
		CU_ASSERT_TRUE(sent <= rate * (now - start) / 1000000 + most + 2 * FRAME);
		/* it is a limit, not a stop */
		CU_ASSERT_TRUE(sent > rate * (now - start) / 1000000 / 4);
	}
}

static void test_rate_is_used(void)
{
	struct flow f;
	uint64_t sent = 0;

	flow_init(&f, 8, FRAME, 1, 256, 0); /* 1 byte a microsecond */
	for (usec_t now = 0; now <= 1000000; now += 100) {
		flow_tick(&f, now);
		for (unsigned int n = flow_packets(&f); n > 0; n--, sent += FRAME)
			flow_sent(&f, FRAME);
	}
	CU_ASSERT_TRUE(sent >= 1000000 && sent <= 1000000 + 4 * FRAME);
}

/* Heartbeats never wait; what they take, state pays, but never for longer than a bucket. */
static void test_debt(void)
{
	struct flow f;

	flow_init(&f, 8, FRAME, 1, 256, 0);
	CU_ASSERT_TRUE(flow_packets(&f) > 0);
	for (unsigned int i = 0; i < 1000; i++)
		flow_sent(&f, 1000);
	CU_ASSERT_EQUAL(flow_packets(&f), 0);
	flow_tick(&f, 2 * FRAME);
	CU_ASSERT_EQUAL(flow_packets(&f), 0);
	flow_tick(&f, 2 * FRAME + 1);
	CU_ASSERT_EQUAL(flow_packets(&f), 1);
	flow_tick(&f, USEC_NEVER / 2); /* an age later: one bucket, no more */
	CU_ASSERT_EQUAL(flow_packets(&f), 3);
}

static void test_no_rate(void)
{
	struct flow f;

	flow_init(&f, 0, FRAME, 2, 256, 0);
	for (unsigned int i = 0; i < 100000; i++)
		flow_sent(&f, FRAME);
	flow_tick(&f, 1);
	CU_ASSERT_EQUAL(flow_packets(&f), UINT32_MAX);
}

static const struct {
	uint32_t mbits;
	struct flow_path path;
	uint32_t delta, bulk;
} limits[] = {
	{ 0, { 4096, 4096, 0, 0, 200 }, 128, 64 },
	{ 0, { 2048, 4096, 2048, 300, 200 }, 128, 0 }, /* bulk leaves half of the window */
	{ 0, { 2049, 4096, 2047, 300, 200 }, 128, 64 },
	{ 0, { 1024, 4096, 3072, 300, 200 }, 0, 0 }, /* the last quarter is for commits */
	{ 0, { 0, 4096, 0, 0, 10000 }, 0, 0 },       /* no stream */
	{ 0, { 4000, 4096, 96, 2200, 200 }, 128, 64 },
	{ 0, { 4000, 4096, 96, 2201, 200 }, 128, 0 }, /* a queue grows somewhere */
	{ 0, { 4000, 4096, 96, 10200, 200 }, 128, 0 },
	{ 0, { 4000, 4096, 96, 10201, 200 }, 0, 0 },   /* a long one */
	{ 0, { 4089, 4096, 7, 90000, 200 }, 128, 64 }, /* but few are under way */
	{ 0, { 60, 64, 4, 300, 200 }, 128, 64 },
	{ 0, { 32, 64, 32, 300, 200 }, 128, 0 },
	{ 0, { 16, 64, 48, 300, 200 }, 0, 0 },
	{ 1, { 4096, 4096, 0, 0, 200 }, 1, 1 },
	{ 10, { 4096, 4096, 0, 0, 200 }, 1, 1 },
	{ 100, { 4096, 4096, 0, 0, 200 }, 16, 4 }, /* 4 ms and 1 ms of it, by two workers */
	{ 1000, { 4096, 4096, 0, 0, 200 }, 128, 41 },
};

static void test_limits(void)
{
	for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct flow_limits l = { 7, 7 };
		struct flow f;

		flow_init(&f, limits[i].mbits, FRAME, 2, 256, 0);
		flow_limit(&f, &limits[i].path, &l);
		CU_ASSERT_EQUAL(l.delta, limits[i].delta);
		CU_ASSERT_EQUAL(l.bulk, limits[i].bulk);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "rate_is_kept", test_rate_is_kept },
		{ "rate_is_used", test_rate_is_used },
		{ "debt", test_debt },
		{ "no_rate", test_no_rate },
		{ "limits", test_limits },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "flow", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
