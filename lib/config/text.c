/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>

#include "value.h"

static const char name_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

enum { APN_LABEL = 63, QUOTED = 48 };

static const char *text_said_string(const char *text, char *to)
{
	char shown[QUOTED + 1];
	size_t n = 0;

	for (; text[n] != '\0' && n < QUOTED; n++)
		shown[n] = isprint((unsigned char)text[n]) ? text[n] : '?';
	shown[n] = '\0';
	snprintf(to, KNOB_SAID, "\"%s%s\"", shown, text[n] != '\0' ? "..." : "");
	return to;
}

const char *value_said(const config_setting_t *s, char *to)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(to, KNOB_SAID, "%lld", config_setting_get_int64(s));
		return to;
	case CONFIG_TYPE_FLOAT:
		snprintf(to, KNOB_SAID, "%g", config_setting_get_float(s));
		return to;
	case CONFIG_TYPE_BOOL:
		return config_setting_get_bool(s) ? "true" : "false";
	case CONFIG_TYPE_STRING:
		return text_said_string(config_setting_get_string(s), to);
	case CONFIG_TYPE_GROUP:
		return "a group";
	default:
		return config_setting_length(s) == 0 ? "an empty list" : "a list";
	}
}

static size_t text_room(const struct knob *k)
{
	return k->max > 0 ? (size_t)k->max : k->size - 1;
}

/* The string if it has 1 to text_room() bytes. */
static const char *text_of(const struct knob *k, const config_setting_t *s)
{
	const char *text = config_setting_get_string(s);

	return text != NULL && text[0] != '\0' && strlen(text) <= text_room(k) ? text : NULL;
}

bool value_read_name(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = text_of(k, s);

	if (text == NULL || text[strspn(text, name_chars)] != '\0')
		return false;
	snprintf(value_field(k, base), k->size, "%s", text);
	return true;
}

bool value_read_text(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = text_of(k, s);

	for (const char *p = text; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return false;
	if (text == NULL)
		return false;
	snprintf(value_field(k, base), k->size, "%s", text);
	return true;
}

bool value_read_apn(const struct knob *k, const config_setting_t *s, void *base, char *why)
{
	const char *text = text_of(k, s);
	char *to = value_field(k, base);
	size_t label = 0;

	for (const char *p = text; p != NULL && *p != '\0'; p++) {
		if (*p == '.' ? label == 0 : !isalnum((unsigned char)*p) && *p != '-')
			return false;
		label = *p == '.' ? 0 : label + 1;
		if (label > APN_LABEL)
			return false;
	}
	if (text == NULL || label == 0)
		return false;
	snprintf(to, k->size, "%s", text);
	for (; *to != '\0'; to++)
		*to = (char)tolower((unsigned char)*to);
	return true;
}

void value_print_text(const struct knob *k, const void *base, FILE *to)
{
	fputc('"', to);
	for (const char *p = (const char *)base + k->at; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', to);
		fputc(*p, to);
	}
	fputc('"', to);
}

void value_expect_name(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a name of 1 to %zu letters, digits, '-', '_' or '.'", text_room(k));
}

void value_expect_apn(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size,
		"an access point name of 1 to %zu letters, digits, '-', in labels parted by '.'",
		text_room(k));
}

void value_expect_text(const struct knob *k, char *to, size_t size)
{
	snprintf(to, size, "a string of 1 to %zu printable characters", text_room(k));
}
