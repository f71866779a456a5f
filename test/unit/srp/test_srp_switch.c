/* SPDX-License-Identifier: BSD-3-Clause */
/* Planned switchover and shutdown. */
#include <errno.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_switch_tests[];

static struct srp_msg offered(struct rig *r)
{
	struct srp_msg m = { 0 };

	CU_ASSERT_PTR_NOT_NULL(rig_sent(r, SRP_MSG_OFFER, &m));
	return m;
}

static int go(struct rig *r, bool force)
{
	char why[SRP_REASON_MAX];
	int ret = srp_switchover(r->s, force, why, r->now);

	rig_drain(r);
	return ret;
}

/* Active again, in a term above the one that was offered, and counted. */
static void resumed(struct rig *r, srp_term_t own)
{
	CU_ASSERT_EQUAL(rig_state(r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r->s)->last_cause, SRP_CAUSE_ABORTED);
	CU_ASSERT_EQUAL(srp_info(r->s)->count.switchovers_planned_aborted, 1);
	CU_ASSERT_TRUE(srp_info(r->s)->term > own);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_step(r, SRP_STEP_RESUME));
	CU_ASSERT_EQUAL(rig_step(r, SRP_STEP_RESUME)->term, srp_info(r->s)->term);
	CU_ASSERT_EQUAL(srp_info(r->s)->rm, 1);
}

static void test_checks(void)
{
	char why[SRP_REASON_MAX];
	struct rig r;

	rig_standby(&r, true);
	CU_ASSERT_EQUAL(srp_switchover(r.s, true, why, r.now), -EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "Standby"));
	rig_stop(&r);

	for (int i = 0; i < 8; i++) {
		static const struct {
			int err;
			bool forcible;
			const char *word;
		} want[] = { { 0, true, "ok" },
			{ -EINPROGRESS, true, "passes of the audit: wait for it, about 17 s" },
			{ -EINVAL, true, "configurations" }, { -EINVAL, true, "capacity" },
			{ -ENETDOWN, true, "replication" }, { -ENOTCONN, false, "srp bind" },
			{ -EAGAIN, false, "Init" }, { -ENOTCONN, false, "no peer" } };

		rig_active(&r);
		if (i == 1)
			r.st.in_sync = false, r.st.sync_left_s = 17;
		if (i == 2)
			r.s->info.peer.config_digest++;
		if (i == 3)
			r.s->info.peer.capacity++;
		if (i == 4 || i == 7)
			r.stream = false;
		if (i == 5)
			rig_down(&r, false);
		if (i == 6)
			rig_say(&r, SRP_INIT, 0);
		if (i == 7)
			r.srp = r.answers = false;
		rig_run(&r, 50 * MS);
		CU_ASSERT_EQUAL(srp_validate(r.s, why, r.now), want[i].err);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, want[i].word));
		CU_ASSERT_STRING_EQUAL(srp_info(r.s)->validate_status, why);
		CU_ASSERT_EQUAL(
			srp_switchover(r.s, true, why, r.now), want[i].forcible ? 0 : want[i].err);
		rig_drain(&r);
		if (want[i].forcible)
			CU_ASSERT_EQUAL(srp_switchover(r.s, true, why, r.now), -EPERM);
		rig_stop(&r);
	}
}

static void test_planned_active(void)
{
	/* The answer: CONFIRM, or the peer's word on either path. */
	for (int by = 0; by < 3; by++) {
		struct rig r;
		struct srp_msg m;
		srp_term_t own;

		rig_active(&r);
		own = srp_info(r.s)->term;
		r.number = 1234;
		CU_ASSERT_EQUAL(go(&r, false), 0);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
		m = offered(&r);
		CU_ASSERT_EQUAL(m.offered & 1, 1);
		CU_ASSERT_TRUE(m.offered > own);
		CU_ASSERT_EQUAL(m.number, 1234);
		CU_ASSERT_EQUAL(m.to, PEER);
		CU_ASSERT_EQUAL(m.cause, SRP_CAUSE_MANUAL);
		r.stream = by != 2;
		r.srp = by != 1;
		rig_say(&r, SRP_PENDING_ACTIVE, m.offered);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
		if (by == 0)
			rig_send(&r,
				(struct srp_msg){
					.type = SRP_MSG_CONFIRM, .offered = m.offered, .rm = 2 });
		else
			rig_say(&r, SRP_ACTIVE, m.offered);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		rig_steps(&r, "hold late deactivate write");
		CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_WRITE)->term, m.offered);
		CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_WRITE)->old_term, own);
		CU_ASSERT_TRUE(rig_step(&r, SRP_STEP_DEACTIVATE)->planned);
		CU_ASSERT_EQUAL(srp_info(r.s)->rm, 3);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.switchovers_planned, 1);
		rig_stop(&r);
	}
}

enum failure {
	REFUSED,
	PEER_DEAD,
	PEER_GONE,
	PEER_NEW,
	SILENT,
	HOLD_FAILS,
	NOT_ACKED,
	LATE_FAILS,
	FAILURES
};

static void test_planned_active_fails(void)
{
	for (int f = 0; f < FAILURES; f++) {
		struct rig r;
		srp_term_t own;

		rig_active(&r);
		own = srp_info(r.s)->term;
		r.fail = f == HOLD_FAILS   ? SRP_STEP_HOLD
			 : f == LATE_FAILS ? SRP_STEP_LATE
					   : SRP_STEP_NONE;
		r.withhold = f == NOT_ACKED ? SRP_STEP_LATE : SRP_STEP_NONE;
		CU_ASSERT_EQUAL(go(&r, false), 0);
		if (f == REFUSED) {
			struct srp_msg m = { .type = SRP_MSG_REFUSE,
				.offered = offered(&r).offered + 2,
				.text = "x" };

			rig_send(&r, m);
			CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
			m.offered -= 2;
			rig_send(&r, m);
			CU_ASSERT_PTR_NOT_NULL(
				strstr(srp_info(r.s)->validate_status, "refused by the peer: x"));
		}
		if (f == PEER_DEAD) {
			r.stream = r.srp = r.answers = false;
			rig_run(&r, 50 * MS);
		}
		if (f == PEER_GONE)
			rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE });
		if (f == PEER_NEW) {
			r.body.incarnation++;
			rig_say(&r, SRP_INIT, 0);
		}
		if (f == SILENT)
			rig_run(&r, 10010 * MS);
		if (f == NOT_ACKED)
			rig_run(&r, 1010 * MS);
		resumed(&r, own);
		/* A late yes to an offer that is spent. */
		rig_send(&r,
			(struct srp_msg){ .type = SRP_MSG_CONFIRM, .offered = own + 1, .rm = 2 });
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_ABORT));
		rig_stop(&r);
	}
}

/* A chassis that remembers nothing counts its peer's reserve as spent: one that was started again
 * during the offer can leave it without a term to resume in until its disk has written a higher
 * reserve. */
static void test_planned_awaits_a_term(void)
{
	for (int written = 0; written < 2; written++) {
		struct rig r;
		srp_term_t own;

		rig_active(&r);
		r.s->floor = 0;
		own = srp_info(r.s)->term;
		r.withhold = SRP_STEP_HOLD;
		CU_ASSERT_EQUAL(go(&r, true), 0);
		r.disk_full = true;
		r.body.incarnation = PEER + 1;
		r.body.floor = srp_info(r.s)->reserve;
		r.body.serial = 0;
		rig_say(&r, SRP_INIT, 0);
		rig_run(&r, 100 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
		CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_ABORT));
		r.disk_full = !written;
		rig_run(&r, 2000 * MS);
		if (written)
			resumed(&r, own);
		else
			CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
		rig_run(&r, r.conf.pending_us);
		CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_ABORT) != NULL, !written);
		rig_stop(&r);
	}
}

static void test_planned_reconnect(void)
{
	struct rig r;
	struct srp_msg m;

	rig_active(&r);
	CU_ASSERT_EQUAL(go(&r, false), 0);
	m = offered(&r);
	rig_down(&r, false);
	r.n = 0;
	rig_up(&r, true, true);
	CU_ASSERT_EQUAL(offered(&r).offered, m.offered);
	rig_stop(&r);
}

static void test_forced(void)
{
	struct rig r;

	/* Not even the flush comes to an end: the offer goes out without it. */
	rig_active(&r);
	r.st.in_sync = false;
	r.withhold = SRP_STEP_LATE;
	rig_run(&r, 10 * MS);
	CU_ASSERT_EQUAL(go(&r, true), 0);
	rig_run(&r, 1010 * MS);
	CU_ASSERT_TRUE(offered(&r).forced);
	CU_ASSERT_EQUAL(offered(&r).number, 0);
	CU_ASSERT_EQUAL(offered(&r).cause, SRP_CAUSE_FORCED);
	rig_stop(&r);

	rig_standby(&r, false);
	rig_send(&r,
		(struct srp_msg){
			.type = SRP_MSG_OFFER, .offered = 22 << 1, .to = SELF, .forced = true });
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_UNVOUCHED));
	rig_stop(&r);
}

static void offer(struct rig *r, srp_term_t term, uint32_t to)
{
	rig_send(r, (struct srp_msg){ .type = SRP_MSG_OFFER,
			    .offered = term,
			    .number = 500,
			    .to = to,
			    .cause = SRP_CAUSE_MANUAL });
}

static void test_planned_standby(void)
{
	struct rig r;
	struct srp_msg m;
	srp_term_t term = 22 << 1;

	rig_standby(&r, true);
	r.number = 500;
	rig_say(&r, SRP_PENDING_STANDBY, r.body.term);
	/* Told of in a heartbeat before it arrives. */
	r.body.highest = term;
	rig_say(&r, SRP_PENDING_STANDBY, r.body.term);
	offer(&r, term, SELF);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_steps(&r, "claim stop own activate stream");
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_CONFIRM, &m));
	CU_ASSERT_EQUAL(m.offered, term);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, term);
	CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_OWN)->old_term, 21 << 1 | 1);
	CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_STREAM)->old_term, 21 << 1 | 1);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_ROLE)->cause, SRP_CAUSE_MANUAL);
	/* The CONFIRM was lost with the connection: the offer comes again. */
	r.n = 0;
	offer(&r, term, SELF);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_CONFIRM, &m));
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

static void test_offer_refused(void)
{
	static const struct {
		bool joined, stream;
		srp_term_t term;
		uint32_t to;
		bool answered;
	} t[] = {
		{ false, true, 22 << 1, SELF, true }, { true, false, 22 << 1, SELF, true },
		{ true, true, 22 << 1 | 1, SELF, true },  /* not our side */
		{ true, true, 20 << 1, SELF, true },      /* spent */
		{ true, true, 5000 << 1, SELF, true },    /* beyond the reserve */
		{ true, true, 22 << 1, SELF + 1, false }, /* to an earlier life of ours */
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct rig r;
		struct srp_msg m;

		rig_standby(&r, t[i].joined);
		r.number = 500;
		r.stream = t[i].stream;
		rig_run(&r, 50 * MS);
		offer(&r, t[i].term, t[i].to);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		CU_ASSERT_EQUAL(rig_sent(&r, SRP_MSG_REFUSE, &m) != NULL, t[i].answered);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.offers_refused, t[i].answered);
		rig_steps(&r, "");
		rig_stop(&r);
	}
}

static void test_offer_backs_out(void)
{
	struct rig r;
	struct srp_msg m;

	/* The end of the stream did not get here. */
	rig_standby(&r, true);
	r.number = 499;
	offer(&r, 22 << 1, SELF);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_REFUSE, &m));
	rig_steps(&r, "claim stop write");
	rig_stop(&r);

	/* The workers cannot own. */
	rig_standby(&r, true);
	r.number = 500;
	r.fail = SRP_STEP_OWN;
	offer(&r, 22 << 1, SELF);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_REFUSE, &m));
	rig_steps(&r, "claim stop own deactivate release write");
	rig_stop(&r);

	/* The peer took the role back. */
	rig_standby(&r, true);
	r.number = 500;
	r.withhold = SRP_STEP_ACTIVATE;
	offer(&r, 22 << 1, SELF);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
	rig_say(&r, SRP_ACTIVE, 23 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_steps(&r, "claim stop own activate deactivate release write");
	CU_ASSERT_EQUAL(srp_info(r.s)->term, 23 << 1 | 1);
	rig_stop(&r);

	/* A dead peer is no reason to stop. */
	rig_standby(&r, true);
	r.number = 500;
	r.withhold = SRP_STEP_OWN;
	offer(&r, 22 << 1, SELF);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 5000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
	srp_done(r.s, SRP_STEP_OWN, 22 << 1, true, 0, NULL, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

static void test_shutdown(void)
{
	struct rig r;
	struct srp_msg m;

	/* A ready Standby takes over first. */
	rig_active(&r);
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	rig_send(&r, (struct srp_msg){
			     .type = SRP_MSG_CONFIRM, .offered = offered(&r).offered, .rm = 2 });
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_GOODBYE, &m));
	CU_ASSERT_FALSE(m.was_active);
	rig_steps(&r, "hold late deactivate write");
	rig_stop(&r);

	/* It refuses, or is not ready: let go of everything, then say so. */
	for (int refuses = 0; refuses < 2; refuses++) {
		rig_active(&r);
		r.st.in_sync = refuses;
		rig_run(&r, 10 * MS);
		srp_shutdown(r.s, r.now);
		rig_drain(&r);
		if (refuses)
			rig_send(&r, (struct srp_msg){ .type = SRP_MSG_REFUSE,
					     .offered = offered(&r).offered });
		rig_steps(
			&r, refuses ? "hold late resume deactivate release" : "deactivate release");
		CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_GOODBYE, &m));
		CU_ASSERT_TRUE(m.was_active);
		CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
		rig_stop(&r);
	}

	/* Also when a core does not answer. */
	rig_active(&r);
	r.st.in_sync = false;
	r.withhold = SRP_STEP_RELEASE;
	rig_run(&r, 10 * MS);
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	rig_run(&r, 10010 * MS);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	rig_stop(&r);

	rig_standby(&r, true);
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	/* What is gone answers nothing and becomes nothing. */
	r.n = 0;
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_ASK, .id = 1 });
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE, .was_active = true });
	rig_run(&r, 9000 * MS);
	CU_ASSERT_EQUAL(r.n, 0);
	rig_stop(&r);
}

/* Who leaves may go on for as long as its late usage takes: its heartbeats must not look like those
 * of somebody who holds the sessions, or is about to. */
static void last_word(struct rig *r)
{
	const struct srp_action *a;
	struct srp_body b;
	struct rd rd;

	srp_shutdown(r->s, r->now);
	rig_drain(r);
	CU_ASSERT_PTR_NOT_NULL(rig_find(r, SRP_ACT_GOODBYE));
	a = rig_find(r, SRP_ACT_HEARTBEAT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	rd = rd_init(a->msg, a->len);
	CU_ASSERT_EQUAL(srp_body_read(&rd, &b), 0);
	CU_ASSERT_EQUAL(b.state, SRP_INIT);
	CU_ASSERT_TRUE(a->now);
}

static void test_goodbye(void)
{
	struct rig r;

	rig_standby(&r, true);
	rig_down(&r, false);
	last_word(&r);
	rig_stop(&r);
	rig_active(&r);
	rig_down(&r, false);
	last_word(&r);
	rig_stop(&r);

	rig_standby(&r, false);
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE, .was_active = true });
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_SHUTDOWN);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_UNVOUCHED));
	/* Its last heartbeats are still on the way. */
	rig_run(&r, 50 * MS);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_DUAL_ACTIVE));
	rig_stop(&r);

	rig_active(&r);
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE });
	rig_run(&r, 50 * MS);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	CU_ASSERT_EQUAL(go(&r, true), -ENOTCONN);
	/* It comes back as a new life. */
	r.body.incarnation++;
	r.body.serial = 0;
	rig_say(&r, SRP_INIT, 0);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

static void test_heartbeat_tells(void)
{
	struct rig r;
	struct rd b;
	struct srp_body said;

	rig_standby(&r, true);
	r.withhold = SRP_STEP_OWN;
	offer(&r, 22 << 1, SELF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_HEARTBEAT));
	CU_ASSERT_TRUE(rig_find(&r, SRP_ACT_HEARTBEAT)->now);
	b = rd_init(rig_find(&r, SRP_ACT_HEARTBEAT)->msg, rig_find(&r, SRP_ACT_HEARTBEAT)->len);
	CU_ASSERT_EQUAL(srp_body_read(&b, &said), 0);
	/* With no packet number to reach, STOP's answer 0 was enough only for number 0: 500 was
	 * asked for. */
	CU_ASSERT_EQUAL(said.state, SRP_STANDBY);
	r.number = 500;
	offer(&r, 23 << 1, SELF);
	b = rd_init(rig_find(&r, SRP_ACT_HEARTBEAT)->msg, rig_find(&r, SRP_ACT_HEARTBEAT)->len);
	CU_ASSERT_EQUAL(srp_body_read(&b, &said), 0);
	CU_ASSERT_EQUAL(said.state, SRP_PENDING_ACTIVE);
	CU_ASSERT_EQUAL(said.term, 23 << 1);
	CU_ASSERT_EQUAL(said.hears, PEER);
	CU_ASSERT_EQUAL(b.left, 0);
	rig_stop(&r);
}

CU_TestInfo srp_switch_tests[] = {
	{ "checks", test_checks },
	{ "planned, the Active's side", test_planned_active },
	{ "planned, failures", test_planned_active_fails },
	{ "planned, no term to resume in", test_planned_awaits_a_term },
	{ "planned, reconnect", test_planned_reconnect },
	{ "forced", test_forced },
	{ "planned, the Standby's side", test_planned_standby },
	{ "offer refused", test_offer_refused },
	{ "offer backed out of", test_offer_backs_out },
	{ "shutdown", test_shutdown },
	{ "goodbye", test_goodbye },
	{ "heartbeats tell", test_heartbeat_tells },
	CU_TEST_INFO_NULL,
};
