/* SPDX-License-Identifier: BSD-3-Clause */
/* What own stalls mean: a path's silence counts only while its own listener ran. */
#include "srp_rig.h"

extern CU_TestInfo srp_stall_tests[];

static void test_stall(void)
{
	struct rig r;

	/* Control slept; what the replication core heard meanwhile it learns afterwards. */
	rig_standby(&r, true);
	rig_down(&r, false);
	r.now += 500 * MS;
	srp_stalled(r.s, 500 * MS, 500 * MS, &r.st, r.now);
	rig_drain(&r);
	rig_run(&r, 5 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_steps(&r, "");
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 60 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.stalls, 1);
	rig_stop(&r);

	/* Whom it heard last may have ended, begun anew and become Active: all of that without a
	 * key of ours. */
	rig_standby(&r, true);
	rig_down(&r, false);
	r.stream = r.srp = r.answers = false;
	r.now += 3500 * MS;
	srp_stalled(r.s, 3500 * MS, 3500 * MS, &r.st, r.now);
	rig_drain(&r);
	rig_run(&r, 2000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_up(&r, true, true);
	r.body.incarnation = PEER + 1;
	r.body.serial = 0;
	rig_say(&r, SRP_ACTIVE, 1021 << 1 | 1);
	rig_run(&r, 50 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	/* From then on it is quick again. */
	rig_down(&r, false);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 60 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);

	/* Its process is gone for good, or its machine. */
	for (unsigned int refused = 0; refused < 2; refused++) {
		rig_standby(&r, true);
		r.stream = r.srp = r.answers = false;
		r.now += 3500 * MS;
		srp_stalled(r.s, 3500 * MS, 3500 * MS, &r.st, r.now);
		rig_down(&r, refused);
		rig_run(&r, 60 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), refused ? SRP_ACTIVE : SRP_STANDBY);
		rig_run(&r, 3000 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		rig_stop(&r);
	}

	/* An Active that may have been replaced is the less preferred and says nothing, until it
	 * hears its Standby. */
	rig_active(&r);
	r.stream = r.srp = false;
	r.now += 50 * MS;
	srp_stalled(r.s, 50 * MS, 50 * MS, &r.st, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
	CU_ASSERT_TRUE(srp_info(r.s)->must_not_answer);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_METRIC));
	r.stream = r.srp = true;
	rig_run(&r, 11 * MS);
	CU_ASSERT_FALSE(srp_info(r.s)->must_not_answer);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 1);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_METRIC));
	rig_stop(&r);
}

/* How long after its last word a dead peer is given up when one of our cores, or both, stood still
 * for 4 ms meanwhile. */
static usec_t decided_after(usec_t us, usec_t stream_us)
{
	struct rig r;
	usec_t silent;

	rig_standby(&r, true);
	r.stream = r.srp = r.answers = false;
	silent = r.st.heard;
	rig_run(&r, 14 * MS);
	r.now += 4 * MS;
	srp_stalled(r.s, us, stream_us, &r.st, r.now);
	rig_drain(&r);
	while (rig_state(&r) == SRP_STANDBY && r.now < silent + 100 * MS)
		rig_run(&r, MS);
	silent = r.now - silent;
	rig_stop(&r);
	return silent;
}

static void test_whose_stall(void)
{
	/* Control's does not make the stream's silence shorter: there somebody listened. */
	CU_ASSERT_EQUAL(decided_after(4 * MS, 0), 30 * MS);
	CU_ASSERT_EQUAL(decided_after(0, 4 * MS), 34 * MS);
	CU_ASSERT_EQUAL(decided_after(4 * MS, 4 * MS), 34 * MS);
}

/* Control slept for longer than the peer's silence may last, and the stream was heard all the
 * while: not a death, whatever control knew of it before. */
static void test_heard_meanwhile(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.answers = false;
	r.stream = false;
	rig_run(&r, 14 * MS); /* asking */
	r.now += 200 * MS;
	r.st.heard = r.now - 5 * MS;
	srp_stalled(r.s, 200 * MS, 0, &r.st, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.stream = true;
	rig_run(&r, 50 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);

	/* Nothing of the stream was heard; the answer to our ask waits in the socket, unread. */
	rig_standby(&r, true);
	r.answers = false;
	r.stream = false;
	rig_run(&r, 14 * MS);
	r.now += 200 * MS;
	srp_stalled(r.s, 200 * MS, 0, &r.st, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_ANSWER, .id = r.s->life.ask_id });
	r.answers = true;
	rig_run(&r, 200 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_REPLICATION_PATH));
	rig_stop(&r);
}

/* Of two lives of the peer that are read in the wrong order the living one is taken for gone, but
 * not for ever. */
static void test_lives_in_wrong_order(void)
{
	struct rig r;
	uint64_t stale;

	rig_active(&r);
	r.body.incarnation = PEER + 1;
	r.body.hears = 0;
	rig_beat(&r);
	rig_drain(&r);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.incarnation, PEER + 1);
	r.body.incarnation = PEER;
	r.body.hears = SELF;
	stale = srp_info(r.s)->count.messages_stale;
	rig_run(&r, 20 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.incarnation, PEER + 1);
	CU_ASSERT_TRUE(srp_info(r.s)->count.messages_stale > stale);
	rig_run(&r, 40 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.incarnation, PEER);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	stale = srp_info(r.s)->count.messages_stale;
	rig_run(&r, 500 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, stale);
	rig_stop(&r);

	/* What does not hear us may be a late packet of a life that is over. */
	rig_active(&r);
	r.body.incarnation = PEER + 1;
	rig_beat(&r);
	rig_drain(&r);
	r.body.incarnation = PEER;
	r.body.hears = 0;
	rig_run(&r, 500 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.incarnation, PEER + 1);
	rig_stop(&r);
}

/* L3: the peer stood still, this chassis took over, and the first that it hears of the peer's new
 * day is from before it. */
static void test_word_of_before(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.stream = false;
	rig_down(&r, false);
	rig_run(&r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	rig_up(&r, true, false);
	rig_say(&r, SRP_ACTIVE, 21 << 1 | 1);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_DUAL_ACTIVE));
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	r.body.rm = SRP_RM_THRESHOLD + 1;
	r.body.highest = srp_info(r.s)->term;
	rig_say(&r, SRP_ACTIVE, 21 << 1 | 1);
	rig_run(&r, 200 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);

	/* It knows of us and keeps the better route modifier: it stays. */
	rig_standby(&r, true);
	r.stream = false;
	rig_down(&r, false);
	rig_run(&r, 100 * MS);
	r.body.highest = srp_info(r.s)->term;
	rig_up(&r, true, false);
	rig_say(&r, SRP_ACTIVE, 21 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);
}

CU_TestInfo srp_stall_tests[] = {
	{ "stall", test_stall },
	{ "whose stall", test_whose_stall },
	{ "heard meanwhile", test_heard_meanwhile },
	{ "lives in the wrong order", test_lives_in_wrong_order },
	{ "word of before", test_word_of_before },
	CU_TEST_INFO_NULL,
};
