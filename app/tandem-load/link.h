/* SPDX-License-Identifier: BSD-3-Clause */
/* link: how tandem-load reaches the GGSN: as UDP endpoints, of SGSNs (GTP-C and GTP-U at each
 * address) and of one host of the core network. Behind it are kernel sockets or DPDK ports. One
 * thread; an opened link belongs to its opener. */
#ifndef TANDEM_LOAD_LINK_H
#define TANDEM_LOAD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "common/usec.h"

/* Endpoints: 2 i is GTP-C of SGSN i, 2 i + 1 its GTP-U; the last one is the core host. */
enum {
	LINK_ENDPOINTS = 2 * LOAD_SGSNS + 1,
	LINK_CORE = LINK_ENDPOINTS - 1,
	LINK_PAYLOAD = 9000,
	LINK_BATCH = 64
};

static inline unsigned int link_ctl(unsigned int sgsn)
{
	return 2 * sgsn;
}

static inline unsigned int link_usr(unsigned int sgsn)
{
	return 2 * sgsn + 1;
}

/* A datagram that came; valid during the call only. Addresses and ports in host order. */
struct link_in {
	unsigned int endpoint;
	uint32_t from4;
	uint16_t from_port;
	const uint8_t *p;
	size_t len;
};
typedef void (*link_handler)(void *ctx, const struct link_in *in);

struct link;
struct link_ops {
	/* Hands every datagram that waits to `handler`, up to a bound; how many. */
	unsigned int (*poll)(struct link *l, link_handler handler, void *ctx, usec_t now);
	/* Takes a datagram (copied); it leaves at the latest with flush. */
	void (*send)(struct link *l, unsigned int endpoint, uint32_t to4, uint16_t port,
		const uint8_t *p, size_t len);
	void (*flush)(struct link *l, usec_t now);
	/* Rests until something comes, at most `us`. */
	void (*wait)(struct link *l, usec_t us);
	void (*close)(struct link *l);
};

struct link {
	const struct link_ops *ops;
	uint64_t not_sent; /* what neither the kernel nor a port took */
};

/* NULL: the reason was printed. */
struct link *link_kernel_open(const struct options *o);
/* After rte_eal_init. */
struct link *link_dpdk_open(const struct options *o);

#endif
