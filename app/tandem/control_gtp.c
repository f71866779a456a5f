/* SPDX-License-Identifier: BSD-3-Clause */
/* GTP-C (TS 29.060) on the VIP's UDP port 2123: requests become messages to the worker that owns the session, answers of
 * workers become responses. Nothing is answered unless this chassis is active. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "control.h"
#include "sock.h"

enum { DATAGRAMS = 64, WORKER_ANSWER_US = 2000000, ANSWERED_TTL_US = 30000000, RCVBUF = 4 << 20 };

void gtp_send(struct control *c, const struct gtpc_peer *to, const uint8_t *msg, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = sock_address(&ss, &to->addr, to->port);

	c->gtp.count.tx++;
	/* Full or unreachable: lost as on any UDP path; the peer repeats. */
	(void)sendto(c->gtp.c.fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss, n);
}

static uint8_t recovery(const struct control *c)
{
	return srp_info(c->srp)->restart_counter;
}

static void count_cause(struct control *c, enum gtpc_cause cause)
{
	struct gtpc_counters *n = &c->gtp.count;

	switch (cause) {
	case GTPC_MANDATORY_IE_MISSING:
		n->rejected_missing_ie++;
		break;
	case GTPC_MANDATORY_IE_INCORRECT:
	case GTPC_OPTIONAL_IE_INCORRECT:
		n->rejected_bad_ie++;
		break;
	case GTPC_INVALID_MESSAGE_FORMAT:
		n->rejected_format++;
		break;
	case GTPC_UNKNOWN_APN:
		n->rejected_unknown_apn++;
		break;
	case GTPC_UNKNOWN_PDP_TYPE:
	case GTPC_SERVICE_NOT_SUPPORTED:
		n->rejected_pdp_type++;
		break;
	case GTPC_ALL_ADDRESSES_OCCUPIED:
		n->rejected_no_addresses++;
		break;
	case GTPC_NO_RESOURCES:
	case GTPC_NO_MEMORY:
		n->rejected_no_resources++;
		break;
	case GTPC_NON_EXISTENT:
	case GTPC_CONTEXT_NOT_FOUND:
		n->rejected_not_found++;
		break;
	case GTPC_USER_AUTHENTICATION_FAILED:
		n->rejected_authentication++;
		break;
	default:
		n->rejected_system_failure++;
		break;
	}
}

/* Refusals need no commit: they promise nothing. */
static void refuse(struct control *c, const struct gtpc_peer *to, uint8_t type, uint32_t peer_teid,
	uint16_t seq, enum gtpc_cause cause, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_cause_response(
		buf, (enum gtpc_type)(type + 1), peer_teid, seq, cause, recovery(c), false);

	count_cause(c, cause);
	gtp_send(c, to, buf, len);
	gtpc_answered_put(c->gtp.answered, to, type, seq, buf, len, now);
}

/* ---- SGSN paths: Recovery and restarts ---- */

static struct path *path_of(struct control *c, const struct ip_addr *addr, usec_t now)
{
	struct gtp *g = &c->gtp;
	struct path *p = NULL;

	for (unsigned int i = 0; i < g->n_paths; i++)
		if (ip_addr_equal(&g->paths[i].addr, addr)) {
			g->paths[i].used = now;
			return &g->paths[i];
		}
	if (g->n_paths < PATHS_MAX) {
		p = &g->paths[g->n_paths++];
	} else { /* the one that was silent the longest is forgotten; the slots still know its Recovery */
		p = &g->paths[0];
		for (unsigned int i = 1; i < g->n_paths; i++)
			if (g->paths[i].used < p->used)
				p = &g->paths[i];
	}
	*p = (struct path){ .addr = *addr, .used = now };
	return p;
}

/* A Recovery was heard: sessions of that SGSN which carry another one are gone with its restart. */
static void heard_recovery(struct control *c, const struct ip_addr *addr, uint8_t value, usec_t now)
{
	struct path *p = path_of(c, addr, now);
	struct msg m = { .type = MSG_PURGE };

	if (p->known && p->checked && p->recovery == value)
		return;
	if (p->known && p->recovery != value) {
		char text[IP_ADDR_TEXT];

		c->gtp.count.sgsn_restarts++;
		LOG(NOTICE, "SGSN %s restarted (Recovery %u, was %u): its sessions are removed",
			ip_addr_print(addr, text), value, p->recovery);
	}
	p->known = p->checked = true;
	p->recovery = value;
	m.addr = *addr;
	m.recovery = value;
	control_to_workers(&m);
}

/* ---- requests ---- */

/* A decoder's 0 is an accepted request as far as the message goes. */
static enum gtpc_cause verdict(enum gtpc_cause cause)
{
	return cause == 0 ? GTPC_REQUEST_ACCEPTED : cause;
}

static struct txn *begin(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct txn *t = txn_new(c);

	if (t == NULL)
		return NULL;
	t->type = h->type;
	t->seq = h->seq;
	t->peer = *from;
	t->deadline = now + WORKER_ANSWER_US;
	t->rec.req_type = h->type;
	t->rec.req_seq = h->seq;
	t->rec.req_port = from->port;
	t->rec.req_src = from->addr;
	return t;
}

static bool ask(struct control *c, struct txn *t, enum msg_type type, unsigned int worker, uint8_t groups)
{
	struct msg *m = msg_new(T.msgs, type);

	if (m == NULL)
		return false;
	m->rec = t->rec;
	m->groups = groups;
	m->cookie = txn_cookie(c, t);
	m->term = srp_info(c->srp)->term;
	t->worker = (uint8_t)worker;
	return door_send(&T.to_worker[worker], m) == 0;
}

static unsigned int worker_of(uint32_t handle)
{
	return T.shared.worker_of_shard[session_handle_shard(handle)];
}

static const struct config_apn *apn_find(const char *name)
{
	for (unsigned int i = 0; i < T.conf->n_apns; i++)
		if (strcmp(T.conf->apns[i].name, name) == 0)
			return &T.conf->apns[i];
	return NULL;
}

static void fill_accept(struct control *c, const struct session_rec *rec, const struct gtpc_create *create,
	struct gtpc_accept *a)
{
	const struct config_apn *apn = &T.conf->apns[rec->apn];
	const struct ip_addr vip = config_gtp(T.conf)->address;

	*a = (struct gtpc_accept){ .peer_ctl_teid = rec->peer_ctl_teid,
		.seq = rec->req_seq,
		.nsapi = (uint8_t)(rec->key & 0xf),
		.recovery = recovery(c),
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

/* The very request that the slot says was answered last: the response is made again from the slot. */
static bool answer_from_slot(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h,
	uint32_t handle, const struct gtpc_create *create)
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
		len = gtpc_encode_cause_response(buf, GTPC_DELETE_RESPONSE, rec.peer_ctl_teid, h->seq,
			GTPC_REQUEST_ACCEPTED, recovery(c), false);
	} else {
		if (rec.state != SESSION_LIVE || rec.apn >= T.conf->n_apns)
			return false;
		fill_accept(c, &rec, create, &a);
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
	return GTPC_REQUEST_ACCEPTED;
}

static void fill_create(struct control *c, struct txn *t, const struct config_apn *apn, usec_t now)
{
	const struct gtpc_create *q = &t->create;
	struct session_rec *r = &t->rec;
	const struct path *p = path_of(c, &q->peer_ctl, now);

	r->state = SESSION_LIVE;
	r->apn = (uint8_t)(apn - T.conf->apns);
	r->pool = apn->pool_index;
	r->pdp_type = 0x21;
	r->key = q->key;
	memcpy(r->msisdn, q->msisdn, sizeof(r->msisdn));
	r->charging_id = ++c->gtp.next_charging;
	r->peer_ctl_teid = q->peer_ctl_teid;
	r->peer_usr_teid = q->peer_usr_teid;
	r->peer_ctl = q->peer_ctl;
	r->peer_usr = q->peer_usr;
	r->qos_len = q->qos_len;
	memcpy(r->qos, q->qos, sizeof(r->qos));
	r->has_recovery = q->has_recovery || p->known;
	r->recovery = q->has_recovery ? q->recovery : p->recovery;
}

/* To the next worker in turn; each tries all its shards. */
static bool ask_create(struct control *c, struct txn *t)
{
	unsigned int w = c->gtp.next_worker;

	c->gtp.next_worker = (w + 1) % T.n_workers;
	t->tried++;
	return ask(c, t, MSG_CREATE, w, 0);
}

static void create(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
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
		refuse(c, from, h->type, q.peer_ctl_teid, h->seq, cause, now);
		return;
	}
	handle = index_find(c, q.key);
	if (handle != 0 && answer_from_slot(c, from, h, handle, &q))
		return;
	if (q.has_recovery)
		heard_recovery(c, &q.peer_ctl, q.recovery, now);
	t = begin(c, from, h, now);
	if (t == NULL) {
		refuse(c, from, h->type, q.peer_ctl_teid, h->seq, GTPC_NO_RESOURCES, now);
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
	if (!ask_create(c, t))
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

static void update(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
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

		refuse(c, from, h->type, s != NULL ? s->peer_ctl_teid : 0, h->seq, cause, now);
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
	t->rec.has_recovery = q.has_recovery || old.has_recovery;
	t->rec.recovery = q.has_recovery ? q.recovery : old.recovery;
	if (q.has_recovery)
		heard_recovery(c, &t->rec.peer_ctl, q.recovery, now);
	if (!ask(c, t, MSG_UPDATE, worker_of(handle), SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST))
		txn_free(c, t);
}

static void delete (struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
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

		refuse(c, from, h->type, s != NULL ? s->peer_ctl_teid : 0, h->seq, cause, now);
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

static void response(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	bool has_recovery;
	uint8_t cause, value;
	uint64_t cookie;

	if (gtpc_decode_response(h, &cause, &has_recovery, &value) < 0 ||
		!gtpc_pending_answered(c->gtp.pending, from, h->seq, &cookie)) {
		c->gtp.count.drop_response_unmatched++;
		return;
	}
	if (has_recovery)
		heard_recovery(c, &from->addr, value, now);
}

static void echo(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h)
{
	uint8_t buf[GTPC_MSG_MAX];

	c->gtp.count.echo_requests++;
	gtp_send(c, from, buf, gtpc_encode_echo_response(buf, h->seq, recovery(c)));
	c->gtp.count.echo_responses++;
}

static void request(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	const uint8_t *again;
	size_t len;

	if (c->hold) { /* a switchover is on its way: whoever is active then answers the repetition */
		c->gtp.count.drop_held++;
		return;
	}
	again = gtpc_answered_get(c->gtp.answered, from, h->type, h->seq, &len, now);
	if (again != NULL) {
		c->gtp.count.retransmissions++;
		gtp_send(c, from, again, len);
		return;
	}
	if (txn_in_progress(c, from, h->type, h->seq) != NULL) {
		c->gtp.count.retransmissions++;
		return;
	}
	if (h->type == GTPC_CREATE_REQUEST)
		create(c, from, h, now);
	else if (h->type == GTPC_UPDATE_REQUEST)
		update(c, from, h, now);
	else
		delete (c, from, h, now);
}

static void datagram(
	struct control *c, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now)
{
	struct gtpc_counters *n = &c->gtp.count;
	struct gtpc_header h;
	uint8_t buf[GTPC_MSG_MAX];

	n->rx++;
	if (!c->answering) {
		n->drop_not_active++;
		return;
	}
	switch (gtpc_decode_header(p, len, &h)) {
	case GTPC_OK:
		break;
	case GTPC_DROP_SHORT:
		n->drop_short++;
		return;
	case GTPC_DROP_NOT_GTP:
		n->drop_not_gtp++;
		return;
	case GTPC_DROP_LENGTH:
		n->drop_length++;
		return;
	case GTPC_DROP_UNKNOWN_TYPE:
		n->drop_unknown_type++;
		return;
	case GTPC_ANSWER_VERSION:
		n->version_not_supported++;
		gtp_send(c, from, buf, gtpc_encode_version_not_supported(buf, h.seq));
		return;
	case GTPC_ANSWER_EXTENSION:
		n->extension_not_supported++;
		gtp_send(c, from, buf, gtpc_encode_supported_extension_headers(buf, h.seq));
		return;
	}
	switch (h.type) {
	case GTPC_ECHO_REQUEST:
		echo(c, from, &h);
		break;
	case GTPC_CREATE_REQUEST:
	case GTPC_UPDATE_REQUEST:
	case GTPC_DELETE_REQUEST:
		request(c, from, &h, now);
		break;
	case GTPC_ECHO_RESPONSE:
	case GTPC_DELETE_RESPONSE:
		response(c, from, &h, now);
		break;
	default:
		n->drop_unknown_type++;
		break;
	}
}

static void on_gtpc(struct control *c, struct source *s, uint32_t events)
{
	usec_t now = clock_us();

	(void)events;
	for (unsigned int i = 0; i < DATAGRAMS; i++) {
		uint8_t buf[4096];
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		ssize_t n = recvfrom(s->fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
		struct gtpc_peer from;

		if (n < 0)
			return; /* EAGAIN; an ICMP error of a peer is no reason to stop */
		sock_from(&ss, &from.addr, &from.port);
		datagram(c, &from, buf, (size_t)n, now);
	}
}

/* ---- answers of workers ---- */

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
		if (m->error != -EPERM && t->tried < T.n_workers && ask_create(c, t))
			return;
		if (m->error !=
			-EPERM) /* -EPERM: the role changed meanwhile; whoever is active answers the repetition */
			refuse(c, &t->peer, t->type, t->rec.peer_ctl_teid, t->seq, cause_of(t->worst), now);
		txn_free(c, t);
		return;
	}
	fill_accept(c, &m->rec, &t->create, &a);
	a.seq = t->seq;
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
			refuse(c, &t->peer, t->type, t->rec.peer_ctl_teid, t->seq, cause_of(m->error), now);
		txn_free(c, t);
		return;
	}
	if (m->what == MSG_UPDATE) {
		fill_accept(c, &m->rec, NULL, &a);
		a.seq = t->seq;
		t->len = gtpc_encode_update_response(t->msg, &a);
		c->gtp.count.update_accepted++;
	} else {
		t->len = gtpc_encode_cause_response(t->msg, GTPC_DELETE_RESPONSE, m->rec.peer_ctl_teid,
			t->seq, GTPC_REQUEST_ACCEPTED, recovery(c), false);
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
		if (!ask_create(c, t))
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
	seq = gtpc_pending_seq(c->gtp.pending);
	len = gtpc_encode_delete_request(buf, m->rec.peer_ctl_teid, seq, (uint8_t)(m->rec.key & 0xf), true);
	if (gtpc_pending_add(c->gtp.pending, &to, seq, buf, len, m->rec.handle, now) == 0) {
		c->gtp.count.own_requests++;
		gtp_send(c, &to, buf, len);
	}
}

void gtp_turn(struct control *c, usec_t now)
{
	const uint8_t *msg;
	struct gtpc_peer to;
	uint64_t cookie;
	size_t len;

	for (unsigned int i = 0;
		i < DATAGRAMS && gtpc_pending_due(c->gtp.pending, now, &to, &msg, &len, &cookie); i++) {
		if (len == 0) {
			c->gtp.count.own_unanswered++;
			continue;
		}
		c->gtp.count.own_retries++;
		gtp_send(c, &to, msg, len);
	}
}

void gtp_activated(struct control *c, bool planned, usec_t now)
{
	c->gtp.next_charging = (uint32_t)(srp_info(c->srp)->term << 20) | 1;
	c->gtp.ei_from = planned ? now : now + 3 * USEC_PER_SEC;
	for (unsigned int i = 0; i < c->gtp.n_paths; i++)
		c->gtp.paths[i].checked = false; /* the slots may have changed hands */
}

void gtp_deactivated(struct control *c)
{
	for (unsigned int i = 0; i < GATE_MAX; i++)
		if (c->gtp.txns[i].used)
			txn_free(c,
				&c->gtp.txns[i]); /* never answered: the new active answers the repetition */
	gtpc_pending_clear(c->gtp.pending);
	c->gtp.gate_closed = false;
}

int gtp_open(struct control *c)
{
	struct gtp *g = &c->gtp;
	int fd, size = RCVBUF;

	g->pending = gtpc_pending_create();
	g->answered = gtpc_answered_create(ANSWERED_TTL_US);
	g->txns = rte_zmalloc("txns", GATE_MAX * sizeof(*g->txns), 0);
	if (g->pending == NULL || g->answered == NULL || g->txns == NULL)
		return -ENOMEM;
	TAILQ_INIT(&g->free);
	for (unsigned int i = 0; i < GATE_HASH; i++)
		TAILQ_INIT(&g->by_handle[i]);
	for (unsigned int i = 0; i < GATE_MAX; i++)
		TAILQ_INSERT_TAIL(&g->free, &g->txns[i], next);
	fd = sock_bound(&config_gtp(T.conf)->address, GTPC_PORT, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return control_watch(c, &g->c, fd, EPOLLIN, on_gtpc);
}

void gtp_close(struct control *c)
{
	control_unwatch(c, &c->gtp.c);
	control_unwatch(c, &c->gtp.u);
	gtpc_pending_destroy(c->gtp.pending);
	gtpc_answered_destroy(c->gtp.answered);
	rte_free(c->gtp.txns);
}
