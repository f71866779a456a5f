/* SPDX-License-Identifier: BSD-3-Clause */
/* load: the state of a run of tandem-load: the sessions, what was counted, and where in its course
 * it is. One thread does all; libraries of the product below it, a link (kernel sockets or DPDK
 * ports) beside it. */
#ifndef TANDEM_LOAD_LOAD_H
#define TANDEM_LOAD_LOAD_H

#include <stdatomic.h>
#include <stdio.h>

#include "gtp/gtpc.h"
#include "hist.h"
#include "link.h"
#include "options.h"
#include "track.h"

enum { STALL_US = 2000 };

enum phase { PHASE_CREATE, PHASE_TRAFFIC, PHASE_VERIFY, PHASE_DELETE, PHASE_END };

enum direction { UP, DOWN, DIRECTIONS };

enum session_state {
	SESSION_IDLE,
	SESSION_CREATING,
	SESSION_UP,
	SESSION_UPDATING, /* carries traffic too */
	SESSION_DELETING,
	SESSION_DELETED,
	SESSION_FAILED, /* refused, or never answered */
	SESSION_ENDED,  /* by the GGSN */
};

struct session {
	uint32_t ctl_teid, usr_teid; /* the GGSN's */
	uint32_t ctl4, usr4, ue4;
	uint8_t state;
	uint8_t generation; /* of our own user plane TEID: raised by each accepted update */
	uint8_t asked;      /* the generation that an update asks for */
	uint8_t alive;      /* bits by direction: a packet came since verification began */
	usec_t asked_at;
	uint32_t sent[DIRECTIONS];
	struct track track[DIRECTIONS];
};

/* A steady pace of n a second. */
struct pace {
	uint32_t rate;
	usec_t since;
	uint64_t done;
};

/* The longest silence between two packets of all sessions together. */
struct silence {
	usec_t longest, from,
		own; /* from: when it began; own: time in it in which our own loop did not run */
};

struct flow { /* one direction, all sessions */
	uint64_t sent, received, duplicates, reordered, stale;
	usec_t last, stalled_at_last;
	struct silence silence, interval; /* of the whole run, since the last report */
	struct hist delay;                /* us, one way: both ends are this process */
};

struct procedure {
	uint64_t sent, retries, accepted, refused, unanswered;
	struct hist latency; /* us, first request to accepted answer */
	usec_t first, last;  /* request and accepted answer */
};

/* By what is requested, one at a time. */
struct load_procedures {
	struct procedure create, update, delete;
};

struct load_paces {
	struct pace create, update, delete, verify, flow[DIRECTIONS];
};

/* The end of a run: one packet each way for every session. */
struct load_verify {
	unsigned int round;
	uint32_t at;
	usec_t round_end;
	uint32_t dead;
	bool done;
};

struct load {
	const struct options *o;
	struct link *link;
	struct gtpc_pending *pending[LOAD_SGSNS];
	struct session *session;
	struct load_procedures procedure;
	uint64_t refused_by_cause[256];
	struct flow flow[DIRECTIONS];
	uint64_t foreign, error_indications, ended_by_ggsn, unexpected;
	uint64_t old_tunnel; /* packets to a TEID that an update had replaced */
	uint32_t run;        /* it is in every user packet: those of an earlier run are not ours */
	uint8_t recovery;
	enum phase phase;
	usec_t phase_since, began, traffic_us, drain_by;
	bool draining;
	/* waiting: requests without an answer */
	uint32_t next_create, next_delete, up_now, failed, waiting;
	uint32_t n_active, stride, at[DIRECTIONS];
	struct load_paces pace;
	struct load_verify verify;
	uint64_t stalls;
	usec_t stalled, longest_stall, last_turn;
	FILE *out;
};

static inline bool session_carries(const struct session *s)
{
	return s->state == SESSION_UP || s->state == SESSION_UPDATING;
}

/* Monotonic, never 0. */
usec_t load_clock(void);
/* How many are due now at this pace; the caller adds what it did to `done`. After a long rest
 * nothing is made up for. */
unsigned int pace_due(struct pace *p, usec_t now);
void pace_start(struct pace *p, uint32_t rate, usec_t now);

/* sgsn.c: PDP contexts */
int sgsn_open(struct load *l);
void sgsn_close(struct load *l);
void sgsn_heard(struct load *l, const struct link_in *in, usec_t now);
void sgsn_turn(struct load *l, usec_t now); /* retransmissions */
/* Send as many requests as pace and window allow. */
void sgsn_create_turn(struct load *l, usec_t now);
void sgsn_update_turn(struct load *l, usec_t now);
void sgsn_delete_turn(struct load *l, usec_t now);

/* traffic.c: user packets */
void traffic_heard_gtpu(struct load *l, const struct link_in *in, usec_t now);
void traffic_heard_core(struct load *l, const struct link_in *in, usec_t now);
void traffic_begin(struct load *l, usec_t now);
void traffic_turn(struct load *l, usec_t now);
/* One packet each way for every session, and again for those that did not get through. */
void verify_begin(struct load *l, usec_t now);
void verify_turn(struct load *l, usec_t now);

/* report.c */
void report_write(struct load *l, bool final, usec_t now);
int report_sessions(const struct load *l);
void report_progress(struct load *l, usec_t now);

#endif
