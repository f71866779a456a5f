/* SPDX-License-Identifier: BSD-3-Clause */
/* placed: the APNs and pools that run, each at a place that it keeps while the process lives. What
 * a new file has no more drains: nobody is given it anew, its sessions go on, and it leaves its
 * place when none has it. The control core alone; it has no memory but the caller's. */
#ifndef TANDEM_CONFIG_PLACED_H
#define TANDEM_CONFIG_PLACED_H

#include "common/places.h"
#include "config/items.h"

enum {
	PLACED_WHY = 384, /* room of a reason */
	PLACED_WHAT = 96  /* of an item as text, its end included */
};

enum placed_state { PLACED_FREE, PLACED_USED, PLACED_DRAINING };

struct placed_apn {
	enum placed_state state;
	struct config_apn conf; /* pool_index: the place of its pool; CONFIG_POOLS: it left */
};
struct placed_pool {
	enum placed_state state;
	struct config_pool conf;
};

struct config_placed {
	unsigned int n_apns, n_pools; /* one beyond the highest place that is not free */
	struct placed_apn apn[CONFIG_APNS];
	struct placed_pool pool[CONFIG_POOLS];
};

struct config;

/* What a process starts with: all of its file, in the order there. */
void placed_begin(struct config_placed *p, const struct config *c);

/* What runs with the lists of `next`, which was loaded without errors: who is in both keeps its
 * place, and is used again if it drained; who is new gets a free one; who is in `p` alone drains.
 * 0; -ENOSPC: no place is free; -EEXIST: an item that drains is in the way, of the same name, id or
 * addresses. Then `why` says what to do. `to` is not `p`. */
int placed_next(const struct config_placed *p, const struct config *next, struct config_placed *to,
	char why[PLACED_WHY]);

/* The place of an item of that name, whether it is used or drains; -ENOENT. */
int placed_find(const struct config_placed *p, enum places_kind kind, const char *name);
/* One beyond the highest place, the state and the name of one below PLACES_MOST. */
unsigned int placed_places(const struct config_placed *p, enum places_kind kind);
enum placed_state placed_state(
	const struct config_placed *p, enum places_kind kind, unsigned int at);
const char *placed_name(const struct config_placed *p, enum places_kind kind, unsigned int at);
/* How a state is called in views. */
const char *placed_state_name(enum placed_state state);

/* Whoever drained there has left. */
void placed_leave(struct config_placed *p, enum places_kind kind, unsigned int at);

/* What a peer must know of the item at a place to hold its sessions, as one word of printable
 * ASCII: of a pool PREFIX,SRP-ACTIVATE,QUARANTINE,ID, of an APN
 * POOL,SESSION-TIMEOUT,IDLE-TIMEOUT,AMBR-UP,AMBR-DOWN,ID. */
void placed_what(const struct config_placed *p, enum places_kind kind, unsigned int at,
	char what[PLACED_WHAT]);
/* Takes an item that a peer has and this chassis' file has not, with a name and a text of
 * placed_what() that anybody may have sent: it drains, at a free place, which is returned.
 * -EBADMSG: no such text or name; -EEXIST: the name is there, or the addresses are another pool's;
 * -ENOSPC. Pools come before the APNs that name them. */
int placed_drain(
	struct config_placed *p, enum places_kind kind, const char *name, const char *what);

#endif
