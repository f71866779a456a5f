/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of APNs and pools: lib/numbers says who gets which and when the list moves, lib/srp
 * brings the peer's, and what has a place on this chassis says which items they stand for here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "base/memory.h"
#include "journal/journal.h"
#include "numbers/roll.h"
#include "pair_priv.h"

/* Numbers that wait for so long are told of. */
enum { LATE_US = 10000000 };

_Static_assert((int)PLACED_WHAT <= (int)NUMBERS_WHAT, "a list has room for what an item is");

struct pair_numbers {
	struct roll roll;
	struct places *places;
	char what[PLACES_KINDS][PLACES_MOST][PLACED_WHAT]; /* of the roll's items */
	usec_t waits_since; /* numbers do, for the peer; USEC_NEVER: none does */
	bool alarm;
	size_t len;
	char text[NUMBERS_BYTES];   /* of the list, as lib/srp and the journal have it */
	char not_made[NUMBERS_WHY]; /* why an item of the peer's has no place here; "": each has */
};

static void pair_numbers_item(struct pair_numbers *n, const struct config_placed *p,
	enum places_kind kind, unsigned int at)
{
	struct numbers_item *to = &n->roll.items.of[kind][at];
	char *what = n->what[kind][at];

	if (placed_state(p, kind, at) == PLACED_FREE) {
		*to = (struct numbers_item){ .name = NULL };
		return;
	}
	placed_what(p, kind, at, what);
	*to = (struct numbers_item){ .name = placed_name(p, kind, at),
		.id = (uint8_t)(kind == PLACES_APN ? p->apn[at].conf.id : p->pool[at].conf.id),
		.what = what };
}

static void pair_numbers_items(struct pair_numbers *n, const struct config_placed *p)
{
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++) {
		n->roll.items.n[kind] = placed_places(p, kind);
		for (unsigned int i = 0; i < n->roll.items.n[kind]; i++)
			pair_numbers_item(n, p, kind, i);
	}
	for (unsigned int i = 0; i < p->n_pools; i++)
		n->roll.quarantine_s = RTE_MAX(n->roll.quarantine_s, p->pool[i].conf.quarantine_s);
}

static enum roll_role pair_numbers_role(enum srp_state state)
{
	if (state == SRP_ACTIVE)
		return ROLL_LEADS;
	return state == SRP_INIT || state == SRP_STANDBY ? ROLL_FOLLOWS : ROLL_CHANGES;
}

static struct roll_sight pair_numbers_sight(const struct pair *p, usec_t matched_since)
{
	const struct srp_info *i = srp_info(p->srp);

	return (struct roll_sight){ .role = pair_numbers_role(i->state),
		.term = i->term,
		.wall_s = (uint64_t)(clock_wall_us() / (int64_t)USEC_PER_SEC),
		.stream = i->state == SRP_STANDBY && i->agreed,
		.next_waits = i->next_since != USEC_NEVER,
		.matched_since = i->state == SRP_STANDBY ? matched_since : USEC_NEVER,
		.table_empty = stream_table_empty(p->stream),
		.may_use = srp_numbers_may_use(p->srp) };
}

/* ---- what follows from the list ---- */

/* The list is another, or will be the first that the peer hears of. */
static void pair_numbers_publish(struct pair *p, usec_t now)
{
	struct pair_numbers *n = p->numbers;

	n->len = numbers_print(&n->roll.list, n->text, sizeof(n->text));
	srp_numbers(p->srp, n->text, n->len, numbers_digest(n->text, n->len), now);
}

static void pair_numbers_news(struct pair *p, unsigned int news, usec_t now)
{
	struct pair_numbers *n = p->numbers;

	/* Sessions of the own table would be served as those of another APN or pool. The peer has
	 * all that counts: who begins anew has an empty table. */
	if ((news & ROLL_CONTRADICTED) != 0)
		srp_give_up(p->srp, "numbers of APNs and pools stand for others in the Active's "
				    "list, and the table has sessions of before");
	if ((news & ROLL_LIST) != 0) {
		pair_numbers_publish(p, now);
		journal_save_numbers(p->journal, n->text, n->len);
	}
	if ((news & ROLL_USE) != 0)
		srp_numbers_use(p->srp, now);
	if ((news & ROLL_PLACES) != 0)
		numbers_places(&n->roll.list, &n->roll.items, n->places);
}

/* What an operator must know: items without a number, numbers that wait for the peer, and a list of
 * the peer's that cannot be taken. */
static const char *pair_numbers_wrong(struct pair_numbers *n, enum roll_role role, usec_t now)
{
	bool waits = role == ROLL_LEADS && n->roll.waits;

	if (!waits)
		n->waits_since = USEC_NEVER;
	else if (n->waits_since == USEC_NEVER)
		n->waits_since = now;
	if (role == ROLL_LEADS && n->roll.without > 0)
		return n->roll.why;
	if (role == ROLL_FOLLOWS && (n->roll.offered || n->roll.lacks) && n->not_made[0] != '\0')
		return n->not_made;
	if (waits && now >= n->waits_since + LATE_US)
		return "new APNs and pools are given to nobody: the peer has not taken their "
		       "numbers. See that the SRP connection is up";
	return NULL;
}

static void pair_numbers_alarm(struct pair *p, enum roll_role role, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	const char *wrong = role != ROLL_CHANGES ? pair_numbers_wrong(n, role, now) : NULL;

	if (role != ROLL_CHANGES && (wrong != NULL || n->alarm))
		alarms_set(p->alarms, PAIR_ALARM_NUMBERS, wrong != NULL, wrong != NULL ? wrong : "",
			now);
	n->alarm = role != ROLL_CHANGES ? wrong != NULL : n->alarm;
}

/* ---- the own list ---- */

/* false: it cannot be made here. */
static bool pair_numbers_make(
	struct pair *p, enum places_kind kind, const struct numbers_entry *e, usec_t now)
{
	static const char *const kinds[PLACES_KINDS] = { "apns", "pools" };
	struct pair_numbers *n = p->numbers;
	int ret = p->ops.drain(p->ctx, kind, e->name, e->what);

	if (ret == 0) {
		n->not_made[0] = '\0';
		pair_numbers_items(n, p->start.placed);
		roll_moved(&n->roll);
		return true;
	}
	snprintf(n->not_made, sizeof(n->not_made),
		"%s[%.40s] is in use on the Active and cannot be held here (%s): make the files of "
		"both chassis equal and start this one again",
		kinds[kind], e->name, strerror(-ret));
	roll_not_made(&n->roll, now);
	return false;
}

/* A list on disk that this chassis cannot hold is worth no more than none. */
static void pair_numbers_read(struct pair *p, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	const struct numbers_entry *e;
	enum places_kind kind;
	size_t len;

	if (journal_numbers(p->journal, n->text, sizeof(n->text), &len) != 0 || len == 0)
		return;
	if (numbers_read(&n->roll.list, n->text, len) < 0) {
		LOG(ERR, "the file of the numbers of APNs and pools is damaged, and the peer's "
			 "list counts: remove numbers.state from the state directory");
		return;
	}
	while ((e = roll_wants_at_start(&n->roll, &kind)) != NULL)
		if (!pair_numbers_make(p, kind, e, now)) {
			LOG(WARNING,
				"the numbers of APNs and pools are forgotten, and the peer's list "
				"counts reason=%s",
				LOG_TEXT(n->not_made));
			memset(&n->roll.list, 0, sizeof(n->roll.list));
		}
}

int numbers_open(struct pair *p, struct places *places, usec_t now)
{
	struct pair_numbers *n = memory_take("numbers", sizeof(*n), 0);

	if (n == NULL)
		return -ENOMEM;
	p->numbers = n;
	n->places = places;
	n->roll.seat = p->seat;
	n->waits_since = USEC_NEVER;
	pair_numbers_items(n, p->start.placed);
	pair_numbers_read(p, now);
	roll_started(&n->roll);
	numbers_places(&n->roll.list, &n->roll.items, n->places);
	pair_numbers_publish(p, now);
	return 0;
}

void numbers_close(struct pair *p)
{
	if (p->numbers != NULL)
		memory_give(p->numbers);
}

void numbers_own(struct pair *p, srp_term_t term, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	struct roll_sight s = pair_numbers_sight(p, USEC_NEVER);

	s.role = ROLL_LEADS;
	s.term = term;
	pair_numbers_news(p, roll_own(&n->roll, &s, now), now);
	pair_numbers_alarm(p, s.role, now);
}

/* ---- the peer's, and a turn ---- */

void numbers_offered(struct pair *p, bool held, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	size_t len = 0;
	const char *text = srp_peer_numbers(p->srp, &len);

	if (text == NULL)
		return;
	if (!roll_offer(&n->roll, text, len, held, now))
		LOG(ERR, "the peer's list of the numbers of APNs and pools is not understood: run "
			 "the same release on both");
	numbers_turn(p, USEC_NEVER, now);
}

void numbers_turn(struct pair *p, usec_t matched_since, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	struct roll_sight s = pair_numbers_sight(p, matched_since);
	const struct numbers_entry *e;
	enum places_kind kind;
	unsigned int news;
	size_t len;

	if (n->roll.offered && srp_peer_numbers(p->srp, &len) == NULL)
		roll_offer_void(&n->roll);
	while ((e = roll_wants(&n->roll, &s, &kind, now)) != NULL &&
		pair_numbers_make(p, kind, e, now))
		;
	news = roll_turn(&n->roll, &s, now);
	if (s.role == ROLL_FOLLOWS && (news & ROLL_LIST) != 0)
		LOG(NOTICE, "the numbers of APNs and pools are the peer's from now on term=%lu.%lu",
			(unsigned long)(n->roll.list.term >> 1),
			(unsigned long)(n->roll.list.term & 1));
	pair_numbers_news(p, news, now);
	pair_numbers_alarm(p, s.role, now);
}

void pair_lists(struct pair *p, usec_t now)
{
	struct pair_numbers *n = p->numbers;

	pair_numbers_items(n, p->start.placed);
	roll_moved(&n->roll);
	numbers_turn(p, USEC_NEVER, now);
}

bool pair_may_leave(const struct pair *p, enum places_kind kind, unsigned int at, usec_t now)
{
	const struct roll_sight s = pair_numbers_sight(p, USEC_NEVER);

	return roll_may_leave(&p->numbers->roll, &s, kind, at, now);
}
