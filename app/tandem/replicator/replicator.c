/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <rte_lcore.h>

#include "base/memory.h"
#include "replicator_priv.h"

enum { VIEW_US = 1000, REALTIME_PRIORITY = 10 };

const struct replicator_view *replicator_view(const struct replicator *r)
{
	return &r->view;
}
const struct repl_counters *replicator_stream_count(const struct replicator *r)
{
	return repl_count(r->stream);
}
const struct audit_counters *replicator_audit_count(const struct replicator *r)
{
	return audit_count(r->audit);
}
const struct replicator_counters *replicator_count(const struct replicator *r)
{
	return &r->count;
}
void replicator_port_count(const struct replicator *r, struct replicator_port_counters *sum)
{
	*sum = (struct replicator_port_counters){ 0 };
	counters_add(sum, &r->env.transport->count, replicator_port_counters_n);
	counters_add(sum, twin_frames_count(r->env.twin), replicator_port_counters_n);
}
void replicator_records(const struct replicator *r, struct repl_sent_records *s)
{
	repl_sent_records(r->stream, s);
}
const struct repl_received *replicator_received(const struct replicator *r)
{
	return repl_received(r->stream);
}
const struct keys_counters *replicator_keys_count(const struct replicator *r)
{
	return &r->keys.count;
}
const struct crypt_counters *replicator_crypt_count(const struct replicator *r)
{
	return r->crypt != NULL ? crypt_ops->count(r->crypt) : NULL;
}
void replicator_peer(struct replicator *r, uint16_t adjacency)
{
	struct transport *t = r->env.transport;

	if (t->ops->peer != NULL)
		t->ops->peer(t, adjacency);
}
void replicator_peer_version(struct replicator *r, uint8_t version)
{
	atomic_store_explicit(&r->peer_version, version, memory_order_relaxed);
}
void replicator_peer_differs(struct replicator *r, bool differs)
{
	atomic_store_explicit(&r->peer_differs, differs, memory_order_relaxed);
}
void replicator_peer_times(
	struct replicator *r, usec_t present_us, usec_t life_us, usec_t heartbeat_us)
{
	atomic_store_explicit(&r->present_us, present_us, memory_order_relaxed);
	atomic_store_explicit(&r->life_us, life_us, memory_order_relaxed);
	atomic_store_explicit(&r->heartbeat_us, heartbeat_us, memory_order_relaxed);
}
void replicator_peer_applies(struct replicator *r, bool applies)
{
	atomic_store_explicit(&r->peer_applies, applies, memory_order_relaxed);
}

static void *mem_take(void *ctx, size_t size)
{
	(void)ctx;
	return memory_take("repl", size, RTE_CACHE_LINE_SIZE);
}

static void mem_give(void *ctx, void *p)
{
	(void)ctx;
	memory_give(p);
}

struct replicator *replicator_create(const struct replicator_env *e)
{
	struct replicator *r = memory_take("replicator", sizeof(*r), RTE_CACHE_LINE_SIZE);
	struct repl_ops ops;
	struct audit_hash hash;
	const struct settings *s = settings_newest(e->settings);
	const struct repl_params p = { .incarnation = e->incarnation,
		.heartbeat_us = e->live.heartbeat_us,
		.life_us = e->live.life_us,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = &ops,
		.alloc = mem_take,
		.free = mem_give };

	if (r == NULL)
		return NULL;
	r->env = *e;
	replicator_ops(r, &ops, &hash);
	r->pace.us = e->live.audit_us;
	replicator_peer_times(r, e->live.present_us, e->live.life_us, e->live.heartbeat_us);
	r->kept_life_us = e->live.life_us;
	r->beat_us = e->live.heartbeat_us;
	settings_join(e->settings, e->n_workers);
	r->settings = s->number;
	replicator_rate(r, s->replication_mbps, clock_us());
	flow_limit(&r->flow, &(struct flow_path){ .room = REPL_WINDOW, .window = REPL_WINDOW },
		r->env.flow);
	r->version = wire_spoken.version_min;
	atomic_store(&r->peer_version, wire_spoken.version_min);
	r->view.heard = USEC_NEVER;
	r->view.oldest_unacked = USEC_NEVER;
	r->view.in_sync_since = USEC_NEVER;
	r->stream = repl_create(&p, clock_us());
	r->audit =
		audit_create(SESSION_SHARDS * r->env.table->buckets, REPLICATOR_OUTSTANDING, &hash);
	if (r->stream == NULL || r->audit == NULL || replicator_secure(r) < 0) {
		replicator_destroy(r);
		return NULL;
	}
	return r;
}

void replicator_destroy(struct replicator *r)
{
	if (r == NULL)
		return;
	settings_leave(r->env.settings, r->env.n_workers);
	repl_destroy(r->stream);
	audit_destroy(r->audit);
	keys_wipe(&r->keys);
	memory_give(r);
}

static void replicator_publish_pass(struct replicator *r, const struct repl_status *st)
{
	struct replicator_view *v = &r->view;
	struct audit_pass pass;

	audit_pass(r->audit, &pass);
	if (r->active) { /* a pass begins where more is left than before */
		bool reported = r->on && st->heard != USEC_NEVER;

		pass.left = reported ? st->left : SESSION_SHARDS * r->env.table->buckets;
		pass.differing = reported ? st->differing : 0;
		if (pass.left > r->pass.left || !reported) {
			r->pass.began = r->on ? r->now : USEC_NEVER;
			r->pass.ended = USEC_NEVER;
		} else if (pass.left == 0 && r->pass.ended == USEC_NEVER) {
			r->pass.ended = r->now;
		}
		r->pass.left = pass.left;
		pass.began = r->pass.began;
		pass.ended = r->pass.ended;
	}
	atomic_store(&v->left, pass.left);
	atomic_store(&v->differing, pass.differing);
	atomic_store(&v->pass_began, pass.began);
	atomic_store(&v->pass_ended, pass.ended);
	atomic_store(&v->receiving, !r->active && repl_rx_stream(r->stream) != 0);
}

static void replicator_publish_keys(struct replicator *r, struct replicator_view *v)
{
	uint32_t phase = 0;

	atomic_store(&v->unopened, r->unopened);
	if (r->crypt == NULL)
		return;
	atomic_store(&v->key_id, keys_tx_id(&r->keys, &phase));
	atomic_store(&v->key_phase, phase);
	atomic_store(&v->keys_live, keys_live(&r->keys, r->now));
	atomic_store(&v->crypt_failed, crypt_ops->failed(r->crypt));
}

static void replicator_publish(struct replicator *r)
{
	const struct repl_status *st = repl_peer_status(r->stream);
	struct replicator_view *v = &r->view;
	usec_t since;

	/* Every turn: what the election decides by. */
	atomic_store_explicit(&v->heard, repl_heard(r->stream), memory_order_relaxed);
	atomic_store_explicit(&v->hears_us, repl_hears_us(r->stream), memory_order_relaxed);
	atomic_store_explicit(&v->unacked, repl_unacked(r->stream), memory_order_relaxed);
	if (r->now < r->next_view)
		return;
	r->next_view = r->now + VIEW_US;
	/* else all that was ever freed would still be in quarantine at a promotion */
	if (r->writing) {
		session_quarantine_expire(r->env.table, SESSION_BY_REPL, r->quarantine_shard,
			(uint32_t)(r->now / USEC_PER_SEC), 64);
		r->quarantine_shard = (r->quarantine_shard + 1) % SESSION_SHARDS;
	}
	audit_scan(r->audit);
	since = r->active ? USEC_NEVER : audit_in_sync_since(r->audit);
	atomic_store(&v->stream_on, r->active && r->on);
	atomic_store(&v->in_sync_since, since);
	atomic_store(&v->joined, since != USEC_NEVER);
	atomic_store(&v->buckets, SESSION_SHARDS * r->env.table->buckets);
	atomic_store(&v->unmatched, audit_unmatched(r->audit));
	atomic_store(&v->in_sync_since_ms,
		r->active             ? (r->on ? st->in_sync_since_ms : 0)
		: since == USEC_NEVER ? 0
				      : (uint64_t)((int64_t)since + r->pair_offset_us) / 1000);
	atomic_store(&v->status_heard, st->heard);
	atomic_store(&v->peer_buckets, st->buckets);
	atomic_store(&v->peer_unmatched, st->unmatched);
	replicator_publish_pass(r, st);
	atomic_store(&v->last_number, repl_last_number(r->stream));
	atomic_store(&v->applied, repl_applied(r->stream));
	atomic_store(&v->peer_incarnation, repl_peer_incarnation(r->stream));
	atomic_store(&v->srtt, repl_srtt(r->stream));
	atomic_store(&v->oldest_unacked, repl_oldest_unacked(r->stream));
	replicator_publish_keys(r, v);
}

/* On shared CPUs the core that hears the peer goes before the others. */
static void replicator_realtime(const struct replicator *r)
{
	const struct sched_param p = { .sched_priority = REALTIME_PRIORITY };

	if (r->env.start.realtime && pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) != 0)
		LOG(WARNING,
			"srp.realtime has no effect, as the daemon may not use SCHED_FIFO: give it "
			"CAP_SYS_NICE or LimitRTPRIO, or set srp.realtime to false");
}

/* Whoever finds that a core has not turned for too long aborts the process: the peer takes over. */
static void replicator_watch(struct replicator *r)
{
	pulse_watch(&r->watched.control, r->env.pulse, r->env.pulse_of_control, "control",
		PULSE_PATIENCE_CONTROL_US, r->now);
	for (unsigned int i = 0; i < r->env.n_workers; i++)
		pulse_watch(&r->watched.worker[i], r->env.pulse, &r->env.pulse_of_worker[i],
			"worker", PULSE_PATIENCE_US, r->now);
}

/* What sends at once begins anew with each rate: only one that changed is taken. */
static void replicator_settings(struct replicator *r)
{
	const struct settings *s = settings_turn(r->env.settings, r->env.n_workers);
	usec_t beat = atomic_load_explicit(&r->heartbeat_us, memory_order_relaxed);
	usec_t life = atomic_load_explicit(&r->life_us, memory_order_relaxed);

	if (beat != r->beat_us || life != r->kept_life_us)
		repl_times(r->stream, beat, life, r->now);
	r->beat_us = beat;
	r->kept_life_us = life;
	if (s->number == r->settings)
		return;
	r->settings = s->number;
	if (s->replication_mbps != atomic_load(&r->view.rate_mbps))
		replicator_rate(r, s->replication_mbps, r->now);
}

bool replicator_turn(struct replicator *r)
{
	bool busy;

	r->now = clock_us();
	pulse_turn(r->env.pulse, r->now);
	replicator_settings(r);
	replicator_keys_turn(r);
	busy = replicator_receive(r);
	busy |= replicator_messages(r);
	replicator_presence(r);
	repl_tick(r->stream, r->now);
	flow_tick(&r->flow, r->now);
	busy |= replicator_send_state(r);
	replicator_committed(r);
	busy |= replicator_send_control(r);
	busy |= twin_frames_turn(r->env.twin, &r->flow);
	replicator_drained(r);
	replicator_limits(r);
	session_batch_flush(r->env.batch);
	replicator_publish(r);
	replicator_watch(r);
	return busy;
}

int replicator_run(void *arg)
{
	struct replicator *r = arg;
	unsigned int idle = 0;

	replicator_realtime(r);
	while (!atomic_load_explicit(r->env.quit, memory_order_relaxed))
		pulse_rest(r->env.pulse, replicator_turn(r), &idle);
	return 0;
}
