/* SPDX-License-Identifier: BSD-3-Clause */
/* hist: a histogram of times from 1 us to 19 hours in which each value is kept to within 1/64 of
 * itself: exact below 64, then 64 steps for every doubling. Constant memory, no allocation; the
 * caller owns it. One thread. */
#ifndef TANDEM_LOAD_HIST_H
#define TANDEM_LOAD_HIST_H

#include <stdint.h>

enum {
	HIST_BITS = 6,
	HIST_STEPS = 1 << HIST_BITS,
	HIST_DOUBLINGS = 30,
	HIST_BUCKETS = (HIST_DOUBLINGS + 1) * HIST_STEPS
};

struct hist {
	uint64_t n, min, max; /* min, max: exact, of what was added */
	uint64_t at[HIST_BUCKETS];
};

/* Values above the range count as its end (max stays exact). A zeroed histogram is empty. */
void hist_add(struct hist *h, uint64_t value);
/* The smallest value that is not less than `percent` (0..100) of all that were added: the upper end
 * of its step, but no more than max; 0 when empty. */
uint64_t hist_percentile(const struct hist *h, double percent);

#endif
