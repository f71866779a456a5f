/* SPDX-License-Identifier: BSD-3-Clause */
/* The role as other rooms ask for it, and as other cores read it. */
#include "pair_priv.h"

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
	return p->signalling_is == PAIR_ANSWERS || p->signalling_is == PAIR_HOLDS;
}

bool pair_holds(const struct pair *p)
{
	return p->signalling_is == PAIR_HOLDS;
}

bool pair_late_usage(const struct pair *p)
{
	return p->late.state != LATE_NONE;
}

bool pair_must_not_answer(const struct pair *p)
{
	return srp_info(p->srp)->must_not_answer || role_lapsed(p->cores.role, clock_ticks());
}

void role_publish(const struct pair *p)
{
	struct role *r = p->cores.role;

	atomic_store_explicit(&r->term, pair_own_term(p), memory_order_relaxed);
	atomic_store_explicit(&r->owned, pair_owns(p), memory_order_relaxed);
	atomic_store_explicit(&r->answering, pair_answers(p), memory_order_relaxed);
	atomic_store_explicit(&r->held, pair_holds(p), memory_order_relaxed);
	atomic_store_explicit(&r->must_not_answer, pair_must_not_answer(p), memory_order_relaxed);
	atomic_store_explicit(
		&r->restart_counter, srp_info(p->srp)->restart_counter, memory_order_relaxed);
	atomic_store_explicit(&r->stood_still, p->stalls.sum, memory_order_relaxed);
}
