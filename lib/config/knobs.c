/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/police.h"
#include "knob.h"

#define AT(type, field)                                                                            \
	.at = offsetof(struct type, field), .size = sizeof(((struct type *)NULL)->field)
#define COUNT(type, field)  .n_at = offsetof(struct type, field)
#define RANGE(d, lo, hi, u) .def = (d), .min = (lo), .max = (hi), .unit = (u)
#define ROWS(table)         .knobs = (table), .n_knobs = sizeof(table) / sizeof((table)[0])
#define LIST(field)                                                                                \
	.at = offsetof(struct config, field),                                                      \
	.item_size = sizeof(((struct config *)NULL)->field[0]),                                    \
	.n_at = offsetof(struct config, n_##field),                                                \
	.max = sizeof(((struct config *)NULL)->field) / sizeof(((struct config *)NULL)->field[0])

static const char *const modes[] = { "backup", "primary", NULL };
static const char *const seats[] = { "auto", "0", "1", NULL };
static const char *const topologies[] = { "l3", "l2", NULL };
static const char *const idles[] = { "poll", "sleep", NULL };
static const char *const selections[] = { "any", "verified", NULL };
static const char *const probes[] = { "auth", "status-server", NULL };
static const char *const requires[] = { "auto", "yes", "no", NULL };
static const char *const levels[] = { "debug", "info", "notice", "warning", "error", NULL };

// clang-format off
static const struct knob chassis[] = {
	{ "name", KNOB_NAME, KNOB_MUST, AT(config, chassis.name),
		.help = "name of this chassis, in logs and at the peer" },
	{ "mode", KNOB_CHOICE, 0, AT(config, chassis.primary), .choices = modes, .def = 0,
		.help = "which chassis becomes Active when both start at once; there is no "
			"failback later" },
	{ "priority", KNOB_U32, 0, AT(config, chassis.priority), RANGE(125, 1, 255, NULL),
		.help = "decides which chassis becomes Active when both have the same mode; "
			"higher wins" },
	{ "state-dir", KNOB_TEXT, 0, AT(config, chassis.state_dir), .def_text = "/var/lib/tandem",
		.help = "directory of what survives a restart: terms, restart counter, history" },
	{ "tie-breaker", KNOB_MAC, 0, AT(config, chassis.tie_breaker),
		.help = "decides which chassis becomes Active when mode and priority are equal; "
			"default: the first port's MAC address" },
};

static const struct knob ports[] = {
	{ "name", KNOB_NAME, KNOB_MUST, AT(config_port, name),
		.help = "name of the port; loopbacks refer to it" },
	{ "device", KNOB_TEXT, KNOB_MUST, AT(config_port, device),
		.help = "DPDK device: a PCI address, or a virtual device with its arguments" },
	{ "roles", KNOB_ROLES, KNOB_MUST, AT(config_port, roles),
		.help = "what the port is for; a replication port has no other role" },
	{ "twin", KNOB_NAME, KNOB_MUST, AT(config_port, twin),
		.help = "name of the kernel interface that the daemon makes for the port (its "
			"twin): what the kernel receives and sends by the port passes it" },
	{ "address", KNOB_IFADDR, 0, AT(config_port, address),
		.help = "address of the port's twin, with its prefix length; default: none, and "
			"other software of the machine sets one" },
	{ "mtu", KNOB_U32, 0, AT(config_port, mtu), RANGE(1500, 576, 9600, "bytes"),
		.help = "largest IP packet of the port and its twin" },
	{ "monitor", KNOB_BOOL, 0, AT(config_port, monitor),
		.help = "the Active hands over when the port loses its carrier (link-failure)" },
	{ "monitor-group", KNOB_NAME, 0, AT(config_port, monitor_group),
		.help = "group of monitored ports, which fails when all its ports are down; a "
			"port without a group fails by itself" },
};

static const struct knob loopbacks[] = {
	{ "name", KNOB_NAME, KNOB_MUST | KNOB_AGREE, AT(config_loopback, name),
		.help = "name of the loopback; services refer to it" },
	{ "address", KNOB_ADDR, KNOB_MUST | KNOB_AGREE, AT(config_loopback, address), .max = 1,
		.help = "virtual IP address (VIP) of the pair; services.gtp needs an IPv4 "
			"address" },
	{ "port", KNOB_NAME, KNOB_MUST, AT(config_loopback, port),
		.help = "name of the port that the VIP belongs to; topology l2: the VIP is in the "
			"subnet of this port, where the Active announces it by ARP" },
	{ "srp-activate", KNOB_BOOL, KNOB_AGREE, AT(config_loopback, srp_activate),
		.help = "whether the VIP follows the Active chassis" },
};

static const struct knob services[] = {
	{ "gtp", KNOB_NAME, KNOB_AGREE, AT(config, gtp_loopback),
		.help = "name of the loopback that GTP-C and GTP-U use; default: the first "
			"loopback" },
	{ "gtp-direct", KNOB_BOOL, KNOB_LIVE, AT(config, gtp_direct), .def = 1,
		.help = "true: GTP-C goes between ports and the control core without the kernel "
			"where it can; false: all of it passes the twin, its firewall and "
			"captures" },
	{ "echo-interval", KNOB_U32, KNOB_AGREE, AT(config, echo_interval_s),
		RANGE(60, 0, 3600, "s"),
		.help = "time between Echo Requests to each SGSN; less than 60 is for labs (TS "
			"29.060 7.2.1); 0: none are sent" },
};

static const struct knob gtp_peers[] = {
	{ "name", KNOB_NAME, KNOB_MUST | KNOB_AGREE | KNOB_LIVE, AT(config_gtp_peer, name),
		.help = "name of the GTP peer, one node or one network, in logs, alarms and "
			"views" },
	{ "control", KNOB_PREFIXES, KNOB_AGREE | KNOB_LIVE, AT(config_gtp_peer, control),
		.def = CONFIG_GTP_CONTROL,
		.help = "prefixes from which the GTP peer speaks GTP-C; each belongs to one entry, "
			"of two that overlap the longer counts" },
	{ "user", KNOB_PREFIXES, KNOB_AGREE | KNOB_LIVE, AT(config_gtp_peer, user),
		.def = CONFIG_GTP_USER,
		.help = "prefixes from which the GTP peer speaks GTP-U (its RNCs, too); several "
			"entries may have the same; default: those for GTP-C" },
	{ "ports", KNOB_PORTS, KNOB_LIVE, AT(config_gtp_peer, ports),
		.help = "ports at which the GTP peer is heard; default: every access port" },
	{ "group", KNOB_NAME, KNOB_AGREE | KNOB_LIVE, AT(config_gtp_peer, group),
		.help = "group of GTP peers that may take over sessions of each other by an "
			"Update (hand-over); default: the entry is a group by itself" },
	{ "prefixes-file", KNOB_TEXT, KNOB_LIVE, AT(config_gtp_peer, prefixes_file),
		.help = "file with more prefixes of the GTP peer, read at each load; lines have "
			"\"control PREFIX\", \"user PREFIX\", or a prefix alone for both; what "
			"it says must be the same on both chassis" },
};

static const struct knob pools[] = {
	{ "name", KNOB_NAME, KNOB_MUST | KNOB_AGREE, AT(config_pool, name),
		.help = "name of the pool; APNs refer to it" },
	{ "prefix", KNOB_PREFIX, KNOB_MUST | KNOB_AGREE, AT(config_pool, prefix),
		.min = 8, .max = 30,
		.help = "addresses that the pool gives to subscribers" },
	{ "srp-activate", KNOB_BOOL, KNOB_AGREE, AT(config_pool, srp_activate),
		.help = "whether the pool follows the Active chassis; only such a pool's "
			"sessions are recovered" },
	{ "quarantine", KNOB_U32, KNOB_AGREE, AT(config_pool, quarantine_s),
		RANGE(10, 0, 3600, "s"),
		.help = "time before an address that was given back is given out again" },
	{ "id", KNOB_U32, KNOB_AGREE, AT(config_pool, id), RANGE(0, 0, 254, NULL),
		.help = "number of the pool in sessions and between the chassis, which must never "
			"change; 0: the pair gives one, and keeps it in state-dir" },
};

static const struct knob apns[] = {
	{ "name", KNOB_APN, KNOB_MUST | KNOB_AGREE, AT(config_apn, name),
		.help = "access point name; upper and lower case are the same" },
	{ "pool", KNOB_NAME, KNOB_MUST | KNOB_AGREE | KNOB_LIVE, AT(config_apn, pool),
		.help = "name of the pool from which the APN's new subscribers get addresses" },
	{ "dns", KNOB_ADDRS, KNOB_AGREE | KNOB_LIVE, AT(config_apn, dns), COUNT(config_apn, n_dns),
		.help = "name servers that are sent to the subscriber" },
	{ "selection-mode", KNOB_CHOICE, KNOB_AGREE | KNOB_LIVE, AT(config_apn, verified_only),
		.choices = selections, .def = 0,
		.help = "verified: refuse subscribers whose right to this APN was not verified by "
			"the SGSN" },
	{ "session-timeout", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config_apn, session_timeout_s),
		RANGE(0, 0, 31536000, "s"),
		.help = "longest life of a session; 0: no limit" },
	{ "idle-timeout", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config_apn, idle_timeout_s),
		RANGE(0, 0, 31536000, "s"),
		.help = "time without traffic that ends a session; 0: no limit" },
	{ "ambr-up", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config_apn, ambr_up_kbps),
		RANGE(0, 0, POLICE_KBPS_MAX, "kbit/s"),
		.help = "most traffic from one subscriber, the rest is dropped; 0: no limit" },
	{ "ambr-down", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config_apn, ambr_down_kbps),
		RANGE(0, 0, POLICE_KBPS_MAX, "kbit/s"),
		.help = "most traffic to one subscriber, the rest is dropped; 0: no limit" },
	{ "id", KNOB_U32, KNOB_AGREE, AT(config_apn, id), RANGE(0, 0, 254, NULL),
		.help = "number of the APN in sessions and between the chassis, which must never "
			"change; 0: the pair gives one, and keeps it in state-dir" },
};

static const struct knob aaa_servers[] = {
	{ "name", KNOB_NAME, KNOB_MUST | KNOB_AGREE, AT(config_aaa, name),
		.help = "name of the AAA server, in logs, alarms and views" },
	{ "address", KNOB_ADDR, KNOB_MUST | KNOB_AGREE, AT(config_aaa, address), .max = 1,
		.help = "address of a RADIUS server that the Active probes; when none of a "
			"group answers, the Active hands over (aaa-failure)" },
	{ "port", KNOB_U32, KNOB_AGREE, AT(config_aaa, port), RANGE(1812, 1, 65535, NULL),
		.help = "UDP port of the AAA server" },
	{ "secret-file", KNOB_TEXT, KNOB_MUST, AT(config_aaa, secret_file),
		.help = "file (mode 600) with the secret that is shared with the AAA server; a "
			"second line has the password of `user`, without which probes are "
			"rejected, which counts as an answer too" },
	{ "probe", KNOB_CHOICE, KNOB_AGREE, AT(config_aaa, status_server),
		.choices = probes, .def = 0,
		.help = "what is sent to the AAA server; auth: Access-Request, and a Reject is "
			"an answer too; status-server: RFC 5997" },
	{ "user", KNOB_TEXT, KNOB_AGREE, AT(config_aaa, user),
		.help = "user name in the Access-Request of probe = \"auth\"" },
	{ "timeout", KNOB_U32, KNOB_AGREE, AT(config_aaa, timeout_s), RANGE(3, 1, 60, "s"),
		.help = "time without a reply after which a probe is sent again" },
	{ "max-retries", KNOB_U32, KNOB_AGREE, AT(config_aaa, max_retries), RANGE(5, 1, 20, NULL),
		.help = "how often a probe is sent, the first time included, before the AAA "
			"server is down" },
	{ "period", KNOB_U32, KNOB_AGREE, AT(config_aaa, period_s), RANGE(60, 1, 3600, "s"),
		.help = "time between two probes of the AAA server; less than 60 is for labs" },
	{ "group", KNOB_NAME, KNOB_AGREE, AT(config_aaa, group),
		.help = "group of AAA servers, which fails when all its servers are down; "
			"servers without a group form one too" },
	{ "require-message-authenticator", KNOB_WORD, KNOB_AGREE,
		AT(config_aaa, require_message_authenticator),
		.choices = requires, .def = 0,
		.help = "whether the AAA server's replies must be signed (RFC 3579); auto: from "
			"its first signed reply on" },
	{ "source", KNOB_ADDR, 0, AT(config_aaa, source), .max = 1,
		.help = "own address in probes of the AAA server; default: the kernel's choice" },
};

static const struct knob bgp_peers[] = {
	{ "name", KNOB_NAME, KNOB_MUST, AT(config_bgp_peer, name),
		.help = "name of the BGP peer, in logs, alarms and views" },
	{ "address", KNOB_ADDR, KNOB_MUST, AT(config_bgp_peer, address), .max = 1,
		.help = "address of a BGP peer whose state a router reports by BMP; when all "
			"peers of a group are down, the Active hands over (bgp-failure)" },
	{ "router", KNOB_ADDR, 0, AT(config_bgp_peer, router), .max = 1,
		.help = "address from which the router's BMP connection comes; needed where "
			"several routers report the same peer; default: any router that reports "
			"it" },
	{ "group", KNOB_NAME, 0, AT(config_bgp_peer, group),
		.help = "group of BGP peers, which fails when all its peers are down; peers "
			"without a group form one too" },
};

static const struct knob routes[] = {
	{ "name", KNOB_NAME, KNOB_MUST, AT(config_route, name),
		.help = "name of the monitored route, in logs, alarms and views" },
	{ "prefix", KNOB_PREFIX, KNOB_MUST, AT(config_route, prefix), .min = 0, .max = 32,
		.help = "prefix to which the kernel's main table must have a route, over any "
			"interface; when all routes of a group are gone, the Active hands over "
			"(route-failure)" },
	{ "group", KNOB_NAME, 0, AT(config_route, group),
		.help = "group of monitored routes, which fails when all its routes are gone; "
			"routes without a group form one too" },
};

static const struct knob monitors[] = {
	{ "bmp-address", KNOB_ADDR, 0, AT(config, monitors.bmp_address), .max = 1,
		.help = "own address on which routers report their BGP peers (RFC 7854), if "
			"there are bgp-peers; default: 127.0.0.1" },
	{ "bmp-port", KNOB_U32, 0, AT(config, monitors.bmp_port), RANGE(11019, 1, 65535, NULL),
		.help = "TCP port on which routers report their BGP peers (RFC 7854)" },
	{ "bmp-settle", KNOB_U32, 0, AT(config, monitors.bmp_settle_s), RANGE(10, 1, 300, "s"),
		.help = "how long a router that connected by BMP may take to report a BGP peer "
			"before that peer is down" },
	{ "aaa-revertible", KNOB_BOOL, KNOB_AGREE | KNOB_LIVE, AT(config, monitors.aaa_revertible),
		.help = "true: a chassis that became Active because of the peer's aaa-failure "
			"may hand back because of its own; false: it stays Active" },
	{ "bgp-revertible", KNOB_BOOL, KNOB_AGREE | KNOB_LIVE,
		AT(config, monitors.bgp_revertible), .def = 1,
		.help = "true: a chassis that became Active because of the peer's bgp-failure "
			"may hand back because of its own; false: it stays Active" },
	{ "route-revertible", KNOB_BOOL, KNOB_AGREE | KNOB_LIVE,
		AT(config, monitors.route_revertible), .def = 1,
		.help = "true: a chassis that became Active because of the peer's route-failure "
			"may hand back because of its own; false: it stays Active" },
	{ "link-revertible", KNOB_BOOL, KNOB_AGREE | KNOB_LIVE,
		AT(config, monitors.link_revertible), .def = 1,
		.help = "true: a chassis that became Active because of the peer's link-failure "
			"may hand back because of its own; false: it stays Active" },
	{ "fault-revertible", KNOB_BOOL, KNOB_AGREE | KNOB_LIVE,
		AT(config, monitors.fault_revertible), .def = 1,
		.help = "true: a chassis that became Active because of the peer's local-fault "
			"may hand back because of its own; false: it stays Active" },
};

static const struct knob srp[] = {
	{ "bind", KNOB_ADDR, KNOB_MUST, AT(config, srp.bind),
		.help = "own address of the SRP connection, on a plain kernel interface" },
	{ "peer", KNOB_ADDR, KNOB_MUST, AT(config, srp.peer),
		.help = "address of the peer's end of the SRP connection" },
	{ "port", KNOB_U32, KNOB_AGREE, AT(config, srp.port), RANGE(8484, 1, 65535, NULL),
		.help = "TCP port of the SRP connection" },
	{ "stream-bind", KNOB_ADDR, 0, AT(config, srp.stream_bind),
		.help = "own address of the replication stream; default: the address of the "
			"replication port" },
	{ "stream-peer", KNOB_ADDR, KNOB_MUST, AT(config, srp.stream_peer),
		.help = "address of the peer's replication port" },
	{ "stream-port", KNOB_U32, KNOB_AGREE, AT(config, srp.stream_port),
		RANGE(8485, 1, 65535, NULL),
		.help = "UDP port of the replication stream" },
	{ "insecure", KNOB_BOOL, KNOB_AGREE, AT(config, srp.insecure),
		.help = "true: plain text between the chassis, and the peer's identity is not "
			"checked; for labs" },
	{ "psk-file", KNOB_TEXT, KNOB_LIVE, AT(config, srp.psk_file),
		.help = "file with the pre-shared key of the pair, 64 hexadecimal digits; instead "
			"of certificates" },
	{ "ca-file", KNOB_TEXT, KNOB_LIVE, AT(config, srp.ca_file),
		.help = "PEM file of the CA that signed the peer's certificate" },
	{ "certificate-file", KNOB_TEXT, KNOB_LIVE, AT(config, srp.certificate_file),
		.help = "PEM file of this chassis's certificate, and the certificates that "
			"chain it to the CA" },
	{ "key-file", KNOB_TEXT, KNOB_LIVE, AT(config, srp.key_file),
		.help = "PEM file of the private key of this chassis's certificate" },
	{ "peer-name", KNOB_NAME, KNOB_LIVE, AT(config, srp.peer_name),
		.help = "name that the peer's certificate must have" },
	{ "crypto-device", KNOB_TEXT, 0, AT(config, srp.crypto_device),
		.help = "DPDK crypto device for the replication stream; default: the fastest "
			"software device" },
	{ "seat", KNOB_WORD, 0, AT(config, srp.seat), .choices = seats, .def = 0,
		.help = "which of the two seats of the pair this chassis has, another one on each "
			"chassis; auto: the chassis with the lower srp.bind has seat 0" },
	{ "topology", KNOB_CHOICE, KNOB_AGREE, AT(config, srp.l2), .choices = topologies, .def = 1,
		.help = "l2: both chassis are on shared subnets, and ARP announces the Active; "
			"l3: routers decide" },
	{ "advertise-in-standby", KNOB_BOOL, KNOB_LIVE, AT(config, srp.advertise_in_standby),
		.help = "topology l3: the Standby advertises its longer path to routers before "
			"it is needed; only for routers that honour path lengths" },
	{ "hold-off-time", KNOB_U32, KNOB_LIVE, AT(config, srp.hold_off_ms),
		RANGE(30000, 0, 600000, "ms"),
		.help = "how long a chassis must have been Standby before it advertises routes "
			"(advertise-in-standby)" },
	{ "hello-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.hello_interval_ms),
		RANGE(1000, 10, 60000, "ms"),
		.help = "time between hellos on the SRP connection" },
	{ "dead-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.dead_interval_ms),
		RANGE(3000, 30, 600000, "ms"),
		.help = "silence after which the peer is dead; at least 3 x hello-interval" },
	{ "delay-interval", KNOB_U32, KNOB_AGREE, AT(config, srp.delay_interval_ms),
		RANGE(5000, 0, 600000, "ms"),
		.help = "how long a chassis waits after its start before dead-interval runs" },
	{ "heartbeat-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE,
		AT(config, srp.heartbeat_interval_ms),
		RANGE(10, 1, 10000, "ms"),
		.help = "time between heartbeats in the replication stream" },
	{ "dead-multiplier", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.dead_multiplier),
		RANGE(3, 3, 50, "heartbeats"),
		.help = "missed heartbeats after which the replication path is dead" },
	{ "configuration-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE,
		AT(config, srp.configuration_interval_s),
		RANGE(3600, 60, 86400, "s"),
		.help = "time between comparisons of the two configurations" },
	{ "guard-period", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.guard_period_s),
		RANGE(60, 0, 3600, "s"),
		.help = "time from a start or a switchover in which monitor failures must last "
			"for damping-period before they act" },
	{ "damping-period", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.damping_period_s),
		RANGE(60, 0, 3600, "s"),
		.help = "how long a monitor failure must last before it acts within guard-period" },
	{ "micro-checkpoint-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE,
		AT(config, srp.micro_checkpoint_interval_ms),
		RANGE(100, 10, 10000, "ms"),
		.help = "time between checkpoints of a session's usage" },
	{ "audit-interval", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.audit_interval_s),
		RANGE(60, 1, 86400, "s"),
		.help = "time that one pass of the audit over both session tables takes" },
	{ "replication-rate", KNOB_U32, KNOB_LIVE, AT(config, srp.replication_rate_mbps),
		RANGE(0, 0, 400000, "Mbit/s"),
		.help = "most that the replication port sends; signalling goes first, then "
			"usage, then the audit and its repairs; 0: no limit" },
	{ "commit-timeout", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.commit_timeout_ms),
		RANGE(50, 10, 200, "ms"),
		.help = "longest time that an answer to an SGSN waits until the standby has the "
			"session" },
	{ "pending-timeout", KNOB_U32, KNOB_AGREE | KNOB_LIVE, AT(config, srp.pending_timeout_s),
		RANGE(10, 1, 60, "s"),
		.help = "longest time that a chassis stays in a pending state" },
	{ "realtime", KNOB_BOOL, 0, AT(config, srp.realtime),
		.help = "true: the replication core runs under SCHED_FIFO, for machines where "
			"cores share CPUs" },
};

static const struct knob table[] = {
	{ "max-sessions", KNOB_U32, KNOB_AGREE, AT(config, table.max_sessions),
		RANGE(65536, 64, 16777216, "sessions"),
		.help = "most sessions that the session table can hold" },
	{ "annex", KNOB_U32, KNOB_AGREE, AT(config, table.annex),
		RANGE(0, 0, 320, "bytes"),
		.help = "memory of each session, beside its slot, for access and AAA data: "
			"128, 192 or 320; 0: none, and such data is refused; must be equal on "
			"both" },
};

static const struct knob license[] = {
	{ "inter-chassis-session-recovery", KNOB_BOOL, 0, AT(config, licensed), .def = 1,
		.help = "whether this chassis is licensed to recover sessions; if one of the "
			"two is not, they do not join and nothing is recovered" },
};

static const struct knob lcores[] = {
	{ "control", KNOB_LCORE, 0, AT(config, lcores.control), RANGE(-1, -1, 127, NULL),
		.help = "lcore of the control core; -1: the EAL main lcore" },
	{ "replication", KNOB_LCORE, 0, AT(config, lcores.replication), RANGE(-1, -1, 127, NULL),
		.help = "lcore of the replication core; -1: the last lcore" },
	{ "workers", KNOB_LCORES, 0, AT(config, lcores.workers),
		COUNT(config, lcores.n_workers), .min = 0, .max = 127,
		.help = "lcores of the workers; default: all the others" },
};

static const struct knob top[] = {
	{ "idle", KNOB_CHOICE, 0, AT(config, idle_sleep), .choices = idles, .def = 0,
		.help = "what a core does that has no work; poll: it runs on, for dedicated "
			"cores; sleep: it sleeps, for lcores that share CPUs (laptops, labs)" },
};

static const struct knob telemetry[] = {
	{ "enabled", KNOB_BOOL, 0, AT(config, telemetry.enabled), .def = 1,
		.help = "whether DPDK's telemetry socket has the views, under /tandem/" },
	{ "control-socket", KNOB_TEXT, 0,
		AT(config, telemetry.control_socket), .def_text = "/run/tandem/control.sock",
		.max = 107,
		.help = "path of the Unix socket to which tandemctl connects" },
};

static const struct knob logging[] = {
	{ "level", KNOB_WORD, KNOB_LIVE, AT(config, log.level), .choices = levels, .def = 1,
		.help = "least severe message that is logged" },
	{ "syslog", KNOB_BOOL, 0, AT(config, log.syslog),
		.help = "true: messages go to syslog too, not only to stderr" },
};

const struct section config_sections[SECTIONS] = {
	[SECTION_CHASSIS]   = { "chassis", ROWS(chassis) },
	[SECTION_PORTS]     = { "ports", ROWS(ports), LIST(ports) },
	[SECTION_LOOPBACKS] = { "loopbacks", ROWS(loopbacks), LIST(loopbacks) },
	[SECTION_SERVICES]  = { "services", ROWS(services) },
	[SECTION_GTP_PEERS] = { "gtp-peers", ROWS(gtp_peers), LIST(gtp_peers), .lives = true },
	[SECTION_POOLS]     = { "pools", ROWS(pools), LIST(pools), .lives = true },
	[SECTION_APNS]      = { "apns", ROWS(apns), LIST(apns), .lives = true },
	[SECTION_AAA]       = { "aaa-servers", ROWS(aaa_servers), LIST(aaa_servers) },
	[SECTION_BGP_PEERS] = { "bgp-peers", ROWS(bgp_peers), LIST(bgp_peers) },
	[SECTION_ROUTES]    = { "monitored-routes", ROWS(routes), LIST(routes) },
	[SECTION_MONITORS]  = { "monitors", ROWS(monitors) },
	[SECTION_SRP]       = { "srp", ROWS(srp) },
	[SECTION_TABLE]     = { "table", ROWS(table) },
	[SECTION_LICENSE]   = { "license", ROWS(license) },
	[SECTION_LCORES]    = { "lcores", ROWS(lcores) },
	[SECTION_TOP]       = { NULL, ROWS(top) },
	[SECTION_TELEMETRY] = { "telemetry", ROWS(telemetry) },
	[SECTION_LOG]       = { "log", ROWS(logging) },
};
// clang-format on

unsigned int section_items(const struct section *s, const struct config *c)
{
	unsigned int n = 1;

	if (s->item_size > 0)
		memcpy(&n, (const char *)c + s->n_at, sizeof(n));
	return n;
}

void *section_item(const struct section *s, struct config *c, unsigned int i)
{
	return (char *)c + s->at + i * s->item_size;
}

const void *section_item_const(const struct section *s, const struct config *c, unsigned int i)
{
	return (const char *)c + s->at + i * s->item_size;
}

const char *section_item_name(const struct section *s, const void *item)
{
	return (const char *)item + s->knobs[0].at;
}

const void *section_item_by_name(const struct section *s, const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < section_items(s, c); i++)
		if (strcmp(section_item_name(s, section_item_const(s, c, i)), name) == 0)
			return section_item_const(s, c, i);
	return NULL;
}

static void knobs_print_default(const struct knob *k, FILE *to)
{
	if (k->flags & KNOB_MUST)
		fputs("*must be set*", to);
	else if (k->def_text != NULL)
		fprintf(to, "\"%s\"", k->def_text);
	else if (k->choices != NULL)
		fprintf(to, "\"%s\"", k->choices[k->def]);
	else if (k->type == KNOB_BOOL)
		fputs(k->def != 0 ? "true" : "false", to);
	else if (k->type == KNOB_U32 || k->type == KNOB_LCORE)
		fprintf(to, "%lld", (long long)k->def);
	else
		fputs("none", to);
}

/* The name of an item that may come and go stands for the whole. */
static const char *knobs_live(const struct section *s, const struct knob *k)
{
	if (s->lives && k == s->knobs)
		return "comes, goes";
	return k->flags & KNOB_LIVE ? "yes" : "";
}

void config_print_knobs(FILE *to)
{
	char expected[KNOB_WHY];

	fputs("| key | takes | default | same on both | at run time | what it is "
	      "|\n|---|---|---|---|---|---|\n",
		to);
	for (unsigned int i = 0; i < SECTIONS; i++) {
		const struct section *s = &config_sections[i];

		for (unsigned int j = 0; j < s->n_knobs; j++) {
			const struct knob *k = &s->knobs[j];

			knob_expected(k, expected, sizeof(expected));
			fprintf(to, "| `%s%s%s%s` | %s | ", s->name != NULL ? s->name : "",
				s->item_size > 0 ? "[]" : "", s->name != NULL ? "." : "", k->key,
				expected);
			knobs_print_default(k, to);
			fprintf(to, " | %s | %s | %s |\n", k->flags & KNOB_AGREE ? "yes" : "",
				knobs_live(s, k), k->help);
		}
	}
}
