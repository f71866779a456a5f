/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets before they are opened: what keys_packet lets through names a slot that holds a key, and
 * nothing but counters has changed. The input is a chain of `what u8 | length u8 | bytes`,
 * connections and good tags among it. */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "repl/keys.h"
#include "repl/repl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ME = 1, LIMIT = 64 };

static void expand(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(secret[i] * 3 + label[7 + i % 2]);
}

static void packet(struct keys *k, const uint8_t *bytes, size_t len, bool good, usec_t now)
{
	static struct keys before;
	uint8_t *pkt = malloc(len > 0 ? len : 1);
	struct keys_counters count;
	int slot;

	if (pkt == NULL)
		abort();
	if (len > 0)
		memcpy(pkt, bytes, len);
	before = *k;
	slot = keys_packet(k, pkt, len, ME, now);
	count = k->count;
	before.count = count;
	if (memcmp(&before, k, sizeof(before)) != 0)
		abort(); /* the tag was not looked at yet */
	if (slot >= 0) {
		struct rd r = rd_init(pkt + 4, 8);

		if (slot >= KEYS_SLOTS || k->slot[slot].serial == 0 || k->slot[slot].seals)
			abort();
		if (good)
			keys_opened(k, slot, rd_u64(&r), now);
		else
			keys_forged(k);
	}
	free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keys k;
	struct keys_params p = { .leads = size % 2, .limit = LIMIT, .expand = expand };
	struct rd in = rd_init(data, size);
	uint64_t number = 0;
	usec_t now = 0;
	uint16_t id;
	uint8_t phase;

	memset(&k, 0, sizeof(k));
	if (keys_init(&k, &p) < 0)
		abort();
	while (in.left > 0 && !in.bad) {
		unsigned int what = rd_u8(&in), len = rd_u8(&in);
		struct rd body = rd_sub(&in, len < in.left ? len : in.left);
		uint8_t secret[KEYS_SECRET] = { (uint8_t)what };

		now += (what >> 4) * (usec_t)100000;
		switch (what & 7) {
		case 0:
			keys_connect(&k, secret, secret, rd_u16(&body) % 16, now);
			break;
		case 1:
			keys_hello(&k, rd_u16(&body) % 16, what & 8, now);
			break;
		case 2:
			for (unsigned int i = 0; i <= len; i++)
				keys_seal(&k, ++number, &id, &phase);
			break;
		case 3:
			keys_tick(&k, now);
			break;
		default:
			packet(&k, body.p, body.left, what & 8, now);
			break;
		}
		if (keys_live(&k, now) > KEYS_CONNECTIONS)
			abort();
	}
	keys_wipe(&k);
	return 0;
}
