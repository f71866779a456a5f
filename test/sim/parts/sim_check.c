/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold, whatever happens. */
#include <string.h>

#include "sim_srp.h"

/* A term belongs to one life of one chassis, for ever, and was durable before it was used. */
void check_term(struct world *w, int i, srp_term_t term, bool first)
{
	const struct node *n = &w->n[i];

	if ((term & 1) != n->conf.side)
		fail(w, "chassis %d uses term %llu of the other side", i, (unsigned long long)term);
	if (term >> 1 > n->disk.reserve)
		fail(w, "chassis %d uses term %llu beyond its durable reserve %llu", i,
			(unsigned long long)term, (unsigned long long)n->disk.reserve);
	for (unsigned int k = 0; k < w->n_terms; k++) {
		if (w->terms[k].term != term)
			continue;
		if (first || w->terms[k].node != i || w->terms[k].life != n->life)
			fail(w, "term %llu used twice", (unsigned long long)term);
		return;
	}
	if (w->n_terms == TERMS) {
		fail(w, "more terms than a run can need");
		return;
	}
	w->terms[w->n_terms].term = term;
	w->terms[w->n_terms].node = i;
	w->terms[w->n_terms++].life = n->life;
}

static usec_t check_window(const struct srp_conf *c)
{
	return c->heartbeat_us * c->dead_multiplier;
}

/* Whoever promotes for silence must not have had a path over which the peer could be heard. */
static void check_dead(struct world *w, int i)
{
	const struct node *n = &w->n[i], *p = &w->n[!i];
	usec_t patience =
		2 * (n->conf.dead_us > p->conf.dead_us ? n->conf.dead_us : p->conf.dead_us);
	usec_t window = check_window(&n->conf), other = check_window(&p->conf);
	const struct srp_peer *peer = &srp_info(n->s)->peer;

	if (p->s == NULL || peer->incarnation != p->conf.incarnation || peer->state == SRP_INIT)
		return;
	/* The peer runs what is next here, or what was here until a moment ago. */
	if (!w->apart && other > window)
		window = other;
	if (n->st.heard != USEC_NEVER && w->now < n->st.heard + window)
		fail(w, "chassis %d promotes although the stream was heard %llu us ago", i,
			(unsigned long long)(w->now - n->st.heard));
	if (w->now < p->running_since + patience || w->now < p->stalled_until + patience ||
		srp_info(p->s) == NULL)
		return;
	if (w->now > w->stream.good_since + patience && w->stream.percent == 0 &&
		!w->stream.cut[0] && !w->stream.cut[1])
		fail(w, "chassis %d promotes although the stream worked", i);
	if (w->connected && w->now > w->tcp.good_since + patience && w->tcp.percent == 0 &&
		!w->tcp.cut[0] && !w->tcp.cut[1])
		fail(w, "chassis %d promotes although SRP worked", i);
}

/* A full disk may leave an aborted switchover without a term to go on in. */
void check_abort(struct world *w, int i, const char *why)
{
	if (strstr(why, "claim") != NULL)
		fail(w, "chassis %d ends itself because of a claim: %s", i, why);
	if (w->list_lost && strstr(why, "contradicted") != NULL)
		return;
	if (!w->withheld && !w->n[i].disk_full)
		fail(w, "chassis %d aborts although no step was withheld: %s", i, why);
}

/* An offer, and the resumption when it failed, with all stalls that a run can put between. */
void check_pending(struct world *w, int i)
{
	struct node *n = &w->n[i];
	enum srp_state st = srp_info(n->s)->state;

	if (st != SRP_PENDING_ACTIVE && st != SRP_PENDING_STANDBY)
		n->pending_since = 0;
	else if (n->pending_since == 0)
		n->pending_since = w->now;
	else if (w->now > n->pending_since + 2 * n->conf.pending_us + 3000 * MS)
		fail(w, "chassis %d is stuck in %s", i, srp_state_name(st));
}

/* Whoever becomes Active for being alone on a shared subnet, and not as a Standby, asked before,
 * and nobody answered. */
void check_alone(struct world *w, int i, const struct srp_action *a)
{
	const struct node *n = &w->n[i];

	if (a->step == SRP_STEP_CLAIM && a->alone && a->cause == SRP_CAUSE_STARTUP && n->conf.l2 &&
		(!n->asked || n->answered))
		fail(w, "chassis %d becomes Active alone although its addresses %s", i,
			n->answered ? "are answered" : "may be answered");
}

void check_role(struct world *w, int i, const struct srp_action *a)
{
	trace(w, i, "%s -> %s (%s) term %llu rm %u", srp_state_name(a->from), srp_state_name(a->to),
		srp_cause_name(a->cause), (unsigned long long)a->term, a->rm);
	if (a->to == SRP_PENDING_ACTIVE) {
		w->promotions++;
		if (a->cause == SRP_CAUSE_DEAD_TIMER)
			check_dead(w, i);
	}
	if (a->to == SRP_ACTIVE && a->planned)
		w->planned++;
	if (a->cause == SRP_CAUSE_ABORTED && w->quiet)
		fail(w, "a switchover was aborted although nothing was wrong");
}

/* Without faults somebody forwards from the first activation on, and never do two do more than
 * forward late packets. */
void check_owners(struct world *w)
{
	unsigned int forward = 0, full = 0;

	for (int i = 0; i < 2; i++) {
		forward += w->n[i].owner;
		full += w->n[i].owner && !w->n[i].late;
	}
	if (!w->quiet)
		return;
	if (w->promotions > 1 && forward == 0)
		fail(w, "nobody owns the sessions");
	if (full > 1)
		fail(w, "two own the sessions");
}

void check_end(struct world *w)
{
	unsigned int active = 0, standby = 0;

	for (int i = 0; i < 2; i++) {
		if (w->n[i].s == NULL)
			continue;
		active += srp_info(w->n[i].s)->state == SRP_ACTIVE;
		standby += srp_info(w->n[i].s)->state == SRP_STANDBY;
	}
	if (active != 1 || standby != 1)
		fail(w, "%s and %s at the end", srp_state_name(srp_info(w->n[0].s)->state),
			srp_state_name(srp_info(w->n[1].s)->state));
	lists_check_end(w);
}
