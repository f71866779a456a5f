/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "monitor_pvt.h"

/* When a group that failed begins to act. */
static usec_t verdict_acts_at(const struct monitor *m, const struct group *g)
{
	const struct monitor_rule *r = &m->conf.type[g->type];
	/* What failed before the guard began must last from there on: else two that fail alike
	 * would toss. */
	usec_t from = g->since > m->began ? g->since : m->began;

	return from - m->began < r->guard ? from + r->damping : from;
}

void monitor_verdict(const struct monitor *m, usec_t now, struct monitor_verdict *v)
{
	uint8_t there = 0, open = 0;

	*v = (struct monitor_verdict){ .due = USEC_NEVER };
	for (unsigned int i = 0; i < MONITOR_OBJECTS; i++) {
		const struct group *g = &m->group[i];
		uint8_t bit = (uint8_t)(1U << g->type);
		usec_t at;

		if (g->members == 0)
			continue;
		there |= bit;
		if (!g->failed) {
			open |= g->up == 0 ? bit : 0;
			continue;
		}
		v->health.failed |= bit;
		if (!m->active)
			continue;
		at = verdict_acts_at(m, g);
		if ((m->held & bit) != 0) {
			v->held |= bit;
		} else if (now >= at) {
			v->acting |= bit;
		} else {
			v->damped |= bit;
			v->due = at < v->due ? at : v->due;
		}
	}
	v->damped &= (uint8_t)~v->acting;
	v->health.known = there & (uint8_t)~open;
}

enum monitor_type monitor_request(
	const struct monitor_verdict *v, const struct monitor_health *peer)
{
	unsigned int theirs =
		peer != NULL ? peer->failed & ~(unsigned int)MONITOR_ASKED_BY_ACTIVE : 0;

	if ((theirs & ~(unsigned int)v->health.failed) != 0)
		return MONITOR_NONE;
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if ((v->acting & ~theirs & 1U << t) != 0)
			return (enum monitor_type)t;
	return MONITOR_NONE;
}

void monitor_text(const struct monitor *m, enum monitor_type type, char text[MONITOR_TEXT])
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < MONITOR_OBJECTS && at < MONITOR_TEXT; i++) {
		const struct group *g = &m->group[i];
		int n;

		if (!g->failed || g->type != type)
			continue;
		n = snprintf(text + at, MONITOR_TEXT - at, "%s%s%s%s: all %u down",
			at > 0 ? ", " : "", monitor_type_name(type),
			g->name[0] != '\0' ? " group " : "", g->name, g->members);
		at += n > 0 ? (size_t)n : 0;
	}
}

static uint8_t verdict_alarms_now(const struct monitor *m, const struct group *g)
{
	bool held = g->failed && m->active && (m->held & 1U << g->type) != 0;

	return (uint8_t)(g->failed << MONITOR_ALARM_FAILED |
			 (!g->failed && g->down > 0) << MONITOR_ALARM_DEGRADED |
			 (g->unknown > 0) << MONITOR_ALARM_UNKNOWN | held << MONITOR_ALARM_HELD);
}

/* One member in that state, for the text: the first there is. */
static const struct monitor_object *verdict_example(
	const struct monitor *m, unsigned int group, enum monitor_state s)
{
	for (unsigned int i = 0; i < MONITOR_OBJECTS; i++) {
		const struct object *o = &m->object[i];

		if (o->used && o->group == group && o->shown.state == s)
			return &o->shown;
	}
	return NULL;
}

static void verdict_alarm_text(const struct monitor *m, unsigned int group, struct monitor_event *e)
{
	const struct group *g = &m->group[group];
	bool unknown = e->alarm == MONITOR_ALARM_UNKNOWN;
	unsigned int n = unknown ? g->unknown : g->down;
	const struct monitor_object *o =
		verdict_example(m, group, unknown ? MONITOR_UNKNOWN : MONITOR_DOWN);
	const char *what = unknown ? "unknown" : "down";

	if (!e->raised || o == NULL) {
		snprintf(e->text, MONITOR_TEXT, "%s%s%s: %u of %u up", monitor_type_name(g->type),
			g->name[0] != '\0' ? " group " : "", g->name, g->up, g->members);
		return;
	}
	snprintf(e->text, MONITOR_TEXT, "%s%s%s: %u of %u %s, %s%s%s%s%s",
		monitor_type_name(g->type), g->name[0] != '\0' ? " group " : "", g->name, n,
		g->members, what, o->name, o->why[0] != '\0' ? " (" : "", o->why,
		o->why[0] != '\0' ? ")" : "",
		e->alarm == MONITOR_ALARM_HELD ? "; stays Active until it is reset" : "");
}

static bool verdict_next_object(struct monitor *m, struct monitor_event *e)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct object *o = &m->object[i];

		if (!o->used || o->reported == o->shown.state)
			continue;
		*e = (struct monitor_event){ .type = o->shown.type,
			.object = (int)i,
			.from = o->reported,
			.to = o->shown.state };
		memcpy(e->group, o->shown.group, MONITOR_NAME);
		snprintf(e->text, MONITOR_TEXT, "%s %s is %s%s%s", monitor_type_name(e->type),
			o->shown.name, monitor_state_name(e->to),
			o->shown.why[0] != '\0' ? ": " : "", o->shown.why);
		o->reported = o->shown.state;
		return true;
	}
	return false;
}

bool monitor_next(struct monitor *m, struct monitor_event *e)
{
	if (verdict_next_object(m, e))
		return true;
	for (unsigned int i = 0; i < m->n; i++) {
		struct group *g = &m->group[i];
		unsigned int differ = g->reported ^ verdict_alarms_now(m, g);

		if (differ == 0)
			continue;
		*e = (struct monitor_event){ .type = g->type, .object = -1 };
		while ((differ & 1U << e->alarm) == 0)
			e->alarm++;
		e->raised = (g->reported & 1U << e->alarm) == 0;
		memcpy(e->group, g->name, MONITOR_NAME);
		verdict_alarm_text(m, i, e);
		g->reported ^= (uint8_t)(1U << e->alarm);
		return true;
	}
	return false;
}

const char *monitor_type_name(enum monitor_type t)
{
	static const char *const names[] = { "local-fault", "link", "bfd", "bgp", "route",
		"auth-probe" };

	return (unsigned int)t < MONITOR_TYPES ? names[t] : "none";
}

const char *monitor_state_name(enum monitor_state s)
{
	static const char *const names[] = { "init", "up", "down", "unknown" };

	return (unsigned int)s <= MONITOR_UNKNOWN ? names[s] : "none";
}

const char *monitor_alarm_name(enum monitor_alarm a)
{
	static const char *const names[] = { "monitor-failed", "monitor-degraded",
		"monitor-unknown", "monitor-held" };

	return (unsigned int)a < MONITOR_ALARMS ? names[a] : "none";
}
