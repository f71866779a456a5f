/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "annex.h"
#include "group.h"
#include "slot.h"
#include "wire.h"

enum { ACCESS_LEAST = 16, BEARER_BYTES = sizeof(struct session_bearer) };

#define ANNEX_FROM(first)        offsetof(struct session_annex, first)
#define ANNEX_BYTES(first, next) (ANNEX_FROM(next) - ANNEX_FROM(first))

/* Where a group of fixed length stands, and the longest of the others. */
static const struct annex_group {
	uint8_t id, at, bytes;
} annex_groups[] = {
	{ SESSION_X_CHARGING, ANNEX_FROM(charging), ANNEX_BYTES(charging, rat) },
	{ SESSION_X_ACCESS, ANNEX_FROM(rat), ANNEX_BYTES(rat, aaa_flags) },
	{ SESSION_X_AAA, ANNEX_FROM(aaa_flags), ANNEX_BYTES(aaa_flags, acct_state) },
	{ SESSION_X_CLASS, 0, 0 },
	{ SESSION_X_USER_NAME, 0, 0 },
	{ SESSION_X_ACCT, ANNEX_FROM(acct_state), ANNEX_BYTES(acct_state, ambr_up_kbps) },
	{ SESSION_X_AMBR, ANNEX_FROM(ambr_up_kbps), ANNEX_BYTES(ambr_up_kbps, bearer) },
	{ SESSION_X_BEARER, ANNEX_FROM(bearer), sizeof(struct session_bearer) },
	{ SESSION_X_PFCP, ANNEX_FROM(pfcp), sizeof(struct session_pfcp) },
};

static bool annex_any(const void *from, size_t n)
{
	const uint8_t *p = from;
	uint8_t any = 0;

	while (n-- > 0)
		any |= *p++;
	return any != 0;
}

/* What a session of that use and content looks like; its use. */
static uint8_t annex_canonical(struct session_annex *a, unsigned int room, uint8_t use)
{
	uint8_t *octets = (uint8_t *)&a->pfcp;

	a->uli_len = RTE_MIN(a->uli_len, sizeof(a->uli));
	memset(a->uli + a->uli_len, 0, sizeof(a->uli) - a->uli_len);
	a->class_len = (uint8_t)RTE_MIN(a->class_len, room);
	a->name_len = (uint8_t)RTE_MIN(a->name_len, room - a->class_len);
	memset(a->strings + a->class_len + a->name_len, 0, room - a->class_len - a->name_len);
	/* what a bearer has not */
	if (annex_any(octets + BEARER_BYTES, sizeof(a->pfcp) - BEARER_BYTES))
		use |= SESSION_A_PFCP;
	if (!annex_any(octets, sizeof(a->pfcp)))
		use &= (uint8_t)~SESSION_A_PFCP;
	use &= SESSION_A_PFCP;
	return annex_any(a, SESSION_ANNEX_FIXED + room) ? use | SESSION_A_USED : 0;
}

uint8_t annex_read(const struct session_table *t, struct session_annex *a, uint8_t flags2)
{
	if (t->annex == NULL || !(flags2 & SESSION_A_USED))
		return 0;
	return annex_canonical(a, annex_room(t), flags2);
}

void annex_clear(struct session_table *t, struct session_slot *s)
{
	if (t->annex != NULL)
		memset((void *)annex_of(t, s), 0, t->annex_bytes);
	s->flags2 = 0;
}

void annex_store(struct session_table *t, struct session_slot *s, const struct session_rec *rec)
{
	struct session_annex *a = annex_of(t, s);

	if (a == NULL || rec->annex_use == 0) {
		annex_clear(t, s);
		return;
	}
	memcpy((void *)a, &rec->annex, t->annex_bytes);
	s->flags2 = annex_canonical(a, annex_room(t), rec->annex_use);
}

void annex_mend(struct session_table *t, struct session_slot *s)
{
	if (t->annex == NULL || !slot_is_whole(s))
		annex_clear(t, s);
	else
		s->flags2 = annex_canonical(annex_of(t, s), annex_room(t), s->flags2);
}

bool annex_is_sound(const struct session_table *t, const struct session_slot *s)
{
	struct session_annex a;

	if (t->annex == NULL)
		return s->flags2 == 0;
	memcpy(&a, annex_of(t, s), t->annex_bytes);
	return annex_canonical(&a, annex_room(t), s->flags2) == s->flags2 &&
	       memcmp(&a, annex_of(t, s), t->annex_bytes) == 0;
}

static unsigned int annex_class_len(const struct session_annex *a, unsigned int room)
{
	return RTE_MIN(a->class_len, room);
}

static unsigned int annex_name_len(const struct session_annex *a, unsigned int room)
{
	return RTE_MIN(a->name_len, room - annex_class_len(a, room));
}

/* Bytes of a group's value, 0: it has none. A flipped length stays within the annex. */
static unsigned int annex_value(
	const struct session_annex *a, uint8_t use, unsigned int room, const struct annex_group *g)
{
	bool pfcp = (use & SESSION_A_PFCP) != 0;

	switch (g->id) {
	case SESSION_X_CLASS:
		return annex_class_len(a, room);
	case SESSION_X_USER_NAME:
		return annex_name_len(a, room);
	case SESSION_X_BEARER:
		return !pfcp && annex_any(&a->bearer, g->bytes) ? g->bytes : 0;
	case SESSION_X_PFCP:
		return pfcp && annex_any(&a->pfcp, g->bytes) ? g->bytes : 0;
	case SESSION_X_ACCESS:
		return annex_any((const uint8_t *)a + g->at, g->bytes)
			       ? ACCESS_LEAST + (unsigned int)RTE_MIN(a->uli_len, sizeof(a->uli))
			       : 0;
	default:
		return annex_any((const uint8_t *)a + g->at, g->bytes) ? g->bytes : 0;
	}
}

unsigned int annex_wire_size(
	const struct session_annex *a, uint8_t use, unsigned int room, uint8_t from, uint8_t to)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RTE_DIM(annex_groups); i++) {
		unsigned int value = annex_value(a, use, room, &annex_groups[i]);

		if (annex_groups[i].id >= from && annex_groups[i].id <= to && value > 0)
			n += WIRE_EXTRA_HEAD + value;
	}
	return n;
}

static void annex_put_value(uint8_t *p, const struct session_annex *a, uint8_t id,
	unsigned int class_len, unsigned int n)
{
	switch (id) {
	case SESSION_X_CHARGING:
		group_put_common(p, a, SESSION_NO_CHARGING);
		break;
	case SESSION_X_ACCESS:
		group_put_common(p, a, SESSION_NO_ACCESS);
		break;
	case SESSION_X_AAA:
		group_put_common(p, a, SESSION_NO_AAA);
		break;
	case SESSION_X_CLASS:
		memcpy(p, a->strings, n);
		break;
	case SESSION_X_USER_NAME:
		memcpy(p, a->strings + class_len, n);
		break;
	case SESSION_X_ACCT:
		group_put_common(p, a, SESSION_NO_ACCT);
		break;
	case SESSION_X_AMBR:
		group_put_common(p, a, SESSION_NO_AMBR);
		break;
	case SESSION_X_BEARER:
		group_put_bearer(p, &a->bearer, SESSION_NO_BEARER);
		break;
	default:
		group_put_pfcp(p, &a->pfcp, SESSION_NO_PFCP);
		break;
	}
}

uint8_t *annex_wire_put(uint8_t *p, const struct session_annex *a, uint8_t use, unsigned int room,
	uint8_t from, uint8_t to)
{
	for (unsigned int i = 0; i < RTE_DIM(annex_groups); i++) {
		uint8_t id = annex_groups[i].id;
		unsigned int n = annex_value(a, use, room, &annex_groups[i]);

		if (id < from || id > to || n == 0)
			continue;
		p[0] = id;
		p[1] = (uint8_t)n;
		annex_put_value(p + WIRE_EXTRA_HEAD, a, id, annex_class_len(a, room), n);
		p += WIRE_EXTRA_HEAD + n;
	}
	return p;
}

/* Ids come in their order: a Class before a User-Name. */
static int annex_get_string(struct session_annex *a, uint8_t id, const struct rd *value)
{
	if (value->left > (size_t)(SESSION_STRINGS_MAX - a->class_len))
		return -EBADMSG;
	if (value->left > 0)
		memcpy(a->strings + a->class_len, value->p, value->left);
	if (id == SESSION_X_CLASS)
		a->class_len = (uint8_t)value->left;
	else
		a->name_len = (uint8_t)value->left;
	return 1;
}

static int annex_get_value(struct session_annex *a, uint8_t id, const uint8_t *p)
{
	switch (id) {
	case SESSION_X_CHARGING:
		group_get_common(p, a, SESSION_NO_CHARGING);
		break;
	case SESSION_X_ACCESS:
		group_get_common(p, a, SESSION_NO_ACCESS);
		break;
	case SESSION_X_AAA:
		group_get_common(p, a, SESSION_NO_AAA);
		break;
	case SESSION_X_ACCT:
		group_get_common(p, a, SESSION_NO_ACCT);
		break;
	case SESSION_X_AMBR:
		group_get_common(p, a, SESSION_NO_AMBR);
		break;
	case SESSION_X_BEARER:
		group_get_bearer(p, &a->bearer, SESSION_NO_BEARER);
		break;
	default:
		if (annex_any(&a->bearer, sizeof(a->bearer)))
			return -EBADMSG; /* a session has one of the two */
		group_get_pfcp(p, &a->pfcp, SESSION_NO_PFCP);
		break;
	}
	return 1;
}

int annex_wire_get(uint8_t id, const struct rd *value, struct session_rec *rec)
{
	const struct annex_group *g = NULL;
	struct session_annex *a;

	for (unsigned int i = 0; i < RTE_DIM(annex_groups); i++)
		if (annex_groups[i].id == id)
			g = &annex_groups[i];
	if (g == NULL)
		return 0;
	a = session_rec_annex(rec);
	if (g->bytes == 0)
		return annex_get_string(a, id, value);
	if (id == SESSION_X_ACCESS) {
		if (value->left < ACCESS_LEAST || value->p[ACCESS_LEAST - 1] > sizeof(a->uli) ||
			value->left != ACCESS_LEAST + (size_t)value->p[ACCESS_LEAST - 1])
			return -EBADMSG;
	} else if (value->left != g->bytes) {
		return -EBADMSG;
	}
	if (id == SESSION_X_PFCP)
		rec->annex_use |= SESSION_A_PFCP;
	return annex_get_value(a, id, value->p);
}
