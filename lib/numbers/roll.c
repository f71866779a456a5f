/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of a chassis through its roles, while items come and go. */
#include "numbers/roll.h"

#include <string.h>

static bool roll_has_item(const struct roll *r, enum places_kind kind, const char *name)
{
	const struct numbers_items *w = &r->items;

	for (unsigned int i = 0; i < w->n[kind]; i++)
		if (w->of[kind][i].name != NULL && strcmp(w->of[kind][i].name, name) == 0)
			return true;
	return false;
}

void roll_moved(struct roll *r)
{
	r->moved = r->due = r->lacks = true;
}

/* Since when which number is not in use any more. */
static void roll_note_gone(struct roll *r, usec_t now)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			usec_t *at = &r->gone_at[kind][i];

			if (r->list.of[kind][i].state == NUMBERS_USED)
				*at = USEC_NEVER;
			else if (*at == USEC_NEVER)
				*at = now;
		}
}

void roll_started(struct roll *r)
{
	roll_note_gone(r, 0);
	r->moved = r->due = false;
}

/* ---- as Active ---- */

static unsigned int roll_revise(struct roll *r, const struct roll_sight *s, usec_t now)
{
	const struct numbers_order o = { .items = &r->items,
		.seat = r->seat,
		.term = s->term,
		.now_s = s->wall_s,
		.quarantine_s = r->quarantine_s };
	uint64_t term = r->list.term;
	uint32_t revision = r->list.revision;

	r->without = numbers_assign(&r->list, &o, r->why);
	r->waits = numbers_waiting(&r->list) > 0;
	r->offered = r->remembers = r->due = r->moved = false;
	roll_note_gone(r, now);
	return term != r->list.term || revision != r->list.revision ? ROLL_LIST | ROLL_PLACES
								    : ROLL_PLACES;
}

static unsigned int roll_release(struct roll *r)
{
	numbers_release(&r->list);
	r->waits = false;
	return ROLL_USE | ROLL_PLACES;
}

/* Whoever takes over may have sessions of what the one before let go, and begins another stream:
 * that waits for the list, and not the numbers for the peer. */
unsigned int roll_own(struct roll *r, const struct roll_sight *s, usec_t now)
{
	return roll_revise(r, s, now) | roll_release(r);
}

static unsigned int roll_leads(struct roll *r, const struct roll_sight *s, usec_t now)
{
	unsigned int news = r->due ? roll_revise(r, s, now) : 0;

	/* Behind a revision lib/srp must hear of it first, before it can say what the peer has. */
	return news == 0 && r->waits && s->may_use ? roll_release(r) : news;
}

/* ---- the peer's list ---- */

bool roll_offer(struct roll *r, const char *text, size_t len, bool holds, usec_t now)
{
	if (numbers_read(&r->theirs, text, len) < 0) {
		r->offered = false;
		return false;
	}
	if (!r->offered)
		r->offered_at = now;
	r->offered = true;
	r->holds = holds;
	r->again_at = now;
	return true;
}

void roll_offer_void(struct roll *r)
{
	r->offered = false;
}

static const struct numbers_entry *roll_missing(
	const struct roll *r, const struct numbers *of, enum places_kind *kind)
{
	static const enum places_kind order[PLACES_KINDS] = { PLACES_POOL, PLACES_APN };

	for (unsigned int k = 0; k < PLACES_KINDS; k++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			const struct numbers_entry *e = &of->of[order[k]][i];

			*kind = order[k];
			if (e->state == NUMBERS_USED && !roll_has_item(r, *kind, e->name))
				return e;
		}
	return NULL;
}

/* In the middle of a stream the own reload is about to bring what the Active's has brought. */
static bool roll_awaits_next(const struct roll *r, const struct roll_sight *s, usec_t now)
{
	return s->stream && s->next_waits && now < r->offered_at + ROLL_AWAIT_US;
}

const struct numbers_entry *roll_wants(
	const struct roll *r, const struct roll_sight *s, enum places_kind *kind, usec_t now)
{
	const struct numbers_entry *own = NULL;

	if (s->role != ROLL_FOLLOWS || now < r->again_at)
		return NULL;
	if (r->lacks)
		own = roll_missing(r, &r->list, kind);
	if (own != NULL || !r->offered || !numbers_yield(&r->list, &r->theirs, r->holds) ||
		roll_awaits_next(r, s, now))
		return own;
	return roll_missing(r, &r->theirs, kind);
}

const struct numbers_entry *roll_wants_at_start(const struct roll *r, enum places_kind *kind)
{
	return roll_missing(r, &r->list, kind);
}

void roll_not_made(struct roll *r, usec_t now)
{
	r->again_at = now + ROLL_AGAIN_US;
}

/* A number that was gone is another's now, and what it stood for has its place here yet. */
static bool roll_is_held(const struct roll *r)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			const struct numbers_entry *e = &r->list.of[kind][i],
						   *t = &r->theirs.of[kind][i];

			if (e->state == NUMBERS_GONE && t->state != NUMBERS_FREE &&
				strcmp(e->name, t->name) != 0 && roll_has_item(r, kind, e->name))
				return true;
		}
	return false;
}

static unsigned int roll_take(struct roll *r, const struct roll_sight *s, usec_t now)
{
	bool held = !s->table_empty && roll_is_held(r);

	r->offered = false;
	if (s->table_empty)
		memset(&r->list, 0, sizeof(r->list));
	if (numbers_take(&r->list, &r->theirs) > 0 || held)
		return ROLL_CONTRADICTED;
	r->remembers = !s->table_empty;
	r->taken_at = now;
	r->waits = r->moved = false;
	roll_note_gone(r, now);
	return ROLL_LIST | ROLL_PLACES;
}

static unsigned int roll_follows(struct roll *r, const struct roll_sight *s, usec_t now)
{
	enum places_kind kind;
	unsigned int news = 0;

	r->lacks = r->lacks && roll_missing(r, &r->list, &kind) != NULL;
	if (r->remembers && s->matched_since != USEC_NEVER && s->matched_since > r->taken_at) {
		r->remembers = false;
		numbers_forget(&r->list);
		news = ROLL_PLACES;
	}
	if (!r->offered)
		return news;
	if (!numbers_yield(&r->list, &r->theirs, r->holds))
		r->offered = false;
	else if (roll_missing(r, &r->theirs, &kind) == NULL)
		return roll_take(r, s, now);
	return news;
}

/* ---- a turn ---- */

unsigned int roll_turn(struct roll *r, const struct roll_sight *s, usec_t now)
{
	unsigned int news = 0;

	if (s->role == ROLL_LEADS)
		news = roll_leads(r, s, now);
	else if (s->role == ROLL_FOLLOWS)
		news = roll_follows(r, s, now);
	if ((news & ROLL_CONTRADICTED) == 0 && r->moved)
		news |= ROLL_PLACES;
	r->moved = false;
	return news;
}

bool roll_may_leave(const struct roll *r, const struct roll_sight *s, enum places_kind kind,
	unsigned int at, usec_t now)
{
	const char *name = at < r->items.n[kind] ? r->items.of[kind][at].name : NULL;

	if (name == NULL || s->role != ROLL_FOLLOWS)
		return s->role == ROLL_LEADS;
	if (r->offered && numbers_of(&r->theirs, kind, name) != NUMBERS_NONE)
		return false;
	for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
		const struct numbers_entry *e = &r->list.of[kind][i];

		if (e->state == NUMBERS_FREE || strcmp(e->name, name) != 0)
			continue;
		if (e->state == NUMBERS_USED || now < r->gone_at[kind][i] + ROLL_LEAVE_US)
			return false;
	}
	return true;
}
