/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_lcore.h>
#include <rte_ring.h>

#include "cores/index_outbox.h"

/* How many index messages may wait in the doors, of all workers and of the replication core, whose
 * hold up to MSG_INDEX_ENTRIES: the answers to role changes need the room more, and wait for what
 * is in it, and there is another way to learn of a slot. */
enum { OUTBOX_WORKERS = 4096, OUTBOX_REPLICATOR = 1024 };

static void index_outbox_put(struct msg_index *m, uint64_t key, uint32_t handle, bool live)
{
	m->entry[m->n].key = key;
	m->entry[m->n].handle = handle;
	m->live |= (uint32_t)live << m->n;
	m->n++;
}

static void index_outbox_send_of_worker(
	struct index_outbox *o, unsigned int w, uint64_t key, uint32_t handle, bool live)
{
	const struct from_worker_door *door = &o->worker[w];
	struct from_worker *m = NULL;

	if (rte_ring_count(door->door.ring) < OUTBOX_WORKERS / (o->n_workers + 1) + 256)
		m = from_worker_index(o->pool);
	if (m != NULL)
		index_outbox_put(&m->index.changes, key, handle, live);
	if (from_worker_send(door, m) < 0)
		index_outbox_mark_stale(o);
}

unsigned int index_outbox_lcore(void)
{
	return rte_lcore_id();
}

void index_outbox_notify(void *outbox, uint64_t key, uint32_t handle, bool live)
{
	struct index_outbox *o = outbox;
	unsigned int lcore = o->lcore();

	for (unsigned int i = 0; i < o->n_workers; i++)
		if (o->worker_lcore[i] == lcore) {
			index_outbox_send_of_worker(o, i, key, handle, live);
			return;
		}
	if (o->open == NULL && rte_ring_count(o->replicator->door.ring) <
				       OUTBOX_REPLICATOR / (o->n_workers + 1) + 64)
		o->open = from_replicator_index(o->pool);
	if (o->open == NULL) {
		index_outbox_mark_stale(o);
		return;
	}
	index_outbox_put(&o->open->index.changes, key, handle, live);
	if (o->open->index.changes.n == MSG_INDEX_ENTRIES)
		index_outbox_flush(o);
}

void index_outbox_flush(struct index_outbox *o)
{
	if (o->open != NULL && from_replicator_send(o->replicator, o->open) < 0)
		index_outbox_mark_stale(o);
	o->open = NULL;
}
