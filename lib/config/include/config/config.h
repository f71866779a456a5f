/* SPDX-License-Identifier: BSD-3-Clause */
/* config: a libconfig file becomes one typed struct; one table row a knob gives parser, check,
 * printout, table of config/README.md and range errors. A load builds a whole new struct; nothing
 * global. Strings live in the struct. Control core. */
#ifndef TANDEM_CONFIG_H
#define TANDEM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "config/gtp_peers.h"
#include "config/items.h"
#include "config/lines.h"

struct config {
	char file[CONFIG_PATH];
	struct {
		char name[CONFIG_NAME];
		bool primary;      /* mode = "primary" | "backup" (default) */
		uint32_t priority; /* 1..255, 125 */
		char state_dir[CONFIG_PATH];
		uint8_t tie_breaker[6]; /* MAC; all zero: the first port's */
	} chassis;
	unsigned int n_ports, n_loopbacks, n_pools, n_apns, n_aaa_servers, n_bgp_peers, n_routes,
		n_gtp_peers, n_gtp_prefixes;
	struct config_port ports[CONFIG_PORTS];
	struct config_loopback loopbacks[CONFIG_LOOPBACKS];
	struct config_pool pools[CONFIG_POOLS];    /* sorted by name */
	struct config_apn apns[CONFIG_APNS];       /* sorted by name */
	struct config_aaa aaa_servers[CONFIG_AAA]; /* in the order of the file */
	struct config_bgp_peer bgp_peers[CONFIG_BGP_PEERS];
	struct config_route routes[CONFIG_ROUTES];
	struct config_gtp_peer gtp_peers[CONFIG_GTP_PEERS];         /* sorted by name */
	struct config_gtp_prefix gtp_prefixes[CONFIG_GTP_PREFIXES]; /* of all of these */
	struct {
		struct ip_addr bmp_address; /* where routers report; all zero: 127.0.0.1 */
		uint32_t bmp_port, bmp_settle_s;
		bool aaa_revertible, bgp_revertible, route_revertible, link_revertible,
			fault_revertible;
	} monitors;
	char gtp_loopback
		/* services.gtp: the loopback that GTP-C and GTP-U use; default: the first one */
		[CONFIG_NAME];
	bool gtp_direct;          /* services.gtp-direct */
	uint32_t echo_interval_s; /* services.echo-interval; 0: none */
	struct {
		struct ip_addr bind, peer; /* SRP connection, a plain kernel interface */
		uint32_t port;             /* TCP, 8484 */
		struct ip_addr stream_bind,
			stream_peer;  /* replication port; bind: its twin's address by default */
		uint32_t stream_port; /* UDP, 8485 */
		bool insecure;        /* plain text; else psk_file, or the four of a certificate */
		char psk_file[CONFIG_PATH], ca_file[CONFIG_PATH], certificate_file[CONFIG_PATH],
			key_file[CONFIG_PATH];
		char peer_name[CONFIG_NAME]; /* in the peer's certificate */
		/* DPDK crypto device; empty: the fastest software device */
		char crypto_device[CONFIG_PATH];
		char seat[8];              /* "auto" | "0" | "1"; config_seat() */
		bool l2;                   /* topology = "l2" | "l3" */
		bool advertise_in_standby; /* routes up, as the longer path; l3 alone */
		uint32_t hold_off_ms;      /* since it became Standby */
		uint32_t hello_interval_ms, dead_interval_ms, delay_interval_ms,
			heartbeat_interval_ms, dead_multiplier;
		uint32_t configuration_interval_s, guard_period_s, damping_period_s;
		uint32_t replication_rate_mbps; /* Mbit/s; 0: no limit */
		uint32_t micro_checkpoint_interval_ms, audit_interval_s, commit_timeout_ms,
			pending_timeout_s;
		bool realtime; /* SCHED_FIFO for the replication core */
	} srp;
	struct {
		uint32_t max_sessions; /* 64..16777216 */
		uint32_t annex;        /* 0, 128, 192 or 320 */
	} table;
	bool licensed; /* license.inter-chassis-session-recovery */
	struct {
		int control, replication; /* lcore ids; -1: chosen (main; last) */
		int workers[64];
		unsigned int n_workers; /* 0: all the others */
	} lcores;
	bool idle_sleep; /* idle = "sleep" | "poll" */
	struct {
		bool enabled;
		char control_socket[CONFIG_PATH];
	} telemetry;
	struct {
		char level[16]; /* "debug", "info", "notice", "warning", "error" */
		bool syslog;
	} log;
};

/* Collected findings of a load: every one, not only the first. text: "FILE:LINE: KEY: what was
 * expected". */
struct config_report {
	unsigned int errors, warnings;
	/* lines, errors and warnings in file order, newline terminated; NULL when there are none */
	char *text;
};

/* Loads and checks. 0, or -EINVAL (see report), -ENOENT, -ENOMEM. *c is complete only with 0. The
 * report is always valid. */
int config_load(const char *file, struct config *c, struct config_report *r);
/* The same of a text in memory; `name` stands for the file's in the report. */
int config_load_text(const char *name, const char *text, struct config *c, struct config_report *r);
/* Across the two files of a pair: tie-breakers, seats, addresses, and all that must agree. Adds to
 * the report. */
int config_check_pair(const struct config *a, const struct config *b, struct config_report *r);
/* Frees what a report holds. */
void config_report_free(struct config_report *r);
/* Canonical text, defaults included; loads again to the same struct. Secrets print as ***. */
void config_print(const struct config *c, FILE *to);
/* Digest of what must agree between the two chassis (lib/srp/README.md section 8). Order of lists
 * does not matter. */
uint64_t config_digest(const struct config *c);
/* One line a key that must agree and differs: "KEY: A here, B there". Returns how many, or
 * -ENOMEM. */
int config_difference(const struct config *a, const struct config *b, FILE *to);
/* What must agree, one line a key: "KEY = VALUE"; of lists "LIST[NAME].KEY = VALUE", in the order
 * of names. The same text for whatever agrees; secrets and what belongs to one chassis are not in
 * it. */
void config_lines(const struct config *c, FILE *to);
/* A key whose value a reload would change: "log.level", "apns[internet].dns", "pools[a]" (came or
 * went), "ports[0]" (another order). from, to: as the file's syntax has them; "none": not set.
 * Valid during the call. */
struct config_change {
	const char *key, *from, *to;
	bool live; /* can change at run time; else it needs a restart */
};

/* Calls `each` for every key of `now` (what runs) that is not the same in `next` (both loaded
 * without errors), in the order of the knob table. Returns how many. */
unsigned int config_changes(const struct config *now, const struct config *next,
	void (*each)(void *ctx, const struct config_change *ch), void *ctx);
/* Copies what can change at run time, and nothing else, into `now`. The lists of APNs and pools are
 * taken whole, of a `next` in which no item of them needs a restart; pointers to items of others
 * stay good. */
void config_take_live(struct config *now, const struct config *next);
/* The table of knobs in config/README.md (Markdown), from the knob table. */
void config_print_knobs(FILE *to);
/* The loopback that services.gtp names; NULL: there is none. */
const struct config_loopback *config_gtp(const struct config *c);
/* Which of the two chassis this is, 0 or 1: as srp.seat says, else the one with the lower address
 * of the SRP connection is 0. */
uint8_t config_seat(const struct config *c);
/* The port of that name; NULL: there is none. */
const struct config_port *config_port_by_name(const struct config *c, const char *name);

#endif
