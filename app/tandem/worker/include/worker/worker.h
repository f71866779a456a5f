/* SPDX-License-Identifier: BSD-3-Clause */
/* worker: one poll-mode core: user packets, its shards' sessions, their deltas. The only writer of
 * its shards while the chassis is active. A running worker never locks, allocates, logs or calls
 * the kernel, but for the rest of idle = "sleep".
 *
 * worker_run() and worker_turn() belong to the worker's own core. The control core calls all the
 * others: it makes and destroys workers while their cores do not run (this takes memory, and may
 * wait for a lock of the EAL), and asks them while they run. Nothing else blocks. */
#ifndef TANDEM_WORKER_H
#define TANDEM_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/usec.h"
#include "config/items.h"
#include "worker/shared.h"

struct core_pulse;
struct flow_limits;
struct from_worker_door;
struct metrics;
struct pair_time;
struct repl_to_worker_door;
struct role;
struct rte_mempool;
struct rte_ring;
struct settings_board;
struct siphash_secret;
struct to_worker_door;
struct worker;

/* What a worker is given. It is copied, and what it points at outlives the worker. */
struct worker_env {
	unsigned int number, n_workers;
	struct settings_board *settings; /* live; this worker is core `number` of it */
	struct worker_shared *shared; /* the table, the pools, the routes, who owns which shard */
	const struct role *role;      /* until when this chassis may serve */
	/* of this process: of hashes whose keys strangers choose, and of its TEIDs */
	const struct siphash_secret *secret, *generations;
	uint16_t ports[CONFIG_PORTS]; /* DPDK ports of user traffic, which it polls */
	unsigned int n_ports;
	uint16_t stream_packet; /* bytes of a packet of the stream at most, its tag included */
	/* doors */
	const struct to_worker_door *orders;
	const struct from_worker_door *reports;
	const struct repl_to_worker_door *stream_news;
	struct rte_mempool *msgs;
	/* frames: to control; of control's, with m->port to say where to; to each worker */
	struct rte_ring *punt, *kernel_out;
	struct rte_ring *const *handover; /* n_workers of them, its own to read from */
	/* packets to the replication core, their buffers, and how many may wait */
	struct rte_ring *stream_out;
	struct rte_mempool *stream_mbufs;
	const struct flow_limits *flow;
	struct core_pulse *pulse;
	const struct core_pulse *pulse_of_replicator; /* whether the chassis stood still */
	const struct pair_time *pair_time;
	const _Atomic bool *quit; /* ends worker_run() */
};

/* Makes a worker, before the cores run. NULL: there is no memory. */
struct worker *worker_create(const struct worker_env *env);
/* Frees a worker, after its core has ended. NULL is allowed. */
void worker_destroy(struct worker *w);
/* Registers the worker's counters, groups "fastpath/N", "worker/N" and "sync/N" of worker N. They
 * must be unregistered before it is destroyed. 0 or -errno. */
int worker_metrics_register(struct metrics *m, const struct worker *w);
extern const struct metrics_room worker_metrics; /* all of them */
/* How many shards are this worker's while the chassis is active. */
unsigned int worker_shards(const struct worker *w);
/* Takes the destination for which a packet found no resolved next hop: true, and the DPDK port and
 * the IPv4 address (host order) of it; false: there is none. */
bool worker_unresolved(struct worker *w, uint16_t *port, uint32_t *dst4);

/* The lcore function of the worker's core. It turns until it is ordered to quit. */
int worker_run(void *worker);
/* One turn, on the worker's core. It returns whether there was something to do. */
bool worker_turn(struct worker *w);

#endif
