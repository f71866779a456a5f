/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects, and what needs no layout of its own. */
#include <stdlib.h>
#include <string.h>

#include "render_pvt.h"

enum { DEPTH = 8 };

bool render_is_left_out(const char *key, json_t *v, const struct render *r)
{
	size_t len;

	/* One that has a unit says something when it is zero, too: "Stalled: 0 ms". */
	return r->terse && !r->all && json_is_integer(v) && json_integer_value(v) == 0 &&
	       render_unit(key, &len)[0] == '\0' && json_object_get(r->counters, key) != NULL;
}

bool render_is_rate(json_t *object, const char *key)
{
	static const char end[] = "_per_s";
	size_t n = strlen(key);
	char base[128];

	if (n < sizeof(end) || n >= sizeof(base) || strcmp(key + n - sizeof(end) + 1, end) != 0)
		return false;
	snprintf(base, sizeof(base), "%.*s", (int)(n - sizeof(end) + 1), key);
	return json_object_get(object, base) != NULL;
}

static bool render_is_table(json_t *v)
{
	return json_array_size(v) > 0 && json_is_object(json_array_get(v, 0));
}

/* A list of texts that are more than a word each: they stand one a line. */
static bool render_is_texts(json_t *v)
{
	bool spaces = false;
	size_t i;
	json_t *e;

	json_array_foreach (v, i, e) {
		if (!json_is_string(e))
			return false;
		spaces = spaces || strchr(json_string_value(e), ' ') != NULL;
	}
	return spaces;
}

static bool render_is_block(json_t *v)
{
	return render_is_table(v) || render_is_texts(v) || json_object_size(v) > 0;
}

static void render_texts(json_t *list, int indent, struct render *r)
{
	size_t i;
	json_t *e;

	json_array_foreach (list, i, e) {
		char *text = render_value(e, "");

		fprintf(r->to, "%*s", indent, "");
		render_wrapped(r, text != NULL ? text : "?", indent + RENDER_INDENT);
		free(text);
	}
}

int render_labels_width(json_t *object, const struct render *r)
{
	const char *key;
	json_t *v;
	int width = 0;

	json_object_foreach (object, key, v) {
		char label[RENDER_LABEL];

		render_label(key, label);
		if (!render_is_block(v) && !render_is_left_out(key, v, r) &&
			!render_is_rate(object, key) && render_width(label) > width)
			width = render_width(label);
	}
	return width;
}

void render_member(json_t *object, const char *key, int width, int indent, struct render *r)
{
	json_t *v = json_object_get(object, key);
	char label[RENDER_LABEL], *text;
	size_t len;
	const char *unit = render_unit(key, &len);

	if (render_is_rate(object, key))
		return;
	if (render_is_left_out(key, v, r)) {
		r->zero++;
		return;
	}
	render_label(key, label);
	if (!render_is_block(v) || indent >= DEPTH * RENDER_INDENT) {
		text = render_member_text(object, key, unit);
		render_line(r, label, width, text != NULL ? text : "?", indent);
		free(text);
		return;
	}
	fprintf(r->to, "%*s%s:\n", indent, "", label);
	if (json_is_object(v))
		render_object(v, indent + RENDER_INDENT, r);
	else if (render_is_texts(v))
		render_texts(v, indent + RENDER_INDENT, r);
	else
		render_table(v, indent + RENDER_INDENT, r);
}

void render_object(json_t *object, int indent, struct render *r)
{
	int width = render_labels_width(object, r);
	unsigned int zero = r->zero;
	const char *key;
	json_t *v;

	json_object_foreach (object, key, v)
		render_member(object, key, width, indent, r);
	if (json_object_size(object) > 0 && r->zero - zero == json_object_size(object))
		fprintf(r->to, "%*sall are zero\n", indent, "");
}

void render_any(json_t *data, struct render *r)
{
	void *only = json_object_iter(data);
	char *text;

	/* A list that is all there is needs no heading. */
	if (json_object_size(data) == 1 && json_is_array(json_object_iter_value(only)))
		data = json_object_iter_value(only);
	if (render_is_table(data)) {
		render_table(data, 0, r);
	} else if (json_object_size(data) > 0) {
		render_object(data, 0, r);
	} else if (json_is_array(data) && json_array_size(data) == 0) {
		fputs("none\n", r->to);
	} else if (data == NULL || json_is_object(data) || json_is_null(data)) {
		fputs("done\n", r->to);
	} else {
		text = render_value(data, "");
		fprintf(r->to, "%s\n", text != NULL ? text : "?");
		free(text);
	}
}

void render_counters(json_t *data, struct render *r)
{
	r->terse = true;
	render_any(data, r);
	if (r->zero > 0)
		fprintf(r->to, "(%u counter%s zero: see --all)\n", r->zero,
			r->zero == 1 ? " is" : "s are");
}

void render_text(json_t *data, struct render *r)
{
	const char *value = json_string_value(json_object_get(data, "text"));
	char *text = value != NULL ? strdup(value) : NULL;

	if (text == NULL) {
		render_any(data, r);
		return;
	}
	render_clean(text);
	fprintf(r->to, "%s%s", text, text[0] != '\0' && text[strlen(text) - 1] == '\n' ? "" : "\n");
	free(text);
}
