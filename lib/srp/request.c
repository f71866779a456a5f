/* SPDX-License-Identifier: BSD-3-Clause */
/* What a monitor of the Active asks for (lib/srp/README.md section 3): a planned switchover by
 * the same checks as an operator's, never forced. It is a level: while something forbids it an
 * alarm says what, and it happens when that is over. */
#include <stdio.h>
#include <string.h>

#include "srp_pvt.h"

static void request_raise(struct srp *s, const char *reason)
{
	char text[SRP_REASON_MAX];

	snprintf(text, sizeof(text), "%s: stays Active, no switchover: %s",
		srp_cause_name(s->request), reason);
	if (strcmp(text, s->request_text) != 0) { /* for another reason now: said anew */
		s->info.alarms &= ~(1u << SRP_ALARM_REQUEST_REFUSED);
		memcpy(s->request_text, text, sizeof(text));
		s->info.count.monitor_requests_refused++;
	}
	srp_alarm(s, SRP_ALARM_REQUEST_REFUSED, true, "%s", text);
}

static void no_alarm(struct srp *s)
{
	s->request_text[0] = '\0';
	srp_alarm_clear(s, SRP_ALARM_REQUEST_REFUSED);
}

void srp_request_forget(struct srp *s)
{
	s->request = SRP_CAUSE_NONE;
	s->request_due = 0;
	no_alarm(s);
}

void srp_request_check(struct srp *s, usec_t now)
{
	char reason[SRP_REASON_MAX];

	if (s->request == SRP_CAUSE_NONE || s->shutting) {
		no_alarm(s);
		return;
	}
	/* It was tried and came to nothing. The peer may need its time; at once again would be
	 * without end. */
	if (!srp_reached(s, s->request_due, now)) {
		if (s->request_text[0] == '\0')
			request_raise(s, s->info.validate_status);
		return;
	}
	if (s->plan.kind != PLAN_NONE)
		return;
	if (srp_check(s, false, reason) < 0) {
		request_raise(s, reason);
		return;
	}
	/* Two that hand over to each other for what both have would go on for ever. */
	if (s->request != SRP_CAUSE_AAA && (s->info.peer.health.failed >> s->request & 1) != 0) {
		request_raise(s, "the peer has the same failure: mend one of them");
		return;
	}
	no_alarm(s);
	s->info.count.switchovers_monitor++;
	srp_offer_begin(s, s->request, false, now);
}

void srp_request_switchover(struct srp *s, enum srp_cause cause, usec_t now)
{
	if (s->info.state != SRP_ACTIVE && s->info.state != SRP_PENDING_STANDBY)
		return;
	if (s->gone || cause == s->request)
		return;
	s->request = cause;
	srp_settle(s, now);
}

void srp_health(struct srp *s, const struct srp_health *h, usec_t now)
{
	if (s->gone || (h->known == s->health.known && h->failed == s->health.failed))
		return;
	s->health = *h;
	s->hello_due = now; /* which tells it */
	srp_settle(s, now);
}
