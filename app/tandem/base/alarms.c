/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alarms.h"
#include "base/clock.h"
#include "base/log.h"

/* What one registration brought. */
struct alarms_infos {
	struct alarms_infos *next;
	struct alarm_info info[];
};

struct alarms {
	unsigned int n;
	struct alarms_infos *infos;
	struct alarm *alarm;
	alarms_over_fn *over;
	void *ctx;
};

struct alarms *alarms_create(void)
{
	return calloc(1, sizeof(struct alarms));
}

void alarms_destroy(struct alarms *a)
{
	if (a == NULL)
		return;
	while (a->infos != NULL) {
		struct alarms_infos *next = a->infos->next;

		free(a->infos);
		a->infos = next;
	}
	free(a->alarm);
	free(a);
}

static struct alarm *alarms_find(const struct alarms *a, const char *name)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (strcmp(a->alarm[i].info->name, name) == 0)
			return &a->alarm[i];
	return NULL;
}

static struct alarm_info alarms_explained(const struct alarm_info *info)
{
	struct alarm_info all = *info;

	if (all.meaning == NULL)
		all.meaning = ALARM_NO_MEANING;
	if (all.action == NULL)
		all.action = ALARM_NO_ACTION;
	return all;
}

int alarms_register(struct alarms *a, const struct alarm_info *info, unsigned int n)
{
	struct alarms_infos *infos;
	struct alarm *more;

	for (unsigned int i = 0; i < n; i++) {
		if (info[i].name == NULL)
			return -EINVAL;
		if (alarms_find(a, info[i].name) != NULL)
			return -EEXIST;
	}
	infos = malloc(sizeof(*infos) + n * sizeof(*info));
	more = infos != NULL ? realloc(a->alarm, (a->n + n) * sizeof(*more)) : NULL;
	if (more == NULL) {
		free(infos);
		return -ENOMEM;
	}
	a->alarm = more;
	for (unsigned int i = 0; i < n; i++)
		infos->info[i] = alarms_explained(&info[i]);
	infos->next = a->infos;
	a->infos = infos;
	for (unsigned int i = 0; i < n; i++)
		a->alarm[a->n++] = (struct alarm){ .info = &infos->info[i] };
	return 0;
}

void alarms_reader(struct alarms *a, alarms_over_fn *over, void *ctx)
{
	a->over = over;
	a->ctx = ctx;
}

static void alarms_edge(struct alarms *a, struct alarm *m, bool raised, usec_t now)
{
	int64_t wall = clock_wall_us();

	if (!raised && a->over != NULL)
		a->over(a->ctx, m, wall);
	m->raised = raised;
	m->since = now;
	m->wall_us = wall;
	if (raised)
		LOG(WARNING,
			"an alarm was raised: show alarms says what to do alarm=%s state=raised "
			"text=%s",
			LOG_TEXT(m->info->name), LOG_TEXT(m->text));
	else
		LOG(NOTICE, "an alarm was cleared alarm=%s state=cleared", LOG_TEXT(m->info->name));
}

void alarms_set(struct alarms *a, const char *name, bool raised, const char *text, usec_t now)
{
	struct alarm *m = alarms_find(a, name);

	if (m == NULL) {
		LOG(ERR,
			"an alarm that is not registered was raised or cleared, which is a fault "
			"of the program: report it alarm=%s",
			LOG_TEXT(name));
		return;
	}
	if (raised && m->raised && m->info->log_changes && strcmp(m->text, text) != 0)
		LOG(WARNING,
			"the text of a raised alarm has changed: show alarms says what to do "
			"alarm=%s state=changed text=%s",
			LOG_TEXT(name), LOG_TEXT(text));
	if (raised)
		snprintf(m->text, sizeof(m->text), "%s", text);
	if (raised != m->raised)
		alarms_edge(a, m, raised, now);
}

void alarms_raise(struct alarms *a, const char *name, const char *text, usec_t now)
{
	alarms_set(a, name, true, text, now);
}

void alarms_clear(struct alarms *a, const char *name, usec_t now)
{
	alarms_set(a, name, false, "", now);
}

bool alarms_is_raised(const struct alarms *a, const char *name)
{
	const struct alarm *m = alarms_find(a, name);

	return m != NULL && m->raised;
}

const struct alarm *alarms_get(const struct alarms *a, unsigned int k)
{
	return k < a->n ? &a->alarm[k] : NULL;
}
