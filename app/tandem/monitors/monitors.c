/* SPDX-License-Identifier: BSD-3-Clause */
/* The monitors as one: lib/monitor's engine, its alarms and its log lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "base/log.h"
#include "monitors_priv.h"

enum { MONITORS_TURN_US = 1000 };

/* Names are lib/monitor's, filled in at registration. */
// clang-format off
static const struct alarm_info monitors_alarms[MONITOR_ALARMS] = {
	[MONITOR_ALARM_FAILED] = {
		.meaning = "Every member of a group of monitored objects is down. On the Active "
			"this may cause a switchover.",
		.action = "Mend the members; `show srp monitor` says why each is down." },
	[MONITOR_ALARM_DEGRADED] = {
		.meaning = "Some members of a group of monitored objects are down, not all. "
			"Nothing follows from it.",
		.action = "Mend these members before the rest of the group fails." },
	[MONITOR_ALARM_UNKNOWN] = {
		.meaning = "Nothing is known of a monitored BGP peer, because a router that would "
			"report it is not connected by BMP.",
		.action = "Look at the BMP connection of that router." },
	[MONITOR_ALARM_HELD] = {
		.meaning = "A group of monitored objects failed, and this Active stays Active all "
			"the same: it became Active because of the peer's failure of this kind, "
			"which is not revertible.",
		.action = "Mend the members. For AAA servers, `srp reset-auth-probe-fail` then "
			"lets a failure act again." },
};
// clang-format on

int monitors_alarms_register(struct alarms *a)
{
	struct alarm_info info[MONITOR_ALARMS];

	for (unsigned int i = 0; i < MONITOR_ALARMS; i++) {
		info[i] = monitors_alarms[i];
		info[i].name = monitor_alarm_name((enum monitor_alarm)i);
	}
	return alarms_register(a, info, MONITOR_ALARMS);
}

static void monitors_conf(struct monitor_conf *conf, const struct monitors_live *live)
{
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		conf->type[t] = (struct monitor_rule){ .revertible = live->revertible[t],
			.guard = live->guard_us,
			.damping = live->damping_us };
}

void monitors_rules(struct monitors *m, const struct monitors_live *live)
{
	struct monitor_conf conf;

	monitors_conf(&conf, live);
	monitor_configure(m->monitor, &conf);
}

/* ---- life ---- */

struct monitors *monitors_create(const struct monitors_settings *s)
{
	struct monitors *m = calloc(1, sizeof(*m));
	struct monitor_conf conf;
	usec_t now = clock_us();
	int ret;

	if (m == NULL)
		return NULL;
	m->set = *s;
	monitors_conf(&conf, &s->live);
	m->monitor = monitor_create(&conf, now);
	ret = m->monitor != NULL ? local_open(m, now) : -ENOMEM;
	if (ret == 0)
		ret = routers_open(m, now);
	if (ret == 0)
		ret = aaa_open(m, now);
	if (ret < 0) {
		monitors_destroy(m);
		errno = -ret;
		return NULL;
	}
	return m;
}

void monitors_destroy(struct monitors *m)
{
	if (m == NULL)
		return;
	aaa_close(m);
	routers_close(m);
	local_close(m);
	monitor_destroy(m->monitor);
	free(m);
}

/* ---- what is logged ---- */

static struct monitors_raised *monitors_raised_of(struct monitors *m, const struct monitor_event *e)
{
	struct monitors_raised *room = NULL;

	for (unsigned int i = 0; i < MONITORS_RAISED; i++) {
		struct monitors_raised *r = &m->raised[i];

		if (r->on && r->alarm == e->alarm && r->type == e->type &&
			strcmp(r->group, e->group) == 0)
			return r;
		if (!r->on && room == NULL)
			room = r;
	}
	return room;
}

/* One alarm a kind; its text has each group that raised it. */
static void monitors_edge(struct monitors *m, const struct monitor_event *e, usec_t now)
{
	const char *name = monitor_alarm_name(e->alarm);
	struct monitors_raised *r = monitors_raised_of(m, e);
	bool was = alarms_is_raised(m->set.alarms, name);
	char text[MONITOR_TEXT] = "";
	size_t used = 0;

	if (r == NULL)
		return;
	*r = (struct monitors_raised){ .on = e->raised, .alarm = e->alarm, .type = e->type };
	memcpy(r->group, e->group, sizeof(r->group));
	memcpy(r->text, e->text, sizeof(r->text));
	for (unsigned int i = 0; i < MONITORS_RAISED && used < sizeof(text); i++)
		if (m->raised[i].on && m->raised[i].alarm == e->alarm)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used > 0 ? "; " : "", m->raised[i].text);
	alarms_set(m->set.alarms, name, used > 0, text, now);
	if (was && used > 0)
		LOG(WARNING,
			"the text of a raised alarm has changed: show alarms says what to do "
			"alarm=%s state=changed text=%s",
			LOG_TEXT(name), LOG_TEXT(e->text));
}

static void monitors_events(struct monitors *m, usec_t now)
{
	struct monitor_event e;

	while (monitor_next(m->monitor, &e)) {
		const char *address = e.object >= 0 ? m->address[e.object] : "";

		if (e.object < 0)
			monitors_edge(m, &e, now);
		else if (e.to == MONITOR_DOWN)
			LOG(WARNING,
				"a monitor has failed: see show srp monitor type=%s state=%s "
				"address=%s text=%s",
				monitor_type_name(e.type), monitor_state_name(e.to),
				LOG_TEXT(address), LOG_TEXT(e.text));
		else if (e.to != MONITOR_INIT)
			LOG(NOTICE, "a monitor has changed type=%s state=%s address=%s text=%s",
				monitor_type_name(e.type), monitor_state_name(e.to),
				LOG_TEXT(address), LOG_TEXT(e.text));
	}
}

/* ---- what follows ---- */

void monitors_role(struct monitors *m, bool active, enum monitor_type by, usec_t now)
{
	monitor_role(m->monitor, active, by, now);
	aaa_probe(m, active, now);
}

void monitors_turn(struct monitors *m, usec_t now)
{
	struct monitor_verdict v;

	if (now < m->turn_at)
		return;
	m->turn_at = now + MONITORS_TURN_US;
	local_turn(m, now);
	routers_turn(m, now);
	aaa_turn(m, now);
	monitors_events(m, now);
	monitor_verdict(m->monitor, now, &v);
	m->set.ops.verdict(m->set.ctx, &v, now);
}

/* ---- for views and commands ---- */

void monitors_verdict(struct monitors *m, usec_t now, struct monitor_verdict *v)
{
	*v = (struct monitor_verdict){ .due = USEC_NEVER };
	monitor_verdict(m->monitor, now, v);
}

const struct monitor_object *monitors_object(
	const struct monitors *m, int object, const char **address)
{
	const struct monitor_object *o = monitor_object(m->monitor, object);

	*address = o != NULL ? m->address[object] : "";
	return o;
}

bool monitors_reset_auth(struct monitors *m, usec_t now)
{
	aaa_probe(m, false, now); /* what is down must be found down anew */
	aaa_probe(m, true, now);
	return monitor_reset(m->monitor, MONITOR_AAA, now);
}
