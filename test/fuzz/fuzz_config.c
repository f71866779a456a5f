/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text is refused or loaded; what was loaded prints as text that loads to the same struct, and
 * agrees with itself. The same bytes, cut in two at the first zero, are what two peers may have
 * sent: compared, they give printable lines. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config_leak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct config *c)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		abort();
	config_print(c, to);
	if (fclose(to) != 0)
		abort();
	return text;
}

static int differences(const char *a, size_t a_len, const char *b, size_t b_len)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int n, lines = 0;

	if (to == NULL)
		abort();
	n = config_lines_difference(a, a_len, b, b_len, to);
	if (fclose(to) != 0 || n < 0)
		abort();
	for (const char *p = text; *p != '\0'; p++) {
		lines += *p == '\n';
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			abort();
	}
	if (lines != n)
		abort();
	free(text);
	return n;
}

static void compared(const char *data, size_t size)
{
	const char *cut = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t a = cut != NULL ? (size_t)(cut - data) : size, b = cut != NULL ? size - a - 1 : 0;

	differences(data, a, data + size - b, b);
	differences(data + size - b, b, data, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config first, again;
	struct config_report r;
	char *text = malloc(size + 1);
	int ret;

	if (text == NULL)
		abort();
	compared((const char *)data, size);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	ret = config_load_text("fuzz", text, &first, &r);
	free(text);
	if ((ret == 0) != (r.errors == 0))
		abort();
	config_report_free(&r);
	if (ret < 0)
		return 0;
	text = printed(&first);
	if (config_load_text("fuzz", text, &again, &r) != 0 ||
		memcmp(&first, &again, sizeof(first)) != 0 ||
		config_digest(&first) != config_digest(&again) ||
		config_difference(&first, &again, stderr) != 0)
		abort();
	config_report_free(&r);
	free(text);
	return 0;
}
