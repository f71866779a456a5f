/* SPDX-License-Identifier: BSD-3-Clause */
/* clock: microseconds of a counter that is one for all cores, the time of day, and pair time, which
 * both chassis of a pair count alike. Any core; nothing blocks. */
#ifndef TANDEM_BASE_CLOCK_H
#define TANDEM_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/usec.h"

/* Where the time comes from. Any core calls these. A burst of packets asks for the time once. */
struct clock_ops {
	uint64_t (*ticks)(void);  /* of the counter, which never goes back */
	uint64_t (*hz)(void);     /* its ticks in a second, constant */
	int64_t (*wall_us)(void); /* us since 1970, UTC */
};

/* The TSC, which is invariant on every CPU that DPDK supports well, and the kernel's time of
 * day. */
extern const struct clock_ops clock_tsc;

/* What clock_init() chose, clock_tsc before; its hz(), and microseconds a tick as a fixed-point
 * number with CLOCK_SHIFT binary digits. Written before any core runs. */
extern const struct clock_ops *clock_ops;
extern uint64_t clock_hz, clock_us_per_tick;
enum { CLOCK_SHIFT = 44 };

/* After rte_eal_init(), which measures the TSC, and before anybody asks for the time. `ops` is
 * constant from now on. */
void clock_init(const struct clock_ops *ops);

/* The counter itself: clock_hz ticks are a second. Each core asks once a turn or more, so that the
 * TSC is read in line; rte_rdtsc() would bring x86's intrinsics to whoever has this header. */
static inline uint64_t clock_ticks(void)
{
#ifdef __x86_64__
	if (clock_ops == &clock_tsc)
		return __builtin_ia32_rdtsc();
#endif
	return clock_ops->ticks();
}

/* Time since some moment before the process began: a multiplication, where divisions would cost
 * more than all else that a turn without work does. */
static inline usec_t clock_us(void)
{
	__extension__ unsigned __int128 ticks = clock_ticks();

	return (usec_t)(ticks * clock_us_per_tick >> CLOCK_SHIFT);
}

/* The time of day, us since 1970, UTC: to be shown, never to be counted on. */
static inline int64_t clock_wall_us(void)
{
	return clock_ops->wall_us();
}

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
