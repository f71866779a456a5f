/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of a role change, as srp orders them: a table of parts, each a few messages to other cores
 * or something that is done here at once. When all parts are through srp gets one answer. Ownership
 * of the shards changes hands only here, after the previous writer let go. How long a sequence of
 * steps may take, and what follows if it takes longer, stands in lib/srp's plan: here nothing runs
 * out. */
#include <errno.h>

#include "process/control.h"
#include "common/mutant.h"

#include "pair_priv.h"

enum { STEP_PARTS = 4 };

static const char step_old_term[] = "a core refused a term that it knows to be old";

/* Recorded here, given to srp when what it asked for before has been carried out: an answer that
 * is there at once takes the same way as one of another core. */
static void step_answer(struct control *c, bool ok, const char *why)
{
	struct step *s = &c->pair->step;

	s->waiting = 0;
	s->answered = true;
	s->ok = ok;
	s->why = why;
	if (MUTANT(answer_in_step))
		pair_drain(c, c->now);
}

bool step_deliver(struct control *c, usec_t now)
{
	struct step s = c->pair->step;

	if (!s.answered)
		return false;
	trace_step(c, s.step, clock_us());
	c->pair->step = (struct step){ .step = SRP_STEP_NONE };
	if (!s.ok)
		LOG(WARNING, "step %s of term %lu: %s", srp_step_name(s.step),
			(unsigned long)s.term, s.why);
	srp_done(c->srp, s.step, s.term, s.ok, s.number, s.why, now);
	return true;
}

/* ---- what parts do ---- */

/* Each returns how many answers will come: one of each worker, or the replication core's. A message
 * that could not be sent is answered by nobody: srp's pending timer is the remedy. */
static int step_ask_workers(struct to_worker *m)
{
	to_worker_send_all(T.to_worker, T.n_workers, m);
	return (int)T.n_workers;
}

static int step_ask_repl(struct to_replicator *m)
{
	to_replicator_send(&T.to_repl, m);
	return 1;
}

static void step_slots(struct control *c, enum pair_slots slots)
{
	c->pair->slots = slots;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(T.table, i,
			slots == PAIR_SLOTS_OWNED    ? T.shared.worker_of_shard[i]
			: slots == PAIR_SLOTS_STREAM ? SESSION_BY_REPL
						     : SESSION_BY_NONE);
}

/* Two chassis alone: nobody else is asked. */
static int step_claim(struct control *c, usec_t now)
{
	return 0;
}

static int step_stop(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	return step_ask_repl(to_replicator_stop(T.msgs, s->term, s->cookie));
}

static void step_slots_free(struct control *c, usec_t now)
{
	step_slots(c, PAIR_SLOTS_NONE);
}

static int step_own(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	c->pair->own_term = s->term;
	c->pair->own_planned = s->planned;
	late_cancel(c); /* whatever was unsent stays in our own set */
	step_slots(c, PAIR_SLOTS_OWNED);
	step_ask_workers(to_worker_own(T.msgs, s->term, s->cookie, s->planned));
	return MUTANT(own_not_awaited) ? 0 : (int)T.n_workers;
}

static int step_vips_up(struct control *c, usec_t now)
{
	/* Planned, the other one is better off. Else there is no other: better without a route than
	 * not at all. */
	if (vips_up(c->vips, c->pair->step.rm, now) == 0 || !c->pair->own_planned)
		return 0;
	c->pair->step.why = "an address or route could not be installed";
	return -EIO;
}

/* Again also when Active once more: the peer may have announced itself and ended since. */
static int step_announce(struct control *c, usec_t now)
{
	vips_announce_anew(c->vips, now);
	vips_announce(c->vips, now);
	return 0;
}

static void step_signalling(struct control *c)
{
	c->pair->signalling = vips_confirmed(c->vips, &config_gtp(T.conf)->address)
				      ? PAIR_ANSWERS
				      : PAIR_NO_ADDRESS;
}

static int step_signalling_begin(struct control *c, usec_t now)
{
	step_signalling(c);
	signalling_activated(c->signalling, srp_info(c->srp)->term, c->pair->own_planned, now);
	return 0;
}

static int step_start_stream(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	return step_ask_repl(to_replicator_start(T.msgs, s->term, s->cookie));
}

static int step_hold(struct control *c, usec_t now)
{
	c->pair->signalling = PAIR_HOLDS;
	return 0;
}

static bool step_no_answer_waits(const struct control *c)
{
	return signalling_idle(c->signalling);
}

static int step_late(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	return step_ask_workers(to_worker_late(T.msgs, s->term, s->cookie));
}

/* They change nothing any more. */
static void step_slots_late(struct control *c, usec_t now)
{
	if (!MUTANT(drain_not_awaited))
		c->pair->slots = PAIR_SLOTS_LATE;
}

/* The workers have encoded all; now it must be acknowledged. */
static int step_drain(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	return MUTANT(drain_not_awaited)
		       ? 0
		       : step_ask_repl(to_replicator_drain(T.msgs, s->term, s->cookie));
}

static int step_own_again(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	c->pair->own_term = s->term;
	c->pair->slots = PAIR_SLOTS_OWNED; /* nobody else wrote since */
	return step_ask_workers(to_worker_resume(T.msgs, s->term, s->cookie));
}

static int step_signalling_resume(struct control *c, usec_t now)
{
	step_signalling(c);
	return 0;
}

static int step_signalling_end(struct control *c, usec_t now)
{
	signalling_flush(c->signalling); /* what was answered leaves while it is ours to answer */
	c->pair->signalling = PAIR_SILENT;
	signalling_deactivated(c->signalling);
	return 0;
}

static int step_vips_down(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	if (s->planned && !T.conf->srp.l2 && !pair_owns(c->pair) && !MUTANT(route_withdrawn))
		routes_linger(c, s->rm, now);
	else
		vips_withdraw(c->vips);
	return 0;
}

static int step_release(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;

	return step_ask_workers(to_worker_release(T.msgs, s->term, s->cookie));
}

/* Owned: the peer took over before late mode was reached: nobody else may write yet. */
static int step_release_owned(struct control *c, usec_t now)
{
	if (!pair_owns(c->pair) || MUTANT(written_before_release))
		return 0;
	return step_release(c, now);
}

static int step_write(struct control *c, usec_t now)
{
	struct step *s = &c->pair->step;

	step_slots(c, PAIR_SLOTS_STREAM);
	s->old_term = late_begin(c, s->old_term, now);
	return step_ask_repl(to_replicator_write(T.msgs, s->term, s->cookie, s->old_term));
}

/* ---- the table ---- */

struct step_part {
	/* How many answers will come; 0: it is done; -errno: it failed, step.why says why. */
	int (*begin)(struct control *c, usec_t now);
	/* When all are there. */
	void (*ended)(struct control *c, usec_t now);
	/* It is over not by answers but when this is so, which is looked at each turn. */
	bool (*until)(const struct control *c);
	/* What it means that a core refuses; NULL: step_old_term. */
	const char *refused;
};

static const struct step_part step_parts[][STEP_PARTS] = {
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
	const struct step_part *p = s->at < STEP_PARTS ? &step_parts[s->step][s->at] : NULL;

	return p != NULL && p->begin != NULL ? p : NULL;
}

/* Begins parts until one has to wait. */
static void step_go_on(struct control *c, usec_t now)
{
	struct step *s = &c->pair->step;
	const struct step_part *p;

	for (; (p = step_part(s)) != NULL; s->at++) {
		int n = p->begin(c, now);

		if (n < 0) {
			step_answer(c, false, s->why);
			return;
		}
		s->waiting = (unsigned int)n;
		if (n > 0 || p->until != NULL)
			return;
	}
	step_answer(c, true, "");
}

static void step_part_ended(struct control *c, usec_t now)
{
	struct step *s = &c->pair->step;
	const struct step_part *p = step_part(s);

	if (p->ended != NULL)
		p->ended(c, now);
	s->at++;
	step_go_on(c, now);
}

void step_begin(struct control *c, const struct srp_action *a, usec_t now)
{
	c->pair->step = (struct step){ .step = a->step,
		.term = a->term,
		.old_term = a->old_term,
		.planned = a->planned,
		.rm = a->rm,
		.cookie = ++c->pair->cookies };
	if (a->step != SRP_STEP_NONE)
		step_go_on(c, now);
}

static void step_answered(struct control *c, uint64_t cookie, bool ok, uint64_t number, usec_t now)
{
	struct step *s = &c->pair->step;

	if (cookie != s->cookie || s->step == SRP_STEP_NONE || s->waiting == 0 || s->answered)
		return;
	s->number = number;
	if (!ok)
		step_answer(c, false,
			step_part(s)->refused != NULL ? step_part(s)->refused : step_old_term);
	else if (--s->waiting == 0)
		step_part_ended(c, now);
}

void step_worker_done(struct control *c, const struct from_worker_done *m, usec_t now)
{
	step_answered(c, m->cookie, m->ok, 0, now);
}

void step_repl_done(struct control *c, const struct from_replicator_done *m, usec_t now)
{
	step_answered(c, m->cookie, m->ok, m->number, now);
}

void step_late_ended(struct control *c, const struct from_worker_late_end *m, usec_t now)
{
	late_worker_ended(c, m->term, now);
}

void step_late_drained(struct control *c, const struct from_replicator_late_drained *m)
{
	late_acknowledged(c, m->term);
}

void pair_turn(struct control *c, usec_t now)
{
	const struct step *s = &c->pair->step;
	const struct step_part *p = s->step != SRP_STEP_NONE && !s->answered ? step_part(s) : NULL;

	if (p != NULL && p->until != NULL && p->until(c))
		step_part_ended(c, now);
	late_turn(c, now);
	routes_turn(c, now);
}

/* Who stood still first hears whether the peer took over; it may have done so and ended since, then
 * the segment still sends to it. */
void pair_announce(struct control *c, usec_t now)
{
	if (srp_info(c->srp)->mute) {
		vips_announce_anew(c->vips, now);
		return;
	}
	vips_turn(c->vips, now);
	if (c->pair->signalling == PAIR_NO_ADDRESS)
		step_signalling(c);
	vips_announce(c->vips, now);
}
