/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of all rooms' figures: each figure has a kind, a unit and a help that an operator can
 * read alone, and the names fit an exporter. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/metrics.h"
#include "process/figures.h"
#include "show.h"
#include "ut.h"

/* How many figures broke a rule; each is named. */
static unsigned int broken;

static void complain(const char *group, const struct metric *m, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", group, m->name != NULL ? m->name : "?", what);
	broken++;
}

static bool is_word(const char *text, const char *others)
{
	return text != NULL && islower((unsigned char)text[0]) &&
	       strspn(text, others) == strlen(text);
}

static bool is_sentence(const char *help)
{
	size_t n = strlen(help);

	return n > 1 && n <= METRIC_HELP && isupper((unsigned char)help[0]) && help[n - 1] == '.' &&
	       strchr(help, ' ') != NULL && strpbrk(help, "|\n\"\\") == NULL;
}

static void check_figure(const char *group, const struct metric *m)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	if (!is_word(m->name, name))
		complain(group, m, "its name is not of lower case words with underscores");
	if (m->kind != METRIC_COUNTER && m->kind != METRIC_GAUGE)
		complain(group, m, "it is neither a counter nor a gauge");
	if (m->unit == NULL || m->unit[0] == '\0' || strlen(m->unit) > METRIC_UNIT)
		complain(group, m, "it has no unit, or a long one");
	if (m->help == NULL || !is_sentence(m->help))
		complain(group, m, "its help is not one short sentence");
}

/* What a name's end says of the unit is the unit. */
static void check_suffix(const char *group, const struct metric *m)
{
	static const struct {
		const char *end, *unit;
	} ends[] = { { "_bytes", "bytes" }, { "_octets", "octets" }, { "_ms", "milliseconds" },
		{ "_us", "microseconds" }, { "_mbps", "Mbit/s" }, { "_packets", "packets" },
		{ "_records", "records" } };
	size_t n = strlen(m->name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t k = strlen(ends[i].end);

		if (n > k && strcmp(m->name + n - k, ends[i].end) == 0 &&
			strcmp(m->unit, ends[i].unit) != 0)
			complain(group, m, "its name says another unit");
	}
}

static void test_figures(void)
{
	unsigned int rooms, figures = 0;
	const struct metrics_room *const *room = figures_rooms(&rooms);

	broken = 0;
	for (unsigned int r = 0; r < rooms; r++)
		for (unsigned int t = 0; t < room[r]->n; t++) {
			const struct metrics_table *table = &room[r]->table[t];

			CU_ASSERT_TRUE(table->n > 0 && table->n <= METRICS_GROUP);
			for (unsigned int i = 0; i < table->n; i++) {
				check_figure(table->group, &table->metric[i]);
				check_suffix(table->group, &table->metric[i]);
			}
			figures += table->n;
		}
	CU_ASSERT_EQUAL(broken, 0);
	CU_ASSERT_TRUE(figures > 250);
}

/* What two figures of one table have in common; NULL: nothing that each needs for itself. One help
 * for two says that one of them is wrong; of each name an exporter makes one series. */
static const char *figures_share(const struct metric *a, const struct metric *b)
{
	if (strcmp(a->name, b->name) == 0)
		return "it stands there twice";
	return strcmp(a->help, b->help) == 0 ? "another figure has its help" : NULL;
}

static void check_distinct(const struct metrics_table *t)
{
	for (unsigned int i = 1; i < t->n; i++)
		for (unsigned int k = 0; k < i; k++) {
			const char *what = figures_share(&t->metric[i], &t->metric[k]);

			if (what != NULL)
				complain(t->group, &t->metric[i], what);
		}
}

/* A group stands in a room once, a name and a help in a table. */
static void test_distinct(void)
{
	unsigned int rooms;
	const struct metrics_room *const *room = figures_rooms(&rooms);

	broken = 0;
	for (unsigned int r = 0; r < rooms; r++)
		for (unsigned int t = 0; t < room[r]->n; t++) {
			for (unsigned int other = 0; other < t; other++)
				CU_ASSERT_STRING_NOT_EQUAL(
					room[r]->table[t].group, room[r]->table[other].group);
			check_distinct(&room[r]->table[t]);
		}
	CU_ASSERT_EQUAL(broken, 0);
}

/* The tables that a row of a view's groups selects, the next after *r and *t; NULL: no more. */
static const struct metrics_table *next_of(
	const struct show_groups *g, unsigned int *r, unsigned int *t)
{
	unsigned int rooms;
	const struct metrics_room *const *room = figures_rooms(&rooms);

	for (; *r < rooms; ++*r, *t = 0)
		while (strcmp(room[*r]->name, g->room) == 0 && *t < room[*r]->n) {
			const struct metrics_table *table = &room[*r]->table[(*t)++];

			if (g->group == NULL || strcmp(g->group, table->group) == 0)
				return table;
		}
	return NULL;
}

/* Figures of one name in two tables of one object, of which the later would hide the earlier. */
static void check_hides(const struct metrics_table *a, const struct metrics_table *b)
{
	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int k = 0; k < b->n; k++)
			if (strcmp(a->metric[i].name, b->metric[k].name) == 0)
				complain(a->group, &a->metric[i], "a view hides it by another");
}

static void check_object(const struct show_groups *groups)
{
	const struct metrics_table *all[64], *one;
	unsigned int n = 0;

	CU_ASSERT_PTR_NULL(groups[SHOW_GROUPS - 1].room);
	for (const struct show_groups *g = groups; g->room != NULL; g++) {
		unsigned int r = 0, t = 0, before = n;

		while ((one = next_of(g, &r, &t)) != NULL && n < sizeof(all) / sizeof(all[0])) {
			for (unsigned int i = 0; i < n; i++)
				check_hides(all[i], one);
			all[n++] = one;
		}
		CU_ASSERT_TRUE(n > before); /* the group is there */
	}
	CU_ASSERT_TRUE(n > 0);
}

/* A figure of one object of a view is hidden by no other. */
static void test_views(void)
{
	broken = 0;
	for (unsigned int i = 0; i < SHOW_OBJECTS; i++)
		check_object(show_objects[i]);
	CU_ASSERT_EQUAL(broken, 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "each figure has a kind, a unit and a help", test_figures },
		{ "names and helps are given once", test_distinct },
		{ "no view hides a figure", test_views }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "figures", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
