/* SPDX-License-Identifier: BSD-3-Clause */
#include "gtpc_frame.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "common/ether.h"
#include "gtp/gtpc.h"

enum { TTL = 64, FRAGMENT = 0x3fff /* more to come, or an offset */ };

_Static_assert(GTPC_FRAME_HEAD == sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) +
					  sizeof(struct rte_udp_hdr),
	"three headers");

/* Sources that the kernel would call martian are the kernel's to judge. */
static bool gtpc_frame_answerable(uint32_t from4, uint16_t from_port, uint32_t vip4)
{
	return from_port != 0 && from4 != vip4 && ip4_is_unicast(from4);
}

enum gtpc_frame gtpc_frame_read(const uint8_t *frame, size_t len, const struct mac_addr *mac,
	uint32_t vip4, struct gtpc_datagram *d)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	size_t total, datagram;

	if (len < GTPC_FRAME_HEAD || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		!rte_is_same_ether_addr(&eth->dst_addr, ether_of(mac)) ||
		ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_UDP ||
		ip->dst_addr != rte_cpu_to_be_32(vip4) ||
		(ip->fragment_offset & RTE_BE16(FRAGMENT)) != 0 ||
		udp->dst_port != RTE_BE16(GTPC_PORT))
		return GTPC_FRAME_OTHER;
	d->from4 = rte_be_to_cpu_32(ip->src_addr);
	d->from_port = rte_be_to_cpu_16(udp->src_port);
	if (!gtpc_frame_answerable(d->from4, d->from_port, vip4))
		return GTPC_FRAME_OTHER;
	total = rte_be_to_cpu_16(ip->total_length);
	datagram = rte_be_to_cpu_16(udp->dgram_len);
	if (total > len - sizeof(*eth) || datagram < sizeof(*udp) ||
		datagram + sizeof(*ip) > total || rte_raw_cksum(ip, sizeof(*ip)) != 0xffff ||
		(udp->dgram_cksum != 0 && rte_ipv4_udptcp_cksum_verify(ip, udp) != 0))
		return GTPC_FRAME_BAD;
	d->len = (uint16_t)(datagram - sizeof(*udp));
	d->p = (const uint8_t *)(udp + 1);
	return GTPC_FRAME_OURS;
}

void gtpc_frame_write(uint8_t *frame, uint16_t len, const struct mac_addr *src,
	const struct mac_addr *dst, uint32_t vip4, uint32_t to4, uint16_t to_port, uint16_t ip_id)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	eth->dst_addr = *ether_of(dst);
	eth->src_addr = *ether_of(src);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(len + sizeof(*ip) + sizeof(*udp))),
		.packet_id = rte_cpu_to_be_16(ip_id),
		.time_to_live = TTL,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(vip4),
		.dst_addr = rte_cpu_to_be_32(to4) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){ .src_port = RTE_BE16(GTPC_PORT),
		.dst_port = rte_cpu_to_be_16(to_port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(len + sizeof(*udp))) };
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}
