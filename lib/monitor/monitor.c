/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_pvt.h"

void monitor_conf_default(struct monitor_conf *c)
{
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		c->type[t] = (struct monitor_rule){ .revertible = t != MONITOR_AAA,
			.guard = 60 * USEC_PER_SEC,
			.damping = 60 * USEC_PER_SEC };
}

struct monitor *monitor_create(const struct monitor_conf *c, usec_t now)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->conf = *c;
	m->began = now;
	return m;
}

void monitor_destroy(struct monitor *m)
{
	free(m);
}

void monitor_configure(struct monitor *m, const struct monitor_conf *c)
{
	m->conf = *c;
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		if (c->type[t].revertible)
			m->held &= (uint8_t) ~(1U << t);
}

static struct object *monitor_find(struct monitor *m, int object)
{
	return object >= 0 && object < MONITOR_OBJECTS && m->object[object].used
		       ? &m->object[object]
		       : NULL;
}

const struct monitor_object *monitor_object(const struct monitor *m, int object)
{
	return object >= 0 && object < MONITOR_OBJECTS && m->object[object].used
		       ? &m->object[object].shown
		       : NULL;
}

static bool monitor_take_text(char to[MONITOR_NAME], const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= MONITOR_NAME)
		return false;
	memset(to, 0, MONITOR_NAME);
	if (len > 0)
		memcpy(to, text, len);
	return true;
}

/* The group of that name, or a free place; -1: none is left. */
static int monitor_group_find(const struct monitor *m, enum monitor_type type, const char *name)
{
	int slot = -1;

	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		const struct group *g = &m->group[i];

		if (g->members > 0 || g->reported != 0) {
			if (g->type == type && strcmp(g->name, name) == 0)
				return i;
		} else if (slot < 0) {
			slot = i;
		}
	}
	return slot;
}

/* Its members were counted anew: did it fail, or end to? */
static void monitor_group_judge(struct group *g, usec_t now)
{
	bool failed = g->members > 0 && g->down == g->members;

	if (failed && !g->failed)
		g->since = now;
	g->failed = failed;
}

static void monitor_group_count(struct group *g, enum monitor_state s, unsigned int by)
{
	if (s == MONITOR_UP)
		g->up += by;
	else if (s == MONITOR_DOWN)
		g->down += by;
	else if (s == MONITOR_UNKNOWN)
		g->unknown += by;
}

static void monitor_set_state(
	struct monitor *m, struct object *o, enum monitor_state to, usec_t now)
{
	struct group *g = &m->group[o->group];

	if (to == o->shown.state)
		return;
	monitor_group_count(g, o->shown.state, -1U);
	monitor_group_count(g, to, 1);
	monitor_group_judge(g, now);
	o->shown.state = to;
	o->shown.changed = now;
	if (to == MONITOR_DOWN)
		o->shown.downs++;
}

int monitor_add(struct monitor *m, enum monitor_type type, const char *name, const char *context,
	const char *group, usec_t now)
{
	struct monitor_object shown = { .type = type, .changed = USEC_NEVER };
	int slot = -1, g;

	if ((unsigned int)type >= MONITOR_TYPES || name == NULL || name[0] == '\0' ||
		!monitor_take_text(shown.name, name) ||
		!monitor_take_text(shown.context, context) ||
		!monitor_take_text(shown.group, group))
		return -EINVAL;
	for (int i = 0; i < MONITOR_OBJECTS; i++) {
		const struct object *o = &m->object[i];

		if (!o->used)
			slot = slot < 0 ? i : slot;
		else if (o->shown.type == type && strcmp(o->shown.name, shown.name) == 0 &&
			 strcmp(o->shown.context, shown.context) == 0)
			return -EEXIST;
	}
	g = monitor_group_find(m, type, shown.group);
	if (slot < 0 || g < 0)
		return -ENOSPC;
	if (m->group[g].members == 0 && m->group[g].reported == 0) {
		m->group[g] = (struct group){ .type = type };
		memcpy(m->group[g].name, shown.group, MONITOR_NAME);
	}
	m->n = (unsigned int)g >= m->n ? (unsigned int)g + 1 : m->n;
	m->n = (unsigned int)slot >= m->n ? (unsigned int)slot + 1 : m->n;
	m->group[g].members++;
	monitor_group_judge(&m->group[g], now);
	m->object[slot] = (struct object){ .shown = shown, .used = true, .group = (unsigned int)g };
	return slot;
}

int monitor_remove(struct monitor *m, int object, usec_t now)
{
	struct object *o = monitor_find(m, object);
	struct group *g;

	if (o == NULL)
		return -ENOENT;
	g = &m->group[o->group];
	monitor_group_count(g, o->shown.state, -1U);
	g->members--;
	monitor_group_judge(g, now);
	o->used = false;
	return 0;
}

int monitor_report(
	struct monitor *m, int object, enum monitor_state state, const char *why, usec_t now)
{
	struct object *o = monitor_find(m, object);
	size_t len = why != NULL ? strnlen(why, MONITOR_WHY - 1) : 0;

	if (o == NULL)
		return -ENOENT;
	if (!m->active && (MONITOR_ASKED_BY_ACTIVE & 1U << o->shown.type) != 0)
		return 0;
	memset(o->shown.why, 0, MONITOR_WHY);
	if (len > 0)
		memcpy(o->shown.why, why, len);
	monitor_set_state(m, o, state, now);
	return 0;
}

/* Those of the types given that are in a state go back to where nothing is known. */
static void monitor_forget(struct monitor *m, unsigned int types, bool all, usec_t now)
{
	for (unsigned int i = 0; i < MONITOR_OBJECTS; i++) {
		struct object *o = &m->object[i];

		if (!o->used || (types & 1U << o->shown.type) == 0 ||
			(!all && o->shown.state != MONITOR_DOWN))
			continue;
		memset(o->shown.why, 0, MONITOR_WHY);
		monitor_set_state(m, o, MONITOR_INIT, now);
	}
}

void monitor_role(struct monitor *m, bool active, enum monitor_type by, usec_t now)
{
	if (active == m->active)
		return;
	m->active = active;
	m->began = now;
	m->held = active && by < MONITOR_TYPES && !m->conf.type[by].revertible ? (uint8_t)(1U << by)
									       : 0;
	if (!active)
		monitor_forget(m, MONITOR_ASKED_BY_ACTIVE, true, now);
}

bool monitor_reset(struct monitor *m, enum monitor_type type, usec_t now)
{
	bool was;

	if ((unsigned int)type >= MONITOR_TYPES)
		return false;
	was = (m->held & 1U << type) != 0;
	m->held &= (uint8_t) ~(1U << type);
	monitor_forget(m, 1U << type, false, now);
	return was;
}
