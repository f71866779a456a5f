/* SPDX-License-Identifier: BSD-3-Clause */
/* The comparison of the two tables, as operators see it: commands, progress, and the alarm when it
 * is overdue. */
#include <errno.h>
#include <string.h>

#include "audit_watch.h"
#include "show.h"

static void audit_read(struct control *c, struct audit_watch *w, usec_t now)
{
	const struct replicator_view *v = replicator_view(T.repl);
	bool active = pair_srp(c->pair)->state == SRP_ACTIVE;
	uint64_t since = atomic_load(&v->in_sync_since_ms), pair = pair_time_ms(&T.pair_time, now);

	*w = (struct audit_watch){
		.watched = active ? atomic_load(&v->stream_on) : atomic_load(&v->receiving),
		.since = USEC_NEVER,
		.began = atomic_load(&v->pass_began),
		.ended = atomic_load(&v->pass_ended),
		.interval = T.conf->srp.audit_interval_s * USEC_PER_SEC,
		.buckets = atomic_load(&v->buckets),
		.left = atomic_load(&v->left),
		.differing = atomic_load(&v->differing),
		.unmatched = active ? atomic_load(&v->peer_unmatched) : atomic_load(&v->unmatched)
	};
	if (!active)
		w->since = atomic_load(&v->in_sync_since);
	else if (since != 0) /* as the standby said; its words are in pair time */
		w->since = pair > since ? now - RTE_MIN(now, (pair - since) * USEC_PER_MSEC) : now;
}

uint32_t audit_left_s(struct control *c, usec_t now)
{
	struct audit_watch w;
	struct audit_progress_view v;

	audit_read(c, &w, now);
	audit_watch_progress(&w, now, &v);
	return v.time_left == USEC_NEVER ? 0 : (uint32_t)(v.time_left / USEC_PER_SEC + 1);
}

void audit_alarm(struct control *c, usec_t now)
{
	const char *name = srp_alarm_name(SRP_ALARM_AUDIT);
	struct audit_watch w;
	char text[SRP_REASON_MAX];
	bool on;

	audit_read(c, &w, now);
	on = audit_watch_overdue(&w, now, text, sizeof(text));
	if (on != alarms_is_raised(c->alarms, name)) /* the words change all the time */
		alarms_set(c->alarms, name, on, text, now);
}

json_t *show_resync(struct control *c, usec_t now)
{
	struct audit_watch w;
	struct audit_progress_view v;
	json_t *o;

	audit_read(c, &w, now);
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

static json_t *audit_refused(const char *why)
{
	LOG(NOTICE, "srp resync: refused: %s", why);
	return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

json_t *act_resync(struct control *c, json_t *args, usec_t now)
{
	const struct replicator_view *v = replicator_view(T.repl);
	enum srp_state state = pair_srp(c->pair)->state;
	char text[160];

	(void)args;
	(void)now;
	if (state != SRP_ACTIVE && state != SRP_STANDBY) {
		snprintf(text, sizeof(text),
			"this chassis is %s: only an Active or a Standby compares",
			srp_state_name(state));
		return audit_refused(text);
	}
	if (state == SRP_ACTIVE && !atomic_load(&v->stream_on))
		return audit_refused(
			"no stream runs: no peer that is Standby is heard on the replication path");
	if (state == SRP_STANDBY && !atomic_load(&v->receiving))
		return audit_refused(
			"no stream of the Active has come: see that it hears us on the "
			"replication path");
	if (to_replicator_send(&T.to_repl, to_replicator_recheck(T.msgs)) < 0)
		return audit_refused("the replication core is busy: try again");
	snprintf(text, sizeof(text),
		"%s: all %u buckets are compared now, and what differs is sent; see show srp "
		"checkpoint statistics",
		state == SRP_ACTIVE ? "the Standby was asked" : "the Active was asked",
		atomic_load(&v->buckets));
	LOG(NOTICE, "srp resync: %s", text);
	return json_pack("{s:b,s:{s:s}}", "ok", 1, "data", "result", text);
}
