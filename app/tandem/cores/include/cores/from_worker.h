/* SPDX-License-Identifier: BSD-3-Clause */
/* from_worker: what a worker reports to control. The constructors are called by that worker; the
 * handlers by the control core (doors.h says in which order). Neither blocks. */
#ifndef TANDEM_CORES_FROM_WORKER_H
#define TANDEM_CORES_FROM_WORKER_H

#include "cores/msg.h"
#include "cores/to_worker.h"

// clang-format off
#define FROM_WORKER_ROWS(X) \
	X(FROM_WORKER, from_worker, DONE, done) \
	X(FROM_WORKER, from_worker, LATE_END, late_end) \
	X(FROM_WORKER, from_worker, ANSWER, answer) \
	X(FROM_WORKER, from_worker, EVENT, event)
// clang-format on
MSG_TYPES(FROM_WORKER, from_worker, FROM_WORKER_ROWS)

/* An order of a role change was carried out, or was refused: its term is older than another that
 * the worker knows. */
struct from_worker_done {
	repl_term_t term;
	uint64_t cookie;           /* of the order */
	enum to_worker_type order; /* own, late, resume or release */
	bool ok;
};
/* Late mode is over, and all usage that was counted in it has left for the replication core. */
struct from_worker_late_end {
	repl_term_t term; /* in which it was counted */
};
/* The answer to create, update or delete. The cookie and the record lie where the request has
 * them. */
struct from_worker_answer {
	int32_t error; /* 0 / -errno */
	/* what the standby acknowledges when it has the change; 0: no stream runs */
	uint32_t commit;
	uint64_t cookie;        /* of the request */
	struct session_rec rec; /* of the session as it is now; deleted: as it was */
	uint8_t by;             /* number of the worker */
	uint8_t request;        /* enum to_worker_type */
};
/* What happened to a session, by its owner (session/event.h). */
struct from_worker_event {
	repl_term_t term;
	uint32_t commit; /* as in an answer */
	uint8_t kind;    /* enum session_event_kind */
	uint8_t why;     /* enum session_why */
	uint8_t by;      /* number of the worker */
	/* of the session as it is now; of an end, as it was, usage and all */
	struct session_rec rec;
};

MSG_DIRECTION(FROM_WORKER, from_worker, FROM_WORKER_ROWS)

struct from_worker *from_worker_done(struct rte_mempool *pool, enum to_worker_type order,
	repl_term_t term, uint64_t cookie, bool ok);
struct from_worker *from_worker_late_end(struct rte_mempool *pool, repl_term_t term);
/* Makes the request's own message its answer, with the record that stands in the request. */
struct from_worker *from_worker_answer(
	struct session_request *q, uint8_t by, int32_t error, uint32_t commit);
/* Of an event that has a record. The commit is the caller's to fill in. */
struct from_worker *from_worker_event(struct rte_mempool *pool, const struct session_event *e);

#endif
