/* SPDX-License-Identifier: BSD-3-Clause */
/* A FIFO of slot numbers in the order in which their addresses were given up: of free slots, and of
 * ending ones, which leave it as free ones do but are not given out. A slot that begins to live
 * while it is listed (its record was applied) stays listed and is dropped when its turn comes, so
 * the FIFO never holds a slot twice and never overflows.
 *
 * Several slots may wait with one address, which names one of them: as a rule the one that was
 * heard of last. What was heard of last need not have ended last, because an audit tells of slots
 * in their order. So each knows its neighbours, and whoever leaves hands the address on. No list is
 * ever walked. */
#include "slot.h"

/* NULL: none, or it does not wait with that address any more. */
static struct session_slot *quarantine_neighbour(
	const struct session_table *t, const struct session_slot *s, uint32_t from_1)
{
	const struct session_slot *n;

	if (from_1 == 0 || from_1 > t->n_slots << SESSION_SHARD_BITS)
		return NULL;
	n = &t->slots[from_1 - 1];
	return n->flags & SESSION_F_QUARANTINE && n->ue4 == s->ue4 && n->pool == s->pool
		       ? &t->slots[from_1 - 1]
		       : NULL;
}

/* Its neighbours are each other's. The one that has its address then; NULL: nobody. */
static struct session_slot *quarantine_part(struct session_table *t, struct session_slot *s)
{
	struct session_slot *newer, *older;

	if (!(s->flags & SESSION_F_QUARANTINE))
		return NULL;
	newer = quarantine_neighbour(t, s, s->newer);
	older = quarantine_neighbour(t, s, s->older);
	if (newer != NULL)
		newer->older = s->older;
	if (older != NULL)
		older->newer = s->newer;
	s->newer = s->older = 0;
	return older != NULL ? older : newer;
}

static uint32_t quarantine_no(const struct session_table *t, const struct session_slot *s)
{
	return (uint32_t)(s - t->slots) + 1;
}

static struct session_shard *quarantine_shard(struct session_table *t, const struct session_slot *s)
{
	return &t->shard[(size_t)(s - t->slots) >> t->slot_bits];
}

void quarantine_contest(struct session_table *t, struct session_slot *s)
{
	if (!(s->flags & SESSION_F_QUARANTINE) || s->flags & SESSION_F_CONTESTED)
		return;
	s->flags |= SESSION_F_CONTESTED;
	quarantine_shard(t, s)->contested++;
}

void quarantine_uncontest(struct session_table *t, struct session_slot *s)
{
	if (!(s->flags & SESSION_F_CONTESTED))
		return;
	s->flags &= (uint8_t)~SESSION_F_CONTESTED;
	quarantine_shard(t, s)->contested--;
}

void quarantine_behind(struct session_table *t, struct session_slot *s, struct session_slot *from)
{
	struct session_slot *newer;

	if (quarantine_neighbour(t, s, quarantine_no(t, from)) == NULL)
		return;
	quarantine_part(t, s);
	newer = quarantine_neighbour(t, s, from->newer);
	s->newer = newer != NULL ? from->newer : 0;
	s->older = quarantine_no(t, from);
	if (newer != NULL)
		newer->older = quarantine_no(t, s);
	from->newer = quarantine_no(t, s);
}

void quarantine_leave(struct session_table *t, uint32_t shard, uint32_t slot)
{
	struct session_slot *s = &t->shard[shard].slots[slot];
	struct session_slot *successor = quarantine_part(t, s);
	uint32_t mine = session_handle_make(t, shard, slot, s->gen), next;
	struct ip_addr ue = slot_address(s->ue4);

	if (successor != NULL && s->flags & SESSION_F_CONTESTED)
		quarantine_contest(t, successor);
	quarantine_uncontest(t, s);
	if (successor == NULL || t->hooks.named(t->hooks.ctx, s->pool, &ue) != mine) {
		t->hooks.unbind(t->hooks.ctx, s->pool, &ue, mine);
		return;
	}
	next = (uint32_t)(successor - t->shard[shard].slots);
	t->hooks.bind(
		t->hooks.ctx, s->pool, &ue, session_handle_make(t, shard, next, successor->gen));
}

void quarantine_put(struct session_table *t, uint32_t shard, uint32_t slot, uint32_t now_s)
{
	struct session_shard *sh = &t->shard[shard];
	struct session_slot *s = &sh->slots[slot];

	s->freed_s = now_s;
	rte_bitmap_clear(sh->free_map, slot);
	if (!(s->flags & SESSION_F_QUARANTINE))
		s->newer = s->older = 0;
	if (s->flags & SESSION_F_IN_FIFO) {
		s->flags |= SESSION_F_QUARANTINE | SESSION_F_AGAIN;
		return;
	}
	s->flags |= SESSION_F_QUARANTINE | SESSION_F_IN_FIFO;
	sh->fifo[sh->fifo_tail++ & (t->n_slots - 1)] = slot;
}

/* Who has its address still, lives with it. */
void quarantine_drop(struct session_table *t, struct session_slot *s)
{
	struct session_slot *successor = quarantine_part(t, s);

	if (successor != NULL)
		quarantine_contest(t, successor);
	quarantine_uncontest(t, s);
	s->flags &= (uint8_t) ~(SESSION_F_QUARANTINE | SESSION_F_AGAIN);
}

/* Two chassis that were both active may have leased one address to two sessions, and what one of
 * them heard of a live session may be old. When that one has gone without an end of its own, those
 * that waited with its address wait on with it, one behind the other, and the last one has it. */
void quarantine_inherit(
	struct session_table *t, uint32_t shard, uint32_t slot, uint8_t pool, uint32_t ue4)
{
	struct session_shard *sh = &t->shard[shard];
	struct session_slot *last = NULL, *before = NULL;
	struct ip_addr ue = slot_address(ue4);
	uint32_t handle = 0;

	if (sh->contested == 0)
		return;
	for (uint32_t i = sh->fifo_head; i != sh->fifo_tail; i++) {
		uint32_t successor = sh->fifo[i & (t->n_slots - 1)];
		struct session_slot *s = &sh->slots[successor];

		if (successor == slot || !(s->flags & SESSION_F_QUARANTINE) || s->ue4 != ue4 ||
			s->pool != pool)
			continue;
		quarantine_uncontest(t, s);
		if (before != NULL)
			quarantine_behind(t, s, before);
		before = s;
		if (last != NULL && s->freed_s < last->freed_s)
			continue;
		last = s;
		handle = session_handle_make(t, shard, successor, s->gen);
	}
	if (last != NULL)
		t->hooks.bind(t->hooks.ctx, pool, &ue, handle);
}

static bool quarantine_is_over(const struct session_table *t, const struct session_shard *sh,
	const struct session_slot *s, uint32_t now_s)
{
	uint32_t from = s->freed_s > sh->quarantine_base_s ? s->freed_s : sh->quarantine_base_s;

	return now_s >= from &&
	       now_s - from >= atomic_load_explicit(&t->quarantine_s, memory_order_relaxed);
}

void session_quarantine_least(struct session_table *t, uint32_t quarantine_s)
{
	if (quarantine_s > atomic_load_explicit(&t->quarantine_s, memory_order_relaxed))
		atomic_store_explicit(&t->quarantine_s, quarantine_s, memory_order_relaxed);
}

static void quarantine_release(struct session_table *t, uint32_t shard, uint32_t slot)
{
	struct session_shard *sh = &t->shard[shard];
	struct session_slot *s = &sh->slots[slot];

	quarantine_leave(t, shard, slot);
	quarantine_drop(t, s);
	if (s->state != SESSION_ENDING)
		rte_bitmap_set(sh->free_map, slot);
	sh->count.quarantine_released++;
}

unsigned int session_quarantine_expire(
	struct session_table *t, uint8_t by, uint32_t shard, uint32_t now_s, unsigned int max)
{
	struct session_shard *sh = &t->shard[shard];
	uint32_t mask = t->n_slots - 1;
	unsigned int n = 0;

	if (!shard_writable(t, shard, by))
		return 0;
	for (; max > 0 && sh->fifo_head != sh->fifo_tail; max--) {
		uint32_t slot = sh->fifo[sh->fifo_head & mask];
		struct session_slot *s = &sh->slots[slot];

		if (s->flags & SESSION_F_AGAIN) { /* younger than its place says */
			s->flags &= (uint8_t)~SESSION_F_AGAIN;
			sh->fifo_head++;
			sh->fifo[sh->fifo_tail++ & mask] = slot;
			continue;
		}
		if (s->flags & SESSION_F_QUARANTINE && !quarantine_is_over(t, sh, s, now_s))
			break;
		sh->fifo_head++;
		s->flags &= (uint8_t)~SESSION_F_IN_FIFO;
		if (s->flags & SESSION_F_QUARANTINE) {
			quarantine_release(t, shard, slot);
			n++;
		}
	}
	return n;
}

void session_quarantine_restart(struct session_table *t, uint32_t shard, uint32_t now_s)
{
	t->shard[shard].quarantine_base_s = now_s;
}
