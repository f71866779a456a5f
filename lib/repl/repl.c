/* SPDX-License-Identifier: BSD-3-Clause */
/* The door: packets in, control packets out, timers. */
#include <errno.h>

#include "repl_priv.h"

static bool repl_has_all_ops(const struct repl_ops *o)
{
	return o != NULL && o->state != NULL && o->digest != NULL && o->want != NULL &&
	       o->heartbeat != NULL && o->acked != NULL && o->lost != NULL && o->peer_new != NULL &&
	       o->stream_new != NULL && o->want_fill != NULL && o->status != NULL;
}

struct repl *repl_create(const struct repl_params *p, usec_t now)
{
	struct repl *r;

	if (p->incarnation == 0 || !repl_has_all_ops(p->ops) || p->alloc == NULL ||
		p->free == NULL || p->gap_packets > REPL_HELD) {
		errno = EINVAL;
		return NULL;
	}
	r = p->alloc(p->mem_ctx, sizeof(*r));
	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	r->p = *p;
	r->ops = *p->ops;
	r->p.ops = &r->ops;
	if (r->p.gap_packets == 0)
		r->p.gap_packets = 3;
	if (r->p.version_max == 0)
		r->p.version_max = wire_spoken.version_max;
	r->heard = USEC_NEVER;
	r->peer_status.heard = USEC_NEVER;
	r->hb_at = now;
	r->slot = -1;
	r->status_at = r->want_at = r->account_at = USEC_NEVER;
	repl_tx_init(r);
	repl_rx_reset(r);
	return r;
}

void repl_keys(struct repl *r, struct keys *k)
{
	r->keys = k;
	r->slot = -1;
}

int repl_slot(const struct repl *r)
{
	return r->slot;
}

void repl_destroy(struct repl *r)
{
	if (r != NULL)
		r->p.free(r->p.mem_ctx, r);
}

/* ---- input ---- */

static bool repl_header_taken(struct repl *r, const struct repl_header *h)
{
	if (h->version < wire_spoken.version_min || h->version > r->p.version_max)
		r->count.rx_version++;
	else if (r->keys != NULL ? h->key == 0 : h->key != 0 || h->flags & REPL_F_PHASE)
		r->count.rx_bad_key++;
	else if (h->sender == r->p.incarnation)
		r->count.rx_own++;
	else if (h->sender == 0 || h->number == 0 || h->number == UINT64_MAX ||
		 (h->offset != UINT32_MAX && h->offset >= h->number))
		r->count.rx_malformed++;
	else
		return true;
	return false;
}

static void repl_on_heartbeat(struct repl *r, const struct repl_header *h, struct rd *body,
	bool in_time, int64_t excess, usec_t now)
{
	uint64_t pair_ms;

	rd_u64(body);
	pair_ms = rd_u64(body);
	r->count.rx_heartbeats++;
	if (h->number <= r->life.hb_number)
		in_time = false;
	else
		r->life.hb_number = h->number;
	if (!in_time)
		r->count.rx_stale_heartbeats++;
	else if (r->rx.mode == REPL_RX_APPLY)
		r->pair_offset = (int64_t)(pair_ms * USEC_PER_MSEC + (uint64_t)excess - now);
	r->ops.heartbeat(
		r->ops.ctx, body, in_time, pair_ms + (uint64_t)excess / USEC_PER_MSEC, now);
}

static void repl_on_status(struct repl *r, const struct repl_header *h, struct rd *body, usec_t now)
{
	uint32_t stream = rd_u32(body);
	struct repl_status st = { .heard = now };

	st.in_sync_since_ms = rd_u64(body);
	st.buckets = rd_u32(body);
	st.unmatched = rd_u32(body);
	st.differing = rd_u32(body);
	st.left = rd_u32(body);
	if (h->number <= r->life.status_number)
		return; /* overtaken by a newer one */
	if (!r->tx.streaming || (stream != 0 && stream != r->tx.stream)) {
		r->count.rx_wrong_stream++;
		return;
	}
	if (stream == 0)
		st.in_sync_since_ms = 0; /* it has not begun to receive this stream */
	r->life.status_number = h->number;
	r->peer_status = st;
}

static void repl_on_ack(struct repl *r, struct rd *body, usec_t now)
{
	struct repl_ack a;

	if (repl_ack_read(body, &a) < 0)
		r->count.rx_malformed++;
	else
		repl_tx_ack(r, &a, now);
}

/* Reports are for this process of ours only; a heartbeat is life whomever it answers. */
static void repl_on_report(
	struct repl *r, const struct repl_header *h, uint8_t kind, struct rd *body, usec_t now)
{
	switch (kind) {
	case REPL_ACK:
		repl_on_ack(r, body, now);
		break;
	case REPL_WANT:
		r->count.rx_wants++;
		if (r->tx.streaming || r->rx.mode == REPL_RX_APPLY)
			r->ops.want(r->ops.ctx, body, now);
		break;
	case REPL_STATUS:
		repl_on_status(r, h, body, now);
		break;
	case REPL_ACCOUNT:
		repl_account_heard(r, h->number, body);
		break;
	default:
		break;
	}
}

static void repl_on_control(struct repl *r, const struct repl_header *h, const uint8_t *records,
	size_t len, bool in_time, int64_t excess, usec_t now)
{
	struct rd in = rd_init(records, len), body;
	bool foreign = h->receiver != r->p.incarnation, refused = false;
	uint8_t kind;

	while (repl_record_next(&in, &kind, &body)) {
		if (kind == REPL_HEARTBEAT)
			repl_on_heartbeat(r, h, &body, in_time, excess, now);
		else if (!foreign)
			repl_on_report(r, h, kind, &body, now);
		else if (kind == REPL_ACK || kind == REPL_WANT || kind == REPL_STATUS ||
			 kind == REPL_ACCOUNT)
			refused = true;
	}
	r->count.rx_wrong_incarnation += refused;
}

void repl_input(struct repl *r, const uint8_t *pkt, size_t len, usec_t now)
{
	struct repl_header h;
	struct repl_walk walk;
	const uint8_t *records = pkt + REPL_HEADER;
	bool ordered, eliciting, in_time;
	int64_t excess = 0;
	uint64_t highest;

	r->count.rx_packets++;
	r->count.rx_bytes += len;
	if (len < REPL_HEADER || len > REPL_PACKET_MAX) {
		r->count.rx_malformed++;
		return;
	}
	repl_header_read(pkt, &h);
	if (!repl_header_taken(r, &h))
		return;
	ordered = h.flags & REPL_F_ORDERED;
	if (repl_walk(records, len - REPL_HEADER, ordered, &walk) < 0 ||
		(walk.kinds & 1U << REPL_HEARTBEAT && (uint32_t)walk.hb_sent != h.sent)) {
		r->count.rx_malformed++;
		return;
	}
	if (!repl_life_peer(r, &h, now)) {
		r->count.rx_wrong_incarnation++;
		return;
	}
	eliciting = ordered || walk.kinds & 1U << REPL_PING;
	highest = r->rx.highest;
	switch (repl_rx_mark(r, h.number)) {
	case REPL_SEEN_TOO_OLD:
		r->count.rx_late_packets++;
		return;
	case REPL_SEEN_BEFORE:
		repl_rx_duplicate(r, &h, eliciting, now);
		return;
	case REPL_SEEN_NEW:
		break;
	}
	r->count.rx_unknown_kind += walk.unknown;
	in_time = repl_life_fresh(r, &h, &walk, &excess, now);
	if (h.number > highest) {
		r->hears_us = h.receiver == r->p.incarnation;
		if (in_time)
			r->heard = now;
	}
	if (ordered) {
		repl_rx_ordered(r, &h, records, len - REPL_HEADER, now);
		return;
	}
	repl_on_control(r, &h, records, len - REPL_HEADER, in_time, excess, now);
	repl_rx_control(r, &h, walk.kinds & 1U << REPL_PING, now);
}

/* ---- output ---- */

static void repl_put_ack(struct repl *r, struct wr *w, usec_t now)
{
	struct repl_ack a;

	repl_rx_ack(r, &a, now);
	if (a.n == 0)
		return;
	repl_ack_write(w, &a);
	r->count.tx_acks++;
}

static void repl_put_heartbeat(struct repl *r, struct wr *w, usec_t now)
{
	wr_u8(w, REPL_HEARTBEAT);
	wr_u16(w, (uint16_t)(REPL_HEARTBEAT_HEAD + r->hb_len));
	wr_u64(w, now);
	wr_u64(w, repl_pair_ms(r, now));
	wr_bytes(w, r->hb_body, r->hb_len);
	r->hb_now = false;
	r->hb_at = r->hb_at <= now ? r->hb_at + r->p.heartbeat_us : 0;
	if (r->hb_at <=
		/* forced: the next follows it as it follows any; or we were late: no burst to catch
		 * up */
		now)
		r->hb_at = now + r->p.heartbeat_us;
	r->count.tx_heartbeats++;
}

/* Regularly, at once when the verdict changes, and not much later when its details do. */
static void repl_put_status(struct repl *r, struct wr *w, usec_t now)
{
	struct repl_status st = { 0 };
	usec_t age = r->status_at == USEC_NEVER ? USEC_NEVER : now - r->status_at;
	bool changed, turned;

	r->ops.status(r->ops.ctx, &st);
	turned = (st.in_sync_since_ms == 0) != (r->status.in_sync_since_ms == 0) ||
		 (st.unmatched == 0) != (r->status.unmatched == 0);
	changed = turned || st.in_sync_since_ms != r->status.in_sync_since_ms ||
		  st.unmatched != r->status.unmatched || st.buckets != r->status.buckets;
	if (age < REPL_STATUS_US && !turned && !(changed && age >= REPL_STATUS_MIN_US))
		return;
	wr_u8(w, REPL_STATUS);
	wr_u16(w, REPL_STATUS_BYTES);
	wr_u32(w, repl_rx_stream(r));
	wr_u64(w, st.in_sync_since_ms);
	wr_u32(w, st.buckets);
	wr_u32(w, st.unmatched);
	wr_u32(w, st.differing);
	wr_u32(w, st.left);
	r->status = st;
	r->status_at = now;
}

/* At most once for each time given, so that callers who poll until nothing is due get one packet of
 * WANTs. */
static void repl_put_want(struct repl *r, struct wr *w, usec_t now)
{
	struct wr body;
	size_t room, n;

	if (r->want_at == now || w->left <= REPL_RECORD)
		return;
	r->want_at = now;
	room = w->left - REPL_RECORD;
	body = wr_init(w->p + REPL_RECORD, room);
	r->ops.want_fill(r->ops.ctx, &body, repl_pto(r), now);
	n = room - body.left;
	if (n == 0 || body.bad || n > UINT16_MAX)
		return;
	wr_u8(w, REPL_WANT);
	wr_u16(w, (uint16_t)n);
	wr_room(w, n);
	r->count.tx_wants++;
}

void repl_times(struct repl *r, usec_t heartbeat_us, usec_t life_us, usec_t now)
{
	r->p.heartbeat_us = heartbeat_us;
	r->p.life_us = life_us;
	if (r->hb_at > now + heartbeat_us)
		r->hb_at = now + heartbeat_us;
}

static bool heartbeat_due(const struct repl *r, usec_t now)
{
	return r->hb_set && r->p.heartbeat_us != 0 && (r->hb_now || r->hb_at <= now);
}

size_t repl_poll(struct repl *r, uint8_t *buf, size_t room, usec_t now)
{
	struct wr w;
	size_t len, space;

	/* Enough for everything but the WANT, which takes what is left. */
	if (room < REPL_ROOM_LEAST || !repl_has_key(r))
		return 0;
	if (room > REPL_PACKET_MAX)
		room = REPL_PACKET_MAX;
	if (r->tx.ping_due) {
		len = repl_tx_ping(r, buf, now);
		if (len == 0)
			return 0;
	} else {
		space = room - REPL_HEADER - REPL_TAG;
		w = wr_init(buf + REPL_HEADER, space);
		if (heartbeat_due(r, now))
			repl_put_heartbeat(r, &w, now);
		if (r->peer != 0 && r->rx.ack_due)
			repl_put_ack(r, &w, now);
		if (r->peer != 0 && repl_account_due(r, now))
			repl_account_put(r, &w, now);
		if (r->peer != 0 && r->rx.mode == REPL_RX_APPLY) {
			repl_put_status(r, &w, now);
		}
		if (r->peer != 0 && (r->rx.mode == REPL_RX_APPLY || r->tx.streaming))
			repl_put_want(r, &w, now);
		if (w.left == space || w.bad || repl_tx_header(r, buf, r->hb_term, 0, now) < 0)
			return 0;
		len = REPL_HEADER + space - w.left;
	}
	len += repl_tag(r);
	r->count.tx_packets++;
	r->count.tx_bytes += len;
	return len;
}

void repl_tick(struct repl *r, usec_t now)
{
	repl_rx_tick(r, now);
	repl_tx_tick(r, now);
}

static usec_t repl_earlier(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

usec_t repl_due(const struct repl *r)
{
	usec_t due = repl_earlier(repl_tx_due(r), repl_rx_due(r));

	/* Without a key repl_poll() sends nothing; a PING waits for the key, not for a time. */
	if (!repl_has_key(r))
		return r->tx.ping_due ? repl_earlier(r->tx.loss_at, repl_rx_due(r)) : due;
	if (r->hb_set && r->p.heartbeat_us != 0)
		due = r->hb_now ? 0 : repl_earlier(due, r->hb_at);
	if (r->peer == 0)
		return due;
	if (r->rx.ack_due)
		return 0;
	if (r->rx.mode == REPL_RX_APPLY) /* what the audit has to say is only known by asking it */
		due = r->want_at == USEC_NEVER ? 0 : repl_earlier(due, r->want_at + REPL_WANT_US);
	return due;
}

void repl_heartbeat(struct repl *r, repl_term_t term, const uint8_t *body, size_t len)
{
	if (len > REPL_HEARTBEAT_MAX)
		len = REPL_HEARTBEAT_MAX;
	memcpy(r->hb_body, body, len);
	r->hb_len = len;
	r->hb_term = term;
	r->hb_set = true;
}

void repl_heartbeat_now(struct repl *r)
{
	r->hb_now = true;
}

void repl_pair_time(struct repl *r, int64_t offset_us)
{
	r->pair_offset = offset_us;
}

uint64_t repl_pair_ms(const struct repl *r, usec_t now)
{
	int64_t pair = (int64_t)(now + (uint64_t)r->pair_offset);

	return pair > 0 ? (uint64_t)pair / USEC_PER_MSEC : 0;
}

usec_t repl_heard(const struct repl *r)
{
	return r->heard;
}

bool repl_hears_us(const struct repl *r)
{
	return r->hears_us;
}

uint32_t repl_peer_incarnation(const struct repl *r)
{
	return r->peer;
}

const struct repl_status *repl_peer_status(const struct repl *r)
{
	return &r->peer_status;
}

const struct repl_counters *repl_count(const struct repl *r)
{
	return &r->count;
}
