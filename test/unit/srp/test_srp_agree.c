/* SPDX-License-Identifier: BSD-3-Clause */
/* Another configuration on both chassis, one after the other: what waits, what is promised, and by
 * which times each judges the other meanwhile. */
#include <errno.h>

#include "srp_rig.h"

extern CU_TestInfo srp_agree_tests[];

enum { OLD = 7, NEW = 8, OTHER = 9 };

/* ---- one chassis against a scripted peer ---- */

static struct srp_conf agree_conf(uint8_t side, uint64_t digest)
{
	struct srp_conf c = rig_conf();

	c.side = side;
	c.config_digest = digest;
	return c;
}

static void agree_hello(
	struct rig *r, uint64_t runs, uint64_t next, uint32_t number, uint32_t promise)
{
	rig_send(r, (struct srp_msg){ .type = SRP_MSG_HELLO,
			    .body = r->body,
			    .capacity = r->capacity,
			    .wire = r->wire,
			    .config_digest = runs,
			    .next_digest = next,
			    .next_number = number,
			    .promise = promise });
	r->hello_at = r->now;
}

/* Standby of a peer that runs what runs here. */
static void agree_begin(struct rig *r, uint8_t side)
{
	struct srp_conf c = agree_conf(side, OLD);

	rig_start(r, &c);
	rig_up(r, true, false);
	rig_say(r, SRP_ACTIVE, 30 << 1 | 1);
	srp_connected(r->s, r->now);
	rig_drain(r);
	agree_hello(r, OLD, 0, 0, 0);
	CU_ASSERT_EQUAL(rig_state(r), SRP_STANDBY);
	r->n = 0;
}

/* Loads it here; what became of it. */
static enum srp_reload load(struct rig *r, uint64_t digest)
{
	struct srp_conf c = agree_conf(r->conf.side, digest);
	enum srp_reload found = srp_reload(r->s, digest);

	if (found == SRP_RELOAD_NOW)
		CU_ASSERT_EQUAL(srp_reconfigure(r->s, &c, r->now), 0);
	if (found == SRP_RELOAD_WAIT)
		CU_ASSERT_EQUAL(srp_prepare(r->s, &c, r->now), 0);
	rig_drain(r);
	return found;
}

static void run_next(struct rig *r)
{
	struct srp_conf c = agree_conf(r->conf.side, srp_info(r->s)->next_digest);

	CU_ASSERT_TRUE_FATAL(srp_next_is_due(r->s));
	CU_ASSERT_EQUAL(srp_reconfigure(r->s, &c, r->now), 0);
	rig_drain(r);
	CU_ASSERT_FALSE(srp_next_is_due(r->s));
}

static bool said(struct rig *r, uint64_t runs, uint64_t next, uint32_t number, uint32_t promise)
{
	struct srp_msg m;
	bool same = rig_sent(r, SRP_MSG_HELLO, &m) != NULL && m.config_digest == runs &&
		    m.next_digest == next && m.next_number == number && m.promise == promise;

	r->n = 0;
	return same;
}

/* Seat 0 goes first, by the promise of seat 1, and by that of the one that it means. */
static void test_first(void)
{
	struct rig r;

	agree_begin(&r, 0);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
	CU_ASSERT_TRUE(said(&r, OLD, NEW, 1, 0));
	agree_hello(&r, OLD, NEW, 4, 0);
	CU_ASSERT_FALSE(srp_next_is_due(r.s));
	/* Taken back, and loaded again: an older promise is none. */
	CU_ASSERT_EQUAL(srp_prepare(r.s, NULL, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_TRUE(said(&r, OLD, 0, 2, 0));
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
	CU_ASSERT_TRUE(said(&r, OLD, NEW, 3, 0));
	agree_hello(&r, OLD, NEW, 4, 1);
	CU_ASSERT_FALSE(srp_next_is_due(r.s));
	agree_hello(&r, OLD, NEW, 4, 3);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	run_next(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_TRUE(said(&r, NEW, 0, 4, 0));
	/* The peer is about to follow: another step would leave it behind. */
	CU_ASSERT_EQUAL(load(&r, OTHER), SRP_RELOAD_BUSY);
	agree_hello(&r, NEW, 0, 5, 0);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, OTHER), SRP_RELOAD_WAIT);
	rig_stop(&r);
}

/* Seat 1 promises, takes nothing back then, and follows. */
static void test_second(void)
{
	struct srp_conf other = agree_conf(1, OTHER);
	struct rig r;

	agree_begin(&r, 1);
	agree_hello(&r, OLD, NEW, 6, 0);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
	CU_ASSERT_TRUE(said(&r, OLD, NEW, 1, 6));
	CU_ASSERT_FALSE(srp_next_is_due(r.s));
	CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_BUSY);
	CU_ASSERT_EQUAL(srp_reload(r.s, OLD), SRP_RELOAD_BUSY);
	CU_ASSERT_EQUAL(srp_prepare(r.s, &other, r.now), -EBUSY);
	CU_ASSERT_EQUAL(srp_prepare(r.s, NULL, r.now), -EBUSY);
	/* Seat 0 took it back, and the promise with it. */
	agree_hello(&r, OLD, 0, 7, 0);
	CU_ASSERT_TRUE(said(&r, OLD, NEW, 1, 0));
	CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_WAIT);
	agree_hello(&r, OLD, NEW, 8, 0);
	CU_ASSERT_TRUE(said(&r, OLD, NEW, 1, 8));
	/* The connection is lost meanwhile, and the promise stays. */
	rig_down(&r, false);
	CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_BUSY);
	rig_up(&r, true, true);
	agree_hello(&r, NEW, 0, 9, 0);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	run_next(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_TRUE(said(&r, NEW, 0, 2, 0));
	rig_stop(&r);
}

/* A promise is to one process: a peer that began anew, or is dead, holds nobody. */
static void test_promise_ends(void)
{
	for (int dead = 0; dead < 2; dead++) {
		struct rig r;

		agree_begin(&r, 1);
		agree_hello(&r, OLD, NEW, 6, 0);
		CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
		CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_BUSY);
		if (dead == 1) {
			r.stream = false;
			rig_down(&r, true);
			rig_run(&r, 100 * MS);
			/* Alone there is nobody to wait for. */
			CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_NOW);
			rig_stop(&r);
			continue;
		}
		r.body.incarnation++;
		r.body.serial = 1;
		agree_hello(&r, OLD, 0, 0, 0);
		CU_ASSERT_EQUAL(srp_reload(r.s, OTHER), SRP_RELOAD_WAIT);
		/* It began with the new one: what waits here is that. */
		agree_hello(&r, NEW, 0, 0, 0);
		CU_ASSERT_FALSE(srp_info(r.s)->differs);
		run_next(&r);
		rig_stop(&r);
	}
}

/* The peer runs what is next here, and the role is changing: what would leave it behind is refused
 * until this chassis has followed, or is alone. */
static void test_follows(void)
{
	struct srp_conf other = agree_conf(0, OTHER);
	struct rig r;

	agree_begin(&r, 0);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
	r.body.incarnation++;
	r.body.serial = 1;
	agree_hello(&r, NEW, 0, 0, 0);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, OTHER), SRP_RELOAD_BUSY);
	CU_ASSERT_EQUAL(load(&r, OLD), SRP_RELOAD_BUSY);
	CU_ASSERT_EQUAL(srp_prepare(r.s, &other, r.now), -EBUSY);
	CU_ASSERT_EQUAL(srp_prepare(r.s, NULL, r.now), -EBUSY);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_NOW);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, OTHER), SRP_RELOAD_WAIT);
	rig_stop(&r);
}

/* Where the two differ already nothing is made worse by going on at once. */
static void test_at_once(void)
{
	struct srp_conf c = agree_conf(0, OLD);
	struct rig r;

	rig_start(&r, &c);
	CU_ASSERT_EQUAL(srp_reload(r.s, NEW), SRP_RELOAD_NOW);
	rig_stop(&r);
	agree_begin(&r, 0);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
	/* the same as runs: nothing waits any more */
	CU_ASSERT_EQUAL(load(&r, OLD), SRP_RELOAD_NOW);
	CU_ASSERT_EQUAL(srp_info(r.s)->next_since, USEC_NEVER);
	CU_ASSERT_TRUE(said(&r, OLD, 0, 2, 0) || r.n == 0);
	agree_hello(&r, OTHER, 0, 0, 0);
	CU_ASSERT_TRUE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_NOW);
	CU_ASSERT_TRUE(srp_info(r.s)->differs);
	CU_ASSERT_EQUAL(load(&r, OTHER), SRP_RELOAD_NOW);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	rig_stop(&r);
}

/* The peer never gets it, or gets a third one. */
static void test_waits(void)
{
	for (int third = 0; third < 2; third++) {
		struct rig r;

		agree_begin(&r, 0);
		r.answers = true;
		CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
		CU_ASSERT_EQUAL(srp_info(r.s)->next_since, r.now);
		for (usec_t end = r.now + SRP_NEXT_US; r.now < end; r.n = 0) {
			CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_NEXT_WAITS));
			agree_hello(&r, OLD, third == 1 ? OTHER : 0, 1, 0);
			rig_run(&r, 1000 * MS);
		}
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_NEXT_WAITS));
		CU_ASSERT_FALSE(srp_info(r.s)->differs);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		CU_ASSERT_EQUAL(load(&r, third == 1 ? OTHER : OLD),
			third == 1 ? SRP_RELOAD_WAIT : SRP_RELOAD_NOW);
		CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_NEXT_WAITS));
		rig_stop(&r);
	}
}

/* Why it waits, after a minute: the peer is gone, or has the same and does not go on. */
static void test_waits_for(void)
{
	for (int gone = 0; gone < 2; gone++) {
		struct rig r;

		agree_begin(&r, 0);
		r.answers = true;
		CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_WAIT);
		agree_hello(&r, OLD, gone == 1 ? OTHER : NEW, 1, 0);
		if (gone == 1) {
			r.stream = false;
			rig_down(&r, true);
		}
		for (usec_t end = r.now + SRP_NEXT_US; r.now < end; rig_run(&r, 1000 * MS)) {
			r.n = 0;
			if (gone == 0)
				agree_hello(&r, OLD, NEW, 1, 0);
		}
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_NEXT_WAITS));
		CU_ASSERT_PTR_NOT_NULL(strstr(rig_alarm_text(&r, SRP_ALARM_NEXT_WAITS),
			gone == 1 ? "the peer is not heard" : "the peer has loaded it"));
		if (gone == 1)
			CU_ASSERT_EQUAL(load(&r, NEW), SRP_RELOAD_NOW);
		rig_stop(&r);
	}
}

static struct srp_conf agree_times_conf(uint64_t digest, usec_t heartbeat, usec_t dead)
{
	struct srp_conf c = agree_conf(0, digest);

	c.heartbeat_us = heartbeat;
	c.dead_us = dead;
	return c;
}

static void agree_until(struct rig *r, uint64_t runs, usec_t us)
{
	for (usec_t end = r->now + us; r->now < end;) {
		agree_hello(r, runs, 0, 0, 0);
		rig_run(r, 10 * MS);
	}
}

/* The longer silence counts until both run the same, and as long again; of a peer that differs it
 * is not known how patient it is: the shorter time. */
static void test_times(void)
{
	struct srp_conf slow = agree_times_conf(NEW, 100 * MS, 6000 * MS);
	struct srp_conf fast = agree_times_conf(OTHER, 10 * MS, 2000 * MS);
	const struct srp_info *i;
	struct rig r;

	agree_begin(&r, 0);
	r.st.joined = true;
	i = srp_info(r.s);
	CU_ASSERT_TRUE(i->window_us == 30 * MS && i->patience_us == 30 * MS);
	CU_ASSERT_EQUAL(srp_prepare(r.s, &slow, r.now), 0);
	CU_ASSERT_TRUE(i->window_us == 300 * MS && i->dead_us == 6000 * MS);
	CU_ASSERT_EQUAL(i->patience_us, 30 * MS);
	CU_ASSERT_EQUAL(srp_reconfigure(r.s, &slow, r.now), 0);
	agree_until(&r, OLD, 1000 * MS);
	CU_ASSERT_TRUE(i->differs && i->window_us == 300 * MS && i->patience_us == 30 * MS);
	CU_ASSERT_EQUAL(i->heartbeat_us, 10 * MS);
	agree_until(&r, NEW, 290 * MS);
	CU_ASSERT_EQUAL(i->patience_us, 30 * MS);
	agree_until(&r, NEW, 20 * MS);
	CU_ASSERT_EQUAL(i->patience_us, 300 * MS);
	CU_ASSERT_EQUAL(i->heartbeat_us, 100 * MS);
	/* The peer may be started again, and judge this chassis by what is next here. */
	CU_ASSERT_EQUAL(srp_prepare(r.s, &fast, r.now), 0);
	CU_ASSERT_TRUE(i->window_us == 300 * MS && i->dead_us == 6000 * MS);
	CU_ASSERT_TRUE(i->patience_us == 30 * MS && i->heartbeat_us == 10 * MS);
	/* A silence within the longer time is none; when that is over it is. */
	CU_ASSERT_EQUAL(srp_reconfigure(r.s, &fast, r.now), 0);
	CU_ASSERT_TRUE(i->window_us == 300 * MS && i->dead_us == 6000 * MS);
	CU_ASSERT_EQUAL(i->patience_us, 30 * MS);
	rig_beat(&r);
	rig_down(&r, false);
	r.stream = false;
	rig_run(&r, 250 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_up(&r, true, true);
	agree_until(&r, OTHER, 290 * MS);
	CU_ASSERT_EQUAL(i->window_us, 300 * MS);
	agree_until(&r, OTHER, 20 * MS);
	CU_ASSERT_TRUE(i->window_us == 30 * MS && i->dead_us == 2000 * MS);
	rig_beat(&r);
	rig_down(&r, false);
	r.stream = false;
	rig_run(&r, 50 * MS);
	CU_ASSERT_NOT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);
}

/* Another process of the peer beats before its hello, over a connection that is up yet: nothing is
 * said of what it runs. */
static void test_before_hello(void)
{
	struct srp_conf c;
	struct rig r;

	rig_active(&r);
	r.body.incarnation = PEER + 1;
	r.body.serial = 0;
	rig_beat(&r);
	c = r.conf;
	c.config_digest = NEW;
	CU_ASSERT_EQUAL(srp_prepare(r.s, &c, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_EQUAL(srp_reconfigure(r.s, &c, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	rig_stop(&r);
}

CU_TestInfo srp_agree_tests[] = {
	{ "before hello", test_before_hello },
	{ "first", test_first },
	{ "second", test_second },
	{ "promise ends", test_promise_ends },
	{ "follows", test_follows },
	{ "at once", test_at_once },
	{ "waits", test_waits },
	{ "waits for", test_waits_for },
	{ "times", test_times },
	CU_TEST_INFO_NULL,
};
