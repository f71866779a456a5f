/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "base/clock.h"

uint64_t clock_hz = 1; /* never 0: a log line of an early error may ask for the time */

void clock_init(void)
{
	clock_hz = rte_get_tsc_hz();
}

int64_t clock_wall_us(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * (int64_t)USEC_PER_SEC + wall.tv_nsec / 1000;
}
