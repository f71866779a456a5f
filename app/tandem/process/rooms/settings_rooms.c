/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place that knows which keys a room reads, and which of them a reload changes. */
#include "process/settings_rooms.h"

#include <errno.h>

_Static_assert((int)SETTINGS_APNS == (int)CONFIG_APNS, "a slot names its APN by one number");

int settings_of(const struct config *c, struct settings *s)
{
	*s = (struct settings){ .n_apns = c->n_apns,
		.audit_us = c->srp.audit_interval_s * USEC_PER_SEC,
		.replication_mbps = c->srp.replication_rate_mbps };
	for (unsigned int i = 0; i < c->n_apns; i++) {
		const struct config_apn *from = &c->apns[i];
		struct settings_apn *apn = &s->apn[i];

		apn->session_timeout_s = from->session_timeout_s;
		apn->idle_timeout_s = from->idle_timeout_s;
		if (settings_police(&apn->up, from->ambr_up_kbps) < 0 ||
			settings_police(&apn->down, from->ambr_down_kbps) < 0)
			return -EINVAL;
	}
	return 0;
}

void settings_replicator_start(const struct config *c, struct replicator_start *s)
{
	*s = (struct replicator_start){ .local4 = ip_addr_to_v4(&c->srp.stream_bind),
		.peer4 = ip_addr_to_v4(&c->srp.stream_peer),
		.udp_port = (uint16_t)c->srp.stream_port,
		.insecure = c->srp.insecure,
		.realtime = c->srp.realtime,
		.heartbeat_us = c->srp.heartbeat_interval_ms * USEC_PER_MSEC,
		.dead_us = c->srp.dead_interval_ms * USEC_PER_MSEC,
		.dead_multiplier = c->srp.dead_multiplier,
		.audit_us = c->srp.audit_interval_s * USEC_PER_SEC };
}

void settings_kernel_start(const struct config *c, struct kernel_start *s)
{
	*s = (struct kernel_start){ .loopbacks = c->loopbacks,
		.pools = c->pools,
		.n_loopbacks = c->n_loopbacks,
		.n_pools = c->n_pools,
		.l2 = c->srp.l2 };
}

void settings_signalling_start(const struct config *c, struct signalling_start *s)
{
	*s = (struct signalling_start){ .gtp = config_gtp(c)->address,
		.echo_us = c->echo_interval_s * USEC_PER_SEC,
		.max_sessions = c->table.max_sessions,
		.n_apns = c->n_apns,
		.apns = c->apns };
}

void settings_signalling_live(const struct config *c, struct signalling_live *l)
{
	*l = (struct signalling_live){ .direct = c->gtp_direct,
		.commit_timeout_us = c->srp.commit_timeout_ms * USEC_PER_MSEC };
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
