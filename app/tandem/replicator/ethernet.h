/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet: the transport over a DPDK port: UDP over IPv4 to the peer's address, whose next hop the
 * kernel resolves. All other frames of the port are the kernel's: those that come in go to
 * control's ring, and those of control's ring go out. Replication core only but for
 * ethernet_peer(). */
#ifndef TANDEM_ETHERNET_H
#define TANDEM_ETHERNET_H

#include "common/mac.h"
#include "repl/flow.h"
#include "replicator/replicator.h"
#include "transport.h"

struct fib;
struct rte_ring;

struct ethernet {
	struct transport transport; /* first */
	uint16_t port;              /* DPDK's */
	struct mac_addr mac;
	uint32_t local4, peer4; /* host order */
	uint16_t udp_port, ip_id;
	/* in plain text, where nothing else guards the bytes, the UDP checksum is written and
	 * demanded */
	bool checksum;
	struct fib *fib;
	_Atomic uint16_t adjacency;            /* w: control. of the peer; FIB_NONE */
	struct rte_ring *punt, *kernel_out;    /* the kernel's frames: in, out */
	struct flow *flow;                     /* what the port sends counts against the rate */
	struct replicator_port_counters count; /* r: telemetry */
};

/* Bytes of a packet at most, by the MTU of the port. Any core; pure. */
uint16_t ethernet_mtu(uint16_t port_mtu);
/* Before the core runs; the fields that say which port, addresses, rings and flow are set. */
void ethernet_init(struct ethernet *e, uint16_t port_mtu);
/* The kernel's frames to the port; true if there were any. */
bool ethernet_from_kernel(struct ethernet *e);

#endif
