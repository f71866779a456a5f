/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/budget.h"

#include <string.h>

void budget_init(struct budget *b, const struct siphash_secret *secret,
	const struct budget_rates *rates, uint64_t hz)
{
	memset(b, 0, sizeof(*b));
	b->secret = *secret;
	b->rates = *rates;
	b->hz = hz;
}

/* As much as fits in `ticks` is not spent yet. */
static bool budget_open(uint64_t *at, uint64_t cost, uint64_t ticks, uint64_t now)
{
	uint64_t room = cost > ticks ? cost : ticks;

	if (*at < now)
		*at = now;
	if (*at - now > room) /* the clock went back */
		*at = now + room;
	return *at - now <= room - cost;
}

bool budget_take(struct budget *b, uint64_t source, uint64_t subject, uint64_t now)
{
	uint64_t of_source = b->hz / b->rates.source, of_subject = b->hz / b->rates.subject;
	uint64_t of_shared = b->hz / b->rates.shared;
	/* Of two that are equal numbers the hashes have nothing to do with each other. */
	uint64_t hash = siphash_word(&b->secret, source);
	uint64_t who = siphash_word(&b->secret, ~subject);
	uint64_t *own = &b->source[hash % BUDGET_COUNTERS];
	struct budget_subject *of = &b->subject[who % BUDGET_COUNTERS];
	uint64_t about = of->who == who ? of->at : 0;

	if (!budget_open(&about, of_subject, b->hz, now))
		return false;
	if (budget_open(own, of_source, b->hz, now))
		*own += of_source;
	else if (budget_open(&b->shared, of_shared, b->hz / 10, now))
		b->shared += of_shared;
	else
		return false;
	*of = (struct budget_subject){ who, about + of_subject };
	return true;
}
