/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer: one life of it at a time, and within a life only news. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "srp_pvt.h"

static bool peer_retired(const struct srp *s, uint32_t incarnation)
{
	for (unsigned int i = 0; i < SRP_RETIRED; i++)
		if (s->retired[i] == incarnation)
			return true;
	return false;
}

bool srp_peer_is(const struct srp *s, uint32_t incarnation)
{
	return s->info.peer.known && !s->life.left && s->info.peer.incarnation == incarnation;
}

static void peer_new_life(struct srp *s, uint32_t incarnation, usec_t now)
{
	struct srp_peer *p = &s->info.peer;

	for (unsigned int i = 0; i < SRP_RETIRED; i++)
		if (s->retired[i] == incarnation)
			s->retired[i] = 0;
	if (p->known)
		s->retired[s->n_retired++ % SRP_RETIRED] = p->incarnation;
	*p = (struct srp_peer){ .known = true,
		.incarnation = incarnation,
		.hello_at = USEC_NEVER,
		.heartbeat_at = USEC_NEVER };
	s->info.agreed = s->info.differs = false;
	srp_next_peer_new(s);
	srp_numbers_new_life(s);
	s->info.stream_version = s->conf.wire.version_min;
	s->peer_serial = 0;
	s->peer_floor = 0;
	s->life.left = s->life.dead = false;
	s->peer_state_since = now;
	s->one_way_since = USEC_NEVER;
}

/* The stream's wire: a version that both speak, packets that both take. */
static bool peer_wire_differs(const struct srp *s, char why[SRP_REASON_MAX])
{
	const struct srp_wire *here = &s->conf.wire, *there = &s->info.peer.wire;
	const char *port = s->conf.mtu_port;

	if (here->version_min > there->version_max || there->version_min > here->version_max)
		snprintf(why, SRP_REASON_MAX,
			"no common version of the stream (%u to %u here, %u to %u there): upgrade "
			"the older chassis",
			here->version_min, here->version_max, there->version_min,
			there->version_max);
	else if (here->mtu != there->mtu && here->mtu != 0 && there->mtu != 0)
		snprintf(why, SRP_REASON_MAX,
			"the replication MTU differs (%u here, %u there): set mtu %u of port %s on "
			"both",
			here->mtu, there->mtu, here->mtu < there->mtu ? here->mtu : there->mtu,
			port[0] != '\0' ? port : "replication");
	else
		return false;
	return true;
}

/* Nothing is recovered without it, so nothing is copied either. */
static bool peer_unlicensed(const struct srp *s, char why[SRP_REASON_MAX])
{
	bool here = s->conf.unlicensed, there = s->info.peer.unlicensed;

	if (!here && !there)
		return false;
	snprintf(why, SRP_REASON_MAX,
		"Inter-Chassis Session Recovery is not licensed %s: set "
		"license.inter-chassis-session-recovery = true %s",
		here && there ? "on both chassis"
		: here        ? "on this chassis"
			      : "on the peer",
		here && there ? "on both"
		: here        ? "here"
			      : "there");
	return true;
}

bool srp_peer_differs(const struct srp *s, char why[SRP_REASON_MAX])
{
	const struct srp_peer *p = &s->info.peer;

	if (p->capacity != s->conf.capacity)
		snprintf(why, SRP_REASON_MAX,
			"table capacity differs (%u here, %u there): make them equal",
			s->conf.capacity, p->capacity);
	else if (peer_wire_differs(s, why))
		return true;
	else
		return peer_unlicensed(s, why) || srp_lines_differ(s, why);
	return true;
}

static void peer_adopt(struct srp *s, const struct srp_body *b, usec_t now)
{
	struct srp_peer *p = &s->info.peer;

	if (p->state != b->state)
		s->peer_state_since = now;
	p->state = (enum srp_state)b->state;
	p->mode = (enum srp_mode)b->mode;
	p->priority = b->priority;
	p->rm = b->rm;
	memcpy(p->mac, b->mac, sizeof(p->mac));
	p->restart_counter = b->restart_counter;
	p->term = b->term;
	p->highest_term = b->highest;
	p->hears_us = b->hears == s->conf.incarnation;
	p->capabilities = b->capabilities;
	s->peer_floor = b->floor;
	s->peer_serial = b->serial;
	srp_term_seen(s, b->term);
	srp_term_seen(s, b->highest);
	srp_counter_learn(s, b);
}

/* Where we stood still while the peer was started more than once, its lives are read in any order,
 * and the living one may have been taken for gone. It is the one that goes on speaking: it hears
 * us, and the other has been silent since. The stream has the same rule (repl_life_peer). */
static bool peer_gone(const struct srp *s, const struct srp_body *b, usec_t now)
{
	bool silent = s->life.heard_at == USEC_NEVER || now >= s->life.heard_at + srp_window(s);

	return peer_retired(s, b->incarnation) && !(silent && b->hears == s->conf.incarnation);
}

int srp_peer_said(struct srp *s, const struct srp_body *b, usec_t now)
{
	if (b->incarnation == s->conf.incarnation)
		return -EBADMSG;
	if (b->side == s->conf.side) {
		s->same_side_at = now;
		return -EBADMSG;
	}
	if (peer_gone(s, b, now) || (s->life.left && b->incarnation == s->info.peer.incarnation))
		return -ESTALE;
	if (!s->info.peer.known || b->incarnation != s->info.peer.incarnation)
		peer_new_life(s, b->incarnation, now);
	s->life.heard_at = now;
	/* The two paths overtake each other: an older body is a sign of life and no news. */
	if (b->serial >= s->peer_serial)
		peer_adopt(s, b, now);
	else
		s->info.count.messages_stale++;
	return 0;
}
