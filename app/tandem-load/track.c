/* SPDX-License-Identifier: BSD-3-Clause */
#include "track.h"

static void track_received(struct track *t, usec_t now)
{
	usec_t gap = t->last != 0 && now > t->last ? now - t->last : 0;

	if (gap > t->gap_us)
		t->gap_us = gap > UINT32_MAX ? UINT32_MAX : (uint32_t)gap;
	t->last = now;
	t->received++;
}

enum track_verdict track_heard(struct track *t, uint32_t number, usec_t now)
{
	uint32_t behind, ahead;

	if (number >= t->next) {
		ahead = number - t->next + 1;
		t->window = ahead < TRACK_WINDOW ? t->window << ahead : 0;
		t->window |= 1;
		t->next = number + 1;
		track_received(t, now);
		return TRACK_NEW;
	}
	behind = t->next - 1 - number;
	if (behind >= TRACK_WINDOW)
		return TRACK_STALE;
	if (t->window >> behind & 1)
		return TRACK_DUPLICATE;
	t->window |= UINT64_C(1) << behind;
	track_received(t, now);
	return TRACK_REORDERED;
}
