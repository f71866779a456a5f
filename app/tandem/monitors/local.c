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
#include <rte_pause.h>

#include "monitors_priv.h"
#include "net/net.h"

enum { NOT_MONITORED = -1 };

struct local {
	int link[CONFIG_PORTS], device[CONFIG_PORTS]; /* objects of the monitors; NOT_MONITORED */
	int crypto;
	int route[CONFIG_ROUTES], watch[CONFIG_ROUTES]; /* object; the mirror's number */
	/* w: EAL's interrupt thread: the device of a port was taken out */
	atomic_bool removed[CONFIG_PORTS];
};

static int local_on_removal(uint16_t port, enum rte_eth_event_type type, void *at, void *ret)
{
	(void)port;
	(void)type;
	(void)ret;
	atomic_store((atomic_bool *)at, true);
	return 0;
}

static int local_port_open(struct monitors *m, unsigned int i, usec_t now)
{
	const struct config_port *p = m->set.port[i].conf;
	const char *group = p->monitor_group[0] != '\0' ? p->monitor_group : p->name;
	struct local *l = m->local;
	int ret;

	l->device[i] = ret = monitors_add(m, MONITOR_FAULT, p->name, p->twin, p->name, now);
	if (ret >= 0)
		ret = rte_eth_dev_callback_register(m->set.port[i].id, RTE_ETH_EVENT_INTR_RMV,
			local_on_removal, &l->removed[i]);
	l->link[i] = NOT_MONITORED;
	if (ret >= 0 && p->monitor)
		l->link[i] = ret = monitors_add(m, MONITOR_LINK, p->name, p->twin, group, now);
	return ret;
}

static int local_route_open(struct monitors *m, unsigned int i, usec_t now)
{
	const struct config_route *r = &m->set.start.routes[i];
	char prefix[IP_PREFIX_TEXT];
	int ret = net_ops->mirror_watch(m->set.mirror, INSTANCE_MAIN, &r->prefix);

	m->local->watch[i] = ret;
	if (ret >= 0)
		m->local->route[i] = ret = monitors_add(m, MONITOR_ROUTE, r->name,
			ip_prefix_print(&r->prefix, prefix), r->group, now);
	return ret;
}

int local_open(struct monitors *m, usec_t now)
{
	const char *device = m->set.start.crypto_device;
	int ret = 0;

	m->local = calloc(1, sizeof(*m->local));
	if (m->local == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < m->set.n_ports && ret >= 0; i++)
		ret = local_port_open(m, i, now);
	m->local->crypto = NOT_MONITORED;
	if (ret >= 0 && device != NULL)
		m->local->crypto = ret = monitors_add(m, MONITOR_FAULT, "crypto-device",
			device[0] != '\0' ? device : "default", "crypto-device", now);
	for (unsigned int i = 0; i < m->set.start.n_routes && ret >= 0; i++)
		ret = local_route_open(m, i, now);
	return ret < 0 ? ret : 0;
}

void local_close(struct monitors *m)
{
	struct local *l = m->local;

	/* It is tried again while the interrupt thread is within the callback, which only sets a
	 * flag. */
	for (unsigned int i = 0; l != NULL && i < m->set.n_ports; i++)
		while (rte_eth_dev_callback_unregister(m->set.port[i].id, RTE_ETH_EVENT_INTR_RMV,
			       local_on_removal, &l->removed[i]) == -EAGAIN)
			rte_pause();
	free(l);
	m->local = NULL;
}

static void local_report(struct monitors *m, int object, bool up, const char *why, usec_t now)
{
	if (object != NOT_MONITORED)
		monitor_report(
			m->monitor, object, up ? MONITOR_UP : MONITOR_DOWN, up ? NULL : why, now);
}

void local_turn(struct monitors *m, usec_t now)
{
	static const enum monitor_state presence[] = { [NET_PRESENCE_UNKNOWN] = MONITOR_INIT,
		[NET_ABSENT] = MONITOR_DOWN,
		[NET_PRESENT] = MONITOR_UP };
	const struct local *l = m->local;

	for (unsigned int i = 0; i < m->set.n_ports; i++) {
		local_report(m, l->device[i], !atomic_load(&l->removed[i]),
			"the device was taken out", now);
		local_report(m, l->link[i], m->set.ops.carrier(m->set.ctx, i), "no carrier", now);
	}
	local_report(
		m, l->crypto, !m->set.ops.crypto_failed(m->set.ctx), "it does not answer", now);
	for (unsigned int i = 0; i < m->set.start.n_routes; i++) {
		enum net_presence is = net_ops->mirror_present(m->set.mirror, l->watch[i]);

		monitor_report(m->monitor, l->route[i], presence[is],
			is == NET_ABSENT ? "not in the kernel's main table" : NULL, now);
	}
}
