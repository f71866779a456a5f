/* SPDX-License-Identifier: BSD-3-Clause */
#include "gtp_golden.h"
#include "gtp/gtpc.h"
#include "test_gtp.h"
#include "ut.h"

enum { DNS_NONE, DNS_ONE, DNS_TWO, DNS_SIX };

/* Servers are 8.8.8.8 and 8.8.4.4; or 2001:db8::1 and 8.8.8.8. Units: id, length, PPP code,
 * identifier, length, data. */
static const struct {
	const char *what, *req;
	int dns;
	const char *want;
} pcos[] = {
	{ "empty", "", DNS_TWO, "" },
	{ "nothing asked", "80", DNS_TWO, "" },
	{ "not PPP", "81000d00", DNS_TWO, "" },
	{ "no extension bit", "00000d00", DNS_TWO, "" },
	{ "container", "80000d00", DNS_TWO, "80000d0408080808000d0408080404" },
	{ "container twice", "80000d00000d00", DNS_TWO, "80000d0408080808000d0408080404" },
	{ "container, one server", "80000d00", DNS_ONE, "80000d0408080808" },
	{ "container, no server", "80000d00", DNS_NONE, "" },
	{ "container, mixed servers", "80000d00000300", DNS_SIX,
		"80000d0408080808000310"
		"20010db8000000000000000000000001" },
	{ "other containers", "80000a00001000", DNS_TWO, "" },
	{ "nak of zeros", "8080211001050010810600000000830600000000", DNS_TWO,
		"8080211003050010810608080808830608080404" },
	{ "nak of what differs only", "8080211001050010810608080808830600000000", DNS_TWO,
		"8080210a0305000a830608080404" },
	{ "ack of what is right", "8080211001050010810608080808830608080404", DNS_TWO,
		"8080211002050010810608080808830608080404" },
	{ "ack of nothing", "80802104010a0004", DNS_TWO, "80802104020a0004" },
	{ "one server in both places", "8080211001050010810600000000830600000000", DNS_ONE,
		"8080211003050010810608080808830608080808" },
	{ "no server: reject", "8080210a0105000a810600000000", DNS_NONE,
		"8080210a0405000a810600000000" },
	{ "reject goes first",
		"8080211c0105001c0306000000008106000000008206000000008306000000"
		"00",
		DNS_TWO,
		"80802110040500100306000000008206"
		"00000000" },
	{ "option of length 2", "8080210c0105000c8106000000002d02", DNS_TWO,
		"80802106040500062d02" },
	{ "option of length 1",
		"8080210b0105000b81060000000001"
		"0100",
		DNS_TWO, "" },
	{ "option past the end", "8080210a0105000a810700000000", DNS_TWO, "" },
	{ "dns option of 5",
		"808021090105000981050000"
		"00",
		DNS_TWO, "" },
	{ "ppp length past the unit", "8080210a0105000b810600000000", DNS_TWO, "" },
	{ "ppp length 3", "8080210401050003", DNS_TWO, "" },
	{ "ppp padding", "8080210c0105000a8106000000000000", DNS_TWO,
		"8080210a0305000a810608080808" },
	{ "configure ack is not answered", "8080210402050004", DNS_TWO, "" },
	{ "pap",
		"80c0230801070008016101"
		"62",
		DNS_TWO, "80c023050207000500" },
	{ "chap",
		"80c22304010100"
		"04c2230402010004",
		DNS_TWO, "80c2230403010004" },
	{ "lcp is not for us", "80c0210401010004", DNS_TWO, "" },
	{ "unit cut: what was before counts", "80000d00802110", DNS_ONE, "80000d0408080808" },
	{ "unit without length", "80000d008021", DNS_ONE, "80000d0408080808" },
};

static void servers(int dns, struct ip_addr to[2])
{
	memset(to, 0, 2 * sizeof(to[0]));
	if (dns == DNS_SIX) {
		ip_addr_parse("2001:db8::1", &to[0]);
		to[1] = ip_addr_v4(0x08080808);
	} else if (dns != DNS_NONE) {
		to[0] = ip_addr_v4(0x08080808);
		if (dns == DNS_TWO)
			to[1] = ip_addr_v4(0x08080404);
	}
}

static void test_pco_table(void)
{
	for (unsigned int i = 0; i < sizeof(pcos) / sizeof(pcos[0]); i++) {
		uint8_t req[GTPC_PCO_MAX], want[GTPC_PCO_MAX], got[GTPC_PCO_MAX];
		size_t len = golden_hex(pcos[i].req, req, sizeof(req)), n;
		size_t want_len = golden_hex(pcos[i].want, want, sizeof(want));
		struct ip_addr dns[2];

		servers(pcos[i].dns, dns);
		n = gtpc_pco_answer(req, len, dns, got, sizeof(got));
		CU_ASSERT_TRUE(n == want_len && memcmp(got, want, n) == 0);
		if (n != want_len || memcmp(got, want, n) != 0) {
			fprintf(stderr, "%s: ", pcos[i].what);
			for (size_t k = 0; k < n; k++)
				fprintf(stderr, "%02x", got[k]);
			fprintf(stderr, "\n");
		}
	}
}

/* Whatever is asked and however little room there is: units whole, nothing behind the room, no
 * crash. */
static void test_pco_random(void)
{
	uint64_t seed = ut_seed(1661);

	for (int i = 0; i < 20000; i++) {
		unsigned int k =
			(unsigned int)(ut_random(&seed) % (sizeof(pcos) / sizeof(pcos[0])));
		size_t room = ut_random(&seed) % 64, n, at = 1;
		uint8_t hex[GTPC_PCO_MAX], *req, *out = malloc(room + 1);
		size_t len = golden_hex(pcos[k].req, hex, sizeof(hex));
		struct ip_addr dns[2];

		servers((int)(ut_random(&seed) % 4), dns);
		if (len > 0)
			hex[ut_random(&seed) % len] = (uint8_t)ut_random(&seed);
		req = malloc(len + 1);
		memcpy(req, hex, len);
		out[room] = 0x5a;
		n = gtpc_pco_answer(req, len, dns, out, room);
		CU_ASSERT_TRUE(n <= room && n != 1);
		CU_ASSERT_EQUAL(out[room], 0x5a);
		while (n > 0 && at + 3 <= n)
			at += 3u + out[at + 2];
		CU_ASSERT_TRUE(n == 0 || at == n);
		free(req);
		free(out);
	}
}

CU_TestInfo test_gtp_pco[] = {
	{ "pco_table", test_pco_table },
	{ "pco_random", test_pco_random },
	CU_TEST_INFO_NULL,
};
