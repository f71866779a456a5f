/* SPDX-License-Identifier: BSD-3-Clause */
/* audit_watch: how far the pass of the audit is, how long it will take, and whether a match is
 * overdue: for operators, for the alarm, and for what lib/srp says to the peer. Pure but for
 * replicator_audit(): numbers in, numbers and words out. Control core only; nothing here blocks. */
#ifndef TANDEM_REPLICATOR_AUDIT_WATCH_H
#define TANDEM_REPLICATOR_AUDIT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"

struct replicator;

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

/* What is known of the audit. active: this chassis is Active, so that the standby compares and what
 * it reported last counts. Control core; it reads what the replication core publishes. */
void replicator_audit(const struct replicator *r, bool active, usec_t now, struct audit_watch *w);

void audit_watch_progress(const struct audit_watch *w, usec_t now, struct audit_progress_view *v);
/* How long the pass that runs may take yet, by its rate, in seconds; 0: that is not known, or none
 * runs. */
uint32_t audit_watch_left_s(const struct audit_watch *w, usec_t now);
/* Whether the oldest match is older than two audit intervals; a bucket that never matched counts
 * from the beginning of the pass. What to do about it goes to `text`. */
bool audit_watch_overdue(const struct audit_watch *w, usec_t now, char *text, size_t size);

#endif
