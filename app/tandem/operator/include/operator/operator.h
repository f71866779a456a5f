/* SPDX-License-Identifier: BSD-3-Clause */
/* operator: what people and their programs ask of a chassis and order it to do: the control socket,
 * and a handler for each row of telemetry/commands.h. Handlers read snapshots of other rooms and
 * call their commands; each family of them is given, by `process`, the handles that it needs and no
 * more. The control core alone calls these functions; none blocks. */
#ifndef TANDEM_OPERATOR_H
#define TANDEM_OPERATOR_H

#include <jansson.h>

#include "common/usec.h"
#include "operator/families.h"
#include "telemetry/commands.h"

struct operator_room;
struct reactor;

/* family: the context of the handler's family (operator/families.h). COMMAND_VIEW: the data, whose
 * members are in the units that their names say; NULL when no session matches. COMMAND_OPERATE: a
 * whole answer, or json_null() when operator_answer() gives it later. */
typedef json_t *operator_handler(void *family, json_t *args, usec_t now);

struct operator_command {
	const char *words;
	enum command_permission permission;
	operator_handler *handler;
	void *family; /* outlives the operator */
};

struct operator_settings {
	struct reactor *reactor;
	const char *socket_path;
	const struct operator_command *commands; /* stay where they are */
	unsigned int n_commands;
};

/* Opens the control socket (Unix, mode 0600). NULL + errno. */
struct operator_room *operator_create(const struct operator_settings *s);
void operator_destroy(struct operator_room *o); /* NULL is allowed */
/* The answer to the command whose handler returned json_null(), to whoever waits for it; takes the
 * reference. Nobody may be there any more. */
void operator_answer(struct operator_room *o, json_t *answer);

/* The handlers, by the names that telemetry/commands.h has for them. */
#define ROW(words, argument, permission, path, handler, family, renderer, help)                    \
	operator_handler handler;
COMMANDS(ROW)
#undef ROW

#endif
