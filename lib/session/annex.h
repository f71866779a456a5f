/* SPDX-License-Identifier: BSD-3-Clause */
/* annex: what stands beside a slot for few sessions: kept, put right, and on the wire. Private to
 * lib/session. */
#ifndef TANDEM_SESSION_ANNEX_H
#define TANDEM_SESSION_ANNEX_H

#include "session/session.h"

/* The annex of a slot; NULL: the table has none. */
static inline struct session_annex *annex_of(
	const struct session_table *t, const struct session_slot *s)
{
	return t->annex != NULL ? (struct session_annex *)(t->annex +
							   (size_t)(s - t->slots) * t->annex_bytes)
				: NULL;
}

/* The same, where the slot uses it. Most sessions have none, and theirs is never touched. */
static inline struct session_annex *annex_used(
	const struct session_table *t, const struct session_slot *s)
{
	return s->flags2 & SESSION_A_USED ? annex_of(t, s) : NULL;
}

/* Octets of strings that an annex of this table has. */
static inline unsigned int annex_room(const struct session_table *t)
{
	return t->annex != NULL ? (unsigned int)t->annex_bytes - SESSION_ANNEX_FIXED : 0;
}

/* Whether the table can hold what the record has. */
static inline bool annex_fits(const struct session_table *t, const struct session_rec *rec)
{
	return rec->annex_use == 0 ||
	       (t->annex != NULL &&
		       rec->annex.class_len + rec->annex.name_len <= (int)annex_room(t));
}

/* Makes of an annex that was copied out of a slot one that can be read: lengths that fit, and zeros
 * where nothing is. Returns what the record has of it (annex_use); 0: none, and *a is not looked
 * at. */
uint8_t annex_read(const struct session_table *t, struct session_annex *a, uint8_t flags2);

/* The following change a slot; call between slot_write_begin and slot_write_end. */

/* The slot has the record's annex, or none. */
void annex_store(struct session_table *t, struct session_slot *s, const struct session_rec *rec);
void annex_clear(struct session_table *t, struct session_slot *s);
/* Unused octets are zero, and flags2 is what follows from the annex. */
void annex_mend(struct session_table *t, struct session_slot *s);
/* Whether annex_mend() has nothing to do. */
bool annex_is_sound(const struct session_table *t, const struct session_slot *s);

/* Bytes that the groups from id `from` to id `to` of an annex take in EXTRA, and the writing of
 * them. `use`: as in the slot; room: for strings. */
unsigned int annex_wire_size(
	const struct session_annex *a, uint8_t use, unsigned int room, uint8_t from, uint8_t to);
uint8_t *annex_wire_put(uint8_t *p, const struct session_annex *a, uint8_t use, unsigned int room,
	uint8_t from, uint8_t to);
/* Reads one group into the record. 1; 0: it is none of the annex; -EBADMSG: its length is not its
 * own, or it is more than a record can have. */
int annex_wire_get(uint8_t id, const struct rd *value, struct session_rec *rec);

#endif
