/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_ring.h>

#include "cores/doors.h"

void doors_init(struct doors *d, const struct doors_conf *conf)
{
	memset(d, 0, sizeof(*d));
	d->conf = *conf;
}

/* The mark: the rings' counts are read after the replication core's messages were taken (its
 * enqueue's release, our dequeue's acquire), so they include every answer that was there before any
 * of those. */
static void doors_hold(struct doors *d)
{
	struct from_replicator *m;

	/* Batches hold many sessions: each counts, for each takes as long as a message. */
	for (unsigned int n = 0;
		n < DOORS_BURST && (m = from_replicator_take(d->conf.replicator)) != NULL; n++) {
		if (m->head.type == FROM_REPLICATOR_BATCH)
			n += m->batch.sessions.n - 1U;
		d->held[d->n_held++] = m;
	}
	for (unsigned int w = 0; w < d->conf.n_workers; w++)
		d->left[w] = d->n_held > 0 ? rte_ring_count(d->conf.worker[w].door.ring) : 0;
}

/* True if something was there. */
static bool doors_workers(struct doors *d)
{
	const struct doors_conf *f = &d->conf;
	bool busy = false;

	for (unsigned int w = 0; w < f->n_workers; w++) {
		struct from_worker *m;

		for (unsigned int i = 0;
			i < DOORS_BURST && (m = from_worker_take(&f->worker[w])) != NULL; i++) {
			d->unknown += !from_worker_dispatch(f->of_worker, f->ctx, m);
			msg_free(f->pool, m);
			f->settled(f->ctx);
			d->left[w] -= d->left[w] > 0;
			busy = true;
		}
	}
	return busy;
}

bool doors_turn(struct doors *d)
{
	const struct doors_conf *f = &d->conf;
	bool busy;

	if (d->n_held == 0)
		doors_hold(d);
	busy = doors_workers(d) || d->n_held > 0;
	for (unsigned int w = 0; w < f->n_workers; w++)
		if (d->left[w] > 0)
			return true;
	for (unsigned int i = 0; i < d->n_held; i++) {
		d->unknown += !from_replicator_dispatch(f->of_replicator, f->ctx, d->held[i]);
		msg_free(f->pool, d->held[i]);
		f->settled(f->ctx);
	}
	d->n_held = 0;
	return busy;
}

void doors_fini(struct doors *d)
{
	for (unsigned int i = 0; i < d->n_held; i++)
		msg_free(d->conf.pool, d->held[i]);
	d->n_held = 0;
}
