/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which number, and whose list counts. */
#include "numbers/numbers.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[PLACES_KINDS] = { "apns", "pools" };

uint8_t numbers_of(const struct numbers *n, enum places_kind kind, const char *name)
{
	for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
		if (n->of[kind][i].state == NUMBERS_USED && strcmp(n->of[kind][i].name, name) == 0)
			return (uint8_t)i;
	return NUMBERS_NONE;
}

/* ---- the Active gives numbers ---- */

static const struct numbers_item *numbers_find(
	const struct numbers_items *w, enum places_kind kind, const char *name)
{
	for (unsigned int i = 0; i < w->n[kind]; i++)
		if (w->of[kind][i].name != NULL && strcmp(w->of[kind][i].name, name) == 0)
			return &w->of[kind][i];
	return NULL;
}

static bool numbers_is_id(const struct numbers_items *w, enum places_kind kind, unsigned int number)
{
	for (unsigned int i = 0; i < w->n[kind]; i++)
		if (w->of[kind][i].name != NULL && w->of[kind][i].id == number)
			return true;
	return false;
}

static void numbers_leave(struct numbers_entry *e, uint64_t now_s)
{
	e->state = NUMBERS_GONE;
	e->waits = false;
	e->gone_s = now_s > 0 ? now_s : 1; /* 0 is in use */
	memset(e->what, 0, sizeof(e->what));
}

static const char *numbers_what(const struct numbers_item *w)
{
	return w->what != NULL ? w->what : "";
}

static void numbers_use(struct numbers_entry *e, const struct numbers_item *w)
{
	*e = (struct numbers_entry){ .state = NUMBERS_USED, .waits = true };
	snprintf(e->name, sizeof(e->name), "%s", w->name);
	snprintf(e->what, sizeof(e->what), "%s", numbers_what(w));
}

/* The item is another than the list says, by the same name. */
static bool numbers_describe(struct numbers_entry *e, const struct numbers_item *w)
{
	if (strcmp(e->what, numbers_what(w)) == 0)
		return false;
	memset(e->what, 0, sizeof(e->what));
	snprintf(e->what, sizeof(e->what), "%s", numbers_what(w));
	return true;
}

/* The number that the name had. */
static unsigned int numbers_former(const struct numbers *n, const struct numbers_items *w,
	enum places_kind kind, const char *name)
{
	for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
		if (n->of[kind][i].state == NUMBERS_GONE && !numbers_is_id(w, kind, i) &&
			strcmp(n->of[kind][i].name, name) == 0)
			return i;
	return NUMBERS_NONE;
}

/* The lowest that nobody ever had, else the one that is gone for longest. */
static unsigned int numbers_unused(
	const struct numbers *n, const struct numbers_order *o, enum places_kind kind)
{
	unsigned int oldest = NUMBERS_NONE;

	for (unsigned int i = o->seat == 0 ? 1 : 2; i <= NUMBERS_LAST; i += 2) {
		const struct numbers_entry *e = &n->of[kind][i];

		if (numbers_is_id(o->items, kind, i))
			continue;
		if (e->state == NUMBERS_FREE)
			return i;
		if (e->state == NUMBERS_GONE && o->now_s >= e->gone_s &&
			o->now_s - e->gone_s >= o->quarantine_s &&
			(oldest == NUMBERS_NONE || e->gone_s < n->of[kind][oldest].gone_s))
			oldest = i;
	}
	return oldest;
}

static bool numbers_is_over(
	const struct numbers_entry *e, const struct numbers_items *w, enum places_kind kind)
{
	return e->state == NUMBERS_KNOWN ||
	       (e->state == NUMBERS_USED && numbers_find(w, kind, e->name) == NULL);
}

static bool numbers_end_removed(
	struct numbers *n, const struct numbers_order *o, enum places_kind kind)
{
	bool changed = false;

	for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
		struct numbers_entry *e = &n->of[kind][i];

		if (!numbers_is_over(e, o->items, kind))
			continue;
		numbers_leave(e, o->now_s);
		changed = true;
	}
	return changed;
}

/* 1: the list is another one now; 0: it is as it was; -1: there is no number, and why. */
static int numbers_give(struct numbers *n, const struct numbers_order *o, enum places_kind kind,
	const struct numbers_item *w, char why[NUMBERS_WHY])
{
	unsigned int has = numbers_of(n, kind, w->name), gets = w->id;

	if (has != NUMBERS_NONE && (gets == NUMBERS_NONE || gets == has))
		return numbers_describe(&n->of[kind][has], w);
	if (gets != NUMBERS_NONE && n->of[kind][gets].state == NUMBERS_USED) {
		snprintf(why, NUMBERS_WHY,
			"%s[%.40s].id is %u, which is the number of %.40s: give it another id",
			kind_names[kind], w->name, gets, n->of[kind][gets].name);
		return -1;
	}
	if (gets == NUMBERS_NONE)
		gets = numbers_former(n, o->items, kind, w->name);
	if (gets == NUMBERS_NONE)
		gets = numbers_unused(n, o, kind);
	if (gets == NUMBERS_NONE) {
		snprintf(why, NUMBERS_WHY,
			"no number is left for %s[%.40s]: give it an id, or wait for the "
			"quarantine of those that were removed",
			kind_names[kind], w->name);
		return -1;
	}
	if (has != NUMBERS_NONE)
		numbers_leave(&n->of[kind][has], o->now_s);
	numbers_use(&n->of[kind][gets], w);
	return 1;
}

unsigned int numbers_assign(struct numbers *n, const struct numbers_order *o, char why[NUMBERS_WHY])
{
	unsigned int without = 0;
	bool changed = n->term == 0;
	char more[NUMBERS_WHY];

	why[0] = '\0';
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++) {
		changed |= numbers_end_removed(n, o, kind);
		for (unsigned int i = 0; i < o->items->n[kind]; i++) {
			const struct numbers_item *w = &o->items->of[kind][i];
			int ret = w->name != NULL
					  ? numbers_give(n, o, kind, w, without == 0 ? why : more)
					  : 0;

			changed |= ret > 0;
			without += ret < 0;
		}
	}
	if (!changed)
		return without;
	n->revision = n->term == o->term ? n->revision + 1 : 1;
	n->term = o->term;
	return without;
}

unsigned int numbers_waiting(const struct numbers *n)
{
	unsigned int waiting = 0;

	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
			waiting += n->of[kind][i].waits;
	return waiting;
}

void numbers_release(struct numbers *n)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
			n->of[kind][i].waits = false;
}

/* ---- two lists ---- */

bool numbers_yield(const struct numbers *own, const struct numbers *theirs, bool holds)
{
	if (theirs->term == 0)
		return false;
	if (theirs->term == own->term)
		return theirs->revision > own->revision ||
		       (holds && theirs->revision != own->revision);
	return holds || theirs->term > own->term;
}

unsigned int numbers_take(struct numbers *own, const struct numbers *theirs)
{
	unsigned int others = 0;

	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			const struct numbers_entry *t = &theirs->of[kind][i];
			struct numbers_entry *e = &own->of[kind][i];

			if (t->state != NUMBERS_FREE &&
				(e->state == NUMBERS_USED || e->state == NUMBERS_KNOWN))
				others += strcmp(t->name, e->name) != 0;
			if (t->state != NUMBERS_FREE)
				*e = *t;
			else if (e->state != NUMBERS_FREE)
				e->state = NUMBERS_KNOWN;
		}
	own->term = theirs->term;
	own->revision = theirs->revision;
	return others;
}

void numbers_forget(struct numbers *n)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
			if (n->of[kind][i].state == NUMBERS_KNOWN)
				n->of[kind][i] = (struct numbers_entry){ 0 };
}

/* ---- places ---- */

static uint8_t numbers_said(
	const struct numbers *n, enum places_kind kind, const struct numbers_item *w)
{
	uint8_t number = w->name != NULL ? numbers_of(n, kind, w->name) : (uint8_t)NUMBERS_NONE;

	return n->of[kind][number].waits ? (uint8_t)NUMBERS_NONE : number;
}

void numbers_places(const struct numbers *n, const struct numbers_items *w, struct places *places)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++) {
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			const struct numbers_entry *e = &n->of[kind][i];
			const struct numbers_item *of =
				e->state != NUMBERS_FREE ? numbers_find(w, kind, e->name) : NULL;
			unsigned int index = of != NULL ? (unsigned int)(of - w->of[kind])
							: (unsigned int)PLACES_NONE;

			atomic_store_explicit(
				&places->at[kind][i], (uint8_t)index, memory_order_release);
		}
		for (unsigned int i = 0; i < PLACES_MOST; i++)
			atomic_store_explicit(&places->number[kind][i],
				i < w->n[kind] ? numbers_said(n, kind, &w->of[kind][i])
					       : (uint8_t)NUMBERS_NONE,
				memory_order_release);
	}
}
