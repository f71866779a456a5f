/* SPDX-License-Identifier: BSD-3-Clause */
/* Which APN and pool has which place, and who leaves. */
#include "config/placed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "placed_what.h"

_Static_assert((int)CONFIG_APNS == (int)PLACES_MOST && (int)CONFIG_POOLS == (int)PLACES_MOST,
	"an item's place is one of struct places");

/* ---- the two kinds alike ---- */

static const char *const placed_kinds[PLACES_KINDS] = { "apns", "pools" };

static enum placed_state *placed_state_at(
	struct config_placed *p, enum places_kind kind, unsigned int at)
{
	return kind == PLACES_APN ? &p->apn[at].state : &p->pool[at].state;
}

enum placed_state placed_state(
	const struct config_placed *p, enum places_kind kind, unsigned int at)
{
	return kind == PLACES_APN ? p->apn[at].state : p->pool[at].state;
}

const char *placed_name(const struct config_placed *p, enum places_kind kind, unsigned int at)
{
	return kind == PLACES_APN ? p->apn[at].conf.name : p->pool[at].conf.name;
}

unsigned int placed_places(const struct config_placed *p, enum places_kind kind)
{
	return kind == PLACES_APN ? p->n_apns : p->n_pools;
}

const char *placed_state_name(enum placed_state state)
{
	static const char *const names[] = { "free", "used", "draining" };

	return names[state];
}

int placed_find(const struct config_placed *p, enum places_kind kind, const char *name)
{
	for (unsigned int i = 0; i < placed_places(p, kind); i++)
		if (placed_state(p, kind, i) != PLACED_FREE &&
			strcmp(placed_name(p, kind, i), name) == 0)
			return (int)i;
	return -ENOENT;
}

static void placed_count(struct config_placed *p)
{
	unsigned int n[PLACES_KINDS];

	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++) {
		n[kind] = PLACES_MOST;
		while (n[kind] > 0 && placed_state(p, kind, n[kind] - 1) == PLACED_FREE)
			n[kind]--;
	}
	p->n_apns = n[PLACES_APN];
	p->n_pools = n[PLACES_POOL];
}

/* The lowest free place, -ENOSPC. */
static int placed_room(const struct config_placed *p, enum places_kind kind)
{
	for (unsigned int i = 0; i < PLACES_MOST; i++)
		if (placed_state(p, kind, i) == PLACED_FREE)
			return (int)i;
	return -ENOSPC;
}

void placed_leave(struct config_placed *p, enum places_kind kind, unsigned int at)
{
	if (kind == PLACES_APN)
		p->apn[at] = (struct placed_apn){ .state = PLACED_FREE };
	else
		p->pool[at] = (struct placed_pool){ .state = PLACED_FREE };
	for (unsigned int i = 0; i < p->n_apns && kind == PLACES_POOL; i++)
		if (p->apn[i].conf.pool_index == at && p->apn[i].state == PLACED_DRAINING)
			p->apn[i].conf.pool_index = CONFIG_POOLS;
	placed_count(p);
}

void placed_begin(struct config_placed *p, const struct config *c)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < c->n_apns; i++)
		p->apn[i] = (struct placed_apn){ PLACED_USED, c->apns[i] };
	for (unsigned int i = 0; i < c->n_pools; i++)
		p->pool[i] = (struct placed_pool){ PLACED_USED, c->pools[i] };
	placed_count(p);
}

/* ---- a new file ---- */

static bool placed_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, &b->addr) || ip_prefix_covers(b, &a->addr);
}

static unsigned int placed_items(const struct config *c, enum places_kind kind)
{
	return kind == PLACES_APN ? c->n_apns : c->n_pools;
}

static const char *placed_item_name(const struct config *c, enum places_kind kind, unsigned int i)
{
	return kind == PLACES_APN ? c->apns[i].name : c->pools[i].name;
}

static bool placed_is_in(const struct config *c, enum places_kind kind, const char *name)
{
	for (unsigned int i = 0; i < placed_items(c, kind); i++)
		if (strcmp(placed_item_name(c, kind, i), name) == 0)
			return true;
	return false;
}

static void placed_end_missing(
	struct config_placed *p, const struct config *next, enum places_kind kind)
{
	for (unsigned int i = 0; i < placed_places(p, kind); i++)
		if (placed_state(p, kind, i) == PLACED_USED &&
			!placed_is_in(next, kind, placed_name(p, kind, i)))
			*placed_state_at(p, kind, i) = PLACED_DRAINING;
}

/* A number is not given twice while sessions have it. */
static int placed_id_free(const struct config_placed *p, enum places_kind kind, const char *name,
	uint32_t id, char why[PLACED_WHY])
{
	for (unsigned int i = 0; i < placed_places(p, kind); i++) {
		uint32_t other = kind == PLACES_APN ? p->apn[i].conf.id : p->pool[i].conf.id;

		if (id == 0 || placed_state(p, kind, i) != PLACED_DRAINING || other != id)
			continue;
		snprintf(why, PLACED_WHY,
			"%s[%.100s].id is that of %.100s, which drains: give it another id, or "
			"wait until that has left",
			placed_kinds[kind], name, placed_name(p, kind, i));
		return -EEXIST;
	}
	return 0;
}

/* The free place of an item that is new. */
static int placed_come(const struct config_placed *p, enum places_kind kind, const char *name,
	uint32_t id, char why[PLACED_WHY])
{
	int at = placed_id_free(p, kind, name, id, why);

	if (at < 0)
		return at;
	at = placed_room(p, kind);
	if (at < 0)
		snprintf(why, PLACED_WHY,
			"there is no place for %s[%.100s] beside those that drain: wait until one "
			"of them has left",
			placed_kinds[kind], name);
	return at;
}

/* Sessions have its addresses, whatever a file says. */
static int placed_same_pool(
	const struct config_pool *is, const struct config_pool *next, char why[PLACED_WHY])
{
	char text[IP_PREFIX_TEXT];

	if (ip_prefix_equal(&is->prefix, &next->prefix) && is->srp_activate == next->srp_activate &&
		is->id == next->id)
		return 0;
	snprintf(why, PLACED_WHY,
		"pools[%s] has addresses out of before: let it have prefix %s, srp-activate %s "
		"and id %u, or wait until it has left",
		next->name, ip_prefix_print(&is->prefix, text), is->srp_activate ? "true" : "false",
		is->id);
	return -EEXIST;
}

static int placed_addresses_free(
	const struct config_placed *p, const struct config_pool *pool, char why[PLACED_WHY])
{
	for (unsigned int i = 0; i < p->n_pools; i++) {
		if (p->pool[i].state != PLACED_DRAINING ||
			!placed_overlap(&p->pool[i].conf.prefix, &pool->prefix))
			continue;
		snprintf(why, PLACED_WHY,
			"pools[%s].prefix overlaps that of pool %s, which drains: wait until that "
			"has left",
			pool->name, p->pool[i].conf.name);
		return -EEXIST;
	}
	return 0;
}

static int placed_take_pool(
	struct config_placed *p, const struct config_pool *pool, char why[PLACED_WHY])
{
	int at = placed_find(p, PLACES_POOL, pool->name), ret;

	if (at >= 0)
		ret = placed_same_pool(&p->pool[at].conf, pool, why);
	else
		ret = placed_addresses_free(p, pool, why);
	if (ret < 0)
		return ret;
	if (at < 0)
		at = placed_come(p, PLACES_POOL, pool->name, pool->id, why);
	if (at < 0)
		return at;
	p->pool[at] = (struct placed_pool){ PLACED_USED, *pool };
	placed_count(p);
	return 0;
}

static int placed_take_apn(
	struct config_placed *p, const struct config_apn *apn, char why[PLACED_WHY])
{
	int at = placed_find(p, PLACES_APN, apn->name);

	if (at >= 0 && p->apn[at].conf.id != apn->id) {
		snprintf(why, PLACED_WHY,
			"apns[%.100s] has sessions of before: let it have id %u, or wait until it "
			"has left",
			apn->name, p->apn[at].conf.id);
		return -EEXIST;
	}
	if (at < 0)
		at = placed_come(p, PLACES_APN, apn->name, apn->id, why);
	if (at < 0)
		return at;
	p->apn[at] = (struct placed_apn){ PLACED_USED, *apn };
	p->apn[at].conf.pool_index = (uint8_t)placed_find(p, PLACES_POOL, apn->pool);
	placed_count(p);
	return 0;
}

int placed_next(const struct config_placed *p, const struct config *next, struct config_placed *to,
	char why[PLACED_WHY])
{
	int ret = 0;

	why[0] = '\0';
	*to = *p;
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		placed_end_missing(to, next, kind);
	for (unsigned int i = 0; i < next->n_pools && ret == 0; i++)
		ret = placed_take_pool(to, &next->pools[i], why);
	for (unsigned int i = 0; i < next->n_apns && ret == 0; i++)
		ret = placed_take_apn(to, &next->apns[i], why);
	return ret;
}

/* ---- what a peer has besides ---- */

int placed_drain(struct config_placed *p, enum places_kind kind, const char *name, const char *what)
{
	struct placed_pool pool = { .state = PLACED_DRAINING };
	struct placed_apn apn = { .state = PLACED_DRAINING };
	int at = kind == PLACES_APN ? placed_read_apn(name, what, &apn.conf)
				    : placed_read_pool(name, what, &pool.conf);

	if (at < 0)
		return at;
	if (placed_find(p, kind, name) >= 0)
		return -EEXIST;
	for (unsigned int i = 0; i < p->n_pools && kind == PLACES_POOL; i++)
		if (p->pool[i].state != PLACED_FREE &&
			placed_overlap(&p->pool[i].conf.prefix, &pool.conf.prefix))
			return -EEXIST;
	at = placed_room(p, kind);
	if (at < 0)
		return at;
	if (kind == PLACES_POOL) {
		p->pool[at] = pool;
	} else {
		int of = placed_find(p, PLACES_POOL, apn.conf.pool);

		apn.conf.pool_index = (uint8_t)(of >= 0 ? of : CONFIG_POOLS);
		p->apn[at] = apn;
	}
	placed_count(p);
	return at;
}
