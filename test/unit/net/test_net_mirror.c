/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel says of routes, neighbours and links, as the workers see it in the fib. */
#include "mirror.h"
#include "net/fib_lookup.h"
#include "net_lab.h"

static unsigned int edges[RTE_MAX_ETHPORTS];

static bool glean(const char *dst, unsigned int t)
{
	return fib_lookup4(fib, INSTANCE_MAIN, ip(dst)) == (FIB_GLEAN | (uint32_t)twins[t].port);
}

static bool none(const char *dst)
{
	return fib_lookup4(fib, INSTANCE_MAIN, ip(dst)) == FIB_NONE;
}

/* dst goes by way of gw over twin t. */
static bool via(const char *dst, const char *gw, unsigned int t)
{
	uint32_t i = fib_lookup4(fib, INSTANCE_MAIN, ip(dst));

	return i < FIB_ADJ_MAX && ip_addr_to_v4(&mirror->adj[i].nh) == ip(gw) &&
	       mirror->twin[mirror->adj[i].twin].ifindex == twins[t].ifindex;
}

static bool resolved(const char *dst, unsigned int t)
{
	struct mac_addr mac;
	uint32_t i = fib_lookup4(fib, INSTANCE_MAIN, ip(dst));
	uint16_t port;

	return i < FIB_ADJ_MAX && fib_adj_get(fib, (uint16_t)i, &mac, &port) &&
	       port == twins[t].port;
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
	CU_ASSERT_TRUE(sh(
		"ip route del blackhole 192.0.2.0/24; ip route add 192.0.2.0/24 via 10.9.0.2 "
		"table 100;"
		"ip route add unreachable 192.0.2.0/25; ip route add 192.0.2.128/25 via 10.9.0.2 "
		"tos 8;"
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

/* Two with the same prefix and metric: the kernel uses the first, and so do we, also when it
 * goes. */
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
	CU_ASSERT_TRUE(
		sh("ip nexthop add id 7 via 10.9.0.2 dev tw0; ip route add 192.0.2.0/24 nhid 7"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip nexthop del id 7"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

static void test_mirror_link_down(void)
{
	uint64_t redumps = count()->redumps;

	CU_ASSERT_TRUE(
		sh("ip route add 192.0.2.0/24 via 10.9.0.2 metric 5; ip route add 192.0.2.0/24 via "
		   "10.8.0.2 metric 9"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip link set tw0 down"));
	CU_ASSERT_TRUE(WAIT(none("10.9.0.77")));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.8.0.2", 1)));
	CU_ASSERT_TRUE(WAIT(count()->redumps > redumps));
	CU_ASSERT_TRUE(sh("ip link set tw0 up"));
	CU_ASSERT_TRUE(WAIT(glean("10.9.0.77", 0)));
	/* the kernel has not brought it back either */
	CU_ASSERT_TRUE(via("192.0.2.1", "10.8.0.2", 1));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

/* An address takes with it, unsaid, the routes that have it as their source. */
static void test_mirror_address_gone(void)
{
	CU_ASSERT_TRUE(
		sh("ip addr add 10.9.9.9/32 dev lo; ip route add 192.0.2.0/24 via 10.9.0.2 src "
		   "10.9.9.9"));
	CU_ASSERT_TRUE(WAIT(via("192.0.2.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip addr del 10.9.9.9/32 dev lo"));
	CU_ASSERT_FALSE(sh("ip route | grep -q 192.0.2"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1")));
}

static void test_mirror_overrun(void)
{
	int bytes = 1;

	CU_ASSERT_EQUAL(setsockopt(net_mirror_fd(mirror), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				sizeof(bytes)),
		0);
	CU_ASSERT_TRUE(sh(
		"for i in $(seq 1 200); do echo route add 198.18.$i.0/24 via 10.9.0.2; done | ip "
		"-b -"));
	CU_ASSERT_TRUE(WAIT(count()->overruns > 0));
	CU_ASSERT_TRUE(
		WAIT(via("198.18.1.1", "10.9.0.2", 0) && via("198.18.200.1", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(
		sh("for i in $(seq 1 200); do echo route del 198.18.$i.0/24; done | ip -b -"));
	CU_ASSERT_TRUE(WAIT(none("198.18.1.1") && none("198.18.100.1") && none("198.18.200.1")));
	bytes = 1 << 20;
	CU_ASSERT_EQUAL(setsockopt(net_mirror_fd(mirror), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				sizeof(bytes)),
		0);
}

static void test_mirror_managed(void)
{
	CU_ASSERT_TRUE(sh("ip neigh flush all; ip route add 192.0.2.0/24 via 10.9.0.3"));
	CU_ASSERT_TRUE(WAIT(resolved("192.0.2.1", 0)));
	CU_ASSERT_TRUE(sh("ip neigh show 10.9.0.3 dev tw0 | grep -q managed"));
	/* it is a host of the connected prefix too */
	CU_ASSERT_TRUE(WAIT(resolved("10.9.0.3", 0)));
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24"));
	CU_ASSERT_TRUE(WAIT(!sh("ip neigh show 10.9.0.3 dev tw0 | grep -q managed")));
	CU_ASSERT_TRUE(sh("ip neigh del 10.9.0.3 dev tw0"));
	CU_ASSERT_TRUE(WAIT(glean("10.9.0.3", 0)));
}

/* Nobody answers at first: it is asked again while somebody wants it. */
static void test_mirror_wanted(void)
{
	uint64_t asked;

	CU_ASSERT_TRUE(sh("ip route add 192.0.2.0/24 via 10.9.0.4; sysctl -qw "
			  "net.ipv4.neigh.tw0.retrans_time_ms=50"));
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

static void want(uint16_t port, const char *text)
{
	struct ip_addr dst = addr(text);

	net_mirror_want(mirror, port, &dst);
}

static void test_mirror_glean(void)
{
	uint64_t asked;

	CU_ASSERT_TRUE(sh("ip neigh flush all"));
	CU_ASSERT_TRUE(WAIT(glean("10.8.0.2", 1)));
	want(ports[1], "10.8.0.2");
	CU_ASSERT_TRUE(WAIT(resolved("10.8.0.2", 1)));
	/* a more specific route by way of a gateway hides it, and gives it back */
	CU_ASSERT_TRUE(sh("ip route add 10.8.0.0/30 via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(via("10.8.0.2", "10.9.0.2", 0)));
	CU_ASSERT_TRUE(sh("ip route del 10.8.0.0/30"));
	CU_ASSERT_TRUE(WAIT(via("10.8.0.2", "10.8.0.2", 1)));
	asked = count()->resolves;
	want(ports[1], "10.8.0.1"); /* our own */
	want(ports[1], "10.9.0.2"); /* not of that port */
	want(99, "10.8.0.2");
	CU_ASSERT_EQUAL(count()->resolves, asked);
	/* Many at once do not wait for each other, whatever the secret; each is asked for once. */
	for (unsigned int i = 0; i < 80; i++) {
		char text[INET_ADDRSTRLEN];

		snprintf(text, sizeof(text), "10.8.0.%u", 100 + i % 40);
		want(ports[1], text);
	}
	CU_ASSERT_EQUAL(count()->resolves, asked + 40);
	/* it moves to another address, and says so */
	CU_ASSERT_TRUE(
		sh("ip neigh replace 10.8.0.2 lladdr 02:00:00:00:00:09 dev tw1 nud reachable"));
	struct mac_addr mac = { { 0 } };
	uint16_t port = 0;

	CU_ASSERT_TRUE(
		WAIT(fib_adj_get(fib, (uint16_t)fib_lookup4(fib, INSTANCE_MAIN, ip("10.8.0.2")),
			     &mac, &port) &&
			mac.octet[5] == 9));
	CU_ASSERT_EQUAL(port, ports[1]);
	CU_ASSERT_TRUE(sh("ip neigh del 10.8.0.2 dev tw1"));
	CU_ASSERT_TRUE(WAIT(glean("10.8.0.2", 1)));
}

static void test_mirror_permanent(void)
{
	CU_ASSERT_TRUE(
		sh("ip neigh replace 10.9.0.50 lladdr 02:00:00:00:00:50 dev tw0 nud permanent"));
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
	struct mac_addr mac;

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
	CU_ASSERT_TRUE(
		sh("ip route add 192.0.2.0/24 via 10.9.0.2; ip neigh replace 10.8.0.60 lladdr "
		   "02:00:00:00:00:60 dev tw1"));
	CU_ASSERT_EQUAL(mirror_start(), 0);
	CU_ASSERT_TRUE(via("192.0.2.1", "10.9.0.2", 0));
	CU_ASSERT_TRUE(resolved("10.8.0.60", 1));
	CU_ASSERT_EQUAL(edges[ports[0]], 1);
	CU_ASSERT_EQUAL(edges[ports[1]], 1);
	CU_ASSERT_TRUE(sh("ip route del 192.0.2.0/24; ip neigh del 10.8.0.60 dev tw1"));
	CU_ASSERT_TRUE(WAIT(none("192.0.2.1") && glean("10.8.0.60", 1)));
}

static enum net_presence present(int watch)
{
	return net_mirror_present(mirror, watch);
}

static int watch(const char *text, uint8_t len)
{
	struct ip_prefix to = { addr(text), len };

	return net_mirror_watch(mirror, INSTANCE_MAIN, &to);
}

/* A prefix is there while a usable unicast route of that very length is, of whatever metric and
 * interface. */
static void test_mirror_watch(void)
{
	int w = watch("203.0.113.0", 24), d = watch("0.0.0.0", 0);

	CU_ASSERT_EQUAL(watch("203.0.113.1", 24), -EINVAL);
	CU_ASSERT_EQUAL(watch("0.0.0.0", 33), -EINVAL);
	CU_ASSERT_EQUAL(watch("2001:db8::", 32), -EINVAL);
	CU_ASSERT_EQUAL(present(w), NET_PRESENCE_UNKNOWN);
	CU_ASSERT_TRUE(WAIT(present(w) == NET_ABSENT && present(d) == NET_ABSENT));
	CU_ASSERT_TRUE(sh(
		"ip route add blackhole 203.0.113.0/24 metric 9; ip route add 203.0.113.0/25 via "
		"10.9.0.2"));
	CU_ASSERT_TRUE(sh("ip route add default via 10.9.0.2"));
	CU_ASSERT_TRUE(WAIT(present(d) == NET_PRESENT));
	CU_ASSERT_EQUAL(present(w), NET_ABSENT);
	CU_ASSERT_TRUE(
		sh("ip route add 203.0.113.0/24 via 10.9.0.2 metric 5; ip route add 203.0.113.0/24 "
		   "via 10.8.0.2 metric 6"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_PRESENT));
	CU_ASSERT_TRUE(sh("ip route del 203.0.113.0/24 metric 5; ip route del default"));
	CU_ASSERT_TRUE(WAIT(present(d) == NET_ABSENT));
	CU_ASSERT_EQUAL(present(w), NET_PRESENT);
	CU_ASSERT_TRUE(sh("ip route replace blackhole 203.0.113.0/24 metric 6"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_ABSENT));
	CU_ASSERT_TRUE(sh("ip route flush root 203.0.113.0/24"));
}

/* With an interface that is none of ours it goes in silence, and with a carrier without any message
 * of its own. */
static void test_mirror_watch_link(void)
{
	int w = watch("203.0.112.0", 24);

	CU_ASSERT_TRUE(sh(
		"ip link add wa0 type veth peer name wa1; ip link set wa0 up; ip link set wa1 up; "
		"ip addr add 10.7.0.1/24 dev wa0"));
	CU_ASSERT_TRUE(sh("ip route add 203.0.112.0/24 via 10.7.0.2"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_PRESENT));
	CU_ASSERT_TRUE(sh("ip link set wa1 down"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_ABSENT));
	/* More of them than are remembered, and then one that is good. */
	CU_ASSERT_TRUE(
		sh("for m in 1 2 3 4 5 6 7 8; do ip route add 203.0.112.0/24 via 10.7.0.2 metric "
		   "$m; done"));
	CU_ASSERT_TRUE(sh("ip route add 203.0.112.0/24 via 10.9.0.2 metric 9"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_PRESENT));
	CU_ASSERT_TRUE(sh("ip route del 203.0.112.0/24 metric 9"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_ABSENT));
	CU_ASSERT_TRUE(sh("ip link set wa1 up"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_PRESENT));
	CU_ASSERT_TRUE(sh("ip link del wa0"));
	CU_ASSERT_TRUE(WAIT(present(w) == NET_ABSENT));
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
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
		{ "mirror_watch", test_mirror_watch },
		{ "mirror_watch_link", test_mirror_watch_link },
		CU_TEST_INFO_NULL,
	};

	return lab_run("net_mirror", argv[0], tests);
}
