/* SPDX-License-Identifier: BSD-3-Clause */
/* The networks on both sides of the gateway, and user packets through it. On an L2 segment frames
 * go where the last announcement of the VIP came from; on L3 they follow routes, which move slowly.
 */
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "gtp/gtpu.h"
#include "sim.h"

/* ---- where things go ---- */

static int best(unsigned int port)
{
	const uint32_t *metric = sim.metric[port];

	if (!sim.l3)
		return sim.learned[port == CORE];
	if (metric[0] != 0 && metric[1] != 0)
		return metric[1] < metric[0];
	return metric[0] != 0 ? 0 : metric[1] != 0 ? 1 : -1;
}

static void arrives(struct ev *e)
{
	port_in(e->node, e->a, e->bytes, e->len);
}

unsigned int world_to_gateway(unsigned int port, const uint8_t *frame, size_t len)
{
	int to = best(port);
	struct ev like = { .run = arrives, .a = port };
	uint8_t own[FRAME];

	if (to < 0)
		return 0;
	memcpy(own, frame, len);
	memcpy(own, sim.node[to].t.fib->mac[port].octet, 6);
	like.node = to;
	return wire_send(port == CORE ? PATH_CORE : PATH_ACCESS, (unsigned int)to, &like, own, len);
}

static void learns(struct ev *e)
{
	unsigned int what = e->a;

	if (sim.learned[what] != e->node)
		story(e->node, "the %s segment learns it", what ? "core" : "access");
	sim.learned[what] = e->node;
}

void traffic_announced(int node, unsigned int port, uint32_t vip)
{
	struct ev like = { .node = node, .run = learns, .a = vip == VIP_CORE };

	wire_send(port == CORE ? PATH_CORE : PATH_ACCESS, FROM_0 + (unsigned int)node, &like, NULL,
		0);
}

static void converged(struct ev *e)
{
	const struct node *n = &sim.node[e->node];
	uint32_t metric = n->up ? n->host.metric[e->a] : 0;

	if (sim.l3 && sim.metric[e->a][e->node] != metric)
		story(e->node, "%s routers have its route with metric %u",
			e->a == CORE ? "core" : "access", metric);
	sim.metric[e->a][e->node] = metric;
	if (metric != 0 && sim.routed[e->a] == 0)
		sim.routed[e->a] = sim.now;
}

/* Routes of a dead process stay until its routing session is found dead. */
void traffic_routes(int node, unsigned int port)
{
	const struct node *n = &sim.node[node];
	uint64_t (*any)(uint64_t) = port == CORE ? rnd : rnd_aside;
	usec_t slow = n->up ? 5 * MS + any(150 * MS) : 50 * MS + any(400 * MS);

	ev_at(sim.now + slow, node, converged)->a = port;
}

/* ---- user packets ---- */

static size_t inner(uint8_t *ip, uint32_t src, uint32_t dst, uint32_t id)
{
	uint8_t frame[128], payload[20] = { 0 };

	memcpy(payload, &id, sizeof(id));
	frame_udp(frame, NULL, src, dst, 1000, 2000, payload, sizeof(payload));
	memcpy(ip, frame + RTE_ETHER_HDR_LEN, INNER);
	return INNER;
}

static unsigned int send_up(const struct sub *s, uint32_t id)
{
	uint8_t g[GTPU_HEADER + INNER] = { 0x30, 255, 0, INNER }, frame[FRAME];

	g[4] = (uint8_t)(s->gw >> 24);
	g[5] = (uint8_t)(s->gw >> 16);
	g[6] = (uint8_t)(s->gw >> 8);
	g[7] = (uint8_t)s->gw;
	inner(g + GTPU_HEADER, s->ue, SERVER, id);
	return world_to_gateway(ACCESS, frame,
		frame_udp(frame, NULL, sim.sgsn[s->sgsn].addr, VIP_GTP, GTPU_PORT, GTPU_PORT, g,
			sizeof(g)));
}

static void user(struct ev *e)
{
	struct sub *s = &sim.sub[rnd(sim.n_subs)];
	struct packet *p = &sim.packet[sim.n_packets];
	uint8_t frame[FRAME];

	ev_at(sim.now + e->c / 2 + rnd(e->c), -1, user)->c = e->c;
	if (s->state != SUB_UP || sim.n_packets == PACKETS || sim.now + 1500 * MS > sim.end_at)
		return;
	*p = (struct packet){ .handle = s->gw, .down = rnd(2), .at = sim.now };
	if (!p->down) {
		p->copies = (uint8_t)send_up(s, sim.n_packets++);
		return;
	}
	memset(frame, 0, RTE_ETHER_HDR_LEN);
	frame[12] = 0x08;
	p->copies = (uint8_t)world_to_gateway(CORE, frame,
		RTE_ETHER_HDR_LEN +
			inner(frame + RTE_ETHER_HDR_LEN, SERVER, s->ue, sim.n_packets++));
}

/* It came out of chassis `node`: counted there, to be compared with what the slots say. */
static void forwarded(int node, const uint8_t *ip, bool down)
{
	struct node *n = &sim.node[node];
	struct packet *p;
	struct truth *t;
	uint32_t id;

	memcpy(&id, ip + 28, sizeof(id));
	if (id >= sim.n_packets || sim.packet[id].down != down) {
		broken(8, "chassis %c forwards a packet that nobody sent", 'A' + node);
		return;
	}
	p = &sim.packet[id];
	check_emit(n, down ? ACCESS : CORE, "a user packet");
	if (++p->out > p->copies)
		broken(8,
			"packet %u is forwarded %u times and was there %u times, now by chassis %c",
			id, p->out, p->copies, 'A' + node);
	sim.forwarded++;
	p->by = (uint8_t)node;
	p->when = sim.now;
	p->late = n->t.worker[n->running - WORKER]->fp.mode != FASTPATH_OWN;
	if (down) { /* the address may have changed hands meanwhile */
		struct ip_addr ue;
		bool in_pool;

		ip_addr_from_bytes(&ue, ip + 16, 4);
		p->handle = pool_lookup(n->t.pools, INSTANCE_MAIN, &ue, &in_pool);
	}
	t = truth_of(p->handle, true);
	t->last = t->last_at[node] = sim.now;
	if (down) {
		t->use[node].dn_pkts++;
		t->use[node].dn_bytes += INNER;
	} else {
		t->use[node].up_pkts++;
		t->use[node].up_bytes += INNER;
	}
	shadow_forwarded(n, p->handle, down, 1);
}

static void to_sgsn(struct ev *e)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(e->bytes + 34);

	if (udp->dst_port == RTE_BE16(GTPC_PORT))
		sgsn_input(e->a, e->bytes + 42, e->len - 42);
	else if (e->len > 50 &&
		 e->bytes[43] == 26) /* Error Indication: TEID Data I first (TS 29.281 7.3.1) */
		sgsn_error_indication(e->a, (uint32_t)e->bytes[55] << 24 |
						    (uint32_t)e->bytes[56] << 16 |
						    (uint32_t)e->bytes[57] << 8 | e->bytes[58]);
}

void traffic_out(int node, unsigned int port, const uint8_t *frame, size_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	struct ev like = { .node = -1, .run = to_sgsn };

	if (port == CORE) {
		forwarded(node, (const uint8_t *)ip, false);
		return;
	}
	like.a = rte_be_to_cpu_32(ip->dst_addr) - SGSN_NET - 10;
	if (like.a >= SGSNS) {
		broken(8, "chassis %c sends to somebody who does not exist", 'A' + node);
		return;
	}
	if (udp->dst_port == RTE_BE16(GTPU_PORT) && frame[43] == 255) {
		forwarded(node, frame + 42 + GTPU_HEADER, true);
		return;
	}
	check_emit(&sim.node[node], port, "signalling");
	if (udp->dst_port == RTE_BE16(GTPU_PORT) && frame[43] == 26)
		check_error_indication(&sim.node[node]);
	wire_send(PATH_ACCESS, FROM_0 + (unsigned int)node, &like, frame, len);
}

void traffic_setup(void)
{
	sim.learned[0] = sim.learned[1] = -1;
	ev_at(300 * MS, -1, user)->c = (uint32_t)(500 + rnd(4 * MS));
}
