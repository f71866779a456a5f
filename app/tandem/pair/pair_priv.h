/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share: the room's state. */
#ifndef TANDEM_PAIR_PRIV_H
#define TANDEM_PAIR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "cores/role.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "journal/history.h"
#include "kernel/kernel.h"
#include "link.h"
#include "pair/pair.h"
#include "srp/srp.h"

#define PAIR_ALARM_REFUSED "srp-peer-refused"

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
	usec_t linger_by; /* VIPS_LINGERING ends then at the latest */
};

/* Time in which this chassis' own cores did not run (feed.c). */
struct stalls {
	usec_t sum;           /* of what was reported to srp: in it nobody listened to the peer */
	usec_t ended;         /* the last one */
	usec_t reported;      /* of the replication core's, what srp knows already */
	usec_t stream_sum;    /* of what was reported, the replication core's alone */
	unsigned int dropped; /* how many were so long that cores drop what waited meanwhile */
};

/* What must agree with the peer, as lines; what of it does not, by the last comparison. */
struct agree {
	char *lines, *difference;
};

/* Whether somebody answers for a VIP: under way for srp. */
struct probe {
	bool on, answered;
	unsigned int sent;    /* questions, of which the last may be out, and all others count */
	unsigned int again;   /* of them, how many were questions once more */
	usec_t at;            /* the next, or the verdict */
	unsigned int dropped; /* stalls.dropped when the last question was sent */
	char who[96];         /* answered: by whom */
};

/* Of a switchover: what took how long. */
struct trace {
	/* the peer's last sign of life, or the order; end of the last phase. 0: none */
	usec_t began, mark;
	/* until VIPs and routes were up; 0: planned, nobody was without a chassis */
	usec_t outage_us;
	usec_t stood_still; /* of the first phases: own stalls, in which no silence counted */
	bool died;          /* the peer */
	unsigned int n;
	struct {
		const char *name;
		usec_t us;
	} phase[HISTORY_PHASES];
};

/* The peer's silence, for the trace: its last sign of life in the stream and stalls.stream_sum
 * then; the first ask over SRP since, 0 none; how many asks there were. */
struct silence {
	usec_t heard, stream_stalls, asked_at;
	uint64_t asks;
};

struct pair {
	/* of the settings */
	struct pair_start start;
	struct pair_live live; /* its lines: those of `agree` */
	uint8_t seat;
	struct reactor *reactor;
	struct alarms *alarms;
	struct journal *journal;
	struct vips *vips;
	struct signalling *signalling;
	struct pair_cores cores;
	struct pair_ops ops;
	void *ctx;

	struct srp *srp;
	struct srp_conf srp_conf;
	usec_t now; /* as pair_woke() said last: what sockets bring is of this time */
	bool in_drain;
	struct pair_peer peer;
	struct link link;
	struct agree agree;

	struct step step;
	struct late late;
	uint64_t cookies;
	enum pair_slots slots;
	enum pair_signalling signalling_is;
	repl_term_t own_term;
	bool own_planned;    /* how own_term began */
	usec_t routes_retry; /* the kernel refused a Standby's routes: tried again then */
	usec_t brisk_until;  /* a change of role: turns follow each other fast */

	struct stalls stalls;
	struct probe probe;
	struct silence silence;
	struct trace trace; /* being taken */

	bool goodbye;
	/* with goodbye: incarnation of who may still take the usage that was counted here late */
	uint32_t late_usage_peer;
};

/* ---- agree.c ---- */

/* Copies the own lines, which are compared with the peer's. 0 or -ENOMEM. */
int agree_open(struct pair *p);
/* What lib/srp has of `live`. */
void agree_srp_conf(const struct pair_live *live, struct srp_conf *s);
void agree_close(struct pair *p);
/* The peer's lines are here: what differs is reported to srp. */
void agree_compare(struct pair *p, usec_t now);

/* feed.c: reports a change of srp's state to the monitors. */
void feed_role(struct pair *p, const struct srp_action *a, usec_t now);

/* ---- late.c: usage that was counted here and reaches the new Active late ---- */

/* The step WRITE begins: usage of old_term was counted here (0: none, or none new). Returns the
 * term whose usage is late. */
repl_term_t late_begin(struct pair *p, repl_term_t old_term, usec_t now);
/* The step OWN ends it: what was not sent stays in the own set. */
void late_cancel(struct pair *p);
/* Once a turn: drains the usage to the Active, and gives up what it does not take in time. */
void late_turn(struct pair *p, usec_t now);

/* ---- probe.c: whether somebody answers for a VIP, before this chassis is Active alone ---- */

/* Begins to ask who has the VIPs; srp_probed() gets the answer. */
void probe_begin(struct pair *p, usec_t now);
/* Once a turn: asks again, until somebody answered or nobody did. */
void probe_turn(struct pair *p, usec_t now);

/* role.c: other cores and rooms read it by cores/role.h. */
void role_publish(const struct pair *p);

/* ---- routes.c ---- */

/* After a hand-over: the routes stay, as the longer path, while late packets come. */
void routes_linger(struct pair *p, uint8_t rm, usec_t now);
/* Advertises at once what a chassis advertises that is neither Active nor lingering. */
void routes_behind(struct pair *p, usec_t now);
/* Once a turn: the same, when its time has come or the kernel refused before. */
void routes_turn(struct pair *p, usec_t now);
/* For a view: "advertised, metric 2, as standby". */
void routes_text(const struct pair *p, char *text, size_t len, usec_t now);

/* step.c. Begins what lib/srp asks for. */
void step_begin(struct pair *p, const struct srp_action *a, usec_t now);
/* Gives lib/srp the answer to a step that was carried out; false: there is none. */
bool step_deliver(struct pair *p, usec_t now);
/* Steps that wait for a condition. */
void step_turn(struct pair *p, usec_t now);

/* ---- trace.c: where the time of a switchover goes; `now` is of this moment, not of the turn ----
 */

/* The last sign of life in the stream was at `heard`. */
void trace_heard(struct pair *p, usec_t heard);
/* lib/srp has asked the peer over the SRP connection whether it lives. */
void trace_asked(struct pair *p, usec_t now);
/* The role has changed. */
void trace_role(struct pair *p, const struct srp_action *a, usec_t now);
/* A step has ended. */
void trace_step(struct pair *p, enum srp_step step, usec_t now);
/* The next step begins. */
void trace_wait(struct pair *p, enum srp_step next, usec_t now);

#endif
