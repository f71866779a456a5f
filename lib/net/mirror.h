/* SPDX-License-Identifier: BSD-3-Clause */
/* mirror: what mirror.c (socket, messages, routes), dump.c (dumps) and adj.c (adjacencies,
 * resolving) share. Control core only. */
#ifndef TANDEM_NET_MIRROR_H
#define TANDEM_NET_MIRROR_H

#include <errno.h>
#include <time.h>

#include "kernel.h"
#include "net/fib.h"
#include "routes.h"
#include "rtmsg.h"

/* watch.c: a route of a watched prefix. */
struct watch_route {
	uint32_t metric, ifindex, stamp;
	bool usable, many; /* a next hop is; there are several */
};

enum { WATCH_ROUTES = 8 };

struct mirror_watch {
	uint16_t instance;
	struct ip_prefix to;
	uint32_t since; /* dumps that began later show all of it */
	unsigned int n;
	struct watch_route route[WATCH_ROUTES];
};

enum { MIRROR_BUF = 32768, MIRROR_OWN = 64, MIRROR_WANTS = 256, MIRROR_WANT_WAYS = 8 };

struct mirror_twin {
	uint16_t port, instance;
	uint32_t ifindex, under;
	bool up;   /* the kernel interface, administratively */
	bool link; /* carrier of the underlying one, as the callback reported it */
	uint32_t up_stamp, link_stamp;
};

/* Private part of adjacency i; the workers' part is fib->adj[i]. */
struct adj {
	uint32_t next; /* of the bucket, or free */
	uint32_t stamp;
	uint64_t asked_ms;
	uint32_t refs;     /* routes */
	uint32_t held;     /* entries of the fib that name it */
	struct ip_addr nh; /* next hop; of a connected prefix the destination itself */
	uint16_t instance;
	uint8_t twin;
	bool used;
	bool kept;      /* by net_mirror_keep */
	bool neighbour; /* the kernel knows a usable neighbour */
	bool fixed;     /* which is permanent: never ask, that would end it */
	bool stale;     /* which it would probe if it had traffic for it */
	bool managed;   /* we asked the kernel to keep it resolved */
	bool host;      /* it stands in the routes itself */
};

/* A full dump is these requests, one after the other, over the socket on which the changes come in
 * too. Neighbours come before routes, so that a gateway that is a permanent neighbour is known as
 * one before it is asked for. */
enum mirror_dump { DUMP_LINK, DUMP_ADDR, DUMP_NEIGH, DUMP_ROUTE, DUMP_NONE };

struct net_mirror {
	struct net_mirror_conf c;
	struct mirror_twin twin[NET_TWINS];
	int fd;
	struct net_kernel *k; /* asks for neighbours */
	bool no_managed;      /* the kernel knows only NTF_USE */
	struct routes *routes;
	uint32_t routes_seen; /* routes_version when host routes were last judged */
	/* the chassis' addresses; full: net_mirror_want asks for nothing */
	struct ip_addr own[MIRROR_OWN];
	unsigned int n_own;

	enum mirror_dump dump;
	uint32_t seq, stamp;
	uint64_t progress_ms; /* of the dump */
	uint64_t not_before_ms;
	uint64_t refused; /* routes_refused when it was last counted */
	bool again;       /* another one must follow: something was lost */
	/* the one under way is no complete picture: nothing may be removed by it */
	bool torn;
	bool synced;   /* a whole one was seen */
	bool left_out; /* something had no room */
	uint64_t retry_ms;

	struct mirror_watch watch[NET_WATCHES];
	unsigned int n_watches;
	uint32_t whole; /* stamp of the last dump that was complete */

	struct adj adj[FIB_ADJ_MAX];
	uint32_t adj_bucket[FIB_ADJ_MAX];
	uint32_t adj_free, adj_free_tail; /* oldest first: an index is not used again soon */
	uint32_t cursor;                  /* of net_mirror_resolve */
	/* Of net_mirror_want: who was asked for and when, 0: nobody was. By hash of the address,
	 * some ways each: two that meet do not wait for each other. */
	struct {
		struct ip_addr addr;
		uint64_t ms;
	} want[MIRROR_WANTS];
	struct net_mirror_counters count;
	uint8_t buf[MIRROR_BUF] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static inline uint64_t mirror_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
/* Workers forward IPv4 alone: routes and neighbours of IPv6 are the kernel's own. */
static inline bool mirror_follows(const struct ip_addr *a)
{
	return ip_addr_is_v4(a);
}
/* Feeds a datagram from the kernel; returns how many messages it held. Its lengths are not
 * trusted. */
unsigned int mirror_input(struct net_mirror *m, const uint8_t *data, size_t len);
/* What routes_set() or routes_host() returned: true, and counted, if it had no room. */
static inline bool mirror_left_out(struct net_mirror *m, int ret)
{
	m->count.routes_full += ret == -ENOSPC;
	m->count.routes_collided += ret == -ENOBUFS;
	m->left_out = m->left_out || ret == -ENOSPC || ret == -ENOBUFS;
	return ret == -ENOSPC || ret == -ENOBUFS;
}
/* Creates all but the sockets and the dumps. NULL + errno. */
struct net_mirror *mirror_new(const struct net_mirror_conf *c);
void mirror_twin_up(struct net_mirror *m, uint8_t t, bool up);
void mirror_twin_link(struct net_mirror *m, uint8_t t, bool link);

/* dump.c: asks for all that there is, and removes what was not in the answer. */
void dump_start(struct net_mirror *m);
/* NLMSG_DONE or NLMSG_ERROR. 0 / 1: not of this dump / -EBADMSG. */
int dump_answer(struct net_mirror *m, const struct nlmsghdr *h);
/* What is due by time: a dump to repeat, and the next part of the work on the routes. */
void mirror_tick(struct net_mirror *m, uint64_t now_ms);

/* ---- watch.c: the callbacks of who watches ---- */

/* A route came or went. */
void watch_route(struct net_mirror *m, const struct rtmsg_route *r, bool added);
/* Something became of an interface. */
void watch_link(struct net_mirror *m, uint32_t ifindex);
/* A whole dump has ended. */
void watch_sweep(struct net_mirror *m);

void adj_init(struct net_mirror *m);
/* Asks the kernel for some of the neighbours that are wanted, stale or not known. */
void adj_resolve(struct net_mirror *m, uint64_t now_ms);
/* The index of (instance, twin, nh), or FIB_NONE. */
uint32_t adj_find(
	const struct net_mirror *m, uint16_t instance, uint8_t twin, const struct ip_addr *nh);
/* The same, made if it is missing; when the table is full, FIB_NONE, and counted. */
uint32_t adj_get(struct net_mirror *m, uint16_t instance, uint8_t twin, const struct ip_addr *nh);
/* Adjacency i lost or got a route. */
void adj_refer(struct net_mirror *m, uint32_t i, int by);
/* So did an entry of the fib. */
void adj_hold(struct net_mirror *m, uint32_t i, int by);
/* Gives i back if nothing needs it any more. */
void adj_put(struct net_mirror *m, uint32_t i);
void adj_neighbour(struct net_mirror *m, uint8_t twin, const struct rtmsg_neigh *n);
/* The neighbours that the last whole dump did not show, or (all) every one of a twin that went
 * away. */
void adj_sweep(struct net_mirror *m, uint8_t twin, bool all);
/* Takes every adjacency out of the fib, at the end. */
void adj_forget(struct net_mirror *m);
/* Judges again which neighbours stand in the routes themselves: those that a connected prefix of
 * their twin covers. */
void adj_hosts(struct net_mirror *m);

#endif
