/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share. */
#ifndef TANDEM_PAIR_PRIV_H
#define TANDEM_PAIR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "pair/pair.h"
#include "srp/srp.h"

/* Who may write the slots. */
enum pair_slots {
	PAIR_SLOTS_NONE,
	PAIR_SLOTS_OWNED,  /* the workers */
	PAIR_SLOTS_LATE,   /* the workers, which change nothing but count late packets */
	PAIR_SLOTS_STREAM, /* the replication core: the peer's */
};

enum pair_signalling {
	PAIR_SILENT,
	PAIR_NO_ADDRESS, /* Active, and the kernel has not confirmed the VIP of GTP */
	PAIR_ANSWERS,
	PAIR_HOLDS, /* nothing new is begun: a planned hand-over */
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
	/* What srp is told when its actions have been carried out; answered: there is something. */
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
	usec_t linger_by; /* VIPS_LINGERING ends then at the latest */
};

struct pair {
	struct step step;
	struct late late;
	uint64_t cookies;
	enum pair_slots slots;
	enum pair_signalling signalling;
	repl_term_t own_term;
	bool own_planned;    /* how own_term began */
	usec_t routes_retry; /* the kernel refused a Standby's routes: tried again then */
};

/* late.c. WRITE begins: of old_term usage was counted here (0: none, or none new). Returns the
 * term whose usage is late. OWN ends it: what was unsent stays in the own set. */
repl_term_t late_begin(struct control *c, repl_term_t old_term, usec_t now);
void late_cancel(struct control *c);
/* A worker forwards no late packet any more. */
void late_worker_ended(struct control *c, repl_term_t term, usec_t now);
/* All late usage of `term` is acknowledged. */
void late_acknowledged(struct control *c, repl_term_t term);
void late_turn(struct control *c, usec_t now);

/* routes.c. The routes stay as the longer path after a hand-over; what a chassis that is neither
 * Active nor lingering advertises, from now on and at each turn. */
void routes_linger(struct control *c, uint8_t rm, usec_t now);
void routes_behind(struct control *c, usec_t now);
void routes_turn(struct control *c, usec_t now);

#endif
