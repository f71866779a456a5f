/* SPDX-License-Identifier: BSD-3-Clause */
/* pulse: when a core that has nothing to do sleeps. The test counts the naps in place of taking
 * them. */
#include <time.h>

#include "cores/tandem.h"
#include "ut.h"

struct tandem T;
int tandem_logtype;

static unsigned int naps;

int nanosleep(const struct timespec *asked, struct timespec *left)
{
	CU_ASSERT_EQUAL(asked->tv_sec, 0);
	CU_ASSERT_EQUAL(asked->tv_nsec, SLEEP_US * 1000);
	naps++;
	return 0;
}

/* Naps of so many turns in a row that had nothing to do. */
static unsigned int idle_turns(unsigned int n, unsigned int *idle)
{
	struct core_pulse pulse = { 0 };

	naps = 0;
	while (n-- > 0)
		pulse_rest(&pulse, false, idle);
	CU_ASSERT_EQUAL(atomic_load(&pulse.busy), 0);
	return naps;
}

static void conf_set(bool idle_sleep)
{
	static struct config conf;

	conf.idle_sleep = idle_sleep;
	T.conf = &conf;
}

/* A core that spins for longer takes the CPU from those that it waits for where they share one. */
static void test_twenty_idle_turns_then_naps(void)
{
	unsigned int idle = 0;

	conf_set(true);
	CU_ASSERT_EQUAL(idle_turns(20, &idle), 0);
	CU_ASSERT_EQUAL(idle_turns(5, &idle), 5);
}

static void test_work_starts_the_count_anew(void)
{
	struct core_pulse pulse = { 0 };
	unsigned int idle = 0;

	conf_set(true);
	CU_ASSERT_EQUAL(idle_turns(21, &idle), 1);
	pulse_rest(&pulse, true, &idle);
	CU_ASSERT_EQUAL(atomic_load(&pulse.busy), 1);
	CU_ASSERT_EQUAL(naps, 1);
	CU_ASSERT_EQUAL(idle_turns(20, &idle), 0);
	CU_ASSERT_EQUAL(idle_turns(1, &idle), 1);
}

static void test_without_idle_sleep_no_nap(void)
{
	unsigned int idle = 0;

	conf_set(false);
	CU_ASSERT_EQUAL(idle_turns(5000, &idle), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "twenty_idle_turns_then_naps", test_twenty_idle_turns_then_naps },
		{ "work_starts_the_count_anew", test_work_starts_the_count_anew },
		{ "without_idle_sleep_no_nap", test_without_idle_sleep_no_nap },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = { { "pulse", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
