/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_slow: what few packets need: ICMP errors, fragments, destinations without a
 * neighbour. */
#include "fastpath_priv.h"

#include <rte_icmp.h>
#include <rte_ip_frag.h>

#include "base/clock.h"

enum {
	ICMP_ERRORS_PER_S = 1000,
	ICMP_BYTES_MAX = 576, /* RFC 1812 4.3.2.3 */
	FRAGMENTS_MAX = 64,   /* 64 KiB at the smallest MTU that makes sense */
};

static const struct budget_rates fastpath_icmp_rates = {
	.source = 10, .subject = 50, .shared = ICMP_ERRORS_PER_S
};

void fastpath_budgets(struct fastpath *f, const struct siphash_secret *secret)
{
	static const struct budget_rates unknown = GTPU_ERROR_RATES;

	budget_init(&f->unknown, secret, &unknown, clock_hz);
	budget_init(&f->icmp, secret, &fastpath_icmp_rates, clock_hz);
}

/* Whether one more may be said about this packet. Of the two it names the session's is the
 * subscriber's. */
static bool fastpath_icmp_budget(struct fastpath *f, const struct rte_ipv4_hdr *about)
{
	uint32_t to4 = rte_be_to_cpu_32(about->src_addr);
	bool up = pool_entry4(f->sh->pools, INSTANCE_MAIN, to4) != NULL;
	uint32_t ue4 = up ? to4 : rte_be_to_cpu_32(about->dst_addr);

	if (budget_take(&f->icmp, to4, ue4, f->now_tsc))
		return true;
	f->count.icmp_limited++;
	return false;
}

/* No adjacency: nothing is known of the destination, or it is on a link of ours and was never asked
 * for. */
uint64_t *fp_hop_none(struct fastpath *f, uint32_t nh, uint32_t dst4)
{
	uint16_t port = (uint16_t)nh;
	uint64_t word = (uint64_t)port << 32 | dst4;

	if (nh == FIB_NONE || !(nh & FIB_GLEAN) || port >= WORKER_PORTS ||
		f->sh->port[port].twin4 == dst4)
		return &f->count.drop_no_route;
	/* Control takes it with acquire; the word is all there is. A later one may overwrite: its
	 * packets come again. */
	if (atomic_load_explicit(&f->unresolved, memory_order_relaxed) != word)
		atomic_store_explicit(&f->unresolved, word, memory_order_relaxed);
	return &f->count.drop_unresolved;
}

bool fastpath_unresolved(struct fastpath *f, uint16_t *port, uint32_t *dst4)
{
	uint64_t word = atomic_load_explicit(&f->unresolved, memory_order_relaxed);

	if (word != 0)
		word = atomic_exchange(&f->unresolved, 0);
	*port = (uint16_t)(word >> 32);
	*dst4 = (uint32_t)word;
	return word != 0;
}

/* The window is short and rare: a next hop that does not answer must not cost more than a few held
 * frames a second. */
enum { HELD_MS = 200, HELD_RETRY_US = 500, HELD_PAUSE_MS = 1000 };

bool fp_refuse(struct fastpath *f, struct rte_mbuf *m, uint64_t *why)
{
	uint64_t hz = clock_hz;

	if (why == &f->count.drop_unresolved && f->n_held < FASTPATH_HELD) {
		if (f->n_held == 0 && f->now_tsc >= f->held_not_before && f->held_until == 0) {
			f->held_until = f->now_tsc + hz * HELD_MS / 1000;
			f->held_next = 0;
		}
		if (f->now_tsc < f->held_until) {
			f->held[f->n_held++] = m;
			f->count.held++;
			return true;
		}
	}
	fp_drop(m, why);
	return false;
}

void fp_held_turn(struct fastpath *f)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	uint16_t n = f->n_held, k;

	if (f->now_tsc < f->held_next)
		return;
	f->held_next = f->now_tsc + clock_hz * HELD_RETRY_US / 1000000;
	for (uint16_t i = 0; i < n;
		/* those that still cannot go are held behind the others, in their order */
		i += k) {
		k = RTE_MIN((uint16_t)(n - i), (uint16_t)FASTPATH_BURST);
		memcpy(m, f->held, k * sizeof(m[0]));
		f->n_held = (uint16_t)(f->n_held - k);
		memmove(f->held, f->held + k, f->n_held * sizeof(m[0]));
		f->count.handed_in -= k;
		fastpath_handed(f, m, k);
	}
	if (f->n_held == 0) {
		f->held_not_before = f->now_tsc < f->held_until
					     ? 0
					     : f->now_tsc + clock_hz * HELD_PAUSE_MS / 1000;
		f->held_until = 0;
	}
}

void fastpath_fini(struct fastpath *f)
{
	rte_pktmbuf_free_bulk(f->held, f->n_held);
	f->n_held = 0;
}

/* Whose name an error carries: the address of the port that the packet came in on, if that is a
 * core one; the access network's addresses are no subscriber's business where another is to be had.
 */
static uint32_t fastpath_icmp_source(const struct worker_shared *sh, uint16_t port)
{
	if ((sh->port[port].roles & CONFIG_CORE) && sh->port[port].twin4 != 0)
		return sh->port[port].twin4;
	for (unsigned int i = 0; i < WORKER_PORTS; i++)
		if ((sh->port[i].roles & CONFIG_CORE) && sh->port[i].twin4 != 0)
			return sh->port[i].twin4;
	return sh->port[port].twin4 != 0 ? sh->port[port].twin4 : sh->gtp4;
}

/* RFC 1122 3.2.2 and RFC 1812 4.3.2.7: what must never be answered by an error. */
static bool fastpath_icmp_forbidden(const struct rte_ipv4_hdr *ip, uint32_t len)
{
	uint32_t src = rte_be_to_cpu_32(ip->src_addr), dst = rte_be_to_cpu_32(ip->dst_addr);
	uint32_t header = (ip->version_ihl & 15u) * 4;
	uint8_t type;

	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		return true;
	if (!ip4_is_unicast(src) || dst >= 0xe0000000)
		return true;
	if (ip->next_proto_id != IPPROTO_ICMP)
		return false;
	if (len <= header)
		return true;
	type = *((const uint8_t *)ip + header);
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Sends a packet of our own, behind room for an Ethernet header: to a subscriber or by the core
 * network. */
static void fastpath_output(struct fastpath *f, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, FP_ETH);
	uint32_t dst4 = rte_be_to_cpu_32(ip->dst_addr);
	const _Atomic uint32_t *entry = pool_entry4(f->sh->pools, INSTANCE_MAIN, dst4);
	struct fp_hop hop;
	uint64_t *why;

	if (entry != NULL) {
		fp_down_inner(f, m, entry);
		return;
	}
	why = fp_hop(f, fib_lookup4(f->sh->fib, INSTANCE_MAIN, dst4), dst4, CONFIG_CORE, &hop);
	if (why != NULL) {
		fp_drop(m, why);
		return;
	}
	fp_eth(f, &hop, rte_pktmbuf_mtod(m, void *));
	fp_tx(f, hop.port, m);
}

/* The port that a frame of our own pretends to have come in on. */
static uint16_t fastpath_core_port(const struct worker_shared *sh, uint16_t port)
{
	if (sh->port[port].roles & CONFIG_CORE)
		return port;
	for (uint16_t i = 0; i < WORKER_PORTS; i++)
		if (sh->port[i].roles & CONFIG_CORE)
			return i;
	return port;
}

/* About m, whose IP packet stands behind an Ethernet header and which stays the caller's; a frame
 * from the core network for a subscriber may go to another worker, hence the whole Ethernet header.
 */
void fp_icmp_error(
	struct fastpath *f, const struct rte_mbuf *m, uint8_t type, uint8_t code, uint16_t mtu)
{
	const struct rte_ipv4_hdr *about =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FP_ETH);
	uint32_t len = m->data_len - (uint32_t)FP_ETH;
	uint32_t quoted =
		RTE_MIN(len, (uint32_t)(ICMP_BYTES_MAX - FP_IP - sizeof(struct rte_icmp_hdr)));
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_icmp_hdr *icmp;
	struct rte_mbuf *e;

	if (fastpath_icmp_forbidden(about, len) || !fastpath_icmp_budget(f, about))
		return;
	e = rte_pktmbuf_alloc(f->sh->direct);
	eth = e == NULL ? NULL
			: (void *)rte_pktmbuf_append(
				  e, (uint16_t)(FP_ETH + FP_IP + sizeof(*icmp) + quoted));
	if (eth == NULL) {
		rte_pktmbuf_free(e);
		f->count.drop_no_mbuf++;
		return;
	}
	e->port = fastpath_core_port(f->sh, m->port);
	eth->dst_addr = eth->src_addr = *ether_of(&f->sh->fib->mac[e->port]);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(FP_IP + sizeof(*icmp) + quoted)),
		.packet_id = rte_cpu_to_be_16(f->ip_id++),
		.time_to_live = FP_TTL + 1, /* the downlink takes one */
		.next_proto_id = IPPROTO_ICMP,
		.src_addr = rte_cpu_to_be_32(fastpath_icmp_source(f->sh, m->port)),
		.dst_addr = about->src_addr,
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	icmp = (struct rte_icmp_hdr *)(ip + 1);
	*icmp = (struct rte_icmp_hdr){
		.icmp_type = type, .icmp_code = code, .icmp_seq_nb = rte_cpu_to_be_16(mtu)
	};
	memcpy(icmp + 1, about, quoted);
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, sizeof(*icmp) + quoted);
	f->count.icmp_sent++;
	fastpath_output(f, e);
}

/* m: a whole frame whose packet is too big for the port. Fragments are copies, each in one buffer:
 * this is rare, and a port then needs neither scatter nor shared buffers. */
void fp_fragment(struct fastpath *f, uint16_t port, struct rte_mbuf *m)
{
	struct rte_ether_hdr eth = *rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, FP_ETH);
	uint16_t header = (uint16_t)((ip->version_ihl & 15u) * 4), mtu = f->sh->port[port].mtu;
	struct rte_mbuf *out[FRAGMENTS_MAX];
	int n;

	rte_pktmbuf_adj(m, FP_ETH);
	/* All but the last fragment carry a multiple of eight bytes. */
	mtu = mtu < header + 8 ? 0 : (uint16_t)(header + RTE_ALIGN_FLOOR(mtu - header, 8));
	n = mtu == 0 ? -EINVAL
		     : rte_ipv4_fragment_copy_nonseg_packet(
			       m, out, FRAGMENTS_MAX, mtu, f->sh->direct);
	rte_pktmbuf_free(m);
	if (n < 0) {
		f->count.drop_no_mbuf += n == -ENOMEM;
		f->count.drop_too_big += n != -ENOMEM;
		return;
	}
	f->count.fragmented++;
	for (int i = 0; i < n; i++) {
		ip = rte_pktmbuf_mtod(out[i], struct rte_ipv4_hdr *);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = fp_ip_sum(ip);
		memcpy(rte_pktmbuf_prepend(out[i], FP_ETH), &eth, FP_ETH);
		fp_tx(f, port, out[i]);
	}
}
