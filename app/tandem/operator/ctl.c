/* SPDX-License-Identifier: BSD-3-Clause */
/* ctl: the control socket: one line of JSON in, {"command":..., "args":{...}} (or the arguments
 * beside the command), one object out, then the connection ends. Bounded clients and bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "command.h"
#include "ctl_request.h"
#include "reactor/reactor.h"

enum { CTL_CLIENTS = 16, CTL_LINE = 8192 };

struct ctl_client {
	struct source src; /* first: ctl_client_of() */
	usec_t since;
	bool waiting; /* for operator_answer(); one at most */
	char in[CTL_LINE];
	size_t in_len;
	char *out;
	size_t out_len, out_sent;
};

struct operator_room {
	struct operator_settings settings;
	char path[CONFIG_PATH];
	struct source listen;
	struct ctl_client clients[CTL_CLIENTS];
};

static struct ctl_client *ctl_client_of(struct source *s)
{
	return (struct ctl_client *)s;
}

static void ctl_drop(struct operator_room *o, struct ctl_client *k)
{
	reactor_unwatch(o->settings.reactor, &k->src);
	free(k->out);
	k->out = NULL;
	k->in_len = k->out_len = k->out_sent = 0;
	k->waiting = false;
}

static void ctl_send(struct operator_room *o, struct ctl_client *k)
{
	while (k->out_sent < k->out_len) {
		ssize_t n = sock_ops->send(k->src.fd, k->out + k->out_sent,
			k->out_len - k->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			reactor_change(o->settings.reactor, &k->src, EPOLLOUT);
			return;
		}
		if (n <= 0)
			break;
		k->out_sent += (size_t)n;
	}
	ctl_drop(o, k);
}

/* Logs a command and who gave it. Scripts ask for views many times a second, so views are logged
 * for debugging alone. */
static void ctl_log(
	const struct ctl_client *k, const char *words, const struct operator_command *command)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);
	char text[64];

	sock_ops->get_option(k->src.fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	snprintf(text, sizeof(text), "%s", words);
	LOG_AT(command != NULL && command->permission == COMMAND_VIEW ? RTE_LOG_DEBUG
								      : RTE_LOG_NOTICE,
		"a command came over the control socket command=%s uid=%u pid=%d", LOG_TEXT(text),
		who.uid, who.pid);
}

static json_t *ctl_execute(
	struct operator_room *o, struct ctl_client *k, const char *line, size_t len)
{
	struct request q;
	json_t *r;

	if (request_parse(line, len, &q) < 0)
		r = json_pack("{s:b,s:s}", "ok", 0, "error",
			"not a command: send one line {\"command\": \"show srp info\", \"args\": "
			"{}}");
	else {
		const struct operator_command *command =
			command_find(o->settings.commands, o->settings.n_commands, q.command);

		ctl_log(k, q.command, command);
		r = command_run(command, q.args, clock_us());
	}
	request_free(&q);
	return r;
}

/* Takes r. */
static void ctl_reply(struct operator_room *o, struct ctl_client *k, json_t *r)
{
	k->out = r != NULL ? json_dumps(r, JSON_COMPACT) : NULL;
	json_decref(r);
	if (k->out == NULL) {
		ctl_drop(o, k);
		return;
	}
	k->out_len = strlen(k->out);
	k->out[k->out_len++] = '\n'; /* in place of the terminating zero: the length is kept */
	ctl_send(o, k);
}

void operator_answer(struct operator_room *o, json_t *answer)
{
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (o->clients[i].waiting) {
			o->clients[i].waiting = false;
			ctl_reply(o, &o->clients[i], answer);
			return;
		}
	json_decref(answer);
}

static void ctl_on_client(void *ctx, struct source *s, uint32_t events)
{
	struct operator_room *o = ctx;
	struct ctl_client *k = ctl_client_of(s);
	char *end;
	ssize_t n;
	json_t *r;

	if (k->out != NULL || k->waiting) {
		if (events & (EPOLLERR | EPOLLHUP))
			ctl_drop(o, k);
		else if (k->out != NULL)
			ctl_send(o, k);
		return;
	}
	n = sock_ops->recv(s->fd, k->in + k->in_len, sizeof(k->in) - k->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ctl_drop(o, k);
		return;
	}
	k->in_len += (size_t)n;
	end = memchr(k->in, '\n', k->in_len);
	if (end == NULL) {
		if (k->in_len == sizeof(k->in))
			ctl_drop(o, k);
		return;
	}
	r = ctl_execute(o, k, k->in, (size_t)(end - k->in));
	if (json_is_null(r)) {
		k->waiting = true;
		/* what more it says, or half a close, is not news */
		reactor_change(o->settings.reactor, &k->src, 0);
		return;
	}
	ctl_reply(o, k, r);
}

static void ctl_on_accept(void *ctx, struct source *s, uint32_t events)
{
	struct operator_room *o = ctx;
	int fd = sock_ops->accept(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ctl_client *k = &o->clients[0];

	(void)events;
	if (fd < 0)
		return;
	/* A client says one line and reads its answer. As many as are served at once never did: the
	 * oldest goes. */
	for (unsigned int i = 0; i < CTL_CLIENTS && k->src.fd >= 0; i++)
		if (o->clients[i].src.fd < 0 || o->clients[i].since < k->since)
			k = &o->clients[i];
	ctl_drop(o, k);
	k->since = clock_us();
	if (reactor_watch(o->settings.reactor, &k->src, fd, EPOLLIN, ctl_on_client, o) < 0) {
		sock_ops->close(fd);
		k->src.fd = -1;
	}
}

/* A socket that listens, or -errno. */
static int ctl_listen(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char dir[CONFIG_PATH], *slash;
	mode_t was;
	int fd, ret;

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path));
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755); /* there already, mostly; bind() fails if it is not */
	}
	fd = sock_ops->socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	was = umask(0177);
	ret = sock_ops->bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
			      sock_ops->listen(fd, CTL_CLIENTS) < 0
		      ? -errno
		      : 0;
	umask(was);
	if (ret == 0)
		return fd;
	sock_ops->close(fd);
	return ret;
}

struct operator_room *operator_create(const struct operator_settings *s)
{
	struct operator_room *o = calloc(1, sizeof(*o));
	int fd, ret;

	if (o == NULL)
		return NULL;
	o->settings = *s;
	snprintf(o->path, sizeof(o->path), "%s", s->socket_path);
	o->listen.fd = -1;
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		o->clients[i].src.fd = -1;
	fd = ctl_listen(o->path);
	ret = fd < 0 ? fd : reactor_watch(s->reactor, &o->listen, fd, EPOLLIN, ctl_on_accept, o);
	if (ret < 0 && fd >= 0)
		sock_ops->close(fd);
	if (ret < 0) {
		operator_destroy(o);
		errno = -ret;
		return NULL;
	}
	return o;
}

void operator_destroy(struct operator_room *o)
{
	if (o == NULL)
		return;
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		ctl_drop(o, &o->clients[i]);
	if (o->listen.fd >= 0)
		unlink(o->path);
	reactor_unwatch(o->settings.reactor, &o->listen);
	free(o);
}
