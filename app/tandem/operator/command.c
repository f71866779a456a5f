/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "ctl_request.h"
#include "show.h"

json_t *command_answer(int ret, const char *text)
{
	if (ret == 0)
		return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", text);
	return json_pack("{s:b,s:s}", "ok", 0, "error", text);
}

json_t *act_switchover(struct control *c, json_t *args, usec_t now)
{
	char reason[SRP_REASON_MAX] = "";
	int ret = pair_switchover(c->pair, request_force(args), reason, now);

	LOG(NOTICE, "srp initiate-switchover: %s", ret == 0 ? "started" : reason);
	return command_answer(ret, ret == 0 ? "switchover started" : reason);
}

json_t *act_validate_switchover(struct control *c, json_t *args, usec_t now)
{
	char reason[SRP_REASON_MAX] = "";
	int ret = pair_validate(c->pair, reason, now);

	(void)args;
	return command_answer(ret, ret == 0 ? "the peer is ready to take over" : reason);
}

#define ROW(words, argument, permission, path, handler, renderer, help)                            \
	{ words, permission, handler },
static const struct command commands[] = { COMMANDS(ROW) };
#undef ROW

const struct command *command_find(const char *words)
{
	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].words, words) == 0)
			return &commands[i];
	return NULL;
}

json_t *command_run(const struct command *command, struct control *c, json_t *args, usec_t now)
{
	json_t *data;

	if (command == NULL)
		return command_answer(-EINVAL, "unknown command: see tandemctl --help");
	data = command->handler(c, args, now);
	if (command->permission == COMMAND_OPERATE)
		return data;
	if (data == NULL)
		return command_answer(-ENOENT,
			"no such session here: give a UE address, an IMSI, or a TEID (0x...)");
	return json_pack("{s:b,s:o}", "ok", 1, "data", data);
}
