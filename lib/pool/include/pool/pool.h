/* SPDX-License-Identifier: BSD-3-Clause */
/* pool: UE address -> handle, one array a pool, no hash (except for static addresses outside every
 * pool, which come with a later feature). A pool belongs to one routing instance; pools of two
 * instances may have the same addresses. An address is free when its entry is 0; free addresses are
 * bitmaps per shard, kept by the shard's writer through the table's hooks. Workers read the entries
 * that `pool_entry4` finds, without a lock. */
#ifndef TANDEM_POOL_H
#define TANDEM_POOL_H

#include "common/places.h"
#include "session/session.h"

enum { POOL_MAX = 64 };

struct pool_conf {
	char name[32];
	uint16_t instance;       /* below INSTANCES */
	struct ip_prefix prefix; /* IPv4, of a length of 8..30 */
	bool srp_activate;
};

struct pool {
	/* A key (pool_key4) is of this pool if its bits under the mask are these: the instance, and
	 * the prefix. */
	uint64_t key, mask;
	/* size entries. w: the shard's writer, r: all. Network and broadcast: never given */
	_Atomic uint32_t *handle;
	uint32_t base4, size; /* host order; size: addresses in the prefix */
	struct pool_conf conf;
	/* w: shard's writer. bit i: base + i*64 + shard's offset */
	struct rte_bitmap *free_map[SESSION_SHARDS];
	uint32_t cursor[SESSION_SHARDS]; /* w: shard's writer */
	/* w: shard's writer. live and quarantined; r: telemetry */
	_Atomic uint32_t used[SESSION_SHARDS];
};

struct pool_set {
	unsigned int n;
	const struct places *places; /* of the numbers by which records name pools */
	struct pool p[POOL_MAX];
	struct session_mem mem;
	uint64_t bytes;
};

/* In the order given, which is that of places. NULL + errno: EINVAL (a bad prefix, or one
 * that overlaps another of its instance), ENOMEM. */
struct pool_set *pool_set_create(
	const struct pool_conf *conf, unsigned int n, const struct session_mem *mem);
void pool_set_destroy(struct pool_set *ps);
/* From now on records, hooks and pool_pick() name pools by their numbers, until then by places.
 * `places` is the caller's, as long as the set lives. */
void pool_places(struct pool_set *ps, const struct places *places);
/* named, bind and unbind of struct session_hooks, with ctx = the set; `event` is the caller's. */
void pool_hooks(struct pool_set *ps, struct session_hooks *h);

/* Addresses that are live or quarantined; any core. */
uint32_t pool_used(const struct pool *p);

/* A free address of `pool` in `shard`, next-fit; not yet bound (session_create binds). -ENOSPC:
 * none there. */
int pool_pick(struct pool_set *ps, uint8_t pool, uint32_t shard, struct ip_addr *ue);

/* What is compared for each packet: an IPv4 address and its instance in one word. */
static inline uint64_t pool_key4(uint16_t instance, uint32_t v4)
{
	return (uint64_t)instance << 32 | v4;
}

/* The handle's place of host-order address v4, NULL when it is in no pool of the instance. */
static inline const _Atomic uint32_t *pool_entry4(
	const struct pool_set *ps, uint16_t instance, uint32_t v4)
{
	const uint64_t key = pool_key4(instance, v4);

	for (unsigned int i = 0; i < ps->n; i++) {
		const struct pool *p = &ps->p[i];

		if ((key & p->mask) == p->key)
			return &p->handle[v4 - (uint32_t)p->key];
	}
	return NULL;
}

/* The same for any address; pools of IPv6 there are none yet. */
static inline const _Atomic uint32_t *pool_entry(
	const struct pool_set *ps, uint16_t instance, const struct ip_addr *ue)
{
	return ip_addr_is_v4(ue) ? pool_entry4(ps, instance, ip_addr_to_v4(ue)) : NULL;
}

/* The handle that holds an address (one in quarantine finds a free slot: session_find says no). 0:
 * no session. *in_pool says whether the address belongs to any pool of the instance. */
static inline uint32_t pool_lookup(
	const struct pool_set *ps, uint16_t instance, const struct ip_addr *ue, bool *in_pool)
{
	const _Atomic uint32_t *e = pool_entry(ps, instance, ue);

	*in_pool = e != NULL;
	return e != NULL ? atomic_load_explicit(e, memory_order_acquire) : 0;
}

#endif
