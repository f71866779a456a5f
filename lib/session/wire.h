/* SPDX-License-Identifier: BSD-3-Clause */
/* wire: the bodies of SLOT and DELTA as session.h lays them out. Private to lib/session. */
#ifndef TANDEM_SESSION_WIRE_H
#define TANDEM_SESSION_WIRE_H

#include <rte_byteorder.h>

#include "session/session.h"

enum {
	WIRE_HEAD = 5, /* handle, groups */
	WIRE_IDENTITY = 48,
	WIRE_TUNNEL = 40,
	WIRE_QOS = 1 + SESSION_QOS_MAX,
	WIRE_REQUEST = 23,
	WIRE_USAGE32 = 16,
	WIRE_USAGE64 = 32,
};

/* A body, decoded. */
struct wire_body {
	uint8_t groups;              /* those that we know */
	struct session_rec rec;      /* but for usage, which is not touched */
	uint32_t low[4];             /* USAGE32, in wire order */
	struct session_usage sender; /* USAGE64 */
	struct session_usage other;  /* OTHER64: of the side that is not the sender's */
};

static inline uint32_t wire_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}
static inline void wire_put32(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
}

/* Groups that are not there are zero in *b. -EBADMSG: too short, bytes left over, no group at all,
 * or a value that no version means; then *b holds nothing. */
int wire_decode(struct rd *body, struct wire_body *b);

#endif
