/* SPDX-License-Identifier: BSD-3-Clause */
/* command: the rows of telemetry/commands.h with the daemon's handlers. Control core. */
#ifndef TANDEM_OPERATOR_COMMAND_H
#define TANDEM_OPERATOR_COMMAND_H

#include <jansson.h>

#include "common/usec.h"
#include "telemetry/commands.h"

struct control;

struct command {
	const char *words;
	enum command_permission permission;
	/* COMMAND_VIEW: the data, NULL when no session matches. COMMAND_OPERATE: a whole answer,
	 * or json_null() when ctl_answer() gives it later. */
	json_t *(*handler)(struct control *c, json_t *args, usec_t now);
};

/* The command of exactly these words, or NULL. */
const struct command *command_find(const char *words);
/* The whole answer of a command, which may be NULL: an unknown one. */
json_t *command_run(const struct command *command, struct control *c, json_t *args, usec_t now);
/* An answer that says this: the result if ret is 0, else the error. */
json_t *command_answer(int ret, const char *text);

#endif
