/* SPDX-License-Identifier: BSD-3-Clause */
/* How long each part of a switchover took, for `show srp info` and the log: from the peer's last
 * sign of life, or from the order, over the steps of the other cores to the new role. */
#include <stdio.h>

#include <rte_common.h>

#include "journal/journal.h"
#include "pair_priv.h"

static void trace_phase(struct trace *t, const char *name, usec_t now)
{
	if (t->n == HISTORY_PHASES)
		return;
	t->phase[t->n].name = name;
	t->phase[t->n++].us = now > t->mark ? now - t->mark : 0;
	t->mark = RTE_MAX(t->mark, now);
}

void trace_heard(struct pair *p, usec_t heard)
{
	if (heard == p->silence.heard)
		return;
	p->silence.heard = heard;
	p->silence.stream_stalls = p->stream->stalls.stream_sum;
	p->silence.asked_at = 0;
}

void trace_asked(struct pair *p, usec_t now)
{
	uint64_t asks = srp_info(p->srp)->count.asks_sent;

	if (asks != p->silence.asks && p->silence.asked_at == 0)
		p->silence.asked_at = now;
	p->silence.asks = asks;
}

static void trace_begin(struct pair *p, const struct srp_action *a, usec_t now)
{
	struct trace *t = &p->trace;
	bool died = a->to == SRP_PENDING_ACTIVE && a->cause == SRP_CAUSE_DEAD_TIMER &&
		    p->silence.heard != USEC_NEVER;

	*t = (struct trace){ .began = now, .mark = now };
	if (!died)
		return;
	t->began = t->mark = RTE_MIN(p->silence.heard, now);
	t->died = true;
	t->stood_still = p->stream->stalls.stream_sum - p->silence.stream_stalls;
	if (p->silence.asked_at != 0)
		trace_phase(t, "silence", p->silence.asked_at);
	trace_phase(t, p->silence.asked_at != 0 ? "ask" : "silence", now);
}

static void trace_report(const struct trace *t)
{
	char text[256];
	size_t used = 0;

	for (unsigned int i = 0; i < t->n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %.1f",
			i > 0 ? ", " : "", t->phase[i].name, (double)t->phase[i].us / 1000);
	LOG(NOTICE, "the switchover has ended took_ms=%.1f stood_still_ms=%.1f phases_ms=%s",
		(double)(t->mark - t->began) / 1000, (double)t->stood_still / 1000, LOG_TEXT(text));
}

/* Into the entry of the transition that ended it. */
static void trace_keep(struct pair *p, const struct trace *t)
{
	struct history_entry *e = journal_last(p->journal);

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

void trace_role(struct pair *p, const struct srp_action *a, usec_t now)
{
	struct trace *t = &p->trace;

	if (a->to == SRP_PENDING_ACTIVE || a->to == SRP_PENDING_STANDBY) {
		trace_begin(p, a, now);
	} else if (t->began != 0 && t->n > 0) {
		trace_keep(p, t);
		trace_report(t);
		*t = (struct trace){ 0 };
	}
}

void trace_step(struct pair *p, enum srp_step step, usec_t now)
{
	struct trace *t = &p->trace;

	if (t->began == 0)
		return;
	trace_phase(t, srp_step_name(step), now);
	if (step == SRP_STEP_ACTIVATE && t->died)
		t->outage_us = now - t->began;
}

void trace_wait(struct pair *p, enum srp_step next, usec_t now)
{
	struct trace *t = &p->trace;

	/* What the peer does with the offer. */
	if (t->began != 0 && (next == SRP_STEP_DEACTIVATE || next == SRP_STEP_RESUME) && t->n > 0)
		trace_phase(t, "offer", now);
}
