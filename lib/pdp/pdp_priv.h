/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of lib/pdp share: rows, which are the procedures in progress, their lists, and
 * who calls whom: pdp.c takes what comes in, procedure.c decides, rows.c keeps, gate.c holds
 * answers, peers.c knows the peers. */
#ifndef TANDEM_PDP_PRIV_H
#define TANDEM_PDP_PRIV_H

#include <sys/queue.h>

#include "pdp/lists.h"
#include "pdp/pdp.h"

enum {
	PDP_ROWS = PDP_REQUESTS + PDP_OWN,
	PDP_HASH = 4096,
	/* Rows of other sessions in a bucket: PDP_SAME each, of one such session on average where
	 * somebody fills the table with as many of each as he may. */
	PDP_CHAIN = 5 * PDP_SAME,
	PDP_PEERS = 1024,
	PDP_PEER_HASH = 2048,
	/* Peers in a bucket, which is half a one on average. */
	PDP_PEER_CHAIN = 16,
};
_Static_assert((int)PDP_PURGES >= (int)PDP_PEERS, "an owner's pass has room for all peers");

/* What a row waits for. */
enum pdp_step {
	STEP_FREE,
	STEP_AAA,
	STEP_LINE,   /* the one before it for the same session */
	STEP_END,    /* the owner ends the session that a Create replaces */
	STEP_OWNER,  /* the owner does what was asked; as STEP_END it has no deadline */
	STEP_COMMIT, /* the standby */
	STEP_PEER,   /* the peer, of what the gateway began */
	STEP_AGAIN,  /* a while, as what the gateway began could not be done */
	STEPS,
};

/* What a row is for, beyond enum pdp_kind: what the gateway began. */
enum {
	ROW_REFRESH = PDP_DELETE + 1, /* a peer is asked for an Update, then the owner updates */
	ROW_END,                      /* the owner ends the session, then the peer is told */
	ROW_DROP,                     /* the peer knows no such session: the owner ends it */
	ROW_NOTICE,                   /* the session ended: the peer is told */
};

struct pdp_row {
	TAILQ_ENTRY(pdp_row) next; /* in the free list, or by handle in the gate */
	TAILQ_ENTRY(pdp_row) due;  /* those of one step, by their deadlines */
	TAILQ_ENTRY(pdp_row) line; /* those of one session, in their order */
	uint8_t step, kind, nsapi, has, owner, indication;
	uint8_t why;             /* enum session_why, of ROW_END */
	bool keyed;              /* is in a line, */
	uint16_t bucket;         /* that of p->line[bucket] with its key */
	unsigned int tried;      /* owners that had no room */
	int worst;               /* the error to report when all were tried */
	uint32_t serial;         /* a part of the cookie */
	uint32_t handle, commit; /* that the request names; then those of the owner's answer */
	uint64_t id, key;
	usec_t deadline;    /* USEC_NEVER: none */
	usec_t until;       /* it is tried again, 0: has not yet been */
	uint32_t restarts;  /* p->restarts when a Create last looked at its peer */
	usec_t stood_still; /* what the role had said when it began to wait */
	struct session_rec rec;
};
TAILQ_HEAD(pdp_rows, pdp_row);

/* The rows of one session: those of a bucket that have its key. */
struct pdp_line {
	uint64_t key;
	uint16_t bucket;
};

static inline struct pdp_line row_line(const struct pdp_row *x)
{
	return (struct pdp_line){ x->key, x->bucket };
}

struct pdp_peer {
	struct ip_addr addr;
	uint8_t recovery;
	bool known;   /* its Recovery is */
	bool checked; /* the sessions were compared with it since this chassis became Active */
	bool failed;  /* it does not answer Echo Requests */
	usec_t used, echo_at;
	TAILQ_ENTRY(pdp_peer) silent; /* who was silent for the longest time is the first */
	uint16_t next;                /* in its bucket: its place plus 1, 0 none */
};
TAILQ_HEAD(pdp_peers, pdp_peer);

struct pdp {
	struct pdp_env env;
	struct pdp_row *row;
	struct pdp_rows free, at[STEPS], line[PDP_HASH], gate[PDP_HASH];
	unsigned int n_touched;         /* rows that were ever used; those beyond are in no list */
	unsigned int n_requests, n_own; /* in use */
	unsigned int n_at[STEPS];
	struct pdp_row_counters count_rows;
	bool is_protected; /* answers wait for the standby */
	struct pdp_gate_counters count;
	/* at least as many sessions as there are, requests in progress included */
	uint64_t live_most;
	uint32_t next_charging;
	uint8_t next_owner; /* for the next Create */
	usec_t stood_still; /* what the role said last */
	usec_t held_until;  /* nothing is tried again before */
	uint32_t restarts;  /* of any peer */
	unsigned int n_peers, echo_next;
	struct pdp_peer peer[PDP_PEERS];
	struct pdp_peers silent;
	uint16_t peer_first[PDP_PEER_HASH];
};

/* ---- rows.c ---- */

/* A row that is in no step and no line yet. NULL: there is no room. */
struct pdp_row *row_take(struct pdp *p, uint8_t kind);
void row_give(struct pdp *p, struct pdp_row *x);
/* It ends with that answer; of the gateway's own nobody is answered. */
void row_finish(struct pdp *p, struct pdp_row *x, enum pdp_cause cause, usec_t now);
/* It is not done now. A request is given back unanswered, and its peer asks again; what the gateway
 * began is tried again, for a while. */
void row_later(struct pdp *p, struct pdp_row *x, usec_t now);
uint64_t row_cookie(const struct pdp *p, const struct pdp_row *x);
/* NULL: it was given up meanwhile. */
struct pdp_row *row_by_cookie(struct pdp *p, uint64_t cookie);
/* It waits for that from now on, until then at most. Deadlines move by the time in which we did not
 * run: what is waited for may lie in a ring. */
void row_wait(struct pdp *p, struct pdp_row *x, enum pdp_step step, usec_t until);
static inline bool row_is_due(const struct pdp *p, const struct pdp_row *x, usec_t now)
{
	return now >= x->deadline + (p->stood_still - x->stood_still);
}

/* It is one of its session's, the last. False: there are too many. */
bool row_join(struct pdp *p, struct pdp_row *x, uint64_t key);
/* Goes to the end of its session's line, and nobody before it is asked. */
void row_rejoin(struct pdp *p, struct pdp_row *x);
/* The first of the session that waits for its turn; NULL: none does, or an owner still works for
 * one before it. */
struct pdp_row *row_whose_turn(struct pdp *p, const struct pdp_line *l);
/* A Create of the same session that waits for AAA, or NULL. */
struct pdp_row *row_at_aaa(struct pdp *p, const struct pdp_row *x);
/* The session that the last of its line left whose owner has answered, 0 none is known. */
uint32_t row_left(struct pdp *p, const struct pdp_row *x);

/* Those of a handle that wait for the standby, by `next`. Who asks chooses for which of its
 * sessions it does: hence the secret. No row is refused here, as its answer must wait; chance keeps
 * the chain short, and PDP_SAME the rows of one session. */
static inline struct pdp_rows *row_gate(struct pdp *p, uint32_t handle)
{
	return &p->gate[siphash_word(&p->env.secret, handle) % PDP_HASH];
}

/* ---- procedure.c ---- */

/* The row's turn has come: its owner is asked. The row may be gone behind it. */
void procedure_start(struct pdp *p, struct pdp_row *x, usec_t now);
/* Starts those of the session whose turn has come. */
void procedure_next(struct pdp *p, const struct pdp_line *l, usec_t now);
/* Into the line of its session, and on if nobody is before it. */
void procedure_line(struct pdp *p, struct pdp_row *x, usec_t now);
void procedure_request(struct pdp *p, const struct pdp_request *q, usec_t now);
void procedure_answered(
	struct pdp *p, struct pdp_row *x, const struct pdp_done *d, const struct pdp_time *t);

/* ---- start.c ---- */

/* Whether the record says that this request was the last that was answered. */
bool start_was_answered(const struct session_rec *rec, const struct pdp_origin *from);
/* The session that a request with handle and NSAPI means, its own or its subscriber's with that
 * NSAPI, and its record. 0: there is none. */
uint32_t start_target(const struct pdp *p, uint32_t handle, uint8_t nsapi, struct session_rec *rec);
/* The peer has restarted since it asked for this Create: it does not know of it any more. */
bool start_is_outlived(struct pdp *p, struct pdp_row *x, usec_t now);
/* Each asks the owner for what the row is for. False: there was nobody to ask. */
bool start_create(struct pdp *p, struct pdp_row *x, usec_t now);
bool start_replace(struct pdp *p, struct pdp_row *x, uint32_t handle, usec_t now);
bool start_update(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now);
bool start_delete(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now);

/* ---- own.c ---- */

/* An owner answered a row of the gateway's own. */
void own_answered(struct pdp *p, struct pdp_row *x, const struct pdp_done *d, usec_t now);

/* ---- gate.c ---- */

/* The owner has answered: the answer to the peer leaves when the standby has acknowledged
 * x->commit of x->handle, at once if answers are not protected or there is nothing to commit. */
void gate_enter(struct pdp *p, struct pdp_row *x, const struct pdp_time *t);
void gate_turn(struct pdp *p, const struct pdp_time *t);

/* ---- peers.c ---- */

/* The path of a peer, made if there is none. */
struct pdp_peer *peers_get(struct pdp *p, const struct ip_addr *addr, usec_t now);
void peers_heard(struct pdp *p, struct pdp_peer *at, uint8_t recovery);
void peers_turn(struct pdp *p, usec_t now);

#endif
