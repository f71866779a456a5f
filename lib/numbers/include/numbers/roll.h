/* SPDX-License-Identifier: BSD-3-Clause */
/* roll: the pair's list of numbers as one chassis keeps it while APNs and pools come and go: when
 * it is revised, when records may go by what is new in it, when the peer's is taken, and when an
 * item may leave its place. Pure, and in the caller's memory; the control core, or a simulator. */
#ifndef TANDEM_NUMBERS_ROLL_H
#define TANDEM_NUMBERS_ROLL_H

#include "common/usec.h"
#include "numbers/numbers.h"

enum {
	/* a list that names what the own next configuration will bring waits for it for so long */
	ROLL_AWAIT_US = 2000000,
	/* what could not be made is tried again after */
	ROLL_AGAIN_US = 1000000,
	/* records that were on their way when the Active let an item go are applied after */
	ROLL_LEAVE_US = 2000000
};

enum roll_role {
	ROLL_FOLLOWS, /* Init or Standby: the peer's list counts if it is Active */
	ROLL_CHANGES, /* between roles: the list stays as it is */
	ROLL_LEADS    /* Active: the own list is the pair's */
};

/* What the chassis knows of itself and the peer. */
struct roll_sight {
	enum roll_role role;
	uint64_t term;    /* LEADS: of the role */
	uint64_t wall_s;  /* since 1970 */
	bool stream;      /* FOLLOWS: Standby, and the two agree: records may come at any time */
	bool next_waits;  /* a configuration that was loaded here is about to run */
	bool table_empty; /* the own */
	/* FOLLOWS: each part of the own table has matched the peer's since then; USEC_NEVER: not so
	 */
	usec_t matched_since;
	/* LEADS: the peer has the same list, or takes no records before it has (lib/srp) */
	bool may_use;
};

/* All zero but seat and quarantine: a chassis without a list. */
struct roll {
	struct numbers list;
	/* What has a place here, by place. The owner writes it, and says so by roll_moved(). */
	struct numbers_items items;
	unsigned int seat;
	uint32_t quarantine_s;
	unsigned int without;  /* LEADS: so many items have no number, and */
	char why[NUMBERS_WHY]; /* why the first has none */

	struct numbers theirs; /* offered: the peer's list, which is not taken yet */
	bool offered, holds;   /* holds: it is an Active's */
	usec_t offered_at, again_at;
	/* Items moved: places are to be written; as Active, the list to be revised; else the list
	 * may have a number in use whose item has left. */
	bool moved, due, lacks;
	bool waits;      /* numbers of the list do */
	bool remembers;  /* the list has numbers that only the own table may still have */
	usec_t taken_at; /* when the peer's list was, last */
	usec_t gone_at[PLACES_KINDS][NUMBERS_LAST + 1]; /* USEC_NEVER: it is in use */
};

/* What the owner must do, in this order. */
enum roll_news {
	/* alone: sessions may hold numbers that stand for others now: begin anew, with an empty
	 * table */
	ROLL_CONTRADICTED = 1,
	ROLL_LIST = 2,  /* the list is another: to the peer, and to disk */
	ROLL_USE = 4,   /* records go by all of it from now on: srp_numbers_use() */
	ROLL_PLACES = 8 /* numbers_places() */
};

/* The list that was on disk is read, if there was one: nothing of it has just gone. */
void roll_started(struct roll *r);
/* The items are others now. */
void roll_moved(struct roll *r);
/* The slots are about to be this chassis' own, in the sight's term, with all numbers. Returns
 * news. */
unsigned int roll_own(struct roll *r, const struct roll_sight *s, usec_t now);
/* The peer's list is here; holds: it is Active or about to be. false: it is not understood. */
bool roll_offer(struct roll *r, const char *text, size_t len, bool holds, usec_t now);
/* What was offered and is not taken yet is not the peer's any more. */
void roll_offer_void(struct roll *r);
/* Once a turn, and behind each of the calls above. Returns news. */
unsigned int roll_turn(struct roll *r, const struct roll_sight *s, usec_t now);
/* Before the offered list is taken each of its items in use needs a place here, because records may
 * come under it, and so has the own list's: the next that has none, pools before APNs, and NULL:
 * none is wanted now. The owner
 * makes one that drains, writes the items and calls roll_moved(), or roll_not_made(). */
const struct numbers_entry *roll_wants(
	const struct roll *r, const struct roll_sight *s, enum places_kind *kind, usec_t now);
void roll_not_made(struct roll *r, usec_t now);
/* The same of the list that was on disk, before the peer hears of it: the peer may have sessions of
 * them. */
const struct numbers_entry *roll_wants_at_start(const struct roll *r, enum places_kind *kind);
/* Whether the item at that place, which no session here has any more, may leave it: nobody sends
 * sessions of it. */
bool roll_may_leave(const struct roll *r, const struct roll_sight *s, enum places_kind kind,
	unsigned int at, usec_t now);

#endif
