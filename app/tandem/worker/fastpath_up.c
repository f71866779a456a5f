/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_up: G-PDU to IP. */
#include "fastpath_priv.h"

enum { ICMP_TIME_EXCEEDED = 11, ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4 };

/* What a burst adds to the counters, kept in registers on the way. */
struct sum {
	uint64_t packets, bytes;
};

static void fastpath_answer_no_session(struct fastpath *f, const struct fp_item *it)
{
	const struct rte_ipv4_hdr *outer =
		rte_pktmbuf_mtod_offset(it->m, const struct rte_ipv4_hdr *, FP_ETH);

	if (it->handle == 0) {
		fp_drop(it->m, &f->count.drop_gtpu_teid_zero);
		return;
	}
	f->count.drop_no_session_up++;
	/* Late: the session may only just have ended at the new owner, whose word it is. */
	if (f->mode == FASTPATH_OWN && f->answers_unknown &&
		budget_take(&f->unknown, outer->src_addr, it->handle, f->now_tsc))
		fp_punt(f, it->m);
	else
		rte_pktmbuf_free(it->m);
}

/* The inner header; what the tunnel carries behind the packet is not part of it. The checksum is
 * read because a router must (RFC 1812 5.2.2) and because the TTL's change would otherwise be the
 * only thing that is right. */
static inline uint64_t *fastpath_check_inner(
	struct fastpath *f, const struct fp_item *it, const struct rte_ipv4_hdr *ip)
{
	unsigned int header = (ip->version_ihl & 15u) * 4,
		     total = rte_be_to_cpu_16(ip->total_length);

	if (likely(it->len >= FP_IP && ip->version_ihl == RTE_IPV4_VHL_DEF && total >= FP_IP &&
		    total <= it->len && fp_ip_sum(ip) == 0))
		return NULL;
	if (it->len > 0 && (ip->version_ihl >> 4) != 4)
		return &f->count.drop_inner_not_ipv4;
	if (it->len < FP_IP || header < FP_IP || total < header || total > it->len ||
		fp_ip_sum(ip) != 0)
		return &f->count.drop_inner_malformed;
	return NULL;
}

/* Destinations that no router passes on, and ourselves. */
static inline bool fastpath_unroutable(const struct fastpath *f, uint32_t dst4)
{
	return !ip4_is_unicast(dst4) || dst4 == f->sh->gtp4;
}

/* Strips all in front of the inner packet but room for an Ethernet header, and what is behind
 * it. */
static inline void fastpath_decapsulate(struct rte_mbuf *m, uint16_t offset, uint32_t total)
{
	m->data_off = (uint16_t)(m->data_off + offset - FP_ETH);
	m->data_len = (uint16_t)(FP_ETH + total);
	m->pkt_len = m->data_len;
}

/* Goes on as if it had come from the core network: its next owner may be another worker, which
 * classifies it again. */
static void fastpath_send_ue_to_ue(
	struct fastpath *f, struct rte_mbuf *m, const _Atomic uint32_t *entry)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	uint16_t port = 0;

	while (port < WORKER_PORTS && !(f->sh->port[port].roles & CONFIG_CORE))
		port++;
	if (port == WORKER_PORTS) {
		fp_drop(m, &f->count.drop_no_route);
		return;
	}
	m->port = port;
	m->ol_flags &= ~RTE_MBUF_F_RX_IP_CKSUM_MASK; /* was said of the outer header */
	eth->dst_addr = eth->src_addr = *ether_of(&f->sh->fib->mac[port]);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	f->count.ue_to_ue++;
	fp_down_inner(f, m, entry);
}

/* The inner packet is as long as `total` and stands behind the room for an Ethernet header. */
static inline uint64_t *fastpath_refuse_too_big(
	struct fastpath *f, struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, uint16_t mtu)
{
	if (!(ip->fragment_offset & rte_cpu_to_be_16(FP_IP_DF)))
		return NULL;
	fp_icmp_error(f, m, ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, mtu);
	return &f->count.drop_too_big;
}

/* The user's own packet, by the next hop. */
static __rte_always_inline void fastpath_up_send(
	struct fastpath *f, struct rte_mbuf *m, const struct fp_hop *hop, uint32_t total)
{
	fp_ttl_down(rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, FP_ETH));
	fp_eth(f, hop, rte_pktmbuf_mtod(m, void *));
	if (likely(total <= f->sh->port[hop->port].mtu))
		fp_tx(f, hop->port, m);
	else
		fp_fragment(f, hop->port, m);
}

static __rte_always_inline uint64_t *fastpath_up_packet(
	struct fastpath *f, struct fp_item *it, struct sum *sum, const bool late)
{
	struct rte_mbuf *m = it->m;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, it->offset);
	struct session_slot *s = it->slot;
	const _Atomic uint32_t *entry;
	uint32_t dst4, total;
	struct fp_view v;
	struct fp_hop hop = { 0 };
	uint64_t *why;

	if (unlikely(!fp_view(s, it->handle, late, &v))) {
		fastpath_answer_no_session(f, it);
		return NULL;
	}
	why = fastpath_check_inner(f, it, ip);
	if (unlikely(why != NULL))
		return why;
	if (unlikely(rte_be_to_cpu_32(ip->src_addr) != v.ue4))
		return &f->count.drop_spoofed;
	total = rte_be_to_cpu_16(ip->total_length);
	if (!late && fp_red(f, &s->up_tat, &settings_apn_of(f->settings, v.apn)->up, total))
		return &f->count.drop_policed_up;
	dst4 = rte_be_to_cpu_32(ip->dst_addr);
	if (unlikely(fastpath_unroutable(f, dst4)))
		return &f->count.drop_no_route;
	entry = pool_entry4(f->sh->pools, INSTANCE_MAIN, dst4);
	/* Before the frame is touched: one that must wait for its next hop comes back as it is. */
	if (likely(entry == NULL && ip->time_to_live > 1)) {
		why = fp_hop(
			f, fib_lookup4(f->sh->fib, INSTANCE_MAIN, dst4), dst4, CONFIG_CORE, &hop);
		if (unlikely(why != NULL))
			return why;
	}
	fastpath_decapsulate(m, it->offset, total);
	if (unlikely(entry != NULL)) { /* one router, one hop: the downlink takes the TTL */
		fp_account(f, s, it->handle, &s->up_pkts, total, late);
		fastpath_send_ue_to_ue(f, m, entry);
		return NULL;
	}
	if (unlikely(ip->time_to_live <= 1)) {
		fp_icmp_error(f, m, ICMP_TIME_EXCEEDED, 0, 0);
		return &f->count.drop_ttl;
	}
	if (unlikely(total > f->sh->port[hop.port].mtu)) {
		why = fastpath_refuse_too_big(f, m, ip, f->sh->port[hop.port].mtu);
		if (why != NULL)
			return why;
	}
	fp_account(f, s, it->handle, &s->up_pkts, total, late);
	sum->packets++;
	sum->bytes += total;
	fastpath_up_send(f, m, &hop, total);
	return NULL;
}

static __rte_always_inline void fastpath_up_packets(
	struct fastpath *f, struct fp_burst *b, const bool late)
{
	struct sum out = { 0 };
	uint64_t bytes = 0;
	uint16_t held = 0;

	for (uint16_t i = 0; i < b->n_up; i++) {
		uint64_t *why;

		bytes += b->up[i].len;
		why = fastpath_up_packet(f, &b->up[i], &out, late);
		if (unlikely(why != NULL) && fp_refuse(f, b->up[i].m, why)) {
			held++;
			bytes -= b->up[i].len;
		}
	}
	f->count.up_rx_packets += b->n_up - held;
	f->count.up_rx_bytes += bytes;
	f->count.up_tx_packets += out.packets;
	f->count.up_tx_bytes += out.bytes;
}

void fp_up_burst(struct fastpath *f, struct fp_burst *b)
{
	if (likely(f->mode == FASTPATH_OWN))
		fastpath_up_packets(f, b, false);
	else
		fastpath_up_packets(f, b, true);
}
