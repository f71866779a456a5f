/* SPDX-License-Identifier: BSD-3-Clause */
/* command: the rows of telemetry/commands.h as tandemctl needs them: parser, help and the words
 * that completion offers follow from them. */
#ifndef TANDEMCTL_COMMAND_H
#define TANDEMCTL_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "render.h"
#include "telemetry/commands.h"

struct command {
	const char *words; /* as the daemon knows it */
	enum command_argument argument;
	enum command_permission permission;
	void (*render)(json_t *data, struct render *r);
	const char *help;
};

/* The argument as help writes it, "[N]"; "" for COMMAND_NOTHING. */
const char *command_argument_text(enum command_argument argument);
/* True if the command is not complete without its argument. */
bool command_argument_required(enum command_argument argument);
/* The command of these words, each of which may be cut short while it stays unambiguous; *used: how
 * many were words of it. NULL: `why` says the reason. */
const struct command *command_find(char *const *words, int n, int *used, char *why, size_t size);
/* One line for each command that the words (which may be none) can become. Returns how many. */
int command_help(char *const *words, int n, FILE *to);
/* What may follow the given words, one word a line: for completion. "<file>" is the path of a
 * file. */
void command_next(char *const *words, int n, FILE *to);

#endif
