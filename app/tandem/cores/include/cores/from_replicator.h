/* SPDX-License-Identifier: BSD-3-Clause */
/* from_replicator: what the replication core reports to control. The constructors are called by the
 * replication core; the handlers by the control core (doors.h says in which order). Neither blocks.
 */
#ifndef TANDEM_CORES_FROM_REPLICATOR_H
#define TANDEM_CORES_FROM_REPLICATOR_H

#include "common/usec.h"
#include "cores/msg.h"
#include "cores/to_replicator.h"

// clang-format off
#define FROM_REPLICATOR_ROWS(X) \
	X(FROM_REPLICATOR, from_replicator, DONE, done) \
	X(FROM_REPLICATOR, from_replicator, LATE_DRAINED, late_drained) \
	X(FROM_REPLICATOR, from_replicator, KEYED, keyed) \
	X(FROM_REPLICATOR, from_replicator, BATCH, batch) \
	X(FROM_REPLICATOR, from_replicator, COMMITTED, committed) \
	X(FROM_REPLICATOR, from_replicator, STREAM_STATE, stream_state) \
	X(FROM_REPLICATOR, from_replicator, HEARTBEAT, heartbeat)
// clang-format on
MSG_TYPES(FROM_REPLICATOR, from_replicator, FROM_REPLICATOR_ROWS)

/* An order of a role change was carried out, or came to nothing. */
struct from_replicator_done {
	repl_term_t term;
	uint64_t cookie;               /* of the order */
	enum to_replicator_type order; /* stop, write, start or drain */
	bool ok;
	uint64_t number; /* stop, drain: of the last packet; else 0 */
};
/* All late usage of the term is acknowledged, or its stream is over. */
struct from_replicator_late_drained {
	repl_term_t term;
};
/* The answer to `key`. */
struct from_replicator_keyed {
	uint64_t cookie;
	bool ok; /* false: the key's id is that of a key that lives */
};
/* What the stream brought: sessions that began and ended. */
struct from_replicator_batch {
	struct msg_batch sessions;
};
/* The standby has these commits of these slots. */
struct from_replicator_committed {
	struct msg_entries entries;
};
/* A stream of the Active began, or it ended. */
struct from_replicator_stream_state {
	repl_term_t term;
	bool on;
};
/* A heartbeat of the peer. */
struct from_replicator_heartbeat {
	uint64_t pair_ms; /* the peer's pair time when it left; 0: it knows none */
	usec_t heard;     /* when it came: control may see it much later */
	uint16_t len;
	bool fresh; /* it is newer than all before */
	uint8_t body[MSG_BODY];
};

MSG_DIRECTION(FROM_REPLICATOR, from_replicator, FROM_REPLICATOR_ROWS)

struct from_replicator *from_replicator_done(struct rte_mempool *pool,
	enum to_replicator_type order, repl_term_t term, uint64_t cookie, bool ok, uint64_t number);
struct from_replicator *from_replicator_late_drained(struct rte_mempool *pool, repl_term_t term);
struct from_replicator *from_replicator_keyed(struct rte_mempool *pool, uint64_t cookie, bool ok);
/* Makes a message without sessions yet; session_batch.h adds them. */
struct from_replicator *from_replicator_batch(struct rte_mempool *pool);
/* Makes a message without entries yet. */
struct from_replicator *from_replicator_committed(struct rte_mempool *pool);
struct from_replicator *from_replicator_stream_state(
	struct rte_mempool *pool, repl_term_t term, bool on);
/* The body is the caller's to fill in. */
struct from_replicator *from_replicator_heartbeat(
	struct rte_mempool *pool, uint64_t pair_ms, bool fresh, usec_t heard);

#endif
