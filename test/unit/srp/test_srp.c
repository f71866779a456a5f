/* SPDX-License-Identifier: BSD-3-Clause */
/* Election, joining and liveness. */
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_term_tests[], srp_switch_tests[], srp_claim_tests[], srp_stall_tests[],
	srp_message_tests[], srp_request_tests[], srp_lines_tests[], srp_numbers_tests[],
	srp_probe_tests[], srp_boot_tests[], srp_agree_tests[], srp_agree_two_tests[];

static void test_election_order(void)
{
	static const struct {
		enum srp_mode mode, peer_mode;
		uint8_t priority, peer_priority;
		uint8_t mac[6], peer_mac[6];
		int wins; /* 1, 0, -1 */
	} t[] = {
		{ SRP_PRIMARY, SRP_BACKUP, 1, 255, { 1 }, { 2 }, 1 },
		{ SRP_BACKUP, SRP_PRIMARY, 255, 1, { 2 }, { 1 }, -1 },
		{ SRP_BACKUP, SRP_BACKUP, 126, 125, { 1 }, { 2 }, 1 },
		{ SRP_PRIMARY, SRP_PRIMARY, 125, 126, { 2 }, { 1 }, -1 },
		{ SRP_BACKUP, SRP_BACKUP, 9, 9, { 0, 0, 0, 3, 0x1c, 0x2b },
			{ 9, 9, 9, 3, 0x01, 0x3b }, 1 },
		{ SRP_BACKUP, SRP_BACKUP, 9, 9, { 9, 9, 9, 3, 0x01, 0x3b },
			{ 0, 0, 0, 3, 0x1c, 0x2b }, -1 },
		{ SRP_BACKUP, SRP_BACKUP, 9, 9, { 0, 0, 0, 3, 0x80, 0 }, { 0, 0, 0, 3, 0x7f, 0 },
			1 },
		{ SRP_PRIMARY, SRP_PRIMARY, 9, 9, { 1, 0, 0, 3, 3, 3 }, { 0, 9, 9, 3, 3, 3 }, 1 },
		{ SRP_PRIMARY, SRP_PRIMARY, 9, 9, { 1, 2, 3, 4, 5, 6 }, { 1, 2, 3, 4, 5, 6 }, 0 },
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct srp_conf c = rig_conf();
		struct rig r;

		c.mode = t[i].mode;
		c.priority = t[i].priority;
		memcpy(c.mac, t[i].mac, 6);
		rig_start(&r, &c);
		r.body.mode = t[i].peer_mode;
		r.body.priority = t[i].peer_priority;
		memcpy(r.body.mac, t[i].peer_mac, 6);
		rig_up(&r, i % 2 == 0, i % 2 != 0 || i == 0);
		rig_say(&r, SRP_INIT, 0);
		rig_run(&r, 50 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), t[i].wins > 0 ? SRP_ACTIVE : SRP_INIT);
		CU_ASSERT_EQUAL(rig_alarm(&r, SRP_ALARM_TIEBREAK), t[i].wins == 0);
		if (t[i].wins > 0)
			CU_ASSERT_EQUAL(srp_info(r.s)->rm, 1);
		/* Whoever lost may not wait for ever for one that cannot; a tie stays one. */
		rig_run(&r, 20000 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), t[i].wins != 0 ? SRP_ACTIVE : SRP_INIT);
		rig_stop(&r);
	}
}

static void test_join_refused(void)
{
	struct rig r;

	rig_start(&r, NULL);
	r.capacity = 99;
	rig_up(&r, false, true);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	rig_run(&r, 10 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, "100 here, 99 there"));
	r.capacity = 100;
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	rig_stop(&r);
}

/* The stream's wire in the hello: what fits joins in the highest common version, the rest says what
 * to do. */
static void test_join_wire(void)
{
	static const struct {
		struct srp_wire here, there;
		uint8_t version; /* 0: refused */
		const char *words;
	} cases[] = {
		{ { 1, 1, 1500 }, { 1, 1, 1500 }, 1, NULL },
		{ { 0, 0, 1500 }, { 1, 1, 1500 }, 1, NULL },
		{ { 1, 2, 1500 }, { 1, 1, 1500 }, 1, NULL },
		{ { 1, 1, 1500 }, { 1, 7, 1500 }, 1, NULL },
		{ { 1, 3, 1500 }, { 2, 5, 1500 }, 3, NULL },
		{ { 1, 3, 1500 }, { 1, 2, 0 }, 2, NULL },
		{ { 1, 1, 1500 }, { 2, 3, 1500 }, 0, "1 to 1 here, 2 to 3 there" },
		{ { 3, 4, 1500 }, { 1, 2, 1500 }, 0, "upgrade the older" },
		{ { 1, 1, 9000 }, { 1, 1, 1500 }, 0,
			"9000 here, 1500 there): set mtu 1500 of port repl0 on both" },
		{ { 1, 1, 1500 }, { 1, 1, 1501 }, 0, "set mtu 1500 of port repl0 on both" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srp_conf conf = rig_conf();
		char why[SRP_REASON_MAX];
		struct rig r;

		conf.wire = cases[i].here;
		rig_start(&r, &conf);
		r.wire = cases[i].there;
		CU_ASSERT_FALSE(srp_info(r.s)->agreed);
		rig_up(&r, true, false);
		rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
		rig_run(&r, 100 * MS); /* a heartbeat says nothing of it: no join yet */
		CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
		CU_ASSERT_EQUAL(srp_info(r.s)->stream_version,
			conf.wire.version_min != 0 ? conf.wire.version_min : 1);
		rig_up(&r, true, true);
		rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
		CU_ASSERT_EQUAL(srp_info(r.s)->agreed, cases[i].version != 0);
		CU_ASSERT_EQUAL(rig_state(&r), cases[i].version != 0 ? SRP_STANDBY : SRP_INIT);
		CU_ASSERT_EQUAL(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH), cases[i].version == 0);
		if (cases[i].version != 0) {
			CU_ASSERT_EQUAL(srp_info(r.s)->stream_version, cases[i].version);
		} else {
			CU_ASSERT_TRUE(srp_peer_differs(r.s, why));
			CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, cases[i].words));
		}
		r.body.incarnation = PEER + 1; /* another process: nothing is known of its wire */
		rig_up(&r, true, false);
		rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
		CU_ASSERT_FALSE(srp_info(r.s)->agreed);
		rig_stop(&r);
	}
}

/* What is lost at time 0, what else at `ms2`; Standby until `alive_ms`, promoting by `dead_ms` (0:
 * never within 10 s). */
static void test_dead(void)
{
	enum { STREAM = 1, ANSWERS = 2, CLOSED = 4, REFUSED = 8, BACK = 16 };
	static const struct {
		const char *what;
		bool joined;
		int lost, lost2;
		unsigned int ms2, alive_ms, dead_ms;
		int alarm;
	} t[] = {
		{ "both silent", true, STREAM | ANSWERS, 0, 0, 29, 40, SRP_ALARM_PEER_LOST },
		{ "closed", true, STREAM | CLOSED, 0, 0, 29, 32, SRP_ALARM_PEER_LOST },
		{ "stream only", true, STREAM, 0, 0, 9999, 0, SRP_ALARM_REPLICATION_PATH },
		{ "srp only", true, ANSWERS, 0, 0, 9999, 0, SRP_ALARM_CONNECTION },
		{ "srp closed", true, CLOSED, 0, 0, 9999, 0, SRP_ALARM_CONNECTION },
		{ "srp refused", true, REFUSED, 0, 0, 9999, 0, SRP_ALARM_CONNECTION },
		{ "stream, then srp silent", true, STREAM, ANSWERS, 500, 3480, 3520,
			SRP_ALARM_PEER_LOST },
		{ "stream, then srp closed", true, STREAM, CLOSED, 500, 3480, 3520,
			SRP_ALARM_PEER_LOST },
		{ "stream, then srp refused", true, STREAM, REFUSED, 500, 499, 503,
			SRP_ALARM_PEER_LOST },
		{ "srp, then stream", true, CLOSED, STREAM, 500, 519, 522, SRP_ALARM_PEER_LOST },
		{ "stream comes back", true, STREAM, BACK, 1000, 9999, 0, -1 },
		{ "unjoined, both silent", false, STREAM | ANSWERS, 0, 0, 2989, 3010,
			SRP_ALARM_UNVOUCHED },
		{ "unjoined, closed", false, STREAM | CLOSED, 0, 0, 2989, 3010,
			SRP_ALARM_UNVOUCHED },
		{ "unjoined, refused", false, STREAM | REFUSED, 0, 0, 29, 40, SRP_ALARM_UNVOUCHED },
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct rig r;
		usec_t from;
		int lost = t[i].lost;

		rig_standby(&r, t[i].joined);
		from = r.beat_at;
		for (unsigned int ms = 0; ms <= 10000; ms++) {
			r.now = from + ms * MS;
			if (ms == t[i].ms2 || ms == 0) {
				lost = ms == 0 ? t[i].lost : t[i].lost2;
				r.stream = (lost & STREAM) == 0 && (r.stream || (lost & BACK) != 0);
				if ((lost & ANSWERS) != 0)
					r.srp = r.answers = false;
				if ((lost & (CLOSED | REFUSED)) != 0)
					rig_down(&r, (lost & REFUSED) != 0);
				if (t[i].ms2 == 0 && ms == 0)
					lost = 0;
			}
			r.now -= MS;
			rig_run(&r, MS);
			if (t[i].dead_ms == 0 ? rig_state(&r) != SRP_STANDBY
				: ms == t[i].alive_ms
					? rig_state(&r) != SRP_STANDBY
					: ms == t[i].dead_ms && rig_state(&r) != SRP_ACTIVE) {
				CU_FAIL("wrong state");
				fprintf(stderr, "%s: %s at %u ms\n", t[i].what,
					srp_state_name(rig_state(&r)), ms);
				break;
			}
			if (ms == (t[i].dead_ms != 0 ? t[i].dead_ms : 5000) && t[i].alarm >= 0)
				CU_ASSERT_TRUE(rig_alarm(&r, (enum srp_alarm)t[i].alarm));
		}
		rig_stop(&r);
	}
}

/* Answers that come, but late: once the replication path is known to be down, haste is over. */
static void test_dead_answers_pause(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.stream = false;
	rig_run(&r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.answers = false;
	rig_run(&r, 500 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.answers = true;
	rig_run(&r, 3000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);
}

/* A heartbeat lost and asked for just before the peer dies must not cost seconds. */
static void test_dead_after_early_answer(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.stream = false;
	rig_run(&r, 20 * MS);
	CU_ASSERT_TRUE(srp_info(r.s)->count.answers_received > 0);
	r.srp = r.answers = false;
	rig_run(&r, 60 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

static void test_peer_restarted(void)
{
	struct rig r;

	rig_standby(&r, true);
	r.body.incarnation = PEER + 1;
	r.body.serial = 0;
	rig_say(&r, SRP_INIT, 0);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_DEAD_TIMER);
	/* The restart left neither a new counter nor the old life's word. */
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 7);
	r.body.incarnation = PEER;
	rig_say(&r, SRP_ACTIVE, 99 << 1 | 1);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_DUAL_ACTIVE));
	CU_ASSERT_TRUE(srp_info(r.s)->count.messages_stale >= 2);
	rig_stop(&r);
}

static void test_dual_active(void)
{
	static const struct {
		bool l2;
		uint8_t rm, peer_rm, priority, peer_priority, mac, peer_mac;
		bool peer_term_higher, wins;
	} t[] = {
		{ false, 1, 2, 1, 255, 1, 2, true, true },
		{ false, 3, 2, 255, 1, 2, 1, false, false },
		{ false, 2, 2, 126, 125, 1, 2, true, true },
		{ false, 2, 2, 125, 126, 2, 1, false, false },
		{ false, 2, 2, 125, 125, 2, 1, true, true },
		{ false, 2, 2, 125, 125, 1, 2, false, false },
		{ false, 2, 2, 125, 125, 1, 1, true, false },
		{ true, 1, 9, 255, 1, 2, 1, true, false },
		{ true, 9, 1, 1, 255, 1, 2, false, true },
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct srp_conf c = rig_conf();
		struct rig r;
		srp_term_t own;

		c.l2 = t[i].l2;
		c.priority = t[i].priority;
		c.mac[5] = t[i].mac;
		rig_start(&r, &c);
		rig_run(&r, 9000 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		r.s->info.rm = t[i].rm;
		own = srp_info(r.s)->term;
		r.n = 0;
		r.body.priority = t[i].peer_priority;
		r.body.mac[5] = t[i].peer_mac;
		r.body.rm = t[i].peer_rm;
		r.body.highest = own;
		rig_up(&r, true, false);
		rig_say(&r, SRP_ACTIVE, t[i].peer_term_higher ? own + 21 : own - 1);
		if (t[i].wins) {
			CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
			CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_DUAL_ACTIVE));
			rig_steps(&r, "stream"); /* in which the loser's late usage is welcome */
			CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_STREAM)->old_term, r.body.term);
			CU_ASSERT_TRUE(srp_info(r.s)->term > r.body.term);
		} else {
			CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
			rig_steps(&r, "deactivate release write");
			CU_ASSERT_EQUAL(rig_step(&r, SRP_STEP_WRITE)->old_term, own);
			CU_ASSERT_EQUAL(srp_info(r.s)->rm, t[i].peer_rm + 1);
			CU_ASSERT_EQUAL(srp_info(r.s)->count.switchovers_dual_active, 1);
		}
		rig_stop(&r);
	}
}

static void test_one_way(void)
{
	struct rig r;

	rig_active(&r);
	r.body.rm = 9;
	r.body.hears = 0;
	rig_say(&r, SRP_ACTIVE, srp_info(r.s)->term + 1);
	rig_run(&r, 40 * MS);
	/* It heals in time. */
	r.body.hears = SELF;
	rig_say(&r, SRP_ACTIVE, r.body.term);
	rig_run(&r, 200 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	r.body.hears = 0;
	rig_say(&r, SRP_ACTIVE, r.body.term);
	rig_run(&r, 80 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_ONE_WAY));
	rig_stop(&r);
}

static void test_dual_standby(void)
{
	for (int better = 0; better < 2; better++) {
		struct rig r;

		rig_standby(&r, true);
		r.body.priority = better ? 1 : 255;
		rig_say(&r, SRP_STANDBY, r.body.term);
		rig_run(&r, 15 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		rig_run(&r, 20 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), better ? SRP_ACTIVE : SRP_STANDBY);
		/* The winner cannot: better the other than none. */
		rig_run(&r, 7000 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_EQUAL(srp_info(r.s)->last_cause, SRP_CAUSE_DUAL_STANDBY);
		rig_stop(&r);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "election order", test_election_order },
		{ "join refused", test_join_refused },
		{ "join, the wire", test_join_wire },
		{ "dead", test_dead },
		{ "dead, answers pause", test_dead_answers_pause },
		{ "dead after an early answer", test_dead_after_early_answer },
		{ "peer restarted", test_peer_restarted },
		{ "dual active", test_dual_active },
		{ "one way", test_one_way },
		{ "dual standby", test_dual_standby },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "election", NULL, NULL, NULL, NULL, tests },
		{ "boot", NULL, NULL, NULL, NULL, srp_boot_tests },
		{ "terms", NULL, NULL, NULL, NULL, srp_term_tests },
		{ "switchover", NULL, NULL, NULL, NULL, srp_switch_tests },
		{ "claims", NULL, NULL, NULL, NULL, srp_claim_tests },
		{ "wishes of monitors", NULL, NULL, NULL, NULL, srp_request_tests },
		{ "probes for a VIP", NULL, NULL, NULL, NULL, srp_probe_tests },
		{ "stalls", NULL, NULL, NULL, NULL, srp_stall_tests },
		{ "messages", NULL, NULL, NULL, NULL, srp_message_tests },
		{ "lines", NULL, NULL, NULL, NULL, srp_lines_tests },
		{ "numbers", NULL, NULL, NULL, NULL, srp_numbers_tests },
		{ "what is next", NULL, NULL, NULL, NULL, srp_agree_tests },
		{ "what is next, two of them", NULL, NULL, NULL, NULL, srp_agree_two_tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
