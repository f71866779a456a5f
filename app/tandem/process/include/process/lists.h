/* SPDX-License-Identifier: BSD-3-Clause */
/* lists: the APNs and pools of a chassis while it runs. A reload brings some, changes some and lets
 * others drain; what has drained leaves its place, and the memory of a pool is given back. Which
 * item has which place, config/placed.h says; here its rooms and cores follow. The control core
 * alone calls these, but for lists_make(). */
#ifndef TANDEM_PROCESS_LISTS_H
#define TANDEM_PROCESS_LISTS_H

#include <sys/queue.h>

#include "common/usec.h"
#include "config/config.h"
#include "config/placed.h"
#include "pool/pool.h"

struct control;
struct lists_memory;
struct peers;
struct reload_made;

struct lists {
	struct config_placed placed; /* what runs, and what drains */
	struct config_placed next;   /* of the configuration that is made ready */
	/* A pool that was taken from its place, which cores may have seen yet; NULL: none was. */
	struct pool_made *taken;
	unsigned int taken_at;
	bool unsaid; /* the cores' snapshot does not say what the places have */
	usec_t look_at;
	LIST_HEAD(, lists_memory) giving;
};

/* What a reload needs for a file besides: the memory of pools that are new, and what GTP peers are
 * looked up in. Begun with what runs;
 * filled by the thread that reads the file, for whom `m` is alone: 0 or -ENOMEM; ended with what
 * was not used. NULL: there is no memory; ending NULL is nothing. */
struct reload_made *lists_made_begin(const struct control *c);
int lists_make(struct reload_made *m, const struct config *next);
void lists_made_end(struct control *c, struct reload_made *m);
/* The peers of the file; `m` holds them. */
struct peers *lists_peers(const struct reload_made *m);

/* Whether the lists of `next` can run: 0, or -ENOSPC, -EEXIST and `why` (placed_next()). */
int lists_fit(struct control *c, const struct config *next, char why[PLACED_WHY]);
/* The lists of `next`, which lists_fit() has taken, run: with memory of `m`, which was made for
 * that file. The rooms and cores have their settings already. */
void lists_run(struct control *c, const struct config *next, struct reload_made *m, usec_t now);

/* The peer's sessions may be of an item that this chassis' file has not: it drains here, too. 0, or
 * as placed_drain() and pool_make() say. For a large pool it is long work, some 0.1 s. */
int lists_hold(struct control *c, enum places_kind kind, const char *name, const char *what);

/* A row of the slow part of a turn: looks for what has drained. */
void lists_turn(struct control *c, usec_t now);

/* rooms/lists_memory.c: gives the memory of a pool back by a thread, for what the EAL does with a
 * large one takes long; and waits for such threads before the process ends. */
void lists_memory_give(struct control *c, struct pool_made *m);
void lists_memory_end(struct control *c);

#endif
