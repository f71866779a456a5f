/* SPDX-License-Identifier: BSD-3-Clause */
/* The owner's side of the audit. */
#include <string.h>

#include "repl/audit.h"
#include "ut.h"

/* Shards 1 and 3 of 200 buckets each. */
static void test_source_pass(void)
{
	static const struct {
		uint32_t bucket, n;
	} want[] = { { 200, 128 }, { 328, 72 }, { 600, 128 }, { 728, 72 } };
	struct audit_source *s = audit_source_create(1 << 1 | 1 << 3, 200);
	struct audit_job job;
	usec_t now = 1000;

	CU_ASSERT_EQUAL(audit_source_next(s, now).what, AUDIT_JOB_NONE);
	audit_source_join(s, 4000, now);
	for (unsigned int pass = 0; pass < 3; pass++)
		for (unsigned int i = 0; i < 4; i++) {
			if (pass > 0 && (pass > 1 || i > 0)) {
				/* Paced: 400 buckets in 4 ms. */
				usec_t due =
					1000 + (pass - 1) * 4000 + (i / 2 * 200 + i % 2 * 128) * 10;

				CU_ASSERT_EQUAL(audit_source_next(s, due - 1).what, AUDIT_JOB_NONE);
				now = due;
			}
			job = audit_source_next(s, now);
			CU_ASSERT_EQUAL(job.what, AUDIT_JOB_DIGEST);
			CU_ASSERT_EQUAL(job.bucket, want[i].bucket);
			CU_ASSERT_EQUAL(job.n, want[i].n);
			audit_source_again(s, &job);
			job = audit_source_next(s, now);
			CU_ASSERT_EQUAL(job.bucket, want[i].bucket);
		}
	audit_source_stop(s);
	CU_ASSERT_EQUAL(audit_source_next(s, now + 1000000).what, AUDIT_JOB_NONE);
	audit_source_destroy(s);
}

/* Another interval in the middle of a pass: what is left takes its share of that. */
static void test_source_interval(void)
{
	struct audit_source *s = audit_source_create(1, 512);
	usec_t now = 1000000;

	audit_source_interval(s, 4096, now); /* nothing runs */
	audit_source_join(s, 4096, now);
	for (unsigned int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(audit_source_next(s, now).what, AUDIT_JOB_DIGEST);
	CU_ASSERT_EQUAL(audit_source_next(s, now).bucket, 0);
	/* 128 of 512 in, half way to the next 128 */
	now += 512;
	audit_source_interval(s, 40960, now);
	CU_ASSERT_EQUAL(audit_source_next(s, now).bucket, 128);
	CU_ASSERT_EQUAL(audit_source_next(s, now + 10239).what, AUDIT_JOB_NONE);
	CU_ASSERT_EQUAL(audit_source_next(s, now + 10240).bucket, 256);
	now += 10240;
	audit_source_interval(s, 4096, now);
	CU_ASSERT_EQUAL(audit_source_next(s, now).bucket, 384);
	CU_ASSERT_EQUAL(audit_source_next(s, now + 1023).what, AUDIT_JOB_NONE);
	CU_ASSERT_EQUAL(audit_source_next(s, now + 1024).bucket, 0);
	audit_source_destroy(s);
}

static void test_source_wants(void)
{
	struct audit_source *s = audit_source_create(1 << 1 | 1 << 3, 200);
	struct audit_job job;

	audit_source_want(s, AUDIT_WANT_LEVEL2, 200, 0); /* nobody joined */
	audit_source_join(s, 0, 0);
	audit_source_want(s, AUDIT_WANT_SLOTS, 210, 1);
	audit_source_want(s, AUDIT_WANT_LEVEL2, 211, 0);
	audit_source_want(s, AUDIT_WANT_SLOTS, 210, 4);
	audit_source_want(s, AUDIT_WANT_LEVEL2, 211, 0);
	audit_source_want(s, AUDIT_WANT_LEVEL2, 210, 0);
	audit_source_want(s, AUDIT_WANT_WHOLE, 398, 204); /* over what is not ours */
	audit_source_want(s, AUDIT_WANT_WHOLE, 0, 7);
	audit_source_want(s, AUDIT_WANT_LEVEL2, UINT32_MAX, 0);
	audit_source_want(s, AUDIT_WANT_WHOLE, UINT32_MAX - 1, UINT64_MAX);
	audit_source_want(s, 77, 210, 1);

	static const struct {
		unsigned int what;
		uint32_t bucket;
		uint64_t mask;
	} want[] = {
		{ AUDIT_JOB_SLOTS, 210, 5 },
		{ AUDIT_JOB_LEVEL2, 211, 0 },
		{ AUDIT_JOB_SLOTS, 398, UINT64_MAX },
		{ AUDIT_JOB_SLOTS, 399, UINT64_MAX },
		{ AUDIT_JOB_SLOTS, 600, UINT64_MAX },
		{ AUDIT_JOB_SLOTS, 601, UINT64_MAX },
		{ AUDIT_JOB_LEVEL2, 210, 0 },
	};
	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		job = audit_source_next(s, 0);
		CU_ASSERT_EQUAL(job.what, want[i].what);
		CU_ASSERT_EQUAL(job.bucket, want[i].bucket);
		CU_ASSERT_EQUAL(job.mask, want[i].mask);
	}
	audit_source_again(s, &job);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).bucket, 210);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).what, AUDIT_JOB_DIGEST);
	audit_source_destroy(s);
}

/* However many workers there are, each bucket is hashed once a pass, by one of them, and each want
 * is one worker's: the other chassis may have any other number. */
static void test_source_partition(void)
{
	static const unsigned int workers[] = { 1, 2, 3, 4, 7, 16, 64 };
	enum { PER_SHARD = 5, ALL = 64 * PER_SHARD };

	for (unsigned int i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		unsigned int hashed[ALL] = { 0 }, wanted[ALL] = { 0 };

		for (unsigned int k = 0; k < workers[i]; k++) {
			struct audit_source *s;
			struct audit_job job;
			uint64_t shards = 0;

			for (unsigned int shard = k; shard < 64; shard += workers[i])
				shards |= UINT64_C(1) << shard;
			s = audit_source_create(shards, PER_SHARD);
			audit_source_join(s, 0, 0);
			while ((job = audit_source_next(s, 0)).what != AUDIT_JOB_NONE)
				for (uint32_t b = job.bucket; b < job.bucket + job.n; b++)
					hashed[b]++;
			for (uint32_t b = 0; b < ALL; b++)
				audit_source_want(s, AUDIT_WANT_LEVEL2, b, 0);
			while ((job = audit_source_next(s, 0)).what != AUDIT_JOB_NONE)
				wanted[job.bucket]++;
			audit_source_destroy(s);
		}
		for (uint32_t b = 0; b < ALL; b++)
			CU_ASSERT_TRUE(hashed[b] == 1 && wanted[b] == 1);
	}
}

/* A request for all hashes begins the pass anew, once for each number; what is wanted stays so. */
static void test_source_request(void)
{
	struct audit_source *s = audit_source_create(1, 200);
	struct audit_progress p;

	audit_source_want(s, AUDIT_WANT_PASS, 7, 0); /* nobody joined */
	audit_source_join(s, 0, 0);
	audit_source_next(s, 0);
	audit_source_next(s, 0);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).what, AUDIT_JOB_NONE);
	audit_source_want(s, AUDIT_WANT_SLOTS, 3, 1);
	audit_source_want(s, AUDIT_WANT_PASS, 7, 0);
	audit_source_progress(s, &p);
	CU_ASSERT_TRUE(p.full_speed && p.hashed == 0 && p.buckets == 200 && p.wanted == 1);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).what, AUDIT_JOB_SLOTS);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).n, AUDIT_DIGESTS);
	audit_source_want(s, AUDIT_WANT_PASS, 7, 0); /* again */
	CU_ASSERT_EQUAL(audit_source_next(s, 0).n, 200 - AUDIT_DIGESTS);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).what, AUDIT_JOB_NONE);
	audit_source_want(s, AUDIT_WANT_PASS, 8, 0);
	CU_ASSERT_EQUAL(audit_source_next(s, 0).n, AUDIT_DIGESTS);
	audit_source_destroy(s);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "source_pass", test_source_pass },
		{ "source_interval", test_source_interval },
		{ "source_wants", test_source_wants },
		{ "source_partition", test_source_partition },
		{ "source_request", test_source_request },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "audit_source", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
