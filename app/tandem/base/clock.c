/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include <rte_cycles.h>

#include "base/clock.h"

static uint64_t clock_tsc_ticks(void)
{
	return rte_rdtsc();
}

static uint64_t clock_tsc_hz(void)
{
	return rte_get_tsc_hz();
}

static int64_t clock_tsc_wall_us(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * (int64_t)USEC_PER_SEC + wall.tv_nsec / 1000;
}

const struct clock_ops clock_tsc = { clock_tsc_ticks, clock_tsc_hz, clock_tsc_wall_us };

const struct clock_ops *clock_ops = &clock_tsc;
uint64_t clock_hz = 1; /* never 0: a log line of an early error may ask for the time */
uint64_t clock_us_per_tick;

void clock_init(const struct clock_ops *ops)
{
	clock_ops = ops;
	clock_hz = ops->hz();
	/* Upwards: a whole microsecond stays one. */
	clock_us_per_tick = ((USEC_PER_SEC << CLOCK_SHIFT) + clock_hz - 1) / clock_hz;
}
