/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/metrics.h"
#include "common/counters.h"

struct metrics_entry {
	TAILQ_ENTRY(metrics_entry) next;
	char *room, *group;
	const struct metric *metric;
	struct metric *own; /* metrics that were made of names; freed with the entry */
	unsigned int n;
	metrics_read_fn *read;
	void *ctx;
	const uint64_t *counters;
};

struct metrics {
	TAILQ_HEAD(, metrics_entry) entries;
	uint64_t value[METRICS_GROUP];
};

struct metrics *metrics_create(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m != NULL)
		TAILQ_INIT(&m->entries);
	return m;
}

static void metrics_free(struct metrics_entry *e)
{
	if (e == NULL)
		return;
	free(e->room);
	free(e->group);
	free(e->own);
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

/* A new entry without figures, not yet in the list. 0 or what metrics_register() says. */
static int metrics_new(struct metrics *m, const char *room, const char *group, unsigned int n,
	struct metrics_entry **to)
{
	struct metrics_entry *e;

	if (n == 0 || n > METRICS_GROUP)
		return -EINVAL;
	if (metrics_has(m, room, group))
		return -EEXIST;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	e->room = strdup(room);
	e->group = strdup(group);
	e->n = n;
	if (e->room == NULL || e->group == NULL) {
		metrics_free(e);
		return -ENOMEM;
	}
	*to = e;
	return 0;
}

int metrics_register(struct metrics *m, const char *room, const char *group,
	const struct metric *metric, unsigned int n, metrics_read_fn *read, void *ctx)
{
	struct metrics_entry *e = NULL;
	int ret = metrics_new(m, room, group, n, &e);

	if (ret < 0)
		return ret;
	e->metric = metric;
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

int metrics_register_counters(struct metrics *m, const char *room, const char *group,
	const char *const *names, unsigned int n, const void *counters)
{
	struct metrics_entry *e = NULL;
	int ret = metrics_new(m, room, group, n, &e);

	if (ret < 0)
		return ret;
	e->own = calloc(n, sizeof(*e->own));
	if (e->own == NULL) {
		metrics_free(e);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < n; i++)
		e->own[i] = (struct metric){ .name = names[i], .kind = METRIC_COUNTER };
	e->metric = e->own;
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
		struct metrics_group g = { e->room, e->group, e->metric, m->value, e->n };

		if (!metrics_selected(e, room, group))
			continue;
		memset(m->value, 0, e->n * sizeof(m->value[0]));
		e->read(e->ctx, m->value, e->n);
		visit(ctx, &g);
		n++;
	}
	return n;
}
