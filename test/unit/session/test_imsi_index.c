/* SPDX-License-Identifier: BSD-3-Clause */
/* imsi_index: every entry that was asked for finds room, whatever keys come, and is found. */
#include <errno.h>
#include <string.h>

#include "chosen_keys.h"
#include "session/imsi_index.h"
#include "ut.h"

enum { CHOSEN = 100000, READS_MAX = 16, MODEL_KEYS = 48, MODEL_ENTRIES = 40, MODEL_STEPS = 200000 };

/* ---- memory that is counted, and may run out ---- */

static struct {
	unsigned int pieces, left; /* left: pieces that may still be taken */
	size_t bytes;
	/* the first one, which has the secret: its size, and whether that was in it at the end */
	const void *first;
	size_t first_bytes;
	struct siphash_secret secret;
	bool remembered;
} taken;

static void *counted_alloc(void *ctx, size_t size, size_t align)
{
	void *p = taken.left > 0 ? session_mem_libc.alloc(ctx, size, align) : NULL;

	if (p == NULL)
		return NULL;
	if (taken.pieces == 0) {
		taken.first = p;
		taken.first_bytes = size;
	}
	taken.left--;
	taken.pieces++;
	taken.bytes += size;
	return p;
}

static void counted_free(void *ctx, void *p)
{
	if (p == taken.first)
		taken.remembered =
			memmem(p, taken.first_bytes, &taken.secret, sizeof(taken.secret)) != NULL;
	taken.pieces--;
	session_mem_libc.free(ctx, p);
}

static const struct session_mem counted = { counted_alloc, counted_free, NULL };

static struct imsi_index *made(uint32_t entries, uint8_t secret)
{
	struct imsi_index_params p = {
		.entries = entries, .secret = { { secret } }, .mem = &counted
	};
	struct imsi_index *x;

	taken.left = 2;
	x = imsi_index_create(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	return x;
}

static void ended(struct imsi_index *x)
{
	imsi_index_destroy(x);
	CU_ASSERT_EQUAL(taken.pieces, 0);
}

static uint64_t key_of(uint32_t i)
{
	return UINT64_C(0x2400100000000005) + ((uint64_t)i << 4);
}

/* ---- tests ---- */

/* Keys that all met in one bucket of a hash without a secret: they are spread as any others. */
static void test_chosen(void)
{
	struct chosen_keys c = chosen_keys();
	struct imsi_index *x = made(CHOSEN, 1);
	unsigned int refused = 0, lost = 0, other = 0, reads = 0;
	uint64_t first = chosen_key(&c, 0);

	for (uint32_t i = 0; i < CHOSEN; i++) {
		uint64_t key = chosen_key(&c, i);

		other += rte_hash_crc(&key, sizeof(key), 0) !=
			 rte_hash_crc(&first, sizeof(first), 0);
		refused += imsi_index_set(x, key, i + 1) != 0;
	}
	for (uint32_t i = 0; i < CHOSEN; i++) {
		unsigned int n = imsi_index_reads(x, chosen_key(&c, i));

		lost += imsi_index_find(x, chosen_key(&c, i)) != i + 1;
		reads = n > reads ? n : reads;
	}
	CU_ASSERT_EQUAL(other, 0);
	CU_ASSERT_EQUAL(refused, 0);
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_EQUAL(imsi_index_count(x), CHOSEN);
	CU_ASSERT_TRUE(reads <= READS_MAX);
	ended(x);
}

/* Keys that a stranger chose for a secret that it had learnt meet in one bucket there, and are
 * spread by any other: the 40 that took 40 % of both control cores once cost what others cost. */
static void test_learnt(void)
{
	enum { BUCKETS = 65536, LEARNT = 40, READS = 4 };
	const struct siphash_secret learnt = { { 1 } };
	uint64_t key[LEARNT], next = key_of(0);
	unsigned int reads = 0;

	for (unsigned int n = 0; n < LEARNT; next += 16)
		if (siphash_word(&learnt, next) % BUCKETS == 77)
			key[n++] = next;
	for (uint8_t secret = 1; secret <= 20; secret++) {
		struct imsi_index *x = made(BUCKETS, secret);

		for (uint32_t i = 0; i < LEARNT; i++)
			CU_ASSERT_EQUAL(imsi_index_set(x, key[i], i + 1), 0);
		for (uint32_t i = 0; i < LEARNT; i++) {
			unsigned int n = imsi_index_reads(x, key[i]);

			CU_ASSERT_EQUAL(imsi_index_find(x, key[i]), i + 1);
			reads = n > reads ? n : reads;
		}
		CU_ASSERT_TRUE(secret == 1 ? reads == LEARNT : reads <= READS);
		reads = 0;
		ended(x);
	}
}

/* To the last entry, at numbers that are powers of two and at others; behind it -ENOSPC, and an
 * entry that goes makes room for one. */
static void test_full(void)
{
	static const uint32_t entries[] = { 1, 2, 3, 63, 64, 65, 1000, 4096 + 64 };

	for (unsigned int k = 0; k < sizeof(entries) / sizeof(*entries); k++) {
		uint32_t n = entries[k];
		struct imsi_index *x = made(n, (uint8_t)k);

		for (uint32_t i = 0; i < n; i++)
			CU_ASSERT_EQUAL(imsi_index_set(x, key_of(i), i + 1), 0);
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(n), 77), -ENOSPC);
		CU_ASSERT_EQUAL(imsi_index_find(x, key_of(n)), 0);
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(0), 78), 0);
		CU_ASSERT_EQUAL(imsi_index_find(x, key_of(0)), 78);
		for (uint32_t i = 1; i < n; i++)
			CU_ASSERT_EQUAL(imsi_index_find(x, key_of(i)), i + 1);
		CU_ASSERT_TRUE(imsi_index_remove(x, key_of(n / 2)));
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(n), 79), 0);
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(n / 2), 80), -ENOSPC);
		CU_ASSERT_EQUAL(imsi_index_find(x, key_of(n)), 79);
		CU_ASSERT_EQUAL(imsi_index_count(x), n);
		ended(x);
	}
}

static void test_change(void)
{
	struct imsi_index *x = made(10, 3);

	CU_ASSERT_EQUAL(imsi_index_find(x, 0), 0);
	CU_ASSERT_FALSE(imsi_index_remove(x, 0));
	CU_ASSERT_EQUAL(imsi_index_set(x, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL(imsi_index_count(x), 0);
	CU_ASSERT_EQUAL(imsi_index_set(x, 0, 5), 0);
	CU_ASSERT_EQUAL(imsi_index_set(x, UINT64_MAX, UINT32_MAX), 0);
	CU_ASSERT_EQUAL(imsi_index_set(x, 0, 6), 0);
	CU_ASSERT_EQUAL(imsi_index_set(x, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL(imsi_index_find(x, 0), 6);
	CU_ASSERT_EQUAL(imsi_index_find(x, UINT64_MAX), UINT32_MAX);
	CU_ASSERT_EQUAL(imsi_index_count(x), 2);
	CU_ASSERT_TRUE(imsi_index_remove(x, 0));
	CU_ASSERT_FALSE(imsi_index_remove(x, 0));
	CU_ASSERT_EQUAL(imsi_index_find(x, 0), 0);
	CU_ASSERT_EQUAL(imsi_index_reads(x, 0), 0);
	CU_ASSERT_EQUAL(imsi_index_count(x), 1);
	ended(x);
}

/* A pass that removes what it meets, while others come: what stays is met once. */
static void test_pass(void)
{
	enum { N = 1000 };
	static uint8_t met[3 * N];
	struct imsi_index *x = made(2 * N, 4);
	struct imsi_walk w = { .left = UINT32_MAX };
	uint32_t handle, more = N;
	unsigned int wrong = 0;
	uint64_t key;

	memset(met, 0, sizeof(met));
	CU_ASSERT_FALSE(imsi_index_next(x, &w, &key, &handle));
	for (uint32_t i = 0; i < N; i++)
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(i), i + 1), 0);
	for (uint32_t i = 0; i < N; i += 10)
		CU_ASSERT_TRUE(imsi_index_remove(x, key_of(i)));
	while (imsi_index_next(x, &w, &key, &handle)) {
		wrong += key != key_of(handle - 1);
		met[handle - 1]++;
		if (handle % 3 == 0)
			CU_ASSERT_TRUE(imsi_index_remove(x, key));
		if (handle % 4 == 0 && handle <= N)
			CU_ASSERT_EQUAL(imsi_index_set(x, key_of(more), more + 1), 0);
		more += handle % 4 == 0 && handle <= N;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (uint32_t i = 0; i < N; i++)
		CU_ASSERT_EQUAL(met[i], i % 10 != 0);
	for (uint32_t i = N; i < more; i++)
		CU_ASSERT_TRUE(met[i] <= 1);
	ended(x);
}

/* A turn looks at so many places and no more, and empty ones count: a million of them in a row are
 * not one step. */
static void test_bounded(void)
{
	enum { N = 1000, LEFT = 64 };
	struct imsi_index *x = made(N, 4);
	struct imsi_walk w = { .at = 0 };
	unsigned int turns = 0, found = 0;
	uint32_t handle;
	uint64_t key;

	for (uint32_t i = 0; i < N; i++)
		CU_ASSERT_EQUAL(imsi_index_set(x, key_of(i), i + 1), 0);
	for (uint32_t i = 0; i < N - 1; i++)
		CU_ASSERT_TRUE(imsi_index_remove(x, key_of(i)));
	do {
		uint32_t from = w.at;

		w.left = LEFT;
		while (imsi_index_next(x, &w, &key, &handle))
			found += handle == N;
		CU_ASSERT_TRUE(w.at - from <= LEFT);
		turns++;
	} while (w.left == 0);
	CU_ASSERT_EQUAL(found, 1);
	CU_ASSERT_EQUAL(turns, N / LEFT + 1);
	ended(x);
}

/* What is given back does not say how the index hashed. */
static void test_forgets(void)
{
	struct imsi_index_params p = { .entries = 8, .mem = &counted };

	memset(&p.secret, 0x5a, sizeof(p.secret));
	taken.secret = p.secret;
	taken.left = 2;
	taken.remembered = true;
	ended(imsi_index_create(&p));
	CU_ASSERT_FALSE(taken.remembered);
}

/* Each secret has chains of its own. */
static void test_secrets(void)
{
	struct imsi_index *a = made(1000, 1), *b = made(1000, 2), *same = made(1000, 1);
	unsigned int differ = 0, wrong = 0;

	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT_TRUE(imsi_index_set(a, key_of(i), i + 1) == 0 &&
			       imsi_index_set(b, key_of(i), i + 1) == 0 &&
			       imsi_index_set(same, key_of(i), i + 1) == 0);
	for (uint32_t i = 0; i < 1000; i++) {
		differ += imsi_index_reads(a, key_of(i)) != imsi_index_reads(b, key_of(i));
		wrong += imsi_index_reads(a, key_of(i)) != imsi_index_reads(same, key_of(i));
	}
	CU_ASSERT_TRUE(differ > 100);
	CU_ASSERT_EQUAL(wrong, 0);
	imsi_index_destroy(a);
	imsi_index_destroy(b);
	ended(same);
}

static void test_memory(void)
{
	struct imsi_index_params p = { .entries = 1 << 20, .mem = &counted };
	struct imsi_index *x;

	taken.bytes = 0;
	x = made(p.entries, 0);
	CU_ASSERT_TRUE(taken.bytes <= 20 * (size_t)p.entries + 256);
	ended(x);
	for (unsigned int left = 0; left < 2; left++) {
		taken.left = left;
		errno = 0;
		CU_ASSERT_PTR_NULL(imsi_index_create(&p));
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_EQUAL(taken.pieces, 0);
	}
	taken.left = 2;
	p.entries = 0;
	errno = 0;
	CU_ASSERT_PTR_NULL(imsi_index_create(&p));
	CU_ASSERT_EQUAL(errno, EINVAL);
	imsi_index_destroy(NULL);
}

/* Few keys, so that they meet in few buckets: against an array. */
static void test_model(void)
{
	struct imsi_index *x = made(MODEL_ENTRIES, 5);
	uint32_t model[MODEL_KEYS] = { 0 };
	uint64_t random = ut_seed(20);
	unsigned int n = 0, wrong = 0;

	for (uint32_t step = 1; step <= MODEL_STEPS; step++) {
		uint64_t r = ut_random(&random);
		uint32_t i = (uint32_t)(r >> 32) % MODEL_KEYS;

		wrong += imsi_index_find(x, key_of(i)) != model[i];
		if ((r & 3) == 0) {
			wrong += imsi_index_remove(x, key_of(i)) != (model[i] != 0);
			n -= model[i] != 0;
			model[i] = 0;
		} else if (model[i] != 0 || n < MODEL_ENTRIES) {
			wrong += imsi_index_set(x, key_of(i), step) != 0;
			n += model[i] == 0;
			model[i] = step;
		} else {
			wrong += imsi_index_set(x, key_of(i), step) != -ENOSPC;
		}
		wrong += imsi_index_count(x) != n;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	ended(x);
}

int main(void)
{
	CU_TestInfo tests[] = { { "chosen keys", test_chosen }, { "learnt", test_learnt },
		{ "full", test_full }, { "change", test_change }, { "pass", test_pass },
		{ "bounded", test_bounded }, { "forgets", test_forgets },
		{ "secrets", test_secrets }, { "memory", test_memory }, { "model", test_model },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "imsi_index", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
