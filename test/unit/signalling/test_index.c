/* SPDX-License-Identifier: BSD-3-Clause */
/* index: what the cores that write slots tell the control core, and that it knows every session
 * afterwards. */
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "chosen_keys.h"
#include "process/tandem.h"
#include "session_index.h"
#include "ut.h"

enum { SESSIONS = 12000, CHOSEN = 1000, MESSAGES = 2047 };

static struct tandem T;
static struct session_table *table;
static struct pool_set *pools;
static struct signalling_env env;
static struct session_index ix;
static uint32_t handle_of[SESSIONS];
static uint8_t by; /* who writes */

static void owned_by(uint8_t who)
{
	by = who;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_own(table, i, who);
}

static void setup(void)
{
	struct pool_conf conf = { .name = "p", .prefix = { ip_addr_v4(0x0a000000), 16 } };
	struct session_params p = { .capacity = 2 * SESSIONS, .mem = &session_mem_libc };
	const struct session_events_env events = {
		.worker = T.from_worker, .n_workers = 1, .replicator = &T.from_repl, .pool = T.msgs
	};

	session_events_init(&T.events, &events);
	pools = pool_set_create(&conf, 1, &session_mem_libc);
	pool_hooks(pools, &p.hooks);
	p.hooks.event = session_events_notify;
	p.hooks.event_ctx = &T.events;
	table = session_table_create(&p);
	owned_by(SESSION_BY_REPL);
	memset(handle_of, 0, sizeof(handle_of));
	env = (struct signalling_env){ .table = table };
	CU_ASSERT_EQUAL_FATAL(session_index_init(&ix, &env), 0);
}

static void teardown(void)
{
	CU_ASSERT_PTR_NULL(T.events.batch.open);
	CU_ASSERT_PTR_NULL(T.events.outbox[0].open);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(T.msgs), 0);
	session_index_fini(&ix);
	session_table_destroy(table);
	pool_set_destroy(pools);
}

static uint64_t key_of(uint32_t i)
{
	return UINT64_C(0x2400100000000005) + ((uint64_t)i << 4);
}

static uint64_t created_ms;

static void create_of(uint64_t key, uint32_t i)
{
	struct session_rec r = { .pdp_type = 0x21, .key = key, .created_ms = created_ms };

	CU_ASSERT_EQUAL_FATAL(pool_pick(pools, 0, i % SESSION_SHARDS, &r.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(table, by, &r, 0), 0);
	handle_of[i] = r.handle;
}

static void create(uint32_t i)
{
	create_of(key_of(i), i);
}

static const struct session_end ends = { .why = SESSION_WHY_REQUEST };

static void end(uint32_t i)
{
	CU_ASSERT_EQUAL_FATAL(session_free(table, by, handle_of[i], &ends), 0);
	handle_of[i] = 0;
}

/* What control does with its doors; how many messages there were. */
static unsigned int drain_repl(void)
{
	unsigned int n = 0;
	struct from_replicator *m;

	while ((m = from_replicator_take(&T.from_repl)) != NULL) {
		CU_ASSERT_EQUAL(m->head.type, FROM_REPLICATOR_BATCH);
		session_index_batch(&ix, &m->batch.sessions);
		msg_free(T.msgs, m);
		n++;
	}
	return n;
}

static unsigned int drain_worker(void)
{
	unsigned int n = 0;
	struct from_worker *m;

	session_events_send(&T.events, 0, 0);
	while ((m = from_worker_take(&T.from_worker[0])) != NULL) {
		CU_ASSERT_EQUAL(m->head.type, FROM_WORKER_EVENT);
		session_index_event(&ix, &m->event);
		msg_free(T.msgs, m);
		n++;
	}
	return n;
}

static unsigned int wrong(void)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < SESSIONS; i++)
		n += session_index_find(&ix, key_of(i)) != handle_of[i];
	return n;
}

/* Many in a message, in order: a session that ends and begins anew in one of them is there, one
 * that ends is not. */
static void test_stream(void)
{
	uint32_t changes = 0;

	for (uint32_t i = 0; i < 1000; i++, changes++)
		create(i);
	for (uint32_t i = 0; i < 1000; i += 3, changes++)
		end(i);
	for (uint32_t i = 0; i < 1000; i += 7)
		if (handle_of[i] == 0) {
			create(i);
			end(i);
			create(i);
			changes += 3;
		}
	session_batch_flush(&T.events.batch);
	CU_ASSERT_EQUAL(drain_repl(), (changes + MSG_BATCH_ENTRIES - 1) / MSG_BATCH_ENTRIES);
	CU_ASSERT_EQUAL(wrong(), 0);
	session_batch_flush(&T.events.batch);
	CU_ASSERT_EQUAL(drain_repl(), 0);
}

/* A worker's answer follows at once: each event is a message, and an update is none of the
 * index's. */
static void test_worker(void)
{
	owned_by(0);
	for (uint32_t i = 0; i < 5; i++) {
		create(i);
		CU_ASSERT_EQUAL(drain_worker(), 1);
		CU_ASSERT_EQUAL(session_index_find(&ix, key_of(i)), handle_of[i]);
	}
	end(3);
	CU_ASSERT_EQUAL(drain_worker(), 1);
	CU_ASSERT_EQUAL(wrong(), 0);
	CU_ASSERT_EQUAL(session_update(table, by, &(struct session_rec){ .handle = handle_of[2] },
				SESSION_G_QOS),
		0);
	CU_ASSERT_EQUAL(drain_worker(), 1);
	CU_ASSERT_EQUAL(wrong(), 0);
}

/* Control does not listen: what waits is bounded, and what found no room is read from the slots. */
static void test_full(void)
{
	unsigned int turns = 0;

	for (uint32_t i = 0; i < SESSIONS; i++)
		create(i);
	session_batch_flush(&T.events.batch);
	CU_ASSERT_TRUE(atomic_load(&T.events.missed));
	CU_ASSERT_TRUE(rte_ring_count(T.from_repl.door.ring) * MSG_BATCH_ENTRIES < SESSIONS);
	drain_repl();
	CU_ASSERT_NOT_EQUAL(wrong(), 0);
	CU_ASSERT_TRUE(session_events_missed(&T.events));
	session_index_missed(&ix);
	while (session_index_turn(&ix))
		CU_ASSERT_FATAL(turns++ < 1000);
	CU_ASSERT_EQUAL(wrong(), 0);
}

/* Subscribers whose keys a hash without a secret cannot tell apart: each has its session, and
 * nothing is to be read anew. */
static void test_chosen(void)
{
	struct chosen_keys c = chosen_keys();
	unsigned int lost = 0;

	for (uint32_t i = 0; i < CHOSEN; i++)
		create_of(chosen_key(&c, i), i);
	session_batch_flush(&T.events.batch);
	drain_repl();
	for (uint32_t i = 0; i < CHOSEN; i++)
		lost += session_index_find(&ix, chosen_key(&c, i)) != handle_of[i];
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_FALSE(session_events_missed(&T.events));
}

static unsigned int n_ended;

static void ended(void *ctx, uint32_t superseded, uint32_t successor)
{
	CU_ASSERT_PTR_EQUAL(ctx, handle_of);
	CU_ASSERT_NOT_EQUAL(superseded, handle_of[7]);
	CU_ASSERT_EQUAL(successor, handle_of[7]);
	n_ended++;
	if (n_ended == 2)
		CU_ASSERT_EQUAL(session_free(table, by, superseded, &ends), 0);
}

/* Two sessions of one subscriber: the first is to be ended, again and again until it is gone. */
static void test_superseded(void)
{
	create(7);
	create(7);
	session_batch_flush(&T.events.batch);
	drain_repl();
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(7)), handle_of[7]);
	n_ended = 0;
	session_index_superseded(&ix, NULL, NULL);
	for (unsigned int i = 0; i < 4; i++)
		session_index_superseded(&ix, ended, handle_of);
	CU_ASSERT_EQUAL(n_ended, 2);
	CU_ASSERT_EQUAL(ix.superseded.n, 0);
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(7)), handle_of[7]);
	session_batch_flush(&T.events.batch);
	drain_repl();
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(7)), handle_of[7]);
}

static void read_anew(void)
{
	unsigned int turns = 0;

	session_index_missed(&ix);
	while (session_index_turn(&ix))
		CU_ASSERT_FATAL(turns++ < 1000);
}

static void ended_first(void *ctx, uint32_t superseded, uint32_t successor)
{
	CU_ASSERT_EQUAL(superseded, handle_of[10]);
	CU_ASSERT_EQUAL(successor, handle_of[40]);
	n_ended++;
}

static void ended_second(void *ctx, uint32_t superseded, uint32_t successor)
{
	CU_ASSERT_EQUAL(superseded, handle_of[40]);
	CU_ASSERT_EQUAL(successor, handle_of[10]);
	n_ended++;
}

/* Two sessions of one subscriber, of neither of which the index has heard: wherever their slots
 * stand, the one that began later is found and the other one ends, however often they are read. */
static void check_read(uint32_t key, uint32_t newest, uint32_t oldest)
{
	created_ms = 1000;
	create_of(key_of(key), oldest);
	created_ms = 5000;
	create_of(key_of(key), newest);
	n_ended = 0;
	for (unsigned int i = 0; i < 2; i++) {
		read_anew();
		CU_ASSERT_EQUAL(session_index_find(&ix, key_of(key)), handle_of[newest]);
		CU_ASSERT_EQUAL(ix.superseded.n, 1);
	}
	session_index_superseded(&ix, newest == 40 ? ended_first : ended_second, NULL);
	CU_ASSERT_EQUAL(n_ended, 1);
	CU_ASSERT_EQUAL(session_free(table, by, handle_of[oldest], &ends), 0);
	session_batch_flush(&T.events.batch);
	drain_repl();
	session_index_superseded(&ix, NULL, NULL);
	CU_ASSERT_EQUAL(ix.superseded.n, 0);
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(key)), handle_of[newest]);
	created_ms = 0;
}

static void test_superseded_read(void)
{
	check_read(1, 40, 10);
	check_read(2, 10, 40);
}

/* The end of the first was lost, and the second ends: the first is what the subscriber has, until
 * its end comes too. The list is walked between a change of the table and the news of it. */
static void test_newest_ends(void)
{
	uint32_t first;

	create(7);
	first = handle_of[7];
	create(7);
	session_batch_flush(&T.events.batch);
	drain_repl();
	end(7);
	session_index_superseded(&ix, ended, handle_of);
	session_batch_flush(&T.events.batch);
	drain_repl();
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(7)), first);
	session_index_superseded(&ix, ended, handle_of);
	CU_ASSERT_EQUAL(ix.superseded.n, 0);
	handle_of[7] = first;
	end(7);
	session_batch_flush(&T.events.batch);
	drain_repl();
	CU_ASSERT_EQUAL(session_index_find(&ix, key_of(7)), 0);
	CU_ASSERT_FALSE(ix.stale);
}

static struct door door(const char *name)
{
	return (struct door){
		rte_ring_create(name, 4096, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ), T.msgs
	};
}

int main(void)
{
	static CU_TestInfo tests[] = { { "of the stream", test_stream },
		{ "of a worker", test_worker }, { "no room", test_full },
		{ "chosen keys", test_chosen }, { "superseded", test_superseded },
		{ "superseded, read", test_superseded_read },
		{ "the newest ends", test_newest_ends }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "index", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_index", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "128", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_index_%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	T.msgs = rte_mempool_create(
		"msgs", MESSAGES, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	T.from_repl.door = door("from_repl");
	T.from_worker[0].door = door("from_worker");
	if (T.msgs == NULL || T.from_repl.door.ring == NULL || T.from_worker[0].door.ring == NULL)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
