/* SPDX-License-Identifier: BSD-3-Clause */
/* Views of the monitors, and the command that resets the probes of AAA servers. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "command.h"
#include "monitors/monitors.h"
#include "radius/radius_probe.h"
#include "show.h"

static void show_monitor_types(json_t *o, const char *key, uint8_t types)
{
	char text[128] = "";
	size_t used = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES && used < sizeof(text); t++)
		if ((types & 1U << t) != 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? ", " : "", monitor_type_name((enum monitor_type)t));
	json_object_set_new(o, key, json_string(used > 0 ? text : "none"));
}

static void show_monitor_change(json_t *o, usec_t changed, usec_t now)
{
	if (changed == USEC_NEVER) {
		json_object_set_new(o, "last_change", json_null());
		json_object_set_new(o, "last_change_age_ms", json_null());
		return;
	}
	json_object_set_new(
		o, "last_change", show_time(clock_wall_us() - (int64_t)(now - changed)));
	json_object_set_new(o, "last_change_age_ms",
		json_integer((json_int_t)((now - changed) / USEC_PER_MSEC)));
}

static json_t *show_monitor_object(const struct monitor_object *m, const char *address, usec_t now)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "name", m->name, "type",
		monitor_type_name(m->type), "state", monitor_state_name(m->state), "group",
		m->group[0] != '\0' ? m->group : "-", "address", address, "context", m->context);

	show_monitor_change(o, m->changed, now);
	json_object_set_new(o, "downs", json_integer(m->downs));
	show_mark_counter(o, "downs");
	json_object_set_new(o, "why", json_string(m->why[0] != '\0' ? m->why : "-"));
	return o;
}

json_t *show_srp_monitor(void *family, json_t *args, usec_t now)
{
	const struct operator_monitors *f = family;
	struct operator_pair_view pair;
	json_t *list = json_array(), *o = json_object();
	struct monitor_verdict v;

	(void)args;
	show_pair(f->pair, &pair, now);
	monitors_verdict(f->monitors, now, &v);
	show_monitor_types(o, "failed", v.health.failed);
	show_monitor_types(o, "failed_at_peer", pair.peer_health.failed);
	show_monitor_types(o, "acting", v.acting);
	show_monitor_types(o, "damped", v.damped);
	json_object_set_new(o, "acts_in_ms",
		v.due == USEC_NEVER ? json_null()
				    : json_integer((json_int_t)((v.due > now ? v.due - now : 0) /
								USEC_PER_MSEC)));
	show_monitor_types(o, "held", v.held);
	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		const char *address;
		const struct monitor_object *m = monitors_object(f->monitors, i, &address);

		if (m != NULL)
			json_array_append_new(list, show_monitor_object(m, address, now));
	}
	json_object_set_new(o, "monitors", list);
	return o;
}

json_t *act_reset_auth(void *family, json_t *args, usec_t now)
{
	static const char words[] = "srp reset-auth-probe-fail";
	const struct operator_monitors *f = family;
	struct operator_pair_view pair;
	char text[160];
	bool held;

	(void)args;
	show_pair(f->pair, &pair, now);
	if (monitors_servers(f->monitors) == 0)
		return command_refused(
			words, "no server is probed: see aaa-servers in the configuration");
	if (pair.srp->state != SRP_ACTIVE) {
		snprintf(text, sizeof(text),
			"this chassis is %s: run the command on the Active, which probes",
			srp_state_name(pair.srp->state));
		return command_refused(words, text);
	}
	held = monitors_reset_auth(f->monitors, now);
	snprintf(text, sizeof(text), "%s; all servers are probed anew, see show srp monitor",
		held ? "an AAA failure may cause a switchover again" : "no AAA failure was held");
	LOG(NOTICE,
		"all AAA servers are probed anew, and a failure of theirs may cause a switchover, "
		"as an operator asked command=%s held=%s",
		LOG_TEXT(words), held ? "yes" : "no");
	return command_answer(0, text);
}

static json_t *show_server(const struct operator_monitors *f, unsigned int i, usec_t now)
{
	struct radius_probe_info v;
	const struct config_aaa *server = monitors_server(f->monitors, i, &v);
	char address[IP_ADDR_TEXT];
	json_t *o = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s}", "name", server->name, "address",
		ip_addr_print(&server->address, address), "port", (json_int_t)server->port, "probe",
		server->status_server ? "status-server" : "auth", "state",
		radius_state_name(v.state), "why", radius_reason_text(v.reason), "last_reply",
		v.last_reply != 0 ? radius_code_name(v.last_reply) : "none");

	json_object_set_new(o, "last_reply_age_ms",
		v.last_reply_at == USEC_NEVER
			? json_null()
			: json_integer((json_int_t)((now - v.last_reply_at) / USEC_PER_MSEC)));
	json_object_set_new(o, "round_trip_us",
		v.rtt == USEC_NEVER ? json_null() : json_integer((json_int_t)v.rtt));
	json_object_set_new(o, "replies_must_be_signed", json_boolean(v.message_authenticator));
	show_metrics(f->metrics, o, show_objects[SHOW_RADIUS], server->name);
	return o;
}

json_t *show_radius(void *family, json_t *args, usec_t now)
{
	const struct operator_monitors *f = family;
	json_t *list = json_array();

	(void)args;
	for (unsigned int i = 0; i < monitors_servers(f->monitors); i++)
		json_array_append_new(list, show_server(f, i, now));
	return json_pack("{s:o}", "servers", list);
}
