/* SPDX-License-Identifier: BSD-3-Clause */
/* The order in which control takes what other cores tell it: no acknowledgement before the answer
 * that it is for. */
#include <rte_eal.h>

#include "cores/doors.h"
#include "ut.h"

enum { WORKERS = 3, ROOM = 4096, MSGS = 8191 };

static struct rte_mempool *pool;
static struct door worker[WORKERS], repl;
static struct doors doors;

/* What the handler saw. */
static struct {
	unsigned int answers, commits, early; /* early: commits before their answer */
	bool answered[ROOM];
	void (*meanwhile)(void); /* other cores, while control handles a message */
} seen;

static void handler(void *ctx, const struct msg *m)
{
	(void)ctx;
	if (m->type == MSG_ANSWER) {
		seen.answers++;
		seen.answered[m->cookie] = true;
	} else {
		seen.commits++;
		seen.early += !seen.answered[m->cookie];
	}
	if (seen.meanwhile != NULL)
		seen.meanwhile();
}

static void put(const struct door *d, enum msg_type type, unsigned int number)
{
	struct msg *m = msg_new(pool, type);

	m->cookie = number;
	CU_ASSERT_EQUAL_FATAL(door_send(d, m), 0);
}

static unsigned int turns(void)
{
	unsigned int n = 0;

	while (doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL))
		CU_ASSERT_FATAL(++n < 1000);
	return n;
}

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
}

static void teardown(void)
{
	doors_fini(&doors, pool);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

/* More answers than one turn takes. */
static void test_backlog(void)
{
	for (unsigned int i = 0; i < 3 * DOORS_BURST; i++)
		put(&worker[1], MSG_ANSWER, i);
	for (unsigned int i = 0; i < 3 * DOORS_BURST; i++)
		put(&repl, MSG_COMMITTED, i);
	turns();
	CU_ASSERT_EQUAL(seen.answers, 3 * DOORS_BURST);
	CU_ASSERT_EQUAL(seen.commits, 3 * DOORS_BURST);
	CU_ASSERT_EQUAL(seen.early, 0);
}

static unsigned int next;

/* A worker answers, and the standby has acknowledged it before control looks again. */
static void quick_peer(void)
{
	if (next == 1000)
		return;
	put(&worker[next % WORKERS], MSG_ANSWER, next);
	put(&repl, MSG_COMMITTED, next);
	next++;
}

static void test_acknowledged_meanwhile(void)
{
	next = 0;
	seen.meanwhile = quick_peer;
	quick_peer();
	turns();
	CU_ASSERT_EQUAL(seen.answers, 1000);
	CU_ASSERT_EQUAL(seen.commits, 1000);
	CU_ASSERT_EQUAL(seen.early, 0);
}

static void endless(void)
{
	if (rte_ring_count(worker[0].ring) < ROOM / 2)
		put(&worker[0], MSG_ANSWER, ROOM - 1);
}

/* A worker whose door is never empty holds no acknowledgement up for longer than what was there
 * before it. */
static void test_busy_worker(void)
{
	for (unsigned int i = 0; i < 2 * DOORS_BURST; i++)
		put(&worker[0], MSG_ANSWER, i);
	put(&repl, MSG_COMMITTED, 2 * DOORS_BURST - 1);
	seen.meanwhile = endless;
	for (unsigned int i = 0; i < 2; i++)
		CU_ASSERT_TRUE(doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL));
	CU_ASSERT_EQUAL(seen.commits, 1);
	CU_ASSERT_EQUAL(seen.early, 0);
	CU_ASSERT_EQUAL(seen.answers, 2 * DOORS_BURST);
	seen.meanwhile = NULL;
	turns();
}

/* Alone, each is handled in the turn that finds it; a turn with nothing says so. */
static void test_alone(void)
{
	put(&repl, MSG_COMMITTED, 1);
	CU_ASSERT_TRUE(doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL));
	CU_ASSERT_EQUAL(seen.commits, 1);
	put(&worker[2], MSG_ANSWER, 2);
	CU_ASSERT_TRUE(doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL));
	CU_ASSERT_EQUAL(seen.answers, 1);
	CU_ASSERT_FALSE(doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL));
}

static void test_given_back(void)
{
	for (unsigned int i = 0; i < 2 * DOORS_BURST; i++)
		put(&worker[0], MSG_ANSWER, i);
	put(&repl, MSG_COMMITTED, 0);
	CU_ASSERT_TRUE(doors_turn(&doors, worker, WORKERS, &repl, pool, handler, NULL));
	CU_ASSERT_EQUAL(seen.commits, 0);
	doors_fini(&doors, pool);
	turns();
	CU_ASSERT_EQUAL(seen.commits, 0);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "a backlog", test_backlog },
		{ "acknowledged meanwhile", test_acknowledged_meanwhile },
		{ "a busy worker", test_busy_worker }, { "alone", test_alone },
		{ "what is held is given back", test_given_back }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "doors", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char *args[] = { "test_doors", "--no-huge", "--no-shconf", "--no-pci", "-m", "64", "-l",
		"0", "--log-level", "error", NULL };
	int ret;

	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		return EXIT_FAILURE;
	pool = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	repl = (struct door){ rte_ring_create("repl", ROOM, SOCKET_ID_ANY, 0), pool };
	for (unsigned int i = 0; i < WORKERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "w%u", i);
		worker[i] = (struct door){ rte_ring_create(name, ROOM, SOCKET_ID_ANY, 0), pool };
	}
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
