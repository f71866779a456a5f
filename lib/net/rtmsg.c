/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <sys/socket.h>

#include "rtmsg.h"

struct attrs {
	const uint8_t *p;
	size_t left;
	bool bad;
	uint8_t family; /* of the addresses in them */
};

struct attr {
	uint16_t type;
	const uint8_t *p;
	size_t len;
};

static bool rtmsg_attr_next(struct attrs *a, struct attr *to)
{
	struct nlattr nla;
	size_t step;

	if (a->left == 0)
		return false;
	if (a->left < sizeof(nla)) {
		a->bad = true;
		return false;
	}
	memcpy(&nla, a->p, sizeof(nla));
	if (nla.nla_len < sizeof(nla) || nla.nla_len > a->left) {
		a->bad = true;
		return false;
	}
	*to = (struct attr){ nla.nla_type & NLA_TYPE_MASK, a->p + sizeof(nla),
		nla.nla_len - sizeof(nla) };
	step = RTE_MIN((size_t)NLA_ALIGN(nla.nla_len), a->left);
	a->p += step;
	a->left -= step;
	return true;
}

static bool rtmsg_attr_u32(struct attrs *a, const struct attr *from, uint32_t *v)
{
	if (from->len != sizeof(*v)) {
		a->bad = true;
		return false;
	}
	memcpy(v, from->p, sizeof(*v));
	return true;
}

static bool rtmsg_family_known(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

/* An address of the message's family. */
static void rtmsg_attr_addr(struct attrs *a, const struct attr *from, struct ip_addr *v)
{
	if (from->len != (a->family == AF_INET ? 4 : 16) ||
		!ip_addr_from_bytes(v, from->p, from->len))
		a->bad = true;
}

/* Whether it can be told from the other family: an IPv4-mapped destination of the table of IPv6
 * would be taken for one of IPv4, which it is not. */
static bool rtmsg_of_family(uint8_t family, const struct ip_addr *a)
{
	return rtmsg_family_known(family) && ip_addr_is_v4(a) == (family == AF_INET);
}

/* The unspecified address of a family. */
static struct ip_addr rtmsg_any(uint8_t family)
{
	return family == AF_INET ? ip_addr_v4(0) : (struct ip_addr){ { 0 } };
}

/* The fixed part of a message into `body`, its attributes into `a`. The first byte of each of these
 * messages but that of links is the family of its addresses. */
static bool rtmsg_message_open(const struct nlmsghdr *h, void *body, size_t size, struct attrs *a)
{
	size_t fixed = NLMSG_HDRLEN + NLMSG_ALIGN(size);

	if (h->nlmsg_len < NLMSG_HDRLEN + size)
		return false;
	memcpy(body, (const uint8_t *)h + NLMSG_HDRLEN, size);
	fixed = RTE_MIN(fixed, (size_t)h->nlmsg_len);
	*a = (struct attrs){ (const uint8_t *)h + fixed, h->nlmsg_len - fixed, false,
		*(const uint8_t *)body };
	return true;
}

const struct nlmsghdr *rtmsg_next(const uint8_t **p, size_t *left, bool *bad)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)*p;
	size_t step;

	if (*left == 0)
		return NULL;
	if (*left < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > *left) {
		*bad = true;
		return NULL;
	}
	step = RTE_MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), *left);
	*p += step;
	*left -= step;
	return h;
}

/* One next hop's attributes: those of the route itself, or of a part of RTA_MULTIPATH. A gateway of
 * the other family (RTA_VIA) makes the hop unusable here: only IPv4 neighbours are mirrored. */
static bool rtmsg_hop_attr(struct attrs *a, const struct attr *at, struct rtmsg_hop *hop, bool *via)
{
	switch (at->type) {
	case RTA_OIF:
		rtmsg_attr_u32(a, at, &hop->ifindex);
		return true;
	case RTA_GATEWAY:
		rtmsg_attr_addr(a, at, &hop->gw);
		return true;
	case RTA_VIA:
		*via = true;
		return true;
	}
	return false;
}

static void rtmsg_hop_add(struct rtmsg_route *r, struct rtmsg_hop hop, unsigned int flags, bool via)
{
	if (via || hop.ifindex == 0 || r->n_hops == RTMSG_HOPS)
		return;
	hop.usable = (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == 0;
	r->hop[r->n_hops++] = hop;
}

static bool rtmsg_multipath(struct rtmsg_route *r, uint8_t family, const uint8_t *p, size_t left)
{
	while (left > 0) {
		struct rtnexthop nh;
		struct rtmsg_hop hop = { 0 };
		struct attr at;
		bool via = false;
		size_t step;

		if (left < sizeof(nh))
			return false;
		memcpy(&nh, p, sizeof(nh));
		if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > left)
			return false;
		struct attrs a = { p + sizeof(nh), nh.rtnh_len - sizeof(nh), false, family };

		hop.ifindex = (uint32_t)nh.rtnh_ifindex;
		while (rtmsg_attr_next(&a, &at))
			rtmsg_hop_attr(&a, &at, &hop, &via);
		if (a.bad)
			return false;
		rtmsg_hop_add(r, hop, nh.rtnh_flags, via);
		step = RTE_MIN((size_t)RTNH_ALIGN(nh.rtnh_len), left);
		p += step;
		left -= step;
	}
	return true;
}

int rtmsg_route(const struct nlmsghdr *h, struct rtmsg_route *r)
{
	struct rtmsg_hop hop = { 0 };
	struct rtmsg_route got = { 0 };
	struct rtmsg rt;
	struct attrs a;
	struct attr at, paths = { 0 };
	uint32_t table;
	bool via = false;

	if (!rtmsg_message_open(h, &rt, sizeof(rt), &a))
		return -EBADMSG;
	table = rt.rtm_table;
	got.to.addr = rtmsg_any(rt.rtm_family);
	while (rtmsg_attr_next(&a, &at)) {
		if (at.type == RTA_MULTIPATH)
			paths = at;
		else if (!rtmsg_family_known(rt.rtm_family) || rtmsg_hop_attr(&a, &at, &hop, &via))
			continue;
		else if (at.type == RTA_DST)
			rtmsg_attr_addr(&a, &at, &got.to.addr);
		else if (at.type == RTA_PRIORITY)
			rtmsg_attr_u32(&a, &at, &got.metric);
		else if (at.type == RTA_TABLE)
			rtmsg_attr_u32(&a, &at, &table);
	}
	if (a.bad)
		return -EBADMSG;
	/* A lookup by destination alone cannot tell types of service apart: routes that have one
	 * are left out. */
	if (!rtmsg_of_family(rt.rtm_family, &got.to.addr) || table != RT_TABLE_MAIN ||
		rt.rtm_tos != 0 || rt.rtm_flags & RTM_F_CLONED)
		return 1;
	if (rt.rtm_dst_len > ip_addr_bits(&got.to.addr))
		return -EBADMSG;
	got.instance = INSTANCE_MAIN;
	got.to = ip_prefix_around(&got.to.addr, rt.rtm_dst_len);
	got.replace = (h->nlmsg_flags & NLM_F_REPLACE) != 0;
	got.append = (h->nlmsg_flags & NLM_F_APPEND) != 0;
	if (rt.rtm_type == RTN_UNICAST) {
		rtmsg_hop_add(&got, hop, rt.rtm_flags, via);
		if (paths.p != NULL && !rtmsg_multipath(&got, rt.rtm_family, paths.p, paths.len))
			return -EBADMSG;
	}
	*r = got;
	return 0;
}

/* The kernel lists multicast and broadcast destinations too. */
static bool rtmsg_is_group(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? ip_addr_to_v4(a) >> 28 >= 14 : a->b[0] == 0xff;
}

int rtmsg_neigh(const struct nlmsghdr *h, struct rtmsg_neigh *n)
{
	enum {
		USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT |
			 NUD_NOARP
	};
	struct rtmsg_neigh got = { 0 };
	struct ndmsg nd;
	struct attrs a;
	struct attr at;
	bool has_mac = false, has_dst = false;

	if (!rtmsg_message_open(h, &nd, sizeof(nd), &a))
		return -EBADMSG;
	while (rtmsg_attr_next(&a, &at)) {
		if (!rtmsg_family_known(nd.ndm_family))
			continue;
		if (at.type == NDA_DST) {
			rtmsg_attr_addr(&a, &at, &got.dst);
			has_dst = true;
		} else if (at.type == NDA_LLADDR && at.len == sizeof(got.mac)) {
			memcpy(&got.mac, at.p, sizeof(got.mac));
			has_mac = true;
		}
	}
	if (a.bad)
		return -EBADMSG;
	if (!has_dst || !rtmsg_of_family(nd.ndm_family, &got.dst) || nd.ndm_flags & NTF_PROXY ||
		rtmsg_is_group(&got.dst))
		return 1;
	got.ifindex = (uint32_t)nd.ndm_ifindex;
	got.state = nd.ndm_state;
	got.gone = h->nlmsg_type == RTM_DELNEIGH;
	got.usable = h->nlmsg_type == RTM_NEWNEIGH && has_mac && (nd.ndm_state & USABLE) != 0 &&
		     mac_is_station(&got.mac);
	*n = got;
	return 0;
}

/* IPv4 names the own address IFA_LOCAL, and IPv6 IFA_ADDRESS, unless there is a peer. */
int rtmsg_addr(const struct nlmsghdr *h, struct ip_addr *own)
{
	struct ifaddrmsg ifa;
	struct attrs a;
	struct attr at;
	bool has = false, local = false;

	if (!rtmsg_message_open(h, &ifa, sizeof(ifa), &a))
		return -EBADMSG;
	while (rtmsg_attr_next(&a, &at)) {
		if (!rtmsg_family_known(ifa.ifa_family) ||
			(at.type != IFA_LOCAL &&
				(at.type != IFA_ADDRESS || ifa.ifa_family == AF_INET || local)))
			continue;
		rtmsg_attr_addr(&a, &at, own);
		has = true;
		local = local || at.type == IFA_LOCAL;
	}
	if (a.bad)
		return -EBADMSG;
	return has && rtmsg_of_family(ifa.ifa_family, own) ? 0 : 1;
}

int rtmsg_link(const struct nlmsghdr *h, struct rtmsg_link *l)
{
	struct ifinfomsg ifi;
	struct attrs a;

	if (!rtmsg_message_open(h, &ifi, sizeof(ifi), &a))
		return -EBADMSG;
	if (ifi.ifi_family != AF_UNSPEC) /* a bridge's or IPv6's view of it */
		return 1;
	*l = (struct rtmsg_link){
		.ifindex = (uint32_t)ifi.ifi_index,
		.up = h->nlmsg_type == RTM_NEWLINK && (ifi.ifi_flags & IFF_UP),
		.carrier = h->nlmsg_type == RTM_NEWLINK && (ifi.ifi_flags & IFF_UP) &&
			   (ifi.ifi_flags & IFF_LOWER_UP),
	};
	return 0;
}
