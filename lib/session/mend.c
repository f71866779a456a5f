/* SPDX-License-Identifier: BSD-3-Clause */
/* What a slot holds twice, or can only hold in one way: told apart from the rest, because its owner
 * can put it right. */
#include "annex.h"
#include "slot.h"

/* The handle stands in the slot's place and generation, in `teid`, and in the pool: two of them
 * against one. */
static uint32_t mend_true_handle(
	const struct session_table *t, uint32_t shard, uint32_t slot, const struct session_slot *s)
{
	uint32_t by_slot = session_handle_make(t, shard, slot, s->gen);
	struct ip_addr ue = slot_address(s->ue4);
	uint32_t named;

	if (s->teid == 0 || s->teid == by_slot)
		return s->teid;
	/* a free slot: no session is without an IMSI; or one that is over */
	if (s->key == 0 || s->state == SESSION_ENDING)
		return 0;
	named = t->hooks.named(t->hooks.ctx, s->pool, &ue);
	if (named == by_slot)
		return by_slot;
	if (named == s->teid && session_handle_shard(named) == shard &&
		session_handle_slot(t, named) == slot)
		return named;
	return s->teid;
}

/* A free or ending slot's generation, while the pool still names it for its last address. */
static void mend_free(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct session_slot *s)
{
	struct ip_addr ue = slot_address(s->ue4);
	uint32_t named = s->ue4 != 0 ? t->hooks.named(t->hooks.ctx, s->pool, &ue) : 0;

	if (named != 0 && session_handle_shard(named) == shard &&
		session_handle_slot(t, named) == slot)
		s->gen = (uint16_t)(named & t->gen_mask);
}

/* The usual live slot: everything held twice agrees. */
static bool mend_is_sound(
	const struct session_table *t, uint32_t shard, uint32_t slot, const struct session_slot *s)
{
	uint8_t tail = 0;

	if (s->teid == 0 || s->teid != session_handle_make(t, shard, slot, s->gen) ||
		s->gen > t->gen_mask || s->state != SESSION_LIVE ||
		s->direct_tunnel > SESSION_HEAD_VALUE || s->qos_len > SESSION_QOS_MAX ||
		(s->recovery != 0 && !(s->flags & SESSION_F_RECOVERY)))
		return false;
	for (unsigned int i = s->qos_len; i < SESSION_QOS_MAX; i++)
		tail |= s->qos[i];
	return tail == 0 && annex_is_sound(t, s);
}

bool session_mend(struct session_table *t, uint8_t by, uint32_t shard, uint32_t slot)
{
	struct session_slot *s = &t->shard[shard].slots[slot];
	uint32_t handle;
	uint64_t was;

	if (!shard_writable(t, shard, by) || mend_is_sound(t, shard, slot, s))
		return false;
	was = session_hash_slot(t, shard, slot);
	handle = mend_true_handle(t, shard, slot, s);
	slot_write_begin(s);
	s->teid = handle;
	if (handle != 0)
		s->gen = (uint16_t)(handle & t->gen_mask);
	else
		mend_free(t, shard, slot, s);
	slot_canonical(t, s);
	slot_write_end(t, s);
	return was != session_hash_slot(t, shard, slot);
}
