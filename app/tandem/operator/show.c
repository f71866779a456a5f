/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, cores and GTP; figures of the registry in a view. */
#include <stdio.h>

#include <rte_common.h>

#include "base/metrics.h"
#include "command.h"
#include "show.h"
#include "signalling/signalling.h"

void show_mark_counter(json_t *o, const char *name)
{
	json_t *marks = json_object_get(o, COMMAND_COUNTERS);

	if (marks == NULL) {
		marks = json_object();
		json_object_set_new(o, COMMAND_COUNTERS, marks);
	}
	json_object_set_new(marks, name, json_true());
}

void show_mark_counters(json_t *o, const char *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		show_mark_counter(o, names[i]);
}

/* What a view is given, and the figures of the groups that were visited so far. */
struct show_figures {
	json_t *to, *sum;
};

static void show_metrics_visit(void *ctx, const struct metrics_group *g)
{
	struct show_figures *f = ctx;

	for (unsigned int i = 0; i < g->n; i++) {
		const struct metric *m = &g->metric[i];
		json_int_t before = json_integer_value(json_object_get(f->sum, m->name));

		json_object_set_new(
			f->sum, m->name, json_integer(before + (json_int_t)g->value[i]));
		if (m->kind == METRIC_COUNTER)
			show_mark_counter(f->to, m->name);
	}
}

const struct show_groups show_objects[SHOW_OBJECTS][SHOW_GROUPS] = {
	[SHOW_PORT] = { { "kernel", "port" } },
	[SHOW_ROUTING] = { { "kernel", "routing" } },
	[SHOW_PORTS] = { { "kernel", "twins" }, { "process", "messages" } },
	[SHOW_CORE] = { { "process", "core" } },
	[SHOW_WORKER] = { { "worker", "fastpath" }, { "worker", "worker" }, { "worker", "sync" } },
	[SHOW_GTP] = { { "signalling", NULL } },
	[SHOW_RADIUS] = { { "monitors", "radius" } },
	[SHOW_SRP] = { { "pair", NULL } },
	[SHOW_CHECKPOINT] = { { "worker", "sync" }, { "replicator", "table" },
		{ "replicator", "stream" }, { "replicator", "core" }, { "replicator", "port" },
		{ "replicator", "gauges" }, { "signalling", "gate" } },
	[SHOW_KEYS] = { { "replicator", "keys" }, { "replicator", "crypt" } },
	[SHOW_AUDIT] = { { "replicator", "audit" } },
};

void show_metrics(
	struct metrics *m, json_t *to, const struct show_groups *groups, const char *instance)
{
	struct show_figures f = { .to = to };
	char one[METRICS_NAME];

	for (const struct show_groups *g = groups; g->room != NULL; g++) {
		f.sum = json_object();
		if (instance != NULL)
			snprintf(one, sizeof(one), "%s/%s", g->group, instance);
		metrics_walk(m, g->room, instance != NULL ? one : g->group, show_metrics_visit, &f);
		json_object_update(to, f.sum);
		json_decref(f.sum);
	}
}

static json_t *show_port(const struct operator_cores *f, unsigned int i)
{
	struct operator_port p;
	char mac[MAC_TEXT];
	json_t *o;

	f->port(f->ctx, i, &p);
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:I}", "name", p.conf->name, "device",
		p.conf->device, "twin", p.conf->twin, "mac", mac_print(&p.mac, mac), "link",
		p.link_up ? "up" : "down", "mtu", (json_int_t)p.conf->mtu, "roles",
		p.conf->roles & CONFIG_REPLICATION ? "replication"
		: p.conf->roles == CONFIG_ACCESS   ? "access"
		: p.conf->roles == CONFIG_CORE     ? "core"
						   : "access, core",
		"queues", (json_int_t)p.queues);
	show_metrics(f->metrics, o, show_objects[SHOW_PORT], p.conf->name);
	return o;
}

json_t *show_ports(void *family, json_t *args, usec_t now)
{
	const struct operator_cores *f = family;
	json_t *list = json_array(), *routing = json_object(), *o;

	(void)args;
	(void)now;
	for (unsigned int i = 0; i < f->n_ports; i++)
		json_array_append_new(list, show_port(f, i));
	show_metrics(f->metrics, routing, show_objects[SHOW_ROUTING], NULL);
	o = json_pack("{s:o,s:o}", "ports", list, "routing", routing);
	show_metrics(f->metrics, o, show_objects[SHOW_PORTS], NULL);
	return o;
}

static json_t *show_core(
	const struct operator_cores *f, const char *role, const char *name, unsigned int lcore)
{
	json_t *o = json_pack("{s:s,s:I}", "core", role, "lcore", (json_int_t)lcore);

	show_metrics(f->metrics, o, show_objects[SHOW_CORE], name);
	return o;
}

json_t *show_workers(void *family, json_t *args, usec_t now)
{
	const struct operator_cores *f = family;
	json_t *list = json_array(), *cores = json_array(), *total = json_object();

	(void)args;
	(void)now;
	json_array_append_new(cores, show_core(f, "control", "control", f->control_lcore));
	json_array_append_new(
		cores, show_core(f, "replication", "replication", f->replication_lcore));
	for (unsigned int i = 0; i < f->n_workers; i++) {
		const struct operator_worker *core = &f->worker[i];
		json_t *w = json_pack("{s:I,s:I,s:I}", "worker", (json_int_t)i, "lcore",
			(json_int_t)core->lcore, "shards", (json_int_t)core->shards);
		char name[24], instance[16];

		snprintf(name, sizeof(name), "worker%u", i);
		json_array_append_new(cores, show_core(f, "worker", name, core->lcore));
		snprintf(instance, sizeof(instance), "%u", i);
		show_metrics(f->metrics, w, show_objects[SHOW_WORKER], instance);
		json_array_append_new(list, w);
	}
	show_metrics(f->metrics, total, show_objects[SHOW_WORKER], NULL);
	return json_pack("{s:o,s:o,s:o}", "cores", cores, "total", total, "workers", list);
}

const char *show_answers(const struct signalling_view *v)
{
	return !v->answering ? "none" : v->answers_protected ? "protected" : "unprotected";
}
