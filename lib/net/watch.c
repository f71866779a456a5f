/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes whose presence is asked for, over whatever interface: of each the kernel's routes of
 * that very prefix, as their messages come and as a dump shows them. A route whose next hops are
 * all dead or without carrier does not count, nor does one that is not unicast (the pools' own are
 * blackholes). */
#include <errno.h>

#include "mirror.h"

static struct mirror_watch *watch_of(struct net_mirror *m, const struct rtmsg_route *r)
{
	for (unsigned int i = 0; i < m->n_watches; i++)
		if (m->watch[i].instance == r->instance && ip_prefix_equal(&m->watch[i].to, &r->to))
			return &m->watch[i];
	return NULL;
}

static struct watch_route *watch_route_of(struct mirror_watch *w, uint32_t metric)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (w->route[i].metric == metric)
			return &w->route[i];
	return NULL;
}

static bool watch_usable(const struct rtmsg_route *r)
{
	for (unsigned int h = 0; h < r->n_hops; h++)
		if (r->hop[h].usable)
			return true;
	return false;
}

/* Room for one more: when there is none, of one that does not count. NULL: there are enough that
 * do. */
static struct watch_route *watch_room(struct mirror_watch *w)
{
	if (w->n < WATCH_ROUTES)
		return &w->route[w->n++];
	for (unsigned int i = 0; i < w->n; i++)
		if (!w->route[i].usable)
			return &w->route[i];
	return NULL;
}

static void watch_gone(struct mirror_watch *w, struct watch_route *at)
{
	*at = w->route[--w->n];
}

void watch_route(struct net_mirror *m, const struct rtmsg_route *r, bool added)
{
	struct mirror_watch *w = watch_of(m, r);
	struct watch_route *at = w != NULL ? watch_route_of(w, r->metric) : NULL;

	if (w == NULL)
		return;
	if (!added) {
		/* The kernel may have two of this prefix and metric: a dump shows what is left. */
		m->again = m->again || at != NULL;
		if (at != NULL)
			watch_gone(w, at);
		return;
	}
	if (r->n_hops == 0) { /* not one that counts; but it may have replaced one that did */
		if (at != NULL && r->replace)
			watch_gone(w, at);
		return;
	}
	if (at != NULL && at->stamp == m->stamp && at->usable && !r->replace)
		return; /* a second one of this metric takes nothing from the first */
	if (at == NULL)
		at = w->n < WATCH_ROUTES || watch_usable(r) ? watch_room(w) : NULL;
	if (at == NULL)
		return;
	*at = (struct watch_route){ .metric = r->metric,
		.ifindex = r->hop[0].ifindex,
		.stamp = m->stamp,
		.usable = watch_usable(r),
		.many = r->n_hops > 1 };
}

void watch_link(struct net_mirror *m, uint32_t ifindex)
{
	for (unsigned int i = 0; i < m->n_watches; i++)
		for (unsigned int k = 0; k < m->watch[i].n; k++) {
			const struct watch_route *r = &m->watch[i].route[k];

			if (r->ifindex == ifindex || r->many)
				m->again = true;
		}
}

void watch_sweep(struct net_mirror *m)
{
	for (unsigned int i = 0; i < m->n_watches; i++) {
		struct mirror_watch *w = &m->watch[i];

		for (unsigned int k = w->n; k-- > 0;)
			if (w->route[k].stamp != m->stamp)
				watch_gone(w, &w->route[k]);
	}
}

int net_mirror_watch(struct net_mirror *m, uint16_t instance, const struct ip_prefix *to)
{
	if (instance >= INSTANCES || !mirror_follows(&to->addr) || !ip_prefix_valid(to))
		return -EINVAL;
	if (m->n_watches == NET_WATCHES)
		return -ENOSPC;
	m->watch[m->n_watches] =
		(struct mirror_watch){ .instance = instance, .to = *to, .since = m->stamp };
	m->again = true; /* a dump shows what is there already */
	return (int)m->n_watches++;
}

enum net_presence net_mirror_present(const struct net_mirror *m, int watch)
{
	const struct mirror_watch *w = &m->watch[watch];

	for (unsigned int k = 0; k < w->n; k++)
		if (w->route[k].usable)
			return NET_PRESENT;
	return m->whole > w->since ? NET_ABSENT : NET_PRESENCE_UNKNOWN;
}
