/* SPDX-License-Identifier: BSD-3-Clause */
/* A chassis: its replication core, wired as app/tandem/replicator.c wires it, and the steps of a
 * change of roles. */
#include <errno.h>
#include <stdlib.h>

#include "sim_pair.h"

enum { BURST = 32, OUTSTANDING = 256 };

static uint32_t table_seconds(const struct node *n)
{
	return (uint32_t)(n->now / SECOND);
}

/* ---- what the stream calls ---- */

/* Every one of them is a DELTA; those whose session is there are applied. */
static int apply_usage(struct node *n, struct rd *body)
{
	struct rd in = *body;
	uint32_t handle[REPL_PACKET_MAX / SESSION_USAGE_BYTES];
	int here = 0, ret;

	for (size_t i = body->left / SESSION_USAGE_BYTES; i > 0; i--) {
		handle[here] = rd_u32(&in);
		here += session_find(n->t, handle[here]) != NULL;
		rd_bytes(&in, SESSION_USAGE_BYTES - 4);
	}
	ret = session_apply_usage(n->t, SESSION_BY_REPL, body);
	if (ret != here)
		fail("chassis %u: usage of %d sessions came, %d were applied", n->id, here, ret);
	for (int i = 0; i < here; i++)
		check_applied(n, REPL_DELTA, handle[i], SESSION_G_USAGE32);
	return ret;
}

static int on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct node *n = ctx;
	struct rd head = *body;
	uint32_t handle = rd_u32(&head);
	uint8_t groups = rd_u8(&head);
	struct note note = { .what = NOTE_LATE };
	int ret;

	if (late) {
		if (session_decode_late(body, &note.handle, &note.usage) < 0) {
			fail("chassis %u: a late record that is none", n->id);
			return -EBADMSG;
		}
		return worker_note(&n->w[session_handle_shard(note.handle) % n->n_workers], &note)
			       ? 0
			       : -EAGAIN;
	}
	if (kind == REPL_USAGE)
		return apply_usage(n, body);
	if (kind == REPL_SLOT)
		ret = session_apply_slot(n->t, SESSION_BY_REPL, body, table_seconds(n));
	else
		ret = session_apply_delta(n->t, SESSION_BY_REPL, body);
	if (ret == 0)
		check_applied(n, kind, handle, groups);
	else if (ret != -ESTALE)
		fail("chassis %u: a record of %08x was refused: %d", n->id, handle, ret);
	return ret;
}

static void on_digest(void *ctx, struct rd *body, usec_t now)
{
	audit_digest(((struct node *)ctx)->audit, body, now);
}

static void want_one(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct node *n = ctx;
	uint32_t many = how == AUDIT_WANT_WHOLE ? (uint32_t)RTE_MIN(arg, (uint64_t)OUTSTANDING) : 1;

	for (uint32_t i = 0; i < many && bucket + i < BUCKETS; i++) {
		struct note note = { .what = NOTE_WANT };

		note.want.how = how;
		note.want.bucket = bucket + i;
		note.want.arg = how == AUDIT_WANT_WHOLE ? 1 : arg;
		worker_note(&n->w[(bucket + i) / n->t->buckets % n->n_workers], &note);
	}
}

static void on_want(void *ctx, struct rd *body, usec_t now)
{
	struct node *n = ctx;

	if (n->active && audit_want_decode(body, want_one, n) < 0)
		fail("malformed WANT");
}

static void on_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t peer_pair_ms, usec_t now)
{
	struct node *n = ctx;

	if (!n->active && fresh && peer_pair_ms > 0)
		repl_pair_time(n->r, (int64_t)(peer_pair_ms * 1000) - (int64_t)now);
}

static void on_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (repl_entry_commit(e[i]) != 0)
			check_commit(ctx, repl_entry_handle(e[i]), repl_entry_commit(e[i]));
}

static void on_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct node *me = ctx;

	me->lost_at = me->now;
	for (unsigned int i = 0; i < n; i++)
		if (!worker_note(&me->w[owner], &(struct note){ .what = NOTE_LOST, .entry = e[i] }))
			me->on = false; /* the stream begins anew */
}

static void on_peer_new(void *ctx, uint32_t incarnation)
{
	((struct node *)ctx)->on = false;
}

static void on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	audit_restart(((struct node *)ctx)->audit, now);
}

static void on_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	struct node *n = ctx;

	if (!n->active && repl_rx_stream(n->r) != 0)
		audit_want(n->audit, w, pto, now);
}

static void on_status(void *ctx, struct repl_status *st)
{
	struct node *n = ctx;
	usec_t since = audit_in_sync_since(n->audit);

	/* Pair time is the virtual time here, near enough; 0 means never. */
	st->in_sync_since_ms = since == USEC_NEVER ? 0 : (since - n->clock) / 1000 + 1;
	st->buckets = BUCKETS;
	st->unmatched = audit_unmatched(n->audit);
}

static uint64_t hash_bucket(void *ctx, uint32_t bucket)
{
	struct node *n = ctx;

	return session_hash_bucket_in(
		n->t, bucket / n->t->buckets, bucket % n->t->buckets, repl_rx_version(n->r));
}

static uint64_t hash_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	struct node *n = ctx;

	return session_hash_slot_in(n->t, bucket / n->t->buckets,
		bucket % n->t->buckets * SESSION_BUCKET + slot, repl_rx_version(n->r));
}

static bool bucket_empty(void *ctx, uint32_t bucket)
{
	const struct node *n = ctx;
	const struct session_slot *s = &n->t->shard[0].slots[bucket * SESSION_BUCKET];

	for (unsigned int i = 0; i < SESSION_BUCKET; i++)
		if (s[i].teid != 0 || s[i].gen != 0)
			return false;
	return true;
}

/* ---- the replication core's turn ---- */

static void workers_stream(struct node *n, bool on, bool late)
{
	for (unsigned int w = 0; w < n->n_workers; w++)
		if (!worker_note(&n->w[w],
			    &(struct note){ .what = NOTE_STREAM, .on = on, .late = late }))
			n->on = false;
	if (!on && n->id == sim.active)
		sim.n_pending = 0; /* the gate opens: whoever waits is answered unprotected */
}

static void presence(struct node *n)
{
	usec_t heard = repl_heard(n->r);
	bool there = heard != USEC_NEVER && n->now - RTE_MIN(heard, n->now) < PRESENT &&
		     repl_hears_us(n->r);

	if (!n->active)
		return;
	if (there && !n->on) {
		repl_stream_start(n->r, n->term, n->now);
		n->on = true;
		workers_stream(n, true, false);
	} else if (!there && n->on) {
		n->on = false;
		repl_stream_stop(n->r);
		workers_stream(n, false, false);
	}
}

static void send_state(struct node *n)
{
	unsigned int first = n->next_worker;

	for (unsigned int turn = 0; turn < n->n_workers; turn++) {
		unsigned int w = (first + turn) % n->n_workers;
		struct rte_mbuf *m[BURST];
		unsigned int k = n->on ? RTE_MIN(repl_room(n->r), (unsigned int)BURST) : BURST;

		k = rte_ring_dequeue_burst(pair_ring(n->id, w), (void **)m, k, NULL);
		if (k > 0) /* where the window is small, each has its turn */
			n->next_worker = w + 1;
		for (unsigned int i = 0; i < k; i++) {
			struct stream_meta *meta = rte_mbuf_to_priv(m[i]);
			uint8_t *bytes = rte_pktmbuf_mtod(m[i], uint8_t *);
			int len = n->on ? repl_seal(n->r, bytes, m[i]->data_len, meta->owner,
						  meta->entry, meta->n, n->now)
					: -ENOTCONN;

			if (len > 0) {
				flight_start(n, meta->entry, meta->n);
				wire_put(!n->id, bytes, (size_t)len);
			} else {
				on_lost(n, meta->owner, meta->entry, meta->n);
			}
			rte_pktmbuf_free(m[i]);
		}
	}
}

static void drained(struct node *n)
{
	if (!n->draining || repl_unacked(n->r) > 0)
		return;
	for (unsigned int w = 0; w < n->n_workers; w++)
		if (!rte_ring_empty(pair_ring(n->id, w)) || n->w[w].head != n->w[w].tail)
			return;
	if (n->lost_at != 0 && n->now - n->lost_at < LOST_QUIET)
		return;
	n->draining = false;
	n->drained = true;
}

static void view(struct node *n)
{
	if (n->now < n->next_view)
		return;
	n->next_view = n->now + 1000;
	if (!n->active) {
		session_quarantine_expire(
			n->t, SESSION_BY_REPL, n->quarantine_shard, table_seconds(n), 64);
		n->quarantine_shard = (n->quarantine_shard + 1) % SESSION_SHARDS;
	}
	audit_scan(n->audit);
}

/* Late mode is over at every worker: its usage has left; once it is acknowledged, the late stream
 * ends. */
static void late_end(struct node *n)
{
	bool over = n->late;

	for (unsigned int w = 0; w < n->n_workers; w++)
		over &= n->w[w].late_over;
	if (!over)
		return;
	if (!n->drained) {
		n->draining = true;
		return;
	}
	n->drained = n->late = n->on = false;
	sim.ended_late++;
	story("chassis %u: late usage is through", n->id);
	n->t->late_merge = false;
	repl_stream_stop(n->r);
	workers_stream(n, false, false);
}

void node_turn(struct node *n)
{
	uint8_t buf[PACKET];
	size_t len;

	n->now = sim.now + n->clock;
	if (!n->up)
		return;
	for (unsigned int w = 0; w < n->n_workers; w++)
		worker_turn(n, w);
	if (sim.now < n->stalled_until)
		return; /* the replication core alone stands still */
	wire_run(n->id);
	late_end(n);
	presence(n);
	repl_tick(n->r, n->now);
	send_state(n);
	while ((len = repl_poll(n->r, buf, sizeof(buf), n->now)) > 0)
		wire_put(!n->id, buf, len);
	drained(n);
	view(n);
	if (repl_unacked(n->r) > REPL_WINDOW)
		fail("chassis %u: %u packets unacknowledged", n->id, repl_unacked(n->r));
}

/* ---- roles ---- */

static void own(struct node *n, bool workers)
{
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(n->t, i, workers ? (uint8_t)(i % n->n_workers) : SESSION_BY_REPL);
}

void node_promote(struct node *n, repl_term_t term, repl_term_t old_term)
{
	n->late = n->on = n->draining = n->drained = false;
	n->t->late_merge = false;
	own(n, true);
	n->active = true;
	n->term = term;
	n->old_term = old_term;
	sim.active = n->id;
	sim.term = term;
	sim.n_pending = 0;
	worker_own(n);
	repl_stream_stop(n->r);
	workers_stream(n, false, false);
	repl_receive(n->r, old_term != 0 ? REPL_RX_LATE : REPL_RX_NONE, term, old_term);
	repl_heartbeat(n->r, term, (const uint8_t *)"hb", 2);
}

/* Stays active, in a new term: a switchover was given up. */
void node_raise(struct node *n, repl_term_t term)
{
	node_promote(n, term, 0);
}

/* Standby; old_term: its own usage of that term still goes out. */
void node_write(struct node *n, repl_term_t term, repl_term_t old_term)
{
	own(n, false);
	n->active = n->on = n->draining = n->drained = false;
	n->term = term;
	n->late = old_term != 0;
	n->t->late_merge = n->late;
	audit_restart(n->audit, n->now);
	repl_receive(n->r, REPL_RX_APPLY, term, 0);
	repl_heartbeat(n->r, term, (const uint8_t *)"hb", 2);
	if (n->late) {
		repl_stream_late(n->r, old_term, n->now);
		n->on = true;
		workers_stream(n, true, true);
	} else {
		repl_stream_stop(n->r);
		workers_stream(n, false, false);
		worker_release(n);
	}
}

/* ---- life ---- */

static void index_set(void *ctx, uint64_t key, uint32_t handle, bool live)
{
	uint32_t *e = &((struct node *)ctx)->index[key % KEYS];

	if (live)
		*e = handle;
	else if (*e == handle)
		*e = 0;
}

static void *mem_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}

static void mem_free(void *ctx, void *p)
{
	free(p);
}

static void tables(struct node *n)
{
	struct session_params p = { .capacity = CAPACITY,
		.side = (uint8_t)n->id,
		.quarantine_s = QUARANTINE,
		.mem = &session_mem_libc };
	struct pool_conf conf = { .name = "pool",
		.prefix = { ip_addr_v4(0x0a000000), 32 - POOL_BITS } };

	n->ps = pool_set_create(&conf, 1, &session_mem_libc);
	if (n->ps == NULL)
		abort();
	pool_hooks(n->ps, &p.hooks);
	p.hooks.index = index_set;
	p.hooks.index_ctx = n;
	n->t = session_table_create(&p);
	if (n->t == NULL)
		abort();
	memset(n->index, 0, sizeof(n->index));
}

/* A new process; keep: with the table that it had before. Begins as standby of nobody. */
void node_start(struct node *n, bool keep)
{
	struct repl_ops ops = { on_state, on_digest, on_want, on_heartbeat, on_acked, on_lost,
		on_peer_new, on_stream_new, on_want_fill, on_status, n };
	struct audit_hash hash = { hash_bucket, hash_slot, bucket_empty, n };
	struct repl_params p = { .incarnation = 0x100 * (n->id + 1) + (uint32_t)++sim.restarts,
		.heartbeat_us = BEAT,
		.life_us = 30000,
		.gap_us = 1000,
		.gap_packets = 3,
		.version_max = version_of(n->id),
		.ops = &ops,
		.alloc = mem_alloc,
		.free = mem_free };

	n->now = sim.now + n->clock;
	if (!keep)
		tables(n);
	n->incarnation = p.incarnation;
	n->r = repl_create(&p, n->now);
	n->audit = audit_create(BUCKETS, OUTSTANDING, &hash);
	if (n->r == NULL || n->audit == NULL)
		abort();
	repl_version(n->r, version_agreed());
	n->n_workers = 1 + (unsigned int)rnd(WORKERS);
	memset(n->w, 0, sizeof(n->w));
	for (unsigned int w = 0; w < n->n_workers; w++) {
		uint64_t shards =
			n->n_workers == 1 ? UINT64_MAX : UINT64_C(0x5555555555555555) << w;

		if (sync_init(&n->w[w].sync, n->t, (uint8_t)w, shards, SLOTS, INTERVAL,
			    pair_mbufs(), pair_ring(n->id, w), sim.payload, &session_mem_libc) < 0)
			abort();
	}
	for (uint32_t i = 0; keep && i < SLOTS; i++) {
		n->t->shard[0].slots[i].dirty = 0; /* a table of a new process is listed nowhere */
		n->t->shard[0].slots[i].listed = 0;
	}
	n->up = true;
	n->stalled_until = n->next_view = n->lost_at = 0;
	n->active = n->late = n->on = n->draining = n->drained = false;
	n->t->late_merge = false;
	node_write(n, sim.term, 0);
}

void node_stop(struct node *n, bool keep)
{
	struct rte_mbuf *m;

	for (unsigned int w = 0; n->up && w < n->n_workers; w++) {
		sync_fini(&n->w[w].sync, &session_mem_libc);
		while (rte_ring_dequeue(pair_ring(n->id, w), (void **)&m) == 0)
			rte_pktmbuf_free(m);
	}
	if (n->up) {
		audit_destroy(n->audit);
		repl_destroy(n->r);
	}
	if (!keep) {
		session_table_destroy(n->t);
		pool_set_destroy(n->ps);
		n->t = NULL;
		n->ps = NULL;
	}
	n->up = false;
}
