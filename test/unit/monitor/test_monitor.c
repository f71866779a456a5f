/* SPDX-License-Identifier: BSD-3-Clause */
/* The monitors' engine: groups, guard and damping, what is not revertible, edges; 200 flaps of each
 * type in a pair. */
#include <errno.h>

#include "monitor/monitor.h"
#include "ut.h"

#define SEC    USEC_PER_SEC
#define DIM(a) (sizeof(a) / sizeof((a)[0]))

static struct monitor *engine(usec_t guard, usec_t damping, usec_t now)
{
	struct monitor_conf c;
	struct monitor *m;

	monitor_conf_default(&c);
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		c.type[t].guard = guard, c.type[t].damping = damping;
	m = monitor_create(&c, now);
	if (m == NULL)
		abort();
	return m;
}

static int add(struct monitor *m, enum monitor_type t, const char *name, const char *group)
{
	int id = monitor_add(m, t, name, "", group, 0);

	CU_ASSERT_TRUE(id >= 0);
	return id;
}

static struct monitor_verdict verdict(const struct monitor *m, usec_t now)
{
	struct monitor_verdict v;

	monitor_verdict(m, now, &v);
	return v;
}

static enum monitor_type wish(const struct monitor *m, usec_t now)
{
	struct monitor_verdict v = verdict(m, now);

	return monitor_request(&v, NULL);
}

/* Alarms that stand, by the edges alone: bits of the one group's. */
static unsigned int drain(struct monitor *m, unsigned int stood)
{
	struct monitor_event e;

	while (monitor_next(m, &e)) {
		CU_ASSERT_TRUE(e.text[0] != '\0');
		if (e.object >= 0)
			continue;
		CU_ASSERT_EQUAL((stood >> e.alarm & 1) == 0, e.raised);
		stood ^= 1U << e.alarm;
	}
	return stood;
}

enum {
	FAILED = 1 << MONITOR_ALARM_FAILED,
	DEGRADED = 1 << MONITOR_ALARM_DEGRADED,
	UNKNOWN = 1 << MONITOR_ALARM_UNKNOWN,
	HELD = 1 << MONITOR_ALARM_HELD
};

static const struct {
	const char *members; /* of a group each, in order; '|' begins the next group */
	bool failed, known;
	unsigned int alarms; /* of the last group */
} groups[] = {
	{ "I", false, false, 0 },
	{ "U", false, true, 0 },
	{ "D", true, true, FAILED },
	{ "?", false, false, UNKNOWN },
	{ "UD", false, true, DEGRADED },
	{ "DD", true, true, FAILED },
	{ "D?", false, false, DEGRADED | UNKNOWN },
	{ "DI", false, false, DEGRADED },
	{ "U?", false, true, UNKNOWN },
	{ "UU|DD", true, true, FAILED },
	{ "DD|UD", true, true, DEGRADED },
	{ "UI|?", false, false, UNKNOWN },
	{ "DDDDDDDU", false, true, DEGRADED },
	{ "DDDDDDDD", true, true, FAILED },
};

static enum monitor_state state_of(char letter)
{
	return letter == 'U'   ? MONITOR_UP
	       : letter == 'D' ? MONITOR_DOWN
	       : letter == '?' ? MONITOR_UNKNOWN
			       : MONITOR_INIT;
}

static void test_groups(void)
{
	for (unsigned int i = 0; i < DIM(groups); i++) {
		for (unsigned int t = 0; t < MONITOR_TYPES; t++) {
			struct monitor *m = engine(0, 0, 0);
			char group[2] = "a", name[2] = "a";
			struct monitor_verdict v;
			unsigned int alarms = 0;

			monitor_role(m, true, MONITOR_NONE, 0);
			for (const char *p = groups[i].members; *p != '\0'; p++, name[0]++) {
				if (*p == '|') {
					group[0]++;
					/* the alarms of the one before are not looked at */
					drain(m, 0);
					continue;
				}
				monitor_report(m, add(m, (enum monitor_type)t, name, group),
					state_of(*p), NULL, 5);
			}
			alarms = drain(m, alarms);
			v = verdict(m, 5);
			CU_ASSERT_EQUAL(v.health.failed, groups[i].failed << t);
			CU_ASSERT_EQUAL(v.health.known, groups[i].known << t);
			CU_ASSERT_EQUAL(v.acting, groups[i].failed << t);
			CU_ASSERT_EQUAL(alarms, groups[i].alarms);
			if (v.health.failed != groups[i].failed << t || alarms != groups[i].alarms)
				fprintf(stderr, "%s: failed %u, alarms %#x\n", groups[i].members,
					v.health.failed, alarms);
			monitor_destroy(m);
		}
	}
}

/* Contexts and names tell objects apart, types tell groups of one name apart. */
static void test_objects(void)
{
	struct monitor *m = engine(0, 0, 0);
	char name[MONITOR_NAME + 1] = "";
	int bgp, aaa;

	monitor_role(m, true, MONITOR_NONE, 0);
	bgp = monitor_add(m, MONITOR_BGP, "10.0.0.1", "core", "x", 0);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_BGP, "10.0.0.1", "core", "y", 0), -EEXIST);
	CU_ASSERT_TRUE(monitor_add(m, MONITOR_BGP, "10.0.0.1", "isp", "x", 0) >= 0);
	aaa = monitor_add(m, MONITOR_AAA, "10.0.0.1", "core", "x", 0);
	CU_ASSERT_TRUE(aaa >= 0);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_BGP, "", NULL, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_BGP, NULL, NULL, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_TYPES, "a", NULL, NULL, 0), -EINVAL);
	memset(name, 'n', MONITOR_NAME);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_BGP, name, NULL, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_BGP, "a", NULL, name, 0), -EINVAL);
	CU_ASSERT_EQUAL(monitor_report(m, aaa, MONITOR_DOWN, "wrong secret", 7), 0);
	CU_ASSERT_EQUAL(monitor_report(m, aaa, MONITOR_DOWN, "still", 9), 0);
	CU_ASSERT_EQUAL(verdict(m, 9).acting, 1 << MONITOR_AAA);
	CU_ASSERT_EQUAL(monitor_object(m, aaa)->changed, 7);
	CU_ASSERT_EQUAL(monitor_object(m, aaa)->downs, 1);
	CU_ASSERT_STRING_EQUAL(monitor_object(m, aaa)->why, "still");
	CU_ASSERT_EQUAL(monitor_object(m, bgp)->changed, USEC_NEVER);
	CU_ASSERT_EQUAL(monitor_report(m, 99, MONITOR_UP, NULL, 0), -ENOENT);
	CU_ASSERT_EQUAL(monitor_report(m, -1, MONITOR_UP, NULL, 0), -ENOENT);
	CU_ASSERT_EQUAL(monitor_remove(m, MONITOR_OBJECTS, 0), -ENOENT);
	CU_ASSERT_PTR_NULL(monitor_object(m, MONITOR_OBJECTS));
	for (int i = 3; i < MONITOR_OBJECTS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CU_ASSERT_TRUE(monitor_add(m, MONITOR_LINK, name, NULL, name, 0) >= 0);
	}
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_LINK, "one more", NULL, NULL, 0), -ENOSPC);
	CU_ASSERT_EQUAL(monitor_remove(m, bgp, 0), 0);
	CU_ASSERT_EQUAL(monitor_remove(m, bgp, 0), -ENOENT);
	CU_ASSERT_EQUAL(monitor_add(m, MONITOR_LINK, "one more", NULL, NULL, 0), bgp);
	monitor_destroy(m);
}

/* Who is removed fails and holds back nothing any more; an alarm of a group that is gone is taken
 * back. */
static void test_remove(void)
{
	struct monitor *m = engine(0, 0, 0);
	int up, down;

	monitor_role(m, true, MONITOR_NONE, 0);
	up = add(m, MONITOR_BGP, "a", "x"), down = add(m, MONITOR_BGP, "b", "x");
	monitor_report(m, up, MONITOR_UP, NULL, 1);
	monitor_report(m, down, MONITOR_DOWN, NULL, 1);
	CU_ASSERT_EQUAL(wish(m, 2), MONITOR_NONE);
	monitor_remove(m, up, 3);
	CU_ASSERT_EQUAL(wish(m, 3), MONITOR_BGP);
	CU_ASSERT_EQUAL(drain(m, 0), FAILED);
	monitor_remove(m, down, 4);
	CU_ASSERT_EQUAL(wish(m, 4), MONITOR_NONE);
	CU_ASSERT_EQUAL(drain(m, FAILED), 0);
	monitor_destroy(m);
}

/* All in seconds; the guard began at 100. */
static const struct {
	const char *what;
	unsigned int guard, damping, down, up; /* 0: stays down */
	unsigned int acts;                     /* 0: never */
} delays[] = {
	{ "before the guard began", 60, 60, 90, 0, 160 },
	{ "as the guard begins", 60, 60, 100, 0, 160 },
	{ "within the guard", 60, 60, 130, 0, 190 },
	{ "at its last moment", 60, 60, 159, 0, 219 },
	{ "as it ends", 60, 60, 160, 0, 160 },
	{ "long after", 60, 60, 500, 0, 500 },
	{ "up again in time", 60, 60, 130, 189, 0 },
	{ "up again as it would act", 60, 60, 130, 191, 190 },
	{ "no damping", 60, 0, 130, 0, 130 },
	{ "no guard", 0, 60, 100, 0, 100 },
	{ "no guard, down before", 0, 60, 10, 0, 100 },
	{ "long damping, short guard", 10, 100, 105, 0, 205 },
};

static void test_guard_and_damping(void)
{
	for (unsigned int i = 0; i < DIM(delays); i++) {
		struct monitor *m = engine(delays[i].guard * SEC, delays[i].damping * SEC, 0);
		int o = add(m, MONITOR_ROUTE, "10.0.0.0/8", NULL);
		unsigned int acts = 0;

		for (unsigned int s = 1; s < 700 && acts == 0; s++) {
			struct monitor_verdict before = verdict(m, s * SEC - 1), v;

			if (s == delays[i].down)
				monitor_report(m, o, MONITOR_DOWN, NULL, s * SEC);
			if (s == 100)
				monitor_role(m, true, MONITOR_NONE, s * SEC);
			if (s == delays[i].up)
				monitor_report(m, o, MONITOR_UP, NULL, s * SEC);
			v = verdict(m, s * SEC);
			acts = v.acting != 0 ? s : 0;
			CU_ASSERT_EQUAL(before.acting, 0);
			if (acts != 0 && before.damped != 0)
				CU_ASSERT_EQUAL(before.due, s * SEC);
			if (v.damped != 0)
				CU_ASSERT_EQUAL(
					v.due, delays[i].acts != 0 ? delays[i].acts * SEC : v.due);
		}
		CU_ASSERT_EQUAL(acts, delays[i].acts);
		if (acts != delays[i].acts)
			fprintf(stderr, "%s: acts at %u\n", delays[i].what, acts);
		monitor_destroy(m);
	}
}

/* A standby wants nothing, asks no AAA server, and tells how it sees the rest. */
static void test_standby(void)
{
	struct monitor *m = engine(0, 0, 0);
	int aaa = add(m, MONITOR_AAA, "10.7.0.1", NULL),
	    bgp = add(m, MONITOR_BGP, "10.9.0.1", NULL);

	monitor_report(m, bgp, MONITOR_DOWN, NULL, 1);
	monitor_report(m, aaa, MONITOR_DOWN, "an answer that was on its way", 1);
	CU_ASSERT_EQUAL(monitor_object(m, aaa)->state, MONITOR_INIT);
	CU_ASSERT_EQUAL(verdict(m, 2).acting, 0);
	CU_ASSERT_EQUAL(verdict(m, 2).health.failed, 1 << MONITOR_BGP);
	CU_ASSERT_EQUAL(verdict(m, 2).health.known, 1 << MONITOR_BGP);
	monitor_role(m, true, MONITOR_NONE, 3);
	monitor_report(m, aaa, MONITOR_DOWN, NULL, 4);
	CU_ASSERT_EQUAL(verdict(m, 4).acting, 1 << MONITOR_BGP | 1 << MONITOR_AAA);
	monitor_role(m, false, MONITOR_NONE, 5);
	CU_ASSERT_EQUAL(monitor_object(m, aaa)->state, MONITOR_INIT);
	CU_ASSERT_EQUAL(monitor_object(m, bgp)->state, MONITOR_DOWN);
	CU_ASSERT_EQUAL(verdict(m, 5).health.failed, 1 << MONITOR_BGP);
	monitor_destroy(m);
}

enum {
	A = 1 << MONITOR_AAA,
	B = 1 << MONITOR_BGP,
	R = 1 << MONITOR_ROUTE,
	L = 1 << MONITOR_LINK,
	X = 1 << MONITOR_FAULT
};

static const struct {
	const char *what;
	uint8_t failed, acting;
	bool told;
	uint8_t theirs;
	enum monitor_type want;
} wishes[] = {
	{ "nothing", 0, 0, true, 0, MONITOR_NONE },
	{ "a peer that is well", B, B, true, 0, MONITOR_BGP },
	{ "a peer that said nothing", B, B, false, 0, MONITOR_BGP },
	{ "a peer with the same failure", B, B, true, B, MONITOR_NONE },
	{ "a peer with another failure", B, B, true, R, MONITOR_NONE },
	{ "a peer with less", B | R, B | R, true, R, MONITOR_BGP },
	{ "less, but only what does not act yet", B | R, R, true, R, MONITOR_NONE },
	{ "what it does not ask is not held against it", A, A, true, A, MONITOR_AAA },
	{ "AAA, and a peer that is worse", A, A, true, B, MONITOR_NONE },
	{ "AAA, and as bad otherwise", A | B, A | B, true, B, MONITOR_AAA },
	{ "the nearest is the cause", A | B | L, A | B | L, true, 0, MONITOR_LINK },
	{ "the nearest that differs", X | B | A, X | B | A, true, X, MONITOR_BGP },
};

static void test_wish(void)
{
	for (unsigned int i = 0; i < DIM(wishes); i++) {
		struct monitor_verdict v = { .health.failed = wishes[i].failed,
			.acting = wishes[i].acting };
		struct monitor_health peer = { .failed = wishes[i].theirs };
		enum monitor_type got = monitor_request(&v, wishes[i].told ? &peer : NULL);

		CU_ASSERT_EQUAL(got, wishes[i].want);
		if (got != wishes[i].want)
			fprintf(stderr, "%s: got %s\n", wishes[i].what, monitor_type_name(got));
	}
}

/* Made Active by the peer's AAA failure: nothing that AAA does moves it, all else does. */
static void test_not_revertible(void)
{
	struct monitor *m = engine(60 * SEC, 60 * SEC, 0);
	int aaa = add(m, MONITOR_AAA, "10.7.0.1", NULL),
	    bgp = add(m, MONITOR_BGP, "10.9.0.1", "core");
	struct monitor_conf c;

	monitor_role(m, true, MONITOR_AAA, 0);
	monitor_report(m, aaa, MONITOR_DOWN, "no answer", 1 * SEC);
	CU_ASSERT_EQUAL(verdict(m, 1000 * SEC).held, A);
	CU_ASSERT_EQUAL(verdict(m, 1000 * SEC).due, USEC_NEVER);
	CU_ASSERT_EQUAL(wish(m, 1000 * SEC), MONITOR_NONE);
	CU_ASSERT_EQUAL(drain(m, 0), FAILED | HELD);
	monitor_report(m, aaa, MONITOR_UP, NULL, 1001 * SEC);
	CU_ASSERT_EQUAL(drain(m, FAILED | HELD), 0);
	monitor_report(
		/* that it was up in between frees nothing */
		m, aaa, MONITOR_DOWN, "no answer", 1002 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2000 * SEC), MONITOR_NONE);
	monitor_report(m, bgp, MONITOR_DOWN, NULL, 2000 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2000 * SEC), MONITOR_BGP);
	monitor_report(m, bgp, MONITOR_UP, NULL, 2001 * SEC);
	/* the reset: what is down must be found down anew */
	CU_ASSERT_TRUE(monitor_reset(m, MONITOR_AAA, 2002 * SEC));
	CU_ASSERT_FALSE(monitor_reset(m, MONITOR_AAA, 2002 * SEC));
	CU_ASSERT_FALSE(monitor_reset(m, MONITOR_NONE, 2002 * SEC));
	CU_ASSERT_EQUAL(monitor_object(m, aaa)->state, MONITOR_INIT);
	CU_ASSERT_EQUAL(wish(m, 2003 * SEC), MONITOR_NONE);
	monitor_report(m, aaa, MONITOR_DOWN, "no answer", 2010 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2010 * SEC), MONITOR_AAA);
	/* away and back by hand: free as well */
	monitor_role(m, false, MONITOR_NONE, 2020 * SEC);
	monitor_role(m, true, MONITOR_AAA, 2100 * SEC);
	monitor_role(m, false, MONITOR_NONE, 2200 * SEC);
	monitor_role(m, true, MONITOR_NONE, 2300 * SEC);
	monitor_report(m, aaa, MONITOR_DOWN, NULL, 2301 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2360 * SEC), MONITOR_NONE);
	CU_ASSERT_EQUAL(wish(m, 2361 * SEC), MONITOR_AAA);
	/* made revertible while it is held */
	monitor_role(m, false, MONITOR_NONE, 2400 * SEC);
	monitor_role(m, true, MONITOR_AAA, 2500 * SEC);
	monitor_report(m, aaa, MONITOR_DOWN, NULL, 2600 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2600 * SEC), MONITOR_NONE);
	monitor_conf_default(&c);
	c.type[MONITOR_AAA].revertible = true;
	monitor_configure(m, &c);
	CU_ASSERT_EQUAL(wish(m, 2600 * SEC), MONITOR_AAA);
	/* BGP is revertible */
	monitor_role(m, false, MONITOR_NONE, 2700 * SEC);
	monitor_role(m, true, MONITOR_BGP, 2800 * SEC);
	monitor_report(m, bgp, MONITOR_DOWN, NULL, 2900 * SEC);
	CU_ASSERT_EQUAL(wish(m, 2900 * SEC), MONITOR_BGP);
	monitor_destroy(m);
}

/* Each edge once, in words. */
static void test_edges(void)
{
	struct monitor *m = engine(0, 0, 0);
	struct monitor_event e;
	char text[MONITOR_TEXT];
	int a = add(m, MONITOR_BGP, "10.9.0.1", "core"),
	    b = add(m, MONITOR_BGP, "10.9.0.2", "core");

	monitor_role(m, true, MONITOR_NONE, 0);
	CU_ASSERT_FALSE(monitor_next(m, &e));
	monitor_report(m, a, MONITOR_DOWN, "hold timer expired", 1);
	CU_ASSERT_TRUE(monitor_next(m, &e));
	CU_ASSERT_TRUE(e.object == a && e.from == MONITOR_INIT && e.to == MONITOR_DOWN);
	CU_ASSERT_STRING_EQUAL(e.text, "bgp 10.9.0.1 is down: hold timer expired");
	CU_ASSERT_TRUE(monitor_next(m, &e));
	CU_ASSERT_TRUE(e.object == -1 && e.alarm == MONITOR_ALARM_DEGRADED && e.raised);
	CU_ASSERT_STRING_EQUAL(
		e.text, "bgp group core: 1 of 2 down, 10.9.0.1 (hold timer expired)");
	CU_ASSERT_STRING_EQUAL(e.group, "core");
	CU_ASSERT_FALSE(monitor_next(m, &e));
	monitor_report(m, a, MONITOR_DOWN, "hold timer expired", 2);
	CU_ASSERT_FALSE(monitor_next(m, &e));
	monitor_report(m, b, MONITOR_UNKNOWN, "no BMP session", 3);
	CU_ASSERT_EQUAL(drain(m, DEGRADED), DEGRADED | UNKNOWN);
	monitor_report(m, b, MONITOR_DOWN, NULL, 4);
	CU_ASSERT_EQUAL(drain(m, DEGRADED | UNKNOWN), FAILED);
	monitor_text(m, MONITOR_BGP, text);
	CU_ASSERT_STRING_EQUAL(text, "bgp group core: all 2 down");
	monitor_text(m, MONITOR_AAA, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	monitor_report(m, a, MONITOR_UP, NULL, 5);
	monitor_report(m, b, MONITOR_UP, NULL, 5);
	CU_ASSERT_EQUAL(drain(m, FAILED), 0);
	CU_ASSERT_FALSE(monitor_next(m, &e));
	monitor_destroy(m);
}

/* A long text of many groups ends in time. */
static void test_text_is_cut(void)
{
	struct monitor *m = engine(0, 0, 0);
	char name[MONITOR_NAME], text[MONITOR_TEXT];

	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		snprintf(name, sizeof(name), "a-group-with-a-name-that-is-rather-long-%d", i);
		monitor_report(m, add(m, MONITOR_LINK, name, name), MONITOR_DOWN, NULL, 1);
	}
	memset(text, 'x', sizeof(text));
	monitor_text(m, MONITOR_LINK, text);
	CU_ASSERT_EQUAL(strlen(text), MONITOR_TEXT - 1);
	monitor_destroy(m);
}

static void test_names(void)
{
	static const char *const states[] = { "init", "up", "down", "unknown" };

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		CU_ASSERT_STRING_NOT_EQUAL(monitor_type_name((enum monitor_type)t), "none");
	for (unsigned int s = 0; s <= MONITOR_UNKNOWN; s++)
		CU_ASSERT_STRING_EQUAL(monitor_state_name((enum monitor_state)s), states[s]);
	CU_ASSERT_STRING_EQUAL(monitor_type_name(MONITOR_NONE), "none");
	CU_ASSERT_STRING_EQUAL(monitor_alarm_name(MONITOR_ALARM_HELD), "monitor-held");
}

int main(void)
{
	CU_TestInfo tests[] = { { "groups", test_groups }, { "objects", test_objects },
		{ "remove", test_remove }, { "guard and damping", test_guard_and_damping },
		{ "standby", test_standby }, { "wish", test_wish },
		{ "not revertible", test_not_revertible }, { "edges", test_edges },
		{ "text is cut", test_text_is_cut }, { "names", test_names }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "monitor", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
