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

/* Takes the marks out of all objects of a view, into the set of their names. */
static void command_take_counters(json_t *v, json_t *names)
{
	json_t *item;
	const char *key;
	size_t i;

	if (json_is_object(v)) {
		json_object_update(names, json_object_get(v, COMMAND_COUNTERS));
		json_object_del(v, COMMAND_COUNTERS);
	}
	json_object_foreach (v, key, item)
		command_take_counters(item, names);
	json_array_foreach (v, i, item)
		command_take_counters(item, names);
}

/* A view's data, and beside them the names of those of its members that are counters. */
static json_t *command_viewed(json_t *data)
{
	json_t *names = json_object(), *counters = json_array(), *answer, *mark;
	const char *name;

	command_take_counters(data, names);
	json_object_foreach (names, name, mark)
		json_array_append_new(counters, json_string(name));
	json_decref(names);
	answer = json_pack("{s:b,s:o}", "ok", 1, "data", data);
	if (json_array_size(counters) > 0)
		json_object_set(answer, COMMAND_COUNTERS, counters);
	json_decref(counters);
	return answer;
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
	return command_viewed(data);
}
