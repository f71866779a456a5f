/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_ethdev.h>

#include "counters.h"
#include "show.h"

void show_counters(json_t *to, const void *counters, const char *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		json_object_set_new(to, names[i],
			json_integer((json_int_t)counter_get((const uint64_t *)counters + i)));
}

json_t *show_pools(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array();

	(void)c;
	(void)args;
	(void)now;
	for (unsigned int i = 0; i < T.pools->n; i++) {
		const struct pool *p = &T.pools->p[i];
		char text[IP_ADDR_TEXT + 4];

		ip_addr_print(&p->conf.prefix, text);
		snprintf(text + strlen(text), 5, "/%u", p->conf.prefix_len);
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:I,s:I,s:b,s:I}", "name", p->conf.name, "prefix", text,
				"addresses", (json_int_t)p->size, "used", (json_int_t)pool_used(p),
				"srp_activate", p->conf.srp_activate, "quarantine_s",
				(json_int_t)T.table->quarantine_s));
	}
	return json_pack("{s:o}", "pools", list);
}

static json_t *show_port(struct control *c, const struct port *p)
{
	char mac[RTE_ETHER_ADDR_FMT_SIZE], group[sizeof(p->conf->name) + 8];
	json_t *o;

	rte_ether_format_addr(mac, sizeof(mac), &p->mac);
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:I}", "name", p->conf->name, "device",
		p->conf->device, "twin", p->conf->twin, "mac", mac, "link",
		net_mirror_link(kernel_mirror(c->kernel), p->id) ? "up" : "down", "mtu",
		(json_int_t)p->conf->mtu, "roles",
		p->conf->roles & CONFIG_REPLICATION ? "replication"
		: p->conf->roles == CONFIG_ACCESS   ? "access"
		: p->conf->roles == CONFIG_CORE     ? "core"
						    : "access, core",
		"queues", (json_int_t)p->n_rxq);
	snprintf(group, sizeof(group), "port/%s", p->conf->name);
	counters_show(c, o, "kernel", group);
	return o;
}

json_t *show_ports(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array(), *routing = json_object(), *o;

	(void)args;
	(void)now;
	for (unsigned int i = 0; i < T.n_ports; i++)
		json_array_append_new(list, show_port(c, &T.port[i]));
	counters_show(c, routing, "kernel", "routing");
	o = json_pack("{s:o,s:o}", "ports", list, "routing", routing);
	counters_show(c, o, "kernel", "twins");
	return o;
}

static json_t *show_pulse(const struct core_pulse *p, unsigned int lcore, const char *role)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "core", role, "lcore", (json_int_t)lcore,
		"turns", (json_int_t)atomic_load(&p->turns), "busy_turns",
		(json_int_t)atomic_load(&p->busy), "stalls", (json_int_t)atomic_load(&p->stalls),
		"stalled_ms", (json_int_t)(atomic_load(&p->stalled_us) / 1000));
}

/* The groups of one worker, or with instance "" of all of them together. */
static void show_worker(struct control *c, json_t *o, const char *instance)
{
	static const char *const groups[] = { "fastpath", "worker", "sync" };
	char group[32];

	for (unsigned int i = 0; i < RTE_DIM(groups); i++) {
		snprintf(group, sizeof(group), "%s%s", groups[i], instance);
		counters_show(c, o, "worker", group);
	}
}

json_t *show_workers(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array(), *cores = json_array(), *total = json_object();

	(void)args;
	(void)now;
	json_array_append_new(cores, show_pulse(&T.pulse_control, rte_get_main_lcore(), "control"));
	json_array_append_new(cores, show_pulse(&T.pulse_repl, T.repl_lcore, "replication"));
	for (unsigned int i = 0; i < T.n_workers; i++) {
		json_t *w = json_pack("{s:I,s:I,s:I}", "worker", (json_int_t)i, "lcore",
			(json_int_t)T.worker_lcore[i], "shards", (json_int_t)T.worker[i]->n_shards);
		char instance[16];

		json_array_append_new(
			cores, show_pulse(&T.pulse_worker[i], T.worker_lcore[i], "worker"));
		snprintf(instance, sizeof(instance), "/%u", i);
		show_worker(c, w, instance);
		json_array_append_new(list, w);
	}
	show_worker(c, total, "");
	return json_pack("{s:o,s:o,s:o}", "cores", cores, "total", total, "workers", list);
}

const char *show_answers(const struct signalling_view *v)
{
	return v->answers_protected ? "protected" : "unprotected";
}

json_t *show_gtp(struct control *c, json_t *args, usec_t now)
{
	json_t *o = json_object();
	struct signalling_view v;

	(void)args;
	(void)now;
	signalling_view(c->signalling, &v);
	counters_show(c, o, "signalling", NULL);
	json_object_set_new(o, "restart_counter", json_integer(pair_srp(c->pair)->restart_counter));
	json_object_set_new(o, "answers", json_string(show_answers(&v)));
	return o;
}
