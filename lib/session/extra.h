/* SPDX-License-Identifier: BSD-3-Clause */
/* extra: field groups that came after version 1's: on the wire behind those, each with its own
 * length, so that who does not know one skips it. common/wire.h says which there are; slot and
 * record keep their values as the wire has them. Private to lib/session. */
#ifndef TANDEM_SESSION_EXTRA_H
#define TANDEM_SESSION_EXTRA_H

#include "session/session.h"

enum { WIRE_EXTRA_HEAD = 2 }; /* id u8 | length u8 */

/* Bytes that all groups take that are known here. */
unsigned int wire_extra_size(void);
/* Writes as many. */
uint8_t *wire_extra_put(uint8_t *p, const struct session_slot *s);
/* Takes what it knows out of the groups in the rest of the body, and skips the others. How many it
 * knew, or -EBADMSG: there is none, one is cut short, or one that is known has another length. */
int wire_extra_get(struct rd *body, struct session_rec *rec);

/* What a digest of that version covers of them. */
uint64_t slot_extra_word(const struct session_slot *s, uint8_t version);

#endif
