/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"

/* ---- the kernel's: addresses have a type of their own in its headers ---- */

static int sock_kernel_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return bind(fd, a, len);
}

static int sock_kernel_accept(int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	return accept4(fd, a, len, flags);
}

static int sock_kernel_connect(int fd, const struct sockaddr *a, socklen_t len)
{
	return connect(fd, a, len);
}

static ssize_t sock_kernel_send_to(
	int fd, const void *from, size_t n, int flags, const struct sockaddr *a, socklen_t len)
{
	return sendto(fd, from, n, flags, a, len);
}

static int sock_kernel_recv_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	return recvmmsg(fd, m, n, flags, NULL);
}

static int sock_kernel_signals(const sigset_t *set, int flags)
{
	return signalfd(-1, set, flags);
}

static int sock_kernel_epoll_wait(int ep, struct epoll_event *e, int n, long ns)
{
	struct timespec t = { 0, ns };

	return epoll_pwait2(ep, e, n, &t, NULL);
}

const struct sock_ops sock_kernel = { .socket = socket,
	.bind = sock_kernel_bind,
	.listen = listen,
	.accept = sock_kernel_accept,
	.connect = sock_kernel_connect,
	.set_option = setsockopt,
	.get_option = getsockopt,
	.send = send,
	.recv = recv,
	.send_to = sock_kernel_send_to,
	.send_many = sendmmsg,
	.recv_many = sock_kernel_recv_many,
	.signals = sock_kernel_signals,
	.read = read,
	.close = close,
	.epoll_create = epoll_create1,
	.epoll_ctl = epoll_ctl,
	.epoll_wait = sock_kernel_epoll_wait };

const struct sock_ops *sock_ops = &sock_kernel;

/* ---- addresses ---- */

socklen_t sock_address(struct sockaddr_storage *ss, const struct ip_addr *a, uint16_t port)
{
	memset(ss, 0, sizeof(*ss));
	if (ip_addr_is_v4(a)) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(ip_addr_to_v4(a));
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, sizeof(a->b));
	return sizeof(*in6);
}

void sock_from(const struct sockaddr_storage *ss, struct ip_addr *a, uint16_t *port)
{
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		*a = ip_addr_v4(ntohl(in->sin_addr.s_addr));
		*port = ntohs(in->sin_port);
		return;
	}
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	memcpy(a->b, &in6->sin6_addr, sizeof(a->b));
	*port = ntohs(in6->sin6_port);
}

int sock_bound(const struct ip_addr *a, uint16_t port, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_address(&ss, a, port);
	int fd = sock_ops->socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1,
	    ret;

	if (fd < 0)
		return -errno;
	sock_ops->set_option(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ss.ss_family == AF_INET)
		sock_ops->set_option(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	else
		sock_ops->set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one));
	if (sock_ops->bind(fd, (struct sockaddr *)&ss, len) < 0) {
		ret = -errno;
		sock_ops->close(fd);
		return ret;
	}
	return fd;
}

int sock_want_interface(int fd)
{
	int one = 1;

	return sock_ops->set_option(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) < 0 ? -errno : 0;
}

unsigned int sock_interface(const struct msghdr *m)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
		c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
			c->cmsg_len >= CMSG_LEN(sizeof(info))) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return (unsigned int)info.ipi_ifindex;
		}
	return 0;
}

void sock_set_interface(struct msghdr *m, unsigned int ifindex)
{
	struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (c == NULL)
		return;
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	m->msg_controllen = CMSG_SPACE(sizeof(info));
}
