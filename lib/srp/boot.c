/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a boot waits, and what for; and alone on a shared subnet: whether somebody answers for
 * our addresses, before we do (lib/srp/README.md section 1). */
#include <stdio.h>
#include <string.h>

#include "srp_pvt.h"

enum {
	BOOT_STALLS = 3,   /* boots: by so much short stalls move it at most */
	BOOT_AGAIN = 50,   /* long stalls that move it, as of a probe (app/tandem/pair/probe.c) */
	BOOT_MEETINGS = 20 /* with so many it waits for a first word, and with no more */
};

static usec_t boot_us(const struct srp *s)
{
	return s->conf.delay_us + s->conf.dead_us;
}

void srp_boot_begin(struct srp *s, usec_t now)
{
	s->boot_due = now + boot_us(s);
	s->boot = (struct srp_boot){ .stalls = BOOT_STALLS * boot_us(s), .again = BOOT_AGAIN };
}

/* After a stall up to the window all that arrived meanwhile is read. Cores that share CPUs with
 * others make hardly a turn without one, and each would move the boot by all the time that passed:
 * a loaded machine would stay in Init for as long as it is loaded. In a longer one what arrived may
 * have been dropped, so that it counts in full, but not for ever either. */
usec_t srp_boot_stalled(struct srp *s, usec_t us)
{
	struct srp_boot *b = &s->boot;
	usec_t moved = us;

	if (s->info.state != SRP_INIT)
		return us;
	if (us > srp_patience(s)) {
		moved = b->again > 0 ? us : 0;
		b->again -= b->again > 0;
	} else {
		moved = us < b->stalls ? us : b->stalls;
		b->stalls -= moved;
	}
	s->boot_due = srp_after(s->boot_due, moved);
	return moved;
}

/* Since when somebody proves who it is, or has proven it and is about to say its first word. */
static usec_t boot_met_at(const struct srp *s)
{
	if (s->boot.meetings > BOOT_MEETINGS)
		return USEC_NEVER;
	return s->info.connected ? s->connected_at : s->connecting_at;
}

/* Heard but not understood: it is there, so patience, but not for ever. */
static bool boot_not_understood(const struct srp *s, usec_t now)
{
	usec_t until = srp_boot_heard_until(s);

	return until != USEC_NEVER && now < until;
}

usec_t srp_boot_heard_until(const struct srp *s)
{
	if (s->info.peer.known)
		return USEC_NEVER;
	return srp_after(srp_latest(s->life.stream, s->life.srp), s->conf.dead_us);
}

usec_t srp_boot_alone_due(const struct srp *s, usec_t now)
{
	usec_t due = s->boot_due;

	if (boot_not_understood(s, now))
		due = srp_latest(due, s->life.first + 10 * s->conf.dead_us);
	/* Whoever is met has time of its own for its first word. */
	return srp_latest(due, srp_after(boot_met_at(s), srp_proof_us(s->conf.dead_us)));
}

usec_t srp_boot_peer_due(const struct srp *s)
{
	return srp_after(srp_latest(s->boot_due, s->peer_state_since), 2 * s->conf.dead_us);
}

/* ---- the probe ---- */

static void boot_probe_ask(struct srp *s, usec_t now)
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
		boot_probe_ask(s, now);
	} else if (srp_reached(s, p->due, now)) {
		if (p->state != PROBE_OUT) {
			boot_probe_ask(s, now);
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
static void boot_probe_taken(struct srp *s, const char *who)
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
		boot_probe_taken(s, who);
	srp_settle(s, now);
}

/* ---- what is waited for ---- */

static unsigned long long boot_left_s(usec_t due, usec_t now)
{
	return due > now ? (due - now + USEC_PER_SEC - 1) / USEC_PER_SEC : 0;
}

/* What a promotion that nothing else holds up needs from the disk. */
static void boot_needs(const struct srp *s, char text[SRP_REASON_MAX])
{
	bool counter = s->stream.joined || !s->stream.table_empty ||
		       (s->counter_raised && s->counter_saved == s->info.restart_counter);

	if (!counter)
		snprintf(text, SRP_REASON_MAX,
			"the restart counter to be written to the state directory");
	else if (srp_term_left(s) == 0)
		snprintf(text, SRP_REASON_MAX,
			"a term: the reserve in the state directory is used up and cannot be "
			"written");
	else
		snprintf(text, SRP_REASON_MAX, "its own promotion, which is about to begin");
}

static void boot_waits_with_peer(const struct srp *s, char text[SRP_REASON_MAX], usec_t now)
{
	const struct srp_info *i = &s->info;
	const char *peer = srp_state_name(i->peer.state);
	unsigned long long left = boot_left_s(srp_boot_peer_due(s), now);

	if (i->peer.state != SRP_INIT && i->peer.state != SRP_STANDBY) {
		if (i->differs)
			snprintf(text, SRP_REASON_MAX, "the peer to agree: %.*s",
				SRP_REASON_MAX - 32, i->config_error);
		else if (i->peer.hello_at != USEC_NEVER)
			snprintf(text, SRP_REASON_MAX, "the peer's numbers of APNs and pools");
		else
			snprintf(text, SRP_REASON_MAX,
				"a hello of the peer, which is %s: until now it is heard in the "
				"replication stream only",
				peer);
	} else if (i->peer.state == SRP_STANDBY && left > 0) {
		snprintf(text, SRP_REASON_MAX,
			"the peer, which is Standby and has the sessions, to become Active; "
			"this chassis does in %llu s",
			left);
	} else if (s->numbers.awaited_since != USEC_NEVER && !s->numbers.met) {
		snprintf(text, SRP_REASON_MAX, "the peer's numbers of APNs and pools");
	} else if (i->peer.state == SRP_INIT && srp_order_startup(s) == 0) {
		snprintf(text, SRP_REASON_MAX,
			"another mode, priority or tie-breaker, which equal the peer's");
	} else if (i->peer.state == SRP_INIT && srp_order_startup(s) < 0 && left > 0) {
		snprintf(text, SRP_REASON_MAX,
			"the peer, which is preferred, to become Active; this chassis does in "
			"%llu s",
			left);
	} else {
		boot_needs(s, text);
	}
}

static void boot_waits_alone(const struct srp *s, char text[SRP_REASON_MAX], usec_t now)
{
	unsigned long long left = boot_left_s(srp_boot_alone_due(s, now), now);
	const char *met = s->info.connected ? "connected, to say hello"
					    : "connecting, to prove that it is the peer";

	if (left > 0 && now >= s->boot_due && boot_met_at(s) != USEC_NEVER)
		snprintf(text, SRP_REASON_MAX,
			"who is %s; without that this chassis counts as alone in %llu s", met,
			left);
	else if (left > 0 && boot_not_understood(s, now))
		snprintf(text, SRP_REASON_MAX,
			"a word of the peer that can be understood; without one this chassis "
			"counts as alone in %llu s",
			left);
	else if (left > 0)
		snprintf(text, SRP_REASON_MAX,
			"the peer's %s hello; without one this chassis counts as alone in %llu s",
			s->info.peer.known ? "next" : "first", left);
	else if (s->conf.l2 && s->probe.state == PROBE_TAKEN)
		snprintf(text, SRP_REASON_MAX, "the VIPs to be free: %s", s->probe.who);
	else if (s->conf.l2 && s->probe.state != PROBE_FREE)
		snprintf(text, SRP_REASON_MAX, "the probe of the VIPs");
	else
		boot_needs(s, text);
}

void srp_waits_for(const struct srp *s, char text[SRP_REASON_MAX], usec_t now)
{
	text[0] = '\0';
	if (s->gone)
		return;
	if (s->info.state == SRP_PENDING_ACTIVE || s->info.state == SRP_PENDING_STANDBY)
		srp_plan_waits_for(s, text, now);
	else if (s->info.state == SRP_INIT && s->shutting)
		snprintf(text, SRP_REASON_MAX, "its end, because a shutdown was ordered");
	else if (s->info.state == SRP_INIT && srp_peer_alive(s))
		boot_waits_with_peer(s, text, now);
	else if (s->info.state == SRP_INIT)
		boot_waits_alone(s, text, now);
}

bool srp_waits_long(const struct srp *s, usec_t now)
{
	return s->info.state == SRP_INIT && !s->shutting && !s->gone &&
	       now >= s->info.last_change + boot_us(s) + 2 * s->conf.dead_us + SRP_PROBE_US;
}
