/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gtp/gtpc.h"
#include "gtp_golden.h"
#include "test_gtp.h"
#include "ut.h"

static const struct siphash_secret secret = { { 1 } };

static struct gtpc_peer peer_of(uint32_t n)
{
	return (struct gtpc_peer){ ip_addr_v4(0x0a080000 + n / 2), (uint16_t)(GTPC_PORT + n % 2) };
}

static bool peer_is(const struct gtpc_peer *p, uint32_t n)
{
	struct gtpc_peer q = peer_of(n);

	return p->port == q.port && ip_addr_equal(&p->addr, &q.addr);
}

static void test_pending_times(void)
{
	struct gtpc_pending *p = gtpc_pending_create();
	struct gtpc_peer to = peer_of(7), got, other = peer_of(6);
	const uint8_t *msg;
	uint8_t text[128] = "delete";
	size_t len;
	uint64_t cookie;
	usec_t now = 5;
	uint16_t seq = gtpc_pending_seq(p);

	CU_ASSERT_EQUAL(gtpc_pending_add(p, &to, seq, text, 129, 1, now), -EMSGSIZE);
	CU_ASSERT_EQUAL(gtpc_pending_add(p, &to, seq, text, 128, 42, now), 0);
	CU_ASSERT_EQUAL(gtpc_pending_add(p, &to, seq, text, 6, 43, now), -EEXIST);
	for (int i = 1; i < GTPC_N3; i++) {
		CU_ASSERT_FALSE(
			gtpc_pending_due(p, now + GTPC_T3_US - 1, &got, &msg, &len, &cookie));
		now += GTPC_T3_US;
		CU_ASSERT_TRUE(gtpc_pending_due(p, now, &got, &msg, &len, &cookie));
		CU_ASSERT_TRUE(len == 128 && cookie == 42 && peer_is(&got, 7));
		CU_ASSERT_EQUAL(memcmp(msg, text, 128), 0);
		CU_ASSERT_FALSE(gtpc_pending_due(p, now, &got, &msg, &len, &cookie));
	}
	CU_ASSERT_FALSE(gtpc_pending_answered(p, &other, seq, &cookie));
	now += GTPC_T3_US;
	CU_ASSERT_TRUE(gtpc_pending_due(p, now, &got, &msg, &len, &cookie));
	CU_ASSERT_TRUE(len == 0 && cookie == 42);
	CU_ASSERT_FALSE(gtpc_pending_due(p, now + 100 * GTPC_T3_US, &got, &msg, &len, &cookie));
	CU_ASSERT_FALSE(gtpc_pending_answered(p, &to, seq, &cookie));
	gtpc_pending_destroy(p);
	gtpc_pending_destroy(NULL);
}

/* Numbers are never given out while they wait, round and round the 16 bits, with the store full. */
static void test_pending_full(void)
{
	struct gtpc_pending *p = gtpc_pending_create();
	static bool waits[UINT16_MAX + 1];
	struct gtpc_peer to = peer_of(1);
	uint64_t cookie;
	unsigned int n = 0;

	memset(waits, 0, sizeof(waits));
	for (int i = 0; i < 200000; i++) {
		uint16_t seq = gtpc_pending_seq(p);
		int ret = gtpc_pending_add(p, &to, seq, (const uint8_t *)"x", 1, seq, 0);

		CU_ASSERT_FALSE(waits[seq]);
		CU_ASSERT_EQUAL(ret, n < GTPC_PENDING_MAX ? 0 : -ENOSPC);
		if (ret < 0) {
			/* all but the first thousand are answered; those stay for ever */
			for (unsigned int k = 1000; k <= UINT16_MAX; k++) {
				if (!waits[k])
					continue;
				CU_ASSERT_TRUE(gtpc_pending_answered(p, &to, (uint16_t)k, &cookie));
				CU_ASSERT_EQUAL(cookie, k);
				waits[k] = false;
				n--;
			}
			continue;
		}
		waits[seq] = true;
		n++;
	}
	gtpc_pending_clear(p);
	CU_ASSERT_FALSE(gtpc_pending_answered(p, &to, 0, &cookie));
	gtpc_pending_destroy(p);
}

enum { MODEL = 64 };

struct model {
	bool waits;
	uint16_t seq;
	uint32_t peer, tries;
	usec_t due;
};

static void model_due(struct gtpc_pending *p, struct model *m, usec_t now)
{
	struct gtpc_peer got;
	const uint8_t *msg;
	size_t len;
	uint64_t cookie;

	while (gtpc_pending_due(p, now, &got, &msg, &len, &cookie)) {
		struct model *e = &m[cookie];

		CU_ASSERT_TRUE(
			cookie < MODEL && e->waits && e->due <= now && peer_is(&got, e->peer));
		CU_ASSERT_EQUAL(len == 0, e->tries == GTPC_N3);
		if (e->tries == GTPC_N3)
			e->waits = false;
		else
			CU_ASSERT_EQUAL(len, cookie + 1);
		e->tries++;
		e->due = now + GTPC_T3_US;
	}
	for (unsigned int i = 0; i < MODEL; i++)
		CU_ASSERT_TRUE(!m[i].waits || m[i].due > now);
}

static void test_pending_model(void)
{
	struct gtpc_pending *p = gtpc_pending_create();
	struct model m[MODEL] = { { 0 } };
	uint64_t seed = ut_seed(7), cookie;
	uint8_t msg[MODEL + 1] = { 0 };
	usec_t now = 0;

	for (int i = 0; i < 100000; i++) {
		unsigned int k = (unsigned int)(ut_random(&seed) % MODEL);
		struct gtpc_peer to = peer_of(m[k].peer);

		now += ut_random(&seed) % 300000;
		model_due(p, m, now);
		if (m[k].waits) {
			CU_ASSERT_TRUE(gtpc_pending_answered(p, &to, m[k].seq, &cookie));
			CU_ASSERT_EQUAL(cookie, k);
			CU_ASSERT_FALSE(gtpc_pending_answered(p, &to, m[k].seq, &cookie));
			m[k].waits = false;
		} else {
			m[k] = (struct model){ true, gtpc_pending_seq(p),
				(uint32_t)(ut_random(&seed) % 9), 1, now + GTPC_T3_US };
			to = peer_of(m[k].peer);
			CU_ASSERT_EQUAL(gtpc_pending_add(p, &to, m[k].seq, msg, k + 1, k, now), 0);
		}
	}
	gtpc_pending_destroy(p);
}

/* All that tells requests apart counts, and the secret. */
static void test_request_hash(void)
{
	static const struct siphash_secret other = { { 2 } };
	struct gtpc_peer a = peer_of(0), port = peer_of(1), addr = peer_of(2), high = a;
	uint64_t first = gtpc_request_hash(&secret, &a, 16, 1, 7);

	high.addr.b[0] ^= 0x20;
	CU_ASSERT_EQUAL(gtpc_request_hash(&secret, &a, 16, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&other, &a, 16, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &port, 16, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &addr, 16, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &high, 16, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &a, 18, 1, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &a, 16, 2, 7), first);
	CU_ASSERT_NOT_EQUAL(gtpc_request_hash(&secret, &a, 16, 1, 8), first);
}

static void test_answered_bounds(void)
{
	struct gtpc_answered *a = gtpc_answered_create(1000, &secret);
	struct gtpc_peer to = peer_of(0);
	static const uint8_t big[513];
	size_t len;

	gtpc_answered_put(a, &to, 16, 1, 7, big, 512, 10);
	CU_ASSERT_PTR_NOT_NULL(gtpc_answered_get(a, &to, 16, 1, 7, &len, 1009));
	CU_ASSERT_EQUAL(len, 512);
	CU_ASSERT_PTR_NOT_NULL(gtpc_answered_get(a, &to, 16, 1, 7, &len, 0));
	CU_ASSERT_PTR_NULL(gtpc_answered_get(a, &to, 18, 1, 7, &len, 20));
	CU_ASSERT_PTR_NULL(gtpc_answered_get(a, &to, 16, 2, 7, &len, 20));
	CU_ASSERT_PTR_NULL(
		gtpc_answered_get(a, &to, 16, 1, 8, &len, 20)); /* another request of that number */
	CU_ASSERT_PTR_NULL(gtpc_answered_get(a, &to, 16, 1, 7, &len, 1010));
	gtpc_answered_put(a, &to, 16, 1, 7, big, 5, 10);
	gtpc_answered_put(
		/* too big to keep, and the old one is no longer the last */
		a, &to, 16, 1, 7, big, 513, 11);
	CU_ASSERT_PTR_NULL(gtpc_answered_get(a, &to, 16, 1, 7, &len, 12));
	gtpc_answered_destroy(a);
	gtpc_answered_destroy(NULL);
}

/* Requests that a stranger chose for a secret that it had learnt, so that all meet in one bucket:
 * that is as long as it may be, and other buckets do not notice. For any other secret the same
 * requests are as any others. */
static void test_answered_chosen(void)
{
	enum { CHOSEN = 100, BUCKETS = 2 * GTPC_ANSWERED_MAX, CHAIN = 16 };
	static const struct siphash_secret other = { { 2 } };
	struct gtpc_peer from = peer_of(0);
	uint32_t digest[CHOSEN], next = 0;
	uint8_t mark = 1;
	size_t len;

	for (unsigned int n = 0; n < CHOSEN; next++)
		if (gtpc_request_hash(&secret, &from, 16, 1, next) % BUCKETS == 77)
			digest[n++] = next;
	for (int learnt = 0; learnt < 2; learnt++) {
		struct gtpc_answered *a = gtpc_answered_create(1000, learnt ? &secret : &other);
		unsigned int found = 0;

		gtpc_answered_put(a, &from, 18, 1, 0, &mark, 1, 9);
		for (unsigned int i = 0; i < CHOSEN; i++)
			gtpc_answered_put(a, &from, 16, 1, digest[i], &mark, 1, 10);
		for (unsigned int i = 0; i < CHOSEN; i++)
			found += gtpc_answered_get(a, &from, 16, 1, digest[i], &len, 11) != NULL;
		CU_ASSERT_EQUAL(found, learnt ? CHAIN : CHOSEN);
		CU_ASSERT_PTR_NOT_NULL(
			gtpc_answered_get(a, &from, 16, 1, digest[CHOSEN - 1], &len, 11));
		CU_ASSERT_PTR_NOT_NULL(gtpc_answered_get(a, &from, 18, 1, 0, &len, 11));
		CU_ASSERT_EQUAL(
			gtpc_answered_count(a)->answers_collided, learnt ? CHOSEN - CHAIN : 0);
		CU_ASSERT_EQUAL(gtpc_answered_count(a)->answers_full, 0);
		gtpc_answered_destroy(a);
	}
}

/* The ring is full of answers whose time is not over; those that are too old are no loss. */
static void test_answered_full(void)
{
	struct gtpc_answered *a = gtpc_answered_create(1000, &secret);
	struct gtpc_peer to = peer_of(0);
	uint8_t mark = 1;

	for (unsigned int i = 0; i < GTPC_ANSWERED_MAX + 10; i++)
		gtpc_answered_put(a, &to, 16, (uint16_t)i, 7, &mark, 1, 10);
	CU_ASSERT_EQUAL(gtpc_answered_count(a)->answers_full, 10);
	for (unsigned int i = 0; i < 20; i++)
		gtpc_answered_put(a, &to, 18, (uint16_t)i, 7, &mark, 1, 1010);
	CU_ASSERT_EQUAL(gtpc_answered_count(a)->answers_full, 10);
	CU_ASSERT_EQUAL(gtpc_answered_count(a)->answers_collided, 0);
	gtpc_answered_destroy(a);
}

/* Part of the ring or more than all of it: nothing is found then, and what is put anew is. */
static void test_answered_clear(void)
{
	static const uint16_t puts[] = { 0, 1, 100, GTPC_ANSWERED_MAX, GTPC_ANSWERED_MAX + 10, 50 };
	struct gtpc_answered *a = gtpc_answered_create(1000, &secret);
	struct gtpc_peer to = peer_of(0);
	const uint8_t *msg;
	size_t len;

	for (unsigned int i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
		uint8_t mark = (uint8_t)i;

		for (uint16_t seq = 0; seq < puts[i]; seq++)
			gtpc_answered_put(a, &to, 16, seq, 7, &mark, 1, 10);
		CU_ASSERT_EQUAL(puts[i] > 0, gtpc_answered_get(a, &to, 16, (uint16_t)(puts[i] - 1),
						     7, &len, 11) != NULL);
		gtpc_answered_clear(a);
		for (uint16_t seq = 0; seq < puts[i]; seq++)
			CU_ASSERT_PTR_NULL(gtpc_answered_get(a, &to, 16, seq, 7, &len, 11));
		gtpc_answered_put(a, &to, 16, 3, 7, &mark, 1, 10);
		msg = gtpc_answered_get(a, &to, 16, 3, 7, &len, 11);
		CU_ASSERT_TRUE(msg != NULL && len == 1 && *msg == mark);
	}
	gtpc_answered_destroy(a);
}

/* Against a list of all that was ever put, of which the last GTPC_ANSWERED_MAX kept ones may be
 * found. */
static void test_answered_model(void)
{
	enum { PUTS = 30000, KEYS = 6000 };
	static struct {
		int put; /* -1 none; number of the put that it is in */
		usec_t at;
	} m[KEYS];
	struct gtpc_answered *a = gtpc_answered_create(1000000, &secret);
	uint64_t seed = ut_seed(3);
	usec_t now = 0;

	for (unsigned int k = 0; k < KEYS; k++)
		m[k].put = -1;
	for (int i = 0; i < PUTS; i++) {
		unsigned int k = (unsigned int)(ut_random(&seed) % KEYS), g;
		struct gtpc_peer to = peer_of(k % 11), from;
		const uint8_t *msg;
		size_t len;
		bool there;

		now += ut_random(&seed) % 400;
		gtpc_answered_put(a, &to, (uint8_t)(k % 3), (uint16_t)k, (uint32_t)k,
			(const uint8_t *)&i, sizeof(i), now);
		m[k].put = i;
		m[k].at = now;
		g = (unsigned int)(ut_random(&seed) % KEYS);
		from = peer_of(g % 11);
		msg = gtpc_answered_get(
			a, &from, (uint8_t)(g % 3), (uint16_t)g, (uint32_t)g, &len, now);
		there = m[g].put >= 0 && i - m[g].put < GTPC_ANSWERED_MAX &&
			now - m[g].at < 1000000;
		CU_ASSERT_EQUAL(msg != NULL, there);
		if (msg != NULL)
			CU_ASSERT_EQUAL(memcmp(msg, &m[g].put, sizeof(int)), 0);
	}
	gtpc_answered_destroy(a);
}

CU_TestInfo test_gtp_retransmission[] = {
	{ "pending_times", test_pending_times },
	{ "pending_full", test_pending_full },
	{ "pending_model", test_pending_model },
	{ "request_hash", test_request_hash },
	{ "answered_bounds", test_answered_bounds },
	{ "answered_chosen", test_answered_chosen },
	{ "answered_full", test_answered_full },
	{ "answered_clear", test_answered_clear },
	{ "answered_model", test_answered_model },
	CU_TEST_INFO_NULL,
};
