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
#include "pair_priv.h"
#include "signalling/signalling.h"

enum { STEP_PARTS = 4 };

static const char step_old_term[] = "a core refused a term that it knows to be old";

/* Recorded here, given to srp when what it asked for before has been carried out: an answer that
 * is there at once takes the same way as one of another core. */
static void step_answer(struct pair *p, bool ok, const char *why)
{
	struct step *s = &p->step;

	s->waiting = 0;
	s->answered = true;
	s->ok = ok;
	s->why = why;
}

bool step_deliver(struct pair *p, usec_t now)
{
	struct step s = p->step;

	if (!s.answered)
		return false;
	trace_step(p, s.step, clock_us());
	p->step = (struct step){ .step = SRP_STEP_NONE };
	if (!s.ok)
		LOG(WARNING, "a step of a role change failed step=%s term=%lu.%lu reason=%s",
			srp_step_name(s.step), (unsigned long)(s.term >> 1),
			(unsigned long)(s.term & 1), LOG_TEXT(s.why));
	srp_done(p->srp, s.step, s.term, s.ok, s.number, s.why, now);
	return true;
}

/* ---- what parts do ---- */

/* Each returns how many answers will come: one of each worker, or the replication core's. A message
 * that could not be sent is answered by nobody: srp's pending timer is the remedy. */
static int step_ask_workers(const struct pair *p, struct to_worker *m)
{
	to_worker_send_all(p->cores.to_worker, p->cores.n_workers, m);
	return (int)p->cores.n_workers;
}

static int step_ask_repl(const struct pair *p, struct to_replicator *m)
{
	to_replicator_send(p->cores.to_replicator, m);
	return 1;
}

static void step_slots(struct pair *p, enum pair_slots slots)
{
	p->slots = slots;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(p->cores.table, i,
			slots == PAIR_SLOTS_OWNED    ? p->cores.worker_of_shard[i]
			: slots == PAIR_SLOTS_STREAM ? SESSION_BY_REPL
						     : SESSION_BY_NONE);
}

/* Two chassis alone: nobody else is asked. */
static int step_claim(struct pair *p, usec_t now)
{
	return 0;
}

static int step_stop(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	return step_ask_repl(p, to_replicator_stop(p->cores.msgs, s->term, s->cookie));
}

static void step_slots_free(struct pair *p, usec_t now)
{
	step_slots(p, PAIR_SLOTS_NONE);
}

static int step_own(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	p->own_term = s->term;
	p->own_planned = s->planned;
	late_cancel(p); /* whatever was unsent stays in our own set */
	step_slots(p, PAIR_SLOTS_OWNED);
	step_ask_workers(p, to_worker_own(p->cores.msgs, s->term, s->cookie, s->planned));
	return (int)p->cores.n_workers;
}

static int step_vips_up(struct pair *p, usec_t now)
{
	if (role_lapsed(p->cores.role, clock_ticks())) {
		p->step.why = "the time in which this chassis may serve is over";
		return -ETIMEDOUT;
	}
	/* Planned, the other one is better off. Else there is no other: better without a route than
	 * not at all. */
	if (vips_up(p->vips, p->step.rm, now) == 0 || !p->own_planned)
		return 0;
	p->step.why = "an address or route could not be installed";
	return -EIO;
}

/* Again also when Active once more: the peer may have announced itself and ended since. Not when
 * the time to serve is over: pair_announce() does it when there is more. */
static int step_announce(struct pair *p, usec_t now)
{
	vips_announce_anew(p->vips, now);
	if (!role_lapsed(p->cores.role, clock_ticks()))
		vips_announce(p->vips, now);
	return 0;
}

static void step_signalling(struct pair *p)
{
	p->signalling_is = vips_confirmed(p->vips, &p->start.gtp) ? PAIR_ANSWERS : PAIR_NO_ADDRESS;
}

static int step_signalling_begin(struct pair *p, usec_t now)
{
	step_signalling(p);
	signalling_activated(p->signalling, srp_info(p->srp)->term, p->own_planned, now);
	return 0;
}

static int step_start_stream(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	return step_ask_repl(p, to_replicator_start(p->cores.msgs, s->term, s->cookie));
}

/* Who answers nobody yet, for the VIP is not confirmed, does not begin to now. */
static int step_hold(struct pair *p, usec_t now)
{
	p->signalling_is = p->signalling_is == PAIR_ANSWERS ? PAIR_HOLDS : PAIR_SILENT;
	return 0;
}

static bool step_no_answer_waits(const struct pair *p)
{
	return signalling_idle(p->signalling);
}

static int step_late(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	return step_ask_workers(p, to_worker_late(p->cores.msgs, s->term, s->cookie));
}

/* They change nothing any more. */
static void step_slots_late(struct pair *p, usec_t now)
{
	p->slots = PAIR_SLOTS_LATE;
}

/* The workers have encoded all; now it must be acknowledged. */
static int step_drain(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	return step_ask_repl(p, to_replicator_drain(p->cores.msgs, s->term, s->cookie));
}

static int step_own_again(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	p->own_term = s->term;
	p->slots = PAIR_SLOTS_OWNED; /* nobody else wrote since */
	return step_ask_workers(p, to_worker_resume(p->cores.msgs, s->term, s->cookie));
}

static int step_signalling_resume(struct pair *p, usec_t now)
{
	step_signalling(p);
	return 0;
}

static int step_signalling_end(struct pair *p, usec_t now)
{
	signalling_flush(p->signalling); /* what was answered leaves while it is ours to answer */
	p->signalling_is = PAIR_SILENT;
	signalling_deactivated(p->signalling);
	return 0;
}

static int step_vips_down(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	if (s->planned && !p->start.l2 && !pair_owns(p))
		routes_linger(p, s->rm, now);
	else
		vips_withdraw(p->vips);
	return 0;
}

static int step_release(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;

	return step_ask_workers(p, to_worker_release(p->cores.msgs, s->term, s->cookie));
}

/* Owned: the peer took over before late mode was reached: nobody else may write yet. */
static int step_release_owned(struct pair *p, usec_t now)
{
	if (!pair_owns(p))
		return 0;
	return step_release(p, now);
}

static int step_write(struct pair *p, usec_t now)
{
	struct step *s = &p->step;

	step_slots(p, PAIR_SLOTS_STREAM);
	s->old_term = late_begin(p, s->old_term, now);
	return step_ask_repl(
		p, to_replicator_write(p->cores.msgs, s->term, s->cookie, s->old_term));
}

/* ---- the table ---- */

struct step_part {
	/* How many answers will come; 0: it is done; -errno: it failed, step.why says why. */
	int (*begin)(struct pair *p, usec_t now);
	/* When all are there. */
	void (*ended)(struct pair *p, usec_t now);
	/* It is over not by answers but when this is so, which is looked at each turn. */
	bool (*until)(const struct pair *p);
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
static void step_go_on(struct pair *p, usec_t now)
{
	struct step *s = &p->step;
	const struct step_part *part;

	for (; (part = step_part(s)) != NULL; s->at++) {
		int n = part->begin(p, now);

		if (n < 0) {
			step_answer(p, false, s->why);
			return;
		}
		s->waiting = (unsigned int)n;
		if (n > 0 || part->until != NULL)
			return;
	}
	step_answer(p, true, "");
}

static void step_part_ended(struct pair *p, usec_t now)
{
	struct step *s = &p->step;
	const struct step_part *part = step_part(s);

	if (part->ended != NULL)
		part->ended(p, now);
	s->at++;
	step_go_on(p, now);
}

void step_begin(struct pair *p, const struct srp_action *a, usec_t now)
{
	p->step = (struct step){ .step = a->step,
		.term = a->term,
		.old_term = a->old_term,
		.planned = a->planned,
		.rm = a->rm,
		.cookie = ++p->cookies };
	if (a->step == SRP_STEP_NONE)
		return;
	assert(step_part(&p->step) != NULL); /* each step has a row */
	step_go_on(p, now);
}

static void step_answered(struct pair *p, uint64_t cookie, bool ok, uint64_t number, usec_t now)
{
	struct step *s = &p->step;

	if (cookie != s->cookie || s->step == SRP_STEP_NONE || s->waiting == 0 || s->answered)
		return;
	s->number = number;
	if (!ok)
		step_answer(p, false,
			step_part(s)->refused != NULL ? step_part(s)->refused : step_old_term);
	else if (--s->waiting == 0)
		step_part_ended(p, now);
}

void pair_worker_done(struct pair *p, const struct from_worker_done *m, usec_t now)
{
	step_answered(p, m->cookie, m->ok, 0, now);
}

void pair_repl_done(struct pair *p, const struct from_replicator_done *m, usec_t now)
{
	step_answered(p, m->cookie, m->ok, m->number, now);
}

void step_turn(struct pair *p, usec_t now)
{
	const struct step *s = &p->step;
	const struct step_part *part =
		s->step != SRP_STEP_NONE && !s->answered ? step_part(s) : NULL;

	if (part != NULL && part->until != NULL && part->until(p))
		step_part_ended(p, now);
	late_turn(p, now);
	routes_turn(p, now);
}

/* Who stood still first hears whether the peer took over; it may have done so and ended since, then
 * the segment still sends to it. */
void pair_announce(struct pair *p, usec_t now)
{
	if (pair_must_not_answer(p)) {
		vips_announce_anew(p->vips, now);
		return;
	}
	vips_turn(p->vips, now);
	if (p->signalling_is == PAIR_NO_ADDRESS)
		step_signalling(p);
	vips_announce(p->vips, now);
}
