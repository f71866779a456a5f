/* SPDX-License-Identifier: BSD-3-Clause */
/* asked: the requests of SGSNs that are in progress, as GTPv1-C tells them apart: a repetition of
 * one is left out, and lib/pdp sees each once. What is needed of the message when its answer leaves
 * is kept here, by the id that lib/pdp gives back. Control core only. */
#ifndef TANDEM_SIGNALLING_ASKED_H
#define TANDEM_SIGNALLING_ASKED_H

#include <sys/queue.h>

#include "common/siphash.h"
#include "gtp/gtpc.h"
#include "pdp/pdp.h"

enum {
	ASKED_MAX = PDP_REQUESTS,
	ASKED_HASH = 4096,
	/* In one bucket. There is one on average at most: so many never meet by chance. */
	ASKED_CHAIN = 16,
};

/* What tells a request from another one, and from its own repetitions. */
struct asked_request {
	struct gtpc_peer peer;
	uint8_t type;
	uint16_t seq;
	uint32_t digest; /* of what it says */
	uint16_t bucket; /* asked_bucket() of the others */
};

struct asked_message {
	TAILQ_ENTRY(asked_message) next; /* in the free list, or in the bucket of its request */
	bool used;
	/* A part of the id: the answer to a request that had this room before is none to this
	 * one. */
	uint32_t serial;
	struct asked_request request;
	uint8_t pco_len; /* of a Create: the options that its response answers */
	uint8_t pco[GTPC_PCO_MAX];
};
TAILQ_HEAD(asked_list, asked_message);

struct asked_table {
	struct siphash_secret secret;
	struct asked_message *asked;
	unsigned int n_touched; /* ever used; those beyond are in no list */
	struct asked_list free, bucket[ASKED_HASH];
	uint8_t n_in[ASKED_HASH]; /* of each bucket */
	/* requests that found no room in the table, or none in their bucket */
	uint64_t full, collided;
};

/* The secret is that of the hash by request. 0 or -ENOMEM. */
int asked_init(struct asked_table *t, const struct siphash_secret *secret);
void asked_fini(struct asked_table *t);
/* Where a request is looked for: q->bucket, by all that tells it from others. */
uint16_t asked_bucket(const struct asked_table *t, const struct asked_request *q);
/* Remembers a request, which is not in progress. NULL: too many are, or too many of one bucket. */
struct asked_message *asked_add(struct asked_table *t, const struct asked_request *q);
void asked_forget(struct asked_table *t, struct asked_message *a);
/* The request is in progress: it is repeated. */
bool asked_in_progress(struct asked_table *t, const struct asked_request *q);
/* The id that lib/pdp is given, never 0, and the request that has it; NULL: it is over. */
uint64_t asked_id(const struct asked_table *t, const struct asked_message *a);
struct asked_message *asked_by_id(struct asked_table *t, uint64_t id);

#endif
