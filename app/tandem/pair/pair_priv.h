/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share: the room's state. */
#ifndef TANDEM_PAIR_PRIV_H
#define TANDEM_PAIR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarms.h"
#include "base/clock.h"
#include "base/log.h"
#include "journal/history.h"
#include "link.h"
#include "pair/pair.h"
#include "srp/srp.h"
#include "stream.h"
#include "switchover/switchover.h"

#define PAIR_ALARM_NUMBERS "numbers-missing"

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
	unsigned int dropped; /* stalls.dropped of the stream when the last question was sent */
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
 * of it then; the first ask over SRP since, 0 none; how many asks there were. */
struct silence {
	usec_t heard, stream_stalls, asked_at;
	uint64_t asks;
};

struct pair_numbers;

struct pair {
	/* of the settings */
	struct pair_start start;
	struct pair_live live; /* its lines: those of `agree` */
	uint8_t seat;
	struct alarms *alarms;
	struct journal *journal;
	struct switchover *switchover;
	struct pair_ops ops;
	void *ctx;

	struct srp *srp;
	struct srp_conf srp_conf;
	bool in_drain;
	struct pair_peer peer;
	struct link *link;
	struct stream *stream;
	struct agree agree;
	struct pair_numbers *numbers;
	usec_t brisk_until; /* a change of role: turns follow each other fast */

	struct probe probe;
	struct silence silence;
	struct trace trace; /* being taken */

	bool init_logged; /* that this chassis stays in Init */
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

/* ---- numbers.c ---- */

/* Reads what an earlier process knew, and begins to give it to the peer: before it connects. 0 or
 * -ENOMEM. */
int numbers_open(struct pair *p, struct places *places, usec_t now);
void numbers_close(struct pair *p);
/* The workers are about to own the slots in `term`: whatever has no number is given one. */
void numbers_own(struct pair *p, srp_term_t term, usec_t now);
/* The peer's list is here, and another; held: that of an Active. */
void numbers_offered(struct pair *p, bool held, usec_t now);
/* matched_since: of struct srp_stream. Once a turn, behind what lib/srp says of the
 * peer went to the replication core: records go by a new number only behind that. */
void numbers_turn(struct pair *p, usec_t matched_since, usec_t now);

/* feed.c: reports a change of srp's state to the monitors. */
void feed_role(struct pair *p, const struct srp_action *a, usec_t now);

/* ---- probe.c: whether somebody answers for a VIP, before this chassis is Active alone ---- */

/* Begins to ask who has the VIPs; srp_probed() gets the answer. */
void probe_begin(struct pair *p, usec_t now);
/* Once a turn: asks again, until somebody answered or nobody did. */
void probe_turn(struct pair *p, usec_t now);

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
