/* SPDX-License-Identifier: BSD-3-Clause */
/* settings: what the room `pair` is given when it is created, by the process. It is copied, and
 * what it points at outlives the room. The control core fills it, and the room calls the callbacks
 * on that core; none of them may block. */
#ifndef TANDEM_PAIR_SETTINGS_H
#define TANDEM_PAIR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "config/placed.h"
#include "monitor/monitor.h"
#include "pair/tls.h"
#include "srp/srp.h"

struct alarms;
struct core_pulse;
struct journal;
struct pair_time;
struct reactor;
struct replicator;
struct rte_mempool;
struct session_table;
struct switchover;
struct to_replicator_door;

/* What the SRP connection is given: who waits for its sockets, and who is handed the keys of the
 * stream, which each connection makes. */
struct pair_connection {
	struct reactor *reactor;
	struct alarms *alarms; /* pair_alarms_register() was called for it */
	const struct to_replicator_door *to_replicator;
	struct rte_mempool *msgs;
};

/* The replication core, whose stream is the other way to the peer. */
struct pair_stream {
	struct replicator *replicator; /* its snapshot, and who the peer is for it */
	const struct to_replicator_door *to_replicator;
	struct rte_mempool *msgs;
	const struct core_pulse *pulse; /* of the replication core */
	struct pair_time *pair_time;    /* counts on from the Active's */
	const struct session_table *table;
};

/* What the room asks of others and reports to them. They may ask this room, and change nothing of
 * it.
 */
struct pair_ops {
	/* How long the comparison of the tables that runs may take yet, s; 0: not known, or none
	 * runs. */
	uint32_t (*comparison_left_s)(void *ctx, usec_t now);
	/* This chassis became Active, or Standby or Init; by: the peer's failure that made it
	 * Active, MONITOR_NONE for any other cause. */
	void (*became)(void *ctx, bool active, enum monitor_type by, usec_t now);
	/* From now on pair_claimed() says that another station has a VIP, or probes for one and
	 * goes first (RFC 5227 section 2.1.1, RFC 4862 section 5.4); until it is not on. */
	void (*listen_for_claims)(void *ctx, bool on);
	/* Asks once for all VIPs that another station might have; false: there are none. */
	bool (*probe)(void *ctx);
	/* The peer may send sessions of an item that has no place here: makes it at a free one, as
	 * one that drains, a pool with its memory; what: of the list of numbers. The room reads
	 * `start` again behind it. Also within pair_create(). 0, or -errno and nothing was made. */
	int (*drain)(void *ctx, enum places_kind kind, const char *name, const char *what);
};

/* Of the configuration, what a restart alone changes. */
struct pair_start {
	bool primary, licensed, l2, insecure;
	uint8_t priority;
	uint8_t tie_breaker[6];    /* all zero: pair_settings.mac */
	struct ip_addr bind, peer; /* the SRP connection */
	uint16_t port;             /* its TCP port */
	/* the replication port */
	uint16_t replication_mtu;
	char replication_port[CONFIG_NAME];
	usec_t delay_us;
	/* What has numbers, at its place. */
	const struct config_placed *placed;
};

/* What a reload changes, too. */
struct pair_live {
	struct tls_files files; /* read again before the next connection */
	usec_t configuration_us, pending_us, hello_us, dead_us, heartbeat_us;
	unsigned int dead_multiplier; /* in heartbeats */
	/* Of all keys that must agree, whichever room reads them: their digest, and their lines
	 * (config/lines.h), which the room copies. */
	uint64_t digest;
	const char *lines;
	size_t lines_len;
};

struct pair_settings {
	struct pair_start start;
	struct pair_live live;
	/* Which of the two chassis this is, 0 or 1 (config_seat()): each must have another one. */
	uint8_t seat;
	uint32_t incarnation; /* of this process */
	uint8_t mac[6];       /* the tie-breaker, if start has none */
	struct srp_saved saved;
	struct places *places; /* the numbers of those items, for all cores; the room writes them */
	struct alarms *alarms; /* pair_alarms_register() was called for it */
	struct journal *journal;
	struct switchover *switchover; /* carries out the steps of a change of roles */
	struct pair_ops ops;
	void *ctx;
};

#endif
