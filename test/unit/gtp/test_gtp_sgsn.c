/* SPDX-License-Identifier: BSD-3-Clause */
/* The SGSN's side: what it asks must be what a GGSN reads, and what a GGSN answers what it
 * understands. */
#include <errno.h>
#include <string.h>

#include "gtp_golden.h"
#include "gtp/gtpc.h"
#include "test_gtp.h"
#include "ut.h"

static const uint8_t qos[] = { 0x00, 0x0b, 0x92, 0x1f };

static struct gtpc_ask some(void)
{
	return (struct gtpc_ask){ .seq = 0x0c00,
		.key = UINT64_C(0x2400101234567895),
		.has_recovery = true,
		.recovery = 7,
		.ctl_teid = 0x11223344,
		.usr_teid = 0x55667788,
		.ctl = ip_addr_v4(0x0a080001),
		.usr = ip_addr_v4(0x0a080002),
		.apn = "internet.example",
		.qos = qos,
		.qos_len = sizeof(qos) };
}

static void test_create_is_read(void)
{
	struct gtpc_ask a = some();
	struct gtpc_create c;
	struct gtpc_header h;
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_create_request(buf, &a);

	CU_ASSERT_EQUAL(gtpc_decode_header(buf, len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(h.type, GTPC_CREATE_REQUEST);
	CU_ASSERT_EQUAL(h.seq, a.seq);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);
	CU_ASSERT_EQUAL(c.key, a.key);
	CU_ASSERT_TRUE(c.has_recovery && c.recovery == 7);
	CU_ASSERT_EQUAL(c.peer_ctl_teid, a.ctl_teid);
	CU_ASSERT_EQUAL(c.peer_usr_teid, a.usr_teid);
	CU_ASSERT_TRUE(ip_addr_equal(&c.peer_ctl, &a.ctl) && ip_addr_equal(&c.peer_usr, &a.usr));
	CU_ASSERT_STRING_EQUAL(c.apn, a.apn);
	CU_ASSERT_EQUAL(c.selection_mode, 0);
	CU_ASSERT_EQUAL(c.linked_nsapi, 0xff);
	CU_ASSERT_TRUE(c.qos_len == sizeof(qos) && memcmp(c.qos, qos, sizeof(qos)) == 0);
	CU_ASSERT_TRUE(memcmp(c.msisdn, "\x10\x32\x54\x76\x98", 5) == 0 && c.msisdn[5] == 0xff);
}

static void test_update_is_read(void)
{
	struct gtpc_ask a = some();
	struct gtpc_update u;
	struct gtpc_header h;
	uint8_t buf[GTPC_MSG_MAX];
	size_t len;

	a.teid = 0xcafe;
	a.has_recovery = false;
	len = gtpc_encode_update_request(buf, &a);
	CU_ASSERT_EQUAL(gtpc_decode_header(buf, len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(h.teid, 0xcafe);
	CU_ASSERT_EQUAL(gtpc_decode_update(&h, &u), 0);
	CU_ASSERT_FALSE(u.has_recovery || u.has_imsi);
	CU_ASSERT_EQUAL(u.nsapi, 5);
	CU_ASSERT_EQUAL(u.peer_usr_teid, a.usr_teid);
	CU_ASSERT_TRUE(u.has_ctl_teid && u.peer_ctl_teid == a.ctl_teid);
	CU_ASSERT_TRUE(u.has_ctl_addr && ip_addr_equal(&u.peer_ctl, &a.ctl) &&
		       ip_addr_equal(&u.peer_usr, &a.usr));
}

static void test_names(void)
{
	static const struct {
		const char *apn;
		bool good;
	} rows[] = { { "a", true }, { "internet.mnc001.mcc001.gprs", true }, { "", false },
		{ ".", false }, { "a.", false }, { "a..b", false },
		{ "0123456789012345678901234567890123456789012345678901234567890123", false } };
	uint8_t buf[GTPC_MSG_MAX];

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gtpc_ask a = some();

		a.apn = rows[i].apn;
		CU_ASSERT_EQUAL(gtpc_encode_create_request(buf, &a) > 0, rows[i].good);
	}
}

static int response_of(const char *name, struct gtpc_reply *t)
{
	struct golden g;
	struct gtpc_header h;

	if (!golden_find(name, &g) || gtpc_decode_header(g.msg, g.len, &h) != GTPC_OK)
		return -ENOENT;
	return gtpc_decode_reply(&h, t);
}

static void test_answers(void)
{
	struct ip_addr vip = ip_addr_v4(0x0a080064), ue = ip_addr_v4(0xac140004);
	struct gtpc_reply t;

	CU_ASSERT_EQUAL(response_of("create_response", &t), 0);
	CU_ASSERT_EQUAL(t.cause, GTPC_REQUEST_ACCEPTED);
	CU_ASSERT_TRUE(t.has_recovery && t.recovery == 7);
	CU_ASSERT_TRUE(t.ctl_teid == 0x12345678 && t.usr_teid == 0x12345678);
	CU_ASSERT_TRUE(ip_addr_equal(&t.ue, &ue) && ip_addr_equal(&t.ctl, &vip) &&
		       ip_addr_equal(&t.usr, &vip));
	CU_ASSERT_EQUAL(response_of("create_refused", &t), 0);
	CU_ASSERT_EQUAL(t.cause, GTPC_UNKNOWN_APN);
	CU_ASSERT_EQUAL(response_of("update_response_without_teids", &t), 0);
	CU_ASSERT_TRUE(t.cause == GTPC_REQUEST_ACCEPTED && t.usr_teid == 0);
	CU_ASSERT_EQUAL(response_of("delete_response", &t), 0);
	CU_ASSERT_EQUAL(t.cause, GTPC_REQUEST_ACCEPTED);
	/* no IPv4 address for the subscriber */
	CU_ASSERT_EQUAL(response_of("create_response_ipv6", &t), -EBADMSG);
}

/* Whatever the length, and with any octet changed: never a crash, and never accepted without what a
 * context needs. */
static void test_bad_answers(void)
{
	uint64_t seed = ut_seed(7);
	struct golden g;

	CU_ASSERT_TRUE_FATAL(golden_find("create_response", &g));
	for (unsigned int i = 0; i < 200000; i++) {
		uint8_t buf[GOLDEN_MAX];
		size_t len = i % 2 == 0 ? g.len : ut_random(&seed) % (g.len + 1);
		struct gtpc_header h;
		struct gtpc_reply t;

		memcpy(buf, g.msg, len);
		for (unsigned int k = 0; k < 1 + i % 3 && len > 12; k++)
			buf[12 + ut_random(&seed) % (len - 12)] = (uint8_t)ut_random(&seed);
		if (gtpc_decode_header(buf, len, &h) != GTPC_OK || h.type != GTPC_CREATE_RESPONSE ||
			gtpc_decode_reply(&h, &t) < 0 || t.cause != GTPC_REQUEST_ACCEPTED)
			continue;
		CU_ASSERT_TRUE(t.ctl_teid != 0 && t.usr_teid != 0 && ip_addr_to_v4(&t.ue) != 0);
	}
}

CU_TestInfo test_gtp_sgsn[] = { { "create is read", test_create_is_read },
	{ "update is read", test_update_is_read }, { "names", test_names },
	{ "answers", test_answers }, { "bad answers", test_bad_answers }, CU_TEST_INFO_NULL };
