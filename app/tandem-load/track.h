/* SPDX-License-Identifier: BSD-3-Clause */
/* track: what became of one numbered stream of packets at its receiver: new, reordered (RFC 4737: a
 * smaller number than one that was heard), duplicate, and the longest time between two. Kept small,
 * there are two of them a session. The caller owns them and passes the time; one thread. */
#ifndef TANDEM_LOAD_TRACK_H
#define TANDEM_LOAD_TRACK_H

#include <stdint.h>

#include "common/usec.h"

enum { TRACK_WINDOW = 64 };

enum track_verdict {
	TRACK_NEW,
	TRACK_REORDERED, /* later than a higher number, heard for the first time */
	TRACK_DUPLICATE,
	/* TRACK_WINDOW or more behind the highest: one of the two, not known which. Not received.
	 * */
	TRACK_STALE,
};

struct track {             /* zeroed: nothing heard */
	uint64_t window;   /* bit i: number next - 1 - i was heard */
	usec_t last;       /* when the last one came; 0: the time since does not count */
	uint32_t next;     /* highest number + 1 */
	uint32_t received; /* different numbers */
	uint32_t gap_us;   /* longest time between two that were received */
};

/* Packet `number` (from 0, never UINT32_MAX) came at `now` (> 0). */
enum track_verdict track_heard(struct track *t, uint32_t number, usec_t now);
/* The sender rests: the time until the next packet is no gap. */
static inline void track_rest(struct track *t)
{
	t->last = 0;
}

#endif
