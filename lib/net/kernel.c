/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "kernel.h"

/* IFA_PROTO by number: headers older than Linux 5.18 lack it. Older kernels ignore it: there
 * net_cleanup finds VIPs by the list that it is given. */
enum { ATTR_IFA_PROTO = 11, POOL_ROUTES = 256, CLEANUP_BATCH = 64, CLEANUP_ROUNDS = 64 };
enum { ANSWER_MS = 1000, RECV_BYTES = 32768, RCVBUF_BYTES = 1 << 20 };

struct pool_route {
	struct ip_prefix to;
	uint32_t metric;
};

struct net_kernel {
	int fd;
	uint32_t seq;
	unsigned int n_routes;
	struct pool_route route[POOL_ROUTES]; /* set by us: which metric to delete at a change */
	char buf[RECV_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int net_rtnl_open(void)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int one = 1, bytes = RCVBUF_BYTES, err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	/* Each of these is an improvement that an old kernel or a plain user may be refused. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return fd;
}

ssize_t net_rtnl_recv(int fd, void *buf, size_t size, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n = recvmsg(fd, &msg, flags | MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC || msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return -EPROTO;
	return n;
}

struct net_kernel *net_kernel_open(void)
{
	struct net_kernel *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->fd = net_rtnl_open();
	if (k->fd < 0) {
		errno = -k->fd;
		free(k);
		return NULL;
	}
	return k;
}

void net_kernel_close(struct net_kernel *k)
{
	if (k == NULL)
		return;
	close(k->fd);
	free(k);
}

void *net_request_init(union net_request *r, uint16_t type, uint16_t flags, size_t size)
{
	memset(r, 0, sizeof(*r));
	mnl_nlmsg_put_header(r);
	r->nlh.nlmsg_type = type;
	r->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(&r->nlh, size);
}

static int64_t kernel_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int kernel_request_send(struct net_kernel *k, union net_request *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	r->nlh.nlmsg_seq = ++k->seq;
	for (;;) {
		if (sendto(k->fd, r, r->nlh.nlmsg_len, 0, (struct sockaddr *)&kernel,
			    sizeof(kernel)) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/* Runs through one datagram. 1: more is to come; 0: the request is done; -errno: what the kernel
 * said. */
static int kernel_answer_walk(struct net_kernel *k, ssize_t len, mnl_cb_t each, void *ctx)
{
	struct nlmsghdr *h = (struct nlmsghdr *)k->buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != k->seq) /* the late answer to an earlier one */
			continue;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			return mnl_nlmsg_get_payload_len(h) < sizeof(*e) ? -EBADMSG : e->error;
		}
		if (h->nlmsg_type == NLMSG_DONE)
			return h->nlmsg_flags & NLM_F_DUMP_INTR ? -EAGAIN : 0;
		if (each != NULL)
			each(h, ctx);
	}
	return 1;
}

/* The TAP driver raises a signal per packet in this very thread: an interrupted wait is the rule,
 * not an error. */
static int kernel_answer_wait(struct net_kernel *k, mnl_cb_t each, void *ctx)
{
	int64_t due = kernel_now_ms() + ANSWER_MS, left;
	int ret = 1;

	while (ret == 1) {
		ssize_t n = net_rtnl_recv(k->fd, k->buf, sizeof(k->buf), 0);

		if (n >= 0) {
			ret = kernel_answer_walk(k, n, each, ctx);
			due = kernel_now_ms() + ANSWER_MS;
		} else if (n == -EAGAIN) {
			struct pollfd p = { .fd = k->fd, .events = POLLIN };

			left = due - kernel_now_ms();
			if (left <= 0)
				return -ETIMEDOUT;
			poll(&p, 1, (int)left);
		} else if (n != -EINTR) {
			return (int)n;
		}
	}
	return ret;
}

int net_request_ask(struct net_kernel *k, union net_request *r)
{
	int ret;

	r->nlh.nlmsg_flags |= NLM_F_ACK;
	ret = kernel_request_send(k, r);
	return ret < 0 ? ret : kernel_answer_wait(k, NULL, NULL);
}

uint8_t net_request_family(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? AF_INET : AF_INET6;
}

void net_request_put_addr(union net_request *r, uint16_t type, const struct ip_addr *a)
{
	mnl_attr_put(&r->nlh, type, ip_addr_size(a), ip_addr_bytes(a));
}

static void kernel_addr_request(union net_request *r, uint16_t type, uint16_t flags,
	unsigned int ifindex, const struct ip_prefix *own)
{
	struct ifaddrmsg *ifa = net_request_init(r, type, flags, sizeof(*ifa));

	ifa->ifa_family = net_request_family(&own->addr);
	ifa->ifa_prefixlen = own->len;
	ifa->ifa_index = ifindex;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	net_request_put_addr(r, IFA_LOCAL, &own->addr);
	net_request_put_addr(r, IFA_ADDRESS, &own->addr);
}

static int kernel_vip_route(
	struct net_kernel *k, uint16_t type, uint16_t flags, const struct ip_addr *vip)
{
	union net_request r;
	struct rtmsg *rt = net_request_init(&r, type, flags, sizeof(*rt));

	rt->rtm_family = net_request_family(vip);
	rt->rtm_dst_len = ip_addr_bits(vip);
	rt->rtm_table = RT_TABLE_LOCAL;
	rt->rtm_protocol = NET_PROTO;
	rt->rtm_type = RTN_LOCAL;
	rt->rtm_scope = RT_SCOPE_HOST;
	net_request_put_addr(&r, RTA_DST, vip);
	mnl_attr_put_u32(&r.nlh, RTA_OIF, if_nametoindex("lo"));
	return net_request_ask(k, &r);
}

static int kernel_vip_address(struct net_kernel *k, const struct ip_addr *vip, unsigned int ifindex)
{
	struct ip_prefix own = { *vip, ip_addr_bits(vip) };
	union net_request r;

	kernel_addr_request(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, &own);
	/* usable at once: the pair itself sees to it that only one side has it */
	if (!ip_addr_is_v4(vip))
		mnl_attr_put_u32(&r.nlh, IFA_FLAGS, IFA_F_NODAD);
	mnl_attr_put_u8(&r.nlh, ATTR_IFA_PROTO, NET_PROTO);
	return net_request_ask(k, &r);
}

int net_vip_add(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	int ret = where == NET_VIP_ROUTED
			  ? kernel_vip_route(k, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, vip)
			  : kernel_vip_address(k, vip, where);

	return ret == -EEXIST ? 0 : ret;
}

int net_vip_del(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	struct ip_prefix own = { *vip, ip_addr_bits(vip) };
	union net_request r;
	int ret;

	if (where == NET_VIP_ROUTED) {
		ret = kernel_vip_route(k, RTM_DELROUTE, 0, vip);
		return ret == -ESRCH ? 0 : ret;
	}
	kernel_addr_request(&r, RTM_DELADDR, 0, where, &own);
	ret = net_request_ask(k, &r);
	return ret == -EADDRNOTAVAIL || ret == -ENODEV ? 0 : ret;
}

int net_addr_add(struct net_kernel *k, unsigned int ifindex, const struct ip_prefix *own)
{
	union net_request r;
	int ret;

	kernel_addr_request(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, own);
	if (!ip_addr_is_v4(&own->addr))
		mnl_attr_put_u32(&r.nlh, IFA_FLAGS, IFA_F_NODAD);
	ret = net_request_ask(k, &r);
	return ret == -EEXIST ? 0 : ret;
}

int net_link_up(struct net_kernel *k, unsigned int ifindex)
{
	union net_request r;
	struct ifinfomsg *ifi = net_request_init(&r, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return net_request_ask(k, &r);
}

int net_link_carrier(struct net_kernel *k, unsigned int ifindex, bool on)
{
	union net_request r;
	struct ifinfomsg *ifi = net_request_init(&r, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u8(&r.nlh, IFLA_CARRIER, on);
	return net_request_ask(k, &r);
}

/* ---- pool routes ---- */

static int kernel_route_request(struct net_kernel *k, uint16_t type, uint16_t flags,
	const struct pool_route *p, bool any_metric)
{
	union net_request r;
	struct rtmsg *rt = net_request_init(&r, type, flags, sizeof(*rt));

	rt->rtm_family = net_request_family(&p->to.addr);
	rt->rtm_dst_len = p->to.len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = NET_PROTO;
	rt->rtm_type = RTN_BLACKHOLE;
	rt->rtm_scope = RT_SCOPE_UNIVERSE;
	net_request_put_addr(&r, RTA_DST, &p->to.addr);
	if (!any_metric)
		mnl_attr_put_u32(&r.nlh, RTA_PRIORITY, p->metric);
	return net_request_ask(k, &r);
}

static struct pool_route *kernel_route_find(struct net_kernel *k, const struct ip_prefix *to)
{
	for (unsigned int i = 0; i < k->n_routes; i++)
		if (ip_prefix_equal(&k->route[i].to, to))
			return &k->route[i];
	return NULL;
}

int net_pool_route_set(struct net_kernel *k, const struct ip_prefix *to, uint32_t metric)
{
	struct pool_route new = { *to, metric }, *old = kernel_route_find(k, to);
	int ret;

	if (to->len > ip_addr_bits(&to->addr))
		return -EINVAL;
	if (old == NULL && k->n_routes == POOL_ROUTES)
		return -ENOSPC;
	ret = kernel_route_request(k, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &new, false);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	if (old == NULL) {
		k->route[k->n_routes++] = new;
		return 0;
	}
	if (old->metric != metric) {
		ret = kernel_route_request(k, RTM_DELROUTE, 0, old, false);
		if (ret < 0 && ret != -ESRCH)
			/* the list still names the old one: the next call tries again */
			return ret;
		*old = new;
	}
	return 0;
}

/* Without a metric the kernel deletes the first that matches: repeated until there is none. */
int net_pool_route_del(struct net_kernel *k, const struct ip_prefix *to)
{
	struct pool_route any = { *to, 0 }, *known = kernel_route_find(k, to);
	int ret = 0;

	for (int round = 0; ret == 0 && round < CLEANUP_ROUNDS; round++)
		ret = kernel_route_request(k, RTM_DELROUTE, 0, &any, true);
	if (ret < 0 && ret != -ESRCH)
		return ret;
	if (known != NULL)
		*known = k->route[--k->n_routes];
	return 0;
}

/* ---- what an earlier process left ---- */

struct leftovers {
	unsigned int n;
	union net_request del[CLEANUP_BATCH]; /* requests that remove what was found */
};

static uint8_t kernel_addr_proto(const struct nlmsghdr *h)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h,
		sizeof(struct ifaddrmsg)) if (mnl_attr_get_type(a) ==
					      ATTR_IFA_PROTO) return mnl_attr_get_payload_len(a) ==
			1
		? mnl_attr_get_u8(a)
		: 0;
	return 0;
}

/* The kernel's own description of the object, sent back with the type that deletes it. */
static void kernel_leftover_take(struct leftovers *l, const struct nlmsghdr *h, uint16_t del)
{
	union net_request *r = &l->del[l->n];

	if (l->n == CLEANUP_BATCH || h->nlmsg_len > sizeof(*r))
		return; /* the next round finds it */
	memcpy(r, h, h->nlmsg_len);
	r->nlh.nlmsg_type = del;
	r->nlh.nlmsg_flags = NLM_F_REQUEST;
	r->nlh.nlmsg_pid = 0;
	l->n++;
}

static int kernel_leftover_addr(const struct nlmsghdr *h, void *ctx)
{
	if (h->nlmsg_type == RTM_NEWADDR &&
		mnl_nlmsg_get_payload_len(h) >= sizeof(struct ifaddrmsg) &&
		kernel_addr_proto(h) == NET_PROTO)
		kernel_leftover_take(ctx, h, RTM_DELADDR);
	return MNL_CB_OK;
}

static int kernel_leftover_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(h) >= sizeof(*rt) &&
		rt->rtm_protocol == NET_PROTO && !(rt->rtm_flags & RTM_F_CLONED))
		kernel_leftover_take(ctx, h, RTM_DELROUTE);
	return MNL_CB_OK;
}

static int kernel_leftovers_find(
	struct net_kernel *k, struct leftovers *l, uint16_t type, uint8_t af)
{
	union net_request r;
	size_t size = type == RTM_GETADDR ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg);
	uint8_t *body = net_request_init(&r, type, NLM_F_DUMP, size);
	int ret;

	l->n = 0;
	body[0] = af; /* of either message the family is the first byte */
	ret = kernel_request_send(k, &r);
	return ret < 0 ? ret
		       : kernel_answer_wait(k,
				 type == RTM_GETADDR ? kernel_leftover_addr : kernel_leftover_route,
				 l);
}

/* Until a dump shows none; a dump that changes under our hands (-EAGAIN) is only another round. */
static int kernel_leftovers_remove(
	struct net_kernel *k, struct leftovers *l, uint16_t type, uint8_t af)
{
	int removed = 0;

	for (int round = 0; round < CLEANUP_ROUNDS; round++) {
		int ret = kernel_leftovers_find(k, l, type, af);

		if (ret < 0 && ret != -EAGAIN)
			return ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT ? removed : ret;
		if (ret == 0 && l->n == 0)
			return removed;
		for (unsigned int i = 0; i < l->n; i++) {
			ret = net_request_ask(k, &l->del[i]);
			if (ret == 0)
				removed++;
			else if (ret != -ESRCH && ret != -EADDRNOTAVAIL)
				return ret;
		}
	}
	return -EBUSY;
}

int net_cleanup(struct net_kernel *k, const struct ip_addr *vips, unsigned int n)
{
	static const struct {
		uint16_t type;
		uint8_t af;
	} what[] = { { RTM_GETADDR, AF_INET }, { RTM_GETADDR, AF_INET6 }, { RTM_GETROUTE, AF_INET },
		{ RTM_GETROUTE, AF_INET6 } };
	struct leftovers *l = malloc(sizeof(*l));
	int removed = 0, ret = 0;
	union net_request r;

	if (l == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; ret >= 0 && i < sizeof(what) / sizeof(what[0]); i++) {
		ret = kernel_leftovers_remove(k, l, what[i].type, what[i].af);
		removed += ret > 0 ? ret : 0;
	}
	free(l);
	for (unsigned int i = 0; ret >= 0 && i < n; i++) {
		struct ip_prefix own = { vips[i], ip_addr_bits(&vips[i]) };

		kernel_addr_request(&r, RTM_DELADDR, 0, if_nametoindex("lo"), &own);
		ret = net_request_ask(k, &r);
		removed += ret == 0;
		ret = ret == -EADDRNOTAVAIL ? 0 : ret;
	}
	k->n_routes = 0;
	return ret < 0 ? ret : removed;
}
