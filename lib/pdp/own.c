/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gateway begins itself. T3 and N3 are the front end's; a row waits here for the end of
 * both, so that what follows an answer is one with the session's other procedures. */
#include <errno.h>

#include "pdp_priv.h"

static bool own_ask(struct pdp *p, struct pdp_row *x, usec_t now)
{
	const struct pdp_own o = {
		.kind = x->kind == ROW_REFRESH ? PDP_OWN_UPDATE : PDP_OWN_DELETE,
		.indication = x->indication,
		.cookie = row_cookie(p, x),
		.rec = &x->rec,
	};

	row_wait(p, x, STEP_PEER, now + PDP_PEER_US);
	if (p->env.ops.own(p->env.ops.ctx, &o, now))
		return true;
	row_give(p, x);
	return false;
}

bool pdp_session_ended(struct pdp *p, const struct session_rec *rec, usec_t now)
{
	struct pdp_row *x = row_take(p, ROW_NOTICE);

	if (x == NULL)
		return false;
	session_rec_copy(&x->rec, rec);
	return own_ask(p, x, now);
}

/* A row of the gateway's own for a live session, in its line. */
static struct pdp_row *own_row(struct pdp *p, uint8_t kind, uint32_t handle)
{
	struct session_rec rec;
	struct pdp_row *x;

	if (handle == 0)
		return NULL;
	p->env.ops.read(p->env.ops.ctx, handle, &rec);
	if (rec.state != SESSION_LIVE || rec.handle != handle)
		return NULL;
	x = row_take(p, kind);
	if (x == NULL)
		return NULL;
	if (!row_join(p, x, rec.key)) {
		row_give(p, x);
		return NULL;
	}
	x->handle = handle;
	x->nsapi = (uint8_t)(rec.key & 0xf);
	session_rec_copy(&x->rec, &rec);
	return x;
}

/* Its owner is to be asked; not while a switchover is on its way, which would wait for it. */
static void own_go(struct pdp *p, struct pdp_row *x, usec_t now)
{
	if (now < p->held_until) {
		row_later(p, x, now);
		return;
	}
	row_rejoin(p, x);
	procedure_line(p, x, now);
}

bool pdp_end(struct pdp *p, uint32_t handle, enum session_why why, usec_t now)
{
	struct pdp_row *x = own_row(p, ROW_END, handle);

	if (x == NULL)
		return false;
	x->why = (uint8_t)why;
	own_go(p, x, now);
	return true;
}

bool pdp_refresh(struct pdp *p, uint32_t handle, uint8_t indication, usec_t now)
{
	struct pdp_row *x = own_row(p, ROW_REFRESH, handle);

	if (x == NULL)
		return false;
	x->indication = indication;
	return own_ask(p, x, now);
}

/* The peer answered an Update: the owner is given what it says. */
static void own_refreshed(
	struct pdp *p, struct pdp_row *x, const struct pdp_request *got, usec_t now)
{
	session_rec_copy(&x->rec, &got->rec);
	x->has = got->has;
	own_go(p, x, now);
}

void pdp_own_ended(struct pdp *p, uint64_t cookie, enum pdp_cause cause,
	const struct pdp_request *got, usec_t now)
{
	struct pdp_row *x = row_by_cookie(p, cookie);

	if (x == NULL || x->step != STEP_PEER)
		return;
	if (x->kind == ROW_REFRESH && cause == PDP_ACCEPTED && got != NULL && got->has != 0) {
		own_refreshed(p, x, got, now);
	} else if (x->kind == ROW_REFRESH && cause == PDP_NOT_FOUND) {
		x->kind = ROW_DROP;
		own_go(p, x, now);
	} else {
		row_give(p, x);
	}
}

void own_answered(struct pdp *p, struct pdp_row *x, const struct pdp_done *d, usec_t now)
{
	if (d->error == -EAGAIN) {
		row_later(p, x, now);
	} else if (x->kind == ROW_END && d->error == 0) {
		session_rec_copy(&x->rec, d->rec);
		own_ask(p, x, now);
	} else {
		row_give(p, x);
	}
}
