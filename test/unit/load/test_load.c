/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem-load's histogram and its trackers of numbered packets, each beside a model that keeps
 * everything. */
#include <stdbool.h>
#include <string.h>

#include "hist.h"
#include "track.h"
#include "ut.h"

/* ---- histogram ---- */

enum { VALUES = 20000 };

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Values of every size up to 2^bits. */
static uint64_t any_value(uint64_t *seed, unsigned int bits)
{
	return ut_random(seed) >> (64 - 1 - ut_random(seed) % bits);
}

static void test_hist_model(void)
{
	static const double percents[] = { 0, 0.001, 1, 25, 50, 90, 99, 99.9, 99.99, 100 };
	static uint64_t all[VALUES];
	static struct hist h;
	uint64_t seed = ut_seed(20261122);

	for (unsigned int round = 1; round <= 36; round++) {
		memset(&h, 0, sizeof(h));
		for (unsigned int i = 0; i < VALUES; i++) {
			all[i] = any_value(&seed, round);
			hist_add(&h, all[i]);
		}
		qsort(all, VALUES, sizeof(all[0]), ascending);
		CU_ASSERT_EQUAL(h.n, VALUES);
		CU_ASSERT_EQUAL(h.min, all[0]);
		CU_ASSERT_EQUAL(h.max, all[VALUES - 1]);
		for (unsigned int p = 0; p < sizeof(percents) / sizeof(percents[0]); p++) {
			double exact = percents[p] / 100 * VALUES;
			uint64_t rank = (uint64_t)exact + ((double)(uint64_t)exact < exact), want,
				 got;

			want = all[rank > 0 ? rank - 1 : 0];
			got = hist_percentile(&h, percents[p]);
			CU_ASSERT_TRUE(got >= want && got - want <= want / 64);
			if (got < want || got - want > want / 64)
				printf("round %u, %g %%: %llu, not %llu\n", round, percents[p],
					(unsigned long long)got, (unsigned long long)want);
		}
	}
}

static void test_hist_edges(void)
{
	static struct hist h;
	static const uint64_t steps[] = { 0, 63, 64, 127, 128, 129, 255, UINT64_C(1) << 35,
		(UINT64_C(1) << 36) - 1 };

	CU_ASSERT_EQUAL(hist_percentile(&h, 50), 0);
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		memset(&h, 0, sizeof(h));
		hist_add(&h, steps[i]);
		/* one value: never more than max */
		CU_ASSERT_EQUAL(hist_percentile(&h, 50), steps[i]);
	}
	memset(&h, 0, sizeof(h));
	hist_add(&h, UINT64_MAX); /* beyond the range */
	hist_add(&h, 5);
	CU_ASSERT_EQUAL(hist_percentile(&h, 50), 5);
	CU_ASSERT_EQUAL(hist_percentile(&h, 100), UINT64_MAX);
	CU_ASSERT_EQUAL(h.min, 5);
}

/* ---- tracker ---- */

enum { NUMBERS = 2000 };

struct model { /* keeps every number */
	uint8_t heard[NUMBERS];
	uint32_t highest, received;
	bool any;
	usec_t last, gap;
};

static enum track_verdict model_heard(struct model *m, uint32_t number, usec_t now)
{
	if (m->any && number < m->highest && m->highest - number >= TRACK_WINDOW)
		return TRACK_STALE;
	if (m->heard[number])
		return TRACK_DUPLICATE;
	m->heard[number] = 1;
	m->received++;
	if (m->last != 0 && now - m->last > m->gap)
		m->gap = now - m->last;
	m->last = now;
	if (m->any && number < m->highest)
		return TRACK_REORDERED;
	m->any = true;
	m->highest = number;
	return TRACK_NEW;
}

/* A network that loses, repeats, and mixes up within `depth` numbers. */
static uint32_t network(uint64_t *seed, uint32_t at, uint32_t depth)
{
	uint32_t back = (uint32_t)(ut_random(seed) % (depth + 1));

	return back > at ? at : at - back;
}

static void test_track_model(void)
{
	static const uint32_t depths[] = { 0, 1, 3, 62, 63, 64, 65, 200, NUMBERS };
	uint64_t seed = ut_seed(424242);

	for (unsigned int round = 0; round < 400; round++) {
		uint32_t depth = depths[round % (sizeof(depths) / sizeof(depths[0]))];
		struct track t = { 0 };
		struct model m = { 0 };
		usec_t now = 1;

		for (uint32_t i = 0; i < NUMBERS;
			i += 1 + ut_random(&seed) % 4 * (ut_random(&seed) % 50 == 0 ? 30 : 1)) {
			uint32_t number = network(&seed, i, depth);
			enum track_verdict got, want;

			now += ut_random(&seed) % 1000;
			if (ut_random(&seed) % 100 == 0) {
				track_rest(&t);
				m.last = 0;
			}
			got = track_heard(&t, number, now);
			want = model_heard(&m, number, now);
			if (got != want)
				printf("round %u, number %u: %d, not %d\n", round, number, (int)got,
					(int)want);
			CU_ASSERT_EQUAL(got, want);
		}
		CU_ASSERT_EQUAL(t.received, m.received);
		CU_ASSERT_EQUAL(t.gap_us, m.gap);
		CU_ASSERT_EQUAL(t.next, m.highest + 1);
	}
}

static void test_track_gap(void)
{
	struct track t = { 0 };

	track_heard(&t, 0, 100); /* nothing was before it */
	CU_ASSERT_EQUAL(t.gap_us, 0);
	track_heard(&t, 1, 350);
	track_heard(&t, 1, 900); /* a duplicate ends no gap */
	track_heard(&t, 2, 1000);
	CU_ASSERT_EQUAL(t.gap_us, 650);
	track_rest(&t);
	track_heard(&t, 3, 9000);
	CU_ASSERT_EQUAL(t.gap_us, 650);
	track_heard(&t, 4, 9000 + (UINT64_C(1) << 40)); /* longer than can be told */
	CU_ASSERT_EQUAL(t.gap_us, UINT32_MAX);
}

int main(void)
{
	CU_TestInfo tests[] = { { "histogram beside a model", test_hist_model },
		{ "histogram's edges", test_hist_edges },
		{ "tracker beside a model", test_track_model }, { "gaps", test_track_gap },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "load", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
