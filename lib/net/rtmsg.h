/* SPDX-License-Identifier: BSD-3-Clause */
/* rtmsg: rtnetlink messages to plain values, of either family. Pure; trusts no length in them. Each
 * returns 0: here it is; 1: well formed and of no interest; -EBADMSG. */
#ifndef TANDEM_NET_RTMSG_H
#define TANDEM_NET_RTMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "common/addr.h"
#include "common/mac.h"

enum { RTMSG_HOPS = 16 }; /* of a multipath route; more are ignored */

struct rtmsg_hop {
	uint32_t ifindex;
	struct ip_addr gw; /* nobody: connected */
	bool usable;       /* the kernel does not mark it as dead or without carrier */
};

struct rtmsg_route {
	uint16_t instance; /* of the kernel's table: only the main one is read */
	struct ip_prefix to;
	uint32_t metric;
	bool replace, append;
	/* 0: not unicast (blackhole, ...) or no next hop of the family */
	unsigned int n_hops;
	struct rtmsg_hop hop[RTMSG_HOPS];
};

struct rtmsg_neigh {
	uint32_t ifindex;
	struct ip_addr dst;
	uint16_t state;
	bool gone;   /* RTM_DELNEIGH */
	bool usable; /* has an address to send to now */
	struct mac_addr mac;
};

struct rtmsg_link {
	uint32_t ifindex;
	bool up;      /* administratively */
	bool carrier; /* up, and the layer below too */
};

/* The next whole message of a datagram, or NULL: at its end, or (bad) where it is cut. */
const struct nlmsghdr *rtmsg_next(const uint8_t **p, size_t *left, bool *bad);

int rtmsg_route(const struct nlmsghdr *h, struct rtmsg_route *r);
int rtmsg_neigh(const struct nlmsghdr *h, struct rtmsg_neigh *n);
int rtmsg_addr(const struct nlmsghdr *h, struct ip_addr *own);
int rtmsg_link(const struct nlmsghdr *h, struct rtmsg_link *l);

#endif
