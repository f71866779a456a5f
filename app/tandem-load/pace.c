/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock of a run, and how much of a steady pace is due. */
#include <time.h>

#include "load.h"

enum { DUE_MAX = 1 << 16, LATE_US = 100000 };

usec_t load_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (usec_t)t.tv_sec * USEC_PER_SEC + (usec_t)t.tv_nsec / 1000 + 1;
}

void pace_start(struct pace *p, uint32_t rate, usec_t now)
{
	*p = (struct pace){ .rate = rate, .since = now };
}

unsigned int pace_due(struct pace *p, usec_t now)
{
	uint64_t due;

	if (p->rate == 0)
		return DUE_MAX;
	due = (now - p->since) / USEC_PER_SEC * p->rate +
	      (now - p->since) % USEC_PER_SEC * p->rate / USEC_PER_SEC;
	/* cannot keep up */
	if (due > p->done + (uint64_t)p->rate * LATE_US / USEC_PER_SEC + DUE_MAX) {
		p->since = now;
		p->done = 0;
		return 1;
	}
	return due > p->done ? (unsigned int)(due - p->done) : 0;
}
