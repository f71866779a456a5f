/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of the replication port: the stream's are numbered, sent and taken in here; all others are
 * the kernel's. */
#include <errno.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "replicator_priv.h"

enum {
	OUTER = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) +
		sizeof(struct rte_udp_hdr),
	POLLS = 8,
	/* a turn that compares a large table must still end soon enough to be heard */
	RECEIVE_US = 20000,
};

enum frame { FRAME_STREAM, FRAME_KERNEL, FRAME_DROP };

/* What a frame is; of the stream's, where its packet is. */
static enum frame classify(struct replicator *r, struct rte_mbuf *m, struct arrived *a)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint16_t len;

	if (m->nb_segs != 1 || m->data_len < OUTER ||
		eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || ip->version_ihl != 0x45 ||
		ip->next_proto_id != IPPROTO_UDP ||
		udp->dst_port != rte_cpu_to_be_16(r->udp_port) ||
		ip->dst_addr != rte_cpu_to_be_32(r->local4) ||
		(ip->fragment_offset & RTE_BE16(0x3fff)) != 0)
		return FRAME_KERNEL;
	if (ip->src_addr != rte_cpu_to_be_32(r->peer4)) {
		r->count.drop_not_peer++;
		return FRAME_DROP;
	}
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len < sizeof(*udp) || len > m->data_len - sizeof(*eth) - sizeof(*ip) ||
		rte_be_to_cpu_16(ip->total_length) < len + sizeof(*ip) || rte_ipv4_cksum(ip) != 0 ||
		(r->crypt == NULL &&
			(udp->dgram_cksum == 0 || rte_ipv4_udptcp_cksum_verify(ip, udp) != 0))) {
		r->count.drop_checksum++;
		return FRAME_DROP;
	}
	*a = (struct arrived){ .m = m, .at = OUTER, .len = (uint16_t)(len - sizeof(*udp)) };
	return FRAME_STREAM;
}

static void punt(struct replicator *r, struct rte_mbuf *m)
{
	if (rte_ring_enqueue(r->env.punt, m) == 0) {
		r->count.punted++;
		return;
	}
	r->count.punt_full++;
	rte_pktmbuf_free(m);
}

bool replicator_receive(struct replicator *r)
{
	struct rte_mbuf *m[REPLICATOR_BURST];
	bool busy = false;

	/* Drained before any timer may fire; bounded, so that a flood cannot hold the timers for
	 * ever. */
	for (unsigned int round = 0; round < 8; round++) {
		uint16_t n = rte_eth_rx_burst(r->env.port, 0, m, REPLICATOR_BURST);
		struct arrived a[REPLICATOR_BURST];
		unsigned int k = 0;

		for (uint16_t i = 0; i < n; i++)
			switch (classify(r, m[i], &a[k])) {
			case FRAME_STREAM:
				k++;
				break;
			case FRAME_KERNEL:
				punt(r, m[i]);
				break;
			case FRAME_DROP:
				rte_pktmbuf_free(m[i]);
				break;
			}
		r->count.rx_frames += n;
		replicator_take(r, a, k);
		for (unsigned int i = 0; i < k; i++)
			rte_pktmbuf_free(a[i].m);
		busy |= n > 0;
		if (n < REPLICATOR_BURST || clock_us() - r->now > RECEIVE_US)
			break;
	}
	return busy;
}

/* Ethernet, IPv4 and UDP in front of the payload. With a UDP checksum in plain text, where it is
 * all that guards the bytes. */
static void wrap(struct replicator *r, struct rte_mbuf *m, const struct rte_ether_addr *to)
{
	uint16_t len = m->data_len;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, OUTER);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	eth->dst_addr = *to;
	eth->src_addr = r->env.mac;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.type_of_service = 0xc0 /* CS6 */,
		.total_length = rte_cpu_to_be_16((uint16_t)(len + OUTER - sizeof(*eth))),
		.packet_id = rte_cpu_to_be_16(r->ip_id++),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(r->local4),
		.dst_addr = rte_cpu_to_be_32(r->peer4) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){ .src_port = rte_cpu_to_be_16(r->udp_port),
		.dst_port = rte_cpu_to_be_16(r->udp_port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(len + sizeof(*udp))) };
	if (r->crypt == NULL)
		udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	flow_sent(&r->flow, m->pkt_len);
}

/* A burst of packets that repl_seal or repl_poll made, with the slots that seal them. */
static void transmit(struct replicator *r, struct rte_mbuf **m, const int *slot, unsigned int n)
{
	uint16_t adj = atomic_load_explicit(&r->adjacency, memory_order_relaxed), port, sent;
	struct rte_ether_addr to;

	if (n == 0)
		return;
	if (adj == FIB_NONE || !fib_adj_get(r->env.fib, adj, &to, &port)) {
		r->count.tx_unresolved += n;
		rte_pktmbuf_free_bulk(m, n);
		return;
	}
	n = replicator_seal(r, m, slot, n);
	for (unsigned int i = 0; i < n; i++)
		wrap(r, m[i], &to);
	sent = rte_eth_tx_burst(r->env.port, 0, m, (uint16_t)n);
	r->count.tx_frames += sent;
	r->count.tx_failed += n - sent;
	rte_pktmbuf_free_bulk(m + sent, n - sent);
}

static void sized(struct rte_mbuf *m, size_t len)
{
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
}

/* Packets of the workers: numbered and sent in the order in which each worker finished them. A turn
 * begins behind the worker that was served last: where the rate is scarce they have it in turn. */
bool replicator_send_state(struct replicator *r)
{
	unsigned int first = r->next_worker;
	bool busy = false;

	for (unsigned int i = 0; i < r->env.n_workers; i++) {
		struct rte_mbuf *m[REPLICATOR_BURST];
		unsigned int w = (first + i) % r->env.n_workers, sealed = 0;
		int slot[REPLICATOR_BURST];
		unsigned int n = RTE_MIN(repl_room(r->stream), (unsigned int)REPLICATOR_BURST);

		n = RTE_MIN(n, flow_packets(&r->flow));
		/* no stream: what was finished before it ended is found by the next audit */
		if (!r->on)
			n = REPLICATOR_BURST;
		n = rte_ring_dequeue_burst(r->env.stream_out[w], (void **)m, n, NULL);
		if (n > 0)
			r->next_worker = w + 1;
		for (unsigned int k = 0; k < n; k++) {
			struct stream_meta *meta = rte_mbuf_to_priv(m[k]);
			int len = r->on && meta->version == r->version
					  ? repl_seal(r->stream, rte_pktmbuf_mtod(m[k], uint8_t *),
						    m[k]->data_len, meta->owner, meta->entry,
						    meta->n, r->now)
					  : -ENOTCONN;

			if (len > 0) {
				sized(m[k], (size_t)len);
				slot[sealed] = repl_slot(r->stream);
				m[sealed++] = m[k];
			} else {
				replicator_lost(r, meta->owner, meta->entry, meta->n);
				r->count.discarded++;
				r->count.discarded_records += meta->n;
				rte_pktmbuf_free(m[k]);
			}
		}
		transmit(r, m, slot, sealed);
		busy |= n > 0;
	}
	return busy;
}

void replicator_limits(struct replicator *r)
{
	usec_t oldest = repl_oldest_unacked(r->stream);
	const struct flow_path p = { .room = repl_room(r->stream),
		.window = repl_window(r->stream),
		.unacked = repl_unacked(r->stream),
		.oldest_age = oldest < r->now ? r->now - oldest : 0,
		.min_rtt = repl_min_rtt(r->stream) };

	flow_limit(&r->flow, &p, r->env.flow);
}

bool replicator_send_control(struct replicator *r)
{
	struct rte_mbuf *m[POLLS];
	int slot[POLLS];
	unsigned int n = 0;

	while (n < POLLS) {
		size_t len;

		m[n] = rte_pktmbuf_alloc(r->env.stream_mbufs);
		if (m[n] == NULL) {
			r->count.no_mbuf++;
			break;
		}
		len = repl_poll(r->stream, rte_pktmbuf_mtod(m[n], uint8_t *),
			RTE_MIN((size_t)r->env.mtu - 28, (size_t)rte_pktmbuf_tailroom(m[n])),
			r->now);
		if (len == 0) {
			rte_pktmbuf_free(m[n]);
			break;
		}
		sized(m[n], len);
		slot[n++] = repl_slot(r->stream);
	}
	transmit(r, m, slot, n);
	return n > 0;
}

bool replicator_from_kernel(struct replicator *r)
{
	struct rte_mbuf *m[REPLICATOR_BURST];
	unsigned int n = rte_ring_dequeue_burst(
			     r->env.kernel_out, (void **)m, REPLICATOR_BURST, NULL),
		     sent;

	if (n == 0)
		return false;
	for (unsigned int i = 0; i < n; i++)
		flow_sent(&r->flow, m[i]->pkt_len);
	sent = rte_eth_tx_burst(r->env.port, 0, m, (uint16_t)n);
	for (; sent < n; sent++)
		rte_pktmbuf_free(m[sent]);
	return true;
}
