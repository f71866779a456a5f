/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "net.h"

enum { FRAME_MIN = 60, NA_TYPE = 136, NA_OVERRIDE = 0x20, NA_OPT_TARGET_MAC = 2, ICMP6 = 58 };

struct na {
	uint8_t type, code;
	rte_be16_t cksum;
	uint8_t flags, reserved[3];
	uint8_t target[16];
	uint8_t opt_type, opt_units; /* of 8 bytes */
	struct rte_ether_addr mac;
} __rte_packed __rte_aligned(2);

/* A request to everybody. The form of an announcement has the VIP as sender and as target: Linux takes the reply form as
 * gratuitous only if the target's hardware address is the sender's too, and else may ignore it for `locktime`. A probe's
 * sender is nobody (RFC 5227 section 2.1.1), so that no neighbour learns anything from it. */
static void put_arp(uint8_t *p, const struct rte_ether_addr *mac, uint32_t sender4, uint32_t target4)
{
	struct rte_ether_hdr eth = { .src_addr = *mac, .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) };
	struct rte_arp_hdr arp = {
		.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(rte_be32_t),
		.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
		.arp_data = { .arp_sha = *mac,
			.arp_sip = rte_cpu_to_be_32(sender4),
			.arp_tip = rte_cpu_to_be_32(target4) },
	};

	memset(&eth.dst_addr, 0xff, sizeof(eth.dst_addr));
	memcpy(p, &eth, sizeof(eth));
	memcpy(p + sizeof(eth), &arp, sizeof(arp));
}

/* RFC 4861 section 7.2.6: unsolicited, to all nodes, override set. */
static void put_na(uint8_t *p, const struct rte_ether_addr *mac, const struct ip_addr *vip)
{
	struct rte_ether_hdr eth = {
		.dst_addr = { { 0x33, 0x33, 0, 0, 0, 1 } },
		.src_addr = *mac,
		.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6),
	};
	struct rte_ipv6_hdr ip = {
		.vtc_flow = rte_cpu_to_be_32(6U << 28),
		.payload_len = rte_cpu_to_be_16(sizeof(struct na)),
		.proto = ICMP6,
		.hop_limits = 255,
		.dst_addr = { 0xff, 0x02, [15] = 1 },
	};
	struct na na = { .type = NA_TYPE,
		.flags = NA_OVERRIDE,
		.opt_type = NA_OPT_TARGET_MAC,
		.opt_units = 1,
		.mac = *mac };

	memcpy(ip.src_addr, vip->b, sizeof(ip.src_addr));
	memcpy(na.target, vip->b, sizeof(na.target));
	na.cksum = rte_ipv6_udptcp_cksum(&ip, &na);
	memcpy(p, &eth, sizeof(eth));
	memcpy(p + sizeof(eth), &ip, sizeof(ip));
	memcpy(p + sizeof(eth) + sizeof(ip), &na, sizeof(na));
}

static struct rte_mbuf *frame(struct rte_mempool *pool, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p;

	if (m == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(m, len);
	if (p == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memset(p, 0, len);
	return m;
}

struct rte_mbuf *net_announce(
	struct rte_mempool *pool, const struct rte_ether_addr *mac, const struct ip_addr *vip)
{
	bool v4 = ip_addr_is_v4(vip);
	struct rte_mbuf *m = frame(
		pool, v4 ? FRAME_MIN
			 : sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv6_hdr) + sizeof(struct na));

	if (m == NULL)
		return NULL;
	if (v4)
		put_arp(rte_pktmbuf_mtod(m, uint8_t *), mac, ip_addr_to_v4(vip), ip_addr_to_v4(vip));
	else
		put_na(rte_pktmbuf_mtod(m, uint8_t *), mac, vip);
	return m;
}

struct rte_mbuf *net_probe(struct rte_mempool *pool, const struct rte_ether_addr *mac, uint32_t vip4)
{
	struct rte_mbuf *m = frame(pool, FRAME_MIN);

	if (m != NULL)
		put_arp(rte_pktmbuf_mtod(m, uint8_t *), mac, 0, vip4);
	return m;
}

bool net_arp_read(const uint8_t *p, size_t len, struct net_arp *a)
{
	struct rte_ether_hdr eth;
	struct rte_arp_hdr arp;

	if (len < sizeof(eth) + sizeof(arp))
		return false;
	memcpy(&eth, p, sizeof(eth));
	memcpy(&arp, p + sizeof(eth), sizeof(arp));
	if (eth.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
		arp.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp.arp_hlen != RTE_ETHER_ADDR_LEN || arp.arp_plen != sizeof(rte_be32_t) ||
		(arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
			arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY)))
		return false;
	*a = (struct net_arp){ arp.arp_data.arp_sha, rte_be_to_cpu_32(arp.arp_data.arp_sip),
		rte_be_to_cpu_32(arp.arp_data.arp_tip) };
	return true;
}
