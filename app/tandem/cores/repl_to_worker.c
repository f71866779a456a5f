/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cores/repl_to_worker.h"

static struct repl_to_worker *repl_to_worker_new(
	struct rte_mempool *pool, enum repl_to_worker_type type)
{
	return (struct repl_to_worker *)msg_new(pool, (uint8_t)type);
}

struct repl_to_worker *repl_to_worker_stream(
	struct rte_mempool *pool, repl_term_t term, bool on, uint8_t version)
{
	struct repl_to_worker *m = repl_to_worker_new(pool, REPL_TO_WORKER_STREAM);

	if (m != NULL)
		m->stream = (struct repl_to_worker_stream){ term, on, version };
	return m;
}

struct repl_to_worker *repl_to_worker_late_stream(
	struct rte_mempool *pool, repl_term_t term, repl_term_t late_term, uint8_t version)
{
	struct repl_to_worker *m = repl_to_worker_new(pool, REPL_TO_WORKER_LATE_STREAM);

	if (m != NULL)
		m->late_stream = (struct repl_to_worker_late_stream){ term, late_term, version };
	return m;
}

struct repl_to_worker *repl_to_worker_lost(
	struct rte_mempool *pool, const repl_entry_t *e, unsigned int n)
{
	struct repl_to_worker *m = repl_to_worker_new(pool, REPL_TO_WORKER_LOST);

	if (m != NULL) {
		m->lost.entries.n = (uint16_t)n;
		memcpy(m->lost.entries.entry, e, n * sizeof(*e));
	}
	return m;
}

struct repl_to_worker *repl_to_worker_want(struct rte_mempool *pool)
{
	return repl_to_worker_new(pool, REPL_TO_WORKER_WANT);
}

struct repl_to_worker *repl_to_worker_late_usage(
	struct rte_mempool *pool, uint32_t handle, const struct session_usage *usage)
{
	struct repl_to_worker *m = repl_to_worker_new(pool, REPL_TO_WORKER_LATE_USAGE);

	if (m != NULL)
		m->late_usage = (struct repl_to_worker_late_usage){ handle, *usage };
	return m;
}
