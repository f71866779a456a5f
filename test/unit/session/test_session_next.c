/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of the next release (test/next/wire.c), which have a field group more. */
#include <errno.h>

#include "session_fixture.h"

enum { BYTES = 4 }; /* of the group: id, length, value */

static uint64_t seed = 11;

static struct session_rec made(struct chassis *c, uint64_t value)
{
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1);

	session_extra_set(&r, WIRE_NEXT, value);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	return r;
}

static unsigned int size(const struct chassis *c, uint8_t version)
{
	return session_wire_size(c->t, c->t->shard[7].slots, SESSION_G_SLOT, version);
}

/* Slot 0 of shard 7, as a stream of that version carries it. */
static struct rd body(const struct chassis *c, uint8_t version, uint8_t bytes[SESSION_WIRE_MAX])
{
	struct wr w = wr_init(bytes, SESSION_WIRE_MAX);

	CU_ASSERT_EQUAL(session_encode_in(c->t, 7, 0, SESSION_G_SLOT, version, &w), SESSION_G_SLOT);
	CU_ASSERT_EQUAL(SESSION_WIRE_MAX - w.left, size(c, version));
	return rd_init(bytes, SESSION_WIRE_MAX - w.left);
}

static bool hashes_equal(const struct chassis *a, const struct chassis *b, uint8_t version)
{
	return session_hash_slot_in(a->t, 7, 0, version) ==
	       session_hash_slot_in(b->t, 7, 0, version);
}

static uint64_t value_of(const struct chassis *c)
{
	struct session_rec r;

	session_read_at(c->t, 7, 0, &r);
	return session_extra(&r, WIRE_NEXT);
}

/* Ids are no two groups', values stand one behind the other, and versions go upwards. */
static void test_table(void)
{
	unsigned int at = 0;

	CU_ASSERT_TRUE(wire_spoken.groups > 0 && wire_spoken.groups <= WIRE_LATER_GROUPS);
	for (unsigned int i = 0; i < wire_spoken.groups; i++) {
		const struct wire_group *g = &wire_spoken.group[i];

		CU_ASSERT_PTR_EQUAL(wire_group(g->id), g);
		CU_ASSERT_TRUE(g->id != 0 && g->size > 0 && g->at == at && g->name != NULL);
		CU_ASSERT_TRUE(g->version > (i > 0 ? g[-1].version - 1 : wire_spoken.version_min) &&
			       g->version <= wire_spoken.version_max);
		at += g->size;
	}
	CU_ASSERT_TRUE(at <= WIRE_LATER_BYTES);
	CU_ASSERT_PTR_NULL(wire_group(0xff));
}

/* Between two of the next release the group stands at the end, and the digests cover it. */
static void test_both(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	uint8_t bytes[SESSION_WIRE_MAX];
	unsigned int n;

	made(a, 0x0800);
	n = size(a, 1);
	CU_ASSERT_EQUAL(value_of(a), 0x0800);
	struct rd in = body(a, 2, bytes);
	CU_ASSERT_EQUAL(in.left, n + BYTES);
	CU_ASSERT_EQUAL(memcmp(bytes + n, "\xc8\x02\x08\x00", BYTES), 0);
	CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), 0);
	CU_ASSERT_EQUAL(value_of(b), 0x0800);
	CU_ASSERT_TRUE(hashes_equal(a, b, 2));
	session_slot_of(b->t, session_handle_make(b->t, 7, 0, 0))->later[1] ^= 1;
	CU_ASSERT_FALSE(hashes_equal(a, b, 2));
	CU_ASSERT_TRUE(hashes_equal(a, b, 1));
	fix_free(a);
	fix_free(b);
}

/* With a peer of this release a record is what it is today: whoever takes one sets the field to
 * what it is in a session that never had it. */
static void test_one(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	uint8_t bytes[SESSION_WIRE_MAX];

	made(a, 0x0800);
	struct rd in = body(a, 2, bytes);
	CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), 0);
	in = body(a, 1, bytes);
	CU_ASSERT_EQUAL(in.left, size(a, 1));
	CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), 0);
	CU_ASSERT_EQUAL(value_of(b), 0);
	CU_ASSERT_TRUE(hashes_equal(a, b, 1));
	fix_free(a);
	fix_free(b);
}

/* A group that is known has its length; one that is not is skipped beside it. */
static void test_lengths(void)
{
	static const struct {
		const char *bytes;
		unsigned int n;
		int want;
		uint64_t value;
	} rows[] = {
		{ "\xc8\x02\x12\x34", 4, 0, 0x1234 },
		{ "\xc8\x01\x12", 3, -EBADMSG, 0x1234 },
		{ "\xc8\x03\x12\x34\x56", 5, -EBADMSG, 0x1234 },
		{ "\x7f\x01\x12\xc8\x02\x56\x78", 7, 0, 0x5678 },
		{ "\x7f\x01\x12", 3, 0, 0 },
	};
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	unsigned int n;

	made(a, 0);
	n = size(a, 1);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[SESSION_WIRE_MAX];

		(void)body(a, 2, bytes);
		memcpy(bytes + n, rows[i].bytes, rows[i].n);
		struct rd in = rd_init(bytes, n + rows[i].n);
		CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), rows[i].want);
		CU_ASSERT_EQUAL(value_of(b), rows[i].value);
	}
	fix_free(a);
	fix_free(b);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "table", test_table },
		{ "both", test_both },
		{ "one", test_one },
		{ "lengths", test_lengths },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "next", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
