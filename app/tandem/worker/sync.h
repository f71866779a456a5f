/* SPDX-License-Identifier: BSD-3-Clause */
/* sync: the worker's half of replication: what is dirty becomes records, records become packets,
 * packets go into one FIFO to the replication core. Priority chooses what is encoded next and never
 * reorders what is encoded; room is checked before encoding, so nothing encoded is dropped at home.
 * One object a worker; only that worker calls it. */
#ifndef TANDEM_SYNC_H
#define TANDEM_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "repl/audit.h"
#include "common/counters.h"
#include "cores/stream.h"
#include "session/dirty.h"
#include "repl/flow.h"
#include "repl/repl.h"
#include "session/session.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

enum { SYNC_RECORDS = 64, SYNC_BUCKETS = 4, SYNC_FLUSH_US = 300, SYNC_TICKS = 20 };
enum {
	SYNC_SHARE = 8
}; /* packets of deltas, when they fill all there is, to one of bulk: a pass of the audit must end
    */

// clang-format off
#define SYNC_COUNTERS(X) \
	X(macro_sent, COUNTER, "records", \
		"Records of whole sessions were put into packets of the replication stream.") \
	X(micro_sent, COUNTER, "records", \
		"Records of parts of sessions, such as usage, were put into packets of the " \
		"replication stream.") \
	X(delete_sent, COUNTER, "records", \
		"Records of sessions that ended were put into packets of the replication " \
		"stream.") \
	X(late_sent, COUNTER, "records", \
		"Records of late usage were put into packets, for the chassis that is Active " \
		"now.") \
	X(digests_sent, COUNTER, "records", \
		"Records with hashes of the table were put into packets of the replication " \
		"stream.") \
	X(packets, COUNTER, "packets", \
		"Packets of the replication stream were filled and given to the replication " \
		"core.") \
	X(commits, COUNTER, "commits", \
		"Changes of sessions by signalling got a number, by which the standby's " \
		"acknowledgement is known.") \
	X(repaired, COUNTER, "records", \
		"Records were lost or not sent, and what they said of a session is to be sent " \
		"again.") \
	X(mended, COUNTER, "slots", \
		"Slots of the table contradicted themselves and were put right before they were " \
		"sent.") \
	X(no_room, COUNTER, "attempts", \
		"No packet of the stream could be begun because the queue to the replication " \
		"core was full.") \
	X(no_mbuf, COUNTER, "attempts", \
		"No packet of the stream could be begun because no packet buffer was free.") \
	X(wants, COUNTER, "requests", \
		"Requests of the peer for parts of the table came in.") \
	X(joins, COUNTER, "streams", \
		"Streams to a standby began, each with a pass of the audit.") \
	X(dropped_records, COUNTER, "records", \
		"Records in a packet that was not finished were taken back because the stream " \
		"changed.")
// clang-format on
COUNTERS_DEFINE(sync_counters, SYNC_COUNTERS);

struct sync {
	struct dirty dirty;
	struct audit_source *source;
	struct session_table *table;
	struct rte_mempool *pool; /* stream mbufs, private area struct stream_meta */
	struct rte_ring *out;     /* finished packets */
	/* How full `out` may be; it is set after sync_init(), until then flow_unlimited. */
	const struct flow_limits *limits;
	uint8_t worker;
	uint8_t version;  /* of the stream: what records may hold, and hashes cover */
	uint16_t payload; /* bytes of a packet: header and records, no tag */
	bool on;          /* a stream runs */
	bool late;        /* demoted: only own usage, as 64 bits */
	/* the open packet holds what is waited for: it leaves at the end of this turn */
	bool urgent;
	bool paused;     /* late mode before the hand-over: only what was lost is encoded again */
	uint32_t commit; /* number of the last commit, 24 bits, never 0 once used */
	struct rte_mbuf *open;
	struct wr w;
	/* the USAGE record at the end of the open packet, which grows; NULL: there is none */
	uint8_t *run;
	usec_t opened, next_tick, tick_us;
	struct audit_job job; /* being worked on; n counts down */
	uint32_t level2_slot;
	uint32_t bulk_most;         /* packets in `out` at which the bulk being encoded stops */
	uint32_t bulk_left;         /* packets that it may begin */
	uint64_t bulk_packets;      /* count.packets when bulk last had a turn */
	struct sync_counters count; /* r: telemetry */
};

/* shards: those of this worker. max_slots: all slots in them. 0 / -ENOMEM. */
int sync_init(struct sync *s, struct session_table *t, uint8_t worker, uint64_t shards,
	uint32_t max_slots, usec_t interval_us, struct rte_mempool *pool, struct rte_ring *out,
	uint16_t payload, const struct session_mem *mem);
void sync_fini(struct sync *s, const struct session_mem *mem);
/* The version of the stream that begins next; the least to begin with. */
void sync_version(struct sync *s, uint8_t version);
/* A stream began (everything is compared: join; late: of own usage only, nothing is compared) or
 * ended. */
void sync_stream(struct sync *s, bool on, bool late, usec_t audit_us, usec_t now);
/* A reload: the time between two checkpoints of a session's usage, and that of a pass of the
 * audit. */
void sync_times(struct sync *s, usec_t checkpoint_us, usec_t audit_us, usec_t now);
/* A slot changed by signalling: encoded at once, sent at the end of the turn. Returns the commit
 * number to wait for; 0: no stream. */
uint32_t sync_commit(struct sync *s, uint32_t handle, usec_t now);
/* Lost: dirty again, to be sent at the next turn. */
void sync_lost(struct sync *s, const repl_entry_t *e, unsigned int n);
void sync_want(struct sync *s, unsigned int how, uint32_t bucket, uint64_t arg);
/* One turn: a bounded amount of encoding. True if it did something. */
bool sync_turn(struct sync *s, usec_t now);
/* Begins a drain: all that is dirty now becomes due. sync_drained() then says when it has left. */
uint32_t sync_drain_begin(struct sync *s);
bool sync_drained(struct sync *s, uint32_t mark, usec_t now);

#endif
