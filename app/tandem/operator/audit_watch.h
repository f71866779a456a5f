/* SPDX-License-Identifier: BSD-3-Clause */
/* audit_watch: what an operator is told of the comparison of the two tables: how far it is, how
 * long it will take, and whether it is overdue. Pure: numbers in, numbers and words out; for the
 * control core. */
#ifndef TANDEM_AUDIT_WATCH_H
#define TANDEM_AUDIT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"

struct audit_watch {
	bool watched; /* there is a stream to or from the peer */
	/* of the oldest match of a bucket, own clock; USEC_NEVER: some have never matched */
	usec_t since;
	usec_t began;    /* of the pass under way or done; USEC_NEVER none */
	usec_t ended;    /* of that pass; USEC_NEVER: not yet */
	usec_t interval; /* audit-interval */
	uint32_t buckets, left, differing, unmatched;
};

struct audit_progress_view {
	const char *state; /* "none", "running", "complete" */
	uint32_t matched;
	unsigned int per_cent;
	uint64_t rate;    /* buckets a second */
	usec_t time_left; /* USEC_NEVER: not known */
};

void audit_watch_progress(const struct audit_watch *w, usec_t now, struct audit_progress_view *v);
/* Whether the oldest match is older than two cycles; a bucket that never matched counts from the
 * beginning of the pass. What to do about it goes to `text`. */
bool audit_watch_overdue(const struct audit_watch *w, usec_t now, char *text, size_t size);

#endif
