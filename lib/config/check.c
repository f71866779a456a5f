/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules across keys. A rule looks only at values that were read: one mistake is one finding. */
#include "value.h"

static const struct config_port *check_replication_port(const struct config *c)
{
	for (unsigned int i = 0; i < c->n_ports; i++)
		if (c->ports[i].roles & CONFIG_REPLICATION)
			return &c->ports[i];
	return NULL;
}

static bool check_all_good(const struct load *l, enum section_id id, const char *key)
{
	for (unsigned int i = 0; i < section_items(&config_sections[id], l->c); i++)
		if (!load_good(l, id, i, key))
			return false;
	return true;
}

static void check_replication_mtu(struct load *l)
{
	const struct config *c = l->c;

	for (unsigned int i = 0; i < c->n_ports; i++)
		if ((c->ports[i].roles & CONFIG_REPLICATION) != 0 &&
			load_good(l, SECTION_PORTS, i, "roles") &&
			load_good(l, SECTION_PORTS, i, "mtu") &&
			c->ports[i].mtu < CONFIG_REPLICATION_MTU)
			load_error(l, SECTION_PORTS, i, "mtu",
				"expected at least %u on the port with the role \"replication\", "
				"which a heartbeat takes, not %u",
				CONFIG_REPLICATION_MTU, c->ports[i].mtu);
}

static void check_roles(struct load *l)
{
	static const struct {
		uint8_t role;
		const char *name;
	} needed[] = { { CONFIG_ACCESS, "access" }, { CONFIG_CORE, "core" },
		{ CONFIG_REPLICATION, "replication" } };
	const struct config *c = l->c;
	unsigned int n_replication = 0;
	uint8_t all = 0;

	for (unsigned int i = 0; i < c->n_ports; i++) {
		uint8_t roles = c->ports[i].roles;

		all |= roles;
		if ((roles & CONFIG_REPLICATION) == 0)
			continue;
		if (roles != CONFIG_REPLICATION)
			load_error(l, SECTION_PORTS, i, "roles",
				"expected \"replication\" alone, without another role");
		if (++n_replication > 1)
			load_error(l, SECTION_PORTS, i, "roles",
				"expected one port with the role \"replication\", not two");
	}
	check_replication_mtu(l);
	if (l->wrong[SECTION_PORTS] || !check_all_good(l, SECTION_PORTS, "roles"))
		return;
	for (unsigned int i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if ((all & needed[i].role) == 0)
			load_error(l, SECTION_PORTS, 0, NULL,
				"missing: expected a port with the role \"%s\"", needed[i].name);
}

static void check_timers(struct load *l)
{
	const struct config *c = l->c;

	if (load_good(l, SECTION_SRP, 0, "dead-interval") &&
		load_good(l, SECTION_SRP, 0, "hello-interval") &&
		c->srp.dead_interval_ms < 3 * c->srp.hello_interval_ms)
		load_error(l, SECTION_SRP, 0, "dead-interval",
			"expected at least 3 x hello-interval, %u ms, not %u",
			3 * c->srp.hello_interval_ms, c->srp.dead_interval_ms);
}

static void check_advertise(struct load *l)
{
	const struct config *c = l->c;

	if (load_good(l, SECTION_SRP, 0, "advertise-in-standby") &&
		load_good(l, SECTION_SRP, 0, "topology") && c->srp.advertise_in_standby &&
		c->srp.l2)
		load_error(l, SECTION_SRP, 0, "advertise-in-standby",
			"expected topology \"l3\" with it: in \"l2\" no router compares the "
			"chassis' paths");
}

/* Secret unless somebody wrote that it is not: one of the three, whole. */
static void check_secret(struct load *l)
{
	const struct config *c = l->c;
	const struct {
		const char *key, *value;
	} certificate[] = { { "ca-file", c->srp.ca_file },
		{ "certificate-file", c->srp.certificate_file }, { "key-file", c->srp.key_file },
		{ "peer-name", c->srp.peer_name } };
	unsigned int n = sizeof(certificate) / sizeof(certificate[0]), set = 0;

	if (!load_good(l, SECTION_SRP, 0, "insecure") || !load_good(l, SECTION_SRP, 0, "psk-file"))
		return;
	for (unsigned int i = 0; i < n; i++)
		set += certificate[i].value[0] != '\0' ||
		       !load_good(l, SECTION_SRP, 0, certificate[i].key);
	if (c->srp.insecure && (set > 0 || c->srp.psk_file[0] != '\0'))
		load_error(l, SECTION_SRP, 0, "insecure",
			"expected either insecure = true or keys, not both");
	else if (c->srp.psk_file[0] != '\0' && set > 0)
		load_error(l, SECTION_SRP, 0, "psk-file",
			"expected either psk-file or certificates, not both");
	else if (!c->srp.insecure && c->srp.psk_file[0] == '\0' && set == 0)
		load_error(l, SECTION_SRP, 0, NULL,
			"missing: expected psk-file, or ca-file, certificate-file, key-file and "
			"peer-name (scripts/keys.sh makes them); insecure = true goes without, in "
			"plain text");
	else if (set > 0)
		for (unsigned int i = 0; i < n; i++)
			if (certificate[i].value[0] == '\0' &&
				load_good(l, SECTION_SRP, 0, certificate[i].key))
				load_error(l, SECTION_SRP, 0, certificate[i].key,
					"missing: expected beside the other keys of a certificate");
}

static void check_ends(struct load *l)
{
	struct config *c = l->c;
	const struct config_port *p = check_replication_port(c);

	if (load_good(l, SECTION_SRP, 0, "bind") && load_good(l, SECTION_SRP, 0, "peer") &&
		ip_addr_equal(&c->srp.bind, &c->srp.peer))
		load_error(l, SECTION_SRP, 0, "peer", "expected another address than srp.bind");
	if (!load_good(l, SECTION_SRP, 0, "stream-bind"))
		return;
	if (ip_addr_to_v4(&c->srp.stream_bind) == 0) {
		if (p == NULL ||
			!load_good(l, SECTION_PORTS, (unsigned int)(p - c->ports), "address"))
			return;
		if (p->address.len == 0) {
			load_error(l, SECTION_SRP, 0, "stream-bind",
				"missing: expected an IPv4 address, as the replication port has "
				"none");
			return;
		}
		c->srp.stream_bind = p->address.addr;
	}
	if (load_good(l, SECTION_SRP, 0, "stream-peer") &&
		ip_addr_equal(&c->srp.stream_bind, &c->srp.stream_peer))
		load_error(l, SECTION_SRP, 0, "stream-peer",
			"expected another address than srp.stream-bind");
}

static void check_gtp(struct load *l)
{
	struct config *c = l->c;
	const struct config_loopback *lb;

	if (c->gtp_loopback[0] == '\0' && c->n_loopbacks > 0)
		memcpy(c->gtp_loopback, c->loopbacks[0].name, sizeof(c->gtp_loopback));
	if (!load_good(l, SECTION_SERVICES, 0, "gtp") ||
		!check_all_good(l, SECTION_LOOPBACKS, "name") || c->n_loopbacks == 0)
		return;
	lb = config_gtp(c);
	if (lb == NULL) {
		load_error(l, SECTION_SERVICES, 0, "gtp",
			"expected the name of a loopback, not \"%s\"", c->gtp_loopback);
		return;
	}
	if (load_good(l, SECTION_LOOPBACKS, (unsigned int)(lb - c->loopbacks), "address") &&
		!ip_addr_is_v4(&lb->address))
		load_error(l, SECTION_SERVICES, 0, "gtp",
			"expected a loopback with an IPv4 address: that of \"%s\" is IPv6",
			lb->name);
	if (load_good(l, SECTION_LOOPBACKS, (unsigned int)(lb - c->loopbacks), "srp-activate") &&
		!lb->srp_activate)
		load_warning(l, SECTION_LOOPBACKS, (unsigned int)(lb - c->loopbacks),
			"srp-activate",
			"services.gtp uses a loopback that does not follow the Active chassis");
}

static void check_lcores(struct load *l)
{
	bool seen[128] = { false };
	const struct config *c = l->c;

	if (load_good(l, SECTION_LCORES, 0, "control") && c->lcores.control >= 0)
		seen[c->lcores.control] = true;
	if (load_good(l, SECTION_LCORES, 0, "replication") && c->lcores.replication >= 0) {
		if (seen[c->lcores.replication])
			load_error(l, SECTION_LCORES, 0, "replication",
				"expected an lcore of its own, not %d twice",
				c->lcores.replication);
		seen[c->lcores.replication] = true;
	}
	for (unsigned int i = 0; i < c->lcores.n_workers; i++) {
		if (seen[c->lcores.workers[i]])
			load_error(l, SECTION_LCORES, 0, "workers",
				"expected lcores of their own, not %d twice", c->lcores.workers[i]);
		seen[c->lcores.workers[i]] = true;
	}
}

/* The sizes of lib/session. */
static void check_annex(struct load *l)
{
	uint32_t bytes = l->c->table.annex;

	if (load_good(l, SECTION_TABLE, 0, "annex") && bytes != 0 && bytes != 128 && bytes != 192 &&
		bytes != 320)
		load_error(l, SECTION_TABLE, 0, "annex",
			"expected 0, 128, 192 or 320 bytes, not %u", bytes);
}

void check_config(struct load *l)
{
	check_roles(l);
	check_gtp(l);
	check_timers(l);
	check_advertise(l);
	check_secret(l);
	check_ends(l);
	check_lcores(l);
	check_annex(l);
}

const struct config_loopback *config_gtp(const struct config *c)
{
	for (unsigned int i = 0; i < c->n_loopbacks; i++)
		if (strcmp(c->loopbacks[i].name, c->gtp_loopback) == 0)
			return &c->loopbacks[i];
	return NULL;
}

const struct config_port *config_port_by_name(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->n_ports; i++)
		if (strcmp(c->ports[i].name, name) == 0)
			return &c->ports[i];
	return NULL;
}
