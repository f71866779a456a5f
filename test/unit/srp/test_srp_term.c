/* SPDX-License-Identifier: BSD-3-Clause */
/* Terms and their reserve, the restart counter, the route modifier, pending timers. */
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_term_tests[];

static void test_reserve(void)
{
	struct rig r;

	rig_standby(&r, true);
	CU_ASSERT_TRUE(srp_info(r.s)->reserve >= 21 + SRP_RESERVE);
	/* The peer's numbers ran away while this disk was full: what is left is not enough to
	 * promote. */
	r.disk_full = true;
	rig_say(&r, SRP_ACTIVE, (srp_info(r.s)->reserve - 10) << 1 | 1);
	rig_run(&r, 20 * MS);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_RESERVE));
	CU_ASSERT_EQUAL(srp_term_left(r.s), 10);
	rig_say(&r, SRP_ACTIVE, srp_info(r.s)->reserve << 1 | 1);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 500 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.disk_full = false;
	rig_run(&r, 1100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_RESERVE));
	rig_stop(&r);
}

static void test_reserve_not_in_promotion(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.withhold = SRP_STEP_OWN;
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 60 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_RESERVE));
	srp_done(r.s, SRP_STEP_OWN, srp_info(r.s)->term, true, 0, NULL, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_RESERVE));
	rig_stop(&r);
}

static void test_restart_counter(void)
{
	struct rig r;

	/* Raised, and durable, before anything is answered; a full disk holds the promotion
	 * back. */
	rig_start(&r, NULL);
	r.disk_full = true;
	rig_run(&r, 10000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_RESERVE)->restart_counter, 41);
	r.disk_full = false;
	rig_run(&r, 2000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_ACTIVATE)->restart_counter, 41);
	rig_stop(&r);

	/* Not with sessions in the table. */
	rig_start(&r, NULL);
	r.st.table_empty = false;
	rig_run(&r, 9000 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 40);
	rig_stop(&r);

	/* Not with a whole copy of no sessions under the pair's counter, which the peer told and
	 * which is saved. */
	rig_standby(&r, true);
	r.st.table_empty = true;
	CU_ASSERT_EQUAL(r.s->counter_saved, 7);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 4000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 7);
	rig_stop(&r);

	/* But by one who heard the counter and has no copy: the SGSNs must learn that their
	 * sessions are gone. */
	rig_standby(&r, false);
	r.st.table_empty = true;
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 6000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 8);
	rig_stop(&r);
}

/* A chassis that lost its state directory may have used all that the peer's reserve allows for. */
static void test_lost_directory(void)
{
	struct rig r;

	rig_start(&r, NULL);
	srp_destroy(r.s);
	r.s = srp_create(&r.conf, &(struct srp_saved){ 0 }, r.now);
	rig_drain(&r);
	r.body.floor = 5000;
	rig_up(&r, true, true);
	rig_run(&r, 12000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(srp_info(r.s)->term >> 1 > 5000);
	rig_stop(&r);
}

static void test_route_modifier(void)
{
	struct rig r;

	/* The Standby follows its Active, over the threshold too, until that goes back. */
	rig_standby(&r, true);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 2);
	r.body.rm = SRP_RM_THRESHOLD;
	rig_say(&r, SRP_ACTIVE, r.body.term);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, SRP_RM_THRESHOLD + 1);
	rig_stop(&r);

	rig_active(&r);
	r.s->info.rm = SRP_RM_THRESHOLD;
	rig_run(&r, 20 * MS);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 1);
	rig_stop(&r);
}

static void test_pending_abort(void)
{
	/* Behind the claim: test_srp_claim.c. */
	static const enum srp_step promotion[] = { SRP_STEP_STOP, SRP_STEP_OWN, SRP_STEP_ACTIVATE,
		SRP_STEP_STREAM };

	for (unsigned int i = 0; i < 8; i++) {
		struct rig r;

		rig_standby(&r, true);
		*(i < 4 ? &r.withhold : &r.fail) = promotion[i % 4];
		r.stream = r.srp = r.answers = false;
		rig_run(&r, 10100 * MS);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_ABORT));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(rig_find(&r, SRP_ACT_ABORT)->text, srp_step_name(promotion[i % 4])));
		rig_stop(&r);
	}
}

static void test_step_names(void)
{
	for (int i = 0; i < SRP_STEPS; i++)
		for (int k = i; k <= SRP_STEPS; k++)
			CU_ASSERT_EQUAL(strcmp(srp_step_name((enum srp_step)i),
						srp_step_name((enum srp_step)k)) == 0,
				i == k);
}

static void test_standby_rm(void)
{
	static const struct {
		enum srp_state own, peer;
		bool known;
		uint8_t rm, peer_rm, have;
		usec_t age;
		uint8_t wanted;
	} t[] = {
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 1, 0, 30000 * MS, 2 },
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 1, 0, 30000 * MS - 1, 0 }, /* held off */
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 1, 2, 30000 * MS - 1, 0 }, /* Standby anew */
		/* follows the Active's */
		{ SRP_STANDBY, SRP_ACTIVE, true, 18, 17, 2, 60000 * MS, 18 },
		/* the 1 may not be known yet */
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 1, 17, 60000 * MS, 17 },
		{ SRP_STANDBY, SRP_PENDING_STANDBY, true, 2, 1, 0, 30000 * MS, 2 },
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 2, 2, 30000 * MS, 0 }, /* not the longer path */
		{ SRP_STANDBY, SRP_ACTIVE, true, 2, 3, 2, 30000 * MS, 0 },
		{ SRP_STANDBY, SRP_ACTIVE, false, 2, 1, 0, 30000 * MS, 0 },
		{ SRP_STANDBY, SRP_STANDBY, true, 2, 1, 0, 30000 * MS, 0 }, /* longer than whose? */
		{ SRP_STANDBY, SRP_INIT, true, 2, 17, 2, 30000 * MS, 2 },
		/* ACTIVATE takes it over */
		{ SRP_PENDING_ACTIVE, SRP_ACTIVE, true, 2, 1, 2, 0, 2 },
		{ SRP_PENDING_ACTIVE, SRP_ACTIVE, true, 2, 1, 0, 60000 * MS, 0 },
		{ SRP_INIT, SRP_ACTIVE, true, 17, 1, 0, 60000 * MS, 0 },
		{ SRP_INIT, SRP_ACTIVE, true, 17, 1, 17, 60000 * MS, 0 },
		{ SRP_ACTIVE, SRP_STANDBY, true, 2, 1, 0, 60000 * MS, 0 },
		{ SRP_PENDING_STANDBY, SRP_ACTIVE, true, 2, 1, 0, 60000 * MS, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct srp_info info = { .state = t[i].own, .rm = t[i].rm, .last_change = 5 };

		info.peer.known = t[i].known;
		info.peer.state = t[i].peer;
		info.peer.rm = t[i].peer_rm;
		CU_ASSERT_EQUAL(
			srp_standby_rm(&info, 30000 * MS, t[i].have, 5 + t[i].age), t[i].wanted);
	}
}

CU_TestInfo srp_term_tests[] = {
	{ "reserve", test_reserve },
	{ "no reserve in a promotion", test_reserve_not_in_promotion },
	{ "restart counter", test_restart_counter },
	{ "lost state directory", test_lost_directory },
	{ "route modifier", test_route_modifier },
	{ "routes in standby", test_standby_rm },
	{ "pending states end", test_pending_abort },
	{ "names of steps", test_step_names },
	CU_TEST_INFO_NULL,
};
