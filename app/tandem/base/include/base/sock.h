/* SPDX-License-Identifier: BSD-3-Clause */
/* sock: the kernel's sockets as the rooms use them, and socket addresses from and to struct
 * ip_addr, either family. Any core; only epoll_wait() blocks. */
#ifndef TANDEM_SOCK_H
#define TANDEM_SOCK_H

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/addr.h"

/* Each member does what the system call of that name does, errno included. */
struct sock_ops {
	int (*socket)(int family, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *a, socklen_t len);
	int (*listen)(int fd, int backlog);
	int (*accept)(int fd, struct sockaddr *a, socklen_t *len, int flags); /* accept4() */
	int (*connect)(int fd, const struct sockaddr *a, socklen_t len);
	int (*set_option)(int fd, int level, int option, const void *value, socklen_t len);
	int (*get_option)(int fd, int level, int option, void *value, socklen_t *len);
	ssize_t (*send)(int fd, const void *from, size_t n, int flags);
	ssize_t (*recv)(int fd, void *to, size_t n, int flags);
	ssize_t (*send_to)(int fd, const void *from, size_t n, int flags, const struct sockaddr *a,
		socklen_t len);
	int (*send_many)(int fd, struct mmsghdr *m, unsigned int n, int flags); /* sendmmsg() */
	int (*recv_many)(int fd, struct mmsghdr *m, unsigned int n, int flags); /* recvmmsg() */
	int (*signals)(const sigset_t *set, int flags); /* a new signalfd() */
	ssize_t (*read)(int fd, void *to, size_t n);
	int (*close)(int fd);
	int (*epoll_create)(int flags);
	int (*epoll_ctl)(int ep, int op, int fd, struct epoll_event *e);
	int (*epoll_wait)(int ep, struct epoll_event *e, int n, long ns); /* for ns at most */
};

extern const struct sock_ops sock_kernel;

/* This is sock_kernel, unless the process chooses others before any room is made. */
extern const struct sock_ops *sock_ops;

/* Fills ss with an address and a port; returns its length. */
socklen_t sock_address(struct sockaddr_storage *ss, const struct ip_addr *a, uint16_t port);
/* Takes the address and the port out of ss. */
void sock_from(const struct sockaddr_storage *ss, struct ip_addr *a, uint16_t *port);
/* A non-blocking socket, bound to an address that need not be there yet (IP_FREEBIND). fd or
 * -errno. */
int sock_bound(const struct ip_addr *a, uint16_t port, int type);

/* Room for what the kernel says beside a datagram. */
struct sock_beside {
	_Alignas(struct cmsghdr) char b[64];
};
/* The kernel says of each datagram of this IPv4 socket by which interface it came in. 0 or
 * -errno. */
int sock_want_interface(int fd);
/* The number of that interface, of a datagram that was read with a struct sock_beside; 0: it was
 * not said. */
unsigned int sock_interface(const struct msghdr *m);
/* Writes what sock_interface() reads, as the kernel does: for sock_ops that are not the
 * kernel's. */
void sock_set_interface(struct msghdr *m, unsigned int ifindex);

#endif
