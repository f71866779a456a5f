/* SPDX-License-Identifier: BSD-3-Clause */
/* numbers: the pair's list of APNs and pools by number, from which slots and wire name them. A
 * number never moves while the pair lives: it is given by the Active alone, to names, and outlives
 * the configuration's order. Pure, and in the caller's memory; the control core, or a simulator. */
#ifndef TANDEM_NUMBERS_H
#define TANDEM_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/places.h"

enum {
	NUMBERS_NONE = 0,
	NUMBERS_LAST = 254,       /* that is given; 255 is SESSION_NO_POOL */
	NUMBERS_NAME = 101,       /* of an APN or pool, its end included */
	NUMBERS_WHAT = 128,       /* of what it is, its end included */
	NUMBERS_BYTES = 80 << 10, /* of the longest list */
	NUMBERS_WHY = 160
};

/* KNOWN: it was in the own list, which gave way to a list without it, and the table may have
 * sessions of it yet. It is part of no bytes. */
enum numbers_state { NUMBERS_FREE, NUMBERS_KNOWN, NUMBERS_GONE, NUMBERS_USED };

struct numbers_entry {
	enum numbers_state state;
	/* USED: the peer may not have a place for it yet, and nobody gives it to a session. It is
	 * part of no bytes. */
	bool waits;
	uint64_t gone_s; /* GONE: since when, seconds since 1970 */
	char name[NUMBERS_NAME];
	/* USED: what the item is, for a chassis that must hold sessions of it and has no such item.
	 * Printable, and means nothing here. */
	char what[NUMBERS_WHAT];
};

/* All zero: no list. term: of the Active that changed it last (lib/srp), 0: there is no list;
 * revision: its changes in that term, from 1. Two lists of one term and revision are the same. */
struct numbers {
	uint64_t term;
	uint32_t revision;
	struct numbers_entry of[PLACES_KINDS][NUMBERS_LAST + 1]; /* by number; 0 is not used */
};

/* What a chassis wants numbers for, by place: what its configuration has, and what only sessions
 * have any more. Texts are the caller's. */
struct numbers_item {
	const char *name; /* NULL: nothing has that place */
	uint8_t id;       /* the number that it must have, 0: any */
	const char *what; /* printable and below NUMBERS_WHAT; NULL: nothing is said of it */
};
struct numbers_items {
	unsigned int n[PLACES_KINDS]; /* one beyond the last */
	struct numbers_item of[PLACES_KINDS][PLACES_MOST];
};

struct numbers_order {
	const struct numbers_items *items;
	/* of the chassis, 0 or 1: it gives odd or even numbers, so that two that are Active apart
	 * never give the same number to two names */
	unsigned int seat;
	uint64_t term;         /* of the Active: not 0 */
	uint64_t now_s;        /* since 1970 */
	uint32_t quarantine_s; /* a removed number is not given to another name for so long */
};

/* As Active: whoever is among the items and has no number is given one, in the order of places,
 * which waits; whoever is not among them any more is gone, and finds its number again when it comes
 * back; what is KNOWN is gone, too. Term and revision move if anything else did. Returns how many
 * have no number; `why` has the first: an id that is another's, or no number left. */
unsigned int numbers_assign(
	struct numbers *n, const struct numbers_order *o, char why[NUMBERS_WHY]);

/* How many numbers wait; and none does any more: the peer has a place for each, or takes no
 * records before it has. */
unsigned int numbers_waiting(const struct numbers *n);
void numbers_release(struct numbers *n);

/* Whether the own list gives way to the peer's: it does when the peer is Active or about to be
 * (`holds`), else when the peer's was changed in a later term. An absent one never wins. */
bool numbers_yield(const struct numbers *own, const struct numbers *theirs, bool holds);
/* Takes the peer's list. What the own one had besides is KNOWN from now on. Returns how many
 * numbers that were in use or KNOWN stand for another name now: none, unless a chassis that had
 * lost its list was Active apart, for each gives numbers of its own seat. Sessions of the own table
 * that have such a number must not be served. One that was gone may be another's: its quarantine is
 * over. */
unsigned int numbers_take(struct numbers *own, const struct numbers *theirs);
/* The own table is a whole copy of the peer's, or empty: nothing is KNOWN any more. */
void numbers_forget(struct numbers *n);

/* The list as text: a line `tandem-numbers 1 TERM REVISION`, then `apn|pool NUMBER GONE NAME` in
 * the order of kinds and numbers, GONE 0 of what is in use, and of that ` WHAT` behind the name if
 * it says anything. At most PLACES_MOST of a kind are in use. Returns its length, 0: `room` is too
 * small (NUMBERS_BYTES never is), or there is no list. */
size_t numbers_print(const struct numbers *n, char *to, size_t room);
/* Reads such a text, which anybody may have sent, and nothing but what numbers_print() writes. 0 or
 * -EBADMSG, then *n has no list. */
int numbers_read(struct numbers *n, const char *text, size_t len);
/* Of such a text, to see whether two are the same; 0: of no list. */
uint64_t numbers_digest(const char *text, size_t len);

/* The number in use of a name, NUMBERS_NONE: it has none. */
uint8_t numbers_of(const struct numbers *n, enum places_kind kind, const char *name);
/* Writes which number stands for which item, byte by byte, while others read: a number that waits
 * has its place, and is no item's number yet. */
void numbers_places(const struct numbers *n, const struct numbers_items *w, struct places *places);

#endif
