/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "common/ether.h"
#include "net/net.h"

enum {
	FRAME_MIN = 60,
	NS_TYPE = 135,
	NA_TYPE = 136,
	NA_OVERRIDE = 0x20,
	NA_OPT_TARGET_MAC = 2,
	ICMP6 = 58,
	ND_HOPS = 255
};

/* A solicitation begins in the same way, its flags are reserved. */
struct nd {
	uint8_t type, code;
	rte_be16_t cksum;
	uint8_t flags, reserved[3];
	uint8_t target[16];
} __attribute__((packed, aligned(2)));

struct na {
	struct nd nd;
	uint8_t opt_type, opt_units; /* of 8 bytes */
	struct mac_addr mac;
} __attribute__((packed, aligned(2)));

enum { ND_HEAD = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv6_hdr) };

/* A request to everybody. The form of an announcement has the VIP as sender and as target: Linux
 * takes the reply form as gratuitous only if the target's hardware address is the sender's too, and
 * else may ignore it for `locktime`. A probe's sender is nobody (RFC 5227 section 2.1.1), so that
 * no neighbour learns anything from it. */
static void announce_put_arp(
	uint8_t *p, const struct mac_addr *mac, uint32_t sender4, uint32_t target4)
{
	struct rte_ether_hdr eth = { .src_addr = *ether_of(mac),
		.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) };
	struct rte_arp_hdr arp = {
		.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(rte_be32_t),
		.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
		.arp_data = { .arp_sha = *ether_of(mac),
			.arp_sip = rte_cpu_to_be_32(sender4),
			.arp_tip = rte_cpu_to_be_32(target4) },
	};

	memset(&eth.dst_addr, 0xff, sizeof(eth.dst_addr));
	memcpy(p, &eth, sizeof(eth));
	memcpy(p + sizeof(eth), &arp, sizeof(arp));
}

/* What comes before a message of neighbour discovery that stands at p + ND_HEAD, and its checksum.
 * src: NULL for nobody. The group's MAC address ends with the last four octets of its own (RFC 2464
 * section 7). */
static void announce_put_nd_head(uint8_t *p, const struct mac_addr *mac, const uint8_t *src,
	const uint8_t group[16], struct nd *nd, uint16_t len)
{
	struct rte_ether_hdr eth = {
		.dst_addr = { { 0x33, 0x33, group[12], group[13], group[14], group[15] } },
		.src_addr = *ether_of(mac),
		.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6),
	};
	struct rte_ipv6_hdr ip = {
		.vtc_flow = rte_cpu_to_be_32(6U << 28),
		.payload_len = rte_cpu_to_be_16(len),
		.proto = ICMP6,
		.hop_limits = ND_HOPS,
	};

	if (src != NULL)
		memcpy(&ip.src_addr, src, sizeof(ip.src_addr));
	memcpy(&ip.dst_addr, group, sizeof(ip.dst_addr));
	nd->cksum = rte_ipv6_udptcp_cksum(&ip, nd);
	memcpy(p, &eth, sizeof(eth));
	memcpy(p + sizeof(eth), &ip, sizeof(ip));
	memcpy(p + ND_HEAD, nd, len);
}

/* RFC 4861 section 7.2.6: unsolicited, to all nodes, override set. */
static void announce_put_na(uint8_t *p, const struct mac_addr *mac, const struct ip_addr *vip)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	struct na na = { .nd = { .type = NA_TYPE, .flags = NA_OVERRIDE },
		.opt_type = NA_OPT_TARGET_MAC,
		.opt_units = 1,
		.mac = *mac };

	memcpy(na.nd.target, vip->b, sizeof(na.nd.target));
	announce_put_nd_head(p, mac, vip->b, all_nodes, &na.nd, sizeof(na));
}

/* RFC 4862 section 5.4.2: from the unspecified address to the solicited-node group, without the
 * option of the sender's MAC. */
static void announce_put_ns(uint8_t *p, const struct mac_addr *mac, const struct ip_addr *vip)
{
	uint8_t group[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff, vip->b[13], vip->b[14],
		vip->b[15] };
	struct nd ns = { .type = NS_TYPE };

	memcpy(ns.target, vip->b, sizeof(ns.target));
	announce_put_nd_head(p, mac, NULL, group, &ns, sizeof(ns));
}

static struct rte_mbuf *announce_frame(struct rte_mempool *pool, uint16_t len)
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
	struct rte_mempool *pool, const struct mac_addr *mac, const struct ip_addr *vip)
{
	bool v4 = ip_addr_is_v4(vip);
	struct rte_mbuf *m = announce_frame(pool, v4 ? FRAME_MIN : ND_HEAD + sizeof(struct na));

	if (m == NULL)
		return NULL;
	if (v4)
		announce_put_arp(rte_pktmbuf_mtod(m, uint8_t *), mac, ip_addr_to_v4(vip),
			ip_addr_to_v4(vip));
	else
		announce_put_na(rte_pktmbuf_mtod(m, uint8_t *), mac, vip);
	return m;
}

struct rte_mbuf *net_probe(
	struct rte_mempool *pool, const struct mac_addr *mac, const struct ip_addr *vip)
{
	bool v4 = ip_addr_is_v4(vip);
	struct rte_mbuf *m = announce_frame(pool, v4 ? FRAME_MIN : ND_HEAD + sizeof(struct nd));

	if (m == NULL)
		return NULL;
	if (v4)
		announce_put_arp(rte_pktmbuf_mtod(m, uint8_t *), mac, 0, ip_addr_to_v4(vip));
	else
		announce_put_ns(rte_pktmbuf_mtod(m, uint8_t *), mac, vip);
	return m;
}

static bool announce_arp_read(const uint8_t *p, size_t len, struct net_claim *c)
{
	struct rte_arp_hdr arp;
	uint32_t sender4;

	if (len < sizeof(arp))
		return false;
	memcpy(&arp, p, sizeof(arp));
	if (arp.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp.arp_hlen != RTE_ETHER_ADDR_LEN || arp.arp_plen != sizeof(rte_be32_t) ||
		(arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
			arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY)))
		return false;
	sender4 = rte_be_to_cpu_32(arp.arp_data.arp_sip);
	c->mac = *mac_of(&arp.arp_data.arp_sha);
	c->probes = sender4 == 0;
	c->addr = ip_addr_v4(c->probes ? rte_be_to_cpu_32(arp.arp_data.arp_tip) : sender4);
	return true;
}

/* RFC 4861 sections 7.1.1 and 7.1.2, options aside. */
static bool announce_nd_read(const uint8_t *p, size_t len, struct net_claim *c)
{
	static const uint8_t nobody[16];
	struct rte_ipv6_hdr ip;
	struct nd nd;

	if (len < sizeof(ip) + sizeof(nd))
		return false;
	memcpy(&ip, p, sizeof(ip));
	memcpy(&nd, p + sizeof(ip), sizeof(nd));
	if (ip.proto != ICMP6 || ip.hop_limits != ND_HOPS || nd.code != 0 ||
		(nd.type != NA_TYPE && nd.type != NS_TYPE) ||
		rte_be_to_cpu_16(ip.payload_len) < sizeof(nd) ||
		rte_be_to_cpu_16(ip.payload_len) > len - sizeof(ip) ||
		rte_ipv6_udptcp_cksum_verify(&ip, p + sizeof(ip)) != 0)
		return false;
	c->probes = nd.type == NS_TYPE;
	memcpy(c->addr.b, nd.target, sizeof(c->addr.b));
	return !c->probes || memcmp(&ip.src_addr, nobody, sizeof(nobody)) == 0;
}

bool net_claim_read(const uint8_t *p, size_t len, struct net_claim *c)
{
	struct rte_ether_hdr eth;

	if (len < sizeof(eth))
		return false;
	memcpy(&eth, p, sizeof(eth));
	c->mac = *mac_of(&eth.src_addr);
	if (eth.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return announce_arp_read(p + sizeof(eth), len - sizeof(eth), c);
	return eth.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
	       announce_nd_read(p + sizeof(eth), len - sizeof(eth), c);
}
