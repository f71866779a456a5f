/* SPDX-License-Identifier: BSD-3-Clause */
/* Monitors of what is here: carriers of ports, routes of the kernel, and devices that failed. All
 * are levels that are known elsewhere (the ports' table, lib/net's mirror, the replication core's
 * view): they are read at each turn.
 *
 * A port or device fails by itself, where lib/srp/README.md section 3 makes all that name no group
 * one: servers and peers stand in for each other, an access port and a core port do not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "monitors.h"

enum { NOT_MONITORED = -1 };

struct local {
	int link[CONFIG_PORTS], device[CONFIG_PORTS]; /* objects of the monitors; NOT_MONITORED */
	int crypto;
	int route[CONFIG_ROUTES], watch[CONFIG_ROUTES]; /* object; the mirror's number */
};

/* Set by EAL's interrupt thread: the device of a port was taken out. */
static atomic_bool removed[CONFIG_PORTS];

static int on_removal(uint16_t port, enum rte_eth_event_type type, void *at, void *ret)
{
	(void)port;
	(void)type;
	(void)ret;
	atomic_store((atomic_bool *)at, true);
	return 0;
}

static int port_open(struct control *c, unsigned int i, usec_t now)
{
	const struct port *p = &T.port[i];
	const char *group =
		p->conf->monitor_group[0] != '\0' ? p->conf->monitor_group : p->conf->name;
	struct local *l = c->local;
	int ret;

	atomic_store(&removed[i], false);
	l->device[i] = ret =
		monitors_add(c, MONITOR_FAULT, p->conf->name, p->conf->twin, p->conf->name, now);
	if (ret >= 0)
		ret = rte_eth_dev_callback_register(
			p->id, RTE_ETH_EVENT_INTR_RMV, on_removal, &removed[i]);
	l->link[i] = NOT_MONITORED;
	if (ret >= 0 && p->conf->monitor)
		l->link[i] = ret =
			monitors_add(c, MONITOR_LINK, p->conf->name, p->conf->twin, group, now);
	return ret;
}

static int route_open(struct control *c, unsigned int i, usec_t now)
{
	const struct config_route *r = &T.conf->routes[i];
	char address[IP_ADDR_TEXT], prefix[MONITORS_ADDRESS];
	int ret;

	snprintf(prefix, sizeof(prefix), "%s/%u", ip_addr_print(&r->prefix.addr, address),
		r->prefix.len);
	ret = net_mirror_watch(c->mirror, ip_addr_to_v4(&r->prefix.addr), r->prefix.len);
	c->local->watch[i] = ret;
	if (ret >= 0)
		c->local->route[i] = ret =
			monitors_add(c, MONITOR_ROUTE, r->name, prefix, r->group, now);
	return ret;
}

int local_open(struct control *c, usec_t now)
{
	int ret = 0;

	c->local = calloc(1, sizeof(*c->local));
	if (c->local == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < T.n_ports && ret >= 0; i++)
		ret = port_open(c, i, now);
	c->local->crypto = NOT_MONITORED;
	if (ret >= 0 && !T.conf->srp.insecure)
		c->local->crypto = ret = monitors_add(c, MONITOR_FAULT, "crypto-device",
			T.conf->srp.crypto_device[0] != '\0' ? T.conf->srp.crypto_device
							     : "default",
			"crypto-device", now);
	for (unsigned int i = 0; i < T.conf->n_routes && ret >= 0; i++)
		ret = route_open(c, i, now);
	return ret < 0 ? ret : 0;
}

void local_close(struct control *c)
{
	for (unsigned int i = 0; c->local != NULL && i < T.n_ports; i++)
		rte_eth_dev_callback_unregister(
			T.port[i].id, RTE_ETH_EVENT_INTR_RMV, on_removal, &removed[i]);
	free(c->local);
	c->local = NULL;
}

static void report(struct control *c, int object, bool up, const char *why, usec_t now)
{
	if (object != NOT_MONITORED)
		monitor_report(
			c->monitor, object, up ? MONITOR_UP : MONITOR_DOWN, up ? NULL : why, now);
}

void local_turn(struct control *c, usec_t now)
{
	static const enum monitor_state presence[] = { [NET_PRESENCE_UNKNOWN] = MONITOR_INIT,
		[NET_ABSENT] = MONITOR_DOWN,
		[NET_PRESENT] = MONITOR_UP };
	const struct local *l = c->local;

	for (unsigned int i = 0; i < T.n_ports; i++) {
		report(c, l->device[i], !atomic_load(&removed[i]), "the device was taken out", now);
		report(c, l->link[i], atomic_load(&T.shared.port[T.port[i].id].up), "no carrier",
			now);
	}
	report(c, l->crypto, !atomic_load(&replicator_view(T.repl)->crypt_failed),
		"it does not answer", now);
	for (unsigned int i = 0; i < T.conf->n_routes; i++) {
		enum net_presence is = net_mirror_present(c->mirror, l->watch[i]);

		monitor_report(c->monitor, l->route[i], presence[is],
			is == NET_ABSENT ? "not in the kernel's main table" : NULL, now);
	}
}
