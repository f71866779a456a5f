/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_srp --lists: each file has other APNs and pools, so that with each reload some come and some
 * drain away; an Active makes and ends sessions of them, and a stream brings how many there are,
 * number by number, to a Standby. What is judged is lib/numbers and lib/srp, as the daemon's room
 * `pair` uses them. */
#include <stdio.h>
#include <string.h>

#include "sim_srp.h"
#include "numbers/roll.h"

enum { NAMES = 5, PLACES = 2 * NAMES, NUMBERS = 64, QUARANTINE_S = 1, FILES = 6, SNAP = 12 * MS };

static const char *const names[NAMES] = { "internet.one.example", "internet.two.example",
	"internet.three.example", "internet.four.example", "internet.five.example" };
static const char *const descriptions[NAMES] = { "10.1.0.0/16 and forty characters besides",
	"10.2.0.0/16", "10.3.0.0/16 and so on", "", "10.5.0.0/16 or what else there is" };
static const unsigned int files[FILES] = { 0x03, 0x01, 0x06, 0x0f, 0x18, 0x05 };

/* How many sessions have a number, and of which item they truly are. */
struct lists_table {
	uint8_t n[PLACES_KINDS][NUMBERS], name[PLACES_KINDS][NUMBERS];
};

struct lists {
	struct roll roll;
	struct places places;
	struct {
		bool on, drains;
		unsigned int name;
	} place[PLACES_KINDS][PLACES];
	struct lists_table table;
	bool applies;
	usec_t last; /* when the last of its records will be there */
	size_t len;
	char text[NUMBERS_BYTES];
	/* on disk */
	size_t saved_len;
	char saved[4096];
	/* of the turn before */
	bool agreed;
	uint32_t peer;
	usec_t checked_at;
};

static struct lists all[2];
/* How often what happened. */
static struct {
	unsigned int revised, held, made, made_late, made_at_start, left, records;
} lists_seen;

/* ---- places ---- */

static void lists_items(struct lists *l)
{
	struct numbers_items *to = &l->roll.items;

	*to = (struct numbers_items){ 0 };
	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int i = 0; i < PLACES; i++)
			if (l->place[k][i].on) {
				to->of[k][i] =
					(struct numbers_item){ .name = names[l->place[k][i].name],
						.what = descriptions[l->place[k][i].name] };
				to->n[k] = i + 1;
			}
	roll_moved(&l->roll);
}

static int lists_place(const struct lists *l, enum places_kind k, unsigned int name)
{
	for (int i = 0; i < PLACES; i++)
		if (l->place[k][i].on && l->place[k][i].name == name)
			return i;
	return -1;
}

static void lists_put(struct lists *l, enum places_kind k, unsigned int name, bool drains)
{
	int at = lists_place(l, k, name);

	for (int i = PLACES - 1; at < 0 && i >= 0; i--)
		if (!l->place[k][i].on)
			at = i;
	l->place[k][at].on = true;
	l->place[k][at].drains = drains;
	l->place[k][at].name = name;
}

void lists_reload(struct world *w, int i, uint64_t file)
{
	struct lists *l = &all[i];

	if (!w->lists)
		return;
	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int name = 0; name < NAMES; name++)
			if ((files[file] >> name & 1) != 0)
				lists_put(l, k, name, false);
			else if (lists_place(l, k, name) >= 0)
				lists_put(l, k, name, true);
	lists_items(l);
}

/* ---- what must hold ---- */

static const char *const kind_names[PLACES_KINDS] = { "apn", "pool" };

static void lists_check_number(struct world *w, int i, enum places_kind k, unsigned int number,
	unsigned int name, const char *what)
{
	const struct lists *l = &all[i];
	unsigned int at = places_of(&l->places, k, (uint8_t)number);

	if (at >= PLACES || !l->place[k][at].on)
		fail(w, "chassis %d: %s of %s %u, which has no place", i, what, kind_names[k],
			number);
	else if (l->place[k][at].name != name)
		fail(w, "chassis %d: %s of %s %u, which is another's now", i, what, kind_names[k],
			number);
}

static void lists_check(struct world *w, int i)
{
	const struct lists *l = &all[i];

	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int n = 1; n < NUMBERS; n++)
			if (l->table.n[k][n] > 0)
				lists_check_number(w, i, k, n, l->table.name[k][n], "a session");
}

/* What a revision alone does not do. */
static void lists_check_stream(struct world *w, int i)
{
	const struct srp_info *s = srp_info(w->n[i].s);
	struct lists *l = &all[i];
	bool same = s->peer.known && s->peer.incarnation == l->peer;
	bool lost = (s->alarms >> SRP_ALARM_PEER_LOST & 1) != 0;

	/* After a stall the peer may have been dead for a moment, which nobody sees. */
	bool stood = w->n[i].stalled_until > l->checked_at;

	if (l->agreed && same && !lost && !stood && !s->agreed && !s->differs &&
		s->state == SRP_ACTIVE && s->peer.state == SRP_STANDBY)
		fail(w, "chassis %d ends the stream because of a list", i);
	l->agreed = s->agreed && !lost && s->state == SRP_ACTIVE && s->peer.state == SRP_STANDBY;
	l->peer = s->peer.known ? s->peer.incarnation : 0;
	l->checked_at = w->now;
}

/* Both run file 0 for long: nothing drains any more, and each item has its number. */
void lists_check_end(struct world *w)
{
	for (int i = 0; i < 2 && w->lists; i++)
		for (enum places_kind k = 0; k < PLACES_KINDS; k++)
			for (unsigned int at = 0; at < PLACES && w->n[i].s != NULL; at++) {
				const struct lists *l = &all[i];

				if (!l->place[k][at].on)
					continue;
				if (l->place[k][at].drains)
					fail(w, "chassis %d: %s %s drains for ever", i,
						kind_names[k], names[l->place[k][at].name]);
				else if (numbers_of(&l->roll.list, k,
						 names[l->place[k][at].name]) == NUMBERS_NONE)
					fail(w, "chassis %d: %s %s has no number at the end", i,
						kind_names[k], names[l->place[k][at].name]);
				else if (srp_info(w->n[i].s)->state == SRP_ACTIVE &&
					 places_number(&l->places, k, at) == NUMBERS_NONE)
					fail(w, "chassis %d: %s %s is given to nobody at the end",
						i, kind_names[k], names[l->place[k][at].name]);
			}
}

/* ---- the room `pair` ---- */

static struct roll_sight lists_sight(const struct world *w, int i)
{
	const struct node *n = &w->n[i];
	const struct srp_info *s = srp_info(n->s);
	struct roll_sight of = { .role = s->state == SRP_ACTIVE ? ROLL_LEADS
					 : s->state == SRP_INIT || s->state == SRP_STANDBY
						 ? ROLL_FOLLOWS
						 : ROLL_CHANGES,
		.term = s->term,
		.wall_s = w->now / USEC_PER_SEC + 1000000,
		.stream = s->state == SRP_STANDBY && s->agreed,
		.next_waits = s->next_since != USEC_NEVER,
		.matched_since = n->passed && s->state == SRP_STANDBY ? n->passed_at : USEC_NEVER,
		.table_empty = true,
		.may_use = srp_numbers_may_use(n->s) };

	for (unsigned int number = 1; number < NUMBERS; number++)
		if (all[i].table.n[PLACES_APN][number] + all[i].table.n[PLACES_POOL][number] > 0)
			of.table_empty = false;
	return of;
}

static void lists_publish(struct world *w, int i)
{
	struct lists *l = &all[i];

	l->len = numbers_print(&l->roll.list, l->text, sizeof(l->text));
	srp_numbers(w->n[i].s, l->text, l->len, numbers_digest(l->text, l->len), w->now);
}

static void lists_save(struct world *w, int i)
{
	struct lists *l = &all[i];

	if (w->n[i].disk_full || l->len > sizeof(l->saved)) {
		w->list_lost = true;
		return;
	}
	memcpy(l->saved, l->text, l->len);
	l->saved_len = l->len;
}

static void lists_news(struct world *w, int i, unsigned int news)
{
	struct lists *l = &all[i];

	if ((news & ROLL_CONTRADICTED) != 0)
		srp_give_up(w->n[i].s, "numbers are contradicted");
	if ((news & ROLL_LIST) != 0) {
		trace(w, i, "has another list: term %llu revision %u%s",
			(unsigned long long)l->roll.list.term, l->roll.list.revision,
			l->roll.waits ? ", and waits" : "");
		lists_publish(w, i);
		lists_save(w, i);
	}
	if ((news & ROLL_USE) != 0)
		srp_numbers_use(w->n[i].s, w->now);
	if ((news & ROLL_PLACES) != 0)
		numbers_places(&l->roll.list, &l->roll.items, &l->places);
}

static void lists_make(struct world *w, int i, enum places_kind k, const struct numbers_entry *e,
	unsigned int *seen)
{
	unsigned int name = 0;

	while (name < NAMES && strcmp(names[name], e->name) != 0)
		name++;
	if (name == NAMES || strcmp(descriptions[name], e->what) != 0) {
		fail(w, "chassis %d: %s is what no file has", i, e->name);
		return;
	}
	trace(w, i, "makes %s %s for the peer's sessions", kind_names[k], e->name);
	(*seen)++;
	lists_put(&all[i], k, name, true);
	lists_items(&all[i]);
}

void lists_begin(void)
{
	memset(all, 0, sizeof(all));
}

void lists_boot(struct world *w, int i)
{
	struct lists *l = &all[i];
	const struct numbers_entry *e;
	enum places_kind k;

	if (!w->lists)
		return;
	if (rnd(w, 8) == 0 && l->saved_len > 0) {
		trace(w, i, "has lost its list");
		l->saved_len = 0;
		w->list_lost = true;
	}
	memset(&l->roll, 0, sizeof(l->roll));
	memset(l->place, 0, sizeof(l->place));
	memset(&l->table, 0, sizeof(l->table));
	l->applies = l->agreed = false;
	l->roll.seat = (unsigned int)i;
	l->roll.quarantine_s = QUARANTINE_S;
	places_init(&l->places);
	lists_reload(w, i, w->n[i].file);
	if (l->saved_len > 0 && numbers_read(&l->roll.list, l->saved, l->saved_len) < 0)
		fail(w, "chassis %d does not understand its own list", i);
	while (!w->failed && (e = roll_wants_at_start(&l->roll, &k)) != NULL)
		lists_make(w, i, k, e, &lists_seen.made_at_start);
	roll_started(&l->roll);
	numbers_places(&l->roll.list, &l->roll.items, &l->places);
	lists_publish(w, i);
	push(w, EV_SNAP, i, w->now + SNAP);
}

void lists_own(struct world *w, int i, srp_term_t term)
{
	struct roll_sight s;

	if (!w->lists)
		return;
	s = lists_sight(w, i);
	s.role = ROLL_LEADS;
	s.term = term;
	lists_news(w, i, roll_own(&all[i].roll, &s, w->now));
}

static void lists_settle(struct world *w, int i)
{
	struct lists *l = &all[i];
	struct roll_sight s = lists_sight(w, i);
	const struct numbers_entry *e;
	enum places_kind k;
	unsigned int news;
	size_t len;

	if (l->roll.offered && srp_peer_numbers(w->n[i].s, &len) == NULL)
		roll_offer_void(&l->roll);
	while (!w->failed && (e = roll_wants(&l->roll, &s, &k, w->now)) != NULL)
		lists_make(w, i, k, e, s.stream ? &lists_seen.made_late : &lists_seen.made);
	news = roll_turn(&l->roll, &s, w->now);
	lists_seen.revised += (news & ROLL_LIST) != 0 && s.role == ROLL_LEADS && l->applies;
	lists_seen.held += l->roll.offered && s.stream;
	lists_news(w, i, news);
}

void lists_before_hello(struct world *w, int i, uint64_t file)
{
	if (!w->lists || rnd(w, 2) == 0 || lists_sight(w, i).role == ROLL_CHANGES)
		return;
	lists_reload(w, i, file);
	lists_settle(w, i);
}

void lists_offered(struct world *w, int i, bool holds)
{
	size_t len = 0;
	const char *text = srp_peer_numbers(w->n[i].s, &len);

	if (text == NULL)
		return;
	if (!roll_offer(&all[i].roll, text, len, holds, w->now))
		fail(w, "chassis %d does not understand the other's list", i);
	lists_settle(w, i);
}

static bool lists_has_sessions(const struct lists *l, enum places_kind k, unsigned int name)
{
	for (unsigned int n = 1; n < NUMBERS; n++)
		if (l->table.n[k][n] > 0 && l->table.name[k][n] == name)
			return true;
	return false;
}

/* As the process does it with what drains. */
static void lists_leave(struct world *w, int i)
{
	const struct roll_sight s = lists_sight(w, i);
	struct lists *l = &all[i];
	bool left = false;

	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int at = 0; at < PLACES; at++) {
			if (!l->place[k][at].on || !l->place[k][at].drains ||
				lists_has_sessions(l, k, l->place[k][at].name) ||
				!roll_may_leave(&l->roll, &s, k, at, w->now))
				continue;
			trace(w, i, "lets %s %s go", kind_names[k], names[l->place[k][at].name]);
			l->place[k][at].on = false;
			left = true;
			lists_seen.left++;
		}
	if (!left)
		return;
	lists_items(l);
	lists_settle(w, i);
}

void lists_turn(struct world *w, int i)
{
	const struct srp_info *s;

	if (!w->lists)
		return;
	s = srp_info(w->n[i].s);
	all[i].applies = s->peer.known && s->agreed && s->peer.state == SRP_STANDBY;
	lists_settle(w, i);
	if (rnd(w, 8) == 0)
		lists_leave(w, i);
	lists_check(w, i);
	lists_check_stream(w, i);
}

/* ---- sessions, and the stream ---- */

static void lists_create(struct world *w, int i)
{
	struct lists *l = &all[i];

	for (enum places_kind k = 0; k < PLACES_KINDS; k++) {
		unsigned int at = (unsigned int)rnd(w, PLACES);
		uint8_t n = places_number(&l->places, k, at);

		if (!l->place[k][at].on || l->place[k][at].drains || n == NUMBERS_NONE)
			continue;
		if (n >= NUMBERS) {
			fail(w, "more numbers than a run can need");
			return;
		}
		if (l->table.n[k][n] > 0 && l->table.name[k][n] != l->place[k][at].name)
			fail(w, "chassis %d: %s %u stands for two names", i, kind_names[k], n);
		l->table.n[k][n] += l->table.n[k][n] < 3;
		l->table.name[k][n] = (uint8_t)l->place[k][at].name;
	}
}

/* After all is well nothing keeps an item that drains. */
static void lists_end(struct world *w, int i)
{
	struct lists *l = &all[i];

	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int n = 1; n < NUMBERS; n++) {
			int at = lists_place(l, k, l->table.name[k][n]);

			if (l->table.n[k][n] > 0 &&
				(rnd(w, 6) == 0 ||
					(w->now > w->calm_at && at >= 0 && l->place[k][at].drains)))
				l->table.n[k][n]--;
		}
}

void lists_snap(struct world *w, int i)
{
	struct node *n = &w->n[i];
	struct lists *l = &all[i];
	struct ev *e;

	push(w, EV_SNAP, i, w->now + 1 * MS + rnd(w, 2 * SNAP));
	if (!n->owner)
		return;
	if (w->now >= n->stalled_until && srp_info(n->s)->state == SRP_ACTIVE) {
		lists_create(w, i);
		lists_end(w, i);
	}
	if (!n->streaming || !l->applies || w->n[!i].s == NULL || w->stream.cut[!i] ||
		w->stream.cut[i] || (n->stalled_all && w->now < n->stalled_until))
		return;
	l->last = (l->last > w->now ? l->last : w->now) + 50 + rnd(w, 6 * MS);
	e = push(w, EV_RECORDS, !i, l->last);
	e->number = n->conf.incarnation;
	_Static_assert(sizeof(l->table) <= sizeof(e->msg), "the table fits");
	memcpy(e->msg, &l->table, sizeof(l->table));
}

void lists_records(struct world *w, const struct ev *e)
{
	struct node *n = &w->n[e->node];
	struct lists *l = &all[e->node];
	struct lists_table t;

	if (!n->writing || srp_info(n->s)->peer.incarnation != e->number ||
		(n->stalled_all && w->now < n->stalled_until))
		return;
	memcpy(&t, e->msg, sizeof(t));
	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int number = 1; number < NUMBERS; number++)
			if (t.n[k][number] > 0)
				lists_check_number(
					w, e->node, k, number, t.name[k][number], "a record");
	l->table = t;
	n->passed = true;
	n->passed_at = w->now;
	lists_seen.records++;
}

void lists_say(void)
{
	printf("lists: %u revised under a stream, %u turns held, %u made, %u late, ",
		lists_seen.revised, lists_seen.held, lists_seen.made, lists_seen.made_late);
	printf("%u at a start, %u left, %u records\n", lists_seen.made_at_start, lists_seen.left,
		lists_seen.records);
}
