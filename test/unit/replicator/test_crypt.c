/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine against OpenSSL's own AES-128-GCM, on every software device that is here. */
#include <openssl/evp.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "replicator/crypt.h"
#include "repl/repl.h"
#include "ut.h"

enum { AT = 42, ROOM = 2000, LONGEST = 1500 };

static struct rte_mempool *mbufs;

static void start(struct keys *tx, struct keys *rx)
{
	uint8_t a[KEYS_SECRET], b[KEYS_SECRET];
	const struct keys_params p = { .leads = true, .expand = crypt_expand };

	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	keys_init(tx, &p);
	keys_init(rx, &p);
	rx->serials = 1000; /* one engine stands for both sides: it must tell their keys apart */
	keys_connect(tx, a, b, 7, 0);
	keys_connect(rx, b, a, 7, 0);
	keys_hello(tx, 7, false, 0);
}

/* A packet of `len` bytes with this number; data_len has the tag too. */
static void make(struct crypt_packet *p, uint64_t number, uint16_t len, uint64_t *seed)
{
	uint8_t *b;

	p->m = rte_pktmbuf_alloc(mbufs);
	p->at = AT;
	p->len = len;
	p->m->data_len = (uint16_t)(AT + len + REPL_TAG);
	p->m->pkt_len = p->m->data_len;
	b = rte_pktmbuf_mtod_offset(p->m, uint8_t *, AT);
	for (unsigned int i = 0; i < len; i++)
		b[i] = (uint8_t)ut_random(seed);
	for (unsigned int i = 0; i < 8; i++)
		b[REPL_NUMBER_AT + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* What OpenSSL makes of the same packet. */
static void openssl(const struct keys_slot *s, uint64_t number, const uint8_t *plain, uint16_t len,
	uint8_t *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	uint8_t iv[KEYS_IV];
	int n;

	memcpy(iv, s->iv, sizeof(iv));
	for (unsigned int i = 0; i < 8; i++)
		iv[4 + i] ^= (uint8_t)(number >> (56 - 8 * i));
	memcpy(out, plain, REPL_HEADER);
	EVP_EncryptInit_ex(x, EVP_aes_128_gcm(), NULL, s->key, iv);
	EVP_EncryptUpdate(x, NULL, &n, plain, REPL_HEADER);
	EVP_EncryptUpdate(x, out + REPL_HEADER, &n, plain + REPL_HEADER, len - REPL_HEADER);
	EVP_EncryptFinal_ex(x, out + len, &n);
	EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, REPL_TAG, out + len);
	EVP_CIPHER_CTX_free(x);
}

static void bursts(struct crypt *c, uint64_t seed)
{
	static uint8_t plain[CRYPT_BURST][ROOM], expect[CRYPT_BURST][ROOM];
	struct crypt_packet p[CRYPT_BURST];
	struct keys tx, rx;
	uint64_t number = 0;
	uint16_t id;
	uint8_t phase;

	start(&tx, &rx);
	crypt_sync(c, &tx);
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int n = 1 + ut_random(&seed) % CRYPT_BURST,
			     broken = ut_random(&seed) % (2 * CRYPT_BURST);

		for (unsigned int i = 0; i < n; i++) {
			uint16_t len =
				(uint16_t)(REPL_HEADER +
					   (round % 4 == 0 ? 0
							   : ut_random(&seed) %
								     (LONGEST - REPL_HEADER)));

			number += 1 + ut_random(&seed) % 100;
			make(&p[i], number, len, &seed);
			memcpy(plain[i], rte_pktmbuf_mtod_offset(p[i].m, uint8_t *, AT), len);
			p[i].slot = keys_seal(&tx, number, &id, &phase);
			CU_ASSERT_TRUE(p[i].slot >= 0);
			openssl(&tx.slot[p[i].slot], number, plain[i], len, expect[i]);
		}
		crypt_sync(c, &tx);
		crypt_run(c, &tx, p, n);
		for (unsigned int i = 0; i < n; i++) {
			uint8_t *b = rte_pktmbuf_mtod_offset(p[i].m, uint8_t *, AT);

			CU_ASSERT_TRUE(p[i].good);
			CU_ASSERT_EQUAL(memcmp(b, expect[i], p[i].len + REPL_TAG), 0);
			p[i].slot = keys_open(&rx, 7, 0, number, 0);
			if (i == broken) /* any bit of header, records or tag */
				b[ut_random(&seed) % (p[i].len + REPL_TAG)] ^=
					(uint8_t)(1 << ut_random(&seed) % 8);
		}
		crypt_sync(c, &rx);
		crypt_run(c, &rx, p, n);
		for (unsigned int i = 0; i < n; i++) {
			CU_ASSERT_EQUAL(p[i].good, i != broken);
			if (i != broken)
				CU_ASSERT_EQUAL(
					memcmp(rte_pktmbuf_mtod_offset(p[i].m, uint8_t *, AT),
						plain[i], p[i].len),
					0);
			rte_pktmbuf_free(p[i].m);
		}
	}
}

static void device(const char *name)
{
	char why[CRYPT_WHY] = "";
	struct crypt *c = crypt_create(name, 0, why);

	if (c == NULL) { /* this machine has no such instructions */
		printf("(%s) ", why);
		return;
	}
	printf("(%s) ", crypt_device(c));
	bursts(c, ut_seed(5));
	CU_ASSERT_EQUAL(crypt_count(c)->crypt_refused, 0);
	CU_ASSERT_EQUAL(crypt_count(c)->crypt_errors, 0);
	CU_ASSERT_EQUAL(crypt_count(c)->crypt_session_failures, 0);
	CU_ASSERT_FALSE(crypt_failed(c));
	crypt_destroy(c);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(mbufs), 0);
}

static void test_aesni_gcm(void)
{
	device("crypto_aesni_gcm");
}
static void test_aesni_mb(void)
{
	device("crypto_aesni_mb");
}
static void test_openssl(void)
{
	device("crypto_openssl");
}

static void test_default(void)
{
	char why[CRYPT_WHY];
	struct crypt *c = crypt_create("", 0, why);

	CU_ASSERT_PTR_NOT_NULL(c);
	crypt_destroy(c);
}

static void test_absent(void)
{
	char why[CRYPT_WHY] = "";

	CU_ASSERT_PTR_NULL(crypt_create("0000:99:00.0", 0, why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "0000:99:00.0 is not there: bind it"));
	CU_ASSERT_PTR_NULL(crypt_create("crypto_nonsense", 0, why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "crypto_nonsense cannot be made here"));
	CU_ASSERT_PTR_NULL(crypt_create("crypto_null", 0, why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot do AES-128-GCM"));
}

/* A slot without a session is refused, never passed through. */
static void test_no_session(void)
{
	char why[CRYPT_WHY];
	struct crypt *c = crypt_create("", 0, why);
	struct crypt_packet p = { .slot = 0 };
	struct keys tx, rx;
	uint64_t seed = 3;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	start(&tx, &rx);
	make(&p, 1, 100, &seed);
	crypt_run(c, &tx, &p, 1); /* not synchronised */
	CU_ASSERT_FALSE(p.good);
	crypt_sync(c, &tx);
	crypt_run(c, &tx, &p, 1);
	CU_ASSERT_TRUE(p.good);
	keys_wipe(&tx);
	crypt_run(c, &tx, &p, 1); /* the key is gone, its session not yet */
	CU_ASSERT_FALSE(p.good);
	CU_ASSERT_EQUAL(crypt_count(c)->crypt_refused, 2);
	rte_pktmbuf_free(p.m);
	crypt_destroy(c);
}

/* RFC 9001 appendix A.1 */
static void test_expand(void)
{
	static const uint8_t secret[KEYS_SECRET] = { 0xc0, 0x0c, 0xf1, 0x51, 0xca, 0x5b, 0xe0, 0x75,
		0xed, 0x0e, 0xbf, 0xb5, 0xc8, 0x03, 0x23, 0xc4, 0x2d, 0x6b, 0x7d, 0xb6, 0x78, 0x81,
		0x28, 0x9a, 0xf4, 0x00, 0x8f, 0x1f, 0x6c, 0x35, 0x7a, 0xea };
	static const uint8_t key[] = { 0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46, 0x77, 0x30,
		0xef, 0xcb, 0xe3, 0xb1, 0xa2, 0x2d };
	static const uint8_t iv[] = { 0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb,
		0x25, 0x5c };
	uint8_t out[KEYS_SECRET];

	crypt_expand(NULL, secret, "quic key", out, sizeof(key));
	CU_ASSERT_EQUAL(memcmp(out, key, sizeof(key)), 0);
	crypt_expand(NULL, secret, "quic iv", out, sizeof(iv));
	CU_ASSERT_EQUAL(memcmp(out, iv, sizeof(iv)), 0);
}

int main(void)
{
	char *argv[] = { "crypt", "-l", "0", "--no-huge", "--no-shconf", "--no-pci",
		"--no-telemetry", "-m", "64", "--file-prefix=ut_crypt", "--log-level=4" };
	CU_TestInfo crypt[] = { { "expand", test_expand }, { "absent", test_absent },
		{ "aesni_gcm", test_aesni_gcm }, { "aesni_mb", test_aesni_mb },
		{ "openssl", test_openssl }, { "default", test_default },
		{ "no_session", test_no_session }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "crypt", NULL, NULL, NULL, NULL, crypt }, CU_SUITE_INFO_NULL };

	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	mbufs = rte_pktmbuf_pool_create(
		"mbufs", 255, 0, 0, ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	return mbufs != NULL ? ut_run(suites) : EXIT_FAILURE;
}
