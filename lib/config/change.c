/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reload would change: every row of the knob table, told apart by KNOB_LIVE, and the items
 * of lists that came or went. Items of lists are matched by their names (the first row of every
 * list); that their order counts is why a new order is a change as well. */
#include <stdlib.h>

#include "knob.h"
#include "peers/gtp_peers.h"

struct changes {
	void (*each)(void *ctx, const struct config_change *ch);
	void *ctx;
	unsigned int n;
};

static void change_tell(
	struct changes *d, const char *key, const char *from, const char *to, bool live)
{
	d->each(d->ctx,
		&(struct config_change){ .key = key, .from = from, .to = to, .live = live });
	d->n++;
}

/* NULL: no memory. */
static char *change_value_text(const struct knob *k, const void *item)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	if (knob_is_set(k, item))
		knob_print(k, item, to);
	else
		fputs("none", to);
	return fclose(to) == 0 ? text : NULL;
}

/* A value that cannot be looked at for want of memory counts as changed, and as one that needs a
 * restart. */
static void change_knob(struct changes *d, const struct section *s, const struct knob *k,
	const void *now, const void *next)
{
	char *from = change_value_text(k, now), *to = change_value_text(k, next);
	char key[CONFIG_CHANGE_KEY];

	if (s->item_size > 0)
		snprintf(key, sizeof(key), "%s[%s].%s", s->name, section_item_name(s, now), k->key);
	else
		snprintf(key, sizeof(key), "%s%s%s", s->name != NULL ? s->name : "",
			s->name != NULL ? "." : "", k->key);
	if (from == NULL || to == NULL)
		change_tell(d, key, "?", "?", false);
	else if (strcmp(from, to) != 0)
		change_tell(d, key, from, to, (k->flags & KNOB_LIVE) != 0);
	free(from);
	free(to);
}

static void items_change(
	struct changes *d, const struct section *s, const void *now, const void *next)
{
	for (unsigned int j = 0; j < s->n_knobs; j++)
		change_knob(d, s, &s->knobs[j], now, next);
}

static void change_item_came_or_went(
	struct changes *d, const struct section *s, const void *item, bool came)
{
	char key[CONFIG_CHANGE_KEY];

	snprintf(key, sizeof(key), "%s[%s]", s->name, section_item_name(s, item));
	change_tell(d, key, came ? "absent" : "present", came ? "present" : "absent", s->lives);
}

static void change_list(struct changes *d, const struct section *s, const struct config *now,
	const struct config *next)
{
	unsigned int n = section_items(s, now), n_next = section_items(s, next), moved = n,
		     same = 0;

	for (unsigned int i = 0; i < n; i++) {
		const void *item = section_item_const(s, now, i),
			   *other = section_item_by_name(s, next, section_item_name(s, item));

		if (other == NULL) {
			change_item_came_or_went(d, s, item, false);
			continue;
		}
		same++;
		if (i < n_next && other != section_item_const(s, next, i) && moved == n)
			moved = i;
		items_change(d, s, item, other);
	}
	for (unsigned int i = 0; i < n_next; i++)
		if (section_item_by_name(
			    s, now, section_item_name(s, section_item_const(s, next, i))) == NULL)
			change_item_came_or_went(d, s, section_item_const(s, next, i), true);
	/* the first port's MAC address breaks ties */
	if (same == n && same == n_next && moved < n) {
		char key[CONFIG_CHANGE_KEY];

		snprintf(key, sizeof(key), "%s[%u]", s->name, moved);
		change_tell(d, key, section_item_name(s, section_item_const(s, now, moved)),
			section_item_name(s, section_item_const(s, next, moved)), false);
	}
}

unsigned int config_changes(const struct config *now, const struct config *next,
	void (*each)(void *ctx, const struct config_change *ch), void *ctx)
{
	struct changes d = { each, ctx, 0 };

	for (unsigned int id = 0; id < SECTIONS; id++) {
		const struct section *s = &config_sections[id];

		if (id == SECTION_GTP_PEERS)
			d.n += gtp_peers_changes(now, next, each, ctx);
		else if (s->item_size > 0)
			change_list(&d, s, now, next);
		else
			items_change(&d, s, now, next);
	}
	return d.n;
}

static void change_take(const struct section *s, void *now, const void *next)
{
	for (unsigned int j = 0; j < s->n_knobs; j++) {
		const struct knob *k = &s->knobs[j];

		if ((k->flags & KNOB_LIVE) == 0)
			continue;
		memcpy((char *)now + k->at, (const char *)next + k->at, k->size);
		if (k->type == KNOB_ADDRS)
			memcpy((char *)now + k->n_at, (const char *)next + k->n_at,
				sizeof(unsigned int));
	}
}

/* Whole: nobody counts places in it (config/placed.h). */
static void change_take_list(const struct section *s, struct config *now, const struct config *next)
{
	memcpy((char *)now + s->at, (const char *)next + s->at, s->max * s->item_size);
	memcpy((char *)now + s->n_at, (const char *)next + s->n_at, sizeof(unsigned int));
}

void config_take_live(struct config *now, const struct config *next)
{
	for (unsigned int id = 0; id < SECTIONS; id++) {
		const struct section *s = &config_sections[id];

		if (s->item_size == 0) {
			change_take(s, now, next);
			continue;
		}
		if (id == SECTION_GTP_PEERS) {
			gtp_peers_take(now, next);
			continue;
		}
		if (s->lives) {
			change_take_list(s, now, next);
			continue;
		}
		/* items stay where they are, whatever the order of the others */
		for (unsigned int i = 0; i < section_items(s, now); i++) {
			void *item = section_item(s, now, i);
			const void *other =
				section_item_by_name(s, next, section_item_name(s, item));

			if (other != NULL)
				change_take(s, item, other);
		}
	}
}
