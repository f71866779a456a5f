/* SPDX-License-Identifier: BSD-3-Clause */
/* ask: what signalling asks of workers, by their doors. A worker whose door is full is not asked:
 * the caller gets an error. Control core only. */
#ifndef TANDEM_SIGNALLING_ASK_H
#define TANDEM_SIGNALLING_ASK_H

#include "cores/to_worker.h"
#include "signalling/signalling.h"

/* The worker that owns a session. */
unsigned int ask_owner(const struct signalling_env *env, uint32_t handle);

/* One request about one session. cookie 0: nobody waits for the answer. */
struct ask {
	enum to_worker_type type; /* create, update or delete */
	uint8_t groups;           /* of an update */
	enum session_why why;     /* of a delete */
	unsigned int worker;
	uint64_t cookie;
	repl_term_t term;
	const struct session_rec *rec;
};
bool ask_worker(const struct signalling_env *env, const struct ask *a);

/* Of all workers: the sessions of an SGSN that carry another Recovery end; the one whose user plane
 * peer said that it knows no such TEID ends. False: not all workers could be asked. */
bool ask_purge(const struct signalling_env *env, const struct ip_addr *sgsn, uint8_t recovery);
void ask_peer_gone(const struct signalling_env *env, const struct ip_addr *peer, uint32_t teid);

#endif
