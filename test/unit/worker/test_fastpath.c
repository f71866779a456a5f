/* SPDX-License-Identifier: BSD-3-Clause */
#include "fastpath_bed.h"
#include "ut_peers.h"

#include <rte_ip.h>

CU_TestInfo *fastpath_edges(void);
CU_TestInfo *fastpath_modes(void);

static const uint16_t sizes[] = { 20, 21, 28, 46, 64, 100, 576, 1400, 1500 };

static void test_uplink_bytes(void)
{
	struct frame in, out, want;

	for (unsigned int i = 0; i < RTE_DIM(sizes); i++) {
		struct session_slot *s = bed_slot(2);

		bed_reset();
		frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, sizes[i], 0x4000);
		want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), BED_HOST, 63, sizes[i], 0x4000);
		bed_rx(0, &in);
		CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal("uplink", &out, &want));
		CU_ASSERT_EQUAL(bed_sent_n(), 0);
		CU_ASSERT_EQUAL(s->up_pkts, 1);
		CU_ASSERT_EQUAL(s->up_bytes, sizes[i]);
		CU_ASSERT_EQUAL(s->dn_pkts, 0);
		CU_ASSERT_EQUAL(s->active_s, 1000);
		CU_ASSERT_EQUAL(s->dirty, SESSION_G_USAGE32);
		CU_ASSERT_EQUAL(bed.w[0].count.up_tx_packets, 1);
		CU_ASSERT_EQUAL(bed.w[0].count.up_tx_bytes, sizes[i]);
		CU_ASSERT_EQUAL(bed_drops(0), 0);
	}
}

/* Puts n bytes between two parts of a frame. */
static void insert(struct frame *f, unsigned int at, const uint8_t *bytes, unsigned int n)
{
	memmove(f->b + at + n, f->b + at, f->len - at);
	memcpy(f->b + at, bytes, n);
	f->len = (uint16_t)(f->len + n);
}

/* The outer lengths after the frame grew by n bytes behind the outer IP header. */
static void grow(struct frame *f, unsigned int n)
{
	put16(f->b + 16, (f->b[16] << 8 | f->b[17]) + n);
	put16(f->b + 38, (f->b[38] << 8 | f->b[39]) + n);
	put16(f->b + 44, (f->b[44] << 8 | f->b[45]) + n);
	sum_ip(f->b + 14);
}

static void test_uplink_forms(void)
{
	static const uint8_t seq[] = { 0x12, 0x34, 0, 0 };
	static const uint8_t ext[] = { 0, 0, 0, 0x85, 1, 0x10, 0, 0xc0, 1, 0, 1, 0 };
	static const uint8_t nops[] = { 1, 1, 1, 0 };
	static const uint8_t tail[30] = { 0xee };
	static const char *const form[] = { "plain", "sequence number", "two extension headers",
		"outer options", "link padding", "more in the tunnel than the packet",
		"UDP checksum that is no one's business", "checksum flag good" };
	struct frame in, out, want;

	for (unsigned int i = 0; i < RTE_DIM(form); i++) {
		bed_reset();
		frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 60, 0);
		want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), BED_HOST, 63, 60, 0);
		if (i == 1 || i == 2) {
			in.b[42] = i == 1 ? 0x32 : 0x34;
			insert(&in, 50, i == 1 ? seq : ext, i == 1 ? sizeof(seq) : sizeof(ext));
			grow(&in, i == 1 ? sizeof(seq) : sizeof(ext));
		} else if (i == 3) {
			insert(&in, 34, nops, sizeof(nops));
			in.b[14] = 0x46;
			put16(in.b + 16, 60 + 36 + 4);
			sum_ip(in.b + 14);
		} else if (i == 4) {
			insert(&in, in.len, tail, sizeof(tail));
		} else if (i == 5) {
			insert(&in, in.len, tail, sizeof(tail));
			grow(&in, sizeof(tail));
		} else if (i == 6) {
			put16(in.b + 40, 0xbad);
		}
		if (i == 7) {
			struct rte_mbuf *m;

			put16(in.b + 24, 0xbad);
			m = bed_mbuf(&in);
			m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
			fastpath_rx(&bed.w[0], in.port, &m, 1);
			fastpath_flush(&bed.w[0]);
		} else {
			bed_rx(0, &in);
		}
		CU_ASSERT_TRUE(bed_sent(0, BED_CORE, &out) && frame_equal(form[i], &out, &want));
	}
}

static void test_downlink_bytes(void)
{
	struct session_slot *s = bed_slot(1);
	struct frame in, out, want;

	for (unsigned int i = 0; i < RTE_DIM(sizes) - 1; i++) {
		bed_reset();
		frame_down(&in, BED_HOST, BED_UE(1), 17, sizes[i], 0x4000);
		if (in.len < 60)
			in.len = 60; /* as a link pads it */
		want_down(&want, 0xabcd0001, BED_HOST, BED_UE(1), 16, sizes[i], 0x4000);
		/* looked up, then from the slot */
		for (unsigned int round = 0; round < 3; round++) {
			bed_rx(1, &in);
			/* identification: every other one */
			put16(want.b + 18, (round * 2 + 1) & 0xffff);
			sum_ip(want.b + 14);
			CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out) &&
				       frame_equal("downlink", &out, &want));
			CU_ASSERT_EQUAL(rte_ipv4_cksum((struct rte_ipv4_hdr *)(out.b + 14)), 0);
		}
		CU_ASSERT_EQUAL(s->dn_pkts, 3);
		CU_ASSERT_EQUAL(s->dn_bytes, 3u * sizes[i]);
		CU_ASSERT_EQUAL(s->up_pkts, 0);
		CU_ASSERT_EQUAL(s->nh_gen, 7);
		CU_ASSERT_EQUAL(bed.w[1].count.down_tx_bytes, 3u * sizes[i]);
		CU_ASSERT_EQUAL(bed_drops(1), 0);
	}
}

/* Every value that an incremental checksum can meet, the other zero included. */
static void test_uplink_checksums(void)
{
	struct frame in, out, want;
	unsigned int wrong = 0;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 60, 0);
	want_up(&want, BED_ADJ_CORE, BED_CORE, BED_UE(2), BED_HOST, 63, 60, 0);
	for (unsigned int id = 0; id < 65536; id++) {
		put16(in.b + 54, id);
		sum_ip(in.b + 50);
		put16(want.b + 18, id);
		sum_ip(want.b + 14);
		bed_rx(0, &in);
		wrong += !(bed_sent(0, BED_CORE, &out) && frame_equal("checksum", &out, &want));
		if (in.b[60] != 0 || in.b[61] != 0)
			continue;
		put16(in.b + 60, 0xffff);
		bed_rx(0, &in);
		wrong += !(bed_sent(0, BED_CORE, &out) &&
			   rte_ipv4_cksum((struct rte_ipv4_hdr *)(out.b + 14)) == 0);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* What the port says of the checksum is believed. */
static void test_checksum_bad(void)
{
	struct frame in;
	struct rte_mbuf *m;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 60, 0);
	m = bed_mbuf(&in);
	m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
	fastpath_rx(&bed.w[0], in.port, &m, 1);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_outer_checksum, 1);
}

/* An address that still names a slot which has another one by now: for a moment during a change, no
 * session. */
static void test_downlink_other_address(void)
{
	_Atomic uint32_t *entry = &bed.ps->p[0].handle[BED_UE(200) & 0xffff];
	struct frame in;

	bed_reset();
	*entry = bed.teid[2];
	frame_down(&in, BED_HOST, BED_UE(200), 64, 100, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_no_session_down, 1);
	*entry = 0;
}

/* A change of the FIB makes the hop in the slot worthless. */
static void test_downlink_hop_changes(void)
{
	struct frame in, out;

	bed_reset();
	frame_down(&in, BED_HOST, BED_UE(1), 64, 100, 0);
	bed_rx(1, &in);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out));
	CU_ASSERT_EQUAL(bed_route(BED_SGSN, BED_ADJ_SILENT), 0);
	bed_rx(1, &in);
	CU_ASSERT_EQUAL(bed_sent_n(), 0);
	CU_ASSERT_EQUAL(bed.w[1].count.drop_unresolved, 1);
	CU_ASSERT_EQUAL(bed.fib->adj[BED_ADJ_SILENT].wanted, 1);
	CU_ASSERT_EQUAL(bed_route(BED_SGSN, BED_ADJ_SGSN), 0);
	bed_rx(1, &in);
	CU_ASSERT_TRUE(bed_sent(1, BED_ACCESS, &out));
}

/* What becomes of a frame that is changed in a few bytes. */
enum base { UP, DOWN };
enum { PUNT = -1, NOTHING = -2 };
#define C(name) (int)(offsetof(struct fastpath_counters, name) / sizeof(uint64_t))

static const struct row {
	const char *what;
	enum base base;
	struct {
		uint16_t at;
		uint8_t b[4], n;
	} set[3];
	bool sum_outer, sum_inner;
	int16_t cut; /* bytes off the end */
	uint16_t port;
	int want;
} rows[] = {
	{ "ARP", UP, { { 12, { 8, 6 }, 2 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "IPv6", DOWN, { { 12, { 0x86, 0xdd }, 2 } }, 0, 0, 0, BED_CORE, PUNT },
	{ "VLAN tag", DOWN, { { 12, { 0x81, 0 }, 2 } }, 0, 0, 0, BED_CORE, PUNT },
	{ "broadcast frame", DOWN, { { 0, { 255, 255, 255, 255 }, 4 }, { 4, { 255, 255 }, 2 } }, 0,
		0, 0, BED_CORE, PUNT },
	{ "another station's", DOWN, { { 5, { 0x77 }, 1 } }, 0, 0, 0, BED_CORE, PUNT },
	{ "too short for IPv4", DOWN, { { 0, { 0 }, 0 } }, 0, 0, 81, BED_CORE, PUNT },
	{ "empty frame", DOWN, { { 0, { 0 }, 0 } }, 0, 0, 114, BED_CORE, PUNT },
	{ "to the twin", DOWN, { { 30, { 10, 7, 1, 1 }, 4 } }, 1, 0, 0, BED_CORE, PUNT },
	{ "pool on an access port", DOWN, { { 5, { BED_ACCESS }, 1 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "pool on the replication port", DOWN, { { 5, { BED_REPL }, 1 } }, 0, 0, 0, BED_REPL,
		PUNT },
	{ "pool on a port that is both", DOWN, { { 5, { BED_BOTH }, 1 } }, 0, 0, 0, BED_BOTH,
		NOTHING },
	{ "G-PDU on a core port", UP, { { 5, { BED_CORE }, 1 } }, 0, 0, 0, BED_CORE, PUNT },
	{ "G-PDU on a port that is both", UP, { { 5, { BED_BOTH }, 1 } }, 0, 0, 0, BED_BOTH,
		NOTHING },
	{ "GTP-C", UP, { { 36, { 0x08, 0x4b }, 2 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "TCP to the VIP", UP, { { 23, { 6 }, 1 } }, 1, 0, 0, BED_ACCESS, PUNT },
	{ "first fragment", UP, { { 20, { 0x20, 0 }, 2 } }, 1, 0, 0, BED_ACCESS, PUNT },
	{ "last fragment", UP, { { 20, { 0, 9 }, 2 } }, 1, 0, 0, BED_ACCESS, PUNT },
	{ "Echo Request", UP, { { 43, { 1 }, 1 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "Echo Response", UP, { { 43, { 2 }, 1 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "Error Indication", UP, { { 43, { 26 }, 1 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "Supported Extension Headers", UP, { { 43, { 31 }, 1 } }, 0, 0, 0, BED_ACCESS, PUNT },
	{ "unknown extension, required", UP,
		{ { 42, { 0x34 }, 1 }, { 50, { 0, 0, 0, 0xff }, 4 }, { 54, { 1, 0, 0, 0 }, 4 } }, 0,
		0, 0, BED_ACCESS, PUNT },
	{ "unknown extension, not required", UP,
		{ { 42, { 0x34 }, 1 }, { 50, { 0, 0, 0, 0x3f }, 4 }, { 54, { 1, 0, 0, 0 }, 4 } }, 0,
		0, 0, BED_ACCESS, C(drop_inner_malformed) },
	{ "End Marker", UP, { { 43, { 254 }, 1 } }, 0, 0, 0, BED_ACCESS, C(end_markers) },
	{ "unknown type", UP, { { 43, { 77 }, 1 } }, 0, 0, 0, BED_ACCESS,
		C(drop_gtpu_unknown_type) },
	{ "version 2", UP, { { 42, { 0x50 }, 1 } }, 0, 0, 0, BED_ACCESS, C(drop_gtpu_version) },
	{ "GTP prime", UP, { { 42, { 0x20 }, 1 } }, 0, 0, 0, BED_ACCESS, C(drop_gtpu_version) },
	{ "GTP-U longer than UDP", UP, { { 44, { 0, 101 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_gtpu_length) },
	{ "no room for GTP-U", UP, { { 38, { 0, 15 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_gtpu_length) },
	{ "extension of length 0", UP,
		{ { 42, { 0x34 }, 1 }, { 50, { 0, 0, 0, 0xc0 }, 4 }, { 54, { 0 }, 1 } }, 0, 0, 0,
		BED_ACCESS, C(drop_gtpu_extension) },
	{ "UDP longer than IP", UP, { { 38, { 0, 117 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "UDP length 7", UP, { { 38, { 0, 7 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "no room for UDP", UP, { { 16, { 0, 27 }, 2 } }, 1, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "IP version 5", UP, { { 14, { 0x55 }, 1 } }, 1, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "IP header of 16", UP, { { 14, { 0x44 }, 1 } }, 1, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "IP longer than the frame", UP, { { 16, { 0, 137 }, 2 } }, 1, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "IP shorter than its header", UP, { { 16, { 0, 19 }, 2 } }, 1, 0, 0, BED_ACCESS,
		C(drop_outer_malformed) },
	{ "cut frame", UP, { { 0, { 0 }, 0 } }, 0, 0, 1, BED_ACCESS, C(drop_outer_malformed) },
	{ "options past the frame", DOWN, { { 14, { 0x4f }, 1 }, { 16, { 0, 24 }, 2 } }, 0, 0, 76,
		BED_CORE, C(drop_outer_malformed) },
	{ "outer checksum", UP, { { 24, { 1, 2 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_outer_checksum) },
	{ "downlink checksum", DOWN, { { 24, { 1, 2 }, 2 } }, 0, 0, 0, BED_CORE,
		C(drop_outer_checksum) },
	{ "downlink cut", DOWN, { { 0, { 0 }, 0 } }, 0, 0, 1, BED_CORE, C(drop_outer_malformed) },
	{ "a stranger's G-PDU", UP, { { 29, { 2 }, 1 } }, 1, 0, 0, BED_ACCESS,
		C(drop_no_peer_user) },
	{ "a G-PDU of nobody", UP, { { 26, { 0, 0, 0, 0 }, 4 } }, 1, 0, 0, BED_ACCESS,
		C(drop_no_peer_user) },
	{ "a stranger's Echo Request", UP, { { 29, { 2 }, 1 }, { 43, { 1 }, 1 } }, 1, 0, 0,
		BED_ACCESS, C(drop_no_peer_user) },
	{ "a stranger's GTP-C", UP, { { 29, { 2 }, 1 }, { 36, { 0x08, 0x4b }, 2 } }, 1, 0, 0,
		BED_ACCESS, C(drop_no_peer_control) },
	{ "a stranger's other UDP", UP, { { 29, { 2 }, 1 }, { 36, { 0x08, 0x4c }, 2 } }, 1, 0, 0,
		BED_ACCESS, PUNT },
	{ "a stranger's fragment", UP, { { 29, { 2 }, 1 }, { 20, { 0x20, 0 }, 2 } }, 1, 0, 0,
		BED_ACCESS, PUNT },
	{ "unknown TEID", UP, { { 49, { 0xee }, 1 } }, 0, 0, 0, BED_ACCESS, C(drop_no_session_up) },
	{ "TEID 0", UP, { { 46, { 0 }, 4 } }, 0, 0, 0, BED_ACCESS, C(drop_gtpu_teid_zero) },
	{ "empty G-PDU", UP, { { 44, { 0, 0 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "inner IPv6", UP, { { 50, { 0x60 }, 1 } }, 0, 0, 0, BED_ACCESS, C(drop_inner_not_ipv4) },
	{ "inner of 19 bytes", UP, { { 44, { 0, 19 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "inner header of 16", UP, { { 50, { 0x44 }, 1 } }, 0, 1, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "inner options past the tunnel", UP, { { 50, { 0x4f }, 1 }, { 44, { 0, 40 }, 2 } }, 0, 0,
		0, BED_ACCESS, C(drop_inner_malformed) },
	{ "inner longer than the tunnel", UP, { { 52, { 0, 101 }, 2 } }, 0, 1, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "inner shorter than its header", UP, { { 52, { 0, 19 }, 2 } }, 0, 1, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "inner checksum", UP, { { 60, { 1, 2 }, 2 } }, 0, 0, 0, BED_ACCESS,
		C(drop_inner_malformed) },
	{ "another's source", UP, { { 65, { 4 }, 1 } }, 0, 1, 0, BED_ACCESS, C(drop_spoofed) },
	{ "no route", UP, { { 66, { 99, 1, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS, C(drop_no_route) },
	{ "to multicast", UP, { { 66, { 224, 0, 0, 5 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_no_route) },
	{ "to loopback", UP, { { 66, { 127, 0, 0, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_no_route) },
	{ "to the GTP VIP", UP, { { 66, { 10, 8, 0, 10 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_no_route) },
	{ "to the twin's address", UP, { { 66, { 10, 7, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_no_route) },
	{ "by the replication port", UP, { { 66, { 10, 67, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_wrong_port) },
	{ "back by an access port", UP, { { 66, { 10, 8, 0, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_wrong_port) },
	{ "dead link", UP, { { 66, { 10, 69, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_link_down) },
	{ "silent next hop", UP, { { 66, { 10, 66, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_unresolved) },
	{ "connected, never asked for", UP, { { 66, { 10, 68, 1, 1 }, 4 } }, 0, 1, 0, BED_ACCESS,
		C(drop_unresolved) },
	{ "TTL 1", UP, { { 58, { 1 }, 1 } }, 0, 1, 0, BED_ACCESS, C(drop_ttl) },
	{ "TTL 0 down", DOWN, { { 22, { 0 }, 1 } }, 1, 0, 0, BED_CORE, C(drop_ttl) },
	{ "address without a session", DOWN, { { 33, { 200 }, 1 } }, 1, 0, 0, BED_CORE,
		C(drop_no_session_down) },
	{ "subscriber without a session", UP, { { 66, { 172, 20, 1, 200 }, 4 } }, 0, 1, 0,
		BED_ACCESS, C(drop_no_session_down) },
};

static void row_frame(const struct row *r, struct frame *f)
{
	if (r->base == UP)
		frame_up(f, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	else
		frame_down(f, BED_HOST, BED_UE(2), 64, 100, 0);
	f->port = r->port;
	for (unsigned int i = 0; i < RTE_DIM(r->set); i++)
		memcpy(f->b + r->set[i].at, r->set[i].b, r->set[i].n);
	if (r->sum_inner)
		sum_ip(f->b + 50);
	if (r->sum_outer)
		sum_ip(f->b + 14);
	f->len = (uint16_t)(f->len - r->cut);
}

static void test_rows(void)
{
	const uint64_t *count = (const uint64_t *)&bed.w[0].count;
	struct frame in, out;

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		const struct row *r = &rows[i];
		bool punted, ok;

		bed_reset();
		row_frame(r, &in);
		bed_rx(0, &in);
		punted = bed_take(bed.punt[0], &out);
		ok = punted == (r->want == PUNT) && (!punted || frame_equal(r->what, &out, &in));
		if (r->want >= 0)
			ok = ok && count[r->want] == 1 &&
			     bed_drops(0) == (r->want != C(end_markers));
		else
			ok = ok && bed_drops(0) == 0 && bed_sent_n() == (r->want == NOTHING);
		CU_ASSERT_TRUE(ok);
		if (!ok)
			fprintf(stderr, "%s: punted %d, drops %llu\n", r->what, punted,
				(unsigned long long)bed_drops(0));
	}
}

/* Who is a peer at one port is a stranger at another; and what a worker remembers of a source ends
 * with the settings by which it learned that. */
static void test_peers(void)
{
	const uint64_t *dropped = &bed.w[0].count.drop_no_peer_user;
	struct frame in;

	bed_reset();
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	for (unsigned int i = 0; i < 3; i++)
		bed_rx(0, &in);
	in.port = BED_BOTH;
	memcpy(in.b, mac_port(BED_BOTH), 6);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(*dropped, 0);
	CU_ASSERT_EQUAL(bed_sent_n(), 4);
	peers_drop(bed.settings.peers);
	bed.settings.peers = ut_peers(BED_SGSN, 32, 1 << BED_BOTH);
	bed.settings.number++;
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed_sent_n(), 5);
	frame_up(&in, bed.teid[2], BED_UE(2), BED_HOST, 64, 100, 0);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(*dropped, 1);
	put16(in.b + 36, 2123);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_no_peer_control, 1);
	peers_drop(bed.settings.peers);
	bed.settings.peers = NULL;
	bed.settings.number++;
	bed_rx(0, &in);
	in.port = BED_BOTH;
	memcpy(in.b, mac_port(BED_BOTH), 6);
	put16(in.b + 36, 2152);
	bed_rx(0, &in);
	CU_ASSERT_EQUAL(*dropped, 2);
	CU_ASSERT_EQUAL(bed.w[0].count.drop_no_peer_control, 2);
	CU_ASSERT_EQUAL(bed_sent_n(), 5);
	bed_reset();
}

/* Whatever comes is sent, punted, or counted as dropped or answered; nothing is lost and nothing
 * crashes. */
static void test_random(void)
{
	uint64_t seed = ut_seed(20260101);
	struct frame in, out;

	bed_reset();
	bed.w[0].held_not_before = 0;
	for (unsigned int i = 0; i < 200000; i++) {
		const struct row *r = &rows[ut_random(&seed) % RTE_DIM(rows)];
		unsigned int n = (unsigned int)(ut_random(&seed) % 6);

		row_frame(r, &in);
		for (unsigned int k = 0; k < n; k++)
			in.b[ut_random(&seed) % 86] = (uint8_t)ut_random(&seed);
		if (n > 0 && ut_random(&seed) % 4 == 0)
			in.len = (uint16_t)(ut_random(&seed) % (in.len + 1u));
		if (in.len >= 34 && ut_random(&seed) % 2)
			sum_ip(in.b + 14);
		bed.w[0].mode = (enum fastpath_mode)(ut_random(&seed) % 3);
		bed.w[0].now_tsc += 10000000;
		bed_rx(0, &in);
		bed_handed(1);
		for (uint16_t p = 0; p < BED_PORTS; p++)
			for (unsigned int w = 0; w < 2; w++)
				while (bed_sent(w, p, &out))
					;
		while (bed_take(bed.punt[0], &out))
			;
		while (bed_take(bed.punt[1], &out))
			;
	}
	CU_ASSERT_TRUE(bed.w[0].count.held > 0);
	bed_reset();
	CU_ASSERT_EQUAL(rte_mempool_avail_count(bed.pool), bed.pool_n);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(bed.direct), bed.direct_n);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "uplink_bytes", test_uplink_bytes },
		{ "peers", test_peers },
		{ "uplink_forms", test_uplink_forms },
		{ "uplink_checksums", test_uplink_checksums },
		{ "checksum_bad", test_checksum_bad },
		{ "downlink_other_address", test_downlink_other_address },
		{ "downlink_bytes", test_downlink_bytes },
		{ "downlink_hop_changes", test_downlink_hop_changes },
		{ "rows", test_rows },
		{ "random", test_random },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ "fastpath", bed_open, bed_close, NULL, NULL, tests },
		{ "fastpath_edges", bed_open, bed_close, NULL, NULL, fastpath_edges() },
		{ "fastpath_modes", bed_open, bed_close, NULL, NULL, fastpath_modes() },
		CU_SUITE_INFO_NULL,
	};
	int ret = ut_run(suites);

	bed_free();
	return ret;
}
