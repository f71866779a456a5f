/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "extra.h"

static uint64_t extra_number(const uint8_t *p, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint64_t session_extra(const struct session_rec *rec, uint8_t id)
{
	const struct wire_group *g = wire_group(id);

	return g != NULL ? extra_number(rec->extra + g->at, g->size) : 0;
}

void session_extra_set(struct session_rec *rec, uint8_t id, uint64_t value)
{
	const struct wire_group *g = wire_group(id);

	if (g == NULL)
		return;
	for (unsigned int i = g->size; i > 0; i--, value >>= 8)
		rec->extra[g->at + i - 1] = (uint8_t)value;
}

unsigned int wire_extra_size(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		n += WIRE_EXTRA_HEAD + wire_spoken.group[i].size;
	return n;
}

uint8_t *wire_extra_put(uint8_t *p, const struct session_slot *s)
{
	for (unsigned int i = 0; i < wire_spoken.groups; i++) {
		const struct wire_group *g = &wire_spoken.group[i];

		*p++ = g->id;
		*p++ = g->size;
		memcpy(p, s->extra + g->at, g->size);
		p += g->size;
	}
	return p;
}

/* Whether it is known (1) and of its length (else -EBADMSG). */
static int extra_take(uint8_t id, struct rd *value, struct session_rec *rec)
{
	const struct wire_group *g = wire_group(id);

	if (g == NULL)
		return 0;
	if (value->left != g->size)
		return -EBADMSG;
	memcpy(rec->extra + g->at, rd_bytes(value, g->size), g->size);
	return 1;
}

int wire_extra_get(struct rd *body, struct session_rec *rec)
{
	int known = 0, ret;

	do {
		uint8_t id = rd_u8(body);
		struct rd value = rd_sub(body, rd_u8(body));

		if (body->bad || id == 0)
			return -EBADMSG;
		ret = extra_take(id, &value, rec);
		if (ret < 0)
			return ret;
		known += ret;
	} while (body->left > 0);
	return known;
}

uint64_t slot_extra_word(const struct session_slot *s, uint8_t version)
{
	const struct wire_group *g = wire_spoken.group;
	unsigned int n = 0;

	for (; g < wire_spoken.group + wire_spoken.groups && g->version <= version; g++)
		n = g->at + g->size;
	return extra_number(s->extra, n);
}
