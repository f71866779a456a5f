/* SPDX-License-Identifier: BSD-3-Clause */
/* What owners are asked when a row's turn has come, made of what the session is then. */
#include <string.h>

#include "pdp_priv.h"

bool start_was_answered(const struct session_rec *rec, const struct pdp_origin *from)
{
	return rec->protocol == from->protocol && rec->req_type == from->type &&
	       rec->req_seq == from->seq && rec->req_digest == from->digest &&
	       rec->req_port == from->port && ip_addr_equal(&rec->req_src, &from->addr);
}

static bool start_lives(const struct session_rec *rec, uint32_t handle)
{
	return rec->state == SESSION_LIVE && rec->handle == handle;
}

uint32_t start_target(const struct pdp *p, uint32_t handle, uint8_t nsapi, struct session_rec *rec)
{
	const struct pdp_ops *ops = &p->env.ops;
	uint32_t other;

	if (handle == 0)
		return 0;
	ops->read(ops->ctx, handle, rec);
	if (!start_lives(rec, handle))
		return 0;
	if ((rec->key & 0xf) == nsapi)
		return handle;
	other = ops->find(ops->ctx, (rec->key & ~UINT64_C(0xf)) | nsapi);
	if (other == 0)
		return 0;
	ops->read(ops->ctx, other, rec);
	return start_lives(rec, other) ? other : 0;
}

/* Of *o what is to be done, and what it takes: the rest is the row's. */
static bool start_ask(
	struct pdp *p, struct pdp_row *x, enum pdp_step step, struct pdp_order *o, usec_t now)
{
	o->cookie = row_cookie(p, x);
	o->rec = &x->rec;
	x->owner = o->owner;
	row_wait(p, x, step, USEC_NEVER);
	return p->env.ops.order(p->env.ops.ctx, o);
}

static uint8_t start_owner(const struct pdp *p, uint32_t handle)
{
	return p->env.ops.owner_of(p->env.ops.ctx, handle);
}

bool start_is_outlived(struct pdp *p, struct pdp_row *x, usec_t now)
{
	const struct pdp_peer *at;

	if (x->restarts == p->restarts)
		return false;
	x->restarts = p->restarts;
	at = peers_get(p, &x->rec.peer_ctl, now);
	return at->known && x->rec.has_recovery && at->recovery != x->rec.recovery;
}

/* Asks the next owner in turn: each tries all that it has. */
bool start_create(struct pdp *p, struct pdp_row *x, usec_t now)
{
	struct pdp_order o = { .kind = PDP_CREATE, .owner = p->next_owner };

	if (start_is_outlived(p, x, now))
		return false;
	p->next_owner = (uint8_t)((p->next_owner + 1) % p->env.n_owners);
	x->tried++;
	x->rec.handle = 0;
	return start_ask(p, x, STEP_OWNER, &o, now);
}

/* The peer begins anew: the old context goes first (TS 29.060 7.3.1). */
bool start_replace(struct pdp *p, struct pdp_row *x, uint32_t handle, usec_t now)
{
	struct pdp_order o = {
		.kind = PDP_DELETE, .why = SESSION_WHY_REPLACED, .owner = start_owner(p, handle)
	};

	x->rec.handle = handle;
	return start_ask(p, x, STEP_END, &o, now);
}

/* The Recovery of the peer that serves the session from now on: another one's restarts are none of
 * its business. */
static void start_recovery(struct pdp *p, struct session_rec *r, const struct pdp_row *x,
	const struct session_rec *old, usec_t now)
{
	const struct pdp_peer *at;

	if (x->has & PDP_HAS_RECOVERY) {
		r->has_recovery = true;
		r->recovery = x->rec.recovery;
	} else if (!ip_addr_equal(&r->peer_ctl, &old->peer_ctl)) {
		at = peers_get(p, &r->peer_ctl, now);
		r->has_recovery = at->known;
		r->recovery = at->recovery;
	}
}

/* The record keeps the last request that a peer was answered: what the gateway began is none. */
static void start_request(struct session_rec *r, const struct pdp_row *x)
{
	if (x->kind > PDP_DELETE)
		return;
	r->protocol = x->rec.protocol;
	r->req_type = x->rec.req_type;
	r->req_seq = x->rec.req_seq;
	r->req_digest = x->rec.req_digest;
	r->req_port = x->rec.req_port;
	r->req_src = x->rec.req_src;
}

/* What the session has, and what the Update brings. */
static void start_merge(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	struct session_rec r;

	session_rec_copy(&r, old);
	if (x->has & PDP_HAS_USR_TEID)
		r.peer_usr_teid = x->rec.peer_usr_teid;
	if (x->has & PDP_HAS_USR_ADDR)
		r.peer_usr = x->rec.peer_usr;
	if (x->has & PDP_HAS_CTL_TEID)
		r.peer_ctl_teid = x->rec.peer_ctl_teid;
	if (x->has & PDP_HAS_CTL_ADDR)
		r.peer_ctl = x->rec.peer_ctl;
	if (x->has & PDP_HAS_QOS) {
		r.qos_len = x->rec.qos_len;
		memcpy(r.qos, x->rec.qos, sizeof(r.qos));
	}
	start_recovery(p, &r, x, old, now);
	start_request(&r, x);
	session_rec_copy(&x->rec, &r);
}

bool start_update(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	struct pdp_order o = { .kind = PDP_UPDATE,
		.groups = SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST,
		.owner = start_owner(p, old->handle) };

	start_merge(p, x, old, now);
	return start_ask(p, x, STEP_OWNER, &o, now);
}

static enum session_why start_why(const struct pdp_row *x)
{
	switch (x->kind) {
	case ROW_END:
		return x->why;
	case ROW_DROP:
		return SESSION_WHY_ERROR_INDICATION;
	default:
		return SESSION_WHY_REQUEST;
	}
}

bool start_delete(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	struct pdp_order o = {
		.kind = PDP_DELETE, .why = start_why(x), .owner = start_owner(p, old->handle)
	};

	x->rec.handle = old->handle;
	x->rec.has_recovery = old->has_recovery;
	x->rec.recovery = old->recovery;
	if (x->kind > PDP_DELETE)
		session_rec_copy(&x->rec, old);
	return start_ask(p, x, STEP_OWNER, &o, now);
}
