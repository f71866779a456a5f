/* SPDX-License-Identifier: BSD-3-Clause */
/* The role as other rooms ask for it, and as other cores read it. */
#include "switchover_priv.h"

bool switchover_owns(const struct switchover *sw)
{
	return sw->slots == SWITCHOVER_SLOTS_OWNED;
}

repl_term_t switchover_own_term(const struct switchover *sw)
{
	return sw->own_term;
}

bool switchover_answers(const struct switchover *sw)
{
	return sw->signalling_is == SWITCHOVER_ANSWERS || sw->signalling_is == SWITCHOVER_HOLDS;
}

bool switchover_holds(const struct switchover *sw)
{
	return sw->signalling_is == SWITCHOVER_HOLDS;
}

bool switchover_late_usage(const struct switchover *sw)
{
	return sw->late.state != LATE_NONE;
}

bool switchover_must_not_answer(const struct switchover *sw)
{
	return sw->election->must_not_answer || role_lapsed(sw->role, clock_ticks());
}

void switchover_publish(const struct switchover *sw, usec_t stood_still)
{
	struct role *r = sw->role;

	atomic_store_explicit(&r->term, switchover_own_term(sw), memory_order_relaxed);
	atomic_store_explicit(&r->owned, switchover_owns(sw), memory_order_relaxed);
	atomic_store_explicit(&r->answering, switchover_answers(sw), memory_order_relaxed);
	atomic_store_explicit(&r->held, switchover_holds(sw), memory_order_relaxed);
	atomic_store_explicit(
		&r->must_not_answer, switchover_must_not_answer(sw), memory_order_relaxed);
	atomic_store_explicit(
		&r->restart_counter, sw->election->restart_counter, memory_order_relaxed);
	atomic_store_explicit(&r->stood_still, stood_still, memory_order_relaxed);
}
