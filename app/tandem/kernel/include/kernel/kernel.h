/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel: what a chassis has in its Linux kernel: the addresses of the loopbacks (VIPs), the routes
 * that routing daemons redistribute, and what tells the subnets where a VIP is. When they are there
 * is decided by the room `pair`; here is how, and what the kernel said to it.
 *
 * The control core alone calls these. Each address and route is one request to the kernel, which
 * answers at once: a call returns when the kernel has confirmed or refused, and does not block
 * beyond that. */
#ifndef TANDEM_KERNEL_H
#define TANDEM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/usec.h"

struct config;
struct fastpath_shared;
struct net_kernel;
struct port;
struct rte_mempool;
struct rte_ring;

/* VIPs and the routes of pools and VIPs exclude each other's states: */
enum vips_state {
	VIPS_DOWN,      /* neither addresses nor routes */
	VIPS_AHEAD,     /* a Standby's routes, the longer path (advertise-in-standby) */
	VIPS_UP,        /* addresses and routes: the Active's */
	VIPS_LINGERING, /* handed over: the routes stay as the longer path, the addresses do not */
};

/* The caller's for as long as the object lives. */
struct vips_settings {
	const struct config *conf;
	struct net_kernel *kernel;
	const struct port *ports;
	unsigned int n_ports;
	const struct fastpath_shared *shared; /* which port's link is up */
	struct rte_mempool *mbufs;
	struct rte_ring *out; /* frames that a worker transmits: m->port says where */
};

struct vips;

/* NULL: no memory. */
struct vips *vips_create(const struct vips_settings *s);
/* Withdraws what is there. NULL is allowed. */
void vips_destroy(struct vips *v);

enum vips_state vips_state(const struct vips *v);
/* The metric of the routes that are there. */
uint8_t vips_metric(const struct vips *v);
/* The kernel has confirmed that this VIP is an address of this chassis. */
bool vips_confirmed(const struct vips *v, const struct ip_addr *vip);

/* The addresses of loopbacks that do not come and go with the role. Errors are logged. */
void vips_fixed(struct vips *v);
/* VIPS_UP: all addresses and routes. 0, or the -errno of one that the kernel refused: the others
 * are there, and vips_turn() tries again. */
int vips_up(struct vips *v, uint8_t metric, usec_t now);
/* Another metric for the routes of VIPS_UP; from then on in any state, for the next vips_up(). */
int vips_set_metric(struct vips *v, uint8_t metric);
/* VIPS_AHEAD, the routes alone; -errno: the kernel refused one, and all were withdrawn. */
int vips_ahead(struct vips *v, uint8_t metric);
/* VIPS_LINGERING, or VIPS_DOWN if the kernel refused the longer path. */
void vips_linger(struct vips *v, uint8_t metric);
/* VIPS_DOWN. */
void vips_withdraw(struct vips *v);
/* Tries again, once a second, what the kernel refused. True: it has confirmed all now. */
bool vips_turn(struct vips *v, usec_t now);

/* Gratuitous ARP or unsolicited NA of each VIP that the kernel has confirmed, on its port: a
 * bounded number of times from vips_announce_anew() on, while VIPS_UP and the link is up.
 * vips_announce() sends what is due. */
void vips_announce_anew(struct vips *v, usec_t now);
void vips_announce(struct vips *v, usec_t now);

#endif
