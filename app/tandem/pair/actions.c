/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "pair/health.h"
#include "process/control.h"
#include "replicator/audit_watch.h"

/* How long after a change of role other cores' answers, the kernel's and the first packets' next
 * hops are worth turns that follow each other fast. */
enum { BRISK_US = 100000 };

/* ---- what srp is told of the stream ---- */

static struct srp_stream view(struct control *c, usec_t now)
{
	const struct replicator_view *v = replicator_view(T.repl);
	uint64_t pair = pair_time_ms(&T.pair_time, now), since = atomic_load(&v->in_sync_since_ms);
	usec_t status = atomic_load(&v->status_heard);
	uint32_t live = 0;
	struct srp_stream s = { .heard = atomic_load(&v->heard),
		.hears_us = atomic_load(&v->hears_us),
		.unacked = atomic_load(&v->unacked),
		.last_number = atomic_load(&v->last_number),
		.applied = atomic_load(&v->applied),
		.joined = atomic_load(&v->joined),
		.matched_since = atomic_load(&v->in_sync_since),
		.in_sync_since_ms = since };

	trace_heard(c, s.heard);
	/* Heard, but not understood: somebody is there, for the rule of a boot alone
	 * (lib/srp/README.md section 1). */
	if (s.heard == USEC_NEVER && srp_info(c->srp)->state == SRP_INIT &&
		!srp_info(c->srp)->peer.known && atomic_load(&v->unopened) != 0)
		s.heard = atomic_load(&v->unopened);
	if (since != 0 && pair >= since)
		s.in_sync_age_ms = (uint32_t)RTE_MIN(pair - since, (uint64_t)UINT32_MAX);
	s.in_sync = since != 0 && atomic_load(&v->peer_unmatched) == 0 &&
		    now - RTE_MIN(status, now) < USEC_PER_SEC &&
		    s.in_sync_age_ms <= 2 * T.conf->srp.audit_interval_s * 1000 + 1000;
	if (!s.in_sync && srp_info(c->srp)->state == SRP_ACTIVE) {
		struct audit_watch w;

		replicator_audit(T.repl, true, now, &w);
		s.sync_left_s = audit_watch_left_s(&w, now);
	}
	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		live += T.table->shard[k].n_live;
	s.table_empty = live == 0;
	return s;
}

/* Raises or clears the alarm of an overdue comparison. */
static void audit_alarm(struct control *c, usec_t now)
{
	const char *name = srp_alarm_name(SRP_ALARM_AUDIT);
	struct audit_watch w;
	char text[SRP_REASON_MAX];
	bool on;

	replicator_audit(T.repl, srp_info(c->srp)->state == SRP_ACTIVE, now, &w);
	on = audit_watch_overdue(&w, now, text, sizeof(text));
	if (on != alarms_is_raised(c->alarms, name)) /* the words change all the time */
		alarms_set(c->alarms, name, on, text, now);
}

void srp_stood_still(struct control *c, usec_t us, usec_t stream_us, usec_t now)
{
	struct srp_stream s = view(c, now);

	srp_stalled(c->srp, us, stream_us, &s, now);
}

void srp_feed(struct control *c, usec_t now)
{
	const struct srp_info *i = srp_info(c->srp);
	struct srp_stream s = view(c, now);

	srp_stream(c->srp, &s, now);
	audit_alarm(c, now);
	replicator_peer_version(T.repl, i->stream_version);
	replicator_peer_differs(T.repl, i->differs);
	replicator_peer_applies(T.repl, i->peer.known && i->agreed && i->peer.state == SRP_STANDBY);
}

/* ---- what srp wants ---- */

static void role(struct control *c, const struct srp_action *a, usec_t now)
{
	journal_role(c->journal, a, now);
	LOG(NOTICE, "%s -> %s, cause %s, term %lu.%lu", srp_state_name(a->from),
		srp_state_name(a->to), srp_cause_name(a->cause), (unsigned long)(a->term >> 1),
		(unsigned long)(a->term & 1));
	trace_role(c, a, clock_us());
	health_role(c, a, now);
	c->brisk_until = now + BRISK_US;
}

static void heartbeat(const struct srp_action *a)
{
	to_replicator_send(
		&T.to_repl, to_replicator_heartbeat(T.msgs, a->term, a->msg, a->len, a->now));
}

/* Other cores and rooms read it: cores/role.h. */
static void role_publish(const struct control *c)
{
	const struct srp_info *i = srp_info(c->srp);
	struct role *r = &T.role;

	atomic_store_explicit(&r->term, pair_own_term(c->pair), memory_order_relaxed);
	atomic_store_explicit(&r->owned, pair_owns(c->pair), memory_order_relaxed);
	atomic_store_explicit(&r->answering, pair_answers(c->pair), memory_order_relaxed);
	atomic_store_explicit(&r->held, pair_holds(c->pair), memory_order_relaxed);
	atomic_store_explicit(&r->must_not_answer, i->mute, memory_order_relaxed);
	atomic_store_explicit(&r->restart_counter, i->restart_counter, memory_order_relaxed);
	atomic_store_explicit(&r->stood_still, c->stood_still, memory_order_relaxed);
}

static void alarm_changed(struct control *c, const struct srp_action *a, usec_t now)
{
	alarms_set(c->alarms, srp_alarm_name(a->alarm), a->raised, a->text, now);
	/* Who gave up answered for the VIPs too until now, and may have been the last to announce
	 * them. */
	if (a->alarm == SRP_ALARM_DUAL_ACTIVE && !a->raised &&
		srp_info(c->srp)->state == SRP_ACTIVE)
		vips_announce_anew(c->vips, now);
}

static void carry_out(struct control *c, const struct srp_action *a, usec_t now)
{
	switch (a->kind) {
	case SRP_ACT_SEND:
		link_send(c, a->msg, a->len, now);
		break;
	case SRP_ACT_CLOSE:
		link_drop(c, now);
		break;
	case SRP_ACT_HEARTBEAT:
		heartbeat(a);
		break;
	case SRP_ACT_STEP:
		LOG(DEBUG, "step %s of term %lu begins", srp_step_name(a->step),
			(unsigned long)a->term);
		trace_wait(c, a->step, clock_us());
		step_begin(c, a, now);
		break;
	case SRP_ACT_RESERVE:
		journal_reserve(c->journal, a->number, a->restart_counter);
		break;
	case SRP_ACT_ROLE:
		role(c, a, now);
		break;
	case SRP_ACT_METRIC:
		vips_set_metric(c->vips, a->rm);
		break;
	case SRP_ACT_ALARM:
		alarm_changed(c, a, now);
		break;
	case SRP_ACT_PROBE:
		probe_begin(c, now);
		break;
	case SRP_ACT_LINES:
		configuration_compare(c, now);
		break;
	case SRP_ACT_GOODBYE:
		c->goodbye = true;
		c->heir = atomic_load(&replicator_view(T.repl)->peer_incarnation);
		break;
	case SRP_ACT_ABORT:
		log_last((const char *const[]){ "pair: ", a->text,
				 ": aborting, the peer is the remedy" },
			3);
		abort();
	}
}

void pair_drain(struct control *c, usec_t now)
{
	struct srp_action a;

	if (c->in_drain) {
		log_last((const char *const[]){ "pair: a role change was to be carried out in the "
						"middle of another's step: aborting" },
			1);
		abort();
	}
	c->in_drain = true;
	do {
		trace_asked(c, now);
		while (srp_next(c->srp, &a))
			carry_out(c, &a, now);
	} while (step_deliver(c, now));
	c->in_drain = false;
	role_publish(c);
}
