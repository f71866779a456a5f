/* SPDX-License-Identifier: BSD-3-Clause */
/* control: the control core: epoll on kernel sockets (SRP, GTP-C, GTP-U slow path, rtnetlink,
 * control socket, signals), timers, twins, VIPs. One thread; everything here is called by it alone
 * unless said otherwise. */
#ifndef TANDEM_CONTROL_H
#define TANDEM_CONTROL_H

#include <jansson.h>

#include "cores/doors.h"
#include "monitors/monitors.h"
#include "reactor/reactor.h"
#include "replicator/replicator.h"
#include "signalling/signalling.h"
#include "base/alarms.h"
#include "journal/journal.h"
#include "replicator/alarms.h"
#include "process/tandem.h"
#include "kernel/kernel.h"
#include "pair/pair.h"
#include "worker/worker.h"

enum { CONTROL_CLIENTS = 16 };

struct client {
	struct source src;
	usec_t since;
	bool waiting; /* for ctl_answer(); one at most */
	char in[8192];
	size_t in_len;
	char *out;
	size_t out_len, out_sent;
};

/* The sockets of signalling. */
struct signalling_sources {
	struct source gtpc, gtpu;
};

struct metrics;

struct control {
	struct metrics *metrics; /* of every room; who shows figures walks it */
	struct reactor *reactor;
	struct alarms *alarms;
	struct journal *journal;
	struct srp_saved saved; /* what the journal read at the start */
	struct monitors *monitors;
	struct source signals, journal_src, ctl;
	struct disk_work *disk; /* a save or reload that a thread works on, NULL: none */
	bool reload_again;      /* SIGHUP came meanwhile */
	struct client clients[CONTROL_CLIENTS];
	struct signalling *signalling;
	struct signalling_sources signalling_src;
	struct pair *pair;
	struct doors doors;
	usec_t now; /* when the messages of this turn were taken, then when its wait ended */
	struct kernel *kernel;
	struct vips *vips; /* of `kernel` */
	uint16_t repl_adjacency;
	usec_t slow_at;
	usec_t grace; /* until then the watchdog does not look */
	struct replicator_watch repl_watch;
	bool stopping;
	usec_t stop_by;
	usec_t started;
};

/* control.c */
void control_stop(struct control *c);
/* messages.c: what control does with each message of the other cores. */
void control_doors(struct control *c);

/* records.c: the alarms and the journal. 0 or -errno, logged; closed after a failure, too. */
int records_open(struct control *c, struct srp_saved *saved);
void records_close(struct control *c);
/* watch.c: what is monitored. 0 or -errno. */
int watch_open(struct control *c);

static inline int64_t control_wall_us(void)
{
	return clock_wall_us();
}

/* operator/audit.c: raises or clears the alarm of an overdue comparison */
void audit_alarm(struct control *c, usec_t now);
/* How long the comparison that runs may take yet, by its rate; 0: not known, or none runs. */
uint32_t audit_left_s(struct control *c, usec_t now);

/* rooms/start_pair.c: the pair is given what it needs. 0 or -errno. */
int start_pair(struct control *c, const struct srp_saved *saved);
/* A reload: what the pair and the monitors have of `next` holds from now on. As
 * pair_reconfigure(). */
int configuration_agree(struct control *c, const struct config *next, usec_t now);
/* Rows of a turn. */
void start_pair_feed(struct control *c, usec_t now);
void start_pair_turn(struct control *c, usec_t now);
void start_pair_announce(struct control *c, usec_t now);

/* rooms/start_kernel.c: the kernel room is given what it needs. 0 or -errno. */
int start_kernel(struct control *c);
/* start_signalling.c: the signalling room is given what it needs. 0 or -errno. */
int start_signalling(struct control *c);

/* operator/ctl.c, operator/show*.c */
/* operator/counters.c: the registry of figures, once all rooms are there. 0 or -errno. */
int counters_open(struct control *c);
void counters_close(struct control *c);
int ctl_open(struct control *c);
void ctl_close(struct control *c);
/* The answer to a command whose answer was null; takes it. Nobody may be there any more who
 * waits. */
void ctl_answer(struct control *c, json_t *answer);
/* operator/reload.c: SIGHUP; the end: waits for the disk */
void reload_hangup(struct control *c);
void reload_close(struct control *c);

#endif
