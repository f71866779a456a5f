/* SPDX-License-Identifier: BSD-3-Clause */
/* The history of transitions, and what each switchover cost: kept in memory at once, added to the
 * file by the state's thread as soon as that may be. Nothing waits for the disk; what it does not
 * take is offered again. */
#include <stdlib.h>
#include <string.h>

#include "process/control.h"

enum { AGAIN_US = 1000000 };

void past_open(struct control *c)
{
	int ret = state_history(c->state, &c->past.h);

	if (ret < 0)
		LOG(ERR,
			"state-dir %s: cannot read the history of transitions: %s; it goes on "
			"without what was",
			T.conf->chassis.state_dir, strerror(-ret));
	if (c->past.h.skipped > 0)
		LOG(WARNING,
			"state-dir %s: %lu lines of srp.history are torn or damaged, and were "
			"skipped",
			T.conf->chassis.state_dir, (unsigned long)c->past.h.skipped);
}

static uint64_t live(void)
{
	uint64_t n = 0;

	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		n += T.table->shard[k].n_live;
	return n;
}

/* Sessions that records of the peer ended here. */
static uint64_t ended(void)
{
	uint64_t n = 0;

	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		n += counter_get(&T.table->shard[k].count.ended_by_peer);
	return n;
}

/* What the peer's table did not know is ended by the time our copy of it is whole. What subscribers
 * ended meanwhile is counted with it: a record does not say why. */
static void compared(struct past *p)
{
	struct history_entry *e = history_get(&p->h, p->comparing);

	p->comparing = 0;
	if (e == NULL)
		return;
	e->freed = ended() - p->ended;
	e->vouched = e->known > e->freed ? e->known - e->freed : 0;
	e->loss = HISTORY_LOSS_KNOWN;
	e->unsaved = p->dirty = true;
	LOG(NOTICE, "after dual active: %lu of %lu sessions were not the peer's, and ended here",
		(unsigned long)e->freed, (unsigned long)e->known);
}

static void loss(struct past *p, struct history_entry *e)
{
	e->known = live();
	e->loss = HISTORY_LOSS_KNOWN;
	if (e->to == SRP_ACTIVE) {
		e->vouched = p->joined ? e->known : 0;
	} else if (e->cause == SRP_CAUSE_DUAL_ACTIVE) {
		e->loss = HISTORY_LOSS_COMPARING;
		p->comparing = e->number;
		p->ended = ended();
	} else {
		e->vouched = e->known; /* acknowledged, before the peer took over */
	}
}

void past_role(struct control *c, const struct srp_action *a, usec_t now)
{
	struct past *p = &c->past;
	struct history_entry *e = history_add(&p->h);

	p->dirty = true;
	e->at = now;
	e->wall_us = clock_wall_us();
	e->from = a->from;
	e->to = a->to;
	e->cause = a->cause;
	e->term = a->term;
	e->planned = a->planned;
	p->transitions[a->to]++;
	if (p->comparing != 0) /* we move on before the comparison ended */
		compared(p);
	if (a->to == SRP_PENDING_ACTIVE)
		p->joined = atomic_load(&replicator_view(T.repl)->joined);
	if (!history_is_switchover(e))
		return;
	p->switchovers[a->cause]++;
	loss(p, e);
}

struct history_entry *past_last(struct control *c)
{
	return history_get(&c->past.h, c->past.h.next - 1);
}

/* A few lines, oldest first, to be freed; NULL: nothing is to be saved. */
static char *lines(struct past *p, size_t *len)
{
	char *text = NULL;

	*len = 0;
	p->n_going = 0;
	for (uint64_t i = history_first(&p->h); i < p->h.next && p->n_going < PAST_AT_ONCE; i++) {
		struct history_entry *e = history_get(&p->h, i);

		if (e == NULL || !e->unsaved)
			continue;
		if (text == NULL && (text = malloc(PAST_AT_ONCE * HISTORY_LINE)) == NULL)
			return NULL; /* at the next turn */
		*len += history_print(e, text + *len);
		/* again, if it changes meanwhile or the disk does not take it */
		e->unsaved = false;
		p->going[p->n_going++] = i;
	}
	p->dirty = text != NULL;
	return text;
}

static void added(struct control *c, int error, usec_t now)
{
	struct past *p = &c->past;
	char text[ALARM_TEXT];

	p->adding = false;
	for (unsigned int i = 0; error < 0 && i < p->n_going; i++) {
		struct history_entry *e = history_get(&p->h, p->going[i]);

		if (e != NULL)
			e->unsaved = p->dirty = true;
	}
	snprintf(text, sizeof(text),
		"%s: transitions are kept in memory alone: make state-dir %.150s writable, with "
		"room",
		strerror(-error), T.conf->chassis.state_dir);
	control_alarm(c, ALARM_HISTORY, error < 0, text, now);
	if (error < 0)
		p->again_at = now + AGAIN_US;
}

/* What was ended by records since we let go is known once a pass over the peer's whole table, begun
 * after that, has matched. */
static bool compared_all(const struct past *p, usec_t at)
{
	const struct replicator_view *v = replicator_view(T.repl);
	usec_t began = atomic_load(&v->pass_began), ended_at = atomic_load(&v->pass_ended);

	return p->comparing != 0 && atomic_load(&v->receiving) && atomic_load(&v->joined) &&
	       began != USEC_NEVER && began >= at && ended_at != USEC_NEVER && ended_at >= began;
}

void past_turn(struct control *c, usec_t now)
{
	struct past *p = &c->past;
	char *text;
	size_t len;
	int error;

	if (compared_all(p, srp_info(c->srp)->last_change))
		compared(p);
	if (p->adding && state_added(c->state, &error))
		added(c, error, now);
	if (!p->dirty || p->adding || now < p->again_at)
		return;
	text = lines(p, &len);
	if (text == NULL)
		return;
	p->adding = true;
	state_add(c->state, text, len);
}

void past_close(struct control *c)
{
	char *text;
	size_t len;

	if (c->state == NULL || !c->past.dirty)
		return;
	text = lines(&c->past, &len); /* written before the state's thread ends */
	if (text != NULL)
		state_add(c->state, text, len);
}
