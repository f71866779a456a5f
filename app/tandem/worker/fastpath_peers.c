/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_peers: whose GTP a worker hears, by the snapshot of settings that it has. */
#include "fastpath_priv.h"
#include "peers/peers.h"

bool fp_heard_look_up(struct fastpath *f, uint16_t port, rte_be32_t from)
{
	const struct peers *p = f->settings->peers;

	if (p == NULL || (peers_ports(p, peers_user4(p, rte_be_to_cpu_32(from))) &
				 f->sh->port[port].bit) == 0)
		return false;
	*fp_heard_at(f, port, from) = from;
	return true;
}

bool fp_heard_control(const struct fastpath *f, uint16_t port, uint32_t from4)
{
	const struct ip_addr from = ip_addr_v4(from4);
	const struct peers *p = f->settings->peers;
	const struct peers_entry *e = p != NULL ? peers_control(p, &from) : NULL;

	return e != NULL && (e->ports & f->sh->port[port].bit) != 0;
}

/* What stands where nobody is remembered is never looked for there: zero at 0. */
void fp_heard_forget(struct fastpath *f)
{
	memset(f->heard, 0, sizeof(f->heard));
	for (unsigned int port = 0; port < WORKER_PORTS; port++)
		f->heard[port][0] = UINT32_MAX;
	f->heard_by = f->settings->number;
}
