/* SPDX-License-Identifier: BSD-3-Clause */
/* Carriers of the ports. */
#include <stdatomic.h>

#include <rte_ethdev.h>

#include "base/clock.h"
#include "base/log.h"

#include "kernel_priv.h"

enum { LINKS_US = 100000 };

/* The subnets of other ports heard what was announced: to say it again could take the traffic from
 * a peer that has it since. */
static bool links_vip(const struct kernel *k, const struct kernel_port *p)
{
	for (unsigned int i = 0; i < k->s.start.n_loopbacks; i++)
		if (kernel_vip_on(&k->s.start.loopbacks[i], p))
			return true;
	return false;
}

void links_changed(void *ctx, uint16_t port, bool up)
{
	struct kernel *k = ctx;
	struct kernel_port *p = kernel_port_of(k, port);

	if (p == NULL)
		return;
	/* The kernel and a routing daemon on the twin must notice too. */
	if (p->under_ifindex != 0)
		net_ops->link_carrier(k->net, p->twin.ifindex, up);
	if (atomic_exchange(p->up, up) != up)
		LOG(NOTICE, "the link of a port has changed port=%s state=%s",
			LOG_TEXT(p->conf->name), up ? "up" : "down");
	/* what was announced into a dead link was not heard */
	if (up && vips_state(k->vips) == VIPS_UP && links_vip(k, p))
		vips_announce_anew(k->vips, clock_us());
}

/* A device that has no interface of the kernel's under it is asked itself. */
void links_turn(struct kernel *k, usec_t now)
{
	if (now < k->links_at)
		return;
	k->links_at = now + LINKS_US;
	for (unsigned int i = 0; i < k->s.n_ports; i++) {
		const struct kernel_port *p = &k->s.port[i];
		struct rte_eth_link link;

		if (p->under_ifindex != 0 || rte_eth_link_get_nowait(p->id, &link) < 0)
			continue;
		if ((link.link_status == RTE_ETH_LINK_UP) != atomic_load(p->up))
			links_changed(k, p->id, link.link_status == RTE_ETH_LINK_UP);
	}
}
