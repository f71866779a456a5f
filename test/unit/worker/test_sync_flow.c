/* SPDX-License-Identifier: BSD-3-Clause */
/* What the encoder leaves alone while there is little room at the wire. */
#include "sync_bed.h"

/* Little room at the wire: usage waits as dirty slots and collapses; signalling, lost or new, does
 * not wait. */
static void test_deltas_wait(void)
{
	struct flow_limits few = { .delta = 1, .bulk = 1 };
	uint32_t handle[200];
	unsigned int n;

	b.s.limits = &few;
	for (unsigned int i = 0; i < 200; i++)
		handle[i] = create();
	for (unsigned int k = 0; k < 5; k++) {
		for (unsigned int i = 0; i < 200; i++)
			mark(handle[i], SESSION_G_USAGE32);
		turns(SYNC_TICKS);
	}
	n = rte_ring_count(ring);
	CU_ASSERT_TRUE(n >= 1 && n <= 3); /* what one turn may add */
	CU_ASSERT_NOT_EQUAL(sync_commit(&b.s, handle[0], b.now), 0);
	turns(1); /* commits leave at the end of their turn */
	CU_ASSERT_TRUE(rte_ring_count(ring) > n);
	drain(got, RING);
	atomic_store(&few.delta, 0);
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle[1], 0, SESSION_G_USAGE32) }, 1);
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle[2], 7, SESSION_G_SLOT) }, 1);
	turns(5);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, handle[2]);
	atomic_store(&few.delta, RING);
	turns(5);
	CU_ASSERT_TRUE(drain(got, RING) > 100);
	CU_ASSERT_EQUAL(got[0].handle, handle[1]);
}

/* Bulk fills the FIFO to its own mark only; where deltas alone fill all there is, it has one packet
 * in so many. */
static void test_bulk_waits(void)
{
	struct flow_limits few = { .delta = 3, .bulk = 1 };
	unsigned int slots = 0, deltas = 0, k;
	uint32_t handle[400];

	for (unsigned int i = 0; i < 400; i++)
		handle[i] = create();
	sync_stream(&b.s, true, false, 0, b.now);
	while (b.s.count.digests_sent < CAPACITY / SESSION_BUCKET / SYNC_BUCKETS) {
		turns(1);
		drain(got, RING);
	}
	b.s.limits = &few;
	for (uint32_t bucket = 0; bucket < 40; bucket++)
		sync_want(&b.s, AUDIT_WANT_WHOLE, bucket, 1);
	turns(20);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 1);
	b.s.next_tick = USEC_NEVER; /* no interval: the load is endless */
	for (unsigned int i = 0; i < 300; i++) {
		for (unsigned int j = 0; j < 400; j++)
			mark(handle[j], SESSION_G_USAGE32);
		dirty_due_now(&b.s.dirty);
		turns(1);
		k = drain(got, 1);
		while (k-- > 0) {
			slots += got[k].kind == REPL_SLOT;
			deltas += got[k].kind == REPL_DELTA;
		}
	}
	/* A packet holds 39 of the one or 5 of the other, of slots never used 19. */
	CU_ASSERT_TRUE(slots >= 300 / (SYNC_SHARE + 1) * 3 && slots <= 300 / SYNC_SHARE * 13);
	CU_ASSERT_TRUE(deltas >= (300 - 300 / SYNC_SHARE * 2) * 25);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "deltas wait", test_deltas_wait },
		{ "bulk waits", test_bulk_waits }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "sync_flow", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	if (eal() < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
