/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_srp: two chassis' state machines in one process, with a virtual clock, two paths that lose,
 * delay and are cut, disks and cores that answer late, crashes and stalls, all from one seed.
 * Single thread; the world owns everything. */
#ifndef TANDEM_SIM_SRP_H
#define TANDEM_SIM_SRP_H

#include "srp/srp.h"

enum { MS = 1000, HEAP = 4096, TERMS = 1024 };

enum ev_kind {
	EV_BEAT,
	EV_SEND_BEAT,
	EV_MSG,
	EV_DONE,
	EV_DISK,
	EV_PROBE,
	EV_CLOSED,
	EV_CONNECT,
	EV_BOOT,
	EV_RESUME,
	EV_LOAD,
	EV_SNAP,
	EV_RECORDS,
	EV_FAULT
};

struct ev {
	usec_t at;
	uint64_t order;
	enum ev_kind kind;
	int node;
	unsigned int life; /* of the node (and of the connection, for EV_MSG): else it is void */
	unsigned int connection;
	enum srp_step step;
	srp_term_t term;
	uint64_t number;
	uint8_t counter;
	bool flag;
	uint16_t len;
	uint8_t msg[SRP_MSG_MAX];
};

struct node {
	struct srp *s; /* NULL: not running */
	unsigned int life;
	struct srp_saved disk;
	bool disk_full;
	usec_t stalled_until; /* control does not run */
	usec_t stalled_at;
	bool stalled_all; /* nor does replication */
	struct srp_stream st;
	uint8_t beat[SRP_MSG_MAX];
	uint16_t beat_len;
	usec_t joined_at, running_since;
	usec_t pending_since; /* 0: in no pending state */
	uint64_t last_number, applied;
	bool writing, streaming, owner, late, leaving;
	bool vips;            /* of the kernel, which keeps them when the process is killed */
	bool answered, asked; /* the last probe for them; one was made */
	enum srp_step withhold;
	struct srp_conf conf;
	uint64_t file;      /* which configuration its file has; its conf: which it runs */
	unsigned int beats; /* how often its interval changed */
	bool passed;        /* since it writes, the stream has brought the whole table */
	usec_t passed_at;
};

struct path {
	bool cut[2];          /* towards node i */
	unsigned int percent; /* lost */
	usec_t good_since;    /* neither cut nor lossy since */
};

struct world {
	uint64_t seed, rng;
	usec_t now, calm_at; /* no fault after calm_at */
	uint64_t order;
	struct node n[2];
	struct path stream, tcp;
	bool connected;
	unsigned int connection;
	usec_t tcp_last[2];               /* in order */
	uint64_t tcp_sent[2], tcp_got[2]; /* messages of the connection, by who is to get them */
	struct ev heap[HEAP];
	unsigned int n_heap;
	struct {
		srp_term_t term;
		int node;
		unsigned int life;
	} terms[TERMS];
	unsigned int n_terms, profile;
	bool verbose, failed, quiet, withheld;
	/* an operator, or a crash, made the two differ: until both run the same again */
	bool apart;
	bool lists;     /* APNs and pools come and go with each file */
	bool list_lost; /* a list of numbers was: they may contradict each other */
	unsigned int promotions, planned, aborts, reloads; /* seen */
};

enum {
	PROFILE_QUIET,
	PROFILE_MIXED,
	PROFILE_PARTITION,
	PROFILE_CRASH,
	PROFILE_WITHHELD,
	PROFILE_RELOAD,
	PROFILES, /* that seeds choose from */
	PROFILE_LISTS = PROFILES
};

/* sim_srp.c */
void fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trace(struct world *w, int node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* sim_world.c */
uint64_t rnd(struct world *w, uint64_t n);
struct ev *push(struct world *w, enum ev_kind kind, int node, usec_t at);
void boot(struct world *w, int i);
void kill_node(struct world *w, int i, bool power, usec_t back);
void cut(struct world *w, struct path *p, int to, bool on);
void disconnect(struct world *w, bool silent);
void handle(struct world *w, const struct ev *e);
void drain(struct world *w, int i);
void tick(struct world *w, int i);

/* sim_reload.c */
/* What its file says is what it runs, as at a start. */
void reload_boot(struct world *w, int i);
/* Another configuration on one chassis, mostly the one that the other has. */
void reload_fault(struct world *w, int i);
/* The file of that number is put in place and loaded; again, if it was refused. */
void reload_file(struct world *w, int i, uint64_t file);
/* What waits runs when it may; and nothing differs that was not made to. */
void reload_turn(struct world *w, int i);

/* sim_lists.c: nothing unless world.lists. */
/* Nobody has a list, nor anything on disk. */
void lists_begin(void);
void lists_boot(struct world *w, int i);
/* The file of that number runs. */
void lists_reload(struct world *w, int i, uint64_t file);
/* The same in half of the cases in front of it: what comes of it overtakes the hello. */
void lists_before_hello(struct world *w, int i, uint64_t file);
/* The peer's list is here. */
void lists_offered(struct world *w, int i, bool holds);
/* The slots are about to be its own. */
void lists_own(struct world *w, int i, srp_term_t term);
void lists_turn(struct world *w, int i);
/* Sessions come and go, and the stream tells of them; it is there. */
void lists_snap(struct world *w, int i);
void lists_records(struct world *w, const struct ev *e);
void lists_check_end(struct world *w);
void lists_say(void); /* how often what happened */

/* sim_check.c: called as things happen. */
void check_abort(struct world *w, int i, const char *why);
void check_role(struct world *w, int i, const struct srp_action *a);
void check_alone(struct world *w, int i, const struct srp_action *a);
/* first: nothing may have used it before. */
void check_term(struct world *w, int i, srp_term_t term, bool first);
void check_pending(struct world *w, int i);
void check_owners(struct world *w);
void check_end(struct world *w);

#endif
