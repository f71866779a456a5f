/* SPDX-License-Identifier: BSD-3-Clause */
/* to_worker: what control asks of a worker. The constructors are called by the control core; the
 * handlers by the worker that the door belongs to. Neither blocks. */
#ifndef TANDEM_CORES_TO_WORKER_H
#define TANDEM_CORES_TO_WORKER_H

#include "common/addr.h"
#include "cores/msg.h"
#include "session/session.h"

// clang-format off
#define TO_WORKER_ROWS(X) \
	X(TO_WORKER, to_worker, OWN, own) \
	X(TO_WORKER, to_worker, LATE, late) \
	X(TO_WORKER, to_worker, RESUME, resume) \
	X(TO_WORKER, to_worker, RELEASE, release) \
	X(TO_WORKER, to_worker, CREATE, create) \
	X(TO_WORKER, to_worker, UPDATE, update) \
	X(TO_WORKER, to_worker, DELETE, delete) \
	X(TO_WORKER, to_worker, PURGE, purge) \
	X(TO_WORKER, to_worker, PEER_GONE, peer_gone)
// clang-format on
MSG_TYPES(TO_WORKER, to_worker, TO_WORKER_ROWS)

/* Orders of a role change. from_worker's `done` answers each, with the order's cookie. */

/* Own your shards from now on. */
struct to_worker_own {
	repl_term_t term;
	uint64_t cookie;
	bool planned; /* the Active of before handed over: it knows all tunnels to be good */
};
/* Encode all that is dirty, then go to late mode. */
struct to_worker_late {
	repl_term_t term;
	uint64_t cookie;
};
/* Go back from late mode to owning your shards: the hand-over comes to nothing. */
struct to_worker_resume {
	repl_term_t term;
	uint64_t cookie;
};
/* Let go of your shards: another core writes them from now on. */
struct to_worker_release {
	repl_term_t term;
	uint64_t cookie;
};

/* Requests of signalling. The message itself comes back as from_worker's `answer`: its handler must
 * pass it to from_worker_answer(), and it is not freed behind the handler. */

/* What all three begin with. */
struct session_request {
	repl_term_t term; /* in which the workers own the slots, as far as control knows */
	uint64_t cookie;
	struct session_rec rec;
};
struct to_worker_create {
	struct session_request q;
};
struct to_worker_update {
	struct session_request q;
	uint8_t groups; /* of q.rec, which are written */
};
/* Of q.rec, the handle and the group of the request count. Answered by -EAGAIN: the end cannot be
 * reported now; the session lives on, and whoever wants its end asks again. */
struct to_worker_delete {
	struct session_request q;
	uint8_t why; /* enum session_why */
};

/* The sessions of an SGSN with another Recovery than this end. */
struct to_worker_purge {
	struct ip_addr sgsn;
	uint8_t recovery;
};
/* The sessions with this user plane peer end (Error Indication). */
struct to_worker_peer_gone {
	struct ip_addr peer;
	uint32_t teid;
};

MSG_DIRECTION(TO_WORKER, to_worker, TO_WORKER_ROWS)

struct to_worker *to_worker_own(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, bool planned);
struct to_worker *to_worker_late(struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_worker *to_worker_resume(struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_worker *to_worker_release(struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_worker *to_worker_create(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, const struct session_rec *rec);
struct to_worker *to_worker_update(struct rte_mempool *pool, repl_term_t term, uint64_t cookie,
	const struct session_rec *rec, uint8_t groups);
struct to_worker *to_worker_delete(struct rte_mempool *pool, repl_term_t term, uint64_t cookie,
	const struct session_rec *rec, enum session_why why);
struct to_worker *to_worker_purge(
	struct rte_mempool *pool, const struct ip_addr *sgsn, uint8_t recovery);
struct to_worker *to_worker_peer_gone(
	struct rte_mempool *pool, const struct ip_addr *peer, uint32_t teid);

/* Whether the message comes back as an answer, and so is not freed behind its handler. */
static inline bool to_worker_comes_back(const struct to_worker *m)
{
	return m->head.type >= TO_WORKER_CREATE && m->head.type <= TO_WORKER_DELETE;
}

/* The same to n workers, in their order. It takes m, which may be NULL. 0; -ENOBUFS: some door is
 * full; -ENOMEM: the pool is empty, the workers that are left were not asked. */
int to_worker_send_all(const struct to_worker_door *d, unsigned int n, struct to_worker *m);

#endif
