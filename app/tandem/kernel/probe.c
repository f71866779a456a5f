/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe of RFC 5227 section 2.1.1 and of RFC 4862 section 5.4, without their random delays: a
 * chassis waited for delay-interval and dead-interval already. What does not count: our own kernel
 * and twins, which speak with our ports' addresses; a port without a carrier, which nobody can be
 * served or disturbed through. */
#include <stdio.h>
#include <string.h>

#include "process/control.h"

enum { PROBES = 3, PROBE_GAP_US = 100000 };

static bool is_ours(const struct rte_ether_addr *mac)
{
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (rte_is_same_ether_addr(mac, &T.port[i].mac))
			return true;
	return false;
}

static bool probed_on(const struct config_loopback *l, const struct port *p)
{
	return l->srp_activate && strcmp(p->conf->name, l->port) == 0;
}

/* The lowest address that is probed, NULL: none. Of two chassis that probe at the same time, that
 * of the higher MAC address on its port goes on: one port, or each might be the higher on another.
 */
static const struct ip_addr *first(void)
{
	const struct ip_addr *lowest = NULL;

	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++)
		for (unsigned int k = 0; k < T.n_ports; k++) {
			const struct config_loopback *l = &T.conf->loopbacks[i];

			if (probed_on(l, &T.port[k]) &&
				(lowest == NULL ||
					memcmp(&l->address, lowest, sizeof(*lowest)) < 0))
				lowest = &l->address;
		}
	return lowest;
}

static void ask_all(void)
{
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++)
		for (unsigned int k = 0; k < T.n_ports; k++) {
			const struct config_loopback *l = &T.conf->loopbacks[i];
			const struct port *p = &T.port[k];
			struct rte_mbuf *m;

			if (!probed_on(l, p) || !atomic_load(&T.shared.port[p->id].up))
				continue;
			m = net_probe(T.mbufs, &p->mac, &l->address);
			if (m == NULL)
				continue;
			m->port = p->id;
			if (rte_ring_enqueue(T.kernel_out[0], m) < 0)
				rte_pktmbuf_free(m);
		}
}

void probe_begin(struct control *c, usec_t now)
{
	c->probe = (struct probe){ .on = true, .at = now, .stood_still = c->stood_still };
}

void probe_see(struct control *c, const struct port *in, const struct rte_mbuf *m)
{
	struct probe *p = &c->probe;
	struct net_claim a;
	char vip[IP_ADDR_TEXT];

	if (!p->on || p->answered ||
		!net_claim_read(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &a) ||
		is_ours(&a.mac))
		return;
	if (a.probes && (first() == NULL || !ip_addr_equal(&a.addr, first()) ||
				memcmp(&a.mac, &in->mac, sizeof(a.mac)) < 0))
		return;
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++) {
		const struct config_loopback *l = &T.conf->loopbacks[i];

		if (!probed_on(l, in) || !ip_addr_equal(&l->address, &a.addr))
			continue;
		p->answered = true;
		snprintf(p->who, sizeof(p->who), "VIP %s is %s by " RTE_ETHER_ADDR_PRT_FMT,
			ip_addr_print(&a.addr, vip), a.probes ? "probed" : "answered",
			RTE_ETHER_ADDR_BYTES(&a.mac));
	}
}

static void end(struct control *c, bool answered, usec_t now)
{
	c->probe.on = false;
	srp_probed(c->srp, answered, c->probe.who, now);
}

void probe_turn(struct control *c, usec_t now)
{
	struct probe *p = &c->probe;

	if (!p->on)
		return;
	if (p->answered) {
		end(c, true, now);
		return;
	}
	/* What was answered meanwhile may have been dropped with all that waited. */
	if (p->stood_still != c->stood_still) {
		p->stood_still = c->stood_still;
		p->sent = 0;
		p->at = now;
	}
	if (now < p->at)
		return;
	if (p->sent == PROBES || first() == NULL) {
		end(c, false, now);
		return;
	}
	ask_all();
	p->sent++;
	p->at = now + PROBE_GAP_US;
}
