/* SPDX-License-Identifier: BSD-3-Clause */
#include "hist.h"

static unsigned int hist_bucket_of(uint64_t value)
{
	unsigned int doubling;

	if (value < HIST_STEPS)
		return (unsigned int)value;
	doubling = 63u - (unsigned int)__builtin_clzll(value) -
		   HIST_BITS; /* 0: HIST_STEPS to 2 x HIST_STEPS - 1 */
	if (doubling >= HIST_DOUBLINGS)
		return HIST_BUCKETS - 1;
	return (doubling + 1) * HIST_STEPS + (unsigned int)((value >> doubling) - HIST_STEPS);
}

/* The largest value of a bucket. */
static uint64_t hist_top_of(unsigned int bucket)
{
	unsigned int doubling = bucket / HIST_STEPS, step = bucket % HIST_STEPS;

	if (doubling == 0)
		return step;
	return ((uint64_t)(HIST_STEPS + step + 1) << (doubling - 1)) - 1;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->min = h->n == 0 || value < h->min ? value : h->min;
	h->max = value > h->max ? value : h->max;
	h->n++;
	h->at[hist_bucket_of(value)]++;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	double exact = percent / 100 * (double)h->n;
	uint64_t want = (uint64_t)exact, seen = 0;

	if (h->n == 0)
		return 0;
	want += (double)want < exact || want == 0; /* rounded up, at least the first */
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->at[i];
		if (seen >= want && seen > 0)
			return i == HIST_BUCKETS - 1 || hist_top_of(i) > h->max ? h->max
										: hist_top_of(i);
	}
	return h->max;
}
