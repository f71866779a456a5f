/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports as control sees them: their carrier, and the frames between the workers and the kernel's
 * twins. */
#include <string.h>

#include <rte_ethdev.h>

#include "process/control.h"

enum { FRAMES = 64, FRAME_ROUNDS = 4, LINKS_US = 100000 };

static struct port *port_of(uint16_t id)
{
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].id == id)
			return &T.port[i];
	return NULL;
}

/* The subnets of other ports heard what was announced: to say it again could take the traffic from
 * a peer that has it since. */
static bool has_vip(const struct port *p)
{
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++)
		if (T.conf->loopbacks[i].srp_activate &&
			strcmp(T.conf->loopbacks[i].port, p->conf->name) == 0)
			return true;
	return false;
}

void port_link(void *ctx, uint16_t port, bool up)
{
	struct control *c = ctx;
	struct port *p = port_of(port);

	/* The kernel and a routing daemon on the twin must notice too. */
	if (p != NULL && p->under_ifindex != 0)
		net_link_carrier(c->kernel, p->twin.ifindex, up);
	if (atomic_exchange(&T.shared.port[port].up, up) != up)
		LOG(NOTICE, "port %u: link %s", port, up ? "up" : "down");
	/* what was announced into a dead link was not heard */
	if (up && vips_state(c->vips) == VIPS_UP && p != NULL && has_vip(p))
		vips_announce_anew(c->vips, clock_us());
}

/* A device that has no interface of the kernel's under it is asked itself. */
void port_links(struct control *c, usec_t now)
{
	if (now < c->links_at)
		return;
	c->links_at = now + LINKS_US;
	for (unsigned int i = 0; i < T.n_ports; i++) {
		struct rte_eth_link link;

		if (T.port[i].under_ifindex != 0 ||
			rte_eth_link_get_nowait(T.port[i].id, &link) < 0)
			continue;
		if ((link.link_status == RTE_ETH_LINK_UP) !=
			atomic_load(&T.shared.port[T.port[i].id].up))
			port_link(c, T.port[i].id, link.link_status == RTE_ETH_LINK_UP);
	}
}

static unsigned int to_kernel(struct control *c)
{
	struct rte_mbuf *m[FRAMES];
	unsigned int n = rte_ring_dequeue_burst(T.punt, (void **)m, FRAMES, NULL);

	for (unsigned int i = 0; i < n; i++) {
		struct port *p = port_of(m[i]->port);

		if (p == NULL) {
			rte_pktmbuf_free(m[i]);
			continue;
		}
		probe_see(c, p, m[i]);
		if (signalling_frame(c->signalling, m[i], c->now))
			continue;
		if (net_twin_to(&p->twin, &m[i], 1) == 1)
			c->twin_in++;
		else
			c->punts_dropped++;
	}
	return n;
}

static unsigned int from_kernel(struct control *c)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < T.n_ports; i++) {
		struct rte_mbuf *m[FRAMES];
		struct port *p = &T.port[i];
		uint16_t n = net_twin_from(&p->twin, m, FRAMES);
		struct rte_ring *to =
			p->conf->roles & CONFIG_REPLICATION ? T.kernel_repl : T.kernel_out[0];

		for (uint16_t k = 0; k < n; k++) {
			m[k]->port = p->id;
			if (rte_ring_enqueue(to, m[k]) == 0) {
				c->twin_out++;
			} else {
				c->frames_dropped++;
				rte_pktmbuf_free(m[k]);
			}
		}
		most = RTE_MAX(most, n);
	}
	return most;
}

/* As long as there is more, within bounds: answers to many requests leave the kernel together. */
bool port_frames(struct control *c)
{
	unsigned int round, n = FRAMES, total = 0;

	for (round = 0; round < FRAME_ROUNDS && n == FRAMES; round++)
		total += n = to_kernel(c);
	for (round = 0, n = FRAMES; round < FRAME_ROUNDS && n == FRAMES; round++)
		total += n = from_kernel(c);
	return total > 0;
}

/* As the workers' drop_stale(): what the kernel wanted to send or was to be given before we stood
 * still. */
void port_drop_stale(struct control *c)
{
	struct rte_mbuf *m[FRAMES];

	for (unsigned int k = 0, n = 1; k < FRAMES && n > 0; k++) {
		n = rte_ring_dequeue_burst(T.punt, (void **)m, FRAMES, NULL);
		rte_pktmbuf_free_bulk(m, n);
		c->frames_dropped += n;
	}
	for (unsigned int i = 0; i < T.n_ports; i++)
		for (unsigned int k = 0, n = 1; k < FRAMES && n > 0; k++) {
			n = net_twin_from(&T.port[i].twin, m, FRAMES);
			rte_pktmbuf_free_bulk(m, n);
			c->frames_dropped += n;
		}
}
