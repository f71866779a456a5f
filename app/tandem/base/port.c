/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/port.h"

#include <rte_ethdev.h>

static uint16_t port_dpdk_rx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	return rte_eth_rx_burst(port, queue, m, n);
}

static uint16_t port_dpdk_tx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	return rte_eth_tx_burst(port, queue, m, n);
}

const struct port_ops port_dpdk = { port_dpdk_rx, port_dpdk_tx };

const struct port_ops *port_ops = &port_dpdk;
