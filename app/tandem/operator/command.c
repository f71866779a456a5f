/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "command.h"

json_t *command_answer(int ret, const char *text)
{
	if (ret == 0)
		return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", text);
	return json_pack("{s:b,s:s}", "ok", 0, "error", text);
}

json_t *command_refused(const char *words, const char *why)
{
	LOG(NOTICE, "an operator's command was refused command=%s reason=%s", LOG_TEXT(words),
		LOG_TEXT(why));
	return command_answer(-EPERM, why);
}

const struct operator_command *command_find(
	const struct operator_command *commands, unsigned int n, const char *words)
{
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(commands[i].words, words) == 0)
			return &commands[i];
	return NULL;
}

json_t *command_run(const struct operator_command *command, json_t *args, usec_t now)
{
	json_t *data;

	if (command == NULL)
		return command_answer(-EINVAL, "unknown command: see tandemctl --help");
	data = command->handler(command->family, args, now);
	if (command->permission == COMMAND_OPERATE)
		return data;
	if (data == NULL)
		return command_answer(-ENOENT,
			"no such session here: give a UE address, an IMSI, or a TEID (0x...)");
	return json_pack("{s:b,s:o}", "ok", 1, "data", data);
}
