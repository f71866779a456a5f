/* SPDX-License-Identifier: BSD-3-Clause */
/* families: what each family of command handlers is given by `process`: the handles of other rooms
 * that it needs, and no more. It is filled before the room is made and outlives it. The control
 * core alone calls the functions in it, from within a command; none may block. */
#ifndef TANDEM_OPERATOR_FAMILIES_H
#define TANDEM_OPERATOR_FAMILIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/mac.h"
#include "common/usec.h"
#include "config/placed.h"
#include "monitor/monitor.h"
#include "srp/srp.h"

struct alarms;
struct journal;
struct metrics;
struct monitors;
struct pair_time;
struct pool_set;
struct replicator;
struct rte_mempool;
struct session_table;
struct settings_board;
struct signalling;
struct to_replicator_door;

/* What the pair says of itself; valid until the command has ended. */
struct operator_pair_view {
	const struct srp_info *srp;
	struct ip_addr peer_address; /* of its end of the SRP connection */
	struct monitor_health peer_health;
	const char *differences; /* lines that differ from the peer's; NULL: never compared */
	const char *refused;     /* why the last handshake failed; "": none did */
	uint8_t tie_breaker[6];
	uint16_t replication_mtu; /* of the own port */
	bool licensed, pre_shared;
	char routes[64];                /* where and as what they are up */
	char waits_for[SRP_REASON_MAX]; /* in Init or in a pending state; "": nothing */
};

struct operator_pair {
	void (*view)(void *ctx, struct operator_pair_view *v, usec_t now);
	/* Each returns 0, or -errno and the reason. */
	int (*switchover)(void *ctx, bool force, char reason[SRP_REASON_MAX], usec_t now);
	int (*validate_switchover)(void *ctx, char reason[SRP_REASON_MAX], usec_t now);
	int (*validate_configuration)(void *ctx, char reason[SRP_REASON_MAX], usec_t now);
	void *ctx;
};

/* Of the configuration, what views show beside other rooms' figures; a restart alone changes it.
 * The configuration as a whole is the business of operator/reload.h. */
struct operator_start {
	const char *chassis; /* its name */
	bool primary, insecure;
	uint32_t priority, max_sessions;
	struct ip_addr bind;                /* own address of the SRP connection */
	const struct config_placed *placed; /* APNs and pools, which come and go with a reload */
};

struct operator_srp {
	const struct operator_start *start;
	const struct operator_pair *pair;
	struct journal *journal;
	struct metrics *metrics;
	const struct replicator *replicator;
	const struct signalling *signalling;
	const struct pair_time *pair_time;
	const char *crypto_device; /* NULL: srp.insecure */
	uint8_t side;
	usec_t started;
};

struct operator_audit {
	const struct operator_pair *pair;
	const struct replicator *replicator;
	const struct to_replicator_door *orders;
	struct rte_mempool *msgs;
};

struct operator_table {
	const struct operator_start *start;
	const struct places *places; /* of the numbers by which sessions name APNs and pools */
	const struct session_table *table;
	const struct pool_set *pools;
	const uint8_t *worker_of_shard;
	const struct pair_time *pair_time;
	const struct signalling *signalling;
};

struct operator_gtp {
	const struct operator_pair *pair;
	struct metrics *metrics;
	const struct signalling *signalling;
	const struct settings_board *settings; /* whose newest has the peers */
	unsigned int n_ports;
	const struct config_port *ports; /* in the order of the configuration */
};

struct operator_port {
	const struct config_port *conf;
	struct mac_addr mac;
	unsigned int queues;
	bool link_up;
};

struct operator_worker {
	unsigned int lcore, shards;
};

struct operator_cores {
	struct metrics *metrics;
	const struct operator_worker *worker;
	unsigned int control_lcore, replication_lcore, n_workers, n_ports;
	void (*port)(void *ctx, unsigned int i, struct operator_port *p);
	void *ctx;
};

struct operator_monitors {
	const struct operator_pair *pair;
	struct metrics *metrics;
	struct monitors *monitors;
};

struct operator_history {
	struct journal *journal;
	struct alarms *alarms;
};

#endif
