/* SPDX-License-Identifier: BSD-3-Clause */
/* Where SRP connections come from: seat 0 listens, seat 1 connects. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "pair_priv.h"

enum { RETRY_US = 200000, CONNECT_US = 1000000, LOG_US = 10000000 };

static bool listen_is_peer(struct pair *p, const struct ip_addr *from, usec_t now)
{
	char text[IP_ADDR_TEXT];

	if (ip_addr_equal(from, &p->peer.address))
		return true;
	if (p->link.strangers++ == 0 ||
		now >= p->link.stranger_log) { /* a flood of them must not become one of logs */
		LOG(WARNING,
			"SRP: a connection was refused, as it does not come from srp.peer peer=%s "
			"total=%lu",
			ip_addr_print(from, text), (unsigned long)p->link.strangers);
		p->link.stranger_log = now + LOG_US;
	}
	return false;
}

static void listen_ready(void *ctx, struct source *s, uint32_t set)
{
	struct pair *p = ctx;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	struct link_conn *l;
	struct ip_addr addr;
	uint16_t port;
	int fd = sock_ops->accept(
		s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	usec_t now = p->now;

	(void)set;
	if (fd < 0)
		return;
	sock_from(&from, &addr, &port);
	if (!listen_is_peer(p, &addr, now)) {
		sock_ops->close(fd);
		return;
	}
	l = link_take(p, fd, EPOLLIN);
	if (l != NULL)
		link_established(p, l, now);
}

void link_connect(struct pair *p, usec_t now)
{
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &p->peer.address, p->start.port);
	int fd = sock_bound(&p->start.bind, 0, SOCK_STREAM);
	struct link_conn *l;

	p->link.retry_at = now + link_soon(p, RETRY_US);
	if (fd < 0)
		return;
	if (sock_ops->connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		bool refused = errno == ECONNREFUSED;

		sock_ops->close(fd);
		if (refused)
			srp_disconnected(p->srp, true, now);
		return;
	}
	l = link_take(p, fd, EPOLLIN | EPOLLOUT);
	if (l != NULL)
		l->by = now + link_soon(p, CONNECT_US);
}

int link_open(struct pair *p)
{
	char why[TLS_WHY];
	int fd, ret;

	if (!p->start.insecure) {
		p->link.tls = tls_ops->create(&p->live.files, why);
		if (p->link.tls == NULL) {
			LOG(ERR, "the SRP connection cannot be secured reason=%s", LOG_TEXT(why));
			return -EINVAL;
		}
	}
	if (p->seat != 0)
		return 0; /* seat 1 connects */
	fd = sock_bound(&p->start.bind, p->start.port, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (sock_ops->listen(fd, 8) < 0) {
		ret = -errno;
		sock_ops->close(fd);
		return ret;
	}
	return reactor_watch(p->reactor, &p->link.listen, fd, EPOLLIN, listen_ready, p);
}

/* Its incarnation is that of its first hello that counts. */
void pair_replace_peer(struct pair *p, const struct pair_peer *peer, usec_t now)
{
	char text[IP_ADDR_TEXT];

	p->peer = *peer;
	p->peer.incarnation = 0;
	LOG(NOTICE, "SRP: the peer has another address from now on peer=%s",
		ip_addr_print(&peer->address, text));
	link_drop_all(p, now);
	p->link.retry_at = now;
}

void link_close(struct pair *p)
{
	reactor_unwatch(p->reactor, &p->link.listen);
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		if (p->link.conn[i].src.fd >= 0)
			link_free(p, &p->link.conn[i]);
	p->link.up = NULL;
	tls_ops->destroy(p->link.tls);
	p->link.tls = NULL;
}
