/* SPDX-License-Identifier: BSD-3-Clause */
/* worker: one poll-mode core: user packets, its shards' sessions, their deltas. The only writer of
 * its shards while the chassis is active. Never locks, allocates, logs or calls the kernel (but for
 * the rest of idle = "sleep"). */
#ifndef TANDEM_WORKER_H
#define TANDEM_WORKER_H

#include "base/clock.h"
#include "base/pulse.h"
#include "config/config.h"
#include "cores/from_worker.h"
#include "cores/repl_to_worker.h"
#include "cores/role.h"
#include "cores/settings.h"
#include "cores/to_worker.h"
#include "worker/fastpath.h"
#include "worker/sync.h"

enum {
	WORKER_PURGES = 64,
	WORKER_GONE = 64,
	WORKER_KEPT = 256,
	WORKER_SWEEP = 64,
	WORKER_SWEEP_FAST = 512,
	WORKER_ENDED = 2048
};

// clang-format off
#define WORKER_COUNTERS(X) \
	X(creates) X(creates_no_address) X(creates_no_slot) X(updates) X(deletes) \
	X(stale_handles) X(refused_term) \
	X(ended_idle) X(ended_session_timeout) X(ended_sgsn_restart) X(ended_error_indication) \
	X(sweeps) \
	X(stale_frames) X(late_usage_applied) X(late_usage_refused) X(msgs) X(msg_no_room) \
	X(msg_unknown)
// clang-format on
COUNTERS_DEFINE(worker_counters, WORKER_COUNTERS);

/* A pass over all own slots: timeouts always; SGSN restarts and dead peers when asked. */
struct sweep {
	uint32_t shard, slot; /* where the next piece begins; shard: index into own shards */
	usec_t next;
	/* asked for, taken up when the next pass begins; in force during this pass */
	unsigned int n_asked_purges, n_asked_gone, n_purges, n_gone;
	struct {
		uint32_t addr4;
		uint8_t recovery;
	} asked_purge[WORKER_PURGES], purge[WORKER_PURGES];
	struct {
		uint32_t addr4, teid;
	} asked_gone[WORKER_GONE], gone[WORKER_GONE];
};

/* What a worker is given. It is copied, and what it points at outlives the worker. */
struct worker_env {
	unsigned int number, n_workers;
	struct settings_board *settings; /* live; this worker is core `number` of it */
	usec_t checkpoint_us;            /* srp.micro-checkpoint-interval, at start */
	struct fastpath_shared *shared; /* the table, the pools, the routes, who owns which shard */
	const struct role *role;        /* until when this chassis may serve */
	uint32_t incarnation;           /* of this process */
	uint16_t ports[CONFIG_PORTS];   /* DPDK ports of user traffic, which it polls */
	unsigned int n_ports;
	uint16_t stream_mtu; /* of the replication port */
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

struct metrics;

struct worker {
	struct fastpath fp;
	struct sync sync;
	uint8_t number;
	uint16_t queue;
	unsigned int n_shards, next_shard;
	uint8_t shards[SESSION_SHARDS];
	repl_term_t term, late_term; /* late_term: of which our late usage goes out */
	uint32_t late_slots;         /* of an unplanned demotion: still to be looked at for usage */
	bool late_asked, late_pending;
	uint32_t late_mark;
	uint64_t late_cookie;
	usec_t late_since; /* when the peer took over */
	/* The peer's late usage that came while we hand over: it is ours to write again if that
	 * comes to nothing. */
	struct {
		uint32_t handle;
		struct session_usage usage;
	} kept[WORKER_KEPT];
	unsigned int n_kept;
	uint32_t idle_base_s;
	usec_t ei_from; /* Error Indications are allowed from then on */
	usec_t now;     /* of this turn */
	usec_t next_second;
	struct sweep sweep;
	struct worker_counters count; /* r: telemetry */
	struct worker_env env;
};

/* Control core, before the cores run and after; NULL: there is no memory. */
struct worker *worker_create(const struct worker_env *env);
void worker_destroy(struct worker *w);
int worker_run(void *worker); /* lcore function: turns until told to quit */
const struct fastpath_counters *worker_fastpath_count(const struct worker *w);
/* Registers the worker's counters, groups "fastpath/N", "worker/N" and "sync/N" of worker N. They
 * must be unregistered before it is destroyed. 0 or -errno. Control core. */
int worker_metrics_register(struct metrics *m, const struct worker *w);

/* What the worker does with each message. */
extern const struct to_worker_handlers worker_of_control;
extern const struct repl_to_worker_handlers worker_of_replicator;

/* One turn of the worker's loop; whether there was something to do. */
bool worker_turn(struct worker *w);

/* worker_session.c: requests of control, and sessions that end by themselves. */
void worker_create_session(void *worker, struct to_worker_create *m);
void worker_update_session(void *worker, struct to_worker_update *m);
void worker_delete_session(void *worker, struct to_worker_delete *m);
bool worker_sweep(struct worker *w, usec_t now);
void worker_sweep_purge(void *worker, struct to_worker_purge *m);
void worker_sweep_gone(void *worker, struct to_worker_peer_gone *m);

#endif
