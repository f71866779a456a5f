/* SPDX-License-Identifier: BSD-3-Clause */
/* wire: the bodies of SLOT and DELTA as lib/repl/WIRE.md lays them out. Private to lib/session. */
#ifndef TANDEM_SESSION_WIRE_H
#define TANDEM_SESSION_WIRE_H

#include "group.h"

/* Bytes of a group with addresses of 4 octets: the sum of its rows. */
#define WIRE_ROW(no, type, bytes, group)                                                           \
	+(SESSION_NO_##group == (no) ? GROUP_BYTES_##type(bytes) : 0)
#define WIRE_ROW_IDENTITY(name, type, bytes, group, set, end, line, view)                          \
	WIRE_ROW(SESSION_NO_IDENTITY, type, bytes, group)
#define WIRE_ROW_TUNNEL(name, type, bytes, group, set, end, line, view)                            \
	WIRE_ROW(SESSION_NO_TUNNEL, type, bytes, group)
#define WIRE_ROW_QOS(name, type, bytes, group, set, end, line, view)                               \
	WIRE_ROW(SESSION_NO_QOS, type, bytes, group)
#define WIRE_ROW_REQUEST(name, type, bytes, group, set, end, line, view)                           \
	WIRE_ROW(SESSION_NO_REQUEST, type, bytes, group)
#define WIRE_ROW_ADDR6(name, type, bytes, group, set, end, line, view)                             \
	WIRE_ROW(SESSION_NO_ADDR6, type, bytes, group)

enum {
	WIRE_HEAD = 5, /* handle, groups */
	WIRE_IDENTITY = 0 SESSION_FIELDS(WIRE_ROW_IDENTITY),
	WIRE_TUNNEL = 0 SESSION_FIELDS(WIRE_ROW_TUNNEL),
	WIRE_QOS = 0 SESSION_FIELDS(WIRE_ROW_QOS),
	WIRE_REQUEST = 0 SESSION_FIELDS(WIRE_ROW_REQUEST),
	WIRE_ADDR6 = 0 SESSION_FIELDS(WIRE_ROW_ADDR6),
	WIRE_USAGE32 = 16,
	WIRE_USAGE64 = 32,
	WIRE_EXTRA_HEAD = 2, /* id, length */
	/* Of most SLOTs: none of the addresses has 16 octets, and there is nothing in EXTRA. No
	 * other SLOT is so short. */
	WIRE_PLAIN = WIRE_HEAD + WIRE_IDENTITY + WIRE_TUNNEL + WIRE_QOS + WIRE_REQUEST +
		     2 * WIRE_USAGE64,
};

/* A body, decoded. */
struct wire_body {
	uint8_t groups;              /* those that we know */
	uint32_t low[4];             /* USAGE32, in wire order */
	struct session_usage sender; /* USAGE64 */
	struct session_usage other;  /* OTHER64: of the side that is not the sender's */
	struct session_rec rec;      /* but for usage, which is not touched */
};

static inline uint32_t wire_get32(const uint8_t *p)
{
	return group_get4(p);
}

/* Groups that are not there are zero in *b. -EBADMSG: too short, bytes left over, no group at all,
 * or a value that no version means; then *b holds nothing. */
int wire_decode(struct rd *body, struct wire_body *b);

/* Where EXTRA begins in a body that wire_decode() takes. */
unsigned int wire_extra_at(const struct rd *body);

/* ---- EXTRA: groups that stand at the end of a body, each with its id and length, if it has a
 * value. Whoever does not know one skips it ---- */

/* Whether the slot may have a value of any: most have none, and are not looked at for one. */
static inline bool wire_extra_any(const struct session_slot *s)
{
	return (group_get8(s->ue6) | s->pool6 | s->flags2) != 0 || wire_spoken.groups != 0;
}
/* Bytes of those that the slot has a value of and that the version knows. */
unsigned int wire_extra_size(
	const struct session_table *t, const struct session_slot *s, uint8_t version);
/* Writes as many. */
uint8_t *wire_extra_put(
	uint8_t *p, const struct session_table *t, const struct session_slot *s, uint8_t version);
/* Takes what it knows out of the groups in the rest of the body into a record without any.
 * -EBADMSG: one is cut short, not above the one before, or known and of another length or of a
 * value that no version means. */
int wire_extra_get(struct rd *body, struct session_rec *rec);
#define WIRE_CLEAR_ROW(name, type, bytes, group, set, end, line, view)                             \
	if (SESSION_BIT_##group == SESSION_G_EXTRA)                                                \
		memset(&rec->name, 0, sizeof(rec->name));

/* The record has a value of none. */
static inline void wire_extra_clear(struct session_rec *rec)
{
	SESSION_FIELDS(WIRE_CLEAR_ROW)
	memset(rec->later, 0, sizeof(rec->later));
	rec->annex_use = 0;
}
/* What a digest of that version covers of later versions' groups. */
uint64_t wire_later_word(const struct session_slot *s, uint8_t version);

#endif
