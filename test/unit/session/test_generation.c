/* SPDX-License-Identifier: BSD-3-Clause */
/* generation: each order is a whole cycle, and none says anything of another one, or of itself. */
#include <string.h>

#include "session/generation.h"
#include "ut.h"

enum { PLACES = 1 << (GENERATION_BITS_MAX - 1), WIDE = GENERATION_BITS_MAX };

static uint64_t seed;

static struct siphash_secret secret(void)
{
	struct siphash_secret s;

	for (unsigned int i = 0; i < sizeof(s.octet); i++)
		s.octet[i] = (uint8_t)ut_random(&seed);
	return s;
}

/* How many generations of the side come before `from` comes again; 0: another one came twice. */
static uint32_t cycle(
	const struct siphash_secret *key, uint32_t slot, unsigned int bits, uint32_t from)
{
	static uint8_t seen[PLACES];
	uint32_t gen = from, n = 0;

	memset(seen, 0, sizeof(seen));
	do {
		gen = generation_next(key, slot, bits, gen, from & 1);
		if (gen >> bits != 0 || (gen & 1) != (from & 1) || seen[gen >> 1]++ > 0)
			return 0;
		n++;
	} while (gen != from);
	return n;
}

/* All others of a side come before one comes again, at each width and in whatever slot. */
static void test_whole_cycle(void)
{
	static const uint32_t slots[] = { 0, 1, 0xfffff };

	for (unsigned int bits = GENERATION_BITS_MIN; bits <= GENERATION_BITS_MAX; bits++)
		for (unsigned int i = 0; i < 3; i++) {
			struct siphash_secret key = secret();
			uint32_t from = (uint32_t)ut_random(&seed) & ((1U << bits) - 1);

			CU_ASSERT_EQUAL(cycle(&key, slots[i], bits, from), 1U << (bits - 1));
		}
}

/* What the other side gave has its place in the order of this one. */
static void test_sides(void)
{
	struct siphash_secret key = secret();
	unsigned int wrong = 0;

	for (uint32_t gen = 0; gen < 1000; gen++) {
		uint32_t next = generation_next(&key, 5, WIDE, gen, 1);

		wrong += (next & 1) != 1;
		wrong += generation_next(&key, 5, WIDE, gen ^ 1, 1) != next;
		wrong += generation_next(&key, 5, WIDE, gen, 0) != (next ^ 1);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

struct order {
	struct siphash_secret key;
	uint32_t slot;
};

/* The most generations that have one distance to another one: of pairs that know nothing of each
 * other, a handful. */
static unsigned int most(
	uint32_t (*pair)(const struct order *o, uint32_t at), const struct order *o)
{
	static unsigned int n[PLACES];
	unsigned int worst = 0;

	memset(n, 0, sizeof(n));
	for (uint32_t at = 0; at < PLACES; at++) {
		unsigned int *of = &n[pair(o, at) % PLACES];

		++*of;
		worst = *of > worst ? *of : worst;
	}
	return worst;
}

static uint32_t behind(const struct order *o, uint32_t at)
{
	return generation_next(&o->key, o->slot, WIDE, at << 1, 0) >> 1;
}

static uint32_t step(const struct order *o, uint32_t at)
{
	return behind(o, at) - at;
}

static uint32_t to_neighbour(const struct order *o, uint32_t at)
{
	const struct order other = { o->key, o->slot + 1 };

	return behind(o, at) - behind(&other, at);
}

static uint32_t to_next_term(const struct order *o, uint32_t at)
{
	const struct order before = { generation_key(&o->key, 2, 7), o->slot };
	const struct order now = { generation_key(&o->key, 4, 7), o->slot };

	return behind(&before, at) - behind(&now, at);
}

static uint32_t to_next_shard(const struct order *o, uint32_t at)
{
	const struct order a = { generation_key(&o->key, 2, 7), o->slot };
	const struct order b = { generation_key(&o->key, 2, 8), o->slot };

	return behind(&a, at) - behind(&b, at);
}

/* A stranger sees the TEIDs of sessions of its own, one behind the other and in neighbouring
 * slots, and over changes of roles: there is no distance that it could add. */
static void test_no_distance(void)
{
	enum { MOST = 12 }; /* one on average; 13 by chance in one order of 2^17 */
	const struct order o = { secret(), 40 };

	CU_ASSERT_TRUE(most(step, &o) <= MOST);
	CU_ASSERT_TRUE(most(to_neighbour, &o) <= MOST);
	CU_ASSERT_TRUE(most(to_next_term, &o) <= MOST);
	CU_ASSERT_TRUE(most(to_next_shard, &o) <= MOST);
}

/* Each bit of the secret counts. Two orders of 2^15 agree at one place on average. */
static void test_secret(void)
{
	enum { SAMPLE = 512, AGREE = 8 };
	struct siphash_secret life = secret();
	const struct order o = { generation_key(&life, 2, 0), 3 };

	for (unsigned int bit = 0; bit < 8 * sizeof(life.octet); bit++) {
		struct siphash_secret flipped = life;
		struct order other = { .slot = o.slot };
		unsigned int agree = 0;

		flipped.octet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		other.key = generation_key(&flipped, 2, 0);
		for (uint32_t at = 0; at < SAMPLE; at++)
			agree += behind(&o, at) == behind(&other, at);
		CU_ASSERT_TRUE(agree <= AGREE);
	}
}

/* Where there are few generations, the orders are many all the same: all but 0 come first, and as
 * often as chance has it. */
static void test_few(void)
{
	enum { FIRST = 1 << (GENERATION_BITS_MIN - 1), LIVES = 100 * FIRST };
	unsigned int n[FIRST] = { 0 };

	for (unsigned int i = 0; i < LIVES; i++) {
		struct siphash_secret life = secret();
		struct siphash_secret key = generation_key(&life, 2, i % 64);

		n[generation_next(&key, i, GENERATION_BITS_MIN, 0, 0) >> 1]++;
	}
	CU_ASSERT_EQUAL(n[0], 0);
	for (unsigned int i = 1; i < FIRST; i++)
		CU_ASSERT_TRUE(n[i] > 50 && n[i] < 160);
}

int main(void)
{
	CU_TestInfo tests[] = { { "whole cycle", test_whole_cycle }, { "sides", test_sides },
		{ "no distance", test_no_distance }, { "secret", test_secret }, { "few", test_few },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "generation", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	seed = ut_seed(22);
	return ut_run(suites);
}
