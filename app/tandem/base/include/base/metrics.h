/* SPDX-License-Identifier: BSD-3-Clause */
/* metrics: the registry of counters and gauges. A room declares its figures once, in constant
 * tables, and registers groups of them when it is created; whoever shows them (views, telemetry, an
 * exporter) walks the registry and knows no room. The control core registers, unregisters and
 * walks; nothing here blocks. */
#ifndef TANDEM_BASE_METRICS_H
#define TANDEM_BASE_METRICS_H

#include <stdint.h>

enum metric_kind {
	METRIC_COUNTER, /* only ever grows while the process lives */
	METRIC_GAUGE    /* a level */
};

struct metric {
	const char *name; /* lower case words with underscores, without the room's name */
	const char *unit; /* what is counted or measured: "packets", "bytes", "milliseconds" */
	const char *help; /* a whole sentence for an operator, which stands alone */
	enum metric_kind kind;
};

enum {
	METRICS_GROUP = 256, /* figures in one group at most */
	METRICS_NAME = 64    /* room for the name of a group with that of its instance */
};

/* The figures of a group. */
struct metrics_table {
	const char *group;
	/* What tells the groups of one table apart ("worker", "port"), and what an exporter makes a
	 * label of; NULL: a chassis has one such group. */
	const char *label;
	const struct metric *metric;
	unsigned int n;
};

/* All tables of a room. There is one such object a room, and `process` lists them. */
struct metrics_room {
	const char *name;
	const struct metrics_table *table;
	unsigned int n;
};

enum { METRIC_UNIT = 24, METRIC_HELP = 120 /* characters at most */ };

/* A literal text; the compiler refuses one that is empty or too long. */
#define METRIC_TEXT(text, most)                                                                    \
	(&(text)[0 * sizeof(struct {                                                               \
		char c;                                                                            \
		_Static_assert(sizeof(text) > 1, "a figure has a unit and a help");                \
		_Static_assert(sizeof(text) <= (most) + 1, text ": this is too long");             \
	})])

/* A row of a table for a row of a list of counters (common/counters.h). */
#define METRIC(name, kind, unit, help)                                                             \
	{ #name, METRIC_TEXT(unit, METRIC_UNIT), METRIC_TEXT(help, METRIC_HELP), METRIC_##kind },
/* A table in the array of a room's tables, and the room itself. */
#define METRICS_TABLE(group, label, rows)                                                          \
	{                                                                                          \
		group, label, rows, sizeof(rows) / sizeof((rows)[0])                               \
	}
#define METRICS_ROOM(name, tables)                                                                 \
	{                                                                                          \
		name, tables, sizeof(tables) / sizeof((tables)[0])                                 \
	}

struct metrics;

/* Fills value[0 .. n - 1], in the order of the group's metrics. It runs within metrics_walk(), on
 * the control core, and reads what other cores write with relaxed atomic loads. */
typedef void metrics_read_fn(void *ctx, uint64_t *value, unsigned int n);

/* One group as a reader of the registry sees it, for the time of the call alone. */
struct metrics_group {
	const char *room;
	/* The table's; behind it, if the table has a label, '/' and the label's value: "fastpath/0"
	 * and "fastpath/1" of two workers. */
	const char *group;
	const char *label; /* the table's */
	const struct metric *metric;
	const uint64_t *value;
	unsigned int n;
};

/* A reader of the registry. It must neither register nor unregister. */
typedef void metrics_visit_fn(void *ctx, const struct metrics_group *g);

/* A registry without groups, for the tables of n rooms, which must stay where they are; NULL when
 * there is no memory. */
struct metrics *metrics_create(const struct metrics_room *const *rooms, unsigned int n);
/* Frees the registry. */
void metrics_destroy(struct metrics *m);
/* Adds a group: one of the tables, with the value of its label; `instance` is copied, NULL where
 * the table has no label. 0; -EINVAL: no room of the registry has the table, instance and label do
 * not go together, or it has no figures or more than METRICS_GROUP; -EEXIST: the group is there;
 * -ENOMEM. */
int metrics_register(struct metrics *m, const struct metrics_table *table, const char *instance,
	metrics_read_fn *read, void *ctx);
/* The same for a struct of COUNTERS_DEFINE (common/counters.h) whose list the table was made of.
 * `counters` must stay where it is until the group is unregistered. */
int metrics_register_counters(struct metrics *m, const struct metrics_table *table,
	const char *instance, const void *counters);
/* Removes one group, or all groups of the room (group NULL): a room calls it before it frees what
 * its read functions look at. */
void metrics_unregister(struct metrics *m, const char *room, const char *group);
/* Calls `visit` for every group in the order of registration; room and group select (NULL: all).
 * `group` without '/' also selects "group/...". The number of groups visited. */
unsigned int metrics_walk(
	struct metrics *m, const char *room, const char *group, metrics_visit_fn *visit, void *ctx);

#endif
