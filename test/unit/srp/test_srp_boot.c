/* SPDX-License-Identifier: BSD-3-Clause */
/* What a chassis does that has just started, and what it says while nobody is heard. */
#include <stdio.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_boot_tests[];

static void test_boot_hears(void)
{
	static const struct {
		enum srp_state peer, then;
		const char *steps;
	} t[] = {
		{ SRP_ACTIVE, SRP_STANDBY, "write" },
		{ SRP_PENDING_ACTIVE, SRP_STANDBY, "write" },
		{ SRP_PENDING_STANDBY, SRP_STANDBY, "write" },
		{ SRP_STANDBY, SRP_INIT, "" },
	};

	for (unsigned int i = 0; i < 3 * sizeof(t) / sizeof(t[0]); i++) {
		struct srp_conf c = rig_conf();
		struct rig r;

		/* Also the better one by every rule does not take over: no failback. */
		c.mode = SRP_PRIMARY;
		c.priority = 255;
		rig_start(&r, &c);
		rig_up(&r, i % 3 != 0, i % 3 != 1);
		r.body.rm = 4;
		rig_say(&r, t[i / 3].peer, 30 << 1 | 1);
		rig_run(&r, 2000 * MS);
		if (i % 3 == 1) { /* only a hello says whether the two fit */
			CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
			rig_up(&r, true, true);
			rig_say(&r, t[i / 3].peer, 30 << 1 | 1);
		}
		CU_ASSERT_EQUAL(rig_state(&r), t[i / 3].then);
		rig_steps(&r, t[i / 3].steps);
		if (t[i / 3].then == SRP_STANDBY) {
			CU_ASSERT_EQUAL(srp_info(r.s)->rm, 5);
			CU_ASSERT_EQUAL(srp_info(r.s)->term, 30 << 1 | 1);
			CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 7);
		}
		rig_stop(&r);
	}
}

static void test_boot_alone(void)
{
	struct rig r;

	rig_start(&r, NULL);
	rig_run(&r, 7990 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 20 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_steps(&r, "claim stop own activate stream");
	CU_ASSERT_TRUE(rig_step(&r, SRP_STEP_ACTIVATE)->alone);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 18);
	CU_ASSERT_EQUAL(srp_info(r.s)->term, 6 << 1 | 0);
	CU_ASSERT_EQUAL(srp_info(r.s)->restart_counter, 41);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	/* A Standby comes: first formation. */
	rig_up(&r, true, true);
	rig_say(&r, SRP_STANDBY, srp_info(r.s)->term);
	CU_ASSERT_EQUAL(srp_info(r.s)->rm, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_METRIC));
	CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_METRIC)->rm, 1);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	rig_stop(&r);
}

/* Nobody was ever heard: it may be that both chassis have one seat. */
static void test_never_heard(void)
{
	for (int refused = 0; refused < 2; refused++) {
		const char *text;
		struct rig r;

		rig_start(&r, NULL);
		if (refused)
			rig_down(&r, true);
		rig_run(&r, 8010 * MS);
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_EQUAL_SEATS));
		text = rig_alarm_text(&r, SRP_ALARM_PEER_LOST);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(text, "srp.seat is 0 on one chassis and 1 on the other"));
		CU_ASSERT_EQUAL(strstr(text, "nobody listens there") != NULL, refused);
		/* Once it was heard the seats are right. */
		rig_up(&r, true, true);
		rig_say(&r, SRP_STANDBY, srp_info(r.s)->term);
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
		r.n = 0;
		r.stream = false;
		rig_down(&r, true);
		rig_run(&r, 50 * MS);
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
		CU_ASSERT_PTR_NULL(strstr(rig_alarm_text(&r, SRP_ALARM_PEER_LOST), "seat"));
		rig_stop(&r);
	}
}

/* Another chassis of our own side is no peer, and it is said why; until it has the other seat. */
static void test_equal_seats(void)
{
	struct rig r;

	rig_start(&r, NULL);
	r.body.side = r.conf.side;
	r.stream = true;
	rig_run(&r, 20 * MS);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_EQUAL_SEATS));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_alarm_text(&r, SRP_ALARM_EQUAL_SEATS), "has seat 0 too"));
	CU_ASSERT_FALSE(srp_info(r.s)->peer.known);
	r.n = 0;
	rig_run(&r, 7000 * MS);
	CU_ASSERT_STRING_EQUAL(rig_alarm_text(&r, SRP_ALARM_EQUAL_SEATS), ""); /* it stands */
	r.body.side = !r.conf.side;
	rig_run(&r, 2900 * MS);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_EQUAL_SEATS));
	rig_run(&r, 200 * MS);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_EQUAL_SEATS));
	CU_ASSERT_TRUE(srp_info(r.s)->peer.known);
	/* A looped cable brings what we said ourselves. */
	r.body.side = r.conf.side;
	r.body.incarnation = r.conf.incarnation;
	rig_run(&r, 100 * MS);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_EQUAL_SEATS));
	rig_stop(&r);
}

static void test_boot_unreadable(void)
{
	struct rig r;

	/* Packets come, and nothing in them can be read. */
	rig_start(&r, NULL);
	for (int i = 0; i < 2990; i++) {
		r.st.heard = r.now;
		rig_run(&r, 10 * MS);
	}
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	for (int i = 0; i < 20; i++) {
		r.st.heard = r.now;
		rig_run(&r, 10 * MS);
	}
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	/* Whoever is heard runs: nobody is sent to start it. */
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_alarm_text(&r, SRP_ALARM_PEER_LOST), "not understood"));
	rig_stop(&r);
}

/* Alone is due at 8,000 ms; dead-interval is 3,000 ms. */
static void test_boot_connecting(void)
{
	static const struct {
		usec_t begins, ends;
		bool up;
		usec_t active;
	} cases[] = {
		{ 7900, 8100, false, 8100 },   /* it proved nothing */
		{ 7900, 20000, false, 10900 }, /* it hangs */
		{ 7900, 8100, true, 11100 },   /* and then says nothing */
		{ 1000, 7990, false, 8000 },   /* over before it matters */
		{ 1000, 20000, false, 8000 },  /* long enough */
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig r;
		usec_t t = 0;

		rig_start(&r, NULL);
		for (; rig_state(&r) == SRP_INIT && t < 30000; t++) {
			if (t == cases[i].begins)
				srp_connecting(r.s, true, r.now);
			if (t == cases[i].ends) {
				if (cases[i].up)
					srp_connected(r.s, r.now);
				srp_connecting(r.s, false, r.now);
			}
			rig_run(&r, MS);
		}
		CU_ASSERT_TRUE(t >= cases[i].active && t <= cases[i].active + 2);
		rig_stop(&r);
	}
}

/* In its own time the peer says who it is: no second Active. */
static void test_boot_connected_late(void)
{
	struct rig r;

	rig_start(&r, NULL);
	rig_run(&r, 7990 * MS);
	srp_connecting(r.s, true, r.now);
	rig_run(&r, 1000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_up(&r, true, true);
	srp_connecting(r.s, false, r.now);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);
}

static void test_boot_peer_lost(void)
{
	struct rig r;
	struct srp_conf c = rig_conf();

	c.mac[5] = 0;
	rig_start(&r, &c);
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	rig_run(&r, 7000 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 2980 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* ---- stalls ---- */

/* One of our cores stands still for `us`, or else the other. */
static void stand_still(struct rig *r, usec_t us, bool stream)
{
	r->now += us;
	srp_stalled(r->s, stream ? 0 : us, stream ? us : 0, &r->st, r->now);
	rig_drain(r);
	srp_tick(r->s, r->now);
	rig_drain(r);
}

/* When a boot ends in which the two cores stand still in turn, each for `us`, and run for `run`
 * between; 0: not within 200 s. */
static usec_t boot_among_stalls(usec_t us, usec_t run)
{
	struct rig r;
	usec_t began, ended;

	rig_start(&r, NULL);
	began = r.now;
	for (unsigned int i = 0; rig_state(&r) == SRP_INIT && r.now < began + 200000 * MS; i++) {
		stand_still(&r, us, i % 2);
		rig_run(&r, run);
		r.n = 0;
	}
	ended = rig_state(&r) == SRP_ACTIVE ? r.now - began : 0;
	rig_stop(&r);
	return ended;
}

/* A machine whose cores make no turn in time does not keep a chassis in Init for ever. */
static void test_boot_among_stalls(void)
{
	usec_t half = boot_among_stalls(4 * MS, 4 * MS), all = boot_among_stalls(4 * MS, 0),
	       long_ones = boot_among_stalls(1000 * MS, 0);

	CU_ASSERT_TRUE(half > 8000 * MS && half <= 16100 * MS);
	CU_ASSERT_TRUE(all > 8000 * MS && all <= 32100 * MS);
	CU_ASSERT_EQUAL(long_ones, 58000 * MS);
}

/* Who waits for the winner of the start-up order is not held up by stalls for ever either. */
static void test_boot_loser_among_stalls(void)
{
	struct srp_conf c = rig_conf();
	struct rig r;
	usec_t began;

	c.mac[5] = 0;
	rig_start(&r, &c);
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	began = r.now;
	while (rig_state(&r) == SRP_INIT && r.now < began + 200000 * MS) {
		stand_still(&r, 4 * MS, false);
		rig_beat(&r);
		r.n = 0;
	}
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(r.now - began > 14000 * MS && r.now - began <= 38100 * MS);
	rig_stop(&r);
}

/* A long stall moves the boot by all of its time, whatever short ones there were. */
static void test_boot_long_stall(void)
{
	struct rig r;

	rig_start(&r, NULL);
	while (r.s->boot.stalls > 0) {
		stand_still(&r, 4 * MS, false);
		r.n = 0;
	}
	rig_run(&r, 7900 * MS);
	stand_still(&r, 60000 * MS, false);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 90 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, 20 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* A probe whose answer may have been dropped is not taken for one without an answer, however many
 * stalls there were before it. */
static void test_boot_stall_in_probe(void)
{
	struct srp_conf c = rig_conf();
	struct rig r;

	c.l2 = true;
	rig_start(&r, &c);
	while (r.s->boot.again > 0) {
		stand_still(&r, 1000 * MS, false);
		r.n = 0;
	}
	for (unsigned int i = 0; i < 100000 && r.s->probe.state != PROBE_OUT; i++)
		rig_run(&r, MS);
	CU_ASSERT_EQUAL(r.s->probe.state, PROBE_OUT);
	stand_still(&r, SRP_PROBE_US + 200 * MS, false);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, SRP_PROBE_US);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* The peer's first word waits to be read while a boot's last stall ends. */
static void test_boot_word_behind_stall(void)
{
	struct rig r;

	rig_start(&r, NULL);
	while (r.s->boot.stalls > 0) {
		stand_still(&r, 4 * MS, false);
		r.n = 0;
	}
	rig_run(&r, r.s->boot_due - r.now - 2 * MS);
	r.now += 4 * MS;
	srp_stalled(r.s, 4 * MS, 0, &r.st, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	srp_tick(r.s, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* ---- connections without a hello ---- */

/* Somebody connects again and again and never proves to be the peer; each time for so long that
 * what the probe of the VIPs found is old by then. */
static void test_boot_strangers(void)
{
	struct srp_conf c = rig_conf();
	struct rig r;
	usec_t began;

	c.l2 = true;
	rig_start(&r, &c);
	began = r.now;
	while (rig_state(&r) == SRP_INIT && r.now < began + 200000 * MS) {
		rig_run(&r, 200 * MS);
		srp_connecting(r.s, true, r.now);
		rig_run(&r, 100 * MS);
		srp_probed(r.s, false, NULL, r.now); /* what was asked 300 ms ago */
		rig_run(&r, 1900 * MS);
		srp_connecting(r.s, false, r.now);
		rig_drain(&r);
		r.n = 0;
	}
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(r.now - began > 40000 * MS && r.now - began < 60000 * MS);
	rig_stop(&r);
}

/* ---- what is waited for ---- */

static void waits(const struct rig *r, const char *want)
{
	char text[SRP_REASON_MAX];

	srp_waits_for(r->s, text, r->now);
	if (strcmp(text, want) != 0)
		fprintf(stderr, "\nwaits for: %s\ninstead of: %s\n", text, want);
	CU_ASSERT_STRING_EQUAL(text, want);
}

static void test_waits_alone(void)
{
	struct srp_conf c = rig_conf();
	struct rig r;

	c.l2 = true;
	rig_start(&r, &c);
	waits(&r, "the peer's first hello; without one this chassis counts as alone in 8 s");
	rig_run(&r, 7500 * MS);
	waits(&r, "the peer's first hello; without one this chassis counts as alone in 1 s");
	srp_connecting(r.s, true, r.now);
	rig_run(&r, 600 * MS);
	waits(&r, "who is connecting, to prove that it is the peer; without that this chassis "
		  "counts as alone in 3 s");
	srp_connected(r.s, r.now);
	srp_connecting(r.s, false, r.now);
	rig_drain(&r);
	waits(&r, "who is connected, to say hello; without that this chassis counts as alone in "
		  "3 s");
	srp_disconnected(r.s, false, r.now);
	rig_drain(&r);
	waits(&r, "the probe of the VIPs");
	srp_probed(r.s, true, "VIP 10.0.0.1 is answered by 02:00:00:00:00:01", r.now);
	rig_drain(&r);
	waits(&r, "the VIPs to be free: VIP 10.0.0.1 is answered by 02:00:00:00:00:01");
	r.withhold = SRP_STEP_OWN;
	rig_run(&r, 3000 * MS);
	srp_probed(r.s, false, NULL, r.now);
	rig_drain(&r);
	waits(&r, "the step own of the promotion; this process aborts in 10 s");
	srp_done(r.s, SRP_STEP_OWN, srp_info(r.s)->term, true, 0, NULL, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	waits(&r, "");
	rig_stop(&r);

	/* A claim that nobody answers ends no process. */
	rig_start(&r, NULL);
	r.withhold = SRP_STEP_CLAIM;
	rig_run(&r, 8500 * MS);
	waits(&r, "the step claim of the promotion; it is given up in 10 s");
	rig_stop(&r);

	/* Packets that it cannot open. */
	rig_start(&r, NULL);
	rig_run(&r, 7900 * MS);
	r.st.heard = r.now;
	srp_stream(r.s, &r.st, r.now);
	waits(&r, "a word of the peer that can be understood; without one this chassis counts as "
		  "alone in 30 s");
	srp_shutdown(r.s, r.now);
	waits(&r, "");
	rig_stop(&r);
}

static void test_waits_with_peer(void)
{
	struct srp_conf c = rig_conf();
	struct rig r;

	/* An Active that is heard in the stream, and then does not fit. */
	rig_start(&r, NULL);
	rig_up(&r, true, false);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	waits(&r, "a hello of the peer, which is Active: until now it is heard in the replication "
		  "stream only");
	r.capacity = 99;
	rig_up(&r, true, true);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	waits(&r,
		"the peer to agree: table capacity differs (100 here, 99 there): make them equal");
	r.capacity = 100;
	rig_hello(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	waits(&r, "");
	rig_stop(&r);

	/* A Standby that has the sessions and does not take the role; silent, it is waited for. */
	rig_start(&r, NULL);
	rig_up(&r, true, true);
	rig_say(&r, SRP_STANDBY, 30 << 1 | 1);
	waits(&r, "the peer, which is Standby and has the sessions, to become Active; this chassis "
		  "does in 14 s");
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 3100 * MS);
	waits(&r, "the peer's next hello; without one this chassis counts as alone in 5 s");
	rig_stop(&r);

	/* A peer in Init that is preferred, or equal. */
	c.mac[5] = 0;
	rig_start(&r, &c);
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	waits(&r, "the peer, which is preferred, to become Active; this chassis does in 14 s");
	rig_stop(&r);
	c.mac[5] = 1;
	rig_start(&r, &c);
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	waits(&r, "another mode, priority or tie-breaker, which equal the peer's");
	rig_stop(&r);
}

/* A state directory that cannot be written. */
static void test_waits_for_disk(void)
{
	struct rig r;

	rig_start(&r, NULL);
	r.disk_full = true;
	r.s->info.reserve = r.s->floor;
	rig_run(&r, 8100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	waits(&r, "the restart counter to be written to the state directory");
	r.st.table_empty = false;
	rig_run(&r, MS);
	waits(&r, "a term: the reserve in the state directory is used up and cannot be written");
	CU_ASSERT_FALSE(srp_waits_long(r.s, r.now));
	rig_run(&r, 6890 * MS);
	CU_ASSERT_FALSE(srp_waits_long(r.s, r.now));
	rig_run(&r, 20 * MS);
	CU_ASSERT_TRUE(srp_waits_long(r.s, r.now));
	r.disk_full = false;
	rig_run(&r, 1100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_FALSE(srp_waits_long(r.s, r.now));
	rig_stop(&r);
}

/* A switchover, of both ends. */
static void test_waits_pending(void)
{
	char reason[SRP_REASON_MAX];
	struct rig r;

	rig_active(&r);
	r.withhold = SRP_STEP_HOLD;
	CU_ASSERT_EQUAL(srp_switchover(r.s, false, reason, r.now), 0);
	rig_drain(&r);
	waits(&r, "the step hold of the switchover; it is given up in 10 s");
	r.withhold = SRP_STEP_NONE;
	srp_done(r.s, SRP_STEP_HOLD, srp_info(r.s)->term, true, 0, NULL, r.now);
	rig_drain(&r);
	waits(&r, "the peer to take over; the switchover is given up in 10 s");
	rig_stop(&r);
}

CU_TestInfo srp_boot_tests[] = {
	{ "waits, alone", test_waits_alone },
	{ "waits, with a peer", test_waits_with_peer },
	{ "waits, for the disk", test_waits_for_disk },
	{ "waits, in a pending state", test_waits_pending },
	{ "boot, stalls all the time", test_boot_among_stalls },
	{ "boot, a stall in a probe", test_boot_stall_in_probe },
	{ "boot, a word behind a stall", test_boot_word_behind_stall },
	{ "boot, stalls, and a peer that is preferred", test_boot_loser_among_stalls },
	{ "boot, a long stall", test_boot_long_stall },
	{ "boot, strangers connect", test_boot_strangers },
	{ "boot, hearing a peer", test_boot_hears },
	{ "boot alone", test_boot_alone },
	{ "never heard", test_never_heard },
	{ "equal seats", test_equal_seats },
	{ "boot, unreadable peer", test_boot_unreadable },
	{ "boot, somebody connects", test_boot_connecting },
	{ "boot, connected late", test_boot_connected_late },
	{ "boot, peer lost", test_boot_peer_lost },
	CU_TEST_INFO_NULL,
};
