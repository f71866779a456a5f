/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of a change of roles on one chassis: lib/srp and the other cores are the test. */
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "cores/role.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "session/session.h"
#include "switchover_priv.h"
#include "switchover_stubs.h"
#include "ut.h"

enum { WORKERS = 2, MSGS = 4095, TERM = 2, OLD_TERM = 1 };

static struct rte_mempool *msgs;
static struct to_replicator_door door;
static struct to_worker_door worker_door[WORKERS];
static struct session_table table;
static uint8_t worker_of_shard[SESSION_SHARDS];
static struct role role;
static struct srp_info election;
static struct switchover *sw;

/* What the other cores are asked; how many messages there were. */
static unsigned int doors_empty(void)
{
	struct rte_ring *ring[] = { door.door.ring, worker_door[0].door.ring,
		worker_door[1].door.ring };
	unsigned int n = 0;
	void *m;

	for (unsigned int i = 0; i < RTE_DIM(ring); i++)
		for (; rte_ring_dequeue(ring[i], &m) == 0; n++)
			rte_mempool_put(msgs, m);
	return n;
}

static void setup(void)
{
	struct switchover_settings s = { .to_worker = worker_door,
		.n_workers = WORKERS,
		.to_replicator = &door,
		.msgs = msgs,
		.table = &table,
		.worker_of_shard = worker_of_shard,
		.role = &role };

	switchover_stubs = (struct switchover_stubs){ 0 };
	memset(&table, 0, sizeof(table));
	memset(&election, 0, sizeof(election));
	role_init(&role);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		worker_of_shard[i] = i % WORKERS;
	sw = switchover_create(&s);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sw);
	switchover_follow(sw, &election);
}

static void teardown(void)
{
	switchover_destroy(sw);
	doors_empty();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(msgs), 0);
}

/* As lib/srp orders it. */
static void step(enum srp_step step)
{
	switchover_begin(sw,
		&(struct srp_action){ .step = step, .term = TERM, .old_term = OLD_TERM },
		clock_us());
}

static void worker_answers(uint64_t cookie, bool ok)
{
	switchover_worker_done(
		sw, &(struct from_worker_done){ .cookie = cookie, .ok = ok }, clock_us());
}

static void repl_answers(uint64_t cookie, bool ok, uint64_t number)
{
	switchover_repl_done(sw,
		&(struct from_replicator_done){ .cookie = cookie, .ok = ok, .number = number },
		clock_us());
}

/* The answer for lib/srp is there: it is so, and there is one. */
static bool check_result(enum srp_step step, bool ok, uint64_t number)
{
	struct switchover_result r, again;

	return switchover_result(sw, &r) && r.step == step && r.term == TERM && r.ok == ok &&
	       r.number == number && !switchover_result(sw, &again);
}

/* The step of a switchover that comes to nothing, and the answers of the other cores. */
static void resume(void)
{
	step(SRP_STEP_RESUME);
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_answers(sw->cookies, true);
	repl_answers(sw->cookies, true, 0);
	CU_ASSERT_TRUE(check_result(SRP_STEP_RESUME, true, 0));
	doors_empty();
}

static void activate(void)
{
	step(SRP_STEP_ACTIVATE);
	CU_ASSERT_TRUE(check_result(SRP_STEP_ACTIVATE, true, 0));
}

/* ---- answers to steps ---- */

static bool owned_by(uint8_t by)
{
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		if (table.shard[i].owner != (by == SESSION_BY_NONE ? by : worker_of_shard[i]))
			return false;
	return true;
}

/* A step ends when the last core has answered; slots change hands only then. */
static void test_answers(void)
{
	struct switchover_result r;

	step(SRP_STEP_OWN);
	CU_ASSERT_TRUE(switchover_owns(sw));
	CU_ASSERT_EQUAL(switchover_own_term(sw), TERM);
	CU_ASSERT_TRUE(owned_by(0));
	CU_ASSERT_EQUAL(doors_empty(), WORKERS);
	worker_answers(sw->cookies, true);
	CU_ASSERT_FALSE(switchover_result(sw, &r));
	worker_answers(sw->cookies, true);
	CU_ASSERT_TRUE(check_result(SRP_STEP_OWN, true, 0));
	step(SRP_STEP_RELEASE);
	worker_answers(sw->cookies, true);
	CU_ASSERT_TRUE(switchover_owns(sw));
	worker_answers(sw->cookies, true);
	CU_ASSERT_FALSE(switchover_owns(sw));
	CU_ASSERT_TRUE(owned_by(SESSION_BY_NONE));
	CU_ASSERT_TRUE(check_result(SRP_STEP_RELEASE, true, 0));
}

/* The number that a core answers with reaches lib/srp. */
static void test_number(void)
{
	step(SRP_STEP_STOP);
	CU_ASSERT_EQUAL(doors_empty(), 1);
	repl_answers(sw->cookies, true, 77);
	CU_ASSERT_TRUE(check_result(SRP_STEP_STOP, true, 77));
}

/* One that refuses ends the step at once; what others answer then is of no step. */
static void test_refused(void)
{
	struct switchover_result r;

	step(SRP_STEP_OWN);
	worker_answers(sw->cookies, false);
	CU_ASSERT_TRUE(switchover_result(sw, &r));
	CU_ASSERT_FALSE(r.ok);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.why, "old"));
	worker_answers(sw->cookies, true);
	CU_ASSERT_FALSE(switchover_result(sw, &r));
}

/* lib/srp orders another step: the answers to the one before do not count for it. */
static void test_given_up(void)
{
	struct switchover_result r;
	uint64_t before;

	step(SRP_STEP_OWN);
	before = sw->cookies;
	step(SRP_STEP_STOP);
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_answers(before, true);
	repl_answers(before, true, 0);
	CU_ASSERT_FALSE(switchover_result(sw, &r));
	repl_answers(sw->cookies, true, 0);
	CU_ASSERT_TRUE(check_result(SRP_STEP_STOP, true, 0));
}

/* ---- late usage ---- */

static void late_ends(repl_term_t term)
{
	switchover_late_ended(sw, &(struct from_worker_late_end){ .term = term }, clock_us());
}

/* It is there until all workers have stopped to forward, and the Active has acknowledged it. */
static void test_late_usage(void)
{
	struct from_replicator_late_drained drained = { .term = OLD_TERM };

	step(SRP_STEP_WRITE);
	doors_empty();
	CU_ASSERT_TRUE(switchover_late_usage(sw));
	late_ends(OLD_TERM);
	late_ends(TERM); /* of no usage that is late */
	switchover_turn(sw, clock_us());
	CU_ASSERT_EQUAL(doors_empty(), 0);
	late_ends(OLD_TERM);
	switchover_turn(sw, clock_us());
	CU_ASSERT_EQUAL(doors_empty(), 1); /* when has it been acknowledged? */
	CU_ASSERT_TRUE(switchover_late_usage(sw));
	CU_ASSERT_TRUE(table.late_merge);
	switchover_late_drained(sw, &drained, clock_us());
	CU_ASSERT_FALSE(switchover_late_usage(sw));
}

/* What the Active encoded before it counted the last of it comes behind the acknowledgement, and
 * sets nothing back; what comes later is the truth again. Active again, nothing is left of it. */
static void test_late_settles(void)
{
	struct from_replicator_late_drained drained = { .term = OLD_TERM };
	usec_t now = clock_us();

	step(SRP_STEP_WRITE);
	switchover_late_drained(sw, &drained, now);
	switchover_turn(sw, now + USEC_PER_SEC - 1);
	CU_ASSERT_TRUE(table.late_merge);
	switchover_turn(sw, now + USEC_PER_SEC);
	CU_ASSERT_FALSE(table.late_merge);
	step(SRP_STEP_WRITE);
	switchover_late_drained(sw, &drained, now);
	step(SRP_STEP_WRITE);
	switchover_turn(sw, now + 2 * USEC_PER_SEC);
	CU_ASSERT_TRUE(table.late_merge); /* of the next usage that is late */
	switchover_turn(sw, clock_us() + 61 * USEC_PER_SEC);
	CU_ASSERT_FALSE(table.late_merge); /* it is given up: the Active's word counts */
	step(SRP_STEP_WRITE);
	switchover_late_drained(sw, &drained, now);
	step(SRP_STEP_OWN);
	CU_ASSERT_FALSE(table.late_merge);
}

/* ---- the role ---- */

/* When the time to serve is over, nothing is answered, whatever lib/srp says. */
static void test_time_to_serve(void)
{
	CU_ASSERT_FALSE(switchover_must_not_answer(sw));
	atomic_store(&role.serve_until, 1);
	CU_ASSERT_TRUE(switchover_must_not_answer(sw));
	atomic_store(&role.serve_until, ROLE_FOR_EVER);
	CU_ASSERT_FALSE(switchover_must_not_answer(sw));
	election.must_not_answer = true;
	CU_ASSERT_TRUE(switchover_must_not_answer(sw));
}

/* Other cores read what this room says. */
static void test_published(void)
{
	switchover_stubs.confirmed = true;
	step(SRP_STEP_OWN);
	step(SRP_STEP_ACTIVATE);
	election.restart_counter = 9;
	CU_ASSERT_FALSE(atomic_load(&role.owned));
	switchover_publish(sw, 5);
	CU_ASSERT_TRUE(atomic_load(&role.owned));
	CU_ASSERT_TRUE(atomic_load(&role.answering));
	CU_ASSERT_FALSE(atomic_load(&role.held));
	CU_ASSERT_EQUAL(atomic_load(&role.term), TERM);
	CU_ASSERT_EQUAL(atomic_load(&role.restart_counter), 9);
	CU_ASSERT_EQUAL(atomic_load(&role.stood_still), 5);
}

/* While the kernel has not confirmed the VIP nobody is answered, not even when a hand-over begins;
 * and when it confirms the VIP then, answers do not begin for what is about to be handed over. */
static void test_unconfirmed(void)
{
	activate();
	CU_ASSERT_FALSE(switchover_answers(sw));
	step(SRP_STEP_HOLD);
	CU_ASSERT_FALSE(switchover_answers(sw));
	switchover_stubs.confirmed = true;
	switchover_announce(sw, clock_us());
	CU_ASSERT_FALSE(switchover_answers(sw));
	resume();
	CU_ASSERT_TRUE(switchover_answers(sw));
	CU_ASSERT_FALSE(switchover_holds(sw));
	step(SRP_STEP_HOLD);
	CU_ASSERT_TRUE(switchover_answers(sw));
	CU_ASSERT_TRUE(switchover_holds(sw));
}

/* It is confirmed later than the rest. */
static void test_confirmed_later(void)
{
	activate();
	switchover_announce(sw, clock_us());
	CU_ASSERT_FALSE(switchover_answers(sw));
	switchover_stubs.confirmed = true;
	switchover_announce(sw, clock_us());
	CU_ASSERT_TRUE(switchover_answers(sw));
}

/* When the time to serve is over, the VIPs are not announced, by whichever way. */
static void test_time_to_announce(void)
{
	activate();
	CU_ASSERT_EQUAL(switchover_stubs.announced, 1);
	resume();
	CU_ASSERT_EQUAL(switchover_stubs.announced, 2);
	atomic_store(&role.serve_until, 1);
	resume();
	switchover_announce(sw, clock_us());
	CU_ASSERT_EQUAL(switchover_stubs.announced, 2);
	atomic_store(&role.serve_until, ROLE_FOR_EVER);
	switchover_announce(sw, clock_us());
	CU_ASSERT_EQUAL(switchover_stubs.announced, 3);
}

static int eal(void)
{
	char *args[] = { "test_switchover", "--no-huge", "--no-shconf", "--no-pci", "-m", "64",
		"-l", "0", "--log-level", "error", NULL };

	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		return -1;
	clock_init(&clock_tsc);
	msgs = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	if (msgs == NULL)
		return -1;
	door.door = (struct door){ rte_ring_create("door", MSGS + 1, SOCKET_ID_ANY, 0), msgs };
	for (unsigned int i = 0; i < WORKERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "worker%u", i);
		worker_door[i].door =
			(struct door){ rte_ring_create(name, MSGS + 1, SOCKET_ID_ANY, 0), msgs };
		if (worker_door[i].door.ring == NULL)
			return -1;
	}
	return door.door.ring != NULL ? 0 : -1;
}

int main(void)
{
	CU_TestInfo tests[] = { { "answers", test_answers }, { "a number", test_number },
		{ "refused", test_refused }, { "given up", test_given_up },
		{ "late usage", test_late_usage }, { "late usage settles", test_late_settles },
		{ "time to serve", test_time_to_serve }, { "published", test_published },
		{ "no address", test_unconfirmed }, { "the address later", test_confirmed_later },
		{ "time to announce", test_time_to_announce }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "switchover", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return eal() == 0 ? ut_run(suites) : EXIT_FAILURE;
}
