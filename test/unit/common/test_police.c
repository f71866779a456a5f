/* SPDX-License-Identifier: BSD-3-Clause */
/* police: rates, bursts, changes of the rate and of the clock; beside librte_meter. */
#include <errno.h>
#include <string.h>

#include <rte_meter.h>

#include "common/police.h"
#include "ut.h"

enum { KBPS_MAX = 100000000, RANDOM_PACKETS = 20000, PASSED_MAX = 1000000 };
#define N(array) (sizeof(array) / sizeof((array)[0]))
#define GHZ      UINT64_C(1000000000)

static const uint64_t clocks[] = { UINT64_C(1000000), UINT64_C(24000000), GHZ, UINT64_C(2096070333),
	UINT64_C(2399999989), UINT64_C(5100000000), (UINT64_C(1) << 35) - 1 };
static const uint32_t rates[] = { 1, 2, 7, 8, 64, 999, 1000, 1200, 1201, 7777, 50000, 150000,
	999983, 10000000, 99999989, KBPS_MAX };

static struct police_rate rate_of(uint32_t kbps, uint64_t hz)
{
	struct police_rate r;

	CU_ASSERT_EQUAL_FATAL(police_rate_set(&r, kbps, hz), 0);
	return r;
}

/* Octets of a full bucket: what 100 ms give, and ten full packets at least. */
static uint64_t burst_of(uint32_t kbps)
{
	uint64_t octets = kbps * UINT64_C(125) / 10;

	return octets > 15000 ? octets : 15000;
}

/* Time in which the rate gives so much, in ticks. */
static double ticks_of(double octets, uint32_t kbps, uint64_t hz)
{
	return octets / (kbps * 125.0) * (double)hz;
}

/* All of a bucket is spent. */
static uint64_t empty_at(const struct police_rate *r, uint64_t now)
{
	return (now << r->shift) + r->burst;
}

/* Offers packets until one does not pass, which must come; how many did. */
static uint64_t passed_at(uint64_t *tat, const struct police_rate *r, uint64_t now, uint32_t octets)
{
	uint64_t n = 0;

	while (n < PASSED_MAX && police_pass(tat, r, now, octets))
		n++;
	CU_ASSERT_FATAL(n < PASSED_MAX);
	return n;
}

static void test_range(void)
{
	struct police_rate r;
	uint64_t tat = 12345;

	CU_ASSERT_EQUAL(police_rate_set(&r, 0, GHZ), 0);
	for (unsigned int i = 0; i < 1000; i++)
		CU_ASSERT_TRUE(police_pass(&tat, &r, GHZ, 65535));
	CU_ASSERT_EQUAL(tat, 12345); /* what has no limit is not written */
	CU_ASSERT_EQUAL(police_rate_set(&r, KBPS_MAX + 1, GHZ), -ERANGE);
	CU_ASSERT_EQUAL(r.per_octet, 0);
	CU_ASSERT_EQUAL(police_rate_set(&r, UINT32_MAX, GHZ), -ERANGE);
	CU_ASSERT_EQUAL(police_rate_set(&r, 1, 999999), -ERANGE);
	CU_ASSERT_EQUAL(police_rate_set(&r, 1, 0), -ERANGE);
	CU_ASSERT_EQUAL(police_rate_set(&r, 1, UINT64_C(1) << 35), -ERANGE);
	CU_ASSERT_EQUAL(police_rate_set(&r, 1, UINT64_MAX), -ERANGE);
}

/* What passes in a long time when more is offered; the bucket is empty at first. */
static double rate_error(uint32_t kbps, uint64_t hz, uint32_t octets, unsigned int packets)
{
	struct police_rate r = rate_of(kbps, hz);
	double want = ticks_of(octets, kbps, hz);
	uint64_t first = UINT64_C(1) << 40, now = first, tat = empty_at(&r, now), n = 0,
		 step = want > 3 ? (uint64_t)(want / 3) : 1;

	for (unsigned int i = 0; i < 3 * packets; i++) {
		now += step;
		n += passed_at(&tat, &r, now, octets);
	}
	return (double)n * want / (double)(now - first) - 1;
}

static void test_rate(void)
{
	static const uint32_t octets[] = { 64, 1500, 9000 };
	double worst = 0;

	for (unsigned int c = 0; c < N(clocks); c++)
		for (unsigned int k = 0; k < N(rates); k++)
			for (unsigned int o = 0; o < N(octets); o++) {
				double error = rate_error(rates[k], clocks[c], octets[o], 1000);

				worst = error > worst ? error : -error > worst ? -error : worst;
				if (error > 0.01 || error < -0.01)
					printf("%u kbit/s, %llu Hz, %u octets: %.2f %%\n", rates[k],
						(unsigned long long)clocks[c], octets[o],
						error * 100);
			}
	CU_ASSERT_TRUE(worst < 0.01);
	printf("at most %.2f %% wrong ", worst * 100);
}

/* A full bucket holds its burst, and no octet more. */
static void burst_one(uint32_t kbps, uint64_t hz)
{
	const uint64_t now = UINT64_C(1) << 40, burst = burst_of(kbps);
	const uint32_t longest = burst < 65535 ? (uint32_t)burst : 65535;
	struct police_rate r = rate_of(kbps, hz);
	uint64_t tat = 0, n;

	CU_ASSERT_TRUE(police_pass(&tat, &r, now, 9000));
	tat = 0;
	CU_ASSERT_TRUE(police_pass(&tat, &r, now, longest));
	CU_ASSERT_EQUAL(police_pass(&tat, &r, now, 1), longest < burst);
	tat = 0;
	if (burst < 65535)
		CU_ASSERT_FALSE(police_pass(&tat, &r, now, longest + 1));
	tat = 0;
	n = passed_at(&tat, &r, now, 1500);
	CU_ASSERT_TRUE(n >= burst / 1500 && n <= burst / 1500 + burst / 150000);
}

static void test_burst(void)
{
	for (unsigned int c = 0; c < N(clocks); c++)
		for (unsigned int k = 0; k < N(rates); k++)
			burst_one(rates[k], clocks[c]);
}

/* ---- beside librte_meter ---- */

/* As rte_meter_srtcm_profile_config() makes it, without its clock. */
static struct rte_meter_srtcm_profile profile_of(uint32_t kbps, uint64_t hz)
{
	uint64_t rate = kbps * UINT64_C(125);
	double period = (double)hz / (double)rate;
	struct rte_meter_srtcm_profile p = { .cbs = burst_of(kbps), .cir_bytes_per_period = 1 };

	if (period < 100) {
		p.cir_bytes_per_period = (uint64_t)(100 / period);
		p.cir_bytes_per_period += (double)p.cir_bytes_per_period * period < 100;
		period = (double)hz * (double)p.cir_bytes_per_period / (double)rate;
	}
	p.cir_period = (uint64_t)period;
	/* It has no fraction. Where it needs one its rate is up to 1 % too high, and no measure. */
	CU_ASSERT_EQUAL_FATAL(p.cir_period * rate, hz * p.cir_bytes_per_period);
	return p;
}

/* Both decide on the same packets. */
struct beside {
	uint32_t kbps, longest;
	uint64_t hz, now, tat;
	struct police_rate rate;
	struct rte_meter_srtcm meter;
	struct rte_meter_srtcm_profile profile;
	/* since both were full or empty: packets, and those that we alone let through, less those
	 * that librte_meter alone does */
	unsigned int packets;
	int ahead;
	unsigned int all, passed, alone[2], wrong;
};

/* Octets in our bucket. */
static double beside_content(const struct beside *b)
{
	int64_t debt = (int64_t)(b->tat - (b->now << b->rate.shift));

	return (double)(b->rate.burst - (debt > 0 ? (uint64_t)debt : 0)) /
	       ((double)b->rate.per_octet / (1 << POLICE_FRACTION));
}

/* Octets by which two that agree may differ: librte_meter gives the octets of a period when it is
 * over, and of our packets less than a unit is lost by rounding. */
static double beside_grain(const struct beside *b)
{
	return (double)b->profile.cir_bytes_per_period + 1 +
	       b->packets / ((double)b->rate.per_octet / (1 << POLICE_FRACTION));
}

/* Where one lets a packet through that the other does not, the other has its octets still. */
static void beside_packet(struct beside *b, uint32_t octets)
{
	bool other = rte_meter_srtcm_color_blind_check(&b->meter, &b->profile, b->now, octets) !=
		     RTE_COLOR_RED;
	bool pass = police_pass(&b->tat, &b->rate, b->now, octets);
	double apart = beside_content(b) - (double)b->meter.tc, most;

	b->ahead += pass - other;
	b->packets++;
	b->all++;
	b->passed += pass;
	b->alone[0] += pass && !other;
	b->alone[1] += other && !pass;
	most = b->longest + beside_grain(b);
	b->wrong += apart >= most || -apart >= most;
}

static void beside_begin(struct beside *b, bool full)
{
	b->meter.time = b->now;
	b->meter.tc = full ? b->profile.cbs : 0;
	b->tat = full ? 0 : empty_at(&b->rate, b->now);
	b->packets = 0;
	b->ahead = 0;
}

/* Ten times the rate and about the rate in turn, from full and from empty buckets. Lengths are
 * random up to the longest, or all the same. */
static void beside_traffic(struct beside *b, uint64_t *seed, bool same)
{
	for (unsigned int i = 0; i < RANDOM_PACKETS; i++) {
		uint32_t octets =
			same ? b->longest : 40 + (uint32_t)(ut_random(seed) % (b->longest - 39));
		double load = (i / 500 & 1) ? 1 : 10,
		       wait = ticks_of(octets, b->kbps, b->hz) / load *
			      (double)(ut_random(seed) % 2000) / 1000;

		if (i % 2000 == 0)
			beside_begin(b, (i / 2000 & 1) == 0);
		b->now += (uint64_t)wait;
		beside_packet(b, octets);
		if (same)
			b->wrong += abs(b->ahead) > 1 + (int)(beside_grain(b) / octets);
	}
}

static void test_beside_meter(void)
{
	static const struct {
		uint32_t kbps;
		uint64_t hz;
	} pairs[] = { { 1, 2 * GHZ }, { 8, 2 * GHZ }, { 1000, 2 * GHZ },
		{ 1200, UINT64_C(2400000000) }, { 50000, GHZ }, { 150000, UINT64_C(2400000000) },
		{ 1000000, 2 * GHZ }, { 10000000, UINT64_C(2500000000) },
		{ KBPS_MAX, UINT64_C(2500000000) }, { 1000, UINT64_C(1000000) } };
	static const uint32_t longest[] = { 64, 1500, 9000 };
	uint64_t seed = ut_seed(13);
	unsigned int all = 0, passed = 0, alone[2] = { 0 };

	for (unsigned int i = 0; i < N(pairs) * N(longest) * 2; i++) {
		struct beside b = { .kbps = pairs[i / 6].kbps,
			.hz = pairs[i / 6].hz,
			.now = 1000 * pairs[i / 6].hz,
			.longest = longest[i / 2 % 3] };

		b.rate = rate_of(b.kbps, b.hz);
		b.profile = profile_of(b.kbps, b.hz);
		beside_traffic(&b, &seed, i & 1);
		CU_ASSERT_EQUAL(b.wrong, 0);
		all += b.all;
		passed += b.passed;
		alone[0] += b.alone[0];
		alone[1] += b.alone[1];
	}
	CU_ASSERT_TRUE(passed > all / 10 && passed < all / 10 * 9);
	CU_ASSERT_TRUE(alone[0] + alone[1] < all / 50);
	printf("%u of %u packets passed, %u and %u by one alone ", passed, all, alone[0], alone[1]);
}

/* ---- changes of the rate ---- */

/* Octets that pass under load in two bursts of time after the rate has become this one. */
static void change_to(uint64_t *tat, uint64_t *now, uint32_t kbps, uint64_t hz, bool no_burst)
{
	enum { OCTETS = 9000, STEPS = 2000 };
	struct police_rate r = rate_of(kbps, hz);
	const uint64_t begin = *now, burst = burst_of(kbps);
	const double step = ticks_of((double)burst, kbps, hz) * 2 / STEPS;
	double octets = 0, earned = 0;
	unsigned int more = 0, less = 0, burst_yet = 0;

	for (unsigned int i = 0; i < STEPS; i++) {
		*now = begin + (uint64_t)(i * step);
		octets += OCTETS * (double)passed_at(tat, &r, *now, OCTETS);
		earned = (double)(*now - begin) / (double)hz * kbps * 125;
		more += octets > ((double)burst + earned) * 1.001;
		less += octets + OCTETS < earned * 0.999;
		burst_yet += octets > earned * 1.001;
	}
	CU_ASSERT_EQUAL(more, 0); /* never more than one bucket at once */
	CU_ASSERT_EQUAL(less, 0); /* the old debt was an empty bucket and no longer */
	CU_ASSERT_TRUE(!no_burst || burst_yet == 0);
}

static void test_change(void)
{
	/* The bucket of those below 100 is many times as long as one of the higher rate. */
	static const uint32_t low[] = { 1, 8, 999, 100000 };

	for (unsigned int c = 0; c < N(clocks); c++)
		for (unsigned int k = 0; k < N(low); k++) {
			uint64_t tat = 0, now = UINT64_C(1) << 40;

			for (unsigned int i = 0; i < 4; i++) {
				change_to(&tat, &now, low[k], clocks[c], false);
				change_to(&tat, &now, low[k] * 1000, clocks[c], low[k] < 100);
			}
		}
}

/* ---- the clock ---- */

/* What of a traffic of twice the rate passes, with a silence, from some time on. */
static void clock_traffic(uint32_t kbps, uint64_t hz, uint64_t begin, bool pass[RANDOM_PACKETS])
{
	struct police_rate r = rate_of(kbps, hz);
	uint64_t seed = 1, tat = 0, now = begin;

	for (unsigned int i = 0; i < RANDOM_PACKETS; i++) {
		uint32_t octets = 40 + (uint32_t)(ut_random(&seed) % 1461);
		double wait = ticks_of(octets, kbps, hz) * (double)(ut_random(&seed) % 1000) / 1000;

		pass[i] = police_pass(&tat, &r, now, octets);
		now += (uint64_t)(i % 5000 == 4999 ? 1000 * wait : wait);
	}
}

/* It makes no difference where the counter stands: its ticks and their units may wrap. */
static void test_wrap(void)
{
	static const uint32_t kbps[] = { 1, 1200, 1000000 };
	static bool want[RANDOM_PACKETS], pass[RANDOM_PACKETS];

	for (unsigned int c = 0; c < N(clocks); c++)
		for (unsigned int k = 0; k < N(kbps); k++) {
			unsigned int shift = rate_of(kbps[k], clocks[c]).shift;
			uint64_t half = (uint64_t)ticks_of(
					 RANDOM_PACKETS * 190.0, kbps[k], clocks[c]),
				 begin[] = { (UINT64_C(1) << 63 >> shift) - half,
					 (UINT64_MAX >> shift) - half, (UINT64_C(1) << 63) - half,
					 UINT64_MAX - half, (UINT64_C(3) << 62 >> shift), 0 };

			clock_traffic(kbps[k], clocks[c], UINT64_C(1) << 40, want);
			for (unsigned int i = 0; i < N(begin); i++) {
				clock_traffic(kbps[k], clocks[c], begin[i], pass);
				CU_ASSERT_EQUAL(memcmp(want, pass, sizeof(pass)), 0);
			}
		}
}

/* A clock that goes back by a millisecond gives what passes in one, and no more. */
static void test_backwards(void)
{
	for (unsigned int c = 0; c < N(clocks); c++)
		for (unsigned int k = 0; k < N(rates); k++) {
			struct police_rate r = rate_of(rates[k], clocks[c]);
			uint64_t now = UINT64_C(1) << 40, back = clocks[c] / 1000,
				 tat = empty_at(&r, now), n;
			double earned = rates[k] * 0.125;

			CU_ASSERT_FALSE(police_pass(&tat, &r, now - back, 1));
			n = passed_at(&tat, &r, now, 64) * 64;
			CU_ASSERT_TRUE((double)n <= earned * 1.5 + 64);
			/* A full one lacks what it gets in the millisecond. */
			tat = now << r.shift;
			n = passed_at(&tat, &r, now - back, 1500);
			CU_ASSERT_TRUE(
				(double)n * 1500 + 1500 + earned >= (double)burst_of(rates[k]));
			CU_ASSERT_TRUE(
				(double)n * 1500 <= (double)burst_of(rates[k]) * 1.01 - earned);
		}
}

/* Whatever stands in a slot: no more than a bucket passes, and it is full when it should be. */
static void test_other_clock(void)
{
	static const uint32_t kbps[] = { 1, 1200, 150000 };
	uint64_t seed = ut_seed(14);

	for (unsigned int i = 0; i < 3000; i++) {
		uint32_t rate = kbps[i % N(kbps)];
		uint64_t hz = clocks[i % N(clocks)], now = ut_random(&seed) >> (i % 20), n,
			 tat = ut_random(&seed) >> (i % 50);
		struct police_rate r = rate_of(rate, hz);

		n = passed_at(&tat, &r, now, 1500);
		CU_ASSERT_TRUE(n <= burst_of(rate) / 1500);
		now += (uint64_t)ticks_of((double)burst_of(rate), rate, hz) + 1;
		CU_ASSERT_EQUAL(passed_at(&tat, &r, now, 1500), burst_of(rate) / 1500);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = { { "range", test_range }, { "rate", test_rate },
		{ "burst", test_burst }, { "beside_meter", test_beside_meter },
		{ "change", test_change }, { "wrap", test_wrap }, { "backwards", test_backwards },
		{ "other_clock", test_other_clock }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "police", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
