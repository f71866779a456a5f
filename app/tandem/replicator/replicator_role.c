/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders of the control core: whether the slots are ours to write, in which term the stream runs,
 * and when it is through. */
#include <rte_mbuf.h>

#include "replicator_priv.h"

enum { QUIET_US = 100000 };

static void replicator_done(struct replicator *r, enum to_replicator_type order, repl_term_t term,
	uint64_t cookie, bool ok, uint64_t number)
{
	/* of what was applied until now, before control acts on it */
	session_batch_flush(r->env.batch);
	replicator_to_control(
		r, from_replicator_done(r->env.msgs, order, term, cookie, ok, number));
}

/* False: a worker could not be notified; the next turn tries again. */
static bool replicator_notify_stream(struct replicator *r, bool on)
{
	bool ok = true;

	for (unsigned int w = 0; w < r->env.n_workers; w++)
		ok &= replicator_to_worker(
			r, w, repl_to_worker_stream(r->env.msgs, r->term, on, r->version));
	r->on &= ok;
	return ok;
}

static void replicator_notify_late_stream(struct replicator *r)
{
	for (unsigned int w = 0; w < r->env.n_workers; w++)
		r->on &= replicator_to_worker(r, w,
			repl_to_worker_late_stream(r->env.msgs, r->term, r->late_term, r->version));
}

static void replicator_report_stream(struct replicator *r, bool on)
{
	from_replicator_send(
		r->env.reports, from_replicator_stream_state(r->env.msgs, r->term, on));
}

/* Finished packets belong to the stream that was: they must not go out in another, where they mean
 * something else. */
static void replicator_discard(struct replicator *r)
{
	for (unsigned int w = 0; w < r->env.n_workers; w++) {
		void *m;

		while (rte_ring_dequeue(r->env.stream_out[w], &m) == 0) {
			struct stream_meta *meta = rte_mbuf_to_priv(m);

			replicator_lost(r, meta->owner, meta->entry, meta->n);
			r->count.discarded++;
			r->count.discarded_records += meta->n;
			rte_pktmbuf_free(m);
		}
	}
}

static void replicator_late_start(struct replicator *r)
{
	replicator_discard(r);
	repl_stream_late(r->stream, r->late_term, r->now);
	r->on = true;
	replicator_notify_late_stream(r);
}

static void replicator_late_stop(struct replicator *r)
{
	if (!r->late)
		return;
	r->late = r->on = r->drain.on = false;
	repl_stream_stop(r->stream);
}

static void replicator_stop(void *replicator, struct to_replicator_stop *m)
{
	struct replicator *r = replicator;

	replicator_late_stop(r); /* what it did not bring stays in our own set */
	replicator_discard(r);
	replicator_done(r, TO_REPLICATOR_STOP, m->term, m->cookie, true,
		repl_receive_stop(r->stream, r->now));
	r->writing = false;
}

static void replicator_write(void *replicator, struct to_replicator_write *m)
{
	struct replicator *r = replicator;

	r->active = false;
	r->term = m->term;
	r->on = false;
	audit_restart(r->audit, r->now);
	repl_receive(r->stream, REPL_RX_APPLY, m->term, 0);
	r->late = m->late_term != 0;
	r->late_term = m->late_term;
	r->drain.on = r->notified = false;
	r->writing = true;
	if (r->late) {
		replicator_late_start(r);
	} else {
		replicator_discard(r);
		repl_stream_stop(r->stream);
		replicator_notify_stream(r, false);
	}
	replicator_done(r, TO_REPLICATOR_WRITE, m->term, m->cookie, true, 0);
}

static void replicator_start(void *replicator, struct to_replicator_start *m)
{
	struct replicator *r = replicator;

	r->active = true;
	r->late = r->writing = false;
	r->term = m->term;
	r->on = false; /* begins when the peer is there */
	r->pair_offset_us = pair_time_offset_us(r->env.pair_time);
	repl_pair_time(r->stream, r->pair_offset_us);
	repl_receive(r->stream, REPL_RX_LATE, m->term, m->term - 1);
	replicator_done(r, TO_REPLICATOR_START, m->term, m->cookie, true, 0);
}

static void replicator_drain(void *replicator, struct to_replicator_drain *m)
{
	struct replicator *r = replicator;

	r->drain.on = true;
	r->drain.late = false;
	r->drain.cookie = m->cookie;
	r->drain.term = m->term;
}

static void replicator_late_drain(void *replicator, struct to_replicator_late_drain *m)
{
	struct replicator *r = replicator;

	r->drain.on = r->drain.late = true;
	r->drain.term = m->term;
}

static void replicator_late_stream_off(void *replicator, struct to_replicator_late_stream_off *m)
{
	struct replicator *r = replicator;

	if (!r->late || r->late_term != m->term)
		return;
	replicator_late_stop(r);
	replicator_notify_stream(r, false);
}

static void replicator_audit_all(void *replicator, struct to_replicator_audit *m)
{
	(void)m;
	replicator_request_pass(replicator);
}

static void replicator_new_key(void *replicator, struct to_replicator_key *m)
{
	struct replicator *r = replicator;

	replicator_to_control(
		r, from_replicator_keyed(r->env.msgs, m->cookie, replicator_key(r, m)));
}

static void replicator_use_key(void *replicator, struct to_replicator_key_use *m)
{
	struct replicator *r = replicator;

	keys_hello(&r->keys, m->key_id, m->restarted, r->now);
}

static void replicator_heartbeat(void *replicator, struct to_replicator_heartbeat *m)
{
	struct replicator *r = replicator;

	repl_heartbeat(r->stream, m->term, m->body, m->len);
	if (m->at_once)
		repl_heartbeat_now(r->stream);
}

const struct to_replicator_handlers replicator_of_control = { .stop = replicator_stop,
	.write = replicator_write,
	.start = replicator_start,
	.drain = replicator_drain,
	.late_drain = replicator_late_drain,
	.late_stream_off = replicator_late_stream_off,
	.heartbeat = replicator_heartbeat,
	.key = replicator_new_key,
	.key_use = replicator_use_key,
	.audit = replicator_audit_all };

bool replicator_messages(struct replicator *r)
{
	struct to_replicator *m;
	bool busy = false;

	for (unsigned int i = 0; i < 16 && (m = to_replicator_take(r->env.orders)) != NULL; i++) {
		r->count.msg_unknown += !to_replicator_dispatch(&replicator_of_control, r, m);
		msg_free(r->env.msgs, m);
		busy = true;
	}
	return busy;
}

/* The stream runs while we are active, and the peer is there, hears us and applies: what is sent
 * before would only be lost, and answers would wait for it. It stops when the peer is gone, or its
 * configuration is another from now on; not by a change of the peer's role alone: in a planned
 * switchover that comes before our own. */
void replicator_presence(struct replicator *r)
{
	usec_t heard = repl_heard(r->stream);
	bool there = heard != USEC_NEVER &&
		     r->now - RTE_MIN(heard, r->now) <
			     atomic_load_explicit(&r->present_us, memory_order_relaxed) &&
		     repl_hears_us(r->stream);
	bool differs = atomic_load_explicit(&r->peer_differs, memory_order_relaxed);
	bool takes =
		there && !differs && atomic_load_explicit(&r->peer_applies, memory_order_relaxed);
	uint8_t version = atomic_load_explicit(&r->peer_version, memory_order_relaxed);

	if (version != r->version && (r->on || r->late))
		r->on = false; /* all records of a stream are of one version: another stream */
	if (!r->on) {
		r->version = version;
		repl_version(r->stream, version);
	}
	if (!r->active) {
		if (r->late && !r->on && there) /* it broke off: from the beginning */
			replicator_late_start(r);
		return;
	}
	if (takes && !r->on) {
		repl_stream_start(r->stream, r->term, r->now);
		r->on = r->notified = true;
		r->count.streams++;
		replicator_notify_stream(r, true);
		replicator_report_stream(r, true);
	} else if (((!there || differs) && r->on) ||
		   /* it was on and is off: another process is there, or another term */
		   (!r->on && r->notified)) {
		r->on = false;
		repl_stream_stop(r->stream);
		r->notified = !replicator_notify_stream(r, false);
		replicator_report_stream(r, false);
	}
}

static void replicator_drain_end(struct replicator *r, bool ok, uint64_t number)
{
	r->drain.on = false;
	if (!r->drain.late) {
		replicator_done(r, TO_REPLICATOR_DRAIN, r->drain.term, r->drain.cookie, ok, number);
		return;
	}
	session_batch_flush(r->env.batch);
	replicator_to_control(r, from_replicator_late_drained(r->env.msgs, r->drain.term));
}

void replicator_drained(struct replicator *r)
{
	if (!r->drain.on)
		return;
	/* The peer went: what nobody acknowledged is forgotten, and that is not the same as
	 * acknowledged. */
	if (!r->on && !r->late) {
		replicator_drain_end(r, false, 0);
		return;
	}
	if (!r->on || repl_unacked(r->stream) > 0)
		return;
	for (unsigned int w = 0; w < r->env.n_workers; w++)
		if (!rte_ring_empty(r->env.stream_out[w]) ||
			!rte_ring_empty(r->env.to_worker[w].door.ring))
			return;
	if (r->lost_at != 0 &&
		r->now - r->lost_at < QUIET_US) /* what was lost is on its way through a worker */
		return;
	replicator_drain_end(r, true, repl_last_number(r->stream));
}
