/* SPDX-License-Identifier: BSD-3-Clause */
/* ctl: the control socket (Unix, mode 0600): one line of JSON in, {"command":..., "args":{...}} (or
 * the arguments beside the command), one object out, then the connection ends. Bounded clients and
 * bytes; nothing blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "ctl_request.h"
#include "process/control.h"

static void ctl_drop(struct control *c, struct client *k)
{
	reactor_unwatch(c->reactor, &k->src);
	free(k->out);
	k->out = NULL;
	k->in_len = k->out_len = k->out_sent = 0;
	k->waiting = false;
}

static void ctl_send(struct control *c, struct client *k)
{
	while (k->out_sent < k->out_len) {
		ssize_t n = send(k->src.fd, k->out + k->out_sent, k->out_len - k->out_sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			reactor_change(c->reactor, &k->src, EPOLLOUT);
			return;
		}
		if (n <= 0)
			break;
		k->out_sent += (size_t)n;
	}
	ctl_drop(c, k);
}

/* Logs a command and who gave it. Scripts ask for views many times a second, so views are logged
 * for debugging alone. */
static void ctl_log(const struct client *k, const char *words, const struct command *command)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);
	char text[64];
	size_t n;

	getsockopt(k->src.fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	for (n = 0; n < sizeof(text) - 1 && words[n] != '\0'; n++)
		text[n] = words[n] >= ' ' && words[n] <= '~' ? words[n] : '?';
	text[n] = '\0';
	LOG_AT(command != NULL && command->permission == COMMAND_VIEW ? RTE_LOG_DEBUG
								      : RTE_LOG_NOTICE,
		"control socket: %s, by user %u, process %d", text, who.uid, who.pid);
}

static json_t *ctl_execute(struct control *c, struct client *k, const char *line, size_t len)
{
	struct request q;
	json_t *r;

	if (request_parse(line, len, &q) < 0)
		r = json_pack("{s:b,s:s}", "ok", 0, "error",
			"not a command: send one line {\"command\": \"show srp info\", \"args\": "
			"{}}");
	else {
		const struct command *command = command_find(q.command);

		ctl_log(k, q.command, command);
		r = command_run(command, c, q.args, clock_us());
	}
	request_free(&q);
	return r;
}

/* Takes r. */
static void ctl_reply(struct control *c, struct client *k, json_t *r)
{
	k->out = r != NULL ? json_dumps(r, JSON_COMPACT) : NULL;
	json_decref(r);
	if (k->out == NULL) {
		ctl_drop(c, k);
		return;
	}
	k->out_len = strlen(k->out);
	k->out[k->out_len++] = '\n'; /* in place of the terminating zero: the length is kept */
	ctl_send(c, k);
}

void ctl_answer(struct control *c, json_t *answer)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].waiting) {
			c->clients[i].waiting = false;
			ctl_reply(c, &c->clients[i], answer);
			return;
		}
	json_decref(answer);
}

static void ctl_on_client(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	struct client *k = (struct client *)((char *)s - offsetof(struct client, src));
	char *end;
	ssize_t n;
	json_t *r;

	if (k->out != NULL || k->waiting) {
		if (events & (EPOLLERR | EPOLLHUP))
			ctl_drop(c, k);
		else if (k->out != NULL)
			ctl_send(c, k);
		return;
	}
	n = recv(s->fd, k->in + k->in_len, sizeof(k->in) - k->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ctl_drop(c, k);
		return;
	}
	k->in_len += (size_t)n;
	end = memchr(k->in, '\n', k->in_len);
	if (end == NULL) {
		if (k->in_len == sizeof(k->in))
			ctl_drop(c, k);
		return;
	}
	r = ctl_execute(c, k, k->in, (size_t)(end - k->in));
	if (json_is_null(r)) {
		k->waiting = true;
		/* what more it says, or half a close, is not news */
		reactor_change(c->reactor, &k->src, 0);
		return;
	}
	ctl_reply(c, k, r);
}

static void ctl_on_accept(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *k = &c->clients[0];

	(void)events;
	if (fd < 0)
		return;
	/* A client says one line and reads its answer. As many as are served at once never did: the
	 * oldest goes. */
	for (unsigned int i = 0; i < CONTROL_CLIENTS && k->src.fd >= 0; i++)
		if (c->clients[i].src.fd < 0 || c->clients[i].since < k->since)
			k = &c->clients[i];
	ctl_drop(c, k);
	k->since = clock_us();
	if (reactor_watch(c->reactor, &k->src, fd, EPOLLIN, ctl_on_client, c) < 0) {
		close(fd);
		k->src.fd = -1;
	}
}

int ctl_open(struct control *c)
{
	const char *path = T.conf->telemetry.control_socket;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char dir[CONFIG_PATH], *slash;
	int fd, ret;

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path));
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755); /* there already, mostly; bind() tells if it is not */
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mode_t was = umask(0177);

	ret = bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, CONTROL_CLIENTS) < 0
		      ? -errno
		      : 0;
	umask(was);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return reactor_watch(c->reactor, &c->ctl, fd, EPOLLIN, ctl_on_accept, c);
}

void ctl_close(struct control *c)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		ctl_drop(c, &c->clients[i]);
	if (c->ctl.fd >= 0)
		unlink(T.conf->telemetry.control_socket);
	reactor_unwatch(c->reactor, &c->ctl);
}
