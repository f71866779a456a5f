/* SPDX-License-Identifier: BSD-3-Clause */
/* The frames of the probe of RFC 5227 section 2.1.1 and of RFC 4862 section 5.4; when they leave is
 * the business of who probes. What does not count: our own kernel and twins, which speak with our
 * ports' addresses; a port without a carrier, which nobody can be served or disturbed through. */
#include <stdatomic.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "kernel_priv.h"

static bool probe_is_ours(const struct kernel *k, const struct mac_addr *mac)
{
	for (unsigned int i = 0; i < k->s.n_ports; i++)
		if (mac_equal(mac, &k->s.port[i].mac))
			return true;
	return false;
}

/* The lowest address that is probed, NULL: none. Of two chassis that probe at the same time, that
 * of the higher MAC address on its port goes on: one port, or each might be the higher on another.
 */
static const struct ip_addr *probe_lowest(const struct kernel *k)
{
	const struct ip_addr *lowest = NULL;

	for (unsigned int i = 0; i < k->s.start.n_loopbacks; i++)
		for (unsigned int j = 0; j < k->s.n_ports; j++) {
			const struct config_loopback *l = &k->s.start.loopbacks[i];

			if (kernel_vip_on(l, &k->s.port[j]) &&
				(lowest == NULL ||
					memcmp(&l->address, lowest, sizeof(*lowest)) < 0))
				lowest = &l->address;
		}
	return lowest;
}

static void probe_send_on(
	const struct kernel *k, const struct kernel_port *p, const struct ip_addr *vip)
{
	struct rte_mbuf *m = atomic_load(p->up) ? net_probe(k->s.mbufs, &p->mac, vip) : NULL;

	if (m == NULL)
		return;
	m->port = p->id;
	if (rte_ring_enqueue(k->s.out, m) < 0)
		rte_pktmbuf_free(m);
}

void kernel_probe_begin(struct kernel *k)
{
	k->probing = true;
}

void kernel_probe_end(struct kernel *k)
{
	k->probing = false;
}

bool kernel_probe_send(struct kernel *k)
{
	if (probe_lowest(k) == NULL)
		return false;
	for (unsigned int i = 0; i < k->s.start.n_loopbacks; i++)
		for (unsigned int j = 0; j < k->s.n_ports; j++) {
			const struct config_loopback *l = &k->s.start.loopbacks[i];

			if (kernel_vip_on(l, &k->s.port[j]))
				probe_send_on(k, &k->s.port[j], &l->address);
		}
	return true;
}

void probe_frame(struct kernel *k, const struct kernel_port *in, const struct rte_mbuf *m)
{
	const struct ip_addr *lowest = probe_lowest(k);
	struct net_claim a;

	if (!net_claim_read(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &a) ||
		probe_is_ours(k, &a.mac))
		return;
	if (a.probes && (lowest == NULL || !ip_addr_equal(&a.addr, lowest) ||
				memcmp(&a.mac, &in->mac, sizeof(a.mac)) < 0))
		return;
	for (unsigned int i = 0; i < k->s.start.n_loopbacks; i++) {
		const struct config_loopback *l = &k->s.start.loopbacks[i];

		if (kernel_vip_on(l, in) && ip_addr_equal(&l->address, &a.addr))
			k->s.ops.claimed(k->s.ctx, &a);
	}
}
