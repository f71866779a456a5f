/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_pause.h>

#include "cores/tandem.h"

enum { WATCHDOG_US = 1000000 };

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
	if (!T.conf->idle_sleep) {
		rte_pause();
		return;
	}
	if (++*idle > SLEEP_AFTER_TURNS)
		nanosleep(&nap, NULL);
	else
		rte_pause();
}

static void check(const struct core_pulse *p, const char *name, usec_t now)
{
	usec_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);

	if (tick == 0 || now < tick || now - tick < WATCHDOG_US)
		return;
	LOG(CRIT, "the %s core has not turned for %lu ms: aborting, the peer is the remedy", name,
		(unsigned long)((now - tick) / USEC_PER_MSEC));
	abort();
}

void watchdog_others(usec_t now)
{
	check(&T.pulse_control, "control", now);
	for (unsigned int i = 0; i < T.n_workers; i++)
		check(&T.pulse_worker[i], "worker", now);
}

void watchdog_repl(usec_t now)
{
	check(&T.pulse_repl, "replication", now);
}
