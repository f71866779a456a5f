/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of a role change, as srp orders them: a table of parts, each a few messages to other cores
 * or something that is done here at once. When all parts are through srp gets one answer. Ownership
 * of the shards changes hands only here, after the previous writer let go. How long a sequence of
 * steps may take, and what follows if it takes longer, stands in lib/srp's plan: here nothing runs
 * out. */
#include <assert.h>
#include <errno.h>

#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "switchover_priv.h"
#include "signalling/signalling.h"

enum { STEP_PARTS = 4 };

static const char step_old_term[] = "a core refused a term that it knows to be old";

/* Recorded here, given to srp when what it asked for before has been carried out: an answer that
 * is there at once takes the same way as one of another core. */
static void step_answer(struct switchover *sw, bool ok, const char *why)
{
	struct step *s = &sw->step;

	s->waiting = 0;
	s->answered = true;
	s->ok = ok;
	s->why = why;
}

bool switchover_result(struct switchover *sw, struct switchover_result *r)
{
	const struct step *s = &sw->step;

	if (!s->answered)
		return false;
	*r = (struct switchover_result){
		.step = s->step, .term = s->term, .ok = s->ok, .number = s->number, .why = s->why
	};
	sw->step = (struct step){ .step = SRP_STEP_NONE };
	return true;
}

/* ---- what parts do ---- */

/* Each returns how many answers will come: one of each worker, or the replication core's. A message
 * that could not be sent is answered by nobody: srp's pending timer is the remedy. */
static int step_ask_workers(const struct switchover *sw, struct to_worker *m)
{
	to_worker_send_all(sw->to_worker, sw->n_workers, m);
	return (int)sw->n_workers;
}

static int step_ask_repl(const struct switchover *sw, struct to_replicator *m)
{
	to_replicator_send(sw->to_replicator, m);
	return 1;
}

static void step_slots(struct switchover *sw, enum switchover_slots slots)
{
	sw->slots = slots;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(sw->table, i,
			slots == SWITCHOVER_SLOTS_OWNED    ? sw->worker_of_shard[i]
			: slots == SWITCHOVER_SLOTS_STREAM ? SESSION_BY_REPL
							   : SESSION_BY_NONE);
}

/* Two chassis alone: nobody else is asked. */
static int step_claim(struct switchover *sw, usec_t now)
{
	return 0;
}

static int step_stop(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	return step_ask_repl(sw, to_replicator_stop(sw->msgs, s->term, s->cookie));
}

static void step_slots_free(struct switchover *sw, usec_t now)
{
	step_slots(sw, SWITCHOVER_SLOTS_NONE);
}

static int step_own(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	sw->own_term = s->term;
	sw->own_planned = s->planned;
	late_cancel(sw); /* whatever was unsent stays in our own set */
	step_slots(sw, SWITCHOVER_SLOTS_OWNED);
	step_ask_workers(sw, to_worker_own(sw->msgs, s->term, s->cookie, s->planned));
	return (int)sw->n_workers;
}

static int step_vips_up(struct switchover *sw, usec_t now)
{
	if (role_lapsed(sw->role, clock_ticks())) {
		sw->step.why = "the time in which this chassis may serve is over";
		return -ETIMEDOUT;
	}
	/* Planned, the other one is better off. Else there is no other: better without a route than
	 * not at all. */
	if (vips_up(sw->vips, sw->step.rm, now) == 0 || !sw->own_planned)
		return 0;
	sw->step.why = "an address or route could not be installed";
	return -EIO;
}

/* Again also when Active once more: the peer may have announced itself and ended since. Not when
 * the time to serve is over: switchover_announce() does it when there is more. */
static int step_announce(struct switchover *sw, usec_t now)
{
	vips_announce_anew(sw->vips, now);
	if (!role_lapsed(sw->role, clock_ticks()))
		vips_announce(sw->vips, now);
	return 0;
}

void step_signalling(struct switchover *sw)
{
	sw->signalling_is = vips_confirmed(sw->vips, &sw->start.gtp) ? SWITCHOVER_ANSWERS
								     : SWITCHOVER_NO_ADDRESS;
}

static int step_signalling_begin(struct switchover *sw, usec_t now)
{
	step_signalling(sw);
	signalling_activated(sw->signalling, sw->election->term, sw->own_planned, now);
	return 0;
}

static int step_start_stream(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	return step_ask_repl(sw, to_replicator_start(sw->msgs, s->term, s->cookie));
}

/* Who answers nobody yet, for the VIP is not confirmed, does not begin to now. */
static int step_hold(struct switchover *sw, usec_t now)
{
	sw->signalling_is =
		sw->signalling_is == SWITCHOVER_ANSWERS ? SWITCHOVER_HOLDS : SWITCHOVER_SILENT;
	return 0;
}

static bool step_no_answer_waits(const struct switchover *sw)
{
	return signalling_idle(sw->signalling);
}

static int step_late(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	return step_ask_workers(sw, to_worker_late(sw->msgs, s->term, s->cookie));
}

/* They change nothing any more. */
static void step_slots_late(struct switchover *sw, usec_t now)
{
	sw->slots = SWITCHOVER_SLOTS_LATE;
}

/* The workers have encoded all; now it must be acknowledged. */
static int step_drain(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	return step_ask_repl(sw, to_replicator_drain(sw->msgs, s->term, s->cookie));
}

static int step_own_again(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	sw->own_term = s->term;
	sw->slots = SWITCHOVER_SLOTS_OWNED; /* nobody else wrote since */
	return step_ask_workers(sw, to_worker_resume(sw->msgs, s->term, s->cookie));
}

static int step_signalling_resume(struct switchover *sw, usec_t now)
{
	step_signalling(sw);
	return 0;
}

static int step_signalling_end(struct switchover *sw, usec_t now)
{
	signalling_flush(sw->signalling); /* what was answered leaves while it is ours to answer */
	sw->signalling_is = SWITCHOVER_SILENT;
	signalling_deactivated(sw->signalling);
	return 0;
}

static int step_vips_down(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	if (s->planned && !sw->start.l2 && !switchover_owns(sw))
		routes_linger(sw, s->rm, now);
	else
		vips_withdraw(sw->vips);
	return 0;
}

static int step_release(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;

	return step_ask_workers(sw, to_worker_release(sw->msgs, s->term, s->cookie));
}

/* Owned: the peer took over before late mode was reached: nobody else may write yet. */
static int step_release_owned(struct switchover *sw, usec_t now)
{
	if (!switchover_owns(sw))
		return 0;
	return step_release(sw, now);
}

static int step_write(struct switchover *sw, usec_t now)
{
	struct step *s = &sw->step;

	step_slots(sw, SWITCHOVER_SLOTS_STREAM);
	s->old_term = late_begin(sw, s->old_term, now);
	return step_ask_repl(sw, to_replicator_write(sw->msgs, s->term, s->cookie, s->old_term));
}

/* ---- the table ---- */

struct step_part {
	/* How many answers will come; 0: it is done; -errno: it failed, step.why says why. */
	int (*begin)(struct switchover *sw, usec_t now);
	/* When all are there. */
	void (*ended)(struct switchover *sw, usec_t now);
	/* It is over not by answers but when this is so, which is looked at each turn. */
	bool (*until)(const struct switchover *sw);
	/* What it means that a core refuses; NULL: step_old_term. */
	const char *refused;
};

static const struct step_part step_parts[SRP_STEPS][STEP_PARTS] = {
	[SRP_STEP_CLAIM] = { { .begin = step_claim } },
	[SRP_STEP_STOP] = { { .begin = step_stop, .ended = step_slots_free } },
	[SRP_STEP_OWN] = { { .begin = step_own } },
	/* Nothing is announced or answered for a VIP that the kernel has not confirmed. */
	[SRP_STEP_ACTIVATE] = { { .begin = step_vips_up }, { .begin = step_announce },
		{ .begin = step_signalling_begin } },
	[SRP_STEP_STREAM] = { { .begin = step_start_stream } },
	[SRP_STEP_HOLD] = { { .begin = step_hold, .until = step_no_answer_waits } },
	[SRP_STEP_LATE] = { { .begin = step_late, .ended = step_slots_late },
		{ .begin = step_drain,
			.refused = "the stream ended before everything was acknowledged" } },
	[SRP_STEP_RESUME] = { { .begin = step_own_again }, { .begin = step_start_stream },
		{ .begin = step_announce }, { .begin = step_signalling_resume } },
	[SRP_STEP_DEACTIVATE] = { { .begin = step_signalling_end }, { .begin = step_vips_down } },
	[SRP_STEP_RELEASE] = { { .begin = step_release, .ended = step_slots_free } },
	[SRP_STEP_WRITE] = { { .begin = step_release_owned, .ended = step_slots_free },
		{ .begin = step_write } },
};

/* NULL: the step is through. */
static const struct step_part *step_part(const struct step *s)
{
	const struct step_part *part = s->at < STEP_PARTS ? &step_parts[s->step][s->at] : NULL;

	return part != NULL && part->begin != NULL ? part : NULL;
}

/* Begins parts until one has to wait. */
static void step_go_on(struct switchover *sw, usec_t now)
{
	struct step *s = &sw->step;
	const struct step_part *part;

	for (; (part = step_part(s)) != NULL; s->at++) {
		int n = part->begin(sw, now);

		if (n < 0) {
			step_answer(sw, false, s->why);
			return;
		}
		s->waiting = (unsigned int)n;
		if (n > 0 || part->until != NULL)
			return;
	}
	step_answer(sw, true, "");
}

static void step_part_ended(struct switchover *sw, usec_t now)
{
	struct step *s = &sw->step;
	const struct step_part *part = step_part(s);

	if (part->ended != NULL)
		part->ended(sw, now);
	s->at++;
	step_go_on(sw, now);
}

void switchover_begin(struct switchover *sw, const struct srp_action *a, usec_t now)
{
	sw->step = (struct step){ .step = a->step,
		.term = a->term,
		.old_term = a->old_term,
		.planned = a->planned,
		.rm = a->rm,
		.cookie = ++sw->cookies };
	if (a->step == SRP_STEP_NONE)
		return;
	assert(step_part(&sw->step) != NULL); /* each step has a row */
	step_go_on(sw, now);
}

static void step_answered(
	struct switchover *sw, uint64_t cookie, bool ok, uint64_t number, usec_t now)
{
	struct step *s = &sw->step;

	if (cookie != s->cookie || s->step == SRP_STEP_NONE || s->waiting == 0 || s->answered)
		return;
	s->number = number;
	if (!ok)
		step_answer(sw, false,
			step_part(s)->refused != NULL ? step_part(s)->refused : step_old_term);
	else if (--s->waiting == 0)
		step_part_ended(sw, now);
}

void switchover_worker_done(struct switchover *sw, const struct from_worker_done *m, usec_t now)
{
	step_answered(sw, m->cookie, m->ok, 0, now);
}

void switchover_repl_done(struct switchover *sw, const struct from_replicator_done *m, usec_t now)
{
	step_answered(sw, m->cookie, m->ok, m->number, now);
}

void step_turn(struct switchover *sw, usec_t now)
{
	const struct step *s = &sw->step;
	const struct step_part *part =
		s->step != SRP_STEP_NONE && !s->answered ? step_part(s) : NULL;

	if (part != NULL && part->until != NULL && part->until(sw))
		step_part_ended(sw, now);
}
