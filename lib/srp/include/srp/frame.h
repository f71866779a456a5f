/* SPDX-License-Identifier: BSD-3-Clause */
/* frame: messages in the byte stream of the SRP connection, `length u16 | message`, whatever
 * carries the bytes. Pure; any core. The caller reads what is wanted, no more, into a buffer of
 * SRP_FRAME_MAX bytes, and begins anew. */
#ifndef TANDEM_SRP_FRAME_H
#define TANDEM_SRP_FRAME_H

#include "srp/srp.h"

enum { SRP_FRAME_HEAD = 2, SRP_FRAME_MAX = SRP_FRAME_HEAD + SRP_MSG_MAX };

/* How many bytes the message has that the head of a frame announces. */
static inline size_t srp_frame_length(const uint8_t head[SRP_FRAME_HEAD])
{
	return (size_t)head[0] << 8 | head[1];
}

/* How many bytes are wanted behind the `have` of a frame that are there. 0: it is whole. < 0: no
 * message is as long. */
static inline int srp_frame_wanted(const uint8_t *in, size_t have)
{
	size_t size =
		have < SRP_FRAME_HEAD ? SRP_FRAME_HEAD : SRP_FRAME_HEAD + srp_frame_length(in);

	return size > SRP_FRAME_MAX ? -1 : (int)(size - have);
}

#endif
