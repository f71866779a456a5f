/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, twins and the kernel behind them: frames in and out, VIPs and routes. */
#include <rte_arp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "base/metrics.h"
#include "common/ether.h"
#include "operator/reload.h"
#include "net/net.h"
#include "sim.h"

static void put(struct frames *f, struct rte_mbuf *m)
{
	if (f->n == RTE_DIM(f->m)) {
		rte_pktmbuf_free(m);
		return;
	}
	f->m[(f->head + f->n++) % RTE_DIM(f->m)] = m;
}

static uint16_t take(struct frames *f, struct rte_mbuf **m, uint16_t n)
{
	uint16_t k = 0;

	for (; k < n && f->n > 0; f->n--, f->head = (f->head + 1) % RTE_DIM(f->m))
		m[k++] = f->m[f->head];
	return k;
}

static struct rte_mbuf *mbuf(struct node *n, const void *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(n->t.mbufs);

	if (m == NULL || len > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
	return m;
}

/* A frame arrives at a port; which of its queues is the NIC's choice. */
void port_in(int node, unsigned int port, const uint8_t *bytes, size_t len)
{
	struct node *n = &sim.node[node];
	unsigned int queue = port == STREAM ? 0 : (unsigned int)rnd(n->t.n_workers);
	struct rte_mbuf *m;

	if (!n->up)
		return;
	m = mbuf(n, bytes, len);
	if (m == NULL)
		return;
	put(&n->rx[port][queue], m);
	node_wake(node, port == STREAM ? REPLICATION : WORKER + (int)queue, 40);
}

static void drop(struct frames *f)
{
	struct rte_mbuf *m;

	while (take(f, &m, 1) > 0)
		rte_pktmbuf_free(m);
}

void port_flush(struct node *n)
{
	for (unsigned int p = 0; p < PORTS; p++) {
		for (unsigned int q = 0; q < WORKERS; q++)
			drop(&n->rx[p][q]);
		drop(&n->twin[p]);
	}
}

static uint16_t port_sim_rx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct frames *f = &me()->rx[port][queue];

	/* A slow chassis takes one after the other: they wait in the port. */
	if (port == STREAM && me()->pace > 0)
		n = me()->applying > sim.now * 1000 ? 0 : 1;
	return f->n == 0 ? 0 : take(f, m, n);
}

/* ---- out ---- */

static void stream_arrives(struct ev *e)
{
	if (!e->flipped && sim.node[!e->node].up)
		sim.node[e->node].heard = sim.now;
	case_arrived(&sim.node[e->node], e->bytes, e->len);
	port_in(e->node, STREAM, e->bytes, e->len);
}

/* ---- who has an address of the shared subnet ---- */

static void answer_arrives(struct ev *e)
{
	port_in(e->node, e->a, e->bytes, e->len);
}

/* At the other chassis' kernel, which answers for what is on its `lo`, whatever became of the
 * process. */
static void probe_arrives(struct ev *e)
{
	struct node *n = &sim.node[e->node];
	struct ev like = { .node = !n->id, .a = e->a, .run = answer_arrives };
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)e->bytes;
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	struct rte_arp_ipv4 *d = &arp->arp_data;

	if (!n->host.vip[rte_be_to_cpu_32(d->arp_tip) == VIP_CORE])
		return;
	story(n->id, "its kernel answers for a VIP");
	eth->dst_addr = d->arp_tha = d->arp_sha;
	eth->src_addr = d->arp_sha = *ether_of(&n->t.port[e->a].mac);
	d->arp_sip = d->arp_tip;
	d->arp_tip = 0;
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	wire_send(e->a == CORE ? PATH_CORE : PATH_ACCESS, TO_0 + (unsigned int)!n->id, &like,
		e->bytes, e->len);
}

/* Announced, or asked for by nobody (RFC 5227). */
static void arp_out(struct node *n, unsigned int port, const uint8_t *p, size_t len)
{
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(p + RTE_ETHER_HDR_LEN);
	struct ev like = { .node = !n->id, .a = port, .run = probe_arrives };

	if (arp->arp_data.arp_sip == 0) {
		if (sim.l3)
			broken(10, "chassis %c probes for a VIP where routers decide", 'A' + n->id);
		wire_send(port == CORE ? PATH_CORE : PATH_ACCESS, TO_0 + (unsigned int)!n->id,
			&like, p, len);
		return;
	}
	check_emit(n, port, "an announcement");
	traffic_announced(n->id, port, rte_be_to_cpu_32(arp->arp_data.arp_sip));
}

static void out(struct node *n, unsigned int port, const uint8_t *p, size_t len)
{
	struct ev like = { .node = !n->id, .run = stream_arrives };

	digest(len << 8 ^ port ^ (uint64_t)p[len - 1] << 32);
	if (port == STREAM) {
		if (len >= 42 + REPL_HEADER && p[12] == 0x08 && p[13] == 0x00)
			stream_sent(n, p + 42);
		wire_send(PATH_STREAM, (unsigned int)!n->id, &like, p, len);
		return;
	}
	if (p[12] == 0x08 && p[13] == 0x06) {
		arp_out(n, port, p, len);
		return;
	}
	traffic_out(n->id, port, p, len);
}

static uint16_t port_sim_tx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct node *me_now = me();

	for (uint16_t i = 0; i < n; i++) {
		uint8_t frame[FRAME];
		const uint8_t *p = rte_pktmbuf_read(m[i], 0, m[i]->pkt_len, frame);

		out(me_now, port, p, m[i]->pkt_len);
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

const struct port_ops port_sim = { port_sim_rx, port_sim_tx };

/* ---- the kernel behind the twins ---- */

size_t frame_udp(uint8_t *to, const struct mac_addr *dst, uint32_t src4, uint32_t dst4,
	uint16_t sport, uint16_t dport, const void *p, size_t len)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)to;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	memset(to, 0, sizeof(*eth) + sizeof(*ip) + sizeof(*udp));
	if (dst != NULL)
		eth->dst_addr = *ether_of(dst);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + len));
	ip->time_to_live = 60;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = rte_cpu_to_be_32(src4);
	ip->dst_addr = rte_cpu_to_be_32(dst4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(sport);
	udp->dst_port = rte_cpu_to_be_16(dport);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + len));
	memcpy(udp + 1, p, len);
	return sizeof(*eth) + sizeof(*ip) + sizeof(*udp) + len;
}

/* What a worker left to the kernel: UDP to a VIP that is on `lo`, else nothing that would be
 * missed. */
static uint16_t net_sim_twin_to(struct net_twin *t, struct rte_mbuf **m, uint16_t n)
{
	struct node *me_now = me();

	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);
		const struct rte_ipv4_hdr *ip =
			(const struct rte_ipv4_hdr *)(p + RTE_ETHER_HDR_LEN);
		const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);

		if (p[12] == 0x08 && p[13] == 0x00 && ip->next_proto_id == IPPROTO_UDP &&
			ip->dst_addr == rte_cpu_to_be_32(VIP_GTP) && me_now->host.vip[0])
			sock_deliver(me_now, rte_be_to_cpu_32(ip->src_addr),
				rte_be_to_cpu_16(udp->src_port), rte_be_to_cpu_16(udp->dst_port),
				(const uint8_t *)(udp + 1),
				rte_be_to_cpu_16(udp->dgram_len) - sizeof(*udp));
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

static uint16_t net_sim_twin_from(struct net_twin *t, struct rte_mbuf **m, uint16_t n)
{
	struct frames *f = &me()->twin[t->port];

	return f->n == 0 ? 0 : take(f, m, n);
}

/* Answers leave by the kernel's stack: through the twin of the access port. */
ssize_t port_sim_send_to(
	int fd, const void *from, size_t size, int flags, const struct sockaddr *a, socklen_t a_len)
{
	struct node *n = me();
	const struct sockaddr_in *to = (const struct sockaddr_in *)a;
	struct sock *s = &n->sock[fd - 100];
	uint8_t frame[FRAME];
	size_t len = frame_udp(frame, NULL, VIP_GTP, ntohl(to->sin_addr.s_addr), s->port,
		ntohs(to->sin_port), from, size);
	struct rte_mbuf *m = mbuf(n, frame, len);

	check_emit(n, ACCESS, "an answer");
	if (m != NULL)
		put(&n->twin[ACCESS], m);
	return (ssize_t)size;
}

/* ---- VIPs and routes ---- */

static struct net_kernel *net_sim_kernel_open(void)
{
	return (struct net_kernel *)me();
}

static void net_sim_kernel_close(struct net_kernel *k) {}

static unsigned int vip_of(const struct ip_addr *a)
{
	return ip_addr_to_v4(a) == VIP_CORE;
}

static int net_sim_vip_add(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	if (!me()->host.vip[0] && !me()->host.vip[1])
		me()->vips_since = sim.now;
	me()->host.vip[vip_of(vip)] = true;
	return 0;
}

static int net_sim_vip_del(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	me()->host.vip[vip_of(vip)] = false;
	return 0;
}

static int route(const struct ip_prefix *to, uint32_t metric)
{
	unsigned int port = ip_addr_to_v4(&to->addr) == POOL_BASE ? CORE : ACCESS;

	if (ip_addr_to_v4(&to->addr) != POOL_BASE && ip_addr_to_v4(&to->addr) != VIP_GTP)
		return 0; /* nobody asks for it */
	me()->host.metric[port] = metric;
	traffic_routes(me()->id, port);
	return 0;
}

static int net_sim_pool_route_set(struct net_kernel *k, const struct ip_prefix *to, uint32_t metric)
{
	return route(to, metric);
}

static int net_sim_pool_route_del(struct net_kernel *k, const struct ip_prefix *to)
{
	return route(to, 0);
}

static int net_sim_cleanup(struct net_kernel *k, const struct ip_addr *vips, unsigned int n)
{
	struct host *h = &me()->host;
	int left = h->vip[0] + h->vip[1] + (h->metric[ACCESS] != 0) + (h->metric[CORE] != 0);

	h->vip[0] = h->vip[1] = false;
	h->metric[ACCESS] = h->metric[CORE] = 0;
	traffic_routes(me()->id, ACCESS);
	traffic_routes(me()->id, CORE);
	return left;
}

static int net_sim_link_carrier(struct net_kernel *k, unsigned int ifindex, bool on)
{
	return 0;
}

static struct net_mirror *net_sim_mirror_create(const struct net_mirror_conf *c)
{
	return (struct net_mirror *)me();
}

static void net_sim_mirror_destroy(struct net_mirror *m) {}

static int net_sim_mirror_fd(const struct net_mirror *m)
{
	return -1;
}

static int net_sim_mirror_process(struct net_mirror *m)
{
	return 0;
}

static void net_sim_mirror_resolve(struct net_mirror *m) {}

static void net_sim_mirror_want(struct net_mirror *m, uint16_t port, const struct ip_addr *dst) {}

static uint16_t net_sim_mirror_keep(struct net_mirror *m, uint16_t port, const struct ip_addr *addr)
{
	return STREAM;
}

/* Nobody looks at the mirror: there are no views, figures nor watched routes. */
const struct net_ops net_sim = { .twin_from = net_sim_twin_from,
	.twin_to = net_sim_twin_to,
	.kernel_open = net_sim_kernel_open,
	.kernel_close = net_sim_kernel_close,
	.vip_add = net_sim_vip_add,
	.vip_del = net_sim_vip_del,
	.pool_route_set = net_sim_pool_route_set,
	.pool_route_del = net_sim_pool_route_del,
	.cleanup = net_sim_cleanup,
	.link_carrier = net_sim_link_carrier,
	.mirror_create = net_sim_mirror_create,
	.mirror_destroy = net_sim_mirror_destroy,
	.mirror_fd = net_sim_mirror_fd,
	.mirror_process = net_sim_mirror_process,
	.mirror_resolve = net_sim_mirror_resolve,
	.mirror_want = net_sim_mirror_want,
	.mirror_keep = net_sim_mirror_keep };

/* The operator's socket is not part of this. */
int start_operator(struct control *c)
{
	return 0;
}

void start_operator_end(struct control *c) {}

/* There are no threads. */
void lists_memory_give(struct control *c, struct pool_made *m)
{
	pool_unmake(m);
}

void lists_memory_end(struct control *c) {}

/* Nobody asks for figures here. */
int metrics_register(struct metrics *m, const struct metrics_table *table, const char *instance,
	metrics_read_fn *reader, void *ctx)
{
	return 0;
}

int metrics_register_counters(struct metrics *m, const struct metrics_table *table,
	const char *instance, const void *counters)
{
	return 0;
}

void reload_hangup(struct operator_reload *r) {}
void reload_turn(struct operator_reload *r) {}
