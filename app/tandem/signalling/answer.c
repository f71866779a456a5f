/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers say: their answers to requests become responses to SGSNs; of sessions that the
 * gateway ends the SGSN is notified. */
#include <errno.h>

#include "cores/from_worker.h"
#include "signalling_priv.h"

static enum gtpc_cause answer_cause(int error)
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

/* Nobody is answered, and the SGSN repeats its request. -EPERM: the role changed meanwhile; whoever
 * is active answers that. -EAGAIN: the end of a session cannot be reported now, and so it has not
 * ended. */
static bool answer_later(int error)
{
	return error == -EPERM || error == -EAGAIN;
}

static void answer_failed(struct signalling *s, struct signalling_txn *x, int error, usec_t now)
{
	if (!answer_later(error))
		response_refuse(s, &x->request, x->rec.peer_ctl_teid,
			answer_cause(x->worst != 0 ? x->worst : error), now);
	txn_free(&s->txns, x);
}

/* True: another worker was asked, as this one has no room. */
static bool answer_try_next(struct signalling *s, struct signalling_txn *x, int error)
{
	if (x->worst == 0 || error == -ENOSPC)
		x->worst = error;
	return error != -EPERM && x->tried < s->env.n_workers && procedure_ask_create(s, x);
}

static void answer_accepted(struct signalling *s, struct signalling_txn *x,
	const struct from_worker_answer *m, usec_t now)
{
	struct gtpc_counters *n = &s->front.count;
	uint8_t type = x->request.type;

	if (type == GTPC_CREATE_REQUEST)
		n->create_accepted++;
	else if (type == GTPC_UPDATE_REQUEST)
		n->update_accepted++;
	else
		n->delete_accepted++;
	x->len = response_accept(s, x->msg, type, x->request.seq, &m->rec,
		type == GTPC_CREATE_REQUEST ? &x->create : NULL);
	x->handle = m->rec.handle;
	x->commit = m->commit;
	commit_gate_answer(&s->gate, x,
		&(struct commit_gate_time){ now, atomic_load(&s->env.role->stood_still),
			s->env.live.commit_timeout_us });
}

void signalling_answered(struct signalling *s, const struct from_worker_answer *m, usec_t now)
{
	struct signalling_txn *x = txn_by_cookie(&s->txns, m->cookie);

	if (x == NULL || x->waits_commit || x->worker != m->by)
		return;    /* it was given up */
	if (x->replaces) { /* the old context is gone: now the new one */
		x->replaces = false;
		if (answer_later(m->error) || !procedure_ask_create(s, x))
			txn_free(&s->txns, x);
	} else if (m->error == 0) {
		answer_accepted(s, x, m, now);
	} else if (m->request != TO_WORKER_CREATE || !answer_try_next(s, x, m->error)) {
		answer_failed(s, x, m->error, now);
	}
}

/* Of the ends that the gateway decided, those that the SGSN does not know. One that restarted, or
 * said itself that it knows no such tunnel, needs no notice; nor does the end of what was asked
 * for, replaced or superseded, whose SGSN has a newer one. */
static bool answer_needs_notice(enum session_why why)
{
	return why == SESSION_WHY_IDLE_TIMEOUT || why == SESSION_WHY_SESSION_TIMEOUT;
}

void signalling_notice(struct signalling *s, const struct from_worker_event *e, usec_t now)
{
	const struct gtpc_peer to = { e->rec.peer_ctl, GTPC_PORT };
	uint8_t buf[GTPC_MSG_MAX];
	uint16_t seq;

	if (e->kind != SESSION_ENDED || !answer_needs_notice((enum session_why)e->why))
		return;
	if (!role_answers(s->env.role)) /* the session may live on at the peer */
		return;
	seq = gtpc_pending_seq(s->front.pending);
	front_ask(&s->front, &to, seq, buf,
		gtpc_encode_delete_request(
			buf, e->rec.peer_ctl_teid, seq, (uint8_t)(e->rec.key & 0xf), true),
		e->rec.handle, now);
}
