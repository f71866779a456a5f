/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of EXTRA: those of fields.h, and those that later versions have (common/wire.h), whose
 * values slot and record keep as the wire has them. */
#include <errno.h>

#include "annex.h"
#include "slot.h"
#include "wire.h"

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

	return g != NULL ? extra_number(rec->later + g->at, g->size) : 0;
}

void session_extra_set(struct session_rec *rec, uint8_t id, uint64_t value)
{
	const struct wire_group *g = wire_group(id);

	if (g == NULL)
		return;
	for (unsigned int i = g->size; i > 0; i--, value >>= 8)
		rec->later[g->at + i - 1] = (uint8_t)value;
}

static bool extra_has_later(
	const struct session_slot *s, const struct wire_group *g, uint8_t version)
{
	return g->version <= version && extra_number(s->later + g->at, g->size) != 0;
}

static bool extra_has_addr6(const struct session_slot *s)
{
	return (group_get8(s->ue6) | s->pool6) != 0;
}

unsigned int wire_extra_size(
	const struct session_table *t, const struct session_slot *s, uint8_t version)
{
	unsigned int n = extra_has_addr6(s) ? WIRE_EXTRA_HEAD + WIRE_ADDR6 : 0;
	const struct session_annex *a = annex_used(t, s);

	if (a != NULL)
		n += annex_wire_size(a, s->flags2, annex_room(t), 0, UINT8_MAX);

	for (unsigned int i = 0; slot_is_whole(s) && i < wire_spoken.groups; i++)
		if (extra_has_later(s, &wire_spoken.group[i], version))
			n += WIRE_EXTRA_HEAD + wire_spoken.group[i].size;
	return n;
}

static uint8_t *extra_head(uint8_t *p, uint8_t id, uint8_t length)
{
	p[0] = id;
	p[1] = length;
	return p + WIRE_EXTRA_HEAD;
}

uint8_t *wire_extra_put(
	uint8_t *p, const struct session_table *t, const struct session_slot *s, uint8_t version)
{
	const struct session_annex *a = annex_used(t, s);
	unsigned int room = annex_room(t);

	if (a != NULL)
		p = annex_wire_put(p, a, s->flags2, room, 0, SESSION_X_ADDR6);
	if (extra_has_addr6(s)) {
		p = extra_head(p, SESSION_X_ADDR6, WIRE_ADDR6);
		p = group_put(p, s, SESSION_NO_ADDR6, true);
	}
	if (a != NULL)
		p = annex_wire_put(p, a, s->flags2, room, SESSION_X_ADDR6, UINT8_MAX);
	for (unsigned int i = 0; slot_is_whole(s) && i < wire_spoken.groups; i++) {
		const struct wire_group *g = &wire_spoken.group[i];

		if (!extra_has_later(s, g, version))
			continue;
		p = extra_head(p, g->id, g->size);
		memcpy(p, s->later + g->at, g->size);
		p += g->size;
	}
	return p;
}

static int extra_take(uint8_t id, struct rd *value, struct session_rec *rec)
{
	const struct wire_group *g = wire_group(id);
	bool bad = false;
	int known;

	if (id == SESSION_X_ADDR6) {
		if (value->left != WIRE_ADDR6)
			return -EBADMSG;
		group_get(value->p, rec, SESSION_NO_ADDR6, true, &bad);
		return bad ? -EBADMSG : 0;
	}
	known = annex_wire_get(id, value, rec);
	if (known != 0 || g == NULL)
		return known;
	if (value->left != g->size)
		return -EBADMSG;
	memcpy(rec->later + g->at, rd_bytes(value, g->size), g->size);
	return 0;
}

int wire_extra_get(struct rd *body, struct session_rec *rec)
{
	uint8_t last = 0;

	while (body->left > 0) {
		uint8_t id = rd_u8(body);
		struct rd value = rd_sub(body, rd_u8(body));

		if (body->bad || id <= last || extra_take(id, &value, rec) < 0)
			return -EBADMSG;
		last = id;
	}
	return 0;
}

uint64_t wire_later_word(const struct session_slot *s, uint8_t version)
{
	const struct wire_group *g = wire_spoken.group;
	unsigned int n = 0;

	for (; g < wire_spoken.group + wire_spoken.groups && g->version <= version; g++)
		n = g->at + g->size;
	return extra_number(s->later, n);
}
