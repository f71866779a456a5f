/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "session/freemap.h"
#include "pool/pool.h"

/* What a pool has before it stands at a place, and as long as it has memory. */
struct pool_made {
	struct pool *at; /* where it stands; NULL: nowhere */
	struct session_mem mem;
	size_t bytes;
	struct pool_conf conf;
	uint64_t key, mask;
	uint32_t base4, size;
	_Atomic uint32_t *handle;
	struct rte_bitmap *free_map[SESSION_SHARDS];
};

/* Offset of the shard's first address in a pool of that base and size, and how many it has there.
 */
static uint32_t shard_first(uint32_t base4, uint32_t shard)
{
	return (shard - base4) & (SESSION_SHARDS - 1);
}
static uint32_t shard_count(uint32_t base4, uint32_t size, uint32_t shard)
{
	uint32_t first = shard_first(base4, shard);

	return first < size ? (size - first + SESSION_SHARDS - 1) / SESSION_SHARDS : 0;
}

/* The first is the network's, the last its broadcast address. */
static bool is_given(uint32_t size, uint32_t offset)
{
	return offset > 0 && offset < size - 1;
}

/* ---- a pool's memory ---- */

/* What it takes: itself, handles, and a map for each shard that has addresses. */
static size_t pool_made_bytes(uint32_t base4, uint32_t size, size_t *handles)
{
	size_t bytes;

	*handles = RTE_ALIGN_CEIL(
		(size_t)size * sizeof(_Atomic uint32_t), (size_t)RTE_CACHE_LINE_SIZE);
	bytes = RTE_ALIGN_CEIL(sizeof(struct pool_made), (size_t)RTE_CACHE_LINE_SIZE) + *handles;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		bytes += rte_bitmap_get_memory_footprint(shard_count(base4, size, i));
	return bytes;
}

/* The map's bit i is address `first + i * 64`. `at`: behind the handles. */
static bool pool_made_maps(struct pool_made *m, uint8_t *at)
{
	for (uint32_t i = 0; i < SESSION_SHARDS; i++) {
		uint32_t n = shard_count(m->base4, m->size, i);
		uint32_t map = rte_bitmap_get_memory_footprint(n);

		if (n == 0)
			continue;
		m->free_map[i] = rte_bitmap_init(n, at, map);
		if (m->free_map[i] == NULL)
			return false;
		at += map;
		for (uint32_t bit = 0; bit < n; bit++)
			if (is_given(m->size, shard_first(m->base4, i) + bit * SESSION_SHARDS))
				rte_bitmap_set(m->free_map[i], bit);
	}
	return true;
}

struct pool_made *pool_make(const struct pool_conf *conf, const struct session_mem *mem)
{
	const struct ip_prefix *prefix = &conf->prefix;
	size_t bytes, handles;
	struct pool_made *m;
	uint32_t base4, size;

	errno = EINVAL;
	if (conf->instance >= INSTANCES || !ip_addr_is_v4(&prefix->addr) ||
		!ip_prefix_valid(prefix) || prefix->len < 8 || prefix->len > 30)
		return NULL;
	base4 = ip_addr_to_v4(&prefix->addr);
	size = UINT32_C(1) << (32 - prefix->len);
	bytes = pool_made_bytes(base4, size, &handles);
	m = mem->alloc(mem->ctx, bytes, RTE_CACHE_LINE_SIZE);
	errno = ENOMEM;
	if (m == NULL)
		return NULL;
	m->mem = *mem;
	m->bytes = bytes;
	m->conf = *conf;
	m->base4 = base4;
	m->size = size;
	m->key = pool_key4(conf->instance, base4);
	m->mask = pool_key4(UINT16_MAX, ip4_mask(prefix->len));
	m->handle = (_Atomic uint32_t *)((uint8_t *)m +
					 RTE_ALIGN_CEIL(sizeof(*m), (size_t)RTE_CACHE_LINE_SIZE));
	if (pool_made_maps(m, (uint8_t *)m->handle + handles))
		return m;
	pool_unmake(m);
	errno = EINVAL;
	return NULL;
}

void pool_unmake(struct pool_made *m)
{
	struct session_mem mem;

	if (m == NULL)
		return;
	mem = m->mem;
	mem.free(mem.ctx, m);
}

/* ---- places ---- */

static bool pool_overlaps(const struct pool_set *ps, const struct pool_made *m)
{
	for (unsigned int i = 0; i < POOL_MAX; i++) {
		const struct pool_made *other = ps->p[i].made;

		if (other != NULL &&
			(m->key & m->mask & other->mask) == (other->key & m->mask & other->mask))
			return true;
	}
	return false;
}

/* K0: all that stands at the place is written before the key, by which readers find it; its partner
 * is K1 (pool_entry4()). */
static void pool_publish(struct pool *p)
{
	atomic_store_explicit(&p->key, p->made->key, memory_order_release);
}

static void pool_hide(struct pool *p)
{
	atomic_store_explicit(&p->key, POOL_NO_KEY, memory_order_relaxed);
}

int pool_put(struct pool_set *ps, unsigned int at, struct pool_made *m)
{
	struct pool *p;

	if (at >= POOL_MAX || m->at != NULL)
		return -EINVAL;
	p = &ps->p[at];
	if (p->made != NULL || pool_overlaps(ps, m))
		return -EEXIST;
	m->at = p;
	p->made = m;
	p->conf = m->conf;
	p->base4 = m->base4;
	p->size = m->size;
	p->handle = m->handle;
	memcpy(p->free_map, m->free_map, sizeof(p->free_map));
	memset(p->cursor, 0, sizeof(p->cursor));
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		atomic_store_explicit(&p->used[i], 0, memory_order_relaxed);
	atomic_store_explicit(&p->mask, m->mask, memory_order_relaxed);
	if (at >= atomic_load_explicit(&ps->n, memory_order_relaxed))
		atomic_store_explicit(&ps->n, at + 1, memory_order_relaxed);
	ps->bytes += m->bytes;
	pool_publish(p);
	return 0;
}

const struct pool *pool_at(const struct pool_set *ps, unsigned int at)
{
	const struct pool *p = at < POOL_MAX ? &ps->p[at] : NULL;

	return p != NULL && atomic_load_explicit(&p->key, memory_order_acquire) != POOL_NO_KEY
		       ? p
		       : NULL;
}

int pool_take(struct pool_set *ps, unsigned int at, struct pool_made **m)
{
	if (pool_at(ps, at) == NULL)
		return -EINVAL;
	if (pool_used(&ps->p[at]) > 0)
		return -EBUSY;
	pool_hide(&ps->p[at]);
	*m = ps->p[at].made;
	return 0;
}

int pool_gone(struct pool_set *ps, struct pool_made *m)
{
	struct pool *p = m->at;
	unsigned int n = atomic_load_explicit(&ps->n, memory_order_relaxed);

	if (pool_used(p) > 0) {
		pool_publish(p);
		return -EBUSY;
	}
	p->made = NULL;
	m->at = NULL;
	ps->bytes -= m->bytes;
	while (n > 0 && ps->p[n - 1].made == NULL)
		n--;
	atomic_store_explicit(&ps->n, n, memory_order_relaxed);
	return 0;
}

/* ---- the set ---- */

static int pool_set_fill(struct pool_set *ps, const struct pool_conf *conf, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct pool_made *m = pool_make(&conf[i], &ps->mem);

		if (m == NULL)
			return -errno;
		if (pool_put(ps, i, m) < 0) {
			pool_unmake(m);
			return -EINVAL;
		}
	}
	return 0;
}

struct pool_set *pool_set_create(
	const struct pool_conf *conf, unsigned int n, const struct session_mem *mem)
{
	struct pool_set *ps;
	int ret;

	if (n > POOL_MAX || mem == NULL) {
		errno = EINVAL;
		return NULL;
	}
	ps = mem->alloc(mem->ctx, sizeof(*ps), RTE_CACHE_LINE_SIZE);
	if (ps == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	ps->mem = *mem;
	ps->bytes = sizeof(*ps);
	for (unsigned int i = 0; i < POOL_MAX; i++)
		atomic_init(&ps->p[i].key, POOL_NO_KEY);
	ret = pool_set_fill(ps, conf, n);
	if (ret == 0)
		return ps;
	pool_set_destroy(ps);
	errno = -ret;
	return NULL;
}

void pool_set_destroy(struct pool_set *ps)
{
	struct session_mem mem;

	if (ps == NULL)
		return;
	mem = ps->mem;
	for (unsigned int i = POOL_MAX; i-- > 0;)
		pool_unmake(ps->p[i].made);
	mem.free(mem.ctx, ps);
}

/* ---- addresses, by the shard's writer ---- */

/* One that is being taken away is still there for a shard that has addresses of it: only the
 * shard's writer makes `used` 0, and what is read here changes behind pool_gone() alone, which
 * waits for that. */
static bool pool_is_left(const struct pool *p, uint32_t shard)
{
	return atomic_load_explicit(&p->used[shard], memory_order_relaxed) > 0;
}

/* The entry of an address in the pool that a record names; NULL: there is no such pool or address.
 * Else *p is the pool, and *offset where it stands there. */
static __rte_always_inline _Atomic uint32_t *pool_entry_of(struct pool_set *ps, uint8_t number,
	const struct ip_addr *ue, struct pool **p, uint32_t *offset)
{
	unsigned int at = places_of(ps->places, PLACES_POOL, number);
	uint32_t ue4 = ip_addr_to_v4(ue);

	if (at >= POOL_MAX || ue4 == 0)
		return NULL;
	*p = &ps->p[at];
	/* K1, with K0 */
	if (unlikely(atomic_load_explicit(&(*p)->key, memory_order_acquire) == POOL_NO_KEY) &&
		!pool_is_left(*p, session_shard_of_ue4(ue4)))
		return NULL;
	*offset = ue4 - (*p)->base4; /* an address below the base wraps to far above the size */
	return *offset < (*p)->size && is_given((*p)->size, *offset) ? &(*p)->handle[*offset]
								     : NULL;
}

/* Of one writer: a sum that all of them add to would cost each bind a locked instruction. Behind
 * all that it does with the pool's memory. */
static void count_used(struct pool *p, uint32_t shard, int more)
{
	uint32_t n = atomic_load_explicit(&p->used[shard], memory_order_relaxed);

	atomic_store_explicit(&p->used[shard], n + (uint32_t)more, memory_order_release);
}

static void pool_set_free(struct pool *p, uint32_t offset, bool on)
{
	uint32_t shard = session_shard_of_ue4(p->base4 + offset);

	if (on)
		rte_bitmap_set(p->free_map[shard], offset / SESSION_SHARDS);
	else
		rte_bitmap_clear(p->free_map[shard], offset / SESSION_SHARDS);
	count_used(p, shard, on ? -1 : 1);
}

uint32_t pool_used(const struct pool *p)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		n += atomic_load_explicit(&p->used[i], memory_order_acquire);
	return n;
}

static uint32_t pool_named(void *ctx, uint8_t pool, const struct ip_addr *ue)
{
	uint32_t offset;
	struct pool *p;
	_Atomic uint32_t *e = pool_entry_of(ctx, pool, ue, &p, &offset);

	return e != NULL ? atomic_load_explicit(e, memory_order_relaxed) : 0;
}

static int pool_bind(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle)
{
	uint32_t offset;
	struct pool *p;
	_Atomic uint32_t *e = pool_entry_of(ctx, pool, ue, &p, &offset);

	if (e == NULL)
		return -ENOENT;
	if (atomic_load_explicit(e, memory_order_relaxed) == 0)
		pool_set_free(p, offset, false);
	atomic_store_explicit(e, handle, memory_order_release); /* with the readers' acquire */
	return 0;
}

static void pool_unbind(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle)
{
	uint32_t offset;
	struct pool *p;
	_Atomic uint32_t *e = pool_entry_of(ctx, pool, ue, &p, &offset);

	if (e == NULL || handle == 0 || atomic_load_explicit(e, memory_order_relaxed) != handle)
		return;
	atomic_store_explicit(e, 0, memory_order_release);
	pool_set_free(p, offset, true);
}

void pool_places(struct pool_set *ps, const struct places *places)
{
	ps->places = places;
}

void pool_hooks(struct pool_set *ps, struct session_hooks *h)
{
	h->named = pool_named;
	h->bind = pool_bind;
	h->unbind = pool_unbind;
	h->ctx = ps;
}

int pool_pick(struct pool_set *ps, uint8_t pool, uint32_t shard, struct ip_addr *ue)
{
	unsigned int at = places_of(ps->places, PLACES_POOL, pool);
	struct pool *p;
	uint32_t n, bit;

	if (pool_at(ps, at) == NULL || shard >= SESSION_SHARDS)
		return -ENOSPC;
	p = &ps->p[at];
	n = shard_count(p->base4, p->size, shard);
	if (n == 0 || !freemap_next(p->free_map[shard], n, &p->cursor[shard], &bit))
		return -ENOSPC;
	*ue = ip_addr_v4(p->base4 + shard_first(p->base4, shard) + bit * SESSION_SHARDS);
	return 0;
}
