/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "peers/peers.h"

static bool find_not_above(const struct peers_start6 *start, const struct peers_start6 *a)
{
	return start->half[0] < a->half[0] ||
	       (start->half[0] == a->half[0] && start->half[1] <= a->half[1]);
}

static uint32_t find_range6(const struct peers_ranges *r, const struct ip_addr *a)
{
	const struct peers_start6 key = { { ip_addr_half(a, 0), ip_addr_half(a, 1) } };
	uint32_t at = 0;

	for (uint32_t n = r->n; n > 1; n -= n / 2)
		at += find_not_above(&r->start6[at + n / 2], &key) ? n / 2 : 0;
	return at;
}

uint32_t peers_set_of(const struct peers *p, enum peers_use use, const struct ip_addr *a)
{
	const struct peers_ranges *r = &p->ranges[use][ip_addr_is_v4(a) ? 0 : 1];

	return r->set[ip_addr_is_v4(a) ? peers_range4(r, ip_addr_to_v4(a)) : find_range6(r, a)];
}

/* Places of one set are in order. */
static bool find_member(const struct peers *p, const struct peers_set *s, uint16_t nth)
{
	const uint16_t *member = &p->member[s->first];
	unsigned int low = 0, high = s->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (member[mid] == nth)
			return true;
		if (member[mid] < nth)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool peers_set_has(const struct peers *p, uint32_t set, uint16_t number, uint8_t ports)
{
	const struct peers_entry *e = peers_by_number(p, number);

	if (e == NULL || (e->ports & ports) == 0)
		return false;
	for (; set != 0; set = p->set[set].parent)
		if (find_member(p, &p->set[set], (uint16_t)(e - p->entry)))
			return true;
	return false;
}

/* A CONTROL prefix belongs to one entry: a set of its own has one member. */
const struct peers_entry *peers_control(const struct peers *p, const struct ip_addr *a)
{
	uint32_t set = peers_set_of(p, PEERS_CONTROL, a);

	return set != 0 ? &p->entry[p->member[p->set[set].first]] : NULL;
}

const struct peers_entry *peers_by_number(const struct peers *p, uint16_t number)
{
	unsigned int low = 0, high = p->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct peers_entry *e = &p->entry[p->by_number[mid]];

		if (e->number == number)
			return e;
		if (e->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool peers_same_group(const struct peers *p, uint16_t a, uint16_t b)
{
	const struct peers_entry *one = peers_by_number(p, a), *other = peers_by_number(p, b);

	return one != NULL && other != NULL &&
	       p->group[one - p->entry] == p->group[other - p->entry];
}

/* A prefix of no bits is around all others: it is the set of which all are children, or the only
 * one at address 0. */
bool peers_everybody(const struct peers *p, unsigned int nth)
{
	for (unsigned int use = 0; use < PEERS_USES; use++)
		for (unsigned int family = 0; family < PEERS_FAMILIES; family++) {
			const struct peers_ranges *r = &p->ranges[use][family];

			if (r->whole != 0 && find_member(p, &p->set[r->whole], (uint16_t)nth))
				return true;
		}
	return false;
}

void peers_drop(struct peers *p)
{
	if (p == NULL || --p->holders > 0)
		return;
	for (unsigned int use = 0; use < PEERS_USES; use++)
		for (unsigned int family = 0; family < PEERS_FAMILIES; family++) {
			free(p->ranges[use][family].start4);
			free(p->ranges[use][family].start6);
			free(p->ranges[use][family].set);
		}
	free(p->entry);
	free(p->group);
	free(p->by_number);
	free(p->set);
	free(p->member);
	free(p);
}

struct peers *peers_hold(struct peers *p)
{
	if (p != NULL)
		p->holders++;
	return p;
}
