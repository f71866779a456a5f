/* SPDX-License-Identifier: BSD-3-Clause */
/* The peers that were heard, their Recovery and restarts (TS 29.060 11.2, TS 23.007). They are
 * asked by Echo Requests, so that a restart of one that has nothing else to say is learnt. */
#include "pdp_priv.h"

enum { PEERS_ECHO_TURN = 16, PEERS_FORGET_US = 600000000 };

struct pdp_peer *peers_get(struct pdp *p, const struct ip_addr *addr, usec_t now)
{
	struct pdp_peer *at;

	for (unsigned int i = 0; i < p->n_peers; i++)
		if (ip_addr_equal(&p->peer[i].addr, addr)) {
			p->peer[i].used = now;
			return &p->peer[i];
		}
	if (p->n_peers < PDP_PEERS) {
		at = &p->peer[p->n_peers++];
	} else {
		/* The one that was silent for the longest time is forgotten; the sessions still
		 * know its Recovery. */
		at = &p->peer[0];
		for (unsigned int i = 1; i < p->n_peers; i++)
			if (p->peer[i].used < at->used)
				at = &p->peer[i];
	}
	*at = (struct pdp_peer){ .addr = *addr, .used = now, .echo_at = now };
	return at;
}

void peers_heard(struct pdp *p, struct pdp_peer *at, uint8_t recovery)
{
	const struct pdp_ops *ops = &p->env.ops;

	if (at->known && at->checked && at->recovery == recovery)
		return;
	if (at->known && at->recovery != recovery) {
		p->restarts++;
		ops->news(ops->ctx, PDP_PEER_RESTARTED, &at->addr, recovery, at->recovery);
	}
	at->known = true;
	at->recovery = recovery;
	at->checked = ops->purge(ops->ctx, &at->addr, recovery);
}

void pdp_peer_heard(struct pdp *p, const struct ip_addr *addr, uint8_t recovery, usec_t now)
{
	peers_heard(p, peers_get(p, addr, now), recovery);
}

void peers_turn(struct pdp *p, usec_t now)
{
	const struct pdp_ops *ops = &p->env.ops;

	if (p->env.echo_us == 0)
		return;
	for (unsigned int i = 0; i < PEERS_ECHO_TURN && i < p->n_peers; i++) {
		struct pdp_peer *at = &p->peer[p->echo_next++ % p->n_peers];

		/* One that neither asks nor answers for long has no business here any more. */
		if (now - at->echo_at < p->env.echo_us || now - at->used > PEERS_FORGET_US)
			continue;
		at->echo_at = now;
		ops->ask_peer(ops->ctx, &at->addr, now);
	}
}

void pdp_peer_result(struct pdp *p, const struct ip_addr *addr, bool answered, usec_t now)
{
	struct pdp_peer *at = NULL;

	for (unsigned int i = 0; i < p->n_peers && at == NULL; i++)
		if (ip_addr_equal(&p->peer[i].addr, addr))
			at = &p->peer[i];
	if (at == NULL)
		return;
	if (answered)
		at->used = now;
	if (at->failed == !answered)
		return;
	at->failed = !answered;
	p->env.ops.news(
		p->env.ops.ctx, answered ? PDP_PEER_BACK : PDP_PEER_SILENT, &at->addr, 0, 0);
}
