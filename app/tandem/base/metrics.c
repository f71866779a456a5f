/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/metrics.h"
#include "common/counters.h"

struct metrics_entry {
	TAILQ_ENTRY(metrics_entry) next;
	const char *room;
	char *group;
	const struct metrics_table *table;
	metrics_read_fn *read;
	void *ctx;
	const uint64_t *counters;
};

struct metrics {
	TAILQ_HEAD(, metrics_entry) entries;
	const struct metrics_room *const *rooms;
	unsigned int n_rooms;
	uint64_t value[METRICS_GROUP];
};

struct metrics *metrics_create(const struct metrics_room *const *rooms, unsigned int n)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	TAILQ_INIT(&m->entries);
	m->rooms = rooms;
	m->n_rooms = n;
	return m;
}

static void metrics_free(struct metrics_entry *e)
{
	if (e == NULL)
		return;
	free(e->group);
	free(e);
}

static void metrics_remove(struct metrics *m, struct metrics_entry *e)
{
	TAILQ_REMOVE(&m->entries, e, next);
	metrics_free(e);
}

void metrics_destroy(struct metrics *m)
{
	struct metrics_entry *e;

	if (m == NULL)
		return;
	while ((e = TAILQ_FIRST(&m->entries)) != NULL)
		metrics_remove(m, e);
	free(m);
}

static bool metrics_has(const struct metrics *m, const char *room, const char *group)
{
	const struct metrics_entry *e;

	TAILQ_FOREACH (e, &m->entries, next)
		if (strcmp(e->room, room) == 0 && strcmp(e->group, group) == 0)
			return true;
	return false;
}

/* The room that has a table; NULL: none has. */
static const struct metrics_room *metrics_room_of(
	const struct metrics *m, const struct metrics_table *table)
{
	for (unsigned int r = 0; r < m->n_rooms; r++)
		for (unsigned int i = 0; i < m->rooms[r]->n; i++)
			if (&m->rooms[r]->table[i] == table)
				return m->rooms[r];
	return NULL;
}

/* To be freed; NULL: there is no memory. */
static char *metrics_group_name(const struct metrics_table *table, const char *instance)
{
	char *name;

	if (instance == NULL)
		return strdup(table->group);
	return asprintf(&name, "%s/%s", table->group, instance) < 0 ? NULL : name;
}

/* A new entry without a way to read it, not yet in the list. 0 or what metrics_register() says. */
static int metrics_new(struct metrics *m, const struct metrics_table *table, const char *instance,
	struct metrics_entry **to)
{
	const struct metrics_room *room = metrics_room_of(m, table);
	struct metrics_entry *e;

	if (room == NULL || (instance != NULL) != (table->label != NULL) || table->n == 0 ||
		table->n > METRICS_GROUP)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	e->room = room->name;
	e->table = table;
	e->group = metrics_group_name(table, instance);
	if (e->group == NULL || metrics_has(m, e->room, e->group)) {
		int ret = e->group == NULL ? -ENOMEM : -EEXIST;

		metrics_free(e);
		return ret;
	}
	*to = e;
	return 0;
}

int metrics_register(struct metrics *m, const struct metrics_table *table, const char *instance,
	metrics_read_fn *read, void *ctx)
{
	struct metrics_entry *e = NULL;
	int ret = metrics_new(m, table, instance, &e);

	if (ret < 0)
		return ret;
	e->read = read;
	e->ctx = ctx;
	TAILQ_INSERT_TAIL(&m->entries, e, next);
	return 0;
}

static void metrics_read_counters(void *ctx, uint64_t *value, unsigned int n)
{
	const struct metrics_entry *e = ctx;

	for (unsigned int i = 0; i < n; i++)
		value[i] = counter_get(&e->counters[i]);
}

int metrics_register_counters(struct metrics *m, const struct metrics_table *table,
	const char *instance, const void *counters)
{
	struct metrics_entry *e = NULL;
	int ret = metrics_new(m, table, instance, &e);

	if (ret < 0)
		return ret;
	e->counters = counters;
	e->read = metrics_read_counters;
	e->ctx = e;
	TAILQ_INSERT_TAIL(&m->entries, e, next);
	return 0;
}

void metrics_unregister(struct metrics *m, const char *room, const char *group)
{
	struct metrics_entry *e = TAILQ_FIRST(&m->entries), *after;

	for (; e != NULL; e = after) {
		after = TAILQ_NEXT(e, next);
		if (strcmp(e->room, room) == 0 && (group == NULL || strcmp(e->group, group) == 0))
			metrics_remove(m, e);
	}
}

static bool metrics_selected(const struct metrics_entry *e, const char *room, const char *group)
{
	size_t len = group != NULL ? strlen(group) : 0;

	if (room != NULL && strcmp(e->room, room) != 0)
		return false;
	return group == NULL || (strncmp(e->group, group, len) == 0 &&
					(e->group[len] == '\0' || e->group[len] == '/'));
}

unsigned int metrics_walk(
	struct metrics *m, const char *room, const char *group, metrics_visit_fn *visit, void *ctx)
{
	const struct metrics_entry *e;
	unsigned int n = 0;

	TAILQ_FOREACH (e, &m->entries, next) {
		const struct metrics_table *t = e->table;
		struct metrics_group g = { e->room, e->group, t->label, t->metric, m->value, t->n };

		if (!metrics_selected(e, room, group))
			continue;
		memset(m->value, 0, t->n * sizeof(m->value[0]));
		e->read(e->ctx, m->value, t->n);
		visit(ctx, &g);
		n++;
	}
	return n;
}
