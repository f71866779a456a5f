/* SPDX-License-Identifier: BSD-3-Clause */
/* command: what the operator can ask, as a table: parsing, help and completion follow from it. */
#ifndef TANDEMCTL_COMMAND_H
#define TANDEMCTL_COMMAND_H

#include <stdio.h>

#include <jansson.h>

/* COUNT: how many of the newest may follow the words: "[N]". */
enum command_option { COMMAND_LIMIT = 1, COMMAND_FORCE = 2, COMMAND_COUNT = 4 };

struct command {
	const char *words;    /* as the daemon knows it */
	const char *arg;      /* what follows the words; NULL: nothing */
	unsigned int options; /* set of enum command_option */
	void (*render)(json_t *data, FILE *to);
	const char *help;
};

/* The command of these words, each of which may be cut short while it stays unambiguous; *used: how
 * many were words of it. NULL: `why` tells. */
const struct command *command_find(char *const *words, int n, int *used, char *why, size_t size);
/* One line for each command that the words (which may be none) can become. Returns how many. */
int command_help(char *const *words, int n, FILE *to);
/* The words that may follow the given ones, one a line: for completion. */
void command_next(char *const *words, int n, FILE *to);

#endif
