/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of pools that have left, or were made for a file that was refused, is given back. */
#include <stdlib.h>

#include "process/control.h"
#include "process/lists.h"

struct lists_memory {
	struct work work; /* first: of the thread */
	struct pool_made *made;
	LIST_ENTRY(lists_memory) next;
};

static void lists_memory_run(struct work *work)
{
	pool_unmake(((struct lists_memory *)work)->made);
}

static void lists_memory_ended(void *ctx, struct work *work)
{
	struct lists_memory *g = (struct lists_memory *)work;

	(void)ctx;
	LIST_REMOVE(g, next);
	free(g);
}

void lists_memory_give(struct control *c, struct pool_made *m)
{
	struct lists_memory *g = calloc(1, sizeof(*g));

	if (g != NULL) {
		g->work.run = lists_memory_run;
		g->work.ended = lists_memory_ended;
		g->made = m;
	}
	if (g == NULL || work_begin(c->reactor, &g->work, "tandem-memory") < 0) {
		free(g);
		pool_unmake(m);
		return;
	}
	LIST_INSERT_HEAD(&c->lists.giving, g, next);
}

void lists_memory_end(struct control *c)
{
	struct lists_memory *g;

	while ((g = LIST_FIRST(&c->lists.giving)) != NULL) {
		work_close(c->reactor, &g->work);
		LIST_REMOVE(g, next);
		free(g);
	}
}
