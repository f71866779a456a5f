/* SPDX-License-Identifier: BSD-3-Clause */
/* routes: the kernel's routes over the twins, all metrics of each prefix of each routing instance,
 * and what of them stands in the fib, which is what the fib has a table for. Owns its memory,
 * bounded at creation. Control core only. Next hops are values of fib.h: an adjacency, or
 * FIB_GLEAN | port. */
#ifndef TANDEM_NET_ROUTES_H
#define TANDEM_NET_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/siphash.h"
#include "net/fib.h"

struct routes;

struct routes_conf {
	struct fib *fib;
	/* Next hop `nh` is on a link that is up: such a route is preferred to any whose link is
	 * down. */
	bool (*usable)(void *ctx, uint32_t nh);
	/* Next hop `nh` lost (-1) or got (+1) a route; and an entry of the fib, which may
	 * outlive the route. */
	void (*refer)(void *ctx, uint32_t nh, int by);
	void (*hold)(void *ctx, uint32_t nh, int by);
	void *ctx;
	struct siphash_secret secret; /* of the hash of prefixes: routers and hosts choose them */
};

struct routes *routes_create(const struct routes_conf *c); /* NULL: no memory */
void routes_destroy(struct routes *t);

/* What the kernel says of (instance, prefix, metric); a prefix has no host bits set. Set returns 1:
 * it is new; 0: it was there; -ENOSPC; -ENOBUFS: too many in its bucket; -EEXIST: a second one with
 * the same key, which only a dump can tell apart (kept as it is). Del: 1 removed, 0 was not there,
 * -EAGAIN: removed, but one with the same key may be left in the kernel. `stamp` is that of the
 * dump under way. */
int routes_set(struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric,
	uint32_t nh, bool replace, uint32_t stamp);
int routes_del(struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric);
/* The next hop of this very route, FIB_NONE: there is none. */
uint32_t routes_get(
	const struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric);
/* Removes all that `gone` says; returns how many. The fib follows by routes_work. */
unsigned int routes_sweep(struct routes *t,
	bool (*gone)(const void *ctx, uint32_t nh, uint32_t stamp), const void *ctx);
/* The best next hop of the longest prefix that covers dst, neighbours left out; FIB_NONE. */
uint32_t routes_cover(const struct routes *t, uint16_t instance, const struct ip_addr *dst);
/* A resolved neighbour: dst goes to it unless a gateway route to that host says otherwise.
 * FIB_NONE: no longer. 0 / -ENOSPC / -ENOBUFS. */
int routes_host(struct routes *t, uint16_t instance, const struct ip_addr *dst, uint32_t adj);
/* Chooses again for every prefix, by routes_work: after a link went up or down. */
void routes_choose(struct routes *t);
/* At most `budget` changes of the fib of those that are due: one of them costs up to 20 us in a
 * full table, and all at once would stall the core for a second. True: it is done. */
bool routes_work(struct routes *t, unsigned int budget);

unsigned int routes_count(const struct routes *t);
/* Moves whenever a route comes or goes. */
uint32_t routes_version(const struct routes *t);
/* Prefixes that the fib had no room for (they are tried again at their next change). */
uint64_t routes_refused(const struct routes *t);

#endif
