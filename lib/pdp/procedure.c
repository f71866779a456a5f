/* SPDX-License-Identifier: BSD-3-Clause */
/* Create, Update and Delete (TS 29.060 7.3.1, 7.3.3, 7.3.5): from the request to its answer. */
#include <errno.h>
#include <string.h>

#include "pdp_priv.h"

/* ---- answers ---- */

static void procedure_refuse(struct pdp *p, const struct pdp_request *q, uint32_t peer_teid,
	enum pdp_cause cause, usec_t now)
{
	const struct pdp_answer a = {
		.id = q->id, .kind = q->kind, .cause = cause, .peer_teid = peer_teid
	};

	p->env.ops.answer(p->env.ops.ctx, &a, now);
}

static void procedure_answer_again(
	struct pdp *p, const struct pdp_request *q, const struct session_rec *rec, usec_t now)
{
	const struct pdp_answer a = {
		.id = q->id, .kind = q->kind, .cause = PDP_ACCEPTED, .again = true, .rec = rec
	};

	p->env.ops.answer(p->env.ops.ctx, &a, now);
}

/* The peer's own TEID comes from the session that the request names, if there is one. */
static uint32_t procedure_peer_teid(const struct pdp *p, uint32_t handle)
{
	struct session_rec rec;

	if (handle == 0)
		return 0;
	p->env.ops.read(p->env.ops.ctx, handle, &rec);
	return rec.state == SESSION_LIVE && rec.handle == handle ? rec.peer_ctl_teid : 0;
}

/* ---- the line of a session ---- */

/* The session that a Create replaces. The index may not have heard of the newest one yet, and name
 * none or the one before, but whoever made it may still wait for its commit. 0: none. */
static uint32_t procedure_replaced(struct pdp *p, const struct pdp_row *x)
{
	const struct pdp_ops *ops = &p->env.ops;
	uint32_t left = row_left(p, x);
	struct session_rec rec;

	if (left != 0) {
		ops->read(ops->ctx, left, &rec);
		if (rec.state == SESSION_LIVE && rec.handle == left && rec.key == x->key)
			return left;
	}
	return ops->find(ops->ctx, x->key);
}

void procedure_start(struct pdp *p, struct pdp_row *x, usec_t now)
{
	struct session_rec old;
	uint32_t handle;
	bool asked;

	if (x->kind == PDP_CREATE && start_is_outlived(p, x, now)) {
		asked = false;
	} else if (x->kind == PDP_CREATE) {
		handle = procedure_replaced(p, x);
		asked = handle != 0 ? start_replace(p, x, handle, now) : start_create(p, x, now);
	} else if (start_target(p, x->handle, x->nsapi, &old) == 0) {
		x->rec.peer_ctl_teid = procedure_peer_teid(p, x->handle);
		row_finish(p, x, PDP_NOT_FOUND, now);
		return;
	} else if (x->kind == PDP_UPDATE || x->kind == ROW_REFRESH) {
		asked = start_update(p, x, &old, now);
	} else {
		asked = start_delete(p, x, &old, now);
	}
	if (!asked)
		row_later(p, x, now);
}

void procedure_next(struct pdp *p, const struct pdp_line *l, usec_t now)
{
	struct pdp_row *x;

	/* Ends: each is started once, and then waits for an owner or is gone. */
	while ((x = row_whose_turn(p, l)) != NULL)
		procedure_start(p, x, now);
}

void procedure_line(struct pdp *p, struct pdp_row *x, usec_t now)
{
	const struct pdp_line l = row_line(x);

	row_wait(p, x, STEP_LINE, now + PDP_LINE_US);
	procedure_next(p, &l, now);
}

/* ---- requests ---- */

static struct pdp_row *procedure_row(struct pdp *p, const struct pdp_request *q, uint64_t key)
{
	struct pdp_row *x = row_take(p, (uint8_t)q->kind);

	if (x == NULL)
		return NULL;
	if (!row_join(p, x, key)) {
		row_give(p, x);
		return NULL;
	}
	x->id = q->id;
	x->handle = q->handle;
	x->nsapi = q->nsapi;
	x->has = q->has;
	session_rec_copy(&x->rec, &q->rec);
	x->rec.protocol = q->from.protocol;
	x->rec.req_type = q->from.type;
	x->rec.req_seq = q->from.seq;
	x->rec.req_digest = q->from.digest;
	x->rec.req_port = q->from.port;
	x->rec.req_src = q->from.addr;
	return x;
}

static enum pdp_cause procedure_check_create(const struct pdp_request *q)
{
	if (q->secondary)
		return PDP_NOT_SUPPORTED;
	if (q->rec.pdp_type != 0x21)
		return PDP_UNKNOWN_TYPE;
	if (q->apn == NULL)
		return PDP_UNKNOWN_APN;
	if (!ip_addr_is_any(&q->rec.ue))
		return PDP_NOT_SUPPORTED; /* static addresses */
	if (!ip_addr_is_v4(&q->rec.peer_usr) || !ip_addr_is_v4(&q->rec.peer_ctl))
		return PDP_NOT_SUPPORTED; /* tunnels over IPv6 */
	/* Nobody verified that the subscriber may use the APN (TS 29.060 7.7.12). */
	if (q->apn->verified_only && !q->verified)
		return PDP_NOT_AUTHENTICATED;
	return PDP_ACCEPTED;
}

/* What the configuration allows; the table itself is rounded up. Requests that are on their way to
 * an owner count as sessions. */
static bool procedure_table_full(struct pdp *p)
{
	/* The owners write these counts all the time: they are read only when there may be too
	 * many. */
	if (++p->live_most < p->env.max_sessions)
		return false;
	p->live_most = p->n_requests + p->env.ops.count(p->env.ops.ctx);
	return p->live_most >= p->env.max_sessions;
}

static void procedure_fill(
	struct pdp *p, struct pdp_row *x, const struct pdp_apn *apn, const struct pdp_peer *peer)
{
	struct session_rec *r = &x->rec;

	r->state = SESSION_LIVE;
	r->apn = apn->number;
	r->pool = apn->pool;
	r->charging_id = ++p->next_charging;
	x->restarts = p->restarts;
	r->has_recovery = peer->known;
	r->recovery = peer->recovery;
}

/* A Create that still waits for AAA is given up for a newer one: its peer has lost the subscriber,
 * and must not get back what the newer one has by then. */
static void procedure_ask_aaa(struct pdp *p, struct pdp_row *x, usec_t now)
{
	const struct pdp_ops *ops = &p->env.ops;
	struct pdp_row *older = row_at_aaa(p, x);

	if (older != NULL)
		row_finish(p, older, PDP_UNANSWERED, now);
	if (p->n_at[STEP_AAA] >= PDP_FOR_AAA) {
		p->count_rows.requests_full++;
		row_finish(p, x, PDP_NO_RESOURCES, now);
		return;
	}
	row_wait(p, x, STEP_AAA, now + PDP_AAA_US);
	if (!ops->ask_aaa(ops->ctx, row_cookie(p, x), x->id, &x->rec))
		row_finish(p, x, PDP_UNANSWERED, now);
}

static void procedure_create(struct pdp *p, const struct pdp_request *q, usec_t now)
{
	enum pdp_cause cause = procedure_check_create(q);
	uint64_t key = q->rec.key;
	struct session_rec rec;
	struct pdp_peer *peer;
	struct pdp_row *x;
	uint32_t handle;

	if (cause != PDP_ACCEPTED) {
		procedure_refuse(p, q, q->rec.peer_ctl_teid, cause, now);
		return;
	}
	handle = p->env.ops.find(p->env.ops.ctx, key);
	if (handle != 0) {
		p->env.ops.read(p->env.ops.ctx, handle, &rec);
		if (rec.state == SESSION_LIVE && start_was_answered(&rec, &q->from)) {
			procedure_answer_again(p, q, &rec, now);
			return;
		}
	}
	peer = peers_get(p, &q->rec.peer_ctl, now);
	if (q->has & PDP_HAS_RECOVERY)
		peers_heard(p, peer, q->rec.recovery);
	x = handle != 0 || !procedure_table_full(p) ? procedure_row(p, q, key) : NULL;
	if (x == NULL) {
		procedure_refuse(p, q, q->rec.peer_ctl_teid, PDP_NO_RESOURCES, now);
		return;
	}
	procedure_fill(p, x, q->apn, peer);
	if (p->env.ops.ask_aaa != NULL)
		procedure_ask_aaa(p, x, now);
	else
		procedure_line(p, x, now);
}

/* Update or Delete. */
static void procedure_change(struct pdp *p, const struct pdp_request *q, usec_t now)
{
	struct session_rec rec;
	uint32_t handle = start_target(p, q->handle, q->nsapi, &rec);
	struct pdp_row *x;

	if (handle == 0 && q->kind == PDP_DELETE && q->handle != 0) {
		/* It is gone already: perhaps by this very request, before a switchover. */
		p->env.ops.read(p->env.ops.ctx, q->handle, &rec);
		if (rec.state != SESSION_LIVE && start_was_answered(&rec, &q->from)) {
			procedure_answer_again(p, q, &rec, now);
			return;
		}
	}
	if (handle == 0) {
		procedure_refuse(p, q, procedure_peer_teid(p, q->handle), PDP_NOT_FOUND, now);
		return;
	}
	if (q->kind == PDP_UPDATE && start_was_answered(&rec, &q->from)) {
		procedure_answer_again(p, q, &rec, now);
		return;
	}
	x = procedure_row(p, q, rec.key);
	if (x == NULL) {
		procedure_refuse(p, q, 0, PDP_UNANSWERED, now);
		return;
	}
	if (q->kind == PDP_UPDATE && q->has & PDP_HAS_RECOVERY)
		pdp_peer_heard(p, q->has & PDP_HAS_CTL_ADDR ? &q->rec.peer_ctl : &rec.peer_ctl,
			q->rec.recovery, now);
	procedure_line(p, x, now);
}

void procedure_request(struct pdp *p, const struct pdp_request *q, usec_t now)
{
	if (q->kind == PDP_CREATE)
		procedure_create(p, q, now);
	else
		procedure_change(p, q, now);
}

/* ---- owners' answers ---- */

/* Nobody is answered, and the peer repeats its request: whoever is Active then answers that. */
static bool procedure_is_later(int error)
{
	return error == -EPERM || error == -EAGAIN;
}

static enum pdp_cause procedure_cause(int error)
{
	switch (error) {
	case -EADDRNOTAVAIL:
		return PDP_NO_ADDRESS;
	case -ENOSPC:
		return PDP_NO_RESOURCES;
	case -E2BIG:
		return PDP_NO_MEMORY;
	case -ENOENT:
	case -ESTALE:
		return PDP_NOT_FOUND;
	default:
		return PDP_FAILED;
	}
}

/* True: another owner was asked, as this one has no room. */
static bool procedure_try_next(struct pdp *p, struct pdp_row *x, int error, usec_t now)
{
	if (x->worst == 0 || error == -ENOSPC || error == -E2BIG)
		x->worst = error;
	/* all owners' slots have annexes of one size */
	return error != -E2BIG && !procedure_is_later(error) && x->tried < p->env.n_owners &&
	       start_create(p, x, now);
}

void procedure_answered(
	struct pdp *p, struct pdp_row *x, const struct pdp_done *d, const struct pdp_time *t)
{
	if (x->step == STEP_END) { /* the old context is gone: now the new one */
		if (procedure_is_later(d->error) || !start_create(p, x, t->now))
			row_finish(p, x, PDP_UNANSWERED, t->now);
	} else if (d->error == 0) {
		session_rec_copy(&x->rec, d->rec);
		x->handle = d->rec->handle;
		x->commit = d->commit;
		gate_enter(p, x, t);
	} else if (x->kind != PDP_CREATE || !procedure_try_next(p, x, d->error, t->now)) {
		row_finish(p, x,
			procedure_is_later(d->error)
				? PDP_UNANSWERED
				: procedure_cause(x->worst != 0 ? x->worst : d->error),
			t->now);
	}
}
