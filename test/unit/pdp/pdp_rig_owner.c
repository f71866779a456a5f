/* SPDX-License-Identifier: BSD-3-Clause */
/* The owners of the rig: what becomes of orders. */
#include <errno.h>
#include <string.h>

#include "pdp_rig.h"

static uint32_t rig_commit(struct rig *r, unsigned int slot)
{
	r->commit[slot] = ++r->changes;
	/* created_ms of what is answered carries the commit, for rig_check_accepted(). */
	return r->stream ? r->commit[slot] : 0;
}

static int rig_do_create(struct rig *r, struct rig_order *x, uint32_t *slot)
{
	uint32_t was = rig_find_key(r, x->rec.key);

	/* Two are made where an order was carried out after its row had been given up. */
	if (was != 0 && !x->given_up && !r->late[rig_slot_number(was)])
		rig_broken(r, "a subscriber has two sessions");
	if (was != 0)
		pdp_superseded_add(&r->superseded, x->rec.key, was);
	for (*slot = x->o.owner; *slot + r->full < RIG_SLOTS; *slot += RIG_OWNERS)
		if (r->slot[*slot].state == SESSION_FREE)
			break;
	if (*slot + r->full >= RIG_SLOTS)
		return -ENOSPC;
	x->rec.handle = rig_handle(*slot, ++r->gen[*slot]);
	x->rec.ue = ip_addr_v4(0x0a010000 + *slot);
	r->slot[*slot] = x->rec;
	r->late[*slot] = x->given_up || was != 0;
	if (was != 0)
		r->late[rig_slot_number(was)] = true;
	return 0;
}

static int rig_do_change(struct rig *r, struct rig_order *x, uint32_t *slot)
{
	struct session_rec *s = rig_slot(r, x->rec.handle), was = *s;

	*slot = rig_slot_number(x->rec.handle);
	if (!rig_lives(r, x->rec.handle))
		return -ENOENT;
	if (x->o.kind == PDP_UPDATE) {
		s->peer_ctl_teid = x->rec.peer_ctl_teid;
		s->peer_usr_teid = x->rec.peer_usr_teid;
		s->direct_tunnel = x->rec.direct_tunnel;
		s->dn_action = x->rec.dn_action;
		s->peer_ctl = x->rec.peer_ctl;
		s->peer_usr = x->rec.peer_usr;
		s->qos_len = x->rec.qos_len;
		memcpy(s->qos, x->rec.qos, sizeof(s->qos));
	} else {
		s->state = SESSION_FREE;
	}
	s->protocol = x->rec.protocol;
	s->req_type = x->rec.req_type;
	s->req_seq = x->rec.req_seq;
	s->req_digest = x->rec.req_digest;
	s->req_port = x->rec.req_port;
	s->req_src = x->rec.req_src;
	x->rec = x->o.kind == PDP_UPDATE ? *s : was;
	return 0;
}

struct rig_order rig_take_order(struct rig *r, unsigned int i)
{
	struct rig_order x = r->order[i];

	memmove(&r->order[i], &r->order[i + 1], (r->n_orders - i - 1) * sizeof(x));
	r->n_orders--;
	return x;
}

/* Carries it out. What is to be answered stands in *d, and the record in x. */
static void rig_do(struct rig *r, struct rig_order *x, struct pdp_done *d)
{
	uint32_t slot = 0;

	*d = (struct pdp_done){ .cookie = x->o.cookie, .owner = x->o.owner, .rec = &x->rec };
	d->error =
		x->o.kind == PDP_CREATE ? rig_do_create(r, x, &slot) : rig_do_change(r, x, &slot);
	if (d->error != 0)
		return;
	d->commit = rig_commit(r, slot);
	r->due[slot] = r->is_protected && !x->given_up ? d->commit : 0;
	x->rec.created_ms = r->commit[slot];
	if (x->o.kind == PDP_CREATE)
		r->slot[slot].created_ms = r->commit[slot];
}

void rig_carry_out(struct rig *r, unsigned int i)
{
	struct rig_order x = rig_take_order(r, i);
	struct pdp_done d;

	rig_do(r, &x, &d);
	pdp_answered(r->pdp, &d, &r->t);
}

void rig_refuse(struct rig *r, unsigned int i)
{
	struct rig_order x = rig_take_order(r, i);
	const struct pdp_done d = {
		.cookie = x.o.cookie, .owner = x.o.owner, .error = -EAGAIN, .rec = &x.rec
	};

	pdp_answered(r->pdp, &d, &r->t);
}

void rig_answer_as(struct rig *r, uint32_t handle, uint32_t commit)
{
	struct rig_order x = rig_take_order(r, r->n_orders - 1);
	const struct pdp_done d = {
		.cookie = x.o.cookie, .owner = x.o.owner, .commit = commit, .rec = &x.rec
	};

	x.rec.handle = handle;
	x.rec.ue = ip_addr_v4(handle);
	pdp_answered(r->pdp, &d, &r->t);
}

void rig_owner_ends(struct rig *r, unsigned int slot)
{
	if (r->slot[slot].state != SESSION_LIVE)
		return;
	r->slot[slot].state = SESSION_FREE;
	rig_commit(r, slot);
	pdp_session_ended(r->pdp, &r->slot[slot], r->t.now);
}
