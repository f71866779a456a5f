/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "sync.h"

enum { AHEAD = 4 }; /* slots that a pass over a bucket asks for before their turn */
enum { USAGE = SESSION_G_USAGE32 | SESSION_G_USAGE64 | SESSION_G_OTHER64 };

int sync_init(struct sync *s, struct session_table *t, uint8_t worker, uint64_t shards,
	uint32_t max_slots, usec_t interval_us, struct rte_mempool *pool, struct rte_ring *out,
	uint16_t payload, const struct session_mem *mem)
{
	memset(s, 0, sizeof(*s));
	s->table = t;
	s->worker = worker;
	s->pool = pool;
	s->out = out;
	s->payload = payload;
	s->version = wire_spoken.version_min;
	s->tick_us = interval_us / SYNC_TICKS;
	s->limits = &flow_unlimited;
	s->bulk_most = UINT32_MAX;
	if (dirty_init(&s->dirty, max_slots, SYNC_TICKS, mem) < 0)
		return -ENOMEM;
	s->source = audit_source_create(shards, t->buckets);
	if (s->source == NULL) {
		dirty_fini(&s->dirty, mem);
		return -ENOMEM;
	}
	return 0;
}

void sync_fini(struct sync *s, const struct session_mem *mem)
{
	if (s->table == NULL)
		return;
	rte_pktmbuf_free(s->open);
	audit_source_destroy(s->source);
	dirty_fini(&s->dirty, mem);
}

static struct stream_meta *meta_of(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

void sync_version(struct sync *s, uint8_t version)
{
	s->version = version;
}

void sync_stream(struct sync *s, bool on, bool late, usec_t audit_us, usec_t now)
{
	struct rte_mbuf *open = s->open;

	/* What was not finished was meant for another stream, perhaps of another kind: dirty
	 * again. */
	s->open = NULL;
	s->urgent = false;
	s->run = NULL;
	if (open != NULL) {
		s->count.dropped_records += meta_of(open)->n;
		sync_lost(s, meta_of(open)->entry, meta_of(open)->n);
	}
	rte_pktmbuf_free(open);
	s->on = on;
	s->late = on && late;
	s->paused = false;
	s->job.what = AUDIT_JOB_NONE;
	if (on && !late) {
		audit_source_join(s->source, audit_us, now);
		s->count.joins++;
	} else {
		audit_source_stop(s->source);
	}
}

void sync_times(struct sync *s, usec_t checkpoint_us, usec_t audit_us, usec_t now)
{
	s->tick_us = checkpoint_us / SYNC_TICKS;
	if (s->next_tick > now + s->tick_us)
		s->next_tick = now + s->tick_us;
	audit_source_interval(s->source, audit_us, now);
}

static bool sync_packet_open(struct sync *s, usec_t now)
{
	uint8_t *p;

	if (rte_ring_full(s->out)) {
		s->count.no_room++;
		return false;
	}
	if (s->bulk_most != UINT32_MAX &&
		(s->bulk_left-- == 0 || rte_ring_count(s->out) >= s->bulk_most))
		return false;
	s->open = rte_pktmbuf_alloc(s->pool);
	if (s->open == NULL) {
		s->count.no_mbuf++;
		return false;
	}
	p = rte_pktmbuf_mtod(s->open, uint8_t *);
	s->w = wr_init(p + REPL_HEADER, s->payload - REPL_HEADER);
	meta_of(s->open)->n = 0;
	meta_of(s->open)->owner = s->worker;
	meta_of(s->open)->version = s->version;
	s->opened = now;
	return true;
}

/* The record at the end of the packet is complete. */
static void sync_run_close(struct sync *s)
{
	size_t len = s->run != NULL ? (size_t)(s->w.p - s->run) - REPL_RECORD_HEAD : 0;

	if (s->run == NULL)
		return;
	s->run[1] = (uint8_t)(len >> 8);
	s->run[2] = (uint8_t)len;
	s->run = NULL;
}

static void sync_packet_close(struct sync *s)
{
	struct rte_mbuf *m = s->open;

	if (m == NULL)
		return;
	sync_run_close(s);
	m->data_len = (uint16_t)(s->w.p - rte_pktmbuf_mtod(m, uint8_t *));
	m->pkt_len = m->data_len;
	s->open = NULL;
	s->urgent = false;
	s->count.packets++;
	if (rte_ring_enqueue(s->out, m) <
		0) /* room was there when the packet was opened, and we alone fill it */
		rte_pktmbuf_free(m);
}

/* An open packet with room for a record of `bytes` (and an entry, if it has one). */
static bool sync_packet_reserve(struct sync *s, size_t bytes, bool entry, usec_t now)
{
	if (s->open != NULL &&
		(s->w.left < bytes || (entry && meta_of(s->open)->n == REPL_ENTRIES)))
		sync_packet_close(s);
	return s->open != NULL || sync_packet_open(s, now);
}

static void sync_record_begin(struct sync *s, enum repl_kind kind, size_t body)
{
	sync_run_close(s);
	wr_u8(&s->w, (uint8_t)kind);
	wr_u16(&s->w, (uint16_t)body);
}

/* The usual: a live slot of which nothing changed but its usage, and that by less than 2^30. One
 * more in the run at the end of the packet. False: it is not that easy, or there is no room;
 * nothing was written. */
static bool sync_encode_usage(struct sync *s, const struct session_slot *slot, usec_t now)
{
	struct stream_meta *meta;

	if (slot->dirty != SESSION_G_USAGE32 || s->late ||
		!sync_packet_reserve(s,
			(s->run != NULL ? 0 : REPL_RECORD_HEAD) + SESSION_USAGE_BYTES, true, now))
		return false;
	if (!session_put_usage(slot, s->w.p + (s->run != NULL ? 0 : REPL_RECORD_HEAD)))
		return false;
	if (s->run == NULL) {
		uint8_t *head = wr_room(&s->w, REPL_RECORD_HEAD); /* was there */

		head[0] = REPL_USAGE;
		s->run = head;
	}
	s->w.p += SESSION_USAGE_BYTES;
	s->w.left -= SESSION_USAGE_BYTES;
	meta = meta_of(s->open);
	meta->entry[meta->n++] = repl_entry(slot->teid, 0, SESSION_G_USAGE32);
	s->count.micro_sent++;
	return true;
}

/* What a demoted chassis has to say of a slot that another core writes: its usage. */
static bool sync_encode_late(struct sync *s, uint32_t handle, usec_t now)
{
	uint32_t shard = session_handle_shard(handle), n = session_handle_slot(s->table, handle);
	struct stream_meta *meta;
	struct wr before;

	if (session_slot_of(s->table, handle)->teid == 0)
		return true;
	if (!sync_packet_reserve(s, REPL_RECORD_HEAD + SESSION_LATE_BYTES, true, now))
		return false;
	sync_run_close(s);
	before = s->w;
	sync_record_begin(s, REPL_DELTA, SESSION_LATE_BYTES);
	handle = session_encode_late(s->table, shard, n, &s->w);
	if (handle == 0) { /* it has ended */
		s->w = before;
		return true;
	}
	meta = meta_of(s->open);
	meta->entry[meta->n++] = repl_entry(handle, 0, SESSION_G_USAGE64);
	s->count.late_sent++;
	return true;
}

/* Encodes groups of one slot; commit 0: none waits on it. False: no room now, the slot is
 * unchanged. */
static bool sync_encode(
	struct sync *s, uint32_t handle, uint8_t groups, uint32_t commit, usec_t now)
{
	uint32_t shard = session_handle_shard(handle), n = session_handle_slot(s->table, handle);
	struct session_slot *slot = session_slot_of(s->table, handle);
	bool whole = (groups & SESSION_G_IDENTITY) != 0 || slot->teid == 0;
	struct stream_meta *meta;
	uint8_t written, *head;
	unsigned int size;

	if (s->late)
		return sync_encode_late(s, handle, now);
	if (whole)
		groups = SESSION_G_SLOT;
	/* USAGE32 may grow to USAGE64 */
	size = REPL_RECORD_HEAD + session_wire_size(s->table, slot, groups, s->version) +
	       (groups & SESSION_G_USAGE32 ? 16 : 0);
	if (!sync_packet_reserve(s, size, true, now))
		return false;
	sync_run_close(s);
	head = s->w.p;
	sync_record_begin(s, whole ? REPL_SLOT : REPL_DELTA, 0);
	written = session_encode_in(s->table, shard, n, groups, s->version, &s->w);
	head[1] = (uint8_t)((s->w.p - head - REPL_RECORD_HEAD) >> 8);
	head[2] = (uint8_t)(s->w.p - head - REPL_RECORD_HEAD);
	meta = meta_of(s->open);
	/* a list may name an older session */
	handle = session_handle_make(s->table, shard, n, slot->gen);
	/* Only a whole record keeps a promise: an earlier one that is lost may have held what a
	 * part does not repeat. */
	meta->entry[meta->n++] = repl_entry(handle, whole ? commit : 0, written);
	if (whole && slot->teid == 0)
		s->count.delete_sent++;
	else if (whole)
		s->count.macro_sent++;
	else
		s->count.micro_sent++;
	return true;
}

static uint32_t sync_commit_next(struct sync *s)
{
	s->commit = (s->commit + 1) & 0xffffff;
	if (s->commit == 0)
		s->commit = 1;
	return s->commit;
}

uint32_t sync_commit(struct sync *s, uint32_t handle, usec_t now)
{
	struct session_slot *slot = session_slot_of(s->table, handle);
	uint32_t commit;

	if (!s->on || s->late)
		return 0;
	commit = sync_commit_next(s);
	s->count.commits++;
	if (!sync_encode(s, handle, SESSION_G_SLOT, commit, now)) {
		dirty_mark_soon(&s->dirty, slot, handle, SESSION_G_SLOT);
		return commit;
	}
	slot->dirty = 0;
	s->urgent = true; /* what else is committed in this turn goes with it */
	return commit;
}

void sync_lost(struct sync *s, const repl_entry_t *e, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t handle = repl_entry_handle(e[i]);
		uint8_t groups = repl_entry_groups(e[i]);

		if (groups & SESSION_G_USAGE32) /* what comes back from a loss goes as 64 bits */
			groups = (uint8_t)((groups & ~SESSION_G_USAGE32) | SESSION_G_USAGE64);
		dirty_mark_soon(&s->dirty, session_slot_of(s->table, handle), handle, groups);
		s->count.repaired++;
	}
}

void sync_want(struct sync *s, unsigned int how, uint32_t bucket, uint64_t arg)
{
	s->count.wants++;
	if (s->on && !s->late)
		audit_source_want(s->source, how, bucket, arg);
}

/* Encodes what is dirty in one bucket, so that the digest behind it speaks of what was sent. What
 * was encoded leaves `force`: where there is never room for all at once, the next turn goes on and
 * does not begin again. */
static bool sync_encode_bucket(
	struct sync *s, uint32_t shard, uint32_t bucket, uint64_t *force, usec_t now)
{
	for (uint32_t i = 0; i < SESSION_BUCKET; i++) {
		uint32_t n = bucket * SESSION_BUCKET + i;
		struct session_slot *slot = &s->table->shard[shard].slots[n];
		uint8_t groups = slot->dirty;

		session_prefetch(s->table, shard, n + AHEAD);
		if (*force >> i & 1) {
			groups = SESSION_G_SLOT;
			s->count.mended += session_mend(s->table, s->worker, shard, n);
		}
		if (groups == 0)
			continue;
		if (!sync_encode(s, session_handle_make(s->table, shard, n, slot->gen), groups,
			    s->commit, now))
			return false;
		slot->dirty = 0;
		*force &= ~(UINT64_C(1) << i);
	}
	return true;
}

/* One piece of an audit job: a few buckets. False: no room, the job stays. */
static bool sync_encode_audit(struct sync *s, usec_t now)
{
	struct audit_job *j = &s->job;
	uint32_t shard = j->bucket / s->table->buckets, bucket = j->bucket % s->table->buckets;
	uint32_t n = j->what == AUDIT_JOB_DIGEST ? RTE_MIN(j->n, (uint32_t)SYNC_BUCKETS) : 1;
	size_t body = j->what == AUDIT_JOB_LEVEL2 ? 5 + 2 * SESSION_BUCKET : 7 + 8 * (size_t)n;

	for (uint32_t i = 0; i < n; i++)
		if (!sync_encode_bucket(s, shard, bucket + i, &j->mask, now))
			return false;
	if (!sync_packet_reserve(s, REPL_RECORD_HEAD + body, false, now))
		return false;
	sync_record_begin(s, REPL_DIGEST, body);
	if (j->what == AUDIT_JOB_LEVEL2) {
		audit_digest_slots(&s->w, j->bucket);
		for (uint32_t i = 0; i < SESSION_BUCKET; i++)
			wr_u16(&s->w, (uint16_t)session_hash_slot_in(s->table, shard,
					      bucket * SESSION_BUCKET + i, s->version));
	} else {
		audit_digest_begin(&s->w, j->bucket, (uint16_t)n);
		for (uint32_t i = 0; i < n; i++)
			wr_u64(&s->w,
				session_hash_bucket_in(s->table, shard, bucket + i, s->version));
	}
	s->count.digests_sent++;
	j->bucket += n;
	j->n = j->what == AUDIT_JOB_DIGEST ? j->n - n : 0;
	if (j->n == 0)
		j->what = AUDIT_JOB_NONE;
	return true;
}

static bool sync_below(const struct sync *s, const _Atomic uint32_t *limit)
{
	return rte_ring_count(s->out) < atomic_load_explicit(limit, memory_order_relaxed);
}

/* Whatever is listed and due, `soon` first. False: no room. While deltas must wait, what signalling
 * changed still goes; of `soon` that is all that is not usage. */
static bool sync_encode_due(struct sync *s, bool *busy, usec_t now)
{
	bool deltas = sync_below(s, &s->limits->delta);
	unsigned int most =
		deltas ? SYNC_RECORDS
		       : RTE_MIN(s->dirty.soon.tail - s->dirty.soon.head, (uint32_t)SYNC_RECORDS);
	uint32_t handle;

	for (unsigned int i = 0; i < most && dirty_next(&s->dirty, s->table, &handle); i++) {
		struct session_slot *slot = session_slot_of(s->table, handle);

		if (slot->dirty == 0)
			continue;
		if (!deltas && !(slot->dirty & ~USAGE)) {
			dirty_mark_soon(&s->dirty, slot, handle, slot->dirty);
			continue;
		}
		*busy = true;
		if (!sync_encode_usage(s, slot, now) &&
			!sync_encode(s, handle, slot->dirty, s->commit, now)) {
			dirty_mark_soon(&s->dirty, slot, handle, slot->dirty);
			return false;
		}
		slot->dirty = 0;
	}
	return deltas;
}

/* A piece of bulk, while the FIFO is below the limit and for so many packets at most. */
static bool sync_bulk_turn(
	struct sync *s, const _Atomic uint32_t *limit, uint32_t packets, usec_t now)
{
	bool did = false;

	if (!sync_below(s, limit))
		return false;
	if (s->job.what == AUDIT_JOB_NONE)
		s->job = audit_source_next(s->source, now);
	if (s->job.what == AUDIT_JOB_NONE) {
		s->bulk_packets = s->count.packets;
		return false;
	}
	s->bulk_most = atomic_load_explicit(limit, memory_order_relaxed);
	s->bulk_left = packets;
	did = sync_encode_audit(s, now);
	s->bulk_packets = s->count.packets;
	s->bulk_most = UINT32_MAX;
	return did;
}

bool sync_turn(struct sync *s, usec_t now)
{
	bool busy = false;

	if (now >= s->next_tick) {
		dirty_tick(&s->dirty);
		s->next_tick = now + s->tick_us;
	}
	if (!s->on)
		return false;
	if (s->paused) { /* what was lost is still ours to repair; what changes now is late usage */
		s->dirty.due_end = s->dirty.normal.head;
		(void)sync_encode_due(s, &busy, now);
		sync_packet_close(s);
		return busy;
	}
	if (!s->late && s->count.packets - s->bulk_packets >= SYNC_SHARE)
		busy = sync_bulk_turn(s, &s->limits->delta, 1, now);
	if (sync_encode_due(s, &busy, now) && !s->late)
		busy = sync_bulk_turn(s, &s->limits->bulk, UINT32_MAX, now) || busy;
	if (s->open != NULL && (s->urgent || now - s->opened >= SYNC_FLUSH_US))
		sync_packet_close(s);
	return busy;
}

uint32_t sync_drain_begin(struct sync *s)
{
	return dirty_due_now(&s->dirty);
}

bool sync_drained(struct sync *s, uint32_t mark, usec_t now)
{
	if ((int32_t)(mark - s->dirty.normal.head) > 0)
		s->dirty.due_end = mark;
	if (s->on && !s->paused) {
		bool busy;

		(void)sync_encode_due(s, &busy, now);
	}
	if ((int32_t)(mark - s->dirty.normal.head) > 0 || s->dirty.soon.head != s->dirty.soon.tail)
		return false;
	sync_packet_close(s);
	return true;
}
