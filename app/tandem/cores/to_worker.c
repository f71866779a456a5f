/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cores/to_worker.h"

static struct to_worker *to_worker_new(struct rte_mempool *pool, enum to_worker_type type)
{
	return (struct to_worker *)msg_new(pool, (uint8_t)type);
}

struct to_worker *to_worker_own(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, bool planned)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_OWN);

	if (m != NULL)
		m->own = (struct to_worker_own){ term, cookie, planned };
	return m;
}

struct to_worker *to_worker_late(struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_LATE);

	if (m != NULL)
		m->late = (struct to_worker_late){ term, cookie };
	return m;
}

struct to_worker *to_worker_resume(struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_RESUME);

	if (m != NULL)
		m->resume = (struct to_worker_resume){ term, cookie };
	return m;
}

struct to_worker *to_worker_release(struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_RELEASE);

	if (m != NULL)
		m->release = (struct to_worker_release){ term, cookie };
	return m;
}

static void to_worker_request(
	struct session_request *q, repl_term_t term, uint64_t cookie, const struct session_rec *rec)
{
	q->term = term;
	q->cookie = cookie;
	session_rec_copy(&q->rec, rec);
}

struct to_worker *to_worker_create(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, const struct session_rec *rec)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_CREATE);

	if (m != NULL)
		to_worker_request(&m->create.q, term, cookie, rec);
	return m;
}

struct to_worker *to_worker_update(struct rte_mempool *pool, repl_term_t term, uint64_t cookie,
	const struct session_rec *rec, uint8_t groups)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_UPDATE);

	if (m != NULL) {
		to_worker_request(&m->update.q, term, cookie, rec);
		m->update.groups = groups;
	}
	return m;
}

struct to_worker *to_worker_delete(struct rte_mempool *pool, repl_term_t term, uint64_t cookie,
	const struct session_rec *rec, enum session_why why)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_DELETE);

	if (m != NULL) {
		to_worker_request(&m->delete.q, term, cookie, rec);
		m->delete.why = (uint8_t)why;
	}
	return m;
}

struct to_worker *to_worker_purge(
	struct rte_mempool *pool, const struct ip_addr *sgsn, uint8_t recovery)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_PURGE);

	if (m != NULL)
		m->purge = (struct to_worker_purge){ *sgsn, recovery };
	return m;
}

struct to_worker *to_worker_peer_gone(
	struct rte_mempool *pool, const struct ip_addr *peer, uint32_t teid)
{
	struct to_worker *m = to_worker_new(pool, TO_WORKER_PEER_GONE);

	if (m != NULL)
		m->peer_gone = (struct to_worker_peer_gone){ *peer, teid };
	return m;
}

int to_worker_send_all(const struct to_worker_door *d, unsigned int n, struct to_worker *m)
{
	int ret = m != NULL ? 0 : -ENOMEM;

	for (unsigned int i = 0; m != NULL && i < n; i++) {
		struct to_worker *one = m;

		if (i + 1 < n) {
			one = to_worker_new(d[i].door.pool, (enum to_worker_type)m->head.type);
			if (one == NULL) {
				msg_free(d[i].door.pool, m);
				return -ENOMEM;
			}
			*one = *m;
		}
		if (to_worker_send(&d[i], one) < 0)
			ret = -ENOBUFS;
	}
	return ret;
}
