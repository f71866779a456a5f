/* SPDX-License-Identifier: BSD-3-Clause */
/* Create, Update and Delete PDP Context Requests (TS 29.060 7.3.1, 7.3.3, 7.3.5): from bytes to
 * what lib/pdp is asked. */
#include <errno.h>
#include <string.h>

#include "common/places.h"
#include "config/placed.h"
#include "signalling_priv.h"

_Static_assert((int)GTPC_QOS_MAX <= (int)SESSION_QOS_MAX, "a record has room for each profile");

/* The place of an APN that may have new sessions; -ENOENT. */
static int request_find_apn(const struct config_placed *placed, const char *name)
{
	size_t len = pdp_network_identifier(name);

	for (unsigned int i = 0; i < placed->n_apns; i++) {
		const struct placed_apn *apn = &placed->apn[i];

		if (apn->state == PLACED_USED && strlen(apn->conf.name) == len &&
			strncmp(apn->conf.name, name, len) == 0)
			return (int)i;
	}
	return -ENOENT;
}

/* What lib/pdp is to know of the APN at that place. False: it or its pool has no number of the
 * pair, and serves nobody (alarm numbers-missing). */
static bool request_apn(const struct signalling *s, unsigned int at, struct pdp_apn *a)
{
	const struct places *numbers = s->env.places;

	*a = (struct pdp_apn){ .number = places_number(numbers, PLACES_APN, at),
		.pool = places_number(
			numbers, PLACES_POOL, s->env.start.placed->apn[at].conf.pool_index),
		.verified_only = s->env.live.apn[at].verified_only };
	return numbers == NULL || (a->number != 0 && a->pool != 0);
}

static struct pdp_origin request_origin(const struct asked_request *q)
{
	return (struct pdp_origin){ .addr = q->peer.addr,
		.port = q->peer.port,
		.protocol = SESSION_GTPV1,
		.type = q->type,
		.seq = q->seq,
		.digest = q->digest };
}

static void request_fill_create(struct pdp_request *p, const struct gtpc_create *c)
{
	p->has = c->has_recovery ? PDP_HAS_RECOVERY : 0;
	p->secondary = c->linked_nsapi != 0xff;
	p->verified = c->selection_mode == 0;
	p->rec.key = c->key;
	p->rec.ue = c->ue;
	p->rec.pdp_type = c->pdp_type_org == 1 ? c->pdp_type : 0;
	p->rec.recovery = c->recovery;
	p->rec.peer_ctl_teid = c->peer_ctl_teid;
	p->rec.peer_usr_teid = c->peer_usr_teid;
	p->rec.peer_ctl = c->peer_ctl;
	p->rec.peer_usr = c->peer_usr;
	p->rec.qos_len = c->qos_len;
	memcpy(p->rec.qos, c->qos, sizeof(c->qos));
	memcpy(p->rec.msisdn, c->msisdn, sizeof(p->rec.msisdn));
	session_extra_set(&p->rec, WIRE_NEXT, c->charging_characteristics);
}

void request_create(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now)
{
	struct gtpc_create c;
	enum gtpc_cause cause = gtpc_decode_create(h, &c);
	struct pdp_request p = { .kind = PDP_CREATE, .from = request_origin(q) };
	struct asked_message *a = NULL;
	struct pdp_apn asks;
	int apn = -ENOENT;

	s->front.count.create_requests++;
	if (cause == 0) {
		apn = request_find_apn(s->env.start.placed, c.apn);
		cause = GTPC_NO_RESOURCES;
		if (apn < 0 || request_apn(s, (unsigned int)apn, &asks))
			a = asked_add(&s->asked, q);
	}
	if (a == NULL) {
		response_refuse(s, q, c.peer_ctl_teid, cause, now);
		return;
	}
	a->pco_len = c.pco_len;
	memcpy(a->pco, c.pco, c.pco_len);
	p.apn = apn >= 0 ? &asks : NULL;
	p.id = asked_id(&s->asked, a);
	request_fill_create(&p, &c);
	pdp_begin(s->pdp, &p, now);
}

/* The SGSN's own TEID comes from the session that the request names, if there is one. */
static void request_refuse(struct signalling *s, const struct asked_request *q, uint32_t teid,
	enum gtpc_cause cause, usec_t now)
{
	const struct session_slot *slot = session_find(s->env.table, teid);

	response_refuse(s, q, slot != NULL ? slot->peer_ctl_teid : 0, cause, now);
}

static void request_fill_update(struct pdp_request *p, const struct gtpc_update *u)
{
	p->nsapi = u->nsapi;
	p->has = (uint8_t)(PDP_HAS_USR_TEID | PDP_HAS_USR_ADDR |
			   (u->has_ctl_teid ? PDP_HAS_CTL_TEID : 0) |
			   (u->has_ctl_addr ? PDP_HAS_CTL_ADDR : 0) |
			   (u->has_qos ? PDP_HAS_QOS : 0) |
			   (u->has_recovery ? PDP_HAS_RECOVERY : 0));
	p->rec.peer_usr_teid = u->peer_usr_teid;
	p->rec.peer_usr = u->peer_usr;
	p->rec.peer_ctl_teid = u->peer_ctl_teid;
	p->rec.peer_ctl = u->peer_ctl;
	p->rec.recovery = u->recovery;
	p->rec.qos_len = u->qos_len;
	memcpy(p->rec.qos, u->qos, sizeof(u->qos));
}

/* Of a request to a session. Where there is no room for it, the SGSN asks again. */
static void request_change(
	struct signalling *s, const struct asked_request *q, struct pdp_request *p, usec_t now)
{
	struct asked_message *a = asked_add(&s->asked, q);

	if (a == NULL)
		return;
	p->id = asked_id(&s->asked, a);
	p->from = request_origin(q);
	pdp_begin(s->pdp, p, now);
}

void request_update(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now)
{
	struct gtpc_update u;
	enum gtpc_cause cause = gtpc_decode_update(h, &u);
	struct pdp_request p = { .kind = PDP_UPDATE, .handle = h->teid };

	s->front.count.update_requests++;
	if (cause != 0) {
		request_refuse(s, q, h->teid, cause, now);
		return;
	}
	request_fill_update(&p, &u);
	request_change(s, q, &p, now);
}

void request_delete(struct signalling *s, const struct asked_request *q,
	const struct gtpc_header *h, usec_t now)
{
	struct gtpc_delete d;
	enum gtpc_cause cause = gtpc_decode_delete(h, &d);
	struct pdp_request p = { .kind = PDP_DELETE, .handle = h->teid };

	s->front.count.delete_requests++;
	if (cause != 0) {
		request_refuse(s, q, h->teid, cause, now);
		return;
	}
	p.nsapi = d.nsapi;
	request_change(s, q, &p, now);
}
