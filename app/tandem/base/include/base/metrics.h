/* SPDX-License-Identifier: BSD-3-Clause */
/* metrics: the registry of counters and gauges. A room registers its figures once, in groups, when
 * it is created; whoever shows them (views, telemetry, an exporter) walks the registry and knows no
 * room. The control core registers, unregisters and walks; nothing here blocks. */
#ifndef TANDEM_BASE_METRICS_H
#define TANDEM_BASE_METRICS_H

#include <stdint.h>

enum metric_kind {
	METRIC_COUNTER, /* only ever grows while the process lives */
	METRIC_GAUGE    /* a level */
};

struct metric {
	const char *name; /* lower case words with underscores, without the room's name */
	const char *unit; /* "packets", "bytes", "seconds"; NULL: it has none */
	const char *help; /* a whole sentence for an operator; NULL: there is none yet */
	enum metric_kind kind;
};

enum { METRICS_GROUP = 256 /* figures in one group at most */ };

struct metrics;

/* Fills value[0 .. n - 1], in the order of the group's metrics. It runs within metrics_walk(), on
 * the control core, and reads what other cores write with relaxed atomic loads. */
typedef void metrics_read_fn(void *ctx, uint64_t *value, unsigned int n);

/* One group as a reader of the registry sees it, for the time of the call alone. */
struct metrics_group {
	const char *room;
	/* Several registrations may share the part of the name before the first '/'; what stands
	 * behind it tells them apart ("fastpath/0" and "fastpath/1" of two workers), and an
	 * exporter makes a label of it. */
	const char *group;
	const struct metric *metric;
	const uint64_t *value;
	unsigned int n;
};

/* A reader of the registry. It must neither register nor unregister. */
typedef void metrics_visit_fn(void *ctx, const struct metrics_group *g);

/* An empty registry, or NULL when there is no memory. */
struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *m);
/* Adds a group; `room` and `group` are copied, `metric` must stay where it is. 0; -EEXIST: the room
 * has such a group; -EINVAL: n is 0 or greater than METRICS_GROUP; -ENOMEM. */
int metrics_register(struct metrics *m, const char *room, const char *group,
	const struct metric *metric, unsigned int n, metrics_read_fn *read, void *ctx);
/* The same for a struct of COUNTERS_DEFINE (common/counters.h) and its `s_names`, `s_n`: counters
 * without unit and help. `counters` must stay where it is until the group is unregistered. */
int metrics_register_counters(struct metrics *m, const char *room, const char *group,
	const char *const *names, unsigned int n, const void *counters);
/* Removes one group, or all groups of the room (group NULL): a room calls it before it frees what
 * its read functions look at. */
void metrics_unregister(struct metrics *m, const char *room, const char *group);
/* Calls `visit` for every group in the order of registration; room and group select (NULL: all).
 * `group` without '/' also selects "group/...". The number of groups visited. */
unsigned int metrics_walk(
	struct metrics *m, const char *room, const char *group, metrics_visit_fn *visit, void *ctx);

#endif
