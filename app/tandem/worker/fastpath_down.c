/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_down: IP to G-PDU. */
#include "fastpath_priv.h"

enum { ICMP_TIME_EXCEEDED = 11, ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4 };

struct sum {
	uint64_t packets, bytes, sent, sent_bytes;
};

/* The way to an SGSN; to one whose address is not IPv4, or that has none (0), there is none, and a
 * default route is not asked. */
static inline uint32_t fastpath_sgsn_route(const struct fastpath *f, uint32_t peer4)
{
	return likely(peer4 != 0) ? fib_lookup4(f->sh->fib, INSTANCE_MAIN, peer4) : FIB_NONE;
}

/* Adjacency of the SGSN: cached in the slot by its owner. The generation is read before the
 * look-up, so that a change of the FIB in between leaves a stale mark and not a stale hop;
 * generation 0 is that of a slot never used, and of one whose SGSN has moved: whether its address
 * is IPv4 is asked here, and not for each packet. */
static inline uint32_t fastpath_sgsn_hop(
	struct fastpath *f, struct session_slot *s, uint32_t peer4, const bool late)
{
	uint32_t gen, nh;

	if (late)
		return fastpath_sgsn_route(f, peer4);
	gen = atomic_load_explicit(&f->sh->fib->gen, memory_order_acquire);
	if (likely(s->nh_gen == gen && gen != 0))
		return s->nh;
	nh = fastpath_sgsn_route(f, session_peer_usr4(s));
	if (nh < FIB_ADJ_MAX) {
		s->nh = (uint16_t)nh;
		s->nh_gen = gen;
	}
	return nh;
}

/* Outer IP, UDP and GTP-U in front of `total` bytes. UDP checksum 0 (RFC 768: none): the inner
 * packet has its own, and a sum over it would be the dearest step of the path. DF is clear: what
 * does not fit is fragmented here or on the way, so the identification must not repeat soon, nor
 * between workers. */
static inline void fastpath_encapsulate(
	struct fastpath *f, const struct fp_view *v, struct rte_ipv4_hdr *ip, uint32_t total)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	uint16_t id = (uint16_t)(f->ip_id++ * f->sh->n_workers + f->worker);
	uint32_t gtp4 = f->sh->gtp4, sum;

	sum = RTE_IPV4_VHL_DEF << 8;
	sum += FP_TUNNEL + total + id + (FP_TTL << 8 | IPPROTO_UDP);
	sum += (gtp4 >> 16) + (gtp4 & 0xffff) + (v->peer4 >> 16) + (v->peer4 & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = 0;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(FP_TUNNEL + total));
	ip->packet_id = rte_cpu_to_be_16(id);
	ip->fragment_offset = 0;
	ip->time_to_live = FP_TTL;
	ip->next_proto_id = IPPROTO_UDP;
	ip->hdr_checksum = rte_cpu_to_be_16((uint16_t)~sum);
	ip->src_addr = rte_cpu_to_be_32(gtp4);
	ip->dst_addr = rte_cpu_to_be_32(v->peer4);
	udp->src_port = rte_cpu_to_be_16(GTPU_PORT);
	udp->dst_port = rte_cpu_to_be_16(GTPU_PORT);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(FP_TUNNEL - FP_IP + total));
	udp->dgram_cksum = 0;
	gtpu_header((uint8_t *)(udp + 1), v->peer_teid, (uint16_t)total);
}

static __rte_always_inline uint64_t *fastpath_down_packet(
	struct fastpath *f, struct fp_item *it, struct sum *sum, const bool late)
{
	struct rte_mbuf *m = it->m;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, FP_ETH);
	struct session_slot *s = it->slot;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	struct fp_view v = { 0 };
	struct fp_hop hop;
	uint64_t *why;
	uint16_t mtu;
	char *at;

	if (unlikely(!fp_view(s, it->handle, late, &v) || v.ue4 != rte_be_to_cpu_32(ip->dst_addr)))
		return &f->count.drop_no_session_down;
	if (!late) {
		v.peer_teid = s->peer_usr_teid;
		v.peer4 = fp_peer4(s);
		v.action = s->dn_action;
	}
	/* What this version does not know of, to hold a packet, it cannot do. */
	if (unlikely(v.action != SESSION_FORWARD))
		return &f->count.drop_action;
	if (!late && fp_red(f, &s->dn_tat, &settings_apn_of(f->settings, v.apn)->down, total))
		return &f->count.drop_policed_down;
	if (unlikely(ip->time_to_live <= 1)) {
		fp_icmp_error(f, m, ICMP_TIME_EXCEEDED, 0, 0);
		return &f->count.drop_ttl;
	}
	why = fp_hop(f, fastpath_sgsn_hop(f, s, v.peer4, late), v.peer4, CONFIG_ACCESS, &hop);
	if (unlikely(why != NULL))
		return why;
	mtu = f->sh->port[hop.port].mtu;
	if (unlikely(FP_TUNNEL + total > mtu &&
		     (ip->fragment_offset & rte_cpu_to_be_16(FP_IP_DF)))) {
		fp_icmp_error(
			f, m, ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, (uint16_t)(mtu - FP_TUNNEL));
		return &f->count.drop_too_big;
	}
	if (unlikely(FP_TUNNEL + total > UINT16_MAX)) /* no outer packet can carry it */
		return &f->count.drop_too_big;
	fp_ttl_down(ip);
	at = rte_pktmbuf_prepend(m, FP_TUNNEL);
	if (unlikely(at == NULL))
		return &f->count.drop_no_mbuf;
	fp_eth(f, &hop, at);
	fastpath_encapsulate(f, &v, (struct rte_ipv4_hdr *)(at + FP_ETH), total);
	fp_account(f, s, it->handle, &s->dn_pkts, total, late);
	sum->sent++;
	sum->sent_bytes += total;
	if (likely(FP_TUNNEL + total <= mtu))
		fp_tx(f, hop.port, m);
	else
		fp_fragment(f, hop.port, m);
	return NULL;
}

static __rte_always_inline void fastpath_down_packets(
	struct fastpath *f, struct fp_item *items, uint16_t n, const bool late)
{
	struct sum sum = { 0 };
	uint16_t held = 0;

	for (uint16_t i = 0; i < n; i++) {
		uint64_t *why;

		unsigned int len = items[i].m->data_len - (unsigned int)FP_ETH;

		sum.bytes += len;
		why = fastpath_down_packet(f, &items[i], &sum, late);
		if (unlikely(why != NULL) && fp_refuse(f, items[i].m, why)) {
			held++;
			sum.bytes -= len;
		}
	}
	f->count.down_rx_packets += n - held;
	f->count.down_rx_bytes += sum.bytes;
	f->count.down_tx_packets += sum.sent;
	f->count.down_tx_bytes += sum.sent_bytes;
}

void fp_down_burst(struct fastpath *f, struct fp_burst *b)
{
	if (likely(f->mode == FASTPATH_OWN))
		fastpath_down_packets(f, b->down, b->n_down, false);
	else
		fastpath_down_packets(f, b->down, b->n_down, true);
}

void fp_down_inner(struct fastpath *f, struct rte_mbuf *m, const _Atomic uint32_t *entry)
{
	uint32_t handle = atomic_load_explicit(entry, memory_order_acquire);
	struct fp_item it = { .m = m, .handle = handle };
	uint8_t owner = f->sh->worker_of_shard[session_handle_shard(handle)];

	if (handle == 0) {
		fp_drop(m, &f->count.drop_no_session_down);
		return;
	}
	if (owner != f->worker) {
		fp_hand_over(f, owner, m);
		return;
	}
	it.slot = session_slot_of(f->sh->table, handle);
	fastpath_down_packets(f, &it, 1, f->mode == FASTPATH_LATE);
}
