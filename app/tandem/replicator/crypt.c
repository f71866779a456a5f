/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <rte_bus_vdev.h>
#include <rte_cryptodev.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "base/memory.h"
#include "replicator/crypt.h"
#include "repl/repl.h"

enum {
	IV_AT = sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op),
	IV_ROOM = 16,
	SESSIONS = KEYS_SLOTS + 8,
	DESCRIPTORS = 128,
	/* a burst takes tens of microseconds: who is not back by then has failed */
	PATIENCE_MS = 5,
	NAME = 64,
};

struct crypt {
	uint8_t dev;
	bool configured, failed;
	char name[NAME];
	struct rte_mempool *sessions, *ops;
	struct rte_crypto_op *op[CRYPT_BURST];
	void *session[KEYS_SLOTS];
	uint32_t serial[KEYS_SLOTS];
	uint64_t patience; /* cycles */
	struct crypt_counters count;
};

/* ---- device ---- */

/* "name" or "name,arguments": a virtual device is made, a PCI device must have been probed by the
 * EAL. */
static int crypt_find(const char *device, char name[NAME], char why[CRYPT_WHY])
{
	const char *args = strchr(device, ',');
	int id;

	snprintf(name, NAME, "%.*s", (int)strcspn(device, ","), device);
	id = rte_cryptodev_get_dev_id(name);
	if (id >= 0)
		return id;
	if (strncmp(name, "crypto_", 7) != 0) {
		snprintf(why, CRYPT_WHY,
			"srp.crypto-device %s is not there: bind it with dpdk-devbind.py and allow "
			"it with -a, or leave the key out for a software device",
			name);
		return -ENODEV;
	}
	if (rte_vdev_init(name, args != NULL ? args + 1 : NULL) < 0 ||
		(id = rte_cryptodev_get_dev_id(name)) < 0) {
		snprintf(why, CRYPT_WHY,
			"srp.crypto-device %s cannot be made here: leave the key out for one that "
			"can",
			device);
		return -ENODEV;
	}
	return id;
}

static bool crypt_able(uint8_t dev)
{
	const struct rte_cryptodev_sym_capability_idx idx = { .type = RTE_CRYPTO_SYM_XFORM_AEAD,
		.algo.aead = RTE_CRYPTO_AEAD_AES_GCM };
	const struct rte_cryptodev_symmetric_capability *cap =
		rte_cryptodev_sym_capability_get(dev, &idx);

	return cap != NULL && rte_cryptodev_sym_capability_check_aead(
				      cap, KEYS_KEY, REPL_TAG, REPL_HEADER, KEYS_IV) == 0;
}

/* Measured on servers with AES-NI and AVX-512, cycles a packet at 256 and 1,400 bytes: aesni_gcm
 * 124 and 226, aesni_mb 134 and 254, openssl 572 and 1,039. */
static int crypt_choose(
	const char *device, unsigned int chassis, char name[NAME], char why[CRYPT_WHY])
{
	static const char *const fastest[] = { "crypto_aesni_gcm", "crypto_aesni_mb",
		"crypto_openssl" };
	int id = -ENODEV;

	if (device[0] != '\0') {
		id = crypt_find(device, name, why);
		if (id >= 0 && !crypt_able((uint8_t)id)) {
			snprintf(why, CRYPT_WHY, "srp.crypto-device %s cannot do AES-128-GCM",
				device);
			return -ENOTSUP;
		}
		return id;
	}
	for (unsigned int i = 0; i < RTE_DIM(fastest); i++) {
		char own[NAME]; /* a device has one user */

		snprintf(own, sizeof(own), chassis == 0 ? "%s" : "%s%u", fastest[i], chassis);
		id = crypt_find(own, name, why);
		if (id >= 0 && crypt_able((uint8_t)id))
			return id;
	}
	snprintf(why, CRYPT_WHY,
		"no device for AES-128-GCM: DPDK's ipsec_mb or openssl crypto driver is needed");
	return -ENODEV;
}

static int crypt_configure(struct crypt *c)
{
	const struct rte_cryptodev_config conf = { .socket_id = SOCKET_ID_ANY,
		.nb_queue_pairs = 1 };
	struct rte_cryptodev_qp_conf queue = { .nb_descriptors = DESCRIPTORS };
	char sessions[32], ops[32];
	int ret;

	snprintf(sessions, sizeof(sessions), "crypt_sessions%u", c->dev);
	snprintf(ops, sizeof(ops), "crypt_ops%u", c->dev);
	c->sessions = rte_cryptodev_sym_session_pool_create(sessions, SESSIONS,
		rte_cryptodev_sym_get_private_session_size(c->dev), 0, 0, SOCKET_ID_ANY);
	c->ops = rte_crypto_op_pool_create(
		ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC, 2 * CRYPT_BURST - 1, 0, IV_ROOM, SOCKET_ID_ANY);
	if (c->sessions == NULL || c->ops == NULL)
		return -rte_errno;
	ret = rte_cryptodev_configure(c->dev, (struct rte_cryptodev_config *)(uintptr_t)&conf);
	if (ret < 0)
		return ret;
	c->configured = true;
	queue.mp_session = c->sessions;
	ret = rte_cryptodev_queue_pair_setup(c->dev, 0, &queue, SOCKET_ID_ANY);
	if (ret == 0)
		ret = rte_cryptodev_start(c->dev);
	for (unsigned int i = 0; ret == 0 && i < CRYPT_BURST; i++) {
		c->op[i] = rte_crypto_op_alloc(c->ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC);
		if (c->op[i] == NULL)
			ret = -ENOMEM;
	}
	return ret;
}

struct crypt *crypt_create(const char *device, unsigned int chassis, char why[CRYPT_WHY])
{
	struct crypt *c = memory_take("crypt", sizeof(*c), RTE_CACHE_LINE_SIZE);
	uint8_t nothing[KEYS_SECRET] = { 0 };
	int id, ret;

	if (c == NULL) {
		snprintf(why, CRYPT_WHY, "no memory");
		return NULL;
	}
	id = crypt_choose(device, chassis, c->name, why);
	if (id < 0) {
		memory_give(c);
		return NULL;
	}
	c->dev = (uint8_t)id;
	c->patience = rte_get_tsc_hz() / 1000 * PATIENCE_MS;
	ret = crypt_configure(c);
	if (ret < 0) {
		snprintf(why, CRYPT_WHY, "crypto device %s: %s", c->name, strerror(-ret));
		crypt_destroy(c);
		return NULL;
	}
	crypt_expand(NULL, nothing, "", nothing,
		sizeof(nothing)); /* OpenSSL loads what it needs at its first use */
	return c;
}

void crypt_destroy(struct crypt *c)
{
	if (c == NULL)
		return;
	for (unsigned int i = 0; i < KEYS_SLOTS; i++)
		if (c->session[i] != NULL)
			rte_cryptodev_sym_session_free(c->dev, c->session[i]);
	if (c->configured) {
		rte_cryptodev_stop(c->dev);
		rte_cryptodev_close(c->dev);
	}
	if (!c->failed) /* else the device may hold them still */
		for (unsigned int i = 0; i < CRYPT_BURST; i++)
			if (c->op[i] != NULL)
				rte_crypto_op_free(c->op[i]);
	rte_mempool_free(c->ops);
	rte_mempool_free(c->sessions);
	memory_give(c);
}

const char *crypt_device(const struct crypt *c)
{
	return c->name;
}

bool crypt_failed(const struct crypt *c)
{
	return c->failed;
}

const struct crypt_counters *crypt_count(const struct crypt *c)
{
	return &c->count;
}

/* ---- sessions ---- */

static void *crypt_session(struct crypt *c, const struct keys_slot *s)
{
	struct rte_crypto_sym_xform x = { .type = RTE_CRYPTO_SYM_XFORM_AEAD,
		.aead = { .op = s->seals ? RTE_CRYPTO_AEAD_OP_ENCRYPT : RTE_CRYPTO_AEAD_OP_DECRYPT,
			.algo = RTE_CRYPTO_AEAD_AES_GCM,
			.key = { s->key, KEYS_KEY },
			.iv = { IV_AT, KEYS_IV },
			.digest_length = REPL_TAG,
			.aad_length = REPL_HEADER } };

	return rte_cryptodev_sym_session_create(c->dev, &x, c->sessions);
}

void crypt_sync(struct crypt *c, const struct keys *k)
{
	for (unsigned int i = 0; i < KEYS_SLOTS; i++) {
		if (c->serial[i] == k->slot[i].serial)
			continue;
		if (c->session[i] != NULL)
			rte_cryptodev_sym_session_free(c->dev, c->session[i]);
		c->session[i] = NULL;
		c->serial[i] = k->slot[i].serial;
		if (c->serial[i] == 0)
			continue;
		c->session[i] = crypt_session(c, &k->slot[i]);
		if (c->session[i] == NULL)
			c->count.crypt_session_failures++;
		else
			c->count.crypt_sessions++;
	}
}

/* ---- packets ---- */

/* Nonce: the slot's IV xor the packet number (RFC 9001 section 5.3). */
static void crypt_nonce(uint8_t *to, const struct keys_slot *s, const uint8_t *header)
{
	uint64_t low, number;

	memcpy(to, s->iv, KEYS_IV);
	memcpy(&low, s->iv + KEYS_IV - 8, 8);
	memcpy(&number, header + REPL_NUMBER_AT, 8);
	low ^= number;
	memcpy(to + KEYS_IV - 8, &low, 8);
}

static void crypt_prepare(struct crypt *c, const struct keys_slot *s, struct rte_crypto_op *op,
	const struct crypt_packet *p)
{
	uint8_t *header = rte_pktmbuf_mtod_offset(p->m, uint8_t *, p->at);
	rte_iova_t at = rte_pktmbuf_iova_offset(p->m, p->at);
	struct rte_crypto_sym_op *sym = op->sym;

	op->status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
	op->sess_type = RTE_CRYPTO_OP_WITH_SESSION;
	sym->m_src = p->m;
	sym->m_dst = NULL;
	sym->session = c->session[p->slot];
	sym->aead.data.offset = (uint32_t)p->at + REPL_HEADER;
	sym->aead.data.length = (uint32_t)p->len - REPL_HEADER;
	sym->aead.aad.data = header;
	sym->aead.aad.phys_addr = at;
	sym->aead.digest.data = header + p->len;
	sym->aead.digest.phys_addr = at + p->len;
	crypt_nonce(rte_crypto_op_ctod_offset(op, uint8_t *, IV_AT), s, header);
}

/* All of them in and out again; false: the device kept some. */
static bool crypt_pass(struct crypt *c, struct rte_crypto_op **op, unsigned int n)
{
	struct rte_crypto_op *back[CRYPT_BURST];
	unsigned int in = 0, out = 0;
	uint64_t start = rte_rdtsc();

	while (out < n) {
		if (in < n)
			in += rte_cryptodev_enqueue_burst(c->dev, 0, op + in, (uint16_t)(n - in));
		out += rte_cryptodev_dequeue_burst(
			c->dev, 0, back, (uint16_t)RTE_MIN(n - out, (unsigned int)CRYPT_BURST));
		if (out < n && rte_rdtsc() - start > c->patience)
			return false;
	}
	return true;
}

void crypt_run(struct crypt *c, const struct keys *k, struct crypt_packet *p, unsigned int n)
{
	struct rte_crypto_op *op[CRYPT_BURST];
	struct crypt_packet *of[CRYPT_BURST];
	unsigned int m = 0;

	for (unsigned int i = 0; i < n; i++) {
		p[i].good = false;
		if (c->failed || c->session[p[i].slot] == NULL ||
			c->serial[p[i].slot] != k->slot[p[i].slot].serial) {
			c->count.crypt_refused++;
			continue;
		}
		op[m] = c->op[m];
		of[m] = &p[i];
		crypt_prepare(c, &k->slot[p[i].slot], op[m], &p[i]);
		m++;
	}
	if (m == 0)
		return;
	if (!crypt_pass(c, op, m)) {
		c->failed = true;
		c->count.crypt_device_failures++;
		return;
	}
	c->count.crypt_packets += m;
	for (unsigned int i = 0; i < m; i++) {
		of[i]->good = op[i]->status == RTE_CRYPTO_OP_STATUS_SUCCESS;
		if (!of[i]->good && op[i]->status != RTE_CRYPTO_OP_STATUS_AUTH_FAILED)
			c->count.crypt_errors++;
	}
}

void crypt_expand(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len)
{
	uint8_t info[64], t[KEYS_SECRET];
	size_t text = strlen(label), n = 0;

	(void)ctx;
	/* uint16 length | "tls13 " and label | context | HKDF-Expand's first block number */
	info[n++] = 0;
	info[n++] = (uint8_t)len;
	info[n++] = (uint8_t)(6 + text);
	memcpy(info + n, "tls13 ", 6);
	memcpy(info + n + 6, label, text);
	n += 6 + text;
	info[n++] = 0;
	info[n++] = 1;
	if (HMAC(EVP_sha256(), secret, KEYS_SECRET, info, n, t, NULL) == NULL)
		abort(); /* no memory: a key that is not one must not be used */
	memcpy(out, t, len);
	OPENSSL_cleanse(t, sizeof(t));
}

const struct crypt_ops crypt_dpdk = { crypt_create, crypt_destroy, crypt_device, crypt_sync,
	crypt_run, crypt_failed, crypt_count, crypt_expand };

const struct crypt_ops *crypt_ops = &crypt_dpdk;
