/* SPDX-License-Identifier: BSD-3-Clause */
/* net: everything a worker does not own belongs to the kernel (lib/net/README.md): twins, the
 * rtnetlink mirror, VIPs and pool routes with Tandem's own protocol number, announcements. Control
 * core only; blocking is bounded by the kernel's netlink answer. Errors are 0 / -errno; nothing is
 * logged here. */
#ifndef TANDEM_NET_H
#define TANDEM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counters.h"
#include "common/mac.h"
#include "common/siphash.h"

struct fib;
struct rte_mbuf;
struct rte_mempool;

enum { NET_PROTO = 84, NET_TWINS = 16, NET_IFNAME = 16, NET_WATCHES = 16 };

/* ---- twins (twin.c) ---- */

struct net_twin {
	uint16_t port; /* DPDK port that it shadows */
	uint16_t tap;  /* DPDK port of the TAP */
	char name[NET_IFNAME];
	unsigned int ifindex;
	uint16_t instance; /* routing instance of the port; net_twin_open() sets INSTANCE_MAIN */
	bool made;         /* by us (not taken over from a persistent tap) */
	char vdev[32];
};

/* Makes or takes over kernel interface `name` with the port's MAC and MTU through net_tap, sets it
 * up, adds its own address in its subnet (len 0: none). pool: for its receive queue. 0 / -errno. */
int net_twin_open(struct net_twin *t, uint16_t port, const char *name, uint32_t mtu,
	const struct ip_prefix *own, struct rte_mempool *pool);
void net_twin_close(struct net_twin *t);
/* Takes at most n frames of the kernel, to be sent on the port. Returns how many there were. */
uint16_t net_twin_from(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n);
/* Gives n frames to the kernel, and frees those that it does not take. Returns how many it took. */
uint16_t net_twin_to(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n);

/* ---- kernel state by rtnetlink (kernel.c) ---- */

struct net_kernel;                        /* one request socket */
struct net_kernel *net_kernel_open(void); /* NULL + errno */
void net_kernel_close(struct net_kernel *k);
/* VIP (/32 or /128), marked with NET_PROTO where the kernel can: the kernel answers for it from now
 * on. `where`: the index of an interface that gets it as an address, or NET_VIP_ROUTED: a route of
 * the table `local` instead. Where routers decide it has to be that: a routing daemon prefers an
 * address (connected) to our route of the same prefix, and would advertise that it is near, without
 * the metric, on both of two chassis that are Active. On a shared subnet an IPv6 VIP belongs on the
 * twin: Linux answers ARP for the addresses of any interface, but a Neighbor Solicitation only for
 * those of the one that it came in by. Adding one that is there is no error, nor is deleting one
 * that is not, or whose interface went. 0 / -errno. */
enum { NET_VIP_ROUTED = 0 };
int net_vip_add(struct net_kernel *k, const struct ip_addr *vip, unsigned int where);
int net_vip_del(struct net_kernel *k, const struct ip_addr *vip, unsigned int where);
/* Sets the blackhole route of a pool, with protocol NET_PROTO and that metric. It replaces one of
 * ours with another metric (add first, then delete: there is no moment without). 0 or -errno. */
int net_pool_route_set(struct net_kernel *k, const struct ip_prefix *to, uint32_t metric);
/* Deletes the route of a pool with whatever metric; that there is none is no error. 0 or -errno. */
int net_pool_route_del(struct net_kernel *k, const struct ip_prefix *to);
/* Removes every address and route that an earlier process left: all of NET_PROTO, and the VIPs
 * given. Returns how many, or -errno. */
int net_cleanup(struct net_kernel *k, const struct ip_addr *vips, unsigned int n);
/* Sets an interface up. 0 or -errno. */
int net_link_up(struct net_kernel *k, unsigned int ifindex);
/* The carrier of a twin as the kernel and a routing daemon see it: the underlying link's, which the
 * TAP cannot know. */
int net_link_carrier(struct net_kernel *k, unsigned int ifindex, bool on);
/* Adds an address to an interface; that it is there is no error. 0 or -errno. */
int net_addr_add(struct net_kernel *k, unsigned int ifindex, const struct ip_prefix *own);

/* ---- the mirror (mirror.c) ---- */

// clang-format off
#define NET_MIRROR_COUNTERS(X) \
	X(routes, GAUGE, "routes", \
		"Routes of the kernel are in the routing table of the fast path.") \
	X(routes_added, COUNTER, "routes", \
		"Routes of the kernel were added to the routing table of the fast path.") \
	X(routes_removed, COUNTER, "routes", \
		"Routes were removed from the routing table of the fast path.") \
	X(neighbours_added, COUNTER, "neighbours", \
		"Neighbours became usable as next hops.") \
	X(neighbours_removed, COUNTER, "neighbours", \
		"Neighbours ceased to be usable as next hops.") \
	X(redumps, COUNTER, "dumps", \
		"All routes and neighbours of the kernel were read again.") \
	X(overruns, COUNTER, "events", \
		"News of the kernel were lost because the socket's buffer was full; all is read " \
		"again.") \
	X(adjacencies_full, COUNTER, "events", \
		"A next hop was left out because the table of next hops was full.") \
	X(adjacencies_collided, COUNTER, "events", \
		"A next hop was left out because too many met in one bucket of their table.") \
	X(routes_full, COUNTER, "events", \
		"A route or a neighbour was left out because the routing table was full.") \
	X(routes_collided, COUNTER, "events", \
		"A route or a neighbour was left out because too many met in one bucket of " \
		"their table.") \
	X(malformed, COUNTER, "messages", \
		"Messages of the kernel were not understood.") \
	X(resolves, COUNTER, "requests", \
		"The kernel was asked to find the link-layer address of a neighbour.")
// clang-format on
COUNTERS_DEFINE(net_mirror_counters, NET_MIRROR_COUNTERS);

struct net_mirror;
struct net_mirror_conf {
	struct fib *fib;
	const struct net_twin *twins; /* whose routes and neighbours are mirrored */
	unsigned int n_twins;
	/* Interfaces under the ports (af_packet's iface): carrier is watched there. 0: the twin's
	 * own. */
	unsigned int under_ifindex[NET_TWINS];
	void (*link)(void *ctx, uint16_t port, bool up); /* called at start and at each edge */
	void *ctx;
	/* of hashes whose keys the hosts and routers of attached networks choose */
	struct siphash_secret secret;
};
/* Subscribes, then dumps. NULL + errno. */
struct net_mirror *net_mirror_create(const struct net_mirror_conf *c);
void net_mirror_destroy(struct net_mirror *m);
int net_mirror_fd(const struct net_mirror *m);
/* Reads what is there (bounded a call); re-dumps by itself after an overrun or a link loss. 0 /
 * -errno. */
int net_mirror_process(struct net_mirror *m);
/* Asks the kernel to resolve the adjacencies that workers wanted (managed neighbours, else
 * NTF_USE). Call every few ms. */
void net_mirror_resolve(struct net_mirror *m);
/* A packet for dst was punted from that port for want of a neighbour (FIB_GLEAN): the kernel is
 * asked to resolve it, at most once a second. Nothing happens unless a connected prefix of the twin
 * covers it in the port's instance. */
void net_mirror_want(struct net_mirror *m, uint16_t port, const struct ip_addr *dst);
/* Makes sure that `addr` on the twin stays resolved, and gives its adjacency index (FIB_NONE: no
 * room). For the SRP peer. */
uint16_t net_mirror_keep(struct net_mirror *m, uint16_t port, const struct ip_addr *addr);
/* From now on it is known whether the kernel's table of that instance has a unicast route of this
 * very prefix (IPv4, no host bits) with a usable next hop, over any interface. Its number; -EINVAL,
 * -ENOSPC. */
int net_mirror_watch(struct net_mirror *m, uint16_t instance, const struct ip_prefix *to);
enum net_presence { NET_PRESENCE_UNKNOWN, NET_ABSENT, NET_PRESENT };
/* Absence is only known from a whole dump on. */
enum net_presence net_mirror_present(const struct net_mirror *m, int watch);
bool net_mirror_link(const struct net_mirror *m, uint16_t port);
const struct net_mirror_counters *net_mirror_count(const struct net_mirror *m);

/* ---- the same as a seam (ops.c) ---- */

/* What the rooms ask of the kernel and of twins: each member as the function of that name above. */
struct net_ops {
	uint16_t (*twin_from)(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n);
	uint16_t (*twin_to)(struct net_twin *t, struct rte_mbuf **pkts, uint16_t n);
	struct net_kernel *(*kernel_open)(void);
	void (*kernel_close)(struct net_kernel *k);
	int (*vip_add)(struct net_kernel *k, const struct ip_addr *vip, unsigned int where);
	int (*vip_del)(struct net_kernel *k, const struct ip_addr *vip, unsigned int where);
	int (*pool_route_set)(struct net_kernel *k, const struct ip_prefix *to, uint32_t metric);
	int (*pool_route_del)(struct net_kernel *k, const struct ip_prefix *to);
	int (*cleanup)(struct net_kernel *k, const struct ip_addr *vips, unsigned int n);
	int (*link_carrier)(struct net_kernel *k, unsigned int ifindex, bool on);
	struct net_mirror *(*mirror_create)(const struct net_mirror_conf *c);
	void (*mirror_destroy)(struct net_mirror *m);
	int (*mirror_fd)(const struct net_mirror *m);
	int (*mirror_process)(struct net_mirror *m);
	void (*mirror_resolve)(struct net_mirror *m);
	void (*mirror_want)(struct net_mirror *m, uint16_t port, const struct ip_addr *dst);
	uint16_t (*mirror_keep)(struct net_mirror *m, uint16_t port, const struct ip_addr *addr);
	int (*mirror_watch)(
		struct net_mirror *m, uint16_t instance, const struct ip_prefix *prefix);
	enum net_presence (*mirror_present)(const struct net_mirror *m, int watch);
	bool (*mirror_link)(const struct net_mirror *m, uint16_t port);
	const struct net_mirror_counters *(*mirror_count)(const struct net_mirror *m);
};

extern const struct net_ops net_linux;

/* net_linux, unless the process chooses another before the kernel room is made. */
extern const struct net_ops *net_ops;

/* ---- announcements (announce.c): frames to send on a port ---- */

/* Gratuitous ARP, request form (IPv4), or unsolicited NA (IPv6), from the port's MAC. NULL: no
 * mbuf. */
struct rte_mbuf *net_announce(
	struct rte_mempool *pool, const struct mac_addr *mac, const struct ip_addr *vip);
/* "Does anybody have this VIP?", in nobody's name: an ARP Probe (RFC 5227 section 2.1.1) or the
 * Neighbor Solicitation of duplicate address detection (RFC 4862 section 5.4.2) from the port's
 * MAC. The caller owns it. NULL: no mbuf. */
struct rte_mbuf *net_probe(
	struct rte_mempool *pool, const struct mac_addr *mac, const struct ip_addr *vip);
struct net_claim {
	struct mac_addr mac;
	struct ip_addr addr;
	bool probes; /* would like to have it, as we do */
};
/* Who says in a frame of `len` bytes that an address is its own, or probes for it: the sender of an
 * ARP request or reply, the target of a Neighbor Advertisement or of a solicitation from nobody.
 * Either conflicts with an address that is being probed (RFC 5227 section 2.1.1, RFC 4862
 * section 5.4). False: anything else, or malformed. Any core. */
bool net_claim_read(const uint8_t *p, size_t len, struct net_claim *c);

#endif
