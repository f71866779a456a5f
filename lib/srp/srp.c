/* SPDX-License-Identifier: BSD-3-Clause */
/* The object, its events and its actions. An event records what happened and lets srp_settle() draw
 * the conclusions. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "srp_pvt.h"

struct srp_action *srp_emit(struct srp *s, enum srp_action_kind kind)
{
	struct srp_action *a;

	/* The caller drains after every call: this many from one event would be a bug here. */
	assert(s->n < SRP_QUEUE);
	a = &s->queue[(s->head + s->n++) % SRP_QUEUE];
	*a = (struct srp_action){ .kind = kind, .term = s->info.term };
	return a;
}

bool srp_next(struct srp *s, struct srp_action *a)
{
	if (s->n == 0)
		return false;
	*a = s->queue[s->head];
	s->head = (s->head + 1) % SRP_QUEUE;
	s->n--;
	return true;
}

bool srp_reached(struct srp *s, usec_t deadline, usec_t now)
{
	if (now >= deadline && deadline != USEC_NEVER)
		return true;
	if (deadline < s->due)
		s->due = deadline;
	return false;
}

void srp_send(struct srp *s, struct srp_msg *m)
{
	struct srp_action *a;

	if (!s->info.connected)
		return;
	a = srp_emit(s, SRP_ACT_SEND);
	m->incarnation = s->conf.incarnation;
	m->term = s->info.term;
	a->len = (uint16_t)srp_msg_write(m, a->msg, sizeof(a->msg));
}

void srp_alarm(struct srp *s, enum srp_alarm alarm, bool raised, const char *fmt, ...)
{
	struct srp_action *a;
	va_list ap;

	if (raised == ((s->info.alarms >> alarm & 1) != 0))
		return;
	s->info.alarms ^= 1u << alarm;
	a = srp_emit(s, SRP_ACT_ALARM);
	a->alarm = alarm;
	a->raised = raised;
	if (!raised)
		return;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

void srp_alarm_clear(struct srp *s, enum srp_alarm alarm)
{
	srp_alarm(s, alarm, false, "cleared");
}

/* The only writer of info.state. */
void srp_move(struct srp *s, enum srp_state to, enum srp_cause cause, usec_t now)
{
	static const uint8_t allowed[] = {
		[SRP_INIT] = 1 << SRP_STANDBY | 1 << SRP_PENDING_ACTIVE,
		[SRP_STANDBY] = 1 << SRP_PENDING_ACTIVE,
		[SRP_PENDING_ACTIVE] = 1 << SRP_ACTIVE | 1 << SRP_STANDBY |
				       1 << SRP_PENDING_STANDBY | 1 << SRP_INIT,
		[SRP_ACTIVE] = 1 << SRP_PENDING_STANDBY,
		[SRP_PENDING_STANDBY] = 1 << SRP_ACTIVE | 1 << SRP_STANDBY | 1 << SRP_INIT,
	};
	struct srp_action *a = srp_emit(s, SRP_ACT_ROLE);

	assert((allowed[s->info.state] & 1 << to) != 0);
	a->from = s->info.state;
	a->to = to;
	a->cause = cause;
	a->rm = s->info.rm;
	a->planned = s->plan.planned;
	s->info.state = to;
	s->copy_outdated = s->copy_outdated && (to == SRP_STANDBY || to == SRP_PENDING_ACTIVE);
	s->info.last_cause = cause;
	s->info.last_change = now;
	s->info.count.transitions++;
	if (to != SRP_INIT)
		srp_alarm_clear(s, SRP_ALARM_TIEBREAK);
	if (to == SRP_STANDBY || to == SRP_INIT)
		srp_request_forget(s);
}

static void srp_hello(struct srp *s, usec_t now)
{
	struct srp_msg m = { .type = SRP_MSG_HELLO,
		.body = s->said,
		.capacity = s->conf.capacity,
		.config_digest = s->conf.config_digest,
		.next_digest = s->next.on ? s->next.digest : 0,
		.next_number = s->next.number,
		.promise = s->next.promise,
		.wire = s->conf.wire,
		.unlicensed = s->conf.unlicensed,
		.tells_lines = s->conf.lines != NULL,
		.health = s->health };

	if (!s->info.connected)
		return;
	srp_send(s, &m);
	s->info.count.hellos_sent++;
	s->hello_due = now + s->info.hello_us;
}

static uint16_t srp_body_bytes(const struct srp_body *b, uint8_t to[SRP_BODY])
{
	struct wr w = wr_init(to, SRP_BODY);

	srp_body_write(&w, b);
	return (uint16_t)(SRP_BODY - w.left);
}

static bool srp_same_body(const struct srp_body *a, const struct srp_body *b)
{
	uint8_t one[SRP_BODY], other[SRP_BODY];

	srp_body_bytes(a, one);
	srp_body_bytes(b, other);
	return memcmp(one, other, SRP_BODY) == 0;
}

static struct srp_body srp_body_of(const struct srp *s)
{
	struct srp_body b = { .side = s->conf.side,
		.state = (uint8_t)s->info.state,
		.mode = (uint8_t)s->conf.mode,
		.priority = s->conf.priority,
		.rm = s->info.rm,
		.restart_counter = s->info.restart_counter,
		.term = s->info.term,
		.highest = s->info.highest_term,
		.floor = s->floor,
		.incarnation = s->conf.incarnation,
		.hears = srp_peer_alive(s) ? s->info.peer.incarnation : 0,
		.serial = s->serial,
		.capabilities = s->conf.capabilities };

	memcpy(b.mac, s->conf.mac, sizeof(b.mac));
	return b;
}

static struct srp_action *srp_beat(struct srp *s, struct srp_body *b)
{
	struct srp_action *a = srp_emit(s, SRP_ACT_HEARTBEAT);

	b->serial = ++s->serial;
	a->len = srp_body_bytes(b, a->msg);
	return a;
}

/* Tells the peer what changed, on both paths at once. */
static void srp_say(struct srp *s, usec_t now)
{
	struct srp_body b = srp_body_of(s);
	bool first = s->serial == 0;

	if (!first && srp_same_body(&b, &s->said))
		return;
	srp_beat(s, &b)->now = first || b.state != s->said.state || b.term != s->said.term ||
			       b.hears != s->said.hears;
	s->said = b;
	srp_hello(s, now);
}

void srp_last_word(struct srp *s)
{
	struct srp_body b = srp_body_of(s);

	b.state = SRP_INIT;
	srp_beat(s, &b)->now = true;
}

void srp_settle(struct srp *s, usec_t now)
{
	s->due = USEC_NEVER;
	if (s->gone)
		return;
	srp_next_turn(s, now);
	srp_life_update(s, now);
	srp_numbers_turn(s, now); /* a list that counts is taken before a role that goes by it */
	for (unsigned int i = 0; i < 4 && !s->gone; i++) {
		enum srp_state state = s->info.state;
		enum srp_plan_kind plan = s->plan.kind;

		srp_rules(s, now);
		srp_plan_check(s, now);
		if (state == s->info.state && plan == s->plan.kind)
			break;
	}
	if (s->gone)
		return;
	srp_reserve_check(s, now);
	srp_lines_turn(s, now);
	srp_say(s, now);
	if (s->info.connected && srp_reached(s, s->hello_due, now))
		srp_hello(s, now);
	if (s->info.connected)
		srp_reached(s, s->hello_due, now);
}

struct srp *srp_create(const struct srp_conf *c, const struct srp_saved *saved, usec_t now)
{
	struct srp *s;

	if (c->side > 1 || c->priority == 0 || c->incarnation == 0 || c->hello_us == 0 ||
		c->heartbeat_us == 0 || c->dead_multiplier == 0 || c->pending_us == 0 ||
		saved->reserve > SRP_NUMBER_MAX || c->lines_len > SRP_LINES_MAX ||
		(c->lines != NULL && c->lines_len == 0)) {
		errno = EINVAL;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	s->conf = *c;
	if (s->conf.wire.version_max == 0)
		s->conf.wire.version_min = s->conf.wire.version_max = 1;
	s->info.stream_version = s->conf.wire.version_min;
	s->floor = saved->reserve;
	s->info.restart_counter = s->counter_saved = saved->restart_counter;
	s->info.rm = srp_rm_start(s);
	s->info.last_change = now;
	s->info.last_switchover = s->info.config_event = USEC_NEVER;
	s->info.peer.hello_at = s->info.peer.heartbeat_at = USEC_NEVER;
	s->stream = (struct srp_stream){ .heard = USEC_NEVER, .table_empty = true };
	s->life = (struct srp_life){ .stream_given = USEC_NEVER,
		.stream = USEC_NEVER,
		.srp = USEC_NEVER,
		.answered = USEC_NEVER,
		.heard_at = USEC_NEVER,
		.first = USEC_NEVER,
		.slept_at = USEC_NEVER };
	s->lines.due = s->numbers.awaited_since = s->stream_allowed_since = s->probe.due =
		USEC_NEVER;
	srp_next_begin(s);
	srp_boot_begin(s, now);
	s->hello_due = now;
	s->peer_state_since = s->one_way_since = s->connection_since = s->metric_due =
		s->silent_since = s->connected_at = s->connecting_at = s->same_side_at = USEC_NEVER;
	srp_settle(s, now);
	return s;
}

void srp_destroy(struct srp *s)
{
	if (s == NULL)
		return;
	free(s->lines.text);
	free(s->numbers.text);
	free(s);
}

const struct srp_info *srp_info(const struct srp *s)
{
	return &s->info;
}

usec_t srp_due(const struct srp *s)
{
	return s->due;
}

void srp_tick(struct srp *s, usec_t now)
{
	srp_settle(s, now);
}

void srp_connecting(struct srp *s, bool on, usec_t now)
{
	if (on == (s->connecting_at != USEC_NEVER))
		return;
	s->connecting_at = on ? now : USEC_NEVER;
	s->boot.meetings += on;
	srp_settle(s, now);
}

void srp_connected(struct srp *s, usec_t now)
{
	if (s->gone)
		return;
	s->info.connected = true;
	s->connected_at = now;
	s->boot.meetings += s->connecting_at == USEC_NEVER; /* else it was counted already */
	s->life.refused = false;
	s->life.asking = false;
	srp_lines_connected(s);
	srp_numbers_connected(s);
	s->info.count.connections++;
	srp_hello(s, now);
	srp_offer_send(s);
	srp_settle(s, now);
}

void srp_disconnected(struct srp *s, bool refused, usec_t now)
{
	if (s->info.connected)
		s->info.count.connection_losses++;
	s->info.connected = false;
	s->life.refused = refused;
	srp_settle(s, now);
}

static void srp_take_stream(struct srp *s, const struct srp_stream *st)
{
	s->stream = *st;
	/* A whole pass matched since the stream may run again. */
	if (s->copy_outdated && s->stream_allowed_since != USEC_NEVER && st->joined &&
		st->matched_since != USEC_NEVER && st->matched_since > s->stream_allowed_since)
		s->copy_outdated = false;
	if (st->heard != USEC_NEVER && st->heard != s->life.stream_given) {
		s->life.stream_given = st->heard;
		s->life.stream = srp_latest(s->life.stream, st->heard);
	}
}

void srp_stream(struct srp *s, const struct srp_stream *st, usec_t now)
{
	srp_take_stream(s, st);
	srp_settle(s, now);
}

void srp_stalled(
	struct srp *s, usec_t us, usec_t stream_us, const struct srp_stream *st, usec_t now)
{
	usec_t longer = us > stream_us ? us : stream_us;
	usec_t others = srp_boot_stalled(s, longer);

	srp_take_stream(s, st);
	s->info.count.stalls++;
	/* A question that is out: its answer may have been dropped. */
	s->probe.due = srp_after(s->probe.due, s->probe.state == PROBE_OUT ? longer : others);
	s->plan.due = srp_after(s->plan.due, longer);
	s->plan.acked_due = srp_after(s->plan.acked_due, longer);
	srp_life_stall(s, us, stream_us, others, now);
	/* The peer may have given us up: then it shall win. */
	if (longer >= srp_patience(s) &&
		(s->info.state == SRP_ACTIVE || s->info.state == SRP_PENDING_STANDBY)) {
		s->silent_since = now;
		s->info.must_not_answer = true;
	}
	if (longer >= srp_patience(s) && s->info.state == SRP_ACTIVE) {
		s->info.rm = srp_rm_start(s);
		s->metric_due = now + s->conf.hello_us;
	}
	if (us >= s->conf.dead_us && s->info.state == SRP_STANDBY)
		s->life.slept_at = now;
	/* What arrived meanwhile is still to be read, and may be the peer's first word: a boot ends
	 * at the next tick at the earliest. */
	if (s->info.state == SRP_INIT)
		s->due = now;
	else
		srp_settle(s, now);
}

void srp_done(struct srp *s, enum srp_step step, srp_term_t term, bool ok, uint64_t number,
	const char *why, usec_t now)
{
	if (s->gone)
		return;
	srp_plan_done(s, step, term, ok, number, why, now);
	srp_settle(s, now);
}

void srp_heartbeat(struct srp *s, const uint8_t *body, size_t len, bool fresh, usec_t now)
{
	struct rd r = rd_init(body, len);
	struct srp_body b;
	int ret;

	if (s->gone)
		return;
	s->info.count.heartbeats_received++;
	/* A frame that waited on a dead link tells of a state long gone. */
	ret = srp_body_read(&r, &b) < 0 ? -EBADMSG : fresh ? srp_peer_said(s, &b, now) : -ESTALE;
	if (ret == -EBADMSG)
		s->info.count.messages_malformed++;
	else if (ret == -ESTALE)
		s->info.count.messages_stale++;
	if (ret < 0)
		return;
	s->life.stream = srp_latest(s->life.stream, now);
	s->info.peer.heartbeat_at = now;
	srp_settle(s, now);
}

static int srp_on_hello(struct srp *s, const struct srp_msg *m, usec_t now)
{
	int ret = srp_peer_said(s, &m->body, now);

	if (ret < 0)
		return ret;
	s->info.count.hellos_received++;
	s->info.peer.hello_at = now;
	srp_compare(s, m, now);
	srp_numbers_hello(s, now);
	return 0;
}

static int srp_on_message(struct srp *s, const struct srp_msg *m, usec_t now)
{
	if (m->type == SRP_MSG_HELLO)
		return srp_on_hello(s, m, now);
	if (!srp_peer_is(s, m->incarnation))
		return -ESTALE;
	if (m->type == SRP_MSG_ASK) {
		s->info.count.asks_received++;
		srp_send(s, &(struct srp_msg){ .type = SRP_MSG_ANSWER, .id = m->id });
		return 0;
	}
	if (m->type == SRP_MSG_ANSWER) {
		srp_life_answer(s, m->id, now);
		return 0;
	}
	if (m->type == SRP_MSG_WANT_LINES)
		return srp_on_want_lines(s, m);
	if (m->type == SRP_MSG_LINES)
		return srp_on_lines(s, m, now);
	if (m->type == SRP_MSG_WANT_NUMBERS)
		return srp_on_want_numbers(s, m);
	if (m->type == SRP_MSG_NUMBERS)
		return srp_on_numbers(s, m, now);
	if (m->term < s->info.peer.term)
		return -ESTALE;
	if (m->type == SRP_MSG_OFFER)
		srp_on_offer(s, m, now);
	else if (m->type == SRP_MSG_REFUSE)
		srp_on_refuse(s, m, now);
	else if (m->type == SRP_MSG_CONFIRM)
		srp_on_confirm(s, m, now);
	else
		srp_on_goodbye(s, m, now);
	return 0;
}

void srp_message(struct srp *s, const uint8_t *msg, size_t len, usec_t now)
{
	struct srp_msg m;
	int ret;

	if (s->gone)
		return;
	ret = srp_msg_read(msg, len, &m);
	if (ret == 0)
		ret = srp_on_message(s, &m, now);
	if (ret == -EBADMSG) {
		s->info.count.messages_malformed++;
		srp_emit(s, SRP_ACT_CLOSE);
	} else if (ret == -ESTALE) {
		s->info.count.messages_stale++;
	} else {
		s->life.srp = now;
	}
	srp_settle(s, now);
}
