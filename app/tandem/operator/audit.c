/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit of the two tables, as operators see it: commands and progress. */
#include <stdio.h>

#include "base/log.h"
#include "command.h"
#include "cores/to_replicator.h"
#include "replicator/audit_watch.h"
#include "replicator/replicator.h"
#include "show.h"

json_t *show_audit(const struct replicator *r, bool active, usec_t now)
{
	struct audit_watch w;
	struct audit_progress_view v;
	json_t *o;

	replicator_audit(r, active, now, &w);
	audit_watch_progress(&w, now, &v);
	o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "state", v.state, "buckets",
		(json_int_t)w.buckets, "matched", (json_int_t)v.matched, "differing",
		(json_int_t)w.differing, "done_percent", (json_int_t)v.per_cent, "compared_per_s",
		(json_int_t)v.rate);
	json_object_set_new(o, "time_left_ms",
		v.time_left == USEC_NEVER ? json_null()
					  : json_integer((json_int_t)(v.time_left / 1000)));
	json_object_set_new(o, "took_ms",
		w.ended == USEC_NEVER || w.began == USEC_NEVER || v.matched == 0
			? json_null()
			: json_integer((json_int_t)((w.ended - w.began) / 1000)));
	return o;
}

json_t *act_audit(void *family, json_t *args, usec_t now)
{
	static const char words[] = "srp resync";
	const struct operator_audit *f = family;
	const struct replicator_view *v = replicator_view(f->replicator);
	struct operator_pair_view pair;
	enum srp_state state;
	char text[160];

	(void)args;
	show_pair(f->pair, &pair, now);
	state = pair.srp->state;
	if (state != SRP_ACTIVE && state != SRP_STANDBY) {
		snprintf(text, sizeof(text),
			"this chassis is %s: only an Active or a Standby takes part in an audit",
			srp_state_name(state));
		return command_refused(words, text);
	}
	if (state == SRP_ACTIVE && !atomic_load(&v->stream_on))
		return command_refused(words,
			"no replication stream runs: no peer that is Standby is heard on the "
			"replication path");
	if (state == SRP_STANDBY && !atomic_load(&v->receiving))
		return command_refused(words,
			"no replication stream of the Active has come: see that the Active hears "
			"this chassis on the replication path");
	if (to_replicator_send(f->orders, to_replicator_audit(f->msgs)) < 0)
		return command_refused(words, "the replication core is busy: try again");
	snprintf(text, sizeof(text),
		"%s; all %u buckets are compared, and what differs is sent: see show srp "
		"checkpoint statistics",
		state == SRP_ACTIVE ? "the Standby was asked to begin a pass of the audit now"
				    : "a pass of the audit begins now",
		atomic_load(&v->buckets));
	LOG(NOTICE,
		"a pass of the audit over both whole tables begins, as an operator asked "
		"command=%s buckets=%u",
		LOG_TEXT(words), atomic_load(&v->buckets));
	return command_answer(0, text);
}
