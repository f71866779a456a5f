/* SPDX-License-Identifier: BSD-3-Clause */
/* The order in which control takes what other cores tell it: no acknowledgement before the answer
 * that it is for. */
#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "cores/doors.h"
#include "ut.h"

enum { WORKERS = 3, ROOM = 4096, MSGS = 8191 };

static struct rte_mempool *pool;
static struct from_worker_door worker[WORKERS];
static struct from_replicator_door repl;
static struct doors doors;

/* What the handler saw. */
static struct {
	unsigned int answers, commits, early; /* early: commits before their answer */
	unsigned int settled, unsettled; /* messages; handled behind one that was not settled */
	bool answered[ROOM];
	void (*meanwhile)(void); /* other cores, while control handles a message */
} seen;

static void on_settled(void *ctx)
{
	(void)ctx;
	seen.settled++;
}

static void on_answer(void *ctx, struct from_worker_answer *m)
{
	(void)ctx;
	seen.unsettled += seen.settled != seen.answers + seen.commits;
	seen.answers++;
	seen.answered[m->cookie] = true;
	if (seen.meanwhile != NULL)
		seen.meanwhile();
}

static void on_committed(void *ctx, struct from_replicator_committed *m)
{
	(void)ctx;
	seen.unsettled += seen.settled != seen.answers + seen.commits;
	seen.commits++;
	seen.early += !seen.answered[repl_entry_handle(m->entries.entry[0])];
	if (seen.meanwhile != NULL)
		seen.meanwhile();
}

static const struct from_worker_handlers of_worker = { .answer = on_answer };
static const struct from_replicator_handlers of_replicator = { .committed = on_committed };

static void put_answer(unsigned int w, unsigned int number)
{
	struct session_rec rec = { .handle = number };
	struct to_worker *q = to_worker_create(pool, 1, number, &rec);

	CU_ASSERT_EQUAL_FATAL(
		from_worker_send(&worker[w], from_worker_answer(&q->create.q, (uint8_t)w, 0, 1)),
		0);
}

static void put_commit(unsigned int number)
{
	struct from_replicator *m = from_replicator_committed(pool);

	m->committed.entries.n = 1;
	m->committed.entries.entry[0] = repl_entry(number, 1, 0);
	CU_ASSERT_EQUAL_FATAL(from_replicator_send(&repl, m), 0);
}

static unsigned int turns(void)
{
	unsigned int n = 0;

	while (doors_turn(&doors))
		CU_ASSERT_FATAL(++n < 1000);
	return n;
}

static void setup(void)
{
	const struct doors_conf conf = { .worker = worker,
		.n_workers = WORKERS,
		.replicator = &repl,
		.of_worker = &of_worker,
		.of_replicator = &of_replicator,
		.settled = on_settled,
		.pool = pool };

	memset(&seen, 0, sizeof(seen));
	doors_init(&doors, &conf);
}

static void teardown(void)
{
	doors_fini(&doors);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

/* More answers than one turn takes. */
static void test_backlog(void)
{
	for (unsigned int i = 0; i < 3 * DOORS_BURST; i++)
		put_answer(1, i);
	for (unsigned int i = 0; i < 3 * DOORS_BURST; i++)
		put_commit(i);
	turns();
	CU_ASSERT_EQUAL(seen.answers, 3 * DOORS_BURST);
	CU_ASSERT_EQUAL(seen.commits, 3 * DOORS_BURST);
	CU_ASSERT_EQUAL(seen.settled, 6 * DOORS_BURST);
	CU_ASSERT_EQUAL(seen.unsettled, 0);
	CU_ASSERT_EQUAL(seen.early, 0);
}

static unsigned int next;

/* A worker answers, and the standby has acknowledged it before control looks again. */
static void quick_peer(void)
{
	if (next == 1000)
		return;
	put_answer(next % WORKERS, next);
	put_commit(next);
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
	if (rte_ring_count(worker[0].door.ring) < ROOM / 2)
		put_answer(0, ROOM - 1);
}

/* A worker whose door is never empty holds no acknowledgement up for longer than what was there
 * before it. */
static void test_busy_worker(void)
{
	for (unsigned int i = 0; i < 2 * DOORS_BURST; i++)
		put_answer(0, i);
	put_commit(2 * DOORS_BURST - 1);
	seen.meanwhile = endless;
	for (unsigned int i = 0; i < 2; i++)
		CU_ASSERT_TRUE(doors_turn(&doors));
	CU_ASSERT_EQUAL(seen.commits, 1);
	CU_ASSERT_EQUAL(seen.early, 0);
	CU_ASSERT_EQUAL(seen.answers, 2 * DOORS_BURST);
	seen.meanwhile = NULL;
	turns();
}

/* Alone, each is handled in the turn that finds it; a turn with nothing says so. */
static void test_alone(void)
{
	put_commit(1);
	CU_ASSERT_TRUE(doors_turn(&doors));
	CU_ASSERT_EQUAL(seen.commits, 1);
	put_answer(2, 2);
	CU_ASSERT_TRUE(doors_turn(&doors));
	CU_ASSERT_EQUAL(seen.answers, 1);
	CU_ASSERT_FALSE(doors_turn(&doors));
}

static void test_given_back(void)
{
	for (unsigned int i = 0; i < 2 * DOORS_BURST; i++)
		put_answer(0, i);
	put_commit(0);
	CU_ASSERT_TRUE(doors_turn(&doors));
	CU_ASSERT_EQUAL(seen.commits, 0);
	doors_fini(&doors);
	turns();
	CU_ASSERT_EQUAL(seen.commits, 0);
}

/* What nobody handles, and what is of no type of the direction, is counted and given back. */
static void test_unknown(void)
{
	static const uint8_t types[] = { 0, FROM_WORKER_NONE, FROM_WORKER_END, TO_WORKER_OWN,
		FROM_REPLICATOR_COMMITTED, UINT8_MAX };

	for (unsigned int i = 0; i < RTE_DIM(types); i++) {
		struct from_worker *m = from_worker_late_end(pool, 1);

		m->head.type = types[i];
		CU_ASSERT_EQUAL(from_worker_send(&worker[0], m), 0);
	}
	from_worker_send(&worker[1], from_worker_late_end(pool, 1)); /* no handler */
	from_replicator_send(&repl, from_replicator_keyed(pool, 1, true));
	put_answer(0, 1);
	turns();
	CU_ASSERT_EQUAL(doors.unknown, RTE_DIM(types) + 2);
	CU_ASSERT_EQUAL(seen.answers, 1);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "a backlog", test_backlog },
		{ "acknowledged meanwhile", test_acknowledged_meanwhile },
		{ "a busy worker", test_busy_worker }, { "alone", test_alone },
		{ "what is held is given back", test_given_back }, { "unknown", test_unknown },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "doors", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char *args[] = { "test_doors", "--no-huge", "--no-shconf", "--no-pci", "-m", "64", "-l",
		"0", "--log-level", "error", NULL };
	int ret;

	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		return EXIT_FAILURE;
	pool = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	repl.door = (struct door){ rte_ring_create("repl", ROOM, SOCKET_ID_ANY, 0), pool };
	for (unsigned int i = 0; i < WORKERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "w%u", i);
		worker[i].door =
			(struct door){ rte_ring_create(name, ROOM, SOCKET_ID_ANY, 0), pool };
	}
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
