/* SPDX-License-Identifier: BSD-3-Clause */
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

#include "telemetry/telemetry.h"

enum { REPLY_MAX = 4 << 20, VALUE = 127, BUDGET = 14000, PAGE = 32 };

static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static const struct {
	const char *path, *command, *arg, *help;
} commands[] = {
	{ "/tandem/srp/info", "show srp info", NULL, "Role, peer, term and sync of the pair" },
	{ "/tandem/srp/statistics", "show srp statistics", NULL,
		"Hellos, heartbeats, switchovers by cause" },
	{ "/tandem/srp/checkpoint", "show srp checkpoint statistics", NULL,
		"Replication: sent, applied, refused, lost" },
	{ "/tandem/srp/audit", "show srp audit-statistics", NULL,
		"Audit: buckets compared, differing, repaired" },
	{ "/tandem/srp/monitor", "show srp monitor", NULL,
		"What is monitored, and what follows from it" },
	{ "/tandem/radius", "show radius statistics", NULL, "Probes of the AAA servers" },
	{ "/tandem/srp/configuration", "show srp configuration-difference", NULL,
		"Keys that must agree with the peer and do not" },
	{ "/tandem/license", "show license information", NULL,
		"Whether session recovery is licensed" },
	{ "/tandem/srp/history", "show srp history", "limit",
		"Transitions, newest last. Parameter: how many (1..32)" },
	{ "/tandem/srp/call_loss", "show srp call-loss statistics", "limit",
		"Sessions lost, by switchover. Parameter: how many (1..32)" },
	{ "/tandem/alarms", "show alarms", NULL,
		"Alarms that are raised, and the last that are over" },
	{ "/tandem/sessions", "show sessions", "limit", "Sessions. Parameter: how many (1..32)" },
	{ "/tandem/session", "show session", "session",
		"One session. Parameter: UE address, IMSI or TEID" },
	{ "/tandem/pools", "show pools", NULL, "IP pools" },
	{ "/tandem/ports", "show ports", NULL, "Ports, their twins and links" },
	{ "/tandem/workers", "show workers", NULL, "Counters of each core" },
	{ "/tandem/gtp", "show gtp statistics", NULL, "GTP-C procedures and the commit gate" },
};

/* One question to the control socket; each side waits two seconds at most. */
static json_t *telemetry_ask(const char *command, const char *arg, const char *value)
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
	if (arg != NULL && value != NULL) {
		long number = strtol(value, NULL, 10);

		json_object_set_new(json_object_get(q, "args"), arg,
			strcmp(arg, "limit") == 0
				? json_integer(number < 1 || number > PAGE ? PAGE : number)
				: json_string(value));
	} else if (arg != NULL) {
		json_object_set_new(json_object_get(q, "args"), arg, json_integer(PAGE));
	}
	memcpy(un.sun_path, socket_path, sizeof(un.sun_path));
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
		rte_tel_data_add_dict_u64(d, name, (uint64_t)json_integer_value(v));
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

static int telemetry_on_command(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int budget = BUDGET;
	json_t *r, *data, *item;
	const char *key;
	unsigned int i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].path, cmd) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		return -EINVAL;
	r = telemetry_ask(commands[i].command, commands[i].arg, params);
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

int telemetry_register(const char *control_socket)
{
	if (strlen(control_socket) >= sizeof(socket_path))
		return -ENAMETOOLONG;
	memcpy(socket_path, control_socket, strlen(control_socket) + 1);
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int ret = rte_telemetry_register_cmd(
			commands[i].path, telemetry_on_command, commands[i].help);

		if (ret < 0)
			return ret;
	}
	return 0;
}
