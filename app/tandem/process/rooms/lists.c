/* SPDX-License-Identifier: BSD-3-Clause */
/* APNs and pools come, drain and leave while cores read. */
#include "process/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cores/memory.h"
#include "peers/peers.h"
#include "process/control.h"
#include "process/settings_rooms.h"

enum { LISTS_LOOK_US = 100 * USEC_PER_MSEC };

/* By the pool's place in the file that they were made for. */
struct reload_made {
	struct config_placed runs; /* when the file was read */
	struct pool_made *pool[CONFIG_POOLS];
	struct peers *peers;
};

static const char *const lists_kinds[PLACES_KINDS] = { "APN", "pool" };

/* ---- memory ---- */

struct reload_made *lists_made_begin(const struct control *c)
{
	struct reload_made *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->runs = c->lists.placed;
	return m;
}

static struct pool_made *lists_pool(const struct config_pool *pool)
{
	struct pool_conf conf = { .instance = INSTANCE_MAIN,
		.prefix = pool->prefix,
		.srp_activate = pool->srp_activate };

	memcpy(conf.name, pool->name, sizeof(conf.name));
	return pool_make(&conf, &memory_rte);
}

/* Those that drain now may have left when the file runs. */
int lists_make(struct reload_made *m, const struct config *next)
{
	for (unsigned int i = 0; i < next->n_pools; i++) {
		int at = placed_find(&m->runs, PLACES_POOL, next->pools[i].name);

		if (at >= 0 && m->runs.pool[at].state == PLACED_USED)
			continue;
		m->pool[i] = lists_pool(&next->pools[i]);
		if (m->pool[i] == NULL)
			return -errno;
	}
	return settings_peers(next, &m->peers);
}

struct peers *lists_peers(const struct reload_made *m)
{
	return m->peers;
}

void lists_made_end(struct control *c, struct reload_made *m)
{
	for (unsigned int i = 0; m != NULL && i < CONFIG_POOLS; i++)
		if (m->pool[i] != NULL)
			lists_memory_give(c, m->pool[i]);
	if (m != NULL)
		peers_drop(m->peers);
	free(m);
}

/* ---- a file ---- */

int lists_fit(struct control *c, const struct config *next, char why[PLACED_WHY])
{
	return placed_next(&c->lists.placed, next, &c->lists.next, why);
}

static void lists_put_one(struct control *c, const struct config_pool *pool, struct pool_made **m)
{
	unsigned int at = (unsigned int)placed_find(&c->lists.next, PLACES_POOL, pool->name);
	int ret;

	if (c->lists.placed.pool[at].state != PLACED_FREE)
		return;
	ret = *m != NULL ? pool_put(c->t->pools, at, *m) : -ENOMEM;
	if (ret == 0)
		*m = NULL; /* the set's */
	else
		LOG(ERR,
			"a pool cannot be put at its place, and gives no addresses: take it out of "
			"the file, reload, and put it back name=%s error=%s",
			LOG_TEXT(pool->name), LOG_TEXT(strerror(-ret)));
}

static void lists_put(struct control *c, const struct config *next, struct reload_made *m)
{
	for (unsigned int i = 0; i < next->n_pools; i++)
		lists_put_one(c, &next->pools[i], &m->pool[i]);
}

/* By every number that stands for the place: also by one that the pair's list has as gone already,
 * when this chassis has yet to hear of the last ends. */
static uint32_t lists_apn_sessions(const struct tandem *t, unsigned int at)
{
	uint32_t n = 0;

	for (unsigned int number = 1; number < PLACES_NUMBERS; number++)
		if (places_of(&t->shared.places, PLACES_APN, (uint8_t)number) == at)
			n += session_count_of_apn(t->table, (uint8_t)number);
	return n;
}

/* Of a pool: addresses, also those in quarantine. */
static uint32_t lists_sessions(const struct control *c, enum places_kind kind, unsigned int at)
{
	const struct pool *p = kind == PLACES_POOL ? pool_at(c->t->pools, at) : NULL;

	if (kind == PLACES_APN)
		return lists_apn_sessions(c->t, at);
	return p != NULL ? pool_used(p) : 0;
}

static void lists_tell(
	const struct control *c, enum places_kind kind, unsigned int at, enum placed_state was)
{
	const struct config_placed *p = &c->lists.placed;
	enum placed_state is = placed_state(p, kind, at);
	const char *name = placed_name(p, kind, at);

	if (is == was || is == PLACED_FREE)
		return;
	if (is == PLACED_DRAINING)
		LOG(NOTICE,
			"an APN or pool drains: nobody is given it anew, and its sessions go on "
			"kind=%s name=%s sessions=%u",
			LOG_TEXT(lists_kinds[kind]), LOG_TEXT(name), lists_sessions(c, kind, at));
	else
		LOG(NOTICE, "an APN or pool is %s kind=%s name=%s",
			was == PLACED_FREE ? "new" : "used again", LOG_TEXT(lists_kinds[kind]),
			LOG_TEXT(name));
}

void lists_run(struct control *c, const struct config *next, struct reload_made *m, usec_t now)
{
	struct tandem *t = c->t;
	enum placed_state was[PLACES_KINDS][PLACES_MOST];

	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 0; i < PLACES_MOST; i++)
			was[kind][i] = placed_state(&c->lists.placed, kind, i);
	lists_put(c, next, m);
	c->lists.placed = c->lists.next;
	c->lists.unsaid = false;
	for (unsigned int i = 0; i < next->n_pools; i++)
		session_quarantine_least(t->table, next->pools[i].quarantine_s);
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 0; i < placed_places(&c->lists.placed, kind); i++) {
			if (kind == PLACES_POOL && was[kind][i] == PLACED_FREE)
				vips_pool(c->vips, i, true);
			lists_tell(c, kind, i, was[kind][i]);
		}
	pair_lists(c->pair, now);
}

/* ---- of the peer ---- */

static int lists_hold_pool(struct control *c, unsigned int at)
{
	const struct config_pool *conf = &c->lists.placed.pool[at].conf;
	struct pool_made *made = lists_pool(conf);
	int ret = made != NULL ? pool_put(c->t->pools, at, made) : -errno;

	if (ret < 0) {
		pool_unmake(made);
		return ret;
	}
	session_quarantine_least(c->t->table, conf->quarantine_s);
	vips_pool(c->vips, at, true);
	return 0;
}

int lists_hold(struct control *c, enum places_kind kind, const char *name, const char *what)
{
	int at = placed_drain(&c->lists.placed, kind, name, what);
	int ret = at >= 0 && kind == PLACES_POOL ? lists_hold_pool(c, (unsigned int)at) : 0;

	if (at < 0)
		return at;
	if (ret < 0) {
		placed_leave(&c->lists.placed, kind, (unsigned int)at);
		return ret;
	}
	c->lists.unsaid = true;
	LOG(NOTICE,
		"the peer has an APN or pool that this chassis' file has not: its sessions are "
		"held here, too, until they end kind=%s name=%s",
		LOG_TEXT(lists_kinds[kind]), LOG_TEXT(name));
	return 0;
}

/* ---- what has drained ---- */

/* The cores are given a snapshot of what is at the places now. False: they hold an older one yet.
 */
static bool lists_say(struct control *c)
{
	struct settings s;

	if (settings_of(c->t->conf, &c->lists.placed, &s) < 0)
		return false;
	s.peers = settings_newest(c->t->settings)->peers; /* nobody came or went */
	if (settings_ready(c->t->settings, &s) < 0)
		return false;
	settings_publish(c->t->settings);
	return true;
}

static void lists_left(struct control *c, enum places_kind kind, unsigned int at, usec_t now)
{
	struct config_placed *p = &c->lists.placed;

	LOG(NOTICE, "an APN or pool has drained: no session has it any more kind=%s name=%s",
		LOG_TEXT(lists_kinds[kind]), LOG_TEXT(placed_name(p, kind, at)));
	if (kind == PLACES_POOL)
		vips_pool(c->vips, at, false);
	placed_leave(p, kind, at);
	pair_lists(c->pair, now);
}

/* Every core has turned since the pool was taken: whoever gave an address of it away in that moment
 * has done so. */
static void lists_end_taken(struct control *c, usec_t now)
{
	struct pool_made *m = c->lists.taken;

	c->lists.taken = NULL;
	if (pool_gone(c->t->pools, m) < 0)
		return;
	lists_memory_give(c, m);
	lists_left(c, PLACES_POOL, c->lists.taken_at, now);
}

/* One at a time: each waits for the cores. */
static void lists_take(struct control *c, unsigned int at)
{
	if (settings_holder(c->t->settings) != NULL ||
		pool_take(c->t->pools, at, &c->lists.taken) < 0)
		return;
	c->lists.taken_at = at;
	c->lists.unsaid = !lists_say(c);
}

static bool lists_drained(
	const struct control *c, enum places_kind kind, unsigned int at, usec_t now)
{
	return placed_state(&c->lists.placed, kind, at) == PLACED_DRAINING &&
	       lists_sessions(c, kind, at) == 0 && !signalling_names(c->signalling, kind, at) &&
	       pair_may_leave(c->pair, kind, at, now);
}

void lists_turn(struct control *c, usec_t now)
{
	if (c->lists.unsaid)
		c->lists.unsaid = !lists_say(c);
	if (c->lists.taken != NULL && !c->lists.unsaid && settings_holder(c->t->settings) == NULL)
		lists_end_taken(c, now);
	if (now < c->lists.look_at)
		return;
	c->lists.look_at = now + LISTS_LOOK_US;
	for (unsigned int i = 0; i < PLACES_MOST; i++) {
		if (lists_drained(c, PLACES_APN, i, now))
			lists_left(c, PLACES_APN, i, now);
		if (c->lists.taken == NULL && lists_drained(c, PLACES_POOL, i, now))
			lists_take(c, i);
	}
}
