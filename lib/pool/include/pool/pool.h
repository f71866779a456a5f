/* SPDX-License-Identifier: BSD-3-Clause */
/* pool: UE address -> handle, one array a pool, no hash (except for static addresses outside every
 * pool, which come with a later feature). A pool belongs to one routing instance; pools of two
 * instances may have the same addresses. An address is free when its entry is 0; free addresses are
 * bitmaps per shard, kept by the shard's writer through the table's hooks. Workers read the entries
 * that `pool_entry4` finds, without a lock.
 *
 * Pools come and go while cores read. A pool stands at a place, which no other one gets before it
 * has gone:
 *
 *     pool_make()    any thread     takes and fills memory, which may be long work
 *     pool_put()     control core   it is found
 *     pool_take()    control core   it is found no more; nobody had an address of it
 *        ...         each core passes a turn, and holds nothing that it found before
 *     pool_gone()    control core   nobody has got one meanwhile either: the place is free
 *     pool_unmake()  any thread     gives the memory back */
#ifndef TANDEM_POOL_H
#define TANDEM_POOL_H

#include "common/places.h"
#include "session/session.h"

enum { POOL_MAX = 64 };

/* The key of a place without a pool: an address and its instance have 48 bits, and none is this one
 * under any mask. */
#define POOL_NO_KEY UINT64_MAX

struct pool_conf {
	char name[32];
	uint16_t instance;       /* below INSTANCES */
	struct ip_prefix prefix; /* IPv4, of a length of 8..30 */
	bool srp_activate;
};

/* A pool that was made and has its memory: of whoever made it, until pool_put() takes it. */
struct pool_made;

/* A place. w: control, while there is no pool and no core holds the last one; else as it says. */
struct pool {
	/* A key (pool_key4) is of this pool if its bits under the mask are these: the instance, and
	 * the prefix. The key is written behind all else, and read before it. r: all */
	_Atomic uint64_t key, mask;
	/* size entries. w: the shard's writer, r: all. Network and broadcast: never given */
	_Atomic uint32_t *handle;
	uint32_t base4, size; /* host order; size: addresses in the prefix */
	struct pool_conf conf;
	/* w: shard's writer. bit i: base + i*64 + shard's offset */
	struct rte_bitmap *free_map[SESSION_SHARDS];
	uint32_t cursor[SESSION_SHARDS]; /* w: shard's writer */
	/* w: shard's writer. live and quarantined; r: telemetry */
	_Atomic uint32_t used[SESSION_SHARDS];
	struct pool_made *made; /* control's own. NULL: the place is free */
};

struct pool_set {
	/* w: control. One beyond the highest place that is not free; a place below may be free. */
	_Atomic unsigned int n;
	const struct places *places; /* of the numbers by which records name pools */
	struct pool p[POOL_MAX];
	struct session_mem mem;
	uint64_t bytes; /* w: control. of the set and of all pools that it has */
};

/* Makes the pools, at places in the order given. NULL + errno: EINVAL (too many, a bad prefix, or
 * one that overlaps another of its instance), ENOMEM. */
struct pool_set *pool_set_create(
	const struct pool_conf *conf, unsigned int n, const struct session_mem *mem);
/* With all its pools, also those that were taken and have not gone. NULL is a no-op. */
void pool_set_destroy(struct pool_set *ps);
/* From now on records, hooks and pool_pick() name pools by their numbers, until then by places.
 * `places` is the caller's, as long as the set lives; the number of a pool is published there when
 * the pool has been put. */
void pool_places(struct pool_set *ps, const struct places *places);
/* named, bind and unbind of struct session_hooks, with ctx = the set; `event` is the caller's. */
void pool_hooks(struct pool_set *ps, struct session_hooks *h);

/* Makes a pool, with some 4.2 bytes for each address; any thread. NULL + errno: EINVAL (no such
 * instance, or a bad prefix), ENOMEM. `mem` is copied. */
struct pool_made *pool_make(const struct pool_conf *conf, const struct session_mem *mem);
/* Gives the memory back of one that stands at no place: one that was never put, or has gone. Any
 * thread; NULL is a no-op. */
void pool_unmake(struct pool_made *m);
/* Puts the pool at a free place, where it is found from now on; it takes `m`. Control core. 0;
 * -EINVAL: no such place, or `m` stands at one already; -EEXIST: the place is another pool's, which
 * may have been taken and not have gone, or that pool overlaps this one. */
int pool_put(struct pool_set *ps, unsigned int at, struct pool_made *m);
/* Takes a pool away: packets and records find it no more, and nobody has an address of it. Control
 * core. 0: it is the caller's, for pool_gone(); -EINVAL: there is no pool; -EBUSY: pool_used() is
 * not 0. */
int pool_take(struct pool_set *ps, unsigned int at, struct pool_made **m);
/* The second half, when every core has passed a turn since pool_take(), so that none holds what it
 * found before. Control core. 0: the place is free, and `m` is the caller's, for pool_unmake().
 * -EBUSY: a core gave an address of it away in the very moment in which it was taken; it stands at
 * its place again, is found, and is not the caller's: it is to be taken again later. */
int pool_gone(struct pool_set *ps, struct pool_made *m);

/* The pool of a place; NULL: there is none. Any core, until its next turn. */
const struct pool *pool_at(const struct pool_set *ps, unsigned int at);
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

/* The handle's place of host-order address v4, NULL when it is in no pool of the instance. Good
 * until the core's next turn. */
static inline const _Atomic uint32_t *pool_entry4(
	const struct pool_set *ps, uint16_t instance, uint32_t v4)
{
	const unsigned int n = atomic_load_explicit(&ps->n, memory_order_relaxed);
	const uint64_t key = pool_key4(instance, v4);

	for (unsigned int i = 0; i < n; i++) {
		const struct pool *p = &ps->p[i];
		/* K1, with K0: mask and handles are this key's, or it is none */
		const uint64_t own = atomic_load_explicit(&p->key, memory_order_acquire);

		if ((key & atomic_load_explicit(&p->mask, memory_order_relaxed)) == own)
			return &p->handle[v4 - (uint32_t)own];
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
