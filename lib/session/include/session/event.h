/* SPDX-License-Identifier: BSD-3-Clause */
/* event: what happens to sessions, as the table reports it through session_hooks.event: no other
 * place decides that a session began or ended. Whoever writes the shard calls the hook, inside the
 * door; what an event points at is the caller's. Nothing here blocks or takes memory. */
#ifndef TANDEM_SESSION_EVENT_H
#define TANDEM_SESSION_EVENT_H

#include <stdint.h>

struct session_rec;

enum session_event_kind { SESSION_BEGUN, SESSION_UPDATED, SESSION_ENDED };

/* Why an owner ended a session: the value, its name, and how the sentence "Sessions ended because
 * ..." goes on. */
// clang-format off
#define SESSION_WHYS(X) \
	X(REQUEST, request, "their SGSN asked for it") \
	X(REPLACED, replaced, "their subscriber created the same anew") \
	X(SUPERSEDED, superseded, "their subscriber had a newer one, and their end was not heard") \
	X(SGSN_RESTART, sgsn_restart, "their SGSN restarted") \
	X(ERROR_INDICATION, error_indication, "their SGSN did not know the tunnel any more") \
	X(IDLE_TIMEOUT, idle_timeout, "the idle timeout ran out") \
	X(SESSION_TIMEOUT, session_timeout, "the session timeout ran out")
// clang-format on

#define SESSION_WHY_VALUE(VALUE, name, because) SESSION_WHY_##VALUE,
/* NONE: the session has not ended, or who applies the stream heard of its end and of no reason. */
enum session_why { SESSION_WHY_NONE, SESSION_WHYS(SESSION_WHY_VALUE) SESSION_WHY_END };
#undef SESSION_WHY_VALUE

/* The name of a reason, for views and logs; "none" for what is none. */
const char *session_why_name(enum session_why why);

struct session_event {
	enum session_event_kind kind;
	enum session_why why; /* of an end that the owner decided */
	uint8_t by;           /* who writes the shard: a worker, or SESSION_BY_REPL */
	uint32_t handle;
	uint64_t key;  /* as in struct session_rec */
	uint64_t term; /* in which it happened: of session_generations(); 0: of no owner's */
	/* From an owner: the session as it is; of an end, as it was, so that its usage is the
	 * total. NULL: the stream brought it, millions a second, and nothing else is said; whether
	 * it began or ended is all that there is then. */
	const struct session_rec *rec;
};

/* How an owner ends a session. */
struct session_end {
	enum session_why why;
	/* What is answered by the end: its REQUEST stays in the slot. NULL: what stood there. */
	const struct session_rec *request;
	uint32_t now_s;
};

#endif
