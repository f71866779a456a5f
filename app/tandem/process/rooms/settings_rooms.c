/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place that knows which keys a room reads, and which of them a reload changes. */
#include "process/settings_rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

_Static_assert((int)SETTINGS_APNS == (int)CONFIG_APNS, "a slot names its APN by one number");

int settings_of(const struct config *c, const struct config_placed *p, struct settings *s)
{
	int ret;

	*s = (struct settings){ .n_apns = p->n_apns,
		.audit_us = c->srp.audit_interval_s * USEC_PER_SEC,
		.checkpoint_us = c->srp.micro_checkpoint_interval_ms * USEC_PER_MSEC,
		.replication_mbps = c->srp.replication_rate_mbps };
	for (unsigned int i = 0; i < p->n_apns; i++) {
		const struct config_apn *from = &p->apn[i].conf; /* no limits at a free place */
		struct settings_apn *apn = &s->apn[i];

		apn->session_timeout_s = from->session_timeout_s;
		apn->idle_timeout_s = from->idle_timeout_s;
		ret = police_rate_set(&apn->up, from->ambr_up_kbps, clock_hz);
		if (ret == 0)
			ret = police_rate_set(&apn->down, from->ambr_down_kbps, clock_hz);
		if (ret < 0)
			return ret;
	}
	return 0;
}

void settings_ethernet_start(const struct config *c, struct ethernet_start *s)
{
	*s = (struct ethernet_start){ .local4 = ip_addr_to_v4(&c->srp.stream_bind),
		.peer4 = ip_addr_to_v4(&c->srp.stream_peer),
		.udp_port = (uint16_t)c->srp.stream_port,
		.checksum = c->srp.insecure };
}

void settings_replicator_start(const struct config *c, struct replicator_start *s)
{
	*s = (struct replicator_start){ .insecure = c->srp.insecure, .realtime = c->srp.realtime };
}

void settings_replicator_live(const struct config *c, struct replicator_live *l)
{
	usec_t window = c->srp.heartbeat_interval_ms * USEC_PER_MSEC * c->srp.dead_multiplier;
	usec_t dead = c->srp.dead_interval_ms * USEC_PER_MSEC;

	*l = (struct replicator_live){ .audit_us = c->srp.audit_interval_s * USEC_PER_SEC,
		.present_us = window > dead ? window : dead,
		.life_us = window / 2,
		.heartbeat_us = c->srp.heartbeat_interval_ms * USEC_PER_MSEC };
}

void settings_kernel_start(
	const struct config *c, const struct config_placed *p, struct kernel_start *s)
{
	*s = (struct kernel_start){ .loopbacks = c->loopbacks,
		.placed = p,
		.n_loopbacks = c->n_loopbacks,
		.l2 = c->srp.l2 };
}

void settings_signalling_start(
	const struct config *c, const struct config_placed *p, struct signalling_start *s)
{
	*s = (struct signalling_start){ .gtp = config_gtp(c)->address,
		.echo_us = c->echo_interval_s * USEC_PER_SEC,
		.max_sessions = c->table.max_sessions,
		.placed = p };
}

void settings_signalling_live(
	const struct config *c, const struct config_placed *p, struct signalling_live *l)
{
	*l = (struct signalling_live){ .direct = c->gtp_direct,
		.commit_timeout_us = c->srp.commit_timeout_ms * USEC_PER_MSEC };
	for (unsigned int i = 0; i < p->n_apns; i++) {
		const struct config_apn *from = &p->apn[i].conf;

		memcpy(l->apn[i].dns, from->dns, sizeof(l->apn[i].dns));
		l->apn[i].n_dns = from->n_dns;
		l->apn[i].verified_only = from->verified_only;
	}
}

void settings_monitors_start(const struct config *c, struct monitors_start *s)
{
	*s = (struct monitors_start){ .chassis = c->chassis.name,
		.crypto_device = c->srp.insecure ? NULL : c->srp.crypto_device,
		.n_aaa_servers = c->n_aaa_servers,
		.n_bgp_peers = c->n_bgp_peers,
		.n_routes = c->n_routes,
		.aaa_servers = c->aaa_servers,
		.bgp_peers = c->bgp_peers,
		.routes = c->routes,
		.bmp_address = c->monitors.bmp_address,
		.bmp_port = (uint16_t)c->monitors.bmp_port,
		.bmp_settle_us = c->monitors.bmp_settle_s * USEC_PER_SEC };
}

void settings_monitors_live(const struct config *c, struct monitors_live *l)
{
	*l = (struct monitors_live){ .guard_us = c->srp.guard_period_s * USEC_PER_SEC,
		.damping_us = c->srp.damping_period_s * USEC_PER_SEC,
		.revertible = { [MONITOR_BFD] = true, /* no key has it */
			[MONITOR_AAA] = c->monitors.aaa_revertible,
			[MONITOR_BGP] = c->monitors.bgp_revertible,
			[MONITOR_ROUTE] = c->monitors.route_revertible,
			[MONITOR_LINK] = c->monitors.link_revertible,
			[MONITOR_FAULT] = c->monitors.fault_revertible } };
}

void settings_switchover_start(const struct config *c, struct switchover_start *s)
{
	*s = (struct switchover_start){ .l2 = c->srp.l2, .gtp = config_gtp(c)->address };
}

void settings_switchover_live(const struct config *c, struct switchover_live *l)
{
	*l = (struct switchover_live){ .advertise_in_standby = c->srp.advertise_in_standby,
		.hold_off_us = c->srp.hold_off_ms * USEC_PER_MSEC };
}

void settings_pair_start(
	const struct config *c, const struct config_placed *p, struct pair_start *s)
{
	*s = (struct pair_start){ .primary = c->chassis.primary,
		.licensed = c->licensed,
		.l2 = c->srp.l2,
		.insecure = c->srp.insecure,
		.priority = (uint8_t)c->chassis.priority,
		.bind = c->srp.bind,
		.peer = c->srp.peer,
		.port = (uint16_t)c->srp.port,
		.delay_us = c->srp.delay_interval_ms * USEC_PER_MSEC,
		.placed = p };
	memcpy(s->tie_breaker, c->chassis.tie_breaker, sizeof(s->tie_breaker));
	for (unsigned int i = 0; i < c->n_ports; i++)
		if (c->ports[i].roles & CONFIG_REPLICATION) {
			s->replication_mtu = (uint16_t)c->ports[i].mtu;
			memcpy(s->replication_port, c->ports[i].name, sizeof(s->replication_port));
		}
}

static void settings_tls_files(const struct config *c, struct tls_files *f)
{
	memcpy(f->psk, c->srp.psk_file, sizeof(f->psk));
	memcpy(f->ca, c->srp.ca_file, sizeof(f->ca));
	memcpy(f->certificate, c->srp.certificate_file, sizeof(f->certificate));
	memcpy(f->key, c->srp.key_file, sizeof(f->key));
	memcpy(f->peer_name, c->srp.peer_name, sizeof(f->peer_name));
}

int settings_pair_live(const struct config *c, struct pair_live *l)
{
	char *lines = NULL;
	size_t len;
	FILE *to = open_memstream(&lines, &len);

	if (to == NULL)
		return -ENOMEM;
	config_lines(c, to);
	if (fclose(to) != 0) {
		free(lines);
		return -ENOMEM;
	}
	*l = (struct pair_live){ .configuration_us = c->srp.configuration_interval_s * USEC_PER_SEC,
		.pending_us = c->srp.pending_timeout_s * USEC_PER_SEC,
		.hello_us = c->srp.hello_interval_ms * USEC_PER_MSEC,
		.dead_us = c->srp.dead_interval_ms * USEC_PER_MSEC,
		.heartbeat_us = c->srp.heartbeat_interval_ms * USEC_PER_MSEC,
		.dead_multiplier = c->srp.dead_multiplier,
		.digest = config_digest(c),
		.lines = lines,
		.lines_len = len };
	settings_tls_files(c, &l->files);
	return 0;
}

void settings_pair_live_end(struct pair_live *l)
{
	free((void *)(uintptr_t)l->lines);
	l->lines = NULL;
}

bool settings_keys_good(const struct config *c, char why[TLS_WHY])
{
	struct tls_files f;
	struct tls *t;

	settings_tls_files(c, &f);
	t = tls_create(&f, why);
	tls_destroy(t);
	return t != NULL;
}

void settings_operator_start(
	const struct config *c, const struct config_placed *p, struct operator_start *s)
{
	*s = (struct operator_start){ .chassis = c->chassis.name,
		.primary = c->chassis.primary,
		.insecure = c->srp.insecure,
		.priority = c->chassis.priority,
		.max_sessions = c->table.max_sessions,
		.bind = c->srp.bind,
		.placed = p };
}
