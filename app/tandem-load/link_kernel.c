/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel sockets: one UDP socket an endpoint, datagrams in batches both ways. Sending blocks while
 * a socket is full, which is short: what goes by a veth or a NIC is on its way. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gtp/gtpc.h"
#include "gtp/gtpu.h"
#include "link.h"

enum { BUFFER_BYTES = 8 << 20, BATCHES = 4, OUT_BYTES = 256 << 10 };

struct queue { /* datagrams of one endpoint that were not sent yet */
	unsigned int n;
	size_t used;
	struct mmsghdr msg[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	struct sockaddr_in to[LINK_BATCH];
	uint8_t *bytes; /* OUT_BYTES */
};

struct link_kernel {
	struct link link;
	int ep, fd[LINK_ENDPOINTS];
	struct queue *out[LINK_ENDPOINTS];
	struct mmsghdr msg[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	struct sockaddr_in from[LINK_BATCH];
	uint8_t (*in)[LINK_PAYLOAD];
};

static struct link_kernel *link_kernel_self(struct link *l)
{
	return (struct link_kernel *)l;
}

static void link_kernel_flush_one(struct link_kernel *k, unsigned int e)
{
	struct queue *q = k->out[e];
	unsigned int done = 0, tries = 0;

	while (done < q->n) {
		int n = sendmmsg(k->fd[e], q->msg + done, q->n - done, MSG_NOSIGNAL);

		if (n > 0) {
			done += (unsigned int)n;
			tries = 0;
		} else if (errno != EINTR &&
			   /* the first error may be of an ICMP message that came before */
			   ++tries > 1) {
			k->link.not_sent++;
			done++;
		}
	}
	q->n = 0;
	q->used = 0;
}

static void link_kernel_send(
	struct link *l, unsigned int e, uint32_t to4, uint16_t port, const uint8_t *p, size_t len)
{
	struct link_kernel *k = link_kernel_self(l);
	struct queue *q = k->out[e];

	if (q == NULL || len > LINK_PAYLOAD) {
		l->not_sent++;
		return;
	}
	if (q->n == LINK_BATCH || q->used + len > OUT_BYTES)
		link_kernel_flush_one(k, e);
	memcpy(q->bytes + q->used, p, len);
	q->iov[q->n] = (struct iovec){ q->bytes + q->used, len };
	q->to[q->n] = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(to4)
	};
	q->msg[q->n].msg_hdr = (struct msghdr){ .msg_name = &q->to[q->n],
		.msg_namelen = sizeof(q->to[0]),
		.msg_iov = &q->iov[q->n],
		.msg_iovlen = 1 };
	q->used += len;
	q->n++;
}

static void link_kernel_flush(struct link *l, usec_t now)
{
	struct link_kernel *k = link_kernel_self(l);

	(void)now;
	for (unsigned int e = 0; e < LINK_ENDPOINTS; e++)
		if (k->out[e] != NULL && k->out[e]->n > 0)
			link_kernel_flush_one(k, e);
}

static unsigned int link_kernel_receive(
	struct link_kernel *k, unsigned int e, link_handler handler, void *ctx)
{
	int n;

	for (unsigned int i = 0; i < LINK_BATCH; i++) {
		k->iov[i] = (struct iovec){ k->in[i], LINK_PAYLOAD };
		k->msg[i].msg_hdr = (struct msghdr){ .msg_name = &k->from[i],
			.msg_namelen = sizeof(k->from[0]),
			.msg_iov = &k->iov[i],
			.msg_iovlen = 1 };
	}
	n = recvmmsg(k->fd[e], k->msg, LINK_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct link_in in = { e, ntohl(k->from[i].sin_addr.s_addr),
			ntohs(k->from[i].sin_port), k->in[i], k->msg[i].msg_len };

		handler(ctx, &in);
	}
	return n > 0 ? (unsigned int)n : 0;
}

static unsigned int link_kernel_poll(struct link *l, link_handler handler, void *ctx, usec_t now)
{
	struct link_kernel *k = link_kernel_self(l);
	struct epoll_event e[LINK_ENDPOINTS];
	unsigned int total = 0;

	(void)now;
	for (unsigned int b = 0; b < BATCHES; b++) {
		int n = epoll_wait(k->ep, e, LINK_ENDPOINTS, 0);
		unsigned int got = 0;

		for (int i = 0; i < n; i++)
			got += link_kernel_receive(k, e[i].data.u32, handler, ctx);
		total += got;
		if (got == 0)
			break;
	}
	return total;
}

static void link_kernel_wait(struct link *l, usec_t us)
{
	struct timespec t = { (time_t)(us / USEC_PER_SEC), (long)(us % USEC_PER_SEC * 1000) };
	struct epoll_event e;

	(void)epoll_pwait2(link_kernel_self(l)->ep, &e, 1, &t, NULL);
}

static void link_kernel_close(struct link *l)
{
	struct link_kernel *k = link_kernel_self(l);

	for (unsigned int e = 0; e < LINK_ENDPOINTS; e++) {
		if (k->fd[e] >= 0)
			close(k->fd[e]);
		if (k->out[e] != NULL)
			free(k->out[e]->bytes);
		free(k->out[e]);
	}
	if (k->ep >= 0)
		close(k->ep);
	free(k->in);
	free(k);
}

static const struct link_ops kernel_ops = { link_kernel_poll, link_kernel_send, link_kernel_flush,
	link_kernel_wait, link_kernel_close };

static int link_kernel_fail(const char *what, const char *which)
{
	fprintf(stderr, "tandem-load: %s %s: %s\n", what, which, strerror(errno));
	return -1;
}

static int link_kernel_open_endpoint(
	struct link_kernel *k, unsigned int e, uint32_t addr4, uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr4)
	};
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = e };
	int size = BUFFER_BYTES;
	char text[64];

	k->out[e] = calloc(1, sizeof(*k->out[e]));
	if (k->out[e] == NULL || (k->out[e]->bytes = malloc(OUT_BYTES)) == NULL)
		return link_kernel_fail("no memory for", "a socket");
	k->fd[e] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (k->fd[e] < 0)
		return link_kernel_fail("cannot make", "a socket");
	/* With the right to (CAP_NET_ADMIN) beyond the system's limit. */
	if (setsockopt(k->fd[e], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(k->fd[e], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(k->fd[e], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(k->fd[e], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(k->fd[e], (struct sockaddr *)&a, sizeof(a)) < 0) {
		snprintf(text, sizeof(text), "%s port %u (must be on an interface here, and free)",
			inet_ntoa(a.sin_addr), port);
		return link_kernel_fail("cannot use", text);
	}
	return epoll_ctl(k->ep, EPOLL_CTL_ADD, k->fd[e], &event) < 0
		       ? link_kernel_fail("cannot watch", "a socket")
		       : 0;
}

static int link_kernel_enter(const char *netns)
{
	char path[512];
	int fd, ret;

	if (netns == NULL)
		return 0;
	snprintf(path, sizeof(path), "%s%s", netns[0] == '/' ? "" : "/run/netns/", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return link_kernel_fail("network namespace", path);
	ret = setns(fd, CLONE_NEWNET) < 0
		      ? link_kernel_fail("cannot enter network namespace", netns)
		      : 0;
	close(fd);
	return ret;
}

static int link_kernel_open_all(struct link_kernel *k, const struct options *o, int home)
{
	if (link_kernel_enter(o->access_netns) < 0)
		return -1;
	for (unsigned int i = 0; i < o->n_local; i++)
		if (link_kernel_open_endpoint(k, link_ctl(i), o->local4[i], GTPC_PORT) < 0 ||
			link_kernel_open_endpoint(k, link_usr(i), o->local4[i], GTPU_PORT) < 0)
			return -1;
	if (o->core4 == 0)
		return 0;
	if (o->access_netns != NULL && setns(home, CLONE_NEWNET) < 0)
		return link_kernel_fail("cannot go back to", "the first network namespace");
	if (link_kernel_enter(o->core_netns) < 0)
		return -1;
	return link_kernel_open_endpoint(k, LINK_CORE, o->core4, (uint16_t)o->core_port);
}

struct link *link_kernel_open(const struct options *o)
{
	struct link_kernel *k = calloc(1, sizeof(*k));
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), ret;

	if (k == NULL)
		return NULL;
	k->link.ops = &kernel_ops;
	for (unsigned int e = 0; e < LINK_ENDPOINTS; e++)
		k->fd[e] = -1;
	k->ep = epoll_create1(EPOLL_CLOEXEC);
	k->in = calloc(LINK_BATCH, sizeof(*k->in));
	ret = k->in != NULL && k->ep >= 0 ? link_kernel_open_all(k, o, home) : -1;
	if (home >= 0)
		close(home);
	if (ret == 0)
		return &k->link;
	link_kernel_close(&k->link);
	return NULL;
}
