/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "repl/audit.h"
#include "ut.h"

enum { BUCKETS = 300, SLOTS = 64, PTO = 1000, OUTSTANDING = 8 };

/* Slots are numbers; their hash is themselves, a bucket's is a sum. */
struct table {
	uint64_t slot[BUCKETS][SLOTS];
};

static uint64_t table_bucket(void *ctx, uint32_t bucket)
{
	const struct table *t = ctx;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		sum = sum * 31 + t->slot[bucket][i];
	return sum;
}

static uint64_t table_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	return ((const struct table *)ctx)->slot[bucket][slot];
}

static bool table_empty(void *ctx, uint32_t bucket)
{
	return table_bucket(ctx, bucket) == 0;
}

static struct table own, theirs;

static struct audit *fresh(uint32_t outstanding)
{
	struct audit_hash hash = { table_bucket, table_slot, table_empty, &own };
	struct audit *a = audit_create(BUCKETS, outstanding, &hash);

	memset(&own, 0, sizeof(own));
	memset(&theirs, 0, sizeof(theirs));
	if (a == NULL)
		abort();
	return a;
}

static void send_buckets(struct audit *a, uint32_t first, uint16_t n, usec_t now)
{
	uint8_t buf[1200];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	audit_digest_begin(&w, first, n);
	for (uint32_t b = first; b < first + n; b++)
		wr_u64(&w, table_bucket(&theirs, b));
	r = rd_init(buf, sizeof(buf) - w.left);
	audit_digest(a, &r, now);
}

static void send_slots(struct audit *a, uint32_t bucket, usec_t now)
{
	uint8_t buf[200];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	audit_digest_slots(&w, bucket);
	for (unsigned int i = 0; i < SLOTS; i++)
		wr_u16(&w, (uint16_t)theirs.slot[bucket][i]);
	r = rd_init(buf, sizeof(buf) - w.left);
	audit_digest(a, &r, now);
}

static void send_pass(struct audit *a, usec_t now)
{
	for (uint32_t b = 0; b < BUCKETS; b += AUDIT_DIGESTS)
		send_buckets(a, b,
			(uint16_t)(BUCKETS - b < AUDIT_DIGESTS ? BUCKETS - b : AUDIT_DIGESTS), now);
}

struct wanted {
	unsigned int n, how[100];
	uint32_t bucket[100];
	uint64_t arg[100];
};

static void each(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct wanted *w = ctx;

	w->how[w->n] = how;
	w->bucket[w->n] = bucket;
	w->arg[w->n++] = arg;
}

static struct wanted ask(struct audit *a, usec_t now)
{
	struct wanted got = { 0 };
	uint8_t buf[1200];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	audit_want(a, &w, PTO, now);
	r = rd_init(buf, sizeof(buf) - w.left);
	if (r.left > 0)
		CU_ASSERT_EQUAL(audit_want_decode(&r, each, &got), 0);
	return got;
}

static void scan(struct audit *a)
{
	for (unsigned int i = 0; i < 4; i++)
		audit_scan(a);
}

static void test_equal(void)
{
	struct audit *a = fresh(OUTSTANDING);

	CU_ASSERT_EQUAL(ask(a, 0).n, 0); /* no stream yet */
	audit_restart(a, 1000);
	CU_ASSERT_EQUAL(audit_unmatched(a), BUCKETS);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), USEC_NEVER);
	send_pass(a, 2000);
	CU_ASSERT_EQUAL(audit_unmatched(a), 0);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), 1000); /* never newer than the truth */
	scan(a);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), 2000);
	send_buckets(a, 0, 128, 3000);
	scan(a);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), 2000); /* the worst bucket counts */
	send_pass(a, 4000);
	scan(a);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), 4000);
	CU_ASSERT_EQUAL(audit_count(a)->passes, 2);
	CU_ASSERT_EQUAL(ask(a, 4000).n, 0);
	audit_restart(a, 5000);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), USEC_NEVER);
	audit_destroy(a);
}

static void test_escalation(void)
{
	struct audit *a = fresh(OUTSTANDING);
	struct wanted w;

	audit_restart(a, 0);
	own.slot[7][1] = theirs.slot[7][1] = 5;
	send_pass(a, 1);
	theirs.slot[7][3] = 9;
	theirs.slot[7][63] = 9;
	send_buckets(a, 0, 128, 2);
	CU_ASSERT_EQUAL(audit_unmatched(a), 1);
	w = ask(a, 2);
	CU_ASSERT_EQUAL(w.n, 1);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_LEVEL2);
	CU_ASSERT_EQUAL(w.bucket[0], 7);
	CU_ASSERT_EQUAL(ask(a, 3).n, 0);
	CU_ASSERT_EQUAL(ask(a, 2 + 5000).n, 1); /* again after max(2 PTO, 5 ms) */
	CU_ASSERT_EQUAL(ask(a, 2 + 5000 + 5001).n, 0);
	send_slots(a, 7, 8000);
	w = ask(a, 8000);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_SLOTS);
	CU_ASSERT_EQUAL(w.arg[0], UINT64_C(1) << 63 | 1 << 3);
	send_buckets(a, 0, 128, 8001); /* the pass comes by: no verdict on the answer */
	CU_ASSERT_EQUAL(ask(a, 8001).n, 0);
	send_buckets(a, 7, 1, 8002); /* differs again behind the answer */
	w = ask(a, 8002);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_WHOLE);
	CU_ASSERT_EQUAL(w.arg[0], 1);
	memcpy(own.slot[7], theirs.slot[7], sizeof(own.slot[7]));
	send_buckets(a, 7, 1, 8003);
	CU_ASSERT_EQUAL(audit_unmatched(a), 0);
	CU_ASSERT_EQUAL(audit_count(a)->repaired, 1);
	CU_ASSERT_EQUAL(ask(a, 900000).n, 0);
	audit_destroy(a);
}

/* Lost so often that it is repeated seldom: the next pass's digest makes it due at once. */
static void test_pass_repeats_want(void)
{
	struct audit *a = fresh(OUTSTANDING);
	usec_t now = 1;

	audit_restart(a, 0);
	own.slot[7][1] = 1;
	theirs.slot[7][1] = 2;
	send_pass(a, now);
	for (unsigned int i = 0; i < 6; i++, now += 80000)
		CU_ASSERT_EQUAL(ask(a, now).n, 1);
	now -= 80000;
	CU_ASSERT_EQUAL(ask(a, now + 5000).n, 0);
	send_buckets(a, 0, 128, now + 5000);
	CU_ASSERT_EQUAL(ask(a, now + 5000).n, 1);
	CU_ASSERT_EQUAL(ask(a, now + 5001).n, 0);
	audit_destroy(a);
}

static void test_no_slot_differs(void)
{
	struct audit *a = fresh(OUTSTANDING);
	struct wanted w;

	audit_restart(a, 0);
	own.slot[7][0] = 1;
	theirs.slot[7][0] = 0x10001; /* the same 16 bits */
	send_buckets(a, 0, 128, 1);
	ask(a, 1);
	send_slots(a, 7, 2);
	w = ask(a, 2);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_SLOTS);
	CU_ASSERT_EQUAL(w.arg[0], 0);
	send_buckets(a, 7, 1, 3);
	CU_ASSERT_EQUAL(ask(a, 3).how[0], AUDIT_WANT_WHOLE);
	audit_destroy(a);
}

static void test_empty_wants_ranges(void)
{
	struct audit *a = fresh(100);
	struct wanted w;

	audit_restart(a, 0);
	for (uint32_t b = 0; b < BUCKETS; b++)
		theirs.slot[b][b % SLOTS] = b + 1;
	own.slot[70][0] = 1;
	send_pass(a, 1);
	w = ask(a, 1);
	CU_ASSERT_EQUAL(w.n, 4); /* 0..63, 64..69, 70 slot by slot, 71..99 */
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_WHOLE);
	CU_ASSERT_EQUAL(w.arg[0], 64);
	CU_ASSERT_EQUAL(w.arg[1], 6);
	CU_ASSERT_EQUAL(w.how[2], AUDIT_WANT_LEVEL2);
	CU_ASSERT_EQUAL(w.arg[3], 29);
	memcpy(own.slot, theirs.slot, 50 * sizeof(own.slot[0]));
	send_buckets(a, 0, 50, 2);
	/* room for 50 more; the first range is asked for again only when due, trimmed */
	w = ask(a, 2);
	CU_ASSERT_EQUAL(w.n, 1);
	CU_ASSERT_EQUAL(w.bucket[0], 100);
	CU_ASSERT_EQUAL(w.arg[0], 50);
	w = ask(a, 6000);
	CU_ASSERT_EQUAL(w.bucket[0], 50);
	CU_ASSERT_EQUAL(w.arg[0], 14);
	audit_destroy(a);
}

/* Hashes of a join that were lost are asked for when the pass is over. */
static void test_lost_digests(void)
{
	struct audit *a = fresh(OUTSTANDING);
	struct wanted w;

	audit_restart(a, 0);
	send_buckets(a, 0, 128, 1);
	send_buckets(a, 128, 100, 1);
	CU_ASSERT_EQUAL(ask(a, 1000).n, 0);
	w = ask(a, 60000);
	CU_ASSERT_EQUAL(w.n, OUTSTANDING);
	CU_ASSERT_EQUAL(w.bucket[0], 228);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_LEVEL2);
	audit_destroy(a);
}

/* The paced pass follows at once, and what it says again is no reason to go on waiting for what
 * was lost. */
static void test_lost_digests_paced(void)
{
	struct audit *a = fresh(OUTSTANDING);
	struct wanted w = { 0 };
	usec_t now = 1000;

	audit_restart(a, 0);
	send_buckets(a, 0, 128, now);
	send_buckets(a, 128, 100, now); /* 228 to 299 are lost */
	for (; now < 200000 && w.n == 0; now += 10000) {
		send_buckets(a, (uint32_t)(now / 10000), 1, now);
		w = ask(a, now);
		CU_ASSERT(w.n == 0 || now >= 50000);
	}
	CU_ASSERT(now < 80000);
	CU_ASSERT_EQUAL(w.n, OUTSTANDING);
	CU_ASSERT_EQUAL(w.bucket[0], 228);
	audit_destroy(a);
}

static const struct {
	const char *what;
	size_t len;
	uint8_t bytes[16];
} bad[] = {
	{ "nothing", 0, { 0 } },
	{ "unknown level", 15, { 3, 0, 0, 0, 0, 0, 1 } },
	{ "no hash", 7, { 1, 0, 0, 0, 0, 0, 0 } },
	{ "fewer than said", 15, { 1, 0, 0, 0, 0, 0, 2 } },
	{ "more than said", 16, { 1, 0, 0, 0, 0, 0, 1 } },
	{ "no such bucket", 15, { 1, 0, 0, 1, 44, 0, 1 } },
	{ "far away", 15, { 1, 255, 255, 255, 255, 0, 1 } },
	{ "slots cut", 15, { 2, 0, 0, 0, 0 } },
};

/* An operator's pass unsays nothing, asks for all hashes a few times, then for what did not come,
 * bucket by bucket. */
static void test_request_pass(void)
{
	struct audit *a = fresh(OUTSTANDING);
	struct audit_pass pass;
	struct wanted w;

	audit_pass(a, &pass);
	CU_ASSERT_EQUAL(pass.began, USEC_NEVER);
	audit_request_pass(a, 0); /* no stream yet */
	CU_ASSERT_EQUAL(ask(a, 0).n, 0);
	audit_restart(a, 1000);
	send_pass(a, 2000);
	scan(a);
	audit_pass(a, &pass);
	CU_ASSERT_EQUAL(pass.left, 0);
	CU_ASSERT_EQUAL(pass.ended, 2000);
	audit_request_pass(a, 3000);
	CU_ASSERT_EQUAL(audit_unmatched(a), 0);
	CU_ASSERT_EQUAL(audit_in_sync_since(a), 2000);
	w = ask(a, 3000);
	CU_ASSERT_EQUAL(w.n, 1);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_PASS);
	CU_ASSERT_EQUAL(w.bucket[0], 1);
	CU_ASSERT_EQUAL(ask(a, 4000).n, 0);
	own.slot[3][4]++;
	send_buckets(a, 0, 128, 5000);
	audit_pass(a, &pass);
	CU_ASSERT_EQUAL(pass.left, BUCKETS - 127);
	CU_ASSERT_EQUAL(pass.differing, 1);
	CU_ASSERT_EQUAL(pass.ended, USEC_NEVER);
	CU_ASSERT_EQUAL(audit_unmatched(a), 1);
	own.slot[3][4]--;
	send_buckets(a, 3, 1, 6000);
	send_buckets(a, 3, 1, 6001); /* once only */
	audit_pass(a, &pass);
	CU_ASSERT_EQUAL(pass.left, BUCKETS - 128);
	CU_ASSERT_EQUAL(ask(a, 60000).how[0], AUDIT_WANT_PASS);
	CU_ASSERT_EQUAL(ask(a, 120000).how[0], AUDIT_WANT_PASS);
	w = ask(a, 180000);
	CU_ASSERT_EQUAL(w.n, OUTSTANDING);
	CU_ASSERT_EQUAL(w.how[0], AUDIT_WANT_LEVEL2);
	send_pass(a, 200000);
	audit_pass(a, &pass);
	CU_ASSERT_EQUAL(pass.left, 0);
	CU_ASSERT_EQUAL(pass.ended, 200000);
	CU_ASSERT_EQUAL(audit_count(a)->wants_pass, 3);
	audit_destroy(a);
}

static void test_malformed(void)
{
	struct audit *a = fresh(OUTSTANDING);

	audit_restart(a, 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rd r = rd_init(bad[i].bytes, bad[i].len);

		audit_digest(a, &r, 1);
		CU_ASSERT_EQUAL(audit_count(a)->malformed, i + 1);
	}
	CU_ASSERT_EQUAL(audit_count(a)->compared, 0);
	audit_destroy(a);
}

static void test_want_decode(void)
{
	static const uint8_t ok[] = { 0, 1, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct wanted w = { 0 };
	struct rd r = rd_init(ok, sizeof(ok));
	uint8_t bytes[sizeof(ok)];

	CU_ASSERT_EQUAL(audit_want_decode(&r, each, &w), 0);
	CU_ASSERT_EQUAL(w.n, 1);
	CU_ASSERT_EQUAL(w.bucket[0], 7);
	for (size_t len = 0; len < sizeof(ok); len++) {
		r = rd_init(ok, len);
		CU_ASSERT_EQUAL(audit_want_decode(&r, each, &w), -EBADMSG);
	}
	memcpy(bytes, ok, sizeof(ok));
	bytes[2] = 5;
	r = rd_init(bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(audit_want_decode(&r, each, &w), -EBADMSG);
	CU_ASSERT_EQUAL(w.n, 1);
}

/* The model: when each bucket last matched at a comparison. */
static usec_t matched[BUCKETS];

static void hash_sent(uint32_t first, uint32_t n, usec_t now)
{
	for (uint32_t b = first; b < first + n; b++)
		if (table_bucket(&own, b) == table_bucket(&theirs, b))
			matched[b] = now;
}

/* Answers a WANT, but for what is lost on the way. */
static void answer(
	struct audit *a, const struct wanted *w, unsigned int i, uint64_t *seed, usec_t now)
{
	uint32_t n = w->how[i] == AUDIT_WANT_WHOLE ? (uint32_t)w->arg[i] : 1;

	for (uint32_t b = w->bucket[i]; b < w->bucket[i] + n; b++) {
		if (ut_random(seed) % 3 == 0)
			continue;
		if (w->how[i] == AUDIT_WANT_LEVEL2) {
			send_slots(a, b, now);
			continue;
		}
		for (unsigned int k = 0; k < SLOTS; k++)
			if (w->how[i] == AUDIT_WANT_WHOLE || w->arg[i] >> k & 1)
				own.slot[b][k] = theirs.slot[b][k];
		send_buckets(a, b, 1, now);
		hash_sent(b, 1, now);
	}
}

static usec_t oldest_match(void)
{
	usec_t oldest = 0;
	bool never = false;

	for (uint32_t b = 0; b < BUCKETS; b++) {
		never |= matched[b] == USEC_NEVER;
		oldest = b == 0 || matched[b] < oldest ? matched[b] : oldest;
	}
	return never ? USEC_NEVER : oldest;
}

/* Random changes, lost digests and wants; the bounds hold and everything matches at last. */
static void test_random(void)
{
	uint64_t seed = ut_seed(42);
	struct audit *a = fresh(OUTSTANDING);
	usec_t now = 1;

	audit_restart(a, now);
	memset(matched, 0xff, sizeof(matched));
	for (unsigned int turn = 0; turn < 20000; turn++) {
		uint16_t n = (uint16_t)(1 + ut_random(&seed) % 20);
		uint32_t b = (uint32_t)(ut_random(&seed) % (BUCKETS - 20));
		bool calm = turn > 15000;
		struct wanted w;

		now += 1 + ut_random(&seed) % 500;
		if (!calm && ut_random(&seed) % 8 == 0)
			theirs.slot[ut_random(&seed) % BUCKETS][ut_random(&seed) % SLOTS] =
				ut_random(&seed);
		if (ut_random(&seed) % 10 == 0)
			b = BUCKETS - n;
		send_buckets(a, b, n, now);
		hash_sent(b, n, now);
		w = ask(a, now);
		CU_ASSERT_TRUE(w.n <= OUTSTANDING);
		for (unsigned int i = 0; i < w.n; i++)
			answer(a, &w, i, &seed, now);
		audit_scan(a);
		CU_ASSERT_EQUAL(oldest_match() == USEC_NEVER, audit_in_sync_since(a) == USEC_NEVER);
		CU_ASSERT_TRUE(audit_in_sync_since(a) <= oldest_match());
	}
	CU_ASSERT_EQUAL(memcmp(&own, &theirs, sizeof(own)), 0);
	CU_ASSERT_EQUAL(audit_unmatched(a), 0);
	CU_ASSERT_TRUE(now - audit_in_sync_since(a) < 1000000);
	audit_destroy(a);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "equal", test_equal },
		{ "escalation", test_escalation },
		{ "pass_repeats_want", test_pass_repeats_want },
		{ "no_slot_differs", test_no_slot_differs },
		{ "empty_wants_ranges", test_empty_wants_ranges },
		{ "lost_digests", test_lost_digests },
		{ "lost_digests_paced", test_lost_digests_paced },
		{ "request_pass", test_request_pass },
		{ "malformed", test_malformed },
		{ "want_decode", test_want_decode },
		{ "random", test_random },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "audit", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
