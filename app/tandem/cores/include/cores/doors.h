/* SPDX-License-Identifier: BSD-3-Clause */
/* doors: in which order control takes what the other cores put in its doors. One object, control
 * core only; it owns the messages between the ring and the handler, no memory else. Nothing blocks.
 *
 * A worker puts its answer in its door before it lets go of the packet that holds the session, so
 * an acknowledgement that the replication core's door holds has its answer in a worker's door, or
 * behind it. Control must see the answer first: an acknowledgement of what nobody waits for yet is
 * forgotten, and the answer then waits for the commit timeout, which opens the gate for everybody.
 * Both doors fill while control reads the other one: hence a mark. What the replication core's door
 * gave is held until all that was in the workers' doors at that time was handled. */
#ifndef TANDEM_DOORS_H
#define TANDEM_DOORS_H

#include <stdbool.h>

#include "cores/from_replicator.h"
#include "cores/from_worker.h"

enum { DOORS_WORKERS = MSG_WORKERS, DOORS_BURST = 256 };

/* Where the messages come from, and who handles them with `ctx`. */
struct doors_conf {
	const struct from_worker_door *worker; /* n_workers of them */
	unsigned int n_workers;
	const struct from_replicator_door *replicator;
	const struct from_worker_handlers *of_worker;
	const struct from_replicator_handlers *of_replicator;
	/* After each message, which is an event of its own: hundreds may wait, and what one causes
	 * is not left for the next. */
	void (*settled)(void *ctx);
	void *ctx;
	struct rte_mempool *pool; /* they go back to it */
};

struct doors {
	struct doors_conf conf;
	uint64_t unknown; /* messages that nobody handles: counted and dropped */
	/* left: of worker w until the held ones may be handled */
	unsigned int n_held, left[DOORS_WORKERS];
	struct from_replicator *held[DOORS_BURST];
};

void doors_init(struct doors *d, const struct doors_conf *conf);
/* Handles what waits, at most DOORS_BURST messages of each door: a turn must end soon. True if
 * there were any: there may be more. */
bool doors_turn(struct doors *d);
/* Gives back what is held (shutdown). */
void doors_fini(struct doors *d);

#endif
