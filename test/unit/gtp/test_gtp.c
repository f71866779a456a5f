/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gtp_golden.h"
#include "gtp/gtpc.h"
#include "gtp/gtpu.h"
#include "test_gtp.h"
#include "ut.h"

/* ---- encoders against the vectors ---- */

static const uint8_t qos[] = { 0x00, 0x0b, 0x92, 0x1f };

static struct gtpc_accept accept_of(const struct golden *request)
{
	struct gtpc_accept a = { .peer_ctl_teid = 1,
		.seq = 0x0c00,
		.nsapi = 5,
		.recovery = 7,
		.ctl_teid = 0x12345678,
		.usr_teid = 0x12345678,
		.charging_id = 0xcafe0001,
		.ue = ip_addr_v4(0xac140004),
		.ctl = ip_addr_v4(0x0a080064),
		.usr = ip_addr_v4(0x0a080064),
		.dns = { ip_addr_v4(0x08080808), ip_addr_v4(0x08080404) },
		.qos = qos,
		.qos_len = sizeof(qos) };
	static struct gtpc_create c;
	struct gtpc_header h;

	if (request != NULL && gtpc_decode_header(request->msg, request->len, &h) == GTPC_OK &&
		gtpc_decode_create(&h, &c) == 0) {
		a.pco = c.pco;
		a.pco_len = c.pco_len;
	}
	return a;
}

static size_t encode_create(uint8_t *buf, const char *request)
{
	struct golden g;
	struct gtpc_accept a = accept_of(request != NULL && golden_find(request, &g) ? &g : NULL);

	return gtpc_encode_create_response(buf, &a);
}

static size_t encode_create6(uint8_t *buf)
{
	struct gtpc_accept a = accept_of(NULL);
	/* all that a profile can have: 330, 340, 350 and 360 Mbit/s (TS 24.008 10.5.6.5) */
	static const uint8_t full[GTPC_QOS_MAX] = { 0x00, 0x0b, 0x92, 0x1f, 0x93, 0x96, 0x40, 0x40,
		0x74, 0xf9, 0xff, 0xff, 0x11, 0x01, 0x01, 0x40, 0x40, 0x4a, 0x4b, 0x4c, 0x4d };

	ip_addr_parse("2001:db8:0:1::1", &a.ue);
	ip_addr_parse("2001:db8::64", &a.ctl);
	a.qos = full;
	a.qos_len = sizeof(full);
	return gtpc_encode_create_response(buf, &a);
}

static size_t encode_update(uint8_t *buf, bool teids)
{
	struct gtpc_accept a = accept_of(NULL);

	if (!teids)
		a.ctl_teid = a.usr_teid = 0;
	return gtpc_encode_update_response(buf, &a);
}

static size_t encode_ask(uint8_t *buf, bool update)
{
	struct gtpc_ask a = { .teid = update ? 0x12345678 : 0,
		.seq = 0x0c00,
		.key = UINT64_C(0x2400101234567895),
		.has_recovery = true,
		.recovery = 2,
		.ctl_teid = 0x11,
		.usr_teid = 0x21,
		.ctl = ip_addr_v4(0x0a080001),
		.usr = ip_addr_v4(0x0a080002),
		.apn = "internet",
		.qos = qos,
		.qos_len = sizeof(qos) };

	return update ? gtpc_encode_update_request(buf, &a) : gtpc_encode_create_request(buf, &a);
}

static size_t encode(const char *name, uint8_t *b)
{
	struct ip_addr v4 = ip_addr_v4(0x0a080064), v6;

	ip_addr_parse("2001:db8::64", &v6);
#define IS(text, call)                                                                             \
	if (strcmp(name, text) == 0)                                                               \
		return call;
	IS("echo_request", gtpc_encode_echo_request(b, 0x1234));
	IS("echo_response", gtpc_encode_echo_response(b, 0x1234, 7));
	IS("version_not_supported", gtpc_encode_version_not_supported(b, 0x1234));
	IS("supported_extension_headers", gtpc_encode_supported_extension_headers(b, 0x1234));
	IS("create_response", encode_create(b, "in_create_sgsnemu"));
	IS("create_response_container", encode_create(b, "in_create_container"));
	IS("create_response_without_pco", encode_create(b, NULL));
	IS("create_response_ipv6", encode_create6(b));
	IS("update_response", encode_update(b, true));
	IS("update_response_without_teids", encode_update(b, false));
	IS("create_refused", gtpc_encode_cause_response(
				     b, GTPC_CREATE_RESPONSE, 1, 0xc00, GTPC_UNKNOWN_APN, 7, true));
	IS("update_refused", gtpc_encode_cause_response(b, GTPC_UPDATE_RESPONSE, 1, 0xc00,
				     GTPC_NON_EXISTENT, 7, false));
	IS("delete_response", gtpc_encode_cause_response(b, GTPC_DELETE_RESPONSE, 1, 0xc00,
				      GTPC_REQUEST_ACCEPTED, 7, false));
	IS("delete_request", gtpc_encode_delete_request(b, 1, 2, 5, true));
	IS("delete_request_one_context", gtpc_encode_delete_request(b, 1, 2, 5, false));
	IS("own_update_request", gtpc_encode_own_update(b, 1, 2, UINT64_C(0x2400101234567895),
					 GTPC_DIRECT_TUNNEL_EI));
	IS("own_update_request_without_flags",
		gtpc_encode_own_update(b, 1, 2, UINT64_C(0x2400101234567895), 0));
	IS("create_request", encode_ask(b, false));
	IS("update_request", encode_ask(b, true));
	IS("u_echo_response", gtpu_encode_echo_response(b, 0x1234));
	IS("u_error_indication", gtpu_encode_error_indication(b, 0xdeadbeef, &v4));
	IS("u_error_indication_ipv6", gtpu_encode_error_indication(b, 0xdeadbeef, &v6));
	IS("u_supported_extension_headers", gtpu_encode_supported_extension_headers(b, 0x1234));
#undef IS
	return 0;
}

static const char *const encoded[] = { "echo_request", "echo_response", "version_not_supported",
	"supported_extension_headers", "create_response", "create_response_container",
	"create_response_without_pco", "create_response_ipv6", "update_response",
	"update_response_without_teids", "create_refused", "update_refused", "delete_response",
	"delete_request", "delete_request_one_context", "own_update_request",
	"own_update_request_without_flags", "create_request", "update_request", "u_echo_response",
	"u_error_indication", "u_error_indication_ipv6", "u_supported_extension_headers" };

static void test_vectors(void)
{
	for (unsigned int i = 0; i < sizeof(encoded) / sizeof(encoded[0]); i++) {
		uint8_t buf[GTPC_MSG_MAX];
		struct golden g = { .len = 0 };
		size_t len = encode(encoded[i], buf);
		bool same =
			golden_find(encoded[i], &g) && len == g.len && memcmp(buf, g.msg, len) == 0;

		CU_ASSERT_TRUE(same);
		if (same)
			continue;
		fprintf(stderr, "%s ", encoded[i]);
		for (size_t n = 0; n < len; n++)
			fprintf(stderr, "%02x", buf[n]);
		fprintf(stderr, "\n");
	}
}

/* What we write, we read: every message of ours passes our own header check. */
static void test_vectors_decode(void)
{
	FILE *f = golden_open("vectors.txt");
	struct golden g;
	unsigned int n = 0;

	CU_ASSERT_PTR_NOT_NULL(f);
	for (; f != NULL && golden_next(f, 0, &g); n++) {
		struct gtpc_header h;
		struct gtpu u;

		if (strncmp(g.name, "u_", 2) == 0)
			CU_ASSERT_EQUAL(gtpu_parse(g.msg, g.len, &u), GTPU_OK)
		else
			CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	}
	CU_ASSERT_TRUE(n >= sizeof(encoded) / sizeof(encoded[0]));
	if (f != NULL)
		fclose(f);
}

/* ---- requests ---- */

static void test_create(void)
{
	struct golden g;
	struct gtpc_header h;
	struct gtpc_create c;
	static const uint8_t msisdn[8] = { 0x64, 0x07, 0x12, 0x32, 0x54, 0xf6, 0xff, 0xff };
	struct ip_addr sgsn = ip_addr_v4(0x0a080001), none = { { 0 } };

	CU_ASSERT_TRUE(golden_find("in_create_sgsnemu", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(h.type, GTPC_CREATE_REQUEST);
	CU_ASSERT_EQUAL(h.seq, 0x0c00);
	CU_ASSERT_EQUAL(h.teid, 0);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);
	CU_ASSERT_EQUAL(c.key, UINT64_C(0x2400101234567890));
	CU_ASSERT_EQUAL(c.nsapi, 0);
	CU_ASSERT_EQUAL(c.linked_nsapi, 0xff);
	CU_ASSERT_TRUE(c.has_recovery && c.recovery == 2);
	CU_ASSERT_EQUAL(c.selection_mode, 1);
	CU_ASSERT_EQUAL(c.peer_usr_teid, 1);
	CU_ASSERT_EQUAL(c.peer_ctl_teid, 1);
	CU_ASSERT_EQUAL(c.charging_characteristics, 0x0800);
	CU_ASSERT_TRUE(c.pdp_type_org == 1 && c.pdp_type == 0x21);
	CU_ASSERT_TRUE(ip_addr_equal(&c.ue, &none));
	CU_ASSERT_STRING_EQUAL(c.apn, "internet");
	CU_ASSERT_EQUAL(c.pco_len, 40);
	CU_ASSERT_TRUE(ip_addr_equal(&c.peer_ctl, &sgsn) && ip_addr_equal(&c.peer_usr, &sgsn));
	CU_ASSERT_EQUAL(memcmp(c.msisdn, msisdn, sizeof(msisdn)), 0);
	CU_ASSERT_EQUAL(c.qos_len, 17);
	CU_ASSERT_EQUAL(c.qos[16], 0x40);

	/* Of the wire: sgsnemu 1.9.0. */
	CU_ASSERT_TRUE(golden_find("in_create_captured", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);
	CU_ASSERT_EQUAL(c.key, UINT64_C(0x2400101234567890));
	CU_ASSERT_STRING_EQUAL(c.apn, "internet");
	CU_ASSERT_EQUAL(ip_addr_to_v4(&c.peer_ctl), 0x0a630001);
	CU_ASSERT_TRUE(c.qos_len == 4 && c.pco_len == 21 && c.msisdn[5] == 0xf6);
}

static void test_create_odd(void)
{
	struct golden g;
	struct gtpc_header h;
	struct gtpc_create c;
	struct ip_addr ue = ip_addr_v4(0xac140009), user = ip_addr_v4(0x0a080002);

	/* Elements backwards, unknown ones between, some twice, an extension header, upper case, a
	 * fixed address, a long QoS profile, a PCO and an MSISDN too long to be right. */
	CU_ASSERT_TRUE(golden_find("in_create_odd", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_TRUE(h.has_ext);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);
	CU_ASSERT_EQUAL(c.key, UINT64_C(0x24001012345fffff) - 0xa);
	CU_ASSERT_EQUAL(c.nsapi, 5);
	CU_ASSERT_FALSE(c.has_recovery);
	CU_ASSERT_STRING_EQUAL(c.apn, "internet.mnc001.mcc240.gprs");
	CU_ASSERT_TRUE(ip_addr_equal(&c.ue, &ue));
	CU_ASSERT_TRUE(ip_addr_equal(&c.peer_usr, &user));
	CU_ASSERT_EQUAL(c.pco_len, 0);
	CU_ASSERT_EQUAL(c.msisdn[0], 0xff);
	/* 23 octets of a profile, numbered: 21 mean something */
	CU_ASSERT_EQUAL(c.qos_len, 21);
	for (unsigned int i = 0; i < sizeof(c.qos); i++)
		CU_ASSERT_EQUAL(c.qos[i], i);

	/* Every fixed-length element stands in front, full of what would be read as an element too
	 * long. */
	CU_ASSERT_TRUE(golden_find("in_create_every_fixed", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);

	CU_ASSERT_TRUE(golden_find("in_create_secondary", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(h.teid, 0x12345678);
	CU_ASSERT_EQUAL(gtpc_decode_create(&h, &c), 0);
	CU_ASSERT_TRUE(c.nsapi == 6 && c.linked_nsapi == 5);
	CU_ASSERT_EQUAL(c.peer_ctl_teid, 0);
	CU_ASSERT_EQUAL(c.key, UINT64_C(0xfffffffffffffff6));
	CU_ASSERT_STRING_EQUAL(c.apn, "");
}

static void test_update_delete(void)
{
	struct golden g;
	struct gtpc_header h;
	struct gtpc_update u;
	struct gtpc_delete d;

	CU_ASSERT_TRUE(golden_find("in_update", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_update(&h, &u), 0);
	CU_ASSERT_EQUAL(h.teid, 0x12345678);
	CU_ASSERT_TRUE(
		u.has_imsi && u.has_recovery && u.has_qos && u.has_ctl_teid && u.has_ctl_addr);
	CU_ASSERT_EQUAL(u.key, UINT64_C(0x2400101234567895));
	CU_ASSERT_TRUE(u.peer_usr_teid == 0x21 && u.peer_ctl_teid == 0x22);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&u.peer_ctl), 0x0a080003);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&u.peer_usr), 0x0a080004);

	CU_ASSERT_TRUE(golden_find("in_delete", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_delete(&h, &d), 0);
	CU_ASSERT_TRUE(d.teardown && d.nsapi == 5);
	CU_ASSERT_TRUE(golden_find("delete_request_one_context", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_delete(&h, &d), 0);
	CU_ASSERT_TRUE(!d.teardown && d.nsapi == 5);
}

/* What an SGSN answers to an Update of ours: one address, and what it leaves out stays. */
static void test_updated(void)
{
	struct gtpc_updated u;
	struct gtpc_header h;
	struct golden g;

	CU_ASSERT_TRUE(golden_find("in_updated", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_updated(&h, &u), 0);
	CU_ASSERT_TRUE(u.cause == GTPC_REQUEST_ACCEPTED && u.has_recovery && u.recovery == 2);
	CU_ASSERT_TRUE(u.has_usr_teid && u.peer_usr_teid == 0x21);
	CU_ASSERT_TRUE(u.has_usr_addr && ip_addr_to_v4(&u.peer_usr) == 0x0a080002);
	CU_ASSERT_TRUE(u.has_qos && u.qos_len == 4 && u.qos[1] == 0x0b);
	CU_ASSERT_TRUE(golden_find("in_updated_empty", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_updated(&h, &u), 0);
	CU_ASSERT_EQUAL(u.cause, GTPC_NON_EXISTENT);
	CU_ASSERT_FALSE(u.has_recovery || u.has_usr_teid || u.has_usr_addr || u.has_qos);
}

/* Values that can be nobody's, octets that are no element, and no cause. */
static void test_updated_bad(void)
{
	enum { TEID = 12 + 4 + 4, ADDR = 12 + 4 + 5 + 3, QOS = 12 + 4 + 5 + 7 + 2 };
	static const struct {
		unsigned int at;
		uint8_t was, is;
	} rows[] = { { TEID, 0x21, 0 }, { ADDR, 10, 0 }, { ADDR, 10, 127 }, { QOS, 4, 3 },
		{ 12, 1, 3 }, { 12, 1, 14 } };
	struct gtpc_updated u;
	struct gtpc_header h;
	struct golden g;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_TRUE_FATAL(golden_find("in_updated", &g));
		CU_ASSERT_EQUAL(g.msg[rows[i].at], rows[i].was);
		g.msg[rows[i].at] = rows[i].is;
		CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
		CU_ASSERT_EQUAL(gtpc_decode_updated(&h, &u), -EBADMSG);
	}
}

static void test_response(void)
{
	struct golden g;
	struct gtpc_header h;
	uint8_t cause, recovery;
	bool has_recovery;

	CU_ASSERT_TRUE(golden_find("echo_response", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_response(&h, &cause, &has_recovery, &recovery), 0);
	CU_ASSERT_TRUE(cause == 0 && has_recovery && recovery == 7);
	CU_ASSERT_TRUE(golden_find("delete_response", &g));
	CU_ASSERT_EQUAL(gtpc_decode_header(g.msg, g.len, &h), GTPC_OK);
	CU_ASSERT_EQUAL(gtpc_decode_response(&h, &cause, &has_recovery, &recovery), 0);
	CU_ASSERT_TRUE(cause == GTPC_REQUEST_ACCEPTED && !has_recovery);
	h.ies_len--;
	CU_ASSERT_EQUAL(gtpc_decode_response(&h, &cause, &has_recovery, &recovery), -EBADMSG);
}

static const struct {
	uint8_t eua[24];
	size_t len;
	int want;
	const char *ue;
} euas[] = {
	{ { 0xf1, 0x21 }, 2, 0, "::" },
	{ { 0xf1, 0x21, 0, 0, 0, 0 }, 6, 0, "::" },
	{ { 0xf1, 0x21, 10, 0, 0, 1 }, 6, 0, "10.0.0.1" },
	{ { 0xf1, 0x21, 10, 0, 0, 1, 0 }, 7, 201, NULL },
	{ { 0xf1, 0x57, 0x20, 1, 0xd, 0xb8, [17] = 1 }, 18, 0, "2001:db8::1" },
	{ { 0xf1, 0x57, 10, 0, 0, 1 }, 6, 201, NULL },
	{ { 0xf1, 0x8d }, 2, 0, "::" },
	{ { 0xf1, 0x8d, 10, 0, 0, 2 }, 6, 0, "10.0.0.2" },
	{ { 0xf1, 0x8d, 10, 0, 0, 3, 0x20, 1 }, 22, 0, "10.0.0.3" },
	{ { 0xf1, 0x8d, 0x20, 1, 0xd, 0xb8, [17] = 2 }, 18, 0, "2001:db8::2" },
	{ { 0xf1, 0x8d, 10, 0 }, 8, 201, NULL },
	{ { 0xf0, 0x01 }, 2, 0, "::" },
	{ { 0xf1, 0x99, 1 }, 3, 0, "::" },
	{ { 0xf1 }, 1, 201, NULL },
};

static void test_end_user_address(void)
{
	struct golden g;

	CU_ASSERT_TRUE(golden_find("in_create_without_eua", &g));
	for (unsigned int i = 0; i < sizeof(euas) / sizeof(euas[0]); i++) {
		uint8_t msg[GOLDEN_MAX];
		size_t len = g.len + 3 + euas[i].len;
		struct gtpc_header h;
		struct gtpc_create c;
		char text[IP_ADDR_TEXT];

		memcpy(msg, g.msg, g.len);
		msg[g.len] = 128;
		msg[g.len + 1] = 0;
		msg[g.len + 2] = (uint8_t)euas[i].len;
		memcpy(msg + g.len + 3, euas[i].eua, euas[i].len);
		msg[2] = (uint8_t)((len - 8) >> 8);
		msg[3] = (uint8_t)(len - 8);
		CU_ASSERT_EQUAL(gtpc_decode_header(msg, len, &h), GTPC_OK);
		CU_ASSERT_EQUAL((int)gtpc_decode_create(&h, &c), euas[i].want);
		if (euas[i].want == 0)
			CU_ASSERT_STRING_EQUAL(ip_addr_print(&c.ue, text), euas[i].ue);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "vectors", test_vectors },
		{ "vectors_decode", test_vectors_decode },
		{ "create", test_create },
		{ "create_odd", test_create_odd },
		{ "update_delete", test_update_delete },
		{ "updated", test_updated },
		{ "updated, bad", test_updated_bad },
		{ "response", test_response },
		{ "end_user_address", test_end_user_address },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "gtp", NULL, NULL, NULL, NULL, tests },
		{ "malformed", NULL, NULL, NULL, NULL, test_gtp_malformed },
		{ "pco", NULL, NULL, NULL, NULL, test_gtp_pco },
		{ "retransmission", NULL, NULL, NULL, NULL, test_gtp_retransmission },
		{ "sgsn", NULL, NULL, NULL, NULL, test_gtp_sgsn }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
