/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer's configuration: fetched in pieces, compared, and what a difference or a missing licence
 * does. */
#include <errno.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_lines_tests[];

enum { LONG = 3 * SRP_PIECE + 17 };

static struct srp_conf lines_conf(const char *lines, size_t len)
{
	struct srp_conf c = rig_conf();

	c.lines = lines;
	c.lines_len = len;
	c.config_digest = 7;
	c.configuration_us = 60000 * (usec_t)MS;
	return c;
}

static void hello(struct rig *r, uint64_t digest, bool tells, bool unlicensed)
{
	rig_send(r, (struct srp_msg){ .type = SRP_MSG_HELLO,
			    .body = r->body,
			    .capacity = r->capacity,
			    .wire = r->wire,
			    .config_digest = digest,
			    .tells_lines = tells,
			    .unlicensed = unlicensed });
	r->hello_at = r->now;
}

/* Connected to a peer that says so of itself. */
static void meet(
	struct rig *r, const struct srp_conf *c, enum srp_state state, uint64_t digest, bool tells)
{
	rig_start(r, c);
	rig_up(r, true, false);
	rig_say(r, state, state == SRP_ACTIVE ? 30 << 1 | 1 : 0);
	srp_connected(r->s, r->now);
	rig_drain(r);
	hello(r, digest, tells, false);
}

/* Answers what is asked for from `text`; returns how many pieces were. */
static unsigned int serve(struct rig *r, const char *text, size_t len, uint64_t digest)
{
	unsigned int pieces = 0;
	struct srp_msg m;

	while (rig_sent(r, SRP_MSG_WANT_LINES, &m) != NULL) {
		size_t n = len - m.offset < SRP_PIECE ? len - m.offset : SRP_PIECE;

		CU_ASSERT_EQUAL(m.digest, digest);
		CU_ASSERT_TRUE_FATAL(m.offset < len);
		r->n = 0;
		pieces++;
		rig_send(r, (struct srp_msg){ .type = SRP_MSG_LINES,
				    .digest = digest,
				    .offset = m.offset,
				    .total = (uint32_t)len,
				    .piece = (const uint8_t *)text + m.offset,
				    .piece_len = (uint16_t)n });
	}
	return pieces;
}

static void test_fetched(void)
{
	static const char own[] = "a = 1\n";
	struct srp_conf c = lines_conf(own, sizeof(own) - 1);
	char text[LONG];
	const char *got;
	struct rig r;
	size_t len;

	memset(text, 'x', sizeof(text));
	text[LONG - 1] = 'y';
	meet(&r, &c, SRP_ACTIVE, 8, true);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, "not heard of yet"));
	CU_ASSERT_EQUAL(serve(&r, text, sizeof(text), 8), 4);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_LINES));
	got = srp_peer_lines(r.s, &len);
	CU_ASSERT_EQUAL_FATAL(len, LONG);
	CU_ASSERT_EQUAL(memcmp(got, text, LONG), 0);
	r.n = 0;
	srp_compared(r.s, 3, "pools[one].prefix: \"172.20.0.0/16\" here, \"172.21.0.0/16\" there",
		r.now);
	rig_drain(&r);
	CU_ASSERT_STRING_EQUAL(srp_info(r.s)->config_error,
		"configurations differ: pools[one].prefix: \"172.20.0.0/16\" here, "
		"\"172.21.0.0/16\" there; and 2 more: make them equal");
	/* The alarm that was raised already has these words now, once. */
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_ALARM));
	CU_ASSERT_TRUE(rig_find(&r, SRP_ACT_ALARM)->raised);
	CU_ASSERT_STRING_EQUAL(rig_find(&r, SRP_ACT_ALARM)->text, srp_info(r.s)->config_error);
	CU_ASSERT_STRING_EQUAL(srp_info(r.s)->config_event_text, "compared key by key: 3 differ");
	r.n = 0;
	hello(&r, 8, true, false);
	hello(&r, 8, true, false);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_ALARM));
	CU_ASSERT_EQUAL(serve(&r, text, sizeof(text), 8), 0);
	/* Another configuration over there: nothing is known of it but that it fits. */
	hello(&r, 7, true, false);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_STRING_EQUAL(srp_info(r.s)->config_event_text, "compared: equal");
	rig_stop(&r);
}

/* A long key leaves room for what to do. */
static void test_clipped(void)
{
	static const char own[] = "a = 1\n";
	struct srp_conf c = lines_conf(own, sizeof(own) - 1);
	char first[SRP_REASON_MAX];
	struct rig r;

	memset(first, 'k', sizeof(first) - 1);
	first[sizeof(first) - 1] = '\0';
	meet(&r, &c, SRP_ACTIVE, 8, true);
	serve(&r, "b = 1\n", 6, 8);
	srp_compared(r.s, 1, first, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(strlen(srp_info(r.s)->config_error), SRP_REASON_MAX - 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, "kkk: make them equal"));
	rig_stop(&r);
}

/* What is lost is asked for again; each interval, at each connect that needs it, and by command. */
static void test_when(void)
{
	static const char own[] = "a = 1\n";
	struct srp_conf c = lines_conf(own, sizeof(own) - 1);
	char why[SRP_REASON_MAX];
	struct srp_msg m;
	struct rig r;

	meet(&r, &c, SRP_ACTIVE, 7, true);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m)); /* equal digests */
	CU_ASSERT_EQUAL(srp_validate_configuration(r.s, why, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	r.n = 0;
	for (int i = 0; i < 3; i++) { /* nobody answers */
		rig_run(&r, 500 * MS);
		hello(&r, 7, true, false);
	}
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	CU_ASSERT_EQUAL(serve(&r, own, sizeof(own) - 1, 7), 1);
	srp_compared(r.s, 0, "", r.now);
	rig_drain(&r);
	CU_ASSERT_STRING_EQUAL(srp_info(r.s)->config_event_text, "compared key by key: equal");
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	r.n = 0;
	for (int i = 0; i < 58; i++) {
		rig_run(&r, 1000 * MS);
		hello(&r, 7, true, false);
	}
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	for (int i = 0; i < 3; i++) {
		rig_run(&r, 1000 * MS);
		hello(&r, 7, true, false);
	}
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	/* Equal digests and a key that differs all the same: the keys count. */
	serve(&r, "a = 2\n", 6, 7);
	srp_compared(r.s, 1, "a: 1 here, 2 there", r.now);
	rig_drain(&r);
	CU_ASSERT_TRUE(srp_info(r.s)->differs);
	rig_down(&r, false);
	CU_ASSERT_EQUAL(srp_validate_configuration(r.s, why, r.now), -ENOTCONN);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "srp bind"));
	rig_stop(&r);
}

/* A release that would take the question for malformed is not asked, and the alarm says what else
 * can be done. */
static void test_older_release(void)
{
	static const char own[] = "a = 1\n";
	struct srp_conf c = lines_conf(own, sizeof(own) - 1);
	char why[SRP_REASON_MAX];
	struct srp_msg m;
	struct rig r;

	meet(&r, &c, SRP_ACTIVE, 8, false);
	rig_run(&r, 500 * MS);
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, "tandem --check --peer"));
	CU_ASSERT_EQUAL(srp_validate_configuration(r.s, why, r.now), -ENOTSUP);
	rig_stop(&r);
}

/* The other end of it: any piece of ours that is asked for, and nothing else. */
static void test_served(void)
{
	char own[LONG] = { 0 };
	struct srp_conf c = lines_conf(own, sizeof(own));
	struct srp_msg m;
	struct rig r;

	for (size_t i = 0; i < sizeof(own); i++)
		own[i] = (char)('a' + i % 26);
	meet(&r, &c, SRP_ACTIVE, 7, true);
	for (uint32_t at = 0; at < LONG; at += SRP_PIECE) {
		r.n = 0;
		rig_send(&r,
			(struct srp_msg){ .type = SRP_MSG_WANT_LINES, .digest = 7, .offset = at });
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_LINES, &m));
		CU_ASSERT_TRUE(m.digest == 7 && m.offset == at && m.total == LONG);
		CU_ASSERT_EQUAL_FATAL(m.piece_len, LONG - at < SRP_PIECE ? LONG - at : SRP_PIECE);
		CU_ASSERT_EQUAL(memcmp(m.piece, own + at, m.piece_len), 0);
	}
	r.n = 0;
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_WANT_LINES, .digest = 6 });
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_LINES, &m));
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_CLOSE));
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_WANT_LINES, .digest = 7, .offset = LONG });
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_CLOSE));
	rig_stop(&r);
}

static void test_hostile(void)
{
	static const char own[] = "a = 1\n";
	static const struct {
		uint64_t digest;
		uint32_t offset, total;
		uint16_t len;
		bool close;
	} cases[] = {
		{ 8, 0, SRP_LINES_MAX + 1, 4, true },
		{ 8, 0, UINT32_MAX, 4, true },
		{ 8, 0, 3, 4, true },
		{ 8, UINT32_MAX, 8, 4, true },
		{ 8, 6, 8, 4, true },
		{ 8, 0, 8, 0, true },
		{ 8, 0, 0, 0, true },
		{ 9, 0, 8, 4, false },
		{ 8, 4, 8, 4, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srp_conf c = lines_conf(own, sizeof(own) - 1);
		struct rig r;
		size_t len;

		meet(&r, &c, SRP_ACTIVE, 8, true);
		r.n = 0;
		rig_send(&r, (struct srp_msg){ .type = SRP_MSG_LINES,
				     .digest = cases[i].digest,
				     .offset = cases[i].offset,
				     .total = cases[i].total,
				     .piece = (const uint8_t *)"abcd",
				     .piece_len = cases[i].len });
		CU_ASSERT_EQUAL(rig_find(&r, SRP_ACT_CLOSE) != NULL, cases[i].close);
		CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_LINES));
		CU_ASSERT_PTR_NULL(srp_peer_lines(r.s, &len));
		rig_stop(&r);
	}
}

/* Neither side's: nobody joins, and each says whose it is. */
static void test_licence(void)
{
	static const struct {
		bool here, there;
		const char *words;
	} cases[] = {
		{ true, true, NULL },
		{ false, true,
			"not licensed on this chassis: set license.inter-chassis-session-recovery "
			"= true here" },
		{ true, false,
			"not licensed on the peer: set license.inter-chassis-session-recovery = "
			"true there" },
		{ false, false,
			"not licensed on both chassis: set license.inter-chassis-session-recovery "
			"= true on both" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srp_conf c = rig_conf();
		struct srp_msg m;
		struct rig r;

		c.unlicensed = !cases[i].here;
		rig_start(&r, &c);
		rig_up(&r, true, false);
		rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
		srp_connected(r.s, r.now);
		rig_drain(&r);
		CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_HELLO, &m));
		CU_ASSERT_EQUAL(m.unlicensed, !cases[i].here);
		hello(&r, 0, false, !cases[i].there);
		CU_ASSERT_EQUAL(rig_state(&r), cases[i].words == NULL ? SRP_STANDBY : SRP_INIT);
		CU_ASSERT_EQUAL(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH), cases[i].words != NULL);
		if (cases[i].words != NULL)
			CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, cases[i].words));
		rig_stop(&r);
	}
}

/* A pair that runs, and then differs: the Active stops the stream and hands nothing over; the
 * Standby keeps what it has, refuses an offer, and takes over a dead Active with it, unvouched,
 * until a whole pass matched again. */
static void test_running(void)
{
	for (int again = 0; again < 2; again++) {
		char why[SRP_REASON_MAX];
		struct srp_msg m;
		struct rig r;

		rig_active(&r);
		hello(&r, 1, false, false);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_TRUE(srp_info(r.s)->differs);
		CU_ASSERT_FALSE(srp_info(r.s)->agreed);
		CU_ASSERT_EQUAL(srp_validate(r.s, why, r.now), -EINVAL);
		rig_stop(&r);

		rig_standby(&r, true);
		r.st.matched_since = r.now;
		hello(&r, 1, false, false);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
		CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
		rig_send(&r, (struct srp_msg){ .type = SRP_MSG_OFFER,
				     .offered = 30 << 1,
				     .to = SELF,
				     .cause = SRP_CAUSE_MANUAL });
		CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_REFUSE, &m));
		CU_ASSERT_PTR_NOT_NULL(strstr(m.text, "configurations differ"));
		/* equal again: vouched for when all of it was compared after that */
		if (again == 1) {
			r.now += MS;
			hello(&r, 0, false, false);
			CU_ASSERT_TRUE(srp_info(r.s)->agreed);
			r.now += MS;
			r.st.matched_since = r.now;
			srp_stream(r.s, &r.st, r.now);
			rig_drain(&r);
		}
		r.stream = r.srp = r.answers = false;
		rig_run(&r, 100 * MS);
		CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
		CU_ASSERT_EQUAL(rig_alarm(&r, SRP_ALARM_UNVOUCHED), again == 0);
		rig_stop(&r);
	}
}

/* A reload here, then one there: told at once, compared anew with what is ours now, and equal
 * again. */
static void test_reconfigured(void)
{
	static const char old[] = "a = 1\n", new[] = "a = 2\n";
	struct srp_conf c = lines_conf(old, sizeof(old) - 1);
	struct srp_msg m;
	struct rig r;

	meet(&r, &c, SRP_ACTIVE, 7, true);
	rig_run(&r, 20 * MS);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	r.n = 0;
	c.lines = new;
	c.config_digest = 8;
	c.pending_us += 5;
	CU_ASSERT_EQUAL(srp_reconfigure(r.s, &c, r.now), 0);
	rig_drain(&r);
	CU_ASSERT_TRUE(srp_info(r.s)->differs);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_HELLO, &m));
	CU_ASSERT_EQUAL(m.config_digest, 8);
	CU_ASSERT_EQUAL(serve(&r, old, sizeof(old) - 1, 7), 1);
	srp_compared(r.s, 1, "a: 2 here, 1 there", r.now);
	rig_drain(&r);
	CU_ASSERT_PTR_NOT_NULL(strstr(srp_info(r.s)->config_error, "a: 2 here, 1 there"));
	/* The peer wants what is ours now, and what was is not to be had any more. */
	r.n = 0;
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_WANT_LINES, .digest = 7 });
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_LINES, &m));
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_WANT_LINES, .digest = 8 });
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_LINES, &m));
	CU_ASSERT_EQUAL(memcmp(m.piece, new, sizeof(new) - 1), 0);
	hello(&r, 8, true, false);
	CU_ASSERT_FALSE(srp_info(r.s)->differs);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	/* Not while a role changes. */
	r.withhold = SRP_STEP_OWN;
	r.stream = r.srp = r.answers = false;
	for (int i = 0; i < 100 && rig_state(&r) != SRP_PENDING_ACTIVE; i++)
		rig_run(&r, 100 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_PENDING_ACTIVE);
	c.config_digest = 9;
	CU_ASSERT_EQUAL(srp_reconfigure(r.s, &c, r.now), -EBUSY);
	rig_stop(&r);
}

/* What was asked for is no more: a peer that runs what runs here now is asked for nothing. */
static void test_asked_in_vain(void)
{
	static const char own[] = "a = 1\n";
	struct srp_conf c = lines_conf(own, sizeof(own) - 1);
	struct srp_msg m;
	struct rig r;

	c.configuration_us = 0;
	meet(&r, &c, SRP_ACTIVE, 8, true);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	r.n = 0;
	hello(&r, 7, true, false);
	rig_run(&r, 3000 * MS);
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_WANT_LINES, &m));
	rig_stop(&r);
}

CU_TestInfo srp_lines_tests[] = {
	{ "fetched", test_fetched },
	{ "clipped", test_clipped },
	{ "when", test_when },
	{ "older release", test_older_release },
	{ "served", test_served },
	{ "hostile", test_hostile },
	{ "licence", test_licence },
	{ "running", test_running },
	{ "reconfigured", test_reconfigured },
	{ "asked in vain", test_asked_in_vain },
	CU_TEST_INFO_NULL,
};
