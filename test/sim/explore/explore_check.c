/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold in every state, and after each undisturbed course. */
#include <string.h>

#include "explore.h"

static bool is_pending(enum srp_state st)
{
	return st == SRP_PENDING_ACTIVE || st == SRP_PENDING_STANDBY;
}

/* A term belongs to one life of one chassis and was durable there before it was used; a side's
 * terms only grow. */
static void check_term(const struct world *w, int i, srp_term_t term, bool first)
{
	struct chassis *c = &explore_now->c[i];

	if ((term & 1) != (unsigned int)i)
		broken("chassis %c uses term %llu of the other side", 'A' + i,
			(unsigned long long)term);
	if (term >> 1 > c->disk.reserve)
		broken("chassis %c uses term %llu beyond its durable reserve %llu", 'A' + i,
			(unsigned long long)term, (unsigned long long)c->disk.reserve);
	if (term < c->used || (term == c->used && (first || c->used_life != c->life)))
		broken("term %llu used twice", (unsigned long long)term);
	(void)w;
	c->used = term;
	c->used_life = c->life;
}

/* Addresses come when the workers own, workers own when the stream was applied to its end. */
static void check_step(const struct world *w, int i, const struct srp_action *a)
{
	const struct chassis *c = &w->c[i];

	if (a->step == SRP_STEP_OWN || a->step == SRP_STEP_STREAM || a->step == SRP_STEP_RESUME)
		check_term(w, i, a->term, a->step != SRP_STEP_STREAM);
	if (a->step == SRP_STEP_OWN && a->term != c->claimed)
		broken("chassis %c owns in a term for which its claim was not granted", 'A' + i);
	if (a->step == SRP_STEP_OWN && c->writing)
		broken("chassis %c owns what the stream still writes", 'A' + i);
	if (a->step == SRP_STEP_ACTIVATE && !c->owner)
		broken("chassis %c answers on its addresses and does not own", 'A' + i);
	if (a->step == SRP_STEP_STREAM && !c->owner)
		broken("chassis %c streams what it does not own", 'A' + i);
	if (a->step == SRP_STEP_WRITE && c->owner)
		broken("chassis %c applies a stream to what it owns", 'A' + i);
}

/* Whoever promotes for silence had no path over which the peer could be heard. */
static void check_dead(const struct world *w, int i)
{
	const struct chassis *c = &w->c[i], *p = &w->c[!i];
	const struct srp_peer *peer = &srp_info(machine(i))->peer;

	if (!p->up || peer->incarnation != machine(!i)->conf.incarnation || peer->state == SRP_INIT)
		return;
	if (c->heard < WINDOW && c->st.heard != USEC_NEVER)
		broken("chassis %c promotes although the stream was heard %u rounds ago", 'A' + i,
			c->heard);
	if (w->tcp_good > WINDOW && c->answered <= BEAT)
		broken("chassis %c promotes although SRP answers", 'A' + i);
}

/* Whoever becomes Active for being alone on a shared subnet asked before, and nobody answered; or
 * asked in vain for so long that it need not wait. */
static void check_alone(const struct world *w, int i)
{
	const struct chassis *c = &w->c[i];

	if (!machine(i)->conf.l2 || srp_peer_alive(machine(i)) || c->probed == FREE)
		return;
	if (c->probed != PROBING || c->probe_for < SRP_PROBE_US / ROUND)
		broken("chassis %c becomes Active alone although its addresses %s", 'A' + i,
			c->probed == TAKEN ? "are answered" : "may be answered");
}

static void check_role(const struct world *w, int i, const struct srp_action *a)
{
	tell(i, "%s -> %s (%s), term %llu", srp_state_name(a->from), srp_state_name(a->to),
		srp_cause_name(a->cause), (unsigned long long)a->term);
	if (a->to == SRP_PENDING_ACTIVE && a->cause == SRP_CAUSE_DEAD_TIMER)
		check_dead(w, i);
	if (a->to == SRP_PENDING_ACTIVE && a->from == SRP_INIT)
		check_alone(w, i);
}

void check_action(const struct world *w, int i, const struct srp_action *a)
{
	if (a->kind == SRP_ACT_STEP) {
		tell(i, "step %s in term %llu", srp_step_name(a->step),
			(unsigned long long)a->term);
		check_step(w, i, a);
	} else if (a->kind == SRP_ACT_ROLE) {
		check_role(w, i, a);
	} else if (a->kind == SRP_ACT_ABORT && strstr(a->text, "claim") != NULL) {
		broken("chassis %c ends itself because of a claim: %s", 'A' + i, a->text);
	} else if (a->kind == SRP_ACT_ABORT || a->kind == SRP_ACT_ALARM) {
		tell(i, "%s%s %s", a->kind == SRP_ACT_ABORT ? "aborts: " : srp_alarm_name(a->alarm),
			a->kind == SRP_ACT_ABORT || a->raised ? "" : " cleared", a->text);
	}
	if (srp_info(machine(i))->count.messages_malformed > 0)
		broken("chassis %c takes a message of the other for malformed", 'A' + i);
}

/* The offer, and the resumption when it failed; while it stands still no timer of it fires. */
static void check_pending(struct chassis *c, int i)
{
	enum srp_state st = srp_info(machine(i))->state;

	if (!c->up || !is_pending(st))
		c->pending = 0;
	else if (c->stalled == 0 && ++c->pending > 2 * PENDING + 12)
		broken("chassis %c is stuck in %s", 'A' + i, srp_state_name(st));
}

void check_round(struct world *w)
{
	unsigned int full = 0;

	for (int i = 0; i < 2; i++) {
		check_pending(&w->c[i], i);
		full += w->c[i].up && w->c[i].owner && !w->c[i].late;
	}
	/* Without a stall or a cut of both paths nobody has a reason to believe that it is
	 * alone. */
	if (full > 1 && !w->split)
		broken("two own the sessions");
}

void check_rest(const struct world *w)
{
	unsigned int of[SRP_PENDING_STANDBY + 1] = { 0 };
	const struct srp *s[2] = { (const void *)w->c[0].head, (const void *)w->c[1].head };

	for (int i = 0; i < 2; i++) {
		if (!w->c[i].up)
			broken("chassis %c does not come back", 'A' + i);
		of[s[i]->info.state]++;
	}
	if (of[SRP_ACTIVE] == 1 && of[SRP_STANDBY] == 1) {
		int a = s[1]->info.state == SRP_ACTIVE;

		if (!w->c[a].owner || !w->c[a].vips || !w->c[a].streaming || !w->c[!a].writing ||
			!w->c[!a].st.joined)
			broken("at rest, and chassis %c does not carry the sessions or %c has no "
			       "copy",
				'A' + a, 'A' + !a);
		if (s[a]->info.rm >= s[!a]->info.rm)
			broken("the Active's route modifier %u is not below the Standby's %u",
				s[a]->info.rm, s[!a]->info.rm);
		if (s[a]->info.rm > SRP_RM_THRESHOLD)
			broken("the Active's route modifier %u is above the threshold",
				s[a]->info.rm);
		return;
	}
	/* Who cannot write a term down does not become Active; it says so. */
	if ((w->c[0].disk_full || w->c[1].disk_full))
		return;
	broken("at rest as %s and %s", srp_state_name(s[0]->info.state),
		srp_state_name(s[1]->info.state));
}
