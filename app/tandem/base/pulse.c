/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <time.h>

#include <rte_pause.h>

#include "base/log.h"
#include "base/pulse.h"

enum { DIGITS = 21 };

void pulse_rest(struct core_pulse *p, bool busy, unsigned int *idle)
{
	static const struct timespec nap = { 0, SLEEP_US * 1000 };

	if (busy) {
		*idle = 0;
		atomic_store_explicit(&p->busy,
			atomic_load_explicit(&p->busy, memory_order_relaxed) + 1,
			memory_order_relaxed);
		return;
	}
	if (!p->may_sleep) {
		rte_pause();
		return;
	}
	if (++*idle > SLEEP_AFTER_TURNS)
		nanosleep(&nap, NULL);
	else
		rte_pause();
}

/* Decimal, without stdio. */
static const char *pulse_number(uint64_t n, char to[DIGITS])
{
	char *at = to + DIGITS - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	return at;
}

void pulse_watch(struct pulse_seen *s, const struct core_pulse *own, const struct core_pulse *p,
	const char *core, usec_t patience, usec_t now)
{
	usec_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
	usec_t stalled = atomic_load_explicit(&own->stalled_us, memory_order_relaxed);
	char ms[DIGITS];

	if (tick != s->tick) {
		*s = (struct pulse_seen){ tick, stalled };
		return;
	}
	if (tick == 0 || now < tick || now - tick < patience + (stalled - s->stalled))
		return;
	log_last((const char *const[]){ "base: the ", core, " core has not turned for ",
			 pulse_number((now - tick) / USEC_PER_MSEC, ms),
			 " ms: aborting, the peer is the remedy" },
		5);
	abort();
}
