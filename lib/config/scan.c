/* SPDX-License-Identifier: BSD-3-Clause */
/* libconfig 1.5 takes some text in silence that means something else than it says: 99999999999
 * becomes 1215752191, and an @include reads any file. This walk over the tokens finds those; it
 * need not understand the grammar. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "knob.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '*' || c == '.' ||
	       c == '+';
}

static const char *scan_skip_string(const char *p, unsigned int *line)
{
	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\n')
			++*line;
		if (*p == '\\' && p[1] != '\0' && p[1] != '\n')
			p++;
	}
	return *p == '"' ? p + 1 : p;
}

static const char *scan_skip_comment(const char *p, unsigned int *line)
{
	if (p[0] == '/' && p[1] == '*') {
		for (p += 2; *p != '\0' && !(p[0] == '*' && p[1] == '/'); p++)
			if (*p == '\n')
				++*line;
		return *p != '\0' ? p + 2 : p;
	}
	return p + strcspn(p, "\n");
}

/* A word that starts like a number, and is one that libconfig would cut to 32 bits. */
static bool scan_wraps(const char *p, size_t len)
{
	char digits[32], *end;
	long long v;

	if (!isdigit((unsigned char)*p) &&
		!((*p == '-' || *p == '+') && isdigit((unsigned char)p[1])))
		return false;
	if (len >= sizeof(digits))
		return strspn(p, "+-0123456789") >= len;
	memcpy(digits, p, len);
	digits[len] = '\0';
	errno = 0;
	v = strtoll(digits, &end, strncasecmp(digits, "0x", 2) == 0 ? 16 : 10);
	if (*end == 'L' && errno == 0)
		return false;
	return (*end == '\0' || *end == 'L') && (errno != 0 || v < INT32_MIN || v > INT32_MAX);
}

static const char *scan_word(const char *p, unsigned int line, struct findings *fs)
{
	size_t len = 0;
	char said[KNOB_SAID];

	while (is_word(p[len]))
		len++;
	if (scan_wraps(p, len)) {
		snprintf(said, sizeof(said), "%.*s", len < 40 ? (int)len : 40, p);
		finding_add(fs, line, false, said, "expected an integer of at most 2147483647");
	}
	return p + len;
}

bool scan_text(const char *text, struct findings *fs)
{
	unsigned int line = 1;
	const char *p = text;
	bool one_file = true;

	while (*p != '\0') {
		if (*p == '"') {
			p = scan_skip_string(p, &line);
		} else if (*p == '#' || (p[0] == '/' && (p[1] == '/' || p[1] == '*'))) {
			p = scan_skip_comment(p, &line);
		} else if (is_word(*p)) {
			p = scan_word(p, line, fs);
		} else {
			if (*p == '\n')
				line++;
			if (*p == '@') { /* no other use of it outside of strings */
				finding_add(fs, line, false, "@include",
					"expected the whole configuration in one file");
				one_file = false;
			}
			p++;
		}
	}
	return one_file;
}
