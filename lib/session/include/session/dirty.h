/* SPDX-License-Identifier: BSD-3-Clause */
/* dirty: which slots a worker still has to encode. Two lists: `soon` (commits, and what came back
 * from a loss) and `normal` (changed; waits out the micro-checkpoint interval, so that many changes
 * collapse into one record). A slot is at most once in each (slot->listed), so a ring as large as
 * the worker's slots never overflows. Owner: one worker. */
#ifndef TANDEM_SESSION_DIRTY_H
#define TANDEM_SESSION_DIRTY_H

#include "session/session.h"

enum { DIRTY_NORMAL = 1, DIRTY_SOON = 2 };

/* A ring of handles; capacity a power of two >= the slots that can be in it, so push never
 * fails. */
struct dirty_ring {
	uint32_t *e;
	uint32_t mask, head, tail; /* head: next out; tail: next in */
};

struct dirty {
	struct dirty_ring normal, soon; /* soon: urgent and repair, in order of marking */
	/* `normal` is in order of marking; tick_end[i & 255]: where its tail stood when tick i
	 * ended. */
	uint32_t tick;
	uint32_t tick_end[256];
	uint32_t wait_ticks; /* micro-checkpoint interval, 1..255 */
	uint32_t due_end;    /* normal entries before this position are due */
};

/* max_slots: all slots that this worker may own. wait_ticks: 1..255. 0 or -ENOMEM. */
int dirty_init(
	struct dirty *d, uint32_t max_slots, uint32_t wait_ticks, const struct session_mem *mem);
void dirty_fini(struct dirty *d, const struct session_mem *mem);
/* Empties the lists and leaves the slots alone: for who resets `listed` of the slots himself. */
void dirty_clear(struct dirty *d);
/* Empties the lists; what was listed is clean and listed nowhere afterwards. */
void dirty_forget(struct dirty *d, const struct session_table *t);
/* One tick (micro-checkpoint-interval / wait_ticks) has passed: a mark is due after wait_ticks of
 * them. */
void dirty_tick(struct dirty *d);
/* All that is listed now is due (until the next tick). Returns the position in `normal` where it
 * ends. */
uint32_t dirty_due_now(struct dirty *d);

/* Marks groups of a slot that its worker changed. The fast path's call: two compares when already
 * dirty. */
static inline void dirty_mark(
	struct dirty *d, struct session_slot *s, uint32_t handle, uint8_t groups)
{
	if (!(s->listed & DIRTY_NORMAL)) {
		s->listed |= DIRTY_NORMAL;
		d->normal.e[d->normal.tail & d->normal.mask] = handle;
		d->normal.tail++;
	}
	s->dirty |= groups;
}

/* The same, to be encoded at the next turn: commits and repairs. A slot that waits in `normal` too
 * stays there and is found clean when its turn comes. */
void dirty_mark_soon(struct dirty *d, struct session_slot *s, uint32_t handle, uint8_t groups);
/* Takes the next slot to encode, `soon` first: false when none is due. Clears its bit in
 * slot->listed. The caller encodes slot->dirty and sets it to 0, and skips a slot that is clean by
 * then. The generation bits of the handle may be stale: only its position counts. */
static inline bool dirty_next(struct dirty *d, const struct session_table *t, uint32_t *handle)
{
	struct dirty_ring *r = &d->soon;
	uint8_t list = DIRTY_SOON;

	if (r->head == r->tail) {
		r = &d->normal;
		list = DIRTY_NORMAL;
		/* a drain may have gone ahead of the ticks */
		if ((int32_t)(d->due_end - r->head) <= 0)
			return false;
	}
	*handle = r->e[r->head++ & r->mask];
	session_slot_of(t, *handle)->listed &= (uint8_t)~list;
	return true;
}
/* Whether anything at all is listed (due or not). */
bool dirty_any(const struct dirty *d);

#endif
