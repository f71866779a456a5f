/* SPDX-License-Identifier: BSD-3-Clause */
/* control: the control core: epoll on kernel sockets (SRP, GTP-C, GTP-U slow path, rtnetlink,
 * control socket, signals), timers, twins, VIPs. One thread: the control core alone calls what is
 * here. A turn blocks for 1 ms at most in its wait, and in what kernel/kernel.h says of requests;
 * what makes and ends rooms reads files and asks the kernel, before and after the turns. */
#ifndef TANDEM_CONTROL_H
#define TANDEM_CONTROL_H

#include "cores/doors.h"
#include "monitors/monitors.h"
#include "reactor/reactor.h"
#include "replicator/replicator.h"
#include "signalling/signalling.h"
#include "base/alarms.h"
#include "journal/journal.h"
#include "replicator/alarms.h"
#include "process/lists.h"
#include "process/tandem.h"
#include "kernel/kernel.h"
#include "pair/pair.h"
#include "switchover/switchover.h"
#include "worker/worker.h"

/* The sockets of signalling. */
struct signalling_sources {
	struct source gtpc, gtpu;
};

struct operator_reload;
struct reload_made;
struct operator_room;
struct start_operator;

struct control {
	struct tandem *t;
	struct reactor *reactor;
	struct alarms *alarms;
	struct journal *journal;
	struct srp_saved saved; /* what the journal read at the start */
	struct monitors *monitors;
	struct source signals, journal_src;
	struct operator_reload *reload;
	struct operator_room *operator_room;
	struct start_operator *start_operator; /* what that was given */
	struct lists lists;
	struct signalling *signalling;
	struct signalling_sources signalling_src;
	struct switchover *switchover;
	struct pair *pair;
	struct doors doors;
	usec_t now; /* when the messages of this turn were taken, then when its wait ended */
	bool busy;  /* this turn had messages or frames: the next one does not wait */
	struct kernel *kernel;
	struct vips *vips; /* of `kernel` */
	uint16_t repl_adjacency;
	usec_t slow_at;
	struct pulse_seen replicator_seen; /* by the watchdog */
	struct replicator_watch repl_watch;
	bool stopping;
	usec_t stop_by;
	usec_t started;
};

/* control.c */
void control_stop(struct control *c);
/* messages.c: what control does with each message of the other cores. */
void control_doors(struct control *c);
/* What waits of them, bounded (doors.h), and what was missed. True: there may be more. */
bool control_messages(struct control *c);

/* records.c: opens the alarms and the journal. 0 or -errno, which is logged. */
int records_open(struct control *c, struct srp_saved *saved);
/* Closes the alarms and the journal, after a failure of records_open() too. */
void records_close(struct control *c);
/* watch.c: what is monitored. 0 or -errno. */
int watch_open(struct control *c);

static inline int64_t control_wall_us(void)
{
	return clock_wall_us();
}

/* rooms/start_pair.c: makes the pair of what it needs. 0 or -errno. */
int start_pair(struct control *c, const struct srp_saved *saved);
/* A reload in three steps. What may fail comes first: the places of the lists of `next`, and what
 * the cores read of it as a snapshot. 0, or -errno and `why`. */
int configuration_ready(struct control *c, const struct config *next, const struct reload_made *m,
	char why[PLACED_WHY]);
/* What the rooms have of `next` holds from now on. As pair_reconfigure(). */
int configuration_agree(struct control *c, const struct config *next, usec_t now);
/* The cores are given the snapshot, and the lists run, with what was made for `next`. */
void configuration_run(
	struct control *c, const struct config *next, struct reload_made *m, usec_t now);
/* Whether `next` runs at once, or waits until the peer has it (srp_reload()); it waits, and the
 * peer is told: 0 or -errno; what waits is to run. */
enum srp_reload configuration_asks(const struct control *c, const struct config *next);
int configuration_prepare(struct control *c, const struct config *next, usec_t now);
bool configuration_is_due(const struct control *c);
/* Rows of a turn. */
void start_pair_feed(struct control *c, usec_t now);
void start_pair_judge(struct control *c, usec_t now);
void start_pair_probes(struct control *c, usec_t now);
void start_pair_connect(struct control *c, usec_t now);

/* rooms/start_switchover.c: the room that carries out a change of roles, likewise. */
int start_switchover(struct control *c);
/* Rows of a turn. */
void start_switchover_turn(struct control *c, usec_t now);
void start_switchover_announce(struct control *c, usec_t now);

/* rooms/start_kernel.c: the kernel room is given what it needs. 0 or -errno. */
int start_kernel(struct control *c);
/* start_signalling.c: the signalling room is given what it needs. 0 or -errno. */
int start_signalling(struct control *c);

/* rooms/start_operator.c: makes the registry of figures and the operator room, once all other rooms
 * are there. 0 or -errno, which is logged. */
int start_operator(struct control *c);
/* Ends both, after a failure of start_operator() too. */
void start_operator_end(struct control *c);

#endif
