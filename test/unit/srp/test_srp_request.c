/* SPDX-License-Identifier: BSD-3-Clause */
/* A monitor's wish for a switchover. */
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_request_tests[];

static void wish(struct rig *r, enum srp_cause cause)
{
	srp_request_switchover(r->s, cause, r->now);
	rig_drain(r);
}

static unsigned int alarms(const struct rig *r)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->n; i++)
		n += r->log[i].kind == SRP_ACT_ALARM &&
		     r->log[i].alarm == SRP_ALARM_REQUEST_REFUSED && r->log[i].raised;
	return n;
}

static void test_granted(void)
{
	static const enum srp_cause causes[] = { SRP_CAUSE_AAA, SRP_CAUSE_BGP,
		SRP_CAUSE_LOCAL_FAULT };

	for (unsigned int i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct srp_msg m = { 0 };
		struct rig r;

		rig_active(&r);
		wish(&r, causes[i]);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_OFFER, &m));
		CU_ASSERT_EQUAL(m.cause, causes[i]);
		CU_ASSERT_FALSE(m.forced);
		rig_send(&r,
			(struct srp_msg){ .type = SRP_MSG_CONFIRM, .offered = m.offered, .rm = 2 });
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, causes[i]);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.switchovers_monitor, 1);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.monitor_requests_refused, 0);
		CU_ASSERT_EQUAL(r.s->request, SRP_CAUSE_NONE);
		/* Of a Standby nothing is taken. */
		wish(&r, causes[i]);
		CU_ASSERT_EQUAL(r.s->request, SRP_CAUSE_NONE);
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
		rig_stop(&r);
	}
}

/* The peer knows for which cause it became Active. */
static void test_cause_at_the_peer(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.number = 500;
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_OFFER,
			     .offered = 22 << 1,
			     .number = 500,
			     .to = SELF,
			     .cause = SRP_CAUSE_AAA });
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_AAA);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_ROLE));
	CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_ROLE)->to, SRP_ACTIVE);
	CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_ROLE)->cause, SRP_CAUSE_AAA);
	CU_ASSERT_TRUE(rig_find(&r, SRP_ACT_ROLE)->planned);
	rig_stop(&r);
}

/* Whatever the checks of a planned switchover forbid keeps it Active, with an alarm that says what;
 * when that is over it happens. */
static void test_refused(void)
{
	static const char *const want[] = { "in sync", "configurations", "replication", "srp bind",
		"Init", "no peer" };

	for (int i = 0; i < 6; i++) {
		struct rig r;

		rig_active(&r);
		if (i == 0)
			r.st.in_sync = false;
		if (i == 1)
			r.s->info.peer.config_digest++;
		if (i == 2 || i == 5)
			r.stream = false;
		if (i == 3)
			rig_down(&r, false);
		if (i == 4)
			rig_say(&r, SRP_INIT, 0);
		if (i == 5)
			r.srp = r.answers = false;
		rig_run(&r, 50 * MS);
		wish(&r, SRP_CAUSE_AAA);
		rig_run(&r, 50 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
		CU_ASSERT_EQUAL(alarms(&r), 1);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), want[i]));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), "aaa-failure"));
		CU_ASSERT_PTR_NULL(rig_step(&r, SRP_STEP_HOLD));
		CU_ASSERT_EQUAL(srp_info(r.s)->count.monitor_requests_refused, 1);
		if (i == 0) {
			r.st.in_sync = true;
			rig_run(&r, 20 * MS);
			CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
			CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
		} else {
			wish(&r, SRP_CAUSE_NONE);
			CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
		}
		rig_stop(&r);
	}
}

/* The reason is another one: said anew. */
static void test_another_reason(void)
{
	struct rig r;

	rig_active(&r);
	r.st.in_sync = false;
	rig_run(&r, 20 * MS);
	wish(&r, SRP_CAUSE_AAA);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), "in sync"));
	rig_down(&r, false);
	CU_ASSERT_EQUAL(alarms(&r), 2);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), "SRP connection"));
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
	rig_stop(&r);
}

/* Refused by the peer: Active again, with an alarm, and tried again after pending-timeout and not
 * before. */
static void test_tried_again(void)
{
	struct srp_msg m = { 0 };
	struct rig r;

	rig_active(&r);
	wish(&r, SRP_CAUSE_AAA);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_OFFER, &m));
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_REFUSE,
			     .offered = m.offered,
			     .text = "the copy is not complete" });
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_say(&r, SRP_STANDBY, srp_info(r.s)->term);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), "the copy is not complete"));
	r.n = 0;
	rig_run(&r, r.conf.pending_us - 100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_PTR_NULL(rig_step(&r, SRP_STEP_HOLD));
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
	rig_run(&r, 200 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_OFFER, &m));
	CU_ASSERT_EQUAL(m.cause, SRP_CAUSE_AAA);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.switchovers_monitor, 2);
	rig_stop(&r);
}

/* An operator's word works beside a wish that is refused, and whoever goes down does not wait for
 * one. */
static void test_beside_others(void)
{
	char why[SRP_REASON_MAX];
	struct rig r;

	rig_active(&r);
	r.st.in_sync = false;
	rig_run(&r, 20 * MS);
	wish(&r, SRP_CAUSE_AAA);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
	CU_ASSERT_EQUAL(srp_switchover(r.s, true, why, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_FORCED);
	rig_stop(&r);

	rig_active(&r);
	rig_down(&r, false);
	wish(&r, SRP_CAUSE_AAA);
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	wish(&r, SRP_CAUSE_BGP);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
	rig_stop(&r);
}

/* To whom nothing is handed: a peer whose monitors see more than ours, or the same that is wished
 * for. AAA is not counted. */
static void test_health(void)
{
	static const struct {
		uint32_t own, peer;
		const char *why; /* of the wish for BGP; NULL: granted */
		bool valid;      /* by an operator's check */
	} cases[] = {
		{ 1 << SRP_CAUSE_BGP, 0, NULL, true },
		{ 1 << SRP_CAUSE_BGP, 1 << SRP_CAUSE_BGP, "same failure", true },
		{ 1 << SRP_CAUSE_BGP, 1 << SRP_CAUSE_LINK, "link-failure there", false },
		{ 1 << SRP_CAUSE_BGP | 1 << SRP_CAUSE_LINK, 1 << SRP_CAUSE_LINK, NULL, true },
		{ 1 << SRP_CAUSE_BGP, 1 << SRP_CAUSE_AAA, NULL, true },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srp_health own = { .known = UINT16_MAX, .failed = cases[i].own };
		char why[SRP_REASON_MAX];
		struct srp_msg m = { 0 };
		struct rig r;

		rig_active(&r);
		r.n = 0;
		srp_health(r.s, &own, r.now);
		rig_drain(&r);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_HELLO, &m)); /* told at once */
		CU_ASSERT_EQUAL(m.health.failed, cases[i].own);
		r.health = (struct srp_health){ .known = UINT16_MAX, .failed = cases[i].peer };
		rig_hello(&r);
		CU_ASSERT_EQUAL(srp_validate(r.s, why, r.now) == 0, cases[i].valid);
		CU_ASSERT_TRUE(cases[i].valid || strstr(why, cases[i].why) != NULL);
		wish(&r, SRP_CAUSE_BGP);
		CU_ASSERT_EQUAL(
			rig_state(&r), cases[i].why == NULL ? SRP_PENDING_STANDBY : SRP_ACTIVE);
		CU_ASSERT_EQUAL(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED), cases[i].why != NULL);
		if (cases[i].why != NULL) {
			CU_ASSERT_PTR_NOT_NULL(strstr(
				rig_alarm_text(&r, SRP_ALARM_REQUEST_REFUSED), cases[i].why));
			r.health.failed = 0; /* mended there */
			rig_hello(&r);
			CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_STANDBY);
			CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_REQUEST_REFUSED));
		}
		rig_stop(&r);
	}
}

CU_TestInfo srp_request_tests[] = {
	{ "granted", test_granted },
	{ "the peer knows the cause", test_cause_at_the_peer },
	{ "refused", test_refused },
	{ "the peer's monitors", test_health },
	{ "another reason", test_another_reason },
	{ "tried again", test_tried_again },
	{ "beside others", test_beside_others },
	CU_TEST_INFO_NULL,
};
