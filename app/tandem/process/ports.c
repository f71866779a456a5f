/* SPDX-License-Identifier: BSD-3-Clause */
/* ports: DPDK ports of the configuration, one receive and one transmit queue a worker, and their
 * twins. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <rte_bus_vdev.h>
#include <rte_ethdev.h>

#include "base/sock.h"
#include "common/ether.h"
#include "process/tandem.h"

enum {
	RX_DESC = 1024,
	TX_DESC = 1024,
	/* of a received frame in an af_packet ring: its head, padding, Ethernet and VLAN */
	FRAME_HEAD = 84,
};

/* The interface under an af_packet port; 0: there is none of that name, or no such port. */
static unsigned int ports_kernel_ifindex(const struct config_port *conf)
{
	const char *p = strstr(conf->device, "iface=");
	char name[IF_NAMESIZE];

	if (p == NULL)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 6, ","), p + 6);
	return if_nametoindex(name);
}

static bool ports_lack_interface(const struct config_port *conf)
{
	return strstr(conf->device, "iface=") != NULL && ports_kernel_ifindex(conf) == 0;
}

/* "name" or "name,arguments": a vdev is made, a PCI device must have been probed by the EAL. */
static int ports_find_device(const struct config_port *conf, uint16_t *id)
{
	char name[CONFIG_PATH];
	char *args;
	int ret;

	snprintf(name, sizeof(name), "%s", conf->device);
	args = strchr(name, ',');
	if (args != NULL)
		*args++ = '\0';
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return 0;
	if (strncmp(name, "net_", 4) != 0) {
		LOG(ERR,
			"the device of a port is not there: bind it with dpdk-devbind.py and allow "
			"it with -a port=%s device=%s",
			LOG_TEXT(conf->name), LOG_TEXT(name));
		return -ENODEV;
	}
	ret = rte_vdev_init(name, args);
	if (ret < 0 || rte_eth_dev_get_port_by_name(name, id) < 0) {
		LOG(ERR, "the device of a port cannot be made: %s port=%s device=%s error=%s",
			ports_lack_interface(conf)
				? "make its interface in this network namespace first"
				: "see what DPDK says above",
			LOG_TEXT(conf->name), LOG_TEXT(conf->device),
			LOG_TEXT(strerror(ret < 0 ? -ret : ENODEV)));
		return -ENODEV;
	}
	return 0;
}

static int ports_set_queues(
	const struct tandem *t, struct port *p, const struct rte_eth_dev_info *info)
{
	p->n_rxq = p->n_txq = (uint16_t)(p->conf->roles & CONFIG_REPLICATION ? 1 : t->n_workers);
	if (p->n_rxq <= info->max_rx_queues && p->n_txq <= info->max_tx_queues)
		return 0;
	LOG(ERR,
		"the device of a port has too few queues: use fewer workers or another device "
		"port=%s device=%s workers=%u queues=%u rx_queues=%u tx_queues=%u",
		LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->device), t->n_workers, p->n_rxq,
		info->max_rx_queues, info->max_tx_queues);
	return -ENODEV;
}

/* What the kernel lets through an interface, and what a frame of an af_packet ring holds behind its
 * head. */
static uint32_t ports_kernel_mtu(const struct config_port *conf)
{
	const char *p = strstr(conf->device, "iface="), *size = strstr(conf->device, "framesz=");
	uint32_t frame = size != NULL ? (uint32_t)strtoul(size + 8, NULL, 10) : 2048;
	struct ifreq r = { 0 };
	int fd, ret;

	if (p == NULL || frame < FRAME_HEAD)
		return 0;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%.*s", (int)strcspn(p + 6, ","), p + 6);
	fd = sock_ops->socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	ret = ioctl(fd, SIOCGIFMTU, &r);
	sock_ops->close(fd);
	return ret < 0 ? 0 : RTE_MIN((uint32_t)r.ifr_mtu, frame - FRAME_HEAD);
}

/* Where the device cannot say (virtual ones), what is under it decides. What the stream sends must
 * get through. */
static int ports_set_mtu(const struct port *p)
{
	uint32_t mtu = p->conf->mtu;
	uint16_t has = 0;
	int ret = rte_eth_dev_set_mtu(p->id, (uint16_t)mtu);

	if (ret == 0 || ports_kernel_mtu(p->conf) >= mtu)
		return 0;
	if (ret == -ENOTSUP && (rte_eth_dev_get_mtu(p->id, &has) < 0 || has >= mtu))
		return 0;
	if (!(p->conf->roles & CONFIG_REPLICATION)) {
		LOG(WARNING,
			"the device of a port does not take its MTU: larger packets than it takes "
			"are lost port=%s device=%s mtu_bytes=%u",
			LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->device), mtu);
		return 0;
	}
	LOG(ERR,
		"the device of a port does not take its MTU: set a smaller mtu on both chassis, or "
		"let the device have it (net_af_packet: that mtu on the interface under it, and at "
		"least that framesz) port=%s device=%s mtu_bytes=%u framesz_bytes=%u",
		LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->device), mtu,
		RTE_ALIGN_CEIL(mtu + FRAME_HEAD, 1024));
	return -EMSGSIZE;
}

static int ports_configure(const struct tandem *t, struct port *p)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = { 0 };
	struct rte_ether_addr mac = { 0 };
	uint16_t rxd = RX_DESC, txd = TX_DESC;
	int ret = rte_eth_dev_info_get(p->id, &info);

	if (ret < 0)
		return ret;
	ret = ports_set_queues(t, p, &info);
	if (ret < 0)
		return ret;
	if (p->n_rxq > 1 && (info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP))) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
	ret = rte_eth_dev_configure(p->id, p->n_rxq, p->n_txq, &conf);
	if (ret < 0)
		return ret;
	if (rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rxd, &txd) < 0) {
		rxd = RX_DESC;
		txd = TX_DESC;
	}
	for (uint16_t q = 0; q < p->n_rxq && ret == 0; q++)
		ret = rte_eth_rx_queue_setup(p->id, q, rxd, SOCKET_ID_ANY, NULL, t->mbufs);
	for (uint16_t q = 0; q < p->n_txq && ret == 0; q++)
		ret = rte_eth_tx_queue_setup(p->id, q, txd, SOCKET_ID_ANY, NULL);
	if (ret < 0)
		return ret;
	ret = ports_set_mtu(p);
	if (ret == 0)
		ret = rte_eth_dev_start(p->id);
	if (ret < 0)
		return ret;
	p->started = true;
	/* The kernel's neighbour discovery and routing daemons live on multicasts. Virtual devices
	 * pass them all and have no such setting. */
	ret = p->conf->roles & CONFIG_REPLICATION ? 0 : rte_eth_allmulticast_enable(p->id);
	if (ret < 0 && ret != -ENOTSUP)
		LOG(WARNING,
			"a port does not pass multicasts to the kernel: neighbour discovery and "
			"routing daemons miss them port=%s error=%s",
			LOG_TEXT(p->conf->name), LOG_TEXT(strerror(-ret)));
	ret = rte_eth_macaddr_get(p->id, &mac);
	p->mac = *mac_of(&mac);
	return ret;
}

static int ports_open_one(struct tandem *t, struct port *p)
{
	int ret = ports_find_device(p->conf, &p->id);

	if (ret < 0)
		return ret;
	if (p->id >= WORKER_PORTS)
		return -ENOSPC;
	ret = ports_configure(t, p);
	if (ret < 0) {
		LOG(ERR,
			"the device of a port cannot be started: see what DPDK says above "
			"port=%s device=%s error=%s",
			LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->device),
			LOG_TEXT(strerror(-ret)));
		return ret;
	}
	p->under_ifindex = ports_kernel_ifindex(p->conf);
	ret = net_twin_open(
		&p->twin, p->id, p->conf->twin, p->conf->mtu, &p->conf->address, t->mbufs);
	if (ret < 0) {
		LOG(ERR,
			"the twin of a port cannot be made: root and /dev/net/tun are needed "
			"port=%s twin=%s error=%s",
			LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->twin), LOG_TEXT(strerror(-ret)));
		return ret;
	}
	t->fib->mac[p->id] = p->mac;
	t->shared.port[p->id].roles = p->conf->roles;
	t->shared.port[p->id].bit = (uint8_t)(1U << (p->conf - t->conf->ports));
	t->shared.port[p->id].mtu = (uint16_t)p->conf->mtu;
	t->shared.port[p->id].twin4 =
		p->conf->address.len > 0 ? ip_addr_to_v4(&p->conf->address.addr) : 0;
	LOG(INFO, "a port is open port=%s device=%s dpdk_port=%u twin=%s queues=%u",
		LOG_TEXT(p->conf->name), LOG_TEXT(p->conf->device), p->id, LOG_TEXT(p->conf->twin),
		p->n_rxq);
	return 0;
}

int ports_open(struct tandem *t)
{
	for (unsigned int i = 0; i < t->conf->n_ports; i++) {
		t->port[i].conf = &t->conf->ports[i];
		t->n_ports = i + 1;
		if (ports_open_one(t, &t->port[i]) < 0)
			return -ENODEV;
	}
	return 0;
}

void ports_close(struct tandem *t)
{
	while (t->n_ports > 0) {
		struct port *p = &t->port[--t->n_ports];

		if (p->twin.name[0] != '\0')
			net_twin_close(&p->twin);
		if (p->started) {
			rte_eth_dev_stop(p->id);
			rte_eth_dev_close(p->id);
		}
	}
}
