/* SPDX-License-Identifier: BSD-3-Clause */
/* Planned switchover (lib/srp/README.md section 4) and shutdown. The Active holds, flushes and
 * offers a term; the Standby applies to the end, owns, activates and confirms; whatever fails
 * leaves the Active Active, in a new term. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "srp_pvt.h"

static int switchover_refuse(char reason[SRP_REASON_MAX], int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int switchover_refuse(char reason[SRP_REASON_MAX], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, SRP_REASON_MAX, fmt, ap);
	va_end(ap);
	return err;
}

/* Without these there is nobody to hand over to, or no way to do it: force does not help. */
static int switchover_check_possible(const struct srp *s, char reason[SRP_REASON_MAX])
{
	const struct srp_peer *p = &s->info.peer;

	if (s->info.state != SRP_ACTIVE)
		return switchover_refuse(reason, -EPERM,
			"this chassis is %s: run the command on the Active",
			srp_state_name(s->info.state));
	if (s->gone || s->plan.kind != PLAN_NONE)
		return switchover_refuse(
			reason, -EBUSY, "a change of role or term is under way: try again");
	if (!srp_peer_alive(s))
		return switchover_refuse(
			reason, -ENOTCONN, "no peer: start it and wait until it is Standby");
	if (!s->info.connected)
		return switchover_refuse(reason, -ENOTCONN,
			"no SRP connection: check the network between srp bind and srp peer");
	if (p->state != SRP_STANDBY)
		return switchover_refuse(reason, -EAGAIN,
			"the peer is %s: wait until it is Standby", srp_state_name(p->state));
	if (!srp_term_can_offer(s))
		return switchover_refuse(reason, -ENOSPC,
			"the term reserve is empty: free space in the state directory");
	return 0;
}

/* AAA excepted: the Standby does not probe. */
static bool switchover_peer_worse(const struct srp *s, char reason[SRP_REASON_MAX])
{
	uint32_t worse = s->info.peer.health.failed & ~s->health.failed & ~(1u << SRP_CAUSE_AAA);

	for (unsigned int c = SRP_CAUSE_NONE + 1; c <= SRP_CAUSE_LOCAL_FAULT; c++)
		if ((worse >> c & 1) != 0) {
			snprintf(reason, SRP_REASON_MAX,
				"the peer's monitors are worse, %s there: mend it, see show srp "
				"monitor there",
				srp_cause_name((enum srp_cause)c));
			return true;
		}
	return false;
}

static int switchover_check_ready(const struct srp *s, char reason[SRP_REASON_MAX])
{
	const struct srp_peer *p = &s->info.peer;

	if (!s->info.stream_alive)
		return switchover_refuse(reason, -ENETDOWN,
			"the replication path is down: check the replication ports");
	if (p->hello_at == USEC_NEVER)
		return switchover_refuse(
			reason, -EAGAIN, "no hello of the peer over SRP yet: try again");
	if (srp_peer_differs(s, reason))
		return -EINVAL;
	if (!srp_numbers_same(s))
		return switchover_refuse(reason, -EAGAIN,
			"the peer has not got the numbers of APNs and pools yet: try again");
	if (!s->stream.in_sync)
		return switchover_refuse(reason, -EINPROGRESS,
			"the standby is not in sync by the last passes of the audit: wait for it");
	if (switchover_peer_worse(s, reason))
		return -EAGAIN;
	if (srp_term_left(s) < SRP_RESERVE / 2)
		return switchover_refuse(reason, -ENOSPC,
			"the term reserve is low and not renewed: free space in the state "
			"directory");
	return 0;
}

int srp_check(const struct srp *s, bool force, char reason[SRP_REASON_MAX])
{
	int ret = switchover_check_possible(s, reason);

	if (ret == 0 && !force)
		ret = switchover_check_ready(s, reason);
	if (ret == 0)
		snprintf(reason, SRP_REASON_MAX, "ok");
	return ret;
}

/* For whoever asked; in an alarm it would be other words all the time. */
static void switchover_add_time_left(const struct srp *s, int ret, char reason[SRP_REASON_MAX])
{
	size_t n = strlen(reason);

	if (ret == -EINPROGRESS && s->stream.sync_left_s > 0)
		snprintf(reason + n, SRP_REASON_MAX - n, ", about %u s", s->stream.sync_left_s);
}

int srp_validate(struct srp *s, char reason[SRP_REASON_MAX], usec_t now)
{
	int ret = srp_check(s, false, reason);

	(void)now;
	switchover_add_time_left(s, ret, reason);
	s->info.count.validations++;
	if (ret < 0)
		s->info.count.validations_failed++;
	snprintf(s->info.validate_status, SRP_REASON_MAX, "%s", reason);
	return ret;
}

int srp_switchover(struct srp *s, bool force, char reason[SRP_REASON_MAX], usec_t now)
{
	int ret = srp_check(s, force, reason);

	switchover_add_time_left(s, ret, reason);
	if (ret == 0) {
		srp_offer_begin(s, force ? SRP_CAUSE_FORCED : SRP_CAUSE_MANUAL, force, now);
		srp_settle(s, now);
	}
	return ret;
}

void srp_offer_begin(struct srp *s, enum srp_cause cause, bool forced, usec_t now)
{
	srp_plan_start(s, PLAN_OFFER, s->info.term, cause, now);
	s->plan.planned = true;
	s->plan.forced = forced;
	s->plan.to = s->info.peer.incarnation;
	srp_move(s, SRP_PENDING_STANDBY, cause, now);
}

/* Also after a reconnect: the peer takes a repeated offer for what it is. */
void srp_offer_send(struct srp *s)
{
	if (s->plan.kind == PLAN_OFFER && s->plan.offered && !s->plan.given_up)
		srp_send(s, &(struct srp_msg){ .type = SRP_MSG_OFFER,
				    .offered = s->plan.offer,
				    .number = s->plan.number,
				    .to = s->plan.to,
				    .cause = (uint8_t)s->plan.cause,
				    .forced = s->plan.forced });
}

/* Without a term to resume in it waits for one: a peer that was started again may have lifted what
 * is spent beyond a reserve that is on its way to the disk. */
static void switchover_await_term(struct srp *s, usec_t now)
{
	if (s->plan.given_up && srp_reached(s, s->plan.due, now)) {
		srp_abort(s, "switchover aborted, and no term left to resume in");
		return;
	}
	if (!s->plan.given_up)
		s->plan.due = now + s->conf.pending_us;
	s->plan.given_up = true;
}

void srp_offer_give_up(struct srp *s, const char *why, usec_t now)
{
	srp_term_t own = s->info.term, term = srp_term_take(s);

	if (!s->plan.given_up) {
		s->info.count.switchovers_planned_aborted++;
		snprintf(
			s->info.validate_status, SRP_REASON_MAX, "switchover aborted: %.120s", why);
		s->request_due = now + s->conf.pending_us;
	}
	if (term == 0) {
		switchover_await_term(s, now);
		return;
	}
	s->info.term = term;
	srp_plan_start(s, PLAN_RESUME, term, SRP_CAUSE_ABORTED, now);
	s->plan.old_term = own;
}

void srp_offer_taken(struct srp *s, usec_t now)
{
	enum srp_cause cause = s->plan.cause;
	srp_term_t own = s->info.term;

	s->info.term = s->info.peer.term;
	s->info.rm = srp_rm_behind_peer(s);
	srp_plan_start(s, PLAN_YIELD, s->info.term, cause, now);
	s->plan.planned = true;
	s->plan.old_term = own;
}

static void switchover_check_offer(struct srp *s, usec_t now)
{
	const struct srp_peer *p = &s->info.peer;

	if (!srp_peer_alive(s) || p->incarnation != s->plan.to) {
		srp_offer_give_up(s, "the peer was lost", now);
	} else if (p->state == SRP_ACTIVE && p->term > s->info.term) {
		/* In the offered term it confirms; in another it promoted by itself, and has what
		 * we wanted to give. */
		srp_offer_taken(s, now);
	} else if (s->plan.given_up) {
		srp_offer_give_up(s, "", now);
	} else if (!s->plan.offered && srp_reached(s, s->plan.acked_due, now)) {
		if (!s->plan.forced) {
			srp_offer_give_up(s, "the standby does not acknowledge", now);
			return;
		}
		s->plan.number = 0;
		srp_plan_skip(s, now);
	}
}

void srp_offer_check(struct srp *s, usec_t now)
{
	const struct srp_peer *p = &s->info.peer;

	if (s->plan.kind == PLAN_OFFER) {
		switchover_check_offer(s, now);
	} else if (s->plan.kind == PLAN_PROMOTE && s->plan.planned && srp_peer_alive(s) &&
		   p->term > s->plan.term &&
		   (p->state == SRP_ACTIVE || p->state == SRP_PENDING_STANDBY)) {
		srp_offer_back_out(s, now);
	}
}

void srp_refuse(struct srp *s, srp_term_t offered, const char *why)
{
	struct srp_msg m = { .type = SRP_MSG_REFUSE, .offered = offered };

	snprintf(m.text, sizeof(m.text), "%s", why);
	srp_send(s, &m);
	s->info.count.offers_refused++;
}

/* What the workers may have counted meanwhile is late usage of the term that did not come to be. */
void srp_offer_back_out(struct srp *s, usec_t now)
{
	bool owned = s->plan.at > 1; /* OWN was asked for, behind CLAIM and STOP */
	srp_term_t own = s->plan.term;

	if (s->plan.at == 0) {
		srp_promote_undo(s, now);
		return;
	}
	if (s->info.peer.term > s->info.term)
		s->info.term = s->info.peer.term;
	srp_plan_start(s, owned ? PLAN_DEMOTE : PLAN_JOIN, s->info.term, SRP_CAUSE_ABORTED, now);
	s->plan.old_term = owned ? own : 0;
	srp_move(s, owned ? SRP_PENDING_STANDBY : SRP_STANDBY, SRP_CAUSE_ABORTED, now);
}

static const char *switchover_unready(const struct srp *s, const struct srp_msg *m)
{
	if (s->info.state != SRP_STANDBY || s->shutting)
		return "not Standby";
	if (s->plan.kind != PLAN_NONE)
		return "still becoming Standby";
	if (!srp_term_usable(s, m->offered))
		return "the term offered is not within the durable reserve";
	if (m->forced)
		return NULL;
	if (s->info.differs)
		return s->info.config_error;
	if (!s->stream.joined)
		return "the copy is not complete";
	return s->info.stream_alive ? NULL : "the replication stream is silent";
}

void srp_on_offer(struct srp *s, const struct srp_msg *m, usec_t now)
{
	const char *why;

	if (m->to != s->conf.incarnation) {
		s->info.count.messages_stale++;
		return;
	}
	if (s->info.term == m->offered && s->info.state == SRP_ACTIVE) {
		srp_send(s,
			&(struct srp_msg){
				.type = SRP_MSG_CONFIRM, .offered = m->offered, .rm = s->info.rm });
		return;
	}
	if (s->info.term == m->offered && s->info.state == SRP_PENDING_ACTIVE)
		return;
	why = switchover_unready(s, m);
	if (why != NULL) {
		srp_refuse(s, m->offered, why);
		return;
	}
	/* Whatever it said of itself before, it is handing over now. */
	s->info.peer.state = SRP_PENDING_STANDBY;
	srp_term_seen(s, m->offered);
	s->own_last = m->offered;
	s->info.term = m->offered;
	s->late_term = m->term;
	srp_plan_start(s, PLAN_PROMOTE, m->offered, (enum srp_cause)m->cause, now);
	s->plan.planned = true;
	s->plan.from = SRP_STANDBY;
	s->plan.old_term = m->term;
	s->plan.number = m->number;
	srp_move(s, SRP_PENDING_ACTIVE, (enum srp_cause)m->cause, now);
}

static bool switchover_ours(const struct srp *s, const struct srp_msg *m)
{
	return s->plan.kind == PLAN_OFFER && s->plan.offered && m->offered == s->plan.offer &&
	       m->incarnation == s->plan.to;
}

void srp_on_refuse(struct srp *s, const struct srp_msg *m, usec_t now)
{
	char why[SRP_REASON_MAX];

	if (!switchover_ours(s, m)) {
		s->info.count.messages_stale++;
		return;
	}
	snprintf(why, sizeof(why), "refused by the peer: %.100s", m->text);
	srp_offer_give_up(s, why, now);
}

void srp_on_confirm(struct srp *s, const struct srp_msg *m, usec_t now)
{
	struct srp_peer *p = &s->info.peer;

	if (!switchover_ours(s, m)) {
		s->info.count.messages_stale++;
		return;
	}
	/* Its own word may still be on the way. */
	if (p->state != SRP_ACTIVE)
		p->state = SRP_PENDING_ACTIVE;
	p->term = m->offered;
	p->rm = m->rm;
	srp_offer_taken(s, now);
}

void srp_on_goodbye(struct srp *s, const struct srp_msg *m, usec_t now)
{
	(void)m;
	s->life.left = true;
	s->life.dead_at = now;
}

void srp_goodbye(struct srp *s, bool was_active)
{
	srp_send(s, &(struct srp_msg){ .type = SRP_MSG_GOODBYE, .was_active = was_active });
	/* The connection may be gone, and heartbeats go on for as long as our late usage takes. */
	srp_last_word(s);
	srp_emit(s, SRP_ACT_GOODBYE);
	s->gone = true;
}

void srp_shutdown(struct srp *s, usec_t now)
{
	s->shutting = true;
	srp_settle(s, now);
}

void srp_shutdown_check(struct srp *s, usec_t now)
{
	char reason[SRP_REASON_MAX];

	if (!s->shutting || s->gone)
		return;
	if (s->info.state == SRP_INIT || s->info.state == SRP_STANDBY) {
		srp_goodbye(s, false);
	} else if (s->info.state == SRP_ACTIVE && s->plan.kind == PLAN_NONE) {
		if (!s->shut_tried && srp_check(s, false, reason) == 0) {
			s->shut_tried = true;
			srp_offer_begin(s, SRP_CAUSE_SHUTDOWN, false, now);
			return;
		}
		srp_plan_start(s, PLAN_LEAVE, s->info.term, SRP_CAUSE_SHUTDOWN, now);
		srp_move(s, SRP_PENDING_STANDBY, SRP_CAUSE_SHUTDOWN, now);
	}
}
