/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, and the blocks that stand for a table which is too wide. */
#include <stdlib.h>
#include <string.h>

#include "render_pvt.h"

enum { COLUMNS = 32 };

struct table {
	unsigned int n;
	const char *key[COLUMNS];
	int width[COLUMNS];
	bool number[COLUMNS];
	bool nested, more; /* a cell is an object; there are more columns */
};

static void render_table_head(const char *key, char *to, size_t size)
{
	char label[RENDER_LABEL];
	size_t len;
	const char *unit = render_unit(key, &len);

	render_label(key, label);
	snprintf(to, size, unit[0] != '\0' ? "%s (%s)" : "%s%s", label,
		unit[0] == ' ' ? unit + 1 : unit);
}

/* A column of counters that are all zero is left out; the first names the rows. */
static bool render_table_column_zero(json_t *rows, const char *key, const struct render *r)
{
	size_t i;
	json_t *row, *v;

	json_array_foreach (rows, i, row) {
		v = json_object_get(row, key);
		if (v != NULL && !render_is_left_out(key, v, r))
			return false;
	}
	return true;
}

static void render_table_fit(struct table *t, json_t *row, const char *key, json_t *v)
{
	char *text = render_member_text(row, key, ""), head[RENDER_LABEL + 16];
	int width = text != NULL ? render_width(text) : 0;
	unsigned int c = 0;

	while (c < t->n && strcmp(t->key[c], key) != 0)
		c++;
	if (c == t->n && c < COLUMNS) {
		render_table_head(key, head, sizeof(head));
		t->key[c] = key;
		t->width[c] = render_width(head);
		t->number[c] = true;
		t->n++;
	}
	t->more = t->more || c == COLUMNS;
	t->nested = t->nested || json_object_size(v) > 0 || json_is_object(json_array_get(v, 0));
	if (c < t->n) {
		if (width > t->width[c])
			t->width[c] = width;
		t->number[c] = t->number[c] && (json_is_number(v) || json_is_null(v));
	}
	free(text);
}

static bool render_table_is_too_wide(const struct table *t, int indent, const struct render *r)
{
	int width = indent;

	for (unsigned int c = 0; c < t->n; c++)
		width += t->width[c] + (c > 0 ? 2 : 0);
	return t->more || t->nested || (r->width > 0 && width > r->width);
}

/* The last column is not padded, unless it is a number. */
static void render_table_cell(const struct table *t, unsigned int c, const char *text, FILE *to)
{
	int pad = t->width[c] - render_width(text);

	if (c > 0)
		fputs("  ", to);
	if (t->number[c])
		fprintf(to, "%*s%s", pad, "", text);
	else
		fprintf(to, "%s%*s", text, c + 1 < t->n ? pad : 0, "");
}

static void render_table_print(const struct table *t, json_t *rows, int indent, FILE *to)
{
	char head[RENDER_LABEL + 16];
	json_t *row;
	size_t i;

	fprintf(to, "%*s", indent, "");
	for (unsigned int c = 0; c < t->n; c++) {
		render_table_head(t->key[c], head, sizeof(head));
		render_table_cell(t, c, head, to);
	}
	fputc('\n', to);
	json_array_foreach (rows, i, row) {
		fprintf(to, "%*s", indent, "");
		for (unsigned int c = 0; c < t->n; c++) {
			char *text = json_object_get(row, t->key[c]) != NULL
					     ? render_member_text(row, t->key[c], "")
					     : NULL;

			render_table_cell(t, c, text != NULL ? text : "-", to);
			free(text);
		}
		fputc('\n', to);
	}
}

/* The first member of a row names its block. */
static void render_table_block(json_t *row, int indent, struct render *r)
{
	const char *first = json_object_iter_key(json_object_iter(row)), *key;
	int width = render_labels_width(row, r);
	char label[RENDER_LABEL], *text;
	size_t len;
	json_t *v;

	if (first == NULL)
		return;
	render_label(first, label);
	text = render_member_text(row, first, render_unit(first, &len));
	if (strcmp(first, "name") == 0)
		label[0] = '\0';
	fprintf(r->to, "%*s%s%s%s:\n", indent, "", label, label[0] != '\0' ? " " : "",
		text != NULL ? text : "?");
	free(text);
	json_object_foreach (row, key, v)
		if (strcmp(key, first) != 0)
			render_member(row, key, width, indent + RENDER_INDENT, r);
}

void render_table(json_t *rows, int indent, struct render *r)
{
	const char *key, *first = NULL;
	struct table t = { 0 };
	unsigned int zero = 0;
	json_t *row, *v;
	size_t i;

	json_array_foreach (rows, i, row) {
		json_object_foreach (row, key, v) {
			if (first == NULL)
				first = key;
			if (render_is_rate(row, key))
				continue;
			if (strcmp(key, first) != 0 && render_table_column_zero(rows, key, r))
				zero++;
			else
				render_table_fit(&t, row, key, v);
		}
	}
	if (!render_table_is_too_wide(&t, indent, r)) {
		r->zero += zero;
		render_table_print(&t, rows, indent, r->to);
		return;
	}
	json_array_foreach (rows, i, row) {
		if (json_is_object(row))
			render_table_block(row, indent, r);
	}
}
