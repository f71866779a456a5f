/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_ethdev.h>

#include "kernel.h"

/* The TAP driver takes one mbuf a descriptor, as room for the segments of one frame. */
static uint16_t twin_segments(struct rte_mempool *pool, uint32_t mtu)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;

	return (uint16_t)(1 + (mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN) / room);
}

/* The driver says that it takes no more than 1,500 bytes, and does take as much as its interface is
 * set to. */
static int twin_tap_mtu(const struct net_twin *t, uint32_t mtu)
{
	struct ifreq r = { .ifr_mtu = (int)mtu };
	int fd, ret;

	if (mtu <= RTE_ETHER_MTU)
		return rte_eth_dev_set_mtu(t->tap, (uint16_t)mtu);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", t->name);
	ret = ioctl(fd, SIOCSIFMTU, &r) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int twin_tap_start(struct net_twin *t, uint32_t mtu, struct rte_mempool *pool)
{
	uint16_t segs = twin_segments(pool, mtu);
	struct rte_eth_conf conf = { 0 };
	int ret;

	if (segs > 1)
		conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
	ret = rte_eth_dev_configure(t->tap, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(t->tap, 0, segs, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(t->tap, 0, 0, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = twin_tap_mtu(t, mtu);
	if (ret == 0)
		ret = rte_eth_dev_start(t->tap);
	return ret == 0 ? rte_eth_promiscuous_enable(t->tap) : ret;
}

static int twin_tap_address(struct net_twin *t, const struct ip_prefix *own)
{
	struct net_kernel *k = net_kernel_open();
	int ret;

	if (k == NULL)
		return -errno;
	ret = net_link_up(k, t->ifindex);
	if (ret == 0 && own->len > 0)
		ret = net_addr_add(k, t->ifindex, own);
	net_kernel_close(k);
	return ret;
}

int net_twin_open(struct net_twin *t, uint16_t port, const char *name, uint32_t mtu,
	const struct ip_prefix *own, struct rte_mempool *pool)
{
	struct rte_ether_addr mac;
	char args[96];
	int ret;

	memset(t, 0, sizeof(*t));
	if (strlen(name) >= sizeof(t->name) || strchr(name, ',') != NULL || mtu > UINT16_MAX)
		return -EINVAL;
	ret = rte_eth_macaddr_get(port, &mac);
	if (ret < 0)
		return ret;
	t->port = port;
	t->instance = INSTANCE_MAIN;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->vdev, sizeof(t->vdev), "net_tap_twin%u",
		port); /* of its own, beside an operator's net_tapN */
	snprintf(args, sizeof(args), "iface=%s,mac=" RTE_ETHER_ADDR_PRT_FMT, name,
		RTE_ETHER_ADDR_BYTES(&mac));
	t->made = if_nametoindex(name) == 0;
	ret = rte_vdev_init(t->vdev, args);
	if (ret < 0) {
		t->vdev[0] = '\0';
		return ret;
	}
	ret = rte_eth_dev_get_port_by_name(t->vdev, &t->tap);
	if (ret == 0)
		ret = twin_tap_start(t, mtu, pool);
	t->ifindex = if_nametoindex(name);
	if (ret == 0 && t->ifindex == 0)
		ret = -ENODEV;
	if (ret == 0)
		ret = twin_tap_address(t, own);
	if (ret < 0)
		net_twin_close(t);
	return ret < 0 ? ret : 0;
}

void net_twin_close(struct net_twin *t)
{
	uint16_t tap;

	if (t == NULL || t->vdev[0] == '\0')
		return;
	if (rte_eth_dev_get_port_by_name(t->vdev, &tap) == 0) {
		rte_eth_dev_stop(tap);
		rte_eth_dev_close(tap);
	}
	rte_vdev_uninit(t->vdev);
	t->vdev[0] = '\0';
}

uint16_t net_twin_from(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n)
{
	n = rte_eth_rx_burst(t->tap, 0, pkts, n);
	for (uint16_t i = 0; i < n; i++)
		pkts[i]->port = t->port;
	return n;
}

uint16_t net_twin_to(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t sent = rte_eth_tx_burst(t->tap, 0, pkts, n);

	if (sent < n)
		rte_pktmbuf_free_bulk(pkts + sent, n - sent);
	return sent;
}
