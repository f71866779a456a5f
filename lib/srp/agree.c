/* SPDX-License-Identifier: BSD-3-Clause */
/* What must be equal on both chassis, or fit, and what follows when it does not; and how both go on
 * to another configuration without a moment in which they differ (lib/srp/README.md section 8). */
#include <errno.h>
#include <string.h>

#include "srp_pvt.h"

/* A hello of this life of the peer has said what runs there. */
static bool agree_peer_heard(const struct srp *s)
{
	return s->info.peer.known && s->info.peer.hello_at != USEC_NEVER;
}

void srp_judge(struct srp *s, usec_t now)
{
	struct srp_info *i = &s->info;
	char before[SRP_REASON_MAX];
	bool was = (i->alarms >> SRP_ALARM_CONFIG_MISMATCH & 1) != 0;

	/* Another process of the peer is known by its heartbeat before it has said anything. */
	if (!agree_peer_heard(s))
		return;
	memcpy(before, i->config_error, sizeof(before));
	i->differs = srp_peer_differs(s, i->config_error);
	i->agreed = !i->differs && srp_numbers_agree(s);
	if (i->differs && was && strcmp(before, i->config_error) != 0) {
		struct srp_action *a = srp_emit(s, SRP_ACT_ALARM);

		a->alarm = SRP_ALARM_CONFIG_MISMATCH;
		a->raised = true;
		memcpy(a->text, i->config_error, sizeof(a->text));
	}
	srp_alarm(s, SRP_ALARM_CONFIG_MISMATCH, i->differs, "%s", i->config_error);
	if (i->differs && i->state == SRP_STANDBY)
		s->copy_outdated = true;
	if (i->differs)
		s->stream_allowed_since = USEC_NEVER;
	else if (s->stream_allowed_since == USEC_NEVER)
		s->stream_allowed_since = now;
}

/* What the hello says of what must be equal or fit. */
void srp_compare(struct srp *s, const struct srp_msg *m, usec_t now)
{
	s->info.peer.capacity = m->capacity;
	s->info.peer.config_digest = m->config_digest;
	s->info.peer.next_digest = m->next_digest;
	s->info.peer.next_number = m->next_number;
	s->info.peer.promise = m->promise;
	s->info.peer.wire = m->wire;
	s->info.peer.unlicensed = m->unlicensed;
	s->info.peer.health = m->health;
	srp_next_hello(s, now);
	srp_lines_hello(s, m, now);
	srp_judge(s, now);
	if (!s->info.differs)
		s->info.stream_version = s->conf.wire.version_max < m->wire.version_max
						 ? s->conf.wire.version_max
						 : m->wire.version_max;
}

/* ---- the times by which the chassis judge each other ---- */

static struct srp_times agree_times(const struct srp_conf *c)
{
	return (struct srp_times){ .hello_us = c->hello_us,
		.dead_us = c->dead_us,
		.heartbeat_us = c->heartbeat_us,
		.window_us = c->heartbeat_us * c->dead_multiplier };
}

static bool agree_times_same(const struct srp_times *a, const struct srp_times *b)
{
	return a->hello_us == b->hello_us && a->dead_us == b->dead_us &&
	       a->heartbeat_us == b->heartbeat_us && a->window_us == b->window_us;
}

static void widen(usec_t *t, usec_t by)
{
	*t = *t > by ? *t : by;
}

static void agree_times_widen(struct srp_times *t, const struct srp_times *by)
{
	widen(&t->hello_us, by->hello_us);
	widen(&t->dead_us, by->dead_us);
	widen(&t->heartbeat_us, by->heartbeat_us);
	widen(&t->window_us, by->window_us);
}

static void narrow(usec_t *t, usec_t by)
{
	*t = *t < by ? *t : by;
}

static void agree_times_narrow(struct srp_times *t, const struct srp_times *by)
{
	narrow(&t->hello_us, by->hello_us);
	narrow(&t->dead_us, by->dead_us);
	narrow(&t->heartbeat_us, by->heartbeat_us);
	narrow(&t->window_us, by->window_us);
}

/* A peer that beats more slowly by what it runs already, or yet, is not dead for it. How long it is
 * patient with this chassis is not known as exactly: the shortest counts, and by that this chassis
 * beats. What is next counts in both, for a peer that is started again may run it first. */
static void agree_judge_times(struct srp *s)
{
	struct srp_next *n = &s->next;
	struct srp_times least = agree_times(&s->conf);

	n->judge = least;
	if (n->on) {
		agree_times_widen(&n->judge, &n->times);
		agree_times_narrow(&least, &n->times);
	}
	if (n->eased) {
		agree_times_widen(&n->judge, &n->was);
		agree_times_narrow(&least, &n->least);
	}
	s->info.window_us = n->judge.window_us;
	s->info.dead_us = n->judge.dead_us;
	s->info.patience_us = least.window_us;
	s->info.heartbeat_us = least.heartbeat_us;
	s->info.hello_us = least.hello_us;
}

/* What ran is replaced: its times count until the peer runs the same. */
static void agree_ease(struct srp_next *n, const struct srp_times *was)
{
	if (!n->eased)
		n->was = n->least = *was;
	agree_times_widen(&n->was, was);
	agree_times_narrow(&n->least, was);
	n->eased = true;
	n->eased_until = USEC_NEVER;
}

/* Its hello has overtaken, perhaps, what its replication core still sends by the times that were:
 * they count for one window more. */
static void agree_ease_turn(struct srp *s, usec_t now)
{
	struct srp_next *n = &s->next;

	if (n->eased && n->eased_until == USEC_NEVER && agree_peer_heard(s) &&
		s->info.peer.config_digest == s->conf.config_digest)
		n->eased_until = now + n->judge.window_us;
	if (!n->eased || !srp_reached(s, n->eased_until, now))
		return;
	n->eased = false;
	agree_judge_times(s);
}

void srp_next_begin(struct srp *s)
{
	s->info.next_since = USEC_NEVER;
	agree_judge_times(s);
}

/* ---- a configuration that is next ---- */

bool srp_next_agrees(const struct srp *s)
{
	const struct srp_peer *p = &s->info.peer;
	uint64_t runs = s->conf.config_digest;

	return p->config_digest == runs || (p->next_digest != 0 && p->next_digest == runs) ||
	       (s->next.on && s->next.digest == p->config_digest);
}

/* Both have it, and the peer does not run it yet. */
static bool agree_both_wait(const struct srp *s)
{
	const struct srp_peer *p = &s->info.peer;

	return s->next.on && agree_peer_heard(s) && p->next_digest != 0 &&
	       p->next_digest == s->next.digest;
}

/* The peer runs what is next here, so that this chassis is about to. */
static bool agree_follows(const struct srp *s)
{
	return s->next.on && agree_peer_heard(s) && srp_peer_alive(s) &&
	       s->info.peer.config_digest == s->next.digest;
}

/* Seat 1 says that it will not take back what both have; then seat 0 runs it, and then seat 1 does.
 * So at no moment either runs what the other neither runs nor goes on to. The promise names which
 * of seat 0's it means: one that seat 0 took back meanwhile, and loaded again, wants another. */
static void agree_promise(struct srp *s, usec_t now)
{
	struct srp_next *n = &s->next;
	bool runs_there = agree_peer_heard(s) && s->info.peer.config_digest == n->digest;
	uint32_t promise = 0;

	if (s->conf.side == 1 && agree_both_wait(s))
		promise = s->info.peer.next_number;
	else if (s->conf.side == 1 && n->on && runs_there)
		promise = n->promise;
	if (promise == n->promise)
		return;
	n->promise = promise;
	s->hello_due = now;
}

static void agree_next_none(struct srp *s)
{
	s->next.number += s->next.on;
	s->next.on = false;
	s->next.promise = 0;
	s->info.next_since = USEC_NEVER;
	s->info.next_digest = 0;
}

void srp_next_hello(struct srp *s, usec_t now)
{
	agree_promise(s, now);
}

void srp_next_peer_new(struct srp *s)
{
	s->next.promise = 0;
}

/* Why what is next does not run yet, and what to do. */
static const char *agree_why(const struct srp *s)
{
	const struct srp_peer *p = &s->info.peer;

	if (!srp_peer_alive(s))
		return "the configuration that was loaded does not run: the peer is not heard. "
		       "Reload here once more, and it runs at once; the peer must load it too";
	if (agree_both_wait(s) || agree_follows(s))
		return "the configuration that was loaded does not run: the peer has loaded it, "
		       "too, and the role is changing or there is no SRP connection. Look at srp "
		       "info";
	if (agree_peer_heard(s) && p->next_digest != 0)
		return "the configuration that was loaded does not run: the peer has loaded "
		       "another one. Make the files equal, and reload on both";
	return "the configuration that was loaded does not run: the peer has not loaded it. "
	       "Reload there too, or put the file back here and reload";
}

static void agree_alarm(struct srp *s, usec_t now)
{
	bool late = s->next.on && srp_reached(s, s->next.since + SRP_NEXT_US, now);

	srp_alarm(s, SRP_ALARM_NEXT_WAITS, late, "%s", agree_why(s));
}

void srp_next_turn(struct srp *s, usec_t now)
{
	if (!srp_peer_alive(s))
		s->next.promise = 0;
	agree_ease_turn(s, now);
	agree_alarm(s, now);
}

void srp_next_take(struct srp *s, const struct srp_conf *c)
{
	struct srp_times was = agree_times(&s->conf), is = agree_times(c);

	if (!agree_times_same(&was, &is))
		agree_ease(&s->next, &was);
	s->conf.hello_us = c->hello_us;
	s->conf.dead_us = c->dead_us;
	s->conf.heartbeat_us = c->heartbeat_us;
	s->conf.dead_multiplier = c->dead_multiplier;
	agree_next_none(s);
	agree_judge_times(s);
}

enum srp_reload srp_reload(const struct srp *s, uint64_t digest)
{
	const struct srp_peer *p = &s->info.peer;
	bool heard = agree_peer_heard(s), alive = srp_peer_alive(s);
	uint64_t runs = s->conf.config_digest;

	if (s->next.promise != 0)
		return digest == s->next.digest ? SRP_RELOAD_WAIT : SRP_RELOAD_BUSY;
	if (agree_follows(s))
		return digest == s->next.digest ? SRP_RELOAD_NOW : SRP_RELOAD_BUSY;
	if (digest == runs)
		return SRP_RELOAD_NOW;
	/* The peer follows to what runs here: another step before that has ended would miss it. */
	if (heard && alive && p->next_digest != 0 && p->next_digest == runs)
		return SRP_RELOAD_BUSY;
	if (!alive || s->info.differs || (heard && p->config_digest == digest))
		return SRP_RELOAD_NOW;
	return SRP_RELOAD_WAIT;
}

int srp_prepare(struct srp *s, const struct srp_conf *c, usec_t now)
{
	struct srp_next *n = &s->next;

	if ((n->promise != 0 || agree_follows(s)) && (c == NULL || c->config_digest != n->digest))
		return -EBUSY;
	if (c == NULL) {
		agree_next_none(s);
	} else {
		if (!n->on || n->digest != c->config_digest) {
			n->since = now;
			n->number++;
		}
		n->on = true;
		n->digest = c->config_digest;
		n->times = agree_times(c);
		s->info.next_since = n->since;
		s->info.next_digest = n->digest;
	}
	agree_judge_times(s);
	agree_promise(s, now);
	s->hello_due = now; /* which tells it */
	if (s->info.connected && s->lines.met)
		srp_judge(s, now);
	srp_settle(s, now);
	return 0;
}

bool srp_next_is_due(const struct srp *s)
{
	const struct srp_peer *p = &s->info.peer;

	if (!s->next.on || s->gone || !agree_peer_heard(s) || s->info.state == SRP_PENDING_ACTIVE ||
		s->info.state == SRP_PENDING_STANDBY)
		return false;
	if (p->config_digest == s->next.digest)
		return true;
	return s->conf.side == 0 && s->info.connected && s->lines.met && agree_both_wait(s) &&
	       p->promise == s->next.number;
}
