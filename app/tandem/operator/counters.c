/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "show.h"

static const struct metric message_metrics[] = {
	{ "msg_unknown", "messages", "Messages of other cores had no type that is known.",
		METRIC_COUNTER },
};

static void counters_read_messages(void *ctx, uint64_t *value, unsigned int n)
{
	const struct control *c = ctx;

	(void)n;
	value[0] = c->doors.unknown;
}

static int counters_add_rooms(struct control *c)
{
	int ret = metrics_register(c->metrics, "process", "messages", message_metrics,
		RTE_DIM(message_metrics), counters_read_messages, c);

	if (ret == 0)
		ret = journal_metrics_register(c->metrics, c->journal);
	if (ret == 0)
		ret = kernel_metrics_register(c->metrics, c);
	for (unsigned int i = 0; i < T.n_workers && ret == 0; i++)
		ret = worker_metrics_register(c->metrics, T.worker[i]);
	if (ret == 0)
		ret = replicator_metrics_register(c->metrics, T.repl);
	if (ret == 0)
		ret = signalling_metrics_register(c->metrics, c->signalling);
	if (ret == 0)
		ret = monitors_metrics_register(c->metrics, c->monitors);
	return ret < 0 ? ret : pair_metrics_register(c->metrics, c);
}

int counters_open(struct control *c)
{
	int ret;

	c->metrics = metrics_create();
	ret = c->metrics != NULL ? counters_add_rooms(c) : -ENOMEM;
	if (ret < 0)
		LOG(ERR, "registry of counters: %s", strerror(-ret));
	return ret;
}

void counters_close(struct control *c)
{
	metrics_destroy(c->metrics);
	c->metrics = NULL;
}

static void counters_visit(void *ctx, const struct metrics_group *g)
{
	json_t *to = ctx;

	for (unsigned int i = 0; i < g->n; i++) {
		json_int_t before = json_integer_value(json_object_get(to, g->metric[i].name));

		json_object_set_new(
			to, g->metric[i].name, json_integer(before + (json_int_t)g->value[i]));
	}
}

void counters_show(struct control *c, json_t *to, const char *room, const char *group)
{
	json_t *sum = json_object();

	metrics_walk(c->metrics, room, group, counters_visit, sum);
	json_object_update(to, sum);
	json_decref(sum);
}
