/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "ask.h"
#include "signalling_priv.h"

/* A decoder's 0 is an accepted request as far as the message goes. */
static enum gtpc_cause procedure_verdict(enum gtpc_cause cause)
{
	return cause == 0 ? GTPC_REQUEST_ACCEPTED : cause;
}

static void procedure_fill_request(struct session_rec *r, const struct txn_request *q)
{
	r->req_type = q->type;
	r->protocol = SESSION_GTPV1;
	r->req_seq = q->seq;
	r->req_digest = q->digest;
	r->req_port = q->peer.port;
	r->req_src = q->peer.addr;
}

/* old: the session that the request is of, from which its record begins; NULL: a new one. */
static struct signalling_txn *procedure_begin(struct signalling *s, const struct txn_request *q,
	const struct session_rec *old, usec_t now)
{
	struct signalling_txn *x = txn_new(&s->txns, q, now);

	if (x == NULL)
		return NULL;
	if (old != NULL)
		session_rec_copy(&x->rec, old);
	procedure_fill_request(&x->rec, q);
	return x;
}

/* Of `a`, what is to be done, and what it takes: the rest is the transaction's. */
static bool procedure_ask(struct signalling *s, struct signalling_txn *x, struct ask a)
{
	x->worker = (uint8_t)a.worker;
	a.cookie = txn_cookie(&s->txns, x);
	a.term = atomic_load(&s->env.role->term);
	a.rec = &x->rec;
	return ask_worker(&s->env, &a);
}

/* Ends the session x->rec.handle. */
static bool procedure_ask_delete(
	struct signalling *s, struct signalling_txn *x, enum session_why why)
{
	return procedure_ask(s, x,
		(struct ask){ .type = TO_WORKER_DELETE,
			.why = why,
			.worker = ask_owner(&s->env, x->rec.handle) });
}

/* Length of the network identifier: what stands before ".mnc<3>.mcc<3>.gprs" (TS 23.003 9.1). */
static size_t procedure_network_identifier(const char *name)
{
	size_t len = strlen(name);
	const char *op = name + len - 19;

	if (len > 19 && strncmp(op, ".mnc", 4) == 0 && strspn(op + 4, "0123456789") == 3 &&
		strncmp(op + 7, ".mcc", 4) == 0 && strspn(op + 11, "0123456789") == 3 &&
		strcmp(op + 14, ".gprs") == 0)
		return len - 19;
	return len;
}

static const struct config_apn *procedure_find_apn(
	const struct signalling_start *start, const char *name)
{
	size_t len = procedure_network_identifier(name);

	for (unsigned int i = 0; i < start->n_apns; i++)
		if (strlen(start->apns[i].name) == len &&
			strncmp(start->apns[i].name, name, len) == 0)
			return &start->apns[i];
	return NULL;
}

static enum gtpc_cause procedure_check_create(
	const struct gtpc_create *q, const struct config_apn *apn)
{
	if (q->linked_nsapi != 0xff)
		return GTPC_SERVICE_NOT_SUPPORTED; /* secondary contexts */
	if (q->pdp_type_org != 1 || q->pdp_type != 0x21)
		return GTPC_UNKNOWN_PDP_TYPE;
	if (apn == NULL)
		return GTPC_UNKNOWN_APN;
	if (!ip_addr_is_any(&q->ue))
		return GTPC_SERVICE_NOT_SUPPORTED; /* static addresses */
	if (!ip_addr_is_v4(&q->peer_usr) || !ip_addr_is_v4(&q->peer_ctl))
		return GTPC_SERVICE_NOT_SUPPORTED; /* tunnels over IPv6 */
	/* Nobody verified that the subscriber may use the APN (TS 29.060 7.7.12). */
	if (apn->verified_only && q->selection_mode != 0)
		return GTPC_USER_AUTHENTICATION_FAILED;
	return GTPC_REQUEST_ACCEPTED;
}

static void procedure_fill_create(
	struct signalling *s, struct signalling_txn *x, const struct config_apn *apn, usec_t now)
{
	const struct gtpc_create *q = &x->create;
	struct session_rec *r = &x->rec;
	const struct path *p = paths_get(&s->paths, &q->peer_ctl, now);

	r->state = SESSION_LIVE;
	r->apn = (uint8_t)(apn - s->env.start.apns);
	r->pool = apn->pool_index;
	r->pdp_type = 0x21;
	r->key = q->key;
	memcpy(r->msisdn, q->msisdn, sizeof(r->msisdn));
	r->charging_id = ++s->next_charging;
	session_extra_set(r, WIRE_NEXT, q->charging_characteristics);
	r->peer_ctl_teid = q->peer_ctl_teid;
	r->peer_usr_teid = q->peer_usr_teid;
	r->peer_ctl = q->peer_ctl;
	r->peer_usr = q->peer_usr;
	r->qos_len = q->qos_len;
	memcpy(r->qos, q->qos, sizeof(q->qos));
	r->has_recovery = q->has_recovery || p->known;
	r->recovery = q->has_recovery ? q->recovery : p->recovery;
}

bool procedure_ask_create(struct signalling *s, struct signalling_txn *x)
{
	unsigned int worker = s->next_worker;

	s->next_worker = (worker + 1) % s->env.n_workers;
	x->tried++;
	return procedure_ask(s, x, (struct ask){ .type = TO_WORKER_CREATE, .worker = worker });
}

/* What the configuration allows; the table itself is rounded up to whole buckets in every shard.
 * Requests that are on their way to a worker count as sessions. */
static bool procedure_table_full(struct signalling *s)
{
	uint32_t most = s->env.start.max_sessions;

	/* The workers write these counts all the time: they are read only when there may be too
	 * many. */
	if (++s->live_most < most)
		return false;
	s->live_most = s->txns.n;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		s->live_most += s->env.table->shard[i].n_live;
	return s->live_most >= most;
}

/* The SGSN begins anew: the old context goes first (TS 29.060 7.3.1). */
static bool procedure_replace(struct signalling *s, struct signalling_txn *x, uint32_t handle)
{
	bool asked;

	x->replaces = true;
	x->rec.handle = handle;
	asked = procedure_ask_delete(s, x, SESSION_WHY_REPLACED);
	x->rec.handle = 0;
	return asked;
}

void procedure_create(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_create create;
	enum gtpc_cause cause = procedure_verdict(gtpc_decode_create(h, &create));
	const struct config_apn *apn = NULL;
	struct signalling_txn *x;
	uint32_t handle;

	s->front.count.create_requests++;
	if (cause == GTPC_REQUEST_ACCEPTED) {
		apn = procedure_find_apn(&s->env.start, create.apn);
		cause = procedure_check_create(&create, apn);
	}
	if (cause != GTPC_REQUEST_ACCEPTED) {
		response_refuse(s, q, create.peer_ctl_teid, cause, now);
		return;
	}
	handle = session_index_find(&s->index, create.key);
	if (handle != 0 && response_from_slot(s, q, handle, &create))
		return;
	if (create.has_recovery)
		paths_recovery(&s->paths, &create.peer_ctl, create.recovery, now);
	x = handle != 0 || !procedure_table_full(s) ? procedure_begin(s, q, NULL, now) : NULL;
	if (x == NULL) {
		response_refuse(s, q, create.peer_ctl_teid, GTPC_NO_RESOURCES, now);
		return;
	}
	x->create = create;
	procedure_fill_create(s, x, apn, now);
	/* Where the worker cannot be asked, the SGSN asks again. */
	if (!(handle != 0 ? procedure_replace(s, x, handle) : procedure_ask_create(s, x)))
		txn_free(&s->txns, x);
}

/* The session that a request with TEID and NSAPI means: its own, or its IMSI's with that NSAPI. */
static uint32_t procedure_target(struct signalling *s, uint32_t teid, uint8_t nsapi)
{
	const struct session_slot *slot = session_find(s->env.table, teid);

	if (slot == NULL)
		return 0;
	if ((slot->key & 0xf) == nsapi)
		return teid;
	return session_index_find(&s->index, (slot->key & ~UINT64_C(0xf)) | nsapi);
}

/* Refuses a request to a session; the SGSN's own TEID comes from the session that the request
 * names, if there is one. */
static void procedure_refuse(struct signalling *s, const struct txn_request *q, uint32_t teid,
	enum gtpc_cause cause, usec_t now)
{
	const struct session_slot *slot = session_find(s->env.table, teid);

	response_refuse(s, q, slot != NULL ? slot->peer_ctl_teid : 0, cause, now);
}

/* The Recovery of the SGSN that serves the session from now on: another one's restarts are none of
 * its business. */
static void procedure_update_recovery(struct signalling *s, struct signalling_txn *x,
	const struct gtpc_update *u, const struct session_rec *old, usec_t now)
{
	const struct path *p;

	if (u->has_recovery) {
		x->rec.has_recovery = true;
		x->rec.recovery = u->recovery;
		paths_recovery(&s->paths, &x->rec.peer_ctl, u->recovery, now);
	} else if (!ip_addr_equal(&x->rec.peer_ctl, &old->peer_ctl)) {
		p = paths_get(&s->paths, &x->rec.peer_ctl, now);
		x->rec.has_recovery = p->known;
		x->rec.recovery = p->recovery;
	}
}

void procedure_update(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_update u;
	enum gtpc_cause cause = procedure_verdict(gtpc_decode_update(h, &u));
	struct signalling_txn *x;
	struct session_rec old;
	uint32_t handle;

	s->front.count.update_requests++;
	handle = cause == GTPC_REQUEST_ACCEPTED ? procedure_target(s, h->teid, u.nsapi) : 0;
	if (cause == GTPC_REQUEST_ACCEPTED && handle == 0)
		cause = GTPC_NON_EXISTENT;
	if (cause != GTPC_REQUEST_ACCEPTED) {
		procedure_refuse(s, q, h->teid, cause, now);
		return;
	}
	if (response_from_slot(s, q, handle, NULL))
		return;
	session_read(s->env.table, session_slot_of(s->env.table, handle), &old);
	x = procedure_begin(s, q, &old, now);
	if (x == NULL)
		return; /* the SGSN asks again */
	x->rec.handle = handle;
	x->rec.peer_usr_teid = u.peer_usr_teid;
	x->rec.peer_usr = u.peer_usr;
	if (u.has_ctl_teid)
		x->rec.peer_ctl_teid = u.peer_ctl_teid;
	if (u.has_ctl_addr)
		x->rec.peer_ctl = u.peer_ctl;
	if (u.has_qos) {
		x->rec.qos_len = u.qos_len;
		memcpy(x->rec.qos, u.qos, sizeof(u.qos));
	}
	procedure_update_recovery(s, x, &u, &old, now);
	if (!procedure_ask(s, x,
		    (struct ask){ .type = TO_WORKER_UPDATE,
			    .groups = SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST,
			    .worker = ask_owner(&s->env, handle) }))
		txn_free(&s->txns, x);
}

void procedure_delete(
	struct signalling *s, const struct txn_request *q, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_delete d;
	enum gtpc_cause cause = procedure_verdict(gtpc_decode_delete(h, &d));
	struct signalling_txn *x;
	struct session_rec old;
	uint32_t handle;

	s->front.count.delete_requests++;
	handle = cause == GTPC_REQUEST_ACCEPTED ? procedure_target(s, h->teid, d.nsapi) : 0;
	if (cause == GTPC_REQUEST_ACCEPTED && handle == 0) {
		/* It is gone already: perhaps by this very request, before a switchover. */
		if (h->teid != 0 && response_from_slot(s, q, h->teid, NULL))
			return;
		cause = GTPC_NON_EXISTENT;
	}
	if (cause != GTPC_REQUEST_ACCEPTED) {
		procedure_refuse(s, q, h->teid, cause, now);
		return;
	}
	session_read(s->env.table, session_slot_of(s->env.table, handle), &old);
	x = procedure_begin(s, q, &old, now);
	if (x == NULL)
		return; /* the SGSN asks again */
	x->rec.handle = handle;
	if (!procedure_ask_delete(s, x, SESSION_WHY_REQUEST))
		txn_free(&s->txns, x);
}
