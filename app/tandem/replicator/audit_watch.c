/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "replicator/audit_watch.h"

enum { FIRST_US = 20000 }; /* before that a rate says nothing */

void audit_watch_progress(const struct audit_watch *w, usec_t now, struct audit_progress_view *v)
{
	usec_t end = w->ended != USEC_NEVER ? w->ended : now, took;

	*v = (struct audit_progress_view){ .state = "none", .time_left = USEC_NEVER };
	if (!w->watched || w->began == USEC_NEVER || w->buckets == 0 || w->left > w->buckets)
		return;
	v->state = w->left == 0 ? "complete" : "running";
	v->matched = w->buckets - w->left;
	v->per_cent = (unsigned int)((uint64_t)v->matched * 100 / w->buckets);
	took = end > w->began ? end - w->began : 0;
	v->rate = took > 0 ? v->matched * USEC_PER_SEC / took : 0;
	if (w->left == 0)
		v->time_left = 0;
	else if (took >= FIRST_US && v->matched > 0)
		v->time_left = (usec_t)w->left * took / v->matched;
}

uint32_t audit_watch_left_s(const struct audit_watch *w, usec_t now)
{
	struct audit_progress_view v;

	audit_watch_progress(w, now, &v);
	return v.time_left == USEC_NEVER ? 0 : (uint32_t)(v.time_left / USEC_PER_SEC + 1);
}

bool audit_watch_overdue(const struct audit_watch *w, usec_t now, char *text, size_t size)
{
	usec_t since = w->since != USEC_NEVER ? w->since : w->began;

	if (!w->watched || since == USEC_NEVER || since > now || now - since <= 2 * w->interval)
		return false;
	snprintf(text, size,
		"oldest match of a bucket %llu s ago, more than 2 audit intervals of %llu s; %u of "
		"%u buckets differ: check the replication path, then `srp resync`",
		(unsigned long long)((now - since) / USEC_PER_SEC),
		(unsigned long long)(w->interval / USEC_PER_SEC), w->unmatched, w->buckets);
	return true;
}
