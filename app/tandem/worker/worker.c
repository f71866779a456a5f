/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "base/memory.h"
#include "common/mutant.h"
#include "worker/worker.h"

enum {
	WORKER_MSGS = 16,
	STALE_BURSTS = 128,
	ERROR_INDICATIONS_PER_S = 100,
	LATE_QUIET_US = 1000000,
	LATE_MOST_US = 30000000 /* as in control_step.c */
};

struct worker *worker_create(unsigned int number)
{
	struct worker *w =
		rte_zmalloc_socket("worker", sizeof(*w), RTE_CACHE_LINE_SIZE, SOCKET_ID_ANY);
	const struct config_port *repl = NULL;
	uint64_t shards = 0;

	if (w == NULL)
		return NULL;
	w->number = (uint8_t)number;
	w->queue = (uint16_t)number;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++) {
		if (T.shared.worker_of_shard[i] != number)
			continue;
		w->shards[w->n_shards++] = (uint8_t)i;
		shards |= UINT64_C(1) << i;
	}
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & CONFIG_REPLICATION)
			repl = T.port[i].conf;
	w->fp.sh = &T.shared;
	w->fp.worker = (uint8_t)number;
	w->fp.queue = (uint16_t)number;
	w->fp.dirty = &w->sync.dirty;
	w->fp.punt = T.punt;
	for (unsigned int i = 0; i < T.n_workers; i++)
		w->fp.handover[i] = T.handover[i];
	if (sync_init(&w->sync, T.table, (uint8_t)number, shards, w->n_shards * T.table->n_slots,
		    T.conf->srp.micro_checkpoint_interval_ms * USEC_PER_MSEC, T.stream_mbufs,
		    T.stream_out[number], (uint16_t)(repl->mtu - 28 - REPL_TAG), &memory_rte) < 0) {
		rte_free(w);
		return NULL;
	}
	w->sync.limits = &T.flow;
	return w;
}

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	fastpath_fini(&w->fp);
	sync_fini(&w->sync, &memory_rte);
	rte_free(w);
}

const struct fastpath_counters *worker_fastpath_count(const struct worker *w)
{
	return &w->fp.count;
}

uint64_t worker_pair_ms(usec_t now)
{
	return pair_time_ms(&T.pair_time, now);
}

static void answer_done(
	struct worker *w, enum msg_type what, repl_term_t term, uint64_t cookie, bool ok)
{
	struct msg *m = msg_new(T.msgs, MSG_DONE);

	if (m == NULL) {
		w->count.msg_no_room++;
		return; /* control's pending timer is the remedy */
	}
	m->by = w->number;
	m->what = (uint8_t)what;
	m->term = term;
	m->cookie = cookie;
	m->ok = ok;
	if (door_send(&T.from_worker[w->number], m) < 0)
		w->count.msg_no_room++;
}

static void late_apply(struct worker *w, uint32_t handle, const struct session_usage *u)
{
	struct session_slot *s;

	if (session_apply_late(T.table, w->number, handle, u) == 0)
		w->count.late_usage_applied++;
	else
		w->count.late_usage_refused++;
	/* The slot changed in a replicated group: the standby must follow. */
	s = session_find(T.table, handle);
	if (s != NULL && w->fp.streaming)
		dirty_mark(&w->sync.dirty, s, handle, SESSION_G_OTHER64);
}

/* Handing over, the slots may be the peer's any moment. It was acknowledged already: kept until it
 * is known who has them. */
static void late_keep(struct worker *w, const struct msg *m)
{
	unsigned int i = 0;

	while (i < w->n_kept && w->kept[i].handle != m->late_handle)
		i++;
	if (i == WORKER_KEPT) {
		w->count.late_usage_refused++;
		return;
	}
	w->n_kept = RTE_MAX(w->n_kept, i + 1);
	w->kept[i].handle = m->late_handle;
	w->kept[i].usage = m->usage; /* of one sender, in order: the later says it all */
}

static void late_usage(struct worker *w, const struct msg *m)
{
	if (w->fp.mode == FASTPATH_OWN)
		late_apply(w, m->late_handle, &m->usage);
	else if (w->fp.mode == FASTPATH_LATE && !w->sync.late)
		late_keep(w, m);
	else /* it waited in the ring while the role ended: the winner tells it in full */
		w->count.late_usage_refused++;
}

static void own(struct worker *w, const struct msg *m, usec_t now)
{
	uint32_t now_s = (uint32_t)(now / USEC_PER_SEC);

	for (unsigned int i = 0; i < w->n_shards; i++) {
		session_quarantine_restart(T.table, w->shards[i], now_s);
		session_generations(T.table, w->shards[i], T.incarnation, m->term);
	}
	w->term = m->term;
	if (!MUTANT(idle_goes_on))
		w->idle_base_s = now_s;
	/* Planned: the SGSN's TEIDs are known to be good. */
	w->ei_from = m->on || MUTANT(error_at_once) ? now : now + 3 * USEC_PER_SEC;
	w->late_asked = w->late_pending = false;
	w->sync.paused = false;
	if (m->type ==
		/* of a stream of late usage that was not through: the next one says it all */
		MSG_OWN) {
		w->fp.streaming = false;
		sync_stream(&w->sync, false, false, 0, now);
	}
	w->fp.mode = FASTPATH_OWN;
	for (; m->type == MSG_RESUME && w->n_kept > 0; w->n_kept--)
		late_apply(w, w->kept[w->n_kept - 1].handle, &w->kept[w->n_kept - 1].usage);
	w->n_kept = 0;
	answer_done(w, m->type, m->term, m->cookie, true);
}

/* Roles. A message of an older term than the one that we serve comes back refused. */
static void role(struct worker *w, const struct msg *m, usec_t now)
{
	if (m->term < w->term) {
		w->count.refused_term++;
		answer_done(w, m->type, m->term, m->cookie, false);
		return;
	}
	switch (m->type) {
	case MSG_OWN:
	case MSG_RESUME:
		own(w, m, now);
		return;
	case MSG_LATE:
		w->late_mark = sync_drain_begin(&w->sync);
		w->late_asked = true;
		w->late_cookie = m->cookie;
		w->term = m->term;
		/* Answered once all that was dirty has left. */
		w->fp.mode = MUTANT(late_dropped) ? FASTPATH_IDLE : FASTPATH_LATE;
		return;
	default: /* MSG_RELEASE: another core writes the slots from now on */
		w->fp.mode = FASTPATH_IDLE;
		w->fp.streaming = false;
		w->term = m->term;
		w->late_asked = w->late_pending = false;
		w->n_kept = 0;
		sync_stream(&w->sync, false, false, 0, now);
		break;
	}
	answer_done(w, m->type, m->term, m->cookie, true);
}

static void stream(struct worker *w, const struct msg *m, usec_t now)
{
	bool late = m->on && m->what != 0;

	if (m->term < w->term) { /* of a role that is over */
		w->count.refused_term++;
		return;
	}
	if (late) {
		w->n_kept = 0;
		w->late_since = now;
		w->late_asked = true;
		w->late_pending = false;
		w->late_term = m->old_term;
		w->fp.late_last_tsc = rte_rdtsc();
		/* Handed over as planned, what was counted before is known to the peer. Else it may
		 * be any slot. */
		w->late_slots = w->fp.mode == FASTPATH_LATE ? 0 : w->n_shards * T.table->n_slots;
	}
	w->fp.streaming = m->on;
	sync_version(&w->sync, m->version);
	sync_stream(&w->sync, m->on, late, T.conf->srp.audit_interval_s * USEC_PER_SEC, now);
}

static void handle(struct worker *w, struct msg *m, usec_t now)
{
	w->count.msgs++;
	switch (m->type) {
	case MSG_OWN:
	case MSG_LATE:
	case MSG_RESUME:
	case MSG_RELEASE:
		role(w, m, now);
		break;
	case MSG_CREATE:
		worker_create_session(w, m, now);
		return; /* the message went back as the answer */
	case MSG_UPDATE:
		worker_update_session(w, m, now);
		return;
	case MSG_DELETE:
		worker_delete_session(w, m, now);
		return;
	case MSG_PURGE:
		worker_sweep_purge(w, m);
		break;
	case MSG_PEER_GONE:
		worker_sweep_gone(w, m);
		break;
	case MSG_STREAM:
		stream(w, m, now);
		break;
	case MSG_LOST:
		sync_lost(&w->sync, m->entry, m->n);
		break;
	case MSG_WANT:
		for (unsigned int i = 0; i < m->n_wants; i++)
			sync_want(&w->sync, m->want[i].how, m->want[i].bucket, m->want[i].arg);
		break;
	case MSG_LATE_USAGE:
		late_usage(w, m);
		break;
	default:
		break;
	}
	msg_free(T.msgs, m);
}

static bool take_messages(struct worker *w, usec_t now)
{
	const struct door *doors[] = { &T.to_worker[w->number], &T.repl_to_worker[w->number] };
	bool busy = false;

	for (unsigned int d = 0; d < RTE_DIM(doors); d++)
		for (unsigned int i = 0; i < WORKER_MSGS; i++) {
			struct msg *m = door_take(doors[d]);

			if (m == NULL)
				break;
			handle(w, m, now);
			busy = true;
		}
	return busy;
}

/* Frames of the kernel's and of other workers. */
static bool take_frames(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	unsigned int n = rte_ring_dequeue_burst(
			     T.kernel_out[w->number], (void **)m, FASTPATH_BURST, NULL),
		     k;

	for (unsigned int i = 0; i < n; i++)
		fastpath_send(&w->fp, m[i]->port, m[i]);
	k = rte_ring_dequeue_burst(T.handover[w->number], (void **)m, FASTPATH_BURST, NULL);
	if (k > 0)
		fastpath_handed(&w->fp, m, (uint16_t)k);
	return n + k > 0;
}

static bool receive(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	bool busy = false;

	for (unsigned int i = 0; i < T.n_ports; i++) {
		uint16_t n;

		if (!(T.port[i].conf->roles & (CONFIG_ACCESS | CONFIG_CORE)))
			continue;
		n = rte_eth_rx_burst(T.port[i].id, w->queue, m, FASTPATH_BURST);
		if (n > 0) {
			fastpath_rx(&w->fp, T.port[i].id, m, n);
			busy = true;
		}
	}
	return busy;
}

/* Marks what we counted, a piece of the table a turn. True when all was looked at. */
static bool late_sweep(struct worker *w)
{
	for (unsigned int i = 0; i < WORKER_SWEEP_FAST && w->late_slots > 0; i++) {
		uint32_t n = --w->late_slots, shard = w->shards[n / T.table->n_slots];
		struct session_slot *s = &T.table->shard[shard].slots[n % T.table->n_slots];
		uint32_t handle = __atomic_load_n(&s->teid, __ATOMIC_RELAXED);

		if (handle != 0 && (__atomic_load_n(&s->up_pkts, __ATOMIC_RELAXED) != 0 ||
					   __atomic_load_n(&s->dn_pkts, __ATOMIC_RELAXED) != 0))
			dirty_mark(&w->sync.dirty, s, handle, SESSION_G_USAGE64);
	}
	return w->late_slots == 0;
}

/* Handed over: late packets are forwarded until none came for a second. What they counted goes out
 * as late usage; when all of it has left for the replication core, control is told. */
static void late_end(struct worker *w, usec_t now)
{
	if (w->fp.mode == FASTPATH_LATE) {
		usec_t quiet = (rte_rdtsc() - w->fp.late_last_tsc) * USEC_PER_SEC / clock_hz;

		if (quiet < LATE_QUIET_US && now - w->late_since < LATE_MOST_US)
			return;
		w->fp.mode = FASTPATH_IDLE;
	}
	if (!w->late_asked || !late_sweep(w) ||
		!sync_drained(&w->sync, w->sync.dirty.normal.tail, now))
		return;
	w->late_asked = false;
	answer_done(w, MSG_LATE_END, w->late_term, 0, true);
}

/* We stood still for so long that the peer may have taken over: what waited in the ports meanwhile
 * (packets, and ARP requests for VIPs that are the peer's by now) is not ours to answer. Bounded by
 * what a port's ring holds. */
static void drop_stale(struct worker *w)
{
	struct rte_mbuf *m[FASTPATH_BURST];

	for (unsigned int i = 0; i < T.n_ports; i++) {
		uint16_t n = FASTPATH_BURST;

		if (!(T.port[i].conf->roles & (CONFIG_ACCESS | CONFIG_CORE)))
			continue;
		for (unsigned int k = 0; k < STALE_BURSTS && n > 0; k++) {
			n = rte_eth_rx_burst(T.port[i].id, w->queue, m, FASTPATH_BURST);
			rte_pktmbuf_free_bulk(m, n);
			w->count.stale_frames += n;
		}
	}
	for (unsigned int k = 0, n = 1; k < STALE_BURSTS && n > 0; k++) {
		n = rte_ring_dequeue_burst(
			T.kernel_out[w->number], (void **)m, FASTPATH_BURST, NULL);
		rte_pktmbuf_free_bulk(m, n);
		w->count.stale_frames += n;
	}
}

/* Late mode is answered when all that was dirty at its beginning has left for the replication
 * core. */
static void late_turn(struct worker *w, usec_t now)
{
	if (w->sync.late) {
		late_end(w, now);
		return;
	}
	if (!w->late_asked || w->late_pending)
		return;
	if (w->sync.on && !sync_drained(&w->sync, w->late_mark, now))
		return;
	w->late_pending = true;
	w->sync.paused = true;
	answer_done(w, MSG_LATE, w->term, w->late_cookie, true);
}

static void seconds(struct worker *w, usec_t now)
{
	uint32_t now_s = (uint32_t)(now / USEC_PER_SEC);

	w->fp.now_s = now_s;
	if (now < w->next_second)
		return;
	w->next_second = now + 10 * USEC_PER_MSEC;
	w->fp.ei_per_s = now >= w->ei_from ? ERROR_INDICATIONS_PER_S : 0;
	if (w->fp.mode == FASTPATH_OWN)
		for (unsigned int i = 0; i < w->n_shards; i++)
			session_quarantine_expire(T.table, w->number, w->shards[i], now_s, 64);
}

bool worker_turn(struct worker *w)
{
	usec_t now = clock_us(), gap;
	bool busy;

	gap = pulse_turn(&T.pulse_worker[w->number], now);
	if (gap > T.pulse_worker[w->number].stale_us) /* nobody was idle: we did not look */
		w->idle_base_s = (uint32_t)(now / USEC_PER_SEC);
	if (chassis_stood_still(now, gap))
		drop_stale(w);
	w->fp.now_tsc = rte_rdtsc();
	if (w->sync.on)
		fastpath_prefetch_due(&w->fp, SYNC_RECORDS);
	seconds(w, now);
	busy = receive(w);
	busy |= take_frames(w);
	busy |= take_messages(w, now);
	late_turn(w, now);
	busy |= sync_turn(&w->sync, now);
	busy |= worker_sweep(w, now);
	fastpath_flush(&w->fp);
	return busy;
}

int worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned int idle = 0;

	while (!atomic_load_explicit(&T.quit, memory_order_relaxed))
		pulse_rest(&T.pulse_worker[w->number], worker_turn(w), &idle);
	return 0;
}
