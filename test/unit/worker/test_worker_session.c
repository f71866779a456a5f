/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker answers to requests that it cannot carry out, and what it counts. */
#include <errno.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "pool/pool.h"
#include "ut.h"
#include "ut_eal.h"
#include "worker_priv.h"

enum { TERM = 5, FIRST = 3, SHARDS = 4 };

static struct rte_mempool *msgs;
static struct worker_shared shared;
static struct pair_time pair_time;
static struct from_worker_door reports;
static struct worker *w;

/* A worker of few shards, whose table has annexes of the least size; a pool of few addresses. */
static void setup(void)
{
	struct pool_conf conf = { .prefix = { ip_addr_v4(0x0a000000), 25 } };
	struct session_params p = { .capacity = 1, .annex = 128, .mem = &session_mem_libc };

	w = calloc(1, sizeof(*w));
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	shared.pools = pool_set_create(&conf, 1, &session_mem_libc);
	pool_hooks(shared.pools, &p.hooks);
	shared.table = session_table_create(&p);
	w->env = (struct worker_env){
		.shared = &shared, .reports = &reports, .msgs = msgs, .pair_time = &pair_time
	};
	w->fp.mode = FASTPATH_OWN;
	w->term = TERM;
	w->now = 100 * USEC_PER_SEC;
	for (uint8_t i = 0; i < SHARDS; i++) {
		w->shards[w->n_shards++] = FIRST + i;
		session_own(shared.table, FIRST + i, 0);
	}
}

static void teardown(void)
{
	session_table_destroy(shared.table);
	pool_set_destroy(shared.pools);
	free(w);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(msgs), 0);
}

static struct session_rec asked(void)
{
	return (struct session_rec){ .pdp_type = 0x21, .key = 0x2400100000000005 };
}

/* What the worker answered last. */
static int answered(void)
{
	struct from_worker *m = from_worker_take(&reports);
	int error = m != NULL ? m->answer.error : 1;

	msg_free(msgs, m);
	return error;
}

static int create(const struct session_rec *rec, repl_term_t term)
{
	struct to_worker *m = to_worker_create(msgs, term, 1, rec);

	worker_create_session(w, &m->create);
	return answered();
}

static void test_term(void)
{
	struct session_rec rec = asked();

	CU_ASSERT_EQUAL(create(&rec, TERM - 1), -EPERM);
	CU_ASSERT_EQUAL(w->count.refused_term, 1);
}

/* What brings more than an annex holds has found an address each time, and none is to blame. */
static void test_no_annex(void)
{
	struct session_rec rec = asked();

	session_rec_annex(&rec)->class_len = 39;
	CU_ASSERT_EQUAL(create(&rec, TERM), -E2BIG);
	CU_ASSERT_EQUAL(w->count.requests_no_annex, 1);
	CU_ASSERT_EQUAL(w->count.creates_no_address, 0);
	CU_ASSERT_EQUAL(w->count.creates, 0);
	CU_ASSERT_EQUAL(shared.table->shard[FIRST].count.refused_annex, 1);
	CU_ASSERT_EQUAL(shared.table->shard[FIRST + 1].count.refused_annex, 0);
}

static void test_no_session(void)
{
	struct session_rec rec = asked();

	rec.key = 0;
	CU_ASSERT_EQUAL(create(&rec, TERM), -EINVAL);
	CU_ASSERT_EQUAL(w->count.creates_no_address, 0);
}

static void test_no_address(void)
{
	struct session_hooks h;

	pool_hooks(shared.pools, &h);
	for (uint32_t i = 1; i < 127; i++) {
		struct ip_addr ue = ip_addr_v4(0x0a000000 + i);

		CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &ue, 1000 + i), 0);
	}
	struct session_rec rec = asked();

	CU_ASSERT_EQUAL(create(&rec, TERM), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(w->count.creates_no_address, 1);
	CU_ASSERT_EQUAL(w->count.requests_no_annex, 0);
}

static int update(const struct session_rec *rec)
{
	struct to_worker *m = to_worker_update(msgs, TERM, 1, rec, SESSION_G_EXTRA);

	worker_update_session(w, &m->update);
	return answered();
}

/* A session that is there is not gone because a change of it is refused. */
static void test_update(void)
{
	struct session_rec rec = asked();

	rec.ue = ip_addr_v4(0x0a000000 + FIRST);
	CU_ASSERT_EQUAL_FATAL(session_create(shared.table, 0, &rec, 1), 0);
	session_rec_annex(&rec)->class_len = 39;
	CU_ASSERT_EQUAL(update(&rec), -E2BIG);
	CU_ASSERT_EQUAL(w->count.requests_no_annex, 1);
	CU_ASSERT_EQUAL(w->count.stale_handles, 0);
	rec.handle += 4;
	CU_ASSERT_EQUAL(update(&rec), -ENOENT);
	CU_ASSERT_EQUAL(w->count.requests_no_annex, 1);
	CU_ASSERT_EQUAL(w->count.stale_handles, 1);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "another term", test_term }, { "no annex", test_no_annex },
		{ "no session", test_no_session }, { "no address", test_no_address },
		{ "update", test_update }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = {
		{ "worker's sessions", NULL, NULL, setup, teardown, tests }, CU_SUITE_INFO_NULL
	};

	if (ut_eal("test_worker_session") < 0)
		return EXIT_FAILURE;
	msgs = rte_mempool_create(
		"msgs", 15, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	reports.door = (struct door){ rte_ring_create("reports", 8, SOCKET_ID_ANY, 0), msgs };
	if (msgs == NULL || reports.door.ring == NULL)
		return EXIT_FAILURE;
	return ut_run(suites);
}
