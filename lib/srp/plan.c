/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of steps that other cores carry out. A step is asked for when the one before it was
 * answered; a sequence has one deadline, and what happens at its end or at its deadline stands in
 * its row. */
#include <assert.h>
#include <stdio.h>

#include "srp_pvt.h"

enum { PLAN_STEPS = 6 };

static void plan_end_nothing(struct srp *s, usec_t now)
{
	(void)s;
	(void)now;
}

static void plan_end_promote(struct srp *s, usec_t now)
{
	if (s->plan.cause != SRP_CAUSE_STARTUP)
		s->info.last_switchover = now;
	if (s->plan.planned)
		s->info.count.switchovers_planned++;
	else if (s->plan.cause == SRP_CAUSE_DEAD_TIMER)
		s->info.count.switchovers_dead_timer++;
	else if (s->plan.cause == SRP_CAUSE_DUAL_STANDBY)
		s->info.count.switchovers_dual_standby++;
	srp_move(s, SRP_ACTIVE, s->plan.cause, now);
}

static void plan_end_offer(struct srp *s, usec_t now)
{
	s->plan.kind = PLAN_OFFER;
	s->plan.offered = true;
	s->plan.offer = srp_term_offer(s);
	srp_offer_send(s);
}

static void plan_end_resume(struct srp *s, usec_t now)
{
	srp_move(s, SRP_ACTIVE, SRP_CAUSE_ABORTED, now);
}

static void plan_end_standby(struct srp *s, usec_t now)
{
	s->info.last_switchover = now;
	srp_alarm_clear(s, SRP_ALARM_UNVOUCHED);
	srp_alarm_clear(s, SRP_ALARM_DUAL_ACTIVE);
	srp_move(s, SRP_STANDBY, s->plan.cause, now);
}

static void plan_end_yield(struct srp *s, usec_t now)
{
	s->info.count.switchovers_planned++;
	plan_end_standby(s, now);
}

static void plan_end_leave(struct srp *s, usec_t now)
{
	s->plan.kind = PLAN_NONE;
	srp_goodbye(s, true);
	srp_move(s, SRP_INIT, SRP_CAUSE_SHUTDOWN, now);
}

static void plan_late_abort(struct srp *s, usec_t now);
static void plan_late_promote(struct srp *s, usec_t now);

static void plan_late_offer(struct srp *s, usec_t now)
{
	srp_offer_give_up(s, "pending-timeout", now);
}

static const struct plan_row {
	const char *name;
	enum srp_step steps[PLAN_STEPS];
	void (*end)(struct srp *s, usec_t now);
	void (*late)(struct srp *s, usec_t now);
} rows[PLAN_MAX] = {
	[PLAN_JOIN] = { "join", { SRP_STEP_WRITE }, plan_end_nothing, plan_late_abort },
	[PLAN_PROMOTE] = { "promotion",
		{ SRP_STEP_CLAIM, SRP_STEP_STOP, SRP_STEP_OWN, SRP_STEP_ACTIVATE, SRP_STEP_STREAM },
		plan_end_promote, plan_late_promote },
	[PLAN_RAISE] = { "new term", { SRP_STEP_STREAM }, plan_end_nothing, plan_late_abort },
	[PLAN_OFFER] = { "switchover", { SRP_STEP_HOLD, SRP_STEP_LATE }, plan_end_offer,
		plan_late_offer },
	[PLAN_RESUME] = { "resumption", { SRP_STEP_RESUME }, plan_end_resume, plan_late_abort },
	[PLAN_YIELD] = { "handover", { SRP_STEP_DEACTIVATE, SRP_STEP_WRITE }, plan_end_yield,
		plan_late_abort },
	[PLAN_DEMOTE] = { "demotion", { SRP_STEP_DEACTIVATE, SRP_STEP_RELEASE, SRP_STEP_WRITE },
		plan_end_standby, plan_late_abort },
	[PLAN_LEAVE] = { "shutdown", { SRP_STEP_DEACTIVATE, SRP_STEP_RELEASE }, plan_end_leave,
		plan_end_leave },
};

static enum srp_step plan_awaited(const struct srp *s)
{
	return s->plan.kind == PLAN_NONE ? SRP_STEP_NONE : rows[s->plan.kind].steps[s->plan.at];
}

static void plan_say_late(const struct srp *s, char why[SRP_REASON_MAX])
{
	snprintf(why, SRP_REASON_MAX, "%s: no answer to %s within pending-timeout",
		rows[s->plan.kind].name, srp_step_name(plan_awaited(s)));
}

static void plan_late_abort(struct srp *s, usec_t now)
{
	char why[SRP_REASON_MAX];

	(void)now;
	plan_say_late(s, why);
	srp_abort(s, why);
}

/* Whoever answers claims says no, or nothing: this chassis goes on as what it was, with the copy
 * that may be the only one, and the rules that wanted the promotion may want it again. An offer is
 * refused instead, so that the old Active goes on. */
static void plan_unclaimed(struct srp *s, const char *why, usec_t now)
{
	snprintf(s->info.validate_status, SRP_REASON_MAX, "%s", why);
	if (s->plan.planned)
		srp_refuse(s, s->plan.term, why);
	else
		s->claim_due = now + s->conf.hello_us;
	srp_promote_undo(s, now);
}

static void plan_late_promote(struct srp *s, usec_t now)
{
	char why[SRP_REASON_MAX];

	if (plan_awaited(s) != SRP_STEP_CLAIM) {
		plan_late_abort(s, now);
		return;
	}
	plan_say_late(s, why);
	plan_unclaimed(s, why, now);
}

void srp_give_up(struct srp *s, const char *why)
{
	srp_abort(s, why);
}

void srp_abort(struct srp *s, const char *why)
{
	struct srp_action *a = srp_emit(s, SRP_ACT_ABORT);

	snprintf(a->text, sizeof(a->text), "%s", why);
	s->plan.kind = PLAN_NONE;
	s->gone = true;
}

static void plan_ask_step(struct srp *s)
{
	struct srp_action *a = srp_emit(s, SRP_ACT_STEP);

	a->step = plan_awaited(s);
	a->term = s->plan.term;
	a->old_term = s->plan.old_term;
	a->cause = s->plan.cause;
	a->planned = s->plan.planned;
	a->alone = s->plan.alone;
	a->rm = s->info.rm;
	a->restart_counter = s->info.restart_counter;
	if (a->step == SRP_STEP_ACTIVATE)
		s->rm_announced = s->info.rm;
	if (a->step == SRP_STEP_STREAM && a->old_term == 0)
		a->old_term = s->late_term;
}

void srp_plan_start(
	struct srp *s, enum srp_plan_kind kind, srp_term_t term, enum srp_cause cause, usec_t now)
{
	s->plan = (struct srp_plan){ .kind = kind,
		.term = term,
		.cause = cause,
		.due = now + s->conf.pending_us,
		.acked_due = USEC_NEVER };
}

void srp_plan_waits_for(const struct srp *s, char text[SRP_REASON_MAX], usec_t now)
{
	const struct srp_plan *p = &s->plan;
	unsigned long long left =
		p->due > now ? (p->due - now + USEC_PER_SEC - 1) / USEC_PER_SEC : 0;
	bool offer = p->kind == PLAN_OFFER;

	if (offer && p->given_up)
		snprintf(text, SRP_REASON_MAX,
			"a term to be Active in again: the reserve is written to the state "
			"directory");
	else if (offer && p->offered)
		snprintf(text, SRP_REASON_MAX,
			"the peer to take over; the switchover is given up in %llu s", left);
	else if (p->kind != PLAN_NONE)
		snprintf(text, SRP_REASON_MAX, "the step %s of the %s; %s in %llu s",
			srp_step_name(plan_awaited(s)), rows[p->kind].name,
			offer || plan_awaited(s) == SRP_STEP_CLAIM ? "it is given up"
			: p->kind == PLAN_LEAVE                    ? "this process ends"
								   : "this process aborts",
			left);
}

/* The first step goes out when the rules have settled, so that its caller may still fill the plan
 * in. */
static void plan_begin(struct srp *s)
{
	if (s->plan.kind != PLAN_NONE && !s->plan.begun) {
		s->plan.begun = true;
		plan_ask_step(s);
	}
}

void srp_plan_check(struct srp *s, usec_t now)
{
	plan_begin(s);
	if (s->plan.kind != PLAN_NONE && srp_reached(s, s->plan.due, now))
		rows[s->plan.kind].late(s, now);
	plan_begin(s);
}

static void plan_failed(struct srp *s, enum srp_step step, const char *why, usec_t now)
{
	char text[SRP_REASON_MAX];

	snprintf(text, sizeof(text), "%s: %s failed: %s", rows[s->plan.kind].name,
		srp_step_name(step), why);
	if (s->plan.kind == PLAN_OFFER) {
		srp_offer_give_up(s, text, now);
	} else if (step == SRP_STEP_CLAIM) {
		plan_unclaimed(s, text, now);
	} else if (s->plan.kind == PLAN_PROMOTE && s->plan.planned) {
		srp_refuse(s, s->plan.term, text);
		srp_offer_back_out(s, now);
	} else if (s->plan.kind == PLAN_LEAVE) {
		plan_end_leave(s, now);
	} else {
		srp_abort(s, text);
	}
}

/* From here on the role is this chassis'. How long the answer took is not held against the cores,
 * whose steps begin now. */
static void plan_claimed(struct srp *s, usec_t now)
{
	s->claim_due = 0;
	s->plan.due = now + s->conf.pending_us;
	if (s->plan.from == SRP_STANDBY)
		srp_unvouched(s); /* also of a forced offer, which takes what there is */
}

/* What an answer means beyond "go on". False: it ended the plan. */
static bool plan_answered(struct srp *s, enum srp_step step, uint64_t number, usec_t now)
{
	struct srp_plan *p = &s->plan;

	if (step == SRP_STEP_STOP && p->planned && number < p->number) {
		srp_refuse(s, p->term, "the end of the stream is missing here");
		srp_offer_back_out(s, now);
		return false;
	}
	if (step == SRP_STEP_CLAIM)
		plan_claimed(s, now);
	if (step == SRP_STEP_HOLD)
		p->acked_due = now + SRP_ACKED_MS * USEC_PER_MSEC;
	if (step == SRP_STEP_LATE)
		p->number = number;
	if (step == SRP_STEP_ACTIVATE && p->planned)
		srp_send(
			s, &(struct srp_msg){
				   .type = SRP_MSG_CONFIRM, .offered = p->term, .rm = s->info.rm });
	return true;
}

static void plan_advance(struct srp *s, usec_t now)
{
	const struct plan_row *row = &rows[s->plan.kind];

	if (++s->plan.at < PLAN_STEPS && row->steps[s->plan.at] != SRP_STEP_NONE) {
		plan_ask_step(s);
		return;
	}
	s->plan.kind = PLAN_NONE;
	row->end(s, now);
}

/* Goes on without the answer that is awaited. */
void srp_plan_skip(struct srp *s, usec_t now)
{
	assert(plan_awaited(s) != SRP_STEP_CLAIM); /* no short cut passes it */
	plan_advance(s, now);
}

void srp_plan_done(struct srp *s, enum srp_step step, srp_term_t term, bool ok, uint64_t number,
	const char *why, usec_t now)
{
	if (step == SRP_STEP_NONE || !s->plan.begun || step != plan_awaited(s) ||
		term != s->plan.term)
		return;
	if (!ok)
		plan_failed(s, step, why != NULL ? why : "no reason given", now);
	else if (plan_answered(s, step, number, now))
		plan_advance(s, now);
}

void srp_demote(struct srp *s, enum srp_cause cause, usec_t now)
{
	srp_term_t own = s->info.term;

	if (s->info.peer.term > s->info.term)
		s->info.term = s->info.peer.term;
	if (cause == SRP_CAUSE_DUAL_ACTIVE)
		s->info.count.switchovers_dual_active++;
	s->info.rm = srp_rm_behind_peer(s);
	srp_plan_start(s, PLAN_DEMOTE, s->info.term, cause, now);
	s->plan.old_term = own;
	srp_move(s, SRP_PENDING_STANDBY, cause, now);
}
