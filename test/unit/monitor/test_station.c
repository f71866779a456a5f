/* SPDX-License-Identifier: BSD-3-Clause */
/* BGP peers as the routers tell: what is up, down, not known, and from when on; on a virtual clock,
 * into the engine. */
#include <errno.h>

#include "bmp_make.h"
#include "monitor/station.h"
#include "ut.h"

#define SEC USEC_PER_SEC

enum { SETTLE = 5 };

static struct station *station;
static struct ip_addr r1, r2, p1, p2, p6;
static enum monitor_state state[STATION_PEERS];
static char why[STATION_PEERS][BMP_TEXT];
static unsigned int said;

static void note(void *ctx, int peer, enum monitor_state s, const char *text)
{
	CU_ASSERT_TRUE(ctx == why && peer >= 0 && peer < STATION_PEERS);
	state[peer] = s;
	snprintf(why[peer], BMP_TEXT, "%s", text);
	said++;
}

static void setup(void)
{
	ip_addr_parse("127.0.0.1", &r1);
	ip_addr_parse("127.0.0.2", &r2);
	ip_addr_parse("10.9.0.1", &p1);
	ip_addr_parse("10.9.0.2", &p2);
	ip_addr_parse("2001:db8::1", &p6);
	memset(state, 0, sizeof(state));
	memset(why, 0, sizeof(why));
	said = 0;
	station = station_create(SETTLE * SEC, note, why);
	if (station == NULL)
		abort();
}

static void teardown(void)
{
	station_destroy(station);
	station = NULL;
}

static int add(const struct ip_addr *a, usec_t now)
{
	struct station_peer p = { .addr = *a };
	int n = station_add(station, &p, now);

	CU_ASSERT_TRUE(n >= 0);
	return n;
}

enum { BEGIN = 'i', UP = 'u', DOWN = 'd', LEFT = 'l', END = 't', BROKEN = 'x', CLOSED = 'c' };

/* A router says one thing. */
static int say(int session, int what, const struct ip_addr *a, uint64_t rd, usec_t now)
{
	uint8_t room[512];
	struct bmp_make m = { .w = wr_init(room, sizeof(room)) };
	char text[BMP_TEXT] = "";
	int ret;

	switch (what) {
	case BEGIN:
		make_initiation(&m);
		break;
	case UP:
		make_up(&m, rd != 0, 0, rd, a);
		break;
	case DOWN:
		make_down(&m, rd != 0, 0, rd, a, BMP_DOWN_LOCAL_NOTIFICATION, 4, 0);
		break;
	case LEFT:
		make_down(&m, rd != 0, 0, rd, a, BMP_DOWN_NOT_MONITORED, 0, 0);
		break;
	case END:
		make_termination(&m, 0);
		break;
	default:
		wr_bytes(&m.w, "GET / HTTP", 10);
	}
	ret = station_input(station, session, room, (size_t)(m.w.p - room), text, now);
	CU_ASSERT_EQUAL(ret < 0, text[0] != '\0' || ret == -ENOENT);
	return ret;
}

static int begin(const struct ip_addr *router, usec_t now)
{
	int n = station_open(station, router, now);

	CU_ASSERT_TRUE(n >= 0);
	CU_ASSERT_EQUAL(say(n, BEGIN, NULL, 0, now), 0);
	return n;
}

/* Who is not told of is down once the router had its time, and not before. */
static void test_settle(void)
{
	int a = add(&p1, 0), b = add(&p2, 0), s;

	CU_ASSERT_EQUAL(station_due(station), SETTLE * SEC);
	s = begin(&r1, 2 * SEC);
	say(s, UP, &p1, 0, 3 * SEC);
	CU_ASSERT_EQUAL(station_due(station), (2 + SETTLE) * SEC);
	station_tick(station, (2 + SETTLE) * SEC - 1);
	CU_ASSERT_TRUE(state[a] == MONITOR_UP && state[b] == MONITOR_INIT);
	station_tick(station, (2 + SETTLE) * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_UP && state[b] == MONITOR_DOWN);
	CU_ASSERT_STRING_EQUAL(why[b], "not established");
	CU_ASSERT_EQUAL(station_due(station), USEC_NEVER);
	say(s, UP, &p2, 0, 20 * SEC);
	say(s, DOWN, &p2, 0, 21 * SEC);
	CU_ASSERT_EQUAL(state[b], MONITOR_DOWN);
	CU_ASSERT_STRING_EQUAL(why[b], "closed by the router: hold timer expired");
	station_tick(station, 1000 * SEC);
	CU_ASSERT_EQUAL(said, 4);
}

/* A router that begins by naming all that is not up yet; one that was up within that time is down
 * at once. */
static void test_down_before_up(void)
{
	int a = add(&p1, 0), b = add(&p2, 0), s = begin(&r1, 0);

	say(s, DOWN, &p1, 0, 1);
	say(s, DOWN, &p2, 0, 1);
	CU_ASSERT_TRUE(state[a] == MONITOR_INIT && state[b] == MONITOR_INIT);
	say(s, UP, &p1, 0, SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
	say(s, DOWN, &p1, 0, 2 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_DOWN);
	station_tick(station, SETTLE * SEC);
	CU_ASSERT_EQUAL(state[b], MONITOR_DOWN);
	CU_ASSERT_STRING_EQUAL(
		why[a], "closed by the router: hold timer expired"); /* the better reason stays */
	say(s, DOWN, &p2, 0, 10 * SEC);
	CU_ASSERT_STRING_EQUAL(why[b], "closed by the router: hold timer expired");
}

/* Lost, ended, malformed: not known; and the next session tells anew. */
static void test_lost(void)
{
	static const struct {
		int how, ret;
		const char *why;
	} ends[] = { { CLOSED, 0, "BMP session lost" },
		{ END, -ESHUTDOWN, "ended by the router: administratively closed" },
		{ BROKEN, -EBADMSG, "a version that is not BMP 3: 71" } };
	int a = add(&p1, 0), b = add(&p2, 0), s;
	usec_t now = 0;

	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		s = begin(&r1, now);
		say(s, UP, &p1, 0, now);
		station_tick(station, now += SETTLE * SEC);
		CU_ASSERT_TRUE(state[a] == MONITOR_UP && state[b] == MONITOR_DOWN);
		CU_ASSERT_EQUAL(ends[i].how == CLOSED ? station_close(station, s)
						      : say(s, ends[i].how, NULL, 0, now),
			ends[i].ret);
		CU_ASSERT_TRUE(state[a] == MONITOR_UNKNOWN && state[b] == MONITOR_UNKNOWN);
		CU_ASSERT_STRING_EQUAL(why[a], ends[i].why);
		CU_ASSERT_STRING_EQUAL(why[b], ends[i].why);
		CU_ASSERT_EQUAL(station_close(station, s), -ENOENT);
		CU_ASSERT_EQUAL(say(s, UP, &p1, 0, now), -ENOENT);
		CU_ASSERT_PTR_NULL(station_count(station, s));
		station_tick(station, now += 100 * SEC);
		CU_ASSERT_TRUE(state[a] == MONITOR_UNKNOWN && state[b] == MONITOR_UNKNOWN);
	}
	/* the router came back, its peers are not up yet: not known until it had its time */
	s = begin(&r1, now);
	say(s, DOWN, &p1, 0, now);
	CU_ASSERT_EQUAL(state[a], MONITOR_UNKNOWN);
	station_tick(station, now += SETTLE * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_DOWN && state[b] == MONITOR_DOWN);
}

/* The router will not tell any more: that is not down, now or later. */
static void test_left(void)
{
	int a = add(&p1, 0), s = begin(&r1, 0);

	say(s, UP, &p1, 0, 1);
	say(s, LEFT, &p1, 0, 2);
	CU_ASSERT_EQUAL(state[a], MONITOR_UNKNOWN);
	CU_ASSERT_STRING_EQUAL(why[a], "no longer reported by the router");
	station_tick(station, SETTLE * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UNKNOWN);
	say(s, UP, &p1, 0, 10 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
}

static void test_no_router(void)
{
	int a = add(&p1, 10), s;

	station_tick(station, SETTLE * SEC + 9);
	CU_ASSERT_EQUAL(state[a], MONITOR_INIT);
	s = station_open(station, &r1, 20); /* connected, but says nothing */
	CU_ASSERT_EQUAL(station_due(station), SETTLE * SEC + 10);
	station_tick(station, SETTLE * SEC + 10);
	CU_ASSERT_EQUAL(state[a], MONITOR_UNKNOWN);
	CU_ASSERT_EQUAL(station_due(station), USEC_NEVER);
	say(s, BEGIN, NULL, 0, 60 * SEC);
	CU_ASSERT_EQUAL(station_due(station), (60 + SETTLE) * SEC);
	say(s, UP, &p1, 0, 100 * SEC); /* we were late: what waited counts */
	station_tick(station, 100 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
	CU_ASSERT_EQUAL(said, 2);
	/* added while a session is open that has told already: not known */
	a = add(&p2, 200 * SEC);
	station_tick(station, 300 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UNKNOWN);
}

/* By address in any VRF, by address and VRF; the other family. */
static void test_match(void)
{
	struct station_peer vrf = { .addr = p1, .of_vrf = true, .distinguisher = 7 };
	int any = add(&p1, 0), seven = station_add(station, &vrf, 0), six = add(&p6, 0),
	    s = begin(&r1, 0);

	CU_ASSERT_TRUE(seven >= 0);
	say(s, UP, &p1, 8, 1);
	CU_ASSERT_TRUE(state[any] == MONITOR_UP && state[seven] == MONITOR_INIT);
	say(s, UP, &p1, 7, 2);
	CU_ASSERT_EQUAL(state[seven], MONITOR_UP);
	say(s, DOWN, &p1, 8, 3);
	CU_ASSERT_TRUE(state[any] == MONITOR_DOWN && state[seven] == MONITOR_UP);
	say(s, DOWN, &p1, 7, 4);
	CU_ASSERT_EQUAL(state[seven], MONITOR_DOWN);
	CU_ASSERT_EQUAL(state[six], MONITOR_INIT);
	say(s, UP, &p6, 0, 5);
	CU_ASSERT_EQUAL(state[six], MONITOR_UP);
	say(s, UP, &p2, 0, 6); /* nobody's */
	CU_ASSERT_EQUAL(station_count(station, s)->peer_ups, 4);
	CU_ASSERT_EQUAL(station_remove(station, six), 0);
	CU_ASSERT_EQUAL(station_remove(station, six), -ENOENT);
	say(s, DOWN, &p6, 0, 7);
	CU_ASSERT_EQUAL(state[six], MONITOR_UP); /* not told any more */
}

/* Two routers: the silence of one is not taken for that of the other who told, nor where a peer
 * names its router. */
static void test_two_routers(void)
{
	struct station_peer named = { .addr = p2, .of_router = true, .router = r2 };
	int a = add(&p1, 0), b = station_add(station, &named, 0), s1 = begin(&r1, 0), s2;

	say(s1, UP, &p2, 0, 1); /* the wrong router: of another of that address */
	station_tick(station, SETTLE * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_DOWN && state[b] == MONITOR_UNKNOWN);
	s2 = begin(&r2, 10 * SEC);
	say(s2, UP, &p1, 0, 10 * SEC);
	say(s2, UP, &p2, 0, 10 * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_UP && state[b] == MONITOR_UP);
	station_tick(station, 20 * SEC);
	station_close(station, s1); /* it tells of none any more */
	CU_ASSERT_TRUE(state[a] == MONITOR_UP && state[b] == MONITOR_UP);
	station_close(station, s2);
	CU_ASSERT_TRUE(state[a] == MONITOR_UNKNOWN && state[b] == MONITOR_UNKNOWN);
	s1 = begin(&r1, 30 * SEC);
	station_tick(station, 40 * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_UNKNOWN && state[b] == MONITOR_UNKNOWN);
	s2 = begin(&r2, 50 * SEC);
	station_tick(station, 60 * SEC);
	CU_ASSERT_TRUE(state[a] == MONITOR_DOWN && state[b] == MONITOR_DOWN);
}

/* The old connection of a router hangs: the new one's word counts, and the loss of the old one does
 * not. */
static void test_reconnect(void)
{
	int a = add(&p1, 0), old = begin(&r1, 0), new;

	say(old, UP, &p1, 0, 1);
	new = begin(&r1, 10 * SEC);
	say(new, UP, &p1, 0, 10 * SEC);
	station_close(station, old);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
	say(new, DOWN, &p1, 0, 11 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_DOWN);
	/* what the old one said to be up the new one need not: it has its time */
	say(new, UP, &p1, 0, 12 * SEC);
	old = begin(&r1, 20 * SEC);
	say(old, DOWN, &p1, 0, 20 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
	station_tick(station, (20 + SETTLE) * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_DOWN);
	/* who said up and then down means it, whatever another one said in between */
	new = begin(&r2, 30 * SEC);
	say(new, UP, &p1, 0, 30 * SEC);
	old = begin(&r1, 31 * SEC);
	say(old, DOWN, &p1, 0, 31 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_UP);
	say(new, DOWN, &p1, 0, 32 * SEC);
	CU_ASSERT_EQUAL(state[a], MONITOR_DOWN);
}

static void test_limits(void)
{
	struct station_peer p = { .addr = p1 };

	for (uint64_t i = 0; i < STATION_PEERS; i++) {
		p.of_vrf = true, p.distinguisher = i;
		CU_ASSERT_EQUAL(station_add(station, &p, 0), (int)i);
	}
	CU_ASSERT_EQUAL(station_add(station, &p, 0), -EEXIST);
	p.of_vrf = false;
	CU_ASSERT_EQUAL(station_add(station, &p, 0), -ENOSPC);
	CU_ASSERT_EQUAL(station_remove(station, -1), -ENOENT);
	CU_ASSERT_EQUAL(station_remove(station, STATION_PEERS), -ENOENT);
	for (int i = 0; i < STATION_SESSIONS; i++)
		CU_ASSERT_EQUAL(station_open(station, &r1, 0), i);
	CU_ASSERT_EQUAL(station_open(station, &r1, 0), -ENOSPC);
	CU_ASSERT_EQUAL(station_close(station, 3), 0);
	CU_ASSERT_EQUAL(station_open(station, &r2, 0), 3);
	CU_ASSERT_EQUAL(station_close(station, -1), -ENOENT);
	CU_ASSERT_EQUAL(station_close(station, STATION_SESSIONS), -ENOENT);
}

/* ---- into the engine ---- */
static struct monitor *engine;
static int object[2];
static usec_t clock_us;

static void into_engine(void *ctx, int peer, enum monitor_state s, const char *text)
{
	CU_ASSERT_EQUAL(monitor_report(engine, object[peer], s, text, clock_us), 0);
}

static enum monitor_type wish(void)
{
	struct monitor_verdict v;

	monitor_verdict(engine, clock_us, &v);
	return monitor_request(&v, NULL);
}

/* Both peers of the group down: a wish. The session lost: none, whatever was before. */
static void test_into_engine(void)
{
	struct monitor_conf c;
	int s;

	station_destroy(station);
	monitor_conf_default(&c);
	engine = monitor_create(&c, 0);
	station = station_create(SETTLE * SEC, into_engine, NULL);
	if (engine == NULL || station == NULL)
		abort();
	object[add(&p1, 0)] = monitor_add(engine, MONITOR_BGP, "10.9.0.1", "default", "core", 0);
	object[add(&p2, 0)] = monitor_add(engine, MONITOR_BGP, "10.9.0.2", "default", "core", 0);
	monitor_role(engine, true, MONITOR_NONE, 0);
	s = begin(&r1, 0);
	say(s, UP, &p1, 0, 1);
	say(s, UP, &p2, 0, 1);
	station_tick(station, clock_us = 100 * SEC);
	say(s, DOWN, &p1, 0, clock_us);
	CU_ASSERT_EQUAL(wish(), MONITOR_NONE);
	say(s, DOWN, &p2, 0, clock_us);
	CU_ASSERT_EQUAL(wish(), MONITOR_BGP);
	CU_ASSERT_STRING_EQUAL(
		monitor_object(engine, object[1])->why, "closed by the router: hold timer expired");
	station_close(station, s);
	CU_ASSERT_EQUAL(wish(), MONITOR_NONE);
	/* the routing daemon was restarted: nothing is up yet, and nothing acts */
	s = begin(&r1, clock_us);
	say(s, DOWN, &p1, 0, clock_us);
	say(s, DOWN, &p2, 0, clock_us);
	CU_ASSERT_EQUAL(wish(), MONITOR_NONE);
	say(s, UP, &p1, 0, clock_us += SEC);
	station_tick(station, clock_us += SETTLE * SEC);
	CU_ASSERT_EQUAL(wish(), MONITOR_NONE);
	CU_ASSERT_EQUAL(monitor_object(engine, object[1])->state, MONITOR_DOWN);
	monitor_destroy(engine);
}

int main(void)
{
	CU_TestInfo tests[] = { { "settle", test_settle },
		{ "down before up", test_down_before_up }, { "lost", test_lost },
		{ "left", test_left }, { "no router", test_no_router }, { "match", test_match },
		{ "two routers", test_two_routers }, { "reconnect", test_reconnect },
		{ "limits", test_limits }, { "into the engine", test_into_engine },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "station", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
