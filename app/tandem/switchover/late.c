/* SPDX-License-Identifier: BSD-3-Clause */
/* Late usage: who handed over goes on forwarding what routers still send here, and counts it. The
 * counts follow the Active over the stream; when it has acknowledged them all they are its own. */

#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "switchover_priv.h"
#include "session/session.h"

enum {
	LATE_GIVE_UP_US = 60000000,
	/* What the Active encoded before it counted the last of our usage is here by then, and what
	 * says the new totals too; or the Active is taken for dead. */
	LATE_SETTLE_US = 1000000,
};

static void late_merge(struct switchover *sw, bool on)
{
	sw->late.settled_at = 0;
	atomic_store(&sw->table->late_merge, on);
}

repl_term_t late_begin(struct switchover *sw, repl_term_t old_term, usec_t now)
{
	struct late *l = &sw->late;

	/* asked again before our usage was through: it still goes */
	if (old_term == 0 && l->state != LATE_NONE)
		old_term = l->term;
	l->state = old_term != 0 ? LATE_COUNTED : LATE_NONE;
	late_merge(sw, old_term != 0);
	l->waiting = sw->n_workers;
	l->term = old_term;
	l->give_up_at = now + LATE_GIVE_UP_US;
	return old_term;
}

void late_cancel(struct switchover *sw)
{
	sw->late.state = LATE_NONE;
	late_merge(sw, false);
}

static void late_over(struct switchover *sw)
{
	sw->late.state = LATE_NONE;
	to_replicator_send(
		sw->to_replicator, to_replicator_late_stream_off(sw->msgs, sw->late.term));
}

/* A worker forwards no late packet any more. */
void switchover_late_ended(struct switchover *sw, const struct from_worker_late_end *m, usec_t now)
{
	struct late *l = &sw->late;

	if (l->state == LATE_NONE || m->term != l->term || l->waiting == 0 || --l->waiting > 0)
		return;
	/* our usage has left; when it is acknowledged, the peer knows it all */
	l->state = LATE_LEFT;
	if (vips_state(sw->vips) != VIPS_UP) /* and no worker forwards any more */
		routes_behind(sw, now);
}

/* All late usage of the term is acknowledged. Records that know less of it may still be under way:
 * they must not set our own counters back, for we may be Active again before newer ones come. */
void switchover_late_drained(
	struct switchover *sw, const struct from_replicator_late_drained *m, usec_t now)
{
	if (sw->late.state == LATE_NONE || m->term != sw->late.term)
		return;
	late_over(sw);
	sw->late.settled_at = now + LATE_SETTLE_US;
}

static bool late_drain(const struct switchover *sw)
{
	return to_replicator_send(
		       sw->to_replicator, to_replicator_late_drain(sw->msgs, sw->late.term)) == 0;
}

void late_turn(struct switchover *sw, usec_t now)
{
	struct late *l = &sw->late;

	if (vips_state(sw->vips) == VIPS_LINGERING && now >= l->linger_by)
		routes_behind(sw, now);
	if (l->settled_at != 0 && now >= l->settled_at)
		late_merge(sw, false);
	if (l->state == LATE_NONE)
		return;
	if (now >= l->give_up_at) {
		LOG(WARNING, "the Active does not take the usage that was counted here after the "
			     "switchover: it is lost");
		late_over(sw);
		late_merge(sw, false);
		return;
	}
	if (l->state == LATE_LEFT && late_drain(sw)) /* else at the next turn */
		l->state = LATE_DRAINED;
}
