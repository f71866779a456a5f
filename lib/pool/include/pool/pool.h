/* SPDX-License-Identifier: BSD-3-Clause */
/* pool: UE address -> handle, one array a pool, no hash (except for static addresses outside every
 * pool, which come with a later feature). An address is free when its entry is 0; free addresses
 * are bitmaps per shard, kept by the shard's writer through the table's hooks. Workers read
 * `pool_lookup4` without a lock. */
#ifndef TANDEM_POOL_H
#define TANDEM_POOL_H

#include "session/session.h"

enum { POOL_MAX = 64 };

struct pool_conf {
	char name[32];
	struct ip_addr prefix;
	uint8_t prefix_len; /* of IPv4: 8..30 */
	bool srp_activate;
};

struct pool {
	struct pool_conf conf;
	uint32_t base4, mask4, size; /* host order; size: addresses in the prefix */
	/*size entries. w: the shard's writer, r: all. Network and broadcast: never given */
	_Atomic uint32_t *handle;
	/*w: shard's writer. bit i: base + i*64 + shard's offset */
	struct rte_bitmap *free_map[SESSION_SHARDS];
	uint32_t cursor[SESSION_SHARDS]; /* w: shard's writer */
	/* w: shard's writer. live and quarantined; r: telemetry */
	_Atomic uint32_t used[SESSION_SHARDS];
};

struct pool_set {
	unsigned int n;
	struct pool p[POOL_MAX];
	struct session_mem mem;
	uint64_t bytes;
};

/* In the order given (both chassis give the same order). NULL + errno: EINVAL (bad or overlapping
 * prefix), ENOMEM. */
struct pool_set *pool_set_create(
	const struct pool_conf *conf, unsigned int n, const struct session_mem *mem);
void pool_set_destroy(struct pool_set *ps);
/* named, bind and unbind of struct session_hooks, with ctx = the set; `index` is the caller's. */
void pool_hooks(struct pool_set *ps, struct session_hooks *h);

/* Addresses that are live or quarantined; any core. */
uint32_t pool_used(const struct pool *p);

/* A free address of `pool` in `shard`, next-fit; not yet bound (session_create binds). -ENOSPC:
 * none there. */
int pool_pick(struct pool_set *ps, uint8_t pool, uint32_t shard, struct ip_addr *ue);

/* The handle that holds host-order address v4 (a handle in quarantine finds a free slot:
 * session_find says no). 0: no session. *in_pool says whether the address belongs to any pool. */
static inline uint32_t pool_lookup4(const struct pool_set *ps, uint32_t v4, bool *in_pool)
{
	for (unsigned int i = 0; i < ps->n; i++) {
		const struct pool *p = &ps->p[i];

		if ((v4 & p->mask4) == p->base4) {
			*in_pool = true;
			return atomic_load_explicit(
				&p->handle[v4 - p->base4], memory_order_acquire);
		}
	}
	*in_pool = false;
	return 0;
}

#endif
