/* SPDX-License-Identifier: BSD-3-Clause */
/* to_replicator: what control asks of the replication core. The constructors are called by the
 * control core; the handlers by the replication core. Neither blocks. */
#ifndef TANDEM_CORES_TO_REPLICATOR_H
#define TANDEM_CORES_TO_REPLICATOR_H

#include "cores/msg.h"
#include "repl/keys.h"

// clang-format off
#define TO_REPLICATOR_ROWS(X) \
	X(TO_REPLICATOR, to_replicator, STOP, stop) \
	X(TO_REPLICATOR, to_replicator, WRITE, write) \
	X(TO_REPLICATOR, to_replicator, START, start) \
	X(TO_REPLICATOR, to_replicator, DRAIN, drain) \
	X(TO_REPLICATOR, to_replicator, LATE_DRAIN, late_drain) \
	X(TO_REPLICATOR, to_replicator, LATE_STREAM_OFF, late_stream_off) \
	X(TO_REPLICATOR, to_replicator, HEARTBEAT, heartbeat) \
	X(TO_REPLICATOR, to_replicator, KEY, key) \
	X(TO_REPLICATOR, to_replicator, KEY_USE, key_use) \
	X(TO_REPLICATOR, to_replicator, AUDIT, audit)
// clang-format on
MSG_TYPES(TO_REPLICATOR, to_replicator, TO_REPLICATOR_ROWS)

/* Orders of a role change. from_replicator's `done` answers each, with the order's cookie. */

/* Apply all that is held, then write no slot any more. The answer has the number of the last packet
 * that was applied. */
struct to_replicator_stop {
	repl_term_t term;
	uint64_t cookie;
};
/* Write the slots from now on, as standby of the Active of `term`. */
struct to_replicator_write {
	repl_term_t term;
	uint64_t cookie;
	repl_term_t late_term; /* of which our own usage still goes out; 0: none does */
};
/* Stream as Active of `term`. */
struct to_replicator_start {
	repl_term_t term;
	uint64_t cookie;
};
/* Answered once all that was sent is acknowledged, with the number of the last packet; refused when
 * the stream ends before. */
struct to_replicator_drain {
	repl_term_t term;
	uint64_t cookie;
};

/* from_replicator's `late_drained` comes once all late usage of `term` is acknowledged. */
struct to_replicator_late_drain {
	repl_term_t term;
};
/* The stream of late usage of `term` ends. */
struct to_replicator_late_stream_off {
	repl_term_t term;
};
/* What heartbeats say from now on. */
struct to_replicator_heartbeat {
	repl_term_t term;
	uint16_t len;
	bool at_once; /* one leaves now */
	uint8_t body[MSG_BODY];
};
/* The secrets of a new SRP connection. Answered by from_replicator's `keyed`: what they seal can be
 * opened from then on. */
struct to_replicator_key {
	uint64_t cookie;
	uint16_t key_id;
	uint8_t tx_secret[KEYS_SECRET], rx_secret[KEYS_SECRET];
};
/* A hello came over the connection of that key: seal with it. */
struct to_replicator_key_use {
	uint16_t key_id;
	bool restarted; /* the hello was of another process of the peer than before */
};
/* Begin a pass of the audit now: as standby oneself, as Active by asking the standby to. */
struct to_replicator_audit {
	uint8_t none; /* the type says it all, and C knows no struct without members */
};

MSG_DIRECTION(TO_REPLICATOR, to_replicator, TO_REPLICATOR_ROWS)

struct to_replicator *to_replicator_stop(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_replicator *to_replicator_write(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie, repl_term_t late_term);
struct to_replicator *to_replicator_start(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_replicator *to_replicator_drain(
	struct rte_mempool *pool, repl_term_t term, uint64_t cookie);
struct to_replicator *to_replicator_late_drain(struct rte_mempool *pool, repl_term_t term);
struct to_replicator *to_replicator_late_stream_off(struct rte_mempool *pool, repl_term_t term);
/* Makes a message with a body of len bytes; len <= MSG_BODY. */
struct to_replicator *to_replicator_heartbeat(
	struct rte_mempool *pool, repl_term_t term, const uint8_t *body, size_t len, bool at_once);
/* The key's id and both secrets are the caller's to fill in. */
struct to_replicator *to_replicator_key(struct rte_mempool *pool, uint64_t cookie);
struct to_replicator *to_replicator_key_use(
	struct rte_mempool *pool, uint16_t key_id, bool restarted);
struct to_replicator *to_replicator_audit(struct rte_mempool *pool);

#endif
