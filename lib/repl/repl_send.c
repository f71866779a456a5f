/* SPDX-License-Identifier: BSD-3-Clause */
/* The sender: window, acknowledgements, loss detection as RFC 9002 has them (sections 6 and 7):
 * what is lost is not sent again but marked dirty again, so a repair is never more than the newest
 * state. */
#include <errno.h>

#include "repl_priv.h"

enum { AHEAD = 8 }; /* packets */

static struct repl_sent *sent_at(struct repl *r, uint64_t i)
{
	return &r->tx.sent[i & (REPL_WINDOW - 1)];
}

static const repl_entry_t *entries_at(const struct repl *r, uint64_t i)
{
	return r->tx.entry[i & (REPL_WINDOW - 1)];
}

void repl_tx_init(struct repl *r)
{
	r->tx.version = wire_spoken.version_min;
	r->tx.loss_at = USEC_NEVER;
	r->tx.min_rtt = USEC_NEVER;
	r->tx.window = r->tx.threshold = REPL_WINDOW;
}

/* RFC 9002 section 7.3, in packets. Not below what a direct link holds many times over: the loss
 * may be chance. */
static void repl_send_window_lost(struct repl_tx *t, const struct repl_sent *s, usec_t now)
{
	if (s->at <= t->halved)
		return; /* sent before the last answer to a loss */
	t->window = t->window / 2 > REPL_WINDOW_LEAST ? t->window / 2 : REPL_WINDOW_LEAST;
	t->threshold = t->window;
	t->grown = 0;
	t->halved = now;
}

static void repl_send_window_acked(struct repl_tx *t, const struct repl_sent *s)
{
	if (s->at <= t->halved || t->window >= REPL_WINDOW || t->unacked < t->window / 2)
		return; /* nobody used what there was */
	if (t->window >= t->threshold && ++t->grown < t->window)
		return;
	t->window++;
	t->grown = 0;
}

static void repl_send_lose(struct repl *r, uint64_t i)
{
	struct repl_sent *s = sent_at(r, i);

	s->state = REPL_LOST;
	r->tx.unacked--;
	r->count.lost_packets++;
	r->count.lost_entries += s->n;
	if (s->n > 0)
		r->ops.lost(r->ops.ctx, s->owner, entries_at(r, i), s->n);
}

/* Everything decided that no late ACK is waited for any more leaves the ring. */
static void repl_send_forget(struct repl *r, usec_t now)
{
	struct repl_tx *t = &r->tx;
	usec_t keep = 4 * repl_pto(r);

	while (t->tail < t->head && sent_at(r, t->tail)->state != REPL_SENT)
		t->tail++;
	while (t->keep < t->tail &&
		(sent_at(r, t->keep)->state == REPL_ACKED || now - sent_at(r, t->keep)->at > keep))
		t->keep++;
}

static void repl_send_clear(struct repl *r)
{
	struct repl_tx *t = &r->tx;

	t->keep = t->tail = t->head;
	t->unacked = 0;
	t->largest_acked = 0;
	t->loss_at = USEC_NEVER;
	/* The path may be another. And a sample that we took when we had stood still is of us, not
	 * of the path: as standby none follows it, and WANTs would be repeated by it. */
	t->min_rtt = USEC_NEVER;
	t->srtt = t->rttvar = t->latest = 0;
	t->window = t->threshold = REPL_WINDOW;
	t->grown = 0;
	t->halved = 0;
	t->backoff = 0;
	t->ping_due = false;
	t->ping = 0;
	t->last_state = 0;
	t->account = 0;
	r->peer_status = (struct repl_status){ .heard = USEC_NEVER };
}

void repl_stream_start(struct repl *r, repl_term_t term, usec_t now)
{
	struct repl_tx *t = &r->tx;
	uint64_t from = t->tail, to = t->head;

	repl_account_end(r, t->stream + 1);
	for (uint64_t i = from; i < to; i++)
		if (sent_at(r, i)->state == REPL_SENT)
			repl_send_lose(r, i);
	repl_send_clear(r);
	t->stream++;
	t->streaming = true;
	t->term = term;
	t->first = t->number + 1;
	t->last_elicit = now;
}

void repl_version(struct repl *r, uint8_t version)
{
	r->tx.version = version;
}

void repl_stream_late(struct repl *r, repl_term_t term, usec_t now)
{
	repl_stream_start(r, term, now);
}

void repl_stream_stop(struct repl *r)
{
	repl_account_end(r, 0);
	repl_send_clear(r);
	r->tx.streaming = false;
}

unsigned int repl_room(const struct repl *r)
{
	const struct repl_tx *t = &r->tx;
	unsigned int ring = (unsigned int)(REPL_WINDOW - (t->head - t->tail));
	unsigned int window = t->window > t->unacked ? t->window - t->unacked : 0;

	if (!t->streaming || r->peer == 0 || !repl_has_key(r))
		return 0;
	return ring < window ? ring : window;
}

unsigned int repl_window(const struct repl *r)
{
	return r->tx.window;
}

usec_t repl_min_rtt(const struct repl *r)
{
	return r->tx.min_rtt != USEC_NEVER ? r->tx.min_rtt : repl_srtt(r);
}

int repl_tx_header(struct repl *r, uint8_t *pkt, repl_term_t term, uint8_t flags, usec_t now)
{
	struct repl_tx *t = &r->tx;
	uint64_t number = t->number + 1, offset = t->streaming ? number - t->first : 0;
	uint16_t id = 0;
	uint8_t phase = 0;

	if (r->keys != NULL) {
		int slot = keys_seal(r->keys, number, &id, &phase);

		if (slot < 0)
			return slot;
		r->slot = slot;
	}
	t->number = number;
	repl_header_write(
		pkt, &(struct repl_header){ .version = t->version,
			     .flags = flags | (phase != 0 ? REPL_F_PHASE : 0),
			     .key = id,
			     .number = number,
			     .sender = r->p.incarnation,
			     .receiver = r->peer,
			     .term = term,
			     .stream = t->streaming ? t->stream : 0,
			     .offset = offset < UINT32_MAX ? (uint32_t)offset : UINT32_MAX,
			     .sent = (uint32_t)now });
	return 0;
}

int repl_seal(struct repl *r, uint8_t *pkt, size_t len, uint8_t owner, const repl_entry_t *e,
	unsigned int n, usec_t now)
{
	struct repl_tx *t = &r->tx;
	struct repl_sent *s;
	size_t tag = repl_tag(r);
	int ret;

	if (len < REPL_HEADER || len + tag > REPL_PACKET_MAX || n > REPL_ENTRIES)
		return -EINVAL;
	if (!t->streaming || r->peer == 0)
		return -ENOTCONN;
	if (repl_room(r) == 0) {
		r->count.window_full++;
		return -ENOBUFS;
	}
	ret = repl_tx_header(r, pkt, t->term, REPL_F_ORDERED, now);
	if (ret < 0)
		return ret;
	if (t->head - t->keep == REPL_WINDOW)
		t->keep++;
	/* By the time its turn comes again a place has left every cache. */
	__builtin_prefetch(entries_at(r, t->head + AHEAD), 1);
	s = sent_at(r, t->head);
	*s = (struct repl_sent){ .number = t->number, .at = now, .owner = owner, .n = (uint8_t)n };
	for (unsigned int i = 0; i < n; i++)
		t->entry[t->head & (REPL_WINDOW - 1)][i] = e[i];
	t->head++;
	t->unacked++;
	t->last_state = t->number;
	t->last_elicit = now;
	r->count.tx_packets++;
	r->count.tx_state_packets++;
	r->count.tx_entries += n;
	t->records.sent += n;
	t->records.in_flight += n;
	r->count.tx_bytes += len + tag;
	return (int)(len + tag);
}

size_t repl_tx_ping(struct repl *r, uint8_t *pkt, usec_t now)
{
	struct repl_tx *t = &r->tx;
	struct wr w = wr_init(pkt + REPL_HEADER, REPL_RECORD);

	/* Alone in its packet, in the stream's own term: it must be taken where the stream's
	 * packets are. */
	t->ping_due = false;
	if (repl_tx_header(r, pkt, t->term, 0, now) < 0)
		return 0;
	wr_u8(&w, REPL_PING);
	wr_u16(&w, 0);
	t->ping = t->number;
	t->ping_at = now;
	t->last_elicit = now;
	r->count.tx_pings++;
	return REPL_HEADER + REPL_RECORD;
}

/* RFC 9002 section 5.3 */
static void repl_send_rtt_sample(struct repl *r, usec_t rtt, usec_t delay)
{
	struct repl_tx *t = &r->tx;
	usec_t off;

	t->latest = rtt > 0 ? rtt : 1;
	if (t->latest < t->min_rtt)
		t->min_rtt = t->latest;
	if (t->srtt == 0) {
		t->srtt = t->latest;
		t->rttvar = t->latest / 2;
		return;
	}
	if (t->latest >= t->min_rtt && t->latest - t->min_rtt >= delay)
		rtt = t->latest - delay;
	else
		rtt = t->latest;
	off = rtt > t->srtt ? rtt - t->srtt : t->srtt - rtt;
	t->rttvar = (3 * t->rttvar + off) / 4;
	t->srtt = (7 * t->srtt + rtt) / 8;
	if (t->srtt == 0)
		t->srtt = 1;
}

usec_t repl_srtt(const struct repl *r)
{
	return r->tx.srtt != 0 ? r->tx.srtt : REPL_INITIAL_RTT;
}

usec_t repl_pto(const struct repl *r)
{
	usec_t var = 4 * (r->tx.srtt != 0 ? r->tx.rttvar : REPL_INITIAL_RTT / 2);

	return repl_srtt(r) + (var > REPL_GRANULARITY ? var : REPL_GRANULARITY) +
	       REPL_MAX_ACK_DELAY;
}

/* The first index in the ring whose number is not below `number`. */
static uint64_t repl_send_lower_bound(struct repl *r, uint64_t number)
{
	uint64_t lo = r->tx.keep, hi = r->tx.head;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (sent_at(r, mid)->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Late, or in time: its records are not superseded but arrived. */
static void repl_send_acked(struct repl *r, const struct repl_sent *s)
{
	struct repl_sent_records *a = &r->tx.records;

	a->acked += s->n;
	r->count.records_acknowledged += s->n;
	if (s->state == REPL_SENT) {
		a->in_flight -= s->n;
		return;
	}
	r->count.spurious_losses++;
	a->superseded -= s->n;
	r->count.records_superseded -= s->n;
}

static bool repl_send_take_range(
	struct repl *r, const struct repl_range *range, const struct repl_ack *a, usec_t now)
{
	bool fresh = false;

	for (uint64_t i = repl_send_lower_bound(r, range->lo);
		i < r->tx.head && sent_at(r, i)->number <= range->hi; i++) {
		struct repl_sent *s = sent_at(r, i);

		if (s->state != REPL_ACKED)
			repl_send_acked(r, s);
		if (s->state == REPL_SENT) {
			fresh = true;
			repl_send_window_acked(&r->tx, s);
			r->tx.unacked--;
			r->count.packets_acknowledged++;
			if (s->number == a->largest)
				repl_send_rtt_sample(r, now - s->at, a->delay);
			if (s->n > 0)
				r->ops.acked(r->ops.ctx, s->owner, entries_at(r, i), s->n);
		}
		s->state = REPL_ACKED;
	}
	return fresh;
}

static void repl_send_detect_loss(struct repl *r, usec_t now)
{
	struct repl_tx *t = &r->tx;
	usec_t rtt = t->latest > repl_srtt(r) ? t->latest : repl_srtt(r), wait = rtt * 9 / 8;
	unsigned int lost = 0;

	if (wait < REPL_GRANULARITY)
		wait = REPL_GRANULARITY;
	t->loss_at = USEC_NEVER;
	for (uint64_t i = t->tail; i < t->head; i++) {
		struct repl_sent *s = sent_at(r, i);

		if (s->number >= t->largest_acked)
			break;

		if (s->state != REPL_SENT)
			continue;
		if (t->largest_acked - s->number < 3 && now - s->at < wait) {
			t->loss_at = s->at + wait; /* packets that follow were sent no sooner */
			break;
		}
		if (lost++ == REPL_LOST_A_TURN) {
			t->loss_at = now;
			break;
		}
		repl_send_window_lost(t, s, now);
		t->records.in_flight -= s->n;
		t->records.superseded += s->n;
		r->count.records_superseded += s->n;
		repl_send_lose(r, i);
	}
	repl_send_forget(r, now);
}

void repl_tx_ack(struct repl *r, const struct repl_ack *a, usec_t now)
{
	struct repl_tx *t = &r->tx;
	bool fresh = false;

	if (!t->streaming || a->stream != t->stream) {
		r->count.rx_wrong_stream++;
		return;
	}
	if (a->largest > t->number) { /* never sent */
		r->count.rx_malformed++;
		return;
	}
	r->count.rx_acks++;
	for (unsigned int i = 0; i < a->n; i++)
		fresh |= repl_send_take_range(r, &a->range[i], a, now);
	if (t->ping != 0 && a->largest >= t->ping) {
		if (a->largest == t->ping)
			repl_send_rtt_sample(r, now - t->ping_at, a->delay);
		t->ping = 0;
		fresh = true;
	}
	if (a->largest > t->largest_acked)
		t->largest_acked = a->largest;
	if (fresh) {
		t->backoff = 0;
		t->ping_due = false;
	}
	repl_send_detect_loss(r, now);
}

static usec_t repl_send_pto_at(const struct repl *r)
{
	usec_t pto = repl_pto(r), wait = pto << (r->tx.backoff < 10 ? r->tx.backoff : 10);

	if (r->tx.unacked == 0 || r->peer == 0)
		return USEC_NEVER;
	if (wait > REPL_PTO_MAX)
		wait = pto > REPL_PTO_MAX ? pto : REPL_PTO_MAX;
	return r->tx.last_elicit + wait;
}

void repl_tx_tick(struct repl *r, usec_t now)
{
	if (r->tx.loss_at <= now)
		repl_send_detect_loss(r, now);
	if (!r->tx.ping_due && repl_send_pto_at(r) <= now) {
		r->tx.ping_due = true;
		r->tx.backoff++;
	}
}

usec_t repl_tx_due(const struct repl *r)
{
	usec_t pto = repl_send_pto_at(r);

	if (r->tx.ping_due)
		return 0;
	return pto < r->tx.loss_at ? pto : r->tx.loss_at;
}

unsigned int repl_unacked(const struct repl *r)
{
	return r->tx.unacked;
}

uint64_t repl_last_number(const struct repl *r)
{
	return r->tx.last_state;
}

usec_t repl_oldest_unacked(const struct repl *r)
{
	for (uint64_t i = r->tx.tail; i < r->tx.head; i++)
		if (r->tx.sent[i & (REPL_WINDOW - 1)].state == REPL_SENT)
			return r->tx.sent[i & (REPL_WINDOW - 1)].at;
	return USEC_NEVER;
}
