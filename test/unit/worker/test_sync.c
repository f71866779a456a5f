/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's encoder: what changes reaches the FIFO whole, once and in order, whatever room there
 * is. */
#include "sync_bed.h"

static const struct session_end end = { .why = SESSION_WHY_REQUEST };

/* Changed slots wait out their interval, collapse, and fill packets. */
static void test_fill(void)
{
	uint32_t handle[200];
	unsigned int n, packets;

	for (unsigned int i = 0; i < 200; i++)
		handle[i] = create();
	for (unsigned int k = 0; k < 3; k++)
		for (unsigned int i = 0; i < 200; i++)
			mark(handle[i], SESSION_G_USAGE32);
	turns(SYNC_TICKS - 2);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 0);
	turns(10);
	packets = rte_ring_count(ring);
	n = drain(got, RING);
	CU_ASSERT_EQUAL(n, 200);
	for (unsigned int i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(got[i].kind, REPL_DELTA);
		CU_ASSERT_EQUAL(got[i].groups, SESSION_G_USAGE32);
		CU_ASSERT_EQUAL(got[i].handle, handle[i]);
		CU_ASSERT_EQUAL(repl_entry_commit(got[i].entry), 0);
	}
	/* 960 bytes: a record's head, and 20 for each of them */
	CU_ASSERT_EQUAL(packets, 200 / 47 + 1);
	CU_ASSERT_EQUAL(b.s.count.micro_sent, 200);
}

static bool sync_sent_after(usec_t us)
{
	for (usec_t until = b.now + us; b.now < until; b.now += TICK / 10)
		sync_turn(&b.s, b.now);
	return drain(got, RING) > 0;
}

/* Another interval counts from now on, for what has changed already, too. */
static void test_times(void)
{
	uint32_t handle = create();

	turns(SYNC_TICKS);
	sync_times(&b.s, 10 * INTERVAL, 0, b.now);
	mark(handle, SESSION_G_USAGE32);
	CU_ASSERT_FALSE(sync_sent_after(5 * INTERVAL));
	sync_times(&b.s, INTERVAL, 0, b.now);
	CU_ASSERT_TRUE(sync_sent_after(INTERVAL + TICK));
	mark(handle, SESSION_G_USAGE32);
	CU_ASSERT_FALSE(sync_sent_after(INTERVAL - 2 * TICK));
	CU_ASSERT_TRUE(sync_sent_after(3 * TICK));
}

/* An entry for every record: a packet ends at its 64th even with room for more. */
static void test_entries(void)
{
	uint32_t handle[REPL_ENTRIES + 1];

	b.s.payload = PAYLOAD * 9;
	for (unsigned int i = 0; i <= REPL_ENTRIES; i++) {
		handle[i] = create();
		mark(handle[i], SESSION_G_USAGE32);
	}
	b.s.payload =
		RTE_MIN(rte_pktmbuf_data_room_size(mbufs) - RTE_PKTMBUF_HEADROOM, PAYLOAD * 2);
	turns(SYNC_TICKS + 3);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 2);
	for (struct rte_mbuf *m; rte_ring_dequeue(ring, (void **)&m) == 0; rte_pktmbuf_free(m)) {
		const struct stream_meta *meta = rte_mbuf_to_priv(m);

		CU_ASSERT_TRUE(meta->n == REPL_ENTRIES || meta->n == 1);
	}
}

/* The FIFO full, then a packet's room at a time: nothing is lost, nothing doubled, and order is
 * kept. */
static void test_full(void)
{
	uint32_t handle[500];
	unsigned int n = 0;

	for (unsigned int i = 0; i < 500; i++) {
		handle[i] = create();
		mark(handle[i], SESSION_G_TUNNEL);
	}
	turns(SYNC_TICKS + 20);
	CU_ASSERT_TRUE(rte_ring_full(ring));
	CU_ASSERT_TRUE(b.s.count.no_room > 0);
	for (unsigned int i = 0; i < 200; i++) {
		n += drain(got + n, 1);
		turns(1);
	}
	n += drain(got + n, RING);
	CU_ASSERT_EQUAL_FATAL(n, 500);
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL(got[i].handle, handle[i]);
	for (unsigned int i = 0; i < 500; i++)
		CU_ASSERT_EQUAL(session_slot_of(b.t, handle[i])->dirty, 0);
}

/* No mbuf is no room too. */
static void test_no_mbuf(void)
{
	struct rte_mbuf *all[MBUFS];
	uint32_t handle = create();
	unsigned int n = 0;

	while (n < MBUFS && (all[n] = rte_pktmbuf_alloc(mbufs)) != NULL)
		n++;
	mark(handle, SESSION_G_USAGE32);
	turns(SYNC_TICKS + 5);
	CU_ASSERT_TRUE(b.s.count.no_mbuf > 0);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 0);
	rte_pktmbuf_free_bulk(all, n);
	turns(3);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, handle);
}

/* Commits leave at the end of their turn, all in one packet; with no room they wait and carry their
 * numbers when they go. */
static void test_commit(void)
{
	uint32_t handle = create(), second = create(), late[3], commit, after[3];
	unsigned int n;

	commit = sync_commit(&b.s, handle, b.now);
	CU_ASSERT_NOT_EQUAL(commit, 0);
	CU_ASSERT_EQUAL(sync_commit(&b.s, second, b.now), commit + 1);
	sync_turn(&b.s, b.now);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 1);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 2);
	CU_ASSERT_EQUAL(got[0].kind, REPL_SLOT);
	CU_ASSERT_EQUAL(repl_entry_commit(got[0].entry), commit);
	CU_ASSERT_EQUAL(repl_entry_commit(got[1].entry), commit + 1);
	sync_turn(&b.s, b.now); /* nothing is left behind */
	CU_ASSERT_EQUAL(rte_ring_count(ring), 0);
	for (n = 0; !rte_ring_full(ring); n++) {
		sync_commit(&b.s, handle, b.now);
		sync_turn(&b.s, b.now);
	}
	for (unsigned int i = 0; i < 3; i++) {
		late[i] = create();
		after[i] = sync_commit(&b.s, late[i], b.now);
		CU_ASSERT_EQUAL(after[i], commit + 2 + n + i);
	}
	drain(got, RING);
	turns(3);
	n = drain(got, RING);
	CU_ASSERT_EQUAL_FATAL(n, 3);
	for (unsigned int i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(got[i].handle, late[i]);
		CU_ASSERT_EQUAL(got[i].kind, REPL_SLOT);
		CU_ASSERT_TRUE(repl_entry_commit(got[i].entry) >= after[i]);
	}
}

/* Of what is no whole record nobody may conclude that a commit has arrived. */
static void test_part_promises_nothing(void)
{
	uint32_t handle = create(), commit = sync_commit(&b.s, handle, b.now);

	sync_turn(&b.s, b.now);
	drain(got, RING);
	mark(handle, SESSION_G_USAGE32);
	turns(SYNC_TICKS + 3);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(repl_entry_commit(got[0].entry), 0);
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle, commit, SESSION_G_SLOT) }, 1);
	turns(2);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].kind, REPL_SLOT);
	CU_ASSERT_EQUAL(repl_entry_commit(got[0].entry), commit);
}

/* What was lost comes back: usage as 64 bits, an ended session as free, a new one in its place
 * under its own handle. */
static void test_lost(void)
{
	uint32_t handle = create(), next;
	struct session_slot *s = session_slot_of(b.t, handle);

	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle, 0, SESSION_G_USAGE32) }, 1);
	turns(2);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].groups, SESSION_G_USAGE64);
	CU_ASSERT_EQUAL(session_free(b.t, 0, handle, &end), 0);
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle, 0, SESSION_G_USAGE32) }, 1);
	turns(2);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].kind, REPL_SLOT);
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle, 0, SESSION_G_TUNNEL) }, 1);
	session_quarantine_expire(b.t, 0, session_handle_shard(handle), 1, 64);
	b.t->shard[session_handle_shard(handle)].cursor = session_handle_slot(b.t, handle);
	for (next = create(); session_handle_shard(next) != session_handle_shard(handle);)
		next = create();
	CU_ASSERT_PTR_EQUAL(session_slot_of(b.t, next), s);
	CU_ASSERT_NOT_EQUAL(next, handle);
	turns(2);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, next); /* unpack: and so says its entry */
}

/* Late mode: own usage of live sessions, whole, and nothing else. */
static void test_late(void)
{
	uint32_t live = create(), dead = create();

	session_slot_of(b.t, live)->up_pkts = 5;
	mark(live, SESSION_G_TUNNEL | SESSION_G_QOS);
	mark(dead, SESSION_G_USAGE64);
	session_free(b.t, 0, dead, &end);
	b.s.late = true;
	CU_ASSERT_EQUAL(sync_commit(&b.s, live, b.now), 0);
	sync_want(&b.s, AUDIT_WANT_WHOLE, 0, 4);
	turns(SYNC_TICKS + 5);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].kind, REPL_DELTA);
	CU_ASSERT_EQUAL(got[0].handle, live);
	CU_ASSERT_EQUAL(got[0].groups, SESSION_G_USAGE64);
	CU_ASSERT_EQUAL(b.s.count.late_sent, 1);
}

/* A drain takes what was dirty at its beginning, waits for room, and leaves the list as it has to
 * be. */
static void test_drain(void)
{
	uint32_t handle[300], later = create(), mark_at;
	unsigned int n = 0;
	bool over = false;

	turns(3);
	for (unsigned int i = 0; i < 300; i++) {
		handle[i] = create();
		mark(handle[i], SESSION_G_TUNNEL);
	}
	mark_at = sync_drain_begin(&b.s);
	mark(later, SESSION_G_USAGE64);
	for (unsigned int i = 0; i < 200 && !over; i++) {
		over = sync_drained(&b.s, mark_at, b.now);
		if (!over)
			n += drain(got + n, 1);
	}
	CU_ASSERT_TRUE_FATAL(over);
	CU_ASSERT_PTR_NULL(b.s.open);
	n += drain(got + n, RING);
	CU_ASSERT_EQUAL_FATAL(n, 300);
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL(got[i].handle, handle[i]);
	/* Paused: repairs go out, what waits in the list does not, however long. */
	b.s.paused = true;
	sync_lost(&b.s, &(repl_entry_t){ repl_entry(handle[7], 0, SESSION_G_TUNNEL) }, 1);
	turns(2 * SYNC_TICKS);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, handle[7]);
	b.s.paused = false;
	turns(3);
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, later);
}

/* After a drain, which took entries before their time, the list goes on as before: the interval
 * holds, and the next drain misses nothing. */
static void test_after_drain(void)
{
	uint32_t handle = create(), next = create();

	turns(SYNC_TICKS);
	mark(handle, SESSION_G_TUNNEL);
	CU_ASSERT_TRUE(sync_drained(&b.s, sync_drain_begin(&b.s), b.now));
	CU_ASSERT_EQUAL(drain(got, RING), 1);
	turns(3);
	mark(next, SESSION_G_TUNNEL);
	turns(SYNC_TICKS - 3);
	CU_ASSERT_EQUAL(rte_ring_count(ring), 0);
	CU_ASSERT_TRUE(sync_drained(&b.s, sync_drain_begin(&b.s), b.now));
	CU_ASSERT_EQUAL_FATAL(drain(got, RING), 1);
	CU_ASSERT_EQUAL(got[0].handle, next);
}

/* A wanted bucket larger than all room: every slot once, then its digest. */
static void test_want(void)
{
	unsigned int n = 0;

	sync_stream(&b.s, false, false, 0, b.now);
	CU_ASSERT_PTR_NULL(b.s.open);
	sync_stream(&b.s, true, false, 0, b.now);
	for (unsigned int i = 0; i < 64; i++)
		turns(1);
	while (drain(got, RING) > 0) /* the join's cycle */
		turns(4);
	for (unsigned int i = 0; i < 300; i++)
		create();
	sync_want(&b.s, AUDIT_WANT_WHOLE, 2, 1);
	for (unsigned int i = 0; i < 400; i++) {
		n += drain(got + n, 1);
		turns(1);
	}
	CU_ASSERT_EQUAL_FATAL(n, SESSION_BUCKET + 1);
	for (unsigned int i = 0; i < SESSION_BUCKET; i++) {
		CU_ASSERT_EQUAL(got[i].kind, REPL_SLOT);
		CU_ASSERT_EQUAL(session_handle_slot(b.t, got[i].handle), i);
	}
	CU_ASSERT_EQUAL(got[SESSION_BUCKET].kind, REPL_DIGEST);
}

/* What a digest speaks of has been sent before it, in the same FIFO. */
static void test_digest_behind(void)
{
	uint32_t handle = create();
	uint32_t bucket =
		session_handle_shard(handle) * b.t->buckets + session_handle_slot(b.t, handle) / 64;
	unsigned int n;

	sync_stream(&b.s, true, false, 0, b.now);
	while (b.s.source != NULL && b.s.count.digests_sent < CAPACITY / SESSION_BUCKET / 2) {
		turns(1);
		drain(got, RING);
	}
	mark(handle, SESSION_G_QOS);
	sync_want(&b.s, AUDIT_WANT_LEVEL2, bucket, 0);
	turns(3);
	n = drain(got, RING);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_EQUAL(got[0].handle, handle);
	CU_ASSERT_EQUAL(got[1].kind, REPL_DIGEST);
	CU_ASSERT_EQUAL(session_slot_of(b.t, handle)->dirty, 0);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "packets are filled", test_fill }, { "times", test_times },
		{ "entries", test_entries }, { "FIFO full", test_full },
		{ "no mbuf", test_no_mbuf }, { "commit", test_commit },
		{ "a part promises nothing", test_part_promises_nothing }, { "lost", test_lost },
		{ "late mode", test_late }, { "drain", test_drain },
		{ "after a drain", test_after_drain }, { "wanted bucket", test_want },
		{ "digest behind what it speaks of", test_digest_behind }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "sync", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	if (eal() < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
