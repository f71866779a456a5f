/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text is refused or loaded; what was loaded prints as text that loads to the same struct. */
#include <stdlib.h>

#include "config.h"
#include "../golden/config_leak.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config first, again;
	struct config_report r;
	char *text = malloc(size + 1);
	int ret;

	if (text == NULL)
		abort();
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
	if (config_load_text("fuzz", text, &again, &r) != 0 || memcmp(&first, &again, sizeof(first)) != 0 ||
		config_digest(&first) != config_digest(&again))
		abort();
	config_report_free(&r);
	free(text);
	return 0;
}
