/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/net without a kernel: what its messages may do to us. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/if.h>
#include <rte_byteorder.h>
#include <rte_eal.h>

#include "mirror.h"
#include "net/fib_lookup.h"
#include "ut.h"

enum { TW0 = 5, TW1 = 6, PORT0 = 1, PORT1 = 2 }; /* ifindex and port of two twins that are none */

static struct fib *fib;
static struct net_mirror *m;

/* ---- messages as the kernel makes them ---- */

static union net_request q;

static void put_route(
	uint16_t type, uint16_t flags, uint32_t prefix, uint8_t len, uint32_t metric, uint32_t gw)
{
	struct rtmsg *rt = net_request_init(&q, type, flags, sizeof(*rt));

	q.nlh.nlmsg_flags = flags;
	rt->rtm_family = AF_INET;
	rt->rtm_dst_len = len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(&q.nlh, RTA_TABLE, RT_TABLE_MAIN);
	mnl_attr_put_u32(&q.nlh, RTA_DST, rte_cpu_to_be_32(prefix));
	mnl_attr_put_u32(&q.nlh, RTA_PRIORITY, metric);
	if (gw != 0)
		mnl_attr_put_u32(&q.nlh, RTA_GATEWAY, rte_cpu_to_be_32(gw));
	mnl_attr_put_u32(&q.nlh, RTA_OIF, TW0);
}

static void put_multipath(uint32_t prefix, uint8_t len)
{
	struct rtmsg *rt = net_request_init(&q, RTM_NEWROUTE, 0, sizeof(*rt));
	struct nlattr *nest;

	rt->rtm_family = AF_INET;
	rt->rtm_dst_len = len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(&q.nlh, RTA_DST, rte_cpu_to_be_32(prefix));
	nest = mnl_attr_nest_start(&q.nlh, RTA_MULTIPATH);
	for (int i = 0; i < 2; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(&q.nlh);

		*nh = (struct rtnexthop){ .rtnh_ifindex = i == 0 ? TW1 : TW0,
			.rtnh_flags = i == 0 ? RTNH_F_LINKDOWN : 0 };
		q.nlh.nlmsg_len += sizeof(*nh);
		mnl_attr_put_u32(&q.nlh, RTA_GATEWAY, rte_cpu_to_be_32(0x0a000002 + (uint32_t)i));
		nh->rtnh_len =
			(uint16_t)((uint8_t *)mnl_nlmsg_get_payload_tail(&q.nlh) - (uint8_t *)nh);
	}
	mnl_attr_nest_end(&q.nlh, nest);
}

static void put_neigh(uint16_t type, uint32_t dst, uint16_t state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	struct ndmsg *nd = net_request_init(&q, type, 0, sizeof(*nd));

	nd->ndm_family = AF_INET;
	nd->ndm_ifindex = TW0;
	nd->ndm_state = state;
	mnl_attr_put_u32(&q.nlh, NDA_DST, rte_cpu_to_be_32(dst));
	mnl_attr_put(&q.nlh, NDA_LLADDR, sizeof(mac), mac);
}

static void put_link(uint16_t type, int ifindex, unsigned int flags)
{
	struct ifinfomsg *ifi = net_request_init(&q, type, 0, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	ifi->ifi_flags = flags;
	mnl_attr_put_strz(&q.nlh, IFLA_IFNAME, "tw0");
}

static void put_addr(uint16_t type, uint32_t v4)
{
	struct ifaddrmsg *ifa = net_request_init(&q, type, 0, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	mnl_attr_put_u32(&q.nlh, IFA_LOCAL, rte_cpu_to_be_32(v4));
}

static void feed(void)
{
	mirror_input(m, (const uint8_t *)&q, q.nlh.nlmsg_len);
	routes_work(m->routes, UINT_MAX);
}

static void twins_up(void)
{
	put_link(RTM_NEWLINK, TW0, IFF_UP | IFF_LOWER_UP);
	feed();
	put_link(RTM_NEWLINK, TW1, IFF_UP | IFF_LOWER_UP);
	feed();
}

static struct siphash_secret secret = { { 1 } };

static void start(void)
{
	static const struct net_twin twins[] = { { .port = PORT0, .ifindex = TW0 },
		{ .port = PORT1, .ifindex = TW1 } };
	struct net_mirror_conf c = { .fib = fib, .twins = twins, .n_twins = 2, .secret = secret };

	m = mirror_new(&c);
	CU_ASSERT_PTR_NOT_NULL(m);
	twins_up();
}

static void stop(void)
{
	unsigned int left = 0;

	net_mirror_destroy(m);
	m = NULL;
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++)
		left += atomic_load(&fib->adj[i].word) != 0;
	CU_ASSERT_EQUAL(left, 0);
	CU_ASSERT_EQUAL(fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009), FIB_NONE);
}

/* ---- tests ---- */

static void test_messages(void)
{
	uint32_t nh;

	start();
	put_route(RTM_NEWROUTE, 0, 0x0a000000, 24, 0, 0);
	feed();
	CU_ASSERT_EQUAL(fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009), FIB_GLEAN | PORT0);
	put_neigh(RTM_NEWNEIGH, 0x0a000009, NUD_REACHABLE);
	feed();
	nh = fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009);
	CU_ASSERT_TRUE(nh < FIB_ADJ_MAX);
	CU_ASSERT_EQUAL(
		atomic_load(&fib->adj[nh].word), UINT64_C(0x020000000009) << 16 | PORT0 << 8 | 3);
	put_multipath(0xc0000200, 24); /* its first hop has no carrier */
	feed();
	nh = fib_lookup4(fib, INSTANCE_MAIN, 0xc0000201);
	CU_ASSERT_TRUE(nh < FIB_ADJ_MAX);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&m->adj[nh].nh), 0x0a000003);
	CU_ASSERT_EQUAL(m->twin[m->adj[nh].twin].ifindex, TW0);
	put_neigh(RTM_NEWNEIGH, 0x0a000009, NUD_FAILED);
	feed();
	CU_ASSERT_EQUAL(fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009), FIB_GLEAN | PORT0);
	put_link(RTM_DELLINK, TW0, IFF_UP | IFF_LOWER_UP);
	feed();
	CU_ASSERT_EQUAL(fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009), FIB_NONE);
	CU_ASSERT_EQUAL(fib_lookup4(fib, INSTANCE_MAIN, 0xc0000201), FIB_NONE);
	CU_ASSERT_EQUAL(m->count.malformed, 0);
	stop();
}

/* Each message cut at each length, in memory that ends there: it is counted, and nothing behind it
 * is read. */
static void test_cut(void)
{
	start();
	for (int kind = 0; kind < 5; kind++) {
		if (kind == 0)
			put_route(RTM_NEWROUTE, 0, 0x0a000000, 24, 0, 0x0a000001);
		else if (kind == 1)
			put_multipath(0xc0000200, 24);
		else if (kind == 2)
			put_neigh(RTM_NEWNEIGH, 0x0a000009, NUD_REACHABLE);
		else if (kind == 3)
			put_link(RTM_NEWLINK, TW0, IFF_UP | IFF_LOWER_UP);
		else
			put_addr(RTM_NEWADDR, 0x0a000001);
		for (uint32_t len = 1; len < q.nlh.nlmsg_len; len++) {
			uint8_t *cut = malloc(len);
			uint64_t before = m->count.malformed;

			memcpy(cut, &q, len);
			mirror_input(m, cut, len); /* the header says more than there is */
			CU_ASSERT_EQUAL(m->count.malformed, before + 1);
			if (len >= sizeof(struct nlmsghdr)) {
				/* the message itself is short */
				((struct nlmsghdr *)cut)->nlmsg_len = len;
				mirror_input(m, cut, len);
			}
			free(cut);
		}
	}
	stop();
}

static void put_any(uint64_t *s)
{
	uint64_t r = ut_random(s) >> 8;
	uint32_t a = 0x0a000000 + (uint32_t)(ut_random(s) >> 60);

	switch (r % 8) {
	case 0:
	case 1:
		put_route(r & 8 ? RTM_NEWROUTE : RTM_DELROUTE, r & 16 ? NLM_F_REPLACE : 0, a,
			20 + (r >> 8) % 13, (r >> 16) % 3,
			r & 32 ? 0x0a000001 + (uint32_t)(r >> 24) % 8 : 0);
		break;
	case 2:
		put_multipath(a, 24 + (r >> 8) % 9);
		break;
	case 3:
	case 4:
		put_neigh(r & 8 ? RTM_NEWNEIGH : RTM_DELNEIGH, a, 1U << (r >> 8) % 8);
		break;
	case 5:
		put_link(r & 256 ? RTM_NEWLINK : RTM_DELLINK, r & 8 ? TW0 : TW1,
			r & 16 ? IFF_UP | IFF_LOWER_UP : IFF_UP);
		break;
	case 6:
		put_addr(r & 8 ? RTM_NEWADDR : RTM_DELADDR, a);
		break;
	default: /* the end of a dump, or an error */
		net_request_init(&q, r & 8 ? NLMSG_DONE : NLMSG_ERROR, 0,
			r & 16 ? sizeof(struct nlmsgerr) : 4);
		q.nlh.nlmsg_seq = m->seq;
	}
}

/* Random changes of sound messages. Nothing but survival is asked for, and that it can be torn down
 * clean. */
static void test_mangled(void)
{
	uint64_t s = ut_seed(7);

	for (int round = 0; round < 20; round++) {
		start();
		for (int i = 0; i < 2000; i++) {
			uint8_t *copy;
			uint32_t len;

			if (ut_random(&s) % 64 == 0)
				dump_start(m); /* its socket is none: answers come from below */
			if (ut_random(&s) % 16 == 0)
				twins_up();
			put_any(&s);
			len = q.nlh.nlmsg_len;
			copy = malloc(len);
			memcpy(copy, &q, len);
			for (uint64_t n = ut_random(&s) % 4; n > 0; n--)
				copy[ut_random(&s) % len] = (uint8_t)ut_random(&s);
			mirror_input(m, copy, len);
			adj_hosts(m);
			routes_work(m->routes, 2);
			free(copy);
		}
		CU_ASSERT_TRUE(m->count.malformed > 0);
		stop();
	}
}

/* More gateways than adjacencies, more routes than room: counted, bounded, and all given back. */
static void test_full(void)
{
	struct ip_addr gw = ip_addr_v4(0x0a000001);

	start();
	for (uint32_t i = 0; i < FIB_ADJ_MAX + 10; i++) {
		put_route(RTM_NEWROUTE, 0, 0x14000000 + (i << 8), 24, 0, 0x0a000001 + i);
		feed();
	}
	CU_ASSERT_EQUAL(m->count.adjacencies_full, 10);
	CU_ASSERT_TRUE(m->left_out);
	for (uint32_t i = 0; i < FIB_ADJ_MAX + 10; i++) {
		put_route(RTM_DELROUTE, 0, 0x14000000 + (i << 8), 24, 0, 0x0a000001 + i);
		feed();
	}
	CU_ASSERT_EQUAL(routes_count(m->routes), 0);
	CU_ASSERT_EQUAL(adj_find(m, INSTANCE_MAIN, 0, &gw), FIB_NONE);
	/* lengths 17..24, since rte_lpm searches each length one by one */
	for (uint32_t i = 0; i < FIB_ROUTES + 10; i++) {
		put_route(RTM_NEWROUTE, 0, 0x14000000 + (i >> 3 << 15), 17 + i % 8, 0, 0x0a000001);
		feed();
	}
	CU_ASSERT_EQUAL(m->count.routes_full, 10);
	CU_ASSERT_EQUAL(routes_count(m->routes), FIB_ROUTES);
	CU_ASSERT_EQUAL(routes_refused(m->routes), 0);
	stop();
	/* more /24 with longer prefixes than rte_lpm has groups for */
	start();
	for (uint32_t i = 0; i < FIB_TBL8 + 10; i++) {
		put_route(RTM_NEWROUTE, 0, 0x14000000 + (i << 8), 25, 0, 0x0a000001);
		feed();
	}
	CU_ASSERT_EQUAL(routes_refused(m->routes), 10);
	CU_ASSERT_EQUAL(
		fib_lookup4(fib, INSTANCE_MAIN, 0x14000000 + (FIB_TBL8 + 5) * 256U), FIB_NONE);
	stop();
}

/* Neighbours whose addresses a stranger chose for a secret that it had learnt: they meet in one
 * bucket, which has no more than it may, and others find room. For any other secret they are as
 * any others. */
static void test_adj_chosen(void)
{
	enum { CHOSEN = 64, CHAIN = 16 };
	const struct siphash_secret learnt = secret;
	uint32_t v4[CHOSEN], next = 0x0b000000;

	for (unsigned int n = 0; n < CHOSEN; next++) {
		struct ip_addr a = ip_addr_v4(next);

		v4[n] = next;
		n += siphash_addr(&learnt, &a) % FIB_ADJ_MAX == 77;
	}
	for (int other = 0; other < 2; other++) {
		secret.octet[1] = (uint8_t)other;
		start();
		for (unsigned int i = 0; i < CHOSEN; i++) {
			put_neigh(RTM_NEWNEIGH, v4[i], NUD_REACHABLE);
			feed();
		}
		CU_ASSERT_EQUAL(m->count.adjacencies_collided, other ? 0 : CHOSEN - CHAIN);
		CU_ASSERT_EQUAL(m->count.neighbours_added, other ? CHOSEN : CHAIN);
		CU_ASSERT_EQUAL(m->count.adjacencies_full, 0);
		put_neigh(RTM_NEWNEIGH, 0x0a000009, NUD_REACHABLE);
		feed();
		CU_ASSERT_EQUAL(m->count.neighbours_added, other ? CHOSEN + 1 : CHAIN + 1);
		for (unsigned int i = 0; i < CHOSEN; i++) {
			put_neigh(RTM_DELNEIGH, v4[i], NUD_FAILED);
			feed();
		}
		put_neigh(RTM_DELNEIGH, 0x0a000009, NUD_FAILED);
		feed();
		stop();
	}
	secret = learnt;
}

/* A freed adjacency is not the next one to be given out: a worker may still hold its number. */
static void test_reuse(void)
{
	struct ip_addr gw = ip_addr_v4(0x0a000001);
	uint32_t a, b;

	start();
	a = adj_get(m, INSTANCE_MAIN, 0, &gw);
	adj_put(m, a);
	CU_ASSERT_EQUAL(adj_find(m, INSTANCE_MAIN, 0, &gw), FIB_NONE);
	for (uint32_t i = 0; i < FIB_ADJ_MAX - 1; i++) {
		b = adj_get(m, INSTANCE_MAIN, 0, &gw);
		CU_ASSERT_NOT_EQUAL(b, a);
		adj_put(m, b);
	}
	stop();
}

/* One next hop, of either family, in two instances and on two twins: four adjacencies, and each is
 * found again by all that names it. */
static void test_adj_keys(void)
{
	static const char *const next_hops[] = { "10.0.0.1", "2001:db8::1" };

	start();
	for (unsigned int n = 0; n < RTE_DIM(next_hops); n++) {
		struct ip_addr nh;
		uint32_t i[4];

		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(next_hops[n], &nh), 0);
		for (unsigned int k = 0; k < 4; k++) {
			CU_ASSERT_EQUAL(adj_find(m, k & 1, k >> 1, &nh), FIB_NONE);
			i[k] = adj_get(m, k & 1, k >> 1, &nh);
			for (unsigned int o = 0; o < k; o++)
				CU_ASSERT_NOT_EQUAL(i[k], i[o]);
		}
		for (unsigned int k = 0; k < 4; k++) {
			CU_ASSERT_EQUAL(adj_find(m, k & 1, k >> 1, &nh), i[k]);
			CU_ASSERT_EQUAL(adj_get(m, k & 1, k >> 1, &nh), i[k]);
		}
		for (unsigned int k = 0; k < 4; k++) {
			adj_put(m, i[k]);
			CU_ASSERT_EQUAL(adj_find(m, k & 1, k >> 1, &nh), FIB_NONE);
			if (k < 3)
				CU_ASSERT_EQUAL(adj_find(m, 1, 1, &nh), i[3]);
		}
	}
	stop();
}

/* A twin of another instance has no part in the main table's routes, whatever names it. */
static void test_twin_of_other_instance(void)
{
	struct ip_addr near = ip_addr_v4(0x0a000009);
	uint32_t asked;

	start();
	m->twin[0].instance = 1;
	put_route(RTM_NEWROUTE, 0, 0x0a000000, 24, 0, 0);
	feed();
	put_route(RTM_NEWROUTE, 0, 0xc0000200, 24, 0, 0x0a000003);
	feed();
	CU_ASSERT_EQUAL(routes_count(m->routes), 0);
	put_neigh(RTM_NEWNEIGH, 0x0a000009, NUD_REACHABLE);
	feed();
	CU_ASSERT_EQUAL(adj_find(m, INSTANCE_MAIN, 0, &near), FIB_NONE);
	CU_ASSERT_NOT_EQUAL(adj_find(m, 1, 0, &near), FIB_NONE);
	/* a connected route of its own instance covers it; one of the main one would not */
	CU_ASSERT_EQUAL(routes_set(m->routes, INSTANCE_MAIN,
				&(struct ip_prefix){ ip_addr_v4(0x0a000000), 24 }, 0,
				FIB_GLEAN | PORT0, false, m->stamp),
		1);
	adj_hosts(m);
	CU_ASSERT_FALSE(m->adj[adj_find(m, 1, 0, &near)].host);
	CU_ASSERT_EQUAL(routes_set(m->routes, 1, &(struct ip_prefix){ ip_addr_v4(0x0a000000), 24 },
				0, FIB_GLEAN | PORT0, false, m->stamp),
		1);
	adj_hosts(m);
	CU_ASSERT_TRUE(m->adj[adj_find(m, 1, 0, &near)].host);
	asked = fib_lookup4(fib, INSTANCE_MAIN, 0x0a000009);
	CU_ASSERT_EQUAL(asked, FIB_GLEAN | PORT0);
	stop();
}

/* A watched prefix is that of one instance. */
static void test_watch_instance(void)
{
	struct ip_prefix to = { ip_addr_v4(0xc0000200), 24 };
	int here, there;

	start();
	here = net_mirror_watch(m, INSTANCE_MAIN, &to);
	there = net_mirror_watch(m, 1, &to);
	CU_ASSERT_EQUAL(net_mirror_watch(m, INSTANCES, &to), -EINVAL);
	put_route(RTM_NEWROUTE, 0, 0xc0000200, 24, 0, 0x0a000003);
	feed();
	CU_ASSERT_EQUAL(net_mirror_present(m, here), NET_PRESENT);
	CU_ASSERT_NOT_EQUAL(net_mirror_present(m, there), NET_PRESENT);
	stop();
}

/* ---- messages of both families ---- */

static const struct nlmsghdr *route_to(uint8_t family, const char *to, uint8_t len, const char *gw)
{
	struct rtmsg *rt = net_request_init(&q, RTM_NEWROUTE, 0, sizeof(*rt));
	struct ip_addr a;

	rt->rtm_family = family;
	rt->rtm_dst_len = len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(&q.nlh, RTA_OIF, TW0);
	CU_ASSERT_EQUAL_FATAL(ip_addr_parse(to, &a), 0);
	if (len > 0)
		mnl_attr_put(&q.nlh, RTA_DST, family == AF_INET ? 4 : 16,
			family == AF_INET ? a.b + IP_V4_AT : a.b);
	if (gw != NULL) {
		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(gw, &a), 0);
		net_request_put_addr(&q, RTA_GATEWAY, &a);
	}
	return &q.nlh;
}

static const struct {
	uint8_t family, len;
	const char *to, *gw;
	int want;
} family_routes[] = {
	{ AF_INET, 24, "192.0.2.0", "10.0.0.3", 0 },
	{ AF_INET, 0, "0.0.0.0", "10.0.0.3", 0 },
	{ AF_INET, 24, "192.0.2.0", NULL, 0 },
	{ AF_INET, 33, "192.0.2.0", "10.0.0.3", -EBADMSG },
	{ AF_INET, 24, "192.0.2.0", "2001:db8::3", -EBADMSG },
	{ AF_INET6, 48, "2001:db8:1::", "2001:db8::3", 0 },
	{ AF_INET6, 0, "::", "2001:db8::3", 0 },
	{ AF_INET6, 128, "2001:db8:1::7", NULL, 0 },
	{ AF_INET6, 129, "2001:db8:1::7", NULL, -EBADMSG },
	{ AF_INET6, 48, "2001:db8:1::", "10.0.0.3", -EBADMSG },
	{ AF_INET6, 96, "::ffff:0.0.0.0", "2001:db8::3", 1 },
	{ AF_UNSPEC, 0, "::", NULL, 1 },
};

static void test_families(void)
{
	for (unsigned int i = 0; i < RTE_DIM(family_routes); i++) {
		struct ip_prefix to = { .len = family_routes[i].len };
		struct rtmsg_route r;
		struct ip_addr gw = { { 0 } };
		int ret = rtmsg_route(route_to(family_routes[i].family, family_routes[i].to, to.len,
					      family_routes[i].gw),
			&r);

		CU_ASSERT_EQUAL(ret, family_routes[i].want);
		if (ret != 0)
			continue;
		ip_addr_parse(family_routes[i].to, &to.addr);
		CU_ASSERT_TRUE(ip_prefix_equal(&r.to, &to));
		CU_ASSERT_EQUAL(r.instance, INSTANCE_MAIN);
		CU_ASSERT_EQUAL_FATAL(r.n_hops, 1);
		if (family_routes[i].gw != NULL)
			ip_addr_parse(family_routes[i].gw, &gw);
		CU_ASSERT_TRUE(ip_addr_equal(&r.hop[0].gw, &gw));
	}
}

/* What the mirror does with IPv6: nothing, whatever the kernel says. */
static void test_ipv6_left_alone(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	struct ip_addr near;
	struct ndmsg *nd;

	start();
	route_to(AF_INET6, "2001:db8:1::", 48, "2001:db8::3");
	feed();
	CU_ASSERT_EQUAL(routes_count(m->routes), 0);
	CU_ASSERT_EQUAL(ip_addr_parse("2001:db8::3", &near), 0);
	nd = net_request_init(&q, RTM_NEWNEIGH, 0, sizeof(*nd));
	nd->ndm_family = AF_INET6;
	nd->ndm_ifindex = TW0;
	nd->ndm_state = NUD_REACHABLE;
	net_request_put_addr(&q, NDA_DST, &near);
	mnl_attr_put(&q.nlh, NDA_LLADDR, sizeof(mac), mac);
	feed();
	CU_ASSERT_EQUAL(m->count.neighbours_added, 0);
	CU_ASSERT_EQUAL(adj_find(m, INSTANCE_MAIN, 0, &near), FIB_NONE);
	CU_ASSERT_EQUAL(net_mirror_keep(m, PORT0, &near), FIB_NONE);
	CU_ASSERT_EQUAL(fib_lookup(fib, INSTANCE_MAIN, &near), FIB_NONE);
	CU_ASSERT_EQUAL(m->count.malformed, 0);
	stop();
}

/* ---- fib ---- */

static void test_fib_adj(void)
{
	struct mac_addr mac;
	uint16_t port = 0;

	CU_ASSERT_FALSE(fib_adj_get(fib, 4, &mac, &port));
	CU_ASSERT_EQUAL(atomic_load(&fib->adj[4].wanted), 1);
	atomic_store(&fib->adj[4].word, UINT64_C(0x0102030405060703));
	CU_ASSERT_TRUE(fib_adj_get(fib, 4, &mac, &port));
	CU_ASSERT_EQUAL(memcmp(mac.octet, "\1\2\3\4\5\6", 6), 0);
	CU_ASSERT_EQUAL(port, 7);
	atomic_store(&fib->adj[4].word, 0);
	atomic_store(&fib->adj[4].wanted, 0);
	fib_destroy(NULL);
	CU_ASSERT_PTR_NULL(
		fib_create("a name that is too long for an rte_lpm table", SOCKET_ID_ANY));
}

static int suite_up(void)
{
	fib = fib_create("fib", SOCKET_ID_ANY);
	return fib == NULL ? -1 : 0;
}

static int suite_down(void)
{
	fib_destroy(fib);
	return 0;
}

int main(int argc, char **argv)
{
	char prefix[48], run_dir[128];
	char *eal[] = { argv[0], "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		"128", prefix, "--log-level=3", "-l", "0", NULL }; /* an rte_lpm takes 64 MB */
	CU_TestInfo tests[] = {
		{ "fib_adj", test_fib_adj },
		{ "messages", test_messages },
		{ "cut", test_cut },
		{ "mangled", test_mangled },
		{ "full", test_full },
		{ "adj_chosen", test_adj_chosen },
		{ "reuse", test_reuse },
		{ "adj_keys", test_adj_keys },
		{ "twin_of_other_instance", test_twin_of_other_instance },
		{ "watch_instance", test_watch_instance },
		{ "families", test_families },
		{ "ipv6_left_alone", test_ipv6_left_alone },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "net", suite_up, suite_down, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	snprintf(prefix, sizeof(prefix), "--file-prefix=ut_netp_%d", getpid());
	if (rte_eal_init(RTE_DIM(eal) - 1, eal) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	snprintf(run_dir, sizeof(run_dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(run_dir); /* which EAL leaves behind */
	return ret;
}
