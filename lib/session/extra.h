/* SPDX-License-Identifier: BSD-3-Clause */
/* extra: field groups that came after version 1's: on the wire behind those, each with its own
 * length, so that who does not know one skips it. Version 1 has none; the test build of version 2
 * has charging characteristics. Private to lib/session. */
#ifndef TANDEM_SESSION_EXTRA_H
#define TANDEM_SESSION_EXTRA_H

#include "session/session.h"

enum {
	WIRE_EXTRA_HEAD = 2, /* id u8 | length u8 */
	/* id: charging characteristics u16 (TS 29.060 7.7.23), from version 2 on */
	WIRE_EXTRA_CHARGING = 1,
#ifdef TANDEM_WIRE_V2
	WIRE_EXTRA = WIRE_EXTRA_HEAD + 2, /* bytes of all groups that this build writes */
#else
	WIRE_EXTRA = 0,
#endif
};

/* Writes WIRE_EXTRA bytes. */
uint8_t *wire_extra_put(uint8_t *p, const struct session_slot *s);
/* Takes what it knows out of the groups in the rest of the body, and skips the others. How many it
 * knew, or -EBADMSG: there is none, one is cut short, or one that is known has another length. */
int wire_extra_get(struct rd *body, struct session_rec *rec);

#ifdef TANDEM_WIRE_V2
static inline void slot_extra_store(struct session_slot *s, const struct session_rec *rec)
{
	s->charging = rec->charging;
}
static inline void slot_extra_clear(struct session_slot *s)
{
	s->charging = 0;
}
static inline void slot_extra_record(const struct session_slot *s, struct session_rec *rec)
{
	rec->charging = s->charging;
}
static inline void rec_extra_clear(struct session_rec *rec)
{
	rec->charging = 0;
}
static inline uint64_t slot_extra_word(const struct session_slot *s)
{
	return s->charging;
}
#else
static inline void slot_extra_store(struct session_slot *s, const struct session_rec *rec) {}
static inline void slot_extra_clear(struct session_slot *s) {}
static inline void slot_extra_record(const struct session_slot *s, struct session_rec *rec) {}
static inline void rec_extra_clear(struct session_rec *rec) {}
static inline uint64_t slot_extra_word(const struct session_slot *s)
{
	return 0;
}
#endif

#endif
