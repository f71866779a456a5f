/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "common/addr.h"
#include "common/cursor.h"
#include "ut.h"

static void test_cursor_round_trip(void)
{
	uint8_t buf[32];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_u8(&w, 0x12);
	wr_u16(&w, 0x3456);
	wr_u32(&w, 0x789abcde);
	wr_u64(&w, UINT64_C(0x0123456789abcdef));
	wr_bytes(&w, "xyz", 3);
	CU_ASSERT_FALSE(w.bad);
	CU_ASSERT_EQUAL(w.left, sizeof(buf) - 18);

	struct rd r = rd_init(buf, 18);
	char text[3];

	CU_ASSERT_EQUAL(rd_u8(&r), 0x12);
	CU_ASSERT_EQUAL(rd_u16(&r), 0x3456);
	CU_ASSERT_EQUAL(rd_u32(&r), 0x789abcde);
	CU_ASSERT_EQUAL(rd_u64(&r), UINT64_C(0x0123456789abcdef));
	rd_copy(&r, text, 3);
	CU_ASSERT_EQUAL(memcmp(text, "xyz", 3), 0);
	CU_ASSERT_FALSE(r.bad);
	CU_ASSERT_EQUAL(r.left, 0);
}

static void test_cursor_error_sticks(void)
{
	uint8_t in[3] = { 1, 2, 3 }, out[3] = { 0 };
	struct rd r = rd_init(in, sizeof(in));
	struct wr w = wr_init(out, sizeof(out));

	CU_ASSERT_EQUAL(rd_u32(&r), 0);
	CU_ASSERT_TRUE(r.bad);
	CU_ASSERT_EQUAL(rd_u8(&r), 0); /* there would be room, but the error stays */
	wr_u32(&w, 1);
	CU_ASSERT_TRUE(w.bad);
	wr_u8(&w, 9);
	CU_ASSERT_EQUAL(out[0], 0);

	r = rd_init(in, sizeof(in));
	struct rd sub = rd_sub(&r, 2);
	CU_ASSERT_EQUAL(rd_u16(&sub), 0x0102);
	CU_ASSERT_EQUAL(rd_u8(&sub), 0);
	CU_ASSERT_TRUE(sub.bad);
	CU_ASSERT_EQUAL(rd_u8(&r), 3);
	CU_ASSERT_FALSE(r.bad);
}

static const struct {
	const char *text;
	int want;
	bool v4;
} addrs[] = {
	{ "10.8.0.100", 0, true },
	{ "255.255.255.255", 0, true },
	{ "2001:db8::1", 0, false },
	{ "10.8.0", -EINVAL, false },
	{ "10.8.0.256", -EINVAL, false },
	{ "", -EINVAL, false },
	{ "x", -EINVAL, false },
};

static void test_addr_text(void)
{
	for (unsigned int i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		struct ip_addr a;
		char text[IP_ADDR_TEXT];

		CU_ASSERT_EQUAL(ip_addr_parse(addrs[i].text, &a), addrs[i].want);
		if (addrs[i].want < 0)
			continue;
		CU_ASSERT_EQUAL(ip_addr_is_v4(&a), addrs[i].v4);
		CU_ASSERT_STRING_EQUAL(ip_addr_print(&a, text), addrs[i].text);
	}
	struct ip_addr a = ip_addr_v4(0x0a080064);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&a), 0x0a080064);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "cursor_round_trip", test_cursor_round_trip },
		{ "cursor_error_sticks", test_cursor_error_sticks },
		{ "addr_text", test_addr_text },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "common", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
