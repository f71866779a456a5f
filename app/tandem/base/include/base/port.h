/* SPDX-License-Identifier: BSD-3-Clause */
/* port: how bursts of frames come from and go to the ports. Each queue belongs to one core
 * (worker, replication), and no other core calls these for it. Nothing blocks; what a burst costs
 * is one indirect call. */
#ifndef TANDEM_BASE_PORT_H
#define TANDEM_BASE_PORT_H

#include <stdint.h>

struct rte_mbuf;

struct port_ops {
	/* At most n frames that arrived; how many. The caller owns them. */
	uint16_t (*rx)(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n);
	/* How many of n were taken; the others are the caller's still. */
	uint16_t (*tx)(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n);
};

extern const struct port_ops port_dpdk;

/* This is port_dpdk, unless the process chooses others before the cores run. */
extern const struct port_ops *port_ops;

#endif
