/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports: the SGSNs live on one port, the core host on another (or the same). A next hop's MAC
 * is asked by ARP every second, and whatever ARP says of it in between is believed: a chassis that
 * takes over announces itself so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "gtp/gtpc.h"
#include "gtp/gtpu.h"
#include "link.h"

enum {
	RING = 2048,
	MBUFS = 16383,
	ARP_US = 1000000,
	RESOLVE_MS = 5000,
	TX_TRIES = 200,
	ROUNDS = 4,
	SLEEP_US = 20,
	JUMBO = 9216,
	SIDES = 2 /* access, core */
};

struct side {
	uint16_t port;
	uint32_t gw4, own4; /* own4: sender of our ARP requests */
	struct rte_ether_addr mac, gw;
	bool known, fixed;
	usec_t asked;
	uint16_t n;
	struct rte_mbuf *out[LINK_BATCH];
};

struct link_dpdk {
	struct link link;
	const struct options *o;
	struct rte_mempool *pool;
	struct side side[SIDES];
	unsigned int n_sides; /* 1: nothing of the core */
	uint16_t ip_id;
};

static struct link_dpdk *link_dpdk_self(struct link *l)
{
	return (struct link_dpdk *)l;
}

static void link_dpdk_flush_side(struct link_dpdk *k, struct side *s)
{
	uint16_t done = 0;

	for (unsigned int i = 0; i < TX_TRIES && done < s->n; i++)
		done = (uint16_t)(done + rte_eth_tx_burst(s->port, 0, s->out + done,
						 (uint16_t)(s->n - done)));
	if (done < s->n) {
		k->link.not_sent += s->n - done;
		rte_pktmbuf_free_bulk(s->out + done, s->n - done);
	}
	s->n = 0;
}

static void link_dpdk_queue(struct link_dpdk *k, struct side *s, struct rte_mbuf *m)
{
	s->out[s->n++] = m;
	if (s->n == LINK_BATCH)
		link_dpdk_flush_side(k, s);
}

/* ---- ARP ---- */

static void link_dpdk_arp_send(struct link_dpdk *k, struct side *s, uint16_t op, uint32_t from4,
	const struct rte_ether_addr *to, uint32_t to4)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->pool);
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (m == NULL)
		return;
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, 60); /* the shortest frame */
	memset(eth, 0, 60);
	arp = (struct rte_arp_hdr *)(eth + 1);
	eth->src_addr = s->mac;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = 4;
	arp->arp_opcode = rte_cpu_to_be_16(op);
	arp->arp_data.arp_sha = s->mac;
	arp->arp_data.arp_sip = rte_cpu_to_be_32(from4);
	arp->arp_data.arp_tip = rte_cpu_to_be_32(to4);
	if (op == RTE_ARP_OP_REPLY) {
		eth->dst_addr = *to;
		arp->arp_data.arp_tha = *to;
	} else {
		memset(&eth->dst_addr, 0xff, RTE_ETHER_ADDR_LEN);
	}
	link_dpdk_queue(k, s, m);
}

static bool link_dpdk_is_own(const struct link_dpdk *k, const struct side *s, uint32_t a)
{
	if (s->own4 == k->o->core4 && a == k->o->core4)
		return true;
	for (unsigned int i = 0; s == &k->side[0] && i < k->o->n_local; i++)
		if (k->o->local4[i] == a)
			return true;
	return false;
}

static void link_dpdk_arp_heard(struct link_dpdk *k, uint16_t port, const struct rte_arp_hdr *arp)
{
	uint32_t from = rte_be_to_cpu_32(arp->arp_data.arp_sip),
		 to = rte_be_to_cpu_32(arp->arp_data.arp_tip);

	for (unsigned int i = 0; i < k->n_sides; i++) {
		struct side *s = &k->side[i];

		if (s->port != port)
			continue;
		if (from == s->gw4 && !s->fixed) {
			s->gw = arp->arp_data.arp_sha;
			s->known = true;
		}
		if (arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
			link_dpdk_is_own(k, s, to) && from != to)
			link_dpdk_arp_send(
				k, s, RTE_ARP_OP_REPLY, to, &arp->arp_data.arp_sha, from);
	}
}

static void link_dpdk_arp_turn(struct link_dpdk *k, usec_t now)
{
	for (unsigned int i = 0; i < k->n_sides; i++) {
		struct side *s = &k->side[i];

		if (s->fixed || (s->asked != 0 && now - s->asked < ARP_US))
			continue;
		s->asked = now;
		link_dpdk_arp_send(k, s, RTE_ARP_OP_REQUEST, s->own4, NULL, s->gw4);
	}
}

/* ---- datagrams ---- */

static bool link_dpdk_endpoint_of(
	const struct link_dpdk *k, uint16_t port, uint32_t to4, uint16_t to_port, unsigned int *e)
{
	if (port == k->side[0].port && (to_port == GTPC_PORT || to_port == GTPU_PORT)) {
		for (unsigned int i = 0; i < k->o->n_local; i++)
			if (k->o->local4[i] == to4) {
				*e = to_port == GTPC_PORT ? link_ctl(i) : link_usr(i);
				return true;
			}
	}
	*e = LINK_CORE;
	return k->n_sides == SIDES && port == k->side[1].port && to4 == k->o->core4 &&
	       to_port == k->o->core_port;
}

static void link_dpdk_frame(struct link_dpdk *k, uint16_t port, const struct rte_mbuf *m,
	link_handler handler, void *ctx)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp;
	size_t head, len;
	struct link_in in;

	if (m->data_len >= 42 && eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)) {
		link_dpdk_arp_heard(k, port, (const struct rte_arp_hdr *)(eth + 1));
		return;
	}
	if (m->data_len < 42 || eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		ip->version_ihl >> 4 != 4 || ip->next_proto_id != IPPROTO_UDP ||
		(ip->fragment_offset & rte_cpu_to_be_16(0x3fff)) != 0)
		return; /* what else crosses the network is none of ours */
	head = (size_t)(ip->version_ihl & 0xf) * 4;
	if (head < 20 || sizeof(*eth) + head + sizeof(*udp) > m->data_len)
		return;
	udp = (const struct rte_udp_hdr *)((const uint8_t *)ip + head);
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len < sizeof(*udp) || sizeof(*eth) + head + len > m->data_len ||
		!link_dpdk_endpoint_of(k, port, rte_be_to_cpu_32(ip->dst_addr),
			rte_be_to_cpu_16(udp->dst_port), &in.endpoint))
		return;
	in.from4 = rte_be_to_cpu_32(ip->src_addr);
	in.from_port = rte_be_to_cpu_16(udp->src_port);
	in.p = (const uint8_t *)(udp + 1);
	in.len = len - sizeof(*udp);
	handler(ctx, &in);
}

static unsigned int link_dpdk_poll(struct link *l, link_handler handler, void *ctx, usec_t now)
{
	struct link_dpdk *k = link_dpdk_self(l);
	unsigned int total = 0;

	for (unsigned int i = 0; i < k->n_sides; i++) {
		struct rte_mbuf *m[LINK_BATCH];
		uint16_t n = LINK_BATCH;

		if (i > 0 && k->side[i].port == k->side[0].port)
			break;
		for (unsigned int r = 0; r < ROUNDS && n == LINK_BATCH; r++) {
			n = rte_eth_rx_burst(k->side[i].port, 0, m, LINK_BATCH);
			for (uint16_t j = 0; j < n; j++)
				link_dpdk_frame(k, k->side[i].port, m[j], handler, ctx);
			rte_pktmbuf_free_bulk(m, n);
			total += n;
		}
	}
	link_dpdk_arp_turn(k, now);
	return total;
}

static void link_dpdk_send(
	struct link *l, unsigned int e, uint32_t to4, uint16_t port, const uint8_t *p, size_t len)
{
	struct link_dpdk *k = link_dpdk_self(l);
	struct side *s = &k->side[e == LINK_CORE];
	struct rte_mbuf *m = s->known ? rte_pktmbuf_alloc(k->pool) : NULL;
	struct rte_ether_hdr *eth =
		m != NULL ? (struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(42 + len))
			  : NULL;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	if (eth == NULL) {
		rte_pktmbuf_free(m);
		l->not_sent++;
		return;
	}
	eth->dst_addr = s->gw;
	eth->src_addr = s->mac;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(28 + len)),
		.packet_id = rte_cpu_to_be_16(k->ip_id++),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(e == LINK_CORE ? k->o->core4 : k->o->local4[e / 2]),
		.dst_addr = rte_cpu_to_be_32(to4) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){
		.src_port = rte_cpu_to_be_16(e == LINK_CORE ? (uint16_t)k->o->core_port
					     : e % 2 == 0   ? GTPC_PORT
							    : GTPU_PORT),
		.dst_port = rte_cpu_to_be_16(port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(8 + len)) /* no checksum */
	};
	memcpy(udp + 1, p, len);
	link_dpdk_queue(k, s, m);
}

static void link_dpdk_flush(struct link *l, usec_t now)
{
	struct link_dpdk *k = link_dpdk_self(l);

	(void)now;
	for (unsigned int i = 0; i < k->n_sides; i++)
		if (k->side[i].n > 0)
			link_dpdk_flush_side(k, &k->side[i]);
}

static void dpdk_wait(struct link *l, usec_t us)
{
	(void)l;
	rte_delay_us_sleep(us < SLEEP_US ? (unsigned int)us : SLEEP_US);
}

static void link_dpdk_close(struct link *l)
{
	struct link_dpdk *k = link_dpdk_self(l);

	for (unsigned int i = 0; i < k->n_sides; i++) {
		if (i > 0 && k->side[i].port == k->side[0].port)
			break;
		rte_eth_dev_stop(k->side[i].port);
		rte_eth_dev_close(k->side[i].port);
	}
	rte_mempool_free(k->pool);
	free(k);
}

static const struct link_ops dpdk_ops = { link_dpdk_poll, link_dpdk_send, link_dpdk_flush,
	dpdk_wait, link_dpdk_close };

/* ---- opening ---- */

static int link_dpdk_port_start(struct link_dpdk *k, struct side *s)
{
	struct rte_eth_conf conf = { 0 };
	uint16_t mtu = (uint16_t)RTE_MAX(1500u, k->o->size + 64);
	int ret;

	if (!rte_eth_dev_is_valid_port(s->port)) {
		fprintf(stderr,
			"tandem-load: there is no DPDK port %u: name the ports in the EAL "
			"arguments (-a or --vdev)\n",
			s->port);
		return -1;
	}
	ret = rte_eth_dev_configure(s->port, 1, 1, &conf);
	if (ret == 0 && mtu > 1500)
		(void)rte_eth_dev_set_mtu(
			s->port, mtu); /* where it matters, packets are lost, and reported so */
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(s->port, 0, RING, SOCKET_ID_ANY, NULL, k->pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(s->port, 0, RING, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(s->port);
	if (ret < 0) {
		fprintf(stderr, "tandem-load: DPDK port %u does not start: %s\n", s->port,
			rte_strerror(-ret));
		return -1;
	}
	(void)rte_eth_promiscuous_enable(s->port);
	return 0;
}

static void link_dpdk_nobody(void *ctx, const struct link_in *in)
{
	(void)ctx;
	(void)in;
}

/* Both next hops must answer before anything is sent. */
static int link_dpdk_resolve(struct link_dpdk *k)
{
	for (unsigned int ms = 0; ms < RESOLVE_MS; ms++) {
		bool all = true;

		link_dpdk_poll(&k->link, link_dpdk_nobody, NULL, (usec_t)ms * USEC_PER_MSEC + 1);
		link_dpdk_flush(&k->link, 0);
		for (unsigned int i = 0; i < k->n_sides; i++)
			all = all && k->side[i].known;
		if (all) {
			for (unsigned int i = 0; i < k->n_sides; i++)
				k->side[i].asked = 0;
			return 0;
		}
		rte_delay_us_sleep(1000);
	}
	for (unsigned int i = 0; i < k->n_sides; i++)
		if (!k->side[i].known)
			fprintf(stderr,
				"tandem-load: nobody answers ARP for %u.%u.%u.%u on port %u; give "
				"--%s-gw or --%s-mac\n",
				k->side[i].gw4 >> 24, k->side[i].gw4 >> 16 & 0xff,
				k->side[i].gw4 >> 8 & 0xff, k->side[i].gw4 & 0xff, k->side[i].port,
				i == 0 ? "access" : "core", i == 0 ? "access" : "core");
	return -1;
}

struct link *link_dpdk_open(const struct options *o)
{
	struct link_dpdk *k = calloc(1, sizeof(*k));
	int ret = 0;

	if (k == NULL)
		return NULL;
	k->link.ops = &dpdk_ops;
	k->o = o;
	k->side[0] = (struct side){ .port = (uint16_t)o->access.port_id,
		.gw4 = o->access_gw4,
		.own4 = o->local4[0],
		.known = o->access.has_mac,
		.fixed = o->access.has_mac };
	k->side[1] = (struct side){ .port = (uint16_t)o->core.port_id,
		.gw4 = o->core_gw4,
		.own4 = o->core4,
		.known = o->core.has_mac,
		.fixed = o->core.has_mac };
	memcpy(&k->side[0].gw, o->access.mac, RTE_ETHER_ADDR_LEN);
	memcpy(&k->side[1].gw, o->core.mac, RTE_ETHER_ADDR_LEN);
	k->pool = rte_pktmbuf_pool_create("load", MBUFS, 256, 0,
		(uint16_t)(o->size > 1800 ? JUMBO + RTE_PKTMBUF_HEADROOM
					  : RTE_MBUF_DEFAULT_BUF_SIZE),
		SOCKET_ID_ANY);
	if (k->pool == NULL) {
		fprintf(stderr, "tandem-load: no memory for packets: give the EAL more (-m)\n");
		free(k);
		return NULL;
	}
	for (unsigned int i = 0; i < (o->core4 != 0 ? SIDES : 1) && ret == 0; i++) {
		if (i == 0 || k->side[1].port != k->side[0].port)
			ret = link_dpdk_port_start(k, &k->side[i]);
		if (ret == 0) {
			rte_eth_macaddr_get(k->side[i].port, &k->side[i].mac);
			k->n_sides++;
		}
	}
	if (ret == 0 && link_dpdk_resolve(k) == 0)
		return &k->link;
	link_dpdk_close(&k->link);
	return NULL;
}
