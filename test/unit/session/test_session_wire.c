/* SPDX-License-Identifier: BSD-3-Clause */
/* Records on the wire, applying them, digests. */
#include <errno.h>
#include <stddef.h>

#include "session_fixture.h"

static uint64_t seed = 7;

static bool hashes_equal(struct chassis *a, struct chassis *b, uint32_t handle)
{
	uint32_t shard = session_handle_shard(handle), slot = session_handle_slot(a->t, handle);

	return session_hash_slot(a->t, shard, slot) == session_hash_slot(b->t, shard, slot);
}

/* Of a plain session, and with each address that has a longer form. */
void test_sizes_on_wire(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_rec r = fix_rec(&seed, 0, 0x0a000007, 1);
	struct session_slot *s;

	r.peer_ctl = r.peer_usr = r.req_src = ip_addr_v4(0x0a080001);
	memset(r.ue6, 0, sizeof(r.ue6));
	r.pool6 = 0;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	s = session_find(c->t, r.handle);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_USAGE32, 1), 21);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_IDENTITY, 1), 5 + 36);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_TUNNEL, 1), 5 + 18);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_QOS, 1), 5 + 22);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_REQUEST, 1), 5 + 17);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_EXTRA, 1), 5);
	/* seven of them fit into a packet of 1,500 octets: no more than 198 */
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_SLOT, 1), 162);
	s->peer_ctl[0] = 0x20;
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_SLOT, 1), 162 + 12);
	s->req_src[0] = 0x20;
	s->peer_usr[0] = 0x20;
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_SLOT, 1), 162 + 36);
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_TUNNEL, 1), 5 + 18 + 24);
	s->ue6[0] = 0x20;
	CU_ASSERT_EQUAL(session_wire_size(c->t, s, SESSION_G_SLOT, 1), 162 + 36 + 11);
	CU_ASSERT_TRUE(session_wire_size(c->t, s, UINT8_MAX, 1) <= SESSION_WIRE_MAX);
	fix_free(c);
}

/* Its addresses of the wire's short form, and a bit of everything that can be said. */
static struct session_rec plain(uint32_t ue4, uint64_t key)
{
	struct session_rec r = fix_rec(&seed, 0, ue4, key);

	r.peer_ctl = ip_addr_v4(0x0a080001);
	r.peer_usr = ip_addr_v4(0x0a080002);
	r.req_src = ip_addr_v4(0x0a080003);
	memset(r.ue6, 0, sizeof(r.ue6));
	r.pool6 = 0;
	return r;
}

/* Where the groups of a plain live SLOT begin. */
enum { AT_IDENTITY = 5, AT_UE = 25, AT_TUNNEL = 41, AT_QOS = 59, AT_REQUEST = 81, AT_USAGE = 98 };

void test_slot_bytes(void)
{
	struct chassis *c = fix_new(0, 1);
	struct session_rec r = plain(0x0a000007, 0x1122334455667788);
	uint8_t b[SESSION_WIRE_MAX];
	struct wr w = wr_init(b, sizeof(b));
	struct session_slot *s;

	r.protocol = 5;
	r.has_recovery = true;
	r.direct_tunnel = 3;
	c->t->shard[7].slots[0].gen = fix_gen_before(c, 7, 0, 2);
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	s = session_find(c->t, r.handle);
	s->dn_bytes = 0x0102030405060708;
	s->other.up_pkts = 0x1112131415161718;
	CU_ASSERT_EQUAL(session_encode(c->t, 7, 0, SESSION_G_SLOT, &w), SESSION_G_SLOT);
	CU_ASSERT_EQUAL(memcmp(b, "\x1c\0\0\x02\xef\x01", 6), 0);
	CU_ASSERT_EQUAL(memcmp(b + 9, "\x11\x22\x33\x44\x55\x66\x77\x88", 8), 0);
	CU_ASSERT_EQUAL(memcmp(b + AT_UE, "\x0a\0\0\x07", 4), 0);
	CU_ASSERT_EQUAL(b[AT_TUNNEL], 3);
	CU_ASSERT_EQUAL(memcmp(b + AT_TUNNEL + 10, "\x0a\x08\0\x01\x0a\x08\0\x02", 8), 0);
	CU_ASSERT_EQUAL(b[AT_QOS], r.qos_len);
	CU_ASSERT_EQUAL(b[AT_REQUEST], 0x15);
	CU_ASSERT_EQUAL(memcmp(b + AT_REQUEST + 13, "\x0a\x08\0\x03", 4), 0);
	CU_ASSERT_EQUAL(
		memcmp(b + AT_USAGE + 24, "\1\2\3\4\5\6\7\10\x11\x12\x13\x14\x15\x16\x17\x18", 16),
		0);
	CU_ASSERT_EQUAL(s->usage_hi, (uint16_t)(0x0102030405060708 >> 30));
	s->usage_hi = 1;
	w = wr_init(b, 161);
	CU_ASSERT_EQUAL(session_encode(c->t, 7, 0, SESSION_G_SLOT, &w), 0);
	CU_ASSERT_TRUE(w.bad && s->usage_hi == 1);
	w = wr_init(b, 20);
	s->usage_hi = (uint16_t)(s->dn_bytes >> 30);
	CU_ASSERT_EQUAL(session_encode(c->t, 7, 0, SESSION_G_USAGE32, &w), 0);
	s->peer_ctl[3] = 1; /* no IPv4 any more: 16 octets, and a bit that says so */
	w = wr_init(b, sizeof(b));
	CU_ASSERT_EQUAL(session_encode(c->t, 7, 0, SESSION_G_TUNNEL, &w), SESSION_G_TUNNEL);
	CU_ASSERT_TRUE(sizeof(b) - w.left == 5 + 30 && b[5] == 0x83 && b[5 + 10 + 3] == 1);
	fix_free(c);
}

void test_usage_forms(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a000009, 1);
	struct session_slot *s = session_find(a->t, r.handle), *o;
	uint8_t buf[64];
	unsigned int wide = 0;

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	o = session_find(b->t, r.handle);
	for (unsigned int i = 0; i < 100; i++) {
		struct wr w = wr_init(buf, sizeof(buf));

		s->up_pkts += 1;
		s->up_bytes += 123456789;
		s->dn_bytes += 1000000007;
		wide += session_encode(a->t, 9, 0, SESSION_G_USAGE32, &w) == SESSION_G_USAGE64;
		struct rd in = rd_init(buf, sizeof(buf) - w.left);
		CU_ASSERT_EQUAL(session_apply_delta(b->t, FIX_BY, &in), 0);
		CU_ASSERT_TRUE(
			o->other.up_bytes == s->up_bytes && o->other.dn_bytes == s->dn_bytes);
	}
	CU_ASSERT_TRUE(wide > 50 && wide < 100);
	CU_ASSERT_TRUE(hashes_equal(a, b, r.handle));
	/* what B counted itself is A's to tell, unless B has more that was never sent */
	o->up_pkts = 50;
	s->other.up_pkts = 40;
	s->other.dn_pkts = 3;
	b->t->late_merge = true;
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_OTHER64), 0);
	CU_ASSERT_TRUE(o->up_pkts == 50 && o->dn_pkts == 3);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(o->up_pkts == 50 && o->dn_pkts == 3);
	struct wr w = wr_init(buf, sizeof(buf));
	uint32_t handle = 0;
	struct session_usage u;
	CU_ASSERT_EQUAL(session_encode(b->t, 9, 0, SESSION_G_USAGE64, &w), SESSION_G_USAGE64);
	struct rd in = rd_init(buf, sizeof(buf) - w.left);
	CU_ASSERT_EQUAL(session_decode_late(&in, &handle, &u), 0);
	CU_ASSERT_EQUAL(session_apply_late(a->t, FIX_BY, handle + 2, &u), -ESTALE);
	CU_ASSERT_EQUAL(session_apply_late(a->t, FIX_BY, handle, &u), 0);
	CU_ASSERT_TRUE(s->other.up_pkts == 50 && s->other.dn_pkts == 3);
	buf[4] = SESSION_G_OTHER64;
	in = rd_init(buf, sizeof(buf) - w.left);
	CU_ASSERT_EQUAL(session_decode_late(&in, &handle, &u), -EBADMSG);
	b->t->late_merge = false;
	s->other.up_pkts = 45;
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(o->up_pkts, 45);
	fix_free(a);
	fix_free(b);
}

/* Groups of later versions are skipped one by one, by their lengths; what is known before them is
 * taken. */
void test_later_groups(void)
{
	static const struct {
		const char *bytes;
		unsigned int n;
		bool good;
	} later[] = {
		{ "\xff\x00", 2, true },
		{ "\x7f\x03"
		  "abc",
			5, true },
		{ "\x7f\x03"
		  "abc"
		  "\x80\x01"
		  "d",
			8, true },
		{ "", 0, true }, { "\x7f", 1, false },
		{ "\x7f\x03"
		  "ab",
			4, false },
		{ "\x7f\x00\x80", 3, false }, { "\x00\x00", 2, false }, /* no group has this id */
	};
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	uint8_t bytes[SESSION_WIRE_MAX];
	uint64_t packets = 0;

	struct session_rec r = fix_made(&seed, a, 0x0a000007, 1), got;
	session_extra_set(&r, WIRE_NEXT, 1); /* no version that is spoken here has it */
	CU_ASSERT_EQUAL(session_extra(&r, WIRE_NEXT), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	for (unsigned int i = 0; i < 2 * sizeof(later) / sizeof(later[0]); i++) {
		bool whole = i % 2 == 0;
		struct wr w = wr_init(bytes, sizeof(bytes));

		session_slot_of(a->t, r.handle)->up_pkts += 5;
		session_encode(a->t, 7, 0, whole ? SESSION_G_SLOT : SESSION_G_USAGE64, &w);
		bytes[4] |= SESSION_G_EXTRA;
		wr_bytes(&w, later[i / 2].bytes, later[i / 2].n);
		struct rd in = rd_init(bytes, sizeof(bytes) - w.left);
		CU_ASSERT_EQUAL(whole ? session_apply_slot(b->t, FIX_BY, &in, 100)
				      : session_apply_delta(b->t, FIX_BY, &in),
			later[i / 2].good ? 0 : -EBADMSG);
		session_read_at(b->t, 7, 0, &got);
		if (later[i / 2].good)
			packets = session_slot_of(a->t, r.handle)->up_pkts;
		CU_ASSERT_EQUAL(got.usage[0].up_pkts, packets);
	}
	fix_free(a);
	fix_free(b);
}

/* A live SLOT for 10.0.0.7 changed in one octet. */
static const struct {
	unsigned int at;
	uint8_t value;
	int want;
} bad_slots[] = {
	{ 0, 0x20, -EBADMSG },           /* a shard that is not the address's */
	{ 1, 0x80, 0 },                  /* another slot */
	{ 3, 0x00, -EBADMSG },           /* generation 0 */
	{ 2, 0x01, 0 },                  /* another generation */
	{ 1, 0x01, -EBADMSG },           /* a generation above what a slot keeps */
	{ 4, 0xff, -EBADMSG },           /* groups: USAGE32 too, and so a longer body */
	{ 4, 0xee, -EBADMSG },           /* no identity */
	{ 4, 0x6f, -EBADMSG },           /* no group of EXTRA, which a whole record may have */
	{ AT_IDENTITY, 3, -EBADMSG },    /* state */
	{ AT_IDENTITY, 0x41, -EBADMSG }, /* a second address, which IDENTITY has not */
	{ AT_IDENTITY, 0x81, -EBADMSG }, /* 16 octets, which are not there */
	{ 6, 4, -ENOENT },               /* APN */
	{ 7, 1, -ENOENT },               /* the address is not that pool's */
	{ 7, 9, -ENOENT },               /* no such pool */
	{ 8, 0, -EBADMSG },              /* no PDP type */
	{ 16, 0, -EBADMSG },             /* no IMSI and NSAPI */
	{ AT_UE + 3, 8, -EBADMSG },      /* an address of another shard */
	{ AT_TUNNEL, 0x20, -EBADMSG },   /* a bit that means nothing */
	{ AT_QOS, 22, -EBADMSG },        /* length of the QoS */
	{ AT_REQUEST, 0x40, -EBADMSG },  /* a second address, which REQUEST has not */
};

void test_bad_slots(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	uint8_t good[SESSION_WIRE_MAX], bytes[SESSION_WIRE_MAX];
	struct wr w = wr_init(good, sizeof(good));
	struct session_rec r;
	uint32_t n;

	r = plain(0x0a000007, 1);
	a->t->shard[7].slots[0].gen = fix_gen_before(a, 7, 0, 2);
	CU_ASSERT_EQUAL(session_create(a->t, FIX_BY, &r, 100), 0);
	CU_ASSERT_EQUAL(session_encode(a->t, 7, 0, SESSION_G_SLOT, &w), SESSION_G_SLOT);
	n = (uint32_t)(sizeof(good) - w.left);
	for (unsigned int i = 0; i < sizeof(bad_slots) / sizeof(bad_slots[0]); i++) {
		memcpy(bytes, good, sizeof(good));
		bytes[bad_slots[i].at] = bad_slots[i].value;
		struct rd in = rd_init(bytes, n);
		CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), bad_slots[i].want);
		CU_ASSERT_EQUAL(fix_broken(b), 0);
	}
	for (unsigned int i = 0; i <= n + 1; i++) { /* cut short, whole, one too many */
		struct rd in = rd_init(good, i), d = in;
		CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), i == n ? 0 : -EBADMSG);
		CU_ASSERT_EQUAL(session_apply_delta(b->t, FIX_BY, &d), i == n ? 0 : -EBADMSG);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		memcpy(bytes, good, sizeof(good));
		for (unsigned int k = 0; k <= i % 4; k++)
			bytes[ut_random(&seed) % n] = (uint8_t)ut_random(&seed);
		bytes[4] = i % 3 == 0 ? (uint8_t)ut_random(&seed) : bytes[4];
		struct rd in = rd_init(bytes, i % 5 == 0 ? ut_random(&seed) % (n + 1) : n), d = in;
		session_apply_slot(b->t, FIX_BY, &in, 100);
		session_apply_delta(b->t, FIX_BY, &d);
		if (i % 1000 == 0)
			CU_ASSERT_EQUAL(fix_broken(b), 0);
	}
	fix_free(a);
	fix_free(b);
}

void test_bad_deltas(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a000007, 1);
	struct session_counters *n = &b->t->shard[7].count;
	uint8_t bytes[SESSION_WIRE_MAX];

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_USAGE32), -ESTALE);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_TUNNEL), -ESTALE);
	CU_ASSERT_EQUAL(n->refused_handle, 2);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	for (unsigned int at = 5; at < AT_TUNNEL;
		at++) { /* an IDENTITY that names another session; others' octets do not */
		struct wr w = wr_init(bytes, sizeof(bytes));
		bool names = at == 5 || at == 7 || (at >= 9 && at < 17) ||
			     (at >= AT_UE && at < AT_UE + 4);

		CU_ASSERT_EQUAL(
			session_encode(a->t, 7, 0, SESSION_G_IDENTITY, &w), SESSION_G_IDENTITY);
		bytes[at] ^= 1;
		struct rd in = rd_init(bytes, sizeof(bytes) - w.left);
		CU_ASSERT_EQUAL(session_apply_delta(b->t, FIX_BY, &in), names ? -EBADMSG : 0);
	}
	struct rd none = rd_init("\x1c\0\0\x02\0", 5);
	CU_ASSERT_EQUAL(session_apply_delta(b->t, FIX_BY, &none), -EBADMSG);
	fix_free(a);
	fix_free(b);
}

void test_eviction(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec mine = fix_made(&seed, b, 0x0a00000b, 5), r;

	fix_made(&seed, a, 0x0a00004b, 6);
	r = fix_made(&seed, a, 0x0a00000b, 7); /* in slot 1, on B in slot 0 */
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_PTR_NULL(session_find(b->t, mine.handle));
	CU_ASSERT_EQUAL(b->t->shard[11].count.evicted, 1);
	CU_ASSERT_EQUAL(b->t->shard[11].count.ended_by_peer, 1);
	CU_ASSERT_TRUE(b->index[5] == 0 && b->index[7] == r.handle);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	/* A's free slot 2 does not take the address from slot 1 on B, and a never used one clears
	 * what B had there */
	mine = fix_made(&seed, b, 0x0a00008b, 8);
	CU_ASSERT_EQUAL(
		fix_ship(a, b,
			session_handle_make(a->t, 11, session_handle_slot(b->t, mine.handle), 0),
			SESSION_G_SLOT),
		0);
	CU_ASSERT_TRUE(b->index[8] == 0 && session_find(b->t, mine.handle) == NULL);
	CU_ASSERT_EQUAL(b->t->shard[11].count.ended_by_peer, 2);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* ---- digests ---- */

/* Of each bit of a slot, whether it counts in a live and in a free one. */
static struct {
	uint8_t live[sizeof(struct session_slot)], gone[sizeof(struct session_slot)];
} counted;

#define COUNTED_GONE         false
#define COUNTED_KEPT         true
#define COUNTED_DEC(name)    0xff
#define COUNTED_HEX(name)    0xff
#define COUNTED_OCTETS(name) 0xff
#define COUNTED_HEAD(name)   0xff
#define COUNTED_NIBBLE(name) 0xff
#define COUNTED_ADDR(name)   0xff
#define COUNTED_UE(name)     0xff
#define COUNTED_MS(name)     0xff
#define COUNTED_FLAG(name)   SESSION_FLAG_##name
#define COUNTED_ROW(name, type, bytes, group, set, end, line, view)                                \
	counts(SESSION_ROW_AT(name, type), SESSION_ROW_SIZE(name, type), COUNTED_##type(name),     \
		COUNTED_##end);
#define COUNTED_SLOT(name, gone)                                                                   \
	counts(offsetof(struct session_slot, name), sizeof(((struct session_slot *)0)->name),      \
		0xff, gone)

static void counts(size_t at, size_t bytes, uint8_t mask, bool gone)
{
	for (size_t i = at; i < at + bytes; i++) {
		counted.live[i] |= mask;
		if (gone)
			counted.gone[i] |= mask;
	}
}

static void count_all(void)
{
	SESSION_FIELDS(COUNTED_ROW)
	counts(offsetof(struct session_slot, flags2), 1, SESSION_A_USED | SESSION_A_PFCP, false);
	COUNTED_SLOT(teid, false);
	COUNTED_SLOT(gen, true);
	COUNTED_SLOT(up_pkts, false);
	COUNTED_SLOT(up_bytes, false);
	COUNTED_SLOT(dn_pkts, false);
	COUNTED_SLOT(dn_bytes, false);
	COUNTED_SLOT(other, false);
}

static void flip_all(struct chassis *c, uint32_t shard, struct session_slot *s, bool gone)
{
	uint64_t was = session_hash_slot(c->t, shard, 0),
		 bucket = session_hash_bucket(c->t, shard, 0);
	unsigned int short_equal = 0, bits = 0;

	count_all();
	for (size_t i = 0; i < 8 * sizeof(*s); i++) {
		uint8_t *byte = (uint8_t *)s + i / 8, mask = (uint8_t)(1 << i % 8);
		bool is = ((gone ? counted.gone : counted.live)[i / 8] & mask) != 0;

		if (gone && i / 8 < sizeof(s->teid))
			continue; /* would be a live slot */
		*byte ^= mask;
		CU_ASSERT_EQUAL(session_hash_slot(c->t, shard, 0) != was, is);
		CU_ASSERT_EQUAL(session_hash_bucket(c->t, shard, 0) != bucket, is);
		/* what a DIGEST slot by slot carries */
		short_equal += is && (uint16_t)session_hash_slot(c->t, shard, 0) == (uint16_t)was;
		bits += is;
		*byte ^= mask;
	}
	CU_ASSERT_TRUE(short_equal <= 3); /* of some 1,500 that might, 1 in 65,536 does */
	CU_ASSERT_TRUE(bits > (gone ? 500 : 1500));
}

void test_hash_live(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a00000c, 1);
	struct session_slot *s = session_find(a->t, r.handle);

	s->up_pkts = 5;
	s->other.up_pkts = 6;
	CU_ASSERT_FALSE(hashes_equal(a, b, r.handle));
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(hashes_equal(a, b, r.handle));
	flip_all(a, 12, s, false);
	flip_all(b, 12, session_find(b->t, r.handle), false);
	fix_free(a);
	fix_free(b);
}

void test_hash_free(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a00000c, 1);

	CU_ASSERT_TRUE(hashes_equal(a, b, 12U << 26 | 1 << 20)); /* never used on both */
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(100)), 0);
	CU_ASSERT_FALSE(hashes_equal(a, b, r.handle));
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_TRUE(hashes_equal(a, b, r.handle));
	session_quarantine_expire(b->t, FIX_BY, 12, 1000, 1);
	CU_ASSERT_TRUE(hashes_equal(a, b, r.handle)); /* quarantine is each chassis' own */
	flip_all(a, 12, session_slot_of(a->t, r.handle), true);
	fix_free(a);
	fix_free(b);
}

void test_freed_keeps_request(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, a, 0x0a00000c, 1), got;

	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	r.req_seq = 77;
	r.req_type = 20;
	CU_ASSERT_EQUAL(session_update(a->t, FIX_BY, &r, SESSION_G_REQUEST), 0);
	CU_ASSERT_EQUAL(session_free(a->t, FIX_BY, r.handle, FIX_END(100)), 0);
	CU_ASSERT_EQUAL(fix_ship(a, b, r.handle, SESSION_G_SLOT), 0);
	session_read_at(b->t, 12, 0, &got);
	CU_ASSERT_TRUE(got.state == SESSION_FREE && got.handle == r.handle &&
		       ip_addr_equal(&got.ue, &r.ue));
	CU_ASSERT_TRUE(got.req_seq == 77 && got.req_type == 20 && got.req_port == r.req_port);
	CU_ASSERT_TRUE(
		ip_addr_equal(&got.req_src, &r.req_src) && got.peer_ctl_teid == r.peer_ctl_teid);
	CU_ASSERT_EQUAL(got.key, 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}

/* The low 32 bits came round while a wider record was lost. */
void test_usage_comes_round(void)
{
	static const struct {
		uint64_t have;
		uint32_t low;
		uint64_t want;
	} cases[] = { { 0, 0, 0 }, { 7, 7, 7 }, { 7, 8, 8 }, { 7, 6, 0x100000006 },
		{ 0x5ffffffff, 0, 0x600000000 }, { 0x500000000, UINT32_MAX, 0x5ffffffff } };
	struct chassis *b = fix_new(1, 1);
	struct session_rec r = fix_made(&seed, b, 0x0a000004, 1);
	struct session_slot *s = session_find(b->t, r.handle);

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[21];
		struct wr w = wr_init(bytes, sizeof(bytes));

		wr_u32(&w, r.handle);
		wr_u8(&w, SESSION_G_USAGE32);
		for (unsigned int k = 0; k < 4; k++)
			wr_u32(&w, cases[i].low);
		s->other = (struct session_usage){ cases[i].have, cases[i].have, cases[i].have,
			cases[i].have };
		struct rd in = rd_init(bytes, sizeof(bytes));
		CU_ASSERT_EQUAL(session_apply_delta(b->t, FIX_BY, &in), 0);
		CU_ASSERT_TRUE(
			s->other.up_pkts == cases[i].want && s->other.up_bytes == cases[i].want &&
			s->other.dn_pkts == cases[i].want && s->other.dn_bytes == cases[i].want);
	}
	fix_free(b);
}

/* A slot that lived again while it was listed, and was freed again, does not hold up those behind
 * it. */
void test_freed_again(void)
{
	struct chassis *a = fix_new(0, 1), *b = fix_new(1, 1);
	struct session_rec x = fix_made(&seed, a, 0x0a00000c, 1),
			   y = fix_made(&seed, a, 0x0a00004c, 2);
	uint8_t first[SESSION_WIRE_MAX];
	struct wr w = wr_init(first, sizeof(first));

	CU_ASSERT_EQUAL(session_encode(a->t, 12, 0, SESSION_G_SLOT, &w), SESSION_G_SLOT);
	for (unsigned int i = 0; i < 2; i++) {
		struct rd in = rd_init(first, sizeof(first) - w.left);
		CU_ASSERT_EQUAL(session_apply_slot(b->t, FIX_BY, &in, 100), 0);
		if (i == 0)
			CU_ASSERT_EQUAL(session_free(b->t, FIX_BY, x.handle, FIX_END(100)), 0);
	}
	CU_ASSERT_EQUAL(fix_ship(a, b, y.handle, SESSION_G_SLOT), 0);
	CU_ASSERT_EQUAL(session_free(b->t, FIX_BY, y.handle, FIX_END(102)), 0);
	CU_ASSERT_EQUAL(session_free(b->t, FIX_BY, x.handle, FIX_END(109)), 0);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 12, 112, 9), 1);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00004c), 0);
	CU_ASSERT_EQUAL(fix_holder(b->ps, 0x0a00000c), x.handle);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 12, 118, 9), 0);
	CU_ASSERT_EQUAL(session_quarantine_expire(b->t, FIX_BY, 12, 119, 9), 1);
	CU_ASSERT_EQUAL(fix_broken(b), 0);
	fix_free(a);
	fix_free(b);
}
