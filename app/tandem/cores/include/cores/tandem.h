/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem: the process: what the three kinds of core share, who writes each part, and how they reach
 * each other. Made by the control core at boot, constant afterwards except where a field says
 * otherwise. */
#ifndef TANDEM_TANDEM_H
#define TANDEM_TANDEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>
#include <rte_log.h>

#include "config/config.h"
#include "worker/fastpath.h"
#include "net/fib.h"
#include "repl/flow.h"
#include "cores/msg.h"
#include "net/net.h"
#include "pool/pool.h"
#include "session/session.h"

extern int tandem_logtype;
#define LOG(level, fmt, ...)                                                                       \
	rte_log(RTE_LOG_##level, tandem_logtype, "tandem: " fmt "\n", ##__VA_ARGS__)

enum {
	TANDEM_WORKERS = FASTPATH_WORKERS,
	/* Idle ones. A core that spins on takes the CPU from others where they share it. */
	SLEEP_AFTER_TURNS = 20,
	SLEEP_US = 100,
	STALL_US = 2000
};

/* What every core shows the others. */
struct core_pulse {
	_Atomic usec_t tick;       /* w: that core, each turn. the watchdog reads it */
	_Atomic uint64_t turns;    /* w: that core, r: telemetry */
	_Atomic uint64_t busy;     /* turns that had something to do */
	_Atomic uint64_t stalls;   /* own loop did not run for more than STALL_US */
	_Atomic usec_t stalled_us; /* sum of those */
	/* end of the last stall that was longer than T.stale_us; 0: none */
	_Atomic usec_t woke;
} __rte_cache_aligned;

struct port {
	const struct config_port *conf;
	uint16_t id; /* DPDK port */
	uint16_t n_rxq, n_txq;
	unsigned int under_ifindex;
	struct rte_ether_addr mac;
	struct net_twin twin;
	bool started;
};

struct crypt;
struct worker;
struct replicator;
struct control;

struct tandem {
	const char *config_file;
	/*w: control; while the others run only what a reload changes, which control alone reads */
	struct config *conf;
	unsigned int n_ports;
	struct port port[CONFIG_PORTS];
	struct rte_mempool *mbufs, *indirect, *msgs, *stream_mbufs;
	struct session_table *table;
	struct pool_set *pools;
	struct fib *fib;
	struct fastpath_shared shared;
	unsigned int n_workers;
	unsigned int worker_lcore[TANDEM_WORKERS], repl_lcore;
	struct worker *worker[TANDEM_WORKERS];
	struct crypt *crypt; /* NULL: srp.insecure */
	struct replicator *repl;
	struct control *control;
	uint8_t side;
	uint32_t incarnation;
	/* doors; [w] by worker */
	struct door to_worker[TANDEM_WORKERS], from_worker[TANDEM_WORKERS];
	struct door to_repl, from_repl;
	struct door repl_to_worker[TANDEM_WORKERS];
	/* frames */
	struct rte_ring *punt;                       /* workers, replication core -> control */
	struct rte_ring *kernel_out[TANDEM_WORKERS]; /* control -> worker: m->port says where to */
	struct rte_ring *kernel_repl;                /* control -> replication core */
	struct rte_ring *handover[TANDEM_WORKERS];
	/*worker -> replication core: finished packets, one FIFO */
	struct rte_ring *stream_out[TANDEM_WORKERS];
	struct core_pulse pulse_control, pulse_repl, pulse_worker[TANDEM_WORKERS];
	struct flow_limits flow;        /* w: replication core: how full stream_out may be */
	_Atomic int64_t pair_offset_ms; /* w: control. pair time = clock + this */
	struct msg *index_open;         /* replication core's: what the index is told next */
	_Atomic bool quit;              /* w: control */
	/* w: any (an index message found no room), r+cleared: control */
	_Atomic bool index_stale;
	uint64_t tsc_hz;
	/* who stood still for longer may have been replaced: what waited meanwhile is not served */
	usec_t stale_us;
};

extern struct tandem T; /* one process, one gateway */

/* Microseconds of the TSC: the same clock on all cores (it is invariant on every CPU that DPDK
 * supports well). */
static inline usec_t clock_us(void)
{
	uint64_t t = rte_rdtsc();

	return t / T.tsc_hz * USEC_PER_SEC + t % T.tsc_hz * USEC_PER_SEC / T.tsc_hz;
}

/* Begins a turn: the pulse, and the time that the own loop did not run (0 when it did). */
static inline usec_t pulse_turn(struct core_pulse *p, usec_t now)
{
	usec_t last = atomic_load_explicit(&p->tick, memory_order_relaxed), gap = now - last;

	atomic_store_explicit(&p->tick, now, memory_order_relaxed);
	atomic_store_explicit(&p->turns, atomic_load_explicit(&p->turns, memory_order_relaxed) + 1,
		memory_order_relaxed);
	if (last == 0 || now < last || gap <= STALL_US)
		return 0;
	atomic_store_explicit(&p->stalls,
		atomic_load_explicit(&p->stalls, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(&p->stalled_us,
		atomic_load_explicit(&p->stalled_us, memory_order_relaxed) + gap,
		memory_order_relaxed);
	if (gap > T.stale_us)
		atomic_store_explicit(&p->woke, now, memory_order_relaxed);
	return gap;
}

/* Whether the peer may have taken over during our own gap: only if the core that speaks to it stood
 * still as well. */
static inline bool chassis_stood_still(usec_t now, usec_t gap)
{
	usec_t tick = atomic_load_explicit(&T.pulse_repl.tick, memory_order_relaxed);
	usec_t woke = atomic_load_explicit(&T.pulse_repl.woke, memory_order_relaxed);

	if (gap <= T.stale_us)
		return false;
	return (tick < now && now - tick > T.stale_us) || (woke != 0 && woke + gap >= now);
}

/* End of a turn: counts it, and sleeps when the configuration lets lcores share CPUs and nothing
 * happened for long. */
void pulse_rest(struct core_pulse *p, bool busy, unsigned int *idle);

/* Aborts the process when control or a worker has not turned for a second: that is the switchover
 * (DESIGN.md section 5). Called by the replication core; control calls watchdog_repl. */
void watchdog_others(usec_t now);
void watchdog_repl(usec_t now);

/* session_hooks.index: a door message to control from whichever core writes. The replication core's
 * are collected: index_flush() sends what there is, at the end of its turn and before anything that
 * control must not hear first. */
void index_notify(void *ctx, uint64_t key, uint32_t handle, bool live);
void index_flush(void);

/* worker.c */
struct worker *worker_create(unsigned int number);
void worker_destroy(struct worker *w);
int worker_run(void *worker); /* lcore function: turns until told to quit */
const struct fastpath_counters *worker_fastpath_count(const struct worker *w);

/* replicator.c */
struct replicator *replicator_create(void);
void replicator_destroy(struct replicator *r);
int replicator_run(void *replicator); /* lcore function: turns until told to quit */

/* control.c */
struct control *control_create(void);
void control_destroy(struct control *c);
void control_turn(struct control *c); /* one turn; waits in it for 1 ms at most */
int control_run(struct control *c);   /* turns until told to stop; 0 or -errno */

/* control_reload.c: a word of log.level as rte_log has it */
uint32_t log_level(const char *name);

/* lcores.c: which lcore does what. -EINVAL: too few, or not those that the configuration names */
int lcores_choose(void);

/* ports.c */
int ports_open(void);
void ports_close(void);

#endif
