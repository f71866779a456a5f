/* SPDX-License-Identifier: BSD-3-Clause */
/* monitors: what is monitored here (AAA servers, BGP peers, routes of the kernel, carriers of
 * ports, own devices), in the engine of lib/monitor, with the sockets and the clock that it needs.
 * Its verdicts go to a callback; what follows from them is not decided here. A part that has
 * nothing to monitor does nothing.
 *
 * Control core only. Nothing blocks but monitors_check(), which reads files. */
#ifndef TANDEM_MONITORS_H
#define TANDEM_MONITORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarms.h"
#include "base/secret.h"
#include "config/items.h"
#include "monitor/monitor.h"

struct metrics;
struct monitors;
struct net_mirror;
struct radius_probe_info;
struct reactor;

/* What the monitors ask of other rooms and report to them. */
struct monitors_ops {
	/* Whether the port (its number in `port` of the settings) has carrier. */
	bool (*carrier)(void *ctx, unsigned int port);
	/* Whether the crypto device of the stream has failed. */
	bool (*crypto_failed)(void *ctx);
	/* Once a turn: what the monitors say. It may call back monitors_role(). */
	void (*verdict)(void *ctx, const struct monitor_verdict *v, usec_t now);
};

/* Of the configuration, what a restart alone changes. */
struct monitors_start {
	const char *chassis;       /* its name, for servers and views */
	const char *crypto_device; /* of the stream, "": the default; NULL: plain text, none */
	/* the lists: AAA servers, BGP peers, routes of the kernel */
	unsigned int n_aaa_servers, n_bgp_peers, n_routes;
	const struct config_aaa *aaa_servers;
	const struct config_bgp_peer *bgp_peers;
	const struct config_route *routes;
	struct ip_addr bmp_address; /* where routers report; all zero: 127.0.0.1 */
	uint16_t bmp_port;
	usec_t bmp_settle_us;
};

/* What a reload changes, too. */
struct monitors_live {
	usec_t guard_us, damping_us;
	bool revertible[MONITOR_TYPES];
};

/* It is copied, and what it points at outlives the room. */
struct monitors_settings {
	struct monitors_start start;
	struct monitors_live live;
	struct reactor *reactor;
	struct net_mirror *mirror;
	struct alarms *alarms; /* monitors_alarms_register() was called for it */
	unsigned int n_ports;
	struct {
		const struct config_port *conf;
		uint16_t id; /* DPDK port */
	} port[CONFIG_PORTS];
	struct monitors_ops ops;
	void *ctx;
};

/* Whether the files of the servers' secrets can be used; if not, `why` says what to do. */
bool monitors_check(const struct monitors_start *s, char why[SECRET_WHY]);
/* Registers the alarms of the room, once, before monitors_create(). 0 or -errno. */
int monitors_alarms_register(struct alarms *a);

/* Makes the room. NULL + errno, and the reason is logged. */
struct monitors *monitors_create(const struct monitors_settings *s);
void monitors_destroy(struct monitors *m); /* NULL is allowed */
/* A reload: these rules hold from the next verdict on. */
void monitors_rules(struct monitors *m, const struct monitors_live *live);
/* Reads all levels, sends what is due, logs what changed, and gives the verdict; once a ms. */
void monitors_turn(struct monitors *m, usec_t now);
/* This chassis became Active, or Standby or Init; in between the last one holds. by: the peer's
 * failure that made it Active, MONITOR_NONE for any other cause. */
void monitors_role(struct monitors *m, bool active, enum monitor_type by, usec_t now);

/* ---- for views and commands ---- */

/* The verdict, as monitor_verdict(). */
void monitors_verdict(struct monitors *m, usec_t now, struct monitor_verdict *v);
/* An object, as monitor_object(); address: what is shown beside its name, "" if it has none. */
const struct monitor_object *monitors_object(
	const struct monitors *m, int object, const char **address);
/* How many AAA servers are probed. */
unsigned int monitors_servers(const struct monitors *m);
/* The i-th AAA server, and what its probe has found out. */
const struct config_aaa *monitors_server(
	const struct monitors *m, unsigned int i, struct radius_probe_info *info);
/* Registers the counters of each server's probe, group "radius/NAME"; they must be unregistered
 * before monitors_destroy(). 0 or -errno. */
int monitors_metrics_register(struct metrics *m, struct monitors *o);
extern const struct metrics_room monitors_metrics; /* all of them */
/* All servers are probed anew; true: a failure was held, and may cause a switchover again. */
bool monitors_reset_auth(struct monitors *m, usec_t now);

#endif
