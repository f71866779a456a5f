/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of APNs and pools: lib/numbers says who gets which, lib/srp brings the peer's list,
 * and this chassis' configuration says which items they stand for here. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "journal/journal.h"
#include "numbers/numbers.h"
#include "pair_priv.h"

struct pair_numbers {
	struct numbers list, theirs; /* theirs: room to read it into */
	struct numbers_items items;  /* of the configuration, by place */
	struct places *places;
	uint32_t quarantine_s;
	bool remembers; /* the list has numbers that only the own table may still have */
	size_t len;
	char text[NUMBERS_BYTES]; /* of the list, as lib/srp and the journal have it */
};

static void pair_numbers_items(struct pair_numbers *n, const struct config_placed *placed)
{
	struct numbers_items *to = &n->items;

	for (unsigned int i = 0; i < placed->n_apns; i++) {
		const struct config_apn *apn = &placed->apn[i].conf;

		to->of[PLACES_APN][i] = (struct numbers_item){ apn->name, (uint8_t)apn->id };
	}
	for (unsigned int i = 0; i < placed->n_pools; i++) {
		const struct config_pool *pool = &placed->pool[i].conf;

		to->of[PLACES_POOL][i] = (struct numbers_item){ pool->name, (uint8_t)pool->id };
		if (pool->quarantine_s > n->quarantine_s)
			n->quarantine_s = pool->quarantine_s;
	}
	to->n[PLACES_APN] = placed->n_apns;
	to->n[PLACES_POOL] = placed->n_pools;
}

/* The list is another, or will be the first that the peer hears of. */
static void pair_numbers_publish(struct pair *p, usec_t now)
{
	struct pair_numbers *n = p->numbers;

	numbers_places(&n->list, &n->items, n->places);
	n->len = numbers_print(&n->list, n->text, sizeof(n->text));
	srp_numbers(p->srp, n->text, n->len, numbers_digest(n->text, n->len), now);
}

static void pair_numbers_keep(struct pair *p, usec_t now)
{
	const struct pair_numbers *n = p->numbers;

	pair_numbers_publish(p, now);
	journal_save_numbers(p->journal, n->text, n->len);
}

int numbers_open(struct pair *p, struct places *places, usec_t now)
{
	struct pair_numbers *n = memory_take("numbers", sizeof(*n), 0);
	size_t len;

	if (n == NULL)
		return -ENOMEM;
	p->numbers = n;
	n->places = places;
	pair_numbers_items(n, p->start.placed);
	if (journal_numbers(p->journal, n->text, sizeof(n->text), &len) == 0 && len > 0 &&
		numbers_read(&n->list, n->text, len) < 0)
		LOG(ERR, "the file of the numbers of APNs and pools is damaged, and the peer's "
			 "list counts: remove numbers.state from the state directory");
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
	const struct numbers_order o = { .items = &n->items,
		.seat = p->seat,
		.term = term,
		.now_s = (uint64_t)(clock_wall_us() / (int64_t)USEC_PER_SEC),
		.quarantine_s = n->quarantine_s };
	uint64_t was_term = n->list.term;
	uint32_t was_revision = n->list.revision;
	char why[NUMBERS_WHY];
	unsigned int without = numbers_assign(&n->list, &o, why);

	n->remembers = false;
	alarms_set(p->alarms, PAIR_ALARM_NUMBERS, without > 0, why, now);
	if (n->list.term != was_term || n->list.revision != was_revision)
		pair_numbers_keep(p, now);
}

/* Sessions of the own table would be served as those of another APN or pool. The peer has all
 * that counts: who begins anew has an empty table. */
static void pair_numbers_contradicted(struct pair *p)
{
	srp_give_up(p->srp,
		"numbers of APNs and pools stand for others in the Active's list, and the table "
		"has sessions of before");
}

void numbers_offered(struct pair *p, bool held, usec_t now)
{
	struct pair_numbers *n = p->numbers;
	bool empty = stream_table_empty(p->stream);
	size_t len = 0;
	const char *text = srp_peer_numbers(p->srp, &len);

	if (text == NULL)
		return;
	if (numbers_read(&n->theirs, text, len) < 0) {
		LOG(ERR, "the peer's list of the numbers of APNs and pools is not understood: run "
			 "the same release on both");
		return;
	}
	if (!numbers_yield(&n->list, &n->theirs, held))
		return;
	if (empty)
		memset(&n->list, 0, sizeof(n->list));
	if (numbers_take(&n->list, &n->theirs) > 0) {
		pair_numbers_contradicted(p);
		return;
	}
	n->remembers = !empty;
	alarms_set(p->alarms, PAIR_ALARM_NUMBERS, false, "", now);
	LOG(NOTICE, "the numbers of APNs and pools are the peer's from now on term=%lu.%lu",
		(unsigned long)(n->list.term >> 1), (unsigned long)(n->list.term & 1));
	pair_numbers_keep(p, now);
}

void numbers_turn(struct pair *p, bool joined)
{
	struct pair_numbers *n = p->numbers;

	if (!n->remembers || !joined || srp_info(p->srp)->state != SRP_STANDBY)
		return;
	n->remembers = false;
	numbers_forget(&n->list);
	numbers_places(&n->list, &n->items, n->places);
}
