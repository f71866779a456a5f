/* SPDX-License-Identifier: BSD-3-Clause */
/* session_index: (IMSI, NSAPI) -> handle, a reader of session events. An entry is a hint: the slot
 * decides. When an event was missed the whole index is read from the slots again, piece by piece.
 * Control core only. */
#ifndef TANDEM_SIGNALLING_SESSION_INDEX_H
#define TANDEM_SIGNALLING_SESSION_INDEX_H

#include "cores/msg.h"
#include "pdp/lists.h"
#include "session/imsi_index.h"
#include "signalling/signalling.h"

enum { SESSION_INDEX_SGSNS = 251 };

struct from_worker_event;

struct session_index {
	const struct signalling_env *env;
	struct imsi_index *imsi;
	uint32_t sgsn4[SESSION_INDEX_SGSNS]; /* whose neighbour entry was asked for */
	/* Sessions that are alive although another one of the same subscriber came later. */
	struct pdp_superseded superseded;
	bool stale;             /* it lacks sessions, and is to be read anew */
	bool sweeping;          /* a rebuild begins with removing what is gone */
	struct imsi_walk sweep; /* where that stands */
	uint32_t rebuild_shard; /* SESSION_SHARDS: not rebuilding */
	uint32_t rebuild_slot;
};

/* 0 or -ENOMEM. */
int session_index_init(struct session_index *x, const struct signalling_env *env);
void session_index_fini(struct session_index *x);
/* A session began or ended at its owner. */
void session_index_event(struct session_index *x, const struct from_worker_event *e);
/* Sessions began and ended in the stream. */
void session_index_batch(struct session_index *x, const struct msg_batch *m);
/* An event was missed: the index is stale. */
void session_index_missed(struct session_index *x);
/* The live handle of a key, 0 none. */
uint32_t session_index_find(const struct session_index *x, uint64_t key);
/* Reads the next piece when the index is stale. True while there is more to read. */
bool session_index_turn(struct session_index *x);
/* The index is being read anew: there is more to read. */
bool session_index_turning(const struct session_index *x);
/* Forgets superseded sessions that are gone, and calls `end` (or NULL) for those that are alive. */
void session_index_superseded(struct session_index *x,
	void (*end)(void *ctx, uint32_t superseded, uint32_t by), void *ctx);

#endif
