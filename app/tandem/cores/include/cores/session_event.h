/* SPDX-License-Identifier: BSD-3-Clause */
/* session_event: how the cores that write slots report to control what happens to sessions. One
 * object a chassis, made by control before the cores run: an outbox for each worker, whose events
 * are whole (begun, updated, ended and why, with the record, the totals and the term), and the
 * replication core's batch of what the stream brings (session_batch.h).
 *
 * Begun and updated may find no room: that is marked, and control reads the table again. An end by
 * the owner is never lost: without room the session does not end (-EAGAIN of session_free()).
 *
 * An event waits in its outbox until its worker says which commit it has: session_events_send().
 * So it leaves before the answer to the request that caused it. Nothing here blocks. */
#ifndef TANDEM_CORES_SESSION_EVENT_H
#define TANDEM_CORES_SESSION_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cores/from_worker.h"
#include "cores/session_batch.h"
#include "session/event.h"

/* Of one worker, which alone uses it while the cores run. */
struct session_outbox {
	const struct from_worker_door *door;
	struct from_worker *open; /* waits for its commit; NULL: none does */
} __attribute__((aligned(64)));

struct session_events {
	struct session_outbox outbox[MSG_WORKERS];
	struct session_batch batch;
	/* w: control before the cores run */
	struct rte_mempool *pool;
	unsigned int n_workers;
	unsigned int most;      /* messages in a worker's door before begun and updated are lost */
	unsigned int most_ends; /* the same before an end has to wait */
	_Atomic bool missed;    /* w: any core, r+cleared: control */
};

/* What it is given; it outlives the object. */
struct session_events_env {
	const struct from_worker_door *worker; /* n_workers of them */
	unsigned int n_workers;
	const struct from_replicator_door *replicator;
	struct rte_mempool *pool;
};

/* Control core, before the others run. */
void session_events_init(struct session_events *s, const struct session_events_env *env);
/* session_hooks.event, with the object as its context; called on the core that writes the slot.
 * 0; -EAGAIN: an end by the owner finds no room. */
int session_events_notify(void *events, const struct session_event *e);
/* Worker: its event that waits, if one does, leaves with that commit (0: no stream runs). What the
 * next event finds waiting leaves with commit 0. */
void session_events_send(struct session_events *s, unsigned int worker, uint32_t commit);
/* Control: whether an event was lost since the last call, so that the table is to be read again. */
static inline bool session_events_missed(struct session_events *s)
{
	return atomic_exchange(&s->missed, false);
}

#endif
