/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/net against the real kernel: root, in a network namespace of its own (77: not permitted here). Its peer lives in a
 * second one, held by a child:
 *
 *      this namespace                                   the peer's
 *      twin tw0 10.9.0.1/24 = port 0 = g0 ---- veth ---- p0 10.9.0.2/24, 10.9.0.3/24
 *      twin tw1 10.8.0.1/24 = port 1 = g1 ---- veth ---- p1 10.8.0.2/24
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/rtnetlink.h>
#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "net.h"
#include "ut.h"

enum { WAIT_MS = 5000, PORTS = 2, BURST = 32 };

static pid_t peer;
static struct rte_mempool *pool;
static uint16_t ports[PORTS];
static struct net_twin twins[PORTS];
static struct net_kernel *kernel;
static struct fib *fib;
static struct net_mirror *mirror;
static unsigned int edges[RTE_MAX_ETHPORTS];

static bool sh(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd) == 0;
}

static bool on_peer(const char *what)
{
	return sh("nsenter -t %d -n %s", peer, what);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What a worker and the control core do: frames both ways, netlink, resolving. */
static void turn(void)
{
	struct rte_mbuf *m[BURST];
	struct pollfd p = { .fd = mirror != NULL ? net_mirror_fd(mirror) : -1, .events = POLLIN };

	for (unsigned int i = 0; i < PORTS; i++) {
		uint16_t n = rte_eth_rx_burst(ports[i], 0, m, BURST), sent;

		net_twin_to(&twins[i], m, n);
		n = net_twin_from(&twins[i], m, BURST);
		sent = rte_eth_tx_burst(ports[i], 0, m, n);
		rte_pktmbuf_free_bulk(m + sent, n - sent);
	}
	poll(&p, 1, 1);
	if (mirror == NULL)
		return;
	CU_ASSERT_EQUAL(net_mirror_process(mirror), 0);
	net_mirror_resolve(mirror);
}

/* Until the condition holds; what it says at the end. */
#define WAIT(cond)                                                                                           \
	__extension__({                                                                                      \
		int64_t due_ = now_ms() + WAIT_MS;                                                           \
		while (!(cond) && now_ms() < due_)                                                           \
			turn();                                                                              \
		(cond);                                                                                      \
	})

static uint32_t ip(const char *text)
{
	struct ip_addr a = { { 0 } };

	CU_ASSERT_EQUAL(ip_addr_parse(text, &a), 0);
	return ip_addr_to_v4(&a);
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = { { 0 } };

	CU_ASSERT_EQUAL(ip_addr_parse(text, &a), 0);
	return a;
}

static bool glean(const char *dst, unsigned int t)
{
	return fib_lookup(fib, ip(dst)) == (FIB_GLEAN | (uint32_t)twins[t].port);
}

static bool none(const char *dst)
{
	return fib_lookup(fib, ip(dst)) == FIB_NONE;
}

/* dst goes by way of gw over twin t. */
static bool via(const char *dst, const char *gw, unsigned int t)
{
	uint32_t i = fib_lookup(fib, ip(dst));

	return i < FIB_ADJ_MAX && fib->adj[i].nh4 == ip(gw) && fib->adj[i].ifindex == twins[t].ifindex;
}

static bool resolved(const char *dst, unsigned int t)
{
	struct rte_ether_addr mac;
	uint32_t i = fib_lookup(fib, ip(dst));
	uint16_t port;

	return i < FIB_ADJ_MAX && fib_adj_get(fib, (uint16_t)i, &mac, &port) && port == twins[t].port;
}

static const struct net_mirror_counters *count(void)
{
	return net_mirror_count(mirror);
}

static void on_edge(void *ctx, uint16_t port, bool up)
{
	edges[port]++;
	CU_ASSERT_PTR_EQUAL(ctx, &edges);
	if (mirror != NULL) /* else it is being created */
		CU_ASSERT_EQUAL(net_mirror_link(mirror, port), up);
}

/* ---- kernel.c ---- */

static void test_vip(void)
{
	static const char *const vips[] = { "10.9.1.100", "2001:db8::100" };

	for (unsigned int i = 0; i < RTE_DIM(vips); i++) {
		struct ip_addr vip = addr(vips[i]);

		CU_ASSERT_EQUAL(net_vip_del(kernel, &vip), 0);
		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip), 0);
		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip), 0);
		CU_ASSERT_TRUE(sh("ip addr show dev lo | grep -q '%s/.* global'", vips[i]));
		CU_ASSERT_EQUAL(net_vip_del(kernel, &vip), 0);
		CU_ASSERT_FALSE(sh("ip addr show dev lo | grep -q %s", vips[i]));
	}
}

static void test_cleanup(void)
{
	struct ip_addr vip = addr("10.9.1.100"), vip6 = addr("2001:db8::100"), listed = addr("10.9.1.101");
	struct ip_addr net = addr("172.20.0.0"), net6 = addr("2001:db8:1::");

	CU_ASSERT_EQUAL(net_cleanup(kernel, &listed, 1), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &vip), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &vip6), 0);
	CU_ASSERT_TRUE(sh("ip addr add 10.9.1.101/32 dev lo; ip addr add 10.9.1.102/32 dev lo"));
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 16, 7), 0);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net6, 48, 7), 0);
	CU_ASSERT_TRUE(sh("ip route add blackhole 172.20.0.0/16 proto 84 metric 9"));
	CU_ASSERT_TRUE(sh("ip route add blackhole 172.21.0.0/16 proto 85 metric 9"));
	/* another process: it knows nothing of what this one set */
	struct net_kernel *fresh = net_kernel_open();

	CU_ASSERT_EQUAL(net_cleanup(fresh, &listed, 1), 6);
	CU_ASSERT_EQUAL(net_cleanup(fresh, &listed, 1), 0);
	net_kernel_close(fresh);
	CU_ASSERT_EQUAL(net_cleanup(kernel, NULL, 0), 0);
	CU_ASSERT_FALSE(sh("ip route show table all | grep -q '172.20\\|proto 84'"));
	CU_ASSERT_FALSE(sh("ip -6 route show table all | grep -q '2001:db8:1:'"));
	CU_ASSERT_TRUE(sh("ip route | grep -q 172.21"));
	CU_ASSERT_TRUE(sh("ip addr show dev lo | grep -q 10.9.1.102"));
	CU_ASSERT_FALSE(sh("ip addr show dev lo | grep -q '10.9.1.10[01]\\|2001:db8'"));
	CU_ASSERT_TRUE(sh("ip addr del 10.9.1.102/32 dev lo; ip route del blackhole 172.21.0.0/16 metric 9"));
}

/* More than one round of it takes. */
static void test_cleanup_many(void)
{
	CU_ASSERT_TRUE(sh("for i in $(seq 1 150); do echo route add blackhole 172.$i.0.0/16 proto 84 metric "
			  "$i; done | ip -b -"));
	for (uint32_t i = 0; i < 150; i++) {
		struct ip_addr vip = ip_addr_v4(0x0a4d0001 + i);

		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip), 0);
	}
	CU_ASSERT_EQUAL(net_cleanup(kernel, NULL, 0), 300);
}

static int monitor_open(void)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
	return fd;
}

/* Changes of routes as the kernel told them: "+" new, "-" deleted. */
static void monitor_read(int fd, char *to, size_t size)
{
	_Alignas(struct nlmsghdr) char buf[8192];
	size_t n = 0;

	while (n + 1 < size && recv(fd, buf, sizeof(buf), 0) > 0)
		to[n++] = ((struct nlmsghdr *)buf)->nlmsg_type == RTM_NEWROUTE ? '+' : '-';
	to[n] = '\0';
}

static void test_pool_route(void)
{
	struct ip_addr net = addr("172.20.0.0"), bad = addr("172.20.0.1");
	char seen[16];
	int fd;

	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 16, 5), 0);
	fd = monitor_open();
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 16, 3), 0); /* lower, then higher */
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 16, 8), 0);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 16, 8), 0);
	monitor_read(fd, seen, sizeof(seen));
	CU_ASSERT_STRING_EQUAL(seen, "+-+-");
	CU_ASSERT_TRUE(sh("ip route show proto 84 | grep -q 'blackhole 172.20.0.0/16 metric 8'"));
	CU_ASSERT_TRUE(sh("[ $(ip route show proto 84 | wc -l) = 1 ]"));
	CU_ASSERT_TRUE(sh(
		"ip route add blackhole 172.20.0.0/16 proto 84 metric 2")); /* a stranger's process of ours */
	CU_ASSERT_EQUAL(net_pool_route_del(kernel, &net, 16), 0);
	CU_ASSERT_EQUAL(net_pool_route_del(kernel, &net, 16), 0);
	monitor_read(fd, seen, sizeof(seen));
	CU_ASSERT_STRING_EQUAL(seen, "+--");
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &bad, 16, 1), -EINVAL);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 33, 1), -EINVAL);
	close(fd);
}

/* ---- twin.c, announce.c ---- */

static pid_t ping_start(const char *dst)
{
	char pid[16];
	pid_t p = fork();

	if (p != 0)
		return p;
	snprintf(pid, sizeof(pid), "%d", peer);
	if (freopen("/dev/null", "w", stdout) == NULL)
		_exit(1);
	execlp("nsenter", "nsenter", "-t", pid, "-n", "ping", "-c", "5", "-i", "0.01", "-W", "2", dst, NULL);
	_exit(1);
}

static int ping(const char *dst)
{
	pid_t p = ping_start(dst);
	int status = -1;

	CU_ASSERT_TRUE(WAIT(waitpid(p, &status, WNOHANG) != 0));
	return status;
}

static void test_twin_ping(void)
{
	struct rte_ether_addr mac;
	char text[32];

	CU_ASSERT_EQUAL(rte_eth_macaddr_get(ports[0], &mac), 0);
	rte_ether_format_addr(text, sizeof(text), &mac);
	CU_ASSERT_TRUE(sh("ip link show tw0 | grep -qi %s", text));
	CU_ASSERT_TRUE(sh("ip link show tw0 | grep -q 'mtu 1450.*'"));
	CU_ASSERT_TRUE(twins[0].made);
	CU_ASSERT_FALSE(twins[1].made); /* it was there: taken over, with the address that it had */
	CU_ASSERT_TRUE(sh("ip addr show tw1 | grep -q 10.8.0.1/24"));
	CU_ASSERT_EQUAL(ping("10.9.0.1"), 0);
	CU_ASSERT_EQUAL(ping("10.8.0.1"), 0);
}

static void test_twin_refused(void)
{
	struct net_twin t;

	CU_ASSERT_EQUAL(net_twin_open(&t, ports[0], "a-name-too-long-for-it", 1500, NULL, 0, pool), -EINVAL);
	CU_ASSERT_EQUAL(net_twin_open(&t, ports[0], "x,mac=y", 1500, NULL, 0, pool), -EINVAL);
	CU_ASSERT_TRUE(net_twin_open(&t, 77, "tw9", 1500, NULL, 0, pool) < 0);
	net_twin_close(&t);
	net_twin_close(NULL);
}

/* A neighbour that has another machine's address for the VIP learns ours at once. */
static void test_announce(void)
{
	struct ip_addr vip = addr("10.9.0.100"), vip6 = addr("2001:db8:9::100");
	struct rte_ether_addr mac;
	char text[32];
	unsigned int before = rte_mempool_in_use_count(pool);

	CU_ASSERT_EQUAL(rte_eth_macaddr_get(ports[0], &mac), 0);
	rte_ether_format_addr(text, sizeof(text), &mac);
	CU_ASSERT_TRUE(on_peer("ip neigh replace 10.9.0.100 lladdr 02:00:00:00:00:01 dev p0 nud stale"));
	CU_ASSERT_TRUE(on_peer("ip addr add 2001:db8:9::2/64 dev p0 nodad"));
	CU_ASSERT_TRUE(on_peer("ip neigh replace 2001:db8:9::100 lladdr 02:00:00:00:00:01 dev p0 nud stale"));
	struct rte_mbuf *m[2] = { net_announce(pool, &mac, &vip), net_announce(pool, &mac, &vip6) };

	CU_ASSERT_PTR_NOT_NULL(m[0]);
	CU_ASSERT_PTR_NOT_NULL(m[1]);
	CU_ASSERT_EQUAL(m[0]->pkt_len, 60);
	CU_ASSERT_EQUAL(rte_eth_tx_burst(ports[0], 0, m, 2), 2);
	CU_ASSERT_TRUE(WAIT(sh("nsenter -t %d -n ip neigh show 10.9.0.100 | grep -qi %s", peer, text)));
	CU_ASSERT_TRUE(WAIT(sh("nsenter -t %d -n ip neigh show 2001:db8:9::100 | grep -qi %s", peer, text)));
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), before);
}

static void test_twin_carrier(void)
{
	CU_ASSERT_EQUAL(net_link_carrier(kernel, twins[0].ifindex, false), 0);
	CU_ASSERT_TRUE(sh("ip link show tw0 | grep -q NO-CARRIER"));
	CU_ASSERT_EQUAL(net_link_carrier(kernel, twins[0].ifindex, true), 0);
	CU_ASSERT_FALSE(sh("ip link show tw0 | grep -q NO-CARRIER"));
	CU_ASSERT_EQUAL(ping("10.9.0.1"), 0);
}

/* ---- the mirror ---- */

static int mirror_start(void)
{
	struct net_mirror_conf c = {
		.fib = fib, .twins = twins, .n_twins = PORTS, .link = NULL, .ctx = &edges
	};

	for (unsigned int i = 0; i < PORTS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "g%u", i);
		c.under_ifindex[i] = if_nametoindex(name);
		edges[ports[i]] = 0;
	}
	c.link = on_edge;
	mirror = NULL;
	mirror = net_mirror_create(&c);
	return mirror == NULL ? -errno : 0;
}

static void test_mirror_routes(void)
{
	CU_ASSERT_TRUE(glean("10.9.0.77", 0));
	CU_ASSERT_TRUE(glean("10.8.0.77", 1));
	CU_ASSERT_TRUE(none("192.0.2.1"));
	uint32_t gen = atomic_load(&fib->gen);

	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_NOT_EQUAL(atomic_load(&fib->gen), gen);
	CU_ASSERT_TRUE(sh("ip route replace 192.0.2.0/24 via 10.8.0.2"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(sh("ip route replace blackhole 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
	CU_ASSERT_TRUE(
		sh("ip route del blackhole 192.0.2.0/24; ip route add 192.0.2.0/24 via 10.9.0.2 table 100;"
		   "ip route add unreachable 192.0.2.0/25; ip route add 192.0.2.128/25 via 10.9.0.2 tos 8;"
		   "ip route add 198.51.100.0/24 via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(via("198.51.100.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(none("192.0.2.1"));
	CU_ASSERT_TRUE(none("192.0.2.129"));
	CU_ASSERT_TRUE(sh("ip route flush table 100; ip route del unreachable 192.0.2.0/25;"
			  "ip route del 192.0.2.128/25 tos 8; ip route del 198.51.100.0/24"));
	CU_ASSERT_TRUE(WAIT(none("198.51.100.1")));
	CU_ASSERT_EQUAL(count()->malformed, 0);
}

static void test_mirror_default(void)
{
	CU_ASSERT_TRUE(sh("ip route add default via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(via("1.2.3.4", "10.9.0.2", 0) && via("200.2.3.4", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route add 128.0.0.0/1 via 10.8.0.2"));
	CU_ASSERT_TRUE(WAIT(via("200.2.3.4", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(via("1.2.3.4", "10.9.0.2", 0));
	CU_ASSERT_TRUE(sh("ip route del 128.0.0.0/1"));
	CU_ASSERT_TRUE(WAIT(via("200.2.3.4", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route del default"));
	CU_ASSERT_TRUE(WAIT(none("1.2.3.4") && none("200.2.3.4")));
}

static void test_mirror_metric(void)
{
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.2 metric 20"));
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.8.0.2 metric 10"));
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.8.0.3 metric 30"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24 metric 10"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24 metric 20"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.3", 1)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

/* Two with the same prefix and metric: the kernel uses the first, and so do we, also when it goes. */
static void test_mirror_same_metric(void)
{
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.2 metric 20"));
	CU_ASSERT_TRUE(sh("ip route append 192.0.2.0/24 via 10.8.0.2 metric 20"));
	CU_ASSERT_TRUE(sh("ip route add 198.51.100.0/24 via 10.8.0.2"));
	CU_ASSERT_TRUE(WAIT(via("198.51.100.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(via("192.0.2.1", "10.9.0.2", 0));
	CU_ASSERT_TRUE(sh("ip route prepend 192.0.2.0/24 via 10.8.0.3 metric 20"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.3", 1)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24 via 10.8.0.3 metric 20"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24 via 10.9.0.2 metric 20"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24; ip route del 198.51.100.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1") && none("198.51.100.1")));
}

static void test_mirror_multipath(void)
{
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 nexthop via 10.9.0.2 nexthop via 10.8.0.2"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(on_peer("ip link set p0 down"));
	CU_ASSERT_TRUE(WAIT(!net_mirror_link(mirror, ports[0])));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(on_peer("ip link set p0 up"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_EQUAL(edges[ports[0]], 3); /* one at the start */
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
	CU_ASSERT_TRUE(sh("ip nexthop add id 7 via 10.9.0.2 dev tw0; ip route add 192.0.2.0/24 nhid 7"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip nexthop del id 7"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

static void test_mirror_link_down(void)
{
	uint64_t redumps = count()->redumps;

	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.2 metric 5; ip route add 192.0.2.0/24 via "
			  "10.8.0.2 metric 9"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip link set tw0 down"));
	CU_ASSERT_TRUE(WAIT(none("10.9.0.77")));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(WAIT(count()->redumps > redumps));
	CU_ASSERT_TRUE(sh("ip link set tw0 up"));
	CU_ASSERT_TRUE(WAIT(glean("10.9.0.77", 0)));
	CU_ASSERT_TRUE(via("192.0.2.1", "10.8.0.2", 1)); /* the kernel has not brought it back either */
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

/* An address takes with it, unsaid, the routes that have it as their source. */
static void test_mirror_address_gone(void)
{
	CU_ASSERT_TRUE(
		sh("ip addr add 10.9.9.9/32 dev lo; ip route add 192.0.2.0/24 via 10.9.0.2 src 10.9.9.9"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip addr del 10.9.9.9/32 dev lo"));
	CU_ASSERT_FALSE(sh("ip route | grep -q 192.0.2"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

static void test_mirror_overrun(void)
{
	int bytes = 1;

	CU_ASSERT_EQUAL(
		setsockopt(net_mirror_fd(mirror), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)), 0);
	CU_ASSERT_TRUE(
		sh("for i in $(seq 1 200); do echo route add 198.18.$i.0/24 via 10.9.0.2; done | ip -b -"));
	CU_ASSERT_TRUE(WAIT(count()->overruns > 0));
	CU_ASSERT_TRUE(WAIT(via("198.18.1.1", "10.9.0.2", 0) && via("198.18.200.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("for i in $(seq 1 200); do echo route del 198.18.$i.0/24; done | ip -b -"));
	CU_ASSERT_TRUE(WAIT(none("198.18.1.1") && none("198.18.100.1") && none("198.18.200.1")));
	bytes = 1 << 20;
	CU_ASSERT_EQUAL(
		setsockopt(net_mirror_fd(mirror), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)), 0);
}

static void test_mirror_managed(void)
{
	CU_ASSERT_TRUE(sh("ip neigh flush all; ip route add 192.0.2.0/24 via 10.9.0.3"));
	CU_ASSERT_TRUE(WAIT(resolved("192.0.2.1", 0)));
	CU_ASSERT_TRUE(sh("ip neigh show 10.9.0.3 dev tw0 | grep -q managed"));
	CU_ASSERT_TRUE(WAIT(resolved("10.9.0.3", 0))); /* it is a host of the connected prefix too */
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(!sh("ip neigh show 10.9.0.3 dev tw0 | grep -q managed")));
	CU_ASSERT_TRUE(sh("ip neigh del 10.9.0.3 dev tw0"));
	CU_ASSERT_TRUE(WAIT(glean("10.9.0.3", 0)));
}

/* Nobody answers at first: it is asked again while somebody wants it. */
static void test_mirror_wanted(void)
{
	uint64_t asked;

	CU_ASSERT_TRUE(sh(
		"ip route add 192.0.2.0/24 via 10.9.0.4; sysctl -qw net.ipv4.neigh.tw0.retrans_time_ms=50"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.4", 0)));
	CU_ASSERT_TRUE(WAIT(sh("ip neigh show 10.9.0.4 dev tw0 | grep -q FAILED")));
	asked = count()->resolves;
	CU_ASSERT_FALSE(resolved("192.0.2.1", 0)); /* which marks it as wanted */
	CU_ASSERT_TRUE(WAIT(count()->resolves > asked));
	CU_ASSERT_TRUE(on_peer("ip addr add 10.9.0.4/24 dev p0"));
	CU_ASSERT_TRUE(WAIT(resolved("192.0.2.1", 0)));
	CU_ASSERT_TRUE(on_peer("ip addr del 10.9.0.4/24 dev p0"));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

static void test_mirror_glean(void)
{
	uint64_t asked;

	CU_ASSERT_TRUE(sh("ip neigh flush all"));
	CU_ASSERT_TRUE(WAIT(glean("10.8.0.2", 1)));
	net_mirror_want(mirror, ports[1], ip("10.8.0.2"));
	CU_ASSERT_TRUE(WAIT(resolved("10.8.0.2", 1)));
	/* a more specific route by way of a gateway hides it, and gives it back */
	CU_ASSERT_TRUE(sh("ip route add 10.8.0.0/30 via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(via("10.8.0.2", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route del 10.8.0.0/30"));
	CU_ASSERT_TRUE(WAIT(via("10.8.0.2", "10.8.0.2", 1)));
	asked = count()->resolves;
	net_mirror_want(mirror, ports[1], ip("10.8.0.1")); /* our own */
	net_mirror_want(mirror, ports[1], ip("10.9.0.2")); /* not of that port */
	net_mirror_want(mirror, 99, ip("10.8.0.2"));
	CU_ASSERT_EQUAL(count()->resolves, asked);
	/* it moves to another address, and says so */
	CU_ASSERT_TRUE(sh("ip neigh replace 10.8.0.2 lladdr 02:00:00:00:00:09 dev tw1 nud reachable"));
	struct rte_ether_addr mac = { { 0 } };
	uint16_t port = 0;

	CU_ASSERT_TRUE(WAIT(fib_adj_get(fib, (uint16_t)fib_lookup(fib, ip("10.8.0.2")), &mac, &port) &&
			    mac.addr_bytes[5] == 9));
	CU_ASSERT_EQUAL(port, ports[1]);
	CU_ASSERT_TRUE(sh("ip neigh del 10.8.0.2 dev tw1"));
	CU_ASSERT_TRUE(WAIT(glean("10.8.0.2", 1)));
}

static void test_mirror_permanent(void)
{
	CU_ASSERT_TRUE(sh("ip neigh replace 10.9.0.50 lladdr 02:00:00:00:00:50 dev tw0 nud permanent"));
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.50"));
	CU_ASSERT_TRUE(WAIT(resolved("192.0.2.1", 0)));
	for (int i = 0; i < 50; i++) /* every adjacency is looked at three times */
		turn();
	CU_ASSERT_TRUE(sh("ip neigh show 10.9.0.50 | grep -q PERMANENT"));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24; ip neigh del 10.9.0.50 dev tw0"));
	CU_ASSERT_TRUE(WAIT(glean("10.9.0.50", 0)));
}

static void test_mirror_keep(void)
{
	struct ip_addr a = addr("10.9.0.2"), six = addr("2001:db8::1");
	uint16_t i = net_mirror_keep(mirror, ports[0], &a), port;
	struct rte_ether_addr mac;

	CU_ASSERT_NOT_EQUAL(i, FIB_NONE);
	CU_ASSERT_EQUAL(net_mirror_keep(mirror, ports[0], &a), i);
	CU_ASSERT_EQUAL(net_mirror_keep(mirror, ports[0], &six), FIB_NONE);
	CU_ASSERT_EQUAL(net_mirror_keep(mirror, 99, &a), FIB_NONE);
	CU_ASSERT_TRUE(WAIT(fib_adj_get(fib, i, &mac, &port)));
	CU_ASSERT_TRUE(sh("ip neigh del 10.9.0.2 dev tw0")); /* by an operator: it comes back */
	CU_ASSERT_TRUE(WAIT(!fib_adj_get(fib, i, &mac, &port)));
	CU_ASSERT_TRUE(WAIT(fib_adj_get(fib, i, &mac, &port)));
	CU_ASSERT_TRUE(sh("ip neigh show 10.9.0.2 dev tw0 | grep -q managed"));
}

/* What stands there before it starts is seen; what a mirror leaves behind is nothing. */
static void test_mirror_restart(void)
{
	unsigned int used = 0;

	net_mirror_destroy(mirror);
	mirror = NULL;
	for (unsigned int i = 0; i < FIB_ADJ_MAX; i++)
		used += atomic_load(&fib->adj[i].word) != 0;
	CU_ASSERT_EQUAL(used, 0);
	CU_ASSERT_TRUE(none("10.9.0.77") && none("10.8.0.77"));
	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.2; ip neigh replace 10.8.0.60 lladdr "
			  "02:00:00:00:00:60 dev tw1"));
	CU_ASSERT_EQUAL(mirror_start(), 0);
	CU_ASSERT_TRUE(via("192.0.2.1", "10.9.0.2", 0));
	CU_ASSERT_TRUE(resolved("10.8.0.60", 1));
	CU_ASSERT_EQUAL(edges[ports[0]], 1);
	CU_ASSERT_EQUAL(edges[ports[1]], 1);
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24; ip neigh del 10.8.0.60 dev tw1"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1") && glean("10.8.0.60", 1)));
}

/* ---- the lab ---- */

static bool lab_up(void)
{
	peer = fork();
	if (peer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	/* the child is in its own namespace as soon as the links differ */
	for (int i = 0; i < 5000; i++) {
		char a[64] = "", b[64] = "", path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/net", peer);
		if (readlink(path, a, sizeof(a) - 1) > 0 &&
			readlink("/proc/self/ns/net", b, sizeof(b) - 1) > 0 && strcmp(a, b) != 0)
			break;
		poll(NULL, 0, 1);
	}
	for (int i = 0; i < PORTS; i++)
		if (!sh("ip link add g%d type veth peer name p%d && ip link set p%d netns %d && ip link set "
			"g%d up &&"
			"sysctl -qw net.ipv6.conf.g%d.disable_ipv6=1; ethtool -K g%d tx off >/dev/null 2>&1;"
			"nsenter -t %d -n ethtool -K p%d tx off >/dev/null 2>&1; nsenter -t %d -n ip link "
			"set p%d up &&"
			"nft 'add table netdev t%d; add chain netdev t%d i { type filter hook ingress device "
			"g%d priority 0;"
			" policy drop; }'",
			    i, i, i, peer, i, i, i, peer, i, peer, i, i, i, i))
			return false;
	return sh("ip link set lo up; ip tuntap add tw1 mode tap multi_queue && ip addr add 10.8.0.1/24 dev "
		  "tw1") &&
	       on_peer("ip addr add 10.9.0.2/24 dev p0") && on_peer("ip addr add 10.9.0.3/24 dev p0") &&
	       on_peer("ip addr add 10.8.0.2/24 dev p1");
}

static bool port_up(unsigned int i)
{
	struct ip_addr own = ip_addr_v4(0x0a090001);
	struct rte_eth_conf conf = { 0 };
	char name[32], args[64], twin[8];

	snprintf(name, sizeof(name), "net_af_packet%u", i);
	snprintf(args, sizeof(args), "iface=g%u,qpairs=1,framesz=2048,blocksz=65536,framecnt=512", i);
	snprintf(twin, sizeof(twin), "tw%u", i);
	return rte_vdev_init(name, args) == 0 && rte_eth_dev_get_port_by_name(name, &ports[i]) == 0 &&
	       rte_eth_dev_configure(ports[i], 1, 1, &conf) == 0 &&
	       rte_eth_rx_queue_setup(ports[i], 0, 64, 0, NULL, pool) == 0 &&
	       rte_eth_tx_queue_setup(ports[i], 0, 64, 0, NULL) == 0 && rte_eth_dev_start(ports[i]) == 0 &&
	       net_twin_open(&twins[i], ports[i], twin, 1450, i == 0 ? &own : NULL, i == 0 ? 24 : 0, pool) ==
		       0;
}

static int suite_up(void)
{
	pool = rte_pktmbuf_pool_create("pool", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	kernel = net_kernel_open();
	fib = fib_create("fib", SOCKET_ID_ANY);
	return pool != NULL && kernel != NULL && fib != NULL && port_up(0) && port_up(1) ? 0 : -1;
}

static int suite_down(void)
{
	net_mirror_destroy(mirror);
	mirror = NULL;
	for (unsigned int i = 0; i < PORTS; i++) {
		net_twin_close(&twins[i]);
		rte_eth_dev_stop(ports[i]);
		rte_eth_dev_close(ports[i]);
	}
	fib_destroy(fib);
	net_kernel_close(kernel);
	if (sh("ip link show tw0 >/dev/null 2>&1") || !sh("ip link show tw1 >/dev/null")) {
		fprintf(stderr, "a twin that we made must go, one that we took over must stay\n");
		return -1;
	}
	if (rte_mempool_in_use_count(pool) != 0) {
		fprintf(stderr, "%u mbufs leaked\n", rte_mempool_in_use_count(pool));
		return -1;
	}
	rte_mempool_free(pool);
	return 0;
}

static CU_TestInfo tests[] = {
	{ "vip", test_vip },
	{ "cleanup", test_cleanup },
	{ "cleanup_many", test_cleanup_many },
	{ "pool_route", test_pool_route },
	{ "twin_ping", test_twin_ping },
	{ "twin_refused", test_twin_refused },
	{ "announce", test_announce },
	{ "twin_carrier", test_twin_carrier },
	{ "mirror_restart", test_mirror_restart },
	{ "mirror_routes", test_mirror_routes },
	{ "mirror_default", test_mirror_default },
	{ "mirror_metric", test_mirror_metric },
	{ "mirror_same_metric", test_mirror_same_metric },
	{ "mirror_multipath", test_mirror_multipath },
	{ "mirror_link_down", test_mirror_link_down },
	{ "mirror_address_gone", test_mirror_address_gone },
	{ "mirror_overrun", test_mirror_overrun },
	{ "mirror_managed", test_mirror_managed },
	{ "mirror_wanted", test_mirror_wanted },
	{ "mirror_glean", test_mirror_glean },
	{ "mirror_permanent", test_mirror_permanent },
	{ "mirror_keep", test_mirror_keep },
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	char prefix[48];
	char *eal[] = { argv[0], "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "160",
		prefix, "--log-level=3", "-l", "0", NULL };
	CU_SuiteInfo suites[] = { { "net_kernel", suite_up, suite_down, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	int ret;

	snprintf(prefix, sizeof(prefix), "--file-prefix=ut_net_%d", getpid());
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
		printf("skipped: needs root, network namespaces and /dev/net/tun\n");
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!lab_up() || rte_eal_init(RTE_DIM(eal) - 1, eal) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	rte_eal_cleanup();
	return ret;
}
