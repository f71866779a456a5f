/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "cores/from_worker.h"

_Static_assert(
	offsetof(struct from_worker_answer, cookie) == offsetof(struct session_request, cookie) &&
		offsetof(struct from_worker_answer, rec) == offsetof(struct session_request, rec) &&
		offsetof(struct from_worker, answer) == offsetof(struct to_worker, create) &&
		offsetof(struct to_worker, update) == offsetof(struct to_worker, create) &&
		offsetof(struct to_worker, delete) == offsetof(struct to_worker, create),
	"an answer leaves the cookie and the record where the request has them");

static struct from_worker *from_worker_new(struct rte_mempool *pool, enum from_worker_type type)
{
	return (struct from_worker *)msg_new(pool, (uint8_t)type);
}

struct from_worker *from_worker_done(struct rte_mempool *pool, enum to_worker_type order,
	repl_term_t term, uint64_t cookie, bool ok)
{
	struct from_worker *m = from_worker_new(pool, FROM_WORKER_DONE);

	if (m != NULL)
		m->done = (struct from_worker_done){ term, cookie, order, ok };
	return m;
}

struct from_worker *from_worker_late_end(struct rte_mempool *pool, repl_term_t term)
{
	struct from_worker *m = from_worker_new(pool, FROM_WORKER_LATE_END);

	if (m != NULL)
		m->late_end = (struct from_worker_late_end){ term };
	return m;
}

struct from_worker *from_worker_answer(
	struct session_request *q, uint8_t by, int32_t error, uint32_t commit)
{
	void *whole = (uint8_t *)q - offsetof(struct to_worker, create);
	struct from_worker *m = whole;
	uint8_t request = m->head.type;

	m->head.type = FROM_WORKER_ANSWER;
	m->answer.error = error;
	m->answer.commit = commit;
	m->answer.by = by;
	m->answer.request = request;
	return m;
}

struct from_worker *from_worker_event(struct rte_mempool *pool, const struct session_event *e)
{
	struct from_worker *m = from_worker_new(pool, FROM_WORKER_EVENT);

	if (m == NULL)
		return NULL;
	m->event.term = e->term;
	m->event.commit = 0;
	m->event.kind = (uint8_t)e->kind;
	m->event.why = (uint8_t)e->why;
	m->event.by = e->by;
	session_rec_copy(&m->event.rec, e->rec);
	return m;
}
