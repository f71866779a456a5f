/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the two lists of numbers allow a stream: they are the same, or the Active has revised its
 * own since they were, and the peer may have any of those between. */
#include <string.h>

#include "srp_pvt.h"

void srp_numbers_new_life(struct srp *s)
{
	struct srp_numbers *n = &s->numbers;

	n->met = n->fetching = n->whole = n->kept = n->doubted = false;
}

bool srp_numbers_same(const struct srp *s)
{
	const struct srp_numbers *n = &s->numbers;

	return !n->on || (n->whole && n->own_len > 0 && n->digest == n->own_digest);
}

static bool revision_owns(const struct srp *s)
{
	return s->info.state != SRP_INIT && s->info.state != SRP_STANDBY;
}

static bool revision_is_recent(const struct srp_numbers *n, uint64_t digest)
{
	for (unsigned int i = 0; i < n->n_recent; i++)
		if (n->recent[i] == digest)
			return true;
	return false;
}

/* A Standby goes by what the Active decides; whoever sends goes by what it was told. */
bool srp_numbers_agree(struct srp *s)
{
	struct srp_numbers *n = &s->numbers;

	if (srp_numbers_same(s)) {
		n->kept = n->on;
		return true;
	}
	if (revision_owns(s) && !revision_is_recent(n, n->digest))
		n->kept = false;
	return n->kept && s->info.state != SRP_INIT && (revision_owns(s) || srp_peer_holds(s));
}

static void revision_only(struct srp_numbers *n)
{
	n->recent[0] = n->own_digest;
	n->n_recent = 1;
}

void srp_numbers_revised(struct srp *s)
{
	struct srp_numbers *n = &s->numbers;
	/* Of too many the oldest goes, unless it is the one that the peer has. */
	unsigned int from = n->n_recent > 0 && n->recent[0] == n->digest;

	if (!revision_owns(s)) {
		revision_only(n);
		return;
	}
	if (n->n_recent == SRP_RECENT)
		memmove(&n->recent[from], &n->recent[from + 1],
			(--n->n_recent - from) * sizeof(n->recent[0]));
	n->recent[n->n_recent++] = n->own_digest;
}

void srp_numbers_judge(struct srp *s, usec_t now)
{
	if (s->info.peer.known && s->info.peer.hello_at != USEC_NEVER)
		srp_judge(s, now);
}

static bool revision_dual(const struct srp *s)
{
	enum srp_state peer = s->info.peer.state;

	return s->info.state == SRP_ACTIVE && (peer == SRP_ACTIVE || peer == SRP_PENDING_ACTIVE);
}

void srp_numbers_doubt(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	n->doubted = n->doubted || n->whole || n->kept;
	n->whole = n->kept = false;
	if (n->on)
		srp_numbers_judge(s, now);
}

void srp_numbers_look(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;
	bool told = srp_peer_alive(s) && !revision_dual(s);

	if (!told && s->info.state != SRP_STANDBY && (n->whole || n->kept))
		srp_numbers_doubt(s, now);
	if (told && n->doubted && n->met && s->info.connected)
		srp_numbers_fetch(s, now);
}

bool srp_numbers_may_use(const struct srp *s)
{
	return srp_numbers_same(s) || !srp_peer_alive(s) || !s->info.agreed;
}

void srp_numbers_use(struct srp *s, usec_t now)
{
	struct srp_numbers *n = &s->numbers;

	revision_only(n);
	if (!n->on || srp_numbers_same(s) || !revision_owns(s))
		return;
	n->kept = false;
	srp_numbers_judge(s, now);
	srp_settle(s, now);
}
