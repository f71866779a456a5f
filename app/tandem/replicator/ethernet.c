/* SPDX-License-Identifier: BSD-3-Clause */
#include "replicator/ethernet.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "base/memory.h"
#include "base/port.h"
#include "common/ether.h"
#include "config/items.h"
#include "net/fib.h"
#include "repl/repl.h"
#include "replicator/twin_frames.h"

struct ethernet {
	struct transport transport; /* first */
	struct ethernet_settings set;
	uint16_t ip_id;
	_Atomic uint16_t adjacency; /* w: control. of the peer; FIB_NONE */
};

enum {
	OUTER = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) +
		sizeof(struct rte_udp_hdr),
	/* of a port's MTU */
	OUTER_IP = sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
};

enum frame { FRAME_STREAM, FRAME_KERNEL, FRAME_DROP };

/* What a frame is; of the stream's, where its packet is. */
static enum frame ethernet_classify(struct ethernet *e, struct rte_mbuf *m, struct arrived *a)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint16_t len;

	if (m->nb_segs != 1 || m->data_len < OUTER ||
		eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || ip->version_ihl != 0x45 ||
		ip->next_proto_id != IPPROTO_UDP ||
		udp->dst_port != rte_cpu_to_be_16(e->set.start.udp_port) ||
		ip->dst_addr != rte_cpu_to_be_32(e->set.start.local4) ||
		(ip->fragment_offset & RTE_BE16(0x3fff)) != 0)
		return FRAME_KERNEL;
	if (ip->src_addr != rte_cpu_to_be_32(e->set.start.peer4)) {
		e->transport.count.drop_not_peer++;
		return FRAME_DROP;
	}
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len < sizeof(*udp) || len > m->data_len - sizeof(*eth) - sizeof(*ip) ||
		rte_be_to_cpu_16(ip->total_length) < len + sizeof(*ip) || rte_ipv4_cksum(ip) != 0 ||
		(e->set.start.checksum &&
			(udp->dgram_cksum == 0 || rte_ipv4_udptcp_cksum_verify(ip, udp) != 0))) {
		e->transport.count.drop_checksum++;
		return FRAME_DROP;
	}
	*a = (struct arrived){ .m = m, .at = OUTER, .len = (uint16_t)(len - sizeof(*udp)) };
	return FRAME_STREAM;
}

static unsigned int ethernet_rx(struct transport *t, struct arrived *a, unsigned int *brought)
{
	struct ethernet *e = (struct ethernet *)t;
	struct rte_mbuf *m[TRANSPORT_BURST];
	uint16_t n = port_ops->rx(e->set.port, 0, m, TRANSPORT_BURST);
	unsigned int k = 0;

	for (uint16_t i = 0; i < n; i++)
		switch (ethernet_classify(e, m[i], &a[k])) {
		case FRAME_STREAM:
			k++;
			break;
		case FRAME_KERNEL:
			twin_frames_punt(e->set.twin, m[i]);
			break;
		case FRAME_DROP:
			rte_pktmbuf_free(m[i]);
			break;
		}
	t->count.rx_frames += n;
	*brought = n;
	return k;
}

/* Ethernet, IPv4 and UDP in front of the payload. With a UDP checksum in plain text, where it is
 * all that guards the bytes. */
static void ethernet_wrap(struct ethernet *e, struct rte_mbuf *m, const struct mac_addr *to)
{
	uint16_t len = m->data_len;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, OUTER);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	eth->dst_addr = *ether_of(to);
	eth->src_addr = *ether_of(&e->set.mac);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.type_of_service = 0xc0 /* CS6 */,
		.total_length = rte_cpu_to_be_16((uint16_t)(len + OUTER - sizeof(*eth))),
		.packet_id = rte_cpu_to_be_16(e->ip_id++),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(e->set.start.local4),
		.dst_addr = rte_cpu_to_be_32(e->set.start.peer4) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){ .src_port = rte_cpu_to_be_16(e->set.start.udp_port),
		.dst_port = rte_cpu_to_be_16(e->set.start.udp_port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(len + sizeof(*udp))) };
	if (e->set.start.checksum)
		udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static bool ethernet_next_hop(const struct ethernet *e, struct mac_addr *to)
{
	uint16_t adj = atomic_load_explicit(&e->adjacency, memory_order_relaxed), port;

	return adj != FIB_NONE && fib_adj_get(e->set.fib, adj, to, &port);
}

static bool ethernet_link(const struct transport *t)
{
	struct mac_addr to;

	return ethernet_next_hop((const struct ethernet *)t, &to);
}

static void ethernet_tx(struct transport *t, struct rte_mbuf **m, unsigned int n)
{
	struct ethernet *e = (struct ethernet *)t;
	struct mac_addr to;
	uint16_t sent;

	if (!ethernet_next_hop(e, &to)) {
		e->transport.count.tx_failed += n; /* it was there when `link` was asked */
		rte_pktmbuf_free_bulk(m, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		ethernet_wrap(e, m[i], &to);
	sent = port_ops->tx(e->set.port, 0, m, (uint16_t)n);
	e->transport.count.tx_frames += sent;
	e->transport.count.tx_failed += n - sent;
	rte_pktmbuf_free_bulk(m + sent, n - sent);
}

static void ethernet_peer(struct transport *t, uint16_t adjacency)
{
	atomic_store(&((struct ethernet *)t)->adjacency, adjacency);
}

static void ethernet_destroy(struct transport *t)
{
	memory_give(t);
}

_Static_assert((int)CONFIG_REPLICATION_MTU == (int)REPL_ROOM_LEAST + (int)OUTER_IP,
	"below it not one heartbeat leaves");

static const struct transport_ops ethernet_ops = { .rx = ethernet_rx,
	.tx = ethernet_tx,
	.link = ethernet_link,
	.peer = ethernet_peer,
	.destroy = ethernet_destroy };

struct transport *ethernet_create(const struct ethernet_settings *s)
{
	struct ethernet *e = memory_take("ethernet", sizeof(*e), RTE_CACHE_LINE_SIZE);

	if (e == NULL)
		return NULL;
	e->set = *s;
	e->transport = (struct transport){
		.ops = &ethernet_ops, .mtu = (uint16_t)(s->port_mtu - OUTER_IP), .around = OUTER
	};
	e->adjacency = FIB_NONE;
	twin_frames_share(s->twin);
	return &e->transport;
}
