/* SPDX-License-Identifier: BSD-3-Clause */
/* The claim with which a promotion begins is refused, or not answered: nobody dies of it. */
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_claim_tests[];

static const char refused[] = "promotion: claim failed: told to";
static const char late[] = "promotion: no answer to claim within pending-timeout";

static void offers(struct rig *r, srp_term_t term)
{
	rig_send(r, (struct srp_msg){ .type = SRP_MSG_OFFER,
			    .offered = term,
			    .number = 500,
			    .to = SELF,
			    .cause = SRP_CAUSE_MANUAL });
}

static void dies(struct rig *r)
{
	r->stream = r->srp = r->answers = false;
	rig_run(r, 60 * MS);
}

/* What it was before, and it is said why. */
static void back_in(struct rig *r, enum srp_state state, const char *why)
{
	const struct srp_action *a = rig_find(r, SRP_ACT_ROLE);

	CU_ASSERT_EQUAL(rig_state(r), state);
	CU_ASSERT_PTR_NULL(rig_find(r, SRP_ACT_ABORT));
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->from, SRP_PENDING_ACTIVE);
	CU_ASSERT_EQUAL(a->to, state);
	CU_ASSERT_EQUAL(a->cause, SRP_CAUSE_ABORTED);
	CU_ASSERT_EQUAL(srp_info(r->s)->last_cause, SRP_CAUSE_ABORTED);
	CU_ASSERT_STRING_EQUAL(srp_info(r->s)->validate_status, why);
}

/* Of a Standby whose peer is dead: no sooner than a hello interval it asks again, in a new term. */
static void test_refused(void)
{
	struct rig r;
	srp_term_t first;

	rig_standby(&r, true);
	r.fail = SRP_STEP_CLAIM;
	dies(&r);
	back_in(&r, SRP_STANDBY, refused);
	rig_steps(&r, "claim");
	first = rig_step(&r, SRP_STEP_CLAIM)->term;
	CU_ASSERT_EQUAL(srp_info(r.s)->term, first); /* it never falls */
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	rig_run(&r, 900 * MS);
	rig_steps(&r, "claim");
	rig_run(&r, 120 * MS);
	rig_steps(&r, "claim claim");
	CU_ASSERT_TRUE(rig_step(&r, SRP_STEP_CLAIM)->term > first);
	back_in(&r, SRP_STANDBY, refused);
	r.fail = SRP_STEP_NONE;
	rig_run(&r, 1000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_steps(&r, "claim claim claim stop own activate stream");
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_DEAD_TIMER);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_UNVOUCHED));
	rig_stop(&r);
}

/* Sessions are lost by a promotion, and by none that does not happen. */
static void test_refused_unvouched(void)
{
	struct rig r;

	rig_standby(&r, false);
	r.fail = SRP_STEP_CLAIM;
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 3100 * MS);
	back_in(&r, SRP_STANDBY, refused);
	CU_ASSERT_STRING_EQUAL(rig_alarm_text(&r, SRP_ALARM_UNVOUCHED), "");
	r.fail = SRP_STEP_NONE;
	rig_run(&r, 1000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_UNVOUCHED));
	rig_stop(&r);
}

/* The old Active goes on, and the copy with it; if that dies, nothing waits for a pause. */
static void test_refused_planned(void)
{
	for (int by = 0; by < 2; by++) {
		struct rig r;
		struct srp_msg m;

		rig_standby(&r, true);
		*(by == 0 ? &r.fail : &r.withhold) = SRP_STEP_CLAIM;
		offers(&r, 22 << 1);
		if (by == 1) {
			CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
			rig_run(&r, 10010 * MS);
		}
		back_in(&r, SRP_STANDBY, by == 0 ? refused : late);
		rig_steps(&r, "claim");
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_REFUSE, &m));
		CU_ASSERT_EQUAL(m.offered, 22 << 1);
		CU_ASSERT_STRING_EQUAL(m.text, by == 0 ? refused : late);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.offers_refused, 1);
		rig_say(&r, SRP_ACTIVE, 23 << 1 | 1);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		CU_ASSERT_EQUAL(srp_info(r.s)->term, 23 << 1 | 1);
		r.fail = r.withhold = SRP_STEP_NONE;
		dies(&r);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		rig_steps(&r, "claim claim stop own activate stream");
		rig_stop(&r);
	}
}

/* The old Active took the role back while the claim was not answered yet: the stream was never
 * stopped here. */
static void test_unanswered_planned(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.withhold = SRP_STEP_CLAIM;
	offers(&r, 22 << 1);
	rig_say(&r, SRP_ACTIVE, 23 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, 23 << 1 | 1);
	rig_steps(&r, "claim");
	rig_stop(&r);
}

/* Alone: in L2 it asks anew whether somebody answers for a VIP. */
static void test_refused_boot(void)
{
	for (int l2 = 0; l2 < 2; l2++) {
		struct srp_conf c = rig_conf();
		struct rig r;

		c.l2 = l2 != 0;
		rig_start(&r, &c);
		r.fail = SRP_STEP_CLAIM;
		rig_run(&r, 8010 * MS + (l2 ? SRP_PROBE_US : 0));
		back_in(&r, SRP_INIT, refused);
		rig_steps(&r, "claim");
		CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
		CU_ASSERT_EQUAL(srp_info(r.s)->count.probes, (uint64_t)l2);
		r.fail = SRP_STEP_NONE;
		rig_run(&r, 900 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
		rig_run(&r, 120 * MS + (l2 ? SRP_PROBE_US : 0));
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		rig_steps(&r, "claim claim stop own activate stream");
		CU_ASSERT_EQUAL(srp_info(r.s)->count.probes, (uint64_t)(2 * l2));
		CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
		CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 41); /* raised once */
		rig_stop(&r);
	}
}

/* With a peer in Init: as before the election that it has won; and as Standby if the peer then has
 * the role. */
static void test_refused_election(void)
{
	struct rig r;

	rig_start(&r, NULL);
	rig_up(&r, true, true);
	r.fail = SRP_STEP_CLAIM;
	rig_say(&r, SRP_INIT, 0);
	rig_run(&r, 20 * MS);
	back_in(&r, SRP_INIT, refused);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_steps(&r, "claim write");
	rig_stop(&r);
}

/* What comes behind the deadline is of a term that is spent. */
static void test_late(void)
{
	for (int boot = 0; boot < 2; boot++) {
		enum srp_state was = boot ? SRP_INIT : SRP_STANDBY;
		srp_term_t term;
		struct rig r;

		if (boot)
			rig_start(&r, NULL);
		else
			rig_standby(&r, true);
		r.withhold = SRP_STEP_CLAIM;
		if (boot)
			rig_run(&r, 8010 * MS);
		else
			dies(&r);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
		term = rig_step(&r, SRP_STEP_CLAIM)->term;
		rig_run(&r, 10000 * MS);
		back_in(&r, was, late);
		srp_done(r.s, SRP_STEP_CLAIM, term, true, 0, NULL, r.now);
		rig_drain(&r);
		CU_ASSERT_EQUAL(rig_state(&r), was);
		rig_run(&r, 1000 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
		srp_done(r.s, SRP_STEP_CLAIM, term, true, 0, NULL, r.now);
		rig_drain(&r);
		rig_steps(&r, "claim claim");
		r.withhold = SRP_STEP_NONE;
		srp_done(r.s, SRP_STEP_CLAIM, srp_info(r.s)->term, true, 0, NULL, r.now);
		rig_drain(&r);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		rig_steps(&r, "claim claim stop own activate stream");
		rig_stop(&r);
	}
}

/* A slow answer leaves the cores the whole of their time. */
static void test_slow(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.withhold = SRP_STEP_CLAIM;
	dies(&r);
	rig_run(&r, 9900 * MS);
	r.withhold = SRP_STEP_STOP;
	srp_done(r.s, SRP_STEP_CLAIM, srp_info(r.s)->term, true, 0, NULL, r.now);
	rig_drain(&r);
	rig_run(&r, 9900 * MS);
	rig_steps(&r, "claim stop");
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_ABORT));
	rig_run(&r, 200 * MS);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_ABORT));
	rig_stop(&r);
}

/* The peer died while it still became Standby: nobody writes its slots, unless that is asked for
 * again. */
static void test_refused_joining(void)
{
	struct rig r;

	rig_start(&r, NULL);
	rig_up(&r, true, true);
	r.withhold = SRP_STEP_WRITE;
	r.fail = SRP_STEP_CLAIM;
	rig_say(&r, SRP_ACTIVE, 21 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 3050 * MS);
	back_in(&r, SRP_STANDBY, refused);
	rig_steps(&r, "write claim write");
	rig_stop(&r);
}

/* Both are Standby: whose claim is refused lets the other try. */
static void test_refused_dual_standby(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.fail = SRP_STEP_CLAIM;
	rig_say(&r, SRP_STANDBY, r.body.term);
	rig_run(&r, 30 * MS);
	back_in(&r, SRP_STANDBY, refused);
	rig_run(&r, 6950 * MS);
	rig_steps(&r, "claim");
	rig_run(&r, 100 * MS);
	rig_steps(&r, "claim claim");
	rig_say(&r, SRP_PENDING_ACTIVE, 40 << 1 | 1);
	rig_say(&r, SRP_STANDBY, 40 << 1 | 1); /* nor may that one */
	r.fail = SRP_STEP_NONE;
	rig_run(&r, 30 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_DUAL_STANDBY);
	rig_stop(&r);
}

/* Who was told to end does so when the claim comes to nothing. */
static void test_refused_shutdown(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.withhold = SRP_STEP_CLAIM;
	dies(&r);
	srp_shutdown(r.s, r.now);
	rig_drain(&r);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	srp_done(r.s, SRP_STEP_CLAIM, srp_info(r.s)->term, false, 0, "told to", r.now);
	rig_drain(&r);
	back_in(&r, SRP_STANDBY, refused);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_GOODBYE));
	rig_stop(&r);
}

CU_TestInfo srp_claim_tests[] = {
	{ "refused, and then granted", test_refused },
	{ "refused, copy not complete", test_refused_unvouched },
	{ "refused or late, planned", test_refused_planned },
	{ "not answered, planned", test_unanswered_planned },
	{ "refused at boot", test_refused_boot },
	{ "refused, elected", test_refused_election },
	{ "late", test_late },
	{ "slow", test_slow },
	{ "refused, still joining", test_refused_joining },
	{ "refused, both Standby", test_refused_dual_standby },
	{ "refused, shutting down", test_refused_shutdown },
	CU_TEST_INFO_NULL,
};
