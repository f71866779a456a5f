/* SPDX-License-Identifier: BSD-3-Clause */
/* Profile `numbers`: whenever a chassis starts it may have another configuration, with other APNs
 * and pools beside those of the subscribers, sorted before and behind them; and lists of numbers
 * are lost. What the two must agree on otherwise is another matter: these always agree. */
#include "sim.h"

static const struct {
	const char *name;
	uint32_t base;
} extras[] = { { "aaa", 0x0a0b0000 }, { "iii", 0x0a0c0000 }, { "zzz", 0x0a0d0000 } };

uint64_t __wrap_config_digest(const struct config *c)
{
	return sim.renumber ? 1 : __real_config_digest(c);
}

/* What the slots' numbers stand for is looked at as soon as it may have changed. */
void __wrap_numbers_places(
	const struct numbers *n, const struct numbers_items *w, struct places *places)
{
	__real_numbers_places(n, w, places);
	sim.tables_due = sim.now;
	sim.table_checks -= sim.table_checks % 3; /* see look() */
}

static void add(struct config *f, const char *name, const struct config_pool *pool,
	const struct config_apn *apn)
{
	unsigned int i = f->n_pools++;

	f->pools[i] = *pool;
	f->apns[i] = *apn;
	snprintf(f->pools[i].name, sizeof(f->pools[i].name), "%s", name);
	snprintf(f->apns[i].pool, sizeof(f->apns[i].pool), "%s", name);
	if (pool->prefix.len == 24)
		snprintf(f->apns[i].name, sizeof(f->apns[i].name), "%s", name);
	f->apns[i].pool_index = (uint8_t)i;
	f->n_apns = f->n_pools;
}

/* In the order of names, as a configuration that is loaded. */
static void lists(struct node *n, unsigned int set)
{
	struct config *f = &n->conf;
	const struct config_pool pool = f->pools[node_pool_at(f)];
	const struct config_apn apn = f->apns[node_pool_at(f)];
	bool done = false;

	f->n_pools = f->n_apns = 0;
	for (unsigned int i = 0; i < RTE_DIM(extras); i++) {
		struct config_pool other = pool;

		if (!done && strcmp(extras[i].name, pool.name) > 0) {
			add(f, pool.name, &pool, &apn);
			done = true;
		}
		other.prefix = (struct ip_prefix){ ip_addr_v4(extras[i].base), 24 };
		if ((set >> i & 1) != 0)
			add(f, extras[i].name, &other, &apn);
	}
}

void numbers_boot(struct node *n)
{
	if (!sim.renumber)
		return;
	n->conf.srp.configuration_interval_s = 0;
	if (rnd_aside(4) == 0) {
		story(n->id, "has lost its numbers");
		n->host.numbers_len = 0;
	}
	if (rnd_aside(2) == 0)
		return;
	lists(n, (unsigned int)rnd_aside(1 << RTE_DIM(extras)));
	sim.renumbered++;
	story(n->id, "has %u APNs from now on, and internet is that at place %u", n->conf.n_apns,
		node_pool_at(&n->conf));
}

unsigned int node_pool_at(const struct config *f)
{
	unsigned int i = 0;

	while (i < f->n_pools && strcmp(f->pools[i].name, "pool") != 0)
		i++;
	return i;
}

void numbers_check(const struct node *n, uint32_t pos, const struct session_slot *s)
{
	const struct places *p = &n->t.shared.places;
	unsigned int at = node_pool_at(&n->conf);

	if (places_of(p, PLACES_APN, s->apn) != at || places_of(p, PLACES_POOL, s->pool) != at)
		broken(6, "chassis %c: slot %u: its APN or pool is another now", 'A' + n->id, pos);
}
