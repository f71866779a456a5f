/* SPDX-License-Identifier: BSD-3-Clause */
/* What the stream calls: records are applied, acknowledgements and losses go to those whom they
 * concern. */
#include <errno.h>
#include <string.h>

#include "replicator_priv.h"

enum { REQUESTS = 3, REQUEST_US = 50000 }; /* how often a request is sent, and how far apart */

static int replicator_on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct replicator *r = ctx;
	uint32_t now_s = (uint32_t)(r->now / USEC_PER_SEC);

	if (late) { /* we are active: the owner of the slot writes it */
		struct session_usage u;
		unsigned int w;
		uint32_t handle;
		struct repl_to_worker *m;

		if (session_decode_late(body, &handle, &u) < 0)
			return -EBADMSG;
		m = repl_to_worker_late_usage(r->env.msgs, handle, &u);
		r->count.late_deltas += m != NULL;
		w = r->env.worker_of_shard[session_handle_shard(handle)];
		return repl_to_worker_send(&r->env.to_worker[w], m) < 0 ? -EAGAIN : 0;
	}
	if (kind == REPL_USAGE)
		return session_apply_usage(r->env.table, SESSION_BY_REPL, body);
	if (kind == REPL_SLOT)
		return session_apply_slot(r->env.table, SESSION_BY_REPL, body, now_s);
	return session_apply_delta(r->env.table, SESSION_BY_REPL, body);
}

static void replicator_on_digest(void *ctx, struct rd *body, usec_t now)
{
	struct replicator *r = ctx;

	audit_digest(r->audit, body, now);
}

/* Wants go to the workers that own the buckets, a few in a message. */
static void replicator_want_send(struct replicator *r, unsigned int w)
{
	if (r->want[w] != NULL) /* without room the standby wants it again */
		replicator_to_worker(r, w, r->want[w]);
	r->want[w] = NULL;
}

/* Every worker hashes what is its own. */
static void replicator_want_pass(struct replicator *r, uint32_t request)
{
	for (unsigned int w = 0; w < r->env.n_workers; w++) {
		struct repl_to_worker *m = repl_to_worker_want(r->env.msgs);

		if (m == NULL) {
			r->count.msg_no_room++;
			return;
		}
		m->want.n = 1;
		m->want.want[0].how = AUDIT_WANT_PASS;
		m->want.want[0].bucket = request;
		replicator_to_worker(r, w, m); /* it is asked for more than once */
	}
}

static void replicator_want_buckets(
	struct replicator *r, unsigned int how, uint32_t bucket, uint64_t arg)
{
	uint32_t n = how == AUDIT_WANT_WHOLE
			     ? (uint32_t)RTE_MIN(arg, (uint64_t)REPLICATOR_OUTSTANDING)
			     : 1;

	/* A range of whole buckets may cross shards: hand each bucket to its owner. */
	for (uint32_t i = 0;
		i < n && bucket + i < SESSION_SHARDS * r->env.table->buckets && r->wants_left > 0;
		i++, r->wants_left--) {
		unsigned int w = r->env.worker_of_shard[(bucket + i) / r->env.table->buckets];
		struct repl_to_worker_want *m;

		if (r->want[w] == NULL)
			r->want[w] = repl_to_worker_want(r->env.msgs);
		if (r->want[w] == NULL) {
			r->count.msg_no_room++;
			return;
		}
		m = &r->want[w]->want;
		m->want[m->n].how = (uint8_t)how;
		m->want[m->n].bucket = bucket + i;
		m->want[m->n].arg = how == AUDIT_WANT_WHOLE ? 1 : arg;
		if (++m->n == MSG_WANTS)
			replicator_want_send(r, w);
	}
}

static void replicator_take_want(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct replicator *r = ctx;

	if (how == AUDIT_WANT_PASS && r->wants_left > 0) {
		r->wants_left--;
		replicator_want_pass(r, bucket);
	} else if (how != AUDIT_WANT_PASS) {
		replicator_want_buckets(r, how, bucket, arg);
	}
}

void replicator_request_pass(struct replicator *r)
{
	if (!r->active) {
		audit_request_pass(r->audit, r->now);
		return;
	}
	/* another number than the last one's, of whichever process */
	r->request.number = (uint32_t)r->now | 1;
	r->request.left = REQUESTS;
	r->request.at = 0;
}

/* The active's operator asks for it; a number that comes more than once is one request. */
static void replicator_take_request(void *ctx, unsigned int how, uint32_t request, uint64_t arg)
{
	struct replicator *r = ctx;

	(void)arg;
	if (how != AUDIT_WANT_PASS || request == r->request.heard)
		return;
	r->request.heard = request;
	audit_request_pass(r->audit, r->now);
}

static void replicator_on_want(void *ctx, struct rd *body, usec_t now)
{
	struct replicator *r = ctx;

	(void)now;
	if (!r->active) {
		audit_want_decode(body, replicator_take_request, r);
		return;
	}
	r->wants_left = REPLICATOR_OUTSTANDING; /* a standby has no more open at once */
	audit_want_decode(body, replicator_take_want, r);
	for (unsigned int w = 0; w < r->env.n_workers; w++)
		replicator_want_send(r, w);
}

static void replicator_on_heartbeat(
	void *ctx, struct rd *body, bool fresh, uint64_t peer_pair_ms, usec_t now)
{
	struct replicator *r = ctx;
	struct from_replicator *m;

	if (body->left > MSG_BODY)
		return;
	if (!r->active && fresh && peer_pair_ms > 0) {
		r->pair_offset_us = (int64_t)(peer_pair_ms * 1000) - (int64_t)now;
		repl_pair_time(r->stream, r->pair_offset_us);
	}
	m = from_replicator_heartbeat(r->env.msgs, peer_pair_ms, fresh, now);
	if (m != NULL) {
		m->heartbeat.len = (uint16_t)body->left;
		rd_copy(body, m->heartbeat.body, body->left);
	}
	replicator_to_control(r, m);
}

void replicator_committed(struct replicator *r)
{
	if (r->committed != NULL)
		/* without room the commit timeout opens the gate, and the next one closes it */
		replicator_to_control(r, r->committed);
	r->committed = NULL;
}

static void replicator_on_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct replicator *r = ctx;
	struct msg_entries *to;

	(void)owner;
	for (unsigned int i = 0; i < n; i++) {
		if (repl_entry_commit(e[i]) == 0)
			continue;
		if (r->committed == NULL)
			r->committed = from_replicator_committed(r->env.msgs);
		if (r->committed == NULL) {
			r->count.msg_no_room++;
			return;
		}
		to = &r->committed->committed.entries;
		to->entry[to->n++] = e[i];
		if (to->n == MSG_ENTRIES)
			replicator_committed(r);
	}
}

void replicator_lost(struct replicator *r, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	r->lost_at = r->now;
	if (owner >= r->env.n_workers)
		return;
	while (n > 0) {
		unsigned int k = RTE_MIN(n, (unsigned int)MSG_ENTRIES);
		struct repl_to_worker *m = repl_to_worker_lost(r->env.msgs, e, k);

		if (repl_to_worker_send(&r->env.to_worker[owner], m) < 0) {
			/* Its owner does not learn of it: the stream begins anew, and the audit
			 * finds the slots. */
			r->count.streams_restarted++;
			r->on = false;
			return;
		}
		e += k;
		n -= k;
	}
}

static void replicator_on_peer_new(void *ctx, uint32_t incarnation)
{
	struct replicator *r = ctx;

	(void)incarnation;
	r->on = false; /* another process is there: everything is compared again */
}

static void replicator_on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	struct replicator *r = ctx;

	(void)stream;
	audit_restart(r->audit, now);
}

static void replicator_on_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	struct replicator *r = ctx;

	if (r->active) {
		if (r->request.left == 0 ||
			now - r->request.at < RTE_MAX(2 * pto, (usec_t)REQUEST_US))
			return;
		r->request.left--;
		r->request.at = now;
		audit_want_pass(w, r->request.number);
	} else if (repl_rx_stream(r->stream) != 0) {
		audit_want(r->audit, w, pto, now);
	}
}

static void replicator_on_status(void *ctx, struct repl_status *st)
{
	struct replicator *r = ctx;
	usec_t since = audit_in_sync_since(r->audit);
	struct audit_pass pass;

	audit_pass(r->audit, &pass);
	st->in_sync_since_ms =
		since == USEC_NEVER ? 0 : (uint64_t)((int64_t)since + r->pair_offset_us) / 1000;
	st->buckets = SESSION_SHARDS * r->env.table->buckets;
	st->unmatched = audit_unmatched(r->audit);
	st->differing = pass.differing;
	st->left = pass.left;
}

static uint64_t replicator_hash_bucket(void *ctx, uint32_t bucket)
{
	const struct replicator *r = ctx;

	return session_hash_bucket_in(r->env.table, bucket / r->env.table->buckets,
		bucket % r->env.table->buckets, repl_rx_version(r->stream));
}

static uint64_t replicator_hash_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	const struct replicator *r = ctx;

	return session_hash_slot_in(r->env.table, bucket / r->env.table->buckets,
		bucket % r->env.table->buckets * SESSION_BUCKET + slot, repl_rx_version(r->stream));
}

static bool replicator_bucket_is_empty(void *ctx, uint32_t bucket)
{
	const struct replicator *r = ctx;
	const struct session_slot *s =
		&r->env.table->shard[bucket / r->env.table->buckets]
			 .slots[bucket % r->env.table->buckets * SESSION_BUCKET];

	for (unsigned int i = 0; i < SESSION_BUCKET; i++)
		if (s[i].teid != 0 || s[i].gen != 0)
			return false;
	return true;
}

static void replicator_on_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	replicator_lost(ctx, owner, e, n);
}

void replicator_ops(struct replicator *r, struct repl_ops *ops, struct audit_hash *hash)
{
	*ops = (struct repl_ops){ .state = replicator_on_state,
		.digest = replicator_on_digest,
		.want = replicator_on_want,
		.heartbeat = replicator_on_heartbeat,
		.acked = replicator_on_acked,
		.lost = replicator_on_lost,
		.peer_new = replicator_on_peer_new,
		.stream_new = replicator_on_stream_new,
		.want_fill = replicator_on_want_fill,
		.status = replicator_on_status,
		.ctx = r };
	*hash = (struct audit_hash){ replicator_hash_bucket, replicator_hash_slot,
		replicator_bucket_is_empty, r };
}
