/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of commands: every row has what the daemon, telemetry and tandemctl take from it. That
 * handler and renderer exist is the compiler's to say, as the programs use the names. */
#include <stdbool.h>
#include <string.h>

#include "telemetry/commands.h"
#include "ut.h"

#define ROW(words, argument, permission, path, handler, family, renderer, help)                    \
	{ words, argument, permission, path, #handler, #renderer, help },
static const struct row {
	const char *words;
	enum command_argument argument;
	enum command_permission permission;
	const char *path, *handler, *renderer, *help;
} rows[] = { COMMANDS(ROW) };

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0 && strlen(text) > strlen(with);
}

static void test_whole(void)
{
	for (int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		bool view = r->permission == COMMAND_VIEW;

		CU_ASSERT_EQUAL(strspn(r->words, "abcdefghijklmnopqrstuvwxyz- "), strlen(r->words));
		CU_ASSERT_EQUAL(starts(r->words, "show "), view);
		CU_ASSERT_TRUE(starts(r->handler, view ? "show_" : "act_"));
		CU_ASSERT_TRUE(starts(r->renderer, "render_"));
		CU_ASSERT_TRUE(strlen(r->help) > 10);
		CU_ASSERT_NOT_EQUAL(r->help[strlen(r->help) - 1], '.');
	}
}

/* Telemetry is open to more programs than the control socket: nothing that acts stands there. */
static void test_paths(void)
{
	for (int i = 0; i < ROWS; i++) {
		if (rows[i].path == NULL)
			continue;
		CU_ASSERT_TRUE(starts(rows[i].path, "/tandem/"));
		CU_ASSERT_EQUAL(rows[i].permission, COMMAND_VIEW);
		CU_ASSERT_NOT_EQUAL(rows[i].argument, COMMAND_FILE);
		CU_ASSERT_NOT_EQUAL(rows[i].argument, COMMAND_FORCE);
		for (int k = 0; k < i; k++)
			CU_ASSERT_TRUE(
				rows[k].path == NULL || strcmp(rows[k].path, rows[i].path) != 0);
	}
}

/* No command is the beginning of another, word by word: the longer one could not be given. */
static void test_apart(void)
{
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < ROWS; k++) {
			size_t n = strlen(rows[k].words);

			CU_ASSERT_FALSE(i != k && strncmp(rows[i].words, rows[k].words, n) == 0 &&
					(rows[i].words[n] == ' ' || rows[i].words[n] == '\0'));
		}
}

int main(void)
{
	CU_TestInfo tests[] = { { "whole", test_whole }, { "paths", test_paths },
		{ "apart", test_apart }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "commands", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
