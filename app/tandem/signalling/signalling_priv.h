/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the GTP-C procedures share: the room's state. Front end, transactions, commit
 * gate, paths, index and GTP-U are objects of their own, with a header each. Control core only. */
#ifndef TANDEM_SIGNALLING_PRIV_H
#define TANDEM_SIGNALLING_PRIV_H

#include "commit_gate.h"
#include "config/items.h"
#include "cores/role.h"
#include "front.h"
#include "gtpu_slow.h"
#include "paths.h"
#include "session_index.h"
#include "txn.h"

struct signalling {
	struct signalling_env env;
	struct signalling_port port[CONFIG_PORTS]; /* env.ports */
	struct front front;
	struct gtpu_slow gtpu;
	struct txn_table txns;
	struct commit_gate gate;
	struct paths paths;
	struct session_index index;
	/* at least as many sessions as there are, requests in progress included */
	uint64_t live_most;
	uint32_t next_charging;
	unsigned int next_worker; /* for the next Create */
};

/* gtpc.c: a message of a peer, by whichever way it came (front_handler; ctx: struct signalling). */
void gtpc_message(
	void *ctx, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now);

/* procedure.c: Create, Update and Delete PDP Context Requests (TS 29.060 7.3.1, 7.3.3, 7.3.5):
 * checked here, carried out by the worker that owns the session. */
void procedure_create(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now);
void procedure_update(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now);
void procedure_delete(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now);
/* Asks the next worker in turn for a Create's session: each tries all its shards. */
bool procedure_ask_create(struct signalling *s, struct signalling_txn *x);

/* response.c: refuses a request. A refusal needs no commit: it promises nothing. */
void response_refuse(struct signalling *s, const struct txn_request *q, uint32_t peer_teid,
	enum gtpc_cause cause, usec_t now);
/* Writes the response to an accepted request of that type and number into buf (GTPC_MSG_MAX bytes)
 * and returns its length; create: the request, for its PCO, or NULL. */
size_t response_accept(struct signalling *s, uint8_t *buf, uint8_t type, uint16_t seq,
	const struct session_rec *rec, const struct gtpc_create *create);
/* True: it was the very request that the slot says was answered last, and the response was made
 * again from the slot. */
bool response_from_slot(struct signalling *s, const struct txn_request *q, uint32_t handle,
	const struct gtpc_create *create);

#endif
