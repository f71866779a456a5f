/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "common/addr.h"
#include "common/cursor.h"
#include "common/mac.h"
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

/* What the bytes of one family say of it. */
static const struct {
	const char *text;
	size_t size;
	uint8_t bits;
	bool none, any;
} families[] = {
	{ "10.8.0.100", 4, 32, false, false },
	{ "0.0.0.0", 4, 32, false, true },
	{ "::", 16, 128, true, true },
	{ "2001:db8::1", 16, 128, false, false },
	{ "::1", 16, 128, false, false },
	{ "::fffe:a08:64", 16, 128, false, false },
	{ "1::ffff:a08:64", 16, 128, false, false },
};

static void test_addr_families(void)
{
	for (unsigned int i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct ip_addr a, back;

		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(families[i].text, &a), 0);
		CU_ASSERT_EQUAL(ip_addr_size(&a), families[i].size);
		CU_ASSERT_EQUAL(ip_addr_bits(&a), families[i].bits);
		CU_ASSERT_EQUAL(ip_addr_is_v4(&a), families[i].bits == 32);
		CU_ASSERT_EQUAL(ip_addr_is_none(&a), families[i].none);
		CU_ASSERT_EQUAL(ip_addr_is_any(&a), families[i].any);
		CU_ASSERT_TRUE(ip_addr_from_bytes(&back, ip_addr_bytes(&a), ip_addr_size(&a)));
		CU_ASSERT_TRUE(ip_addr_equal(&a, &back));
		CU_ASSERT_EQUAL(ip_addr_hash(&a), ip_addr_hash(&back));
		CU_ASSERT_FALSE(ip_addr_from_bytes(&back, a.b, 5));
		CU_ASSERT_TRUE(ip_addr_is_none(&back));
		CU_ASSERT_TRUE(families[i].bits == 32 || ip_addr_to_v4(&a) == 0);
	}
}

static const struct {
	const char *addr;
	uint8_t len;
	const char *cut; /* what is left of the address without host bits */
	const char *in, *out;
} prefixes[] = {
	{ "10.8.0.100", 16, "10.8.0.0", "10.8.255.255", "10.9.0.0" },
	{ "10.8.0.100", 32, "10.8.0.100", "10.8.0.100", "10.8.0.101" },
	{ "10.8.0.100", 31, "10.8.0.100", "10.8.0.101", "10.8.0.102" },
	{ "10.8.0.100", 0, "0.0.0.0", "255.255.255.255", "::" },
	{ "128.0.0.1", 1, "128.0.0.0", "255.0.0.0", "127.255.255.255" },
	{ "2001:db8::1", 0, "::", "ffff::", "10.8.0.100" },
	{ "2001:db8::1", 32, "2001:db8::", "2001:db8:ffff::", "2001:db9::" },
	{ "2001:db8::1", 63, "2001:db8::", "2001:db8:0:1::", "2001:db8:0:2::" },
	{ "2001:db8::1", 64, "2001:db8::", "2001:db8::ffff", "2001:db8:0:1::" },
	{ "2001:db8::3", 127, "2001:db8::2", "2001:db8::2", "2001:db8::4" },
	{ "2001:db8::3", 128, "2001:db8::3", "2001:db8::3", "2001:db8::2" },
};

static void test_prefixes(void)
{
	for (unsigned int i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct ip_addr a, cut, in, out;
		struct ip_prefix p, whole;

		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(prefixes[i].addr, &a), 0);
		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(prefixes[i].cut, &cut), 0);
		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(prefixes[i].in, &in), 0);
		CU_ASSERT_EQUAL_FATAL(ip_addr_parse(prefixes[i].out, &out), 0);
		p = ip_prefix_around(&a, prefixes[i].len);
		CU_ASSERT_TRUE(ip_prefix_equal(&p, &(struct ip_prefix){ cut, prefixes[i].len }));
		CU_ASSERT_TRUE(ip_prefix_valid(&p));
		whole = (struct ip_prefix){ a, prefixes[i].len };
		CU_ASSERT_EQUAL(ip_prefix_valid(&whole), ip_addr_equal(&a, &cut));
		CU_ASSERT_TRUE(ip_prefix_covers(&p, &in) && ip_prefix_covers(&whole, &in));
		CU_ASSERT_FALSE(ip_prefix_covers(&p, &out) || ip_prefix_covers(&whole, &out));
		p.len = (uint8_t)(ip_addr_bits(&a) + 1);
		CU_ASSERT_FALSE(ip_prefix_valid(&p));
	}
}

static void test_mac(void)
{
	static const struct mac_addr nobody, ours = { { 2, 0, 0, 0x0a, 0xff, 1 } },
					     all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
					     group = { { 1, 0, 0x5e, 0, 0, 1 } },
					     last = { { 0, 0, 0, 0, 0, 1 } };
	char text[MAC_TEXT];

	CU_ASSERT_STRING_EQUAL(mac_print(&ours, text), "02:00:00:0A:FF:01");
	CU_ASSERT_TRUE(mac_is_station(&ours) && mac_is_station(&last));
	CU_ASSERT_FALSE(mac_is_station(&nobody) || mac_is_station(&all) || mac_is_station(&group));
	CU_ASSERT_TRUE(mac_equal(&ours, &(struct mac_addr){ { 2, 0, 0, 0x0a, 0xff, 1 } }));
	CU_ASSERT_FALSE(mac_equal(&nobody, &last) || mac_equal(&ours, &nobody));
}

static void test_ip4(void)
{
	CU_ASSERT_EQUAL(ip4_mask(0), 0);
	CU_ASSERT_EQUAL(ip4_mask(9), 0xff800000);
	CU_ASSERT_EQUAL(ip4_mask(32), UINT32_MAX);
	CU_ASSERT_TRUE(ip4_is_unicast(0x01000000) && ip4_is_unicast(0xdfffffff));
	CU_ASSERT_TRUE(ip4_is_unicast(0x7effffff) && ip4_is_unicast(0x80000000));
	CU_ASSERT_FALSE(ip4_is_unicast(0x00ffffff) || ip4_is_unicast(0xe0000000));
	CU_ASSERT_FALSE(ip4_is_unicast(0x7f000001) || ip4_is_unicast(UINT32_MAX));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "cursor_round_trip", test_cursor_round_trip },
		{ "cursor_error_sticks", test_cursor_error_sticks },
		{ "addr_text", test_addr_text },
		{ "addr_families", test_addr_families },
		{ "prefixes", test_prefixes },
		{ "mac", test_mac },
		{ "ip4", test_ip4 },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "common", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
