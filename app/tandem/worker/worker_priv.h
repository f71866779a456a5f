/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share: a worker. Its own core alone writes it while it runs; what
 * others read says so. Nothing here blocks. */
#ifndef TANDEM_WORKER_PRIV_H
#define TANDEM_WORKER_PRIV_H

#include "base/clock.h"
#include "base/pulse.h"
#include "cores/from_worker.h"
#include "cores/repl_to_worker.h"
#include "cores/role.h"
#include "cores/settings.h"
#include "cores/to_worker.h"
#include "fastpath.h"
#include "pdp/lists.h"
#include "sync.h"
#include "worker/worker.h"

enum {
	WORKER_GONE = 64,
	WORKER_KEPT = 256,
	WORKER_SWEEP = 64,
	WORKER_SWEEP_FAST = 512,
};

// clang-format off
#define WORKER_COUNTERS(X) \
	X(creates, COUNTER, "sessions", \
		"Sessions were created.") \
	X(creates_no_address, COUNTER, "requests", \
		"Requests to create a session were refused because the pool had no free address " \
		"here.") \
	X(creates_no_slot, COUNTER, "requests", \
		"Requests to create a session were refused because the worker had no free slot.") \
	X(requests_no_annex, COUNTER, "requests", \
		"Requests to create or change a session were refused because they bring more " \
		"than the table's annexes hold.") \
	X(updates, COUNTER, "updates", \
		"Changes of sessions, as an SGSN asked for them, were made.") \
	X(deletes, COUNTER, "sessions", \
		"Sessions were deleted because an SGSN asked for it.") \
	X(stale_handles, COUNTER, "requests", \
		"Requests to change or delete a session were refused because it is gone.") \
	X(refused_term, COUNTER, "messages", \
		"Messages were refused because they belong to another term, or this chassis " \
		"owns no sessions.") \
	X(ended_idle, COUNTER, "sessions", \
		"Sessions were ended because the idle timeout ran out.") \
	X(ended_session_timeout, COUNTER, "sessions", \
		"Sessions were ended because the session timeout ran out.") \
	X(ended_sgsn_restart, COUNTER, "sessions", \
		"Sessions were ended because their SGSN restarted.") \
	X(ended_error_indication, COUNTER, "sessions", \
		"Sessions were ended because the SGSN sent an Error Indication for their " \
		"tunnel.") \
	X(sweeps, COUNTER, "passes", \
		"Passes over all slots of the worker ended; they look for timeouts and for " \
		"SGSNs that restarted.") \
	X(stale_frames, COUNTER, "packets", \
		"Packets were dropped because they had waited while the worker stood still.") \
	X(late_usage_applied, COUNTER, "records", \
		"Records of the peer's late usage were applied to sessions.") \
	X(late_usage_refused, COUNTER, "records", \
		"Records of the peer's late usage were refused: the session is gone or not " \
		"owned, or none can be kept.") \
	X(restarts_full, COUNTER, "events", \
		"An SGSN restarted, and its sessions go on because too many others restarted at " \
		"that time.") \
	X(restarts_collided, COUNTER, "events", \
		"The end of the sessions of an SGSN that restarted was put off because too many " \
		"met in one bucket.") \
	X(msgs, COUNTER, "messages", \
		"Messages of the control core and of the replication core were handled.") \
	X(msg_no_room, COUNTER, "messages", \
		"Messages to the control core could not be sent because there was no room or no " \
		"memory.") \
	X(msg_unknown, COUNTER, "messages", \
		"Messages of other cores were ignored because their type is not known.")
// clang-format on
COUNTERS_DEFINE(worker_counters, WORKER_COUNTERS);

/* A pass over all own slots: timeouts always; SGSN restarts and dead peers when asked. */
struct sweep {
	uint32_t shard, slot; /* where the next piece begins; shard: index into own shards */
	usec_t next;
	struct pdp_purge purge; /* SGSNs that restarted */
	/* asked for, taken up when the next pass begins; in force during this pass */
	unsigned int n_asked_gone, n_gone;
	struct {
		uint32_t addr4, teid;
	} asked_gone[WORKER_GONE], gone[WORKER_GONE];
};

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

/* What the worker does with each message. */
extern const struct to_worker_handlers worker_of_control;
extern const struct repl_to_worker_handlers worker_of_replicator;

/* worker_session.c: requests of control, and sessions that end by themselves. */
void worker_create_session(void *worker, struct to_worker_create *m);
void worker_update_session(void *worker, struct to_worker_update *m);
void worker_delete_session(void *worker, struct to_worker_delete *m);
bool worker_sweep(struct worker *w, usec_t now);
void worker_sweep_purge(void *worker, struct to_worker_purge *m);
void worker_sweep_gone(void *worker, struct to_worker_peer_gone *m);

#endif
