/* SPDX-License-Identifier: BSD-3-Clause */
/* rtmsg: rtnetlink messages to plain values, IPv4 only. Pure; trusts no length in them. Each
 * returns 0: here it is; 1: well formed and of no interest; -EBADMSG. */
#ifndef TANDEM_NET_RTMSG_H
#define TANDEM_NET_RTMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <rte_ether.h>

enum { RTMSG_HOPS = 16 }; /* of a multipath route; more are ignored */

struct rtmsg_hop {
	uint32_t ifindex;
	uint32_t gw; /* host order; 0: connected */
	bool usable; /* the kernel does not mark it as dead or without carrier */
};

struct rtmsg_route {
	uint32_t prefix; /* host order */
	uint8_t len;
	uint32_t metric;
	bool replace, append;
	unsigned int n_hops; /* 0: not unicast (blackhole, ...) or no IPv4 next hop */
	struct rtmsg_hop hop[RTMSG_HOPS];
};

struct rtmsg_neigh {
	uint32_t ifindex;
	uint32_t dst; /* host order */
	uint16_t state;
	bool gone;   /* RTM_DELNEIGH */
	bool usable; /* has an address to send to now */
	struct rte_ether_addr mac;
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
/* v4: host order. */
int rtmsg_addr(const struct nlmsghdr *h, uint32_t *v4);
int rtmsg_link(const struct nlmsghdr *h, struct rtmsg_link *l);

#endif
