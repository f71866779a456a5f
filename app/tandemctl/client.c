/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "render.h"

int client_open(const char *path, unsigned int timeout_s)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = timeout_s };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
		connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

int client_send(int fd, const char *words, json_t *args)
{
	json_t *request = json_pack("{s:s, s:O}", "command", words, "args", args);
	char *text =
		request != NULL ? json_dumps(request, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;
	int ret = text != NULL ? 0 : -ENOMEM;

	if (text != NULL)
		text[len++] = '\n'; /* instead of the zero */
	for (size_t at = 0; at < len && ret == 0;) {
		ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			ret = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	free(text);
	json_decref(request);
	return ret;
}

static int client_merge(json_t *all, json_t *more)
{
	const char *key;
	json_t *v;

	json_object_foreach (more, key, v) {
		json_t *had = json_object_get(all, key);
		int ret = json_is_array(had) && json_is_array(v) ? json_array_extend(had, v)
								 : json_object_set(all, key, v);

		if (ret < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Adds the names of a list to an object's keys. */
static void client_add_names(json_t *to, json_t *names)
{
	json_t *name;
	size_t i;

	json_array_foreach (names, i, name)
		if (json_is_string(name))
			json_object_set_new(to, json_string_value(name), json_true());
}

static int client_read(const char *line, struct client_answer *a, char *why, size_t size)
{
	json_error_t err;
	json_t *answer = json_loads(line, JSON_REJECT_DUPLICATES, &err);
	json_t *got = json_object_get(answer, "data");
	const char *error = json_string_value(json_object_get(answer, "error"));
	int ret = 0;

	if (!json_is_boolean(json_object_get(answer, "ok"))) {
		snprintf(why, size, "the answer is not understood%s%s", answer == NULL ? ": " : "",
			answer == NULL ? err.text : "");
		ret = -EBADMSG;
	} else if (!json_is_true(json_object_get(answer, "ok"))) {
		snprintf(why, size, "%s", error != NULL ? error : "refused without a reason");
		ret = -EREMOTE;
	} else if (json_is_object(a->data) && json_is_object(got)) {
		ret = client_merge(a->data, got);
	} else if (got != NULL) {
		json_decref(a->data);
		a->data = json_incref(got);
	}
	client_add_names(a->counters, json_object_get(answer, "counters"));
	render_clean(why); /* it may quote names from the network, or the answer */
	json_decref(answer);
	return ret;
}

void client_release(struct client_answer *a)
{
	json_decref(a->data);
	json_decref(a->counters);
	*a = (struct client_answer){ 0 };
}

int client_receive(int fd, struct client_answer *a, char *why, size_t size)
{
	FILE *from = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;
	int ret = from != NULL ? -ENODATA : -errno;

	*a = (struct client_answer){ .counters = json_object() };
	snprintf(why, size, "no answer: the connection was closed");
	if (from == NULL) {
		client_release(a);
		close(fd);
		return ret;
	}
	while ((ret == 0 || ret == -ENODATA) && (errno = 0, getline(&line, &room, from)) >= 0)
		if (strspn(line, " \r\n") < strlen(line))
			ret = client_read(line, a, why, size);
	if ((ret == 0 || ret == -ENODATA) && ferror(from)) {
		ret = -errno;
		snprintf(why, size, "no answer: %s", ret == -EAGAIN ? "timed out" : strerror(-ret));
	}
	free(line);
	fclose(from);
	if (ret < 0)
		client_release(a);
	return ret;
}
