/* SPDX-License-Identifier: BSD-3-Clause */
/* probe: which frames say that a VIP is another station's. */
#include <string.h>

#include <rte_arp.h>
#include <rte_mbuf.h>

#include "common/ether.h"
#include "kernel_priv.h"
#include "ut.h"

enum { VIP_LOW = 0x0a000001, VIP_HIGH = 0x0a000002, FIXED = 0x0a000003, CORE_VIP = 0x0b000001 };

static struct config_loopback loopbacks[CONFIG_LOOPBACKS];
static struct config_port ports[2];
static struct kernel k;
static _Atomic bool up[2];
static unsigned int n_claims;
static struct net_claim last;

static const struct mac_addr mine[2] = { { { 2, 0, 0, 0, 0, 5 } }, { { 2, 0, 0, 0, 0, 6 } } };
static const struct mac_addr lower = { { 2, 0, 0, 0, 0, 1 } };
static const struct mac_addr higher = { { 2, 0, 0, 0, 0, 9 } };

static void probe_claimed(void *ctx, const struct net_claim *claim)
{
	n_claims++;
	last = *claim;
}

static void loopback(const char *port, uint32_t address, bool srp_activate)
{
	struct config_loopback *l = &loopbacks[k.s.start.n_loopbacks++];

	snprintf(l->port, sizeof(l->port), "%s", port);
	l->address = ip_addr_v4(address);
	l->srp_activate = srp_activate;
}

static void setup(void)
{
	memset(loopbacks, 0, sizeof(loopbacks));
	k = (struct kernel){ .s = { .start = { .loopbacks = loopbacks }, .n_ports = 2 } };
	k.s.ops.claimed = probe_claimed;
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(ports[i].name, sizeof(ports[i].name), "%s", i == 0 ? "access" : "core");
		k.s.port[i] = (struct kernel_port){
			.conf = &ports[i], .id = (uint16_t)i, .mac = mine[i], .up = &up[i]
		};
	}
	n_claims = 0;
}

static void vips(void)
{
	loopback("access", VIP_HIGH, true);
	loopback("access", VIP_LOW, true);
	loopback("access", FIXED, false);
	loopback("core", CORE_VIP, true);
}

/* A frame arrives on `port`: an answer for the address, or a probe for it. How many claims. */
static unsigned int arrives(
	unsigned int port, const struct mac_addr *mac, uint32_t address, bool answers)
{
	uint8_t frame[64] = { 0 };
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	struct rte_mbuf m = { .buf_addr = frame, .data_len = sizeof(frame) };
	unsigned int before = n_claims;

	eth->src_addr = *ether_of(mac);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = 4;
	arp->arp_opcode = answers ? RTE_BE16(RTE_ARP_OP_REPLY) : RTE_BE16(RTE_ARP_OP_REQUEST);
	arp->arp_data.arp_sha = *ether_of(mac);
	arp->arp_data.arp_sip = answers ? rte_cpu_to_be_32(address) : 0;
	arp->arp_data.arp_tip = answers ? 0 : rte_cpu_to_be_32(address);
	probe_frame(&k, &k.s.port[port], &m);
	return n_claims - before;
}

static void test_answered(void)
{
	struct ip_addr low = ip_addr_v4(VIP_LOW);

	vips();
	CU_ASSERT_EQUAL(arrives(0, &higher, VIP_LOW, true), 1);
	CU_ASSERT_TRUE(ip_addr_equal(&last.addr, &low) && !last.probes);
	CU_ASSERT_TRUE(mac_equal(&last.mac, &higher));
	CU_ASSERT_EQUAL(arrives(0, &lower, VIP_HIGH, true), 1);
	CU_ASSERT_EQUAL(arrives(1, &lower, CORE_VIP, true), 1);
}

/* Our own stations, addresses that are not probed, and those of another port. */
static void test_no_matter(void)
{
	vips();
	CU_ASSERT_EQUAL(arrives(0, &mine[0], VIP_LOW, true), 0);
	CU_ASSERT_EQUAL(arrives(0, &mine[1], VIP_LOW, true), 0);
	CU_ASSERT_EQUAL(arrives(0, &higher, FIXED, true), 0);
	CU_ASSERT_EQUAL(arrives(0, &higher, 0x0a0000ff, true), 0);
	CU_ASSERT_EQUAL(arrives(0, &higher, CORE_VIP, true), 0);
	CU_ASSERT_EQUAL(arrives(1, &higher, VIP_LOW, true), 0);
}

/* Of two that probe the higher MAC address goes on, and the lowest VIP alone decides. */
static void test_probed(void)
{
	vips();
	CU_ASSERT_EQUAL(arrives(0, &higher, VIP_LOW, false), 1);
	CU_ASSERT_TRUE(last.probes);
	CU_ASSERT_EQUAL(arrives(0, &lower, VIP_LOW, false), 0);
	CU_ASSERT_EQUAL(arrives(0, &higher, VIP_HIGH, false), 0);
	CU_ASSERT_EQUAL(arrives(1, &higher, CORE_VIP, false), 0);
}

/* Nothing is sent without a carrier: there is no buffer to send it with here. */
static void test_nothing_to_ask(void)
{
	loopback("access", FIXED, false);
	loopback("nowhere", VIP_LOW, true);
	CU_ASSERT_FALSE(kernel_probe_send(&k));
	loopback("core", CORE_VIP, true);
	CU_ASSERT_TRUE(kernel_probe_send(&k));
	CU_ASSERT_FALSE(k.probing);
	kernel_probe_begin(&k);
	CU_ASSERT_TRUE(k.probing);
	kernel_probe_end(&k);
	CU_ASSERT_FALSE(k.probing);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "answered", test_answered },
		{ "no_matter", test_no_matter }, { "probed", test_probed },
		{ "nothing_to_ask", test_nothing_to_ask }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "probe", NULL, NULL, setup, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
