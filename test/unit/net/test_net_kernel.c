/* SPDX-License-Identifier: BSD-3-Clause */
/* VIPs, pool routes, leftovers, twins and announcements in the real kernel. */
#include "common/ether.h"
#include "net_lab.h"

static unsigned int lo(void)
{
	return if_nametoindex("lo");
}

/* Whether the kernel answers for it, and whether it is an address. */
static void vip_is(const char *vip, bool ours, bool address)
{
	/* The kernel adds the route of an IPv6 address by and by. */
	CU_ASSERT_TRUE(WAIT(sh("ip route get %s 2>&1 | grep -q '^local'", vip) == ours));
	CU_ASSERT_EQUAL(sh("ip addr show dev lo | grep -q '%s/.* global'", vip), address);
}

static void test_vip(void)
{
	static const char *const vips[] = { "10.9.1.100", "2001:db8::100" };

	for (unsigned int i = 0; i < 2 * RTE_DIM(vips); i++) {
		struct ip_addr vip = addr(vips[i / 2]);
		unsigned int where = i % 2 == 0 ? lo() : NET_VIP_ROUTED;

		CU_ASSERT_EQUAL(net_vip_del(kernel, &vip, where), 0);
		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip, where), 0);
		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip, where), 0);
		vip_is(vips[i / 2], true, where != NET_VIP_ROUTED);
		CU_ASSERT_EQUAL(net_vip_del(kernel, &vip, where), 0);
		vip_is(vips[i / 2], false, false);
	}
	/* An interface that went took it along. */
	struct ip_addr vip = addr(vips[0]);

	CU_ASSERT_EQUAL(net_vip_del(kernel, &vip, 12345), 0);
}

static void test_cleanup(void)
{
	struct ip_addr vip = addr("10.9.1.100"), vip6 = addr("2001:db8::100"),
		       listed = addr("10.9.1.101");
	struct ip_prefix net = { addr("172.20.0.0"), 16 }, net6 = { addr("2001:db8:1::"), 48 };
	struct ip_addr routed = addr("10.9.1.103"), routed6 = addr("2001:db8::103");

	CU_ASSERT_EQUAL(net_cleanup(kernel, &listed, 1), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &vip, lo()), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &vip6, lo()), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &routed, NET_VIP_ROUTED), 0);
	CU_ASSERT_EQUAL(net_vip_add(kernel, &routed6, NET_VIP_ROUTED), 0);
	CU_ASSERT_TRUE(sh("ip addr add 10.9.1.101/32 dev lo; ip addr add 10.9.1.102/32 dev lo"));
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 7), 0);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net6, 7), 0);
	CU_ASSERT_TRUE(sh("ip route add blackhole 172.20.0.0/16 proto 84 metric 9"));
	CU_ASSERT_TRUE(sh("ip route add blackhole 172.21.0.0/16 proto 85 metric 9"));
	/* another process: it knows nothing of what this one set */
	struct net_kernel *fresh = net_kernel_open();

	CU_ASSERT_EQUAL(net_cleanup(fresh, &listed, 1), 8);
	CU_ASSERT_EQUAL(net_cleanup(fresh, &listed, 1), 0);
	net_kernel_close(fresh);
	CU_ASSERT_EQUAL(net_cleanup(kernel, NULL, 0), 0);
	CU_ASSERT_FALSE(sh("ip route show table all | grep -q '172.20\\|proto 84'"));
	CU_ASSERT_FALSE(sh("ip -6 route show table all | grep -q '2001:db8:1:'"));
	CU_ASSERT_TRUE(sh("ip route | grep -q 172.21"));
	CU_ASSERT_TRUE(sh("ip addr show dev lo | grep -q 10.9.1.102"));
	CU_ASSERT_FALSE(sh("ip addr show dev lo | grep -q '10.9.1.10[01]\\|2001:db8'"));
	CU_ASSERT_TRUE(sh(
		"ip addr del 10.9.1.102/32 dev lo; ip route del blackhole 172.21.0.0/16 metric 9"));
}

/* More than one round of it takes. */
static void test_cleanup_many(void)
{
	CU_ASSERT_TRUE(sh(
		"for i in $(seq 1 150); do echo route add blackhole 172.$i.0.0/16 proto 84 metric "
		"$i; done | ip -b -"));
	for (uint32_t i = 0; i < 150; i++) {
		struct ip_addr vip = ip_addr_v4(0x0a4d0001 + i);

		CU_ASSERT_EQUAL(net_vip_add(kernel, &vip, lo()), 0);
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
	struct ip_prefix net = { addr("172.20.0.0"), 16 }, bad = { addr("172.20.0.1"), 16 };
	struct ip_prefix long_one = { addr("172.20.0.0"), 33 };
	char seen[16];
	int fd;

	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 5), 0);
	fd = monitor_open();
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 3), 0); /* lower, then higher */
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 8), 0);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &net, 8), 0);
	monitor_read(fd, seen, sizeof(seen));
	CU_ASSERT_STRING_EQUAL(seen, "+-+-");
	CU_ASSERT_TRUE(sh("ip route show proto 84 | grep -q 'blackhole 172.20.0.0/16 metric 8'"));
	CU_ASSERT_TRUE(sh("[ $(ip route show proto 84 | wc -l) = 1 ]"));
	CU_ASSERT_TRUE(sh(
		/* a stranger's process of ours */
		"ip route add blackhole 172.20.0.0/16 proto 84 metric 2"));
	CU_ASSERT_EQUAL(net_pool_route_del(kernel, &net), 0);
	CU_ASSERT_EQUAL(net_pool_route_del(kernel, &net), 0);
	monitor_read(fd, seen, sizeof(seen));
	CU_ASSERT_STRING_EQUAL(seen, "+--");
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &bad, 1), -EINVAL);
	CU_ASSERT_EQUAL(net_pool_route_set(kernel, &long_one, 1), -EINVAL);
	close(fd);
}

/* ---- twin.c, announce.c ---- */

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
	struct ip_prefix none = { .len = 0 };
	struct net_twin t;

	CU_ASSERT_EQUAL(
		net_twin_open(&t, ports[0], "a-name-too-long-for-it", 1500, &none, pool), -EINVAL);
	CU_ASSERT_EQUAL(net_twin_open(&t, ports[0], "x,mac=y", 1500, &none, pool), -EINVAL);
	CU_ASSERT_TRUE(net_twin_open(&t, 77, "tw9", 1500, &none, pool) < 0);
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
	CU_ASSERT_TRUE(
		on_peer("ip neigh replace 10.9.0.100 lladdr 02:00:00:00:00:01 dev p0 nud stale"));
	CU_ASSERT_TRUE(on_peer("ip addr add 2001:db8:9::2/64 dev p0 nodad"));
	CU_ASSERT_TRUE(on_peer(
		"ip neigh replace 2001:db8:9::100 lladdr 02:00:00:00:00:01 dev p0 nud stale"));
	struct rte_mbuf *m[2] = { net_announce(pool, mac_of(&mac), &vip),
		net_announce(pool, mac_of(&mac), &vip6) };

	CU_ASSERT_PTR_NOT_NULL(m[0]);
	CU_ASSERT_PTR_NOT_NULL(m[1]);
	CU_ASSERT_EQUAL(m[0]->pkt_len, 60);
	CU_ASSERT_EQUAL(rte_eth_tx_burst(ports[0], 0, m, 2), 2);
	CU_ASSERT_TRUE(
		WAIT(sh("nsenter -t %d -n ip neigh show 10.9.0.100 | grep -qi %s", peer, text)));
	CU_ASSERT_TRUE(WAIT(
		sh("nsenter -t %d -n ip neigh show 2001:db8:9::100 | grep -qi %s", peer, text)));
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), before);
}

/* A probe that was sent: whether the peer's kernel, which has the address, says so. */
static bool claimed(struct rte_mbuf *m, const struct ip_addr *vip, const struct mac_addr *mac)
{
	struct rte_mbuf *got[8];
	struct net_claim c;
	bool found = false;

	while (rte_eth_rx_burst(ports[0], 0, got, 1) == 1)
		rte_pktmbuf_free(got[0]);
	CU_ASSERT_EQUAL(rte_eth_tx_burst(ports[0], 0, &m, 1), 1);
	for (unsigned int tries = 0; tries < 2000 && !found; tries++) {
		uint16_t n = rte_eth_rx_burst(ports[0], 0, got, 8);

		for (uint16_t i = 0; i < n; i++) {
			found |= net_claim_read(rte_pktmbuf_mtod(got[i], uint8_t *),
					 got[i]->data_len, &c) &&
				 !c.probes && ip_addr_equal(&c.addr, vip) &&
				 !mac_equal(&c.mac, mac);
			rte_pktmbuf_free(got[i]);
		}
		if (!found)
			rte_delay_us_sleep(1000);
	}
	return found;
}

/* What it says of itself, and that nothing is read of it with one octet less, or with any of those
 * changed that say what it is. */
static void probe_read(struct rte_mbuf *m, const struct ip_addr *vip, const struct mac_addr *mac,
	unsigned int len, unsigned int from, unsigned int to)
{
	uint8_t bad[96] = { 0 };
	struct net_claim c;

	memcpy(bad, rte_pktmbuf_mtod(m, void *), len);
	CU_ASSERT_TRUE(net_claim_read(bad, len, &c));
	CU_ASSERT_TRUE(c.probes && ip_addr_equal(&c.addr, vip) && mac_equal(&c.mac, mac));
	CU_ASSERT_FALSE(net_claim_read(bad, len - 1, &c));
	for (unsigned int i = from; i < to; i++) {
		bad[i] ^= 0x40;
		CU_ASSERT_FALSE(net_claim_read(bad, len, &c));
		bad[i] ^= 0x40;
	}
}

/* The frames by the layouts of RFC 826 and RFC 4861, and a kernel that has the address answers: to
 * whom asked, without learning. */
static void test_probe(void)
{
	struct mac_addr mac = { { 2, 0, 0, 0, 0, 0x77 } };
	struct ip_addr vip = addr("10.9.0.2"), vip6 = addr("2001:db8:9::2");
	static const uint8_t want[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x77, 8,
		6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 9,
		0, 2 };
	static const uint8_t want6[] = { 0x33, 0x33, 0xff, 0, 0, 2, 2, 0, 0, 0, 0, 0x77, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 24, 58, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
		2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 2, 135, 0 };
	struct rte_mbuf *m = net_probe(pool, &mac, &vip), *m6 = net_probe(pool, &mac, &vip6);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m6);
	CU_ASSERT_EQUAL(m->pkt_len, 60);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(m6->pkt_len, 78);
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m6, void *), want6, sizeof(want6)), 0);
	probe_read(m, &vip, &mac, sizeof(want), 12, 22);
	probe_read(m6, &vip6, &mac, 78, 18, 78);
	CU_ASSERT_TRUE(on_peer("ip addr replace 2001:db8:9::2/64 dev p0 nodad"));
	CU_ASSERT_TRUE(claimed(m, &vip, &mac));
	CU_ASSERT_TRUE(claimed(m6, &vip6, &mac));
	CU_ASSERT_FALSE(
		sh("nsenter -t %d -n ip neigh show dev p0 | grep -q 02:00:00:00:00:77", peer));
}

static void test_twin_carrier(void)
{
	CU_ASSERT_EQUAL(net_link_carrier(kernel, twins[0].ifindex, false), 0);
	CU_ASSERT_TRUE(sh("ip link show tw0 | grep -q NO-CARRIER"));
	CU_ASSERT_EQUAL(net_link_carrier(kernel, twins[0].ifindex, true), 0);
	CU_ASSERT_FALSE(sh("ip link show tw0 | grep -q NO-CARRIER"));
	CU_ASSERT_EQUAL(ping("10.9.0.1"), 0);
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "vip", test_vip },
		{ "cleanup", test_cleanup },
		{ "cleanup_many", test_cleanup_many },
		{ "pool_route", test_pool_route },
		{ "twin_ping", test_twin_ping },
		{ "twin_refused", test_twin_refused },
		{ "announce", test_announce },
		{ "probe", test_probe },
		{ "twin_carrier", test_twin_carrier },
		CU_TEST_INFO_NULL,
	};

	return lab_run("net_kernel", argv[0], tests);
}
