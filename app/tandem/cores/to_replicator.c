/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_common.h>

#include "cores/to_replicator.h"

static struct to_replicator *to_replicator_new(
	struct rte_mempool *pool, enum to_replicator_type type)
{
	return (struct to_replicator *)msg_new(pool, (uint8_t)type);
}

struct to_replicator *to_replicator_stop(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_STOP);

	if (m != NULL)
		m->stop = (struct to_replicator_stop){ term, cookie };
	return m;
}

struct to_replicator *to_replicator_write(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, repl_term_t late_term)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_WRITE);

	if (m != NULL)
		m->write = (struct to_replicator_write){ term, cookie, late_term };
	return m;
}

struct to_replicator *to_replicator_start(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_START);

	if (m != NULL)
		m->start = (struct to_replicator_start){ term, cookie };
	return m;
}

struct to_replicator *to_replicator_drain(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_DRAIN);

	if (m != NULL)
		m->drain = (struct to_replicator_drain){ term, cookie };
	return m;
}

struct to_replicator *to_replicator_late_drain(struct rte_mempool *pool, repl_term_t term)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_LATE_DRAIN);

	if (m != NULL)
		m->late_drain = (struct to_replicator_late_drain){ term };
	return m;
}

struct to_replicator *to_replicator_late_stream_off(struct rte_mempool *pool, repl_term_t term)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_LATE_STREAM_OFF);

	if (m != NULL)
		m->late_stream_off.term = term;
	return m;
}

struct to_replicator *to_replicator_heartbeat(
	struct rte_mempool *pool, repl_term_t term, const uint8_t *body, size_t len, bool at_once)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_HEARTBEAT);

	if (m == NULL)
		return NULL;
	m->heartbeat.term = term;
	m->heartbeat.at_once = at_once;
	m->heartbeat.len = (uint16_t)RTE_MIN(len, sizeof(m->heartbeat.body));
	memcpy(m->heartbeat.body, body, m->heartbeat.len);
	return m;
}

struct to_replicator *to_replicator_key(struct rte_mempool *pool, uint64_t cookie)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_KEY);

	if (m != NULL)
		m->key.cookie = cookie;
	return m;
}

struct to_replicator *to_replicator_key_use(
	struct rte_mempool *pool, uint16_t key_id, bool restarted)
{
	struct to_replicator *m = to_replicator_new(pool, TO_REPLICATOR_KEY_USE);

	if (m != NULL)
		m->key_use = (struct to_replicator_key_use){ key_id, restarted };
	return m;
}

struct to_replicator *to_replicator_audit(struct rte_mempool *pool)
{
	return to_replicator_new(pool, TO_REPLICATOR_AUDIT);
}
