/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions that are over and whose slots wait until somebody has acknowledged the end: nobody finds
 * them, their addresses wait as those of free slots, and both chassis have all of their records. */
#include <errno.h>

#include <rte_bitmap.h>

#include "session_fixture.h"

enum { UE = 0x0a00000b, SHARD = 11, KEY = 5 };

static uint64_t seed = 14;

static unsigned int n_ended; /* events */
static bool full;

static int hear(void *ctx, const struct session_event *e)
{
	if (full && e->kind == SESSION_ENDED)
		return -EAGAIN;
	n_ended += e->kind == SESSION_ENDED;
	return fix_event(ctx, e);
}

static struct chassis *listening(uint8_t side)
{
	struct chassis *c = fix_new(side, 1);

	c->t->hooks.event = hear;
	n_ended = 0;
	full = false;
	return c;
}

/* An ending session that had carried traffic. */
static struct session_rec ended(struct chassis *c, uint32_t now_s)
{
	struct session_rec r = fix_made(&seed, c, UE, KEY);

	session_find(c->t, r.handle)->up_bytes = 1500;
	session_find(c->t, r.handle)->other.dn_bytes = 77;
	CU_ASSERT_EQUAL(session_end(c->t, FIX_BY, r.handle, FIX_END(now_s)), 0);
	session_read(c->t, session_slot_of(c->t, r.handle), &r);
	CU_ASSERT_EQUAL(r.state, SESSION_ENDING);
	return r;
}

static struct session_rec anew(uint32_t ue4)
{
	return fix_rec(&seed, 0, ue4, KEY);
}

static bool may_be_given_out(const struct chassis *c, uint32_t handle)
{
	return rte_bitmap_get(c->t->shard[SHARD].free_map, session_handle_slot(c->t, handle)) != 0;
}

/* To the fast path, the index and all who count it is gone; its record is there. */
void test_ending(void)
{
	struct chassis *c = listening(0);
	struct session_rec r = ended(c, 100), again = anew(UE + 64), no = r;

	CU_ASSERT_EQUAL(n_ended, 1);
	CU_ASSERT_EQUAL(r.usage[0].up_bytes, 1500);
	CU_ASSERT_EQUAL(r.usage[1].dn_bytes, 77);
	CU_ASSERT_EQUAL(r.key, KEY);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&r.ue), UE);
	CU_ASSERT_PTR_NULL(session_find(c->t, r.handle));
	CU_ASSERT_EQUAL(c->t->shard[SHARD].n_live, 0);
	CU_ASSERT_EQUAL(c->t->shard[SHARD].count.ending, 1);
	CU_ASSERT_EQUAL(c->index[KEY], 0);
	CU_ASSERT_EQUAL(session_update(c->t, FIX_BY, &r, SESSION_G_QOS), -ENOENT);
	CU_ASSERT_EQUAL(session_end(c->t, FIX_BY, r.handle, FIX_END(100)), -ENOENT);
	CU_ASSERT_EQUAL(session_end(c->t, 3, r.handle, FIX_END(100)), -EPERM);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle ^ 2, FIX_END(100)), -ENOENT);
	CU_ASSERT_EQUAL(session_free(c->t, 3, r.handle, FIX_END(100)), -EPERM);
	/* the subscriber may be back at once, the address not */
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 100), 0);
	CU_ASSERT_EQUAL(c->index[KEY], again.handle);
	no.ue = ip_addr_v4(UE);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &no, 100), -EEXIST);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	/* that it is freed is no second end */
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(101)), 0);
	CU_ASSERT_EQUAL(n_ended, 1);
	CU_ASSERT_EQUAL(c->index[KEY], again.handle);
	CU_ASSERT_EQUAL(c->t->shard[SHARD].n_live, 1);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(101)), -ENOENT);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* What cannot be reported, or could not be told from a free slot, does not end. */
void test_ending_refused(void)
{
	struct chassis *c = listening(0);
	struct session_rec r = fix_made(&seed, c, UE, KEY), request = r, is;
	struct session_rec nobody = fix_made(&seed, c, UE + 64, KEY + 1);
	struct session_end end = { .why = SESSION_WHY_REQUEST, .request = &request, .now_s = 100 };

	session_find(c->t, nobody.handle)->pdp_type = 0; /* memory lost it */
	request.req_seq++;
	full = true;
	CU_ASSERT_EQUAL(session_end(c->t, FIX_BY, r.handle, &end), -EAGAIN);
	session_read(c->t, session_slot_of(c->t, r.handle), &is);
	CU_ASSERT_TRUE(fix_same(&is, &r));
	full = false;
	CU_ASSERT_EQUAL(session_end(c->t, FIX_BY, nobody.handle, &end), -EINVAL);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, nobody.handle, &end), 0);
	CU_ASSERT_EQUAL(session_end(c->t, FIX_BY, r.handle, &end), 0);
	session_read(c->t, session_slot_of(c->t, r.handle), &is);
	CU_ASSERT_EQUAL(is.req_seq, request.req_seq);
	CU_ASSERT_EQUAL(is.qos_len, r.qos_len);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* The address waits from the end on, and not again from the time at which the slot is freed. */
void test_ending_waits_once(void)
{
	struct chassis *c = listening(0);
	struct session_rec r = ended(c, 100);

	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(106)), 0);
	CU_ASSERT_EQUAL(session_slot_of(c->t, r.handle)->freed_s, 100);
	CU_ASSERT_FALSE(may_be_given_out(c, r.handle));
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, SHARD, 109, 64), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, SHARD, 110, 64), 1);
	CU_ASSERT_EQUAL(fix_holder(c->ps, UE), 0);
	CU_ASSERT_TRUE(may_be_given_out(c, r.handle));
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* Its address' time may be over long before: another session gets that, and never its slot. */
void test_ending_keeps_slot(void)
{
	struct chassis *c = listening(0);
	struct session_rec r = ended(c, 100), next[64];

	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, SHARD, 110, 64), 1);
	CU_ASSERT_EQUAL(fix_holder(c->ps, UE), 0);
	CU_ASSERT_FALSE(may_be_given_out(c, r.handle));
	next[0] = anew(UE);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &next[0], 110), 0);
	CU_ASSERT_NOT_EQUAL(
		session_handle_slot(c->t, next[0].handle), session_handle_slot(c->t, r.handle));
	CU_ASSERT_EQUAL(fix_holder(c->ps, UE), next[0].handle);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(150)), 0);
	CU_ASSERT_TRUE(may_be_given_out(c, r.handle));
	CU_ASSERT_EQUAL(fix_holder(c->ps, UE), next[0].handle);
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* At a promotion the quarantine of what waits begins again, as for free slots. */
void test_ending_promoted(void)
{
	struct chassis *c = listening(0);
	struct session_rec r = ended(c, 100);

	session_quarantine_restart(c->t, SHARD, 105);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, FIX_END(106)), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, SHARD, 114, 64), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(c->t, FIX_BY, SHARD, 115, 64), 1);
	fix_free(c);
}

static bool equal(const struct chassis *a, const struct chassis *b)
{
	return session_hash_bucket(a->t, SHARD, 0) == session_hash_bucket(b->t, SHARD, 0);
}

/* The standby has it whole, hears of the end once, and lets the address wait once, whatever comes
 * again; and the slot is free there when the owner says so. */
void test_ending_applied(void)
{
	struct chassis *a = fix_new(0, 1), *b = listening(1);
	struct session_rec r = fix_made(&seed, a, UE, KEY), got;

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	session_find(a->t, r.handle)->up_bytes = 1500;
	CU_ASSERT_EQUAL(session_end(a->t, FIX_BY, r.handle, FIX_END(100)), 0);
	CU_ASSERT_FALSE(equal(a, b));
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_TRUE(equal(a, b));
	CU_ASSERT_EQUAL(n_ended, 1);
	session_read(b->t, session_slot_of(b->t, r.handle), &got);
	r.state = SESSION_ENDING;
	r.usage[0].up_bytes = 1500;
	CU_ASSERT_TRUE(fix_same(&got, &r));
	CU_ASSERT_EQUAL(b->t->shard[SHARD].n_live, 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 105), 0); /* repeated */
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, SHARD, 110, 64), 1);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 120), 0); /* and again */
	CU_ASSERT_EQUAL(fix_holder(b->ps, UE), 0);
	CU_ASSERT_FALSE(may_be_given_out(b, r.handle));
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(130)), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 130), 0);
	CU_ASSERT_TRUE(equal(a, b));
	CU_ASSERT_TRUE(may_be_given_out(b, r.handle));
	CU_ASSERT_EQUAL(fix_holder(b->ps, UE), 0);
	CU_ASSERT_EQUAL(n_ended, 1);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* Nothing of the record is left out when the tables are compared; and a chassis that was demoted
 * with usage that nobody was told of keeps that. */
void test_ending_compared(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = ended(a, 100);
	struct session_slot *s = session_slot_of(b->t, r.handle);

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(equal(a, b));
	s->other.up_bytes++;
	CU_ASSERT_FALSE(equal(a, b));
	s->other.up_bytes--;
	s->created_s++;
	CU_ASSERT_FALSE(equal(a, b));
	s->created_s--;
	CU_ASSERT_TRUE(equal(a, b));
	s->up_pkts = 9;
	atomic_store(&b->t->late_merge, true);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(s->up_pkts, 9);
	atomic_store(&b->t->late_merge, false);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(equal(a, b));
	fix_free(a);
	fix_free(b);
}

/* Freed while the address still waits, it waits there for what is left. Nothing but the end may
 * have been heard before: then all of it. */
void test_ending_applied_free(void)
{
	struct chassis *a = fix_new(0, 1), *b = listening(1);
	struct session_rec r = ended(a, 100);

	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_EQUAL(n_ended, 0); /* b never heard that it began */
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(105)), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 105), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, SHARD, 109, 64), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, SHARD, 110, 64), 1);
	CU_ASSERT_TRUE(may_be_given_out(b, r.handle));
	fix_free(a);
	fix_free(b);
}

/* A record that gives its address to another session takes that from it and nothing else: it is no
 * live session that could be evicted. */
void test_ending_not_evicted(void)
{
	struct chassis *a = fix_new(0, 1), *b = listening(1);
	struct session_rec r = ended(a, 90), next = anew(UE), got;

	CU_ASSERT_EQUAL(fix_ship_at(a, b, r.handle, SESSION_G_SLOT, 100), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(a->t, FIX_BY, SHARD, 100, 64), 1);
	CU_ASSERT_EQUAL(session_create(a->t, FIX_BY, &next, 100), 0);
	CU_ASSERT_EQUAL(fix_ship_at(a, b, next.handle, SESSION_G_SLOT, 101), 0);
	CU_ASSERT_EQUAL(b->t->shard[SHARD].count.evicted, 0);
	CU_ASSERT_TRUE(equal(a, b));
	session_read(b->t, session_slot_of(b->t, r.handle), &got);
	CU_ASSERT_EQUAL(got.state, SESSION_ENDING);
	CU_ASSERT_EQUAL(fix_holder(b->ps, UE), next.handle);
	session_quarantine_expire(b->t, FIX_BY, SHARD, 110, 64);
	CU_ASSERT_EQUAL(fix_holder(b->ps, UE), next.handle);
	CU_ASSERT_FALSE(may_be_given_out(b, r.handle));
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* One wrong bit in what says that it is ending, or in what a live one would have, is put right. */
void test_ending_mended(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_rec r = ended(c, 100);
	uint32_t slot = session_handle_slot(c->t, r.handle);
	struct session_slot *s = session_slot_of(c->t, r.handle);
	uint64_t right = session_hash_slot(c->t, SHARD, slot);

	for (unsigned int bit = 0; bit < 4; bit++) {
		s->state ^= 1u << bit;
		CU_ASSERT_NOT_EQUAL(session_hash_slot(c->t, SHARD, slot), right);
		CU_ASSERT_TRUE(session_mend(c->t, FIX_BY, SHARD, slot));
		CU_ASSERT_EQUAL(session_hash_slot(c->t, SHARD, slot), right);
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		s->teid ^= UINT32_C(1) << bit;
		CU_ASSERT_TRUE(session_mend(c->t, FIX_BY, SHARD, slot));
		CU_ASSERT_EQUAL(session_hash_slot(c->t, SHARD, slot), right);
	}
	CU_ASSERT_FALSE(session_mend(c->t, FIX_BY, SHARD, slot));
	CU_ASSERT_EQUAL(fix_broken(c), 0);
	fix_free(c);
}

/* What no ending session can be is refused, and nothing has changed. */
void test_ending_malformed(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = ended(a, 100);
	struct session_slot *s = session_slot_of(a->t, r.handle);
	uint64_t was = session_hash_bucket(b->t, SHARD, 0);
	const struct session_slot right = *s;

	s->key = 0;
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), -EBADMSG);
	*s = right;
	s->pdp_type = 0;
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), -EBADMSG);
	*s = right;
	s->apn = 4;
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), -ENOENT);
	*s = right;
	CU_ASSERT_EQUAL(session_hash_bucket(b->t, SHARD, 0), was);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* ---- counts ---- */

static void counts(const struct chassis *c, uint32_t first, uint32_t second)
{
	CU_ASSERT_EQUAL(session_count_of_apn(c->t, 1), first);
	CU_ASSERT_EQUAL(session_count_of_apn(c->t, 2), second);
}

static struct session_rec of_apn(struct chassis *c, uint8_t apn, uint32_t ue4)
{
	struct session_rec r = fix_rec(&seed, 0, ue4, ue4 % FIX_KEYS);

	r.apn = apn;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	return r;
}

/* What is live or ending counts, by its APN, on both chassis; what was ended by another's record
 * does not. */
void test_counted(void)
{
	struct chassis *a = listening(0), *b = listening(1), *late = listening(0);
	struct session_rec first = of_apn(a, 1, UE), second = of_apn(a, 2, UE + 64), other;

	counts(a, 1, 1);
	CU_ASSERT_EQUAL(fix_ship(a, b, first.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, second.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, second.handle, SESSION_G_SLOT), 0); /* again */
	counts(b, 1, 1);
	CU_ASSERT_EQUAL(session_end(a->t, FIX_BY, first.handle, FIX_END(100)), 0);
	counts(a, 1, 1);
	CU_ASSERT_EQUAL(fix_ship(a, b, first.handle, SESSION_G_SLOT), 0);
	counts(b, 1, 1);
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, first.handle, FIX_END(101)), 0);
	counts(a, 0, 1);
	CU_ASSERT_EQUAL(fix_ship(a, b, first.handle, SESSION_G_SLOT), 0);
	counts(b, 0, 1);
	other = of_apn(late, 1, UE + 64); /* in slot 0; it takes the second one's address */
	counts(late, 1, 0);
	CU_ASSERT_EQUAL(fix_ship(late, b, other.handle, SESSION_G_SLOT), 0);
	counts(b, 1, 0);
	other = of_apn(late, 2, UE + 128); /* in slot 1 */
	CU_ASSERT_EQUAL(fix_ship(late, b, other.handle, SESSION_G_SLOT), 0);
	counts(b, 1, 1);
	CU_ASSERT_EQUAL(fix_broken(a) + fix_broken(b) + fix_broken(late), 0);
	fix_free(a);
	fix_free(b);
	fix_free(late);
}

/* A lost bit of a number, or of what tells a live or an ending slot from a free one, moves no
 * count; the next that is written does, by what the slot was counted. */
void test_counted_flipped(void)
{
	struct chassis *a = listening(0), *b = listening(1);
	struct session_rec live = of_apn(a, 1, UE), over = of_apn(a, 2, UE + 64);
	struct session_slot *s;

	CU_ASSERT_EQUAL(session_end(a->t, FIX_BY, over.handle, FIX_END(100)), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, live.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, over.handle, SESSION_G_SLOT), 0);
	session_find(b->t, live.handle)->apn = 3;
	s = session_slot_of(b->t, over.handle);
	s->state = SESSION_FREE;
	counts(b, 1, 1);
	CU_ASSERT_EQUAL(fix_ship(a, b, live.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, over.handle, SESSION_G_SLOT), 0);
	counts(b, 1, 1);
	CU_ASSERT_EQUAL(session_count_of_apn(b->t, 3), 0);
	session_find(a->t, live.handle)->apn = 3; /* at the owner it is the truth by now */
	session_slot_of(a->t, over.handle)->state = SESSION_FREE;
	CU_ASSERT_TRUE(session_mend(a->t, FIX_BY, SHARD, session_handle_slot(a->t, over.handle)));
	counts(a, 1, 1);
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &live, SESSION_G_QOS), 0);
	counts(a, 0, 1);
	CU_ASSERT_EQUAL(session_count_of_apn(a->t, 3), 1);
	fix_free(a);
	fix_free(b);
}
