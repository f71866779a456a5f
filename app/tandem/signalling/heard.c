/* SPDX-License-Identifier: BSD-3-Clause */
#include "heard.h"

#include <errno.h>

#include "base/memory.h"
#include "cores/settings.h"
#include "peers/peer_numbers.h"

int heard_open(struct heard *h, const struct signalling_env *env)
{
	h->env = env;
	h->of = memory_take("peers", (PEER_NUMBERS_LAST + 1) * sizeof(*h->of), 0);
	return h->of != NULL ? 0 : -ENOMEM;
}

void heard_close(struct heard *h)
{
	memory_give(h->of);
	h->of = NULL;
}

const struct signalling_port *heard_port(struct heard *h, unsigned int ifindex)
{
	for (unsigned int i = 0; i < h->env->n_ports; i++)
		if (ifindex != 0 && h->env->ports[i].twin_ifindex == ifindex)
			return &h->env->ports[i];
	h->count.gtp_no_access_port++;
	return NULL;
}

bool heard_control(struct heard *h, const struct signalling_port *port, const struct ip_addr *from)
{
	const struct peers *p = settings_newest(h->env->settings)->peers;
	const struct peers_entry *e;

	if (port == NULL)
		return false;
	e = p != NULL ? peers_control(p, from) : NULL;
	if (e == NULL) {
		h->count.gtpc_no_peer++;
		return false;
	}
	if ((e->ports & port->bit) == 0) {
		h->count.gtpc_wrong_port++;
		h->of[e->number].wrong_port++;
		return false;
	}
	h->of[e->number].messages++;
	return true;
}

bool heard_user(struct heard *h, const struct signalling_port *port, const struct ip_addr *from)
{
	const struct peers *p = settings_newest(h->env->settings)->peers;

	if (port == NULL)
		return false;
	if (p != NULL && (peers_ports(p, peers_set_of(p, PEERS_USER, from)) & port->bit) != 0)
		return true;
	h->count.gtpu_no_peer++;
	return false;
}
