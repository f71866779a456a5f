/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "repl_wire.h"

void repl_header_write(uint8_t pkt[REPL_HEADER], const struct repl_header *h)
{
	struct wr w = wr_init(pkt, REPL_HEADER);

	wr_u8(&w, h->version);
	wr_u8(&w, h->flags);
	wr_u16(&w, h->key);
	wr_u64(&w, h->number);
	wr_u32(&w, h->sender);
	wr_u32(&w, h->receiver);
	wr_u64(&w, h->term);
	wr_u32(&w, h->stream);
	wr_u32(&w, h->offset);
	wr_u32(&w, h->sent);
}

void repl_header_read(const uint8_t pkt[REPL_HEADER], struct repl_header *h)
{
	struct rd r = rd_init(pkt, REPL_HEADER);

	h->version = rd_u8(&r);
	h->flags = rd_u8(&r);
	h->key = rd_u16(&r);
	h->number = rd_u64(&r);
	h->sender = rd_u32(&r);
	h->receiver = rd_u32(&r);
	h->term = rd_u64(&r);
	h->stream = rd_u32(&r);
	h->offset = rd_u32(&r);
	h->sent = rd_u32(&r);
}

bool repl_record_next(struct rd *r, uint8_t *kind, struct rd *body)
{
	if (r->left == 0 || r->bad)
		return false;
	*kind = rd_u8(r);
	*body = rd_sub(r, rd_u16(r));
	return !r->bad;
}

/* Of each kind: whether it belongs in ordered packets, and the least its body can be. */
static const struct {
	bool known, ordered;
	uint16_t least;
} kinds[] = {
	[REPL_SLOT] = { true, true, 0 },
	[REPL_DELTA] = { true, true, 0 },
	[REPL_DIGEST] = { true, true, 0 },
	[REPL_ACK] = { true, false, REPL_ACK_HEAD + REPL_ACK_RANGE },
	[REPL_WANT] = { true, false, 2 },
	[REPL_HEARTBEAT] = { true, false, REPL_HEARTBEAT_HEAD },
	[REPL_STATUS] = { true, false, REPL_STATUS_BYTES },
	[REPL_PING] = { true, false, 0 },
	[REPL_ACCOUNT] = { true, false, REPL_ACCOUNT_BYTES },
	[REPL_USAGE] = { true, true, REPL_USAGE_BYTES },
};

int repl_walk(const uint8_t *records, size_t len, bool ordered, struct repl_walk *walk)
{
	struct rd r = rd_init(records, len), body;
	uint8_t kind;

	*walk = (struct repl_walk){ 0 };
	while (repl_record_next(&r, &kind, &body)) {
		if (kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[kind].known) {
			walk->unknown++;
			continue;
		}
		if (kinds[kind].ordered != ordered || body.left < kinds[kind].least)
			return -EBADMSG;
		if (kind == REPL_HEARTBEAT) {
			if (walk->kinds & 1U << REPL_HEARTBEAT)
				return -EBADMSG;
			walk->hb_sent = rd_u64(&body);
		}
		walk->kinds |= 1U << kind;
	}
	return r.bad ? -EBADMSG : 0;
}

void repl_account_write(struct wr *w, const struct repl_received *a)
{
	wr_u8(w, REPL_ACCOUNT);
	wr_u16(w, REPL_ACCOUNT_BYTES);
	wr_u32(w, a->stream);
	wr_u64(w, a->next);
	wr_u64(w, a->applied);
	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		wr_u64(w, a->refused[i]);
}

int repl_account_read(struct rd *body, struct repl_received *a)
{
	a->stream = rd_u32(body);
	a->next = rd_u64(body);
	a->applied = rd_u64(body);
	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		a->refused[i] = rd_u64(body);
	return body->bad ? -EBADMSG : 0;
}

void repl_ack_write(struct wr *w, const struct repl_ack *a)
{
	uint64_t above = a->largest + 1;

	wr_u8(w, REPL_ACK);
	wr_u16(w, (uint16_t)(REPL_ACK_HEAD + a->n * REPL_ACK_RANGE));
	wr_u32(w, a->stream);
	wr_u64(w, a->largest);
	wr_u32(w, a->delay);
	wr_u8(w, (uint8_t)a->n);
	for (unsigned int i = 0; i < a->n; i++) {
		wr_u32(w, (uint32_t)(above - a->range[i].hi - 1));
		wr_u32(w, (uint32_t)(a->range[i].hi - a->range[i].lo + 1));
		above = a->range[i].lo;
	}
}

int repl_ack_read(struct rd *body, struct repl_ack *a)
{
	uint64_t above;

	a->stream = rd_u32(body);
	a->largest = rd_u64(body);
	a->delay = rd_u32(body);
	a->n = rd_u8(body);
	if (body->bad || a->n == 0 || a->n > REPL_RANGES || a->largest == 0 ||
		a->largest == UINT64_MAX || body->left < (size_t)a->n * REPL_ACK_RANGE)
		return -EBADMSG;
	above = a->largest + 1;
	for (unsigned int i = 0; i < a->n; i++) {
		uint64_t skip = rd_u32(body), run = rd_u32(body);

		/* The first range begins at the largest; number 0 does not exist. */
		if (run == 0 || (skip == 0) != (i == 0) || skip + run >= above)
			return -EBADMSG;
		a->range[i].hi = above - skip - 1;
		a->range[i].lo = above - skip - run;
		above = a->range[i].lo;
	}
	return 0;
}
