/* SPDX-License-Identifier: BSD-3-Clause */
/* lists: two bounded lists of sessions that are to end. Superseded: those whose subscriber has a
 * newer one, kept by the control core. Purge: peers that restarted, kept by an owner for its pass
 * over the table. Each list has one caller; nothing blocks. */
#ifndef TANDEM_PDP_LISTS_H
#define TANDEM_PDP_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/siphash.h"

/* As many peers as lib/pdp knows at a time: after a switchover each may ask within one pass. */
enum { PDP_SUPERSEDED = 256, PDP_PURGES = 1024, PDP_PURGE_CHAIN = 16 };

struct pdp_superseded {
	unsigned int n;
	struct {
		uint64_t key;
		uint32_t handle;
	} session[PDP_SUPERSEDED];
};

/* What the list asks of the table, and what it says. */
struct pdp_superseded_ops {
	/* The live session of a key: its handle, 0 none. */
	uint32_t (*find)(void *ctx, uint64_t key);
	/* The session of that handle lives and has that key. */
	bool (*lives)(void *ctx, uint32_t handle, uint64_t key);
	void *ctx;
	/* It lives although `by` came later. NULL: it is not ours to end. */
	void (*end)(void *end_ctx, uint32_t superseded, uint32_t by);
	void *end_ctx;
};

/* Handle `was` of that key is not the newest any more. False: the list is full, and the session
 * stays until its peer restarts. */
bool pdp_superseded_add(struct pdp_superseded *l, uint64_t key, uint32_t was);
/* The newest session of that key ended: the one before it that lives, 0 none. Asks `lives` alone.
 */
uint32_t pdp_superseded_before(
	const struct pdp_superseded *l, uint64_t key, const struct pdp_superseded_ops *ops);
/* Forgets those that are gone or the newest again, and calls `end` for those that a newer one
 * stands behind; all of these stay until they are gone. */
void pdp_superseded_walk(struct pdp_superseded *l, const struct pdp_superseded_ops *ops);

/* Peers whose sessions with another Recovery end. What was asked counts from the next pass on, so
 * that a pass ends every session that it concerns. Strangers choose addresses: a bucket has
 * PDP_PURGE_CHAIN peers at most, and who finds no room in one waits for the pass after. */
struct pdp_purge {
	struct siphash_secret secret; /* the caller's to set, before the first call */
	unsigned int n, n_asked;
	struct pdp_purge_peer {
		struct ip_addr addr;
		uint8_t recovery;
	} peer[PDP_PURGES], asked[PDP_PURGES];
	/* Places in `peer` plus 1, by a hash of the address; 0: no more. */
	uint16_t first[PDP_PURGES], next[PDP_PURGES];
};

/* False: the list is full, and the peer's sessions stay until they are asked for. */
bool pdp_purge_add(struct pdp_purge *l, const struct ip_addr *addr, uint8_t recovery);
/* A pass is over, and the next one begins with what was asked meanwhile. Returns how many peers
 * have to wait for the one after. */
unsigned int pdp_purge_pass(struct pdp_purge *l);
/* Whether a session of that peer, 16 octets, with that Recovery ends in this pass. */
bool pdp_purge_hits(const struct pdp_purge *l, const uint8_t peer[16], uint8_t recovery);

#endif
