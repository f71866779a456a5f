/* SPDX-License-Identifier: BSD-3-Clause */
/* A FIFO of slot numbers in the order in which their addresses were given up: of free slots, and of
 * ending ones, which leave it as free ones do but are not given out. A slot that begins to live
 * while it is listed (its record was applied) stays listed and is dropped when its turn comes, so
 * the FIFO never holds a slot twice and never overflows. */
#include "slot.h"

void quarantine_put(struct session_table *t, uint32_t shard, uint32_t slot, uint32_t now_s)
{
	struct session_shard *sh = &t->shard[shard];
	struct session_slot *s = &sh->slots[slot];

	s->freed_s = now_s;
	rte_bitmap_clear(sh->free_map, slot);
	if (s->flags & SESSION_F_IN_FIFO) {
		s->flags |= SESSION_F_QUARANTINE | SESSION_F_AGAIN;
		return;
	}
	s->flags |= SESSION_F_QUARANTINE | SESSION_F_IN_FIFO;
	sh->fifo[sh->fifo_tail++ & (t->n_slots - 1)] = slot;
}

void quarantine_drop(struct session_slot *s)
{
	s->flags &= (uint8_t) ~(SESSION_F_QUARANTINE | SESSION_F_AGAIN);
}

/* Two chassis that were both active may have leased one address to two sessions. The winner's has
 * ended when its record comes, the loser's ends by the next one: only then is the address free for
 * the quarantine that it must wait out. Where several wait with it, that is the last one's. */
void quarantine_inherit(
	struct session_table *t, uint32_t shard, uint32_t slot, uint8_t pool, uint32_t ue4)
{
	struct session_shard *sh = &t->shard[shard];
	const struct session_slot *last = NULL;
	struct ip_addr ue = slot_address(ue4);
	uint32_t handle = 0;

	for (uint32_t i = sh->fifo_head; sh->contested > 0 && i != sh->fifo_tail; i++) {
		uint32_t successor = sh->fifo[i & (t->n_slots - 1)];
		const struct session_slot *s = &sh->slots[successor];

		if (successor == slot || !(s->flags & SESSION_F_QUARANTINE) || s->ue4 != ue4 ||
			s->pool != pool || (last != NULL && s->freed_s < last->freed_s))
			continue;
		last = s;
		handle = session_handle_make(t, shard, successor, s->gen);
	}
	if (last == NULL)
		return;
	t->hooks.bind(t->hooks.ctx, pool, &ue, handle);
	sh->contested--;
}

static bool quarantine_is_over(const struct session_table *t, const struct session_shard *sh,
	const struct session_slot *s, uint32_t now_s)
{
	uint32_t from = s->freed_s > sh->quarantine_base_s ? s->freed_s : sh->quarantine_base_s;

	return now_s >= from && now_s - from >= t->quarantine_s;
}

static void quarantine_release(struct session_table *t, uint32_t shard, uint32_t slot)
{
	struct session_shard *sh = &t->shard[shard];
	struct session_slot *s = &sh->slots[slot];
	struct ip_addr last = slot_address(s->ue4);

	quarantine_drop(s);
	t->hooks.unbind(t->hooks.ctx, s->pool, &last, session_handle_make(t, shard, slot, s->gen));
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
	if (sh->fifo_head == sh->fifo_tail)
		sh->contested = 0;
	return n;
}

void session_quarantine_restart(struct session_table *t, uint32_t shard, uint32_t now_s)
{
	t->shard[shard].quarantine_base_s = now_s;
}
