/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders of the control core: whether the slots are ours to write, in which term the stream runs,
 * and when it is through. */
#include "replicator_priv.h"

enum { QUIET_US = 100000 };

static void done(struct replicator *r, const struct msg *q, bool ok, uint64_t number)
{
	struct msg *m = msg_new(T.msgs, MSG_DONE);

	index_flush(); /* of what was applied until now, before control acts on it */
	if (m == NULL) {
		r->count.msg_no_room++;
		return;
	}
	m->by = SESSION_BY_REPL;
	m->what = q->type;
	m->term = q->term;
	m->cookie = q->cookie;
	m->ok = ok;
	m->number = number;
	if (door_send(&T.from_repl, m) < 0)
		r->count.msg_no_room++;
}

static bool workers_stream(struct replicator *r, bool on, bool late)
{
	bool ok = true;

	for (unsigned int w = 0; w < T.n_workers; w++) {
		struct msg *m = msg_new(T.msgs, MSG_STREAM);

		if (m == NULL) {
			r->count.msg_no_room++;
			ok = r->on = false; /* tried again at the next turn */
			continue;
		}
		m->on = on;
		m->what = late;
		m->term = r->term;
		m->version = r->version;
		m->old_term = r->late_term;
		if (door_send(&T.repl_to_worker[w], m) < 0) {
			r->count.msg_no_room++;
			ok = r->on = false;
		}
	}
	return ok;
}

static void control_stream(struct replicator *r, bool on)
{
	struct msg *m = msg_new(T.msgs, MSG_STREAM_STATE);

	if (m == NULL)
		return;
	m->on = on;
	m->term = r->term;
	door_send(&T.from_repl, m);
}

/* Finished packets belong to the stream that was: they must not go out in another, where they mean
 * something else. */
static void discard(struct replicator *r)
{
	for (unsigned int w = 0; w < T.n_workers; w++) {
		void *m;

		while (rte_ring_dequeue(T.stream_out[w], &m) == 0) {
			struct stream_meta *meta = rte_mbuf_to_priv(m);

			replicator_lost(r, meta->owner, meta->entry, meta->n);
			r->count.discarded++;
			r->count.discarded_records += meta->n;
			rte_pktmbuf_free(m);
		}
	}
}

static void late_start(struct replicator *r)
{
	discard(r);
	repl_stream_late(r->stream, r->late_term, r->now);
	r->on = true;
	workers_stream(r, true, true);
}

static void late_stop(struct replicator *r)
{
	if (!r->late)
		return;
	r->late = r->on = r->draining = false;
	repl_stream_stop(r->stream);
}

static void take(struct replicator *r, struct msg *m)
{
	bool ok;

	switch (m->type) {
	case MSG_STOP:
		late_stop(r); /* what it did not bring stays in our own set */
		discard(r);
		done(r, m, true, repl_receive_stop(r->stream, r->now));
		r->writing = false;
		break;
	case MSG_WRITE: /* standby in the peer's term; with old_term: our own usage of that term
			   still goes out */
		r->active = false;
		r->term = m->term;
		r->on = false;
		audit_restart(r->audit, r->now);
		repl_receive(r->stream, REPL_RX_APPLY, m->term, 0);
		r->late = m->old_term != 0;
		r->late_term = m->old_term;
		r->draining = r->told = false;
		r->writing = true;
		if (r->late) {
			late_start(r);
		} else {
			discard(r);
			repl_stream_stop(r->stream);
			workers_stream(r, false, false);
		}
		done(r, m, true, 0);
		break;
	case MSG_START:
		r->active = true;
		r->late = r->writing = false;
		r->term = m->term;
		r->on = false; /* begins when the peer is there */
		r->pair_offset_us = pair_time_offset_us(&T.pair_time);
		repl_pair_time(r->stream, r->pair_offset_us);
		repl_receive(r->stream, REPL_RX_LATE, m->term, m->term - 1);
		done(r, m, true, 0);
		break;
	case MSG_DRAIN:
		r->draining = true;
		r->drain_cookie = m->cookie;
		r->drain_term = m->term;
		break;
	case MSG_LATE_STREAM_OFF:
		if (r->late) {
			late_stop(r);
			workers_stream(r, false, false);
		}
		break;
	case MSG_RATE:
		replicator_rate(r, (uint32_t)m->number, r->now);
		break;
	case MSG_RECHECK:
		replicator_recheck(r);
		break;
	case MSG_KEY:
		replicator_key(r, m, &ok);
		done(r, m, ok, 0);
		break;
	case MSG_KEY_USE:
		keys_hello(&r->keys, m->key_id, m->restarted, r->now);
		break;
	case MSG_HEARTBEAT:
		repl_heartbeat(r->stream, m->term, m->body, m->len);
		if (m->fresh)
			repl_heartbeat_now(r->stream);
		break;
	default:
		break;
	}
}

bool replicator_messages(struct replicator *r)
{
	struct msg *m;
	bool busy = false;

	for (unsigned int i = 0; i < 16 && (m = door_take(&T.to_repl)) != NULL; i++) {
		take(r, m);
		msg_free(T.msgs, m);
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
	bool there = heard != USEC_NEVER && r->now - RTE_MIN(heard, r->now) < r->present_us &&
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
			late_start(r);
		return;
	}
	if (takes && !r->on) {
		repl_stream_start(r->stream, r->term, r->now);
		r->on = r->told = true;
		r->count.streams++;
		workers_stream(r, true, false);
		control_stream(r, true);
	} else if (((!there || differs) && r->on) ||
		   /* told, not on: another process is there, or another term */
		   (!r->on && r->told)) {
		r->on = false;
		repl_stream_stop(r->stream);
		r->told = !workers_stream(r, false, false);
		control_stream(r, false);
	}
}

void replicator_drained(struct replicator *r)
{
	struct msg q = { .type = MSG_DRAIN, .term = r->drain_term, .cookie = r->drain_cookie };

	if (!r->draining)
		return;
	/* The peer went: what nobody acknowledged is forgotten, and that is not the same as
	 * acknowledged. */
	if (!r->on && !r->late) {
		r->draining = false;
		done(r, &q, false, 0);
		return;
	}
	if (!r->on || repl_unacked(r->stream) > 0)
		return;
	for (unsigned int w = 0; w < T.n_workers; w++)
		if (!rte_ring_empty(T.stream_out[w]) || !rte_ring_empty(T.repl_to_worker[w].ring))
			return;
	if (r->lost_at != 0 &&
		r->now - r->lost_at < QUIET_US) /* what was lost is on its way through a worker */
		return;
	r->draining = false;
	done(r, &q, true, repl_last_number(r->stream));
}
