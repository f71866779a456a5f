/* SPDX-License-Identifier: BSD-3-Clause */
/* Chassis in one process that connect over loopback: who listens and who connects is the seat that
 * each is given, and the peer can be replaced while a pair runs. No other core is there, so that
 * nobody answers a step, and the rooms below have nothing to do. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/alarms.h"
#include "base/clock.h"
#include "base/pulse.h"
#include "cores/role.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "net/net.h"
#include "pair/pair.h"
#include "pair_priv.h"
#include "pair_stubs.h"
#include "process/settings_rooms.h"
#include "reactor/reactor.h"
#include "session/session.h"
#include "ut.h"

enum { LEFT, RIGHT, SPARE, CHASSIS, MSGS = 4095, PATIENCE_US = 10000000 };

struct chassis {
	struct config conf;
	struct config_placed placed;
	struct reactor *reactor;
	struct alarms *alarms;
	struct switchover *switchover;
	struct pair *pair;
	struct core_pulse pulse;
	struct role role;
	struct pair_time pair_time;
	struct places places;
};

static struct chassis chassis[CHASSIS];
static struct rte_mempool *msgs;
static struct to_replicator_door door;
static struct to_worker_door worker_door;
static struct session_table table;
static uint8_t worker_of_shard[SESSION_SHARDS];
static uint16_t port;

static struct ip_addr address(unsigned int i)
{
	return ip_addr_v4(UINT32_C(0x7f000001) + i);
}

static uint32_t incarnation(unsigned int i)
{
	return 1000 + i;
}

static void settled(void *ctx)
{
	struct chassis *c = ctx;

	pair_drain(c->pair, clock_us());
}

/* One that no other socket of the left chassis has. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void start(unsigned int i, unsigned int peer, uint8_t seat)
{
	struct chassis *c = &chassis[i];
	struct switchover_settings w = { .to_worker = &worker_door,
		.n_workers = 1,
		.to_replicator = &door,
		.msgs = msgs,
		.table = &table,
		.worker_of_shard = worker_of_shard,
		.role = &c->role };
	struct pair_settings s = { .seat = seat,
		.incarnation = incarnation(i),
		.mac = { 2, 0, 0, 0, 0, (uint8_t)i },
		.places = &c->places,
		.ops = pair_stubs_ops };
	struct pair_connection connection = { .to_replicator = &door, .msgs = msgs };
	struct pair_stream stream = { .to_replicator = &door,
		.msgs = msgs,
		.pulse = &c->pulse,
		.pair_time = &c->pair_time,
		.table = &table };

	c->conf.srp.bind = address(i);
	c->conf.srp.peer = address(peer);
	c->conf.srp.port = port;
	c->conf.srp.insecure = true;
	c->conf.srp.hello_interval_ms = 50;
	c->conf.srp.dead_interval_ms = 60000;
	c->conf.srp.delay_interval_ms = 60000;
	c->conf.srp.heartbeat_interval_ms = 1000;
	c->conf.srp.dead_multiplier = 60;
	c->conf.srp.pending_timeout_s = 600;
	c->conf.licensed = true;
	c->conf.chassis.priority = 1 + i;
	snprintf(c->conf.loopbacks[0].name, sizeof(c->conf.loopbacks[0].name), "gtp");
	snprintf(c->conf.gtp_loopback, sizeof(c->conf.gtp_loopback), "gtp");
	c->conf.n_loopbacks = 1;
	settings_switchover_start(&c->conf, &w.start);
	settings_switchover_live(&c->conf, &w.live);
	c->switchover = s.switchover = switchover_create(&w);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->switchover);
	placed_begin(&c->placed, &c->conf);
	settings_pair_start(&c->conf, &c->placed, &s.start);
	CU_ASSERT_EQUAL_FATAL(settings_pair_live(&c->conf, &s.live), 0);
	c->reactor = connection.reactor = reactor_create(settled, c);
	c->alarms = s.alarms = connection.alarms = alarms_create();
	CU_ASSERT_EQUAL_FATAL(pair_alarms_register(c->alarms), 0);
	c->pair = pair_create(&s, &connection, &stream);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->pair);
	settings_pair_live_end(&s.live);
}

/* Rows of a turn. */
static void turn_feed(struct chassis *c, usec_t now)
{
	pair_feed(c->pair, now);
}

static void turn_judge(struct chassis *c, usec_t now)
{
	pair_judge(c->pair, now);
}

static void turn_steps(struct chassis *c, usec_t now)
{
	switchover_turn(c->switchover, now);
}

static void turn_probe(struct chassis *c, usec_t now)
{
	pair_probe(c->pair, now);
}

static void turn_connect(struct chassis *c, usec_t now)
{
	pair_connect(c->pair, now);
}

/* What the other cores are told. */
static void doors_empty(void)
{
	struct rte_ring *ring[] = { door.door.ring, worker_door.door.ring };
	void *m;

	for (unsigned int i = 0; i < RTE_DIM(ring); i++)
		while (rte_ring_dequeue(ring[i], &m) == 0)
			rte_mempool_put(msgs, m);
}

static void turn(struct chassis *c)
{
	static void (*const rows[])(struct chassis * c, usec_t now) = { turn_feed, turn_judge,
		turn_steps, turn_probe, turn_connect };

	pair_woke(c->pair, 0, clock_us());
	reactor_wait(c->reactor, 100000);
	pair_woke(c->pair, 0, clock_us());
	reactor_dispatch(c->reactor);
	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		rows[i](c, clock_us());
		pair_drain(c->pair, clock_us());
	}
	doors_empty();
}

/* Turns all chassis until `done` is so. */
static bool run_until(bool (*done)(void))
{
	for (usec_t end = clock_us() + PATIENCE_US; clock_us() < end;) {
		for (unsigned int i = 0; i < CHASSIS; i++)
			if (chassis[i].pair != NULL)
				turn(&chassis[i]);
		if (done())
			return true;
	}
	return false;
}

static bool hears(unsigned int i, unsigned int peer)
{
	const struct srp_info *s = pair_srp(chassis[i].pair);

	return s->connected && s->peer.known && s->peer.incarnation == incarnation(peer);
}

static struct pair_view view_of(unsigned int i)
{
	struct pair_view v;

	pair_view(chassis[i].pair, &v, clock_us());
	return v;
}

static bool is_peer_of(unsigned int i, const struct ip_addr *a)
{
	struct pair_view v = view_of(i);

	return ip_addr_equal(&v.peer.address, a);
}

static void setup(void)
{
	memset(chassis, 0, sizeof(chassis));
	pair_stubs = (struct pair_stubs){ 0 };
	port = free_port();
}

static void teardown(void)
{
	for (unsigned int i = 0; i < CHASSIS; i++) {
		pair_destroy(chassis[i].pair);
		switchover_destroy(chassis[i].switchover);
		reactor_destroy(chassis[i].reactor);
		alarms_destroy(chassis[i].alarms);
	}
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(msgs), 0);
}

/* ---- items that the list on disk has, and the file has not ---- */

static const char old_list[] = "tandem-numbers 1 14 1\n"
			       "apn 3 0 old.example old,0,0,0,0,0\n"
			       "apn 5 1800000000 gone.example\n"
			       "pool 1 0 old 10.5.0.0/16,1,60,0\n";

/* They drain before anybody hears of the list, and stay for as long as that has them in use. */
static void test_old_items(void)
{
	struct chassis *c = &chassis[LEFT];
	int apn, pool;

	pair_stubs.numbers = old_list;
	pair_stubs.placed = &c->placed;
	start(LEFT, RIGHT, 0);
	apn = placed_find(&c->placed, PLACES_APN, "old.example");
	pool = placed_find(&c->placed, PLACES_POOL, "old");
	CU_ASSERT_TRUE_FATAL(apn >= 0 && pool >= 0);
	CU_ASSERT_EQUAL(placed_state(&c->placed, PLACES_APN, (unsigned int)apn), PLACED_DRAINING);
	CU_ASSERT_EQUAL(c->placed.pool[pool].conf.quarantine_s, 60);
	CU_ASSERT_EQUAL(places_of(&c->places, PLACES_APN, 3), (unsigned int)apn);
	CU_ASSERT_EQUAL(places_of(&c->places, PLACES_POOL, 1), (unsigned int)pool);
	CU_ASSERT_EQUAL(places_of(&c->places, PLACES_APN, 5), PLACES_NONE);
	CU_ASSERT_FALSE(pair_may_leave(c->pair, PLACES_APN, (unsigned int)apn, clock_us()));
	/* Who leaves all the same is made again. */
	placed_leave(&c->placed, PLACES_APN, (unsigned int)apn);
	pair_lists(c->pair, clock_us());
	apn = placed_find(&c->placed, PLACES_APN, "old.example");
	CU_ASSERT_TRUE_FATAL(apn >= 0);
	CU_ASSERT_EQUAL(places_of(&c->places, PLACES_APN, 3), (unsigned int)apn);
}

/* A list that cannot be held is worth no more than none. */
static void test_old_items_nowhere(void)
{
	struct chassis *c = &chassis[LEFT];

	pair_stubs.numbers = old_list;
	start(LEFT, RIGHT, 0);
	CU_ASSERT_EQUAL(places_of(&c->places, PLACES_APN, 3), PLACES_NONE);
	/* What the file has then may leave as the list says nothing of it. */
	CU_ASSERT_EQUAL(placed_drain(&c->placed, PLACES_APN, "other.example", "x,0,0,0,0,0"), 0);
	pair_lists(c->pair, clock_us());
	CU_ASSERT_TRUE(pair_may_leave(c->pair, PLACES_APN, 0, clock_us()));
}

/* ---- alone on a shared subnet ---- */

enum { WINDOW_US = 50000, STEP_US = 1000, GAP_US = 100000, SHORT_US = 3000, LONG_US = 60000 };

static usec_t alone_now; /* of the chassis that is alone: its own time */

/* A turn of it, which begins after it stood still for so long; 0: it did not. */
static void alone_turn(usec_t stall)
{
	static void (*const rows[])(
		struct chassis * c, usec_t now) = { turn_feed, turn_judge, turn_steps, turn_probe };
	struct chassis *c = &chassis[LEFT];

	alone_now += stall > 0 ? stall : STEP_US;
	atomic_store(&c->pulse.tick, alone_now);
	pair_woke(c->pair, stall, alone_now);
	pair_drain(c->pair, alone_now);
	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		rows[i](c, alone_now);
		pair_drain(c->pair, alone_now);
	}
	if (pair_stubs.reserve != 0) { /* the disk */
		pair_reserved(c->pair, pair_stubs.reserve, true, alone_now);
		pair_stubs.reserve = 0;
		pair_drain(c->pair, alone_now);
	}
	doors_empty();
}

/* For so long; it stands still once in each `each` of it for `stall`. 0: never. */
static void alone_run(usec_t us, usec_t each, usec_t stall)
{
	usec_t next = alone_now + each;

	for (usec_t end = alone_now + us; alone_now < end;) {
		bool stalls = each > 0 && alone_now >= next;

		alone_turn(stalls ? stall : 0);
		if (stalls)
			next = alone_now + each;
	}
}

static enum srp_state alone_state(void)
{
	return pair_srp(chassis[LEFT].pair)->state;
}

/* It counts as alone, and has asked for the first time who has the VIPs. */
static void alone_asks(void)
{
	struct chassis *c = &chassis[LEFT];

	c->conf.srp.l2 = true;
	start(LEFT, RIGHT, 0);
	role_init(&c->role);
	pulse_init(&c->pulse, WINDOW_US, true);
	alone_now = clock_us() +
		    (c->conf.srp.delay_interval_ms + c->conf.srp.dead_interval_ms) * USEC_PER_MSEC;
	alone_turn(0);
	CU_ASSERT_EQUAL(pair_stubs.probes, 1);
	CU_ASSERT_TRUE(pair_stubs.listens);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
}

static void check_alone_becomes_active(unsigned int probes)
{
	CU_ASSERT_EQUAL(pair_stubs.probes, probes);
	CU_ASSERT_FALSE(pair_stubs.listens);
	CU_ASSERT_EQUAL(alone_state(), SRP_PENDING_ACTIVE);
}

/* Three questions, each with its time to be answered in. */
static void test_alone(void)
{
	alone_asks();
	alone_run(3 * GAP_US - 2 * STEP_US, 0, 0);
	CU_ASSERT_EQUAL(pair_stubs.probes, 3);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
	alone_run(2 * STEP_US, 0, 0);
	check_alone_becomes_active(3);
}

/* In a short stall nothing is dropped, so that each question counts, however many there are. */
static void test_alone_short_stalls(void)
{
	alone_asks();
	alone_run(3 * GAP_US + 2 * SHORT_US, GAP_US / 4, SHORT_US);
	check_alone_becomes_active(3);
}

/* What was answered in a long one was dropped: the question that was out is asked again. */
static void test_alone_long_stall(void)
{
	alone_asks();
	alone_run(2 * GAP_US + 2 * STEP_US, 0, 0);
	CU_ASSERT_EQUAL(pair_stubs.probes, 3);
	alone_turn(LONG_US);
	CU_ASSERT_EQUAL(pair_stubs.probes, 4);
	alone_run(GAP_US - STEP_US, 0, 0);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
	alone_run(2 * STEP_US, 0, 0);
	check_alone_becomes_active(4);
}

/* No question has its time: there is no verdict for as long as that goes on, and then there is. */
static void test_alone_long_stalls(void)
{
	alone_asks();
	alone_run(30 * GAP_US, GAP_US / 2, LONG_US);
	CU_ASSERT_TRUE(pair_stubs.probes > 20);
	CU_ASSERT_TRUE(pair_stubs.listens);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
	alone_run(3 * GAP_US + 2 * STEP_US, 0, 0);
	CU_ASSERT_FALSE(pair_stubs.listens);
	CU_ASSERT_EQUAL(alone_state(), SRP_PENDING_ACTIVE);
}

/* But not for ever: a chassis that is alone has subscribers to serve. */
static void test_alone_stalls_for_ever(void)
{
	alone_asks();
	alone_run(60 * GAP_US, GAP_US / 2, LONG_US);
	CU_ASSERT_TRUE(pair_stubs.probes > 50);
	check_alone_becomes_active(pair_stubs.probes);
}

/* The answer to the question that was asked again counts. */
static void test_alone_claimed(void)
{
	struct net_claim claim = { .addr = ip_addr_v4(UINT32_C(0x0affff64)) };

	alone_asks();
	alone_run(2 * GAP_US + 2 * STEP_US, 0, 0);
	alone_turn(LONG_US);
	pair_claimed(chassis[LEFT].pair, &claim);
	alone_run(2 * GAP_US, 0, 0);
	CU_ASSERT_EQUAL(pair_srp(chassis[LEFT].pair)->count.probes_answered, 1);
	CU_ASSERT_FALSE(pair_stubs.listens);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
}

/* Whoever asks hears why it stays in Init, and the log says so when that takes too long. */
static void test_alone_says_why(void)
{
	struct net_claim claim = { .addr = ip_addr_v4(UINT32_C(0x0affff64)) };
	struct chassis *c = &chassis[LEFT];
	struct pair_view v;

	alone_asks();
	pair_view(c->pair, &v, alone_now);
	CU_ASSERT_STRING_EQUAL(v.waits_for, "the probe of the VIPs");
	pair_claimed(c->pair, &claim);
	alone_run(2 * STEP_US, 0, 0);
	pair_view(c->pair, &v, alone_now);
	CU_ASSERT_STRING_EQUAL(v.waits_for, "the VIPs to be free: VIP 10.255.255.100 is answered "
					    "by 00:00:00:00:00:00");
	CU_ASSERT_FALSE(c->pair->init_logged);
	alone_now += 2 * c->conf.srp.dead_interval_ms * USEC_PER_MSEC + SRP_PROBE_US;
	alone_turn(0);
	CU_ASSERT_EQUAL(alone_state(), SRP_INIT);
	CU_ASSERT_TRUE(c->pair->init_logged);
	alone_run(3 * GAP_US + 2 * STEP_US, 0, 0);
	CU_ASSERT_EQUAL(alone_state(), SRP_PENDING_ACTIVE);
	CU_ASSERT_FALSE(c->pair->init_logged);
	pair_view(c->pair, &v, alone_now);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.waits_for, " of the promotion; this process aborts in "));
}

/* ---- another file ---- */

/* By what the stream judges a heartbeat after a reload that makes the window so many beats long. */
static usec_t life_of(unsigned int beats)
{
	struct chassis *c = &chassis[LEFT];
	struct pair_live live;

	c->conf.srp.dead_multiplier = beats;
	CU_ASSERT_EQUAL_FATAL(settings_pair_live(&c->conf, &live), 0);
	CU_ASSERT_EQUAL(pair_reconfigure(c->pair, &live, alone_now), 0);
	settings_pair_live_end(&live);
	alone_turn(0);
	return pair_stubs.life_us;
}

/* A heartbeat is judged late by the longest window of what runs and what ran, as the election
 * judges silence, until the peer is known to run the same. */
static void test_reload_life(void)
{
	alone_asks();
	CU_ASSERT_EQUAL(pair_stubs.life_us, 30 * USEC_PER_SEC);
	CU_ASSERT_EQUAL(life_of(10), 30 * USEC_PER_SEC);
	CU_ASSERT_EQUAL(life_of(100), 50 * USEC_PER_SEC);
	CU_ASSERT_EQUAL(life_of(60), 50 * USEC_PER_SEC);
}

/* ---- seats ---- */

static void test_seat(void)
{
	struct config f = { .srp = { .bind = address(LEFT), .peer = address(RIGHT) } };

	CU_ASSERT_EQUAL(config_seat(&f), 0);
	f.srp.bind = address(SPARE);
	CU_ASSERT_EQUAL(config_seat(&f), 1);
	snprintf(f.srp.seat, sizeof(f.srp.seat), "0");
	CU_ASSERT_EQUAL(config_seat(&f), 0);
	f.srp.bind = address(LEFT);
	snprintf(f.srp.seat, sizeof(f.srp.seat), "1");
	CU_ASSERT_EQUAL(config_seat(&f), 1);
	snprintf(f.srp.seat, sizeof(f.srp.seat), "auto");
	CU_ASSERT_EQUAL(config_seat(&f), 0);
}

static bool both_hear(void)
{
	return hears(LEFT, RIGHT) && hears(RIGHT, LEFT);
}

/* Whoever has seat 0 listens, whatever the addresses are. */
static void test_seats_given(void)
{
	for (uint8_t left = 0; left < 2; left++) {
		setup();
		start(LEFT, RIGHT, left);
		start(RIGHT, LEFT, 1 - left);
		CU_ASSERT_TRUE(run_until(both_hear));
		CU_ASSERT_EQUAL(view_of(LEFT).seat, left);
		CU_ASSERT_EQUAL(view_of(LEFT).peer.incarnation, incarnation(RIGHT));
		CU_ASSERT_EQUAL(view_of(RIGHT).peer.incarnation, incarnation(LEFT));
		if (left == 0)
			teardown();
	}
}

/* ---- another peer ---- */

static bool spare_refused(void)
{
	return both_hear() && view_of(LEFT).strangers > 0;
}

static bool spare_in_place(void)
{
	return hears(LEFT, SPARE) && hears(SPARE, LEFT) &&
	       !pair_srp(chassis[RIGHT].pair)->connected;
}

static bool refused_again(void)
{
	static uint64_t before;

	if (before == 0)
		before = view_of(LEFT).strangers;
	return view_of(LEFT).strangers > before;
}

/* The peer of who listens. */
static void test_replace_of_listener(void)
{
	struct pair_peer peer = { .address = address(SPARE), .name = "spare" };

	start(LEFT, RIGHT, 0);
	start(RIGHT, LEFT, 1);
	start(SPARE, LEFT, 1);
	CU_ASSERT_TRUE_FATAL(run_until(spare_refused));
	CU_ASSERT_TRUE(is_peer_of(LEFT, &chassis[LEFT].conf.srp.peer));
	pair_replace_peer(chassis[LEFT].pair, &peer, clock_us());
	CU_ASSERT_TRUE(is_peer_of(LEFT, &peer.address));
	CU_ASSERT_STRING_EQUAL(view_of(LEFT).peer.name, "spare");
	CU_ASSERT_EQUAL(view_of(LEFT).peer.incarnation, 0);
	CU_ASSERT_TRUE(run_until(spare_in_place));
	CU_ASSERT_EQUAL(view_of(LEFT).peer.incarnation, incarnation(SPARE));
	CU_ASSERT_TRUE(run_until(refused_again)); /* the one that was the peer */
	CU_ASSERT_TRUE(hears(LEFT, SPARE));
}

static bool right_hears_spare(void)
{
	return hears(RIGHT, SPARE) && hears(SPARE, RIGHT);
}

/* The peer of who connects: it goes to the other address. */
static void test_replace_of_connector(void)
{
	struct pair_peer peer = { .address = address(SPARE) };

	start(LEFT, RIGHT, 0);
	start(RIGHT, LEFT, 1);
	start(SPARE, RIGHT, 0);
	CU_ASSERT_TRUE_FATAL(run_until(both_hear));
	CU_ASSERT_FALSE(pair_srp(chassis[SPARE].pair)->connected);
	pair_replace_peer(chassis[RIGHT].pair, &peer, clock_us());
	CU_ASSERT_TRUE(run_until(right_hears_spare));
	CU_ASSERT_FALSE(pair_srp(chassis[LEFT].pair)->connected);
	CU_ASSERT_EQUAL(view_of(RIGHT).peer.incarnation, incarnation(SPARE));
}

static int eal(void)
{
	char *args[] = { "test_pair", "--no-huge", "--no-shconf", "--no-pci", "-m", "64", "-l", "0",
		"--log-level", "error", NULL };

	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		return -1;
	clock_init(&clock_tsc);
	msgs = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	door.door = (struct door){ rte_ring_create("door", MSGS + 1, SOCKET_ID_ANY, 0), msgs };
	worker_door.door =
		(struct door){ rte_ring_create("worker", MSGS + 1, SOCKET_ID_ANY, 0), msgs };
	return msgs != NULL && door.door.ring != NULL && worker_door.door.ring != NULL ? 0 : -1;
}

int main(void)
{
	CU_TestInfo seats[] = { { "default", test_seat }, CU_TEST_INFO_NULL };
	CU_TestInfo tests[] = { { "old items", test_old_items },
		{ "old items, and no place", test_old_items_nowhere }, { "alone", test_alone },
		{ "alone, short stalls", test_alone_short_stalls },
		{ "alone, a long stall", test_alone_long_stall },
		{ "alone, long stalls", test_alone_long_stalls },
		{ "alone, stalls for ever", test_alone_stalls_for_ever },
		{ "alone, and answered", test_alone_claimed },
		{ "alone, and it says why", test_alone_says_why },
		{ "reload, late heartbeats", test_reload_life },
		{ "seats that are given", test_seats_given },
		{ "another peer of who listens", test_replace_of_listener },
		{ "another peer of who connects", test_replace_of_connector }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "seat", NULL, NULL, NULL, NULL, seats },
		{ "pair", NULL, NULL, setup, teardown, tests }, CU_SUITE_INFO_NULL };

	return eal() == 0 ? ut_run(suites) : EXIT_FAILURE;
}
