/* SPDX-License-Identifier: BSD-3-Clause */
/* control: the control core: epoll on kernel sockets (SRP, GTP-C, GTP-U slow path, rtnetlink,
 * control socket, signals), timers, twins, VIPs. One thread; everything here is called by it alone
 * unless said otherwise. */
#ifndef TANDEM_CONTROL_H
#define TANDEM_CONTROL_H

#include "cores/doors.h"
#include "srp/frame.h"
#include "monitors/monitors.h"
#include "reactor/reactor.h"
#include "replicator/replicator.h"
#include "signalling/signalling.h"
#include "srp/srp.h"
#include "base/alarms.h"
#include "journal/journal.h"
#include "replicator/alarms.h"
#include "process/tandem.h"
#include "kernel/kernel.h"
#include "pair/pair.h"
#include "pair/tls.h"
#include "worker/worker.h"

enum { LINK_CONNS = 4 /* of the peer's address at once, proven or not */ };

/* The sockets of signalling. */
struct signalling_sources {
	struct source gtpc, gtpu;
};

/* Whether somebody answers for a VIP: under way for srp. */
struct probe {
	bool on, answered;
	unsigned int sent;
	usec_t at;          /* the next, or the verdict */
	usec_t stood_still; /* of control when it began */
	char who[96];       /* answered: by whom */
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

enum link_state {
	LINK_FREE,
	LINK_TCP, /* connecting */
	LINK_TLS, /* handshake */
	/* own part of it is over: whether the peer took our certificate shows at its first byte */
	LINK_PROVE,
	LINK_KEY, /* the replication core is being given the connection's keys */
	LINK_UP
};

struct link_conn {
	struct source src; /* first: conn_of() */
	enum link_state state;
	struct tls_conn *tls; /* NULL: srp.insecure */
	usec_t by;            /* up by then, or dropped */
	uint64_t serial;
	uint16_t key_id;
	bool heard, used; /* a hello came over it; its key seals */
	uint8_t in[SRP_FRAME_MAX];
	size_t in_len;
	uint8_t out[8192];
	size_t out_len;
};

struct link_srp {
	struct source listen;
	struct tls *tls; /* NULL: srp.insecure */
	struct link_conn conn[LINK_CONNS];
	struct link_conn *up; /* the one that srp talks over, NULL: none */
	uint64_t serials;
	uint32_t peer; /* incarnation of its last hello, 0 none */
	usec_t retry_at;
	uint64_t strangers,
		handshakes_failed; /* connections from elsewhere; of somebody who is not the peer */
	usec_t stranger_log, refused_log;
	char refused[TLS_WHY]; /* why the last one was */
};

struct operator_room;
struct start_operator;

struct control {
	struct reactor *reactor;
	struct srp *srp;
	struct srp_conf srp_conf;
	struct link_srp link;
	struct alarms *alarms;
	struct journal *journal;
	struct monitors *monitors;
	struct source signals, journal_src;
	struct disk_work *disk; /* a save or reload that a thread works on, NULL: none */
	bool reload_again;      /* SIGHUP came meanwhile */
	struct operator_room *operator_room;
	struct start_operator *start_operator; /* what that was given */
	struct signalling *signalling;
	struct signalling_sources signalling_src;
	struct pair *pair;
	struct probe probe;
	struct doors doors;
	usec_t now; /* when the messages of this turn were taken, then when its wait ended */
	bool in_drain;
	struct kernel *kernel;
	struct vips *vips; /* of `kernel` */
	uint16_t repl_adjacency;
	usec_t slow_at;
	usec_t stood_still;  /* sum of what was told to srp: in it nobody listened to the standby */
	usec_t stood_until;  /* the end of the last */
	usec_t repl_stalled; /* of the replication core, already told to srp */
	usec_t deaf;         /* sum of the replication core's alone */
	usec_t brisk_until;  /* a change of role: turns follow each other fast */
	usec_t grace;        /* watchdog */
	char *lines, *difference; /* of what must agree with the peer; what of it does not, by the
				     last comparison */
	size_t lines_len;
	struct trace trace; /* being taken */
	usec_t heard, heard_deaf,
		asked_at; /* last sign of life in the stream; deaf then; first ask since, 0 none */
	uint64_t asks;
	struct replicator_watch repl_watch;
	bool stopping, goodbye;
	uint32_t heir; /* with goodbye: incarnation of who may still take our late usage */
	usec_t stop_by;
	usec_t started;
};

/* control.c */
void control_stop(struct control *c);
/* messages.c: what control does with each message of the other cores. */
void control_doors(struct control *c);

/* pair/listen.c, pair/link.c: the SRP connection */
struct metrics;
int pair_metrics_register(struct metrics *m, struct control *c);
int link_open(struct control *c);
void link_close(struct control *c);
void link_connect(struct control *c, usec_t now);
/* How long something of the connection may take: a part of dead-interval, at most `most`. us. */
usec_t link_soon(usec_t most);
void link_turn(struct control *c, usec_t now);
void link_send(struct control *c, const uint8_t *msg, size_t len, usec_t now);
/* Closes it; it will be made again. */
void link_drop(struct control *c, usec_t now);
/* The replication core's answer to a connection's key. */
void link_keyed(struct control *c, const struct from_replicator_keyed *m, usec_t now);
/* A place for a connection; of one that is connected the handshake begins; given back. */
struct link_conn *link_take(struct control *c, int fd, uint32_t events);
void link_established(struct control *c, struct link_conn *l, usec_t now);
void link_free(struct control *c, struct link_conn *l);

/* records.c: the alarms and the journal. 0 or -errno, logged; closed after a failure, too. */
int records_open(struct control *c, struct srp_saved *saved);
void records_close(struct control *c);
/* watch.c: what is monitored. 0 or -errno. */
int watch_open(struct control *c);

static inline int64_t control_wall_us(void)
{
	return clock_wall_us();
}

/* pair/actions.c: what srp is told, and what it wants done */
/* What lib/srp wants done, and the answers to its steps that are there, until there is nothing
 * more. The loop calls it after each event: whoever calls into lib/srp only records, and nothing
 * that is called from here may call it again. */
void pair_drain(struct control *c, usec_t now);
void srp_feed(struct control *c, usec_t now);
/* us: control's own loop did not run; stream_us: the replication core's did not. */
void srp_stood_still(struct control *c, usec_t us, usec_t stream_us, usec_t now);

/* pair/trace.c: where the time of a switchover goes. heard: the last sign of life in the stream;
 * then: srp has asked over SRP; moved; a step has ended; the next one begins. `now` is of this
 * moment, not of the turn. */
void trace_heard(struct control *c, usec_t heard);
void trace_asked(struct control *c, usec_t now);
void trace_role(struct control *c, const struct srp_action *a, usec_t now);
void trace_step(struct control *c, enum srp_step step, usec_t now);
void trace_wait(struct control *c, enum srp_step next, usec_t now);

/* pair/agree.c: what must agree with the peer. The peer's lines are here: what differs is told
 * to srp. */
int configuration_open(struct control *c);
void configuration_close(struct control *c);
/* Takes what srp and the monitors have of `next`; those of its keys that are not live are T.conf's.
 * -EBUSY: a role is changing; -ENOMEM; nothing was taken then. */
int configuration_agree(struct control *c, const struct config *next, usec_t now);
void configuration_compare(struct control *c, usec_t now);

/* pair/probe.c: asks for the VIPs before this chassis becomes Active for being alone
 * (srp_probed() says when and what follows). Asked for; another station has one, or goes first;
 * sends what is due and reports to srp. */
void probe_begin(struct control *c, usec_t now);
void probe_claimed(struct control *c, const struct net_claim *a);
void probe_turn(struct control *c, usec_t now);

/* start_kernel.c: the kernel room is given what it needs. 0 or -errno. */
int start_kernel(struct control *c);
/* start_signalling.c: the signalling room is given what it needs. 0 or -errno. */
int start_signalling(struct control *c);

/* rooms/start_operator.c: the registry of figures and the operator room, once all others are there.
 * 0 or -errno, logged; its end in either case. */
int start_operator(struct control *c);
void start_operator_end(struct control *c);
/* operator/reload.c: SIGHUP; the end: waits for the disk */
void reload_hangup(struct control *c);
void reload_close(struct control *c);

#endif
