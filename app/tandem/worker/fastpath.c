/* SPDX-License-Identifier: BSD-3-Clause */
#include "fastpath_priv.h"
#include "base/port.h"
#include "gtp/gtpc.h"

#include <errno.h>

void fp_drop(struct rte_mbuf *m, uint64_t *why)
{
	(*why)++;
	rte_pktmbuf_free(m);
}

void fp_punt(struct fastpath *f, struct rte_mbuf *m)
{
	if (rte_ring_enqueue(f->punt, m) == 0)
		f->count.punted++;
	else
		fp_drop(m, &f->count.drop_punt_full);
}

void fp_hand_over(struct fastpath *f, uint8_t worker, struct rte_mbuf *m)
{
	if (worker < WORKER_MOST && f->handover[worker] != NULL &&
		rte_ring_enqueue(f->handover[worker], m) == 0)
		f->count.handed_over++;
	else
		fp_drop(m, &f->count.drop_handover_full);
}

void fp_flush_port(struct fastpath *f, uint16_t port)
{
	uint16_t n = f->tx[port].n;
	uint16_t sent = port_ops->tx(port, f->queue, f->tx[port].m, n);

	if (unlikely(sent < n)) {
		f->count.drop_tx_full += (uint64_t)(n - sent);
		rte_pktmbuf_free_bulk(&f->tx[port].m[sent], (unsigned int)(n - sent));
	}
	f->tx[port].n = 0;
	f->tx_ports &= ~(1u << port);
}

void fastpath_flush(struct fastpath *f)
{
	if (unlikely(f->n_held > 0))
		fp_held_turn(f);
	while (f->tx_ports != 0)
		fp_flush_port(f, (uint16_t)__builtin_ctz(f->tx_ports));
}

void fastpath_send(struct fastpath *f, uint16_t port, struct rte_mbuf *m)
{
	if (unlikely(port >= WORKER_PORTS || f->sh->port[port].roles == 0))
		fp_drop(m, &f->count.drop_wrong_port);
	else if (unlikely(!atomic_load_explicit(&f->sh->port[port].up, memory_order_relaxed)))
		fp_drop(m, &f->count.drop_link_down);
	else
		fp_tx(f, port, m);
}

/* An IPv4 packet that is for us, at the end of the Ethernet header: whole, in one piece and without
 * link padding. */
static inline uint64_t *fastpath_check_outer(struct fastpath *f, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip;
	uint64_t flags = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	unsigned int header, total;

	if (unlikely(m->nb_segs > 1) && rte_pktmbuf_linearize(m) < 0)
		return &f->count.drop_outer_malformed;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FP_ETH);
	header = (ip->version_ihl & 15u) * 4;
	total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely((ip->version_ihl >> 4) != 4 || header < FP_IP || total < header ||
		     total > m->data_len - (unsigned int)FP_ETH))
		return &f->count.drop_outer_malformed;
	/* The port's word where it has one; a frame from a port that does not look is summed
	 * here. */
	if (flags == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
		(flags != RTE_MBUF_F_RX_IP_CKSUM_GOOD && fp_ip_sum(ip) != 0))
		return &f->count.drop_outer_checksum;
	m->data_len = (uint16_t)(FP_ETH + total);
	m->pkt_len = m->data_len;
	return NULL;
}

/* The worker that has to see a shard's packet. True: it was not this one, and m is gone. */
static inline bool fastpath_elsewhere(
	struct fastpath *f, const struct fp_burst *b, uint32_t shard, struct rte_mbuf *m)
{
	uint8_t owner = f->sh->worker_of_shard[shard];

	if (likely(owner == f->worker))
		return false;
	if (b->handed)
		fp_drop(m, &f->count.drop_not_active);
	else
		fp_hand_over(f, owner, m);
	return true;
}

/* What is neither a G-PDU nor wrong. m is consumed. */
static void fastpath_handle_gtpu(
	struct fastpath *f, struct rte_mbuf *m, enum gtpu_verdict verdict, uint8_t type)
{
	static const size_t why[] = {
		[GTPU_BAD_VERSION] = offsetof(struct fastpath_counters, drop_gtpu_version),
		[GTPU_BAD_LENGTH] = offsetof(struct fastpath_counters, drop_gtpu_length),
		[GTPU_BAD_EXTENSION] = offsetof(struct fastpath_counters, drop_gtpu_extension),
	};

	if (verdict == GTPU_UNKNOWN_EXTENSION) {
		fp_punt(f, m);
		return;
	}
	if (verdict != GTPU_OK) {
		fp_drop(m, RTE_PTR_ADD(&f->count, why[verdict]));
		return;
	}
	switch (type) {
	case GTPU_ECHO_REQUEST:
	case GTPU_ECHO_RESPONSE:
	case GTPU_ERROR_INDICATION:
	case GTPU_SUPPORTED_EXTENSION_HEADERS:
		fp_punt(f, m);
		break;
	case GTPU_END_MARKER:
		f->count.end_markers++;
		rte_pktmbuf_free(m);
		break;
	default:
		fp_drop(m, &f->count.drop_gtpu_unknown_type);
	}
}

/* UDP to another port of the VIP: GTP-C of a stranger ends here, all else is control's. */
static __rte_noinline __rte_cold void fastpath_not_gtpu(struct fastpath *f, struct rte_mbuf *m,
	const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp)
{
	if (udp->dst_port == rte_cpu_to_be_16(GTPC_PORT) &&
		!fp_heard_control(f, m->port, rte_be_to_cpu_32(ip->src_addr)))
		fp_drop(m, &f->count.drop_no_peer_control);
	else
		fp_punt(f, m);
}

/* UDP to the VIP that came in whole. The UDP checksum of a G-PDU stays unread: it may be zero, the
 * inner packet carries its own, and to sum a payload that only passes would cost more than all the
 * rest. */
static inline void fastpath_classify_udp(struct fastpath *f, struct fp_burst *b, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FP_ETH);
	unsigned int at = FP_ETH + (ip->version_ihl & 15u) * 4, room = m->data_len - at, len;
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	struct fp_item *it = &b->up[b->n_up];
	struct gtpu g = { 0 };
	enum gtpu_verdict verdict;

	if (unlikely(room < sizeof(*udp))) {
		fp_drop(m, &f->count.drop_outer_malformed);
		return;
	}
	if (unlikely(udp->dst_port != rte_cpu_to_be_16(GTPU_PORT))) {
		fastpath_not_gtpu(f, m, ip, udp);
		return;
	}
	if (unlikely(!fp_heard(f, m->port, ip->src_addr))) {
		fp_drop(m, &f->count.drop_no_peer_user);
		return;
	}
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (unlikely(len < sizeof(*udp) || len > room)) {
		fp_drop(m, &f->count.drop_outer_malformed);
		return;
	}
	verdict = gtpu_parse((const uint8_t *)(udp + 1), len - sizeof(*udp), &g);
	if (unlikely(verdict != GTPU_OK || g.type != GTPU_G_PDU)) {
		fastpath_handle_gtpu(f, m, verdict, g.type);
		return;
	}
	if (unlikely(f->mode == FASTPATH_IDLE)) {
		fp_drop(m, &f->count.drop_not_active);
		return;
	}
	if (fastpath_elsewhere(f, b, session_handle_shard(g.teid), m))
		return;
	it->slot = session_slot_of(f->sh->table, g.teid);
	it->m = m;
	it->handle = g.teid;
	it->offset = (uint16_t)(at + sizeof(*udp) + g.offset);
	it->len = g.len;
	b->n_up++;
}

static inline void fastpath_classify(
	struct fastpath *f, struct fp_burst *b, uint16_t port, struct rte_mbuf *m)
{
	const struct worker_shared *sh = f->sh;
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const _Atomic uint32_t *entry;
	uint64_t *why;
	uint32_t dst4;

	/* A frame for another station is the kernel's to ignore: two chassis share a segment. */
	if (unlikely(m->data_len < FP_ETH + FP_IP ||
		     eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		     !rte_is_same_ether_addr(&eth->dst_addr, ether_of(&sh->fib->mac[port])))) {
		fp_punt(f, m);
		return;
	}
	dst4 = rte_be_to_cpu_32(ip->dst_addr);
	if (dst4 == sh->gtp4 && (sh->port[port].roles & CONFIG_ACCESS) &&
		ip->next_proto_id == IPPROTO_UDP &&
		!(ip->fragment_offset & rte_cpu_to_be_16(FP_IP_FRAGMENT))) {
		why = fastpath_check_outer(f, m);
		if (likely(why == NULL))
			fastpath_classify_udp(f, b, m);
		else
			fp_drop(m, why);
		return;
	}
	entry = (sh->port[port].roles & CONFIG_CORE) ? pool_entry4(sh->pools, INSTANCE_MAIN, dst4)
						     : NULL;
	if (unlikely(entry == NULL)) {
		fp_punt(f, m);
		return;
	}
	rte_prefetch0((const void *)(uintptr_t)entry);
	why = f->mode == FASTPATH_IDLE ? &f->count.drop_not_active : fastpath_check_outer(f, m);
	if (unlikely(why != NULL)) {
		fp_drop(m, why);
		return;
	}
	b->down[b->n_down].m = m;
	b->down[b->n_down].entry = entry;
	b->n_down++;
}

/* Second pass of the downlink: the handles have arrived, the slots' lines are asked for. */
static inline void fastpath_find_slots(struct fastpath *f, struct fp_burst *b)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < b->n_down; i++) {
		struct rte_mbuf *m = b->down[i].m;
		uint32_t handle = atomic_load_explicit(b->down[i].entry, memory_order_acquire);
		struct session_slot *s;

		if (unlikely(handle == 0)) {
			fp_drop(m, &f->count.drop_no_session_down);
			continue;
		}
		if (fastpath_elsewhere(f, b, session_handle_shard(handle), m))
			continue;
		s = session_slot_of(f->sh->table, handle);
		rte_prefetch0(s);
		rte_prefetch0((const char *)s + RTE_CACHE_LINE_SIZE);
		b->down[n].m = m;
		b->down[n].slot = s;
		b->down[n].handle = handle;
		n++;
	}
	b->n_down = n;
}

/* The slots' prefetches of a burst stand close together, in a loop of their own: most of them miss
 * the TLB too, and page walks overlap only if little else is between them. */
static inline void fastpath_run(struct fastpath *f, struct fp_burst *b)
{
	for (uint16_t i = 0; i < b->n_up; i++)
		rte_prefetch0(b->up[i].slot);
	if (b->n_down > 0)
		fastpath_find_slots(f, b);
	if (b->n_up > 0)
		fp_up_burst(f, b);
	if (b->n_down > 0)
		fp_down_burst(f, b);
}

/* Once a burst: who may serve no longer forwards nothing more, whatever it owns. The mode for this
 * burst; what else comes in is the kernel's as ever. */
static inline enum fastpath_mode fastpath_mode_of_burst(const struct fastpath *f)
{
	return unlikely(role_lapsed(f->role, f->now_tsc)) && f->mode == FASTPATH_OWN ? FASTPATH_IDLE
										     : f->mode;
}

void fastpath_rx(struct fastpath *f, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	const enum fastpath_mode mode = f->mode;
	struct fp_burst b;

	if (unlikely(f->heard_by != f->settings->number))
		fp_heard_forget(f);
	b.n_up = b.n_down = 0;
	b.handed = false;
	f->mode = fastpath_mode_of_burst(f);
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], const void *));
	for (uint16_t i = 0; i < n; i++) {
		pkts[i]->port = port; /* whoever gets it by a ring must know */
		fastpath_classify(f, &b, port, pkts[i]);
	}
	fastpath_run(f, &b);
	f->mode = mode;
}

void fastpath_handed(struct fastpath *f, struct rte_mbuf **pkts, uint16_t n)
{
	const enum fastpath_mode mode = f->mode;
	struct fp_burst b;

	if (unlikely(f->heard_by != f->settings->number))
		fp_heard_forget(f);
	b.n_up = b.n_down = 0;
	b.handed = true;
	f->count.handed_in += n;
	f->mode = fastpath_mode_of_burst(f);
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], const void *));
	for (uint16_t i = 0; i < n; i++) {
		if (likely(pkts[i]->port < WORKER_PORTS))
			fastpath_classify(f, &b, pkts[i]->port, pkts[i]);
		else
			fp_drop(pkts[i], &f->count.drop_wrong_port);
	}
	fastpath_run(f, &b);
	f->mode = mode;
}

void fastpath_prefetch_due(const struct fastpath *f, unsigned int n)
{
	const struct dirty_ring *normal = &f->dirty->normal;
	uint32_t due = f->dirty->due_end - normal->head;

	if (due < n)
		n = due;
	for (unsigned int i = 0; i < n; i++) {
		const char *s = (const char *)session_slot_of(
			f->sh->table, normal->e[(normal->head + i) & normal->mask]);

		rte_prefetch0(s);
		rte_prefetch0(s + RTE_CACHE_LINE_SIZE);
	}
}
