/* SPDX-License-Identifier: BSD-3-Clause */
/* control: the control core: epoll on kernel sockets (SRP, GTP-C, GTP-U slow path, rtnetlink,
 * control socket, signals), timers, twins, VIPs. One thread; everything here is called by it alone
 * unless said otherwise. */
#ifndef TANDEM_CONTROL_H
#define TANDEM_CONTROL_H

#include <jansson.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <rte_hash.h>

#include "cores/doors.h"
#include "srp/frame.h"
#include "gtp/gtpc.h"
#include "gtp/gtpu.h"
#include "monitor/monitor.h"
#include "replicator/replicator.h"
#include "srp/srp.h"
#include "base/alarms.h"
#include "journal/journal.h"
#include "replicator/alarms.h"
#include "cores/tandem.h"
#include "pair/tls.h"
#include "worker/worker.h"

enum {
	CONTROL_CLIENTS = 16,
	ANNOUNCEMENTS = 5,
	GATE_MAX = 4096,
	GATE_HASH = 4096,
	GTP_BATCH = 64,
	SGSNS_KNOWN = 251,
	PATHS_MAX = 1024,
	LINK_CONNS = 4 /* of the peer's address at once, proven or not */
};

/* What epoll tells apart. */
struct source {
	int fd;
	void (*ready)(struct control *c, struct source *s, uint32_t events);
};

struct client {
	struct source src;
	usec_t since;
	bool waiting; /* for ctl_answer(); one at most */
	char in[8192];
	size_t in_len;
	char *out;
	size_t out_len, out_sent;
};

/* A request of an SGSN that waits for a worker, then for the standby. */
struct txn {
	TAILQ_ENTRY(txn) next;  /* free list, or by handle */
	TAILQ_ENTRY(txn) due;   /* those that wait for the same, in the order of their deadlines */
	TAILQ_ENTRY(txn) asked; /* by request */
	bool used, waiting_commit, internal;
	uint8_t type; /* request */
	uint16_t seq;
	struct gtpc_peer peer;
	struct gtpc_create create;
	struct session_rec rec;
	unsigned int tried; /* workers that had no room */
	int worst;          /* the error to report when all were tried */
	uint32_t commit, handle, digest;
	uint8_t worker;
	usec_t deadline;
	usec_t stood_still; /* of control when it began to wait for the standby */
	size_t len;
	/* in the cookie: an answer to who had this place before is none to this one */
	uint32_t serial;
	uint8_t msg[GTPC_MSG_MAX];
};
TAILQ_HEAD(txn_list, txn);

// clang-format off
#define GATE_COUNTERS(X) \
	X(commits) X(protected_answers) X(unprotected_answers) X(opened_timeout) X(opened_stream) \
	X(closed) X(txn_full)
// clang-format on
COUNTERS_DEFINE(gate_counters, GATE_COUNTERS);

// clang-format off
#define DIRECT_COUNTERS(X) X(rx_direct) X(rx_damaged) X(tx_direct)
// clang-format on
COUNTERS_DEFINE(direct_counters, DIRECT_COUNTERS);

struct path { /* an SGSN that we heard */
	struct ip_addr addr;
	uint8_t recovery;
	bool known, checked; /* checked: the slots were compared since we became active */
	bool failed;         /* it does not answer Echo Requests */
	usec_t used, echo_at;
};

enum { SUPERSEDED = 256 };

struct superseded {
	uint64_t key;
	uint32_t handle;
};

/* Messages that leave together, at the end of a turn at the latest. */
struct gtp_out {
	unsigned int n;
	size_t used;
	struct mmsghdr msg[GTP_BATCH];
	struct iovec iov[GTP_BATCH];
	struct sockaddr_storage to[GTP_BATCH];
	uint8_t bytes[GTP_BATCH * GTPC_MSG_MAX];
};

struct gtp {
	struct source c, u;
	struct gtpc_counters count;
	struct gtpc_pending *pending;
	struct gtpc_answered *answered;
	struct txn *txns;
	struct txn_list free, by_handle[GATE_HASH], by_request[GATE_HASH];
	/* by deadline: what waits for one thing waits equally long */
	struct txn_list for_worker, for_commit;
	unsigned int n_txns;    /* in use */
	unsigned int n_touched; /* ever used; those beyond are in no list */
	bool gate_closed;       /* answers wait for the standby */
	struct gate_counters gate;
	/* past the kernel; rx_damaged: a checksum or a length was wrong */
	struct direct_counters direct;
	uint16_t ip_id;
	/* at least as many sessions as there are, requests in progress included */
	uint64_t live_most;
	uint32_t next_charging;
	struct gtp_out out;
	unsigned int next_worker;
	struct path paths[PATHS_MAX];
	unsigned int n_paths, echo_path;
	struct rte_hash *index;                   /* IMSI+NSAPI -> handle */
	uint32_t sgsn4[SGSNS_KNOWN];              /* whose neighbour entry was asked for */
	struct superseded superseded[SUPERSEDED]; /* another of the same subscriber came after it */
	unsigned int n_superseded;
	bool sweeping;          /* a rebuild begins with removing what is gone */
	uint32_t sweep_at;      /* rte_hash_iterate's position */
	uint32_t rebuild_shard; /* SESSION_SHARDS: not rebuilding */
	uint32_t rebuild_slot;
	uint64_t ei_sent, ei_received, ei_suppressed, echo_u, reinjected, unknown_u,
		unprotected_now;
	usec_t ei_from;
};

struct step { /* what srp asked for and other cores are doing */
	enum srp_step step;
	srp_term_t term, old_term;
	unsigned int waiting; /* answers still to come */
	bool ok, draining;
	uint64_t cookie, number;
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

struct control {
	int ep;
	struct srp *srp;
	struct srp_conf srp_conf;
	struct link_srp link;
	struct alarms *alarms;
	struct journal *journal;
	struct monitor *monitor;
	struct monitors *monitors;
	struct aaa *aaa;         /* NULL: no server is probed */
	struct routers *routers; /* NULL: no BGP peers are monitored */
	struct local *local;
	usec_t monitors_at;
	struct source signals, journal_src, ctl, mirror_src, disk_src;
	struct disk_work *disk; /* a save or reload that a thread works on, NULL: none */
	bool reload_again;      /* SIGHUP came meanwhile */
	struct client clients[CONTROL_CLIENTS];
	struct gtp gtp;
	struct step step;
	struct probe probe;
	struct doors doors;
	usec_t now; /* when the messages of this turn were taken */
	uint64_t cookie;
	bool answering, hold; /* signalling is answered; held back for a planned switchover */
	bool indexing;        /* the index is being read from the slots again */
	bool late_usage;      /* our own usage still goes to the new active */
	unsigned int late_waiting;
	bool late_drain; /* all workers are through: to be acknowledged */
	repl_term_t late_term;
	usec_t late_by;
	bool owned;           /* workers may write the slots */
	repl_term_t own_term; /* in which they own them */
	struct net_kernel *kernel;
	struct net_mirror *mirror;
	uint16_t repl_adjacency;
	uint8_t rm;      /* metric of the routes that are up */
	bool up;         /* VIPs and routes are up */
	bool lingers;    /* handed over: the routes still are, as the longer path */
	bool in_standby; /* the routes are up, as the longer path, by advertise-in-standby */
	usec_t linger_by;
	usec_t routes_retry; /* in_standby could not be: tried again then */
	unsigned int announce_left;
	usec_t announce_at, slow_at, links_at;
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
	usec_t started, became_active;
	bool active_planned;
	uint64_t punts_dropped, twin_in, twin_out, frames_dropped;
};

/* control.c */
int control_watch(struct control *c, struct source *s, int fd, uint32_t events,
	void (*ready)(struct control *, struct source *, uint32_t));
void control_unwatch(struct control *c, struct source *s);
void control_stop(struct control *c);
int control_to_workers(const struct msg *model);

/* control_listen.c, control_link.c: the SRP connection */
int link_open(struct control *c);
void link_close(struct control *c);
void link_connect(struct control *c, usec_t now);
/* How long something of the connection may take: a part of dead-interval, at most `most`. us. */
usec_t link_soon(usec_t most);
void link_turn(struct control *c, usec_t now);
void link_send(struct control *c, const uint8_t *msg, size_t len, usec_t now);
/* Closes it; it will be made again. */
void link_drop(struct control *c, usec_t now);
/* The replication core's answer to MSG_KEY. */
void link_keyed(struct control *c, const struct msg *m, usec_t now);
/* A place for a connection; of one that is connected the handshake begins; given back. */
struct link_conn *link_take(struct control *c, int fd, uint32_t events);
void link_established(struct control *c, struct link_conn *l, usec_t now);
void link_free(struct control *c, struct link_conn *l);

/* records.c: the alarms and the journal. 0 or -errno, logged; closed after a failure, too. */
int records_open(struct control *c, struct srp_saved *saved);
void records_close(struct control *c);

static inline int64_t control_wall_us(void)
{
	return clock_wall_us();
}

/* control_srp.c: what srp is told, and what it wants done */
void srp_actions(struct control *c, usec_t now);
void srp_feed(struct control *c, usec_t now);
/* us: control's own loop did not run; stream_us: the replication core's did not. */
void srp_stood_still(struct control *c, usec_t us, usec_t stream_us, usec_t now);

/* control_trace.c: where the time of a switchover goes. heard: the last sign of life in the stream;
 * then: srp has asked over SRP; moved; a step has ended; the next one begins. `now` is of this
 * moment, not of the turn. */
void trace_heard(struct control *c, usec_t heard);
void trace_asked(struct control *c, usec_t now);
void trace_role(struct control *c, const struct srp_action *a, usec_t now);
void trace_step(struct control *c, enum srp_step step, usec_t now);
void trace_wait(struct control *c, enum srp_step next, usec_t now);

/* control_port.c. A carrier came or went; devices without an interface under them are asked; frames
 * to and from the twins, true if there were any; what waited on either side while the whole chassis
 * stood still is dropped. */
void port_link(void *ctx, uint16_t port, bool up);
void port_links(struct control *c, usec_t now);
bool port_frames(struct control *c);
void port_drop_stale(struct control *c);

/* control_audit.c: raises or clears the alarm of an overdue comparison */
void audit_alarm(struct control *c, usec_t now);
/* How long the comparison that runs may take yet, by its rate; 0: not known, or none runs. */
uint32_t audit_left_s(struct control *c, usec_t now);

/* control_config.c: what must agree with the peer. The peer's lines are here: what differs is told
 * to srp. */
int configuration_open(struct control *c);
void configuration_close(struct control *c);
/* Takes what srp and the monitors have of `next`; those of its keys that are not live are T.conf's.
 * -EBUSY: a role is changing; -ENOMEM; nothing was taken then. */
int configuration_agree(struct control *c, const struct config *next, usec_t now);
void configuration_compare(struct control *c, usec_t now);

/* control_monitor.c: their verdicts are srp's to judge; at each change of srp's state; 0 or
 * -errno */
int monitors_open(struct control *c);
void monitors_close(struct control *c);
void monitors_rules(struct control *c, const struct config *f);
void monitors_turn(struct control *c, usec_t now);
void monitors_role(struct control *c, const struct srp_action *a, usec_t now);

/* control_step.c: steps of a role change */
void step_begin(struct control *c, const struct srp_action *a, usec_t now);
void step_done(struct control *c, const struct msg *m, usec_t now);
void step_turn(struct control *c, usec_t now);
/* At the control core's turn: says where the VIPs are, if it is due. _anew: from the first of a
 * bounded number of times, at an activation, when the link of a VIP's port came up, and when the
 * other of two Active ones gave up. */
void control_announce(struct control *c, usec_t now);
void control_announce_anew(struct control *c, usec_t now);
int control_metric(struct control *c, uint8_t rm);
/* The address of a loopback comes or goes. 0 / -errno, logged. */
int control_vip(struct control *c, const struct config_loopback *l, bool up);
void control_withdraw(struct control *c);
/* Where and as what the routes are up, for `show srp info`: "advertised, metric 2, as standby" */
void control_routes_text(const struct control *c, char *text, size_t len, usec_t now);

/* control_probe.c: asks for the VIPs (net_probe) before this chassis becomes Active for being alone
 * (srp_probed() says when and what follows). Asked for; a frame that a port received, which stays
 * the caller's; sends what is due and tells srp. */
void probe_begin(struct control *c, usec_t now);
void probe_see(struct control *c, const struct port *in, const struct rte_mbuf *m);
void probe_turn(struct control *c, usec_t now);

/* What a request of our own was about, beside handles of sessions. */
#define GTP_COOKIE_ECHO UINT64_MAX

/* control_gtp.c, control_gate.c, control_gtpu.c, index.c */
int gtp_open(struct control *c);
void gtp_close(struct control *c);
void gtp_turn(struct control *c, usec_t now);
void gtp_answer(struct control *c, const struct msg *m, usec_t now);
void gtp_ended(struct control *c, const struct msg *m, usec_t now);
void gtp_activated(struct control *c, bool planned, usec_t now);
void gtp_deactivated(struct control *c);
int gtpu_open(struct control *c);

/* control_gate.c. NULL: too many are in progress. */
struct txn *txn_new(struct control *c, const struct gtpc_peer *from, uint8_t type, uint16_t seq,
	uint32_t digest, usec_t now);
void gate_open(struct gtp *g);
void txn_free(struct control *c, struct txn *t);
struct txn *txn_by_cookie(struct control *c, uint64_t cookie);
uint64_t txn_cookie(const struct control *c, const struct txn *t);
struct txn *txn_in_progress(struct control *c, const struct gtpc_peer *from, uint8_t type,
	uint16_t seq, uint32_t digest);
/* The answer in t->msg leaves when the standby has what it acknowledges, or at once when the gate
 * is open. */
void gate_answer(struct control *c, struct txn *t, usec_t now);
void gate_committed(struct control *c, const struct msg *m, usec_t now);
void gate_stream(struct control *c, bool on, usec_t now);
void gate_turn(struct control *c, usec_t now);
bool gate_empty(const struct control *c);
/* Past the kernel at once, or queued: gtp_flush sends. */
void gtp_flush(struct control *c);
void gtp_send(struct control *c, const struct gtpc_peer *to, const uint8_t *msg, size_t len);

int index_open(struct control *c);
void index_close(struct control *c);
void index_message(struct control *c, const struct msg *m);
/* The live handle of (IMSI, NSAPI), 0 none. */
uint32_t index_find(struct control *c, uint64_t key);
/* Now and then: an owner ends what is superseded. */
void index_superseded(struct control *c);
/* True while it is being read anew. */
bool index_turn(struct control *c);

/* control_json.c, show*.c */
int ctl_open(struct control *c);
void ctl_close(struct control *c);
/* The answer to a command whose answer was null; takes it. Nobody may be there any more who
 * waits. */
void ctl_answer(struct control *c, json_t *answer);
/* control_reload.c: SIGHUP; the end: waits for the disk */
void reload_hangup(struct control *c);
void reload_close(struct control *c);
/* Executes a command: a new reference to {"ok":...}, or null: it comes later. */
json_t *show_command(struct control *c, const char *command, json_t *args, usec_t now);

#endif
