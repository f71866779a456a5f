/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "srp_rig.h"

void rig_send(struct rig *r, struct srp_msg m)
{
	uint8_t buf[SRP_MSG_MAX];

	m.incarnation = m.incarnation != 0 ? m.incarnation : r->body.incarnation;
	m.term = m.term != 0 ? m.term : r->body.term;
	srp_message(r->s, buf, srp_msg_write(&m, buf, sizeof(buf)), r->now);
	rig_drain(r);
}

void rig_hello(struct rig *r)
{
	rig_send(r, (struct srp_msg){ .type = SRP_MSG_HELLO,
			    .body = r->body,
			    .capacity = r->capacity,
			    .wire = r->wire,
			    .health = r->health });
	r->hello_at = r->now;
}

void rig_beat(struct rig *r)
{
	uint8_t buf[SRP_BODY];
	struct wr w = wr_init(buf, sizeof(buf));

	srp_body_write(&w, &r->body);
	r->st.heard = r->now;
	srp_stream(r->s, &r->st, r->now);
	srp_heartbeat(r->s, buf, sizeof(buf), true, r->now);
	rig_drain(r);
	r->beat_at = r->now;
}

static void rig_act(struct rig *r, const struct srp_action *a)
{
	struct srp_msg m;

	if (a->kind == SRP_ACT_RESERVE)
		srp_saved_reserve(r->s, a->number, !r->disk_full, r->now);
	if (a->kind == SRP_ACT_STEP && a->step != r->withhold)
		srp_done(r->s, a->step, a->term, a->step != r->fail, r->number, "told to", r->now);
	if (a->kind == SRP_ACT_SEND && srp_msg_read(a->msg, a->len, &m) == 0 &&
		m.type == SRP_MSG_ASK && r->answers)
		rig_send(r, (struct srp_msg){ .type = SRP_MSG_ANSWER, .id = m.id });
}

void rig_drain(struct rig *r)
{
	struct srp_action a;

	while (srp_next(r->s, &a)) {
		/* Asks go out by the hundred; counters tell of them. */
		if (r->n < LOG && (a.kind != SRP_ACT_SEND || a.msg[1] != SRP_MSG_ASK))
			r->log[r->n++] = a;
		rig_act(r, &a);
	}
}

void rig_run(struct rig *r, usec_t us)
{
	for (usec_t end = r->now + us; r->now < end;) {
		r->now += MS;
		if (r->stream && r->now >= r->beat_at + r->conf.heartbeat_us)
			rig_beat(r);
		if (r->srp && r->now >= r->hello_at + r->conf.hello_us)
			rig_hello(r);
		srp_stream(r->s, &r->st, r->now);
		rig_drain(r);
		srp_tick(r->s, r->now);
		rig_drain(r);
	}
}

/* The peer says something new, on the paths that it has. */
void rig_say(struct rig *r, enum srp_state state, srp_term_t term)
{
	r->body.state = (uint8_t)state;
	r->body.term = term;
	if (term > r->body.highest)
		r->body.highest = term;
	r->body.serial++;
	if (r->stream)
		rig_beat(r);
	if (r->srp)
		rig_hello(r);
}

void rig_up(struct rig *r, bool stream, bool srp)
{
	r->stream = stream;
	if (srp && !r->srp) {
		srp_connected(r->s, r->now);
		rig_drain(r);
	}
	r->srp = r->answers = srp;
}

void rig_down(struct rig *r, bool refused)
{
	r->srp = r->answers = false;
	srp_disconnected(r->s, refused, r->now);
	rig_drain(r);
}

struct srp_conf rig_conf(void)
{
	return (struct srp_conf){ .side = 0,
		.priority = 125,
		.mac = { 2, 0, 0, 0, 0, 2 },
		.incarnation = SELF,
		.capacity = 100,
		.wire = { 1, 1, 1500 },
		.mtu_port = "repl0",
		.hello_us = 1000 * MS,
		.dead_us = 3000 * MS,
		.delay_us = 5000 * MS,
		.heartbeat_us = 10 * MS,
		.pending_us = 10000 * MS,
		.dead_multiplier = 3 };
}

/* Alone, just started, side 0, backup, priority 125; the peer is side 1 with the same but a lower
 * MAC. */
void rig_start(struct rig *r, const struct srp_conf *over)
{
	*r = (struct rig){ .now = 1000 * MS, .capacity = 100, .wire = { 1, 1, 1500 } };
	r->conf = over != NULL ? *over : rig_conf();
	r->body = (struct srp_body){ .side = !r->conf.side,
		.state = SRP_INIT,
		.priority = 125,
		.rm = 18,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.incarnation = PEER,
		.hears = SELF,
		.restart_counter = 7 };
	r->st = (struct srp_stream){ .heard = USEC_NEVER, .table_empty = true };
	r->s = srp_create(
		&r->conf, &(struct srp_saved){ .reserve = 5, .restart_counter = 40 }, r->now);
	CU_ASSERT_PTR_NOT_NULL(r->s);
	rig_drain(r);
}

void rig_stop(struct rig *r)
{
	srp_destroy(r->s);
}

enum srp_state rig_state(const struct rig *r)
{
	return srp_info(r->s)->state;
}

bool rig_alarm(const struct rig *r, enum srp_alarm a)
{
	return (srp_info(r->s)->alarms >> a & 1) != 0;
}

const char *rig_alarm_text(const struct rig *r, enum srp_alarm a)
{
	for (unsigned int i = r->n; i-- > 0;)
		if (r->log[i].kind == SRP_ACT_ALARM && r->log[i].alarm == a && r->log[i].raised)
			return r->log[i].text;
	return "";
}

const struct srp_action *rig_find(const struct rig *r, enum srp_action_kind kind)
{
	for (unsigned int i = r->n; i > 0; i--)
		if (r->log[i - 1].kind == kind)
			return &r->log[i - 1];
	return NULL;
}

const struct srp_action *rig_step(const struct rig *r, enum srp_step step)
{
	for (unsigned int i = r->n; i > 0; i--)
		if (r->log[i - 1].kind == SRP_ACT_STEP && r->log[i - 1].step == step)
			return &r->log[i - 1];
	return NULL;
}

const struct srp_action *rig_sent(const struct rig *r, enum srp_type type, struct srp_msg *m)
{
	for (unsigned int i = r->n; i > 0; i--) {
		const struct srp_action *a = &r->log[i - 1];

		if (a->kind == SRP_ACT_SEND && srp_msg_read(a->msg, a->len, m) == 0 &&
			m->type == type)
			return a;
	}
	return NULL;
}

/* "stop own activate stream": the steps asked for, in order. */
void rig_steps(const struct rig *r, const char *want)
{
	char got[256] = "";

	for (unsigned int i = 0; i < r->n; i++) {
		if (r->log[i].kind != SRP_ACT_STEP)
			continue;
		if (got[0] != '\0')
			strncat(got, " ", sizeof(got) - strlen(got) - 1);
		strncat(got, srp_step_name(r->log[i].step), sizeof(got) - strlen(got) - 1);
	}
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "steps: got '%s', want '%s'\n", got, want);
}

void rig_standby(struct rig *r, bool joined)
{
	rig_start(r, NULL);
	rig_up(r, true, true);
	r->body.rm = 1;
	rig_say(r, SRP_ACTIVE, 21 << 1 | 1);
	r->st.joined = joined;
	r->st.table_empty = false;
	rig_run(r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(r), SRP_STANDBY);
	r->n = 0;
}

void rig_active(struct rig *r)
{
	rig_start(r, NULL);
	rig_up(r, true, true);
	rig_say(r, SRP_INIT, 0);
	rig_run(r, 20 * MS);
	CU_ASSERT_EQUAL(rig_state(r), SRP_ACTIVE);
	r->body.rm = 2;
	rig_say(r, SRP_STANDBY, srp_info(r->s)->term);
	r->st.in_sync = true;
	rig_run(r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(r), SRP_ACTIVE);
	r->n = 0;
}
