/* SPDX-License-Identifier: BSD-3-Clause */
/* Create, Update and Delete PDP Context Requests (TS 29.060 7.3.1, 7.3.3, 7.3.5): checked here,
 * carried out by the worker that owns the session. */
#include <string.h>

#include "gtp.h"

/* A decoder's 0 is an accepted request as far as the message goes. */
static enum gtpc_cause verdict(enum gtpc_cause cause)
{
	return cause == 0 ? GTPC_REQUEST_ACCEPTED : cause;
}

static struct txn *begin(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct txn *t = txn_new(c, from, h->type, h->seq, gtp_digest(h), now);

	if (t == NULL)
		return NULL;
	t->rec.req_type = h->type;
	t->rec.req_seq = h->seq;
	t->rec.req_port = from->port;
	t->rec.req_src = from->addr;
	return t;
}

static bool ask(
	struct control *c, struct txn *t, enum msg_type type, unsigned int worker, uint8_t groups)
{
	struct msg *m = msg_new(T.msgs, type);

	if (m == NULL)
		return false;
	m->rec = t->rec;
	m->groups = groups;
	m->cookie = txn_cookie(c, t);
	m->term =
		/* the chassis may have taken a higher one since: that is the stream's business */
		c->own_term;
	t->worker = (uint8_t)worker;
	return door_send(&T.to_worker[worker], m) == 0;
}

static unsigned int worker_of(uint32_t handle)
{
	return T.shared.worker_of_shard[session_handle_shard(handle)];
}

/* Length of the network identifier: what stands before ".mnc<3>.mcc<3>.gprs" (TS 23.003 9.1). */
static size_t network_identifier(const char *name)
{
	size_t len = strlen(name);
	const char *op = name + len - 19;

	if (len > 19 && strncmp(op, ".mnc", 4) == 0 && strspn(op + 4, "0123456789") == 3 &&
		strncmp(op + 7, ".mcc", 4) == 0 && strspn(op + 11, "0123456789") == 3 &&
		strcmp(op + 14, ".gprs") == 0)
		return len - 19;
	return len;
}

static const struct config_apn *apn_find(const char *name)
{
	size_t len = network_identifier(name);

	for (unsigned int i = 0; i < T.conf->n_apns; i++)
		if (strlen(T.conf->apns[i].name) == len &&
			strncmp(T.conf->apns[i].name, name, len) == 0)
			return &T.conf->apns[i];
	return NULL;
}

void gtp_fill_accept(struct control *c, const struct session_rec *rec,
	const struct gtpc_create *create, struct gtpc_accept *a)
{
	const struct config_apn *apn = &T.conf->apns[rec->apn];
	const struct ip_addr vip = config_gtp(T.conf)->address;

	*a = (struct gtpc_accept){ .peer_ctl_teid = rec->peer_ctl_teid,
		.seq = rec->req_seq,
		.nsapi = (uint8_t)(rec->key & 0xf),
		.recovery = gtp_recovery(c),
		.ctl_teid = rec->handle,
		.usr_teid = rec->handle,
		.charging_id = rec->charging_id,
		.ue = rec->ue,
		.ctl = vip,
		.usr = vip,
		.qos_len = rec->qos_len,
		.qos = rec->qos };
	for (unsigned int i = 0; i < apn->n_dns && i < 2; i++)
		a->dns[i] = apn->dns[i];
	if (create != NULL && create->pco_len > 0) {
		a->pco = create->pco;
		a->pco_len = create->pco_len;
	}
}

/* The very request that the slot says was answered last: the response is made again from the
 * slot. */
static bool answer_from_slot(struct control *c, const struct gtpc_peer *from,
	const struct gtpc_header *h, uint32_t handle, const struct gtpc_create *create)
{
	uint8_t buf[GTPC_MSG_MAX];
	struct session_rec rec;
	struct gtpc_accept a;
	size_t len;

	session_read(T.table, session_slot_of(T.table, handle), &rec);
	if (rec.req_type != h->type || rec.req_seq != h->seq || rec.req_port != from->port ||
		!ip_addr_equal(&rec.req_src, &from->addr))
		return false;
	if (h->type == GTPC_DELETE_REQUEST) {
		if (rec.state != SESSION_FREE)
			return false;
		len = gtpc_encode_cause_response(buf, GTPC_DELETE_RESPONSE, rec.peer_ctl_teid,
			h->seq, GTPC_REQUEST_ACCEPTED, gtp_recovery(c), false);
	} else {
		if (rec.state != SESSION_LIVE || rec.apn >= T.conf->n_apns)
			return false;
		if (create != NULL && (create->peer_ctl_teid != rec.peer_ctl_teid ||
					      create->peer_usr_teid != rec.peer_usr_teid ||
					      (create->has_recovery && rec.has_recovery &&
						      create->recovery != rec.recovery)))
			return false; /* an SGSN that counts from the beginning again */
		gtp_fill_accept(c, &rec, create, &a);
		len = h->type == GTPC_CREATE_REQUEST ? gtpc_encode_create_response(buf, &a)
						     : gtpc_encode_update_response(buf, &a);
	}
	c->gtp.count.retransmissions++;
	gtp_send(c, from, buf, len);
	return true;
}

static enum gtpc_cause check_create(const struct gtpc_create *q, const struct config_apn *apn)
{
	static const struct ip_addr any;

	if (q->linked_nsapi != 0xff)
		return GTPC_SERVICE_NOT_SUPPORTED; /* secondary contexts */
	if (q->pdp_type_org != 1 || q->pdp_type != 0x21)
		return GTPC_UNKNOWN_PDP_TYPE;
	if (apn == NULL)
		return GTPC_UNKNOWN_APN;
	if (!ip_addr_equal(&q->ue, &any) && ip_addr_to_v4(&q->ue) != 0)
		return GTPC_SERVICE_NOT_SUPPORTED; /* static addresses */
	if (!ip_addr_is_v4(&q->peer_usr) || !ip_addr_is_v4(&q->peer_ctl))
		return GTPC_SERVICE_NOT_SUPPORTED; /* tunnels over IPv6 */
	if (apn->verified_only && q->selection_mode != 0)
		/* nobody verified that the subscriber may use it (TS 29.060 7.7.12) */
		return GTPC_USER_AUTHENTICATION_FAILED;
	return GTPC_REQUEST_ACCEPTED;
}

static void fill_create(struct control *c, struct txn *t, const struct config_apn *apn, usec_t now)
{
	const struct gtpc_create *q = &t->create;
	struct session_rec *r = &t->rec;
	const struct path *p = gtp_path(c, &q->peer_ctl, now);

	r->state = SESSION_LIVE;
	r->apn = (uint8_t)(apn - T.conf->apns);
	r->pool = apn->pool_index;
	r->pdp_type = 0x21;
	r->key = q->key;
	memcpy(r->msisdn, q->msisdn, sizeof(r->msisdn));
	r->charging_id = ++c->gtp.next_charging;
#ifdef TANDEM_WIRE_V2
	r->charging = q->charging_characteristics;
#endif
	r->peer_ctl_teid = q->peer_ctl_teid;
	r->peer_usr_teid = q->peer_usr_teid;
	r->peer_ctl = q->peer_ctl;
	r->peer_usr = q->peer_usr;
	r->qos_len = q->qos_len;
	memcpy(r->qos, q->qos, sizeof(r->qos));
	r->has_recovery = q->has_recovery || p->known;
	r->recovery = q->has_recovery ? q->recovery : p->recovery;
}

bool gtp_ask_create(struct control *c, struct txn *t)
{
	unsigned int w = c->gtp.next_worker;

	c->gtp.next_worker = (w + 1) % T.n_workers;
	t->tried++;
	return ask(c, t, MSG_CREATE, w, 0);
}

/* What the configuration allows; the table itself is rounded up to whole buckets in every shard.
 * Requests that are on their way to a worker count as sessions. */
static bool table_full(struct control *c)
{
	/* The workers write these counts all the time: looked at only when there may be too
	 * many. */
	if (++c->gtp.live_most < T.conf->table.max_sessions)
		return false;
	c->gtp.live_most = c->gtp.n_txns;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		c->gtp.live_most += T.table->shard[i].n_live;
	return c->gtp.live_most >= T.conf->table.max_sessions;
}

void gtp_create(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_create q;
	enum gtpc_cause cause = verdict(gtpc_decode_create(h, &q));
	const struct config_apn *apn;
	uint32_t handle;
	struct txn *t;

	c->gtp.count.create_requests++;
	apn = cause == GTPC_REQUEST_ACCEPTED ? apn_find(q.apn) : NULL;
	if (cause == GTPC_REQUEST_ACCEPTED)
		cause = check_create(&q, apn);
	if (cause != GTPC_REQUEST_ACCEPTED) {
		gtp_refuse(c, from, h->type, q.peer_ctl_teid, h->seq, gtp_digest(h), cause, now);
		return;
	}
	handle = index_find(c, q.key);
	if (handle != 0 && answer_from_slot(c, from, h, handle, &q))
		return;
	if (q.has_recovery)
		gtp_heard_recovery(c, &q.peer_ctl, q.recovery, now);
	t = handle != 0 || !table_full(c) ? begin(c, from, h, now) : NULL;
	if (t == NULL) {
		gtp_refuse(c, from, h->type, q.peer_ctl_teid, h->seq, gtp_digest(h),
			GTPC_NO_RESOURCES, now);
		return;
	}
	t->create = q;
	fill_create(c, t, apn, now);
	if (handle != 0) { /* the SGSN begins anew: the old context goes first (TS 29.060 7.3.1) */
		struct session_rec r = t->rec;

		t->internal = true;
		t->rec.handle = handle;
		if (!ask(c, t, MSG_DELETE, worker_of(handle), 0))
			txn_free(c, t);
		else
			t->rec = r;
		return;
	}
	if (!gtp_ask_create(c, t))
		txn_free(c, t); /* the SGSN asks again */
}

/* The session that a request with TEID and NSAPI means: its own, or its IMSI's with that NSAPI. */
static uint32_t target(struct control *c, uint32_t teid, uint8_t nsapi)
{
	struct session_slot *s = session_find(T.table, teid);

	if (s == NULL)
		return 0;
	if ((s->key & 0xf) == nsapi)
		return teid;
	return index_find(c, (s->key & ~UINT64_C(0xf)) | nsapi);
}

/* The Recovery of the SGSN that serves the session from now on: another one's restarts are none of
 * its business. */
static void update_recovery(struct control *c, struct txn *t, const struct gtpc_update *q,
	const struct session_rec *old, usec_t now)
{
	const struct path *p;

	t->rec.has_recovery = old->has_recovery;
	t->rec.recovery = old->recovery;
	if (q->has_recovery) {
		t->rec.has_recovery = true;
		t->rec.recovery = q->recovery;
		gtp_heard_recovery(c, &t->rec.peer_ctl, q->recovery, now);
	} else if (!ip_addr_equal(&t->rec.peer_ctl, &old->peer_ctl)) {
		p = gtp_path(c, &t->rec.peer_ctl, now);
		t->rec.has_recovery = p->known;
		t->rec.recovery = p->recovery;
	}
}

void gtp_update(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_update q;
	enum gtpc_cause cause = verdict(gtpc_decode_update(h, &q));
	struct session_rec old;
	uint32_t handle;
	struct txn *t;

	c->gtp.count.update_requests++;
	handle = cause == GTPC_REQUEST_ACCEPTED ? target(c, h->teid, q.nsapi) : 0;
	if (cause == GTPC_REQUEST_ACCEPTED && handle == 0)
		cause = GTPC_NON_EXISTENT;
	if (cause != GTPC_REQUEST_ACCEPTED) {
		const struct session_slot *s = session_find(T.table, h->teid);

		gtp_refuse(c, from, h->type, s != NULL ? s->peer_ctl_teid : 0, h->seq,
			gtp_digest(h), cause, now);
		return;
	}
	if (answer_from_slot(c, from, h, handle, NULL))
		return;
	t = begin(c, from, h, now);
	if (t == NULL)
		return; /* the SGSN asks again */
	session_read(T.table, session_slot_of(T.table, handle), &old);
	t->rec.handle = handle;
	t->rec.peer_usr_teid = q.peer_usr_teid;
	t->rec.peer_usr = q.peer_usr;
	t->rec.peer_ctl_teid = q.has_ctl_teid ? q.peer_ctl_teid : old.peer_ctl_teid;
	t->rec.peer_ctl = q.has_ctl_addr ? q.peer_ctl : old.peer_ctl;
	t->rec.qos_len = q.has_qos ? q.qos_len : old.qos_len;
	memcpy(t->rec.qos, q.has_qos ? q.qos : old.qos, sizeof(t->rec.qos));
	update_recovery(c, t, &q, &old, now);
	if (!ask(c, t, MSG_UPDATE, worker_of(handle),
		    SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST))
		txn_free(c, t);
}

void gtp_delete(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_delete q;
	enum gtpc_cause cause = verdict(gtpc_decode_delete(h, &q));
	struct session_rec old;
	uint32_t handle;
	struct txn *t;

	c->gtp.count.delete_requests++;
	handle = cause == GTPC_REQUEST_ACCEPTED ? target(c, h->teid, q.nsapi) : 0;
	if (cause == GTPC_REQUEST_ACCEPTED && handle == 0) {
		/* Gone already: perhaps by this very request, before a switchover. */
		if (h->teid != 0 && answer_from_slot(c, from, h, h->teid, NULL))
			return;
		cause = GTPC_NON_EXISTENT;
	}
	if (cause != GTPC_REQUEST_ACCEPTED) {
		const struct session_slot *s = session_find(T.table, h->teid);

		gtp_refuse(c, from, h->type, s != NULL ? s->peer_ctl_teid : 0, h->seq,
			gtp_digest(h), cause, now);
		return;
	}
	t = begin(c, from, h, now);
	if (t == NULL)
		return;
	session_read(T.table, session_slot_of(T.table, handle), &old);
	t->rec.handle = handle;
	t->rec.has_recovery = old.has_recovery;
	t->rec.recovery = old.recovery;
	if (!ask(c, t, MSG_DELETE, worker_of(handle), SESSION_G_REQUEST))
		txn_free(c, t);
}
