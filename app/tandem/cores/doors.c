/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores/doors.h"

/* The mark: the rings' counts are read after the replication core's messages were taken (its
 * enqueue's release, our dequeue's acquire), so they include every answer that was there before any
 * of those. */
static void hold(struct doors *d, const struct door *from_worker, unsigned int n_workers,
	const struct door *from_repl)
{
	struct msg *m;

	/* The index's hold many entries: each counts, for each takes as long as a message. */
	for (unsigned int n = 0; n < DOORS_BURST && (m = door_take(from_repl)) != NULL; n++) {
		if (m->type == MSG_INDEX)
			n += m->n_index - 1U;
		d->held[d->n_held++] = m;
	}
	for (unsigned int w = 0; w < n_workers; w++)
		d->left[w] = d->n_held > 0 ? rte_ring_count(from_worker[w].ring) : 0;
}

/* True if something was there. */
static bool workers(struct doors *d, const struct door *from_worker, unsigned int n_workers,
	struct rte_mempool *pool, door_handler *handler, void *ctx)
{
	bool busy = false;

	for (unsigned int w = 0; w < n_workers; w++) {
		struct msg *m;

		for (unsigned int i = 0;
			i < DOORS_BURST && (m = door_take(&from_worker[w])) != NULL; i++) {
			handler(ctx, m);
			msg_free(pool, m);
			d->left[w] -= d->left[w] > 0;
			busy = true;
		}
	}
	return busy;
}

bool doors_turn(struct doors *d, const struct door *from_worker, unsigned int n_workers,
	const struct door *from_repl, struct rte_mempool *pool, door_handler *handler, void *ctx)
{
	bool busy;

	if (d->n_held == 0)
		hold(d, from_worker, n_workers, from_repl);
	busy = workers(d, from_worker, n_workers, pool, handler, ctx) || d->n_held > 0;
	for (unsigned int w = 0; w < n_workers; w++)
		if (d->left[w] > 0)
			return true;
	for (unsigned int i = 0; i < d->n_held; i++) {
		handler(ctx, d->held[i]);
		msg_free(pool, d->held[i]);
	}
	d->n_held = 0;
	return busy;
}

void doors_fini(struct doors *d, struct rte_mempool *pool)
{
	for (unsigned int i = 0; i < d->n_held; i++)
		msg_free(pool, d->held[i]);
	d->n_held = 0;
}
