/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of GTPv1-C share: the room's state. The procedures are lib/pdp's; what comes from
 * SGSNs passes gtpc.c and request.c on its way there, and what leaves procedures.c and response.c.
 * Front end, requests in progress, index and GTP-U are objects of their own, with a header each.
 * Control core only. */
#ifndef TANDEM_SIGNALLING_PRIV_H
#define TANDEM_SIGNALLING_PRIV_H

#include <errno.h>
#include <stdatomic.h>

#include "asked.h"
#include "config/items.h"
#include "cores/role.h"
#include "front.h"
#include "gtpu_slow.h"
#include "pdp/pdp.h"
#include "session_index.h"

struct signalling {
	struct signalling_env env;
	struct signalling_port port[CONFIG_PORTS]; /* env.ports */
	struct front front;
	struct gtpu_slow gtpu;
	struct asked_table asked;
	struct session_index index;
	struct pdp *pdp;
};

static inline struct pdp_time procedures_time(const struct signalling *s, usec_t now)
{
	return (struct pdp_time){ now, atomic_load(&s->env.role->stood_still) };
}

/* gtpc.c: a message of a peer, by whichever way it came (front_handler; ctx: struct signalling). */
void gtpc_message(
	void *ctx, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now);

/* request.c: Create, Update and Delete PDP Context Requests (TS 29.060 7.3.1, 7.3.3, 7.3.5) are
 * decoded, and given to lib/pdp. */
void request_create(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now);
void request_update(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now);
void request_delete(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now);

/* procedures.c: makes s->pdp. 0 or -errno. */
int procedures_open(struct signalling *s);
/* A request of our own was answered so, of a Delete with a cause alone; NULL: it was not. */
void procedures_own_ended(
	struct signalling *s, uint64_t cookie, const struct gtpc_updated *u, usec_t now);

/* response.c: refuses a request. A refusal needs no commit: it promises nothing. */
void response_refuse(struct signalling *s, const struct asked_request *q, uint32_t peer_teid,
	enum gtpc_cause cause, usec_t now);
/* An answer of lib/pdp is encoded and leaves (pdp_ops.answer; ctx: struct signalling). */
void response_answer(void *ctx, const struct pdp_answer *a, usec_t now);

#endif
