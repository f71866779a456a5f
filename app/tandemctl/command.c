/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <string.h>

#include "command.h"
#include "render.h"

enum { WORDS = 4, WORD = 32 };

#define ROW(words, argument, permission, path, handler, family, renderer, help)                    \
	{ words, argument, permission, renderer, help },
static const struct command commands[] = { COMMANDS(ROW) };
#undef ROW

enum { COMMANDS_N = sizeof(commands) / sizeof(commands[0]) };

static const char *const argument_text[] = {
	[COMMAND_NOTHING] = "",
	[COMMAND_SESSION] = "ADDRESS|IMSI|TEID",
	[COMMAND_FILE] = "FILE",
	[COMMAND_LIMIT] = "[--limit N]",
	[COMMAND_COUNT] = "[N]",
	[COMMAND_FORCE] = "[force]",
};

const char *command_argument_text(enum command_argument argument)
{
	return argument_text[argument];
}

bool command_argument_required(enum command_argument argument)
{
	return argument == COMMAND_SESSION || argument == COMMAND_FILE;
}

/* Word i of a command into `to`; false: it has fewer. */
static bool command_word(const struct command *c, int i, char to[WORD])
{
	const char *p = c->words;

	for (; i > 0 && p != NULL; i--) {
		p = strchr(p, ' ');
		p = p != NULL ? p + 1 : NULL;
	}
	if (p == NULL)
		return false;
	snprintf(to, WORD, "%.*s", (int)strcspn(p, " "), p);
	return true;
}

/* Keeps the commands whose word i is `word`, else those whose word i starts with it. Returns how
 * many are left. */
static int command_narrow(bool left[COMMANDS_N], int i, const char *word)
{
	bool exact = false;
	char w[WORD];
	int n = 0;

	for (int c = 0; c < COMMANDS_N; c++)
		exact = exact ||
			(left[c] && command_word(&commands[c], i, w) && strcmp(w, word) == 0);
	for (int c = 0; c < COMMANDS_N; c++) {
		left[c] = left[c] && command_word(&commands[c], i, w) &&
			  (exact ? strcmp(w, word) == 0 : strncmp(w, word, strlen(word)) == 0);
		n += left[c];
	}
	return n;
}

/* The different words at place i of what is left, parted by ", ". Returns how many there are. */
static int command_words_at(const bool left[COMMANDS_N], int i, char *to, size_t size)
{
	char seen[COMMANDS_N][WORD], w[WORD];
	size_t used = 0;
	int n = 0;

	to[0] = '\0';
	for (int c = 0; c < COMMANDS_N; c++) {
		bool known = !left[c] || !command_word(&commands[c], i, w);

		for (int s = 0; s < n && !known; s++)
			known = strcmp(seen[s], w) == 0;
		if (known)
			continue;
		memcpy(seen[n++], w, WORD);
		if (used < size)
			used += (size_t)snprintf(
				to + used, size - used, "%s%s", n > 1 ? ", " : "", w);
	}
	return n;
}

static const struct command *command_complete_at(const bool left[COMMANDS_N], int i)
{
	char w[WORD];

	for (int c = 0; c < COMMANDS_N; c++)
		if (left[c] && !command_word(&commands[c], i, w))
			return &commands[c];
	return NULL;
}

const struct command *command_find(char *const *words, int n, int *used, char *why, size_t size)
{
	bool left[COMMANDS_N];
	char next[512];
	int i;

	memset(left, true, sizeof(left));
	for (i = 0; i < n && command_complete_at(left, i) == NULL; i++) {
		bool before[COMMANDS_N];

		memcpy(before, left, sizeof(before));
		if (command_narrow(left, i, words[i]) == 0) {
			command_words_at(before, i, next, sizeof(next));
			snprintf(
				why, size, "unknown word '%s': expected one of %s", words[i], next);
			return NULL;
		}
		if (command_words_at(left, i, next, sizeof(next)) > 1) {
			snprintf(why, size, "'%s' is ambiguous: %s", words[i], next);
			return NULL;
		}
	}
	*used = i;
	if (command_complete_at(left, i) == NULL) {
		command_words_at(left, i, next, sizeof(next));
		snprintf(why, size, "incomplete command: expected one of %s", next);
	}
	return command_complete_at(left, i);
}

static void command_left_by(bool left[COMMANDS_N], char *const *words, int n)
{
	memset(left, true, sizeof(bool[COMMANDS_N]));
	for (int i = 0; i < n; i++)
		if (command_complete_at(left, i) == NULL)
			command_narrow(left, i, words[i]);
}

int command_help(char *const *words, int n, FILE *to)
{
	bool left[COMMANDS_N];
	int shown = 0;

	command_left_by(left, words, n);
	for (int c = 0; c < COMMANDS_N; c++) {
		char line[80];

		if (!left[c])
			continue;
		snprintf(line, sizeof(line), "%s%s%s", commands[c].words,
			commands[c].argument != COMMAND_NOTHING ? " " : "",
			argument_text[commands[c].argument]);
		fprintf(to, "  %-35s %s\n", line, commands[c].help);
		shown++;
	}
	return shown;
}

void command_next(char *const *words, int n, FILE *to)
{
	const struct command *whole;
	char next[512], *save = NULL;
	bool left[COMMANDS_N];

	command_left_by(left, words, n);
	whole = command_complete_at(left, n);
	if (whole != NULL && whole->argument == COMMAND_FILE)
		fputs("<file>\n", to);
	else if (whole != NULL && whole->argument == COMMAND_FORCE)
		fputs("force\n", to);
	command_words_at(left, n, next, sizeof(next));
	for (char *w = strtok_r(next, ", ", &save); w != NULL; w = strtok_r(NULL, ", ", &save))
		fprintf(to, "%s\n", w);
}
