/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of lib/srp/README.md sections 1 and 2: who becomes what in each state, and the route
 * modifier. */
#include <string.h>

#include "srp_pvt.h"

static int order_mac(const struct srp *s)
{
	int d = memcmp(s->conf.mac + 3, s->info.peer.mac + 3, 3);

	return d != 0 ? d : memcmp(s->conf.mac, s->info.peer.mac, 6);
}

static int order_priority(const struct srp *s)
{
	int d = (int)s->conf.priority - (int)s->info.peer.priority;

	return d != 0 ? d : order_mac(s);
}

int srp_order_startup(const struct srp *s)
{
	int d = (int)s->conf.mode - (int)s->info.peer.mode;

	return d != 0 ? d : order_priority(s);
}

/* Terms are never equal, so somebody always loses. */
int srp_order_dual(const struct srp *s)
{
	int term = s->info.term > s->info.peer.term ? 1 : -1;
	int d = (int)s->info.peer.rm - (int)s->info.rm;

	if (s->conf.l2)
		return term;
	if (d == 0)
		d = order_priority(s);
	return d != 0 ? d : term;
}

uint8_t srp_rm_start(const struct srp *s)
{
	return s->conf.mode == SRP_PRIMARY ? SRP_RM_THRESHOLD + 1 : SRP_RM_THRESHOLD + 2;
}

/* It may pass the threshold for as long as it takes the Active to see that and to go back to 1. */
uint8_t srp_rm_behind_peer(const struct srp *s)
{
	return s->info.peer.rm < SRP_RM_MAX ? s->info.peer.rm + 1 : SRP_RM_MAX;
}

static bool election_holds(enum srp_state st)
{
	return st == SRP_ACTIVE || st == SRP_PENDING_ACTIVE || st == SRP_PENDING_STANDBY;
}

bool srp_peer_holds(const struct srp *s)
{
	return election_holds(s->info.peer.state);
}

uint8_t srp_standby_rm(const struct srp_info *i, usec_t hold_off_us, uint8_t have, usec_t now)
{
	if (i->state == SRP_PENDING_ACTIVE)
		return have;
	if (i->state != SRP_STANDBY || now < i->last_change || now - i->last_change < hold_off_us)
		return 0;
	if (!i->peer.known || !election_holds(i->peer.state))
		return have;
	if (have > i->peer.rm)
		return have;
	return i->rm > i->peer.rm ? i->rm : 0;
}

void srp_unvouched(struct srp *s)
{
	srp_alarm(s, SRP_ALARM_UNVOUCHED, !s->stream.joined || s->copy_outdated,
		s->copy_outdated
			? "became Active with the copy of before the configurations differed: "
			  "sessions "
			  "made since are lost"
			: "became Active before the copy was complete: sessions that it lacks are "
			  "lost");
}

/* A claim that came to nothing is not made again at once: whoever answers claims would be asked
 * without end. */
static bool election_claim_waits(struct srp *s, usec_t now)
{
	return !srp_reached(s, s->claim_due, now);
}

/* Empty handed on purpose: without a term that is ours for certain there is no promotion. */
bool srp_promote(struct srp *s, enum srp_cause cause, bool alone, usec_t now)
{
	bool joining = s->plan.kind == PLAN_JOIN;
	srp_term_t term;

	if (s->gone || election_claim_waits(s, now) || srp_numbers_awaited(s, now) ||
		(!s->stream.joined && !srp_counter_ready(s)))
		return false;
	term = srp_term_take(s);
	if (term == 0)
		return false;
	srp_plan_start(s, PLAN_PROMOTE, term, cause, now);
	s->plan.alone = alone;
	s->plan.from = s->info.state;
	s->plan.joining = joining;
	s->late_term = 0;
	s->info.term = term;
	srp_move(s, SRP_PENDING_ACTIVE, cause, now);
	srp_numbers_doubt(s, now); /* the peer may have been Active meanwhile */
	return true;
}

/* The claim is the first step, so that nothing of the old role was undone. The term is spent, and
 * stays what this chassis says of itself, because that never falls. */
void srp_promote_undo(struct srp *s, usec_t now)
{
	enum srp_state from = s->plan.from;

	if (s->plan.joining)
		srp_plan_start(s, PLAN_JOIN, s->info.term, SRP_CAUSE_ABORTED, now);
	else
		s->plan.kind = PLAN_NONE;
	if (from == SRP_INIT)
		s->info.rm = srp_rm_start(s);
	srp_move(s, from, SRP_CAUSE_ABORTED, now);
}

/* Until its hello said that the two fit, and for as long as they do not. */
static bool election_join_refused(struct srp *s)
{
	return !s->info.agreed;
}

static void election_join(struct srp *s, usec_t now)
{
	if (s->info.peer.term > s->info.term)
		s->info.term = s->info.peer.term;
	s->info.rm = srp_rm_behind_peer(s);
	srp_move(s, SRP_STANDBY, SRP_CAUSE_STARTUP, now);
	srp_plan_start(s, PLAN_JOIN, s->info.term, SRP_CAUSE_STARTUP, now);
}

static void election_init_with_peer(struct srp *s, usec_t now)
{
	int order = srp_order_startup(s);

	if (srp_peer_holds(s)) {
		if (!election_join_refused(s))
			election_join(s, now);
		return;
	}
	if (s->info.peer.state == SRP_STANDBY) {
		/* It has the sessions, and promotes as soon as it hears that we have none. */
		if (srp_reached(s, srp_boot_peer_due(s), now))
			srp_promote(s, SRP_CAUSE_STARTUP, false, now);
		return;
	}
	srp_alarm(s, SRP_ALARM_TIEBREAK, order == 0,
		"mode, priority and tie-breaker equal the peer's: change one of them, until then "
		"neither becomes Active");
	if (order > 0 || (order < 0 && srp_reached(s, srp_boot_peer_due(s), now))) {
		uint8_t rm = s->info.rm;

		s->info.rm = 1;
		if (!srp_promote(s, SRP_CAUSE_STARTUP, false, now))
			s->info.rm = rm;
	}
}

/* When nobody will come any more; looked at again when what is heard has become silent. */
static bool election_alone(struct srp *s, usec_t now)
{
	srp_reached(s, srp_boot_heard_until(s), now);
	return srp_reached(s, srp_boot_alone_due(s, now), now);
}

static void election_rule_init(struct srp *s, usec_t now)
{
	if (srp_peer_alive(s)) {
		srp_probe_forget(s);
		election_init_with_peer(s, now);
	} else if (election_alone(s, now) && !s->shutting && !election_claim_waits(s, now) &&
		   srp_probe_free(s, now)) {
		srp_promote(s, SRP_CAUSE_STARTUP, true, now);
	}
}

/* The peer forgets nothing by being Standby too: two intervals tell a passing view from a real
 * one. Whose claim came to nothing lets the other try before it does so again. */
static void election_dual_standby(struct srp *s, usec_t now)
{
	usec_t patience =
		2 * (s->info.stream_alive ? s->next.judge.heartbeat_us : s->next.judge.hello_us);
	int order = srp_order_startup(s);

	srp_alarm(s, SRP_ALARM_TIEBREAK, order == 0,
		"mode, priority and tie-breaker equal the peer's: change one of them, until then "
		"neither becomes Active");
	if (order == 0)
		return;
	if (order < 0)
		patience += 2 * s->next.judge.dead_us;
	else if (s->claim_due != 0)
		patience += 2 * s->next.judge.dead_us + s->next.judge.hello_us;
	if (srp_reached(s,
		    srp_after(srp_latest(s->peer_state_since, s->info.last_change), patience), now))
		srp_promote(s, SRP_CAUSE_DUAL_STANDBY, false, now);
}

static void election_rule_standby(struct srp *s, usec_t now)
{
	struct srp_peer *p = &s->info.peer;

	if (s->shutting)
		return;
	if (!srp_peer_alive(s)) {
		srp_promote(s, s->life.left ? SRP_CAUSE_SHUTDOWN : SRP_CAUSE_DEAD_TIMER, true, now);
		return;
	}
	if (srp_peer_holds(s)) {
		s->claim_due = 0;
		s->info.rm = srp_rm_behind_peer(s);
		if (p->term > s->info.term)
			s->info.term = p->term;
	} else if (p->state == SRP_INIT) {
		/* It was Active in an earlier life: that one is dead. */
		srp_promote(s, SRP_CAUSE_DEAD_TIMER, false, now);
	} else {
		election_dual_standby(s, now);
	}
}

/* Who gives up must be sure that the other stays. What the peer said before it learnt of our term
 * may be of a role that it is about to give up itself: a chassis that stood still starts anew with
 * a worse route modifier. */
static bool peer_knows(const struct srp *s)
{
	return s->info.peer.hears_us && s->info.peer.highest_term >= s->info.term;
}

static void election_dual_active(struct srp *s, usec_t now)
{
	bool loses = srp_order_dual(s) < 0, knows = peer_knows(s);

	if (loses && knows) {
		srp_demote(s, SRP_CAUSE_DUAL_ACTIVE, now);
		return;
	}
	/* The peer would demote, or know better, if it heard us. */
	if (loses ? knows : s->info.peer.hears_us)
		s->one_way_since = USEC_NEVER;
	else if (s->one_way_since == USEC_NEVER)
		s->one_way_since = now;
	if (srp_reached(s, srp_after(s->one_way_since, 2 * srp_window(s)), now)) {
		srp_alarm(s, SRP_ALARM_ONE_WAY, true,
			"the peer is Active and does not hear this chassis: check both directions "
			"of both paths");
		srp_demote(s, SRP_CAUSE_DUAL_ACTIVE, now);
	}
}

/* On shared subnets the higher term has the traffic already: it must not be overtaken. */
static bool election_raise_term(struct srp *s)
{
	struct srp_peer *p = &s->info.peer;
	bool rival = srp_peer_alive(s) && p->term > s->info.term &&
		     (p->state == SRP_ACTIVE || p->state == SRP_PENDING_ACTIVE);

	return s->info.highest_term > s->info.term && !(rival && s->conf.l2);
}

static void election_rule_active(struct srp *s, usec_t now)
{
	struct srp_peer *p = &s->info.peer;
	/* What a peer that came back said of itself before it died is no longer true. */
	bool spoke = s->life.heard_at != USEC_NEVER && s->life.heard_at >= s->life.dead_at;
	bool dual = srp_peer_alive(s) && spoke && p->state == SRP_ACTIVE;

	srp_alarm(s, SRP_ALARM_DUAL_ACTIVE, dual,
		"both chassis are Active: one of them gives up by itself");
	if (dual)
		election_dual_active(s, now);
	else
		s->one_way_since = USEC_NEVER;
	if (s->info.state != SRP_ACTIVE || (dual && srp_order_dual(s) < 0))
		return;
	if (srp_peer_alive(s) && p->state == SRP_STANDBY) {
		srp_alarm_clear(s, SRP_ALARM_ONE_WAY);
		if (s->stream.in_sync)
			srp_alarm_clear(s, SRP_ALARM_UNVOUCHED);
		/* What is known of it from before a stall proves nothing. */
		if (s->info.rm >= SRP_RM_THRESHOLD && !s->info.must_not_answer)
			s->info.rm = 1;
	}
	/* It is about to give up: what it counted in its term is welcome in our stream, in whatever
	 * term that runs. */
	if (s->plan.kind == PLAN_NONE && dual && p->term < s->info.term &&
		s->late_term != p->term) {
		s->late_term = p->term;
		srp_plan_start(s, PLAN_RAISE, s->info.term, SRP_CAUSE_NONE, now);
		return;
	}
	if (s->plan.kind == PLAN_NONE && election_raise_term(s)) {
		srp_term_t term = srp_term_take(s);

		if (term == 0)
			return;
		if (dual)
			s->late_term = p->term;
		s->info.term = term;
		srp_plan_start(s, PLAN_RAISE, term, SRP_CAUSE_NONE, now);
	}
}

/* Announced at once, unless a stall caused it: then the peer's next word is worth more than a flap
 * of routes. */
static void election_metric(struct srp *s, usec_t now)
{
	if (s->info.rm == s->rm_announced)
		s->metric_due = USEC_NEVER;
	else if (s->metric_due == USEC_NEVER || srp_reached(s, s->metric_due, now)) {
		srp_emit(s, SRP_ACT_METRIC)->rm = s->info.rm;
		s->rm_announced = s->info.rm;
		s->metric_due = USEC_NEVER;
	}
}

void srp_rules(struct srp *s, usec_t now)
{
	if (s->gone)
		return;
	switch (s->info.state) {
	case SRP_INIT:
		election_rule_init(s, now);
		break;
	case SRP_STANDBY:
		election_rule_standby(s, now);
		break;
	case SRP_ACTIVE:
		election_rule_active(s, now);
		if (s->info.state == SRP_ACTIVE) {
			election_metric(s, now);
			srp_request_check(s, now);
		}
		break;
	case SRP_PENDING_ACTIVE:
	case SRP_PENDING_STANDBY:
		srp_offer_check(s, now);
		break;
	}
	srp_shutdown_check(s, now);
}
