/* SPDX-License-Identifier: BSD-3-Clause */
/* Where SRP connections come from: side 0 listens, side 1 connects. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/control.h"
#include "base/sock.h"

enum { RETRY_US = 200000, CONNECT_US = 1000000, LOG_US = 10000000 };

static bool is_peer(struct control *c, const struct ip_addr *from, usec_t now)
{
	char text[IP_ADDR_TEXT];

	if (ip_addr_equal(from, &T.conf->srp.peer))
		return true;
	if (c->link.strangers++ == 0 ||
		now >= c->link.stranger_log) { /* a flood of them must not become one of logs */
		LOG(WARNING,
			"SRP: a connection from %s, which is not srp.peer: refused (%lu so far)",
			ip_addr_print(from, text), (unsigned long)c->link.strangers);
		c->link.stranger_log = now + LOG_US;
	}
	return false;
}

static void on_listen(void *ctx, struct source *s, uint32_t set)
{
	struct control *c = ctx;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	struct link_conn *l;
	struct ip_addr addr;
	uint16_t port;
	int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	usec_t now = c->now;

	(void)set;
	if (fd < 0)
		return;
	sock_from(&from, &addr, &port);
	if (!is_peer(c, &addr, now)) {
		close(fd);
		return;
	}
	l = link_take(c, fd, EPOLLIN);
	if (l != NULL)
		link_established(c, l, now);
}

void link_connect(struct control *c, usec_t now)
{
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &T.conf->srp.peer, (uint16_t)T.conf->srp.port);
	int fd = sock_bound(&T.conf->srp.bind, 0, SOCK_STREAM);
	struct link_conn *l;

	c->link.retry_at = now + link_soon(RETRY_US);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		bool refused = errno == ECONNREFUSED;

		close(fd);
		if (refused)
			srp_disconnected(c->srp, true, now);
		return;
	}
	l = link_take(c, fd, EPOLLIN | EPOLLOUT);
	if (l != NULL)
		l->by = now + link_soon(CONNECT_US);
}

int link_open(struct control *c)
{
	char why[TLS_WHY];
	int fd, ret;

	if (!T.conf->srp.insecure) {
		c->link.tls = tls_create(T.conf, why);
		if (c->link.tls == NULL) {
			LOG(ERR, "%s", why);
			return -EINVAL;
		}
	}
	if (T.side != 0)
		return 0; /* side 1 connects */
	fd = sock_bound(&T.conf->srp.bind, (uint16_t)T.conf->srp.port, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (listen(fd, 8) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return reactor_watch(c->reactor, &c->link.listen, fd, EPOLLIN, on_listen, c);
}

void link_close(struct control *c)
{
	reactor_unwatch(c->reactor, &c->link.listen);
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		if (c->link.conn[i].src.fd >= 0)
			link_free(c, &c->link.conn[i]);
	c->link.up = NULL;
	tls_destroy(c->link.tls);
	c->link.tls = NULL;
}
