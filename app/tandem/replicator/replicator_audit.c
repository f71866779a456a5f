/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control core reads of the audit of the two tables. */
#include "replicator/audit_watch.h"
#include "replicator_priv.h"

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
		.interval = r->env.start.audit_us,
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
