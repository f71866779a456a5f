/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores/session_batch.h"

#include <rte_ring.h>

void session_batch_put(struct session_batch *b, uint64_t key, uint32_t handle, bool live)
{
	struct msg_batch *m;

	if (b->open == NULL && rte_ring_count(b->door->door.ring) < b->most)
		b->open = from_replicator_batch(b->pool);
	if (b->open == NULL) {
		atomic_store(b->missed, true);
		return;
	}
	m = &b->open->batch.sessions;
	m->entry[m->n].key = key;
	m->entry[m->n].handle = handle;
	m->live |= (uint32_t)live << m->n;
	if (++m->n == MSG_BATCH_ENTRIES)
		session_batch_flush(b);
}

void session_batch_flush(struct session_batch *b)
{
	if (b->open != NULL && from_replicator_send(b->door, b->open) < 0)
		atomic_store(b->missed, true);
	b->open = NULL;
}
