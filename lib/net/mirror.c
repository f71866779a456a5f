/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "mirror.h"

enum { CREATE_MS = 10000, POLL_MS = 50, TURN_MESSAGES = 256, TURN_READS = 64 };

static uint16_t mirror_nh_port(const struct net_mirror *m, uint32_t nh)
{
	if (nh & FIB_GLEAN)
		return (uint16_t)nh;
	return m->twin[m->adj[nh].twin].port;
}

static bool mirror_nh_usable(void *ctx, uint32_t nh)
{
	const struct net_mirror *m = ctx;
	uint16_t port = mirror_nh_port(m, nh);

	for (unsigned int t = 0; t < m->c.n_twins; t++)
		if (m->twin[t].port == port)
			return m->twin[t].up && m->twin[t].link;
	return false;
}

static void mirror_nh_refer(void *ctx, uint32_t nh, int by)
{
	if (!(nh & FIB_GLEAN))
		adj_refer(ctx, nh, by);
}

static void mirror_nh_hold(void *ctx, uint32_t nh, int by)
{
	if (!(nh & FIB_GLEAN))
		adj_hold(ctx, nh, by);
}

/* ---- routes ---- */

static uint32_t mirror_hop_nh(
	struct net_mirror *m, uint8_t t, const struct rtmsg_hop *hop, bool make)
{
	uint16_t instance = m->twin[t].instance;

	if (ip_addr_is_any(&hop->gw))
		return FIB_GLEAN | (uint32_t)m->twin[t].port;
	return make ? adj_get(m, instance, t, &hop->gw) : adj_find(m, instance, t, &hop->gw);
}

/* Of a multipath route the first next hop over a twin whose link is up, or else the first over a
 * twin: a session keeps its path, and when a link changes all routes are dumped and chosen again.
 */
static uint32_t mirror_hop_choose(struct net_mirror *m, const struct rtmsg_route *r, bool make)
{
	for (int any = 0; any < 2; any++)
		for (unsigned int h = 0; h < r->n_hops; h++)
			for (uint8_t t = 0; t < m->c.n_twins; t++) {
				const struct mirror_twin *tw = &m->twin[t];

				if (tw->ifindex != r->hop[h].ifindex || tw->instance != r->instance)
					continue;
				if (any || (r->hop[h].usable && tw->up && tw->link))
					return mirror_hop_nh(m, t, &r->hop[h], make);
			}
	return FIB_NONE;
}

static void mirror_route_gone(struct net_mirror *m, const struct rtmsg_route *r)
{
	int ret = routes_del(m->routes, r->instance, &r->to, r->metric);

	if (ret == 0)
		return;
	m->count.routes_removed++;
	m->again = m->again || ret < 0;
}

static void mirror_route_new(struct net_mirror *m, const struct rtmsg_route *r)
{
	uint32_t nh = mirror_hop_choose(m, r, true);
	int ret;

	if (nh == FIB_NONE) { /* not ours; but it may have replaced one that was */
		if (r->replace)
			mirror_route_gone(m, r);
		return;
	}
	ret = routes_set(m->routes, r->instance, &r->to, r->metric, nh, r->replace, m->stamp);
	if (!(nh & FIB_GLEAN))
		adj_put(m, nh);
	if (ret == 1) {
		m->count.routes_added++;
	} else if (mirror_left_out(m, ret)) {
		return;
	} else if (ret == -EEXIST && m->dump == DUMP_NONE && !r->append) {
		/* put before ours, or we missed that ours went: a dump shows the order */
		m->again = true;
	}
}

static int mirror_on_route(struct net_mirror *m, const struct nlmsghdr *h)
{
	struct rtmsg_route r;
	uint32_t have;
	int ret = rtmsg_route(h, &r);

	if (ret != 0)
		return ret;
	if (!mirror_follows(&r.to.addr))
		return 1;
	watch_route(m, &r, h->nlmsg_type == RTM_NEWROUTE);
	if (h->nlmsg_type == RTM_NEWROUTE) {
		mirror_route_new(m, &r);
		return 0;
	}
	have = routes_get(m->routes, r.instance, &r.to, r.metric);
	if (have == FIB_NONE)
		return 0;
	if (have == mirror_hop_choose(m, &r, false))
		mirror_route_gone(m, &r);
	else /* the kernel may have two of this prefix and metric, and this was the other one */
		m->again = true;
	return 0;
}

/* ---- links ---- */

static bool of_dump(const struct net_mirror *m, const struct nlmsghdr *h)
{
	return m->dump != DUMP_NONE && h->nlmsg_seq == m->seq && h->nlmsg_pid != 0;
}

static bool over_port(const void *ctx, uint32_t nh, uint32_t stamp)
{
	const struct mirror_twin *t = ((const void *const *)ctx)[1];

	return mirror_nh_port(((const void *const *)ctx)[0], nh) == t->port;
}

/* When an interface goes, the kernel drops its routes without a word. */
void mirror_twin_up(struct net_mirror *m, uint8_t t, bool up)
{
	const void *ctx[] = { m, &m->twin[t] };

	m->twin[t].up_stamp = m->stamp;
	if (m->twin[t].up == up)
		return;
	m->twin[t].up = up;
	if (!up) {
		m->count.routes_removed += routes_sweep(m->routes, over_port, ctx);
		adj_sweep(m, t, true);
	}
	m->again = m->again || m->dump == DUMP_NONE || m->dump > DUMP_LINK;
	routes_choose(m->routes);
}

void mirror_twin_link(struct net_mirror *m, uint8_t t, bool link)
{
	m->twin[t].link_stamp = m->stamp;
	if (m->twin[t].link == link)
		return;
	m->twin[t].link = link;
	m->again = m->again || m->dump == DUMP_NONE || m->dump > DUMP_LINK;
	routes_choose(m->routes);
	if (m->synced && m->c.link != NULL)
		m->c.link(m->c.ctx, m->twin[t].port, link);
}

static int mirror_on_link(struct net_mirror *m, const struct nlmsghdr *h)
{
	struct rtmsg_link l;
	int ret = rtmsg_link(h, &l);

	if (ret != 0)
		return ret;
	if (!of_dump(m, h))
		watch_link(m, l.ifindex);
	for (uint8_t t = 0; t < m->c.n_twins; t++) {
		if (m->twin[t].under == l.ifindex)
			mirror_twin_link(m, t, l.carrier);
		if (m->twin[t].ifindex == l.ifindex)
			mirror_twin_up(m, t, l.up);
	}
	return 0;
}

/* ---- addresses and neighbours ---- */

/* With an address go, unsaid, the routes that prefer it as their source. */
static int mirror_on_addr(struct net_mirror *m, const struct nlmsghdr *h)
{
	struct ip_addr own;
	unsigned int i = 0;
	int ret = rtmsg_addr(h, &own);

	if (ret != 0)
		return ret;
	if (!mirror_follows(&own))
		return 1;
	while (i < m->n_own && !ip_addr_equal(&m->own[i], &own))
		i++;
	if (h->nlmsg_type == RTM_DELADDR) {
		m->again = true;
		if (i < m->n_own)
			m->own[i] = m->own[--m->n_own];
	} else if (i == m->n_own && m->n_own < MIRROR_OWN) {
		m->own[m->n_own++] = own;
	}
	return 0;
}

static int mirror_on_neigh(struct net_mirror *m, const struct nlmsghdr *h)
{
	struct rtmsg_neigh n;
	int ret = rtmsg_neigh(h, &n);

	if (ret != 0)
		return ret;
	if (!mirror_follows(&n.dst))
		return 1;
	for (uint8_t t = 0; t < m->c.n_twins; t++)
		if (m->twin[t].ifindex == n.ifindex)
			adj_neighbour(m, t, &n);
	return 0;
}

/* ---- messages ---- */

static int mirror_on_message(struct net_mirror *m, const struct nlmsghdr *h)
{
	if (of_dump(m, h)) {
		m->progress_ms = mirror_now_ms();
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			m->torn = true;
	}
	switch (h->nlmsg_type) {
	case NLMSG_DONE:
	case NLMSG_ERROR:
		return dump_answer(m, h);
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return mirror_on_link(m, h);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return mirror_on_addr(m, h);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return mirror_on_neigh(m, h);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return mirror_on_route(m, h);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP: /* routes that name it change with it, not all of them with a
			      * message */
		m->again = m->again || h->nlmsg_type == RTM_DELNEXTHOP ||
			   h->nlmsg_flags & NLM_F_REPLACE;
	}
	return 1;
}

unsigned int mirror_input(struct net_mirror *m, const uint8_t *data, size_t len)
{
	const struct nlmsghdr *h;
	unsigned int n = 0;
	bool bad = false;

	while ((h = rtmsg_next(&data, &len, &bad)) != NULL) {
		if (mirror_on_message(m, h) == -EBADMSG)
			m->count.malformed++;
		n++;
	}
	if (bad)
		m->count.malformed++;
	return n;
}

int net_mirror_process(struct net_mirror *m)
{
	unsigned int messages = 0;
	int ret = 0;

	for (int reads = 0; reads < TURN_READS && messages < TURN_MESSAGES && ret == 0; reads++) {
		ssize_t n = net_rtnl_recv(m->fd, m->buf, sizeof(m->buf), 0);

		if (n >= 0) {
			messages += mirror_input(m, m->buf, (size_t)n);
		} else if (n == -EAGAIN) {
			break;
		} else if (n == -ENOBUFS || n == -EPROTO) {
			m->count.overruns += n == -ENOBUFS;
			m->count.malformed += n == -EPROTO;
			m->again = m->torn = true;
		} else if (n != -EINTR) {
			ret = (int)n;
		}
	}
	mirror_tick(m, mirror_now_ms());
	if (routes_version(m->routes) != m->routes_seen)
		adj_hosts(m);
	m->count.routes = routes_count(m->routes);
	if (routes_refused(m->routes) != m->refused) {
		m->count.routes_full += routes_refused(m->routes) - m->refused;
		m->refused = routes_refused(m->routes);
		m->left_out = true;
	}
	return ret;
}

void net_mirror_resolve(struct net_mirror *m)
{
	uint64_t now = mirror_now_ms();

	mirror_tick(m, now);
	if (m->synced)
		adj_resolve(m, now);
}

/* ---- life ---- */

struct net_mirror *mirror_new(const struct net_mirror_conf *c)
{
	struct net_mirror *m;
	struct routes_conf rc = { .fib = c->fib,
		.usable = mirror_nh_usable,
		.refer = mirror_nh_refer,
		.hold = mirror_nh_hold,
		.secret = c->secret };

	if (c->n_twins > NET_TWINS) {
		errno = EINVAL;
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->c = *c;
	m->fd = -1;
	m->dump = DUMP_NONE;
	for (unsigned int t = 0; t < c->n_twins; t++) {
		m->twin[t].port = c->twins[t].port;
		m->twin[t].instance = c->twins[t].instance;
		m->twin[t].ifindex = c->twins[t].ifindex;
		m->twin[t].under =
			c->under_ifindex[t] != 0 ? c->under_ifindex[t] : c->twins[t].ifindex;
	}
	adj_init(m);
	rc.ctx = m;
	m->routes = routes_create(&rc);
	if (m->routes == NULL) {
		free(m);
		errno = ENOMEM;
		return NULL;
	}
	return m;
}

static int mirror_subscribe(struct net_mirror *m)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_NEXTHOP };

	m->fd = net_rtnl_open();
	if (m->fd < 0)
		return m->fd;
	for (unsigned int i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (setsockopt(m->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) < 0 &&
			groups[i] != RTNLGRP_NEXTHOP) /* since Linux 5.3 */
			return -errno;
	return 0;
}

static int mirror_first_dump(struct net_mirror *m)
{
	uint64_t due = mirror_now_ms() + CREATE_MS;
	int ret = 0;

	dump_start(m);
	while (ret == 0 && !m->synced) {
		struct pollfd p = { .fd = m->fd, .events = POLLIN };

		if (mirror_now_ms() >= due)
			return -ETIMEDOUT;
		poll(&p, 1, POLL_MS);
		ret = net_mirror_process(m);
	}
	return ret;
}

struct net_mirror *net_mirror_create(const struct net_mirror_conf *c)
{
	struct net_mirror *m = mirror_new(c);
	int ret;

	if (m == NULL)
		return NULL;
	m->k = net_kernel_open();
	ret = m->k == NULL ? -errno : mirror_subscribe(m);
	if (ret == 0)
		ret = mirror_first_dump(m);
	if (ret < 0) {
		net_mirror_destroy(m);
		errno = -ret;
		return NULL;
	}
	return m;
}

/* The fib is left without routes or adjacencies: another mirror may follow. */
static bool mirror_every(const void *ctx, uint32_t nh, uint32_t stamp)
{
	return true;
}

void net_mirror_destroy(struct net_mirror *m)
{
	if (m == NULL)
		return;
	routes_sweep(m->routes, mirror_every, m);
	routes_work(m->routes, UINT_MAX);
	adj_forget(m);
	routes_destroy(m->routes);
	net_kernel_close(m->k);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

int net_mirror_fd(const struct net_mirror *m)
{
	return m->fd;
}

bool net_mirror_link(const struct net_mirror *m, uint16_t port)
{
	for (unsigned int t = 0; t < m->c.n_twins; t++)
		if (m->twin[t].port == port)
			return m->twin[t].link;
	return false;
}

const struct net_mirror_counters *net_mirror_count(const struct net_mirror *m)
{
	return &m->count;
}
