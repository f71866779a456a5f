/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in a line comes from anywhere: a peer, a certificate, a file. Here it is made harmless.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "log_text.h"

/* How many bytes the character has that begins at s, and which it is; 0: that is no UTF-8. */
static unsigned int log_text_next(const char *s, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = (unsigned char)*s;
	unsigned int n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if ((c >= 0x80 && c < 0xc0) || c > 0xf7)
		return 0;
	if (n > 1)
		c &= 0x7fU >> n;
	for (unsigned int i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0; /* the text's end is such a byte, too */
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*character = c;
	return n;
}

/* C0, DEL and C1; what ends a line or a paragraph, or turns the direction of what follows. */
static bool log_text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void log_text_clean(char *text)
{
	uint32_t c;

	for (unsigned int n; *text != '\0'; text += n) {
		n = log_text_next(text, &c);
		if (n > 0 && !log_text_is_control(c))
			continue;
		n = n > 0 ? n : 1;
		memset(text, '?', n);
	}
}

/* Whether a value can stand as it is, without quotes. */
static bool log_text_is_word(const char *text)
{
	uint32_t c;

	if (*text == '\0' || strlen(text) >= LOG_VALUE)
		return false;
	for (unsigned int n; *text != '\0'; text += n) {
		n = log_text_next(text, &c);
		if (n == 0 || log_text_is_control(c) || strchr(" =\"\\", *text) != NULL)
			return false;
	}
	return true;
}

/* The next character as it stands between quotes; how many bytes of the text it was. */
static unsigned int log_text_escape(const char *text, char to[8])
{
	uint32_t c = 0xfffd;
	unsigned int n = log_text_next(text, &c);

	if (c == '"' || c == '\\')
		snprintf(to, 8, "\\%c", (char)c);
	else if (c == '\n')
		snprintf(to, 8, "\\n");
	else if (n == 0 || log_text_is_control(c))
		snprintf(to, 8, "\\u%04x", (unsigned int)(c & 0xffff));
	else
		snprintf(to, 8, "%.*s", (int)n, text);
	return n > 0 ? n : 1;
}

const char *log_quote(char to[LOG_VALUE], const char *text)
{
	static const char cut[] = "...\"";
	char escaped[8];
	size_t used = 1;

	if (text == NULL)
		text = "";
	if (log_text_is_word(text))
		return memcpy(to, text, strlen(text) + 1);
	to[0] = '"';
	while (*text != '\0') {
		text += log_text_escape(text, escaped);
		if (used + strlen(escaped) + sizeof(cut) > LOG_VALUE) {
			memcpy(to + used, cut, sizeof(cut));
			return to;
		}
		memcpy(to + used, escaped, strlen(escaped));
		used += strlen(escaped);
	}
	memcpy(to + used, "\"", sizeof("\""));
	return to;
}
