/* SPDX-License-Identifier: BSD-3-Clause */
/* command: the rows of the command table, found and run. Control core. */
#ifndef TANDEM_OPERATOR_COMMAND_H
#define TANDEM_OPERATOR_COMMAND_H

#include "operator/operator.h"

/* In an answer: the names of those members of a view's data that are counters, beside the data. In
 * an object of a view that a handler returns: the same, as show_mark_counter() keeps them. */
#define COMMAND_COUNTERS "counters"

/* The command of exactly these words, or NULL. */
const struct operator_command *command_find(
	const struct operator_command *commands, unsigned int n, const char *words);
/* The whole answer of a command, which may be NULL: an unknown one. */
json_t *command_run(const struct operator_command *command, json_t *args, usec_t now);
/* An answer that says this: the result if ret is 0, else the error. */
json_t *command_answer(int ret, const char *text);
/* The refusal of a command that operates, logged as well. */
json_t *command_refused(const char *words, const char *why);

#endif
