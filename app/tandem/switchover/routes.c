/* SPDX-License-Identifier: BSD-3-Clause */
/* The routes of a chassis that is not Active: for late packets after a hand-over, and ahead of need
 * by advertise-in-standby. The Active's come and go with its steps (step.c). */

#include "switchover_priv.h"

/* Late packets are forwarded for half a minute at most. */
enum { LATE_MOST_US = 30000000, ROUTES_RETRY_US = 1000000 };

/* By advertise-in-standby; 0: not. */
static uint8_t routes_standby_rm(const struct switchover *sw, usec_t now)
{
	uint8_t have = vips_state(sw->vips) == VIPS_AHEAD || vips_state(sw->vips) == VIPS_LINGERING
			       ? vips_metric(sw->vips)
			       : 0;

	if (!sw->live.advertise_in_standby || sw->start.l2)
		return 0;
	return srp_standby_rm(sw->election, sw->live.hold_off_us, have, now);
}

/* The routes alone: the VIPs are nobody's addresses here, and what a router sends although the
 * Active's path is the shorter one ends in a blackhole (VIP) or at workers that own nothing (pool).
 * An activation takes them over as they are. */
static void routes_ahead(struct switchover *sw, uint8_t rm, usec_t now)
{
	if (rm == 0)
		vips_withdraw(sw->vips);
	else if (vips_ahead(sw->vips, rm) < 0)
		sw->routes_retry = now + ROUTES_RETRY_US;
}

void routes_behind(struct switchover *sw, usec_t now)
{
	routes_ahead(sw, routes_standby_rm(sw, now), now);
}

void routes_turn(struct switchover *sw, usec_t now)
{
	enum vips_state state = vips_state(sw->vips);
	uint8_t rm;

	if (state == VIPS_UP || state == VIPS_LINGERING || now < sw->routes_retry)
		return;
	rm = routes_standby_rm(sw, now);
	if (rm != (state == VIPS_AHEAD ? vips_metric(sw->vips) : 0))
		routes_ahead(sw, rm, now);
}

/* Handed over: routers need time to learn the new Active's routes, and without any they drop what
 * they get. So ours stay, a longer path than its, for as long as late packets are forwarded. The
 * addresses do not: nobody but the Active answers. */
void routes_linger(struct switchover *sw, uint8_t rm, usec_t now)
{
	sw->late.linger_by = now + LATE_MOST_US;
	vips_linger(sw->vips, rm);
}

void switchover_routes(const struct switchover *sw, char *text, size_t len, usec_t now)
{
	const struct srp_info *i = sw->election;
	usec_t ends = i->last_change + sw->live.hold_off_us;
	enum vips_state state = vips_state(sw->vips);

	if (state != VIPS_DOWN)
		snprintf(text, len, "advertised, metric %u%s", vips_metric(sw->vips),
			state == VIPS_AHEAD       ? ", as standby"
			: state == VIPS_LINGERING ? ", until no late packet comes"
						  : "");
	else if (sw->live.advertise_in_standby && i->state == SRP_STANDBY && now < ends)
		snprintf(text, len, "not advertised, hold-off-time ends in %lu ms",
			(unsigned long)((ends - now) / USEC_PER_MSEC));
	else
		snprintf(text, len, "not advertised");
}
