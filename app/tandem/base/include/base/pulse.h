/* SPDX-License-Identifier: BSD-3-Clause */
/* pulse: what every core shows the others: that it turns, and how long it stood still. Each core
 * writes its own pulse; any core reads. Only pulse_rest() may sleep. */
#ifndef TANDEM_BASE_PULSE_H
#define TANDEM_BASE_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include <rte_common.h>

#include "common/usec.h"

enum {
	/* Idle ones. A core that spins on takes the CPU from others where they share it, and so
	 * does one that wakes up all the time: each nap is longer than the one before, up to a
	 * length at which a core hears of its first packet or message in good time. */
	SLEEP_AFTER_TURNS = 20,
	SLEEP_US = 100,
	SLEEP_MOST_US = 500,
	STALL_US = 2000,
	/* The watchdog's patience. Control asks the kernel, which answers late while others hold
	 * its locks (rtnetlink): more than a second was seen while routing daemons started. */
	PULSE_PATIENCE_US = 1000000,
	PULSE_PATIENCE_CONTROL_US = 3000000
};

struct core_pulse {
	_Atomic usec_t tick;    /* w: that core, each turn. The watchdog reads it. */
	_Atomic pid_t thread;   /* w: that core, at its first turn. For the watchdog. */
	_Atomic uint64_t turns; /* w: that core, r: telemetry */
	_Atomic uint64_t busy;  /* turns that had something to do */
	/* How often the core's own loop did not run for more than STALL_US, and the sum of those
	 * times. */
	_Atomic uint64_t stalls;
	_Atomic usec_t stalled_us;
	_Atomic usec_t woke; /* end of the last stall that was longer than stale_us; 0: none */
	/* w: control. A core that did not run for longer than stale_us may have
	 * lost the Active role: what was queued meanwhile is dropped. */
	_Atomic usec_t stale_us;
	bool may_sleep; /* idle = "sleep": lcores share CPUs */
} __rte_cache_aligned;

/* Prepares the pulse of a core before it runs. */
static inline void pulse_init(struct core_pulse *p, usec_t stale_us, bool may_sleep)
{
	atomic_store_explicit(&p->stale_us, stale_us, memory_order_relaxed);
	p->may_sleep = may_sleep;
}

/* A reload changes it while the core runs. Control core. */
static inline void pulse_stale_set(struct core_pulse *p, usec_t stale_us)
{
	if (atomic_load_explicit(&p->stale_us, memory_order_relaxed) != stale_us)
		atomic_store_explicit(&p->stale_us, stale_us, memory_order_relaxed);
}

static inline usec_t pulse_stale_us(const struct core_pulse *p)
{
	return atomic_load_explicit(&p->stale_us, memory_order_relaxed);
}

/* Begins a turn: returns the time that the core's own loop did not run, 0 when it did. */
static inline usec_t pulse_turn(struct core_pulse *p, usec_t now)
{
	usec_t last = atomic_load_explicit(&p->tick, memory_order_relaxed), gap = now - last;

	atomic_store_explicit(&p->tick, now, memory_order_relaxed);
	atomic_store_explicit(&p->turns, atomic_load_explicit(&p->turns, memory_order_relaxed) + 1,
		memory_order_relaxed);
	if (last == 0)
		atomic_store_explicit(&p->thread, gettid(), memory_order_relaxed);
	if (last == 0 || now < last || gap <= STALL_US)
		return 0;
	atomic_store_explicit(&p->stalls,
		atomic_load_explicit(&p->stalls, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(&p->stalled_us,
		atomic_load_explicit(&p->stalled_us, memory_order_relaxed) + gap,
		memory_order_relaxed);
	if (gap > pulse_stale_us(p))
		atomic_store_explicit(&p->woke, now, memory_order_relaxed);
	return gap;
}

/* Whether `p`'s core stood still, too, during the caller's own gap, which ends now: it does so yet,
 * or has just woken. */
static inline bool pulse_stood_still(const struct core_pulse *p, usec_t now, usec_t gap)
{
	usec_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
	usec_t woke = atomic_load_explicit(&p->woke, memory_order_relaxed);

	if (gap <= pulse_stale_us(p))
		return false;
	return (tick < now && now - tick > pulse_stale_us(p)) || (woke != 0 && woke + gap >= now);
}

/* Ends a turn: counts it, and sleeps when that is allowed and nothing happened for long. */
void pulse_rest(struct core_pulse *p, bool busy, unsigned int *idle);

/* What a watching core remembers of one that it watches; all zero at first. */
struct pulse_seen {
	usec_t tick;    /* its last turn that was seen */
	usec_t stalled; /* the sum of the watcher's own stalls then */
};

/* The watchdog, at each turn of the watching core, whose own pulse is `own`: aborts the process
 * when the other core has not turned for `patience` us, so that the standby takes over. The time in
 * which the watcher did not run itself does not count: the other may have stood still with it. What
 * is said last is where the other's thread stands: whether it waits for a CPU, or in which function
 * of the kernel it sleeps. Neither stdio nor any lock is needed for it. */
void pulse_watch(struct pulse_seen *s, const struct core_pulse *own, const struct core_pulse *p,
	const char *core, usec_t patience, usec_t now);

#endif
