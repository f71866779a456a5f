/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores/from_replicator.h"

static struct from_replicator *from_replicator_new(
	struct rte_mempool *pool, enum from_replicator_type type)
{
	return (struct from_replicator *)msg_new(pool, (uint8_t)type);
}

struct from_replicator *from_replicator_done(struct rte_mempool *pool,
	enum to_replicator_type order, repl_term_t term, uint64_t cookie, bool ok, uint64_t number)
{
	struct from_replicator *m = from_replicator_new(pool, FROM_REPLICATOR_DONE);

	if (m != NULL)
		m->done = (struct from_replicator_done){ term, cookie, order, ok, number };
	return m;
}

struct from_replicator *from_replicator_late_drained(struct rte_mempool *pool, repl_term_t term)
{
	struct from_replicator *m = from_replicator_new(pool, FROM_REPLICATOR_LATE_DRAINED);

	if (m != NULL)
		m->late_drained.term = term;
	return m;
}

struct from_replicator *from_replicator_keyed(struct rte_mempool *pool, uint64_t cookie, bool ok)
{
	struct from_replicator *m = from_replicator_new(pool, FROM_REPLICATOR_KEYED);

	if (m != NULL)
		m->keyed = (struct from_replicator_keyed){ cookie, ok };
	return m;
}

struct from_replicator *from_replicator_batch(struct rte_mempool *pool)
{
	return from_replicator_new(pool, FROM_REPLICATOR_BATCH);
}

struct from_replicator *from_replicator_committed(struct rte_mempool *pool)
{
	return from_replicator_new(pool, FROM_REPLICATOR_COMMITTED);
}

struct from_replicator *from_replicator_stream_state(
	struct rte_mempool *pool, repl_term_t term, bool on)
{
	struct from_replicator *m = from_replicator_new(pool, FROM_REPLICATOR_STREAM_STATE);

	if (m != NULL)
		m->stream_state = (struct from_replicator_stream_state){ term, on };
	return m;
}

struct from_replicator *from_replicator_heartbeat(
	struct rte_mempool *pool, uint64_t pair_ms, bool fresh, usec_t heard)
{
	struct from_replicator *m = from_replicator_new(pool, FROM_REPLICATOR_HEARTBEAT);

	if (m != NULL) {
		m->heartbeat.pair_ms = pair_ms;
		m->heartbeat.fresh = fresh;
		m->heartbeat.heard = heard;
	}
	return m;
}
