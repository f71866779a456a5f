/* SPDX-License-Identifier: BSD-3-Clause */
/* session_batch: how the replication core reports to control which sessions began and ended. The
 * stream may bring millions a second: key and handle are all that is said, and many go in one
 * message. One object a chassis (session_event.h), made by control before the cores run; the
 * replication core alone calls these functions. What found no room is not repeated: that is marked,
 * and control reads the table again. Nothing here blocks. */
#ifndef TANDEM_CORES_SESSION_BATCH_H
#define TANDEM_CORES_SESSION_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cores/from_replicator.h"

struct session_batch {
	/* w: control before the cores run */
	const struct from_replicator_door *door;
	struct rte_mempool *pool;
	unsigned int most;    /* messages that may wait in the door before a batch is lost */
	_Atomic bool *missed; /* the chassis' mark */
	struct from_replicator *open; /* being filled */
};

/* A session began (live), or it ended. */
void session_batch_put(struct session_batch *b, uint64_t key, uint32_t handle, bool live);
/* Sends what there is: at the end of a turn, and before anything that control must not hear first.
 */
void session_batch_flush(struct session_batch *b);

#endif
