/* SPDX-License-Identifier: BSD-3-Clause */
/* replicator: the replication core: numbers, sends, acknowledges and applies the stream; the only
 * writer of the slots while the chassis is standby. A running one never blocks and never calls the
 * kernel (but for the rest of idle = "sleep").
 *
 * replicator_run() and replicator_turn() belong to the replication core. The control core calls all
 * the others: it makes and destroys the object while that core does not run, which may wait for a
 * lock of the EAL, and reads and sets the rest at any time, without waiting. */
#ifndef TANDEM_REPLICATOR_H
#define TANDEM_REPLICATOR_H

#include "base/pulse.h"
#include "cores/from_replicator.h"
#include "cores/session_batch.h"
#include "cores/repl_to_worker.h"
#include "cores/settings.h"
#include "cores/to_replicator.h"
#include "repl/audit.h"
#include "repl/flow.h"
#include "repl/keys.h"
#include "repl/repl.h"
#include "replicator/counters.h"
#include "replicator/crypt.h"
#include "session/session.h"

struct metrics;
struct rte_mempool;
struct rte_ring;
struct transport;
struct twin_frames;

/* What control and telemetry may read; w: replication core. */
struct replicator_view {
	_Atomic usec_t heard; /* USEC_NEVER: never */
	/* receiving: as standby, a stream of the peer */
	_Atomic bool hears_us, stream_on, joined, receiving;
	_Atomic uint32_t unacked, peer_incarnation, unmatched, buckets;
	_Atomic uint64_t last_number, applied;
	/* The Standby's own, and on the Active what the Standby reported; pair time, 0: never. */
	_Atomic uint64_t in_sync_since_ms;
	_Atomic usec_t status_heard, in_sync_since; /* in_sync_since: own clock, standby only */
	_Atomic usec_t srtt, oldest_unacked;
	_Atomic uint32_t peer_buckets, peer_unmatched;
	/* of the standby's pass (audit_pass); as active: as it said last */
	_Atomic uint32_t left, differing;
	_Atomic usec_t pass_began, pass_ended; /* own clock; USEC_NEVER */
	/* last packet of the peer's address that could not be opened; 0 never */
	_Atomic usec_t unopened;
	/* the crypto device is gone: nothing is sent or taken any more */
	_Atomic bool crypt_failed;
	_Atomic uint32_t rate_mbps;                    /* that it keeps to; 0: no limit */
	_Atomic uint32_t key_id, key_phase, keys_live; /* that seal; how many open */
};

/* Of the configuration, what a restart alone changes. What a reload changes, the replication core
 * takes from the newest snapshot (cores/settings.h). */
struct replicator_start {
	bool insecure; /* srp.insecure: plain text */
	bool realtime; /* SCHED_FIFO for the core */
};

/* What a reload changes, and the control core reads. */
struct replicator_live {
	usec_t audit_us;   /* that one pass of the audit takes */
	usec_t present_us; /* after so long a silence the peer is not there */
	usec_t life_us;    /* a heartbeat that was delayed by more is no sign of life */
	usec_t heartbeat_us;
};

/* What the replication core is given. It is copied, and what it points at outlives the object. */
struct replicator_env {
	struct replicator_start start;
	struct replicator_live live;
	struct settings_board *settings; /* live; the replication core is core n_workers of it */
	struct session_table *table;
	const uint8_t *worker_of_shard;
	unsigned int n_workers;
	struct crypt *crypt; /* NULL: srp.insecure */
	uint8_t side;
	uint32_t incarnation;        /* of this process */
	struct transport *transport; /* what carries the stream */
	struct twin_frames *twin;    /* the kernel's frames on the replication port */
	/* The doors, and the reports to the index. */
	const struct to_replicator_door *orders;
	const struct from_replicator_door *reports;
	const struct repl_to_worker_door *to_worker; /* n_workers of them */
	struct rte_mempool *msgs;
	struct session_batch *batch;
	/* packets of the workers, the buffers of all packets, and how many may wait: it writes that
	 */
	struct rte_ring *const *stream_out;
	struct rte_mempool *stream_mbufs;
	struct flow_limits *flow;
	struct core_pulse *pulse;
	/* of the cores that it watches; n_workers of the second */
	const struct core_pulse *pulse_of_control, *pulse_of_worker;
	const struct pair_time *pair_time;
	const _Atomic bool *quit; /* ends replicator_run() */
};

/* Makes the replication core; control core, before the cores run. NULL: there is no memory, or no
 * cipher. */
struct replicator *replicator_create(const struct replicator_env *env);
/* Frees it; control core, after the cores have ended. */
void replicator_destroy(struct replicator *r);
/* The lcore function of the replication core. It turns until it is ordered to quit. */
int replicator_run(void *replicator);
/* One turn of the replication core's loop; whether there was something to do. */
bool replicator_turn(struct replicator *r);

/* A reload: what control reads of it from now on. Control core. */
void replicator_reconfigure(struct replicator *r, const struct replicator_live *live, usec_t now);
/* The audit interval by which matches are judged: for a while after a reload, the longer of the
 * two. Control core. */
usec_t replicator_audit_interval(const struct replicator *r, usec_t now);
const struct replicator_view *replicator_view(const struct replicator *r);
const struct repl_counters *replicator_stream_count(const struct replicator *r);
const struct audit_counters *replicator_audit_count(const struct replicator *r);
const struct replicator_counters *replicator_count(const struct replicator *r);
/* Of the transport and of the kernel's frames, summed up. */
void replicator_port_count(const struct replicator *r, struct replicator_port_counters *sum);
/* What became of the records of the own stream. Any core: the numbers are not of one moment while
 * the replication core runs. */
void replicator_records(const struct replicator *r, struct repl_sent_records *s);
/* What became of the records of the peer's stream. Any core, as above. */
const struct repl_received *replicator_received(const struct replicator *r);
const struct keys_counters *replicator_keys_count(const struct replicator *r);
/* NULL in plain text. */
const struct crypt_counters *replicator_crypt_count(const struct replicator *r);
/* Registers the counters and gauges of the room, and what was applied to the table. They must be
 * unregistered before it is destroyed. 0 or -errno. Control core. */
int replicator_metrics_register(struct metrics *m, struct replicator *r);
extern const struct metrics_room replicator_metrics; /* all of them */
/* w: control: where the peer's replication address is (adjacency index of the fib), for the
 * transport. */
void replicator_peer(struct replicator *r, uint16_t adjacency);
/* w: control: these times of struct replicator_live as the pair judges the peer by them now, which
 * is not by the newest file alone (lib/srp/README.md section 8). */
void replicator_peer_times(
	struct replicator *r, usec_t present_us, usec_t life_us, usec_t heartbeat_us);
/* w: control: whether the peer says that it is Standby. */
void replicator_peer_applies(struct replicator *r, bool applies);
/* w: control: what must agree does not, by the peer's last hello: nothing is streamed to it, and a
 * running stream stops. */
void replicator_peer_differs(struct replicator *r, bool differs);
/* w: control: the version of the stream that both speak. */
void replicator_peer_version(struct replicator *r, uint8_t version);

#endif
