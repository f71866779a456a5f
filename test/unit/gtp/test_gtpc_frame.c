/* SPDX-License-Identifier: BSD-3-Clause */
/* GTP-C frames of the direct way: what is taken, what is the kernel's, what is damaged. */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "gtp/gtpc.h"
#include "gtpc_frame.h"
#include "ut.h"

enum { VIP = 0x0a080064, SGSN = 0x0a080001, LEN = 61, WHOLE = GTPC_FRAME_HEAD + LEN };

static const struct mac_addr ours = { { 2, 0, 0, 0, 0, 1 } }, theirs = { { 2, 0, 0, 0, 0, 2 } };

struct frame {
	uint8_t b[WHOLE + 32] __rte_aligned(4);
};

static struct rte_ipv4_hdr *ip_of(struct frame *f)
{
	return (struct rte_ipv4_hdr *)(f->b + RTE_ETHER_HDR_LEN);
}

static struct rte_udp_hdr *udp_of(struct frame *f)
{
	return (struct rte_udp_hdr *)(f->b + RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr));
}

/* Checksums made right for what stands there. */
static void ip_sum(struct frame *f)
{
	ip_of(f)->hdr_checksum = 0;
	ip_of(f)->hdr_checksum = rte_ipv4_cksum(ip_of(f));
}

static void udp_sum(struct frame *f)
{
	udp_of(f)->dgram_cksum = 0;
	udp_of(f)->dgram_cksum = rte_ipv4_udptcp_cksum(ip_of(f), udp_of(f));
}

/* From the SGSN to the VIP. */
static struct frame made(void)
{
	struct frame f = { { 0 } };

	for (unsigned int i = 0; i < LEN; i++)
		f.b[GTPC_FRAME_HEAD + i] = (uint8_t)(i * 7);
	gtpc_frame_write(f.b, LEN, &theirs, &ours, SGSN, VIP, GTPC_PORT, 77);
	return f;
}

static enum gtpc_frame judged(const struct frame *f, size_t len)
{
	struct gtpc_datagram d;

	return gtpc_frame_read(f->b, len, &ours, VIP, &d);
}

static void test_round(void)
{
	struct frame f = made();
	struct gtpc_datagram d;

	CU_ASSERT_EQUAL_FATAL(gtpc_frame_read(f.b, WHOLE, &ours, VIP, &d), GTPC_FRAME_OURS);
	CU_ASSERT_EQUAL(d.from4, SGSN);
	CU_ASSERT_EQUAL(d.from_port, GTPC_PORT);
	CU_ASSERT_EQUAL(d.len, LEN);
	CU_ASSERT_PTR_EQUAL(d.p, f.b + GTPC_FRAME_HEAD);
	CU_ASSERT_EQUAL(rte_raw_cksum(ip_of(&f), sizeof(struct rte_ipv4_hdr)), 0xffff);
	CU_ASSERT_EQUAL(ip_of(&f)->time_to_live, 64);
	CU_ASSERT_EQUAL(ip_of(&f)->fragment_offset, 0);
	CU_ASSERT_EQUAL(ip_of(&f)->packet_id, RTE_BE16(77));
	/* What a link pads with is none of it. */
	CU_ASSERT_EQUAL_FATAL(gtpc_frame_read(f.b, WHOLE + 32, &ours, VIP, &d), GTPC_FRAME_OURS);
	CU_ASSERT_EQUAL(d.len, LEN);
}

/* No single bit that flips behind the Ethernet header leaves a frame of ours. */
static void test_flips(void)
{
	for (unsigned int i = 0; i < 8 * WHOLE; i++) {
		struct frame f = made();

		f.b[i / 8] ^= (uint8_t)(1u << i % 8);
		if (i / 8 < 6 || i / 8 >= 12) /* the source MAC address is nobody's business */
			CU_ASSERT_NOT_EQUAL(judged(&f, WHOLE), GTPC_FRAME_OURS);
	}
}

static void test_short(void)
{
	struct frame f = made();

	for (unsigned int len = 0; len < WHOLE; len++)
		CU_ASSERT_EQUAL(
			judged(&f, len), len < GTPC_FRAME_HEAD ? GTPC_FRAME_OTHER : GTPC_FRAME_BAD);
}

static void fragment(struct frame *f)
{
	ip_of(f)->fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG);
}

static void last_fragment(struct frame *f)
{
	ip_of(f)->fragment_offset = RTE_BE16(5);
}

static void no_fragments(struct frame *f)
{
	ip_of(f)->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
}

static void options(struct frame *f)
{
	ip_of(f)->version_ihl = 0x46;
}

static void other_port(struct frame *f)
{
	udp_of(f)->dst_port = RTE_BE16(2152);
}

static void other_address(struct frame *f)
{
	ip_of(f)->dst_addr = RTE_BE32(VIP + 1);
}

static void other_station(struct frame *f)
{
	f->b[5] = 9;
}

static void broadcast(struct frame *f)
{
	memset(f->b, 0xff, RTE_ETHER_ADDR_LEN);
}

static void vlan(struct frame *f)
{
	f->b[12] = 0x81;
	f->b[13] = 0;
}

static void from_loopback(struct frame *f)
{
	ip_of(f)->src_addr = RTE_BE32(0x7f000001);
}

static void from_group(struct frame *f)
{
	ip_of(f)->src_addr = RTE_BE32(0xe0000001);
}

static void from_all(struct frame *f)
{
	ip_of(f)->src_addr = UINT32_MAX;
}

static void from_nobody(struct frame *f)
{
	ip_of(f)->src_addr = 0;
}

static void from_us(struct frame *f)
{
	ip_of(f)->src_addr = RTE_BE32(VIP);
}

static void from_port_0(struct frame *f)
{
	udp_of(f)->src_port = 0;
}

static void tcp(struct frame *f)
{
	ip_of(f)->next_proto_id = IPPROTO_TCP;
}

static void udp_too_long(struct frame *f)
{
	udp_of(f)->dgram_len = RTE_BE16(LEN + 9);
}

static void udp_too_short(struct frame *f)
{
	udp_of(f)->dgram_len = RTE_BE16(7);
}

static void ip_too_long(struct frame *f)
{
	ip_of(f)->total_length = RTE_BE16(LEN + 29);
}

static void ip_too_short(struct frame *f)
{
	ip_of(f)->total_length = RTE_BE16(27);
}

static void test_others(void)
{
	static const struct {
		void (*change)(struct frame *f);
		enum gtpc_frame is;
	} t[] = { { fragment, GTPC_FRAME_OTHER }, { last_fragment, GTPC_FRAME_OTHER },
		{ no_fragments, GTPC_FRAME_OURS }, { options, GTPC_FRAME_OTHER },
		{ other_port, GTPC_FRAME_OTHER }, { other_address, GTPC_FRAME_OTHER },
		{ other_station, GTPC_FRAME_OTHER }, { broadcast, GTPC_FRAME_OTHER },
		{ vlan, GTPC_FRAME_OTHER }, { from_loopback, GTPC_FRAME_OTHER },
		{ from_group, GTPC_FRAME_OTHER }, { from_all, GTPC_FRAME_OTHER },
		{ from_nobody, GTPC_FRAME_OTHER }, { from_us, GTPC_FRAME_OTHER },
		{ from_port_0, GTPC_FRAME_OTHER }, { tcp, GTPC_FRAME_OTHER },
		{ udp_too_long, GTPC_FRAME_BAD }, { udp_too_short, GTPC_FRAME_BAD },
		{ ip_too_long, GTPC_FRAME_BAD }, { ip_too_short, GTPC_FRAME_BAD } };

	for (unsigned int i = 0; i < RTE_DIM(t); i++) {
		struct frame f = made();

		t[i].change(&f);
		ip_sum(&f); /* nothing but the change speaks against it */
		if (t[i].is != GTPC_FRAME_BAD)
			udp_sum(&f);
		CU_ASSERT_EQUAL(judged(&f, WHOLE), t[i].is);
	}
}

/* RFC 768: zero says that no checksum was made; one that is wrong is wrong. */
static void test_no_checksum(void)
{
	struct frame f = made();

	udp_of(&f)->dgram_cksum = 0;
	CU_ASSERT_EQUAL(judged(&f, WHOLE), GTPC_FRAME_OURS);
	udp_of(&f)->dgram_cksum = 1;
	CU_ASSERT_EQUAL(judged(&f, WHOLE), GTPC_FRAME_BAD);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "there and back", test_round },
		{ "flipped bits", test_flips }, { "cut short", test_short },
		{ "others", test_others }, { "no checksum", test_no_checksum }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "gtpc_frame", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
