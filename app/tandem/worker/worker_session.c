/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "cores/session_event.h"
#include "worker_priv.h"

/* The request goes back as its answer. */
static void worker_answer_session(
	struct worker *w, struct session_request *q, int error, uint32_t commit)
{
	struct from_worker *m = from_worker_answer(q, w->number, error, commit);

	/* There was room when the request was taken: worker_orders(). */
	if (from_worker_send(w->env.reports, m) < 0)
		w->count.msg_no_room++;
}

/* A session of ours was changed, in the door, which made an event of it: the slot goes to the
 * standby, and then the event to control, with the commit. */
static uint32_t worker_commit(struct worker *w, uint32_t handle, usec_t now)
{
	uint32_t commit = sync_commit(&w->sync, handle, now);

	session_events_send(w->env.shared->events, w->number, commit);
	return commit;
}

/* Whether the slots are ours to write in the term of the request; else it was refused. */
static bool worker_admits_session(struct worker *w, struct session_request *q)
{
	if (w->fp.mode == FASTPATH_OWN && q->term == w->term)
		return true;
	w->count.refused_term++;
	worker_answer_session(w, q, -EPERM, 0);
	return false;
}

/* Gives the session a free address and a free slot in one of our shards, beginning where the last
 * search ended. 0 or -errno. */
static int worker_allocate_session(struct worker *w, struct session_rec *rec, usec_t now)
{
	int why = -EADDRNOTAVAIL;

	for (unsigned int i = 0; i < w->n_shards; i++) {
		uint32_t shard = w->shards[w->next_shard];
		int ret;

		w->next_shard = (w->next_shard + 1) % w->n_shards;
		if (pool_pick(w->env.shared->pools, rec->pool, shard, &rec->ue) < 0)
			continue;
		ret = session_create(
			w->env.shared->table, w->number, rec, (uint32_t)(now / USEC_PER_SEC));
		/* it would be so in all shards */
		if (ret == 0 || ret == -E2BIG || ret == -EINVAL)
			return ret;
		if (ret == -ENOSPC)
			why = -ENOSPC;
		else if (why == -EADDRNOTAVAIL && ret == -EPERM)
			why = -EPERM;
	}
	return why;
}

void worker_create_session(void *worker, struct to_worker_create *m)
{
	struct worker *w = worker;
	struct session_rec *rec = &m->q.rec;
	struct session_slot *s;
	int ret;

	if (!worker_admits_session(w, &m->q))
		return;
	rec->created_ms = pair_time_ms(w->env.pair_time, w->now);
	ret = worker_allocate_session(w, rec, w->now);
	if (ret < 0) {
		w->count.creates_no_address += ret == -EADDRNOTAVAIL;
		w->count.creates_no_slot += ret == -ENOSPC;
		w->count.requests_no_annex += ret == -E2BIG;
		worker_answer_session(w, &m->q, ret, 0);
		return;
	}
	s = session_slot_of(w->env.shared->table, rec->handle);
	s->active_s = (uint32_t)(w->now / USEC_PER_SEC);
	w->count.creates++;
	worker_answer_session(w, &m->q, 0, worker_commit(w, rec->handle, w->now));
}

void worker_update_session(void *worker, struct to_worker_update *m)
{
	struct worker *w = worker;
	struct session_rec *rec = &m->q.rec;
	int ret;

	if (!worker_admits_session(w, &m->q))
		return;
	ret = session_update(w->env.shared->table, w->number, rec, m->groups);
	if (ret < 0) {
		w->count.requests_no_annex += ret == -E2BIG;
		w->count.stale_handles += ret != -E2BIG;
		worker_answer_session(w, &m->q, ret, 0);
		return;
	}
	w->count.updates++;
	session_read(w->env.shared->table, session_slot_of(w->env.shared->table, rec->handle), rec);
	worker_answer_session(w, &m->q, 0, worker_commit(w, rec->handle, w->now));
}

void worker_delete_session(void *worker, struct to_worker_delete *m)
{
	struct worker *w = worker;
	struct session_rec *rec = &m->q.rec, last;
	/* A free slot still answers the same request again. */
	const struct session_end end = { .why = (enum session_why)m->why,
		.request = rec,
		.now_s = (uint32_t)(w->now / USEC_PER_SEC) };
	struct session_slot *s;
	int ret;

	if (!worker_admits_session(w, &m->q))
		return;
	s = session_find(w->env.shared->table, rec->handle);
	if (s == NULL) {
		w->count.stale_handles++;
		worker_answer_session(w, &m->q, -ENOENT, 0);
		return;
	}
	session_read(w->env.shared->table, s, &last);
	ret = session_free(w->env.shared->table, w->number, rec->handle, &end);
	if (ret < 0) {
		w->count.msg_no_room += ret == -EAGAIN;
		worker_answer_session(w, &m->q, ret, 0);
		return;
	}
	w->count.deletes++;
	session_rec_copy(rec, &last);
	worker_answer_session(w, &m->q, 0, worker_commit(w, last.handle, w->now));
}

/* Ends a session for a reason of our own. False: control has enough to do, try again. */
static bool worker_end_session(
	struct worker *w, struct session_slot *s, enum session_why why, usec_t now)
{
	const struct session_end end = { .why = why, .now_s = (uint32_t)(now / USEC_PER_SEC) };
	uint32_t handle = s->teid;

	if (session_free(w->env.shared->table, w->number, handle, &end) < 0) {
		w->count.msg_no_room++;
		return false;
	}
	worker_commit(w, handle, now);
	w->count.ended_idle += why == SESSION_WHY_IDLE_TIMEOUT;
	w->count.ended_session_timeout += why == SESSION_WHY_SESSION_TIMEOUT;
	w->count.ended_sgsn_restart += why == SESSION_WHY_SGSN_RESTART;
	w->count.ended_error_indication += why == SESSION_WHY_ERROR_INDICATION;
	return true;
}

/* False: to be looked at again, it should have ended. */
static bool worker_sweep_check(struct worker *w, struct session_slot *s, usec_t now)
{
	const struct settings_apn *apn = settings_apn_of(w->fp.settings, s->apn);
	struct sweep *sw = &w->sweep;
	uint32_t now_s = (uint32_t)(now / USEC_PER_SEC),
		 since = RTE_MAX(s->active_s, w->idle_base_s);

	if (apn->idle_timeout_s > 0 && now_s - since >= apn->idle_timeout_s && now_s >= since) {
		return worker_end_session(w, s, SESSION_WHY_IDLE_TIMEOUT, now);
	}
	if (apn->session_timeout_s > 0 && pair_time_ms(w->env.pair_time, now) / 1000 >=
						  s->created_s + (uint64_t)apn->session_timeout_s) {
		return worker_end_session(w, s, SESSION_WHY_SESSION_TIMEOUT, now);
	}
	if ((s->flags & SESSION_F_RECOVERY) && pdp_purge_hits(&sw->purge, s->peer_ctl, s->recovery))
		return worker_end_session(w, s, SESSION_WHY_SGSN_RESTART, now);
	for (unsigned int i = 0; i < sw->n_gone; i++)
		if (session_peer_usr4(s) == sw->gone[i].addr4 &&
			s->peer_usr_teid == sw->gone[i].teid) {
			return worker_end_session(w, s, SESSION_WHY_ERROR_INDICATION, now);
		}
	return true;
}

static void worker_sweep_begin(struct worker *w)
{
	struct sweep *sw = &w->sweep;

	w->count.restarts_collided += pdp_purge_pass(&sw->purge);
	memcpy(sw->gone, sw->asked_gone, sizeof(sw->gone));
	sw->n_gone = sw->n_asked_gone;
	sw->n_asked_gone = 0;
}

/* A piece of the endless pass over our slots: slow when only timeouts are looked for, fast when
 * something was asked. */
bool worker_sweep(struct worker *w, usec_t now)
{
	struct sweep *sw = &w->sweep;
	bool asked = sw->purge.n + sw->n_gone + sw->purge.n_asked + sw->n_asked_gone > 0;

	if (w->fp.mode != FASTPATH_OWN || (!asked && now < sw->next))
		return false;
	sw->next = now + USEC_PER_MSEC;
	for (unsigned int i = 0; i < (asked ? WORKER_SWEEP_FAST : WORKER_SWEEP); i++) {
		struct session_slot *s =
			&w->env.shared->table->shard[w->shards[sw->shard]].slots[sw->slot];

		if (s->teid != 0 && !worker_sweep_check(w, s, now))
			break;
		if (++sw->slot < w->env.shared->table->n_slots)
			continue;
		sw->slot = 0;
		if (++sw->shard < w->n_shards)
			continue;
		sw->shard = 0;
		w->count.sweeps++;
		worker_sweep_begin(w);
		break;
	}
	return asked;
}

void worker_sweep_purge(void *worker, struct to_worker_purge *m)
{
	struct worker *w = worker;

	/* There is room for all SGSNs that control knows. */
	w->count.restarts_full += !pdp_purge_add(&w->sweep.purge, &m->sgsn, m->recovery);
}

void worker_sweep_gone(void *worker, struct to_worker_peer_gone *m)
{
	struct worker *w = worker;
	struct sweep *sw = &w->sweep;

	if (sw->n_asked_gone == WORKER_GONE)
		return; /* bounded: the next packet to that peer brings another indication */
	sw->asked_gone[sw->n_asked_gone].addr4 = ip_addr_to_v4(&m->peer);
	sw->asked_gone[sw->n_asked_gone++].teid = m->teid;
}
