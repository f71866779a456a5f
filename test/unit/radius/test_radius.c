/* SPDX-License-Identifier: BSD-3-Clause */
/* The codec against the examples of RFC 2865 section 7 and RFC 5997 section 6, and against bytes
 * that a second implementation (Python's hashlib and hmac) made. */
#include <errno.h>

#include "radius_rig.h"
#include "ut.h"

static struct radius_secret secret_of(const char *text)
{
	struct radius_secret s;

	CU_ASSERT_EQUAL(radius_secret_set(&s, text, strlen(text)), 0);
	return s;
}

/* Hexadecimal digits to bytes; their number. */
static size_t unhex(const char *text, uint8_t *to)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		const char digits[] = { text[2 * i], text[2 * i + 1], '\0' };

		to[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

#define AUTHENTICATOR "0f403f9473978057bd83d5cb98f4227a"

static const struct {
	const char *what;
	enum radius_code code;
	uint8_t id;
	const char *user, *password, *nas, *nas_id;
	uint32_t service_type;
	const char *want;
} requests[] = {
	{ "RFC 2865 7.1 without its port, signed", RADIUS_ACCESS_REQUEST, 0, "nemo", "arctangent",
		"192.168.1.16", NULL, 0,
		"01000044" AUTHENTICATOR "501214c2180ba98bd652aa1affccd8a0e0bf"
		"01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110" },
	{ "three blocks, IPv6", RADIUS_ACCESS_REQUEST, 7, "probe",
		"a password of more than two blocks", "2001:db8::1", "left",
		RADIUS_AUTHENTICATE_ONLY,
		"0107007d" AUTHENTICATOR "5012c6a96ec6a9dff5d08629bf7cff8b26e6010770726f6265"
		"02320dec639881c903c42d86c4501e0a6781d0437e29f88f2bd1cbb93a3dff42f7ff"
		"67f3098743a6ccaf2025204c8c77c60f0606000000085f1220010db800000000"
		"000000000000000120066c65667"
		"4" },
	{ "no password, no address", RADIUS_ACCESS_REQUEST, 255, "n", "", NULL, "x", 0,
		"01ff003e" AUTHENTICATOR "5012541c4ad12f5088aae58e2bf3331347bb01036e"
		"02126ccc13f9f2ba74ab5fe2e43f782a0aee200378" },
	{ "Status-Server of us", RADIUS_STATUS_SERVER, 1, NULL, NULL, "10.8.0.11", "left", 0,
		"0c010032" AUTHENTICATOR
		"501243257f7fabd9a055ac037d59ba9f045804060a08000b20066c656674" },
};

static void test_requests(void)
{
	const struct radius_secret s = secret_of("xyzzy5461");

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct radius_request q = { .code = requests[i].code,
			.id = requests[i].id,
			.user = requests[i].user,
			.password = requests[i].password,
			.nas_id = requests[i].nas_id,
			.service_type = requests[i].service_type };
		uint8_t got[RADIUS_REQUEST_MAX], want[RADIUS_REQUEST_MAX];
		size_t len = unhex(requests[i].want, want);

		unhex(AUTHENTICATOR, q.authenticator);
		if (requests[i].nas != NULL)
			CU_ASSERT_EQUAL(ip_addr_parse(requests[i].nas, &q.nas), 0);
		if (radius_encode(got, &q, &s) != (int)len || memcmp(got, want, len) != 0) {
			fprintf(stderr, "%s\n", requests[i].what);
			CU_FAIL("request");
		}
	}
}

/* RFC 5997 6.1 and 6.2: two Status-Servers without anything but their signature. */
static void test_status_server_rfc(void)
{
	static const char *const want[] = {
		"0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e243822097c84fa3",
		"0cb30026925f6b66dd5fed571fcb1db7ad3882605012e8d6eabda910875cd91fdade26367858",
	};
	const struct radius_secret s = secret_of("xyzzy5461");

	for (unsigned int i = 0; i < 2; i++) {
		struct radius_request q = { .code = RADIUS_STATUS_SERVER };
		uint8_t got[RADIUS_REQUEST_MAX], bytes[RADIUS_REQUEST_MAX];
		size_t len = unhex(want[i], bytes);

		q.id = bytes[1];
		memcpy(q.authenticator, bytes + 4, sizeof(q.authenticator));
		CU_ASSERT_EQUAL(radius_encode(got, &q, &s), (int)len);
		CU_ASSERT_EQUAL(memcmp(got, bytes, len), 0);
	}
}

static char long_text[300]; /* of 'a' */

static const struct {
	const char *what;
	enum radius_code code;
	const char *user, *password, *nas_id;
	size_t user_len, password_len, nas_id_len; /* of long_text; 0: the text as it is */
	int want;
} odd_requests[] = {
	{ "longest of all", RADIUS_ACCESS_REQUEST, NULL, NULL, NULL, 253, 128, 253,
		RADIUS_REQUEST_MAX - 18 },
	{ "long user", RADIUS_ACCESS_REQUEST, NULL, "p", "n", 254, 0, 0, -EINVAL },
	{ "long password", RADIUS_ACCESS_REQUEST, "u", NULL, "n", 0, 129, 0, -EINVAL },
	{ "long identifier", RADIUS_ACCESS_REQUEST, "u", "p", NULL, 0, 0, 254, -EINVAL },
	{ "long identifier of a Status-Server", RADIUS_STATUS_SERVER, "u", "p", NULL, 0, 0, 254,
		-EINVAL },
	{ "no user", RADIUS_ACCESS_REQUEST, "", "p", "n", 0, 0, 0, -EINVAL },
	{ "user not given", RADIUS_ACCESS_REQUEST, NULL, "p", "n", 0, 0, 0, -EINVAL },
	{ "password not given", RADIUS_ACCESS_REQUEST, "u", NULL, "n", 0, 0, 0, -EINVAL },
	{ "nobody asks", RADIUS_ACCESS_REQUEST, "u", "p", "", 0, 0, 0, -EINVAL },
	{ "code of a reply", RADIUS_ACCESS_ACCEPT, "u", "p", "n", 0, 0, 0, -EINVAL },
	{ "user of a Status-Server is not told", RADIUS_STATUS_SERVER, "u", "p", "n", 0, 0, 0,
		20 + 18 + 3 },
};

static const char *text_of(const char *text, size_t len)
{
	return len > 0 ? long_text + sizeof(long_text) - 1 - len : text;
}

static void test_odd_requests(void)
{
	struct radius_secret s = secret_of("xyzzy5461");
	struct radius_request q = { .code = RADIUS_STATUS_SERVER };
	uint8_t got[RADIUS_REQUEST_MAX];

	memset(long_text, 'a', sizeof(long_text) - 1);
	for (size_t i = 0; i < sizeof(odd_requests) / sizeof(odd_requests[0]); i++) {
		int ret;

		q = (struct radius_request){ .code = odd_requests[i].code,
			.user = text_of(odd_requests[i].user, odd_requests[i].user_len),
			.password = text_of(odd_requests[i].password, odd_requests[i].password_len),
			.nas_id = text_of(odd_requests[i].nas_id, odd_requests[i].nas_id_len),
			.service_type = RADIUS_AUTHENTICATE_ONLY };
		ret = radius_encode(got, &q, &s);
		CU_ASSERT_EQUAL(ret, odd_requests[i].want);
		if (ret != odd_requests[i].want)
			fprintf(stderr, "%s: got %d\n", odd_requests[i].what, ret);
	}
	/* With an address of 16 bytes it fills the buffer to the last one. */
	q = (struct radius_request){ .code = RADIUS_ACCESS_REQUEST,
		.user = text_of(NULL, 253),
		.password = text_of(NULL, 128),
		.nas_id = text_of(NULL, 253),
		.nas = { { 0x20, 1 } },
		.service_type = 1 };
	CU_ASSERT_EQUAL(radius_encode(got, &q, &s), RADIUS_REQUEST_MAX);
	CU_ASSERT_EQUAL(radius_secret_set(&s, long_text, 0), -EINVAL);
	CU_ASSERT_EQUAL(radius_secret_set(&s, long_text, RADIUS_SECRET_MAX + 1), -EINVAL);
	CU_ASSERT_EQUAL(radius_secret_set(&s, long_text, RADIUS_SECRET_MAX), 0);
	CU_ASSERT_EQUAL(radius_encode(got, &q, &s), RADIUS_REQUEST_MAX);
	s.len = 0;
	CU_ASSERT_EQUAL(radius_encode(got, &q, &s), -EINVAL);
}

/* Every reply that the two RFCs show, with the authenticator of its request. */
static const struct {
	const char *what, *request, *reply;
	uint8_t code;
} replies[] = {
	{ "RFC 2865 7.1", AUTHENTICATOR,
		"0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103",
		RADIUS_ACCESS_ACCEPT },
	{ "RFC 2865 7.2", "2aee86f08d0d55969ca5978e0d3367a2",
		"0201003815efbc7dab26cfa3dc34d9c03c8601a4060600000002070600000001"
		"0806fffffffe0a0600000002"
		"0d06000000010c06000005dc",
		RADIUS_ACCESS_ACCEPT },
	{ "RFC 2865 7.3, challenge", "f3a47a1f6a6d76710b947ab93041a039",
		"0b02004e36f3c8764ae8c71157403c0c71ff9c4512304368616c6c656e676520"
		"33323736393433302e2020456e"
		"74657220726573706f6e73652061742070726f6d70742e180a3332373639343330",
		RADIUS_ACCESS_CHALLENGE },
	{ "RFC 2865 7.3, reject", "b122556d428a13d0d6253807c457ecf0",
		"03030014a42f4fca45916c4e09c8340f9e746aa0", RADIUS_ACCESS_REJECT },
	{ "RFC 5997 6.1", "8a54f4686fb394c52866e302185d0623",
		"02da0014ef0d552a4bf2d693ec2b6fe8b5411d66", RADIUS_ACCESS_ACCEPT },
	/* Its first byte is printed as 02; the digest is that of 05. */
	{ "RFC 5997 6.2", "925f6b66dd5fed571fcb1db7ad388260",
		"05b300140f6f92145f107e2f504e860a4860669c", RADIUS_ACCOUNTING_RESPONSE },
};

static void test_replies(void)
{
	const struct radius_secret s = secret_of("xyzzy5461"), other = secret_of("xyzzy5462");

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		uint8_t bytes[RADIUS_PACKET_MAX], request[RADIUS_AUTHENTICATOR];
		size_t len = unhex(replies[i].reply, bytes);
		struct radius_reply r;
		enum radius_check got;

		unhex(replies[i].request, request);
		CU_ASSERT_EQUAL(radius_parse(bytes, len, &r), RADIUS_CHECK_valid);
		CU_ASSERT_EQUAL(r.code, replies[i].code);
		CU_ASSERT_EQUAL(r.id, bytes[1]);
		CU_ASSERT_EQUAL(r.len, len);
		got = radius_prove(&r, request, &s, false);
		CU_ASSERT_EQUAL(got, RADIUS_CHECK_valid);
		if (got != RADIUS_CHECK_valid)
			fprintf(stderr, "%s: %s\n", replies[i].what, radius_checks_names[got]);
		CU_ASSERT_EQUAL(
			radius_prove(&r, request, &other, false), RADIUS_CHECK_bad_authenticator);
		CU_ASSERT_EQUAL(
			radius_prove(&r, request, &s, true), RADIUS_CHECK_no_message_authenticator);
		request[15] ^= 1;
		CU_ASSERT_EQUAL(
			radius_prove(&r, request, &s, false), RADIUS_CHECK_bad_authenticator);
	}
}

/* What is wrong with a reply before anybody's secret matters. */
static const struct {
	const char *what, *bytes;
	enum radius_check want;
} malformed[] = {
#define HEADER_OF(code, len) code "00" len "00000000000000000000000000000000"
	{ "nothing", "", RADIUS_CHECK_bad_length },
	{ "cut header", "02000014000000000000000000000000000000", RADIUS_CHECK_bad_length },
	{ "no attributes", HEADER_OF("02", "0014"), RADIUS_CHECK_valid },
	{ "shorter than a header", HEADER_OF("02", "0013"), RADIUS_CHECK_bad_length },
	{ "more than there is", HEADER_OF("02", "0015"), RADIUS_CHECK_bad_length },
	{ "padding", HEADER_OF("02", "0014") "ffffff", RADIUS_CHECK_valid },
	{ "a request", HEADER_OF("01", "0014"), RADIUS_CHECK_bad_code },
	{ "Status-Client", HEADER_OF("0d", "0014"), RADIUS_CHECK_bad_code },
	{ "code 0", HEADER_OF("00", "0014"), RADIUS_CHECK_bad_code },
	{ "an attribute", HEADER_OF("03", "0017") "120361", RADIUS_CHECK_valid },
	{ "an empty one", HEADER_OF("03", "0016") "1202", RADIUS_CHECK_valid },
	{ "attribute without length", HEADER_OF("03", "0015") "12", RADIUS_CHECK_bad_attribute },
	{ "length 1", HEADER_OF("03", "0016") "1201", RADIUS_CHECK_bad_attribute },
	{ "length 0", HEADER_OF("03", "0016") "1200", RADIUS_CHECK_bad_attribute },
	{ "length beyond the end", HEADER_OF("03", "0017") "120461", RADIUS_CHECK_bad_attribute },
	{ "length into the padding", HEADER_OF("03", "0017") "12046161",
		RADIUS_CHECK_bad_attribute },
	{ "short signature", HEADER_OF("0b", "0025") "5011000000000000000000000000000000",
		RADIUS_CHECK_bad_attribute },
	{ "a signature", HEADER_OF("0b", "0026") "501200000000000000000000000000000000",
		RADIUS_CHECK_valid },
	{ "two signatures",
		HEADER_OF("0b", "0038") "501200000000000000000000000000000000"
					"501200000000000000000000000000000000",
		RADIUS_CHECK_bad_attribute },
};

static void test_malformed(void)
{
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		size_t room = strlen(malformed[i].bytes) / 2;
		/* exactly: a sanitizer sees a read behind it */
		uint8_t *bytes = malloc(room + (room == 0));
		struct radius_reply r;
		enum radius_check got;

		CU_ASSERT_FATAL(bytes != NULL);
		got = radius_parse(bytes, unhex(malformed[i].bytes, bytes), &r);
		CU_ASSERT_EQUAL(got, malformed[i].want);
		if (got != malformed[i].want)
			fprintf(stderr, "%s: %s\n", malformed[i].what, radius_checks_names[got]);
		free(bytes);
	}
}

/* The longest packet there may be, and one byte more. */
static void test_longest(void)
{
	static uint8_t bytes[RADIUS_PACKET_MAX + 300], attributes[RADIUS_PACKET_MAX];
	const struct radius_secret s = secret_of("xyzzy5461");
	uint8_t request[RADIUS_AUTHENTICATOR] = { 1 };
	size_t want = RADIUS_PACKET_MAX - RADIUS_HEADER - 18, len;
	struct radius_reply r;

	for (size_t at = 0; at < want;) {
		size_t n = want - at > 255 ? 250 : want - at;

		attributes[at] = 18;
		attributes[at + 1] = (uint8_t)n;
		at += n;
	}
	len = rig_reply(bytes, RADIUS_ACCESS_ACCEPT, 0, request, &s, true, attributes, want);
	CU_ASSERT_EQUAL(len, RADIUS_PACKET_MAX);
	CU_ASSERT_EQUAL(radius_parse(bytes, sizeof(bytes), &r), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(radius_prove(&r, request, &s, true), RADIUS_CHECK_valid);
	bytes[3]++; /* 4097 */
	CU_ASSERT_EQUAL(radius_parse(bytes, sizeof(bytes), &r), RADIUS_CHECK_bad_length);
}

static enum radius_check judge(
	const uint8_t *bytes, size_t len, const uint8_t *request, const struct radius_secret *s)
{
	struct radius_reply r;
	enum radius_check got = radius_parse(bytes, len, &r);

	return got != RADIUS_CHECK_valid ? got : radius_prove(&r, request, s, false);
}

/* Cut or changed at any byte, no reply is proven: with a signature and without. The identifier is
 * no exception. */
static void test_changed(void)
{
	static const uint8_t attributes[] = { 18, 7, 'a', 'l', 'i', 'v', 'e', 27, 6, 0, 0, 14, 16 };
	const struct radius_secret s = secret_of("testing123");
	uint8_t request[RADIUS_AUTHENTICATOR] = { 9, 8, 7 }, bytes[RADIUS_PACKET_MAX];

	for (unsigned int sign = 0; sign < 2; sign++) {
		size_t len = rig_reply(bytes, RADIUS_ACCESS_ACCEPT, 3, request, &s, sign == 1,
			attributes, sizeof(attributes));

		CU_ASSERT_EQUAL(judge(bytes, len, request, &s), RADIUS_CHECK_valid);
		for (size_t cut = 0; cut < len; cut++)
			CU_ASSERT_EQUAL(judge(bytes, cut, request, &s), RADIUS_CHECK_bad_length);
		for (size_t at = 0; at < len; at++)
			for (unsigned int mask = 1; mask < 256; mask++) {
				bytes[at] ^= (uint8_t)mask;
				CU_ASSERT_NOT_EQUAL(
					judge(bytes, len, request, &s), RADIUS_CHECK_valid);
				bytes[at] ^= (uint8_t)mask;
			}
	}
}

/* A response authenticator that fits (as a collision makes it) does not excuse a signature that
 * does not. */
static void test_signature_alone_wrong(void)
{
	const struct radius_secret s = secret_of("testing123");
	uint8_t request[RADIUS_AUTHENTICATOR] = { 1 }, bytes[RADIUS_PACKET_MAX],
		forged[18] = { 80, 18, 1 };
	size_t len = rig_reply(
		bytes, RADIUS_ACCESS_ACCEPT, 3, request, &s, false, forged, sizeof(forged));

	CU_ASSERT_EQUAL(judge(bytes, len, request, &s), RADIUS_CHECK_bad_message_authenticator);
}

/* In FIPS mode there is no MD5: said, and nothing is sent or believed. */
static void test_no_digest(void)
{
	const struct radius_secret s = secret_of("testing123");
	struct radius_request status = { .code = RADIUS_STATUS_SERVER };
	struct radius_request access = {
		.code = RADIUS_ACCESS_REQUEST, .user = "u", .password = "p", .nas_id = "n"
	};
	uint8_t request[RADIUS_AUTHENTICATOR] = { 1 }, bytes[RADIUS_PACKET_MAX],
		out[RADIUS_REQUEST_MAX];
	size_t len = rig_reply(bytes, RADIUS_ACCESS_ACCEPT, 3, request, &s, true, NULL, 0);

	CU_ASSERT_EQUAL(EVP_set_default_properties(NULL, "fips=yes"), 1);
	CU_ASSERT_EQUAL(radius_encode(out, &status, &s), -ENOTSUP);
	CU_ASSERT_EQUAL(radius_encode(out, &access, &s), -ENOTSUP);
	CU_ASSERT_EQUAL(judge(bytes, len, request, &s), RADIUS_CHECK_no_digest);
	CU_ASSERT_EQUAL(EVP_set_default_properties(NULL, ""), 1);
	CU_ASSERT_EQUAL(judge(bytes, len, request, &s), RADIUS_CHECK_valid);
}

static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(radius_code_name(RADIUS_ACCESS_CHALLENGE), "Access-Challenge");
	CU_ASSERT_STRING_EQUAL(radius_code_name(4), "unknown");
	CU_ASSERT_STRING_EQUAL(
		radius_checks_names[RADIUS_CHECK_bad_authenticator], "bad_authenticator");
	CU_ASSERT_EQUAL(radius_checks_n, RADIUS_CHECK_stopped + 1);
}

static CU_TestInfo tests[] = {
	{ "requests", test_requests },
	{ "status_server_rfc", test_status_server_rfc },
	{ "odd_requests", test_odd_requests },
	{ "replies", test_replies },
	{ "malformed", test_malformed },
	{ "longest", test_longest },
	{ "changed", test_changed },
	{ "signature_alone_wrong", test_signature_alone_wrong },
	{ "no_digest", test_no_digest },
	{ "names", test_names },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	CU_SuiteInfo suites[] = { { "radius", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
