/* SPDX-License-Identifier: BSD-3-Clause */
/* Progress, estimate and the alarm of an overdue audit. */
#include <string.h>

#include "replicator/audit_watch.h"
#include "ut.h"

enum { S = 1000000 };

static const struct {
	struct audit_watch w;
	usec_t now;
	const char *state;
	uint32_t matched;
	unsigned int per_cent;
	uint64_t rate;
	usec_t time_left;
} progress[] = {
	{ { .watched = false, .began = 1 * S, .ended = USEC_NEVER, .buckets = 1000, .left = 500 },
		2 * S, "none", 0, 0, 0, USEC_NEVER },
	{ { .watched = true,
		  .began = USEC_NEVER,
		  .ended = USEC_NEVER,
		  .buckets = 1000,
		  .left = 1000 },
		2 * S, "none", 0, 0, 0, USEC_NEVER },
	{ { .watched = true, .began = 1 * S, .ended = USEC_NEVER, .buckets = 1000, .left = 1000 },
		2 * S, "running", 0, 0, 0, USEC_NEVER },
	{ { .watched = true, .began = 1 * S, .ended = USEC_NEVER, .buckets = 1000, .left = 750 },
		2 * S, "running", 250, 25, 250, 3 * S },
	{ { .watched = true, .began = 1 * S, .ended = USEC_NEVER, .buckets = 1000, .left = 750 },
		1 * S + 1000, "running", 250, 25, 250000, USEC_NEVER }, /* too early to tell */
	{ { .watched = true, .began = 1 * S, .ended = 3 * S, .buckets = 1000, .left = 0 }, 99 * S,
		"complete", 1000, 100, 500, 0 },
	{ { .watched = true, .began = 5 * S, .ended = USEC_NEVER, .buckets = 1000, .left = 999 },
		4 * S, "running", 1, 0, 0, USEC_NEVER }, /* a clock that other cores read */
	{ { .watched = true, .began = 1 * S, .ended = USEC_NEVER, .buckets = 0 }, 2 * S, "none", 0,
		0, 0, USEC_NEVER },
};

static void test_progress(void)
{
	for (unsigned int i = 0; i < sizeof(progress) / sizeof(progress[0]); i++) {
		struct audit_progress_view v;

		audit_watch_progress(&progress[i].w, progress[i].now, &v);
		CU_ASSERT_STRING_EQUAL(v.state, progress[i].state);
		CU_ASSERT_EQUAL(v.matched, progress[i].matched);
		CU_ASSERT_EQUAL(v.per_cent, progress[i].per_cent);
		CU_ASSERT_EQUAL(v.rate, progress[i].rate);
		CU_ASSERT_EQUAL(v.time_left, progress[i].time_left);
	}
}

static const struct {
	bool watched;
	usec_t since, began;
	uint64_t now_s;
	bool overdue;
} overdue[] = {
	{ true, 100 * S, 50 * S, 220, false },
	{ true, 100 * S, 50 * S, 221, true },
	{ false, 100 * S, 50 * S, 221, false }, /* no stream: that is another alarm's */
	{ true, USEC_NEVER, 100 * S, 220, false },
	{ true, USEC_NEVER, 100 * S, 221, true }, /* a join that does not end */
	{ true, USEC_NEVER, USEC_NEVER, 221, false },
	{ true, 300 * S, 50 * S, 221, false },
};

static void test_overdue(void)
{
	for (unsigned int i = 0; i < sizeof(overdue) / sizeof(overdue[0]); i++) {
		struct audit_watch w = { .watched = overdue[i].watched,
			.since = overdue[i].since,
			.began = overdue[i].began,
			.interval = 60 * S,
			.buckets = 1000,
			.unmatched = 3 };
		char text[160] = ""; /* SRP_REASON_MAX */

		CU_ASSERT_EQUAL(
			audit_watch_overdue(&w, overdue[i].now_s * S + 1 - !overdue[i].overdue,
				text, sizeof(text)),
			overdue[i].overdue);
		CU_ASSERT_EQUAL(strstr(text, "srp resync") != NULL, overdue[i].overdue);
		CU_ASSERT_EQUAL(
			strstr(text, "3 of 1000 buckets differ") != NULL, overdue[i].overdue);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "progress", test_progress },
		{ "overdue", test_overdue },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "audit_watch", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
