/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_priv: what the files of the fast path share and nobody else sees: a burst being worked
 * on, the view of a slot, the choice of a next hop. A function that can refuse a packet returns the
 * counter of the reason, or NULL. */
#ifndef TANDEM_FASTPATH_PRIV_H
#define TANDEM_FASTPATH_PRIV_H

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "common/ether.h"
#include "fastpath.h"
#include "gtp/gtpu.h"
#include "net/fib_lookup.h"

enum {
	FP_ETH = sizeof(struct rte_ether_hdr),
	FP_IP = sizeof(struct rte_ipv4_hdr),
	FP_TUNNEL = sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) + GTPU_HEADER,
	FP_IP_DF = 0x4000,
	FP_IP_FRAGMENT = 0x3fff, /* more fragments, or an offset */
	FP_TTL = 64,
};

/* A packet on its way through the passes of a burst. */
struct fp_item {
	struct rte_mbuf *m;
	union {
		struct session_slot *slot;
		const _Atomic uint32_t *entry; /* downlink, until the handle was read */
	};
	uint32_t handle;
	uint16_t offset; /* uplink: of the inner packet */
	uint16_t len;    /* uplink: bytes that the tunnel carries */
};

struct fp_burst {
	uint16_t n_up, n_down;
	bool handed; /* came from another worker: goes to no third one */
	struct fp_item up[FASTPATH_BURST], down[FASTPATH_BURST];
};

/* What a packet needs to know of its session. */
struct fp_view {
	uint32_t ue4, peer_teid, peer4;
	uint8_t apn, action; /* action: enum session_action */
};

struct fp_hop {
	uint64_t word; /* of the adjacency */
	uint16_t port;
};

/* fastpath.c */
void fp_drop(struct rte_mbuf *m, uint64_t *why);
void fp_punt(struct fastpath *f, struct rte_mbuf *m);
void fp_hand_over(struct fastpath *f, uint8_t worker, struct rte_mbuf *m);
void fp_flush_port(struct fastpath *f, uint16_t port);
/* fastpath_up.c */
void fp_up_burst(struct fastpath *f, struct fp_burst *b);
/* fastpath_down.c */
void fp_down_burst(struct fastpath *f, struct fp_burst *b);
/* An Ethernet frame whose destination is in a pool: through its session, or to the worker that owns
 * it. */
void fp_down_inner(struct fastpath *f, struct rte_mbuf *m, const _Atomic uint32_t *entry);
/* fastpath_peers.c: as fp_heard(), by the settings. */
bool fp_heard_look_up(struct fastpath *f, uint16_t port, rte_be32_t from);
/* Whether GTP-C from that address is heard at the port. */
bool fp_heard_control(const struct fastpath *f, uint16_t port, uint32_t from4);
/* The settings are others: what is remembered of the ones before does not count. */
void fp_heard_forget(struct fastpath *f);
/* fastpath_slow.c */
void fp_icmp_error(
	struct fastpath *f, const struct rte_mbuf *m, uint8_t type, uint8_t code, uint16_t mtu);
void fp_fragment(struct fastpath *f, uint16_t port, struct rte_mbuf *m);
/* Refuses a packet for a reason; true: it is held instead, because its next hop is only just being
 * resolved. */
bool fp_refuse(struct fastpath *f, struct rte_mbuf *m, uint64_t *why);
/* Tries held packets again. */
void fp_held_turn(struct fastpath *f);
uint64_t *fp_hop_none(struct fastpath *f, uint32_t nh, uint32_t dst4)
	__attribute__((returns_nonnull));

/* Where a source of GTP-U is remembered, by one octet of its address as it stands in the packet:
 * the last one, in which neighbours differ. */
static inline rte_be32_t *fp_heard_at(struct fastpath *f, uint16_t port, rte_be32_t from)
{
	return &f->heard[port][from >> 24];
}

/* Whether GTP-U from that address is heard at the port: it is a configured peer's. SGSNs are few,
 * and send again and again. */
static inline bool fp_heard(struct fastpath *f, uint16_t port, rte_be32_t from)
{
	return likely(*fp_heard_at(f, port, from) == from) || fp_heard_look_up(f, port, from);
}

static inline uint64_t fp_carry_add(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* The checksum over the header as it stands: zero when it is right. Sums are ones' complement,
 * eight bytes at a time (RFC 1071); a word added to itself turned by half leaves the folded sum,
 * carry and all, in its upper half. */
static inline uint16_t fp_ip_sum(const struct rte_ipv4_hdr *ip)
{
	const unsigned char *p = (const unsigned char *)ip;
	uint64_t sum, more;
	uint32_t w, half;

	memcpy(&sum, p, 8);
	memcpy(&more, p + 8, 8);
	memcpy(&w, p + 16, 4);
	sum = fp_carry_add(fp_carry_add(sum, more), w);
	for (unsigned int i = FP_IP; unlikely(i < (ip->version_ihl & 15u) * 4); i += 4) {
		memcpy(&w, p + i, 4);
		sum = fp_carry_add(sum, w);
	}
	half = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
	return (uint16_t) ~((half + (half << 16 | half >> 16)) >> 16);
}

/* One hop less; RFC 1624 for the checksum, of whose two zeros only the usual one comes out. */
static inline void fp_ttl_down(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = ip->hdr_checksum;

	ip->time_to_live--;
	sum += rte_cpu_to_be_16(0x0100);
	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
}

/* The last four octets of the SGSN's address: all of it, if it is IPv4. Host order. */
static inline uint32_t fp_peer4(const struct session_slot *s)
{
	uint32_t be;

	memcpy(&be, s->peer_usr + IP_V4_AT, sizeof(be));
	return rte_be_to_cpu_32(be);
}

/* The owner of a shard reads its slots as they are: it is the only writer. In late mode the
 * replication core writes them, under the sequence count (its release pairs with the acquire here).
 * False: no such session. */
static inline bool fp_view(
	const struct session_slot *s, uint32_t handle, const bool late, struct fp_view *v)
{
	for (unsigned int tries = 0; tries < 8; tries++) {
		uint32_t seq = late ? atomic_load_explicit(&s->seq, memory_order_acquire) : 0;
		uint32_t teid;

		if (late && (seq & 1)) {
			rte_pause();
			continue;
		}
		teid = __atomic_load_n(&s->teid, __ATOMIC_RELAXED);
		v->ue4 = __atomic_load_n(&s->ue4, __ATOMIC_RELAXED);
		v->apn = __atomic_load_n(&s->apn, __ATOMIC_RELAXED);
		if (late) {
			v->peer_teid = __atomic_load_n(&s->peer_usr_teid, __ATOMIC_RELAXED);
			v->peer4 = session_peer_usr4(s);
			v->action = __atomic_load_n(&s->dn_action, __ATOMIC_RELAXED);
			atomic_thread_fence(memory_order_acquire);
			if (atomic_load_explicit(&s->seq, memory_order_relaxed) != seq)
				continue;
		}
		return teid == handle && handle != 0;
	}
	return false;
}

/* Packets and bytes have one writer, and readers on other cores. */
static inline void fp_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* What every forwarded packet leaves behind in its slot. */
static inline void fp_account(struct fastpath *f, struct session_slot *s, uint32_t handle,
	uint64_t *pkts, uint32_t len, const bool late)
{
	fp_add(pkts, 1);
	fp_add(pkts + 1, len);
	if (late) {
		f->count.late_packets++;
		f->late_last_tsc = f->now_tsc;
	}
	if (s->active_s != f->now_s)
		s->active_s = f->now_s;
	/* Of a demoted chassis only whole usage is taken (lib/repl/README.md section 6). */
	if (f->streaming)
		dirty_mark(f->dirty, s, handle, late ? SESSION_G_USAGE64 : SESSION_G_USAGE32);
}

/* nh: result of fib_lookup4 for dst4. */
static inline uint64_t *fp_hop(
	struct fastpath *f, uint32_t nh, uint32_t dst4, uint8_t role, struct fp_hop *h)
{
	if (unlikely(nh >= FIB_ADJ_MAX))
		return fp_hop_none(f, nh, dst4);
	h->word = fib_adj_word(f->sh->fib, nh);
	if (unlikely(!(h->word & FIB_ADJ_VALID)))
		return &f->count.drop_unresolved;
	h->port = fib_word_port(h->word);
	if (unlikely(h->port >= WORKER_PORTS || !(f->sh->port[h->port].roles & role)))
		return &f->count.drop_wrong_port;
	if (unlikely(!atomic_load_explicit(&f->sh->port[h->port].up, memory_order_relaxed)))
		return &f->count.drop_link_down;
	return NULL;
}

/* The word's first six bytes in network order are the MAC; the source overwrites the other two. */
static inline void fp_eth(const struct fastpath *f, const struct fp_hop *h, void *at)
{
	struct rte_ether_hdr *eth = at;
	uint64_t be = rte_cpu_to_be_64(h->word);

	memcpy(eth, &be, sizeof(be));
	memcpy(&eth->src_addr, &f->sh->fib->mac[h->port], sizeof(eth->src_addr));
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
}

static inline void fp_tx(struct fastpath *f, uint16_t port, struct rte_mbuf *m)
{
	f->tx_ports |= 1u << port;
	f->tx[port].m[f->tx[port].n++] = m;
	if (f->tx[port].n == FASTPATH_TX)
		fp_flush_port(f, port);
}

/* More than the rate of the session's APN lets through. */
static inline bool fp_red(
	const struct fastpath *f, uint64_t *tat, const struct police_rate *r, uint32_t len)
{
	return !police_pass(tat, r, f->now_tsc, len);
}

#endif
