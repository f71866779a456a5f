/* SPDX-License-Identifier: BSD-3-Clause */
/* What owners are asked when a row's turn has come, made of what the session is then. */
#include <string.h>

#include "pdp_priv.h"

bool start_was_answered(const struct session_rec *rec, const struct pdp_origin *from)
{
	return rec->req_type == from->type && rec->req_seq == from->seq &&
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

static bool start_ask(struct pdp *p, struct pdp_row *x, enum pdp_step step, enum pdp_kind kind,
	uint8_t owner, uint8_t groups, usec_t now)
{
	const struct pdp_order o = { .kind = kind,
		.groups = groups,
		.owner = owner,
		.cookie = row_cookie(p, x),
		.rec = &x->rec };

	x->owner = owner;
	row_wait(p, x, step, now + PDP_OWNER_US);
	return p->env.ops.order(p->env.ops.ctx, &o);
}

/* Asks the next owner in turn: each tries all that it has. */
bool start_create(struct pdp *p, struct pdp_row *x, usec_t now)
{
	uint8_t owner = p->next_owner;

	p->next_owner = (uint8_t)((owner + 1) % p->env.n_owners);
	x->tried++;
	x->rec.handle = 0;
	return start_ask(p, x, STEP_OWNER, PDP_CREATE, owner, 0, now);
}

/* The peer begins anew: the old context goes first (TS 29.060 7.3.1). */
bool start_replace(struct pdp *p, struct pdp_row *x, uint32_t handle, usec_t now)
{
	x->rec.handle = handle;
	return start_ask(
		p, x, STEP_END, PDP_DELETE, p->env.ops.owner_of(p->env.ops.ctx, handle), 0, now);
}

/* The Recovery of the peer that serves the session from now on: another one's restarts are none of
 * its business. */
static void start_recovery(
	struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	const struct pdp_peer *at;

	if (x->has & PDP_HAS_RECOVERY) {
		x->rec.has_recovery = true;
	} else if (ip_addr_equal(&x->rec.peer_ctl, &old->peer_ctl)) {
		x->rec.has_recovery = old->has_recovery;
		x->rec.recovery = old->recovery;
	} else {
		at = peers_get(p, &x->rec.peer_ctl, now);
		x->rec.has_recovery = at->known;
		x->rec.recovery = at->recovery;
	}
}

/* The record keeps the last request that a peer was answered: what the gateway began is none. */
static void start_keep_request(struct pdp_row *x, const struct session_rec *old)
{
	if (x->kind <= PDP_DELETE)
		return;
	x->rec.req_type = old->req_type;
	x->rec.req_seq = old->req_seq;
	x->rec.req_port = old->req_port;
	x->rec.req_src = old->req_src;
}

bool start_update(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	struct session_rec *r = &x->rec;

	r->handle = old->handle;
	if (!(x->has & PDP_HAS_CTL_TEID))
		r->peer_ctl_teid = old->peer_ctl_teid;
	if (!(x->has & PDP_HAS_CTL_ADDR))
		r->peer_ctl = old->peer_ctl;
	if (!(x->has & PDP_HAS_QOS)) {
		r->qos_len = old->qos_len;
		memcpy(r->qos, old->qos, sizeof(r->qos));
	}
	start_recovery(p, x, old, now);
	start_keep_request(x, old);
	return start_ask(p, x, STEP_OWNER, PDP_UPDATE,
		p->env.ops.owner_of(p->env.ops.ctx, old->handle),
		SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST, now);
}

bool start_delete(struct pdp *p, struct pdp_row *x, const struct session_rec *old, usec_t now)
{
	x->rec.handle = old->handle;
	x->rec.has_recovery = old->has_recovery;
	x->rec.recovery = old->recovery;
	start_keep_request(x, old);
	return start_ask(p, x, STEP_OWNER, PDP_DELETE,
		p->env.ops.owner_of(p->env.ops.ctx, old->handle), SESSION_G_REQUEST, now);
}
