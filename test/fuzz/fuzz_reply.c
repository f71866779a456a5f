/* SPDX-License-Identifier: BSD-3-Clause */
/* What tandemctl makes of any answer: text in which nothing can control a terminal. First byte:
 * which view. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines only; no C0 or C1 control, no DEL. A character that was cut is no control. */
static void check(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
			(c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] >= 0x80 &&
				(unsigned char)text[i + 1] < 0xa0))
			abort();
	}
}

static void (*const views[])(json_t *data, struct render *r) = { render_any, render_srp_info,
	render_text, render_session, render_counters, render_history };

static void render(unsigned int view, const struct client_answer *a)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	struct render r = { .to = to, .width = view & 0x80 ? 40 : 0, .counters = a->counters };

	if (to == NULL)
		abort();
	views[view % (sizeof(views) / sizeof(views[0]))](a->data, &r);
	fclose(to);
	check(text, len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	struct client_answer answer;
	int fd;

	if (size == 0)
		return 0;
	fd = memfd_create("answer", 0);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1) ||
		lseek(fd, 0, SEEK_SET) != 0)
		abort();
	if (client_receive(fd, &answer, why, sizeof(why)) == 0)
		render(data[0], &answer);
	else
		check(why, strlen(why));
	client_release(&answer);
	return 0;
}
