/* SPDX-License-Identifier: BSD-3-Clause */
/* repl_rig: one struct repl under test and a hand-made peer: packets are written field by field,
 * callbacks recorded. */
#ifndef TANDEM_REPL_RIG_H
#define TANDEM_REPL_RIG_H

#include <errno.h>

#include "repl/repl.h"
#include "repl_wire.h"
#include "ut.h"

enum { RIG_ME = 0x1111, RIG_PEER = 0x2222, RIG_LOG = 512, RIG_TERM = 9 };

struct rig {
	struct repl *r;
	usec_t now;
	uint8_t pkt[REPL_PACKET_MAX];
	size_t len;
	/* what came out of the callbacks */
	unsigned int n_applied, n_digests, n_wants, n_acked, n_lost, n_new, n_streams, n_hb,
		n_fresh;
	uint32_t applied[RIG_LOG]; /* first 4 bytes of each state record */
	bool late[RIG_LOG];
	repl_entry_t acked[RIG_LOG], lost[RIG_LOG];
	uint32_t incarnation, stream;
	uint64_t pair_ms;
	/* what the callbacks answer */
	int state_ret;
	unsigned int want_bytes;
	struct repl_status status;
};

static int rig_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct rig *g = ctx;

	if (g->n_applied < RIG_LOG) {
		g->late[g->n_applied] = late;
		g->applied[g->n_applied++] = rd_u32(body);
	}
	return g->state_ret;
}
static void rig_digest(void *ctx, struct rd *body, usec_t now)
{
	((struct rig *)ctx)->n_digests++;
}
static void rig_want(void *ctx, struct rd *body, usec_t now)
{
	((struct rig *)ctx)->n_wants++;
}
static void rig_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t pair_ms, usec_t now)
{
	struct rig *g = ctx;

	g->n_hb++;
	g->n_fresh += fresh;
	g->pair_ms = pair_ms;
}
static void rig_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct rig *g = ctx;

	for (unsigned int i = 0; i < n && g->n_acked < RIG_LOG; i++)
		g->acked[g->n_acked++] = e[i];
}
static void rig_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct rig *g = ctx;

	for (unsigned int i = 0; i < n && g->n_lost < RIG_LOG; i++)
		g->lost[g->n_lost++] = e[i];
}
static void rig_peer_new(void *ctx, uint32_t incarnation)
{
	struct rig *g = ctx;

	g->n_new++;
	g->incarnation = incarnation;
}
static void rig_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	struct rig *g = ctx;

	g->n_streams++;
	g->stream = stream;
}
static void rig_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	struct rig *g = ctx;

	if (g->want_bytes > 0)
		wr_room(w, g->want_bytes);
}
static void rig_status(void *ctx, struct repl_status *st)
{
	*st = ((struct rig *)ctx)->status;
}
static void *rig_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}
static void rig_free(void *ctx, void *p)
{
	free(p);
}

static inline struct repl_ops rig_ops(void *ctx)
{
	return (struct repl_ops){ rig_state, rig_digest, rig_want, rig_heartbeat, rig_acked,
		rig_lost, rig_peer_new, rig_stream_new, rig_want_fill, rig_status, ctx };
}

static inline struct repl_params rig_params(const struct repl_ops *ops)
{
	return (struct repl_params){ .incarnation = RIG_ME,
		.heartbeat_us = 10000,
		.life_us = 15000,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = ops,
		.alloc = rig_alloc,
		.free = rig_free };
}

static inline void rig_start(struct rig *g)
{
	struct repl_ops ops = rig_ops(g);
	struct repl_params p = rig_params(&ops);

	*g = (struct rig){ .now = 1000000 };
	g->r = repl_create(&p, g->now);
	if (g->r == NULL)
		abort();
}

static inline void rig_stop(struct rig *g)
{
	repl_destroy(g->r);
}

/* A packet of the peer's: header now, records by rig_rec, off with rig_send. Stream 5 begins at
 * number 1. */
static inline struct repl_header rig_header(const struct rig *g, uint64_t number, uint8_t flags)
{
	return (struct repl_header){ .version = wire_spoken.version_min,
		.flags = flags,
		.number = number,
		.sender = RIG_PEER,
		.receiver = RIG_ME,
		.term = RIG_TERM,
		.stream = 5,
		.offset = (uint32_t)(number - 1),
		.sent = (uint32_t)g->now };
}

static inline void rig_open(struct rig *g, const struct repl_header *h)
{
	repl_header_write(g->pkt, h);
	g->len = REPL_HEADER;
}

static inline void rig_rec(struct rig *g, uint8_t kind, const void *body, size_t n)
{
	struct wr w = wr_init(g->pkt + g->len, sizeof(g->pkt) - g->len);

	wr_u8(&w, kind);
	wr_u16(&w, (uint16_t)n);
	wr_bytes(&w, body, n);
	g->len += REPL_RECORD + n;
}

static inline void rig_send(struct rig *g)
{
	repl_input(g->r, g->pkt, g->len, g->now);
}

/* An ordered packet with one DELTA that carries `value`. */
static inline void rig_delta(struct rig *g, const struct repl_header *h, uint32_t value)
{
	uint8_t body[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };

	rig_open(g, h);
	rig_rec(g, REPL_DELTA, body, sizeof(body));
	rig_send(g);
}

/* The usual one: the value is the number. */
static inline void rig_state_packet(struct rig *g, uint64_t number)
{
	struct repl_header h = rig_header(g, number, REPL_F_ORDERED);

	rig_delta(g, &h, (uint32_t)number);
}

static inline void rig_heartbeat_packet(
	struct rig *g, const struct repl_header *h, uint64_t sent, uint64_t pair_ms)
{
	uint8_t body[REPL_HEARTBEAT_HEAD];
	struct wr w = wr_init(body, sizeof(body));
	struct repl_header stamped = *h;

	stamped.sent = (uint32_t)sent;
	wr_u64(&w, sent);
	wr_u64(&w, pair_ms);
	rig_open(g, &stamped);
	rig_rec(g, REPL_HEARTBEAT, body, sizeof(body));
	rig_send(g);
}

/* An ACK from the peer of [lo, hi] in our stream. */
static inline void rig_ack(
	struct rig *g, uint64_t number, uint32_t stream, uint64_t lo, uint64_t hi)
{
	struct repl_header h = rig_header(g, number, 0);
	struct repl_ack a = { .stream = stream, .largest = hi, .n = 1, .range = { { lo, hi } } };
	struct wr w = wr_init(g->pkt + REPL_HEADER, 600);

	rig_open(g, &h);
	repl_ack_write(&w, &a);
	g->len = (size_t)(w.p - g->pkt);
	rig_send(g);
}

/* Seals a packet of one entry; its number. */
static inline uint64_t rig_seal(struct rig *g, uint32_t handle)
{
	uint8_t out[REPL_HEADER + 8] = { 0 };
	repl_entry_t e = repl_entry(handle, 0, 1);
	struct wr w = wr_init(out + REPL_HEADER, 8);

	wr_u8(&w, REPL_DELTA);
	wr_u16(&w, 4);
	wr_u32(&w, handle);
	return repl_seal(g->r, out, REPL_HEADER + 7, 1, &e, 1, g->now) > 0 ? repl_last_number(g->r)
									   : 0;
}

/* Polls until nothing is due: the ACK among it (n 0: none) and the kinds sent. */
static inline uint32_t rig_poll(struct rig *g, struct repl_ack *ack)
{
	uint8_t buf[1400];
	uint32_t kinds = 0;
	size_t len;

	ack->n = 0;
	while ((len = repl_poll(g->r, buf, sizeof(buf), g->now)) > 0) {
		struct rd in = rd_init(buf + REPL_HEADER, len - REPL_HEADER), body;
		uint8_t kind;

		while (repl_record_next(&in, &kind, &body)) {
			kinds |= 1U << kind;
			if (kind == REPL_ACK)
				CU_ASSERT_EQUAL(repl_ack_read(&body, ack), 0);
		}
		CU_ASSERT_FALSE(in.bad);
	}
	return kinds;
}

/* Standby with the peer's stream, or active with a stream of its own (first number *first) and a
 * peer that was heard. */
static inline void rig_standby(struct rig *g)
{
	rig_start(g);
	repl_receive(g->r, REPL_RX_APPLY, RIG_TERM, 0);
}
static inline void rig_active(struct rig *g)
{
	struct repl_header h;

	rig_start(g);
	h = rig_header(g, 1, 0);
	rig_heartbeat_packet(g, &h, g->now, 0);
	repl_stream_start(g->r, RIG_TERM, g->now);
}

/* test_repl_usage.c */
void test_usages(void);

#endif
