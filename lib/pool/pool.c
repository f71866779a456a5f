/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "session/freemap.h"
#include "pool/pool.h"

/* Offset of the shard's first address in the pool, and how many it has there. */
static uint32_t shard_first(const struct pool *p, uint32_t shard)
{
	return (shard - p->base4) & (SESSION_SHARDS - 1);
}
static uint32_t shard_count(const struct pool *p, uint32_t shard)
{
	uint32_t first = shard_first(p, shard);

	return first < p->size ? (p->size - first + SESSION_SHARDS - 1) / SESSION_SHARDS : 0;
}

/* The first is the network's, the last its broadcast address. */
static bool is_given(const struct pool *p, uint32_t offset)
{
	return offset > 0 && offset < p->size - 1;
}

/* Handles, then a map for each shard that has addresses. The map's bit i is address `first + i *
 * 64`. */
static int pool_add_memory(struct pool_set *ps, struct pool *p)
{
	size_t handles =
		RTE_ALIGN_CEIL((size_t)p->size * sizeof(*p->handle), (size_t)RTE_CACHE_LINE_SIZE);
	size_t bytes = handles;
	uint8_t *at;

	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		bytes += rte_bitmap_get_memory_footprint(shard_count(p, i));
	at = ps->mem.alloc(ps->mem.ctx, bytes, RTE_CACHE_LINE_SIZE);
	if (at == NULL)
		return -ENOMEM;
	ps->bytes += bytes;
	p->handle = (_Atomic uint32_t *)at;
	at += handles;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++) {
		uint32_t n = shard_count(p, i), map = rte_bitmap_get_memory_footprint(n);

		if (n == 0)
			continue;
		p->free_map[i] = rte_bitmap_init(n, at, map);
		if (p->free_map[i] == NULL)
			return -EINVAL;
		at += map;
		for (uint32_t bit = 0; bit < n; bit++)
			if (is_given(p, shard_first(p, i) + bit * SESSION_SHARDS))
				rte_bitmap_set(p->free_map[i], bit);
	}
	return 0;
}

static int pool_add(struct pool_set *ps, const struct pool_conf *conf)
{
	struct pool *p = &ps->p[ps->n];
	const struct ip_prefix *prefix = &conf->prefix;

	if (conf->instance >= INSTANCES || !ip_addr_is_v4(&prefix->addr) ||
		!ip_prefix_valid(prefix) || prefix->len < 8 || prefix->len > 30)
		return -EINVAL;
	p->conf = *conf;
	p->base4 = ip_addr_to_v4(&prefix->addr);
	p->size = UINT32_C(1) << (32 - prefix->len);
	p->key = pool_key4(conf->instance, p->base4);
	p->mask = pool_key4(UINT16_MAX, ip4_mask(prefix->len));
	for (unsigned int i = 0; i < ps->n; i++) {
		uint64_t wider = p->mask & ps->p[i].mask;

		if ((p->key & wider) == (ps->p[i].key & wider))
			return -EINVAL;
	}
	ps->n++; /* from here on pool_set_destroy frees what it has */
	return pool_add_memory(ps, p);
}

struct pool_set *pool_set_create(
	const struct pool_conf *conf, unsigned int n, const struct session_mem *mem)
{
	struct pool_set *ps;
	int ret = 0;

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
	for (unsigned int i = 0; i < n && ret == 0; i++)
		ret = pool_add(ps, &conf[i]);
	if (ret < 0) {
		pool_set_destroy(ps);
		errno = -ret;
		return NULL;
	}
	return ps;
}

void pool_set_destroy(struct pool_set *ps)
{
	struct session_mem mem;

	if (ps == NULL)
		return;
	mem = ps->mem;
	for (unsigned int i = ps->n; i-- > 0;)
		if (ps->p[i].handle != NULL)
			mem.free(mem.ctx, (void *)ps->p[i].handle);
	mem.free(mem.ctx, ps);
}

/* The entry of an address in the pool of that number, NULL if there is no such pool or address. */
static _Atomic uint32_t *pool_entry_of(
	struct pool_set *ps, uint8_t pool, const struct ip_addr *ue, uint32_t *offset)
{
	uint32_t ue4 = ip_addr_to_v4(ue);
	unsigned int at = places_of(ps->places, PLACES_POOL, pool);
	struct pool *p;

	if (at >= ps->n)
		return NULL;
	p = &ps->p[at];
	*offset = ue4 - p->base4; /* an address below the base wraps to far above the size */
	return ue4 != 0 && *offset < p->size && is_given(p, *offset) ? &p->handle[*offset] : NULL;
}

/* Of one writer: a sum that all of them add to would cost each bind a locked instruction. */
static void count_used(struct pool *p, uint32_t shard, int more)
{
	uint32_t n = atomic_load_explicit(&p->used[shard], memory_order_relaxed);

	atomic_store_explicit(&p->used[shard], n + (uint32_t)more, memory_order_relaxed);
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
		n += atomic_load_explicit(&p->used[i], memory_order_relaxed);
	return n;
}

static uint32_t pool_named(void *ctx, uint8_t pool, const struct ip_addr *ue)
{
	uint32_t offset;
	_Atomic uint32_t *e = pool_entry_of(ctx, pool, ue, &offset);

	return e != NULL ? atomic_load_explicit(e, memory_order_relaxed) : 0;
}

static int pool_bind(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle)
{
	struct pool_set *ps = ctx;
	uint32_t offset;
	_Atomic uint32_t *e = pool_entry_of(ps, pool, ue, &offset);

	if (e == NULL)
		return -ENOENT;
	if (atomic_load_explicit(e, memory_order_relaxed) == 0)
		pool_set_free(&ps->p[places_of(ps->places, PLACES_POOL, pool)], offset, false);
	atomic_store_explicit(e, handle, memory_order_release); /* with the readers' acquire */
	return 0;
}

static void pool_unbind(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle)
{
	struct pool_set *ps = ctx;
	uint32_t offset;
	_Atomic uint32_t *e = pool_entry_of(ps, pool, ue, &offset);

	if (e == NULL || handle == 0 || atomic_load_explicit(e, memory_order_relaxed) != handle)
		return;
	atomic_store_explicit(e, 0, memory_order_release);
	pool_set_free(&ps->p[places_of(ps->places, PLACES_POOL, pool)], offset, true);
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
	struct pool *p;
	uint32_t n, bit;
	unsigned int at = places_of(ps->places, PLACES_POOL, pool);

	if (at >= ps->n || shard >= SESSION_SHARDS)
		return -ENOSPC;
	p = &ps->p[at];
	n = shard_count(p, shard);
	if (n == 0 || !freemap_next(p->free_map[shard], n, &p->cursor[shard], &bit))
		return -ENOSPC;
	*ue = ip_addr_v4(p->base4 + shard_first(p, shard) + bit * SESSION_SHARDS);
	return 0;
}
