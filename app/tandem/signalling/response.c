/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses to SGSNs: refusals, and what an accepted request is answered with. */
#include <stdatomic.h>

#include "common/places.h"
#include "config/items.h"
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
		n->rejected_no_resources++;
		break;
	case GTPC_NO_MEMORY:
		n->rejected_no_memory++;
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

void response_refuse(struct signalling *s, const struct asked_request *q, uint32_t peer_teid,
	enum gtpc_cause cause, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_cause_response(buf, (enum gtpc_type)(q->type + 1), peer_teid,
		q->seq, cause, atomic_load(&s->env.role->restart_counter), false);

	response_count_cause(&s->front.count, cause);
	front_answer(&s->front, q, buf, len, now);
}

static void response_fill_accept(struct signalling *s, const struct session_rec *rec,
	const struct asked_message *asked, struct gtpc_accept *a)
{
	unsigned int at = places_of(s->env.places, PLACES_APN, rec->apn);
	const struct signalling_apn *apn = s->env.live.apn;
	const struct ip_addr vip = s->env.start.gtp;

	*a = (struct gtpc_accept){ .peer_ctl_teid = rec->peer_ctl_teid,
		.seq = asked->request.seq,
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
	for (unsigned int i = 0; at < CONFIG_APNS && i < apn[at].n_dns && i < 2; i++)
		a->dns[i] = apn[at].dns[i];
	if (asked->pco_len > 0) {
		a->pco = asked->pco;
		a->pco_len = asked->pco_len;
	}
}

/* Writes the response to an accepted request into buf (GTPC_MSG_MAX octets); its length. */
static size_t response_accept(struct signalling *s, uint8_t *buf, const struct session_rec *rec,
	const struct asked_message *asked)
{
	struct gtpc_accept a;

	if (asked->request.type == GTPC_DELETE_REQUEST)
		return gtpc_encode_cause_response(buf, GTPC_DELETE_RESPONSE, rec->peer_ctl_teid,
			asked->request.seq, GTPC_REQUEST_ACCEPTED,
			atomic_load(&s->env.role->restart_counter), false);
	response_fill_accept(s, rec, asked, &a);
	return asked->request.type == GTPC_CREATE_REQUEST ? gtpc_encode_create_response(buf, &a)
							  : gtpc_encode_update_response(buf, &a);
}

static void response_count_accepted(struct gtpc_counters *n, enum pdp_kind kind)
{
	if (kind == PDP_CREATE)
		n->create_accepted++;
	else if (kind == PDP_UPDATE)
		n->update_accepted++;
	else
		n->delete_accepted++;
}

static void response_send_accept(struct signalling *s, const struct asked_message *asked,
	const struct pdp_answer *a, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = response_accept(s, buf, a->rec, asked);

	if (a->again) {
		s->front.count.retransmissions++;
		front_send(&s->front, &asked->request.peer, buf, len);
		return;
	}
	response_count_accepted(&s->front.count, a->kind);
	if (len > 0)
		front_answer(&s->front, &asked->request, buf, len, now);
}

void response_answer(void *ctx, const struct pdp_answer *a, usec_t now)
{
	static const enum gtpc_cause cause[] = { [PDP_NOT_SUPPORTED] = GTPC_SERVICE_NOT_SUPPORTED,
		[PDP_UNKNOWN_TYPE] = GTPC_UNKNOWN_PDP_TYPE,
		[PDP_UNKNOWN_APN] = GTPC_UNKNOWN_APN,
		[PDP_NOT_AUTHENTICATED] = GTPC_USER_AUTHENTICATION_FAILED,
		[PDP_NO_RESOURCES] = GTPC_NO_RESOURCES,
		[PDP_NO_ADDRESS] = GTPC_ALL_ADDRESSES_OCCUPIED,
		[PDP_NO_MEMORY] = GTPC_NO_MEMORY,
		[PDP_NOT_FOUND] = GTPC_NON_EXISTENT,
		[PDP_FAILED] = GTPC_SYSTEM_FAILURE };
	struct signalling *s = ctx;
	struct asked_message *asked = asked_by_id(&s->asked, a->id);

	if (asked == NULL)
		return;
	if (a->cause == PDP_ACCEPTED)
		response_send_accept(s, asked, a, now);
	else if (a->cause != PDP_UNANSWERED)
		response_refuse(s, &asked->request, a->peer_teid, cause[a->cause], now);
	asked_forget(&s->asked, asked);
}
