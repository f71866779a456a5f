/* SPDX-License-Identifier: BSD-3-Clause */
/* How long an address waits where several sessions had it, some of them the other side's. */
#include <errno.h>

#include <rte_bitmap.h>

#include "session_fixture.h"

static uint64_t seed = 13;

/* Both were active and leased one address; the winner's session has ended when its record comes.
 * The address is not free at the loser when its own session is cleared, but when the quarantine
 * that came with the record is over. */
void test_quarantine_inherited(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended = fix_made(&seed, a, 0x0a00000b, 5),
			   again = { .pdp_type = 0x21, .key = 9 };

	fix_made(&seed, b, 0x0a00004b, 6); /* in slot 0 */
	fix_made(&seed, b, 0x0a00000b, 7); /* in slot 1 */
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, ended.handle, FIX_END(0)), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, ended.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, session_handle_make(a->t, 11, 1, 0), SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended.handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	again.ue = ip_addr_v4(0x0a00000b);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 1), -EEXIST);
	session_quarantine_expire(b->t, FIX_BY, 11, 1000, 64);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 1000), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* Two sessions that had one address in turn and have ended, the first in slot 0. */
static void ended_in_turn(struct chassis *c, uint32_t ue4, struct session_rec ended[2])
{
	ended[0] = fix_made(&seed, c, ue4, 5);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, ended[0].handle, FIX_END(90)), 0);
	session_quarantine_expire(c->t, FIX_BY, session_shard_of(&ended[0].ue), 100, 64);
	ended[1] = fix_made(&seed, c, ue4, 6);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, ended[1].handle, FIX_END(104)), 0);
	CU_ASSERT_EQUAL(session_handle_slot(c->t, ended[1].handle), 1);
}

/* Of the second session nothing is heard but its end, while the first, which was heard of late,
 * is still in quarantine: the address waits for as long as the second. */
void test_quarantine_by_end_alone(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended[2], again = { .pdp_type = 0x21, .key = 9 };

	ended_in_turn(a, 0x0a00000b, ended);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[1].handle, SESSION_G_SLOT, 104), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 106), 0); /* repeated */
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 110, 64), 1);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[1].handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	again.ue = ip_addr_v4(0x0a00000b);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 110), -EEXIST);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 113, 64), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 114, 64), 1);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 114), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* What is heard again of the first, which has waited, is no news: the address stays with the
 * second. */
void test_quarantine_old_end(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended[2];

	ended_in_turn(a, 0x0a00000b, ended);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 90), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 100, 64), 1);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[1].handle, SESSION_G_SLOT, 104), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 106), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[1].handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* Both ended while a session of the other side had the address: when that one is cleared, the
 * address waits for as long as the second. */
void test_quarantine_inherited_youngest(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended[2];

	fix_made(&seed, b, 0x0a00004b, 6); /* in slot 0 */
	fix_made(&seed, b, 0x0a00008b, 7); /* in slot 1 */
	fix_made(&seed, b, 0x0a00000b, 8); /* in slot 2 */
	ended_in_turn(a, 0x0a00000b, ended);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[1].handle, SESSION_G_SLOT, 104), 0);
	CU_ASSERT_EQUAL(
		fix_ship_at(a, b, session_handle_make(a->t, 11, 2, 0), SESSION_G_SLOT, 104), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[1].handle);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 110, 64), 1);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[1].handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* A free slot that is used anew leaves its address to one that still waits with it here. That is no
 * heir of a session of the other side: one that is cleared next leaves its address to nobody else.
 */
void test_quarantine_of_reused(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1), *later = fix_new(0, 1);
	struct session_rec ended[2], contested, anew;

	fix_made(&seed, b, 0x0a00004b, 6); /* in slot 0 */
	fix_made(&seed, b, 0x0a00008b, 7); /* in slot 1 */
	fix_made(&seed, b, 0x0a0000cb, 8); /* in slot 2 */
	ended_in_turn(a, 0x0a00000b, ended);
	fix_made(&seed, a, 0x0a00008b, 9);              /* in slot 2 */
	contested = fix_made(&seed, a, 0x0a0000cb, 10); /* in slot 3 */
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, contested.handle, FIX_END(104)), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[1].handle, SESSION_G_SLOT, 104), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, contested.handle, SESSION_G_SLOT, 104), 0);
	fix_made(&seed, later, 0x0a00000b, 5);
	anew = fix_made(&seed, later, 0x0a00004b, 11); /* in slot 1 */
	CU_ASSERT_EQUAL(fix_ship_at(later, b, anew.handle, SESSION_G_SLOT, 105), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[0].handle);
	CU_ASSERT_EQUAL(
		fix_ship_at(a, b, session_handle_make(a->t, 11, 2, 1), SESSION_G_SLOT, 106), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a0000cb), contested.handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
	fix_free(later);
}

enum { TURNS = 4 };

/* Sessions in slots 0 to 3 that had one address in turn, of which the last ended at 160; the free
 * slots of the others may be given out. */
static void ended_last_at_160(struct chassis *c, struct session_rec ended[TURNS])
{
	for (unsigned int i = 0; i < TURNS; i++) {
		session_quarantine_expire(c->t, FIX_BY, 11, 90 + 20 * i, 64);
		ended[i] = fix_made(&seed, c, 0x0a00000b, 5 + i);
		CU_ASSERT_EQUAL(session_handle_slot(c->t, ended[i].handle), i);
		CU_ASSERT_EQUAL(
			session_free(c->t, FIX_BY, ended[i].handle, FIX_END(100 + 20 * i)), 0);
	}
}

/* Another session in that slot, with another address, of which the record comes. */
static void use_anew(struct chassis *to, uint32_t slot, uint32_t ue4)
{
	struct chassis *from = fix_new(0, 1);
	struct session_rec r;

	from->t->shard[11].cursor = slot;
	r = fix_made(&seed, from, ue4, 20 + slot);
	CU_ASSERT_EQUAL(session_handle_slot(from->t, r.handle), slot);
	CU_ASSERT_EQUAL(fix_ship_at(from, to, r.handle, SESSION_G_SLOT, 162), 0);
	CU_ASSERT_EQUAL(fix_broken(to), 0);
	fix_free(from);
}

/* A standby that heard of the last end first, and then, by an audit, of the free slots that had the
 * address long before, each as if it had ended last. */
static struct chassis *heard_late(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended[TURNS];

	ended_last_at_160(a, ended);
	for (unsigned int i = TURNS; i-- > 0;)
		CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[i].handle, SESSION_G_SLOT, 162 - i), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[0].handle);
	fix_free(a);
	return b;
}

/* Whichever of them are used anew, in whatever order, the address waits with those that are left,
 * and is free when the last has waited. */
static void waits_with_the_rest(const uint8_t order[TURNS], unsigned int used)
{
	struct session_rec again = { .pdp_type = 0x21, .key = 9 };
	struct chassis *b = heard_late();

	again.ue = ip_addr_v4(0x0a00000b);
	for (unsigned int i = 0; i < used; i++)
		use_anew(b, order[i], 0x0a00004b + 64 * i);
	CU_ASSERT_NOT_EQUAL(fix_holder(b->ps, 0x0a00000b), 0);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 162), -EEXIST);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 11, 172, 64), TURNS - used);
	CU_ASSERT_EQUAL(session_create(b->t, FIX_BY, &again, 172), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(b);
}

void test_quarantine_heard_late(void)
{
	for (unsigned int code = 0; code < 256; code++) {
		const uint8_t order[TURNS] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
		unsigned int slots = 0;

		for (unsigned int i = 0; i < TURNS; i++)
			slots |= 1U << order[i];
		for (unsigned int used = 0; slots == 15 && used < TURNS; used++)
			waits_with_the_rest(order, used);
	}
}

/* The pool of slots that are free or ending has left on both, after their address had waited: who
 * hears of them later has the same, and nothing of it waits. */
void test_quarantine_of_left_pool(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r[2], live = fix_made(&seed, a, 0x0a00002b, 7);
	struct pool_made *m = NULL;

	for (unsigned int i = 0; i < 2; i++) {
		r[i] = fix_made(&seed, a, 0x0a01002b, 5 + i);
		CU_ASSERT_EQUAL(session_end(a->t, FIX_BY, r[i].handle, FIX_END(100)), 0);
		CU_ASSERT_EQUAL(session_handle_slot(a->t, r[i].handle), i + 1);
		if (i == 0)
			CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r[i].handle, FIX_END(100)), 0);
		session_quarantine_expire(a->t, FIX_BY, 43, 1000, 64);
	}
	CU_ASSERT_EQUAL(pool_take(a->ps, 1, &m), 0);
	CU_ASSERT_EQUAL(pool_gone(a->ps, m), 0);
	pool_unmake(m);
	CU_ASSERT_EQUAL(pool_take(b->ps, 1, &m), 0);
	CU_ASSERT_EQUAL(pool_gone(b->ps, m), 0);
	pool_unmake(m);
	for (unsigned int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(fix_ship_at(a, b, r[i & 1].handle, SESSION_G_SLOT, 1001), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, live.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(session_hash_bucket(a->t, 43, 0), session_hash_bucket(b->t, 43, 0));
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 43, 2000, 64), 0);
	CU_ASSERT_NOT_EQUAL(rte_bitmap_get(b->t->shard[43].free_map, 1), 0);
	CU_ASSERT_EQUAL(rte_bitmap_get(b->t->shard[43].free_map, 2), 0); /* it is ending yet */
	CU_ASSERT_EQUAL(session_count_of_apn(b->t, r[1].apn), 1);
	session_find(a->t, live.handle)->pool = 1;
	CU_ASSERT_EQUAL(fix_ship(a, b, live.handle, SESSION_G_SLOT), -ENOENT);
	session_find(a->t, live.handle)->pool = 0;
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r[1].handle, FIX_END(1002)), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r[1].handle, SESSION_G_SLOT, 1002), 0);
	CU_ASSERT_NOT_EQUAL(rte_bitmap_get(b->t->shard[43].free_map, 2), 0);
	fix_free(a);
	fix_free(b);
}

/* The last of those that wait there with the address, until 170. */
static void waits_again(struct chassis *c, uint32_t handle)
{
	struct session_rec again = { .pdp_type = 0x21, .key = 9 };

	again.ue = ip_addr_v4(0x0a00000b);
	CU_ASSERT_EQUAL(fix_holder(c->ps, 0x0a00000b), handle);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 162), -EEXIST);
	session_quarantine_expire(c->t, FIX_BY, 11, 169, 64);
	CU_ASSERT_EQUAL(fix_holder(c->ps, 0x0a00000b), handle);
	session_quarantine_expire(c->t, FIX_BY, 11, 170, 64);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 170), 0);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
}

/* A chassis that knew nothing of the end leases the address again, and is lost; of that session
 * nothing is heard but its record, and then that of another one in its slot. The address was the
 * slot's that waits with it, and is so again. */
void test_quarantine_behind_live(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1), *later = fix_new(0, 1);
	struct session_rec ended = fix_made(&seed, a, 0x0a00000b, 5), live;

	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, ended.handle, FIX_END(160)), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended.handle, SESSION_G_SLOT, 160), 0);
	fix_made(&seed, later, 0x0a00004b, 6); /* in slot 0 */
	live = fix_made(&seed, later, 0x0a00000b, 7);
	CU_ASSERT_EQUAL(fix_ship_at(later, b, live.handle, SESSION_G_SLOT, 161), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), live.handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	use_anew(b, 1, 0x0a00008b);
	waits_again(b, ended.handle);
	CU_ASSERT_EQUAL(b->t->shard[11].contested, 0);
	fix_free(a);
	fix_free(b);
	fix_free(later);
}

/* The same, where the live session has the slot of one of those that wait with its address, or
 * another slot, and one or two are left. */
void test_quarantine_behind_live_of_many(void)
{
	for (uint32_t slot = 0; slot <= TURNS; slot++) {
		struct chassis *b = heard_late(), *later = fix_new(0, 1);
		struct session_rec live;
		uint32_t holder;

		later->t->shard[11].cursor = slot;
		live = fix_made(&seed, later, 0x0a00000b, 7);
		CU_ASSERT_EQUAL(session_handle_slot(later->t, live.handle), slot);
		CU_ASSERT_EQUAL(fix_ship_at(later, b, live.handle, SESSION_G_SLOT, 162), 0);
		CU_ASSERT_EQUAL(fix_broken(b), 0);
		CU_ASSERT_NOT_EQUAL(b->t->shard[11].contested, 0);
		use_anew(b, (slot + 1) % TURNS, 0x0a00004b); /* one of those that wait */
		CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), live.handle);
		CU_ASSERT_NOT_EQUAL(b->t->shard[11].contested, 0);
		use_anew(b, slot, 0x0a00008b);
		CU_ASSERT_EQUAL(b->t->shard[11].contested, 0);
		holder = fix_holder(b->ps, 0x0a00000b);
		CU_ASSERT_NOT_EQUAL_FATAL(holder, 0);
		use_anew(b, session_handle_slot(b->t, holder), 0x0a0000cb);
		CU_ASSERT_NOT_EQUAL(fix_holder(b->ps, 0x0a00000b), 0);
		CU_ASSERT_NOT_EQUAL(fix_holder(b->ps, 0x0a00000b), holder);
		session_quarantine_expire(b->t, FIX_BY, 11, 172, 64);
		CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), 0);
		CU_ASSERT_EQUAL(fix_broken(b), 0);
		fix_free(b);
		fix_free(later);
	}
}

/* Two ended while a live session had their address, so that neither knew of the other: when that
 * one has gone and the slot of the last one is used anew, the address is the first one's. */
void test_quarantine_inherited_by_two(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec ended[2];

	fix_made(&seed, b, 0x0a00004b, 6); /* in slot 0 */
	fix_made(&seed, b, 0x0a00008b, 7); /* in slot 1 */
	fix_made(&seed, b, 0x0a00000b, 8); /* in slot 2 */
	ended_in_turn(a, 0x0a00000b, ended);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[0].handle, SESSION_G_SLOT, 160), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, ended[1].handle, SESSION_G_SLOT, 161), 0);
	CU_ASSERT_EQUAL(b->t->shard[11].contested, 2);
	use_anew(b, 2, 0x0a0000cb);
	CU_ASSERT_EQUAL(b->t->shard[11].contested, 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000b), ended[1].handle);
	use_anew(b, 1, 0x0a00008b);
	waits_again(b, ended[0].handle);
	fix_free(a);
	fix_free(b);
}
