/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer: one life of it at a time, and within a life only news. */
#include <errno.h>
#include <string.h>

#include "srp_pvt.h"

static bool retired(const struct srp *s, uint32_t incarnation)
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

static void new_life(struct srp *s, uint32_t incarnation, usec_t now)
{
	struct srp_peer *p = &s->info.peer;

	if (p->known)
		s->retired[s->n_retired++ % SRP_RETIRED] = p->incarnation;
	*p = (struct srp_peer){
		.known = true, .incarnation = incarnation, .hello_at = USEC_NEVER, .heartbeat_at = USEC_NEVER
	};
	s->peer_serial = 0;
	s->peer_floor = 0;
	s->life.left = s->life.dead = false;
	s->peer_state_since = now;
	s->one_way_since = USEC_NEVER;
}

static void adopt(struct srp *s, const struct srp_body *b, usec_t now)
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
	s->peer_floor = b->floor;
	s->peer_serial = b->serial;
	srp_term_seen(s, b->term);
	srp_term_seen(s, b->highest);
	srp_counter_learn(s, b);
}

int srp_peer_said(struct srp *s, const struct srp_body *b, usec_t now)
{
	if (b->incarnation == s->conf.incarnation || b->side == s->conf.side)
		return -EBADMSG;
	if (retired(s, b->incarnation) || (s->life.left && b->incarnation == s->info.peer.incarnation))
		return -ESTALE;
	if (!s->info.peer.known || b->incarnation != s->info.peer.incarnation)
		new_life(s, b->incarnation, now);
	s->life.heard_at = now;
	/* The two paths overtake each other: an older body is a sign of life and no news. */
	if (b->serial >= s->peer_serial)
		adopt(s, b, now);
	else
		s->info.count.messages_stale++;
	return 0;
}
