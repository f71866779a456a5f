/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "ctl_request.h"
#include "show.h"

void show_counters(json_t *to, const void *counters, const char *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		json_object_set_new(to, names[i],
			json_integer((json_int_t)counter_get((const uint64_t *)counters + i)));
}

static json_t *answer(int ret, const char *reason)
{
	if (ret == 0)
		return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", reason);
	return json_pack("{s:b,s:s}", "ok", 0, "error", reason);
}

static json_t *initiate(struct control *c, json_t *args, usec_t now)
{
	char reason[SRP_REASON_MAX] = "";
	int ret = srp_switchover(c->srp, request_force(args), reason, now);

	LOG(NOTICE, "srp initiate-switchover: %s", ret == 0 ? "started" : reason);
	return answer(ret, ret == 0 ? "switchover started" : reason);
}

static json_t *validate(struct control *c, json_t *args, usec_t now)
{
	char reason[SRP_REASON_MAX] = "";
	int ret = srp_validate(c->srp, reason, now);

	(void)args;
	return answer(ret, ret == 0 ? "the peer is ready to take over" : reason);
}

static const struct {
	const char *words;
	json_t *(*view)(
		/* NULL reference: refused, with errno */
		struct control *c, json_t *args, usec_t now);
	json_t *(*act)(struct control *c, json_t *args, usec_t now); /* a whole answer */
} commands[] = {
	{ "show srp info", show_srp_info, NULL },
	{ "show srp statistics", show_srp_statistics, NULL },
	{ "show srp checkpoint statistics", show_srp_checkpoint, NULL },
	{ "show srp audit-statistics", show_srp_audit, NULL },
	{ "show srp configuration-difference", show_difference, NULL },
	{ "show license information", show_license, NULL },
	{ "show srp monitor", show_srp_monitor, NULL },
	{ "show radius statistics", show_radius, NULL },
	{ "show srp history", show_srp_history, NULL },
	{ "show srp call-loss statistics", show_call_loss, NULL },
	{ "show alarms", show_alarms, NULL },
	{ "show sessions", show_sessions, NULL },
	{ "show session", show_session, NULL },
	{ "show pools", show_pools, NULL },
	{ "show ports", show_ports, NULL },
	{ "show workers", show_workers, NULL },
	{ "show gtp statistics", show_gtp, NULL },
	{ "show configuration", show_configuration, NULL },
	{ "save configuration", NULL, act_save },
	{ "reload configuration", NULL, act_reload },
	{ "srp initiate-switchover", NULL, initiate },
	{ "srp validate-switchover", NULL, validate },
	{ "srp validate-configuration", NULL, act_validate_configuration },
	{ "srp reset-auth-probe-fail", NULL, act_reset_auth },
	{ "srp resync", NULL, act_resync },
	{ "srp initiate-audit auto", NULL, act_resync },
	{ "srp initiate-audit manual-with-sync", NULL, act_resync },
};

json_t *show_command(struct control *c, const char *command, json_t *args, usec_t now)
{
	for (unsigned int i = 0; i < RTE_DIM(commands); i++) {
		json_t *data;

		if (strcmp(commands[i].words, command) != 0)
			continue;
		if (commands[i].act != NULL)
			return commands[i].act(c, args, now);
		data = commands[i].view(c, args, now);
		if (data == NULL)
			return answer(-ENOENT,
				"no such session here: give a UE address, an IMSI, or a TEID "
				"(0x...)");
		return json_pack("{s:b,s:o}", "ok", 1, "data", data);
	}
	return answer(-EINVAL, "unknown command: see tandemctl --help");
}

/* ---- tables ---- */

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

json_t *show_ports(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array();

	(void)args;
	(void)now;
	for (unsigned int i = 0; i < T.n_ports; i++) {
		const struct port *p = &T.port[i];
		struct rte_eth_stats st = { 0 };
		char mac[RTE_ETHER_ADDR_FMT_SIZE];

		rte_eth_stats_get(p->id, &st);
		rte_ether_format_addr(mac, sizeof(mac), &p->mac);
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
				      "name", p->conf->name, "device", p->conf->device, "twin",
				      p->conf->twin, "mac", mac, "link",
				      net_mirror_link(c->mirror, p->id) ? "up" : "down", "mtu",
				      (json_int_t)p->conf->mtu, "roles",
				      p->conf->roles & CONFIG_REPLICATION ? "replication"
				      : p->conf->roles == CONFIG_ACCESS   ? "access"
				      : p->conf->roles == CONFIG_CORE     ? "core"
									  : "access, core",
				      "rx_packets", (json_int_t)st.ipackets, "rx_bytes",
				      (json_int_t)st.ibytes, "rx_missed", (json_int_t)st.imissed,
				      "tx_packets", (json_int_t)st.opackets, "tx_bytes",
				      (json_int_t)st.obytes, "tx_errors", (json_int_t)st.oerrors,
				      "queues", (json_int_t)p->n_rxq));
	}
	json_t *o = json_pack("{s:o,s:{}}", "ports", list, "routing");
	json_t *routing = json_object_get(o, "routing");
	struct signalling_view signalling;

	signalling_view(c->signalling, &signalling);
	show_counters(routing, net_mirror_count(c->mirror), net_mirror_counters_names,
		net_mirror_counters_n);
	json_object_set_new(o, "punted_to_kernel", json_integer((json_int_t)c->twin_in));
	json_object_set_new(o, "sent_for_kernel", json_integer((json_int_t)c->twin_out));
	json_object_set_new(o, "frames_dropped",
		json_integer((json_int_t)(c->frames_dropped + c->punts_dropped +
					  signalling.frames_dropped)));
	return o;
}

static json_t *pulse(const struct core_pulse *p, unsigned int lcore, const char *role)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "core", role, "lcore", (json_int_t)lcore,
		"turns", (json_int_t)atomic_load(&p->turns), "busy_turns",
		(json_int_t)atomic_load(&p->busy), "stalls", (json_int_t)atomic_load(&p->stalls),
		"stalled_ms", (json_int_t)(atomic_load(&p->stalled_us) / 1000));
}

json_t *show_workers(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array(), *cores = json_array(), *total = json_object();
	struct fastpath_counters fp = { 0 };
	struct worker_counters wc = { 0 };
	struct sync_counters sc = { 0 };

	(void)c;
	(void)args;
	(void)now;
	json_array_append_new(cores, pulse(&T.pulse_control, rte_get_main_lcore(), "control"));
	json_array_append_new(cores, pulse(&T.pulse_repl, T.repl_lcore, "replication"));
	for (unsigned int i = 0; i < T.n_workers; i++) {
		json_t *w = json_pack("{s:I,s:I,s:I}", "worker", (json_int_t)i, "lcore",
			(json_int_t)T.worker_lcore[i], "shards", (json_int_t)T.worker[i]->n_shards);

		json_array_append_new(
			cores, pulse(&T.pulse_worker[i], T.worker_lcore[i], "worker"));
		show_counters(
			w, &T.worker[i]->fp.count, fastpath_counters_names, fastpath_counters_n);
		show_counters(w, &T.worker[i]->count, worker_counters_names, worker_counters_n);
		show_counters(w, &T.worker[i]->sync.count, sync_counters_names, sync_counters_n);
		counters_add(&fp, &T.worker[i]->fp.count, fastpath_counters_n);
		counters_add(&wc, &T.worker[i]->count, worker_counters_n);
		counters_add(&sc, &T.worker[i]->sync.count, sync_counters_n);
		json_array_append_new(list, w);
	}
	show_counters(total, &fp, fastpath_counters_names, fastpath_counters_n);
	show_counters(total, &wc, worker_counters_names, worker_counters_n);
	show_counters(total, &sc, sync_counters_names, sync_counters_n);
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
	show_counters(o, &v.gtpc, gtpc_counters_names, gtpc_counters_n);
	show_counters(o, &v.gate, commit_gate_counters_names, commit_gate_counters_n);
	show_counters(o, &v.direct, signalling_direct_counters_names, signalling_direct_counters_n);
	show_counters(o, &v.gtpu, signalling_gtpu_counters_names, signalling_gtpu_counters_n);
	json_object_set_new(o, "restart_counter", json_integer(srp_info(c->srp)->restart_counter));
	json_object_set_new(o, "answers", json_string(show_answers(&v)));
	json_object_set_new(o, "requests_in_progress", json_integer(v.requests_in_progress));
	json_object_set_new(o, "requests_refused", json_integer((json_int_t)v.requests_refused));
	return o;
}
