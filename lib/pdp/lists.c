/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdp/lists.h"

#include <string.h>

bool pdp_superseded_add(struct pdp_superseded *l, uint64_t key, uint32_t was)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (l->session[i].handle == was && l->session[i].key == key)
			return true;
	if (l->n == PDP_SUPERSEDED)
		return false;
	l->session[l->n].key = key;
	l->session[l->n++].handle = was;
	return true;
}

uint32_t pdp_superseded_before(
	const struct pdp_superseded *l, uint64_t key, const struct pdp_superseded_ops *ops)
{
	for (unsigned int i = l->n; i-- > 0;)
		if (l->session[i].key == key && ops->lives(ops->ctx, l->session[i].handle, key))
			return l->session[i].handle;
	return 0;
}

void pdp_superseded_walk(struct pdp_superseded *l, const struct pdp_superseded_ops *ops)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		uint64_t key = l->session[i].key;
		uint32_t was = l->session[i].handle, by = ops->find(ops->ctx, key);

		if (!ops->lives(ops->ctx, was, key) || by == was)
			continue;
		l->session[kept].key = key; /* until it is gone */
		l->session[kept++].handle = was;
		/* 0: the newest has ended, and nobody was told yet */
		if (ops->end != NULL && by != 0)
			ops->end(ops->end_ctx, was, by);
	}
	l->n = kept;
}

bool pdp_purge_add(struct pdp_purge *l, const struct ip_addr *addr, uint8_t recovery)
{
	for (unsigned int i = 0; i < l->n_asked; i++)
		if (ip_addr_equal(&l->asked[i].addr, addr)) {
			l->asked[i].recovery = recovery;
			return true;
		}
	if (l->n_asked == PDP_PURGES)
		return false;
	l->asked[l->n_asked++] = (struct pdp_purge_peer){ *addr, recovery };
	return true;
}

/* Each slot of a pass asks for its peer: it does not go through all of them. */
static uint16_t lists_bucket(const struct pdp_purge *l, const uint8_t addr[16])
{
	return (uint16_t)(siphash(&l->secret, addr, 16) % PDP_PURGES);
}

/* False: its bucket is full. */
static bool lists_purge(struct pdp_purge *l, const struct pdp_purge_peer *peer)
{
	uint16_t *first = &l->first[lists_bucket(l, peer->addr.b)];
	unsigned int n = 0;

	for (unsigned int i = *first; i != 0; i = l->next[i - 1])
		n++;
	if (n >= PDP_PURGE_CHAIN)
		return false;
	l->peer[l->n] = *peer;
	l->next[l->n++] = *first;
	*first = (uint16_t)l->n;
	return true;
}

unsigned int pdp_purge_pass(struct pdp_purge *l)
{
	unsigned int n_asked = l->n_asked;

	if (l->n + n_asked == 0)
		return 0;
	memset(l->first, 0, sizeof(l->first));
	l->n = l->n_asked = 0;
	for (unsigned int i = 0; i < n_asked; i++)
		if (!lists_purge(l, &l->asked[i]))
			l->asked[l->n_asked++] = l->asked[i];
	return l->n_asked;
}

bool pdp_purge_hits(const struct pdp_purge *l, const uint8_t peer[16], uint8_t recovery)
{
	if (l->n == 0)
		return false;
	for (unsigned int i = l->first[lists_bucket(l, peer)]; i != 0; i = l->next[i - 1])
		if (l->peer[i - 1].recovery != recovery &&
			memcmp(l->peer[i - 1].addr.b, peer, sizeof(l->peer[i - 1].addr.b)) == 0)
			return true;
	return false;
}
