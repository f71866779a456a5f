/* SPDX-License-Identifier: BSD-3-Clause */
/* Too big, too old, too many: fragments, ICMP errors, full queues, subscriber to subscriber,
 * hand-over. */
#include <rte_cycles.h>

#include "fastpath_bed.h"

#include <rte_ip.h>

CU_TestInfo *fastpath_edges(void);

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* An ICMP error at p about the IP packet `about` of which at most 548 bytes are quoted. */
static void check_icmp(const uint8_t *p, uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
	uint16_t mtu, const uint8_t *about)
{
	uint16_t total = get16(p + 2), quoted = get16(about + 2) > 548 ? 548 : get16(about + 2);

	CU_ASSERT_EQUAL(total, 28 + quoted);
	CU_ASSERT_EQUAL(p[9], 1);
	CU_ASSERT_EQUAL(get32(p + 12), src);
	CU_ASSERT_EQUAL(get32(p + 16), dst);
	CU_ASSERT_EQUAL(rte_ipv4_cksum((const struct rte_ipv4_hdr *)p), 0);
	CU_ASSERT_EQUAL(p[20], type);
	CU_ASSERT_EQUAL(p[21], code);
	CU_ASSERT_EQUAL(get16(p + 24), 0);
	CU_ASSERT_EQUAL(get16(p + 26), mtu);
	CU_ASSERT_EQUAL(rte_raw_cksum(p + 20, total - 20u), 0xffff);
	CU_ASSERT_EQUAL(memcmp(p + 28, about, quoted), 0);
}

static void test_frag_needed_down(void)
{
	struct frame in, out;

	bed_reset();
	frame_down(&in, BED_HOST, BED_UE(1), 64, 1465, 0x4000);
	bed_rx(1, &in);
	CU_ASSERT_TRUE(bed_sent(1, BED_CORE, &out));
	CU_ASSERT_EQUAL(memcmp(out.b, mac_adj(BED_ADJ_CORE), 6), 0);
	check_icmp(out.b + 14, BED_TWIN(BED_CORE), BED_HOST, 3, 4, 1464, in.b + 14);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_too_big, 1);
	CU_ASSERT_EQUAL(bed.w[1].count.icmp_sent, 1);
	CU_ASSERT_EQUAL(bed_slot(1)->dn_pkts, 0);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	frame_down(&in, BED_HOST, BED_UE(1), 64, 1464, 0x4000);
	bed_rx(1, &in);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out));
}

/* To the subscriber, through its own tunnel. */
static void test_frag_needed_up(void)
{
	struct frame in, out;

	bed_reset();
	frame_up(&in, bed.teid[1], BED_UE(1), IP4(10, 70, 0, 9), 64, 577, 0x4000);
	bed_rx(1, &in);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out));
	CU_ASSERT_EQUAL(get32(out.b + 46), 0xabcd0001);
	check_icmp(out.b + 50, BED_TWIN(BED_CORE), BED_UE(1), 3, 4, 576, in.b + 50);
	CU_ASSERT_EQUAL(out.b[50 + 8], 64);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_too_big, 1);
	CU_ASSERT_EQUAL(bed_slot(1)->up_pkts, 0);
}

static void test_time_exceeded(void)
{
	struct frame in, out;

	for (unsigned int ue = 1; ue <= 2; ue++) {
		bed_reset();
		frame_up(&in, bed.teid[ue], BED_UE(ue), BED_HOST, 1, 60, 0);
		bed_rx(ue & 1, &in);
		CU_ASSERT_TRUE(bed_sent(ue & 1, BED_ACCESS, &out));
		check_icmp(out.b + 50, BED_TWIN(BED_CORE), BED_UE(ue), 11, 0, 0, in.b + 50);
		frame_down(&in, BED_HOST, BED_UE(ue), 1, 60, 0);
		bed_rx(ue & 1, &in);
		CU_ASSERT_TRUE(bed_sent(ue & 1, BED_CORE, &out));
		check_icmp(out.b + 14, BED_TWIN(BED_CORE), BED_HOST, 11, 0, 0, in.b + 14);
		CU_ASSERT_EQUAL(bed.w[ue & 1].count.drop_ttl, 2);
		CU_ASSERT_EQUAL(bed_sent_n(), 0);
	}
}

static void test_no_icmp_about(void)
{
	static const struct {
		const char *what;
		uint32_t src;
		uint16_t flags;
		uint8_t proto, type;
		bool answered;
	} about[] = {
		{ "UDP", BED_HOST, 0, 17, 0, true },
		{ "echo request", BED_HOST, 0, 1, 8, true },
		{ "first fragment", BED_HOST, 0x2000, 17, 0, true },
		{ "later fragment", BED_HOST, 0x0003, 17, 0, false },
		{ "unreachable", BED_HOST, 0, 1, 3, false },
		{ "source quench", BED_HOST, 0, 1, 4, false },
		{ "redirect", BED_HOST, 0, 1, 5, false },
		{ "time exceeded", BED_HOST, 0, 1, 11, false },
		{ "parameter problem", BED_HOST, 0, 1, 12, false },
		{ "multicast source", IP4(224, 1, 1, 1), 0, 17, 0, false },
		{ "broadcast source", 0xffffffff, 0, 17, 0, false },
		{ "loopback source", IP4(127, 0, 0, 1), 0, 17, 0, false },
		{ "no source", 0, 0, 17, 0, false },
	};
	struct frame in, out;

	for (unsigned int i = 0; i < RTE_DIM(about); i++) {
		bool answered;

		bed_reset();
		frame_down(&in, about[i].src, BED_UE(1), 1, 60, about[i].flags);
		in.b[23] = about[i].proto;
		in.b[34] = about[i].type;
		sum_ip(in.b + 14);
		bed_rx(1, &in);
		answered = bed_sent(1, BED_CORE, &out);
		CU_ASSERT_EQUAL(answered, about[i].answered);
		if (answered != about[i].answered)
			fprintf(stderr, "%s: answered %d\n", about[i].what, answered);
		CU_ASSERT_EQUAL(bed.w[1].count.drop_ttl, 1);
	}
}

/* About one session no more leaves than its share, and what is left out is counted. */
static void test_icmp_rate(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct frame in, out;
	unsigned int n = 0;

	bed_reset();
	frame_down(&in, BED_HOST, BED_UE(1), 1, 60, 0);
	for (unsigned int i = 0; i < 20000; i++) { /* 10,000 a second for 2 seconds */
		bed.w[1].now_tsc += hz / 10000;
		bed_rx(1, &in);
		n += bed_sent(1, BED_CORE, &out);
	}
	CU_ASSERT_TRUE(n >= 100 && n <= 151); /* and a second's worth at once */
	CU_ASSERT_EQUAL(bed.w[1].count.drop_ttl, 20000);
	CU_ASSERT_EQUAL(bed.w[1].count.icmp_sent, n);
	CU_ASSERT_EQUAL(bed.w[1].count.icmp_limited, 20000 - n);
}

/* Beside a flood by one host another one has its own ten a second. */
static void test_icmp_share(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct frame stranger, honest, out;
	unsigned int n = 0;

	bed_reset();
	bed.w[1].icmp.rates.shared = 1; /* the bed has too few sessions to spend a thousand */
	frame_down(&stranger, BED_HOST, BED_UE(1), 1, 60, 0);
	frame_down(&honest, BED_HOST + 1, BED_UE(3), 1, 60, 0);
	for (unsigned int i = 0; i < 20000; i++) {
		bed.w[1].now_tsc += hz / 10000;
		bed_rx(1, &stranger);
		while (bed_sent(1, BED_CORE, &out))
			;
		if (i % 1000 != 0)
			continue;
		bed_rx(1, &honest);
		n += bed_sent(1, BED_CORE, &out);
	}
	CU_ASSERT_EQUAL(n, 20);
}

/* Puts the fragments that come out of a port together again: `at` is the offset of IP in a
 * frame. */
static uint16_t reassemble(
	unsigned int w, uint16_t port, uint16_t mtu, uint8_t *packet, unsigned int *n)
{
	uint16_t total = 0, end = 0;
	struct frame out;

	for (*n = 0; bed_sent(w, port, &out); (*n)++) {
		const uint8_t *ip = out.b + 14;
		uint16_t len = (uint16_t)(get16(ip + 2) - 20),
			 at = (uint16_t)((get16(ip + 6) & 0x1fff) * 8);

		CU_ASSERT_EQUAL(out.len, 14 + 20 + len);
		CU_ASSERT_TRUE(20 + len <= mtu);
		CU_ASSERT_EQUAL(rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip), 0);
		CU_ASSERT_EQUAL(at, end);
		end = (uint16_t)(at + len);
		if (at == 0)
			memcpy(packet, ip, 20);
		CU_ASSERT_EQUAL(memcmp(packet + 12, ip + 12, 8), 0);
		CU_ASSERT_EQUAL(memcmp(packet + 4, ip + 4, 2), 0);
		memcpy(packet + 20 + at, ip + 20, len);
		if (!(get16(ip + 6) & 0x2000))
			total = (uint16_t)(20 + end);
	}
	put16(packet + 2, total);
	put16(packet + 6, 0);
	sum_ip(packet);
	return total;
}

static void test_fragments(void)
{
	static const uint16_t big[] = { 1465, 1466, 1500, 2000, 3000 };
	uint8_t packet[4096];
	struct frame in, want;
	unsigned int n;

	for (unsigned int i = 0; i < RTE_DIM(big); i++) {
		bed_reset();
		frame_down(&in, BED_HOST, BED_UE(1), 64, big[i], 0);
		want_down(&want, 0xabcd0001, BED_HOST, BED_UE(1), 63, big[i], 0);
		put16(want.b + 18, 1);
		sum_ip(want.b + 14);
		bed_rx(1, &in);
		CU_ASSERT_EQUAL(reassemble(1, BED_ACCESS, 1500, packet, &n), big[i] + 36);
		CU_ASSERT_EQUAL(memcmp(packet, want.b + 14, big[i] + 36u), 0);
		CU_ASSERT_TRUE(n >= 2);
		CU_ASSERT_EQUAL(bed.w[1].count.fragmented, 1);
		CU_ASSERT_EQUAL(bed_slot(1)->dn_bytes, big[i]);
		bed_reset();
		frame_up(&in, bed.teid[1], BED_UE(1), IP4(10, 70, 0, 9), 64, big[i], 0);
		want_up(&want, BED_ADJ_NARROW, BED_NARROW, BED_UE(1), IP4(10, 70, 0, 9), 63, big[i],
			0);
		bed_rx(1, &in);
		CU_ASSERT_EQUAL(reassemble(1, BED_NARROW, 576, packet, &n), big[i]);
		CU_ASSERT_EQUAL(memcmp(packet, want.b + 14, big[i]), 0);
		CU_ASSERT_EQUAL(bed_drops(1), 0);
	}
}

static void test_no_mbuf(void)
{
	struct rte_mbuf *held[512];
	struct frame in;
	unsigned int n = rte_mempool_avail_count(bed.direct);

	bed_reset();
	CU_ASSERT_EQUAL(rte_pktmbuf_alloc_bulk(bed.direct, held, n), 0);
	frame_down(&in, BED_HOST, BED_UE(1), 64, 1500, 0);
	bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_no_mbuf, 1);
	frame_down(&in, BED_HOST, BED_UE(1), 1, 1500, 0);
	bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_no_mbuf, 2);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	rte_pktmbuf_free_bulk(held, n);
}

static void test_full_queues(void)
{
	struct frame in;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 60, 0);
	for (unsigned int i = 0; i < 300; i++)
		bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_tx_full, 300 - (BED_TX_RING - 1));
	for (unsigned int i = 0; i < 100; i++) /* to worker 0 from a worker that does not own it */
		bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed.w[1].count.handed_over, 63);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_handover_full, 37);
	put16(in.b + 12, 0x0806);
	for (unsigned int i = 0; i < 100; i++)
		bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed.w[1].count.punted, 63);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_punt_full, 37);
	bed_reset();
}

static void test_handover(void)
{
	struct rte_mbuf *m;
	struct frame in, out, want;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), BED_HOST, 63, 100, 0);
	bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	CU_ASSERT_EQUAL(bed_handed(0), 1);
	CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal("handed up", &out, &want));
	frame_down(&in, BED_HOST, BED_UE(1), 64, 100, 0);
	want_down(&want, 0xabcd0001, BED_HOST, BED_UE(1), 63, 100, 0);
	put16(want.b + 18, 1);
	sum_ip(want.b + 14);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed_handed(1), 1);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out) && frame_equal("handed down", &out, &want));
	CU_ASSERT_EQUAL(bed.w[0].count.handed_over + bed.w[1].count.handed_over, 2);
	CU_ASSERT_EQUAL(bed.w[0].count.handed_in + bed.w[1].count.handed_in, 2);
	/* A frame never goes to a third worker. */
	m = bed_mbuf(&in);
	m->port = in.port;
	CU_ASSERT_EQUAL(rte_ring_enqueue(bed.hand[0], m), 0);
	bed_handed(0);
	CU_ASSERT_EQUAL(rte_ring_count(bed.hand[1]) + bed_sent_n(), 0);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_not_active, 1);
}

static void test_ue_to_ue(void)
{
	static const struct {
		unsigned int from, to;
	} pair[] = { { 1, 3 }, { 2, 4 }, { 1, 2 }, { 2, 1 }, { 1, 1 } };
	struct frame in, out, want;

	for (unsigned int i = 0; i < RTE_DIM(pair); i++) {
		unsigned int from = pair[i].from, to = pair[i].to;

		bed_reset();
		frame_up(&in, bed.teid[from], BED_UE(from), BED_UE(to), 64, 200, 0);
		want_down(&want, 0xabcd0000 + to, BED_UE(from), BED_UE(to), 63, 200, 0);
		put16(want.b + 18, to & 1);
		sum_ip(want.b + 14);
		bed_rx(from & 1, &in);
		CU_ASSERT_EQUAL(bed_handed(to & 1), (from & 1) != (to & 1));
		CU_ASSERT_TRUE(bed_sent(to & 1, BED_ACCESS, &out) &&
			       frame_equal("subscribers", &out, &want));
		CU_ASSERT_EQUAL(bed_slot(from)->up_bytes, 200);
		CU_ASSERT_EQUAL(bed_slot(to)->dn_bytes, 200);
		CU_ASSERT_EQUAL(bed.w[from & 1].count.ue_to_ue, 1);
		CU_ASSERT_EQUAL(bed_sent_n(), 0);
	}
	/* An error about it finds its way back over both workers. */
	bed_reset();
	frame_up(&in, bed.teid[1], BED_UE(1), BED_UE(2), 1, 200, 0);
	bed_rx(1, &in);
	bed_handed(0);
	bed_handed(1);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out));
	check_icmp(out.b + 50, BED_TWIN(BED_CORE), BED_UE(1), 11, 0, 0, in.b + 50);
}

static void test_unresolved(void)
{
	struct frame in;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), IP4(10, 68, 3, 4), 64, 60, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed.w[0].unresolved, (uint64_t)BED_CORE << 32 | IP4(10, 68, 3, 4));
	CU_ASSERT_EQUAL(bed.w[0].count.drop_unresolved, 1);
}

/* A packet whose next hop is only just asked for waits for the answer, in both directions, and is
 * counted once. */
static void test_held(void)
{
	const uint64_t ms = rte_get_tsc_hz() / 1000;
	struct fastpath *f = &bed.w[0];
	struct frame in, out, want;

	bed_reset();
	f->held_not_before = 0;
	frame_up(&in, bed.teid[2], BED_UE(2), IP4(10, 68, 3, 4), 64, 60, 0);
	bed_rx(0, &in);
	bed_rx(0, &in);
	frame_down(&in, BED_HOST, BED_UE(2), 64, 100, 0);
	CU_ASSERT_EQUAL(bed_route(BED_SGSN, BED_ADJ_SILENT), 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(f->n_held, 3);
	CU_ASSERT_EQUAL(f->unresolved, (uint64_t)BED_CORE << 32 | IP4(10, 68, 3, 4));
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	f->now_tsc += ms;
	fastpath_flush(f);
	CU_ASSERT_EQUAL(f->n_held, 3);
	CU_ASSERT_EQUAL(bed_route(IP4(10, 68, 3, 4), BED_ADJ_CORE), 0);
	CU_ASSERT_EQUAL(bed_route(BED_SGSN, BED_ADJ_SGSN), 0);
	f->now_tsc += ms;
	fastpath_flush(f);
	fastpath_flush(f);
	CU_ASSERT_EQUAL(f->n_held, 0);
	CU_ASSERT_EQUAL(bed_drops(0), 0);
	want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), IP4(10, 68, 3, 4), 63, 60, 0);
	CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal("held up", &out, &want));
	CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal("held up", &out, &want));
	CU_ASSERT_TRUE(bed_sent(0, BED_ACCESS, &out));
	CU_ASSERT_EQUAL(f->count.up_rx_packets, 2);
	CU_ASSERT_EQUAL(f->count.up_tx_packets, 2);
	CU_ASSERT_EQUAL(f->count.down_rx_packets, 1);
	CU_ASSERT_EQUAL(f->count.handed_in, 0);
	bed_route(IP4(10, 68, 3, 4), FIB_NONE);
}

/* One that never answers: dropped when the window ends, and nothing is held for a while. */
static void test_held_in_vain(void)
{
	const uint64_t ms = rte_get_tsc_hz() / 1000;
	struct fastpath *f = &bed.w[0];
	struct frame in;

	bed_reset();
	f->held_not_before = 0;
	frame_up(&in, bed.teid[2], BED_UE(2), IP4(10, 68, 3, 4), 64, 60, 0);
	for (unsigned int i = 0; i < FASTPATH_HELD + 5; i++)
		bed_rx(0, &in);
	CU_ASSERT_EQUAL(f->n_held, FASTPATH_HELD);
	CU_ASSERT_EQUAL(f->count.drop_unresolved, 5);
	f->now_tsc += 201 * ms;
	fastpath_flush(f);
	CU_ASSERT_EQUAL(f->n_held, 0);
	CU_ASSERT_EQUAL(f->count.drop_unresolved, FASTPATH_HELD + 5);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(f->n_held, 0);
	f->now_tsc += 1001 * ms;
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(f->n_held, 1);
	bed_reset();
}

CU_TestInfo *fastpath_edges(void)
{
	static CU_TestInfo tests[] = {
		{ "frag_needed_down", test_frag_needed_down },
		{ "frag_needed_up", test_frag_needed_up },
		{ "time_exceeded", test_time_exceeded },
		{ "no_icmp_about", test_no_icmp_about },
		{ "icmp_rate", test_icmp_rate },
		{ "icmp_share", test_icmp_share },
		{ "fragments", test_fragments },
		{ "no_mbuf", test_no_mbuf },
		{ "full_queues", test_full_queues },
		{ "handover", test_handover },
		{ "ue_to_ue", test_ue_to_ue },
		{ "unresolved", test_unresolved },
		{ "held", test_held },
		{ "held_in_vain", test_held_in_vain },
		CU_TEST_INFO_NULL,
	};

	return tests;
}
