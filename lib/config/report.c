/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "knob.h"

static char *report_key_and_text(const char *key, bool warning, const char *fmt, va_list ap)
{
	char *said = NULL, *whole = NULL;

	if (vasprintf(&said, fmt, ap) < 0)
		return NULL;
	if (asprintf(&whole, "%s: %s%s", key, warning ? "warning: " : "", said) < 0)
		whole = NULL;
	free(said);
	return whole;
}

static void report_finding_vadd(struct findings *fs, unsigned int line, bool warning,
	const char *key, const char *fmt, va_list ap)
{
	char *text;

	if (fs->n == fs->room) {
		unsigned int room = fs->room > 0 ? fs->room * 2 : 16;
		struct finding *f = realloc(fs->f, room * sizeof(*f));

		if (f == NULL) {
			fs->no_memory = true;
			return;
		}
		fs->f = f;
		fs->room = room;
	}
	text = report_key_and_text(key, warning, fmt, ap);
	if (text == NULL) {
		fs->no_memory = true;
		return;
	}
	fs->f[fs->n++] = (struct finding){ line, warning, text };
}

void finding_add(
	struct findings *fs, unsigned int line, bool warning, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_finding_vadd(fs, line, warning, key, fmt, ap);
	va_end(ap);
}

/* By insertion: findings are few and nearly in order, and those of one line must stay as they
 * came. */
static void report_findings_sort(struct findings *fs)
{
	for (unsigned int i = 1; i < fs->n; i++) {
		struct finding f = fs->f[i];
		unsigned int j = i;

		for (; j > 0 && fs->f[j - 1].line > f.line; j--)
			fs->f[j] = fs->f[j - 1];
		fs->f[j] = f;
	}
}

static void report_findings_free(struct findings *fs)
{
	for (unsigned int i = 0; i < fs->n; i++)
		free(fs->f[i].text);
	free(fs->f);
	memset(fs, 0, sizeof(*fs));
}

static int report_findings_write(
	const struct findings *fs, const char *file, struct config_report *r)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return -ENOMEM;
	if (r->text != NULL)
		fputs(r->text, to);
	for (unsigned int i = 0; i < fs->n; i++) {
		const struct finding *f = &fs->f[i];

		if (f->line > 0)
			fprintf(to, "%s:%u: %s\n", file, f->line, f->text);
		else
			fprintf(to, "%s: %s\n", file, f->text);
		*(f->warning ? &r->warnings : &r->errors) += 1;
	}
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	free(r->text);
	r->text = text;
	return 0;
}

int findings_report(struct findings *fs, const char *file, struct config_report *r)
{
	int ret = fs->no_memory ? -ENOMEM : 0;

	report_findings_sort(fs);
	if (ret == 0 && fs->n > 0)
		ret = report_findings_write(fs, file, r);
	report_findings_free(fs);
	return ret;
}

void config_report_free(struct config_report *r)
{
	free(r->text);
	memset(r, 0, sizeof(*r));
}
