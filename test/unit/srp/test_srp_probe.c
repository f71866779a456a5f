/* SPDX-License-Identifier: BSD-3-Clause */
/* Alone on a shared subnet: the question whether somebody answers for a VIP, before the boot rule
 * makes a chassis Active. Alone is due at 8,000 ms; dead-interval is 3,000 ms. */
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_probe_tests[];

static const char who[] = "VIP 10.255.255.100 is answered by 02:00:00:00:00:01";

static void boot(struct rig *r, bool l2)
{
	struct srp_conf c = rig_conf();

	c.l2 = l2;
	rig_start(r, &c);
}

/* Until it asks, with an empty log. */
static void asks(struct rig *r)
{
	boot(r, true);
	rig_run(r, 7990 * MS);
	CU_ASSERT_PTR_NULL(rig_find(r, SRP_ACT_PROBE));
	rig_run(r, 10 * MS);
	CU_ASSERT_PTR_NOT_NULL(rig_find(r, SRP_ACT_PROBE));
	CU_ASSERT_EQUAL(rig_state(r), SRP_INIT);
	r->n = 0;
}

static void answer(struct rig *r, bool answered, const char *by)
{
	srp_probed(r->s, answered, by, r->now);
	rig_drain(r);
}

static unsigned int n_of(const struct rig *r, enum srp_action_kind kind)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->n; i++)
		n += r->log[i].kind == kind;
	return n;
}

static void test_free(void)
{
	struct rig r;

	asks(&r);
	rig_run(&r, 300 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 0);
	answer(&r, false, NULL);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(rig_step(&r, SRP_STEP_ACTIVATE)->alone);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
	CU_ASSERT_EQUAL(srp_info(r.s)->count.probes, 1);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.probes_answered, 0);
	rig_stop(&r);
}

/* Where routers decide there is nobody to ask. */
static void test_l3(void)
{
	struct rig r;

	boot(&r, false);
	rig_run(&r, 8000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_PROBE));
	rig_stop(&r);
}

static void test_answered(void)
{
	const struct srp_action *a;
	struct rig r;

	asks(&r);
	answer(&r, true, who);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	a = rig_find(&r, SRP_ACT_ALARM);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_TRUE(a->alarm == SRP_ALARM_VIP_ANSWERED && a->raised);
	CU_ASSERT_EQUAL(strncmp(a->text, who, strlen(who)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(a->text, "delete the VIP from its lo"));
	/* Asked again after dead-interval, ten times, and the alarm stands without a word. */
	for (int i = 0; i < 10; i++) {
		r.n = 0;
		rig_run(&r, 2999 * MS);
		CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 0);
		rig_run(&r, 1 * MS);
		CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 1);
		answer(&r, true, who);
		CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_ALARM), 0);
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
		CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
		rig_steps(&r, "");
	}
	/* By another: other words. */
	rig_run(&r, 3000 * MS);
	r.n = 0;
	answer(&r, true, "VIP 10.255.255.100 is answered by 02:00:00:00:00:09");
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_ALARM), 1);
	/* And when nobody does any more: Active within the retry. */
	r.n = 0;
	rig_run(&r, 3000 * MS);
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 1);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
	answer(&r, false, NULL);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
	CU_ASSERT_EQUAL(srp_info(r.s)->count.probes, 13);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.probes_answered, 12);
	rig_stop(&r);
}

/* The longest there can be is not cut. */
static void test_text(void)
{
	const struct srp_action *a;
	struct rig r;

	asks(&r);
	answer(&r, true,
		"VIP ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff is answered by 02:00:00:00:00:01");
	a = rig_find(&r, SRP_ACT_ALARM);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_STRING_EQUAL(a->text + strlen(a->text) - 3, " lo");
	rig_stop(&r);
}

/* The question is never answered: nobody may wait for that without end, and a stall is no time to
 * answer in. */
static void test_bound(void)
{
	struct rig r;

	asks(&r);
	rig_run(&r, 990 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 10 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);

	asks(&r);
	rig_run(&r, 500 * MS);
	r.now += 2000 * MS;
	srp_stalled(r.s, 2000 * MS, 2000 * MS, &r.st, r.now);
	rig_drain(&r);
	rig_run(&r, 490 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 10 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* Who is asked says that he asks again: then the time for it begins anew, however often. */
static void test_asked_again(void)
{
	struct rig r;

	asks(&r);
	for (int i = 0; i < 5; i++) {
		rig_run(&r, 900 * MS);
		srp_probing(r.s, r.now);
		rig_drain(&r);
	}
	rig_run(&r, 990 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.probes, 1);
	rig_run(&r, 10 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* The peer speaks while it is asked, or while the alarm stands: its word counts, and what the probe
 * finds does not. */
static void test_peer_heard(void)
{
	for (int i = 0; i < 4; i++) {
		bool alarm = i & 1, wins = i & 2;
		struct rig r;

		asks(&r);
		if (alarm)
			answer(&r, true, who);
		rig_up(&r, true, true);
		rig_say(&r, wins ? SRP_INIT : SRP_ACTIVE, wins ? 0 : 30 << 1 | 1);
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
		answer(&r, true, who);
		rig_run(&r, 50 * MS);
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
		CU_ASSERT_EQUAL(rig_state(&r), wins ? SRP_ACTIVE : SRP_STANDBY);
		rig_stop(&r);
	}
}

/* "Nobody" is not true for ever: by the time a promotion is possible it is asked again. */
static void test_old_verdict(void)
{
	struct rig r;

	boot(&r, true);
	r.disk_full = true;
	rig_run(&r, 8000 * MS);
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 1);
	answer(&r, false, NULL);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 1000 * MS);
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 2);
	r.disk_full = false;
	rig_run(&r, 900 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	answer(&r, true, who);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
	rig_stop(&r);
}

/* A Standby knows its peer: it takes over within its window and asks nobody, whether its copy is
 * whole or not. */
static void test_standby(void)
{
	for (int joined = 0; joined < 2; joined++) {
		struct srp_conf c = rig_conf();
		struct rig r;

		c.l2 = true;
		rig_start(&r, &c);
		rig_up(&r, true, true);
		r.body.rm = 1;
		rig_say(&r, SRP_ACTIVE, 21 << 1 | 1);
		r.st.joined = joined;
		r.st.table_empty = false;
		rig_run(&r, 100 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		r.stream = false;
		rig_down(&r, true);
		rig_run(&r, 40 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_PROBE));
		rig_stop(&r);
	}
}

/* An answer to nothing changes nothing. */
static void test_unasked(void)
{
	struct rig r;

	boot(&r, true);
	answer(&r, true, who);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_VIP_ANSWERED));
	answer(&r, false, NULL);
	srp_probing(r.s, r.now);
	rig_run(&r, 8000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 1);
	/* Going down it asks nothing more. */
	answer(&r, true, who);
	r.n = 0;
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	rig_run(&r, 5000 * MS);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	CU_ASSERT_EQUAL(n_of(&r, SRP_ACT_PROBE), 0);
	rig_stop(&r);
}

CU_TestInfo srp_probe_tests[] = {
	{ "nobody answers", test_free },
	{ "routed", test_l3 },
	{ "answered", test_answered },
	{ "text", test_text },
	{ "bound", test_bound },
	{ "asked again", test_asked_again },
	{ "peer heard", test_peer_heard },
	{ "old verdict", test_old_verdict },
	{ "standby", test_standby },
	{ "unasked", test_unasked },
	CU_TEST_INFO_NULL,
};
