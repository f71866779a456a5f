/* SPDX-License-Identifier: BSD-3-Clause */
/* One chassis under test against a scripted peer that speaks on two paths. */
#include <string.h>

#include "srp_pvt.h"
#include "ut.h"

enum { MS = 1000, LOG = 512, SELF = 0x1111, PEER = 0x2222 };

struct rig {
	struct srp *s;
	struct srp_conf conf;
	usec_t now;
	/* The peer. */
	struct srp_body body;
	bool stream, srp, answers; /* which paths of it work */
	uint32_t capacity;
	usec_t hello_at, beat_at;
	/* This side's surroundings. */
	bool disk_full;
	enum srp_step withhold, fail;
	uint64_t number; /* what STOP and LATE are answered with */
	struct srp_stream st;
	/* What was seen. */
	struct srp_action log[LOG];
	unsigned int n;
};

static void drain(struct rig *r);

static void send(struct rig *r, struct srp_msg m)
{
	uint8_t buf[SRP_MSG_MAX];

	m.incarnation = m.incarnation != 0 ? m.incarnation : r->body.incarnation;
	m.term = m.term != 0 ? m.term : r->body.term;
	srp_message(r->s, buf, srp_msg_write(&m, buf, sizeof(buf)), r->now);
	drain(r);
}

static void send_hello(struct rig *r)
{
	send(r, (struct srp_msg){ .type = SRP_MSG_HELLO, .body = r->body, .capacity = r->capacity });
	r->hello_at = r->now;
}

static void send_beat(struct rig *r)
{
	uint8_t buf[SRP_BODY];
	struct wr w = wr_init(buf, sizeof(buf));

	srp_body_write(&w, &r->body);
	r->st.heard = r->now;
	srp_stream(r->s, &r->st, r->now);
	srp_heartbeat(r->s, buf, sizeof(buf), true, r->now);
	drain(r);
	r->beat_at = r->now;
}

static void act(struct rig *r, const struct srp_action *a)
{
	struct srp_msg m;

	if (a->kind == SRP_ACT_RESERVE)
		srp_saved_reserve(r->s, a->number, !r->disk_full, r->now);
	if (a->kind == SRP_ACT_STEP && a->step != r->withhold)
		srp_done(r->s, a->step, a->term, a->step != r->fail, r->number, "told to", r->now);
	if (a->kind == SRP_ACT_SEND && srp_msg_read(a->msg, a->len, &m) == 0 && m.type == SRP_MSG_ASK &&
		r->answers)
		send(r, (struct srp_msg){ .type = SRP_MSG_ANSWER, .id = m.id });
}

static void drain(struct rig *r)
{
	struct srp_action a;

	while (srp_next(r->s, &a)) {
		if (r->n < LOG)
			r->log[r->n++] = a;
		act(r, &a);
	}
}

static void run(struct rig *r, usec_t us)
{
	for (usec_t end = r->now + us; r->now < end;) {
		r->now += MS;
		if (r->stream && r->now >= r->beat_at + r->conf.heartbeat_us)
			send_beat(r);
		if (r->srp && r->now >= r->hello_at + r->conf.hello_us)
			send_hello(r);
		srp_stream(r->s, &r->st, r->now);
		drain(r);
		srp_tick(r->s, r->now);
		drain(r);
	}
}

/* The peer says something new, on the paths that it has. */
static void say(struct rig *r, enum srp_state state, srp_term_t term)
{
	r->body.state = (uint8_t)state;
	r->body.term = term;
	if (term > r->body.highest)
		r->body.highest = term;
	r->body.serial++;
	if (r->stream)
		send_beat(r);
	if (r->srp)
		send_hello(r);
}

static void up(struct rig *r, bool stream, bool srp)
{
	r->stream = stream;
	if (srp && !r->srp) {
		srp_connected(r->s, r->now);
		drain(r);
	}
	r->srp = r->answers = srp;
}

static void down(struct rig *r, bool refused)
{
	r->srp = r->answers = false;
	srp_disconnected(r->s, refused, r->now);
	drain(r);
}

/* Alone, just started, side 0, backup, priority 125; the peer is side 1 with the same but a lower MAC. */
static void start(struct rig *r, const struct srp_conf *over)
{
	*r = (struct rig){ .now = 1000 * MS, .capacity = 100 };
	r->conf = (struct srp_conf){ .side = 0,
		.priority = 125,
		.mac = { 2, 0, 0, 0, 0, 2 },
		.incarnation = SELF,
		.capacity = 100,
		.hello_us = 1000 * MS,
		.dead_us = 3000 * MS,
		.delay_us = 5000 * MS,
		.heartbeat_us = 10 * MS,
		.pending_us = 10000 * MS,
		.dead_multiplier = 3 };
	if (over != NULL)
		r->conf = *over;
	r->body = (struct srp_body){ .side = !r->conf.side,
		.state = SRP_INIT,
		.priority = 125,
		.rm = 18,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.incarnation = PEER,
		.hears = SELF,
		.restart_counter = 7 };
	r->st = (struct srp_stream){ .heard = USEC_NEVER, .table_empty = true };
	r->s = srp_create(&r->conf, &(struct srp_saved){ .reserve = 5, .restart_counter = 40 }, r->now);
	CU_ASSERT_PTR_NOT_NULL(r->s);
	drain(r);
}

static void stop(struct rig *r)
{
	srp_destroy(r->s);
}

static enum srp_state state(const struct rig *r)
{
	return srp_info(r->s)->state;
}

static bool alarm_is(const struct rig *r, enum srp_alarm a)
{
	return (srp_info(r->s)->alarms >> a & 1) != 0;
}

static const struct srp_action *find(const struct rig *r, enum srp_action_kind kind)
{
	for (unsigned int i = r->n; i > 0; i--)
		if (r->log[i - 1].kind == kind)
			return &r->log[i - 1];
	return NULL;
}

static const struct srp_action *find_step(const struct rig *r, enum srp_step step)
{
	for (unsigned int i = r->n; i > 0; i--)
		if (r->log[i - 1].kind == SRP_ACT_STEP && r->log[i - 1].step == step)
			return &r->log[i - 1];
	return NULL;
}

static const struct srp_action *find_send(const struct rig *r, enum srp_type type, struct srp_msg *m)
{
	for (unsigned int i = r->n; i > 0; i--) {
		const struct srp_action *a = &r->log[i - 1];

		if (a->kind == SRP_ACT_SEND && srp_msg_read(a->msg, a->len, m) == 0 && m->type == type)
			return a;
	}
	return NULL;
}

/* "stop own activate stream": the steps asked for, in order. */
static void steps(const struct rig *r, const char *want)
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

static void be_standby(struct rig *r, bool joined)
{
	start(r, NULL);
	up(r, true, true);
	r->body.rm = 1;
	say(r, SRP_ACTIVE, 21 << 1 | 1);
	r->st.joined = joined;
	r->st.table_empty = false;
	run(r, 100 * MS);
	CU_ASSERT_EQUAL(state(r), SRP_STANDBY);
	r->n = 0;
}

static void be_active(struct rig *r)
{
	start(r, NULL);
	up(r, true, true);
	say(r, SRP_INIT, 0);
	run(r, 20 * MS);
	CU_ASSERT_EQUAL(state(r), SRP_ACTIVE);
	r->body.rm = 2;
	say(r, SRP_STANDBY, srp_info(r->s)->term);
	r->st.in_sync = true;
	run(r, 100 * MS);
	CU_ASSERT_EQUAL(state(r), SRP_ACTIVE);
	r->n = 0;
}

static void test_boot_alone(void)
{
	struct rig r;

	start(&r, NULL);
	run(&r, 7990 * MS);
	CU_ASSERT_EQUAL(state(&r), SRP_INIT);
	run(&r, 20 * MS);
	CU_ASSERT_EQUAL(state(&r), SRP_ACTIVE);
	steps(&r, "stop own activate stream");
	CU_ASSERT_TRUE(find_step(&r, SRP_STEP_ACTIVATE)->alone);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, 6 << 1 | 0);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 41);
	stop(&r);
}

static void test_dead_both_silent(void)
{
	struct rig r;

	be_standby(&r, true);
	r.stream = r.srp = r.answers = false;
	run(&r, 25 * MS);
	CU_ASSERT_EQUAL(state(&r), SRP_STANDBY);
	run(&r, 15 * MS);
	CU_ASSERT_EQUAL(state(&r), SRP_ACTIVE);
	steps(&r, "stop own activate stream");
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_DEAD_TIMER);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, 22 << 1 | 0);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 7);
	CU_ASSERT_FALSE(alarm_is(&r, SRP_ALARM_UNVOUCHED));
	stop(&r);
}

static void test_connection_lost_alone(void)
{
	struct rig r;

	be_standby(&r, true);
	down(&r, false);
	run(&r, 5000 * MS);
	CU_ASSERT_EQUAL(state(&r), SRP_STANDBY);
	CU_ASSERT_TRUE(alarm_is(&r, SRP_ALARM_CONNECTION));
	stop(&r);
}

static void test_planned_active(void)
{
	struct rig r;
	struct srp_msg m;
	char why[SRP_REASON_MAX];
	srp_term_t own;

	be_active(&r);
	own = srp_info(r.s)->term;
	r.number = 1234;
	CU_ASSERT_EQUAL(srp_switchover(r.s, false, why, r.now), 0);
	drain(&r);
	CU_ASSERT_EQUAL(state(&r), SRP_PENDING_STANDBY);
	CU_ASSERT_PTR_NOT_NULL(find_send(&r, SRP_MSG_OFFER, &m));
	CU_ASSERT_EQUAL(m.offered & 1, 1);
	CU_ASSERT_TRUE(m.offered > own);
	CU_ASSERT_EQUAL(m.number, 1234);
	CU_ASSERT_EQUAL(m.to, PEER);
	say(&r, SRP_PENDING_ACTIVE, m.offered);
	CU_ASSERT_EQUAL(state(&r), SRP_PENDING_STANDBY);
	send(&r, (struct srp_msg){ .type = SRP_MSG_CONFIRM, .offered = m.offered, .rm = 2 });
	CU_ASSERT_EQUAL(state(&r), SRP_STANDBY);
	steps(&r, "hold late deactivate write");
	CU_ASSERT_EQUAL(find_step(&r, SRP_STEP_WRITE)->term, m.offered);
	CU_ASSERT_EQUAL(find_step(&r, SRP_STEP_WRITE)->old_term, own);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 3);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.switchovers_planned, 1);
	stop(&r);
}

static void test_planned_standby(void)
{
	struct rig r;
	struct srp_msg m;
	srp_term_t offered = 22 << 1;

	be_standby(&r, true);
	r.number = 500;
	say(&r, SRP_PENDING_STANDBY, r.body.term);
	send(&r, (struct srp_msg){ .type = SRP_MSG_OFFER,
			 .offered = offered,
			 .number = 500,
			 .to = SELF,
			 .cause = SRP_CAUSE_MANUAL });
	CU_ASSERT_EQUAL(state(&r), SRP_ACTIVE);
	steps(&r, "stop own activate stream");
	CU_ASSERT_PTR_NOT_NULL(find_send(&r, SRP_MSG_CONFIRM, &m));
	CU_ASSERT_EQUAL(m.offered, offered);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, offered);
	CU_ASSERT_EQUAL(find_step(&r, SRP_STEP_STREAM)->old_term, 21 << 1 | 1);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	CU_ASSERT_EQUAL(find(&r, SRP_ACT_ROLE)->cause, SRP_CAUSE_MANUAL);
	stop(&r);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "boot alone", test_boot_alone },
		{ "dead both silent", test_dead_both_silent },
		{ "connection lost alone", test_connection_lost_alone },
		{ "planned, active", test_planned_active },
		{ "planned, standby", test_planned_standby },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "srp", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
