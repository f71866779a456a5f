/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the peer is, and whether what arrives was sent just now. Frames that were queued on a dead
 * link arrive in a burst when it returns, numbers ascending: only their time of sending tells them
 * from life. */
#include "repl_priv.h"

static bool repl_life_previous(const struct repl *r, uint32_t incarnation)
{
	for (unsigned int i = 0; i < REPL_PREVIOUS; i++)
		if (r->previous[i] == incarnation)
			return true;
	return false;
}

static void repl_life_adopt(struct repl *r, uint32_t incarnation, usec_t now)
{
	for (unsigned int i = 0; i < REPL_PREVIOUS; i++)
		if (r->previous[i] == incarnation)
			r->previous[i] = 0;
	if (r->peer != 0)
		r->previous[r->previous_at++ % REPL_PREVIOUS] = r->peer;
	r->peer = incarnation;
	r->hears_us = false;
	r->heard = USEC_NEVER;
	r->life = (struct repl_life){ 0 };
	repl_rx_reset(r);
	if (r->tx.streaming)
		repl_stream_start(r, r->tx.term, now);
	else
		r->peer_status = (struct repl_status){ .heard = USEC_NEVER };
	r->ops.peer_new(r->ops.ctx, incarnation);
}

bool repl_life_peer(struct repl *r, const struct repl_header *h, usec_t now)
{
	bool silent = r->heard == USEC_NEVER || now - r->heard >= REPL_SILENCE_US;

	if (h->sender == r->peer)
		return true;
	/* A packet of a dead process may come late, but it names whom that process heard. While the
	 * peer is alive only an incarnation that is new to us and heard us or nobody replaces it;
	 * once it is silent the memory yields, so that no order of late packets can lock the living
	 * one out. */
	if (r->peer != 0) {
		if (repl_life_previous(r, h->sender) &&
			!(silent && h->receiver == r->p.incarnation))
			return false;
		if (h->receiver != 0 && h->receiver != r->p.incarnation && !silent)
			return false;
	}
	repl_life_adopt(r, h->sender, now);
	return true;
}

static int64_t repl_life_quickest(const struct repl_life *l)
{
	return l->quickest < l->newer ? l->quickest : l->newer;
}

/* The minimum slides, because the two clocks drift; an old minimum goes only when newer packets
 * replace it, so a link that was dead for an hour is still measured by what was normal before. */
static void repl_life_sample(struct repl_life *l, int64_t delay, usec_t now)
{
	if (now - l->span_at >= REPL_DELAY_SPAN_US) {
		l->quickest = l->newer;
		l->newer = delay;
		l->span_at = now;
	} else if (delay < l->newer) {
		l->newer = delay;
	}
}

bool repl_life_fresh(struct repl *r, const struct repl_header *h, const struct repl_walk *walk,
	int64_t *excess, usec_t now)
{
	struct repl_life *l = &r->life;
	bool hb = walk->kinds & 1U << REPL_HEARTBEAT;
	uint64_t sent = hb ? walk->hb_sent : h->sent;
	int64_t delay = (int64_t)(now - sent), life = (int64_t)r->p.life_us;

	if (!l->known) {
		*l = (struct repl_life){ .known = true,
			.exact = hb,
			.quickest = delay,
			.newer = delay,
			.span_at = now };
	} else if (!hb || !l->exact) {
		int64_t above = (int32_t)((uint32_t)delay - (uint32_t)repl_life_quickest(l));

		if (hb) { /* the low 32 bits were right: complete them */
			int64_t shift = (int64_t)((uint64_t)delay - (uint64_t)above -
						  (uint64_t)repl_life_quickest(l));

			l->quickest = (int64_t)((uint64_t)l->quickest + (uint64_t)shift);
			l->newer = (int64_t)((uint64_t)l->newer + (uint64_t)shift);
			l->exact = true;
		} else if (above < -life) {
			*excess = -above; /* 32 bits wrapped: more than half an hour late, not
					   * early */
			return false;
		} else {
			delay = (int64_t)((uint64_t)repl_life_quickest(l) + (uint64_t)above);
		}
	}
	repl_life_sample(l, delay, now);
	*excess = (int64_t)((uint64_t)delay - (uint64_t)repl_life_quickest(l));
	return *excess >= 0 && *excess <= life;
}
