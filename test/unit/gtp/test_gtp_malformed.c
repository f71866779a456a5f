/* SPDX-License-Identifier: BSD-3-Clause */
#include "gtp_golden.h"
#include "gtp/gtpc.h"
#include "gtp/gtpu.h"
#include "test_gtp.h"
#include "ut.h"

static const char *verdict_c(const uint8_t *p, size_t len)
{
	static char text[16];
	struct gtpc_header h;
	struct gtpc_create c;
	struct gtpc_update u;
	struct gtpc_delete d;
	struct gtpc_updated updated;
	enum gtpc_cause cause = 0;

	switch (gtpc_decode_header(p, len, &h)) {
	case GTPC_DROP_SHORT:
		return "drop:drop_short";
	case GTPC_DROP_NOT_GTP:
		return "drop:drop_not_gtp";
	case GTPC_DROP_LENGTH:
		return "drop:drop_length";
	case GTPC_DROP_UNKNOWN_TYPE:
		return "drop:drop_unknown_type";
	case GTPC_ANSWER_VERSION:
		return "answer:3";
	case GTPC_ANSWER_EXTENSION:
		return "answer:31";
	case GTPC_OK:
		break;
	}
	if (h.type == GTPC_CREATE_REQUEST)
		cause = gtpc_decode_create(&h, &c);
	else if (h.type == GTPC_UPDATE_REQUEST)
		cause = gtpc_decode_update(&h, &u);
	else if (h.type == GTPC_DELETE_REQUEST)
		cause = gtpc_decode_delete(&h, &d);
	else if (h.type == GTPC_UPDATE_RESPONSE && gtpc_decode_updated(&h, &updated) < 0)
		return "drop:drop_response_unmatched";
	if (cause == 0)
		return "ok";
	snprintf(text, sizeof(text), "cause:%d", cause);
	return text;
}

static const char *verdict_u(const uint8_t *p, size_t len)
{
	struct gtpu g;

	switch (gtpu_parse(p, len, &g)) {
	case GTPU_BAD_VERSION:
		return "drop:drop_gtpu_version";
	case GTPU_BAD_LENGTH:
		return "drop:drop_gtpu_length";
	case GTPU_BAD_EXTENSION:
		return "drop:drop_gtpu_extension";
	case GTPU_UNKNOWN_EXTENSION:
		return "answer:31";
	case GTPU_OK:
		break;
	}
	return g.type == GTPU_G_PDU ? "ok" : "drop:drop_gtpu_unknown_type";
}

static void test_malformed_table(void)
{
	FILE *f = golden_open("malformed.txt");
	struct golden g;
	unsigned int n = 0;

	CU_ASSERT_PTR_NOT_NULL(f);
	for (; f != NULL && golden_next(f, 1, &g); n++) {
		/* A copy of exactly that size, so that the address sanitizer sees a read behind
		 * it. */
		uint8_t *p = malloc(g.len);
		const char *got;

		memcpy(p, g.msg, g.len);
		got = g.word[0][0] == 'c' ? verdict_c(p, g.len) : verdict_u(p, g.len);
		CU_ASSERT_STRING_EQUAL(got, g.word[1]);
		if (strcmp(got, g.word[1]) != 0)
			fprintf(stderr, "%s: %s instead of %s\n", g.name, got, g.word[1]);
		free(p);
	}
	CU_ASSERT_TRUE(n >= 80);
	if (f != NULL)
		fclose(f);
}

/* How many messages of a golden file are of that type of GTP-C. refused: malformed.txt, and those
 * that are answered with a cause. */
static unsigned int golden_of_type(uint8_t type, bool refused)
{
	FILE *f = golden_open(refused ? "malformed.txt" : "vectors.txt");
	struct golden g;
	unsigned int n = 0;

	while (f != NULL && golden_next(f, refused, &g))
		if (g.msg[1] == type && (refused ? strncmp(g.word[1], "cause:", 6) == 0
						 : strncmp(g.name, "u_", 2) != 0))
			n++;
	if (f != NULL)
		fclose(f);
	return n;
}

/* Each type that the decoder knows has a vector, and each request that is answered with a cause is
 * refused in malformed.txt: of such a request alone a wrong length is no reason to drop it. */
static void test_every_type(void)
{
	for (unsigned int type = 0; type < 256; type++) {
		uint8_t p[13] = { 0x32, (uint8_t)type, 0, 4 };
		struct gtpc_header h;
		bool known = gtpc_decode_header(p, 12, &h) == GTPC_OK,
		     request = gtpc_decode_header(p, 13, &h) == GTPC_OK,
		     has = (!known || golden_of_type((uint8_t)type, false) > 0) &&
			   (!request || golden_of_type((uint8_t)type, true) > 0);

		CU_ASSERT_TRUE(has);
		if (!has)
			fprintf(stderr, "message type %u: no vector, or none that is refused\n",
				type);
	}
}

static void decode_all(const uint8_t *msg, size_t len)
{
	uint8_t *p = malloc(len > 0 ? len : 1);
	struct gtpc_header h;
	struct gtpu u;
	struct ip_addr a;
	uint8_t cause, recovery;
	bool has_recovery;
	uint32_t teid;

	memcpy(p, msg, len);
	verdict_c(p, len);
	if (gtpc_decode_header(p, len, &h) == GTPC_OK) {
		struct gtpc_updated updated;
		struct gtpc_update up;
		struct gtpc_delete d;

		CU_ASSERT_TRUE(h.ies >= p && h.ies + h.ies_len <= p + len);
		gtpc_decode_update(&h, &up);
		gtpc_decode_delete(&h, &d);
		gtpc_decode_updated(&h, &updated);
		gtpc_decode_response(&h, &cause, &has_recovery, &recovery);
	}
	if (gtpu_parse(p, len, &u) == GTPU_OK) {
		CU_ASSERT_TRUE((size_t)u.offset + u.len <= len);
		gtpu_decode_error_indication(p + u.offset, u.len, &teid, &a);
	}
	free(p);
}

/* Every message of the two files cut at each length, each octet of it changed, and random changes
 * of several. */
static void test_mutations(void)
{
	static const char *const files[] = { "vectors.txt", "malformed.txt" };
	uint64_t seed = ut_seed(29060);
	struct golden g;

	for (int i = 0; i < 2; i++) {
		FILE *f = golden_open(files[i]);

		while (f != NULL && golden_next(f, i, &g)) {
			for (size_t n = 0; n <= g.len; n++)
				decode_all(g.msg, n);
			for (size_t n = 0; n < g.len; n++) {
				static const uint8_t flips[] = { 0x01, 0x80, 0xff, 0x7f };

				for (unsigned int k = 0; k < sizeof(flips); k++) {
					g.msg[n] ^= flips[k];
					decode_all(g.msg, g.len);
					g.msg[n] ^= flips[k];
				}
			}
			for (int n = 0; n < 200; n++) {
				g.msg[ut_random(&seed) % g.len] = (uint8_t)ut_random(&seed);
				decode_all(g.msg, g.len);
			}
		}
		if (f != NULL)
			fclose(f);
	}
}

static const struct {
	const char *what, *hex;
	uint16_t offset, len, seq;
	bool has_seq;
} user[] = {
	{ "plain", "30ff000412345678aabbccdd", 8, 4, 0, false },
	{ "nothing inside", "30ff000012345678", 8, 0, 0, false },
	{ "trailer behind", "30ff000212345678aabbccdd", 8, 2, 0, false },
	{ "spare bit set", "38ff000412345678aabbccdd", 8, 4, 0, false },
	{ "sequence", "32ff00081234567800070000aabbccdd", 12, 4, 7, true },
	{ "n-pdu: sequence has no meaning", "31ff00081234567800070900aabbccdd", 12, 4, 0, false },
	{ "next type has no meaning", "32ff000812345678000700ffaabbccdd", 12, 4, 7, true },
	{ "pdu session container", "34ff000c123456780000008501000900aabbccdd", 16, 4, 0, false },
	{ "pdcp number", "36ff000c12345678000700c001ffff00aabbccdd", 16, 4, 7, true },
	{ "long one", "34ff001012345678000000820200000000000000aabbccdd", 20, 4, 0, false },
	{ "optional unknown", "34ff000c123456780000000501000900aabbccdd", 16, 4, 0, false },
	{ "optional unknown, to be thrown away", "34ff000c123456780000004501000900aabbccdd", 16, 4,
		0, false },
	{ "two of them", "34ff001012345678000000850100094001086800aabbccdd", 20, 4, 0, false },
	{ "none, though flagged", "34ff00081234567800000000aabbccdd", 12, 4, 0, false },
};

static void test_user_packets(void)
{
	for (unsigned int i = 0; i < sizeof(user) / sizeof(user[0]); i++) {
		uint8_t p[64];
		size_t len = golden_hex(user[i].hex, p, sizeof(p));
		struct gtpu g;

		CU_ASSERT_EQUAL(gtpu_parse(p, len, &g), GTPU_OK);
		CU_ASSERT_EQUAL(g.type, GTPU_G_PDU);
		CU_ASSERT_EQUAL(g.teid, 0x12345678);
		CU_ASSERT_EQUAL(g.offset, user[i].offset);
		CU_ASSERT_EQUAL(g.len, user[i].len);
		CU_ASSERT_EQUAL(g.has_seq, user[i].has_seq);
		CU_ASSERT_EQUAL(g.seq, user[i].seq);
	}
}

/* The fast form and the slow one say the same of what both may see. */
static void test_fast_is_slow(void)
{
	uint64_t seed = ut_seed(29281);

	for (int i = 0; i < 100000; i++) {
		uint8_t p[32] = { 0x30 };
		size_t len = ut_random(&seed) % sizeof(p);
		struct gtpu fast, slow;
		enum gtpu_verdict v;

		for (size_t n = 1; n < sizeof(p); n++)
			p[n] = (uint8_t)ut_random(&seed);
		p[2] = 0;
		p[3] %= 28;
		v = gtpu_parse(p, len, &fast);
		CU_ASSERT_EQUAL(v, gtpu_parse_slow(p, len, &slow));
		if (v == GTPU_OK)
			CU_ASSERT_TRUE(fast.type == slow.type && fast.teid == slow.teid &&
				       fast.offset == slow.offset && fast.len == slow.len &&
				       fast.has_seq == slow.has_seq && fast.seq == slow.seq);
	}
}

static void test_error_indication(void)
{
	static const char *const bad[] = { "10deadbeef", "8500040a080064",
		"10deadbeef8500050a08006400", "10deadbeef8500040a0800", "10dead", "" };
	uint8_t p[64];
	struct ip_addr want = ip_addr_v4(0x0a080064), got;
	struct golden g;
	struct gtpu u;
	uint32_t teid;

	CU_ASSERT_TRUE(golden_find("u_error_indication", &g));
	CU_ASSERT_EQUAL(gtpu_parse(g.msg, g.len, &u), GTPU_OK);
	CU_ASSERT_TRUE(u.has_seq && u.seq == 0 && u.teid == 0);
	CU_ASSERT_EQUAL(gtpu_decode_error_indication(g.msg + u.offset, u.len, &teid, &got), 0);
	CU_ASSERT_TRUE(teid == 0xdeadbeef && ip_addr_equal(&got, &want));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = golden_hex(bad[i], p, sizeof(p));

		CU_ASSERT_TRUE(gtpu_decode_error_indication(p, len, &teid, &got) < 0);
	}
}

CU_TestInfo test_gtp_malformed[] = {
	{ "malformed_table", test_malformed_table },
	{ "every_type", test_every_type },
	{ "mutations", test_mutations },
	{ "user_packets", test_user_packets },
	{ "fast_is_slow", test_fast_is_slow },
	{ "error_indication", test_error_indication },
	CU_TEST_INFO_NULL,
};
