/* SPDX-License-Identifier: BSD-3-Clause */
/* txn: the requests of SGSNs that are in progress. Each waits for a worker, and then, where the
 * commit gate says so, for the standby. The table owns its places; a transaction is valid until
 * txn_free(). Control core only. */
#ifndef TANDEM_SIGNALLING_TXN_H
#define TANDEM_SIGNALLING_TXN_H

#include <sys/queue.h>

#include "common/siphash.h"
#include "gtp/gtpc.h"
#include "session/session.h"

enum { TXN_MAX = 4096, TXN_HASH = 4096, TXN_WORKER_US = 2000000 };

/* What tells a request from another one, and from its own repetitions. */
struct txn_request {
	struct gtpc_peer peer;
	uint8_t type;
	uint16_t seq;
	uint32_t digest; /* of what it says */
};

struct signalling_txn {
	TAILQ_ENTRY(signalling_txn) next;  /* in the free list, or by handle in the commit gate */
	TAILQ_ENTRY(signalling_txn) due;   /* those that wait for the same, by their deadlines */
	TAILQ_ENTRY(signalling_txn) asked; /* by request */
	bool used, waits_commit;
	bool replaces; /* the session that the Create replaces is being ended */
	struct txn_request request;
	struct gtpc_create create;
	unsigned int tried;      /* workers that had no room */
	int worst;               /* the error to report when all were tried */
	uint32_t commit, handle; /* of the worker's answer */
	uint8_t worker;          /* who was asked */
	usec_t deadline;
	usec_t stood_still; /* what the role said when it began to wait for the standby */
	size_t len;         /* of msg */
	/* A part of the cookie: the answer to a transaction that had this place before is none to
	 * this one. */
	uint32_t serial;
	struct session_rec rec;
	uint8_t msg[GTPC_MSG_MAX]; /* the response */
};
TAILQ_HEAD(txn_list, signalling_txn);

struct txn_table {
	struct siphash_secret secret;
	struct signalling_txn *places;
	struct txn_list free, by_request[TXN_HASH];
	/* Those that wait for a worker, in the order of their deadlines: all wait equally long. */
	struct txn_list for_worker;
	unsigned int n;         /* in use */
	unsigned int n_touched; /* ever used; those beyond are in no list */
	uint64_t full;          /* requests that found no place */
};

/* The secret is that of the hash by request. 0 or -ENOMEM. */
int txn_table_init(struct txn_table *t, const struct siphash_secret *secret);
void txn_table_fini(struct txn_table *t);
/* NULL: too many are in progress. */
struct signalling_txn *txn_new(struct txn_table *t, const struct txn_request *q, usec_t now);
void txn_free(struct txn_table *t, struct signalling_txn *x);
/* The transaction of a request that is repeated, or NULL. */
struct signalling_txn *txn_in_progress(struct txn_table *t, const struct txn_request *q);
/* The cookie that a message to a worker carries for this transaction. */
uint64_t txn_cookie(const struct txn_table *t, const struct signalling_txn *x);
/* The transaction that a worker's answer with this cookie means; NULL: it was given up meanwhile.
 */
struct signalling_txn *txn_by_cookie(struct txn_table *t, uint64_t cookie);
/* The worker has answered: the transaction waits for the standby from now on. */
void txn_wait_commit(struct txn_table *t, struct signalling_txn *x);
/* Gives up those that no worker answered in time: the SGSN asks again. */
void txn_turn(struct txn_table *t, usec_t now);
/* Gives up all that wait for a worker. */
void txn_drop_all(struct txn_table *t);

#endif
