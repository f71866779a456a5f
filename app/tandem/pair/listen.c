/* SPDX-License-Identifier: BSD-3-Clause */
/* Where SRP connections come from: seat 0 listens, seat 1 connects. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/sock.h"
#include "link.h"

enum { RETRY_US = 200000, CONNECT_US = 1000000, LOG_US = 10000000 };

static bool listen_is_peer(struct link *link, const struct ip_addr *from, usec_t now)
{
	char text[IP_ADDR_TEXT];

	if (ip_addr_equal(from, &link->pair.peer->address))
		return true;
	if (link->strangers++ == 0 ||
		now >= link->stranger_log) { /* a flood of them must not become one of logs */
		LOG(WARNING,
			"SRP: a connection was refused, as it does not come from srp.peer peer=%s "
			"total=%lu",
			ip_addr_print(from, text), (unsigned long)link->strangers);
		link->stranger_log = now + LOG_US;
	}
	return false;
}

static void listen_ready(void *ctx, struct source *s, uint32_t set)
{
	struct link *link = ctx;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	struct link_conn *l;
	struct ip_addr addr;
	uint16_t port;
	int fd = sock_ops->accept(
		s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	usec_t now = link->now;

	(void)set;
	if (fd < 0)
		return;
	sock_from(&from, &addr, &port);
	if (!listen_is_peer(link, &addr, now)) {
		sock_ops->close(fd);
		return;
	}
	l = link_take(link, fd, EPOLLIN);
	if (l != NULL)
		link_established(link, l, now);
}

void link_connect(struct link *link, usec_t now)
{
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &link->pair.peer->address, link->pair.start->port);
	int fd = sock_bound(&link->pair.start->bind, 0, SOCK_STREAM);
	struct link_conn *l;

	link->retry_at = now + link_soon(link, RETRY_US);
	if (fd < 0)
		return;
	if (sock_ops->connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		bool refused = errno == ECONNREFUSED;

		sock_ops->close(fd);
		if (refused)
			srp_disconnected(link->pair.srp, true, now);
		return;
	}
	l = link_take(link, fd, EPOLLIN | EPOLLOUT);
	if (l != NULL)
		l->by = now + link_soon(link, CONNECT_US);
}

static int listen_open(struct link *link)
{
	char why[TLS_WHY];
	int fd, ret;

	if (!link->pair.start->insecure) {
		link->tls = tls_ops->create(&link->pair.live->files, why);
		if (link->tls == NULL) {
			LOG(ERR, "the SRP connection cannot be secured reason=%s", LOG_TEXT(why));
			return -EINVAL;
		}
	}
	if (link->pair.seat != 0)
		return 0; /* seat 1 connects */
	fd = sock_bound(&link->pair.start->bind, link->pair.start->port, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (sock_ops->listen(fd, 8) < 0) {
		ret = -errno;
		sock_ops->close(fd);
		return ret;
	}
	return reactor_watch(link->with.reactor, &link->listen, fd, EPOLLIN, listen_ready, link);
}

/* Its incarnation is that of its first hello that counts. */
void link_replace_peer(struct link *link, const struct pair_peer *peer, usec_t now)
{
	char text[IP_ADDR_TEXT];

	*link->pair.peer = *peer;
	link->pair.peer->incarnation = 0;
	LOG(NOTICE, "SRP: the peer has another address from now on peer=%s",
		ip_addr_print(&peer->address, text));
	link_drop_all(link, now);
	link->retry_at = now;
}

static void listen_close(struct link *link)
{
	reactor_unwatch(link->with.reactor, &link->listen);
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		if (link->conn[i].src.fd >= 0)
			link_free(link, &link->conn[i]);
	link->up = NULL;
	tls_ops->destroy(link->tls);
	link->tls = NULL;
}

struct link *link_create(
	const struct pair_connection *with, const struct link_pair *pair, usec_t now)
{
	struct link *link = memory_take("link", sizeof(*link), 0);
	int ret;

	if (link == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	link->with = *with;
	link->pair = *pair;
	link->now = now;
	link->listen.fd = -1;
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		link->conn[i].src.fd = -1;
	ret = listen_open(link);
	if (ret < 0) {
		link_destroy(link);
		errno = -ret;
		return NULL;
	}
	return link;
}

void link_destroy(struct link *link)
{
	if (link == NULL)
		return;
	listen_close(link);
	memory_give(link);
}
