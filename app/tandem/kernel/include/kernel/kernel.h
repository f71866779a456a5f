/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel: what a chassis has in its Linux kernel, and what passes between the two: the frames of
 * the ports' twins, the mirror of routes and neighbours, the carriers of the ports, the addresses
 * of the loopbacks (VIPs), the routes that routing daemons redistribute, and the frames that
 * announce to the subnets where a VIP is, or ask who has it. When VIPs are there is decided by the
 * room `switchover`; here is how, and what the kernel said to it.
 *
 * The control core alone calls these. Calls that set or remove an address, a route or a carrier
 * block: each of these is a request by rtnetlink, and the caller sleeps until the kernel has
 * confirmed or refused it, for one second without a word from it at most (-ETIMEDOUT). As a rule it
 * answers within tens of microseconds; while others hold its locks it was seen to take more than a
 * second. kernel_create() and kernel_destroy() make such requests, too. No other call blocks. This
 * departs from the reactor's contract (app/tandem/README.md section 1); to take these requests
 * over, as it did the disk's, is work of the reactor that is still to be done. */
#ifndef TANDEM_KERNEL_H
#define TANDEM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/mac.h"
#include "common/usec.h"
#include "config/placed.h"
#include "net/net.h"

struct fib;
struct kernel;
struct metrics;
struct reactor;
struct rte_mbuf;
struct rte_mempool;
struct rte_ring;
struct vips;

/* A port and its twin, both open for as long as the room lives. */
struct kernel_port {
	const struct config_port *conf;
	uint16_t id; /* DPDK port */
	struct mac_addr mac;
	unsigned int under_ifindex; /* the kernel's interface under the device; 0: there is none */
	struct net_twin twin;
	_Atomic bool *up;     /* w: this room: the carrier */
	struct rte_ring *out; /* takes what the kernel sends on the twin, m->port set */
};

struct kernel_ops {
	/* A frame that a core left to the control core, from port m->port. True: it was taken and
	 * is gone; false: it goes to the twin. */
	bool (*frame)(void *ctx, struct rte_mbuf *m, usec_t now);
	/* Between kernel_probe_begin() and _end(): another station has the VIP, or probes for it
	 * and goes first. */
	void (*claimed)(void *ctx, const struct net_claim *claim);
};

/* Of the configuration; a restart alone changes it, but for the pools. */
struct kernel_start {
	const struct config_loopback *loopbacks;
	const struct config_placed *placed; /* pools, which come and go with a reload */
	unsigned int n_loopbacks;
	bool l2; /* srp.topology: the subnets are shared, and no router decides */
};

/* What the room is given. It is copied, and what it points at outlives the room. */
struct kernel_settings {
	struct kernel_start start;
	struct reactor *reactor;
	struct fib *fib; /* w: this room: the kernel's routes and neighbours */
	struct rte_mempool *mbufs;
	struct rte_ring *punt; /* frames of other cores to the control core: this room takes them */
	struct rte_ring *out;  /* announcements and probes; a worker transmits them: m->port */
	unsigned int n_ports;
	struct kernel_port port[CONFIG_PORTS];
	struct kernel_ops ops;
	void *ctx;
	struct siphash_secret secret; /* of hashes whose keys neighbours and routers choose */
};

/* Removes what an earlier process left in the kernel, adds the loopbacks that do not come and go
 * with the role, and mirrors routes and neighbours from then on. NULL + errno. */
struct kernel *kernel_create(const struct kernel_settings *s);
void kernel_destroy(struct kernel *k); /* withdraws VIPs and routes; NULL is allowed */

/* Takes frames from the punt ring and the twins, a bounded number. True if there were any. */
bool kernel_frames(struct kernel *k, usec_t now);
/* Drops what waits on either side, which is old after the whole chassis stood still. */
void kernel_drop_stale(struct kernel *k);
/* Once in a few ms: neighbours are asked again, and devices for their carriers. */
void kernel_turn(struct kernel *k, usec_t now);

/* The VIPs, for the rooms that use them. */
struct vips *kernel_vips(struct kernel *k);
/* The mirror of routes and neighbours, for the rooms that use it. */
struct net_mirror *kernel_mirror(struct kernel *k);

/* For views: frames that the kernel was given, that it sent, and that found no room or were old. */
struct kernel_view {
	uint64_t to_kernel, from_kernel, frames_dropped;
};
void kernel_view(const struct kernel *k, struct kernel_view *v);
/* Registers the room's figures; they end before kernel_destroy(). 0 or -errno. */
int kernel_metrics_register(struct metrics *m, struct kernel *k);
extern const struct metrics_room kernel_metrics; /* all of them */

/* ---- whether another station has a VIP (RFC 5227 section 2.1.1, RFC 4862 section 5.4) ---- */

void kernel_probe_begin(struct kernel *k);
/* Asks once for each VIP that comes and goes with the role, on its port, if that has carrier.
 * False: there is no such VIP. */
bool kernel_probe_send(struct kernel *k);
void kernel_probe_end(struct kernel *k);

/* The states of VIPs and of the routes of pools and VIPs, which exclude each other. */
enum vips_state {
	VIPS_DOWN,      /* neither addresses nor routes */
	VIPS_AHEAD,     /* a Standby's routes, the longer path (advertise-in-standby) */
	VIPS_UP,        /* addresses and routes: the Active's */
	VIPS_LINGERING, /* handed over: the routes stay as the longer path, the addresses do not */
};

enum vips_state vips_state(const struct vips *v);
/* The metric of the routes that are there. */
uint8_t vips_metric(const struct vips *v);
/* Whether the kernel has confirmed that this VIP is an address of this chassis. */
bool vips_confirmed(const struct vips *v, const struct ip_addr *vip);

/* VIPS_UP: all addresses and routes. 0, or the -errno of one that the kernel refused: the others
 * are there, and vips_turn() tries again. */
int vips_up(struct vips *v, uint8_t metric, usec_t now);
/* Another metric for the routes of VIPS_UP. In any other state it changes nothing, and returns 0:
 * what a Standby advertises is vips_ahead()'s to say. */
int vips_set_metric(struct vips *v, uint8_t metric);
/* Becomes VIPS_AHEAD: sets the routes alone. -errno: the kernel refused one, and all were
 * withdrawn. */
int vips_ahead(struct vips *v, uint8_t metric);
/* Becomes VIPS_LINGERING, or VIPS_DOWN if the kernel refused the longer path. */
void vips_linger(struct vips *v, uint8_t metric);
/* Becomes VIPS_DOWN: removes addresses and routes. */
void vips_withdraw(struct vips *v);
/* A pool has come, with a route as the others; or is about to leave its place, with none. */
void vips_pool(struct vips *v, unsigned int at, bool there);
/* Tries again, once a second, what the kernel refused. True: it has confirmed all now. */
bool vips_turn(struct vips *v, usec_t now);

/* Begins to announce each VIP that the kernel has confirmed, by gratuitous ARP or unsolicited NA on
 * its port: a bounded number of times, while VIPS_UP and the link is up. */
void vips_announce_anew(struct vips *v, usec_t now);
void vips_announce(struct vips *v, usec_t now); /* sends those that are due */

#endif
