/* SPDX-License-Identifier: BSD-3-Clause */
/* The peers that were heard, their Recovery and restarts (TS 29.060 11.2, TS 23.007). They are
 * asked by Echo Requests, so that a restart of one that has nothing else to say is learnt. */
#include "pdp_priv.h"

enum { PEERS_ECHO_TURN = 16, PEERS_FORGET_US = 600000000 };

static uint16_t *peers_bucket(struct pdp *p, const struct ip_addr *addr)
{
	return &p->peer_first[siphash_addr(&p->env.secret, addr) % PDP_PEER_HASH];
}

/* The link in its bucket that names the peer, or the one at the end, which is 0; and how many it
 * stands behind. */
static uint16_t *peers_link(struct pdp *p, const struct ip_addr *addr, unsigned int *behind)
{
	uint16_t *link = peers_bucket(p, addr);

	for (*behind = 0; *link != 0 && !ip_addr_equal(&p->peer[*link - 1].addr, addr); ++*behind)
		link = &p->peer[*link - 1].next;
	return link;
}

static void peers_used(struct pdp *p, struct pdp_peer *at, usec_t now)
{
	at->used = now;
	TAILQ_REMOVE(&p->silent, at, silent);
	TAILQ_INSERT_TAIL(&p->silent, at, silent);
}

/* Room for another one: the sessions of who is forgotten still know its Recovery. */
static struct pdp_peer *peers_forget(struct pdp *p, struct pdp_peer *at)
{
	unsigned int behind;
	uint16_t *link = peers_link(p, &at->addr, &behind);

	*link = at->next;
	TAILQ_REMOVE(&p->silent, at, silent);
	return at;
}

/* Of the bucket, the one that was silent for the longest time. */
static struct pdp_peer *peers_oldest_of(struct pdp *p, uint16_t first)
{
	struct pdp_peer *oldest = &p->peer[first - 1];

	for (uint16_t i = oldest->next; i != 0; i = p->peer[i - 1].next)
		if (p->peer[i - 1].used < oldest->used)
			oldest = &p->peer[i - 1];
	return oldest;
}

struct pdp_peer *peers_get(struct pdp *p, const struct ip_addr *addr, usec_t now)
{
	unsigned int behind;
	uint16_t *link = peers_link(p, addr, &behind), *first = peers_bucket(p, addr);
	struct pdp_peer *at;

	if (*link != 0) {
		at = &p->peer[*link - 1];
		peers_used(p, at, now);
		return at;
	}
	if (behind >= PDP_PEER_CHAIN) {
		p->count_rows.peers_collided++;
		at = peers_forget(p, peers_oldest_of(p, *first));
	} else if (p->n_peers < PDP_PEERS) {
		at = &p->peer[p->n_peers++];
	} else {
		p->count_rows.peers_full++;
		at = peers_forget(p, TAILQ_FIRST(&p->silent));
	}
	*at = (struct pdp_peer){ .addr = *addr, .used = now, .echo_at = now, .next = *first };
	*first = (uint16_t)(at - p->peer + 1);
	TAILQ_INSERT_TAIL(&p->silent, at, silent);
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
	unsigned int behind;
	uint16_t *link = peers_link(p, addr, &behind);
	struct pdp_peer *at;

	if (*link == 0)
		return;
	at = &p->peer[*link - 1];
	if (answered)
		peers_used(p, at, now);
	if (at->failed == !answered)
		return;
	at->failed = !answered;
	p->env.ops.news(
		p->env.ops.ctx, answered ? PDP_PEER_BACK : PDP_PEER_SILENT, &at->addr, 0, 0);
}
