/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses to SGSNs: refusals, and what an accepted request is answered with. */
#include "signalling_priv.h"

static void response_count_cause(struct gtpc_counters *n, enum gtpc_cause cause)
{
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

void response_refuse(struct signalling *s, const struct txn_request *q, uint32_t peer_teid,
	enum gtpc_cause cause, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_cause_response(buf, (enum gtpc_type)(q->type + 1), peer_teid,
		q->seq, cause, atomic_load(&s->env.role->restart_counter), false);

	response_count_cause(&s->front.count, cause);
	front_answer(&s->front, q, buf, len, now);
}

static void response_fill_accept(struct signalling *s, const struct session_rec *rec, uint16_t seq,
	const struct gtpc_create *create, struct gtpc_accept *a)
{
	const struct config_apn *apn = &s->env.start.apns[rec->apn];
	const struct ip_addr vip = s->env.start.gtp;

	*a = (struct gtpc_accept){ .peer_ctl_teid = rec->peer_ctl_teid,
		.seq = seq,
		.nsapi = (uint8_t)(rec->key & 0xf),
		.recovery = atomic_load(&s->env.role->restart_counter),
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

size_t response_accept(struct signalling *s, uint8_t *buf, uint8_t type, uint16_t seq,
	const struct session_rec *rec, const struct gtpc_create *create)
{
	struct gtpc_accept a;

	if (type == GTPC_DELETE_REQUEST)
		return gtpc_encode_cause_response(buf, GTPC_DELETE_RESPONSE, rec->peer_ctl_teid,
			seq, GTPC_REQUEST_ACCEPTED, atomic_load(&s->env.role->restart_counter),
			false);
	response_fill_accept(s, rec, seq, create, &a);
	return type == GTPC_CREATE_REQUEST ? gtpc_encode_create_response(buf, &a)
					   : gtpc_encode_update_response(buf, &a);
}

/* An SGSN that counts from the beginning again may use a sequence number anew: what the request
 * says tells it from the one that was answered. */
static bool response_is_repeated(const struct txn_request *q, const struct session_rec *rec)
{
	return rec->protocol == SESSION_GTPV1 && rec->req_type == q->type &&
	       rec->req_seq == q->seq && rec->req_digest == q->digest &&
	       rec->req_port == q->peer.port && ip_addr_equal(&rec->req_src, &q->peer.addr);
}

bool response_from_slot(struct signalling *s, const struct txn_request *q, uint32_t handle,
	const struct gtpc_create *create)
{
	uint8_t buf[GTPC_MSG_MAX];
	struct session_rec rec;

	session_read(s->env.table, session_slot_of(s->env.table, handle), &rec);
	if (!response_is_repeated(q, &rec))
		return false;
	if (q->type == GTPC_DELETE_REQUEST) {
		if (rec.state == SESSION_LIVE)
			return false;
	} else if (rec.state != SESSION_LIVE || rec.apn >= s->env.start.n_apns) {
		return false;
	}
	s->front.count.retransmissions++;
	front_send(
		&s->front, &q->peer, buf, response_accept(s, buf, q->type, q->seq, &rec, create));
	return true;
}
