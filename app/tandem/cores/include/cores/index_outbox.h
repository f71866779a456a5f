/* SPDX-License-Identifier: BSD-3-Clause */
/* index_outbox: how the cores that write slots report to control's index which sessions began and
 * ended. One object a chassis, made by control before the cores run. A worker changes few sessions
 * a turn, and its answers follow at once: each change is a message. The stream may bring millions a
 * second: the replication core's are collected, and index_outbox_flush() sends what there is. What
 * found no room is not repeated: the index is stale then, and control reads the slots again.
 * Nothing here blocks. */
#ifndef TANDEM_CORES_INDEX_OUTBOX_H
#define TANDEM_CORES_INDEX_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cores/from_replicator.h"
#include "cores/from_worker.h"

struct index_outbox {
	/* w: control before the cores run */
	const struct from_worker_door *worker; /* n_workers of them */
	const unsigned int *worker_lcore;      /* on which each runs */
	unsigned int n_workers;
	unsigned int (*lcore)(void); /* on which the caller runs; index_outbox_lcore() */
	const struct from_replicator_door *replicator;
	struct rte_mempool *pool;
	struct from_replicator *open; /* replication core: being filled */
	_Atomic bool stale;           /* w: any core, r+cleared: control */
};

/* Gives the number of the core that calls it, as rte_lcore_id(). Any core calls this. */
unsigned int index_outbox_lcore(void);
/* session_hooks.index, with the outbox as its context; called on the core that writes the slot. */
void index_outbox_notify(void *outbox, uint64_t key, uint32_t handle, bool live);
/* Replication core: at the end of its turn, and before anything that control must not hear first.
 */
void index_outbox_flush(struct index_outbox *o);
/* Marks that the index does not know every session. Any core calls this. */
static inline void index_outbox_mark_stale(struct index_outbox *o)
{
	atomic_store(&o->stale, true);
}
/* Whether it was marked since the last call. Control calls this. */
static inline bool index_outbox_take_stale(struct index_outbox *o)
{
	return atomic_exchange(&o->stale, false);
}

#endif
