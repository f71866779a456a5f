/* SPDX-License-Identifier: BSD-3-Clause */
/* The commit gate, and the transactions that wait in it, as objects: nothing of the daemon runs. */
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>

#include "commit_gate.h"
#include "ut.h"

enum { TIMEOUT = 50000, START = 1000000 };

static const struct siphash_secret secret = { { 1 } };
static struct txn_table txns;
static struct commit_gate gate;
/* What left, in order: the sequence numbers of the requests. */
static uint16_t left[TXN_MAX];
static unsigned int n_left;

static void release(void *ctx, const struct signalling_txn *x, usec_t now)
{
	(void)now;
	CU_ASSERT_PTR_EQUAL(ctx, left);
	CU_ASSERT_EQUAL(x->msg[0], (uint8_t)x->request.seq);
	left[n_left++] = x->request.seq;
}

static void setup(void)
{
	CU_ASSERT_EQUAL_FATAL(txn_table_init(&txns, &secret), 0);
	commit_gate_init(&gate, &txns, release, left);
	n_left = 0;
}

static void teardown(void)
{
	txn_table_fini(&txns);
}

static struct commit_gate_time at(usec_t now)
{
	return (struct commit_gate_time){ .now = now, .timeout = TIMEOUT };
}

static struct txn_request request(uint16_t seq)
{
	return (struct txn_request){ .peer = { ip_addr_v4(0x0a080001), GTPC_PORT },
		.type = GTPC_CREATE_REQUEST,
		.seq = seq,
		.digest = seq };
}

/* A request, and the worker's answer to it. */
static uint64_t answer(uint16_t seq, uint32_t handle, uint32_t commit, usec_t now)
{
	struct txn_request q = request(seq);
	struct signalling_txn *x = txn_new(&txns, &q, now);
	struct commit_gate_time t = at(now);
	uint64_t cookie;

	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	cookie = txn_cookie(&txns, x);
	x->msg[0] = (uint8_t)seq;
	x->len = 1;
	x->handle = handle;
	x->commit = commit;
	commit_gate_answer(&gate, x, &t);
	return cookie;
}

static void committed(uint32_t handle, uint32_t commit, usec_t now)
{
	repl_entry_t e = repl_entry(handle, commit, 0);

	commit_gate_committed(&gate, &e, 1, now);
}

static bool left_were(unsigned int n, const uint16_t *seq)
{
	return n_left == n && memcmp(left, seq, n * sizeof(*seq)) == 0;
}

/* An answer leaves for the acknowledgement of its own session and commit, and for no other. */
static void test_waits(void)
{
	uint64_t cookie;

	commit_gate_stream(&gate, true, START);
	CU_ASSERT_TRUE(gate.is_protected);
	cookie = answer(1, 0x100, 5, START);
	CU_ASSERT_PTR_NOT_NULL(txn_by_cookie(&txns, cookie));
	committed(0x100, 4, START);
	committed(0x101, 5, START);
	committed(0x1101, 5, START); /* in the same bucket as 0x100 */
	CU_ASSERT_EQUAL(n_left, 0);
	committed(0x100, 5, START);
	CU_ASSERT_TRUE(left_were(1, (const uint16_t[]){ 1 }));
	CU_ASSERT_PTR_NULL(txn_by_cookie(&txns, cookie));
	CU_ASSERT_EQUAL(txns.n, 0);
	CU_ASSERT_EQUAL(gate.count.gated_answers, 1);
	CU_ASSERT_EQUAL(gate.count.protected_answers, 1);
	CU_ASSERT_EQUAL(gate.count.unprotected_answers, 0);
}

/* A later commit covers the earlier ones, over the end of the numbers too. */
static void test_later(void)
{
	commit_gate_stream(&gate, true, START);
	answer(1, 0x100, 0xfffffe, START);
	answer(2, 0x100, 2, START);
	answer(3, 0x100, 4, START);
	committed(0x100, 0xfffffd, START);
	CU_ASSERT_EQUAL(n_left, 0);
	committed(0x100, 3, START);
	CU_ASSERT_TRUE(left_were(2, (const uint16_t[]){ 1, 2 }));
	committed(0x100, 4, START);
	CU_ASSERT_TRUE(left_were(3, (const uint16_t[]){ 1, 2, 3 }));
}

/* Answers leave in the order of the acknowledgements; those of one session in their own. */
static void test_order(void)
{
	repl_entry_t e[] = { repl_entry(0x300, 1, 0), repl_entry(0x100, 9, 0),
		repl_entry(0x200, 1, 0) };

	commit_gate_stream(&gate, true, START);
	answer(1, 0x100, 7, START);
	answer(2, 0x200, 1, START);
	answer(3, 0x100, 8, START);
	answer(4, 0x300, 1, START);
	commit_gate_committed(&gate, e, RTE_DIM(e), START);
	CU_ASSERT_TRUE(left_were(4, (const uint16_t[]){ 4, 1, 3, 2 }));
}

/* Without protection, and with nothing to commit, an answer does not wait. */
static void test_unprotected(void)
{
	answer(1, 0x100, 5, START);
	CU_ASSERT_TRUE(left_were(1, (const uint16_t[]){ 1 }));
	commit_gate_stream(&gate, true, START);
	answer(2, 0x100, 0, START);
	CU_ASSERT_TRUE(left_were(2, (const uint16_t[]){ 1, 2 }));
	CU_ASSERT_EQUAL(gate.count.unprotected_answers, 2);
	CU_ASSERT_EQUAL(gate.count.gated_answers, 0);
	CU_ASSERT_EQUAL(txns.n, 0);
}

/* The stream ends: all leave in the order in which they came, and the next does not wait. The next
 * acknowledgement protects again. */
static void test_stream_ends(void)
{
	commit_gate_stream(&gate, true, START);
	answer(1, 0x200, 5, START);
	answer(2, 0x100, 5, START);
	answer(3, 0x200, 6, START);
	commit_gate_stream(&gate, false, START);
	CU_ASSERT_FALSE(gate.is_protected);
	CU_ASSERT_TRUE(left_were(3, (const uint16_t[]){ 1, 2, 3 }));
	CU_ASSERT_EQUAL(gate.count.unprotected_answers, 3);
	CU_ASSERT_EQUAL(gate.count.protection_ended_stream, 1);
	answer(4, 0x100, 7, START);
	CU_ASSERT_EQUAL(n_left, 4);
	committed(0x400, 1, START);
	CU_ASSERT_TRUE(gate.is_protected);
	CU_ASSERT_EQUAL(gate.count.protection_began, 1);
	answer(5, 0x100, 8, START);
	CU_ASSERT_EQUAL(n_left, 4);
	commit_gate_stream(&gate, false, START);
	commit_gate_stream(&gate, false, START);
	CU_ASSERT_EQUAL(gate.count.protection_ended_stream, 2);
}

/* One that waited for too long ends the protection for all. The time in which nobody listened to
 * the standby does not count. */
static void test_timeout(void)
{
	struct commit_gate_time t;

	commit_gate_stream(&gate, true, START);
	answer(1, 0x100, 5, START);
	answer(2, 0x200, 5, START + TIMEOUT - 1);
	t = at(START + TIMEOUT - 1);
	commit_gate_turn(&gate, &t);
	CU_ASSERT_EQUAL(n_left, 0);
	t = at(START + TIMEOUT + 699);
	t.stood_still = 700;
	commit_gate_turn(&gate, &t);
	CU_ASSERT_EQUAL(n_left, 0);
	CU_ASSERT_TRUE(gate.is_protected);
	t.now++;
	commit_gate_turn(&gate, &t);
	CU_ASSERT_TRUE(left_were(2, (const uint16_t[]){ 1, 2 }));
	CU_ASSERT_FALSE(gate.is_protected);
	CU_ASSERT_EQUAL(gate.count.protection_ended_timeout, 1);
	CU_ASSERT_EQUAL(gate.count.unprotected_answers, 2);
	/* What is acknowledged late leaves once, and answers wait again. */
	committed(0x100, 5, t.now);
	CU_ASSERT_EQUAL(n_left, 2);
	CU_ASSERT_TRUE(gate.is_protected);
}

/* The chassis is no longer Active: nothing leaves, and an answer of a worker that comes late means
 * nobody. */
static void test_drop(void)
{
	struct txn_request q = request(9);
	struct signalling_txn *x = txn_new(&txns, &q, START);
	uint64_t asked = txn_cookie(&txns, x), waits;

	commit_gate_stream(&gate, true, START);
	waits = answer(1, 0x100, 5, START);
	CU_ASSERT_EQUAL(txns.n, 2);
	commit_gate_drop_all(&gate);
	CU_ASSERT_FALSE(gate.is_protected);
	CU_ASSERT_PTR_NULL(txn_by_cookie(&txns, waits));
	CU_ASSERT_PTR_EQUAL(txn_by_cookie(&txns, asked), x);
	txn_drop_all(&txns);
	CU_ASSERT_EQUAL(txns.n, 0);
	CU_ASSERT_EQUAL(n_left, 0);
	x = txn_new(&txns, &q, START); /* in the place of an earlier one */
	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	CU_ASSERT_PTR_NULL(txn_by_cookie(&txns, asked));
	CU_ASSERT_PTR_NULL(txn_by_cookie(&txns, waits));
	CU_ASSERT_PTR_EQUAL(txn_by_cookie(&txns, txn_cookie(&txns, x)), x);
}

/* A worker that does not answer is given up; what waits for the standby is not. */
static void test_worker_silent(void)
{
	struct txn_request q = request(2);
	struct signalling_txn *x;
	uint64_t waits;

	commit_gate_stream(&gate, true, START);
	waits = answer(1, 0x100, 5, START);
	x = txn_new(&txns, &q, START);
	CU_ASSERT_PTR_EQUAL(txn_in_progress(&txns, &q), x);
	txn_turn(&txns, START + TXN_WORKER_US - 1);
	CU_ASSERT_PTR_EQUAL(txn_in_progress(&txns, &q), x);
	txn_turn(&txns, START + TXN_WORKER_US);
	CU_ASSERT_PTR_NULL(txn_in_progress(&txns, &q));
	CU_ASSERT_PTR_NOT_NULL(txn_by_cookie(&txns, waits));
	CU_ASSERT_EQUAL(txns.n, 1);
}

/* A repetition is the same request of the same peer, word by word. */
static void test_repetition(void)
{
	struct txn_request q = request(7), other;
	struct signalling_txn *x = txn_new(&txns, &q, START);

	CU_ASSERT_PTR_EQUAL(txn_in_progress(&txns, &q), x);
	for (unsigned int i = 0; i < 5; i++) {
		other = q;
		other.type += i == 0;
		other.seq += i == 1;
		other.digest += i == 2;
		other.peer.port += i == 3;
		other.peer.addr.b[14] += i == 4;
		CU_ASSERT_PTR_NULL(txn_in_progress(&txns, &other));
	}
}

/* As many as there are places, and no more; a place that is given back is used again. */
static void test_full(void)
{
	struct signalling_txn *x = NULL;
	struct txn_request q;

	for (unsigned int i = 0; i < TXN_MAX; i++) {
		q = request((uint16_t)i);
		x = txn_new(&txns, &q, START);
		CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	}
	q = request(TXN_MAX);
	CU_ASSERT_PTR_NULL(txn_new(&txns, &q, START));
	CU_ASSERT_EQUAL(txns.full, 1);
	txn_free(&txns, x);
	CU_ASSERT_PTR_EQUAL(txn_new(&txns, &q, START), x);
	CU_ASSERT_EQUAL(txns.n, TXN_MAX);
}

/* Requests that differ in one thing alone are spread over the buckets as any others. */
static void test_alike(void)
{
	for (unsigned int differs = 0; differs < 4; differs++) {
		unsigned int longest = 0;

		txn_table_fini(&txns);
		CU_ASSERT_EQUAL_FATAL(txn_table_init(&txns, &secret), 0);
		for (unsigned int i = 0; i < TXN_MAX; i++) {
			struct txn_request q = request(7);

			q.seq = (uint16_t)(q.seq + (differs == 0 ? i : 0));
			q.digest += differs == 1 ? i : 0;
			q.peer.port = (uint16_t)(q.peer.port + (differs == 2 ? i : 0));
			q.peer.addr.b[14] ^= (uint8_t)(differs == 3 ? i >> 8 : 0);
			q.peer.addr.b[15] ^= (uint8_t)(differs == 3 ? i : 0);
			CU_ASSERT_PTR_NOT_NULL_FATAL(txn_new(&txns, &q, START));
		}
		for (unsigned int i = 0; i < TXN_HASH; i++) {
			unsigned int n = 0;
			struct signalling_txn *x;

			TAILQ_FOREACH (x, &txns.by_request[i], asked)
				n++;
			longest = RTE_MAX(longest, n);
		}
		CU_ASSERT_TRUE(longest <= 12);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = { { "an answer waits for its commit", test_waits },
		{ "a later commit", test_later }, { "order", test_order },
		{ "not protected", test_unprotected }, { "the stream ends", test_stream_ends },
		{ "timeout", test_timeout }, { "no longer Active", test_drop },
		{ "a silent worker", test_worker_silent }, { "repetition", test_repetition },
		{ "full", test_full }, { "alike", test_alike }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "commit gate", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_commit_gate", "--no-huge", "--no-shconf", "--no-pci",
		"--no-telemetry", "-m", "64", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_gate_%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
