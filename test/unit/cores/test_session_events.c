/* SPDX-License-Identifier: BSD-3-Clause */
/* Events of sessions on their way to control: whole from workers, in batches from the stream; what
 * finds no room is marked, but an end by its owner waits. */
#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "cores/session_event.h"
#include "session/session.h"
#include "ut.h"

enum { WORKERS = 2, DOOR = 8192, MSGS = 16383 };

static struct rte_mempool *pool;
static struct from_worker_door worker[WORKERS];
static struct from_replicator_door repl;
static struct session_events events;

static void setup(void)
{
	const struct session_events_env env = {
		.worker = worker, .n_workers = WORKERS, .replicator = &repl, .pool = pool
	};

	session_events_init(&events, &env);
}

static void teardown(void)
{
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static int notify(uint8_t by, enum session_event_kind kind, enum session_why why, uint32_t handle)
{
	const struct session_rec rec = {
		.handle = handle, .key = handle * UINT64_C(16), .usage[0].up_bytes = handle
	};
	const struct session_event e = { .kind = kind,
		.why = why,
		.by = by,
		.handle = handle,
		.key = rec.key,
		.term = 7,
		.rec = &rec };

	return session_events_notify(&events, &e);
}

/* Takes the next event of a worker: false, there is none. */
static bool take(unsigned int w, struct from_worker_event *e)
{
	struct from_worker *m = from_worker_take(&worker[w]);

	if (m == NULL)
		return false;
	CU_ASSERT_EQUAL(m->head.type, FROM_WORKER_EVENT);
	*e = m->event;
	msg_free(pool, m);
	return true;
}

/* Each worker's events leave by its own door, in their order, with their commits. */
static void test_whole(void)
{
	struct from_worker_event e = { 0 };

	CU_ASSERT_EQUAL(notify(1, SESSION_BEGUN, SESSION_WHY_NONE, 5), 0);
	CU_ASSERT_EQUAL(rte_ring_count(worker[1].door.ring), 0);
	session_events_send(&events, 0, 1); /* another's */
	CU_ASSERT_EQUAL(rte_ring_count(worker[1].door.ring), 0);
	session_events_send(&events, 1, 44);
	session_events_send(&events, 1, 45); /* there is none any more */
	CU_ASSERT_TRUE_FATAL(take(1, &e));
	CU_ASSERT_TRUE(e.kind == SESSION_BEGUN && e.by == 1 && e.term == 7 && e.commit == 44);
	CU_ASSERT_TRUE(e.rec.handle == 5 && e.rec.key == 80 && e.rec.usage[0].up_bytes == 5);
	CU_ASSERT_FALSE(take(1, &e));
	CU_ASSERT_EQUAL(notify(0, SESSION_UPDATED, SESSION_WHY_NONE, 6), 0);
	CU_ASSERT_EQUAL(notify(0, SESSION_ENDED, SESSION_WHY_REPLACED, 6), 0);
	session_events_send(&events, 0, 46);
	CU_ASSERT_TRUE_FATAL(take(0, &e));
	CU_ASSERT_TRUE(e.kind == SESSION_UPDATED && e.commit == 0);
	CU_ASSERT_TRUE_FATAL(take(0, &e));
	CU_ASSERT_TRUE(e.kind == SESSION_ENDED && e.commit == 46);
	CU_ASSERT_FALSE(take(0, &e));
	CU_ASSERT_FALSE(session_events_missed(&events));
}

/* Every reason of an end arrives as it was given. */
static void test_reasons(void)
{
	struct from_worker_event e = { 0 };

	for (unsigned int why = 1; why < SESSION_WHY_END; why++) {
		CU_ASSERT_EQUAL(notify(0, SESSION_ENDED, (enum session_why)why, why), 0);
		session_events_send(&events, 0, why);
	}
	for (unsigned int why = 1; why < SESSION_WHY_END; why++) {
		CU_ASSERT_TRUE_FATAL(take(0, &e));
		CU_ASSERT_TRUE(e.kind == SESSION_ENDED && e.why == why && e.rec.handle == why &&
			       e.commit == why);
	}
}

/* Fills worker 0's door with what may be lost. */
static unsigned int fill(enum session_event_kind kind)
{
	unsigned int n = 0;

	while (!atomic_load(&events.missed)) {
		CU_ASSERT_EQUAL(notify(0, kind, SESSION_WHY_NONE, 1), 0);
		session_events_send(&events, 0, 0);
		n += !atomic_load(&events.missed);
		CU_ASSERT_TRUE_FATAL(n < DOOR);
	}
	return n;
}

/* Begun and updated that find no room leave a mark, once; an end still has room, and then waits. */
static void test_full(void)
{
	enum session_event_kind kinds[] = { SESSION_BEGUN, SESSION_UPDATED };
	struct from_worker_event e = { 0 };

	for (unsigned int k = 0; k < RTE_DIM(kinds); k++) {
		unsigned int n = fill(kinds[k]), ends = 0, got = 0;

		CU_ASSERT_TRUE(session_events_missed(&events));
		CU_ASSERT_FALSE(session_events_missed(&events));
		while (notify(0, SESSION_ENDED, SESSION_WHY_REQUEST, ++ends) == 0) {
			session_events_send(&events, 0, 0);
			CU_ASSERT_TRUE_FATAL(ends < DOOR);
		}
		CU_ASSERT_TRUE(ends > 1);
		CU_ASSERT_EQUAL(notify(0, SESSION_ENDED, SESSION_WHY_REQUEST, ends), -EAGAIN);
		CU_ASSERT_FALSE(session_events_missed(&events)); /* nothing was lost */
		CU_ASSERT_PTR_NULL(events.outbox[0].open);
		CU_ASSERT_EQUAL(notify(1, SESSION_ENDED, SESSION_WHY_REQUEST, 9), 0);
		session_events_send(&events, 1, 0); /* the other worker's door has room */
		CU_ASSERT_TRUE(take(1, &e));
		CU_ASSERT_TRUE(take(0, &e));
		CU_ASSERT_EQUAL(notify(0, SESSION_ENDED, SESSION_WHY_REQUEST, ends), 0);
		session_events_send(&events, 0, 0);
		while (take(0, &e))
			got++;
		CU_ASSERT_EQUAL(got, n + ends - 1);
		CU_ASSERT_EQUAL(e.rec.handle, ends);
	}
}

/* No memory is as no room. */
static void test_memory(void)
{
	static void *all[MSGS];
	unsigned int n = 0;

	while (n < MSGS && rte_mempool_get(pool, &all[n]) == 0)
		n++;
	CU_ASSERT_EQUAL(notify(0, SESSION_ENDED, SESSION_WHY_REQUEST, 1), -EAGAIN);
	CU_ASSERT_FALSE(session_events_missed(&events));
	CU_ASSERT_EQUAL(notify(0, SESSION_UPDATED, SESSION_WHY_NONE, 1), 0);
	CU_ASSERT_TRUE(session_events_missed(&events));
	session_batch_put(&events.batch, 16, 1, true);
	CU_ASSERT_TRUE(session_events_missed(&events));
	rte_mempool_put_bulk(pool, all, n);
}

static unsigned int batches, sessions, live;

static void take_batches(void)
{
	struct from_replicator *m;

	batches = sessions = live = 0;
	while ((m = from_replicator_take(&repl)) != NULL) {
		CU_ASSERT_EQUAL(m->head.type, FROM_REPLICATOR_BATCH);
		for (unsigned int i = 0; i < m->batch.sessions.n; i++, sessions++) {
			CU_ASSERT_EQUAL(m->batch.sessions.entry[i].handle, sessions);
			CU_ASSERT_EQUAL(m->batch.sessions.entry[i].key, sessions * UINT64_C(16));
			live += m->batch.sessions.live >> i & 1;
		}
		batches++;
		msg_free(pool, m);
	}
}

/* What the stream brings: many in a message, and nothing of updates; the rest of a batch leaves
 * when it is told to. An event without a record is the stream's, whoever wrote the slot. */
static void test_batch(void)
{
	enum { N = 2 * MSG_BATCH_ENTRIES + 3 };
	struct from_replicator *rest;

	for (uint32_t i = 0; i < N; i++)
		notify(SESSION_BY_REPL, i % 3 == 0 ? SESSION_BEGUN : SESSION_ENDED,
			SESSION_WHY_NONE, i);
	notify(SESSION_BY_REPL, SESSION_UPDATED, SESSION_WHY_NONE, N);
	take_batches();
	CU_ASSERT_TRUE(batches == 2 && sessions == 2 * MSG_BATCH_ENTRIES);
	session_batch_flush(&events.batch);
	session_batch_flush(&events.batch);
	sessions = 0;
	CU_ASSERT_EQUAL(rte_ring_count(repl.door.ring), 1);
	rest = from_replicator_take(&repl);
	CU_ASSERT_EQUAL(rest->batch.sessions.n, 3);
	msg_free(pool, rest);
	session_events_notify(&events, &(struct session_event){ .kind = SESSION_BEGUN, .by = 0 });
	session_batch_flush(&events.batch);
	take_batches();
	CU_ASSERT_TRUE(batches == 1 && sessions == 1 && live == 1);
	CU_ASSERT_FALSE(session_events_missed(&events));
}

/* Control does not listen: what waits is bounded, what is lost leaves the mark, and all that came
 * before it is there. */
static void test_batch_full(void)
{
	uint32_t i = 0;

	for (; !atomic_load(&events.missed); i++) {
		session_batch_put(&events.batch, i * UINT64_C(16), i, i & 1);
		CU_ASSERT_TRUE_FATAL(i < DOOR * MSG_BATCH_ENTRIES);
	}
	CU_ASSERT_TRUE(session_events_missed(&events));
	session_batch_put(&events.batch, i * UINT64_C(16), i, true);
	CU_ASSERT_TRUE(session_events_missed(&events));
	take_batches();
	CU_ASSERT_TRUE(sessions == i - 1 && live == sessions / 2);
}

static struct door door(const char *name)
{
	return (struct door){
		rte_ring_create(name, DOOR, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ), pool
	};
}

int main(void)
{
	static CU_TestInfo tests[] = { { "whole", test_whole }, { "reasons", test_reasons },
		{ "no room", test_full }, { "no memory", test_memory }, { "batch", test_batch },
		{ "no room for a batch", test_batch_full }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "session events", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char *argv[] = { "test_session_events", "--no-huge", "--no-shconf", "--no-pci", "-m", "64",
		"-l", "0", "--log-level", "error" };
	int ret;

	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	pool = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	worker[0].door = door("w0");
	worker[1].door = door("w1");
	repl.door = door("repl");
	if (pool == NULL || worker[0].door.ring == NULL || worker[1].door.ring == NULL ||
		repl.door.ring == NULL)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
