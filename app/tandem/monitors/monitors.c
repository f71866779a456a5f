/* SPDX-License-Identifier: BSD-3-Clause */
/* The monitors: lib/monitor's engine with control's clock, and the one table that makes its
 * verdicts srp's causes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitors.h"
#include "show.h"

enum { TURN_US = 1000, GROUPS = MONITOR_OBJECTS };

struct monitors {
	char address[MONITOR_OBJECTS][MONITORS_ADDRESS];
	struct raised { /* an alarm of one group */
		bool on;
		enum monitor_alarm alarm;
		enum monitor_type type;
		char group[MONITOR_NAME], text[MONITOR_TEXT];
	} raised[GROUPS * MONITOR_ALARMS];
};

static const enum srp_cause causes[MONITOR_TYPES + 1] = {
	[MONITOR_FAULT] = SRP_CAUSE_LOCAL_FAULT,
	[MONITOR_LINK] = SRP_CAUSE_LINK,
	[MONITOR_BFD] = SRP_CAUSE_BFD,
	[MONITOR_BGP] = SRP_CAUSE_BGP,
	[MONITOR_ROUTE] = SRP_CAUSE_ROUTE,
	[MONITOR_AAA] = SRP_CAUSE_AAA,
	[MONITOR_NONE] = SRP_CAUSE_NONE,
};

static enum monitor_type type_of(enum srp_cause cause)
{
	unsigned int t = 0;

	while (t < MONITOR_TYPES && causes[t] != cause)
		t++;
	return (enum monitor_type)t;
}

/* Names are lib/monitor's, filled in at registration. */
static struct alarm_info monitors_alarms[MONITOR_ALARMS] = {
	[MONITOR_ALARM_FAILED] = { .meaning = "All members of a monitored group are down.",
		.action = "Mend what the text names; `show srp monitor` says why each is down." },
	[MONITOR_ALARM_DEGRADED] = { .meaning = "A member of a monitored group is down, and "
						"others of it are not.",
		.action = "Mend what the text names before the rest of the group fails." },
	[MONITOR_ALARM_UNKNOWN] = { .meaning = "Nobody says whether a monitored peer is up.",
		.action = "Look whether its router still reports to this chassis (BMP)." },
	[MONITOR_ALARM_HELD] = { .meaning = "A group failed, and this chassis stays Active, as "
					    "it became Active for the same failure of the peer.",
		.action = "Mend what the text names; for AAA servers, `srp "
			  "reset-auth-probe-fail` lets the failure act again." },
};

int monitors_alarms_register(struct alarms *a)
{
	for (unsigned int i = 0; i < MONITOR_ALARMS; i++)
		monitors_alarms[i].name = monitor_alarm_name((enum monitor_alarm)i);
	return alarms_register(a, monitors_alarms, MONITOR_ALARMS);
}

static void rules(struct monitor_conf *conf, const struct config *f)
{
	monitor_conf_default(conf);
	for (unsigned int t = 0; t < MONITOR_TYPES; t++) {
		conf->type[t].guard = f->srp.guard_period_s * USEC_PER_SEC;
		conf->type[t].damping = f->srp.damping_period_s * USEC_PER_SEC;
	}
	conf->type[MONITOR_AAA].revertible = f->monitors.aaa_revertible;
	conf->type[MONITOR_BGP].revertible = f->monitors.bgp_revertible;
	conf->type[MONITOR_ROUTE].revertible = f->monitors.route_revertible;
	conf->type[MONITOR_LINK].revertible = f->monitors.link_revertible;
	conf->type[MONITOR_FAULT].revertible = f->monitors.fault_revertible;
}

void monitors_rules(struct control *c, const struct config *f)
{
	struct monitor_conf conf;

	rules(&conf, f);
	monitor_configure(c->monitor, &conf);
}

int monitors_open(struct control *c)
{
	struct monitor_conf conf;
	usec_t now = clock_us();
	int ret;

	rules(&conf, T.conf);
	c->monitor = monitor_create(&conf, now);
	c->monitors = calloc(1, sizeof(*c->monitors));
	if (c->monitor == NULL || c->monitors == NULL)
		return -ENOMEM;
	ret = local_open(c, now);
	if (ret == 0)
		ret = routers_open(c, now);
	return ret == 0 ? aaa_open(c, now) : ret;
}

void monitors_close(struct control *c)
{
	aaa_close(c);
	routers_close(c);
	local_close(c);
	monitor_destroy(c->monitor);
	free(c->monitors);
	c->monitor = NULL;
	c->monitors = NULL;
}

int monitors_add(struct control *c, enum monitor_type type, const char *name, const char *address,
	const char *group, usec_t now)
{
	int object = monitor_add(c->monitor, type, name, T.conf->chassis.name, group, now);

	if (object >= 0)
		snprintf(c->monitors->address[object], MONITORS_ADDRESS, "%s", address);
	return object;
}

/* ---- what is said ---- */

static struct raised *raised_of(struct monitors *m, const struct monitor_event *e)
{
	struct raised *room = NULL;

	for (unsigned int i = 0; i < RTE_DIM(m->raised); i++) {
		struct raised *r = &m->raised[i];

		if (r->on && r->alarm == e->alarm && r->type == e->type &&
			strcmp(r->group, e->group) == 0)
			return r;
		if (!r->on && room == NULL)
			room = r;
	}
	return room;
}

/* One alarm a kind; its text has each group that raised it. */
static void alarm_edge(struct control *c, const struct monitor_event *e, usec_t now)
{
	struct monitors *m = c->monitors;
	struct raised *r = raised_of(m, e);
	char text[MONITOR_TEXT] = "";
	size_t used = 0;
	bool was = alarms_is_raised(c->alarms, monitor_alarm_name(e->alarm));

	if (r == NULL)
		return;
	*r = (struct raised){ .on = e->raised, .alarm = e->alarm, .type = e->type };
	memcpy(r->group, e->group, sizeof(r->group));
	memcpy(r->text, e->text, sizeof(r->text));
	for (unsigned int i = 0; i < RTE_DIM(m->raised) && used < sizeof(text); i++)
		if (m->raised[i].on && m->raised[i].alarm == e->alarm)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? "; " : "", m->raised[i].text);
	alarms_set(c->alarms, monitor_alarm_name(e->alarm), used > 0, text, now);
	if (was && used > 0)
		LOG(WARNING, "alarm %s: %s", monitor_alarm_name(e->alarm), e->text);
}

static void tell(struct control *c, usec_t now)
{
	struct monitor_event e;

	while (monitor_next(c->monitor, &e)) {
		const char *address = e.object >= 0 ? c->monitors->address[e.object] : "";

		if (e.object < 0)
			alarm_edge(c, &e, now);
		else if (e.to == MONITOR_DOWN)
			LOG(WARNING, "%s (%s)", e.text, address);
		else if (e.to != MONITOR_INIT)
			LOG(NOTICE, "%s (%s)", e.text, address);
	}
}

/* ---- what follows ---- */

void monitors_role(struct control *c, const struct srp_action *a, usec_t now)
{
	/* Handing over it is Active still, until the peer has taken over: what was held is, if that
	 * comes to nothing. */
	if (a->to == SRP_ACTIVE) {
		enum monitor_type by = a->planned ? type_of(a->cause) : MONITOR_NONE;

		if (by != MONITOR_NONE)
			LOG(NOTICE, "Active for the peer's %s", srp_cause_name(a->cause));
		monitor_role(c->monitor, true, by, now);
		aaa_probe(c, true, now);
	} else if (a->to == SRP_STANDBY || a->to == SRP_INIT) {
		monitor_role(c->monitor, false, MONITOR_NONE, now);
		aaa_probe(c, false, now);
	}
}

/* Bits of causes from bits of types, and back: only what both chassis can see of themselves. */
static uint32_t to_causes(uint8_t types)
{
	uint32_t set = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if (t != MONITOR_AAA && (types & 1U << t) != 0)
			set |= 1U << causes[t];
	return set;
}

static uint8_t to_types(uint32_t set)
{
	uint8_t types = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if ((set & 1U << causes[t]) != 0)
			types |= (uint8_t)(1U << t);
	return types;
}

static struct monitor_health peer_health(const struct control *c)
{
	const struct srp_health *h = &srp_info(c->srp)->peer.health;

	return (struct monitor_health){ .known = to_types(h->known),
		.failed = to_types(h->failed) };
}

void monitors_turn(struct control *c, usec_t now)
{
	struct monitor_verdict v;
	struct monitor_health peer = peer_health(c);
	struct srp_health own;
	enum monitor_type wish;

	if (now < c->monitors_at)
		return;
	c->monitors_at = now + TURN_US;
	local_turn(c, now);
	routers_turn(c, now);
	aaa_turn(c, now);
	tell(c, now);
	monitor_verdict(c->monitor, now, &v);
	own = (struct srp_health){ .known = to_causes(v.health.known),
		.failed = to_causes(v.health.failed) };
	srp_health(c->srp, &own, now);
	/* What the peer would do no better is wished for all the same: srp refuses it, and says
	 * why. */
	wish = monitor_wish(&v, &peer);
	if (wish == MONITOR_NONE)
		wish = monitor_wish(&v, NULL);
	srp_wish(c->srp, causes[wish], now);
}

/* ---- views and commands ---- */

static void set_types(json_t *o, const char *key, uint8_t types)
{
	char text[128] = "";
	size_t used = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES && used < sizeof(text); t++)
		if ((types & 1U << t) != 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? ", " : "", monitor_type_name((enum monitor_type)t));
	json_object_set_new(o, key, json_string(used > 0 ? text : "none"));
}

static void set_change(json_t *o, usec_t changed, usec_t now)
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

static json_t *show_object(
	const struct control *c, int object, const struct monitor_object *m, usec_t now)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type",
		(char[]){ monitor_type_letter(m->type), '\0' }, "state",
		(char[]){ monitor_state_letter(m->state), '\0' }, "group",
		m->group[0] != '\0' ? m->group : "-", "name", m->name, "address",
		c->monitors->address[object], "context", m->context);

	set_change(o, m->changed, now);
	json_object_set_new(o, "downs", json_integer(m->downs));
	json_object_set_new(o, "why", json_string(m->why[0] != '\0' ? m->why : "-"));
	return o;
}

json_t *show_srp_monitor(struct control *c, json_t *args, usec_t now)
{
	json_t *list = json_array(), *o = json_object();
	struct monitor_verdict v = { .due = USEC_NEVER };

	(void)args;
	monitor_verdict(c->monitor, now, &v);
	set_types(o, "failed", v.health.failed);
	set_types(o, "failed_at_peer", peer_health(c).failed);
	set_types(o, "acting", v.acting);
	set_types(o, "damped", v.damped);
	json_object_set_new(o, "acts_in_ms",
		v.due == USEC_NEVER ? json_null()
				    : json_integer((json_int_t)((v.due > now ? v.due - now : 0) /
								USEC_PER_MSEC)));
	set_types(o, "held", v.held);
	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		const struct monitor_object *m = monitor_object(c->monitor, i);

		if (m != NULL)
			json_array_append_new(list, show_object(c, i, m, now));
	}
	json_object_set_new(o, "monitors", list);
	return o;
}

static json_t *refused(const char *why)
{
	LOG(NOTICE, "srp reset-auth-probe-fail: refused: %s", why);
	return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

json_t *act_reset_auth(struct control *c, json_t *args, usec_t now)
{
	enum srp_state state = srp_info(c->srp)->state;
	char text[160];
	bool held;

	(void)args;
	if (c->aaa == NULL)
		return refused("no server is probed: see aaa-servers in the configuration");
	if (state != SRP_ACTIVE) {
		snprintf(text, sizeof(text),
			"this chassis is %s: run the command on the Active, which probes",
			srp_state_name(state));
		return refused(text);
	}
	aaa_probe(c, false, now); /* what is down must be found down anew */
	aaa_probe(c, true, now);
	held = monitor_reset(c->monitor, MONITOR_AAA, now);
	snprintf(text, sizeof(text), "%s; all servers are probed anew, see show srp monitor",
		held ? "an AAA failure may cause a switchover again" : "no AAA failure was held");
	LOG(NOTICE, "srp reset-auth-probe-fail: %s", text);
	return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", text);
}
