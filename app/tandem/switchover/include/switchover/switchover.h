/* SPDX-License-Identifier: BSD-3-Clause */
/* switchover: what a change of roles does on this chassis. lib/srp decides, and orders one step
 * after the other; this room carries each out: who writes the slots, when VIPs and routes come and
 * go and are announced, when signalling is answered, and what becomes of usage that was counted
 * here after the peer took over. It alone decides these, and publishes them as the role
 * (cores/role.h).
 *
 * The control core alone calls these functions. None blocks, but for what kernel/kernel.h says of
 * requests for addresses and routes. The room calls nobody back: how a step ended is recorded, and
 * switchover_result() gives it. Times are us of the own clock. */
#ifndef TANDEM_SWITCHOVER_H
#define TANDEM_SWITCHOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/usec.h"
#include "repl/repl.h"
#include "srp/srp.h"

struct from_replicator_done;
struct from_replicator_late_drained;
struct from_worker_done;
struct from_worker_late_end;
struct role;
struct rte_mempool;
struct session_table;
struct signalling;
struct switchover;
struct to_replicator_door;
struct to_worker_door;
struct vips;

/* ---- what it is given ---- */

/* Of the configuration, what a restart alone changes. */
struct switchover_start {
	bool l2;            /* the chassis share a subnet: routes come and go with the VIPs */
	struct ip_addr gtp; /* the VIP of GTP: signalling is answered while it is here */
};

/* What a reload changes, too. */
struct switchover_live {
	bool advertise_in_standby;
	usec_t hold_off_us; /* how long a chassis must have been Standby before it does */
};

/* It is copied, and what it points at outlives the room. */
struct switchover_settings {
	struct switchover_start start;
	struct switchover_live live;
	struct vips *vips;
	struct signalling *signalling;
	const struct to_worker_door *to_worker; /* n_workers of them */
	unsigned int n_workers;
	const struct to_replicator_door *to_replicator;
	struct rte_mempool *msgs;
	struct session_table *table; /* whose slots change hands */
	const uint8_t *worker_of_shard;
	struct role *role; /* published here */
};

/* NULL + errno, and the reason is logged. */
struct switchover *switchover_create(const struct switchover_settings *s);
/* The VIPs stay as they are. NULL is allowed. */
void switchover_destroy(struct switchover *sw);
/* Once, before any function below is called: the election, as lib/srp shows it to who carries out
 * its steps. It is only read. */
void switchover_follow(struct switchover *sw, const struct srp_info *election);
/* A reload: this holds from now on. */
void switchover_reconfigure(struct switchover *sw, const struct switchover_live *live);

/* ---- the steps ---- */

/* Begins what lib/srp asks for with SRP_ACT_STEP. What it asked for before is given up, and answers
 * to it are ignored. */
void switchover_begin(struct switchover *sw, const struct srp_action *a, usec_t now);
/* What srp_done() is to hear of a step. */
struct switchover_result {
	enum srp_step step;
	srp_term_t term;
	bool ok;
	uint64_t number; /* of the last answer of another core */
	const char *why; /* it failed; lives for ever */
};
/* Whether a step has ended since the last call: then no step is under way any more. */
bool switchover_result(struct switchover *sw, struct switchover_result *r);

/* Rows of a turn, each an event of its own: what waits for a condition goes on; where the VIPs are
 * is announced. The second comes when signalling had its turn. */
void switchover_turn(struct switchover *sw, usec_t now);
void switchover_announce(struct switchover *sw, usec_t now);
/* Somebody else may have announced the VIPs meanwhile: at the next announcement all hear of it. */
void switchover_announce_anew(struct switchover *sw, usec_t now);
/* The routes get another metric, unless the time to serve is over. */
void switchover_set_metric(struct switchover *sw, uint8_t route_modifier);

/* Messages of workers and of the replication core. */
void switchover_worker_done(struct switchover *sw, const struct from_worker_done *m, usec_t now);
void switchover_late_ended(struct switchover *sw, const struct from_worker_late_end *m, usec_t now);
void switchover_repl_done(struct switchover *sw, const struct from_replicator_done *m, usec_t now);
void switchover_late_drained(
	struct switchover *sw, const struct from_replicator_late_drained *m, usec_t now);

/* ---- the role ---- */

/* The workers may write the slots: they are this chassis'. */
bool switchover_owns(const struct switchover *sw);
/* The term in which they own them, or did last. */
repl_term_t switchover_own_term(const struct switchover *sw);
/* Signalling is answered. */
bool switchover_answers(const struct switchover *sw);
/* The peer may have taken over, or the time to serve is over (cores/role.h): nothing is answered,
 * announced or routed, whatever else is so. */
bool switchover_must_not_answer(const struct switchover *sw);
/* Answers are given to what is in progress, but nothing new is begun: a hand-over is near. */
bool switchover_holds(const struct switchover *sw);
/* Usage that was counted here after the peer took over is not yet acknowledged by it. */
bool switchover_late_usage(const struct switchover *sw);
/* Other cores and rooms read the role from now on as it is. stood_still: the sum of the times in
 * which nobody listened to the peer. */
void switchover_publish(const struct switchover *sw, usec_t stood_still);
/* For a view, where and as what the routes are up: "advertised, metric 2, as standby". */
void switchover_routes(const struct switchover *sw, char *text, size_t len, usec_t now);

#endif
