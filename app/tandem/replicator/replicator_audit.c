/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control core reads of the audit of the two tables. */
#include "replicator/audit_watch.h"
#include "replicator_priv.h"

void replicator_reconfigure(struct replicator *r, const struct replicator_live *live, usec_t now)
{
	struct replicator_pace *p = &r->pace;

	if (live->audit_us == p->us)
		return;
	/* What matched last by the interval that was is as old as two of it, and the pass under way
	 * takes what is left of one. */
	p->was_us = RTE_MAX(replicator_audit_interval(r, now), live->audit_us);
	p->until = now + 2 * p->was_us;
	p->us = live->audit_us;
}

usec_t replicator_audit_interval(const struct replicator *r, usec_t now)
{
	return now < r->pace.until ? r->pace.was_us : r->pace.us;
}

void replicator_audit(const struct replicator *r, bool active, usec_t now, struct audit_watch *w)
{
	const struct replicator_view *v = &r->view;
	uint64_t since = atomic_load(&v->in_sync_since_ms);
	uint64_t pair = pair_time_ms(r->env.pair_time, now);

	*w = (struct audit_watch){
		.watched = active ? atomic_load(&v->stream_on) : atomic_load(&v->receiving),
		.since = USEC_NEVER,
		.began = atomic_load(&v->pass_began),
		.ended = atomic_load(&v->pass_ended),
		.interval = replicator_audit_interval(r, now),
		.buckets = atomic_load(&v->buckets),
		.left = atomic_load(&v->left),
		.differing = atomic_load(&v->differing),
		.unmatched = active ? atomic_load(&v->peer_unmatched) : atomic_load(&v->unmatched)
	};
	if (!active)
		w->since = atomic_load(&v->in_sync_since);
	else if (since != 0) /* as the standby said; its words are in pair time */
		w->since = pair > since ? now - RTE_MIN(now, (pair - since) * USEC_PER_MSEC) : now;
}
