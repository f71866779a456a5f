/* SPDX-License-Identifier: BSD-3-Clause */
/* keys_rig: sides of a key schedule with a toy derivation. Two slots hold the same key exactly if
 * their bytes are equal, so "the tag is good" is a comparison. */
#ifndef TANDEM_KEYS_RIG_H
#define TANDEM_KEYS_RIG_H

#include "repl/keys.h"
#include "repl_rig.h"

enum { LIMIT = 64 };

struct side {
	struct keys k;
	uint64_t number;
};

/* Depends on every byte of the secret and of the label. */
static inline void toy(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	(void)ctx;
	for (unsigned int i = 0; i < KEYS_SECRET; i++)
		h = (h ^ secret[i]) * 0x100000001b3;
	for (; *label != '\0'; label++)
		h = (h ^ (uint8_t)*label) * 0x100000001b3;
	for (size_t i = 0; i < len; i++) {
		h = (h ^ i) * 0x100000001b3;
		out[i] = (uint8_t)(h >> 32);
	}
}

static inline void init(struct side *s, bool leads, uint64_t limit)
{
	memset(s, 0, sizeof(*s));
	CU_ASSERT_EQUAL(
		keys_init(&s->k,
			&(struct keys_params){ .leads = leads, .limit = limit, .expand = toy }),
		0);
}

static inline void secrets(uint16_t id, uint8_t a[KEYS_SECRET], uint8_t b[KEYS_SECRET])
{
	memset(a, id & 0xff, KEYS_SECRET);
	memset(b, id >> 8, KEYS_SECRET);
	b[0] = 0xbb;
	a[0] = 0xaa;
}

/* One side's end of a connection. */
static inline int join(struct side *s, bool first, uint16_t id, usec_t now)
{
	uint8_t a[KEYS_SECRET], b[KEYS_SECRET];

	secrets(id, a, b);
	return keys_connect(&s->k, first ? a : b, first ? b : a, id, now);
}

static inline void joined(struct side *x, struct side *y, uint16_t id, usec_t now)
{
	CU_ASSERT_EQUAL(join(x, true, id, now), 0);
	CU_ASSERT_EQUAL(join(y, false, id, now), 0);
	keys_hello(&x->k, id, false, now);
	keys_hello(&y->k, id, false, now);
}

struct sealed {
	uint64_t number;
	uint16_t id;
	uint8_t phase;
	struct keys_slot with;
	usec_t at;
};

static inline int seal(struct side *s, struct sealed *p)
{
	int slot = keys_seal(&s->k, ++s->number, &p->id, &p->phase);

	p->number = s->number;
	if (slot >= 0)
		p->with = s->k.slot[slot];
	else
		s->number--;
	return slot;
}

/* 0: opened; 1: the tag was bad; < 0: not even tried. */
static inline int take(struct side *s, const struct sealed *p, usec_t now)
{
	int slot = keys_open(&s->k, p->id, p->phase, p->number, now);
	const struct keys_slot *with;

	if (slot < 0)
		return slot;
	with = &s->k.slot[slot];
	if (memcmp(with->key, p->with.key, KEYS_KEY) != 0 ||
		memcmp(with->iv, p->with.iv, KEYS_IV) != 0) {
		keys_forged(&s->k);
		return 1;
	}
	keys_opened(&s->k, slot, p->number, now);
	return 0;
}

#endif
