/* SPDX-License-Identifier: BSD-3-Clause */
/* Views of transitions, of what each switchover cost, and of alarms. The newest row is the last. */
#include <string.h>
#include <time.h>

#include <rte_common.h>

#include "base/alarms.h"
#include "base/clock.h"
#include "ctl_request.h"
#include "journal/journal.h"
#include "show.h"

json_t *show_time(int64_t wall_us)
{
	char text[40], second[24];
	struct tm tm;
	time_t t = (time_t)(wall_us / (int64_t)USEC_PER_SEC);

	if (wall_us <= 0 || gmtime_r(&t, &tm) == NULL ||
		strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return json_null();
	snprintf(text, sizeof(text), "%s.%06uZ", second,
		(unsigned int)(wall_us % (int64_t)USEC_PER_SEC));
	return json_string(text);
}

json_t *show_term(srp_term_t term)
{
	char text[48];

	snprintf(text, sizeof(text), "%lu.%lu", (unsigned long)(term >> 1),
		(unsigned long)(term & 1));
	return json_string(text);
}

int64_t show_wall_of(usec_t at, usec_t now)
{
	return at == USEC_NEVER || at == 0 || at > now ? 0 : clock_wall_us() - (int64_t)(now - at);
}

static double show_tenths_ms(usec_t us)
{
	return (double)(us / 100) / 10;
}

static json_t *show_count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Adds where the time went, if that was taken. */
static void show_phases(json_t *o, const struct history_entry *e)
{
	json_t *list;

	if (!e->timed)
		return;
	if (e->died || e->planned) /* planned: 0, nobody was without a chassis */
		json_object_set_new(o, "outage_ms", json_real(show_tenths_ms(e->outage_us)));
	if (e->died)
		json_object_set_new(o, "stood_still_ms", json_real(show_tenths_ms(e->stood_still)));
	list = json_array();
	for (unsigned int i = 0; i < e->n_phases; i++)
		json_array_append_new(list, json_pack("{s:s,s:f}", "phase", e->phase[i].name,
						    "took_ms", show_tenths_ms(e->phase[i].us)));
	json_object_set_new(o, "phases", list);
}

json_t *show_last_switchover(struct journal *j)
{
	struct history *h = journal_history(j);

	for (uint64_t i = h->next; i > history_first(h); i--) {
		const struct history_entry *e = history_get(h, i - 1);
		json_t *o;

		if (e == NULL || !(e->to == SRP_ACTIVE ||
					 (e->from == SRP_PENDING_STANDBY && e->to == SRP_STANDBY)))
			continue;
		o = json_pack("{s:s,s:o,s:b,s:s,s:o}", "to", srp_state_name(e->to), "time",
			show_time(e->wall_us), "planned", e->planned, "cause",
			srp_cause_name(e->cause), "term", show_term(e->term));
		show_phases(o, e);
		return o;
	}
	return json_null();
}

void show_transitions(const struct journal *j, json_t *to)
{
	json_t *causes = json_object(), *states = json_object(), *v;
	const char *key;

	for (unsigned int i = 0; i <= SRP_CAUSE_ABORTED; i++)
		if (strcmp(srp_cause_name((enum srp_cause)i), "unknown") != 0 &&
			i != SRP_CAUSE_NONE && i != SRP_CAUSE_STARTUP && i != SRP_CAUSE_ABORTED)
			json_object_set_new(causes, srp_cause_name((enum srp_cause)i),
				show_count(journal_switchovers(j, (enum srp_cause)i)));
	for (unsigned int i = 0; i <= SRP_PENDING_STANDBY; i++)
		json_object_set_new(states, srp_state_name((enum srp_state)i),
			show_count(journal_transitions(j, (enum srp_state)i)));
	json_object_foreach (causes, key, v)
		show_mark_counter(to, key);
	json_object_foreach (states, key, v)
		show_mark_counter(to, key);
	json_object_set_new(to, "switchovers_by_cause", causes);
	json_object_set_new(to, "transitions_to", states);
}

/* Of an earlier process by the clock on the wall, which may have been set meanwhile. */
static json_t *show_age(const struct history_entry *e, usec_t now)
{
	int64_t age = e->at != USEC_NEVER ? (int64_t)(now - RTE_MIN(e->at, now))
					  : clock_wall_us() - e->wall_us;

	return show_count(age > 0 ? (uint64_t)age / 1000 : 0);
}

static void show_transition_row(json_t *list, const struct history_entry *e, usec_t now)
{
	json_t *o = json_pack("{s:o,s:o,s:s,s:s,s:s,s:o,s:b}", "time", show_time(e->wall_us),
		"age_ms", show_age(e, now), "from", srp_state_name(e->from), "to",
		srp_state_name(e->to), "cause", srp_cause_name(e->cause), "term",
		show_term(e->term), "planned", e->planned);

	show_phases(o, e);
	json_array_append_new(list, o);
}

static void show_loss_row(json_t *list, const struct history_entry *e, usec_t now)
{
	bool known = e->loss == HISTORY_LOSS_KNOWN;
	uint64_t unvouched =
		e->known > e->vouched + e->freed ? e->known - e->vouched - e->freed : 0;
	json_t *o = json_pack("{s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "time",
		show_time(e->wall_us), "to", srp_state_name(e->to), "cause",
		srp_cause_name(e->cause), "term", show_term(e->term), "sessions_known",
		e->loss != HISTORY_LOSS_NONE ? show_count(e->known) : json_null(), "vouched_for",
		known ? show_count(e->vouched) : json_null(), "lost",
		known ? show_count(unvouched + e->freed) : json_null(), "unvouched",
		known ? show_count(unvouched) : json_null(), "ended_by_audit",
		known ? show_count(e->freed) : json_null());

	(void)now;
	show_phases(o, e);
	json_array_append_new(list, o);
}

/* The newest ones that are asked for. */
static json_t *show_newest(struct journal *j, json_t *args, bool switchovers,
	void (*add)(json_t *list, const struct history_entry *e, usec_t now), usec_t now)
{
	struct history *h = journal_history(j);
	unsigned int want = request_limit(args), n = 0;
	json_t *list = json_array();
	uint64_t from = h->next;

	while (from > history_first(h) && n < want) {
		const struct history_entry *e = history_get(h, --from);

		n += e != NULL && (!switchovers || history_is_switchover(e));
	}
	for (; from < h->next; from++) {
		const struct history_entry *e = history_get(h, from);

		if (e != NULL && (!switchovers || history_is_switchover(e)))
			add(list, e, now);
	}
	return list;
}

json_t *show_srp_history(void *family, json_t *args, usec_t now)
{
	const struct operator_history *f = family;

	return json_pack(
		"{s:o}", "history", show_newest(f->journal, args, false, show_transition_row, now));
}

json_t *show_call_loss(void *family, json_t *args, usec_t now)
{
	const struct operator_history *f = family;

	return json_pack(
		"{s:o}", "switchovers", show_newest(f->journal, args, true, show_loss_row, now));
}

static json_t *show_alarm(const struct alarm *a, usec_t now)
{
	return json_pack("{s:s,s:o,s:I,s:s,s:s,s:s}", "alarm", a->info->name, "raised",
		show_time(a->wall_us), "age_ms", (json_int_t)((now - a->since) / 1000), "text",
		a->text, "meaning", a->info->meaning, "action", a->info->action);
}

json_t *show_alarms(void *family, json_t *args, usec_t now)
{
	const struct operator_history *f = family;
	json_t *on = json_array(), *over = json_array();
	const struct journal_alarm *was;
	const struct alarm *a;

	(void)args;
	for (unsigned int i = 0; (a = alarms_get(f->alarms, i)) != NULL; i++)
		if (a->raised)
			json_array_append_new(on, show_alarm(a, now));
	for (unsigned int i = 0; (was = journal_alarm(f->journal, i)) != NULL; i++)
		json_array_append_new(over, json_pack("{s:s,s:o,s:o,s:s}", "alarm", was->info->name,
						    "raised", show_time(was->raised_us), "cleared",
						    show_time(was->cleared_us), "text", was->text));
	return json_pack("{s:o,s:o}", "alarms", on, "cleared", over);
}
