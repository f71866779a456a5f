/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiver: numbers seen, order, gaps, and what may be acknowledged. `next` never goes back
 * within an incarnation of the peer, whatever streams and modes come and go: no slot ever gets an
 * older state than it had. */
#include <errno.h>

#include "repl_priv.h"

static bool bit_get(const uint64_t *map, uint64_t number)
{
	return map[number / 64 % (REPL_SEEN / 64)] >> (number % 64) & 1;
}

static void bit_set(uint64_t *map, uint64_t number)
{
	map[number / 64 % (REPL_SEEN / 64)] |= UINT64_C(1) << (number % 64);
}

/* The lowest number that the maps still cover. Whole words only, so that moving on clears
 * words. */
static uint64_t repl_recv_horizon(const struct repl_rx *x)
{
	uint64_t word = x->highest / 64;

	return word < REPL_SEEN / 64 ? 0 : (word - REPL_SEEN / 64 + 1) * 64;
}

static bool repl_recv_seen(const struct repl_rx *x, uint64_t number)
{
	return number >= repl_recv_horizon(x) && number <= x->highest && bit_get(x->seen, number);
}

static void repl_recv_drop_held(struct repl_rx *x)
{
	for (unsigned int i = 0; i < REPL_HELD; i++)
		x->held[i].number = 0;
	x->n_held = 0;
	x->gap_since = USEC_NEVER;
}

void repl_rx_reset(struct repl *r)
{
	struct repl_rx *x = &r->rx;

	repl_recv_drop_held(x);
	x->stream = 0;
	x->received = (struct repl_received){ 0 };
	x->begun = false;
	x->term = 0;
	x->first = x->next = x->applied = x->highest = 0;
	x->ack_due = false;
	x->ack_largest = 0;
	memset(x->seen, 0, sizeof(x->seen));
	memset(x->taken, 0, sizeof(x->taken));
}

enum repl_seen repl_rx_mark(struct repl *r, uint64_t number)
{
	struct repl_rx *x = &r->rx;

	if (number > x->highest) {
		uint64_t from = x->highest / 64 + 1, to = number / 64;

		if (to - x->highest / 64 >= REPL_SEEN / 64)
			from = to - REPL_SEEN / 64 + 1;
		for (; from <= to; from++)
			x->seen[from % (REPL_SEEN / 64)] = x->taken[from % (REPL_SEEN / 64)] = 0;
		x->highest = number;
	} else if (number < repl_recv_horizon(x)) {
		return REPL_SEEN_TOO_OLD;
	} else if (bit_get(x->seen, number)) {
		return REPL_SEEN_BEFORE;
	}
	bit_set(x->seen, number);
	return REPL_SEEN_NEW;
}

/* What was taken is acknowledged; an ack-eliciting packet makes that due. */
static void repl_recv_take(struct repl_rx *x, uint64_t number, bool eliciting, usec_t arrived)
{
	if (number >= repl_recv_horizon(x))
		bit_set(x->taken, number);
	if (!eliciting)
		return;
	x->ack_due = true;
	if (number > x->ack_largest) {
		x->ack_largest = number;
		x->ack_arrived = arrived;
	}
}

void repl_rx_duplicate(struct repl *r, const struct repl_header *h, bool eliciting, usec_t now)
{
	struct repl_rx *x = &r->rx;

	r->count.rx_duplicates++;
	if (eliciting && x->begun && x->mode != REPL_RX_NONE && h->stream == x->stream &&
		h->number >= x->first && bit_get(x->taken, h->number) && x->ack_largest != 0)
		x->ack_due = true; /* our ACK may have been lost */
}

static void repl_recv_begin(struct repl *r, const struct repl_header *h, usec_t now)
{
	struct repl_rx *x = &r->rx;

	/* What is held of an older stream was handed back by its sender when it began this one. */
	repl_recv_drop_held(x);
	repl_account_begin(r, h->stream);
	x->stream = h->stream;
	x->version = h->version;
	x->term = h->term;
	x->begun = true;
	x->first = h->offset == UINT32_MAX ? h->number : h->number - h->offset;
	if (x->next < x->first)
		x->next = x->first;
	x->applied = 0;
	x->ack_largest = 0;
	x->ack_due = false;
	if (x->mode == REPL_RX_APPLY)
		r->ops.stream_new(r->ops.ctx, h->stream, now);
}

/* Whether packets of this stream are being taken; every refusal is counted by its reason. */
static bool repl_recv_stream_taken(struct repl *r, const struct repl_header *h, usec_t now)
{
	struct repl_rx *x = &r->rx;

	if (h->receiver != r->p.incarnation)
		r->count.rx_wrong_incarnation++;
	else if (x->mode == REPL_RX_NONE)
		r->count.rx_not_receiving++;
	else if (x->mode == REPL_RX_APPLY && h->term < x->floor)
		r->count.rx_old_term++;
	else if (x->mode == REPL_RX_LATE && h->term > x->late_term)
		r->count.rx_not_receiving++;
	else if (h->stream == 0 || h->stream < x->stream ||
		 (x->begun && h->stream == x->stream &&
			 (h->term != x->term || h->version != x->version)))
		r->count.rx_wrong_stream++;
	else if (x->begun && h->stream == x->stream)
		return true;
	else {
		repl_recv_begin(r, h, now);
		return true;
	}
	return false;
}

/* One record of a slot. True unless it could not be applied now. What is no late usage is of a peer
 * that does not know yet that it was relieved: acknowledged, it would answer its SGSNs as if a
 * standby had it. */
static bool repl_recv_apply_state(
	struct repl *r, uint8_t kind, struct rd *body, bool late, struct repl_verdict *v)
{
	int ret;

	if (kind == REPL_SLOT)
		r->count.rx_slots++;
	else
		r->count.rx_deltas++;
	ret = late && kind != REPL_DELTA
		      ? -EINVAL
		      : r->ops.state(r->ops.ctx, (enum repl_kind)kind, body, late);
	if (ret == -EAGAIN)
		return false;
	if (late && (ret == -EINVAL || ret == -EBADMSG)) {
		r->count.rx_not_receiving++;
		return false;
	}
	if (ret < 0)
		repl_account_refuse(v, ret, 1);
	else
		v->applied++;
	return true;
}

/* A run of usage deltas, which are applied or refused one by one, or refused together. */
static bool repl_recv_apply_usage(
	struct repl *r, struct rd *body, bool late, struct repl_verdict *v)
{
	unsigned int n = (unsigned int)(body->left / REPL_USAGE_BYTES);
	int ret = late ? -EINVAL : r->ops.state(r->ops.ctx, REPL_USAGE, body, false);

	r->count.rx_deltas += n;
	if (ret == -EAGAIN)
		return false;
	if (ret < 0) {
		repl_account_refuse(v, ret, n);
		return true;
	}
	v->applied += (unsigned int)ret;
	repl_account_refuse(v, -ESTALE, n - (unsigned int)ret);
	return true;
}

static void repl_recv_deliver(struct repl *r, uint64_t number, const uint8_t *records, size_t len,
	usec_t arrived, usec_t now)
{
	struct rd in = rd_init(records, len), body;
	bool late = r->rx.mode == REPL_RX_LATE, all = true;
	struct repl_verdict verdict = { 0 };
	uint8_t kind;

	while (repl_record_next(&in, &kind, &body)) {
		switch (kind) {
		case REPL_SLOT:
		case REPL_DELTA:
			all &= repl_recv_apply_state(r, kind, &body, late, &verdict);
			break;
		case REPL_USAGE:
			all &= repl_recv_apply_usage(r, &body, late, &verdict);
			break;
		case REPL_DIGEST:
			r->count.rx_digests++;
			if (late) {
				r->count.rx_not_receiving++;
				all = false;
				break;
			}
			r->ops.digest(r->ops.ctx, &body, now);
			break;
		default: /* counted when the packet came in */
			break;
		}
	}
	if (number > r->rx.applied)
		r->rx.applied = number;
	if (!all) {
		r->count.rx_again++;
		return;
	}
	repl_account_taken(r, &verdict);
	repl_recv_take(&r->rx, number, true, arrived);
}

static struct repl_held *repl_recv_held_find(struct repl_rx *x, uint64_t number)
{
	for (unsigned int i = 0; x->n_held > 0 && i < REPL_HELD; i++)
		if (x->held[i].number == number)
			return &x->held[i];
	return NULL;
}

/* Lets everything through that has nothing missing before it. Control packets were dealt with on
 * arrival. What is held counts even where the maps have moved past it. */
static void repl_recv_run(struct repl *r, usec_t now)
{
	struct repl_rx *x = &r->rx;
	struct repl_held *held;

	while ((held = repl_recv_held_find(x, x->next)) != NULL || repl_recv_seen(x, x->next)) {
		x->next++;
		if (held == NULL)
			continue;
		repl_recv_deliver(r, held->number, held->records, held->len, held->arrived, now);
		held->number = 0;
		x->n_held--;
	}
}

/* How many numbers above the gap have come, as far as it matters. */
static unsigned int repl_recv_above_gap(const struct repl_rx *x, unsigned int enough)
{
	unsigned int n = 0;

	/* Downwards: the newest are the likeliest to be there. */
	for (uint64_t i = x->highest; i > x->next && i >= repl_recv_horizon(x) && n < enough; i--)
		n += bit_get(x->seen, i);
	return n;
}

static void repl_recv_skip(struct repl *r, usec_t now)
{
	struct repl_rx *x = &r->rx;
	uint64_t to = x->next > repl_recv_horizon(x) ? x->next : repl_recv_horizon(x);

	while (to < x->highest && !bit_get(x->seen, to))
		to++;
	for (unsigned int i = 0; x->n_held > 0 && i < REPL_HELD; i++)
		if (x->held[i].number != 0 && x->held[i].number < to)
			to = x->held[i].number; /* the maps have moved past it */
	r->count.rx_gaps++;
	r->count.rx_skipped += to - x->next;
	x->next = to;
	x->gap_since = USEC_NEVER;
}

/* Delivers, and skips gaps that were waited for. all: every gap. */
static void repl_recv_settle(struct repl *r, bool all, usec_t now)
{
	struct repl_rx *x = &r->rx;

	if (!x->begun || x->mode != REPL_RX_APPLY)
		return;
	for (;;) {
		repl_recv_run(r, now);
		if (x->next > x->highest) {
			x->gap_since = USEC_NEVER;
			return;
		}
		if (x->gap_since == USEC_NEVER)
			x->gap_since = now;
		if (!all && now - x->gap_since < r->p.gap_us &&
			repl_recv_above_gap(x, r->p.gap_packets) < r->p.gap_packets)
			return;
		repl_recv_skip(r, now);
	}
}

static void repl_recv_hold(
	struct repl *r, uint64_t number, const uint8_t *records, size_t len, usec_t now)
{
	struct repl_rx *x = &r->rx;

	for (unsigned int i = 0; i < REPL_HELD; i++) {
		if (x->held[i].number != 0)
			continue;
		x->held[i].number = number;
		x->held[i].arrived = now;
		x->held[i].len = len;
		memcpy(x->held[i].records, records, len);
		x->n_held++;
		return;
	}
	/* Cannot be: a gap is skipped at gap_packets <= REPL_HELD. Unacknowledged, it would come
	 * again. */
	r->count.rx_again++;
}

void repl_rx_ordered(
	struct repl *r, const struct repl_header *h, const uint8_t *records, size_t len, usec_t now)
{
	struct repl_rx *x = &r->rx;

	r->count.rx_state_packets++;
	if (!repl_recv_stream_taken(r, h, now)) {
		repl_recv_settle(r, false, now);
		return;
	}
	if (x->mode == REPL_RX_LATE) {
		repl_recv_deliver(r, h->number, records, len, now, now);
		return;
	}
	if (h->number < x->next) {
		r->count.rx_late_packets++;
		return;
	}
	/* Its own number is marked as seen already: run to it, not past it. */
	while (x->next < h->number && repl_recv_seen(x, x->next) &&
		repl_recv_held_find(x, x->next) == NULL)
		x->next++;
	if (h->number == x->next) {
		x->next++;
		repl_recv_deliver(r, h->number, records, len, now, now);
	} else {
		repl_recv_hold(r, h->number, records, len, now);
	}
	repl_recv_settle(r, false, now);
}

void repl_rx_control(struct repl *r, const struct repl_header *h, bool ping, usec_t now)
{
	repl_recv_take(&r->rx, h->number, ping && repl_recv_stream_taken(r, h, now), now);
	repl_recv_settle(r, false, now);
}

void repl_rx_tick(struct repl *r, usec_t now)
{
	if (r->rx.gap_since != USEC_NEVER)
		repl_recv_settle(r, false, now);
}

usec_t repl_rx_due(const struct repl *r)
{
	return r->rx.gap_since == USEC_NEVER ? USEC_NEVER : r->rx.gap_since + r->p.gap_us;
}

/* The ranges from the highest ack-eliciting number down; as many as fit. */
void repl_rx_ack(struct repl *r, struct repl_ack *a, usec_t now)
{
	struct repl_rx *x = &r->rx;
	uint64_t low = x->first > repl_recv_horizon(x) ? x->first : repl_recv_horizon(x),
		 i = x->ack_largest;
	usec_t delay = now - x->ack_arrived;

	*a = (struct repl_ack){ .stream = x->stream,
		.largest = i,
		.delay = delay < UINT32_MAX ? (uint32_t)delay : UINT32_MAX };
	x->ack_due = false;
	if (low == 0)
		low = 1;
	while (i >= low && a->n < REPL_RANGES) {
		struct repl_range *range = &a->range[a->n];

		range->hi = i;
		while (i >= low && bit_get(x->taken, i)) {
			/* whole words at a time: the usual range is all of the window */
			i -= i % 64 == 63 && i - 63 >= low &&
					     x->taken[i / 64 % (REPL_SEEN / 64)] == UINT64_MAX
				     ? 64
				     : 1;
		}
		range->lo = i + 1;
		if (range->lo > range->hi)
			break;
		a->n++;
		while (i >= low && !bit_get(x->taken, i))
			i--;
	}
}

void repl_receive(struct repl *r, enum repl_receive mode, repl_term_t floor, repl_term_t late_term)
{
	struct repl_rx *x = &r->rx;
	bool same = mode == x->mode && (mode != REPL_RX_APPLY || x->term >= floor) &&
		    (mode != REPL_RX_LATE || late_term == x->late_term);

	x->mode = mode;
	x->floor = floor;
	x->late_term = late_term;
	if (same)
		return;
	repl_recv_drop_held(x);
	x->begun = false;
}

uint64_t repl_receive_stop(struct repl *r, usec_t now)
{
	uint64_t applied;

	repl_recv_settle(r, true, now);
	applied = r->rx.applied;
	repl_receive(r, REPL_RX_NONE, r->rx.floor, 0);
	return applied;
}

uint64_t repl_applied(const struct repl *r)
{
	return r->rx.applied;
}

uint32_t repl_rx_stream(const struct repl *r)
{
	return r->rx.begun ? r->rx.stream : 0;
}

uint8_t repl_rx_version(const struct repl *r)
{
	return r->rx.version;
}
