/* SPDX-License-Identifier: BSD-3-Clause */
/* The role as other rooms ask for it. */
#include <rte_malloc.h>

#include "pair_priv.h"

struct pair *pair_create(void)
{
	return rte_zmalloc("pair", sizeof(struct pair), 0);
}

void pair_destroy(struct pair *p)
{
	rte_free(p);
}

bool pair_owns(const struct pair *p)
{
	return p->slots == PAIR_SLOTS_OWNED;
}

repl_term_t pair_own_term(const struct pair *p)
{
	return p->own_term;
}

bool pair_answers(const struct pair *p)
{
	return p->signalling == PAIR_ANSWERS || p->signalling == PAIR_HOLDS;
}

bool pair_holds(const struct pair *p)
{
	return p->signalling == PAIR_HOLDS;
}

bool pair_late_usage(const struct pair *p)
{
	return p->late.state != LATE_NONE;
}
