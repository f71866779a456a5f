/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_repl: packets into repl_input, and what it lets through into the audit's decoders. The input
 * is a chain of `how u8 | length u16 | bytes`; `how` says how much of the header is made good
 * first, so that the records are reached. */
#include <errno.h>
#include <stdlib.h>

#include "repl/audit.h"
#include "repl/repl.h"
#include "repl_wire.h"

enum { ME = 1, PEER = 2, BUCKETS = 64 };

enum {
	FIX_HEADER = 1 << 0,
	FIX_NUMBER = 1 << 1,
	FIX_SENT = 1 << 2,
	TIME_PASSES = 1 << 3,
	LATE = 1 << 4,
	STOP = 1 << 5,
	SEAL = 1 << 6,
	POLL = 1 << 7,
};

struct target {
	struct repl *r;
	struct audit *audit;
	struct audit_source *source;
	usec_t now;
	uint64_t number;
};

static int on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	switch (rd_u8(body) % 4) {
	case 0:
		return -EAGAIN;
	case 1:
		return -EBADMSG;
	default:
		return 0;
	}
}
static void on_digest(void *ctx, struct rd *body, usec_t now)
{
	audit_digest(((struct target *)ctx)->audit, body, now);
}
static void each_want(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	audit_source_want(((struct target *)ctx)->source, how, bucket, arg);
}
static void on_want(void *ctx, struct rd *body, usec_t now)
{
	audit_want_decode(body, each_want, ctx);
}
static void on_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t pair_ms, usec_t now) {}
static void on_entries(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (repl_entry_handle(e[i]) != 7)
			abort(); /* an entry that was never sealed */
}
static void on_peer_new(void *ctx, uint32_t incarnation) {}
static void on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	audit_restart(((struct target *)ctx)->audit, now);
}
static void on_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	audit_want(((struct target *)ctx)->audit, w, pto, now);
}
static void on_status(void *ctx, struct repl_status *st)
{
	st->unmatched = audit_unmatched(((struct target *)ctx)->audit);
}
static void *mem_alloc(void *ctx, size_t size)
{
	/* zeroing it is much quicker than new memory for each run */
	static uint64_t mem[(4 << 20) / 8];

	if (size > sizeof(mem))
		abort();
	return memset(mem, 0, size);
}
static void mem_free(void *ctx, void *p) {}
static uint64_t hash_bucket(void *ctx, uint32_t bucket)
{
	return bucket % 3;
}
static uint64_t hash_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	return slot % 2;
}
static bool hash_empty(void *ctx, uint32_t bucket)
{
	return bucket % 8 < 4;
}

static void start(struct target *t)
{
	struct repl_ops ops = { on_state, on_digest, on_want, on_heartbeat, on_entries, on_entries,
		on_peer_new, on_stream_new, on_want_fill, on_status, t };
	struct repl_params p = { .incarnation = ME,
		.heartbeat_us = 10000,
		.life_us = 15000,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = &ops,
		.alloc = mem_alloc,
		.free = mem_free };
	struct audit_hash hash = { hash_bucket, hash_slot, hash_empty, NULL };

	*t = (struct target){ .r = repl_create(&p, 0),
		.audit = audit_create(BUCKETS, 8, &hash),
		.source = audit_source_create(UINT64_MAX, BUCKETS / 64) };
	if (t->r == NULL || t->audit == NULL || t->source == NULL)
		abort();
	repl_heartbeat(t->r, 2, (const uint8_t *)"x", 1);
	repl_receive(t->r, REPL_RX_APPLY, 2, 0);
	repl_stream_start(t->r, 3, 0);
	audit_source_join(t->source, 1000, 0);
}

static void good_header(struct target *t, unsigned int how, uint8_t *pkt)
{
	struct repl_header h;

	repl_header_read(pkt, &h);
	h.version = wire_spoken.version_min;
	h.key = 0;
	h.flags &= REPL_F_ORDERED;
	h.sender = PEER;
	h.receiver = ME;
	h.term = 2;
	h.stream = h.stream % 4 + 1;
	if (how & FIX_NUMBER)
		h.number = ++t->number;
	h.offset = h.number > 0 ? (uint32_t)(h.number - 1) : 0;
	if (how & FIX_SENT)
		h.sent = (uint32_t)t->now;
	repl_header_write(pkt, &h);
}

/* What the two cores ask of the audit from time to time. */
static void audits(struct target *t, unsigned int which)
{
	struct audit_job job = audit_source_next(t->source, t->now);
	struct audit_progress progress;
	struct audit_pass pass;

	audit_scan(t->audit);
	if (which == 0 && job.what != AUDIT_JOB_NONE)
		audit_source_again(t->source, &job);
	if (which == 1)
		audit_source_pass(t->source);
	if (which == 2)
		audit_request_pass(t->audit, t->now);
	audit_source_progress(t->source, &progress);
	audit_pass(t->audit, &pass);
	if (audit_unmatched(t->audit) > BUCKETS)
		abort();
}

static void one(struct target *t, unsigned int how, const uint8_t *data, size_t size)
{
	static const repl_entry_t entry = (uint64_t)7 << 32;
	uint8_t out[1400];
	uint8_t *pkt = malloc(size > 0 ? size : 1);

	if (pkt == NULL)
		abort();
	memcpy(pkt, data, size);
	if (how & FIX_HEADER && size >= REPL_HEADER)
		good_header(t, how, pkt);
	if (how & TIME_PASSES)
		t->now += (usec_t)700 << (size % 8);
	if (how & STOP)
		repl_receive_stop(t->r, t->now);
	if (how & (STOP | LATE))
		repl_receive(t->r, how & LATE ? REPL_RX_LATE : REPL_RX_APPLY, 2, 2);
	if (how & SEAL)
		repl_seal(t->r, out, REPL_HEADER, 0, &entry, 1, t->now);
	repl_input(t->r, pkt, size, t->now);
	repl_tick(t->r, t->now);
	free(pkt);
	if (!(how & POLL))
		return;
	audits(t, size % 16);
	for (unsigned int i = 0; repl_poll(t->r, out, sizeof(out), t->now) > 0; i++)
		if (i > 3)
			abort(); /* it must come to an end */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	struct target t;

	start(&t);
	while (in.left > 0 && !in.bad) {
		unsigned int how = rd_u8(&in);
		uint16_t len = rd_u16(&in);
		struct rd pkt = rd_sub(&in, len < in.left ? len : in.left);

		if (!pkt.bad)
			one(&t, how, pkt.p, pkt.left);
	}
	repl_destroy(t.r);
	audit_destroy(t.audit);
	audit_source_destroy(t.source);
	return 0;
}
