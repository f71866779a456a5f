/* SPDX-License-Identifier: BSD-3-Clause */
/* The station against all that was ever said to it: with one router, exactly; with several, by what
 * must always hold. */
#include "bmp_make.h"
#include "monitor/station.h"
#include "ut.h"

#define SEC USEC_PER_SEC

enum { PEERS = 5, ADDRS = 3, ROUTERS = 3, SETTLE = 5, STEPS = 400, ROUNDS = 200 };

enum kind { BEGUN, SAID_UP, SAID_DOWN, SAID_LEFT, CLOSED, TICK };

/* What happened, in order. */
static struct event {
	enum kind kind;
	int session; /* counted over the whole round, so that none is named twice */
	unsigned int router, addr, vrf;
	usec_t at;
} log_[STEPS * 2];
static unsigned int n_log;

static struct station_peer conf[PEERS];
static enum monitor_state state[PEERS];
static struct ip_addr routers[ROUTERS];

static void on_peer(void *ctx, int peer, enum monitor_state s, const char *why)
{
	CU_ASSERT_TRUE(peer >= 0 && peer < PEERS && s != MONITOR_INIT);
	state[peer] = s;
}

static struct ip_addr addr_of(unsigned int i)
{
	return ip_addr_v4(0x0a090001 + i);
}

static bool about(unsigned int peer, const struct event *e)
{
	struct ip_addr a = addr_of(e->addr);

	return e->kind >= SAID_UP && e->kind <= SAID_LEFT && ip_addr_equal(&conf[peer].addr, &a) &&
	       (!conf[peer].of_vrf || conf[peer].distinguisher == e->vrf) &&
	       (!conf[peer].of_router || ip_addr_equal(&conf[peer].router, &routers[e->router]));
}

/* The time of the Initiation of a session; USEC_NEVER: there was none. closed: is it over? */
static usec_t begun(int session, bool *closed)
{
	usec_t at = USEC_NEVER;

	*closed = false;
	for (unsigned int i = 0; i < n_log; i++) {
		if (log_[i].session != session)
			continue;
		if (log_[i].kind == BEGUN && at == USEC_NEVER)
			at = log_[i].at;
		*closed = *closed || log_[i].kind == CLOSED;
	}
	return at;
}

/* Was there a tick after it had its time, while it was open? */
static bool settled(int session)
{
	bool closed, open = true;
	usec_t at = begun(session, &closed);

	for (unsigned int i = 0; at != USEC_NEVER && i < n_log; i++) {
		if (log_[i].session == session && log_[i].kind == CLOSED)
			open = false;
		if (open && log_[i].kind == TICK && log_[i].at >= at + SETTLE * SEC)
			return true;
	}
	return false;
}

/* What one session says of a peer, if there is no other: -1: nothing. */
static int word(unsigned int peer, int session)
{
	int said = -1;
	bool been = false; /* up, in this session */

	for (unsigned int i = 0; i < n_log; i++) {
		const struct event *e = &log_[i];

		if (e->session != session || !about(peer, e))
			continue;
		if (e->kind == SAID_UP)
			said = MONITOR_UP;
		else if (e->kind == SAID_LEFT)
			said = MONITOR_UNKNOWN;
		else if (been)
			said = MONITOR_DOWN;
		else
			said = -2; /* not up: that counts once the router had its time */
		been = been || e->kind == SAID_UP;
	}
	if (settled(session) && said < 0)
		return MONITOR_DOWN;
	return said < 0 ? -1 : said;
}

/* One router, one session at a time: the last one that said anything; UNKNOWN once it is over, or
 * when nobody came. A session that has said nothing that counts leaves all as it was. */
static bool model_one(unsigned int peer, int sessions)
{
	enum monitor_state want = MONITOR_INIT;

	for (int s = 0; s < sessions; s++) {
		bool closed, spoke = false;
		int said = word(peer, s);

		begun(s, &closed);
		for (unsigned int i = 0; i < n_log; i++)
			spoke = spoke || (log_[i].session == s && about(peer, &log_[i]));
		if (closed && (spoke || settled(s)))
			want = MONITOR_UNKNOWN;
		else if (!closed && said >= 0)
			want = (enum monitor_state)said;
	}
	if (want == MONITOR_INIT)
		return state[peer] == MONITOR_INIT || state[peer] == MONITOR_UNKNOWN;
	return state[peer] == want;
}

/* Is there a session that is open, had its time, and may tell of that peer? */
static bool settled_one(unsigned int peer)
{
	for (unsigned int i = 0; i < n_log; i++) {
		const struct event *e = &log_[i];
		bool closed;

		if (e->kind != BEGUN || (conf[peer].of_router && !ip_addr_equal(&conf[peer].router,
									 &routers[e->router])))
			continue;
		begun(e->session, &closed);
		if (!closed && settled(e->session))
			return true;
	}
	return false;
}

/* Several routers: who spoke last is right as long as its session is open; without one, nobody is
 * up, and down is only who was not named by a router that had its time. */
static bool model_many(unsigned int peer, int sessions)
{
	const struct event *last = NULL;
	bool closed = true;

	for (unsigned int i = 0; i < n_log; i++)
		last = about(peer, &log_[i]) ? &log_[i] : last;
	if (last != NULL)
		begun(last->session, &closed);
	if (closed)
		return state[peer] != MONITOR_UP &&
		       (state[peer] != MONITOR_DOWN || settled_one(peer)) &&
		       (state[peer] != MONITOR_INIT || last == NULL);
	if (word(peer, last->session) >= 0)
		return state[peer] == (enum monitor_state)word(peer, last->session);
	return true; /* not up yet, by a router that has not had its time */
}

static struct {
	int number, id; /* the station's, and the log's; number < 0: none */
	unsigned int router;
} open_[STATION_SESSIONS];

static void put(enum kind kind, int session, unsigned int router, unsigned int addr,
	unsigned int vrf, usec_t at)
{
	log_[n_log++] = (struct event){ kind, session, router, addr, vrf, at };
}

static void say(struct station *st, unsigned int k, uint64_t r, usec_t now)
{
	unsigned int a = (unsigned int)(r % ADDRS), vrf = (unsigned int)(r / 8 % 2);
	enum kind kind = (enum kind)(SAID_UP + r / 16 % 8 % 3);
	uint8_t room[256];
	struct bmp_make m = { .w = wr_init(room, sizeof(room)) };
	struct ip_addr addr = addr_of(a);

	if (kind == SAID_UP)
		make_up(&m, vrf != 0, 0, vrf, &addr);
	else
		make_down(&m, vrf != 0, 0, vrf, &addr,
			kind == SAID_LEFT ? BMP_DOWN_NOT_MONITORED : BMP_DOWN_REMOTE, 0, 0);
	CU_ASSERT_EQUAL(
		station_input(st, open_[k].number, room, (size_t)(m.w.p - room), NULL, now), 0);
	put(kind, open_[k].id, open_[k].router, a, vrf, now);
}

/* A router connects and begins, says something, or goes; then time passes. */
static void step(struct station *st, uint64_t *seed, unsigned int width, int *sessions, usec_t *now)
{
	uint64_t r = ut_random(seed) >> 8;
	unsigned int k = (unsigned int)(ut_random(seed) % width);

	if (open_[k].number < 0 && r % 4 == 0) {
		uint8_t room[64];
		struct bmp_make m = { .w = wr_init(room, sizeof(room)) };

		open_[k].router = width == 1 ? 0 : (unsigned int)(r / 4 % ROUTERS);
		open_[k].number = station_open(st, &routers[open_[k].router], *now);
		open_[k].id = (*sessions)++;
		make_initiation(&m);
		station_input(st, open_[k].number, room, (size_t)(m.w.p - room), NULL, *now);
		put(BEGUN, open_[k].id, open_[k].router, 0, 0, *now);
	} else if (open_[k].number >= 0 && r % 24 == 0) {
		CU_ASSERT_EQUAL(station_close(st, open_[k].number), 0);
		put(CLOSED, open_[k].id, open_[k].router, 0, 0, *now);
		open_[k].number = -1;
	} else if (open_[k].number >= 0) {
		say(st, k, r / 24, *now);
	}
	*now += ut_random(seed) % 3 * (ut_random(seed) % SEC);
	station_tick(st, *now);
	put(TICK, -1, 0, 0, 0, *now);
	CU_ASSERT_TRUE(station_due(st) > *now);
}

static struct station *fresh(uint64_t *seed, unsigned int width)
{
	struct station *st = station_create(SETTLE * SEC, on_peer, NULL);

	if (st == NULL)
		abort();
	n_log = 0;
	memset(state, 0, sizeof(state));
	for (unsigned int i = 0; i < STATION_SESSIONS; i++)
		open_[i].number = -1;
	for (unsigned int i = 0; i < ROUTERS; i++)
		routers[i] = ip_addr_v4(0x7f000001 + i);
	for (unsigned int i = 0; i < PEERS; i++)
		do
			conf[i] = (struct station_peer){
				.addr = addr_of((unsigned int)(ut_random(seed) % ADDRS)),
				.of_vrf = ut_random(seed) % 2,
				.distinguisher = ut_random(seed) % 2,
				.of_router = width > 1 && ut_random(seed) % 2,
				.router = routers[ut_random(seed) % ROUTERS]
			};
		while (station_add(st, &conf[i], 0) != (int)i);
	return st;
}

static void rounds(unsigned int width, bool (*fine)(unsigned int peer, int sessions))
{
	uint64_t seed = ut_seed(9);

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct station *st = fresh(&seed, width);
		usec_t now = 0;
		int sessions = 0;
		bool right = true;

		for (unsigned int i = 0; i < STEPS / 4 && right; i++) {
			step(st, &seed, width, &sessions, &now);
			for (unsigned int p = 0; p < PEERS && right; p++) {
				right = fine(p, sessions);
				if (!right)
					fprintf(stderr, "round %u, step %u: peer %u is %s\n", round,
						i, p, monitor_state_name(state[p]));
			}
		}
		CU_ASSERT_TRUE(right);
		station_destroy(st);
	}
}

static void test_one_router(void)
{
	rounds(1, model_one);
}

static void test_routers(void)
{
	rounds(4, model_many);
}

int main(void)
{
	CU_TestInfo tests[] = { { "one router", test_one_router },
		{ "several routers", test_routers }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "station model", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
