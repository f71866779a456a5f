/* SPDX-License-Identifier: BSD-3-Clause */
/* Views of the monitors, and the command that resets the probes of AAA servers. */
#include <string.h>
#include <time.h>

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
	struct timespec wall;
	struct tm tm;
	char text[32];

	if (changed == USEC_NEVER) {
		json_object_set_new(o, "last_change", json_null());
		json_object_set_new(o, "last_change_age_ms", json_null());
		return;
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	wall.tv_sec -= (time_t)((now - changed) / USEC_PER_SEC);
	gmtime_r(&wall.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_object_set_new(o, "last_change", json_string(text));
	json_object_set_new(o, "last_change_age_ms",
		json_integer((json_int_t)((now - changed) / USEC_PER_MSEC)));
}

static json_t *show_monitor_object(const struct monitor_object *m, const char *address, usec_t now)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type",
		(char[]){ monitor_type_letter(m->type), '\0' }, "state",
		(char[]){ monitor_state_letter(m->state), '\0' }, "group",
		m->group[0] != '\0' ? m->group : "-", "name", m->name, "address", address,
		"context", m->context);

	show_monitor_change(o, m->changed, now);
	json_object_set_new(o, "downs", json_integer(m->downs));
	json_object_set_new(o, "why", json_string(m->why[0] != '\0' ? m->why : "-"));
	return o;
}

json_t *show_srp_monitor(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array(), *o = json_object();
	struct monitor_verdict v;

	(void)args;
	monitors_verdict(c->monitors, now, &v);
	show_monitor_types(o, "failed", v.health.failed);
	show_monitor_types(o, "failed_at_peer", pair_peer_health(c->pair).failed);
	show_monitor_types(o, "acting", v.acting);
	show_monitor_types(o, "damped", v.damped);
	json_object_set_new(o, "acts_in_ms",
		v.due == USEC_NEVER ? json_null()
				    : json_integer((json_int_t)((v.due > now ? v.due - now : 0) /
								USEC_PER_MSEC)));
	show_monitor_types(o, "held", v.held);
	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		const char *address;
		const struct monitor_object *m = monitors_object(c->monitors, i, &address);

		if (m != NULL)
			json_array_append_new(list, show_monitor_object(m, address, now));
	}
	json_object_set_new(o, "monitors", list);
	return o;
}

static json_t *show_monitor_refused(const char *why)
{
	LOG(NOTICE, "srp reset-auth-probe-fail: refused: %s", why);
	return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

json_t *act_reset_auth(struct control *c, json_t *args, usec_t now)
{
	enum srp_state state = pair_srp(c->pair)->state;
	char text[160];
	bool held;

	(void)args;
	if (monitors_servers(c->monitors) == 0)
		return show_monitor_refused(
			"no server is probed: see aaa-servers in the configuration");
	if (state != SRP_ACTIVE) {
		snprintf(text, sizeof(text),
			"this chassis is %s: run the command on the Active, which probes",
			srp_state_name(state));
		return show_monitor_refused(text);
	}
	held = monitors_reset_auth(c->monitors, now);
	snprintf(text, sizeof(text), "%s; all servers are probed anew, see show srp monitor",
		held ? "an AAA failure may cause a switchover again" : "no AAA failure was held");
	LOG(NOTICE, "srp reset-auth-probe-fail: %s", text);
	return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", text);
}

json_t *show_radius(struct control *c, json_t *args, usec_t now)
{
	json_t *all = json_object();

	(void)args;
	for (unsigned int i = 0; i < monitors_servers(c->monitors); i++) {
		struct radius_probe_info v;
		const struct config_aaa *f = monitors_server(c->monitors, i, &v);
		char address[IP_ADDR_TEXT];
		json_t *o;

		o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s}", "address",
			ip_addr_print(&f->address, address), "port", (json_int_t)f->port, "probe",
			f->status_server ? "status-server" : "auth", "state",
			(char[]){ radius_state_letter(v.state), '\0' }, "why",
			radius_reason_text(v.reason), "last_reply",
			v.last_reply != 0 ? radius_code_name(v.last_reply) : "none");
		json_object_set_new(o, "last_reply_age_ms",
			v.last_reply_at == USEC_NEVER
				? json_null()
				: json_integer(
					  (json_int_t)((now - v.last_reply_at) / USEC_PER_MSEC)));
		json_object_set_new(o, "round_trip_us",
			v.rtt == USEC_NEVER ? json_null() : json_integer((json_int_t)v.rtt));
		json_object_set_new(o, "replies_must_be_signed",
			v.message_authenticator ? json_true() : json_false());
		show_counters(o, &v.count, radius_probe_counters_names, radius_probe_counters_n);
		show_counters(o, &v.checks, radius_checks_names, radius_checks_n);
		json_object_set_new(all, f->name, o);
	}
	return all;
}
