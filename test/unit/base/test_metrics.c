/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of counters and gauges: what is registered is what a walk sees, with the values of
 * that moment. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/metrics.h"
#include "common/counters.h"
#include "ut.h"

// clang-format off
#define TOY_COUNTERS(X) \
	X(received, COUNTER, "messages", "Messages were received.") \
	X(waiting, GAUGE, "messages", "Messages wait.")
// clang-format on
COUNTERS_DEFINE(toy_counters, TOY_COUNTERS);

static const struct metric gauges[] = {
	{ "depth", "packets", "How many packets wait.", METRIC_GAUGE },
	{ "age_seconds", "seconds", "How long the oldest packet has waited.", METRIC_GAUGE },
};
static const struct metric toys[] = { TOY_COUNTERS(METRIC) };
static const struct metric many[METRICS_GROUP + 1];

enum { A_TOY, A_QUEUE, A_PATH, A_PATHS, A_EMPTY, A_MANY };
static const struct metrics_table a_tables[] = {
	[A_TOY] = METRICS_TABLE("toy", NULL, toys),
	[A_QUEUE] = METRICS_TABLE("queue", NULL, gauges),
	[A_PATH] = METRICS_TABLE("path", "worker", gauges),
	[A_PATHS] = METRICS_TABLE("paths", NULL, gauges),
	[A_EMPTY] = { "empty", NULL, gauges, 0 },
	[A_MANY] = METRICS_TABLE("many", NULL, many),
};
static const struct metrics_table b_tables[] = {
	METRICS_TABLE("queue", NULL, gauges),
	METRICS_TABLE("path", "worker", gauges),
};
static const struct metrics_table of_nobody = METRICS_TABLE("queue", NULL, gauges);
static const struct metrics_room a = METRICS_ROOM("a", a_tables), b = METRICS_ROOM("b", b_tables);
static const struct metrics_room *const rooms[] = { &a, &b };

static struct metrics *create(void)
{
	return metrics_create(rooms, sizeof(rooms) / sizeof(rooms[0]));
}

/* What a walk saw, one "room.group.name=value kind unit" a line. */
static char seen[2048];

static void collect(void *ctx, const struct metrics_group *g)
{
	(void)ctx;
	for (unsigned int i = 0; i < g->n; i++) {
		size_t used = strlen(seen);

		snprintf(seen + used, sizeof(seen) - used, "%s.%s.%s=%llu %c %s\n", g->room,
			g->group, g->metric[i].name, (unsigned long long)g->value[i],
			g->metric[i].kind == METRIC_COUNTER ? 'c' : 'g', g->metric[i].unit);
	}
}

static unsigned int walk(struct metrics *m, const char *room, const char *group)
{
	seen[0] = '\0';
	return metrics_walk(m, room, group, collect, NULL);
}

static void read_levels(void *ctx, uint64_t *value, unsigned int n)
{
	const uint64_t *level = ctx;

	for (unsigned int i = 0; i < n; i++)
		value[i] = level[i];
}

/* Leaves its values alone: a reader must not see those of the group before. */
static void read_nothing(void *ctx, uint64_t *value, unsigned int n)
{
	(void)ctx;
	(void)value;
	(void)n;
}

static void test_walk_sees_values_of_now(void)
{
	struct metrics *m = create();
	struct toy_counters toy = { .received = 7, .waiting = 1 };
	uint64_t level[] = { 3, 40 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 0);
	CU_ASSERT_EQUAL(metrics_register_counters(m, &a_tables[A_TOY], NULL, &toy), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &b_tables[0], NULL, read_levels, level), 0);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 2);
	CU_ASSERT_STRING_EQUAL(seen, "a.toy.received=7 c messages\na.toy.waiting=1 g messages\n"
				     "b.queue.depth=3 g packets\nb.queue.age_seconds=40 g "
				     "seconds\n");
	toy.waiting = 2;
	level[0] = 0;
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 2);
	CU_ASSERT_STRING_EQUAL(seen, "a.toy.received=7 c messages\na.toy.waiting=2 g messages\n"
				     "b.queue.depth=0 g packets\nb.queue.age_seconds=40 g "
				     "seconds\n");
	metrics_destroy(m);
}

static void test_room_and_group_select(void)
{
	struct metrics *m = create();
	uint64_t level[] = { 1, 2 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATH], "0", read_levels, level), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATH], "1", read_levels, level), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATHS], NULL, read_levels, level), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &b_tables[1], "0", read_levels, level), 0);
	CU_ASSERT_EQUAL(walk(m, "a", NULL), 3);
	CU_ASSERT_EQUAL(walk(m, "a", "path"), 2);
	CU_ASSERT_STRING_EQUAL(seen,
		"a.path/0.depth=1 g packets\na.path/0.age_seconds=2 g seconds\n"
		"a.path/1.depth=1 g packets\na.path/1.age_seconds=2 g seconds\n");
	CU_ASSERT_EQUAL(walk(m, NULL, "path/0"), 2);
	CU_ASSERT_EQUAL(walk(m, "nobody", NULL), 0);
	metrics_destroy(m);
}

static void test_refused(void)
{
	struct metrics *m = create();

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_EMPTY], NULL, read_nothing, NULL), -EINVAL);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_MANY], NULL, read_nothing, NULL), -EINVAL);
	CU_ASSERT_EQUAL(metrics_register(m, &of_nobody, NULL, read_nothing, NULL), -EINVAL);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_QUEUE], "0", read_nothing, NULL), -EINVAL);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATH], NULL, read_nothing, NULL), -EINVAL);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_QUEUE], NULL, read_nothing, NULL), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_QUEUE], NULL, read_nothing, NULL), -EEXIST);
	CU_ASSERT_EQUAL(metrics_register(m, &b_tables[0], NULL, read_nothing, NULL), 0);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 2);
	metrics_destroy(m);
}

static void test_values_do_not_leak(void)
{
	struct metrics *m = create();
	uint64_t level[] = { 5, 6 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_QUEUE], NULL, read_levels, level), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATHS], NULL, read_nothing, NULL), 0);
	CU_ASSERT_EQUAL(walk(m, "a", "paths"), 1);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "a.paths.depth=0 g"));
	metrics_destroy(m);
}

static void test_unregister(void)
{
	struct metrics *m = create();
	char one[] = "one";

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATH], one, read_nothing, NULL), 0);
	one[0] = 'x'; /* it was copied */
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_QUEUE], NULL, read_nothing, NULL), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &b_tables[0], NULL, read_nothing, NULL), 0);
	metrics_unregister(m, "a", "path/one");
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 2);
	CU_ASSERT_EQUAL(metrics_register(m, &a_tables[A_PATH], "one", read_nothing, NULL), 0);
	metrics_unregister(m, "a", NULL);
	CU_ASSERT_EQUAL(walk(m, NULL, NULL), 1);
	CU_ASSERT_STRING_EQUAL(
		seen, "b.queue.depth=0 g packets\nb.queue.age_seconds=0 g seconds\n");
	metrics_destroy(m);
}

int main(void)
{
	CU_TestInfo tests[] = { { "a walk sees the values of now", test_walk_sees_values_of_now },
		{ "room and group select", test_room_and_group_select },
		{ "refused registrations", test_refused },
		{ "values do not leak into the next group", test_values_do_not_leak },
		{ "unregister", test_unregister }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "metrics", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
