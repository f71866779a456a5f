/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores/session_event.h"

#include <errno.h>

#include <rte_ring.h>

/* How many events may wait in the doors, of all workers and of the replication core, whose hold up
 * to MSG_BATCH_ENTRIES: the answers to role changes need the room more, and wait for what is in it,
 * and there is another way to learn of a slot. FOR_ENDS: what is kept for ends alone. */
enum { EVENTS_WORKERS = 4096, EVENTS_REPLICATOR = 1024, EVENTS_LEAST = 192, EVENTS_FOR_ENDS = 64 };

void session_events_init(struct session_events *s, const struct session_events_env *env)
{
	*s = (struct session_events){ .pool = env->pool,
		.n_workers = env->n_workers,
		.most = EVENTS_WORKERS / (env->n_workers + 1) + EVENTS_LEAST };
	s->most_ends = s->most + EVENTS_FOR_ENDS;
	for (unsigned int w = 0; w < env->n_workers; w++)
		s->outbox[w].door = &env->worker[w];
	s->batch = (struct session_batch){ .door = env->replicator,
		.pool = env->pool,
		.most = EVENTS_REPLICATOR / (env->n_workers + 1) + 64,
		.missed = &s->missed };
}

/* Of the owner: the whole of it. */
static int session_event_put(
	struct session_events *s, struct session_outbox *o, const struct session_event *e)
{
	bool end = e->kind == SESSION_ENDED;

	if (rte_ring_count(o->door->door.ring) < (end ? s->most_ends : s->most))
		o->open = from_worker_event(s->pool, e);
	if (o->open != NULL)
		return 0;
	if (end)
		return -EAGAIN;
	atomic_store(&s->missed, true);
	return 0;
}

int session_events_notify(void *events, const struct session_event *e)
{
	struct session_events *s = events;

	if (e->by < s->n_workers && e->rec != NULL) {
		session_events_send(s, e->by, 0);
		return session_event_put(s, &s->outbox[e->by], e);
	}
	if (e->kind != SESSION_UPDATED)
		session_batch_put(&s->batch, e->key, e->handle, e->kind == SESSION_BEGUN);
	return 0;
}

void session_events_send(struct session_events *s, unsigned int worker, uint32_t commit)
{
	struct session_outbox *o = &s->outbox[worker];
	struct from_worker *m = o->open;

	if (m == NULL)
		return;
	o->open = NULL;
	m->event.commit = commit;
	/* The door has room for far more than may wait in it: this is for what nobody foresaw. */
	if (from_worker_send(o->door, m) < 0)
		atomic_store(&s->missed, true);
}
