/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_bitmap.h>
#include <rte_common.h>

#include "session/generation.h"
#include "session/session.h"

/* Below 6 generation bits (5 of them count) a stale TEID would be met again too soon. */
enum { SLOT_BITS_MIN = 6, SLOT_BITS_MAX = 32 - SESSION_SHARD_BITS - GENERATION_BITS_MIN };
_Static_assert(sizeof(((struct session_slot *)0)->gen) * 8 == GENERATION_BITS_MAX,
	"a slot keeps a whole generation");

static void *table_libc_alloc(void *ctx, size_t size, size_t align)
{
	size_t room = RTE_ALIGN_CEIL(size, align);
	void *p = aligned_alloc(align, room);

	return p != NULL ? memset(p, 0, room) : NULL;
}

static void table_libc_free(void *ctx, void *p)
{
	free(p);
}

const struct session_mem session_mem_libc = { table_libc_alloc, table_libc_free, NULL };

static void table_set_layout(struct session_table *t, const struct session_params *p)
{
	uint32_t want = p->capacity / SESSION_SHARDS + (p->capacity % SESSION_SHARDS != 0);

	t->slot_bits = SLOT_BITS_MIN;
	while (UINT32_C(1) << t->slot_bits < want)
		t->slot_bits++;
	t->n_slots = UINT32_C(1) << t->slot_bits;
	t->gen_bits = (uint8_t)(32 - SESSION_SHARD_BITS - t->slot_bits);
	t->gen_width = (uint8_t)RTE_MIN((int)t->gen_bits, (int)GENERATION_BITS_MAX);
	t->gen_mask = (UINT32_C(1) << t->gen_width) - 1;
	t->buckets = t->n_slots / SESSION_BUCKET;
	t->side = p->side;
	t->n_apns = p->n_apns;
	t->places = p->places;
	t->quarantine_s = p->quarantine_s;
	t->annex_bytes = p->annex;
	t->hooks = p->hooks;
	atomic_store_explicit(&t->peers, 1, memory_order_relaxed);
	t->mem = *p->mem;
}

/* Slots of all shards in order (session_slot_of relies on it), then the maps, the FIFOs, and
 * the annexes of all slots. */
static int table_add_slab(struct session_table *t)
{
	size_t slots = (size_t)t->n_slots * sizeof(struct session_slot);
	uint32_t map = rte_bitmap_get_memory_footprint(t->n_slots);
	size_t fifo = (size_t)t->n_slots * sizeof(uint32_t);
	size_t annex = (size_t)t->n_slots * t->annex_bytes;
	size_t bytes = SESSION_SHARDS * (slots + map + fifo + annex);
	uint8_t *at = t->mem.alloc(t->mem.ctx, bytes, RTE_CACHE_LINE_SIZE);

	if (at == NULL)
		return -ENOMEM;
	t->slots = (struct session_slot *)at;
	t->bytes += bytes;
	if (annex > 0)
		t->annex = at + SESSION_SHARDS * (slots + map + fifo);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++) {
		struct session_shard *sh = &t->shard[i];

		sh->slots = (struct session_slot *)(at + i * slots);
		sh->free_map = rte_bitmap_init(
			t->n_slots, at + SESSION_SHARDS * slots + (size_t)i * map, map);
		sh->fifo = (uint32_t *)(at + SESSION_SHARDS * (slots + map) + i * fifo);
		if (sh->free_map == NULL)
			return -EINVAL;
		for (uint32_t pos = 0; pos < t->n_slots; pos += 64)
			rte_bitmap_set_slab(sh->free_map, pos, UINT64_MAX);
		atomic_store_explicit(&sh->owner, SESSION_BY_NONE, memory_order_relaxed);
	}
	return 0;
}

static bool table_annex_is_size(uint16_t bytes)
{
	return bytes == 0 || bytes == 128 || bytes == 192 || bytes == SESSION_ANNEX_MAX;
}

struct session_table *session_table_create(const struct session_params *p)
{
	struct session_table *t;
	int ret;

	if (p->capacity == 0 || p->capacity > UINT32_C(1) << (SESSION_SHARD_BITS + SLOT_BITS_MAX) ||
		p->side > 1 || !table_annex_is_size(p->annex) || p->mem == NULL ||
		p->hooks.named == NULL || p->hooks.bind == NULL || p->hooks.unbind == NULL) {
		errno = EINVAL;
		return NULL;
	}
	t = p->mem->alloc(p->mem->ctx, sizeof(*t), _Alignof(struct session_table));
	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->bytes = sizeof(*t);
	table_set_layout(t, p);
	ret = table_add_slab(t);
	if (ret < 0) {
		session_table_destroy(t);
		errno = -ret;
		return NULL;
	}
	return t;
}

void session_table_destroy(struct session_table *t)
{
	struct session_mem mem;

	if (t == NULL)
		return;
	mem = t->mem;
	if (t->slots != NULL)
		mem.free(mem.ctx, t->slots);
	mem.free(mem.ctx, t);
}

uint32_t session_shard_of(const struct ip_addr *ue)
{
	uint32_t fold = 0;

	if (ip_addr_is_v4(ue))
		return session_shard_of_ue4(ip_addr_to_v4(ue));
	for (unsigned int i = 0; i < 8; i++) /* the prefix: a UE chooses the rest itself */
		fold ^= (uint32_t)ue->b[i] << (i % 4 * 8);
	fold ^= fold >> 16;
	fold ^= fold >> 8;
	return (fold ^ fold >> 6) & (SESSION_SHARDS - 1);
}

void session_own(struct session_table *t, uint32_t shard, uint8_t who)
{
	/* Release: the new owner, notified by message, sees what this core did for it before. */
	atomic_store_explicit(&t->shard[shard].owner, who, memory_order_release);
}
