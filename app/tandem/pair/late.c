/* SPDX-License-Identifier: BSD-3-Clause */
/* Late usage: who handed over goes on forwarding what routers still send here, and counts it. The
 * counts follow the Active over the stream; when it has acknowledged them all they are its own. */
#include "process/control.h"

#include "pair_priv.h"

enum { LATE_GIVE_UP_US = 60000000 };

repl_term_t late_begin(struct control *c, repl_term_t old_term, usec_t now)
{
	struct late *l = &c->pair->late;

	/* asked again before our usage was through: it still goes */
	if (old_term == 0 && l->state != LATE_NONE)
		old_term = l->term;
	l->state = old_term != 0 ? LATE_COUNTED : LATE_NONE;
	atomic_store(&T.table->late_merge, old_term != 0);
	l->waiting = T.n_workers;
	l->term = old_term;
	l->give_up_at = now + LATE_GIVE_UP_US;
	return old_term;
}

void late_cancel(struct control *c)
{
	c->pair->late.state = LATE_NONE;
	atomic_store(&T.table->late_merge, false);
}

static void late_over(struct control *c)
{
	late_cancel(c);
	to_replicator_send(&T.to_repl, to_replicator_late_stream_off(T.msgs, c->pair->late.term));
}

void late_worker_ended(struct control *c, repl_term_t term, usec_t now)
{
	struct late *l = &c->pair->late;

	if (l->state == LATE_NONE || term != l->term || l->waiting == 0 || --l->waiting > 0)
		return;
	/* our usage has left; when it is acknowledged, the peer knows it all */
	l->state = LATE_LEFT;
	if (vips_state(c->vips) != VIPS_UP) /* and no worker forwards any more */
		routes_behind(c, now);
}

void late_acknowledged(struct control *c, repl_term_t term)
{
	if (c->pair->late.state != LATE_NONE && term == c->pair->late.term)
		late_over(c);
}

static bool late_drain(const struct late *l)
{
	return to_replicator_send(&T.to_repl, to_replicator_late_drain(T.msgs, l->term)) == 0;
}

void late_turn(struct control *c, usec_t now)
{
	struct late *l = &c->pair->late;

	if (vips_state(c->vips) == VIPS_LINGERING && now >= l->linger_by)
		routes_behind(c, now);
	if (l->state == LATE_NONE)
		return;
	if (now >= l->give_up_at) {
		LOG(WARNING, "the Active does not take the usage that was counted here late: it is "
			     "given up");
		late_over(c);
		return;
	}
	if (l->state == LATE_LEFT && late_drain(l)) /* else at the next turn */
		l->state = LATE_DRAINED;
}
