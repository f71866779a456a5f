/* SPDX-License-Identifier: BSD-3-Clause */
/* watched: functions that the daemon calls and the simulator watches. The linker puts __wrap_X in
 * the place of X (meson.build), and X itself has the name __real_X then. None of them is a seam of
 * the daemon: what is called does what it always does. */
#ifndef TANDEM_SIM_WATCHED_H
#define TANDEM_SIM_WATCHED_H

#include "config/config.h"
#include "cores/msg.h"
#include "gtp/gtpc.h"
#include "numbers/numbers.h"
#include "repl/keys.h"
#include "repl/repl.h"
#include "session/session.h"
#include "srp/srp.h"
#include "sync.h"

#define WATCHED(type, name, ...)                                                                   \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __real_##name(__VA_ARGS__);

/* sim_node.c: a process ends, by itself or between any two messages */
void __wrap_abort(void) __attribute__((noreturn));
WATCHED(int, door_send, const struct door *d, struct msg *m)

/* sim_numbers.c: configurations with other lists agree in profile `numbers` */
WATCHED(uint64_t, config_digest, const struct config *c)
WATCHED(void, numbers_places, const struct numbers *n, const struct numbers_items *w,
	struct places *places)

/* sim_check_role.c: an answer that is kept for repetitions is one that was just given */
WATCHED(void, gtpc_answered_put, struct gtpc_answered *a, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest, const uint8_t *msg, size_t len, usec_t now)

/* sim_door.c: the writers' door to the slots */
WATCHED(int, session_create, struct session_table *t, uint8_t by, struct session_rec *rec,
	uint32_t now_s)
WATCHED(int, session_update, struct session_table *t, uint8_t by, const struct session_rec *rec,
	uint8_t groups)
WATCHED(int, session_end, struct session_table *t, uint8_t by, uint32_t handle,
	const struct session_end *end)
WATCHED(int, session_free, struct session_table *t, uint8_t by, uint32_t handle,
	const struct session_end *end)
WATCHED(int, session_apply_slot, struct session_table *t, uint8_t by, struct rd *body,
	uint32_t now_s)
WATCHED(int, session_apply_delta, struct session_table *t, uint8_t by, struct rd *body)
WATCHED(int, session_apply_usage, struct session_table *t, uint8_t by, struct rd *body)
WATCHED(int, session_apply_late, struct session_table *t, uint8_t by, uint32_t handle,
	const struct session_usage *u)

/* sim_check_promotion.c: commits that end a session; what was applied when the stream's receiver
 * stops */
WATCHED(uint32_t, sync_commit, struct sync *s, uint32_t handle, usec_t now)
WATCHED(uint64_t, repl_receive_stop, struct repl *r, usec_t now)

/* sim_release.c: the versions of the wire that a chassis speaks */
WATCHED(struct repl *, repl_create, const struct repl_params *p, usec_t now)
WATCHED(struct srp *, srp_create, const struct srp_conf *c, const struct srp_saved *saved,
	usec_t now)

/* sim_crypt.c: what the stream takes in; phases of the keys that end within a run */
WATCHED(void, repl_input, struct repl *r, const uint8_t *pkt, size_t len, usec_t now)
WATCHED(int, keys_init, struct keys *k, const struct keys_params *p)

#endif
