/* SPDX-License-Identifier: BSD-3-Clause */
/* What is shown of GTP: figures, and who may speak it. */
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "cores/settings.h"
#include "ctl_request.h"
#include "peers/peers.h"
#include "show.h"
#include "signalling/signalling.h"

json_t *show_gtp(void *family, json_t *args, usec_t now)
{
	const struct operator_gtp *f = family;
	struct operator_pair_view pair;
	struct signalling_view v;
	json_t *o = json_object();

	(void)args;
	show_pair(f->pair, &pair, now);
	signalling_view(f->signalling, &v);
	show_metrics(f->metrics, o, show_objects[SHOW_GTP], NULL);
	json_object_set_new(o, "restart_counter", json_integer(pair.srp->restart_counter));
	json_object_set_new(o, "answers", json_string(show_answers(&v)));
	return o;
}

/* Names of ports, as the entry's bits say. */
static json_t *show_gtp_ports(const struct operator_gtp *f, uint8_t ports)
{
	char text[CONFIG_PORTS * (CONFIG_NAME + 1)] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < f->n_ports; i++)
		if (ports & 1U << i)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? " " : "", f->ports[i].name);
	return json_string(text);
}

static json_t *show_gtp_peer(const struct operator_gtp *f, const struct peers *p, unsigned int nth)
{
	static const char *const counters[] = { "messages", "wrong_port" };
	const struct peers_entry *e = &p->entry[nth];
	const struct signalling_peer_count count = signalling_peer(f->signalling, e->number);
	json_t *o = json_pack("{s:s,s:I,s:o,s:I,s:I,s:I,s:I}", "name", e->name, "number",
		(json_int_t)e->number, "ports", show_gtp_ports(f, e->ports), "control_prefixes",
		(json_int_t)e->n_prefixes[PEERS_CONTROL], "user_prefixes",
		(json_int_t)e->n_prefixes[PEERS_USER], counters[0], (json_int_t)count.messages,
		counters[1], (json_int_t)count.wrong_port);

	if (e->group[0] != '\0')
		json_object_set_new(o, "group", json_string(e->group));
	if (peers_everybody(p, nth))
		json_object_set_new(o, "notice",
			json_string("every host that reaches the port is this peer, as it has a "
				    "prefix of length 0"));
	show_mark_counters(o, counters, RTE_DIM(counters));
	return o;
}

json_t *show_gtp_peers(void *family, json_t *args, usec_t now)
{
	const struct operator_gtp *f = family;
	const struct peers *p = settings_newest(f->settings)->peers;
	unsigned int n = p != NULL ? RTE_MIN(p->n, request_limit(args)) : 0;
	json_int_t prefixes = 0;
	json_t *list = json_array();

	(void)now;
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(list, show_gtp_peer(f, p, i));
	for (unsigned int i = 0; p != NULL && i < p->n; i++)
		prefixes += (json_int_t)(p->entry[i].n_prefixes[PEERS_CONTROL] +
					 p->entry[i].n_prefixes[PEERS_USER]);
	return json_pack("{s:I,s:I,s:I,s:o}", "total", (json_int_t)(p != NULL ? p->n : 0),
		"prefixes", prefixes, "shown", (json_int_t)n, "peers", list);
}
