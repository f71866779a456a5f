/* SPDX-License-Identifier: BSD-3-Clause */
/* What nobody may learn from TEIDs that were given out, and how soon none comes again: a slot's
 * next generation depends on the slot, on the life of the process and on the term, and on all of
 * them by a secret. */
#include "sim.h"

enum {
	LAST = 4,  /* those of a slot that may not come again */
	AGAIN = 6, /* steps that were seen before; by chance there is one in a few runs */
	GENERATIONS = 1 << 16,
};

struct given {
	unsigned int life;
	uint64_t term;
	unsigned int n;
	uint16_t last[LAST];
	uint16_t first; /* behind 0, of whoever used the slot first */
};

static void teid_not_soon(const struct node *n, struct given *g, uint32_t handle, uint16_t gen)
{
	for (unsigned int i = 0; i < g->n && i < LAST; i++)
		if (g->last[i] == gen)
			broken(16, "chassis %c gives out TEID %08x before all others of its slot",
				'A' + n->id, handle);
	g->last[g->n++ % LAST] = gen;
}

/* Before the slot's shadow follows: it has what the slot was. */
void teid_check(const struct node *n, uint32_t handle)
{
	static struct given *given[2];
	static uint16_t *behind; /* a generation without its side: what followed it last, + 1 */
	static unsigned int seen;
	uint32_t pos = pos_of(n, handle), was = n->shadow[pos].gen >> 1;
	uint16_t gen = (uint16_t)(handle & n->t.table->gen_mask), next = (uint16_t)(gen >> 1);
	struct given *g;

	if (behind == NULL) {
		behind = calloc(GENERATIONS, sizeof(*behind));
		given[0] = calloc(sim.slots, sizeof(**given));
		given[1] = calloc(sim.slots, sizeof(**given));
	}
	if (behind == NULL || given[0] == NULL || given[1] == NULL)
		exit(2);
	g = &given[n->id][pos];
	if (g->life != n->life || g->term != n->own_term) {
		g->life = n->life;
		g->term = n->own_term;
		g->n = 0;
	}
	teid_not_soon(n, g, handle, gen);
	seen += behind[was] == next + 1;
	if (was == 0) {
		seen += given[0][pos].first == next || given[1][pos].first == next;
		g->first = next;
	}
	behind[was] = (uint16_t)(next + 1);
	if (seen >= AGAIN)
		broken(16, "chassis %c: what followed a TEID shows what follows another: %08x",
			'A' + n->id, handle);
}
