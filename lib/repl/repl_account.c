/* SPDX-License-Identifier: BSD-3-Clause */
/* What became of every state record. Its sender counts what it sent, what was acknowledged, what
 * was lost and sent anew; its receiver counts what it applied and what it refused, and sends that
 * account back. A packet counts as a whole, when it is taken: so the two sides speak of the same
 * records, to the unit. */
#include <errno.h>

#include "repl_priv.h"

void repl_account_refuse(struct repl_verdict *v, int error, unsigned int n)
{
	switch (error) {
	case -ESTALE:
		v->refused[REPL_REFUSED_STALE] += n;
		break;
	case -ENOENT:
		v->refused[REPL_REFUSED_ABSENT] += n;
		break;
	case -EBADMSG:
		v->refused[REPL_REFUSED_MALFORMED] += n;
		break;
	case -EPERM:
		v->refused[REPL_REFUSED_OWNER] += n;
		break;
	default:
		v->refused[REPL_REFUSED_OTHER] += n;
		break;
	}
}

void repl_account_taken(struct repl *r, const struct repl_verdict *v)
{
	struct repl_received *a = &r->rx.received;
	struct repl_counters *c = &r->count;
	uint64_t *total[REPL_REFUSED_REASONS] = { &c->rx_refused_stale, &c->rx_refused_absent,
		&c->rx_refused_malformed, &c->rx_refused_not_owner, &c->rx_refused_other };

	a->applied += v->applied;
	c->rx_applied += v->applied;
	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++) {
		a->refused[i] += v->refused[i];
		*total[i] += v->refused[i];
		c->rx_refused += v->refused[i];
	}
}

/* The same stream may be begun more than once, when a mode came and went; then its account goes
 * on. */
void repl_account_begin(struct repl *r, uint32_t stream)
{
	if (r->rx.received.stream != stream)
		r->rx.received = (struct repl_received){ .stream = stream };
}

static void repl_account_received_now(const struct repl *r, struct repl_received *a)
{
	*a = r->rx.received;
	a->next = r->rx.mode == REPL_RX_APPLY ? r->rx.next : 0;
}

/* Regularly, and soon after it changed. */
bool repl_account_due(const struct repl *r, usec_t now)
{
	usec_t age = r->account_at == USEC_NEVER ? USEC_NEVER : now - r->account_at;
	struct repl_received a;

	if (r->rx.mode == REPL_RX_NONE || !r->rx.begun || age < REPL_ACCOUNT_MIN_US)
		return false;
	repl_account_received_now(r, &a);
	return age >= REPL_ACCOUNT_US || a.stream != r->account.stream ||
	       a.applied != r->account.applied ||
	       memcmp(a.refused, r->account.refused, sizeof(a.refused)) != 0;
}

void repl_account_put(struct repl *r, struct wr *w, usec_t now)
{
	repl_account_received_now(r, &r->account);
	repl_account_write(w, &r->account);
	r->account_at = now;
}

void repl_account_end(struct repl *r, uint32_t next)
{
	struct repl_sent_records *a = &r->tx.records;

	a->abandoned += a->in_flight;
	r->count.records_abandoned += a->in_flight;
	a->in_flight = 0;
	if (next != 0)
		*a = (struct repl_sent_records){ .stream = next };
}

static uint64_t repl_account_received_all(const struct repl_received *a)
{
	uint64_t n = a->applied;

	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		n += a->refused[i];
	return n;
}

/* Once both sides have decided on everything that was sent, they must agree. Where the receiver
 * took more than it could make us hear (all ACKs of a packet were lost) its word counts.
 */
static void repl_account_settle(struct repl *r)
{
	struct repl_tx *t = &r->tx;
	struct repl_sent_records *a = &t->records;
	uint64_t counted = repl_account_received_all(&a->peer), more;

	if (a->peer.next <= t->last_state)
		return;
	if (counted < a->acked || counted > a->acked + a->superseded + a->in_flight)
		a->account_wrong = true;
	more = counted - a->acked;
	if (a->account_wrong || a->in_flight > 0 || more == 0)
		return;
	t->keep = t->tail; /* none of them is acknowledged twice */
	a->superseded -= more;
	a->acked += more;
	a->acked_by_account += more;
	r->count.records_superseded -= more;
	r->count.records_acknowledged += more;
	r->count.records_acknowledged_by_account += more;
}

void repl_account_heard(struct repl *r, uint64_t number, struct rd *body)
{
	struct repl_received a;

	if (repl_account_read(body, &a) < 0) {
		r->count.rx_malformed++;
		return;
	}
	if (!r->tx.streaming || a.stream != r->tx.stream) {
		r->count.rx_wrong_stream++;
		return;
	}
	if (number <= r->tx.account)
		return; /* overtaken by a newer one */
	r->tx.account = number;
	r->tx.records.peer = a;
	repl_account_settle(r);
}

void repl_sent_records(const struct repl *r, struct repl_sent_records *s)
{
	*s = r->tx.records;
}

const struct repl_received *repl_received(const struct repl *r)
{
	return &r->rx.received;
}
