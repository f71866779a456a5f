/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share. */
#ifndef TANDEM_KERNEL_PRIV_H
#define TANDEM_KERNEL_PRIV_H

#include <string.h>

#include "kernel/kernel.h"
#include "reactor/reactor.h"

struct kernel {
	struct kernel_settings s;
	struct net_kernel *net; /* requests */
	struct net_mirror *mirror;
	struct source mirror_src;
	struct net_twin twins[CONFIG_PORTS]; /* the mirror's copy */
	struct vips *vips;
	bool probing;
	usec_t links_at; /* when devices are asked for their carriers again */
	/* Frames: that the kernel took; that it sent; that found no room; that it did not take. */
	uint64_t twin_in, twin_out, frames_dropped, punts_dropped;
};

/* The port of this number of DPDK's; NULL: none of ours. */
struct kernel_port *kernel_port_of(struct kernel *k, uint16_t id);
/* Whether this VIP comes and goes with the role and belongs to the subnet of this port. */
static inline bool kernel_vip_on(const struct config_loopback *l, const struct kernel_port *p)
{
	return l->srp_activate && strcmp(p->conf->name, l->port) == 0;
}

/* links.c. A carrier came or went (the mirror's callback, ctx: the room); devices without an
 * interface under them are asked. */
void links_changed(void *ctx, uint16_t port, bool up);
void links_turn(struct kernel *k, usec_t now);

/* probe.c: a frame that port `in` received, while kernel_probe_begin() is in force. */
void probe_frame(struct kernel *k, const struct kernel_port *in, const struct rte_mbuf *m);

/* vips.c. The caller's for as long as the object lives. */
struct vips_settings {
	struct kernel_start start;
	struct net_kernel *net;
	const struct kernel_port *ports;
	unsigned int n_ports;
	struct rte_mempool *mbufs;
	struct rte_ring *out; /* frames that a worker transmits: m->port says where */
};

/* NULL: no memory. */
struct vips *vips_create(const struct vips_settings *s);
/* Withdraws what is there. NULL is allowed. */
void vips_destroy(struct vips *v);
/* The addresses of loopbacks that do not come and go with the role. Errors are logged. */
void vips_fixed(struct vips *v);

#endif
