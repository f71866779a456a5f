/* SPDX-License-Identifier: BSD-3-Clause */
/* sync_bed: a worker's encoder with a table, a FIFO and mbufs of its own. Each test starts with a
 * stream that runs and no audit. One file a program includes it. */
#ifndef TANDEM_SYNC_BED_H
#define TANDEM_SYNC_BED_H

#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "pool/pool.h"
#include "sync.h"
#include "ut.h"

enum {
	CAPACITY = 8192,
	PAYLOAD = 1000,
	RING = 8,
	MBUFS = 63,
	TICK = 1000,
	INTERVAL = TICK * SYNC_TICKS
};

static struct rte_mempool *mbufs;
static struct rte_ring *ring;
static struct {
	struct session_table *t;
	struct pool_set *ps;
	struct sync s;
	usec_t now;
} b;

/* One record as it left. */
struct record {
	uint8_t kind, groups;
	uint32_t handle;
	bool has_entry;
	repl_entry_t entry;
};

static inline void setup(void)
{
	struct pool_conf conf = { .name = "p", .prefix = { ip_addr_v4(0x0a000000), 16 } };
	struct session_params p = { .capacity = CAPACITY, .mem = &session_mem_libc };

	b.ps = pool_set_create(&conf, 1, &session_mem_libc);
	pool_hooks(b.ps, &p.hooks);
	b.t = session_table_create(&p);
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_own(b.t, i, 0);
	CU_ASSERT_EQUAL(sync_init(&b.s, b.t, 0, UINT64_MAX, CAPACITY, INTERVAL, mbufs, ring,
				PAYLOAD, &session_mem_libc),
		0);
	b.now = 1000000;
	sync_stream(&b.s, true, false, 0, b.now);
	b.s.job.what = AUDIT_JOB_NONE;
	audit_source_stop(b.s.source); /* no audit but where a test asks for one */
}

static inline void teardown(void)
{
	struct rte_mbuf *m;

	while (rte_ring_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	sync_fini(&b.s, &session_mem_libc);
	session_table_destroy(b.t);
	pool_set_destroy(b.ps);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(mbufs), 0);
}

static inline uint32_t create(void)
{
	static uint64_t key;
	struct session_rec r = { .pdp_type = 0x21, .key = ++key };
	uint32_t shard = (uint32_t)(key % SESSION_SHARDS);

	CU_ASSERT_EQUAL_FATAL(pool_pick(b.ps, 0, shard, &r.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(b.t, 0, &r, 0), 0);
	return r.handle;
}

static inline void mark(uint32_t handle, uint8_t groups)
{
	dirty_mark(&b.s.dirty, session_slot_of(b.t, handle), handle, groups);
}

/* A record has its entry, in order. */
static inline void unpack_entry(struct record *r, const struct stream_meta *meta, unsigned int e)
{
	r->has_entry = e < meta->n;
	r->entry = meta->entry[e];
	CU_ASSERT_EQUAL(repl_entry_handle(r->entry), r->handle);
	CU_ASSERT_EQUAL(repl_entry_groups(r->entry), r->groups);
}

/* The records of one packet; a USAGE counts as so many DELTAs. */
static inline unsigned int unpack(struct rte_mbuf *m, struct record *out)
{
	const struct stream_meta *meta = rte_mbuf_to_priv(m);
	struct rd in =
		rd_init(rte_pktmbuf_mtod(m, uint8_t *) + REPL_HEADER, m->data_len - REPL_HEADER);
	unsigned int n = 0, e = 0;

	CU_ASSERT_TRUE(m->data_len <= PAYLOAD && m->data_len == m->pkt_len);
	while (in.left > 0) {
		uint8_t kind = rd_u8(&in);
		struct rd body = rd_sub(&in, rd_u16(&in));

		CU_ASSERT_FALSE_FATAL(body.bad);
		if (kind == REPL_USAGE)
			CU_ASSERT_TRUE_FATAL(body.left > 0 && body.left % SESSION_USAGE_BYTES == 0);
		if (kind == REPL_DIGEST)
			out[n++] = (struct record){ .kind = kind };
		while (kind == REPL_USAGE && body.left > 0) {
			out[n] = (struct record){ .kind = REPL_DELTA, .groups = SESSION_G_USAGE32 };
			out[n].handle = rd_u32(&body);
			rd_bytes(&body, SESSION_USAGE_BYTES - 4);
			unpack_entry(&out[n++], meta, e++);
		}
		if (kind != REPL_SLOT && kind != REPL_DELTA)
			continue;
		out[n] = (struct record){ .kind = kind, .handle = rd_u32(&body) };
		out[n].groups = rd_u8(&body);
		CU_ASSERT_EQUAL(
			body.left + 5, session_wire_size(b.t, session_slot_of(b.t, out[n].handle),
					       out[n].groups, 1));
		unpack_entry(&out[n++], meta, e++);
	}
	CU_ASSERT_EQUAL(e, meta->n);
	rte_pktmbuf_free(m);
	return n;
}

/* The records of all finished packets, at most `packets` of them. */
static inline unsigned int drain(struct record *out, unsigned int packets)
{
	unsigned int n = 0;
	struct rte_mbuf *m;

	while (packets-- > 0 && rte_ring_dequeue(ring, (void **)&m) == 0)
		n += unpack(m, out + n);
	return n;
}

static inline void turns(unsigned int n)
{
	while (n-- > 0) {
		b.now += TICK;
		sync_turn(&b.s, b.now);
	}
}

static struct record got[4096];

static inline int eal(void)
{
	char prefix[48];
	const char *args[] = { "test_sync", "--no-huge", "--no-shconf", "--no-pci",
		"--no-telemetry", "-m", "64", "-l", "0", "--log-level", "error", "--file-prefix",
		prefix };
	char *argv[RTE_DIM(args) + 1] = { 0 };

	snprintf(prefix, sizeof(prefix), "test_sync_%d", (int)getpid());
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		argv[i] = (char *)(uintptr_t)args[i];
	if (rte_eal_init(RTE_DIM(args), argv) < 0)
		return -1;
	mbufs = rte_pktmbuf_pool_create("stream", MBUFS, 0,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN),
		2 * PAYLOAD + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	ring = rte_ring_create("out", RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return mbufs != NULL && ring != NULL ? 0 : -1;
}

#endif
