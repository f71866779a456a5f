/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>
#include <rte_telemetry.h>

#include "common/dpdk.h"
#include "telemetry/commands.h"
#include "telemetry/telemetry.h"

enum { REPLY_MAX = 4 << 20, VALUE = 127, BUDGET = 14000, PAGE = 32, PATH = 56 };

/* By chassis: telemetry tells its callback the path of the command, and nothing else. */
static char telemetry_socket[TELEMETRY_CHASSIS][sizeof(((struct sockaddr_un *)0)->sun_path)];

/* The telemetry library takes no longer help than this. */
enum { HELP_MAX = 64 };

#define PARAMETER_COMMAND_NOTHING ""
#define PARAMETER_COMMAND_SESSION " (parameter: which)"
#define PARAMETER_COMMAND_LIMIT   " (parameter: N)"
#define PARAMETER_COMMAND_COUNT   " (parameter: N)"
#define PARAMETER_COMMAND_FILE    ""
#define PARAMETER_COMMAND_FORCE   ""

/* Commands without a path are in the table as well, and are not registered. */
#define ROW(words, argument, permission, path, handler, family, renderer, help)                    \
	{ path, words, argument, help PARAMETER_##argument },
static const struct {
	const char *path, *words;
	enum command_argument argument;
	const char *help;
} telemetry_commands[] = { COMMANDS(ROW) };
#undef ROW

#define FITS(words, argument, permission, path, handler, family, renderer, help)                   \
	_Static_assert(                                                                            \
		(permission) != COMMAND_VIEW || sizeof(help PARAMETER_##argument) <= HELP_MAX,     \
		words ": the help is too long for telemetry");
COMMANDS(FITS)
#undef FITS

enum { COMMANDS_N = sizeof(telemetry_commands) / sizeof(telemetry_commands[0]) };

/* Adds the argument of a command as the control socket knows it. */
static void telemetry_argument(json_t *args, enum command_argument argument, const char *value)
{
	long number = value != NULL ? strtol(value, NULL, 10) : PAGE;

	if (argument == COMMAND_LIMIT || argument == COMMAND_COUNT)
		json_object_set_new(
			args, "limit", json_integer(number < 1 || number > PAGE ? PAGE : number));
	else if (argument == COMMAND_SESSION)
		json_object_set_new(
			args, "session", value != NULL ? json_string(value) : json_null());
}

/* One question to the control socket; each side waits two seconds at most. */
static json_t *telemetry_ask(unsigned int chassis, const char *command,
	enum command_argument argument, const char *value)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval limit = { 2, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	json_t *q = json_pack("{s:s,s:{}}", "command", command, "args"), *r = NULL;
	char *line, *in = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0 || q == NULL)
		goto out;
	telemetry_argument(json_object_get(q, "args"), argument, value);
	memcpy(un.sun_path, telemetry_socket[chassis], sizeof(un.sun_path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	line = json_dumps(q, JSON_COMPACT);
	if (line == NULL || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
		send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 ||
		send(fd, "\n", 1, MSG_NOSIGNAL) < 0) {
		free(line);
		goto out;
	}
	free(line);
	for (size_t room = 0; len < REPLY_MAX; len += (size_t)n) {
		if (len + 65536 > room) {
			char *more = realloc(in, room += 262144);

			if (more == NULL)
				goto out;
			in = more;
		}
		n = recv(fd, in + len, 65536, 0);
		if (n <= 0)
			break;
	}
	r = len > 0 ? json_loadb(in, len, 0, NULL) : NULL;
out:
	free(in);
	json_decref(q);
	if (fd >= 0)
		close(fd);
	return r;
}

static void telemetry_add(struct rte_tel_data *d, const char *name, json_t *v, int *budget);

static void telemetry_add_container(
	struct rte_tel_data *d, const char *name, json_t *v, int *budget)
{
	struct rte_tel_data *in = rte_tel_data_alloc();
	const char *key;
	json_t *item;
	size_t i;
	char number[24];

	if (in == NULL)
		return;
	rte_tel_data_start_dict(in);
	if (json_is_object(v))
		json_object_foreach (v, key, item)
			telemetry_add(in, key, item, budget);
	else
		json_array_foreach (v, i, item) {
			snprintf(number, sizeof(number), "%zu", i);
			telemetry_add(in, number, item, budget);
		}
	if (rte_tel_data_add_dict_container(d, name, in, 0) < 0)
		rte_tel_data_free(in);
}

/* The budget keeps the whole within what the socket sends: it would cut the rest off in silence. */
static void telemetry_add(struct rte_tel_data *d, const char *name, json_t *v, int *budget)
{
	char text[VALUE];

	*budget -= (int)strlen(name) + 8;
	if (*budget < 0)
		return;
	switch (json_typeof(v)) {
	case JSON_INTEGER:
		*budget -= 20;
		rte_tel_data_add_dict_uint(d, name, (uint64_t)json_integer_value(v));
		break;
	case JSON_STRING:
		*budget -= (int)json_string_length(v);
		snprintf(text, sizeof(text), "%s", json_string_value(v));
		rte_tel_data_add_dict_string(d, name, text);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		rte_tel_data_add_dict_int(d, name, json_is_true(v));
		break;
	case JSON_OBJECT:
	case JSON_ARRAY:
		telemetry_add_container(d, name, v, budget);
		break;
	default:
		rte_tel_data_add_dict_string(d, name, "");
		break;
	}
}

#define TELEMETRY_ROOT "/tandem/"

/* "/tandem/session/list" of a chassis. */
static void telemetry_path(char path[PATH], unsigned int chassis, const char *of_first)
{
	if (chassis == 0)
		snprintf(path, PATH, "%s", of_first);
	else
		snprintf(path, PATH, TELEMETRY_ROOT "%u/%s", chassis,
			of_first + strlen(TELEMETRY_ROOT));
}

/* The chassis that a path is of: 0 where it names none. */
static unsigned int telemetry_chassis(const char *path)
{
	const char *number = path + strlen(TELEMETRY_ROOT);

	return isdigit((unsigned char)*number) ? (unsigned int)strtoul(number, NULL, 10) : 0;
}

static int telemetry_on_command(const char *cmd, const char *params, struct rte_tel_data *d)
{
	unsigned int i, chassis = telemetry_chassis(cmd);
	int budget = BUDGET;
	json_t *r, *data, *item;
	const char *key;
	char path[PATH];

	for (i = 0; i < COMMANDS_N; i++)
		if (telemetry_commands[i].path != NULL) {
			telemetry_path(path, chassis, telemetry_commands[i].path);
			if (strcmp(path, cmd) == 0)
				break;
		}
	if (i == COMMANDS_N || chassis >= TELEMETRY_CHASSIS)
		return -EINVAL;
	r = telemetry_ask(
		chassis, telemetry_commands[i].words, telemetry_commands[i].argument, params);
	data = json_object_get(r, "data");
	rte_tel_data_start_dict(d);
	if (data != NULL)
		json_object_foreach (data, key, item)
			telemetry_add(d, key, item, &budget);
	else
		rte_tel_data_add_dict_string(d, "error",
			r == NULL ? "the control core did not answer"
				  : json_string_value(json_object_get(r, "error")));
	if (budget < 0)
		rte_tel_data_add_dict_string(d, "truncated", "ask tandemctl for the rest");
	json_decref(r);
	return 0;
}

int telemetry_register(unsigned int chassis, const char *control_socket)
{
	char path[PATH];

	if (chassis >= TELEMETRY_CHASSIS)
		return -ERANGE;
	if (strlen(control_socket) >= sizeof(telemetry_socket[chassis]))
		return -ENAMETOOLONG;
	memcpy(telemetry_socket[chassis], control_socket, strlen(control_socket) + 1);
	for (unsigned int i = 0; i < COMMANDS_N; i++) {
		int ret = 0;

		if (telemetry_commands[i].path != NULL) {
			telemetry_path(path, chassis, telemetry_commands[i].path);
			ret = rte_telemetry_register_cmd(
				path, telemetry_on_command, telemetry_commands[i].help);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}
