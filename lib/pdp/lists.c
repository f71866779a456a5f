/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdp/lists.h"

#include <string.h>

bool pdp_superseded_add(struct pdp_superseded *l, uint64_t key, uint32_t was)
{
	if (l->n == PDP_SUPERSEDED)
		return false;
	l->session[l->n].key = key;
	l->session[l->n++].handle = was;
	return true;
}

void pdp_superseded_walk(struct pdp_superseded *l, const struct pdp_superseded_ops *ops)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		uint64_t key = l->session[i].key;
		uint32_t was = l->session[i].handle, by = ops->find(ops->ctx, key);

		if (!ops->lives(ops->ctx, was, key) || by == 0 || by == was)
			continue;
		l->session[kept].key = key; /* until it is gone */
		l->session[kept++].handle = was;
		if (ops->end != NULL)
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

void pdp_purge_pass(struct pdp_purge *l)
{
	memcpy(l->peer, l->asked, sizeof(l->peer));
	l->n = l->n_asked;
	l->n_asked = 0;
}

bool pdp_purge_hits(const struct pdp_purge *l, const uint8_t peer[16], uint8_t recovery)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (l->peer[i].recovery != recovery &&
			memcmp(l->peer[i].addr.b, peer, sizeof(l->peer[i].addr.b)) == 0)
			return true;
	return false;
}
