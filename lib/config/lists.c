/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules within and between lists: what must be there once, what must be there at all, what may not
 * overlap. */
#include "peers/gtp_peers.h"
#include "value.h"

static void lists_unique(
	struct load *l, enum section_id id, const char *key, size_t at, size_t bytes)
{
	static const uint8_t nothing[CONFIG_PATH];
	const struct section *s = &config_sections[id];
	unsigned int n = section_items(s, l->c);

	for (unsigned int i = 1; i < n; i++) {
		const char *v = (const char *)section_item_const(s, l->c, i) + at;

		if (!load_good(l, id, i, key) || memcmp(v, nothing, bytes) == 0)
			continue;
		for (unsigned int j = 0; j < i; j++) {
			if (!load_good(l, id, j, key) ||
				memcmp(v, (const char *)section_item_const(s, l->c, j) + at,
					bytes) != 0)
				continue;
			load_error(l, id, i, key, "duplicate: %s is %s[%u].%s too",
				value_said(config_setting_get_member(l->item[id][i], key),
					(char[KNOB_SAID]){ 0 }),
				s->name, j, key);
			break;
		}
	}
}

#define UNIQUE(l, id, key, type, field)                                                            \
	lists_unique(l, id, key, offsetof(struct type, field), sizeof(((struct type *)NULL)->field))

static void lists_check_unique(struct load *l)
{
	UNIQUE(l, SECTION_PORTS, "name", config_port, name);
	UNIQUE(l, SECTION_PORTS, "device", config_port, device);
	UNIQUE(l, SECTION_PORTS, "twin", config_port, twin);
	UNIQUE(l, SECTION_PORTS, "address", config_port, address.addr);
	UNIQUE(l, SECTION_LOOPBACKS, "name", config_loopback, name);
	UNIQUE(l, SECTION_LOOPBACKS, "address", config_loopback, address);
	UNIQUE(l, SECTION_POOLS, "name", config_pool, name);
	UNIQUE(l, SECTION_POOLS, "id", config_pool, id);
	UNIQUE(l, SECTION_APNS, "name", config_apn, name);
	UNIQUE(l, SECTION_APNS, "id", config_apn, id);
	UNIQUE(l, SECTION_AAA, "name", config_aaa, name);
	UNIQUE(l, SECTION_BGP_PEERS, "name", config_bgp_peer, name);
	UNIQUE(l, SECTION_GTP_PEERS, "name", config_gtp_peer, name);
	UNIQUE(l, SECTION_ROUTES, "name", config_route, name);
	UNIQUE(l, SECTION_ROUTES, "prefix", config_route, prefix);
}

static void lists_check_present(struct load *l)
{
	static const struct {
		enum section_id id;
		const char *what;
	} lists[] = { { SECTION_LOOPBACKS, "loopback, for services.gtp" },
		{ SECTION_GTP_PEERS,
			"GTP peer, as nobody is heard without one: gtp-peers = ( { name = "
			"\"sgsns\"; control = [\"10.8.0.0/24\"]; } ); names the networks of the "
			"SGSNs" },
		{ SECTION_POOLS, "pool" }, { SECTION_APNS, "APN" } };

	for (unsigned int i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const config_setting_t *list = l->group[lists[i].id];

		if (list == NULL ||
			(!config_setting_is_group(list) && config_setting_is_aggregate(list) &&
				config_setting_length(list) == 0))
			load_error(l, lists[i].id, 0, NULL, "missing: expected at least one %s",
				lists[i].what);
	}
}

static void lists_check_loopback(struct load *l, unsigned int i)
{
	const struct config *c = l->c;
	const struct config_loopback *lb = &c->loopbacks[i];
	const struct config_port *p = config_port_by_name(c, lb->port);
	bool addr_good = load_good(l, SECTION_LOOPBACKS, i, "address");

	for (unsigned int j = 0; j < c->n_ports && addr_good; j++)
		if (load_good(l, SECTION_PORTS, j, "address") &&
			ip_addr_equal(&lb->address, &c->ports[j].address.addr))
			load_error(l, SECTION_LOOPBACKS, i, "address",
				"expected another address than that of ports[%u]", j);
	if (!load_good(l, SECTION_LOOPBACKS, i, "port"))
		return;
	if (p == NULL) {
		for (unsigned int j = 0; j < c->n_ports; j++)
			if (!load_good(l, SECTION_PORTS, j, "name"))
				return;
		load_error(l, SECTION_LOOPBACKS, i, "port",
			"expected the name of a port, not \"%s\"", lb->port);
	} else if (addr_good && c->srp.l2 && ip_addr_is_v4(&lb->address) && p->address.len > 0 &&
		   !ip_prefix_covers(&p->address, &lb->address)) {
		load_warning(l, SECTION_LOOPBACKS, i, "address",
			"not in the subnet of port \"%s\": ARP will not announce it there",
			p->name);
	}
}

static void lists_check_pool(struct load *l, unsigned int i)
{
	const struct config *c = l->c;
	const struct ip_prefix *p = &c->pools[i].prefix;

	if (!load_good(l, SECTION_POOLS, i, "prefix"))
		return;
	for (unsigned int j = 0; j < i; j++)
		if (load_good(l, SECTION_POOLS, j, "prefix") &&
			(ip_prefix_covers(p, &c->pools[j].prefix.addr) ||
				ip_prefix_covers(&c->pools[j].prefix, &p->addr)))
			load_error(l, SECTION_POOLS, i, "prefix",
				"expected a prefix of its own: it overlaps pools[%u].prefix", j);
	for (unsigned int j = 0; j < c->n_ports; j++)
		if (load_good(l, SECTION_PORTS, j, "address") && c->ports[j].address.len > 0 &&
			ip_prefix_covers(p, &c->ports[j].address.addr))
			load_error(l, SECTION_POOLS, i, "prefix",
				"expected subscribers only: it holds ports[%u].address", j);
	for (unsigned int j = 0; j < c->n_loopbacks; j++)
		if (load_good(l, SECTION_LOOPBACKS, j, "address") &&
			ip_prefix_covers(p, &c->loopbacks[j].address))
			load_error(l, SECTION_POOLS, i, "prefix",
				"expected subscribers only: it holds loopbacks[%u].address", j);
}

static void lists_check_apn(struct load *l, unsigned int i)
{
	const struct config *c = l->c;

	if (!load_good(l, SECTION_APNS, i, "pool"))
		return;
	for (unsigned int j = 0; j < c->n_pools; j++) {
		if (!load_good(l, SECTION_POOLS, j, "name"))
			return;
		if (strcmp(c->apns[i].pool, c->pools[j].name) != 0)
			continue;
		if (load_good(l, SECTION_POOLS, j, "srp-activate") && !c->pools[j].srp_activate)
			load_warning(l, SECTION_APNS, i, "pool",
				"pool \"%s\" is not srp-activated: sessions of this APN are not "
				"recovered",
				c->pools[j].name);
		return;
	}
	load_error(l, SECTION_APNS, i, "pool", "expected the name of a pool, not \"%s\"",
		c->apns[i].pool);
}

static void lists_check_aaa(struct load *l, unsigned int i)
{
	const struct config_aaa *a = &l->c->aaa_servers[i];

	if (load_good(l, SECTION_AAA, i, "probe") && load_good(l, SECTION_AAA, i, "user") &&
		!a->status_server && a->user[0] == '\0')
		load_error(l, SECTION_AAA, i, "user",
			"missing: expected a user to ask for, with probe = \"auth\"");
	if (load_good(l, SECTION_AAA, i, "source") && load_good(l, SECTION_AAA, i, "address") &&
		!ip_addr_is_none(&a->source) &&
		ip_addr_is_v4(&a->source) != ip_addr_is_v4(&a->address))
		load_error(l, SECTION_AAA, i, "source",
			"expected an address of the same family as address");
	if (!load_good(l, SECTION_AAA, i, "address") || !load_good(l, SECTION_AAA, i, "port"))
		return;
	for (unsigned int j = 0; j < i; j++)
		if (load_good(l, SECTION_AAA, j, "address") &&
			load_good(l, SECTION_AAA, j, "port") &&
			ip_addr_equal(&a->address, &l->c->aaa_servers[j].address) &&
			a->port == l->c->aaa_servers[j].port)
			load_error(l, SECTION_AAA, i, "address",
				"expected another server than aaa-servers[%u]: the same address "
				"and port",
				j);
}

static void lists_check_bgp_peer(struct load *l, unsigned int i)
{
	const struct config_bgp_peer *p = &l->c->bgp_peers[i], *o;

	if (!load_good(l, SECTION_BGP_PEERS, i, "address") ||
		!load_good(l, SECTION_BGP_PEERS, i, "router"))
		return;
	for (unsigned int j = 0; j < i; j++) {
		o = &l->c->bgp_peers[j];
		if (load_good(l, SECTION_BGP_PEERS, j, "address") &&
			load_good(l, SECTION_BGP_PEERS, j, "router") &&
			ip_addr_equal(&p->address, &o->address) &&
			ip_addr_equal(&p->router, &o->router))
			load_error(l, SECTION_BGP_PEERS, i, "address",
				"expected another peer than bgp-peers[%u]: the same address and "
				"router",
				j);
	}
}

void check_lists(struct load *l)
{
	lists_check_unique(l);
	lists_check_present(l);
	for (unsigned int i = 0; i < l->c->n_loopbacks; i++)
		lists_check_loopback(l, i);
	for (unsigned int i = 0; i < l->c->n_pools; i++)
		lists_check_pool(l, i);
	for (unsigned int i = 0; i < l->c->n_apns; i++)
		lists_check_apn(l, i);
	for (unsigned int i = 0; i < l->c->n_aaa_servers; i++)
		lists_check_aaa(l, i);
	for (unsigned int i = 0; i < l->c->n_bgp_peers; i++)
		lists_check_bgp_peer(l, i);
	check_gtp_peers(l);
}
