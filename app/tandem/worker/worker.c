/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/memory.h"
#include "base/port.h"
#include "cores/memory.h"
#include "cores/session_event.h"
#include "worker_priv.h"

enum {
	WORKER_MSGS = 16,
	STALE_BURSTS = 128,
	LATE_QUIET_US = 1000000,
	LATE_MOST_US = 30000000 /* as in switchover/routes.c */
};

static int worker_sync(struct worker *w, uint64_t shards)
{
	const struct worker_env *e = &w->env;
	int ret = sync_init(&w->sync, e->shared->table, w->number, shards,
		w->n_shards * e->shared->table->n_slots, w->fp.settings->checkpoint_us,
		e->stream_mbufs, e->stream_out, (uint16_t)(e->stream_packet - REPL_TAG),
		&memory_rte);

	if (ret == 0)
		w->sync.limits = e->flow;
	return ret;
}

struct worker *worker_create(const struct worker_env *e)
{
	struct worker *w = memory_take("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
	uint64_t shards = 0;

	if (w == NULL)
		return NULL;
	w->env = *e;
	w->number = (uint8_t)e->number;
	w->queue = (uint16_t)e->number;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++) {
		if (e->shared->worker_of_shard[i] != e->number)
			continue;
		w->shards[w->n_shards++] = (uint8_t)i;
		shards |= UINT64_C(1) << i;
	}
	w->sweep.purge.secret = *e->secret;
	fastpath_budgets(&w->fp, e->secret);
	w->fp.sh = e->shared;
	w->fp.settings = settings_newest(e->settings);
	w->fp.role = e->role;
	w->fp.worker = (uint8_t)e->number;
	w->fp.queue = (uint16_t)e->number;
	w->fp.dirty = &w->sync.dirty;
	w->fp.punt = e->punt;
	for (unsigned int i = 0; i < e->n_workers; i++)
		w->fp.handover[i] = e->handover[i];
	if (worker_sync(w, shards) < 0) {
		memory_give(w);
		return NULL;
	}
	settings_join(e->settings, e->number);
	return w;
}

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	settings_leave(w->env.settings, w->number);
	fastpath_fini(&w->fp);
	sync_fini(&w->sync, &memory_rte);
	memory_give(w);
}

unsigned int worker_shards(const struct worker *w)
{
	return w->n_shards;
}

bool worker_unresolved(struct worker *w, uint16_t *port, uint32_t *dst4)
{
	return fastpath_unresolved(&w->fp, port, dst4);
}

static void worker_report(struct worker *w, struct from_worker *m)
{
	if (from_worker_send(w->env.reports, m) < 0)
		w->count.msg_no_room++; /* control's pending timer is the remedy */
}

static void worker_done(
	struct worker *w, enum to_worker_type order, repl_term_t term, uint64_t cookie, bool ok)
{
	worker_report(w, from_worker_done(w->env.msgs, order, term, cookie, ok));
}

static void worker_late_apply(struct worker *w, uint32_t handle, const struct session_usage *u)
{
	struct session_slot *s;

	if (session_apply_late(w->env.shared->table, w->number, handle, u) == 0)
		w->count.late_usage_applied++;
	else
		w->count.late_usage_refused++;
	/* The slot changed in a replicated group: the standby must follow. */
	s = session_find(w->env.shared->table, handle);
	if (s != NULL && w->fp.streaming)
		dirty_mark(&w->sync.dirty, s, handle, SESSION_G_OTHER64);
}

/* Handing over, the slots may be the peer's any moment. It was acknowledged already: kept until it
 * is known who has them. */
static void worker_late_keep(struct worker *w, const struct repl_to_worker_late_usage *m)
{
	unsigned int i = 0;

	while (i < w->n_kept && w->kept[i].handle != m->handle)
		i++;
	if (i == WORKER_KEPT) {
		w->count.late_usage_refused++;
		return;
	}
	w->n_kept = RTE_MAX(w->n_kept, i + 1);
	w->kept[i].handle = m->handle;
	w->kept[i].usage = m->usage; /* of one sender, in order: the later says it all */
}

static void worker_late_usage(void *worker, struct repl_to_worker_late_usage *m)
{
	struct worker *w = worker;

	if (w->fp.mode == FASTPATH_OWN)
		worker_late_apply(w, m->handle, &m->usage);
	else if (w->fp.mode == FASTPATH_LATE && !w->sync.late)
		worker_late_keep(w, m);
	else /* it waited in the ring while the role ended: the winner sends it in full */
		w->count.late_usage_refused++;
}

/* Roles. An order of an older term than the one that we serve comes back refused. */
static bool worker_refuses(
	struct worker *w, enum to_worker_type order, repl_term_t term, uint64_t cookie)
{
	if (term >= w->term)
		return false;
	w->count.refused_term++;
	worker_done(w, order, term, cookie, false);
	return true;
}

/* planned: the SGSNs' TEIDs are known to be good. */
static void worker_owns(struct worker *w, repl_term_t term, bool planned)
{
	uint32_t now_s = (uint32_t)(w->now / USEC_PER_SEC);

	for (unsigned int i = 0; i < w->n_shards; i++) {
		session_quarantine_restart(w->env.shared->table, w->shards[i], now_s);
		session_generations(w->env.shared->table, w->shards[i], w->env.generations, term);
	}
	w->term = term;
	w->idle_base_s = now_s;
	w->ei_from = planned ? w->now : w->now + 3 * USEC_PER_SEC;
	w->late_asked = w->late_pending = false;
	w->sync.paused = false;
}

static void worker_own(void *worker, struct to_worker_own *m)
{
	struct worker *w = worker;

	if (worker_refuses(w, TO_WORKER_OWN, m->term, m->cookie))
		return;
	worker_owns(w, m->term, m->planned);
	/* A stream of late usage was perhaps not through: the next one says it all. */
	w->fp.streaming = false;
	sync_stream(&w->sync, false, false, 0, w->now);
	w->fp.mode = FASTPATH_OWN;
	w->n_kept = 0;
	worker_done(w, TO_WORKER_OWN, m->term, m->cookie, true);
}

static void worker_resume(void *worker, struct to_worker_resume *m)
{
	struct worker *w = worker;

	if (worker_refuses(w, TO_WORKER_RESUME, m->term, m->cookie))
		return;
	worker_owns(w, m->term, true);
	w->fp.mode = FASTPATH_OWN;
	for (; w->n_kept > 0; w->n_kept--)
		worker_late_apply(w, w->kept[w->n_kept - 1].handle, &w->kept[w->n_kept - 1].usage);
	worker_done(w, TO_WORKER_RESUME, m->term, m->cookie, true);
}

/* Answered once all that was dirty has left: late_turn. */
static void worker_late(void *worker, struct to_worker_late *m)
{
	struct worker *w = worker;

	if (worker_refuses(w, TO_WORKER_LATE, m->term, m->cookie))
		return;
	w->late_mark = sync_drain_begin(&w->sync);
	w->late_asked = true;
	w->late_cookie = m->cookie;
	w->term = m->term;
	w->fp.mode = FASTPATH_LATE;
}

static void worker_release(void *worker, struct to_worker_release *m)
{
	struct worker *w = worker;

	if (worker_refuses(w, TO_WORKER_RELEASE, m->term, m->cookie))
		return;
	w->fp.mode = FASTPATH_IDLE;
	w->fp.streaming = false;
	w->term = m->term;
	w->late_asked = w->late_pending = false;
	w->n_kept = 0;
	sync_stream(&w->sync, false, false, 0, w->now);
	worker_done(w, TO_WORKER_RELEASE, m->term, m->cookie, true);
}

static void worker_streams(struct worker *w, bool on, bool late, uint8_t version)
{
	w->fp.streaming = on;
	sync_version(&w->sync, version);
	sync_stream(&w->sync, on, late, w->fp.settings->audit_us, w->now);
}

/* Of a role that is over. */
static bool worker_stream_old(struct worker *w, repl_term_t term)
{
	w->count.refused_term += term < w->term;
	return term < w->term;
}

static void worker_stream(void *worker, struct repl_to_worker_stream *m)
{
	struct worker *w = worker;

	if (!worker_stream_old(w, m->term))
		worker_streams(w, m->on, false, m->version);
}

static void worker_late_stream(void *worker, struct repl_to_worker_late_stream *m)
{
	struct worker *w = worker;

	if (worker_stream_old(w, m->term))
		return;
	w->n_kept = 0;
	w->late_since = w->now;
	w->late_asked = true;
	w->late_pending = false;
	w->late_term = m->late_term;
	w->fp.late_last_tsc = clock_ticks();
	/* Handed over as planned, what was counted before is known to the peer. Else it may be any
	 * slot. */
	w->late_slots =
		w->fp.mode == FASTPATH_LATE ? 0 : w->n_shards * w->env.shared->table->n_slots;
	worker_streams(w, true, true, m->version);
}

static void worker_lost(void *worker, struct repl_to_worker_lost *m)
{
	struct worker *w = worker;

	sync_lost(&w->sync, m->entries.entry, m->entries.n);
}

static void worker_want(void *worker, struct repl_to_worker_want *m)
{
	struct worker *w = worker;

	for (unsigned int i = 0; i < m->n; i++)
		sync_want(&w->sync, m->want[i].how, m->want[i].bucket, m->want[i].arg);
}

const struct to_worker_handlers worker_of_control = { .own = worker_own,
	.late = worker_late,
	.resume = worker_resume,
	.release = worker_release,
	.create = worker_create_session,
	.update = worker_update_session,
	.delete = worker_delete_session,
	.purge = worker_sweep_purge,
	.peer_gone = worker_sweep_gone };

const struct repl_to_worker_handlers worker_of_replicator = { .stream = worker_stream,
	.late_stream = worker_late_stream,
	.lost = worker_lost,
	.want = worker_want,
	.late_usage = worker_late_usage };

/* Control waits for the answer to each order that it gave, without end: one is taken only when its
 * answer has room, and the event of what it does. */
static unsigned int worker_orders(const struct worker *w)
{
	if (rte_ring_empty(w->env.orders->door.ring))
		return 0;
	return RTE_MIN((unsigned int)WORKER_MSGS, door_room(&w->env.reports->door) / 2);
}

static bool worker_take_orders(struct worker *w)
{
	bool busy = false;

	for (unsigned int n = worker_orders(w); n > 0; n--) {
		struct to_worker *m = to_worker_take(w->env.orders);
		bool comes_back;

		if (m == NULL)
			break;
		comes_back = to_worker_comes_back(m);
		w->count.msg_unknown += !to_worker_dispatch(&worker_of_control, w, m);
		if (!comes_back)
			msg_free(w->env.msgs, m);
		w->count.msgs++;
		busy = true;
	}
	return busy;
}

static bool worker_take_stream_news(struct worker *w)
{
	bool busy = false;

	for (unsigned int i = 0; i < WORKER_MSGS; i++) {
		struct repl_to_worker *m = repl_to_worker_take(w->env.stream_news);

		if (m == NULL)
			break;
		w->count.msg_unknown += !repl_to_worker_dispatch(&worker_of_replicator, w, m);
		msg_free(w->env.msgs, m);
		w->count.msgs++;
		busy = true;
	}
	return busy;
}

/* Frames of the kernel's and of other workers. */
static bool worker_take_frames(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	unsigned int n = rte_ring_dequeue_burst(
			     w->env.kernel_out, (void **)m, FASTPATH_BURST, NULL),
		     k;

	for (unsigned int i = 0; i < n; i++)
		fastpath_send(&w->fp, m[i]->port, m[i]);
	k = rte_ring_dequeue_burst(w->env.handover[w->number], (void **)m, FASTPATH_BURST, NULL);
	if (k > 0)
		fastpath_handed(&w->fp, m, (uint16_t)k);
	return n + k > 0;
}

static bool worker_receive(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	bool busy = false;

	for (unsigned int i = 0; i < w->env.n_ports; i++) {
		uint16_t port = w->env.ports[i];
		uint16_t n = port_ops->rx(port, w->queue, m, FASTPATH_BURST);

		if (n > 0) {
			fastpath_rx(&w->fp, port, m, n);
			busy = true;
		}
	}
	return busy;
}

/* Marks what we counted, a piece of the table a turn. True when all was looked at. */
static bool worker_late_sweep(struct worker *w)
{
	for (unsigned int i = 0; i < WORKER_SWEEP_FAST && w->late_slots > 0; i++) {
		uint32_t n = --w->late_slots, shard = w->shards[n / w->env.shared->table->n_slots];
		struct session_slot *s = &w->env.shared->table->shard[shard]
						  .slots[n % w->env.shared->table->n_slots];
		uint32_t handle = __atomic_load_n(&s->teid, __ATOMIC_RELAXED);

		if (handle != 0 && (__atomic_load_n(&s->up_pkts, __ATOMIC_RELAXED) != 0 ||
					   __atomic_load_n(&s->dn_pkts, __ATOMIC_RELAXED) != 0))
			dirty_mark(&w->sync.dirty, s, handle, SESSION_G_USAGE64);
	}
	return w->late_slots == 0;
}

/* Handed over: late packets are forwarded until none came for a second. What they counted goes out
 * as late usage; when all of it has left for the replication core, control is notified. */
static void worker_late_end(struct worker *w, usec_t now)
{
	if (w->fp.mode == FASTPATH_LATE) {
		usec_t quiet = (clock_ticks() - w->fp.late_last_tsc) * USEC_PER_SEC / clock_hz;

		if (quiet < LATE_QUIET_US && now - w->late_since < LATE_MOST_US)
			return;
		w->fp.mode = FASTPATH_IDLE;
	}
	if (!w->late_asked || !worker_late_sweep(w) ||
		!sync_drained(&w->sync, w->sync.dirty.normal.tail, now))
		return;
	w->late_asked = false;
	worker_report(w, from_worker_late_end(w->env.msgs, w->late_term));
}

/* We stood still for so long that the peer may have taken over: what waited in the ports meanwhile
 * (packets, and ARP requests for VIPs that are the peer's by now) is not ours to answer. Bounded by
 * what a port's ring holds. */
static void worker_drop_stale(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];

	for (unsigned int i = 0; i < w->env.n_ports; i++) {
		uint16_t n = FASTPATH_BURST;

		for (unsigned int k = 0; k < STALE_BURSTS && n > 0; k++) {
			n = port_ops->rx(w->env.ports[i], w->queue, m, FASTPATH_BURST);
			rte_pktmbuf_free_bulk(m, n);
			w->count.stale_frames += n;
		}
	}
	for (unsigned int k = 0, n = 1; k < STALE_BURSTS && n > 0; k++) {
		n = rte_ring_dequeue_burst(w->env.kernel_out, (void **)m, FASTPATH_BURST, NULL);
		rte_pktmbuf_free_bulk(m, n);
		w->count.stale_frames += n;
	}
}

/* Late mode is answered when all that was dirty at its beginning has left for the replication
 * core. */
static void worker_late_turn(struct worker *w, usec_t now)
{
	if (w->sync.late) {
		worker_late_end(w, now);
		return;
	}
	if (!w->late_asked || w->late_pending)
		return;
	if (w->sync.on && !sync_drained(&w->sync, w->late_mark, now))
		return;
	w->late_pending = true;
	w->sync.paused = true;
	worker_done(w, TO_WORKER_LATE, w->term, w->late_cookie, true);
}

static void worker_seconds(struct worker *w, usec_t now)
{
	uint32_t now_s = (uint32_t)(now / USEC_PER_SEC);

	w->fp.now_s = now_s;
	if (now < w->next_second)
		return;
	w->next_second = now + 10 * USEC_PER_MSEC;
	w->fp.answers_unknown = now >= w->ei_from;
	if (w->fp.mode == FASTPATH_OWN)
		for (unsigned int i = 0; i < w->n_shards; i++)
			session_quarantine_expire(
				w->env.shared->table, w->number, w->shards[i], now_s, 64);
}

static void worker_settings(struct worker *w, usec_t now)
{
	uint64_t was = w->fp.settings->number;

	w->fp.settings = settings_turn(w->env.settings, w->number);
	if (w->fp.settings->number != was)
		sync_times(&w->sync, w->fp.settings->checkpoint_us, w->fp.settings->audit_us, now);
}

bool worker_turn(struct worker *w)
{
	usec_t now = clock_us(), gap;
	bool busy;

	gap = pulse_turn(w->env.pulse, now);
	worker_settings(w, now);
	if (gap > pulse_stale_us(w->env.pulse)) /* nobody was idle: we did not look */
		w->idle_base_s = (uint32_t)(now / USEC_PER_SEC);
	if (pulse_stood_still(w->env.pulse_of_replicator, now, gap))
		worker_drop_stale(w);
	w->now = now;
	w->fp.now_tsc = clock_ticks();
	if (w->sync.on)
		fastpath_prefetch_due(&w->fp, SYNC_RECORDS);
	worker_seconds(w, now);
	busy = worker_receive(w);
	busy |= worker_take_frames(w);
	busy |= worker_take_orders(w);
	busy |= worker_take_stream_news(w);
	worker_late_turn(w, now);
	busy |= sync_turn(&w->sync, now);
	busy |= worker_sweep(w, now);
	session_events_send(w->env.shared->events, w->number, 0);
	fastpath_flush(&w->fp);
	return busy;
}

int worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned int idle = 0;

	while (!atomic_load_explicit(w->env.quit, memory_order_relaxed))
		pulse_rest(w->env.pulse, worker_turn(w), &idle);
	return 0;
}
