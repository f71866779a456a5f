/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests in progress, as an object: nothing of the daemon runs. */
#include <rte_common.h>

#include "asked.h"
#include "ut.h"
#include "ut_eal.h"

static const struct siphash_secret secret = { { 1 } };
static struct asked_table table;

static void setup(void)
{
	CU_ASSERT_EQUAL_FATAL(asked_init(&table, &secret), 0);
}

static void teardown(void)
{
	asked_fini(&table);
}

static struct asked_request request(uint16_t seq)
{
	struct asked_request q = { .peer = { ip_addr_v4(0x0a080001), GTPC_PORT },
		.type = GTPC_CREATE_REQUEST,
		.seq = seq,
		.digest = seq };

	q.bucket = asked_bucket(&table, &q);
	return q;
}

/* A repetition is the same request of the same peer, word by word. */
static void test_repetition(void)
{
	struct asked_request q = request(7), other;
	struct asked_message *a = asked_add(&table, &q);

	CU_ASSERT_TRUE(asked_in_progress(&table, &q));
	for (unsigned int i = 0; i < 5; i++) {
		other = q;
		other.type += i == 0;
		other.seq += i == 1;
		other.digest += i == 2;
		other.peer.port += i == 3;
		other.peer.addr.b[14] += i == 4;
		CU_ASSERT_FALSE(asked_in_progress(&table, &other));
	}
	asked_forget(&table, a);
	CU_ASSERT_FALSE(asked_in_progress(&table, &q));
}

/* An id means one request, and nobody when that is over. */
static void test_id(void)
{
	struct asked_request q = request(7);
	struct asked_message *a = asked_add(&table, &q);
	uint64_t id = asked_id(&table, a);

	CU_ASSERT_NOT_EQUAL(id, 0);
	CU_ASSERT_PTR_EQUAL(asked_by_id(&table, id), a);
	CU_ASSERT_PTR_NULL(asked_by_id(&table, 0));
	CU_ASSERT_PTR_NULL(asked_by_id(&table, id + 1));
	CU_ASSERT_PTR_NULL(asked_by_id(&table, id | UINT32_MAX));
	asked_forget(&table, a);
	CU_ASSERT_PTR_NULL(asked_by_id(&table, id));
	CU_ASSERT_PTR_EQUAL(asked_add(&table, &q), a); /* the same room */
	CU_ASSERT_PTR_NULL(asked_by_id(&table, id));
	CU_ASSERT_PTR_EQUAL(asked_by_id(&table, asked_id(&table, a)), a);
}

/* As many as there is room for, and no more; room that is given back is used again. */
static void test_full(void)
{
	struct asked_request q;
	struct asked_message *a = NULL;

	for (unsigned int i = 0; i < ASKED_MAX; i++) {
		q = request((uint16_t)i);
		a = asked_add(&table, &q);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	}
	q = request(ASKED_MAX);
	CU_ASSERT_PTR_NULL(asked_add(&table, &q));
	CU_ASSERT_EQUAL(table.full, 1);
	CU_ASSERT_EQUAL(table.collided, 0);
	asked_forget(&table, a);
	CU_ASSERT_PTR_EQUAL(asked_add(&table, &q), a);
}

/* Requests that differ in one thing alone are spread over the buckets as any others. */
static void test_alike(void)
{
	for (unsigned int differs = 0; differs < 4; differs++) {
		unsigned int longest = 0;

		asked_fini(&table);
		CU_ASSERT_EQUAL_FATAL(asked_init(&table, &secret), 0);
		for (unsigned int i = 0; i < ASKED_MAX; i++) {
			struct asked_request q = request(7);

			q.seq = (uint16_t)(q.seq + (differs == 0 ? i : 0));
			q.digest += differs == 1 ? i : 0;
			q.peer.port = (uint16_t)(q.peer.port + (differs == 2 ? i : 0));
			q.peer.addr.b[14] ^= (uint8_t)(differs == 3 ? i >> 8 : 0);
			q.peer.addr.b[15] ^= (uint8_t)(differs == 3 ? i : 0);
			q.bucket = asked_bucket(&table, &q);
			CU_ASSERT_PTR_NOT_NULL_FATAL(asked_add(&table, &q));
		}
		for (unsigned int i = 0; i < ASKED_HASH; i++) {
			const struct asked_message *a;
			unsigned int n = 0;

			TAILQ_FOREACH (a, &table.bucket[i], next)
				n++;
			longest = RTE_MAX(longest, n);
		}
		CU_ASSERT_TRUE(longest <= 12);
	}
}

/* Requests that a stranger chose for a secret that it had learnt, so that all meet in one bucket:
 * that takes no more than it may have, counted, and others find room. For any other secret the
 * same requests are as any others. */
static void test_chosen(void)
{
	enum { CHOSEN = 64 };
	static const struct siphash_secret other = { { 2 } };
	static struct asked_request q[CHOSEN];
	struct asked_request own = request(1);
	unsigned int n = 0, took = 0;
	struct asked_message *last = NULL;

	for (uint32_t digest = 0; n < CHOSEN; digest++) {
		q[n] = own;
		q[n].digest = digest;
		q[n].bucket = asked_bucket(&table, &q[n]);
		n += q[n].bucket == (own.bucket + 1) % ASKED_HASH;
	}
	for (unsigned int i = 0; i < CHOSEN; i++) {
		struct asked_message *a = asked_add(&table, &q[i]);

		took += a != NULL;
		last = a != NULL ? a : last;
	}
	CU_ASSERT_EQUAL(took, ASKED_CHAIN);
	CU_ASSERT_EQUAL(table.collided, CHOSEN - ASKED_CHAIN);
	CU_ASSERT_EQUAL(table.full, 0);
	CU_ASSERT_PTR_NOT_NULL(asked_add(&table, &own));
	CU_ASSERT_PTR_NOT_NULL_FATAL(last);
	asked_forget(&table, last);
	CU_ASSERT_PTR_NOT_NULL(asked_add(&table, &q[CHOSEN - 1]));

	asked_fini(&table);
	CU_ASSERT_EQUAL_FATAL(asked_init(&table, &other), 0);
	for (unsigned int i = 0; i < CHOSEN; i++) {
		q[i].bucket = asked_bucket(&table, &q[i]);
		CU_ASSERT_PTR_NOT_NULL(asked_add(&table, &q[i]));
	}
	CU_ASSERT_EQUAL(table.collided + table.full, 0);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "repetition", test_repetition }, { "id", test_id },
		{ "full", test_full }, { "alike", test_alike }, { "chosen", test_chosen },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "asked", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_eal("test_asked") == 0 ? ut_run(suites) : EXIT_FAILURE;
}
