/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "annex.h"
#include "session/freemap.h"
#include "session/generation.h"
#include "slot.h"

void session_generations(
	struct session_table *t, uint32_t shard, const struct siphash_secret *life, uint64_t term)
{
	t->shard[shard].term = term;
	t->shard[shard].gen_key = generation_key(life, term, shard);
}

/* The next generation of a slot, allocated by this side. 0 means never used, 1 is left out with
 * it; and no handle is ~0. */
static uint32_t door_next_handle(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint32_t gen)
{
	const struct siphash_secret *key = &t->shard[shard].gen_key;
	uint32_t handle;

	do {
		gen = generation_next(key, slot, t->gen_width, gen, t->side);
		handle = session_handle_make(t, shard, slot, gen);
	} while (gen < 2 || handle == UINT32_MAX);
	return handle;
}

/* What the owner did with a session, whose record is rec. */
static struct session_event door_event(const struct session_table *t, uint8_t by,
	enum session_event_kind kind, const struct session_rec *rec)
{
	return (struct session_event){ .kind = kind,
		.by = by,
		.handle = rec->handle,
		.key = rec->key,
		.term = t->shard[session_handle_shard(rec->handle)].term,
		.rec = rec };
}

int session_create(struct session_table *t, uint8_t by, struct session_rec *rec, uint32_t now_s)
{
	static const struct session_usage none;
	uint32_t shard = session_shard_of(&rec->ue), slot, handle;
	struct session_shard *sh = &t->shard[shard];
	struct session_event e;
	struct session_slot *s;

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (!slot_may_begin(rec))
		return -EINVAL;
	if (!annex_fits(t, rec)) {
		sh->count.refused_annex++;
		return -E2BIG;
	}
	if (t->hooks.named(t->hooks.ctx, rec->pool, &rec->ue) != 0)
		return -EEXIST;
	if (!freemap_next(sh->free_map, t->n_slots, &sh->cursor, &slot)) {
		sh->count.full++;
		return -ENOSPC;
	}
	s = &sh->slots[slot];
	handle = door_next_handle(t, shard, slot, s->gen);
	if (ip_addr_to_v4(&rec->ue) == 0 ||
		t->hooks.bind(t->hooks.ctx, rec->pool, &rec->ue, handle) < 0) {
		sh->count.refused_pool++;
		return -ENOENT;
	}
	rte_bitmap_clear(sh->free_map, slot);
	rec->handle = handle;
	rec->state = SESSION_LIVE;
	rec->usage[0] = rec->usage[1] = none;
	slot_write_begin(s);
	slot_store_live(t, s, rec, now_s);
	slot_store_usage(s, &none, &none);
	slot_write_end(t, s);
	sh->n_live++;
	sh->count.created++;
	e = door_event(t, by, SESSION_BEGUN, rec);
	slot_event(t, &e);
	return 0;
}

/* Reads the slot for whoever listens: a record is long. */
static void door_updated(const struct session_table *t, uint8_t by, const struct session_slot *s)
{
	struct session_rec rec;
	struct session_event e;

	if (t->hooks.event == NULL)
		return;
	session_read(t, s, &rec);
	e = door_event(t, by, SESSION_UPDATED, &rec);
	slot_event(t, &e);
}

int session_update(
	struct session_table *t, uint8_t by, const struct session_rec *rec, uint8_t groups)
{
	uint32_t shard = session_handle_shard(rec->handle);
	struct session_slot *s = session_find(t, rec->handle);

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (s == NULL) {
		t->shard[shard].count.refused_handle++;
		return -ENOENT;
	}
	if (groups & SESSION_G_EXTRA && !annex_fits(t, rec)) {
		t->shard[shard].count.refused_annex++;
		return -E2BIG;
	}
	slot_write_begin(s);
	slot_store(t, s, rec, groups);
	slot_write_end(t, s);
	t->shard[shard].count.updated++;
	if (groups & ~SESSION_G_REQUEST)
		door_updated(t, by, s);
	return 0;
}

/* Reports the end, while the slot still has what is lost by it. 0 or -EAGAIN. */
static int door_ended(const struct session_table *t, uint8_t by, const struct session_slot *s,
	enum session_why why)
{
	struct session_rec rec;
	struct session_event e;

	if (t->hooks.event == NULL)
		return 0;
	session_read(t, s, &rec);
	e = door_event(t, by, SESSION_ENDED, &rec);
	e.why = why;
	return slot_event(t, &e);
}

/* The live slot of the handle, or the one in which that session is ending; NULL: neither. */
static struct session_slot *door_whole(const struct session_table *t, uint32_t handle)
{
	struct session_slot *s = session_slot_of(t, handle);

	if (session_find(t, handle) != NULL)
		return s;
	if (s->teid != 0 || s->state != SESSION_ENDING)
		return NULL;
	return session_handle_make(t, session_handle_shard(handle), session_handle_slot(t, handle),
		       s->gen) == handle
		       ? s
		       : NULL;
}

/* What both ways of an end write, of a slot that the caller has open: a live session is over. */
static void door_store_end(
	struct session_table *t, struct session_slot *s, const struct session_end *end)
{
	if (end->request != NULL)
		slot_store(t, s, end->request, SESSION_G_REQUEST);
}

/* From here on the address waits, and the session does not count. */
static void door_over(struct session_table *t, uint32_t handle, uint32_t now_s)
{
	uint32_t shard = session_handle_shard(handle);

	quarantine_put(t, shard, session_handle_slot(t, handle), now_s);
	t->shard[shard].n_live--;
}

int session_end(struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end)
{
	uint32_t shard = session_handle_shard(handle);
	struct session_slot *s = session_find(t, handle);

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (s == NULL) {
		t->shard[shard].count.refused_handle++;
		return -ENOENT;
	}
	if (s->key == 0 || s->pdp_type == 0)
		return -EINVAL;
	if (door_ended(t, by, s, end->why) < 0)
		return -EAGAIN;
	slot_write_begin(s);
	s->teid = 0;
	s->state = SESSION_ENDING;
	door_store_end(t, s, end);
	slot_write_end(t, s);
	door_over(t, handle, end->now_s);
	t->shard[shard].count.ending++;
	return 0;
}

int session_free(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end)
{
	uint32_t shard = session_handle_shard(handle);
	struct session_slot *s = door_whole(t, handle);
	bool live = session_find(t, handle) != NULL;

	if (!shard_writable(t, shard, by))
		return -EPERM;
	if (s == NULL) {
		t->shard[shard].count.refused_handle++;
		return -ENOENT;
	}
	if (live && door_ended(t, by, s, end->why) < 0)
		return -EAGAIN;
	slot_write_begin(s);
	slot_store_free(t, s, s->gen, s->pool, s->ue4);
	door_store_end(t, s, end);
	slot_write_end(t, s);
	if (live)
		door_over(t, handle, end->now_s);
	else if (!(s->flags & SESSION_F_QUARANTINE)) /* its address has waited long enough */
		rte_bitmap_set(t->shard[shard].free_map, session_handle_slot(t, handle));
	t->shard[shard].count.freed++;
	return 0;
}
