/* SPDX-License-Identifier: BSD-3-Clause */
/* The room's life and turn, what lib/srp wants done, and what operators may ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/memory.h"
#include "base/metrics.h"
#include "journal/journal.h"
#include "pair_priv.h"
#include "session/session.h"

/* How long after a change of role other cores' answers, the kernel's and the first packets' next
 * hops are worth turns that follow each other fast. */
enum { BRISK_US = 100000 };

/* ---- life ---- */

static void pair_srp_conf(
	struct pair *p, const struct pair_settings *set, const struct session_table *table)
{
	const struct pair_start *f = &set->start;
	struct srp_conf *s = &p->srp_conf;
	static const uint8_t none[6];

	s->side = set->seat;
	s->mode = f->primary ? SRP_PRIMARY : SRP_BACKUP;
	s->priority = f->priority;
	memcpy(s->mac, memcmp(f->tie_breaker, none, 6) != 0 ? f->tie_breaker : set->mac, 6);
	s->l2 = f->l2;
	s->incarnation = set->incarnation;
	s->capacity = table->n_slots * SESSION_SHARDS;
	s->unlicensed = !f->licensed;
	s->wire.mtu = f->replication_mtu;
	snprintf(s->mtu_port, sizeof(s->mtu_port), "%s", f->replication_port);
	s->wire.version_min = wire_spoken.version_min;
	s->wire.version_max = wire_spoken.version_max;
	s->delay_us = f->delay_us;
	agree_srp_conf(&p->live, s);
}

static int pair_open_link(struct pair *p, const struct pair_connection *connection)
{
	const struct link_pair of = { .srp = p->srp,
		.start = &p->start,
		.live = &p->live,
		.peer = &p->peer,
		.seat = p->seat };

	p->link = link_create(connection, &of, clock_us());
	return p->link != NULL ? 0 : -errno;
}

static int pair_open(struct pair *p, const struct pair_settings *s,
	const struct pair_connection *connection, const struct pair_stream *stream)
{
	int ret = agree_open(p);

	if (ret < 0) {
		LOG(ERR, "the configuration cannot be prepared for comparison error=%s",
			LOG_TEXT(strerror(-ret)));
		return ret;
	}
	p->stream = stream_create(stream);
	if (p->stream == NULL)
		return -ENOMEM;
	pair_srp_conf(p, s, stream->table);
	p->srp = srp_create(&p->srp_conf, &s->saved, clock_us());
	if (p->srp == NULL)
		return -errno;
	ret = numbers_open(p, s->places, clock_us());
	if (ret < 0)
		return ret;
	switchover_follow(p->switchover, srp_info(p->srp));
	ret = pair_open_link(p, connection);
	if (ret < 0)
		LOG(ERR,
			"the SRP connection cannot be prepared: see that srp.bind is an address of "
			"ours error=%s",
			LOG_TEXT(strerror(-ret)));
	return ret;
}

struct pair *pair_create(const struct pair_settings *s, const struct pair_connection *connection,
	const struct pair_stream *stream)
{
	struct pair *p = memory_take("pair", sizeof(*p), 0);
	int ret;

	if (p == NULL) {
		LOG(ERR, "the pair cannot begin: there is no memory");
		errno = ENOMEM;
		return NULL;
	}
	p->start = s->start;
	p->live = s->live;
	p->seat = s->seat;
	p->alarms = s->alarms;
	p->journal = s->journal;
	p->switchover = s->switchover;
	p->ops = s->ops;
	p->ctx = s->ctx;
	p->silence.heard = USEC_NEVER;
	p->peer.address = s->start.peer;
	snprintf(p->peer.name, sizeof(p->peer.name), "%s", s->live.files.peer_name);
	ret = pair_open(p, s, connection, stream);
	if (ret < 0) {
		pair_destroy(p);
		errno = -ret;
		return NULL;
	}
	return p;
}

void pair_destroy(struct pair *p)
{
	if (p == NULL)
		return;
	link_destroy(p->link);
	srp_destroy(p->srp);
	numbers_close(p);
	stream_destroy(p->stream);
	agree_close(p);
	memory_give(p);
}

/* ---- what lib/srp wants done ---- */

static void pair_do_role(struct pair *p, const struct srp_action *a, usec_t now)
{
	journal_role(p->journal, a, now);
	LOG(NOTICE, "this chassis is %s now was=%s state=%s cause=%s term=%lu.%lu",
		srp_state_name(a->to), srp_state_name(a->from), srp_state_name(a->to),
		srp_cause_name(a->cause), (unsigned long)(a->term >> 1),
		(unsigned long)(a->term & 1));
	trace_role(p, a, clock_us());
	feed_role(p, a, now);
	p->brisk_until = now + BRISK_US;
}

static void pair_do_alarm(struct pair *p, const struct srp_action *a, usec_t now)
{
	alarms_set(p->alarms, srp_alarm_name(a->alarm), a->raised, a->text, now);
	/* Who gave up answered for the VIPs too until now, and may have been the last to announce
	 * them. */
	if (a->alarm == SRP_ALARM_DUAL_ACTIVE && !a->raised &&
		srp_info(p->srp)->state == SRP_ACTIVE)
		switchover_announce_anew(p->switchover, now);
}

static void pair_carry_out(struct pair *p, const struct srp_action *a, usec_t now)
{
	switch (a->kind) {
	case SRP_ACT_SEND:
		link_send(p->link, a->msg, a->len, now);
		break;
	case SRP_ACT_CLOSE:
		link_drop(p->link, now);
		break;
	case SRP_ACT_HEARTBEAT:
		stream_heartbeat(p->stream, a);
		break;
	case SRP_ACT_STEP:
		LOG(DEBUG, "a step of a role change begins step=%s term=%lu.%lu",
			srp_step_name(a->step), (unsigned long)(a->term >> 1),
			(unsigned long)(a->term & 1));
		trace_wait(p, a->step, clock_us());
		if (a->step == SRP_STEP_OWN)
			numbers_own(p, a->term, now);
		switchover_begin(p->switchover, a, now);
		break;
	case SRP_ACT_RESERVE:
		journal_reserve(p->journal, a->number, a->restart_counter);
		break;
	case SRP_ACT_ROLE:
		pair_do_role(p, a, now);
		break;
	case SRP_ACT_METRIC:
		switchover_set_metric(p->switchover, a->rm);
		break;
	case SRP_ACT_ALARM:
		pair_do_alarm(p, a, now);
		break;
	case SRP_ACT_PROBE:
		probe_begin(p, now);
		break;
	case SRP_ACT_LINES:
		agree_compare(p, now);
		break;
	case SRP_ACT_NUMBERS:
		numbers_offered(p, a->held, now);
		break;
	case SRP_ACT_GOODBYE:
		p->goodbye = true;
		p->late_usage_peer = stream_incarnation(p->stream);
		break;
	case SRP_ACT_ABORT:
		log_last((const char *const[]){ "pair: ", a->text,
				 ": this process ends, so that the peer takes over" },
			3);
		abort();
	}
}

/* Gives lib/srp the answer to a step that was carried out; false: there is none. */
static bool pair_deliver(struct pair *p, usec_t now)
{
	struct switchover_result r;

	if (!switchover_result(p->switchover, &r))
		return false;
	trace_step(p, r.step, clock_us());
	if (!r.ok)
		LOG(WARNING, "a step of a role change failed step=%s term=%lu.%lu reason=%s",
			srp_step_name(r.step), (unsigned long)(r.term >> 1),
			(unsigned long)(r.term & 1), LOG_TEXT(r.why));
	srp_done(p->srp, r.step, r.term, r.ok, r.number, r.why, now);
	return true;
}

void pair_drain(struct pair *p, usec_t now)
{
	struct srp_action a;

	if (p->in_drain) {
		log_last((const char *const[]){ "pair: a role change was to be carried out in the "
						"middle of another's step: aborting" },
			1);
		abort();
	}
	p->in_drain = true;
	do {
		trace_asked(p, now);
		while (srp_next(p->srp, &a))
			pair_carry_out(p, &a, now);
	} while (pair_deliver(p, now));
	p->in_drain = false;
	switchover_publish(p->switchover, p->stream->stalls.sum);
}

/* ---- the loop ---- */

/* Once each time that it stays in Init. */
static void pair_log_init(struct pair *p, usec_t now)
{
	char waits_for[SRP_REASON_MAX];
	bool stays = srp_waits_long(p->srp, now);

	if (stays && !p->init_logged) {
		srp_waits_for(p->srp, waits_for, now);
		LOG(WARNING,
			"this chassis stays in Init for longer than its timers allow state=%s "
			"took_ms=%llu waits_for=%s",
			srp_state_name(SRP_INIT),
			(unsigned long long)((now - srp_info(p->srp)->last_change) / USEC_PER_MSEC),
			LOG_TEXT(waits_for));
	}
	p->init_logged = stays;
}

void pair_judge(struct pair *p, usec_t now)
{
	srp_tick(p->srp, now);
	pair_log_init(p, now);
}

void pair_probe(struct pair *p, usec_t now)
{
	probe_turn(p, now);
}

void pair_connect(struct pair *p, usec_t now)
{
	if (p->goodbye)
		link_leave(p->link, now);
	else
		link_turn(p->link, now);
}

usec_t pair_due(const struct pair *p)
{
	return srp_due(p->srp);
}

bool pair_is_brisk(const struct pair *p, usec_t now)
{
	return now < p->brisk_until;
}

/* ---- events and commands ---- */

void pair_key_exhausted(struct pair *p, usec_t now)
{
	link_drop(p->link, now);
}

void pair_keyed(struct pair *p, const struct from_replicator_keyed *m, usec_t now)
{
	link_keyed(p->link, m, now);
}

void pair_reserved(struct pair *p, uint64_t reserve, bool ok, usec_t now)
{
	srp_saved_reserve(p->srp, reserve, ok, now);
}

int pair_switchover(struct pair *p, bool force, char reason[SRP_REASON_MAX], usec_t now)
{
	return srp_switchover(p->srp, force, reason, now);
}

int pair_validate(struct pair *p, char reason[SRP_REASON_MAX], usec_t now)
{
	return srp_validate(p->srp, reason, now);
}

int pair_validate_configuration(struct pair *p, char reason[SRP_REASON_MAX], usec_t now)
{
	return srp_validate_configuration(p->srp, reason, now);
}

void pair_replace_peer(struct pair *p, const struct pair_peer *peer, usec_t now)
{
	link_replace_peer(p->link, peer, now);
}

void pair_shutdown(struct pair *p, usec_t now)
{
	srp_shutdown(p->srp, now);
}

enum pair_leaving pair_leaving(const struct pair *p, usec_t now)
{
	if (!p->goodbye)
		return PAIR_WAITS_FOR_PEER;
	if (!switchover_late_usage(p->switchover))
		return PAIR_LEAVES;
	/* Who is gone takes no usage that is still counted here. */
	return stream_peer_gone(p->stream, p->late_usage_peer, p->live.dead_us, now)
		       ? PAIR_LEAVES_USAGE
		       : PAIR_WAITS_FOR_USAGE;
}

/* ---- for views ---- */

const struct srp_info *pair_srp(const struct pair *p)
{
	return srp_info(p->srp);
}

void pair_view(const struct pair *p, struct pair_view *v, usec_t now)
{
	*v = (struct pair_view){ .peer = p->peer,
		.seat = p->seat,
		.replication_mtu = p->srp_conf.wire.mtu,
		.licensed = !p->srp_conf.unlicensed,
		.pre_shared = p->link->tls != NULL && tls_ops->pre_shared(p->link->tls),
		.strangers = p->link->strangers,
		.handshakes_failed = p->link->handshakes_failed,
		.refused = p->link->refused,
		.differences = p->agree.difference != NULL ? p->agree.difference : "" };
	memcpy(v->tie_breaker, p->srp_conf.mac, sizeof(v->tie_breaker));
	srp_waits_for(p->srp, v->waits_for, now);
}

/* ---- figures ---- */

static const struct metric pair_link_metrics[] = {
	{ "connections_of_strangers", "connections",
		"SRP connections were refused because their source is not the peer's address.",
		METRIC_COUNTER },
	{ "handshakes_failed", "connections",
		"SRP connections were refused: the other end did not prove to be the peer.",
		METRIC_COUNTER },
};

static void pair_metrics_link(void *ctx, uint64_t *value, unsigned int n)
{
	const struct pair *p = ctx;

	(void)n;
	value[0] = p->link->strangers;
	value[1] = p->link->handshakes_failed;
}

static const struct metric pair_srp_metrics[] = { SRP_COUNTERS(METRIC) };

enum { PAIR_TABLE_SRP, PAIR_TABLE_LINK };
static const struct metrics_table pair_tables[] = {
	[PAIR_TABLE_SRP] = METRICS_TABLE("srp", NULL, pair_srp_metrics),
	[PAIR_TABLE_LINK] = METRICS_TABLE("link", NULL, pair_link_metrics),
};
const struct metrics_room pair_metrics = METRICS_ROOM("pair", pair_tables);

int pair_metrics_register(struct metrics *m, struct pair *p)
{
	int ret = metrics_register_counters(
		m, &pair_tables[PAIR_TABLE_SRP], NULL, &srp_info(p->srp)->count);

	return ret < 0 ? ret
		       : metrics_register(
				 m, &pair_tables[PAIR_TABLE_LINK], NULL, pair_metrics_link, p);
}
