/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

enum { LABEL = 64, COLUMNS = 32, INDENT = 2, DEPTH = 8, VALUE_MOST = 120 };

static const struct {
	const char *suffix, *unit;
} units[] = { { "_ms", " ms" }, { "_us", " us" }, { "_ns", " ns" }, { "_per_s", "/s" },
	{ "_s", " s" }, { "_bytes", " bytes" }, { "_kbps", " kbit/s" }, { "_pct", " %" },
	{ "_percent", " %" } };

static const char *const acronyms[] = { "srp", "vip", "vips", "teid", "imsi", "msisdn", "apn",
	"gtp", "mtu", "dns", "ip", "ue", "id", "mac", "sgsn", "ggsn", "rm", "rx", "tx", "icmp",
	"arp", "tcp", "udp", "ambr", "nsapi", "qos" };

static const char *unit_of(const char *key, size_t *len)
{
	*len = strlen(key);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i].suffix);

		if (*len > n && strcmp(key + *len - n, units[i].suffix) == 0) {
			*len -= n;
			return units[i].unit;
		}
	}
	return "";
}

static bool is_acronym(const char *word, size_t n)
{
	for (size_t i = 0; i < sizeof(acronyms) / sizeof(acronyms[0]); i++)
		if (strlen(acronyms[i]) == n && strncmp(acronyms[i], word, n) == 0)
			return true;
	return false;
}

/* C0 and DEL, and C1 as UTF-8 has it (U+009B begins a control sequence as ESC [ does). */
void render_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
}

/* A value or a label has one line. */
static void clean(char *text)
{
	render_clean(text);
	for (; *text != '\0'; text++)
		if (*text == '\n' || *text == '\t')
			*text = '?';
}

/* A text that was cut may end within a character: then without that. */
static void whole_characters(char *text)
{
	size_t n = strlen(text), back = 1, need;

	while (back < n && back < 4 && ((unsigned char)text[n - back] & 0xc0) == 0x80)
		back++;
	if (n == 0)
		return;
	need = (unsigned char)text[n - back] >= 0xf0   ? 4
	       : (unsigned char)text[n - back] >= 0xe0 ? 3
	       : (unsigned char)text[n - back] >= 0xc0 ? 2
						       : 1;
	if (need > back)
		text[n - back] = '\0';
}

/* "peer_route_modifier" to "Peer Route Modifier"; the unit is left to the value. */
static void label_of(const char *key, char to[LABEL])
{
	size_t len, n, at = 0;

	unit_of(key, &len);
	for (size_t i = 0; i < len && at + 1 < LABEL; i += n + 1) {
		bool all;

		for (n = 0; i + n < len && key[i + n] != '_'; n++)
			;
		all = is_acronym(key + i, n);
		for (size_t j = 0; j < n && at + 2 < LABEL; j++)
			to[at++] = (char)(all || j == 0 ? toupper((unsigned char)key[i + j])
							: key[i + j]);
		if (at + 2 >= LABEL) /* cut, perhaps within a character: nothing behind it */
			break;
		if (i + n < len)
			to[at++] = ' ';
	}
	to[at] = '\0';
	whole_characters(to);
	clean(to);
}

/* To be freed; NULL only without memory. */
static char *value_text(json_t *v, const char *unit)
{
	char *text = NULL, *more;
	size_t i;
	json_t *e;
	int ret = 0;

	switch (json_typeof(v)) {
	case JSON_STRING:
		text = strdup(json_string_value(v));
		break;
	case JSON_INTEGER:
		ret = asprintf(&text, "%" JSON_INTEGER_FORMAT "%s", json_integer_value(v), unit);
		break;
	case JSON_REAL:
		ret = asprintf(&text, "%.6g%s", json_real_value(v), unit);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		text = strdup(json_is_true(v) ? "yes" : "no");
		break;
	case JSON_ARRAY:
		text = strdup(json_array_size(v) == 0 ? "-" : "");
		json_array_foreach (v, i, e) {
			char *one = json_is_array(e) || json_is_object(e)
					    ? json_dumps(e, JSON_COMPACT)
					    : value_text(e, unit);

			if (text == NULL || one == NULL ||
				asprintf(&more, "%s%s%s", text, i > 0 ? ", " : "", one) < 0)
				more = NULL;
			free(text);
			free(one);
			text = more;
		}
		break;
	case JSON_OBJECT:
		text = json_dumps(v, JSON_COMPACT | JSON_PRESERVE_ORDER);
		break;
	default:
		text = strdup("-");
	}
	if (ret < 0 || text == NULL)
		return NULL;
	clean(text);
	return text;
}

static bool is_table(json_t *v)
{
	return json_array_size(v) > 0 && json_is_object(json_array_get(v, 0));
}

static bool is_block(json_t *v)
{
	return is_table(v) || json_object_size(v) > 0;
}

struct table {
	unsigned int n;
	const char *key[COLUMNS];
	int width[COLUMNS];
	bool number[COLUMNS];
};

/* Characters, not bytes: names may be UTF-8. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void column_fit(struct table *t, const char *key, json_t *v)
{
	unsigned int c = 0;
	char *text = value_text(v, ""), label[LABEL];
	int width = text != NULL ? width_of(text) : 0;

	while (c < t->n && strcmp(t->key[c], key) != 0)
		c++;
	if (c == t->n && c < COLUMNS) {
		size_t len;
		const char *unit = unit_of(key, &len);

		label_of(key, label);
		t->key[c] = key;
		t->width[c] = width_of(label) + (unit[0] != '\0' ? (int)strlen(unit) + 2 : 0);
		t->number[c] = true;
		t->n++;
	}
	if (c < t->n) {
		if (width > t->width[c])
			t->width[c] = width;
		t->number[c] = t->number[c] && (json_is_number(v) || json_is_null(v));
	}
	free(text);
}

/* The last column is not padded, unless it is a number. */
static void print_cell(const struct table *t, unsigned int c, const char *text, FILE *to)
{
	int pad = t->width[c] - width_of(text);

	if (c > 0)
		fputs("  ", to);
	if (t->number[c])
		fprintf(to, "%*s%s", pad, "", text);
	else
		fprintf(to, "%s%*s", text, c + 1 < t->n ? pad : 0, "");
}

static void print_table(json_t *rows, int indent, FILE *to)
{
	struct table t = { 0 };
	size_t i, len;
	const char *key;
	json_t *row, *v;

	json_array_foreach (rows, i, row) {
		json_object_foreach (row, key, v)
			column_fit(&t, key, v);
	}
	fprintf(to, "%*s", indent, "");
	for (unsigned int c = 0; c < t.n; c++) {
		char label[LABEL], head[LABEL + 16];
		const char *unit = unit_of(t.key[c], &len);

		label_of(t.key[c], label);
		snprintf(head, sizeof(head), unit[0] != '\0' ? "%s (%s)" : "%s%s", label,
			unit[0] != '\0' ? unit + 1 : "");
		print_cell(&t, c, head, to);
	}
	fputc('\n', to);
	json_array_foreach (rows, i, row) {
		fprintf(to, "%*s", indent, "");
		for (unsigned int c = 0; c < t.n; c++) {
			json_t *cell = json_object_get(row, t.key[c]);
			char *text = cell != NULL ? value_text(cell, "") : NULL;

			print_cell(&t, c, text != NULL ? text : "-", to);
			free(text);
		}
		fputc('\n', to);
	}
}

static void print_line(const char *label, int width, const char *text, int indent, FILE *to)
{
	fprintf(to, "%*s%s:%*s%s\n", indent, "", label, width - width_of(label) + 1, "", text);
}

static void print_object(json_t *o, int indent, FILE *to);

/* What a view says for a word that would not stand alone, or NULL. */
static const char *words_for(const char *key, json_t *v)
{
	static const struct {
		const char *key, *word, *text;
	} words[] = { { "answers", "protected", "protected by the standby" },
		{ "answers", "unprotected", "not protected by the standby" } };

	for (size_t i = 0; json_is_string(v) && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(key, words[i].key) == 0 &&
			strcmp(json_string_value(v), words[i].word) == 0)
			return words[i].text;
	return NULL;
}

static void print_member(const char *key, json_t *v, int width, int indent, FILE *to)
{
	const char *unit, *words = words_for(key, v);
	char label[LABEL], *text;
	size_t len;

	unit = unit_of(key, &len);
	label_of(key, label);
	if (words != NULL) {
		print_line(label, width, words, indent, to);
		return;
	}
	if (!is_block(v) || indent >= DEPTH * INDENT) {
		text = value_text(v, unit);
		print_line(label, width, text != NULL ? text : "?", indent, to);
		free(text);
		return;
	}
	fprintf(to, "%*s%s:\n", indent, "", label);
	if (json_is_object(v))
		print_object(v, indent + INDENT, to);
	else
		print_table(v, indent + INDENT, to);
}

static int labels_width(json_t *o)
{
	const char *key;
	json_t *v;
	int width = 0;

	json_object_foreach (o, key, v) {
		char label[LABEL];

		label_of(key, label);
		if (!is_block(v) && width_of(label) > width)
			width = width_of(label);
	}
	return width;
}

static void print_object(json_t *o, int indent, FILE *to)
{
	int width = labels_width(o);
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v)
		print_member(key, v, width, indent, to);
}

void render_any(json_t *data, FILE *to)
{
	void *only = json_object_iter(data);
	char *text;

	/* A list that is all there is needs no heading. */
	if (json_object_size(data) == 1 && json_is_array(json_object_iter_value(only)))
		data = json_object_iter_value(only);
	if (is_table(data)) {
		print_table(data, 0, to);
	} else if (json_object_size(data) > 0) {
		print_object(data, 0, to);
	} else if (json_is_array(data) && json_array_size(data) == 0) {
		fputs("none\n", to);
	} else if (data == NULL || json_is_object(data) || json_is_null(data)) {
		fputs("done\n", to);
	} else {
		text = value_text(data, "");
		fprintf(to, "%s\n", text != NULL ? text : "?");
		free(text);
	}
}

void render_named(json_t *data, FILE *to)
{
	if (json_is_object(data) && json_object_size(data) == 0)
		fputs("none\n", to);
	else
		render_any(data, to);
}

void render_text(json_t *data, FILE *to)
{
	const char *value = json_string_value(json_object_get(data, "text"));
	char *text = value != NULL ? strdup(value) : NULL;

	if (text == NULL) {
		render_any(data, to);
		return;
	}
	render_clean(text);
	fprintf(to, "%s%s", text, text[0] != '\0' && text[strlen(text) - 1] == '\n' ? "" : "\n");
	free(text);
}

static const struct {
	const char *label, *key, *age; /* age: milliseconds, shown behind the value */
} info[] = {
	{ "Context", "context", NULL },
	{ "Local Address", "local_address", NULL },
	{ "Chassis State", "chassis_state", NULL },
	{ "Chassis Mode", "chassis_mode", NULL },
	{ "Chassis Priority (higher wins)", "chassis_priority", NULL },
	{ "Local Tiebreaker", "local_tiebreaker", NULL },
	{ "Route-Modifier", "route_modifier", NULL },
	{ "VIP and Pool Routes", "vip_and_pool_routes", NULL },
	{ "Peer Remote Address", "peer_remote_address", NULL },
	{ "Peer State", "peer_state", NULL },
	{ "Peer Mode", "peer_mode", NULL },
	{ "Peer Priority", "peer_priority", NULL },
	{ "Peer Tiebreaker", "peer_tiebreaker", NULL },
	{ "Peer Route-Modifier", "peer_route_modifier", NULL },
	{ "Last Hello Message received", "last_hello_time", "last_hello_age_ms" },
	{ "Peer Configuration Validation", "peer_configuration_validation", NULL },
	{ "Last Peer Configuration Error", "last_peer_configuration_error", NULL },
	{ "Last Peer Configuration Event", "last_peer_configuration_event",
		"last_peer_configuration_event_age_ms" },
	{ "Last Validate Switchover Status", "last_validate_switchover_status", NULL },
	{ "Connection State", "connection_state", NULL },
	{ "Term", "term", NULL },
	{ "Replication path", "replication_path", NULL },
	{ "In sync since", "in_sync_since", "in_sync_age_ms" },
	{ "Last switchover", "last_switchover", NULL },
};

enum { INFO = sizeof(info) / sizeof(info[0]) };

static void info_line(json_t *data, unsigned int i, int width, FILE *to)
{
	json_t *v = json_object_get(data, info[i].key);
	json_t *age = info[i].age != NULL ? json_object_get(data, info[i].age) : NULL;
	char *text = v != NULL ? value_text(v, "") : NULL, line[160];

	if (text != NULL && strlen(text) > VALUE_MOST) {
		text[VALUE_MOST] = '\0';
		whole_characters(text);
	}
	if (json_is_object(v) && json_object_size(v) > 0) {
		fprintf(to, "%s:\n", info[i].label);
		print_object(v, INDENT, to);
	} else {
		snprintf(line, sizeof(line), "%.120s",
			text != NULL && !json_is_object(v) ? text : "-");
		if (json_is_integer(age) && (v == NULL || json_is_null(v)))
			snprintf(line, sizeof(line), "%" JSON_INTEGER_FORMAT " ms ago",
				json_integer_value(age));
		else if (json_is_integer(age))
			snprintf(line, sizeof(line), "%.120s (%" JSON_INTEGER_FORMAT " ms ago)",
				text != NULL ? text : "-", json_integer_value(age));
		print_line(info[i].label, width, line, 0, to);
	}
	free(text);
}

/* Shown, or told by another line: in_sync_since_ms is the same moment by the pair's own clock. */
static bool info_has(const char *key)
{
	if (strcmp(key, "in_sync_since_ms") == 0)
		return true;
	for (unsigned int i = 0; i < INFO; i++)
		if (strcmp(info[i].key, key) == 0 ||
			(info[i].age != NULL && strcmp(info[i].age, key) == 0))
			return true;
	return false;
}

void render_srp_info(json_t *data, FILE *to)
{
	int width = labels_width(data);
	const char *key;
	json_t *v;

	for (unsigned int i = 0; i < INFO; i++)
		if (width_of(info[i].label) > width)
			width = width_of(info[i].label);
	for (unsigned int i = 0; i < INFO; i++)
		info_line(data, i, width, to);
	json_object_foreach (data, key, v)
		if (!info_has(key))
			print_member(key, v, width, 0, to);
}
