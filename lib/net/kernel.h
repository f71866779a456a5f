/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel: one rtnetlink request socket; what kernel.c, twin.c and the mirror share. Control core
 * only. */
#ifndef TANDEM_NET_KERNEL_H
#define TANDEM_NET_KERNEL_H

#include <sys/types.h>

#include <linux/netlink.h>

#include "net/net.h"

/* Room for any request that is made here. */
union net_request {
	struct nlmsghdr nlh;
	char bytes[512];
};

/* Starts a request: header with type and flags (NLM_F_REQUEST is added), and `size` zeroed bytes
 * behind it. */
void *net_request_init(union net_request *r, uint16_t type, uint16_t flags, size_t size);
/* AF_INET or AF_INET6. */
uint8_t net_request_family(const struct ip_addr *a);
/* An attribute that is an address. */
void net_request_put_addr(union net_request *r, uint16_t type, const struct ip_addr *a);
/* Sends it with NLM_F_ACK and waits for the kernel's answer, at most 1 s. 0 / -errno as the kernel
 * said; -ETIMEDOUT. */
int net_request_ask(struct net_kernel *k, union net_request *r);
/* The file descriptor of a new rtnetlink socket with a big receive buffer, or -errno. */
int net_rtnl_open(void);
/* A message from the kernel, or -errno (-EPROTO: too long, or not the kernel's). */
ssize_t net_rtnl_recv(int fd, void *buf, size_t size, int flags);

#endif
