/* SPDX-License-Identifier: BSD-3-Clause */
/* What lib/srp is told: of the stream, of times in which nobody listened to the peer, and of the
 * monitors. */
#include "cores/from_replicator.h"
#include "pair_priv.h"

/* ---- the stream ---- */

static struct srp_stream feed_stream(struct pair *p, usec_t now)
{
	const struct srp_info *i = srp_info(p->srp);
	struct srp_stream s = stream_read(p->stream, i, now);

	trace_heard(p, stream_heard(p->stream));
	if (!s.in_sync && i->state == SRP_ACTIVE)
		s.sync_left_s = p->ops.comparison_left_s(p->ctx, now);
	return s;
}

void pair_feed(struct pair *p, usec_t now)
{
	struct srp_stream s = feed_stream(p, now);

	srp_stream(p->srp, &s, now);
	stream_report_peer(p->stream, srp_info(p->srp));
	numbers_turn(p, s.matched_since, now);
}

/* Pair time is the Active's, and still is while it hands over: that may be all that a standby ever
 * hears of it. A peer that was just started again counts by a clock that begins anew: whoever is
 * about to take over from its earlier life must not go by that one. */
static bool feed_keeps_pair_time(const struct pair *p)
{
	enum srp_state peer = srp_info(p->srp)->peer.state;

	return peer == SRP_ACTIVE || peer == SRP_PENDING_STANDBY;
}

void pair_heartbeat(struct pair *p, const struct from_replicator_heartbeat *m, usec_t now)
{
	srp_heartbeat(p->srp, m->body, m->len, m->fresh, now);
	if (!switchover_answers(p->switchover) && m->fresh && m->pair_ms > 0 &&
		feed_keeps_pair_time(p))
		stream_keep_time(p->stream, m);
}

/* ---- time in which nobody listened ---- */

void pair_woke(struct pair *p, usec_t stall, usec_t now)
{
	usec_t stream = stream_woke(p->stream, stall, now);
	struct srp_stream s;

	link_woke(p->link, now);
	if (stall == 0 && stream == 0)
		return;
	s = feed_stream(p, now);
	srp_stalled(p->srp, stall, stream, &s, now);
}

/* ---- the monitors ---- */

static const enum srp_cause feed_causes[MONITOR_TYPES + 1] = {
	[MONITOR_FAULT] = SRP_CAUSE_LOCAL_FAULT,
	[MONITOR_LINK] = SRP_CAUSE_LINK,
	[MONITOR_BFD] = SRP_CAUSE_BFD,
	[MONITOR_BGP] = SRP_CAUSE_BGP,
	[MONITOR_ROUTE] = SRP_CAUSE_ROUTE,
	[MONITOR_AAA] = SRP_CAUSE_AAA,
	[MONITOR_NONE] = SRP_CAUSE_NONE,
};

static enum monitor_type feed_type_of(enum srp_cause cause)
{
	unsigned int t = 0;

	while (t < MONITOR_TYPES && feed_causes[t] != cause)
		t++;
	return (enum monitor_type)t;
}

/* Bits of causes from bits of types, and back: only what both chassis can see of themselves. */
static uint32_t feed_to_causes(uint8_t types)
{
	uint32_t set = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if (t != MONITOR_AAA && (types & 1U << t) != 0)
			set |= 1U << feed_causes[t];
	return set;
}

static uint8_t feed_to_types(uint32_t set)
{
	uint8_t types = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if ((set & 1U << feed_causes[t]) != 0)
			types |= (uint8_t)(1U << t);
	return types;
}

struct monitor_health pair_peer_health(const struct pair *p)
{
	const struct srp_health *h = &srp_info(p->srp)->peer.health;

	return (struct monitor_health){ .known = feed_to_types(h->known),
		.failed = feed_to_types(h->failed) };
}

void pair_verdict(struct pair *p, const struct monitor_verdict *v, usec_t now)
{
	struct monitor_health peer = pair_peer_health(p);
	struct srp_health own = { .known = feed_to_causes(v->health.known),
		.failed = feed_to_causes(v->health.failed) };
	enum monitor_type failure;

	srp_health(p->srp, &own, now);
	/* A switchover to a peer that would do no better is requested all the same: srp refuses it,
	 * and says why. */
	failure = monitor_request(v, &peer);
	if (failure == MONITOR_NONE)
		failure = monitor_request(v, NULL);
	srp_request_switchover(p->srp, feed_causes[failure], now);
}

void feed_role(struct pair *p, const struct srp_action *a, usec_t now)
{
	/* Handing over it is Active still, until the peer has taken over: what was held is, if that
	 * comes to nothing. */
	if (a->to == SRP_ACTIVE) {
		enum monitor_type by = a->planned ? feed_type_of(a->cause) : MONITOR_NONE;

		if (by != MONITOR_NONE)
			LOG(NOTICE,
				"this chassis became Active because of the peer's failure cause=%s",
				srp_cause_name(a->cause));
		p->ops.became(p->ctx, true, by, now);
	} else if (a->to == SRP_STANDBY || a->to == SRP_INIT) {
		p->ops.became(p->ctx, false, MONITOR_NONE, now);
	}
}
