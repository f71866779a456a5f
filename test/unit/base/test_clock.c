/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock: microseconds of a counter, for counters of very different rates, over years. */
#include "base/clock.h"
#include "ut.h"

static uint64_t ticks, hz;

static uint64_t counted(void)
{
	return ticks;
}

static uint64_t rate(void)
{
	return hz;
}

static const struct clock_ops counter = { .ticks = counted, .hz = rate };

static usec_t after(uint64_t n)
{
	ticks = n;
	return clock_us();
}

/* Whole microseconds are exact; nothing is a microsecond early or, within a year, late. */
static void test_microseconds(void)
{
	static const uint64_t rates[] = { 1000000, 24000000, 1000000000, 2100000000, 2593905000,
		5000000000 };

	for (unsigned int i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		hz = rates[i];
		clock_init(&counter);
		CU_ASSERT_EQUAL(clock_hz, hz);
		CU_ASSERT_EQUAL(after(0), 0);
		CU_ASSERT_EQUAL(after(hz), USEC_PER_SEC);
		CU_ASSERT_EQUAL(after(hz * 3600), 3600 * USEC_PER_SEC);
		CU_ASSERT_TRUE(after(hz - 1) >= USEC_PER_SEC - USEC_PER_SEC / hz - 1);
		/* A year: the rate is kept to a part in 10^9. */
		CU_ASSERT_TRUE(after(hz * 31536000) - 31536000 * USEC_PER_SEC <= 31536);
	}
}

static void test_never_back(void)
{
	usec_t last = 0;

	hz = 2593905000;
	clock_init(&counter);
	for (uint64_t n = hz * 86400; n < hz * 86400 + 100000; n += 7) {
		usec_t now = after(n);

		CU_ASSERT_TRUE_FATAL(now >= last);
		last = now;
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "microseconds", test_microseconds },
		{ "never_back", test_never_back },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = { { "clock", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
