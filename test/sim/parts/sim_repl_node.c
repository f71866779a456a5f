/* SPDX-License-Identifier: BSD-3-Clause */
/* A chassis of the simulation: slots are version numbers, workers encode them, the callbacks check
 * what they are told. */
#include <errno.h>
#include <stdlib.h>

#include "sim_repl.h"

/* ---- the model of a table ---- */

static uint64_t slot_hash(const struct node *n, uint32_t slot)
{
	uint64_t h = ((uint64_t)slot << 32 | n->version[slot]) * UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}
static uint64_t hash_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	return slot_hash(ctx, bucket * 64 + slot) >> 17;
}
static uint64_t hash_bucket(void *ctx, uint32_t bucket)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < 64; i++)
		h = h * 31 + slot_hash(ctx, bucket * 64 + i);
	return h;
}
static bool hash_empty(void *ctx, uint32_t bucket)
{
	const struct node *n = ctx;

	for (uint32_t i = 0; i < 64; i++)
		if (n->version[bucket * 64 + i] != 0)
			return false;
	return true;
}

void node_mark(struct node *n, uint32_t slot)
{
	if (n->dirty[slot])
		return;
	n->dirty[slot] = true;
	n->list[(n->head + n->n_dirty++) % SLOTS] = slot;
}

/* ---- callbacks ---- */

static int on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct node *n = ctx;
	uint32_t slot = rd_u32(body), version = rd_u32(body);
	repl_term_t term = rd_u64(body);

	if (body->bad || slot >= SLOTS)
		return -EBADMSG;
	if (chance(sim.again))
		return -EAGAIN;
	if (late != (bool)(term & USAGE))
		return -EBADMSG; /* what was under way when the roles flipped */
	if (late) {
		if (version > n->usage_heard[slot])
			n->usage_heard[slot] = version;
		return 0;
	}
	if (n->written[slot] == term && version < n->version[slot])
		fail("slot %u went back from %u to %u", slot, n->version[slot], version);
	n->version[slot] = version;
	n->written[slot] = term;
	return 0;
}
static void on_digest(void *ctx, struct rd *body, usec_t now)
{
	audit_digest(((struct node *)ctx)->audit, body, now);
}
static void each_want(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct node *n = ctx;

	for (unsigned int w = 0; w < WORKERS; w++)
		audit_source_want(n->source[w], how, bucket, arg);
}
static void on_want(void *ctx, struct rd *body, usec_t now)
{
	if (audit_want_decode(body, each_want, ctx) < 0)
		fail("malformed WANT");
}
static void on_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t pair_ms, usec_t now) {}
static void on_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct node *me = ctx, *peer = &sim.node[!me->id];
	bool dead = repl_peer_incarnation(me->r) != peer->incarnation;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t slot = repl_entry_handle(e[i]), version = repl_entry_commit(e[i]);
		uint32_t there = me->late ? peer->usage_heard[slot]
				 : dead   ? peer->ghost[slot]
					  : peer->version[slot];

		if (there < version)
			fail("slot %u: version %u acknowledged, peer has %u", slot, version, there);
		if (owner != slot / 64 / PER_SHARD % WORKERS)
			fail("slot %u of another owner", slot);
	}
}
static void on_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		node_mark(ctx, repl_entry_handle(e[i]));
}
void node_join(struct node *n)
{
	for (unsigned int w = 0; w < WORKERS; w++)
		audit_source_join(n->source[w], 100000, sim.now);
}
static void on_peer_new(void *ctx, uint32_t incarnation)
{
	struct node *n = ctx;

	if (n->active)
		node_join(n);
}
static void on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	audit_restart(((struct node *)ctx)->audit, now);
}
static void on_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	audit_want(((struct node *)ctx)->audit, w, pto, now);
}
static void on_status(void *ctx, struct repl_status *st)
{
	struct node *n = ctx;
	usec_t since = audit_in_sync_since(n->audit);

	st->in_sync_since_ms = since == USEC_NEVER ? 0 : since / 1000 + 1;
	st->buckets = BUCKETS;
	st->unmatched = audit_unmatched(n->audit);
}

/* ---- the active's worker ---- */

static void flush(struct node *n)
{
	int len;

	if (n->len == REPL_HEADER)
		return;
	len = repl_seal(n->r, n->pkt, n->len, n->owner, n->entry, n->n_entries, sim.now);
	if (len < 0)
		fail("sealing failed: %d", len);
	else
		wire_put(!n->id, n->pkt, (size_t)len);
	n->len = REPL_HEADER;
	n->n_entries = 0;
}

static struct wr record(struct node *n, enum repl_kind kind, size_t size)
{
	struct wr w;

	if (n->len + 3 + size > PACKET - REPL_TAG || n->n_entries == REPL_ENTRIES)
		flush(n);
	w = wr_init(n->pkt + n->len, 3 + size);
	wr_u8(&w, kind);
	wr_u16(&w, (uint16_t)size);
	n->len += 3 + size;
	return w;
}

static void encode(struct node *n, uint32_t slot)
{
	uint32_t version = n->late ? n->usage[slot] : n->version[slot];
	struct wr w = record(n, REPL_DELTA, 16);

	wr_u32(&w, slot);
	wr_u32(&w, version);
	wr_u64(&w, n->late ? n->term | USAGE : n->term);
	n->dirty[slot] = false;
	n->written[slot] = n->term;
	n->entry[n->n_entries++] = repl_entry(slot, version, 1);
}

static void encode_bucket(struct node *n, uint32_t bucket, uint64_t mask)
{
	for (uint32_t i = 0; i < 64; i++)
		if (mask >> i & 1 || n->dirty[bucket * 64 + i])
			encode(n, bucket * 64 + i);
}

static void carry_out(struct node *n, const struct audit_job *job)
{
	struct wr w;

	for (uint32_t b = job->bucket; b < job->bucket + job->n; b++)
		encode_bucket(n, b, job->what == AUDIT_JOB_SLOTS ? job->mask : 0);
	if (job->what == AUDIT_JOB_LEVEL2) {
		w = record(n, REPL_DIGEST, 5 + 128);
		audit_digest_slots(&w, job->bucket);
		for (unsigned int i = 0; i < 64; i++)
			wr_u16(&w, (uint16_t)hash_slot(n, job->bucket, i));
	} else {
		w = record(n, REPL_DIGEST, 7 + 8 * job->n);
		audit_digest_begin(&w, job->bucket, (uint16_t)job->n);
		for (uint32_t b = job->bucket; b < job->bucket + job->n; b++)
			wr_u64(&w, hash_bucket(n, b));
	}
}

static void audit_turn(struct node *n, unsigned int worker)
{
	for (unsigned int i = 0; i < PAGE; i++) {
		struct audit_job job = audit_source_next(n->source[worker], sim.now);

		if (job.what == AUDIT_JOB_NONE)
			return;
		if (repl_room(n->r) < 8) {
			audit_source_again(n->source[worker], &job);
			return;
		}
		carry_out(n, &job);
	}
}

void node_encode(struct node *n, unsigned int worker)
{
	n->len = REPL_HEADER;
	n->owner = (uint8_t)worker;
	if (n->active)
		audit_turn(n, worker);
	for (unsigned int i = n->n_dirty < 64 ? n->n_dirty : 64; i > 0 && repl_room(n->r) >= 4;
		i--) {
		uint32_t slot = n->list[n->head];

		n->head = (n->head + 1) % SLOTS;
		n->n_dirty--;
		if (n->dirty[slot] && slot / 64 / PER_SHARD % WORKERS != worker) {
			n->dirty[slot] = false;
			node_mark(n, slot);
		} else if (n->dirty[slot]) {
			encode(n, slot);
		}
	}
	flush(n);
}

void node_traffic(struct node *n)
{
	uint32_t slot = (uint32_t)rnd(SLOTS);

	if (rnd(3) != 0)
		slot %= 300; /* a few are hot */
	n->version[slot] = ++sim.version;
	sim.changed[slot] = sim.now;
	n->written[slot] = n->term;
	node_mark(n, slot);
}

static void *mem_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}
static void mem_free(void *ctx, void *p)
{
	free(p);
}

void node_start(struct node *n, uint32_t incarnation)
{
	struct repl_ops ops = { on_state, on_digest, on_want, on_heartbeat, on_acked, on_lost,
		on_peer_new, on_stream_new, on_want_fill, on_status, n };
	struct repl_params p = { .incarnation = incarnation,
		.heartbeat_us = 10000,
		.life_us = LIFE,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = &ops,
		.alloc = mem_alloc,
		.free = mem_free };
	struct audit_hash hash = { hash_bucket, hash_slot, hash_empty, n };

	n->incarnation = incarnation;
	n->number = 0;
	n->r = repl_create(&p, sim.now);
	n->audit = audit_create(BUCKETS, 16, &hash);
	for (unsigned int w = 0; w < WORKERS; w++)
		n->source[w] = audit_source_create(UINT64_C(0x5555555555555555) << w, PER_SHARD);
	repl_heartbeat(n->r, 1, (const uint8_t *)"hb", 2);
}

void node_stop(struct node *n)
{
	repl_destroy(n->r);
	audit_destroy(n->audit);
	for (unsigned int w = 0; w < WORKERS; w++)
		audit_source_destroy(n->source[w]);
}
