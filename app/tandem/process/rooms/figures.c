/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of all rooms' figures, and those that belong to no room: of the cores' turns. */
#include "process/figures.h"

#include <errno.h>
#include <string.h>

#include "base/metrics.h"
#include "process/control.h"

/* ---- what no other room has ---- */

static const struct metric figures_message_metrics[] = {
	{ "msg_unknown", "messages",
		"Messages to the control core were ignored because their type is not known.",
		METRIC_COUNTER },
};

static void figures_read_messages(void *ctx, uint64_t *value, unsigned int n)
{
	const struct control *c = ctx;

	(void)n;
	value[0] = c->doors.unknown;
}

static const struct metric figures_core_metrics[] = {
	{ "turns", "turns", "The core went round its loop.", METRIC_COUNTER },
	{ "busy_turns", "turns", "The core went round its loop and had something to do.",
		METRIC_COUNTER },
	{ "stalls", "stalls", "The core stood still for more than 2 ms.", METRIC_COUNTER },
	{ "stalled_ms", "milliseconds",
		"The core stood still for so long, all its stalls together.", METRIC_COUNTER },
};

static void figures_read_core(void *ctx, uint64_t *value, unsigned int n)
{
	const struct core_pulse *p = ctx;

	(void)n;
	value[0] = atomic_load(&p->turns);
	value[1] = atomic_load(&p->busy);
	value[2] = atomic_load(&p->stalls);
	value[3] = atomic_load(&p->stalled_us) / USEC_PER_MSEC;
}

enum { FIGURES_TABLE_MESSAGES, FIGURES_TABLE_CORE };
static const struct metrics_table figures_tables[] = {
	[FIGURES_TABLE_MESSAGES] = METRICS_TABLE("messages", NULL, figures_message_metrics),
	[FIGURES_TABLE_CORE] = METRICS_TABLE("core", "core", figures_core_metrics),
};
static const struct metrics_room process_metrics = METRICS_ROOM("process", figures_tables);

static int figures_register_core(struct metrics *m, const char *core, struct core_pulse *p)
{
	return metrics_register(m, &figures_tables[FIGURES_TABLE_CORE], core, figures_read_core, p);
}

static int figures_register_process(struct metrics *m, struct control *c)
{
	struct tandem *t = c->t;
	int ret = metrics_register(
		m, &figures_tables[FIGURES_TABLE_MESSAGES], NULL, figures_read_messages, c);

	if (ret == 0)
		ret = figures_register_core(m, "control", &t->pulse_control);
	if (ret == 0)
		ret = figures_register_core(m, "replication", &t->pulse_repl);
	for (unsigned int i = 0; i < t->n_workers && ret == 0; i++) {
		char name[24];

		snprintf(name, sizeof(name), "worker%u", i);
		ret = figures_register_core(m, name, &t->pulse_worker[i]);
	}
	return ret;
}

/* ---- all rooms ---- */

static const struct metrics_room *const figures_of_rooms[] = { &process_metrics, &journal_metrics,
	&kernel_metrics, &worker_metrics, &replicator_metrics, &signalling_metrics,
	&monitors_metrics, &pair_metrics };

const struct metrics_room *const *figures_rooms(unsigned int *n)
{
	*n = RTE_DIM(figures_of_rooms);
	return figures_of_rooms;
}

static void figures_print_table(FILE *to, const char *room, const struct metrics_table *t)
{
	fprintf(to, "### %s: %s%s%s\n\n", room, t->group, t->label != NULL ? ", for each " : "",
		t->label != NULL ? t->label : "");
	fputs("| figure | kind | unit | meaning |\n|---|---|---|---|\n", to);
	for (unsigned int i = 0; i < t->n; i++)
		fprintf(to, "| `%s` | %s | %s | %s |\n", t->metric[i].name,
			t->metric[i].kind == METRIC_COUNTER ? "counter" : "gauge",
			t->metric[i].unit, t->metric[i].help);
	fputc('\n', to);
}

void figures_print(FILE *to)
{
	for (unsigned int r = 0; r < RTE_DIM(figures_of_rooms); r++)
		for (unsigned int i = 0; i < figures_of_rooms[r]->n; i++)
			figures_print_table(
				to, figures_of_rooms[r]->name, &figures_of_rooms[r]->table[i]);
}

static int figures_register(struct metrics *m, struct control *c)
{
	const struct tandem *t = c->t;
	int ret = figures_register_process(m, c);

	if (ret == 0)
		ret = journal_metrics_register(m, c->journal);
	if (ret == 0)
		ret = kernel_metrics_register(m, c->kernel);
	for (unsigned int i = 0; i < t->n_workers && ret == 0; i++)
		ret = worker_metrics_register(m, t->worker[i]);
	if (ret == 0)
		ret = replicator_metrics_register(m, t->repl);
	if (ret == 0)
		ret = signalling_metrics_register(m, c->signalling);
	if (ret == 0)
		ret = monitors_metrics_register(m, c->monitors);
	if (ret == 0)
		ret = pair_metrics_register(m, c->pair);
	return ret;
}

struct metrics *figures_create(struct control *c)
{
	struct metrics *m = metrics_create(figures_of_rooms, RTE_DIM(figures_of_rooms));
	int ret = m != NULL ? figures_register(m, c) : -ENOMEM;

	if (ret == 0)
		return m;
	LOG(ERR, "the counters cannot be registered error=%s", LOG_TEXT(strerror(-ret)));
	metrics_destroy(m);
	return NULL;
}
