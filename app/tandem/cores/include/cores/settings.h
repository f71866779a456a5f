/* SPDX-License-Identifier: BSD-3-Clause */
/* settings: what workers and the replication core read of the configuration: one immutable,
 * numbered snapshot. The control core publishes the next by one pointer and frees the older when
 * every core has reported that it holds it no more (DPDK's QSBR RCU). At most two are alive.
 * Nothing here blocks: a publication is refused while the older snapshot is still held. */
#ifndef TANDEM_CORES_SETTINGS_H
#define TANDEM_CORES_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "common/places.h"
#include "common/police.h"
#include "common/usec.h"

enum {
	SETTINGS_APNS = PLACES_MOST,
	SETTINGS_CORES = 64, /* workers and the replication core */
	SETTINGS_NAME = 32   /* of a core, its end included */
};

struct peer_numbers;
struct peers;

struct settings_apn {
	uint32_t session_timeout_s, idle_timeout_s; /* 0: none */
	struct police_rate up, down;                /* of the APN's AMBR, for clock_ticks() */
};

/* A snapshot. Nobody changes it once it is published. It has what a reload may change while cores
 * read; pools change with a restart alone, and stand in the table of sessions. */
struct settings {
	uint64_t number; /* 1: that of the start. Set by settings_publish(). */
	unsigned int n_apns;
	/* by place; the last one has no limits, and is that of a number without a place */
	struct settings_apn apn[SETTINGS_APNS + 1];
	const struct places *places; /* of numbers; the same in all snapshots */
	struct peers *peers;         /* who may speak GTP; the snapshot holds it. NULL: nobody */
	usec_t audit_us;             /* srp.audit-interval */
	usec_t checkpoint_us;        /* srp.micro-checkpoint-interval */
	uint32_t replication_mbps;   /* srp.replication-rate, Mbit/s; 0: no limit */
};

/* What the APN of that number may do. */
static inline const struct settings_apn *settings_apn_of(const struct settings *s, uint8_t number)
{
	unsigned int at = places_of(s->places, PLACES_APN, number);

	return &s->apn[at < SETTINGS_APNS ? at : SETTINGS_APNS];
}

/* Where snapshots are published. w: control; r: the cores. */
struct settings_board {
	_Atomic(const struct settings *) newest;
	/* Control's own. older: replaced, and perhaps held by a core yet; NULL: none. */
	const struct settings *older;
	struct settings *ready; /* the next, which nobody sees yet; NULL: none */
	uint64_t token, numbers;
	/* Of entries of peers. Nobody counts yet which of them slots have: that of an entry that
	 * was removed stays its. */
	struct peer_numbers *peer_numbers;
	unsigned int n_cores;
	char name[SETTINGS_CORES][SETTINGS_NAME];
	struct rte_rcu_qsbr *cores;
};

/* Control core, before the cores run. names: of the cores, copied, with SETTINGS_NAME - 1
 * characters at most; a core is known by its place among them. The peers of `first` get their
 * numbers. NULL with errno: -EINVAL too many, -ENOMEM. */
struct settings_board *settings_create(
	const struct settings *first, const char *const *names, unsigned int n_cores);
/* Frees the board after the cores have ended. NULL is nothing. */
void settings_destroy(struct settings_board *b);

/* Control core. Copies `next` for settings_publish(), in the place of what was made ready before;
 * its peers get their numbers. 0; -EBUSY: the older one is held by settings_holder(); -ENOSPC: too
 * many entries of peers that were removed have numbers; -ENOMEM. */
int settings_ready(struct settings_board *b, const struct settings *next);
/* Control core. Makes what is ready the newest: it cannot fail. Nothing is ready: nothing. */
void settings_publish(struct settings_board *b);
/* Control core. The name of a core that still holds the older snapshot; NULL: none does, and it has
 * been freed. */
const char *settings_holder(struct settings_board *b);
/* Gives the newest snapshot. Control core. */
const struct settings *settings_newest(const struct settings_board *b);

/* A core begins to read. Control calls it for the core before that runs, or the core itself. */
void settings_join(struct settings_board *b, unsigned int core);
/* A core ends to read, and holds no snapshot any more. Control calls it for the core after that has
 * ended, or the core itself. */
void settings_leave(struct settings_board *b, unsigned int core);
/* That core, at the beginning of each turn: it holds nothing of the turn before, and takes the
 * newest, which is good until its next call. */
static inline const struct settings *settings_turn(struct settings_board *b, unsigned int core)
{
	rte_rcu_qsbr_quiescent(b->cores, core);
	return atomic_load_explicit(&b->newest, memory_order_acquire);
}

#endif
