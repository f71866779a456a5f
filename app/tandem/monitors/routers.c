/* SPDX-License-Identifier: BSD-3-Clause */
/* Routers that report their BGP peers to us (BMP, RFC 7854): who may connect, connections in
 * control's epoll, and what lib/monitor's station makes of their words. Nothing is ever sent to
 * them. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "monitors_priv.h"
#include "monitor/station.h"
#include "reactor/reactor.h"

enum {
	READ = 16384,
	READS = 16, /* a turn and session: whoever floods does not keep us from the rest */
	BEGIN_US = 10000000,
	/* A router that is gone without a word is found out within this. */
	KEEP_IDLE_S = 5,
	KEEP_EVERY_S = 2,
	KEEP_TIMES = 3
};

struct router {
	struct source src; /* first: routers_on_input() */
	struct ip_addr from;
	int session;     /* of the station */
	usec_t begin_by; /* its first word, or it gives its place to another */
	bool begun;
};

struct routers {
	struct source listen;
	struct station *station;
	int object[CONFIG_BGP_PEERS]; /* of the monitors, by the station's number */
	struct router session[STATION_SESSIONS];
	usec_t now; /* of the call into the station that is under way */
	uint64_t refused;
};

static void routers_on_state(void *ctx, int peer, enum monitor_state state, const char *why)
{
	struct monitors *m = ctx;

	monitor_report(m->monitor, m->routers->object[peer], state, why, m->routers->now);
}

/* ---- connections ---- */

static void routers_lost(struct monitors *m, struct router *r, const char *why)
{
	char from[IP_ADDR_TEXT];

	LOG(WARNING,
		"the BMP session of a router has ended: the state of its BGP peers is not known "
		"until it connects again peer=%s reason=%s",
		ip_addr_print(&r->from, from), LOG_TEXT(why));
	station_close(m->routers->station, r->session);
	reactor_unwatch(m->set.reactor, &r->src);
}

static void routers_on_input(void *ctx, struct source *s, uint32_t events)
{
	struct monitors *m = ctx;
	struct router *r = (struct router *)s;
	uint8_t octets[READ];
	char why[BMP_TEXT];

	(void)events;
	m->routers->now = clock_us();
	for (unsigned int i = 0; i < READS; i++) {
		ssize_t n = sock_ops->recv(s->fd, octets, sizeof(octets), MSG_DONTWAIT);

		if (n > 0) {
			r->begun = true;
			if (station_input(m->routers->station, r->session, octets, (size_t)n, why,
				    m->routers->now) == 0)
				continue;
			routers_lost(m, r, why); /* the station has closed it already */
		} else if (n == 0) {
			routers_lost(m, r, "closed by the router");
		} else if (errno != EAGAIN && errno != EINTR) {
			routers_lost(m, r, strerror(errno));
		}
		return;
	}
}

/* Routers that the configuration names; any, where one of the peers leaves it open. */
static bool routers_may_report(const struct monitors_start *f, const struct ip_addr *from)
{
	for (unsigned int i = 0; i < f->n_bgp_peers; i++)
		if (ip_addr_is_none(&f->bgp_peers[i].router) ||
			ip_addr_equal(&f->bgp_peers[i].router, from))
			return true;
	return false;
}

static void routers_refuse(struct routers *rs, const struct ip_addr *from, const char *why)
{
	char text[IP_ADDR_TEXT];

	rs->refused++;
	LOG(WARNING, "a BMP connection was refused peer=%s reason=%s total=%lu",
		ip_addr_print(from, text), LOG_TEXT(why), (unsigned long)rs->refused);
}

static void routers_keep_alive(int fd)
{
	const struct {
		int level, option, value;
	} set[] = { { SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_TIMES } };

	for (unsigned int i = 0; i < RTE_DIM(set); i++)
		sock_ops->set_option(
			fd, set[i].level, set[i].option, &set[i].value, sizeof(set[i].value));
}

/* A slot for a new connection, or NULL: a router that comes again takes that of its former
 * connection, which its own end may not have closed. */
static struct router *routers_slot(struct monitors *m, const struct ip_addr *from)
{
	struct routers *rs = m->routers;
	struct router *free_one = NULL;

	for (unsigned int i = 0; i < STATION_SESSIONS; i++) {
		struct router *r = &rs->session[i];

		if (r->src.fd < 0)
			free_one = r;
	}
	for (unsigned int i = 0; i < STATION_SESSIONS && free_one == NULL; i++)
		if (ip_addr_equal(&rs->session[i].from, from)) {
			free_one = &rs->session[i];
			routers_lost(m, free_one, "it has connected anew");
		}
	return free_one;
}

static void routers_on_listen(void *ctx, struct source *s, uint32_t events)
{
	struct monitors *m = ctx;
	struct routers *rs = m->routers;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	struct router *r;
	struct ip_addr addr;
	char text[IP_ADDR_TEXT];
	uint16_t port;
	int fd = sock_ops->accept(
		s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	usec_t now = rs->now = clock_us();

	(void)events;
	if (fd < 0)
		return;
	sock_from(&from, &addr, &port);
	r = routers_may_report(&m->set.start, &addr) ? routers_slot(m, &addr) : NULL;
	if (r == NULL) {
		routers_refuse(rs, &addr,
			routers_may_report(&m->set.start, &addr)
				? "too many routers report already"
				: "no item of bgp-peers names it as its router");
		sock_ops->close(fd);
		return;
	}
	*r = (struct router){ .src.fd = -1, .from = addr, .begin_by = now + BEGIN_US };
	r->session = station_open(rs->station, &addr, now);
	routers_keep_alive(fd);
	if (r->session < 0 ||
		reactor_watch(m->set.reactor, &r->src, fd, EPOLLIN, routers_on_input, m) < 0) {
		station_close(rs->station, r->session);
		r->src.fd = -1;
		sock_ops->close(fd);
		return;
	}
	LOG(NOTICE, "a router reports its BGP peers by BMP peer=%s", ip_addr_print(&addr, text));
}

/* ---- life ---- */

static int routers_peers_open(struct monitors *m, usec_t now)
{
	for (unsigned int i = 0; i < m->set.start.n_bgp_peers; i++) {
		const struct config_bgp_peer *p = &m->set.start.bgp_peers[i];
		struct station_peer sp = { .addr = p->address,
			.of_router = !ip_addr_is_none(&p->router),
			.router = p->router };
		char address[IP_ADDR_TEXT];
		int peer = station_add(m->routers->station, &sp, now), object;

		object = peer < 0 ? peer
				  : monitors_add(m, MONITOR_BGP, p->name,
					    ip_addr_print(&p->address, address), p->group, now);
		if (object < 0)
			return object;
		m->routers->object[peer] = object;
	}
	return 0;
}

static int routers_listen_open(struct monitors *m)
{
	struct ip_addr at = m->set.start.bmp_address;
	char text[IP_ADDR_TEXT];
	int fd, ret;

	if (ip_addr_is_none(&at))
		at = ip_addr_v4(0x7f000001);
	fd = sock_bound(&at, m->set.start.bmp_port, SOCK_STREAM);
	ret = fd < 0 ? fd : 0;
	if (ret == 0 && sock_ops->listen(fd, STATION_SESSIONS) < 0)
		ret = -errno;
	if (ret == 0)
		ret = reactor_watch(
			m->set.reactor, &m->routers->listen, fd, EPOLLIN, routers_on_listen, m);
	if (ret < 0) {
		LOG(ERR,
			"the daemon cannot listen for BMP connections of routers: "
			"monitors.bmp-address must be an address of this machine, and no other "
			"program may have the TCP port address=%s tcp_port=%u error=%s",
			ip_addr_print(&at, text), m->set.start.bmp_port, LOG_TEXT(strerror(-ret)));
		if (fd >= 0)
			sock_ops->close(fd);
	}
	return ret;
}

int routers_open(struct monitors *m, usec_t now)
{
	int ret;

	if (m->set.start.n_bgp_peers == 0)
		return 0;
	m->routers = calloc(1, sizeof(*m->routers));
	if (m->routers == NULL)
		return -ENOMEM;
	m->routers->listen.fd = -1;
	for (unsigned int i = 0; i < STATION_SESSIONS; i++)
		m->routers->session[i].src.fd = -1;
	m->routers->station = station_create(m->set.start.bmp_settle_us, routers_on_state, m);
	if (m->routers->station == NULL)
		return -ENOMEM;
	ret = routers_peers_open(m, now);
	return ret < 0 ? ret : routers_listen_open(m);
}

void routers_close(struct monitors *m)
{
	struct routers *rs = m->routers;

	if (rs == NULL)
		return;
	reactor_unwatch(m->set.reactor, &rs->listen);
	for (unsigned int i = 0; i < STATION_SESSIONS; i++)
		reactor_unwatch(m->set.reactor, &rs->session[i].src);
	station_destroy(rs->station);
	free(rs);
	m->routers = NULL;
}

void routers_turn(struct monitors *m, usec_t now)
{
	struct routers *rs = m->routers;

	if (rs == NULL)
		return;
	rs->now = now;
	for (unsigned int i = 0; i < STATION_SESSIONS; i++) {
		struct router *r = &rs->session[i];

		if (r->src.fd >= 0 && !r->begun && now >= r->begin_by)
			routers_lost(m, r, "it sent no message");
	}
	if (now >= station_due(rs->station))
		station_tick(rs->station, now);
}
