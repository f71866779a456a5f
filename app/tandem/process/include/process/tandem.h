/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem: a chassis: what the three kinds of core share, who writes each part, and how they reach
 * each other. Made by the control core at boot, constant afterwards except where a field says
 * otherwise. A process may hold several: nothing of a chassis stands outside of it. The control
 * core alone calls these functions; those that make and end something wait for the EAL, and
 * control_turn() and control_run() as they say. */
#ifndef TANDEM_PROCESS_TANDEM_H
#define TANDEM_PROCESS_TANDEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pulse.h"
#include "common/mac.h"
#include "config/config.h"
#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "cores/repl_to_worker.h"
#include "cores/role.h"
#include "cores/session_event.h"
#include "cores/settings.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "net/fib.h"
#include "net/net.h"
#include "pool/pool.h"
#include "process/random.h"
#include "repl/flow.h"
#include "session/session.h"
#include "worker/shared.h"

enum { TANDEM_WORKERS = WORKER_MOST };

struct port {
	const struct config_port *conf;
	uint16_t id; /* DPDK port */
	uint16_t n_rxq, n_txq;
	unsigned int under_ifindex;
	struct mac_addr mac;
	struct net_twin twin;
	bool started;
};

struct transport;
struct twin_frames;

/* What the replication core has to do with the world; it alone uses what stands here, but for one
 * end of the ring. */
struct repl_port {
	struct transport *transport; /* of the stream */
	struct twin_frames *twin;    /* the kernel's frames on the replication port */
	struct rte_ring *kernel_out; /* of these, control -> replication core */
};

struct crypt;
struct worker;
struct replicator;
struct control;

struct tandem {
	const char *config_file;
	/* of this chassis among those of the process, from 0: a part of all names that the EAL
	 * knows */
	unsigned int number;
	/* w: control; while the others run only what a reload changes, which control alone reads */
	struct config *conf;
	struct settings_board *settings;
	unsigned int n_ports;
	struct port port[CONFIG_PORTS];
	struct rte_mempool *mbufs, *msgs, *stream_mbufs;
	struct session_table *table;
	struct pool_set *pools;
	struct fib *fib;
	struct worker_shared shared;
	unsigned int n_workers;
	unsigned int worker_lcore[TANDEM_WORKERS], repl_lcore;
	struct worker *worker[TANDEM_WORKERS];
	struct crypt *crypt; /* NULL: srp.insecure */
	struct replicator *repl;
	struct control *control;
	uint8_t side;
	struct tandem_random random;
	/* doors; [w] by worker */
	struct to_worker_door to_worker[TANDEM_WORKERS];
	struct from_worker_door from_worker[TANDEM_WORKERS];
	struct to_replicator_door to_repl;
	struct from_replicator_door from_repl;
	struct repl_to_worker_door repl_to_worker[TANDEM_WORKERS];
	struct session_events events;
	struct role role; /* w: switchover */
	/* frames */
	struct rte_ring *punt;                       /* workers, replication core -> control */
	struct rte_ring *kernel_out[TANDEM_WORKERS]; /* control -> worker: m->port says where to */
	struct rte_ring *handover[TANDEM_WORKERS];
	struct repl_port repl_port;
	/* worker -> replication core: finished packets, one FIFO */
	struct rte_ring *stream_out[TANDEM_WORKERS];
	struct core_pulse pulse_control, pulse_repl, pulse_worker[TANDEM_WORKERS];
	struct flow_limits flow;    /* w: replication core: how full stream_out may be */
	struct pair_time pair_time; /* w: control */
	_Atomic bool quit;          /* w: control */
};

/* As each core's pulse_init(); before the cores run. */
static inline void tandem_pulses_init(struct tandem *t, usec_t stale_us, bool may_sleep)
{
	pulse_init(&t->pulse_control, stale_us, may_sleep);
	pulse_init(&t->pulse_repl, stale_us, may_sleep);
	for (unsigned int i = 0; i < TANDEM_WORKERS; i++)
		pulse_init(&t->pulse_worker[i], stale_us, may_sleep);
}

/* Whether the peer may have taken over during the caller's own gap: only if the core that speaks to
 * it stood still as well. */
static inline bool chassis_stood_still(const struct tandem *t, usec_t now, usec_t gap)
{
	return pulse_stood_still(&t->pulse_repl, now, gap);
}

/* Control watches the replication core, which watches the others: a core that does not turn for too
 * long is the end of the process. */
static inline void watchdog_repl(struct tandem *t, struct pulse_seen *seen, usec_t now)
{
	pulse_watch(seen, &t->pulse_control, &t->pulse_repl, "replication", PULSE_PATIENCE_US, now);
}

/* control.c. Makes the control core of t, whose other cores are there. NULL: it failed, which is
 * logged. */
struct control *control_create(struct tandem *t);
/* Ends what the control core holds, after its last turn. */
void control_destroy(struct control *c);
/* Turns until a signal ends it. 0 or -errno. */
int control_run(struct control *c);
/* turn.c: one turn; waits in it for 1 ms at most. */
void control_turn(struct control *c);

/* lcores.c: which lcore does what. -EINVAL: too few, or not those that the configuration names */
int lcores_choose(struct tandem *t);

/* ports.c. Starts the devices of all ports and makes their twins. 0 or -errno, which is logged. */
int ports_open(struct tandem *t);
/* Removes the twins and closes the devices, after a failure of ports_open() too. */
void ports_close(struct tandem *t);

#endif
