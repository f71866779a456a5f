/* SPDX-License-Identifier: BSD-3-Clause */
/* repl_to_worker: what the replication core sends to a worker. The constructors are called by the
 * replication core; the handlers by the worker that the door belongs to. Neither blocks. */
#ifndef TANDEM_CORES_REPL_TO_WORKER_H
#define TANDEM_CORES_REPL_TO_WORKER_H

#include "cores/msg.h"
#include "session/session.h"

// clang-format off
#define REPL_TO_WORKER_ROWS(X) \
	X(REPL_TO_WORKER, repl_to_worker, STREAM, stream) \
	X(REPL_TO_WORKER, repl_to_worker, LATE_STREAM, late_stream) \
	X(REPL_TO_WORKER, repl_to_worker, LOST, lost) \
	X(REPL_TO_WORKER, repl_to_worker, WANT, want) \
	X(REPL_TO_WORKER, repl_to_worker, LATE_USAGE, late_usage)
// clang-format on
MSG_TYPES(REPL_TO_WORKER, repl_to_worker, REPL_TO_WORKER_ROWS)

enum { MSG_WANTS = 15 };

/* A stream began (everything is compared), or whichever ran has ended. */
struct repl_to_worker_stream {
	repl_term_t term;
	bool on;
	uint8_t version; /* of the stream: what its records may hold */
};
/* The stream of our own late usage began: nothing else is encoded. */
struct repl_to_worker_late_stream {
	repl_term_t term;
	repl_term_t late_term; /* in which the usage was counted */
	uint8_t version;
};
/* What was lost, or never left: to be sent again. */
struct repl_to_worker_lost {
	struct msg_entries entries;
};
/* What the standby wants: lib/repl's enum audit_want, of a bucket. */
struct repl_to_worker_want {
	uint16_t n;
	struct {
		uint32_t bucket;
		uint8_t how;
		uint64_t arg;
	} __attribute__((packed)) want[MSG_WANTS];
};
/* Usage that the demoted peer counted late. */
struct repl_to_worker_late_usage {
	uint32_t handle;
	struct session_usage usage;
};

MSG_DIRECTION(REPL_TO_WORKER, repl_to_worker, REPL_TO_WORKER_ROWS)

struct repl_to_worker *repl_to_worker_stream(
	struct rte_mempool *pool, repl_term_t term, bool on, uint8_t version);
struct repl_to_worker *repl_to_worker_late_stream(
	struct rte_mempool *pool, repl_term_t term, repl_term_t late_term, uint8_t version);
/* Makes a message of n entries; n <= MSG_ENTRIES. */
struct repl_to_worker *repl_to_worker_lost(
	struct rte_mempool *pool, const repl_entry_t *e, unsigned int n);
/* Makes a message without wants yet. */
struct repl_to_worker *repl_to_worker_want(struct rte_mempool *pool);
struct repl_to_worker *repl_to_worker_late_usage(
	struct rte_mempool *pool, uint32_t handle, const struct session_usage *usage);

#endif
