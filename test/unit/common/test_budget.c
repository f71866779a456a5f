/* SPDX-License-Identifier: BSD-3-Clause */
/* budget: who gets how many, alone, beside a flood, and after a while. */
#include <string.h>

#include "common/budget.h"
#include "ut.h"

enum { HZ = 1000000, SOURCE = 10, SUBJECT = 5, SHARED = 100, AT_ONCE = SHARED / 10 };

static const struct siphash_secret secret = { { 1 } };
static const struct budget_rates rates = { SOURCE, SUBJECT, SHARED };
static struct budget b;

static void setup(void)
{
	budget_init(&b, &secret, &rates, HZ);
}

/* As if no source had spent anything. */
static void setup_sources(void)
{
	memset(b.source, 0, sizeof(b.source));
}

/* How many of n that come at once, each with a subject of its own. */
static unsigned int burst(uint64_t source, uint64_t subject, unsigned int n, uint64_t now)
{
	unsigned int got = 0;

	for (unsigned int i = 0; i < n; i++)
		got += budget_take(&b, source, subject + i, now);
	return got;
}

/* One source alone has its own and what is shared, and no more for having waited long. */
static void test_alone(void)
{
	CU_ASSERT_EQUAL(burst(1, 1000, 400, 5), SOURCE + AT_ONCE);
	CU_ASSERT_EQUAL(burst(1, 2000, 400, 5), 0);
	CU_ASSERT_EQUAL(burst(1, 3000, 400, HZ / 2 + 5), SOURCE / 2 + AT_ONCE);
	CU_ASSERT_EQUAL(burst(1, 4000, 400, 3600UL * HZ), SOURCE + AT_ONCE);
}

/* A flood from one source, from many subjects: another one has what is its own in each second. */
static void test_beside_a_flood(void)
{
	unsigned int flood = 0, honest = 0;

	for (uint64_t now = HZ; now < 11 * HZ; now += HZ / 1000) {
		flood += burst(0x0a000001, now, 20, now);
		honest += now % (HZ / SOURCE) == 0 && budget_take(&b, 0x0a000002, now % 97, now);
	}
	CU_ASSERT_EQUAL(honest, 10 * SOURCE);
	/* which is all that is shared, and no more */
	CU_ASSERT_TRUE(flood >= 10 * SHARED && flood <= 10 * (SOURCE + SHARED) + SOURCE + AT_ONCE);
}

/* One subject has its rate, whoever asks. */
static void test_subject(void)
{
	unsigned int got = 0;

	for (unsigned int i = 0; i < 100; i++)
		got += budget_take(&b, i, 7, 5);
	CU_ASSERT_EQUAL(got, SUBJECT);
	got = 0;
	for (unsigned int i = 0; i < 100; i++)
		got += budget_take(&b, 1, 7, HZ + 6);
	CU_ASSERT_EQUAL(got, SUBJECT);
	/* What was refused for its subject cost the source nothing. */
	CU_ASSERT_EQUAL(burst(1, 1000, 400, HZ + 6), SOURCE + AT_ONCE - SUBJECT);
}

/* Many subjects of strangers take nothing from one that none of them is. */
static void test_many_subjects(void)
{
	unsigned int honest = 0;

	for (uint64_t i = 0; i < 20 * BUDGET_COUNTERS; i++) {
		budget_take(&b, i, 1000 + i, 5);
		budget_take(&b, i, 1000 + i, 5);
	}
	setup_sources();
	for (uint64_t i = 0; i < SOURCE; i++)
		honest += budget_take(&b, 7, i, 5);
	CU_ASSERT_EQUAL(honest, SOURCE);
}

/* A clock that went back closes nobody out for longer than a second. */
static void test_clock(void)
{
	CU_ASSERT_EQUAL(burst(1, 1000, 400, 3600UL * HZ), SOURCE + AT_ONCE);
	CU_ASSERT_EQUAL(burst(1, 2000, 400, 5), 0);
	CU_ASSERT_EQUAL(burst(1, 3000, 400, HZ + 6), SOURCE + AT_ONCE);
}

/* Sources that a stranger chose for a secret that it had learnt, so that they spend what is
 * another's: for any other secret that one has its own. */
static void test_chosen(void)
{
	enum { CHOSEN = 50 };
	static const struct siphash_secret other = { { 2 } };
	uint64_t source[CHOSEN], n = 0, victim = 0x0a000002;

	for (uint64_t s = 0; n < CHOSEN; s++) {
		source[n] = s;
		n += (siphash_word(&secret, s) - siphash_word(&secret, victim)) % BUDGET_COUNTERS ==
		     0;
	}
	for (int learnt = 1; learnt >= 0; learnt--) {
		budget_init(&b, learnt ? &secret : &other, &rates, HZ);
		for (unsigned int i = 0; i < CHOSEN; i++)
			burst(source[i], i * 1000, 400, 5);
		CU_ASSERT_EQUAL(burst(victim, 1, 400, 5), learnt ? 0 : SOURCE);
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "alone", test_alone }, { "beside a flood", test_beside_a_flood },
		{ "subject", test_subject }, { "many subjects", test_many_subjects },
		{ "clock", test_clock }, { "chosen", test_chosen }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "budget", NULL, NULL, setup, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
