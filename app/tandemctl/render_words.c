/* SPDX-License-Identifier: BSD-3-Clause */
/* Labels, units, values and lines: what every layout is made of. */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render_pvt.h"

enum { VALUE_LEAST = 16 }; /* characters beside a label */

static const struct {
	const char *suffix, *unit;
} units[] = { { "_ms", " ms" }, { "_us", " us" }, { "_ns", " ns" }, { "_per_s", "/s" },
	{ "_s", " s" }, { "_kbps", " kbit/s" }, { "_mbps", " Mbit/s" }, { "_pct", " %" },
	{ "_percent", " %" } };

static const char *const acronyms[] = { "srp", "vip", "vips", "teid", "imsi", "msisdn", "apn",
	"gtp", "mtu", "dns", "ip", "ue", "id", "mac", "sgsn", "ggsn", "rm", "rx", "tx", "icmp",
	"arp", "tcp", "udp", "ambr", "nsapi", "qos" };

const char *render_unit(const char *key, size_t *len)
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

static bool render_acronym(const char *word, size_t n)
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
static void render_one_line(char *text)
{
	render_clean(text);
	for (; *text != '\0'; text++)
		if (*text == '\n' || *text == '\t')
			*text = '?';
}

/* A text that was cut may end within a character: then without that. */
void render_whole_characters(char *text)
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
void render_label(const char *key, char to[RENDER_LABEL])
{
	size_t len, n, at = 0;

	render_unit(key, &len);
	for (size_t i = 0; i < len && at + 1 < RENDER_LABEL; i += n + 1) {
		bool all;

		for (n = 0; i + n < len && key[i + n] != '_'; n++)
			;
		all = render_acronym(key + i, n);
		for (size_t j = 0; j < n && at + 2 < RENDER_LABEL; j++)
			to[at++] = (char)(all || j == 0 ? toupper((unsigned char)key[i + j])
							: key[i + j]);
		if (at + 2 >= RENDER_LABEL) /* cut, perhaps within a character: nothing behind it */
			break;
		if (i + n < len)
			to[at++] = ' ';
	}
	to[at] = '\0';
	render_whole_characters(to);
	render_one_line(to);
}

/* To be freed; NULL only without memory. */
char *render_value(json_t *v, const char *unit)
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
					    : render_value(e, unit);

			if (text == NULL || one == NULL ||
				asprintf(&more, "%s%s%s", text, i > 0 ? ", " : "", one) < 0)
				more = NULL;
			free(text);
			free(one);
			text = more;
		}
		break;
	case JSON_OBJECT:
		text = json_object_size(v) == 0 ? strdup("-")
						: json_dumps(v, JSON_COMPACT | JSON_PRESERVE_ORDER);
		break;
	default:
		text = strdup("-");
	}
	if (ret < 0 || text == NULL)
		return NULL;
	render_one_line(text);
	return text;
}

/* What a view says for a word or a figure that would not stand alone, or NULL. */
static const char *render_words_for(const char *key, json_t *v)
{
	static const struct {
		const char *key, *word, *text;
	} words[] = { { "answers", "protected", "protected by the standby" },
		{ "answers", "unprotected", "not protected by the standby" },
		{ "answers", "none", "none by this chassis" } };

	if (json_is_integer(v) && json_integer_value(v) == 0 &&
		strcmp(key, "replication_rate_mbps") == 0)
		return "unlimited";
	for (size_t i = 0; json_is_string(v) && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(key, words[i].key) == 0 &&
			strcmp(json_string_value(v), words[i].word) == 0)
			return words[i].text;
	return NULL;
}

char *render_member_text(json_t *object, const char *key, const char *unit)
{
	json_t *v = json_object_get(object, key);
	const char *words = render_words_for(key, v);
	char *text = words != NULL ? strdup(words) : render_value(v, unit), *more = NULL, name[128];
	double rate;

	snprintf(name, sizeof(name), "%s_per_s", key);
	rate = json_number_value(json_object_get(object, name));
	if (text == NULL || rate <= 0)
		return text;
	if (asprintf(&more, "%s (%.*f/s)", text, rate < 10, rate) < 0)
		more = NULL;
	free(text);
	return more;
}

/* Characters, not bytes: names may be UTF-8. */
int render_width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The bytes of `text` that fit into `room` characters: up to a space if there is one. At least one
 * character. */
static size_t render_break(const char *text, int room)
{
	size_t space = 0, at;
	int n = 0;

	for (at = 0; text[at] != '\0'; at++) {
		if (text[at] == ' ')
			space = at;
		n += ((unsigned char)text[at] & 0xc0) != 0x80;
		if (n > room && at > 0)
			return space > 0 ? space : at;
	}
	return at;
}

void render_wrapped(const struct render *r, const char *text, int at)
{
	int room = r->width <= 0 ? INT_MAX : r->width - at > 1 ? r->width - at : 1;

	for (;;) {
		size_t n = render_break(text, room);

		fprintf(r->to, "%.*s\n", (int)n, text);
		text += n + (text[n] == ' ');
		if (text[0] == '\0')
			return;
		fprintf(r->to, "%*s", at, "");
	}
}

void render_line(const struct render *r, const char *label, int width, const char *text, int indent)
{
	int at = indent + width + 2, room = r->width > 0 ? r->width - at : INT_MAX;

	fprintf(r->to, "%*s%s:", indent, "", label);
	if (room < VALUE_LEAST && render_width(text) > room) { /* it begins on the next line */
		at = indent + 2 * RENDER_INDENT;
		fprintf(r->to, "\n%*s", at, "");
	} else {
		fprintf(r->to, "%*s", width - render_width(label) + 1, "");
	}
	render_wrapped(r, text, at);
}
