/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <string.h>

#include "command.h"
#include "render.h"

enum { WORDS = 4, WORD = 32 };

// clang-format off
static const struct command commands[] = {
	{ "show srp info", NULL, 0, render_srp_info, "both chassis, their states, and whether a "
		"switchover would lose anything" },
	{ "show srp statistics", NULL, 0, render_any, "hellos, heartbeats, switchovers by cause, "
		"transitions" },
	{ "show srp checkpoint statistics", NULL, 0, render_any, "checkpoints sent, applied, "
		"superseded, refused" },
	{ "show srp audit-statistics", NULL, 0, render_any, "comparisons of the two tables, and "
		"repairs" },
	{ "show srp monitor", NULL, 0, render_any, "what is monitored, its state, and what follows "
		"from it" },
	{ "show radius statistics", NULL, 0, render_named, "probes of the AAA servers: requests, "
		"replies, refused ones by reason" },
	{ "show srp history", NULL, COMMAND_COUNT, render_past, "transitions: time, from, to, "
		"cause, term; newest last" },
	{ "show srp call-loss statistics", NULL, COMMAND_COUNT, render_past, "sessions known, "
		"vouched for and lost in each switchover" },
	{ "show srp configuration-difference", NULL, 0, render_any, "every key that must agree "
		"with the peer and does not, with both values" },
	{ "show license information", NULL, 0, render_any, "whether session recovery is licensed, "
		"here and on the peer" },
	{ "show sessions", NULL, COMMAND_LIMIT, render_any, "live sessions" },
	{ "show session", "ADDRESS|IMSI|TEID", 0, render_any, "everything about one session" },
	{ "show pools", NULL, 0, render_any, "address pools and their use" },
	{ "show ports", NULL, 0, render_any, "ports, links, packets and drops" },
	{ "show workers", NULL, 0, render_any, "worker cores, packets, cycles, drops by reason" },
	{ "show gtp statistics", NULL, 0, render_any, "GTP-C procedures by cause, and whether "
		"answers wait for the standby" },
	{ "show configuration", NULL, 0, render_text, "running configuration, defaults included" },
	{ "save configuration", "FILE", 0, render_any, "write it to a file (absolute path); "
		"comments of the loaded one are lost" },
	{ "reload configuration", NULL, 0, render_any, "load its file anew: all that changed, or "
		"nothing if a key needs a restart" },
	{ "show alarms", NULL, 0, render_any, "what needs attention, and what did" },
	{ "srp resync", NULL, 0, render_any, "compare the whole table with the peer now, and send "
		"what differs" },
	{ "srp initiate-switchover", NULL, COMMAND_FORCE, render_any, "hand over to the peer; on "
		"the Active only" },
	{ "srp initiate-audit auto", NULL, 0, render_any, "the same, by the name that other "
		"gateways have for it" },
	{ "srp initiate-audit manual-with-sync", NULL, 0, render_any, "the same: an audit that "
		"repairs" },
	{ "srp validate-switchover", NULL, 0, render_any, "check whether a switchover would be "
		"refused, and why" },
	{ "srp validate-configuration", NULL, 0, render_any, "compare the configuration with the "
		"peer's now, key by key" },
	{ "srp reset-auth-probe-fail", NULL, 0, render_any, "an AAA failure may cause a switchover "
		"again; on the Active only" },
};
// clang-format on

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* Word i of a command into `to`; false: it has fewer. */
static bool word_of(const struct command *c, int i, char to[WORD])
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
static int narrow(bool left[COMMANDS], int i, const char *word)
{
	bool exact = false;
	char w[WORD];
	int n = 0;

	for (int c = 0; c < COMMANDS; c++)
		exact = exact || (left[c] && word_of(&commands[c], i, w) && strcmp(w, word) == 0);
	for (int c = 0; c < COMMANDS; c++) {
		left[c] = left[c] && word_of(&commands[c], i, w) &&
			  (exact ? strcmp(w, word) == 0 : strncmp(w, word, strlen(word)) == 0);
		n += left[c];
	}
	return n;
}

/* The different words at place i of what is left, parted by ", ". Returns how many there are. */
static int words_at(const bool left[COMMANDS], int i, char *to, size_t size)
{
	char seen[COMMANDS][WORD], w[WORD];
	size_t used = 0;
	int n = 0;

	to[0] = '\0';
	for (int c = 0; c < COMMANDS; c++) {
		bool known = !left[c] || !word_of(&commands[c], i, w);

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

static const struct command *complete_at(const bool left[COMMANDS], int i)
{
	char w[WORD];

	for (int c = 0; c < COMMANDS; c++)
		if (left[c] && !word_of(&commands[c], i, w))
			return &commands[c];
	return NULL;
}

const struct command *command_find(char *const *words, int n, int *used, char *why, size_t size)
{
	bool left[COMMANDS];
	char next[512];
	int i;

	memset(left, true, sizeof(left));
	for (i = 0; i < n && complete_at(left, i) == NULL; i++) {
		bool before[COMMANDS];

		memcpy(before, left, sizeof(before));
		if (narrow(left, i, words[i]) == 0) {
			words_at(before, i, next, sizeof(next));
			snprintf(
				why, size, "unknown word '%s': expected one of %s", words[i], next);
			return NULL;
		}
		if (words_at(left, i, next, sizeof(next)) > 1) {
			snprintf(why, size, "'%s' is ambiguous: %s", words[i], next);
			return NULL;
		}
	}
	*used = i;
	if (complete_at(left, i) == NULL) {
		words_at(left, i, next, sizeof(next));
		snprintf(why, size, "incomplete command: expected one of %s", next);
	}
	return complete_at(left, i);
}

static void left_by(bool left[COMMANDS], char *const *words, int n)
{
	memset(left, true, sizeof(bool[COMMANDS]));
	for (int i = 0; i < n; i++)
		if (complete_at(left, i) == NULL)
			narrow(left, i, words[i]);
}

int command_help(char *const *words, int n, FILE *to)
{
	bool left[COMMANDS];
	int shown = 0;

	left_by(left, words, n);
	for (int c = 0; c < COMMANDS; c++) {
		char line[80];

		if (!left[c])
			continue;
		snprintf(line, sizeof(line), "%s%s%s%s%s%s", commands[c].words,
			commands[c].arg != NULL ? " " : "",
			commands[c].arg != NULL ? commands[c].arg : "",
			commands[c].options & COMMAND_LIMIT ? " [--limit N]" : "",
			commands[c].options & COMMAND_FORCE ? " [force]" : "",
			commands[c].options & COMMAND_COUNT ? " [N]" : "");
		fprintf(to, "  %-35s %s\n", line, commands[c].help);
		shown++;
	}
	return shown;
}

void command_next(char *const *words, int n, FILE *to)
{
	bool left[COMMANDS];
	char next[512], *save = NULL;

	left_by(left, words, n);
	words_at(left, n, next, sizeof(next));
	for (char *w = strtok_r(next, ", ", &save); w != NULL; w = strtok_r(NULL, ", ", &save))
		fprintf(to, "%s\n", w);
}
