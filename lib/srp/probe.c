/* SPDX-License-Identifier: BSD-3-Clause */
/* Alone on a shared subnet: whether somebody answers for our addresses, before we do
 * (lib/srp/README.md section 1). */
#include <stdio.h>
#include <string.h>

#include "srp_pvt.h"

static void probe_ask(struct srp *s, usec_t now)
{
	s->probe.state = PROBE_OUT;
	s->probe.due = now + SRP_PROBE_US;
	s->info.count.probes++;
	srp_emit(s, SRP_ACT_PROBE);
}

bool srp_probe_free(struct srp *s, usec_t now)
{
	struct srp_probe *p = &s->probe;

	if (!s->conf.l2)
		return true;
	/* What a promotion will need is written while the probe runs, so that its verdict is not
	 * old by then. */
	if (p->state == PROBE_IDLE && !s->stream.joined)
		srp_counter_ready(s);
	if (p->state == PROBE_IDLE) {
		probe_ask(s, now);
	} else if (srp_reached(s, p->due, now)) {
		if (p->state != PROBE_OUT) {
			probe_ask(s, now);
		} else {
			p->state = PROBE_FREE;
			p->due = now + SRP_PROBE_US;
		}
	}
	/* Not cleared by the question, but by its answer: an alarm that comes and goes is read by
	 * nobody. */
	if (p->state == PROBE_FREE)
		srp_alarm_clear(s, SRP_ALARM_VIP_ANSWERED);
	srp_reached(s, p->due, now);
	return p->state == PROBE_FREE;
}

void srp_probe_forget(struct srp *s)
{
	s->probe = (struct srp_probe){ .due = USEC_NEVER };
	srp_alarm_clear(s, SRP_ALARM_VIP_ANSWERED);
}

/* Raised again in other words when it is another that answers, or for another address. */
static void probe_taken(struct srp *s, const char *who)
{
	if (strncmp(s->probe.who, who, sizeof(s->probe.who) - 1) != 0)
		s->info.alarms &= ~(1u << SRP_ALARM_VIP_ANSWERED);
	snprintf(s->probe.who, sizeof(s->probe.who), "%s", who);
	srp_alarm(s, SRP_ALARM_VIP_ANSWERED, true,
		"%s: mend the links to that chassis; if dead, restart it or delete the VIP from "
		"its lo",
		s->probe.who);
}

void srp_probing(struct srp *s, usec_t now)
{
	if (s->gone || s->probe.state != PROBE_OUT)
		return;
	s->probe.due = now + SRP_PROBE_US;
	srp_settle(s, now);
}

void srp_probed(struct srp *s, bool answered, const char *who, usec_t now)
{
	if (s->gone || s->probe.state != PROBE_OUT)
		return;
	s->info.count.probes_answered += answered;
	s->probe.state = answered ? PROBE_TAKEN : PROBE_FREE;
	s->probe.due = now + (answered ? s->conf.dead_us : SRP_PROBE_US);
	if (answered)
		probe_taken(s, who);
	srp_settle(s, now);
}
