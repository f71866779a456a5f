/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair/health.h"

#include "monitors/monitors.h"
#include "process/control.h"

static const enum srp_cause health_causes[MONITOR_TYPES + 1] = {
	[MONITOR_FAULT] = SRP_CAUSE_LOCAL_FAULT,
	[MONITOR_LINK] = SRP_CAUSE_LINK,
	[MONITOR_BFD] = SRP_CAUSE_BFD,
	[MONITOR_BGP] = SRP_CAUSE_BGP,
	[MONITOR_ROUTE] = SRP_CAUSE_ROUTE,
	[MONITOR_AAA] = SRP_CAUSE_AAA,
	[MONITOR_NONE] = SRP_CAUSE_NONE,
};

static enum monitor_type health_type_of(enum srp_cause cause)
{
	unsigned int t = 0;

	while (t < MONITOR_TYPES && health_causes[t] != cause)
		t++;
	return (enum monitor_type)t;
}

/* Bits of causes from bits of types, and back: only what both chassis can see of themselves. */
static uint32_t health_to_causes(uint8_t types)
{
	uint32_t set = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if (t != MONITOR_AAA && (types & 1U << t) != 0)
			set |= 1U << health_causes[t];
	return set;
}

static uint8_t health_to_types(uint32_t set)
{
	uint8_t types = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if ((set & 1U << health_causes[t]) != 0)
			types |= (uint8_t)(1U << t);
	return types;
}

struct monitor_health health_of_peer(const struct srp *s)
{
	const struct srp_health *h = &srp_info(s)->peer.health;

	return (struct monitor_health){ .known = health_to_types(h->known),
		.failed = health_to_types(h->failed) };
}

void health_verdict(void *ctx, const struct monitor_verdict *v, usec_t now)
{
	struct control *c = ctx;
	struct monitor_health peer = health_of_peer(c->srp);
	struct srp_health own = { .known = health_to_causes(v->health.known),
		.failed = health_to_causes(v->health.failed) };
	enum monitor_type wish;

	srp_health(c->srp, &own, now);
	/* A switchover to a peer that would do no better is requested all the same: srp refuses it,
	 * and says why. */
	wish = monitor_wish(v, &peer);
	if (wish == MONITOR_NONE)
		wish = monitor_wish(v, NULL);
	srp_wish(c->srp, health_causes[wish], now);
}

void health_role(struct control *c, const struct srp_action *a, usec_t now)
{
	/* Handing over it is Active still, until the peer has taken over: what was held is, if that
	 * comes to nothing. */
	if (a->to == SRP_ACTIVE) {
		enum monitor_type by = a->planned ? health_type_of(a->cause) : MONITOR_NONE;

		if (by != MONITOR_NONE)
			LOG(NOTICE, "Active for the peer's %s", srp_cause_name(a->cause));
		monitors_role(c->monitors, true, by, now);
	} else if (a->to == SRP_STANDBY || a->to == SRP_INIT) {
		monitors_role(c->monitors, false, MONITOR_NONE, now);
	}
}
