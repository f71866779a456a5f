/* SPDX-License-Identifier: BSD-3-Clause */
/* index_outbox: what the cores that write slots report of them to control's index. */
#include <rte_lcore.h>

#include "cores/tandem.h"

/* How many index messages may wait in a door, of a worker and of the replication core, whose hold
 * up to MSG_INDEX_ENTRIES: the answers to role changes need its room more, and wait for what is in
 * it, and there is another way to learn of a slot. */
enum { INDEX_QUEUE_WORKERS = 4096, INDEX_QUEUE_REPL = 1024 };

static struct msg *index_message_new(const struct door *door, unsigned int most)
{
	struct msg *m = NULL;

	if (rte_ring_count(door->ring) < most)
		m = msg_new(T.msgs, MSG_INDEX);
	if (m == NULL)
		atomic_store(&T.index_stale, true);
	return m;
}

static void index_put(struct msg *m, uint64_t key, uint32_t handle, bool live)
{
	m->index[m->n_index].key = key;
	m->index[m->n_index].handle = handle;
	m->live |= (uint32_t)live << m->n_index;
	m->n_index++;
}

static void index_send(const struct door *door, struct msg *m)
{
	if (door_send(door, m) < 0)
		atomic_store(&T.index_stale, true);
}

/* Called on the core that writes the slot. A worker changes few sessions a turn, and its answers
 * follow at once; the stream may bring millions a second. */
void index_notify(void *ctx, uint64_t key, uint32_t handle, bool live)
{
	unsigned int lcore = rte_lcore_id();
	struct msg *m;

	(void)ctx;
	for (unsigned int i = 0; i < T.n_workers; i++)
		if (T.worker_lcore[i] == lcore) {
			m = index_message_new(
				&T.from_worker[i], INDEX_QUEUE_WORKERS / (T.n_workers + 1) + 256);
			if (m == NULL)
				return;
			index_put(m, key, handle, live);
			index_send(&T.from_worker[i], m);
			return;
		}
	if (T.index_open == NULL)
		T.index_open =
			index_message_new(&T.from_repl, INDEX_QUEUE_REPL / (T.n_workers + 1) + 64);
	if (T.index_open == NULL)
		return;
	index_put(T.index_open, key, handle, live);
	if (T.index_open->n_index == MSG_INDEX_ENTRIES)
		index_flush();
}

void index_flush(void)
{
	if (T.index_open != NULL)
		index_send(&T.from_repl, T.index_open);
	T.index_open = NULL;
}
