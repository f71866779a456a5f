/* SPDX-License-Identifier: BSD-3-Clause */
/* Usage in its short form. */
#include <errno.h>

#include "session_fixture.h"

static uint64_t seed = 11;

/* The short form says what a DELTA of USAGE32 says, and writes nothing where that would not do. */
void test_usage_short(void)
{
	struct chassis *a = fix_new(0, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a000009, 1);
	struct session_slot *s = session_find(a->t, r.handle);
	uint8_t run[SESSION_USAGE_BYTES], body[64];
	struct wr w = wr_init(body, sizeof(body));

	s->up_pkts = 0x01020304;
	s->up_bytes = 0x11121314;
	s->dn_pkts = 0x21222324;
	s->dn_bytes = 0x31323334;
	CU_ASSERT_TRUE(session_put_usage(s, run));
	CU_ASSERT_EQUAL(session_encode(a->t, 9, 0, SESSION_G_USAGE32, &w), SESSION_G_USAGE32);
	CU_ASSERT_EQUAL(memcmp(run, body, 4), 0);
	CU_ASSERT_EQUAL(memcmp(run + 4, body + 5, 16), 0);
	memset(run, 0xaa, sizeof(run));
	s->dn_bytes = UINT64_C(1) << 30;
	CU_ASSERT_FALSE(session_put_usage(s, run));
	s->dn_bytes = 5;
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(100)), 0);
	CU_ASSERT_FALSE(session_put_usage(s, run));
	CU_ASSERT_TRUE(run[0] == 0xaa && memcmp(run, run + 1, sizeof(run) - 1) == 0);
	fix_free(a);
}

/* A run: every one that can be is applied, in order, whatever the others are. */
void test_usage_run(void)
{
	enum { N = 200 };
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	static uint8_t run[N * SESSION_USAGE_BYTES];
	struct session_slot *s[N], *o;
	struct rd in;

	for (uint32_t i = 0; i < N; i++) {
		struct session_rec r = fix_made(&seed, a, 0x0a000001 + i, i + 1);

		if (i % 10 != 3) /* these B does not have */
			CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
		s[i] = session_find(a->t, r.handle);
		s[i]->up_pkts = i;
		s[i]->dn_bytes = 1000 + i;
		CU_ASSERT_TRUE_FATAL(session_put_usage(s[i], run + i * SESSION_USAGE_BYTES));
	}
	memset(run + 7 * SESSION_USAGE_BYTES, 0, 4); /* no session has this handle */
	run[8 * SESSION_USAGE_BYTES + 3] ^= 2;       /* another generation */
	in = rd_init(run, sizeof(run));
	CU_ASSERT_EQUAL(session_apply_usage(b->t, FIX_BY, &in), N - N / 10 - 2);
	CU_ASSERT_EQUAL(in.left, 0);
	for (uint32_t i = 0; i < N; i++) {
		o = session_find(b->t, s[i]->teid);
		CU_ASSERT_EQUAL(o == NULL, i % 10 == 3);
		if (o != NULL) {
			CU_ASSERT_EQUAL(o->other.dn_bytes, i == 7 || i == 8 ? 0 : 1000 + i);
		}
	}
	/* one session twice: the later state stands; and low halves that wrapped */
	session_find(b->t, s[0]->teid)->other.up_bytes = UINT64_C(0x1fffffff0);
	s[0]->up_bytes = UINT64_C(0x1fffffff8);
	s[0]->usage_hi = (uint16_t)(s[0]->up_bytes >> 30);
	CU_ASSERT_TRUE(session_put_usage(s[0], run));
	s[0]->up_bytes = UINT64_C(0x200000010);
	s[0]->usage_hi = (uint16_t)(s[0]->up_bytes >> 30);
	CU_ASSERT_TRUE(session_put_usage(s[0], run + SESSION_USAGE_BYTES));
	in = rd_init(run, 2 * SESSION_USAGE_BYTES);
	CU_ASSERT_EQUAL(session_apply_usage(b->t, FIX_BY, &in), 2);
	CU_ASSERT_EQUAL(session_find(b->t, s[0]->teid)->other.up_bytes, UINT64_C(0x200000010));
	CU_ASSERT_EQUAL(session_hash_slot(a->t, 1, 0), session_hash_slot(b->t, 1, 0));
	for (unsigned int left = 0; left < 3 * SESSION_USAGE_BYTES; left++) {
		in = rd_init(run, left);
		CU_ASSERT_EQUAL(session_apply_usage(b->t, FIX_BY, &in),
			left > 0 && left % SESSION_USAGE_BYTES == 0
				? (int)left / SESSION_USAGE_BYTES
				: -EBADMSG);
	}
	in = rd_init(run, SESSION_USAGE_BYTES);
	CU_ASSERT_EQUAL(session_apply_usage(b->t, 3, &in), -EPERM);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* What a demoted chassis says of a slot that is no longer its own: the usage of a session that
 * lives there, and nothing of one that is over, however long its record is. */
void test_usage_late(void)
{
	const struct session_end end = { .why = SESSION_WHY_REQUEST, .now_s = 100 };
	struct chassis *a = fix_new_annex(0, 1, SESSION_ANNEX_MAX);
	struct session_rec r = fix_rec(&seed, 0, 0x0a000001, 1);
	struct session_usage u = { 0 };
	uint8_t buf[SESSION_LATE_BYTES + 8];
	struct session_slot *s;
	uint32_t handle;
	struct wr w;
	struct rd in;

	fix_annex(&seed, &r, SESSION_STRINGS_MAX);
	CU_ASSERT_EQUAL_FATAL(session_create(a->t, FIX_BY, &r, 100), 0);
	s = session_find(a->t, r.handle);
	s->up_pkts = UINT64_C(0x123456789a);
	s->dn_bytes = UINT64_MAX;
	w = wr_init(buf, sizeof(buf));
	CU_ASSERT_EQUAL(session_encode_late(a->t, 1, 0, &w), r.handle);
	in = rd_init(buf, (size_t)(w.p - buf));
	CU_ASSERT_EQUAL(session_decode_late(&in, &handle, &u), 0);
	CU_ASSERT_TRUE(handle == r.handle && u.up_pkts == s->up_pkts && u.up_bytes == 0 &&
		       u.dn_pkts == 0 && u.dn_bytes == UINT64_MAX);
	w = wr_init(buf, SESSION_LATE_BYTES - 1);
	CU_ASSERT_EQUAL(session_encode_late(a->t, 1, 0, &w), 0);
	for (unsigned int over = 0; over < 2; over++) { /* ending, and free */
		CU_ASSERT_EQUAL(over == 0 ? session_end(a->t, FIX_BY, r.handle, &end)
					  : session_free(a->t, FIX_BY, r.handle, &end),
			0);
		w = wr_init(buf, sizeof(buf));
		CU_ASSERT_EQUAL(session_encode_late(a->t, 1, 0, &w), 0);
		CU_ASSERT_TRUE(w.p == buf && !w.bad);
	}
	fix_free(a);
}
