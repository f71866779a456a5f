/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers of APNs and pools, which the pair must have the same of before a stream runs: each
 * chassis gives its list, and fetches the peer's piece by piece, as text that means nothing here.
 * Whoever owns this machine decides whether it takes the peer's, and then has the same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "srp_pvt.h"

enum { AGAIN_US = 1000000 };

/* The first piece of the own list, or that there is none. Nobody need ask for it. */
static void numbers_send(struct srp *s, uint32_t offset)
{
	static const uint8_t none[1];
	const struct srp_numbers *n = &s->numbers;
	struct srp_msg m = { .type = SRP_MSG_NUMBERS,
		.digest = n->own_digest,
		.offset = offset,
		.total = (uint32_t)n->own_len };
	size_t left = n->own_len - offset;

	m.piece = n->own != NULL ? (const uint8_t *)n->own + offset : none;
	m.piece_len = (uint16_t)(left < SRP_PIECE ? left : SRP_PIECE);
	srp_send(s, &m);
}

/* digest 0 and offset 0: whatever list there is. */
static void numbers_ask(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	srp_send(s, &(struct srp_msg){ .type = SRP_MSG_WANT_NUMBERS,
			    .digest = n->have > 0 ? n->digest : 0,
			    .offset = (uint32_t)n->have });
	n->asked_at = now;
}

void srp_numbers_fetch(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	if (n->fetching)
		return;
	n->fetching = true;
	n->have = 0;
	numbers_ask(s, now);
}

void srp_numbers_connected(struct srp *s)
{
	s->numbers.met = s->numbers.fetching = false;
}

void srp_numbers_hello(struct srp *s, usec_t now)
{
	if (s->numbers.on && !s->numbers.met)
		srp_numbers_fetch(s, now);
}

bool srp_numbers_awaited(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;
	usec_t until;

	if (!n->on || s->info.state != SRP_INIT || n->met || !srp_peer_alive(s))
		return false;
	if (n->awaited_since == USEC_NEVER)
		n->awaited_since = now;
	/* A connection that does not come keeps nobody from a role for longer than silence does. */
	until = n->awaited_since +
		(s->conf.dead_us < SRP_NUMBERS_US ? s->conf.dead_us : SRP_NUMBERS_US);
	if (s->info.connected)
		until = srp_latest(until, s->connected_at + SRP_NUMBERS_US);
	return !srp_reached(s, until, now);
}

/* Once for each pair of lists and roles: what the caller does not take it is not asked again. */
static void numbers_offer(struct srp *s)
{
	struct srp_numbers *n = &s->numbers;
	bool holds = srp_peer_holds(s);

	if (!n->whole || n->have == 0 || n->digest == n->own_digest ||
		(s->info.state != SRP_INIT && s->info.state != SRP_STANDBY))
		return;
	if (n->offered == n->digest && n->offered_to == n->own_digest && n->offered_held == holds)
		return;
	n->offered = n->digest;
	n->offered_to = n->own_digest;
	n->offered_held = holds;
	srp_emit(s, SRP_ACT_NUMBERS)->held = holds;
}

void srp_numbers_turn(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	if (!n->on)
		return;
	if (s->info.state != SRP_INIT)
		n->awaited_since = USEC_NEVER;
	srp_numbers_look(s, now);
	numbers_offer(s);
	if (!s->info.connected || !n->fetching)
		return;
	if (srp_reached(s, n->asked_at + AGAIN_US, now)) {
		numbers_ask(s, now);
		srp_reached(s, n->asked_at + AGAIN_US, now);
	}
}

void srp_numbers(struct srp *s, const char *list, size_t len, uint64_t digest, usec_t now)
{
	struct srp_numbers *n = &s->numbers;
	bool news = !n->on || digest != n->own_digest;

	n->on = true;
	n->own = list;
	n->own_len = len;
	n->own_digest = digest;
	if (!news)
		return;
	srp_numbers_revised(s);
	numbers_send(s, 0);
	srp_numbers_judge(s, now);
	srp_settle(s, now);
}

int srp_on_want_numbers(struct srp *s, const struct srp_msg *m)
{
	const struct srp_numbers *n = &s->numbers;

	/* Of a list that was: the first piece of the new one is on its way. */
	if (!n->on || (m->offset > 0 && m->digest != n->own_digest))
		return -ESTALE;
	if (m->offset > 0 && m->offset >= n->own_len)
		return -EBADMSG;
	numbers_send(s, m->offset);
	return 0;
}

static bool numbers_room(struct srp_numbers *n, size_t total)
{
	char *text;

	if (total <= n->room)
		return true;
	text = realloc(n->text, total);
	if (text == NULL)
		return false;
	n->text = text;
	n->room = total;
	return true;
}

/* A list begins: what was fetched of another is not worth anything. */
static void numbers_begin(struct srp_numbers *n, const struct srp_msg *m)
{
	n->digest = m->digest;
	n->total = m->total;
	n->have = 0;
	n->whole = n->doubted = false;
	n->fetching = true;
}

int srp_on_numbers(struct srp *s, const struct srp_msg *m, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	if (m->total > SRP_NUMBERS_MAX || m->offset > m->total ||
		m->piece_len > m->total - m->offset || (m->piece_len == 0) != (m->total == 0))
		return -EBADMSG;
	if (!n->on)
		return -ESTALE;
	if (m->offset == 0)
		numbers_begin(n, m);
	else if (!n->fetching || m->digest != n->digest || m->offset != n->have ||
		 m->total != n->total)
		return -ESTALE;
	if (!numbers_room(n, m->total)) /* asked for again */
		return 0;
	if (m->piece_len > 0)
		memcpy(n->text + n->have, m->piece, m->piece_len);
	n->have += m->piece_len;
	if (n->have < n->total) {
		numbers_ask(s, now);
		return 0;
	}
	n->fetching = false;
	n->met = n->whole = true;
	srp_numbers_judge(s, now);
	return 0;
}

const char *srp_peer_numbers(const struct srp *s, size_t *len)
{
	*len = s->numbers.have;
	return s->numbers.whole && s->numbers.have > 0 ? s->numbers.text : NULL;
}
