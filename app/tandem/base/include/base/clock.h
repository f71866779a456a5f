/* SPDX-License-Identifier: BSD-3-Clause */
/* clock: microseconds of the TSC, which is one clock for all cores (it is invariant on every CPU
 * that DPDK supports well), and pair time, which both chassis of a pair count alike. Any core;
 * nothing blocks. */
#ifndef TANDEM_BASE_CLOCK_H
#define TANDEM_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include <rte_cycles.h>

#include "common/usec.h"

/* Ticks of the TSC in a second. clock_init() writes it, before any core runs. */
extern uint64_t clock_hz;

/* After rte_eal_init(), which measures the TSC, and before anybody asks for the time. */
void clock_init(void);

/* Time since some moment before the process began. */
static inline usec_t clock_us(void)
{
	uint64_t t = rte_rdtsc();

	return t / clock_hz * USEC_PER_SEC + t % clock_hz * USEC_PER_SEC / clock_hz;
}

/* The time of day, us since 1970, UTC: to be shown, never to be counted on. */
int64_t clock_wall_us(void);

/* Pair time is the Active's clock; a chassis that becomes Active counts on from it. The control
 * core writes, any core reads. */
struct pair_time {
	_Atomic int64_t offset_ms; /* pair time is the own clock plus this */
};

/* Pair time was `pair_ms` when the own clock was `at`. */
static inline void pair_time_set(struct pair_time *p, uint64_t pair_ms, usec_t at)
{
	atomic_store(&p->offset_ms, (int64_t)pair_ms - (int64_t)(at / USEC_PER_MSEC));
}

static inline uint64_t pair_time_ms(const struct pair_time *p, usec_t now)
{
	return now / USEC_PER_MSEC +
	       (uint64_t)atomic_load_explicit(&p->offset_ms, memory_order_relaxed);
}

static inline int64_t pair_time_offset_us(const struct pair_time *p)
{
	return atomic_load(&p->offset_ms) * (int64_t)USEC_PER_MSEC;
}

#endif
