/* SPDX-License-Identifier: BSD-3-Clause */
/* explore: every way in which two chassis' real state machines (lib/srp) can meet, up to a number
 * of deviations from the undisturbed course. Time goes in rounds of half a heartbeat interval: in a
 * round messages arrive in order, the other cores and the disks answer, timers fire. A deviation
 * (explore_world.c lists them) is one thing that goes otherwise in one round: a message late or
 * lost, a step or a disk slow, a crash, a stall, a cut, an operator's command. From every state of
 * every undisturbed course each deviation is tried, and so on until none is left to spend; states
 * that were met before, times, serials and ids taken relative, are not gone through again. Single
 * thread. */
#ifndef TANDEM_EXPLORE_H
#define TANDEM_EXPLORE_H

#include "srp_pvt.h"

enum {
	ROUND = 50000, /* us */
	/* rounds: heartbeat and hello interval, so that an answer comes within half of one */
	BEAT = 2,
	MULTIPLIER = 3,
	WINDOW = MULTIPLIER * BEAT, /* rounds: silence of the stream that matters */
	DEAD = 10,                  /* rounds: dead-interval */
	LONG = DEAD + 4,            /* rounds: of stalls, cuts and absences that matter */
	PENDING = 24,               /* rounds: pending-timeout */
	QUEUE = 32,                 /* messages under way in one direction of TCP */
	MESSAGE = 160,
	BEATS = 3,
	PROBE = 6,    /* rounds that a probe for the addresses takes */
	SETTLE = 250, /* rounds without a deviation within which all is well */
};

/* What is saved of a state machine: what it is between two calls, without the queue of actions,
 * which is empty then. */
#define SRP_HEAD offsetof(struct srp, queue)

struct tcp {
	uint8_t n, len[QUEUE];
	uint8_t msg[QUEUE][MESSAGE];
};

struct beats {
	uint8_t n, age[BEATS]; /* rounds under way */
	uint8_t body[BEATS][SRP_BODY];
};

struct chassis {
	bool up, writing, streaming, owner, late, leaving, aborted;
	bool vips; /* of the kernel, which keeps them when the process is killed */
	bool disk_full, disk_asked;
	bool power;        /* it went without a FIN */
	bool stuck;        /* steps are not answered */
	bool refuse_claim; /* its next claim is refused */
	/* it is the second claim in turn; of the first nothing came, and this one is answered */
	bool claim_anew;
	uint8_t down;        /* rounds until it starts again */
	uint8_t stalled;     /* rounds for which control does not run */
	uint8_t stall;       /* rounds it lasted so far */
	bool stalled_all;    /* nor does replication */
	uint8_t pending;     /* rounds in a pending state */
	uint8_t join_in;     /* rounds until the copy is complete */
	uint8_t sent;        /* of the last heartbeat */
	uint32_t connection; /* that it believes in, 0: none */
	uint32_t life;
	uint64_t ask_reserve, number, applied;
	srp_term_t claimed; /* the last claim that was granted in this life */
	srp_term_t used;    /* the highest term that this side ever owned or streamed in */
	uint32_t used_life;
	uint8_t ask_counter;
	uint8_t probe;     /* rounds until the probe is over, 0: none is under way */
	uint8_t probe_for; /* rounds since it was asked for */
	enum { UNPROBED, PROBING, TAKEN, FREE } probed; /* what came of the last */
	enum srp_step step;                             /* to be answered */
	srp_term_t step_term;
	struct srp_saved disk;
	struct srp_stream st;
	uint8_t beat[SRP_BODY];  /* what heartbeats say */
	uint8_t heard, answered; /* rounds since something came by stream; by SRP */
	_Alignas(struct srp) uint8_t head[SRP_HEAD];
};

struct world {
	usec_t now;
	uint32_t round, connections;
	uint8_t cut_stream[2], cut_tcp; /* rounds; of the stream: towards chassis i */
	/* rounds since anything was between the two and an answer over SRP */
	uint8_t tcp_good;
	/* a stall or a cut of both paths: both may believe to be alone */
	bool split;
	/* a step failed or a disk was full: a process may end itself */
	bool faulty;
	struct chassis c[2];
	struct beats beats[2];
	struct tcp tcp[2]; /* towards chassis i; last, as most of it is not used (world_copy) */
};

/* What goes otherwise in one round. */
struct deviation {
	const char *what;
	bool (*possible)(const struct world *w, int i);
	void (*apply)(struct world *w, int i);
};

/* Of the round under way: what does not go on, by chassis. */
struct round_plan {
	bool lose_beat[2], delay_beat[2], hold_tcp[2], one_tcp[2]; /* towards i */
	bool hold_step[2], fail_step[2], hold_disk[2];
	/* the chassis that ends once messages were read and before steps are answered; -1: none */
	int crash_behind;
	bool crash_after; /* once steps were answered and before anybody is told */
	bool crash_power;
};

struct profile {
	const char *name;
	struct srp_conf conf[2];
};

extern struct world *explore_now; /* the one under way, loaded into the two machines */
extern struct round_plan explore_plan;

/* explore.c: a rule that does not hold. Ends the branch. */
void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void tell(int i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* explore_world.c */
static inline bool world_joined(
	const struct world *w) /* a connection is one for as long as both believe in it */
{
	return w->c[0].connection != 0 && w->c[0].connection == w->c[1].connection;
}
/* Carries out what machine i asks for. */
void world_drain(struct world *w, int i);
/* The process of chassis i ends, or it loses power, for so many rounds. */
void world_leave(struct world *w, int i, bool power, uint8_t down);
/* Without what was in the places of messages that are none. */
void world_copy(struct world *to, const struct world *from);
void world_create(const struct profile *p);
void world_begin(struct world *w);
/* One round; d: what goes otherwise in it, concerning chassis `who`. NULL: nothing. */
void world_round(struct world *w, const struct deviation *d, int who);

/* explore_deviation.c */
extern const struct deviation deviations[];
extern const unsigned int n_deviations;

/* explore_key.c: what the future depends on while that many deviations are left. Two states of the
 * same key behave alike. */
uint64_t world_key(const struct world *w, unsigned int left);

/* explore_check.c */
void check_action(const struct world *w, int i, const struct srp_action *a);
void check_round(struct world *w);
/* After an undisturbed course has come to rest. */
void check_rest(const struct world *w);

/* The machine of chassis i, while a world is loaded. */
struct srp *machine(int i);

#endif
