/* SPDX-License-Identifier: BSD-3-Clause */
/* How long each part of a switchover took, for `show srp info` and the log: from the peer's last
 * sign of life, or from the order, over the steps of the other cores to the new role. */
#include <string.h>

#include "process/control.h"

static void phase(struct trace *t, const char *name, usec_t now)
{
	if (t->n == HISTORY_PHASES)
		return;
	t->phase[t->n].name = name;
	t->phase[t->n++].us = now > t->mark ? now - t->mark : 0;
	t->mark = RTE_MAX(t->mark, now);
}

void trace_heard(struct control *c, usec_t heard)
{
	if (heard == c->heard)
		return;
	c->heard = heard;
	c->heard_deaf = c->deaf;
	c->asked_at = 0;
}

void trace_asked(struct control *c, usec_t now)
{
	uint64_t asks = srp_info(c->srp)->count.asks_sent;

	if (asks != c->asks && c->asked_at == 0)
		c->asked_at = now;
	c->asks = asks;
}

static void begin(struct control *c, const struct srp_action *a, usec_t now)
{
	struct trace *t = &c->trace;
	bool died = a->to == SRP_PENDING_ACTIVE && a->cause == SRP_CAUSE_DEAD_TIMER &&
		    c->heard != USEC_NEVER;

	*t = (struct trace){ .began = now, .mark = now };
	if (!died)
		return;
	t->began = t->mark = RTE_MIN(c->heard, now);
	t->died = true;
	t->stood_still = c->deaf - c->heard_deaf;
	if (c->asked_at != 0)
		phase(t, "silence", c->asked_at);
	phase(t, c->asked_at != 0 ? "ask" : "silence", now);
}

static void tell(const struct trace *t)
{
	char text[256];
	size_t used = 0;

	for (unsigned int i = 0; i < t->n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s %.1f",
			i > 0 ? "," : "", t->phase[i].name, (double)t->phase[i].us / 1000);
	LOG(NOTICE, "switchover: %.1f ms (%.1f of them stood still):%s",
		(double)(t->mark - t->began) / 1000, (double)t->stood_still / 1000, text);
}

/* Into the entry of the transition that ended it. */
static void keep(struct control *c, const struct trace *t)
{
	struct history_entry *e = journal_last(c->journal);

	e->timed = true;
	e->died = t->died;
	e->took_us = t->mark - t->began;
	e->outage_us = t->outage_us;
	e->stood_still = t->stood_still;
	e->n_phases = t->n;
	for (unsigned int i = 0; i < t->n; i++) {
		snprintf(e->phase[i].name, sizeof(e->phase[i].name), "%s", t->phase[i].name);
		e->phase[i].us = t->phase[i].us;
	}
}

void trace_role(struct control *c, const struct srp_action *a, usec_t now)
{
	struct trace *t = &c->trace;

	if (a->to == SRP_PENDING_ACTIVE || a->to == SRP_PENDING_STANDBY) {
		begin(c, a, now);
	} else if (t->began != 0 && t->n > 0) {
		keep(c, t);
		tell(t);
		*t = (struct trace){ 0 };
	}
}

void trace_step(struct control *c, enum srp_step step, usec_t now)
{
	struct trace *t = &c->trace;

	if (t->began == 0)
		return;
	phase(t, srp_step_name(step), now);
	if (step == SRP_STEP_ACTIVATE && t->died)
		t->outage_us = now - t->began;
}

void trace_wait(struct control *c, enum srp_step next, usec_t now)
{
	struct trace *t = &c->trace;

	/* What the peer does with the offer. */
	if (t->began != 0 && (next == SRP_STEP_DEACTIVATE || next == SRP_STEP_RESUME) && t->n > 0)
		phase(t, "offer", now);
}
