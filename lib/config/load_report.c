/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with a setting, with its line and its path, while a file is loaded and checked. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "knob.h"

static void load_report_path(char *to, enum section_id id, unsigned int i, const char *key)
{
	const struct section *s = &config_sections[id];

	if (s->name == NULL)
		snprintf(to, KNOB_PATH, "%s", key);
	else if (s->item_size > 0 && key != NULL)
		snprintf(to, KNOB_PATH, "%s[%u].%.40s", s->name, i, key);
	else if (key != NULL)
		snprintf(to, KNOB_PATH, "%s.%.40s", s->name, key);
	else
		snprintf(to, KNOB_PATH, "%s", s->name);
}

/* The key's line; of a key that is not there, its group's; of a group that is not there, the
 * last. */
static unsigned int load_report_line(
	const struct load *l, enum section_id id, unsigned int i, const char *key)
{
	const config_setting_t *s = l->item[id][i], *k = NULL;

	if (s == NULL || key == NULL)
		s = l->group[id];
	else
		k = config_setting_get_member(s, key);
	if (k != NULL)
		s = k;
	return s != NULL && config_setting_source_line(s) > 0 ? config_setting_source_line(s)
							      : l->last_line;
}

static void __attribute__((format(printf, 6, 0))) load_report_add(struct load *l, bool warning,
	enum section_id id, unsigned int i, const char *key, const char *fmt, va_list ap)
{
	char path[KNOB_PATH], *text = NULL;

	load_report_path(path, id, i, key);
	if (vasprintf(&text, fmt, ap) < 0) {
		l->findings.no_memory = true;
		return;
	}
	finding_add(&l->findings, load_report_line(l, id, i, key), warning, path, "%s", text);
	free(text);
}

void load_error(
	struct load *l, enum section_id id, unsigned int i, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	load_report_add(l, false, id, i, key, fmt, ap);
	va_end(ap);
}

void load_warning(
	struct load *l, enum section_id id, unsigned int i, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	load_report_add(l, true, id, i, key, fmt, ap);
	va_end(ap);
}

bool load_good(const struct load *l, enum section_id id, unsigned int i, const char *key)
{
	const struct section *s = &config_sections[id];

	for (unsigned int j = 0; j < s->n_knobs; j++)
		if (strcmp(s->knobs[j].key, key) == 0)
			return (l->good[id][i] & UINT64_C(1) << j) != 0;
	return false;
}
