/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet: the transport over a DPDK port: UDP over IPv4 to the peer's address, whose next hop the
 * kernel resolves. It shares the port with the kernel: it reads the port, and gives each frame that
 * is not of the stream to twin_frames.h. */
#ifndef TANDEM_REPLICATOR_ETHERNET_H
#define TANDEM_REPLICATOR_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mac.h"
#include "replicator/transport.h"

struct fib;
struct twin_frames;

/* Of the configuration, what a restart alone changes. */
struct ethernet_start {
	uint32_t local4, peer4; /* addresses of the stream, host order */
	uint16_t udp_port;
	/* In plain text, where nothing else guards the bytes, the UDP checksum is written and
	 * demanded. */
	bool checksum;
};

/* It is copied, and what it points at outlives the transport. */
struct ethernet_settings {
	struct ethernet_start start;
	uint16_t port, port_mtu;  /* DPDK's number; bytes of an IP packet at most */
	struct mac_addr mac;      /* of the port */
	struct fib *fib;          /* where the peer's adjacency is looked up */
	struct twin_frames *twin; /* of the same port, whose queue it reads no more */
};

/* Control core, before the cores run; NULL: there is no memory. Whoever has it ends it by its
 * `destroy`. */
struct transport *ethernet_create(const struct ethernet_settings *s);

#endif
