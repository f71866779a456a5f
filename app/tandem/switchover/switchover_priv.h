/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share: the room's state. */
#ifndef TANDEM_SWITCHOVER_PRIV_H
#define TANDEM_SWITCHOVER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "cores/role.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "kernel/kernel.h"
#include "switchover/switchover.h"

/* Who may write the slots. */
enum switchover_slots {
	SWITCHOVER_SLOTS_NONE,
	SWITCHOVER_SLOTS_OWNED,  /* the workers */
	SWITCHOVER_SLOTS_LATE,   /* the workers, which change nothing but count late packets */
	SWITCHOVER_SLOTS_STREAM, /* the replication core: the peer's */
};

enum switchover_signalling {
	SWITCHOVER_SILENT,
	SWITCHOVER_NO_ADDRESS, /* Active, and the kernel has not confirmed the VIP of GTP */
	SWITCHOVER_ANSWERS,
	SWITCHOVER_HOLDS, /* nothing new is begun: a planned hand-over */
};

/* What lib/srp asked for and other cores are doing. */
struct step {
	enum srp_step step;
	srp_term_t term, old_term;
	bool planned;
	uint8_t rm;
	unsigned int at;      /* part of the step's row */
	unsigned int waiting; /* answers to this part that are still to come */
	uint64_t cookie;
	/* What srp hears when its actions have been carried out; answered: there is something. */
	bool answered, ok;
	uint64_t number; /* of the last answer */
	const char *why;
};

/* Usage that workers count for packets that came late, after the peer took over (late.c). */
enum late_state {
	LATE_NONE,
	LATE_COUNTED, /* workers forward late packets, or their records have not left yet */
	LATE_LEFT,    /* all have left: the replication core is to be asked when they are there */
	LATE_DRAINED, /* it was asked */
};

struct late {
	enum late_state state;
	unsigned int waiting; /* workers that still forward */
	repl_term_t term;
	usec_t give_up_at;
	usec_t settled_at; /* our usage is there: no record that lacks it comes then; 0: not yet */
	usec_t linger_by;  /* VIPS_LINGERING ends then at the latest */
};

struct switchover {
	/* of the settings */
	struct switchover_start start;
	struct switchover_live live;
	struct vips *vips;
	struct signalling *signalling;
	const struct to_worker_door *to_worker;
	unsigned int n_workers;
	const struct to_replicator_door *to_replicator;
	struct rte_mempool *msgs;
	struct session_table *table;
	const uint8_t *worker_of_shard;
	struct role *role;

	const struct srp_info *election;
	struct step step;
	struct late late;
	uint64_t cookies;
	enum switchover_slots slots;
	enum switchover_signalling signalling_is;
	repl_term_t own_term;
	bool own_planned;    /* how own_term began */
	usec_t routes_retry; /* the kernel refused a Standby's routes: tried again then */
};

/* ---- late.c: usage that was counted here and reaches the new Active late ---- */

/* The step WRITE begins: usage of old_term was counted here (0: none, or none new). Returns the
 * term whose usage is late. */
repl_term_t late_begin(struct switchover *sw, repl_term_t old_term, usec_t now);
/* The step OWN ends it: what was not sent stays in the own set. */
void late_cancel(struct switchover *sw);
/* Once a turn: drains the usage to the Active, and gives up what it does not take in time. */
void late_turn(struct switchover *sw, usec_t now);

/* ---- routes.c ---- */

/* After a hand-over: the routes stay, as the longer path, while late packets come. */
void routes_linger(struct switchover *sw, uint8_t rm, usec_t now);
/* Advertises at once what a chassis advertises that is neither Active nor lingering. */
void routes_behind(struct switchover *sw, usec_t now);
/* Once a turn: the same, when its time has come or the kernel refused before. */
void routes_turn(struct switchover *sw, usec_t now);

/* step.c: once a turn, a step that waits for a condition. */
void step_turn(struct switchover *sw, usec_t now);
/* step.c: signalling is answered if the kernel has confirmed the VIP of GTP. */
void step_signalling(struct switchover *sw);

#endif
