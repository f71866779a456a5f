/* SPDX-License-Identifier: BSD-3-Clause */
/* What few sessions have beside their slot, and what is known of peers of the control plane. */
#include <errno.h>
#include <stddef.h>

#include "session_fixture.h"

static uint64_t seed = 13;

static const uint16_t sizes[] = { 128, 192, SESSION_ANNEX_MAX };

/* A session of 10.0.0.7 with an annex whose strings fill it. */
static struct session_rec made(struct chassis *c)
{
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1);

	fix_annex(&seed, &r, c->t->annex_bytes - SESSION_ANNEX_FIXED);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	return r;
}

static bool equal(const struct chassis *a, const struct chassis *b)
{
	struct session_rec ra, rb;

	session_read_at(a->t, 7, 0, &ra);
	session_read_at(b->t, 7, 0, &rb);
	return fix_same(&ra, &rb) && session_hash_slot(a->t, 7, 0) == session_hash_slot(b->t, 7, 0);
}

/* 304 bytes a session without, and so many more with one; the largest record is the largest. */
void test_annex_sizes(void)
{
	struct session_params p = { .capacity = 4096, .annex = 100, .mem = &session_mem_libc };
	struct chassis *c = fix_new(0, 4096);
	uint64_t plain = c->t->bytes;
	unsigned int n;
	struct session_rec r = { 0 };

	pool_hooks(c->ps, &p.hooks);
	CU_ASSERT_PTR_NULL(session_table_create(&p));
	CU_ASSERT_EQUAL(errno, EINVAL);
	fix_free(c);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		c = fix_new_annex(0, 4096, sizes[i]);
		CU_ASSERT_EQUAL(c->t->bytes, plain + 4096u * sizes[i]);
		fix_free(c);
	}
	c = fix_new_annex(0, 1, SESSION_ANNEX_MAX);
	r = fix_rec(&seed, 0, 0x0a000007, 1);
	fix_annex(&seed, &r, 0);
	memset(&r.annex, 0xff, sizeof(r.annex));
	r.annex_use |= SESSION_A_PFCP;
	r.annex.uli_len = sizeof(r.annex.uli);
	r.annex.class_len = 200;
	r.annex.name_len = SESSION_STRINGS_MAX - 200;
	memset(r.ue6, 1, sizeof(r.ue6));
	memset(r.peer_ctl.b, 1, 16);
	memset(r.peer_usr.b, 1, 16);
	memset(r.req_src.b, 1, 16);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	n = session_wire_size(c->t, session_find(c->t, r.handle), SESSION_G_SLOT, 1);
	CU_ASSERT_EQUAL(n, 543);
	/* a later version's groups, and 16 octets of a subscriber without IPv4 */
	CU_ASSERT_TRUE(n + 4 + 12 <= SESSION_WIRE_MAX);
	fix_free(c);
}

/* What an annex has no room for is refused before anything changes, and counted. */
void test_annex_refused(void)
{
	struct chassis *big = fix_new_annex(0, 1, 192), *small = fix_new_annex(1, 1, 128),
		       *none = fix_new(1, 1);
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1), got;

	fix_annex(&seed, &r, 0);
	r.annex.class_len = 39;
	memset(r.annex.strings, 'c', 39);
	CU_ASSERT_EQUAL(session_create(small->t, FIX_BY, &r, 100), -E2BIG);
	CU_ASSERT_EQUAL(session_create(none->t, FIX_BY, &r, 100), -E2BIG);
	CU_ASSERT_EQUAL(session_create(big->t, FIX_BY, &r, 100), 0);
	CU_ASSERT_EQUAL(fix_ship(big, small, r.handle, SESSION_G_SLOT), -E2BIG);
	CU_ASSERT_EQUAL(fix_ship(big, none, r.handle, SESSION_G_SLOT), -E2BIG);
	CU_ASSERT_EQUAL(small->t->shard[7].count.refused_annex, 2);
	CU_ASSERT_EQUAL(none->t->shard[7].count.refused_annex, 2);
	CU_ASSERT_TRUE(small->t->shard[7].n_live == 0 && none->t->shard[7].n_live == 0);
	CU_ASSERT_TRUE(fix_broken(small) == 0 && fix_broken(none) == 0);
	r.annex.class_len = 38;
	CU_ASSERT_EQUAL(session_update(big->t, FIX_BY, &r, SESSION_G_EXTRA), 0);
	CU_ASSERT_EQUAL(fix_ship(big, small, r.handle, SESSION_G_SLOT), 0);
	/* An update, by its owner and by a record, changes nothing either. */
	r.annex.class_len = 39;
	r.pool6 ^= 1;
	CU_ASSERT_EQUAL(session_update(small->t, FIX_BY, &r, SESSION_G_EXTRA), -E2BIG);
	CU_ASSERT_EQUAL(session_update(small->t, FIX_BY, &r, SESSION_G_QOS), 0);
	CU_ASSERT_EQUAL(session_update(big->t, FIX_BY, &r, SESSION_G_EXTRA), 0);
	CU_ASSERT_EQUAL(fix_ship(big, small, r.handle, SESSION_G_EXTRA | SESSION_G_QOS), -E2BIG);
	session_read_at(small->t, 7, 0, &got);
	CU_ASSERT_TRUE(got.annex.class_len == 38 && got.pool6 == (r.pool6 ^ 1));
	fix_free(big);
	fix_free(small);
	fix_free(none);
}

/* What a whole record has comes; what it has not goes. */
void test_annex_wire(void)
{
	for (unsigned int i = 0; i < 60; i++) {
		uint16_t bytes = sizes[i % 3];
		struct chassis *a = fix_new_annex(0, 1, bytes), *b = fix_new_annex(1, 1, bytes);
		struct session_rec r = made(a);

		CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
		CU_ASSERT_TRUE(equal(a, b));
		r.annex_use = 0;
		if (i % 2 == 0)
			fix_annex(&seed, &r, bytes - SESSION_ANNEX_FIXED);
		CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_EXTRA), 0);
		CU_ASSERT_FALSE(equal(a, b));
		CU_ASSERT_EQUAL(
			fix_ship(a, b, r.handle, i % 4 < 2 ? SESSION_G_SLOT : SESSION_G_EXTRA), 0);
		CU_ASSERT_TRUE(equal(a, b));
		fix_free(a);
		fix_free(b);
	}
}

/* Values of EXTRA behind a DELTA. */
void test_annex_order(void)
{
	static const struct {
		const char *bytes;
		unsigned int n;
		int want;
	} rows[] = {
		{ "\x01\x02\x08\x00", 4, 0 }, { "\x01\x01\x08", 3, -EBADMSG },
		{ "\x01\x02\x08\x00\x01\x02\x08\x00", 8, -EBADMSG }, /* twice */
		{ "\x05\x01"
		  "c"
		  "\x06\x02"
		  "nn",
			7, 0 },
		{ "\x06\x02"
		  "nn"
		  "\x05\x01"
		  "c",
			7, -EBADMSG }, /* not in order */
		{ "\x09\x05"
		  "bbbbb",
			7, 0 },
		{ "\x0a\x0e"
		  "pppppppppppppp",
			16, 0 },
		{ "\x09\x05"
		  "bbbbb"
		  "\x0a\x0e"
		  "pppppppppppppp",
			23, -EBADMSG }, /* both */
		{ "\x03\x11"
		  "aaaaaaaaaaaaaaa\x01u",
			19, 0 },
		{ "\x03\x11"
		  "aaaaaaaaaaaaaaa\x02u",
			19, -EBADMSG }, /* another length */
		{ "\x03\x1e"
		  "aaaaaaaaaaaaaaa\x0euuuuuuuuuuuuuu",
			32, -EBADMSG }, /* too long */
		{ "\x03\x0f"
		  "aaaaaaaaaaaaaaa",
			17, -EBADMSG },
		{ "\x0b\x01"
		  "x",
			3, 0 }, /* of a later version */
	};
	struct chassis *a = fix_new_annex(0, 1, 128);
	struct session_rec r = made(a);

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[64];
		struct wr w = wr_init(bytes, sizeof(bytes));

		wr_u32(&w, r.handle);
		wr_u8(&w, SESSION_G_EXTRA);
		wr_bytes(&w, rows[i].bytes, rows[i].n);
		struct rd in = rd_init(bytes, sizeof(bytes) - w.left);
		CU_ASSERT_EQUAL(session_apply_delta(a->t, FIX_BY, &in), rows[i].want);
	}
	fix_free(a);
}

/* Each bit of an annex that is used counts. Those that no group has are put right, and so is
 * whether it is used. */
void test_annex_hash(void)
{
	struct chassis *a = fix_new_annex(0, 1, 128);
	struct session_rec r = made(a), was, now;
	struct session_slot *s = session_find(a->t, r.handle);
	uint64_t whole = session_hash_slot(a->t, 7, 0);
	uint8_t *annex = a->t->annex + (size_t)(s - a->t->slots) * 128;
	unsigned int mended = 0;

	session_read(a->t, s, &was);
	CU_ASSERT_FALSE(session_mend(a->t, FIX_BY, 7, 0));
	for (unsigned int i = 0; i < 128 * 8; i++) {
		annex[i / 8] ^= (uint8_t)(1 << i % 8);
		CU_ASSERT_NOT_EQUAL(session_hash_slot(a->t, 7, 0), whole);
		if (session_mend(a->t, FIX_BY, 7, 0))
			mended++;
		CU_ASSERT_FALSE(session_mend(a->t, FIX_BY, 7, 0));
		CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &was, SESSION_G_EXTRA), 0);
		CU_ASSERT_EQUAL(session_hash_slot(a->t, 7, 0), whole);
	}
	CU_ASSERT_TRUE(mended >= 8);
	for (unsigned int bit = 0; bit < 2; bit++) {
		s->flags2 ^= (uint8_t)(1 << bit);
		CU_ASSERT_NOT_EQUAL(session_hash_slot(a->t, 7, 0), whole);
		session_mend(a->t, FIX_BY, 7, 0);
		session_read(a->t, s, &now);
		CU_ASSERT_TRUE(now.annex_use & SESSION_A_USED);
		CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &was, SESSION_G_EXTRA), 0);
	}
	r.annex_use = 0;
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_EXTRA), 0);
	whole = session_hash_slot(a->t, 7, 0);
	s->flags2 = SESSION_A_USED;
	CU_ASSERT_TRUE(session_mend(a->t, FIX_BY, 7, 0));
	CU_ASSERT_EQUAL(session_hash_slot(a->t, 7, 0), whole);
	fix_free(a);
}

/* A session's end leaves nothing for the next one of the slot. */
void test_annex_ends(void)
{
	struct chassis *a = fix_new_annex(0, 1, 192), *b = fix_new_annex(1, 1, 192);
	struct session_rec r = made(a);
	static const uint8_t zero[192];

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(100)), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(equal(a, b));
	for (unsigned int i = 0; i < 2; i++) {
		struct session_table *t = (i == 0 ? a : b)->t;
		size_t at = (size_t)(session_slot_of(t, r.handle) - t->slots);

		CU_ASSERT_EQUAL(memcmp(t->annex + at * 192, zero, 192), 0);
		CU_ASSERT_EQUAL(t->slots[at].flags2, 0);
		CU_ASSERT_EQUAL(memcmp(t->slots[at].ue6, r.ue6, 8), 0);
	}
	fix_free(a);
	fix_free(b);
}

/* ---- peers of the control plane ---- */

static unsigned int asked;

static uint16_t entry_of(void *ctx, const struct ip_addr *ctl)
{
	asked++;
	return (uint16_t)(*(uint16_t *)ctx + ctl->b[15]);
}

/* Asked for a session that begins and for an address that moves, and once for each address. */
void test_peer_entry(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	uint16_t first = 1000;
	const struct session_end end = { .why = SESSION_WHY_REQUEST, .now_s = 100 };
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1), other = r;

	a->t->hooks.peer_entry = b->t->hooks.peer_entry = entry_of;
	a->t->hooks.peer_ctx = b->t->hooks.peer_ctx = &first;
	r.peer_ctl = ip_addr_v4(0x0a080001);
	CU_ASSERT_EQUAL(session_create(a->t, FIX_BY, &r, 100), 0);
	CU_ASSERT_EQUAL(session_find(a->t, r.handle)->peer_entry, 1001);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(session_find(b->t, r.handle)->peer_entry, 1001);
	CU_ASSERT_EQUAL(asked, 2);
	/* Nothing moved; the other side's number is its own, and no part of the digest. */
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_TUNNEL), 0);
	session_find(b->t, r.handle)->peer_entry = 7;
	CU_ASSERT_EQUAL(session_hash_slot(a->t, 7, 0), session_hash_slot(b->t, 7, 0));
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_TUNNEL), 0);
	CU_ASSERT_EQUAL(session_find(b->t, r.handle)->peer_entry, 7);
	r.peer_ctl = ip_addr_v4(0x0a080002);
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_TUNNEL), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_TUNNEL), 0);
	CU_ASSERT_EQUAL(session_find(b->t, r.handle)->peer_entry, 1002);
	CU_ASSERT_EQUAL(asked, 4);
	other.ue = ip_addr_v4(0x0a000047);
	other.peer_ctl = r.peer_ctl;
	CU_ASSERT_EQUAL(session_create(a->t, FIX_BY, &other, 100), 0);
	CU_ASSERT_EQUAL(session_find(a->t, other.handle)->peer_entry, 1002);
	CU_ASSERT_EQUAL(asked, 4);
	/* The configuration is another: nothing that was remembered counts, and what stands in a
	 * slot until its owner asks. */
	first = 2000;
	session_peers_changed(a->t);
	CU_ASSERT_EQUAL(session_find(a->t, other.handle)->peer_entry, 1002);
	CU_ASSERT_FALSE(session_peer_again(a->t, 3, 7, 0)); /* not its owner */
	CU_ASSERT_TRUE(session_peer_again(a->t, FIX_BY, 7, 0));
	CU_ASSERT_TRUE(session_peer_again(a->t, FIX_BY, 7, 0));
	CU_ASSERT_EQUAL(session_find(a->t, r.handle)->peer_entry, 2002);
	CU_ASSERT_EQUAL(asked, 5);
	CU_ASSERT_FALSE(session_peer_again(a->t, FIX_BY, 7, 63)); /* nobody's */
	session_free(a->t, FIX_BY, other.handle, &end);
	CU_ASSERT_FALSE(session_peer_again(a->t, FIX_BY, 7, 1));
	CU_ASSERT_EQUAL(session_hash_slot(a->t, 7, 0), session_hash_slot(b->t, 7, 0));
	fix_free(a);
	fix_free(b);
}

/* A bit that memory lost must not give a reader more octets than there are, nor an annex that was
 * never copied; an Update begins with what was read. */
void test_read_flipped(void)
{
	struct chassis *a = fix_new_annex(0, 1, 128);
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1), got;
	struct session_annex *x;
	struct session_slot *s;

	r.annex_use = 0;
	CU_ASSERT_EQUAL(session_create(a->t, FIX_BY, &r, 100), 0);
	s = session_find(a->t, r.handle);
	for (unsigned int bit = 1; bit < 8; bit++) {
		memset(&got, 0xa5, sizeof(got));
		s->flags2 = (uint8_t)(1 << bit);
		session_read(a->t, s, &got);
		CU_ASSERT_EQUAL(got.annex_use, 0);
	}
	s->flags2 = 0;
	s->qos_len = UINT8_MAX;
	session_read(a->t, s, &got);
	CU_ASSERT_EQUAL(got.qos_len, SESSION_QOS_MAX);
	s->qos_len = r.qos_len;
	x = session_rec_annex(&r);
	x->uli_len = 4;
	x->class_len = 10;
	x->name_len = 20;
	memset(x->strings, 'x', 30);
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_EXTRA), 0);
	x = (struct session_annex *)(a->t->annex + (size_t)(s - a->t->slots) * 128);
	x->uli_len |= 0x80;
	x->class_len |= 0x80;
	x->name_len |= 0x40;
	session_read(a->t, s, &got);
	CU_ASSERT_EQUAL(got.annex_use, SESSION_A_USED);
	CU_ASSERT_TRUE(got.annex.uli_len <= sizeof(got.annex.uli));
	CU_ASSERT_TRUE(got.annex.class_len + got.annex.name_len <= 128 - SESSION_ANNEX_FIXED);
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &got, SESSION_G_EXTRA), 0);
	fix_free(a);
}
