/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker may do, and how much: idle, late, policing, the rate of Error Indications,
 * bursts. */
#include "fastpath_bed.h"
#include "ut_peers.h"

CU_TestInfo *fastpath_modes(void);

static void test_idle(void)
{
	struct session_slot before;
	struct frame in, out;

	bed_reset();
	before = *bed_slot(2);
	bed.w[0].mode = FASTPATH_IDLE;
	bed.w[0].answers_unknown = true;
	for (unsigned int i = 0; i < 10; i++) {
		frame_up(&in, bed.teid[2] ^ (i & 1), BED_UE(2), BED_HOST, (uint8_t)i, 100, 0);
		bed_rx(0, &in);
		frame_down(
			&in, BED_HOST, BED_UE(2 + (i & 1)), (uint8_t)i, 1500, i & 1 ? 0x4000 : 0);
		bed_rx(0, &in);
	}
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	CU_ASSERT_EQUAL(rte_ring_count(bed.punt[0]) + rte_ring_count(bed.hand[1]), 0);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_not_active, 20);
	CU_ASSERT_EQUAL(memcmp(&before, bed_slot(2), sizeof(before)), 0);
	CU_ASSERT_FALSE(dirty_any(&bed.dirty[0]));
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	in.b[43] = 1; /* Echo Request */
	bed_rx(0, &in);
	CU_ASSERT_TRUE(bed_take(bed.punt[0], &out) && frame_equal("echo while idle", &out, &in));
}

/* From the moment on at which its time to serve is over, an owner is as one that is idle. */
static void test_lapsed(void)
{
	struct frame in, out;

	bed_reset();
	atomic_store(&bed.role.serve_until, bed.w[0].now_tsc + 1);
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	bed_rx(0, &in);
	CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out));
	bed.w[0].now_tsc++;
	bed.w[0].answers_unknown = true;
	bed_rx(0, &in);
	frame_up(&in, bed.teid[2] ^ 2, BED_UE(2), BED_HOST, 64, 100, 0);
	bed_rx(0, &in);
	frame_down(&in, BED_HOST, BED_UE(2), 64, 900, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	CU_ASSERT_EQUAL(rte_ring_count(bed.punt[0]), 0);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_not_active, 3);
	CU_ASSERT_EQUAL(bed.w[0].mode, FASTPATH_OWN);
	/* Late packets are forwarded for the one that serves now. */
	bed.w[0].mode = FASTPATH_LATE;
	bed_rx(0, &in);
	CU_ASSERT_TRUE(bed_sent(0, BED_ACCESS, &out));
	/* A longer lease counts at once. */
	bed.w[0].mode = FASTPATH_OWN;
	atomic_store(&bed.role.serve_until, ROLE_FOR_EVER);
	bed_rx(0, &in);
	CU_ASSERT_TRUE(bed_sent(0, BED_ACCESS, &out));
}

static void test_late(void)
{
	struct session_slot *s = bed_slot(2), before;
	struct frame in, out, want;

	bed_reset();
	/* not obeyed: the theoretical arrival times are the owner's */
	CU_ASSERT_EQUAL(police_rate_set(&bed.settings.apn[0].up, 8, clock_hz), 0);
	CU_ASSERT_EQUAL(police_rate_set(&bed.settings.apn[0].down, 8, clock_hz), 0);
	bed.w[0].mode = FASTPATH_LATE;
	bed.w[0].streaming = false;
	before = *s;
	for (unsigned int i = 0; i < 50; i++) {
		bed.w[0].now_tsc++;
		frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 1000, 0);
		want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), BED_HOST, 63, 1000, 0);
		bed_rx(0, &in);
		CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal("late up", &out, &want));
		frame_down(&in, BED_HOST, BED_UE(2), 64, 900, 0);
		want_down(&want, 0xabcd0002, BED_HOST, BED_UE(2), 63, 900, 0);
		put16(want.b + 18, i * 2);
		sum_ip(want.b + 14);
		bed_rx(0, &in);
		CU_ASSERT_TRUE(
			bed_sent(0, BED_ACCESS, &out) && frame_equal("late down", &out, &want));
	}
	before.up_pkts += 50;
	before.up_bytes += 50000;
	before.dn_pkts += 50;
	before.dn_bytes += 45000;
	before.active_s = 1000;
	CU_ASSERT_EQUAL(memcmp(&before, s, sizeof(before)), 0);
	CU_ASSERT_EQUAL(bed.w[0].count.late_packets, 100);
	CU_ASSERT_EQUAL(bed.w[0].late_last_tsc, bed.w[0].now_tsc);
	/* While the record is being written nothing is known of it. */
	atomic_fetch_add(&s->seq, 1);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_no_session_down, 1);
	atomic_fetch_sub(&s->seq, 1);
	/* An unknown TEID is for the new owner to answer. */
	bed.w[0].answers_unknown = true;
	frame_up(&in, bed.teid[2] ^ 2, BED_UE(2), BED_HOST, 64, 100, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(rte_ring_count(bed.punt[0]), 0);
	/* What it counts goes out whole. */
	bed.w[0].streaming = true;
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(s->dirty, SESSION_G_USAGE64);
	bed_reset();
}

static void test_dirty_once(void)
{
	struct frame in;
	uint32_t handle;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	bed.w[0].streaming = false;
	bed_rx(0, &in);
	CU_ASSERT_FALSE(dirty_any(&bed.dirty[0]));
	bed.w[0].streaming = true;
	for (unsigned int i = 0; i < 5; i++)
		bed_rx(0, &in);
	for (unsigned int i = 0; i < 3; i++)
		dirty_tick(&bed.dirty[0]);
	fastpath_prefetch_due(&bed.w[0], 64); /* takes nothing out */
	CU_ASSERT_TRUE(dirty_next(&bed.dirty[0], bed.t, &handle));
	CU_ASSERT_EQUAL(handle, bed.teid[2]);
	CU_ASSERT_FALSE(dirty_next(&bed.dirty[0], bed.t, &handle));
	bed_reset();
}

/* Bytes that pass in `seconds` when ten times the rate is offered in packets of 1000 bytes. */
static uint64_t passes(bool up, unsigned int seconds)
{
	uint64_t hz = rte_get_tsc_hz(), bytes = 0;
	struct frame in, out;

	if (up)
		frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 1000, 0);
	else
		frame_down(&in, BED_HOST, BED_UE(2), 64, 1000, 0);
	for (unsigned int i = 0; i < seconds * 1250; i++) { /* 10 Mbit/s */
		bed.w[0].now_tsc += hz / 1250;
		bed_rx(0, &in);
		bytes += bed_sent(0, up ? BED_CORE : BED_ACCESS, &out) ? 1000 : 0;
	}
	return bytes;
}

static void test_policing(void)
{
	bed_reset();
	CU_ASSERT_EQUAL(police_rate_set(&bed.settings.apn[0].up, 1000, clock_hz), 0);
	for (unsigned int up = 0; up < 2; up++) {
		uint64_t bytes = passes(up, 4), want = up ? 4 * 125000 + 15000 : 4 * 1250000;

		CU_ASSERT_TRUE(bytes <= want && bytes + 3000 >= want);
		CU_ASSERT_EQUAL(up ? bed_slot(2)->up_bytes : bed_slot(2)->dn_bytes, bytes);
	}
	CU_ASSERT_EQUAL(bed.w[0].count.drop_policed_up, 5000 - bed_slot(2)->up_pkts);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_policed_down, 0);
	CU_ASSERT_TRUE(bed_slot(2)->up_tat != 0 && bed_slot(2)->dn_tat == 0);
	bed_reset();
	CU_ASSERT_EQUAL(police_rate_set(&bed.settings.apn[0].down, 2000, clock_hz), 0);
	CU_ASSERT_TRUE(passes(false, 4) <= 4 * 250000 + 25000);
	CU_ASSERT_TRUE(bed.w[0].count.drop_policed_down > 3900);
	CU_ASSERT_EQUAL(passes(true, 1), 1250000);
	CU_ASSERT_TRUE(bed_slot(2)->up_tat == 0 && bed_slot(2)->dn_tat != 0);
	bed_reset();
}

/* An unknown TEID of a session that is perhaps gone, as that SGSN sends it. */
static void unknown(struct frame *f, uint32_t sgsn, uint32_t teid)
{
	frame_up(f, teid, BED_UE(2), BED_HOST, 64, 100, 0);
	put32(f->b + 26, sgsn);
	sum_ip(f->b + 14);
}

static void test_unknown_teid_rate(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct frame in, out;
	unsigned int n = 0;

	bed_reset();
	unknown(&in, BED_SGSN, bed.teid[2] ^ 2);
	bed_rx(0, &in);
	CU_ASSERT_FALSE(bed_take(bed.punt[0], &out));
	bed.w[0].answers_unknown = true;
	for (unsigned int i = 0; i < 10000; i++) { /* 1000 a second */
		bed.w[0].now_tsc += hz / 1000;
		bed_rx(0, &in);
		if (bed_take(bed.punt[0], &out)) {
			CU_ASSERT_TRUE(frame_equal("unknown TEID", &out, &in));
			n++;
		}
	}
	CU_ASSERT_TRUE(n >= 10 && n <= 11); /* one a second is said about one TEID */
	CU_ASSERT_EQUAL(bed.w[0].count.drop_no_session_up, 10001);
}

/* A stranger with ever other TEIDs has what is shared, and beside it an honest SGSN has its ten a
 * second. TEID 0 is dropped, however seldom it comes. */
static void test_unknown_teid_share(void)
{
	uint64_t hz = rte_get_tsc_hz();
	struct frame in, out;
	unsigned int strangers = 0, honest = 0;

	bed_reset();
	peers_drop(bed.settings.peers); /* a network of them: who is no peer is not looked at */
	bed.settings.peers = ut_peers(BED_SGSN & ~UINT32_C(0xff), 24, 1 << BED_ACCESS);
	bed.w[0].answers_unknown = true;
	unknown(&in, BED_SGSN, 0);
	bed_rx(0, &in);
	CU_ASSERT_FALSE(bed_take(bed.punt[0], &out));
	CU_ASSERT_EQUAL(bed.w[0].count.drop_gtpu_teid_zero, 1);
	for (unsigned int i = 0; i < 20000; i++) { /* 10,000 a second for 2 seconds */
		bed.w[0].now_tsc += hz / 10000;
		unknown(&in, BED_SGSN + 1, bed.teid[2] ^ (2 + 2 * (i % 16000)));
		bed_rx(0, &in);
		strangers += bed_take(bed.punt[0], &out);
		if (i % 1000 != 0)
			continue;
		unknown(&in, BED_SGSN, bed.teid[2] ^ (0x8000 + 2 * (i / 1000)));
		bed_rx(0, &in);
		honest += bed_take(bed.punt[0], &out);
	}
	CU_ASSERT_EQUAL(honest, 20);
	CU_ASSERT_TRUE(strangers >= 200 && strangers <= 230);
}

/* A mixed burst ends as its packets one by one do. */
static void test_burst(void)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	struct frame in, out;
	unsigned int n = 0;

	bed_reset();
	for (unsigned int i = 0; i < FASTPATH_BURST; i++) {
		unsigned int ue = 1 + i % BED_SESSIONS;

		if (i % 3 == 0) {
			frame_down(&in, BED_HOST, BED_UE(ue), 64, (uint16_t)(100 + i), 0);
			in.b[5] = BED_BOTH;
		} else {
			frame_up(&in, bed.teid[ue], BED_UE(ue), BED_HOST, 64, (uint16_t)(100 + i),
				0);
			in.b[5] = BED_BOTH;
			in.b[43] = i % 7 == 0 ? 1 : 255;
		}
		m[i] = bed_mbuf(&in);
	}
	fastpath_rx(&bed.w[0], BED_BOTH, m, FASTPATH_BURST);
	fastpath_flush(&bed.w[0]);
	while (bed_handed(1) > 0)
		;
	for (unsigned int w = 0; w < 2; w++) {
		while (bed_sent(w, BED_CORE, &out) || bed_sent(w, BED_ACCESS, &out))
			n++;
		while (bed_take(bed.punt[w], &out))
			n++;
		CU_ASSERT_EQUAL(bed_drops(w), 0);
	}
	CU_ASSERT_EQUAL(n, FASTPATH_BURST);
}

static void test_send(void)
{
	struct frame in, out;

	bed_reset();
	frame_down(&in, BED_HOST, BED_UE(1), 64, 100, 0);
	fastpath_send(&bed.w[0], BED_REPL, bed_mbuf(&in));
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	fastpath_flush(&bed.w[0]);
	in.port = BED_REPL;
	CU_ASSERT_TRUE(bed_sent(0, BED_REPL, &out) && frame_equal("the kernel's", &out, &in));
	fastpath_send(&bed.w[0], BED_DARK, bed_mbuf(&in));
	CU_ASSERT_EQUAL(bed.w[0].count.drop_link_down, 1);
	fastpath_send(&bed.w[0], WORKER_PORTS, bed_mbuf(&in));
	CU_ASSERT_EQUAL(bed.w[0].count.drop_wrong_port, 1);
}

/* One packet to the subscriber in this mode, and whether it went out. */
static bool modes_goes_down(enum fastpath_mode mode)
{
	struct frame in, out;

	bed.w[0].mode = mode;
	frame_down(&in, BED_HOST, BED_UE(2), 64, 100, 0);
	bed_rx(0, &in);
	return bed_sent(0, BED_ACCESS, &out);
}

/* What a slot says of packets to its subscriber holds for its owner, and in late mode. */
static void test_downlink_action(void)
{
	struct session_slot *s = bed_slot(2);

	for (unsigned int late = 0; late < 2; late++) {
		enum fastpath_mode mode = late ? FASTPATH_LATE : FASTPATH_OWN;
		uint64_t pkts;

		bed_reset();
		pkts = s->dn_pkts;
		s->dn_action = SESSION_DROP;
		CU_ASSERT_FALSE(modes_goes_down(mode));
		s->dn_action = UINT8_MAX; /* of a later version */
		CU_ASSERT_FALSE(modes_goes_down(mode));
		CU_ASSERT_EQUAL(bed.w[0].count.drop_action, 2);
		CU_ASSERT_EQUAL(s->dn_pkts, pkts);
		s->dn_action = SESSION_FORWARD;
		CU_ASSERT_TRUE(modes_goes_down(mode));
		CU_ASSERT_EQUAL(bed.w[0].count.drop_action, 2);
	}
	bed_reset();
}

/* To an SGSN whose address is not IPv4, or that has none, no packet goes: the last octets of the
 * address are nobody's, and a default route leads to neither. */
static void test_sgsn_not_ipv4(void)
{
	static const char *const addresses[] = { "2001:db8::a08:1", "0.0.0.0" };
	struct ip_prefix half = { ip_addr_v4(0), 1 }; /* as the FIB has a default route */
	struct session_slot *s = bed_slot(2);
	uint8_t was[16];

	memcpy(was, s->peer_usr, sizeof(was));
	CU_ASSERT_EQUAL(fib_put(bed.fib, INSTANCE_MAIN, &half, BED_ADJ_SGSN), 0);
	for (unsigned int i = 0; i < 2 * RTE_DIM(addresses); i++) {
		struct ip_addr a;

		bed_reset();
		CU_ASSERT_EQUAL(ip_addr_parse(addresses[i / 2], &a), 0);
		memcpy(s->peer_usr, a.b, sizeof(s->peer_usr));
		s->nh_gen = 0; /* as the door leaves it when the address moves */
		CU_ASSERT_FALSE(modes_goes_down(i % 2 ? FASTPATH_LATE : FASTPATH_OWN));
		CU_ASSERT_EQUAL(bed.w[0].count.drop_no_route, 1);
	}
	memcpy(s->peer_usr, was, sizeof(was));
	CU_ASSERT_EQUAL(fib_remove(bed.fib, INSTANCE_MAIN, &half), 0);
	bed_reset();
	CU_ASSERT_TRUE(modes_goes_down(FASTPATH_OWN));
	bed_reset();
}

CU_TestInfo *fastpath_modes(void)
{
	static CU_TestInfo tests[] = {
		{ "idle", test_idle },
		{ "time to serve is over", test_lapsed },
		{ "late", test_late },
		{ "dirty_once", test_dirty_once },
		{ "policing", test_policing },
		{ "unknown_teid_rate", test_unknown_teid_rate },
		{ "unknown_teid_share", test_unknown_teid_share },
		{ "burst", test_burst },
		{ "send", test_send },
		{ "downlink_action", test_downlink_action },
		{ "sgsn_not_ipv4", test_sgsn_not_ipv4 },
		CU_TEST_INFO_NULL,
	};

	return tests;
}
