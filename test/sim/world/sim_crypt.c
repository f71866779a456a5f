/* SPDX-License-Identifier: BSD-3-Clause */
/* The stream's ciphers: a cipher and a tag that keep nothing secret but are wrong wherever
 * the real ones would be: for another key, another number, another header, a flipped bit. And the
 * watch on it: no key seals two packets with one nonce (INV_04), and the stream takes nothing but
 * what it was sent. */
#include <rte_mbuf.h>

#include "replicator/crypt.h"

#include "sim.h"

enum { RECORDS = 1 << 16, BIG = 1800 };

/* As a device's session: the key as it was when crypt_sync was told of it. */
struct crypt {
	struct {
		uint32_t serial;
		uint64_t key[2];
	} session[KEYS_SLOTS];
	struct crypt_counters count;
};

/* What was sealed, of both chassis and all their lives: hash of key and nonce -> digest of the
 * packet. */
static struct {
	uint64_t nonce, packet;
} sealed[RECORDS];
static unsigned int n_sealed;

/* What was opened in the present burst, by chassis. */
static struct {
	const uint8_t *pkt[CRYPT_BURST];
	uint64_t digest[CRYPT_BURST];
	unsigned int n;
} opened[2];

uint64_t crypt_mix(const uint64_t *w, size_t n, uint64_t h)
{
	h += UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < n; i++) {
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 29;
}

static uint64_t hash(const void *p, size_t len, uint64_t h)
{
	uint64_t w[(BIG + 7) / 8];

	if (len > BIG)
		exit(2);
	w[len / 8] = 0;
	memcpy(w, p, len);
	return crypt_mix(w, (len + 7) / 8, h ^ len);
}

static void crypt_sim_expand(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len)
{
	uint64_t of = hash(label, strlen(label), 1), word[KEYS_SECRET / 8];

	for (uint64_t i = 0; i < RTE_DIM(word); i++)
		word[i] = hash(secret, KEYS_SECRET, of + i);
	memcpy(out, word, len);
}

static struct crypt *crypt_sim_create(const char *device, unsigned int chassis, char why[CRYPT_WHY])
{
	memory_pages(sealed, sizeof(sealed));
	return memory_take("crypt", sizeof(struct crypt), 0);
}

static bool crypt_sim_failed(const struct crypt *c)
{
	return false;
}

static const struct crypt_counters *crypt_sim_count(const struct crypt *c)
{
	return &c->count;
}

static void crypt_sim_sync(struct crypt *c, const struct keys *k)
{
	for (unsigned int i = 0; i < KEYS_SLOTS; i++) {
		if (c->session[i].serial == k->slot[i].serial)
			continue;
		c->session[i].serial = k->slot[i].serial;
		memcpy(c->session[i].key, k->slot[i].key, KEYS_KEY);
		c->count.crypt_sessions++;
	}
}

/* ---- the watch ---- */

static size_t place_of(uint64_t nonce)
{
	size_t i = nonce % RECORDS;

	while (sealed[i].nonce != 0 && sealed[i].nonce != nonce)
		i = (i + 1) % RECORDS;
	return i;
}

static void record(uint64_t nonce, uint64_t packet)
{
	size_t i = place_of(nonce);

	if (sealed[i].nonce == nonce) {
		broken(4, "a key seals a second packet with the same nonce");
		return;
	}
	if (++n_sealed > RECORDS / 4 * 3) {
		broken(4, "more packets in a run than can be watched: %u", n_sealed);
		return;
	}
	sealed[i].nonce = nonce;
	sealed[i].packet = packet;
	sim.sealed++;
}

static void genuine(unsigned int node, const uint8_t *pkt, uint64_t nonce, uint64_t packet)
{
	size_t i = place_of(nonce);

	if (sealed[i].nonce == 0 || sealed[i].packet != packet)
		broken(4, "a packet was opened that nobody sealed");
	opened[node].pkt[opened[node].n] = pkt;
	opened[node].digest[opened[node].n++] = packet;
}

void __wrap_repl_input(struct repl *r, const uint8_t *pkt, size_t len, usec_t now)
{
	unsigned int node = (unsigned int)me()->id;
	uint64_t packet = hash(pkt, len, 0);
	bool known = sim.insecure;

	for (unsigned int i = 0; i < opened[node].n && !known; i++)
		known = opened[node].pkt[i] == pkt && opened[node].digest[i] == packet;
	if (!known)
		broken(4, "the stream takes a packet whose tag was not right");
	stream_input(&sim.node[node], r, pkt, len, now);
}

int __wrap_keys_init(struct keys *k, const struct keys_params *p)
{
	struct keys_params mine = *p;

	mine.limit = sim.phase_packets;
	return __real_keys_init(k, &mine);
}

/* ---- the cipher ---- */

static void veil(uint8_t *p, size_t len, uint64_t stream)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t w = 0;

		stream = stream * UINT64_C(0xd1342543de82ef95) + 1;
		memcpy(&w, p + i, RTE_MIN(len - i, (size_t)8));
		w ^= stream ^ stream >> 32;
		memcpy(p + i, &w, RTE_MIN(len - i, (size_t)8));
	}
}

/* Key, and IV xor the packet's number. */
static uint64_t nonce_of(
	const struct crypt *c, const struct keys_slot *s, int slot, const uint8_t *header)
{
	uint8_t nonce[KEYS_IV];
	uint64_t w;

	memcpy(nonce, s->iv, KEYS_IV);
	for (unsigned int i = 0; i < 8; i++)
		nonce[KEYS_IV - 8 + i] ^= header[REPL_NUMBER_AT + i];
	w = hash(nonce, KEYS_IV, crypt_mix(c->session[slot].key, 2, 0));
	return w != 0 ? w : 1;
}

static void tag_of(const uint8_t *pkt, size_t len, uint64_t nonce, uint64_t tag[2])
{
	tag[0] = hash(pkt, len, nonce);
	tag[1] = crypt_mix(tag, 1, nonce);
}

static void crypt_sim_run(
	struct crypt *c, const struct keys *k, struct crypt_packet *p, unsigned int n)
{
	unsigned int node = (unsigned int)me()->id;

	opened[node].n = 0;
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *pkt = rte_pktmbuf_mtod_offset(p[i].m, uint8_t *, p[i].at);
		const struct keys_slot *s = &k->slot[p[i].slot];
		uint64_t tag[2], nonce;

		p[i].good = false;
		if (s->serial == 0 || c->session[p[i].slot].serial != s->serial) {
			c->count.crypt_refused++;
			continue;
		}
		c->count.crypt_packets++;
		nonce = nonce_of(c, s, p[i].slot, pkt);
		if (s->seals) {
			record(nonce, hash(pkt, p[i].len, 0));
			veil(pkt + REPL_HEADER, p[i].len - REPL_HEADER, nonce);
			tag_of(pkt, p[i].len, nonce, tag);
			memcpy(pkt + p[i].len, tag, REPL_TAG);
			p[i].good = true;
			continue;
		}
		tag_of(pkt, p[i].len, nonce, tag);
		p[i].good = memcmp(pkt + p[i].len, tag, REPL_TAG) == 0;
		veil(pkt + REPL_HEADER, p[i].len - REPL_HEADER, nonce);
		sim.bad_tags += !p[i].good;
		if (p[i].good)
			genuine(node, pkt, nonce, hash(pkt, p[i].len, 0));
	}
}

/* Nobody shows the device, and memory is not given back. */
const struct crypt_ops crypt_sim = { .create = crypt_sim_create,
	.sync = crypt_sim_sync,
	.run = crypt_sim_run,
	.failed = crypt_sim_failed,
	.count = crypt_sim_count,
	.expand = crypt_sim_expand };
