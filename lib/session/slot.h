/* SPDX-License-Identifier: BSD-3-Clause */
/* slot: what the files of lib/session share: writing a slot under its sequence count, and a slot's
 * ways from and to the decoded record. Private to lib/session. */
#ifndef TANDEM_SESSION_SLOT_H
#define TANDEM_SESSION_SLOT_H

#include <rte_bitmap.h>

#include "session/session.h"

/* Groups that slot_store takes, and those that a free slot keeps. */
enum {
	SLOT_G_STORED = SESSION_G_IDENTITY | SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST |
			SESSION_G_EXTRA,
	SLOT_G_FREE = SESSION_G_IDENTITY | SESSION_G_TUNNEL | SESSION_G_REQUEST | SESSION_G_EXTRA,
};

static inline uint64_t usage_get(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}
static inline void usage_set(uint64_t *c, uint64_t v)
{
	__atomic_store_n(c, v, __ATOMIC_RELAXED);
}

/* Whether the slot has the whole record of a session, live or ending. */
static inline bool slot_is_whole(const struct session_slot *s)
{
	return s->teid != 0 || s->state == SESSION_ENDING;
}

/* What a free slot has not, and by which an ending session is told from one. No session begins
 * without, at the owner or by a record. */
static inline bool slot_may_begin(const struct session_rec *rec)
{
	return rec->key != 0 && rec->pdp_type != 0;
}

/* The slot counts as what it is now, and no more as what it was: the slot itself says what that
 * was, because its record may have changed in between without being written. */
void slot_count(struct session_table *t, struct session_slot *s);

/* W0: `seq` is odd before any field changes; its partner is R1, the reader's fence before it looks
 * at `seq` again. */
static inline void slot_write_begin(struct session_slot *s)
{
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);

	atomic_store_explicit(&s->seq, seq + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}
/* W1: all fields have changed before `seq` is even; its partner is R0, the reader's first load of
 * `seq`. Whoever writes a slot counts it. */
static inline void slot_write_end(struct session_table *t, struct session_slot *s)
{
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);
	bool counted = s->flags & SESSION_F_COUNTED;

	if (slot_is_whole(s) != counted || (counted && s->counted_apn != s->apn))
		slot_count(t, s);
	atomic_store_explicit(&s->seq, seq + 1, memory_order_release);
}

/* Whether `by` owns the shard; counts a refusal. */
static inline bool shard_writable(struct session_table *t, uint32_t shard, uint8_t by)
{
	if (session_owns(t, shard, by))
		return true;
	/* Not the shard's writer, so not alone in writing this counter. */
	__atomic_fetch_add(&t->shard[shard].count.not_owner, 1, __ATOMIC_RELAXED);
	return false;
}

static inline struct ip_addr slot_address(uint32_t ue4)
{
	return ue4 != 0 ? ip_addr_v4(ue4) : (struct ip_addr){ { 0 } };
}

/* A consistent copy of the slot, and of its annex, if it is used. */
void slot_copy(const struct session_table *t, const struct session_slot *s,
	struct session_slot *copy, struct session_annex *annex);
/* The record of a copy. */
void slot_record(const struct session_table *t, uint32_t shard, uint32_t slot,
	const struct session_slot *copy, struct session_rec *rec);

/* The following change a slot; call between slot_write_begin and slot_write_end. */

/* TUNNEL, QOS, REQUEST and EXTRA of `groups`, and of IDENTITY what may change in a session's life.
 */
void slot_store(struct session_table *t, struct session_slot *s, const struct session_rec *rec,
	uint8_t groups);
/* Everything but usage; another session than before starts with fresh local fields. */
void slot_store_live(struct session_table *t, struct session_slot *s, const struct session_rec *rec,
	uint32_t now_s);
/* The same of a session that is over already. */
void slot_store_ending(
	struct session_table *t, struct session_slot *s, const struct session_rec *rec);
void slot_store_usage(
	struct session_slot *s, const struct session_usage *own, const struct session_usage *other);
/* Free, with this generation and last address; TUNNEL, REQUEST and ADDR6 stay. */
void slot_store_free(struct session_table *t, struct session_slot *s, uint16_t gen, uint8_t pool,
	uint32_t last_ue4);
/* What can only be in one form gets it: state by the handle, unused octets and bits zero. */
void slot_canonical(struct session_table *t, struct session_slot *s);

/* The slot and its last address into quarantine, from now on. */
void quarantine_put(struct session_table *t, uint32_t shard, uint32_t slot, uint32_t now_s);
/* `s`, which was just put there, took its address over from `from`, which waits with it too. */
void quarantine_behind(struct session_table *t, struct session_slot *s, struct session_slot *from);
/* The slot gives its address up: if the address names it, that is free, or the one's who is known
 * to wait with it too. Before anything else of the slot changes. */
void quarantine_leave(struct session_table *t, uint32_t shard, uint32_t slot);
/* `s` waits with an address that a live session has: when that one gives it up and nobody has told
 * of its end, `s` has it again. Nothing, if it does not wait. */
void quarantine_contest(struct session_table *t, struct session_slot *s);
/* `s` waits, and has its address. */
void quarantine_uncontest(struct session_table *t, struct session_slot *s);
/* `slot`, which was live, has just given an address up: of those that are in quarantine for it the
 * last one has it from now on, and the others have it after that. */
void quarantine_inherit(
	struct session_table *t, uint32_t shard, uint32_t slot, uint8_t pool, uint32_t ue4);
/* Out of quarantine, whether it was in or not; neither map nor pool learns of it. */
void quarantine_drop(struct session_table *t, struct session_slot *s);

/* Reports an event, if somebody listens. What the hook says (session_hooks.event); 0: nobody. */
static inline int slot_event(const struct session_table *t, const struct session_event *e)
{
	void *ctx = t->hooks.event_ctx != NULL ? t->hooks.event_ctx : t->hooks.ctx;

	return t->hooks.event != NULL ? t->hooks.event(ctx, e) : 0;
}

#endif
