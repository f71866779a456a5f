/* SPDX-License-Identifier: BSD-3-Clause */
/* What the replication core shows of the stream, and what it is asked to send. */
#include "stream.h"

#include <rte_common.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "cores/from_replicator.h"
#include "cores/to_replicator.h"
#include "replicator/replicator.h"
#include "session/session.h"

struct stream *stream_create(const struct pair_stream *with)
{
	struct stream *s = memory_take("stream", sizeof(*s), 0);

	if (s != NULL)
		*s = (struct stream){ .with = *with };
	return s;
}

void stream_destroy(struct stream *s)
{
	if (s != NULL)
		memory_give(s);
}

/* ---- the peer ---- */

usec_t stream_heard(const struct stream *s)
{
	return atomic_load(&replicator_view(s->with.replicator)->heard);
}

bool stream_table_empty(const struct stream *s)
{
	uint32_t live = 0;

	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		live += s->with.table->shard[k].n_live;
	return live == 0;
}

struct srp_stream stream_read(const struct stream *s, const struct srp_info *i, usec_t now)
{
	const struct replicator_view *v = replicator_view(s->with.replicator);
	uint64_t pair = pair_time_ms(s->with.pair_time, now),
		 since = atomic_load(&v->in_sync_since_ms);
	usec_t status = atomic_load(&v->status_heard);
	usec_t audit_us = replicator_audit_interval(s->with.replicator, now);
	struct srp_stream r = { .heard = stream_heard(s),
		.hears_us = atomic_load(&v->hears_us),
		.unacked = atomic_load(&v->unacked),
		.last_number = atomic_load(&v->last_number),
		.applied = atomic_load(&v->applied),
		.joined = atomic_load(&v->joined),
		.matched_since = atomic_load(&v->in_sync_since),
		.in_sync_since_ms = since,
		.table_empty = stream_table_empty(s) };

	/* Heard, but not understood: somebody is there, for the rule of a boot alone
	 * (lib/srp/README.md section 1). */
	if (r.heard == USEC_NEVER && i->state == SRP_INIT && !i->peer.known &&
		atomic_load(&v->unopened) != 0)
		r.heard = atomic_load(&v->unopened);
	if (since != 0 && pair >= since)
		r.in_sync_age_ms = (uint32_t)RTE_MIN(pair - since, (uint64_t)UINT32_MAX);
	r.in_sync = since != 0 && atomic_load(&v->peer_unmatched) == 0 &&
		    now - RTE_MIN(status, now) < USEC_PER_SEC &&
		    r.in_sync_age_ms <= 2 * audit_us / USEC_PER_MSEC + 1000;
	return r;
}

void stream_report_peer(const struct stream *s, const struct srp_info *i)
{
	replicator_peer_version(s->with.replicator, i->stream_version);
	replicator_peer_times(s->with.replicator, RTE_MAX(i->window_us, i->dead_us),
		i->window_us / 2, i->heartbeat_us);
	replicator_peer_differs(s->with.replicator, i->differs);
	replicator_peer_applies(
		s->with.replicator, i->peer.known && i->agreed && i->peer.state == SRP_STANDBY);
}

void stream_heartbeat(const struct stream *s, const struct srp_action *a)
{
	to_replicator_send(s->with.to_replicator,
		to_replicator_heartbeat(s->with.msgs, a->term, a->msg, a->len, a->now));
}

void stream_keep_time(const struct stream *s, const struct from_replicator_heartbeat *m)
{
	pair_time_set(s->with.pair_time, m->pair_ms, m->heard);
}

/* ---- time in which nobody listened ---- */

/* How long the replication core stood still, as far as srp does not know it yet. When control wakes
 * up first from a sleep of the whole process, the other has not even noticed its own. */
static usec_t stream_stood_still(struct stream *s, usec_t own, usec_t now)
{
	const struct core_pulse *of = s->with.pulse;
	usec_t tick = atomic_load_explicit(&of->tick, memory_order_relaxed);
	usec_t all = atomic_load_explicit(&of->stalled_us, memory_order_relaxed);
	usec_t unreported;

	if (own > 0 && now > tick + STALL_US)
		all += now - tick;
	unreported = all > s->stalls.reported ? all - s->stalls.reported : 0;
	s->stalls.reported += unreported;
	return unreported;
}

usec_t stream_woke(struct stream *s, usec_t stall, usec_t now)
{
	usec_t stream = stream_stood_still(s, stall, now);

	if (stall == 0 && stream == 0)
		return 0;
	/* Both stood still together, mostly: the longer of the two is the time in which nobody
	 * listened. */
	s->stalls.sum += RTE_MAX(stall, stream);
	s->stalls.ended = now;
	s->stalls.stream_sum += stream;
	s->stalls.dropped += RTE_MAX(stall, stream) > pulse_stale_us(s->with.pulse);
	return stream;
}

/* ---- its process ---- */

uint32_t stream_incarnation(const struct stream *s)
{
	return atomic_load(&replicator_view(s->with.replicator)->peer_incarnation);
}

bool stream_peer_gone(const struct stream *s, uint32_t incarnation, usec_t dead, usec_t now)
{
	usec_t heard = stream_heard(s);

	if (heard == USEC_NEVER || stream_incarnation(s) != incarnation)
		return true;
	return now >= RTE_MAX(heard, s->stalls.ended) + dead;
}
