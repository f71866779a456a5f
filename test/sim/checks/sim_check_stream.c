/* SPDX-License-Identifier: BSD-3-Clause */
/* The stream between the chassis, packet by packet: numbers, what is taken for life, the accounts
 * of both ends, and that "in sync since" is true. */
#include "sim.h"
#include "truth.h"

enum { NUMBER_AT = 4, SENDER_AT = 12, SENT_AT = 36 };

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A number is used once in a process' life, so no nonce is ever used twice. */
void stream_sent(struct node *n, const uint8_t *pkt)
{
	uint64_t number = (uint64_t)u32(pkt + NUMBER_AT) << 32 | u32(pkt + NUMBER_AT + 4);

	if (n->number_life == n->life && number <= n->number)
		broken(4, "chassis %c: number %llu is used again", 'A' + n->id,
			(unsigned long long)number);
	n->number_life = n->life;
	n->number = number;
}

/* From the repl_input() of a chassis. What waited on the way, or in the port while the core stood
 * still, says nothing about now: half the time after which the peer is dead is the most that a
 * packet may be older than the quickest. */
void stream_input(struct node *n, struct repl *r, const uint8_t *pkt, size_t len, usec_t now)
{
	const struct node *peer = &sim.node[!n->id];
	const struct wire *w = &sim.wire[PATH_STREAM][n->id];
	uint32_t was = repl_peer_incarnation(r),
		 sender = len >= REPL_HEADER ? u32(pkt + SENDER_AT) : 0;
	usec_t heard = repl_heard(r), usual = w->delay + w->jitter + 3 * MS,
	       life = n->conf.srp.heartbeat_interval_ms * MS * n->conf.srp.dead_multiplier / 2;
	bool theirs = peer->up && sender == peer->t.random.incarnation;
	uint32_t age = theirs ? (uint32_t)node_clock(peer) - u32(pkt + SENT_AT) : 0;

	promotion_arrived(n, r, pkt, len, now);
	if (!theirs || was != sender)
		n->heard_prompt = 0;
	else if (repl_heard(r) != heard && n->heard_prompt == sender && age > life + usual &&
		 age < UINT32_MAX / 2)
		broken(10, "chassis %c takes a packet of %u us ago for life", 'A' + n->id, age);
	if (theirs && age < usual)
		n->heard_prompt = sender;
}

void stream_turned(struct node *n)
{
	const char *wrong = truth_alone(n->t.repl->stream);

	n->replicated = sim.now;
	if (wrong != NULL)
		broken(2, "chassis %c: %s", 'A' + n->id, wrong);
}

/* "In sync since T" is true: what the owner wrote well before T (a digest may have been under way)
 * is there. */
static void check_said(const struct node *n, const struct node *standby)
{
	enum { UNDER_WAY = 400 * MS };
	const struct replicator *r = n->t.repl;
	const struct repl_status *st = repl_peer_status(r->stream);
	uint64_t pair = repl_pair_ms(r->stream, r->now);
	usec_t ago = (pair - RTE_MIN(pair, st->in_sync_since_ms)) * MS;

	if (st->in_sync_since_ms == 0 || st->unmatched != 0 || ago > n->replicated)
		return;
	sim.said++;
	for (unsigned int i = 0; i < n->n_used; i++) {
		uint32_t pos = n->used[i];

		if (n->changed[pos] + UNDER_WAY < n->replicated - ago && !check_same(pos) &&
			!(sim.flip.set && sim.flip.pos == pos)) {
			story_slot(n, pos);
			story_slot(standby, pos);
			broken(9,
				"chassis %c: slot %u differs, although in sync since %llu ms and "
				"written %llu ms ago",
				'A' + n->id, pos, (unsigned long long)ago / MS,
				(unsigned long long)(sim.now - n->changed[pos]) / MS);
		}
	}
}

void check_in_sync(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct node *n = &sim.node[i], *standby = &sim.node[!i];

		if (n->up && standby->up && n->t.repl->active && n->t.repl->on &&
			standby->t.repl->writing && !standby->t.repl->late &&
			repl_peer_incarnation(n->t.repl->stream) == standby->t.random.incarnation)
			check_said(n, standby);
	}
}
