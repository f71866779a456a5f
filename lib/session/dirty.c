/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "session/dirty.h"

static uint32_t dirty_ring_size(uint32_t max_slots)
{
	uint32_t n = 64;

	while (n < max_slots && n < UINT32_C(1) << 31)
		n <<= 1;
	return n;
}

static int dirty_ring_init(struct dirty_ring *r, uint32_t n, const struct session_mem *mem)
{
	r->head = 0;
	r->tail = 0;
	r->mask = n - 1;
	r->e = mem->alloc(mem->ctx, (size_t)n * sizeof(*r->e), 64);
	return r->e != NULL ? 0 : -ENOMEM;
}

int dirty_init(
	struct dirty *d, uint32_t max_slots, uint32_t wait_ticks, const struct session_mem *mem)
{
	uint32_t n = dirty_ring_size(max_slots);

	memset(d, 0, sizeof(*d));
	d->wait_ticks = wait_ticks < 1 ? 1 : wait_ticks > 255 ? 255 : wait_ticks;
	if (dirty_ring_init(&d->normal, n, mem) == 0 && dirty_ring_init(&d->soon, n, mem) == 0)
		return 0;
	dirty_fini(d, mem);
	return -ENOMEM;
}

void dirty_fini(struct dirty *d, const struct session_mem *mem)
{
	if (d->soon.e != NULL)
		mem->free(mem->ctx, d->soon.e);
	if (d->normal.e != NULL)
		mem->free(mem->ctx, d->normal.e);
	d->soon.e = NULL;
	d->normal.e = NULL;
}

void dirty_clear(struct dirty *d)
{
	d->soon.head = d->soon.tail;
	d->normal.head = d->normal.tail;
	d->due_end = d->normal.tail;
	for (unsigned int i = 0; i < 256; i++)
		d->tick_end[i] = d->normal.tail;
}

static void dirty_forget_ring(struct dirty_ring *r, const struct session_table *t, uint8_t list)
{
	for (; r->head != r->tail; r->head++) {
		struct session_slot *s = session_slot_of(t, r->e[r->head & r->mask]);

		s->listed &= (uint8_t)~list;
		s->dirty = 0;
	}
}

void dirty_forget(struct dirty *d, const struct session_table *t)
{
	dirty_forget_ring(&d->soon, t, DIRTY_SOON);
	dirty_forget_ring(&d->normal, t, DIRTY_NORMAL);
	dirty_clear(d);
}

void dirty_tick(struct dirty *d)
{
	d->tick_end[d->tick++ & 255] = d->normal.tail;
	d->due_end = d->tick_end[(d->tick - d->wait_ticks) & 255];
	/* What was drained early went past it: the end is never behind the beginning. */
	if ((int32_t)(d->due_end - d->normal.head) < 0)
		d->due_end = d->normal.head;
}

uint32_t dirty_due_now(struct dirty *d)
{
	d->due_end = d->normal.tail;
	return d->due_end;
}

void dirty_mark_soon(struct dirty *d, struct session_slot *s, uint32_t handle, uint8_t groups)
{
	if (!(s->listed & DIRTY_SOON)) {
		s->listed |= DIRTY_SOON;
		d->soon.e[d->soon.tail++ & d->soon.mask] = handle;
	}
	s->dirty |= groups;
}

bool dirty_any(const struct dirty *d)
{
	return d->soon.head != d->soon.tail || d->normal.head != d->normal.tail;
}
