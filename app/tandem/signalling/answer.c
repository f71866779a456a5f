/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers answer to requests of SGSNs becomes the response; sessions that end by themselves
 * are told to the SGSN. */
#include <errno.h>

#include "gtp.h"
#include "common/mutant.h"

static enum gtpc_cause cause_of(int error)
{
	switch (error) {
	case -EADDRNOTAVAIL:
		return GTPC_ALL_ADDRESSES_OCCUPIED;
	case -ENOSPC:
		return GTPC_NO_RESOURCES;
	case -ENOENT:
	case -ESTALE:
		return GTPC_NON_EXISTENT;
	default:
		return GTPC_SYSTEM_FAILURE;
	}
}

static void answered_create(struct control *c, struct txn *t, const struct msg *m, usec_t now)
{
	struct gtpc_accept a;

	if (m->error < 0) {
		if (t->worst == 0 || m->error == -ENOSPC)
			t->worst = m->error;
		if (m->error != -EPERM && t->tried < T.n_workers && gtp_ask_create(c, t))
			return;
		if (m->error !=
			/* -EPERM: the role changed meanwhile; whoever is active answers the
			 * repetition */
			-EPERM)
			gtp_refuse(c, &t->peer, t->type, t->rec.peer_ctl_teid, t->seq, t->digest,
				cause_of(t->worst), now);
		txn_free(c, t);
		return;
	}
	gtp_fill_accept(c, &m->rec, &t->create, &a);
	a.seq = t->seq;
	if (MUTANT(address_cut))
		a.ue.b[15] &= 3;
	t->len = gtpc_encode_create_response(t->msg, &a);
	c->gtp.count.create_accepted++;
	t->handle = m->rec.handle;
	t->commit = m->commit;
	gate_answer(c, t, now);
}

static void answered_other(struct control *c, struct txn *t, const struct msg *m, usec_t now)
{
	struct gtpc_accept a;

	if (m->error < 0) {
		if (m->error != -EPERM)
			gtp_refuse(c, &t->peer, t->type, t->rec.peer_ctl_teid, t->seq, t->digest,
				cause_of(m->error), now);
		txn_free(c, t);
		return;
	}
	if (m->what == MSG_UPDATE) {
		gtp_fill_accept(c, &m->rec, NULL, &a);
		a.seq = t->seq;
		t->len = gtpc_encode_update_response(t->msg, &a);
		c->gtp.count.update_accepted++;
	} else {
		t->len = gtpc_encode_cause_response(t->msg, GTPC_DELETE_RESPONSE,
			m->rec.peer_ctl_teid, t->seq, GTPC_REQUEST_ACCEPTED, gtp_recovery(c),
			false);
		c->gtp.count.delete_accepted++;
	}
	t->handle = m->rec.handle;
	t->commit = m->commit;
	gate_answer(c, t, now);
}

void gtp_answer(struct control *c, const struct msg *m, usec_t now)
{
	struct txn *t = txn_by_cookie(c, m->cookie);

	if (t == NULL || t->waiting_commit || t->worker != m->by)
		return; /* gave up waiting for it */
	if (m->what == MSG_CREATE) {
		answered_create(c, t, m, now);
	} else if (t->internal) { /* the old context is gone: now the new one */
		t->internal = false;
		if (!gtp_ask_create(c, t))
			txn_free(c, t);
	} else {
		answered_other(c, t, m, now);
	}
}

/* A session ended here: its SGSN is told, but for one that restarted or said so itself. */
void gtp_ended(struct control *c, const struct msg *m, usec_t now)
{
	struct gtpc_peer to = { m->rec.peer_ctl, GTPC_PORT };
	uint8_t buf[GTPC_MSG_MAX];
	uint16_t seq;
	size_t len;

	if (m->what == END_SGSN_RESTART || m->what == END_ERROR_INDICATION || !c->answering)
		return;
	if (srp_info(c->srp)->mute) /* the session may live on at the peer */
		return;
	seq = gtpc_pending_seq(c->gtp.pending);
	len = gtpc_encode_delete_request(
		buf, m->rec.peer_ctl_teid, seq, (uint8_t)(m->rec.key & 0xf), true);
	if (gtpc_pending_add(c->gtp.pending, &to, seq, buf, len, m->rec.handle, now) == 0) {
		c->gtp.count.own_requests++;
		gtp_send(c, &to, buf, len);
	}
}
