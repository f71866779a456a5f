/* SPDX-License-Identifier: BSD-3-Clause */
/* GTP-C messages of peers (TS 29.060), by the kernel's socket or past it: what each is, and who
 * serves it. Nothing is answered unless this chassis is active. */
#include "signalling_priv.h"

static uint32_t gtpc_digest(const struct gtpc_header *h)
{
	/* FNV-1a: the bytes lie at any address, and are few. */
	uint32_t hash = 2166136261u ^ h->teid;

	for (size_t i = 0; i < h->ies_len; i++)
		hash = (hash ^ h->ies[i]) * 16777619u;
	return hash;
}

static void gtpc_response(
	struct signalling *s, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_updated u = { 0 };
	uint64_t cookie;
	int ret = h->type == GTPC_UPDATE_RESPONSE
			  ? gtpc_decode_updated(h, &u)
			  : gtpc_decode_response(h, &u.cause, &u.has_recovery, &u.recovery);

	if (ret < 0 || !gtpc_pending_answered(s->front.pending, from, h->seq, &cookie)) {
		s->front.count.drop_response_unmatched++;
		return;
	}
	if (cookie == FRONT_COOKIE_ECHO)
		pdp_peer_result(s->pdp, &from->addr, true, now);
	else
		procedures_own_ended(s, cookie, &u, now);
	if (u.has_recovery)
		pdp_peer_heard(s->pdp, &from->addr, u.recovery, now);
}

static void gtpc_echo(struct signalling *s, const struct gtpc_peer *from, uint16_t seq)
{
	uint8_t buf[GTPC_MSG_MAX];

	s->front.count.echo_requests++;
	front_send(&s->front, from, buf,
		gtpc_encode_echo_response(buf, seq, atomic_load(&s->env.role->restart_counter)));
	s->front.count.echo_responses++;
}

static void gtpc_request(
	struct signalling *s, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	struct asked_request q = {
		.peer = *from, .type = h->type, .seq = h->seq, .digest = gtpc_digest(h)
	};

	/* A switchover is on its way: whoever is active then answers the repetition. */
	if (atomic_load(&s->env.role->held)) {
		s->front.count.drop_held++;
		return;
	}
	q.bucket = asked_bucket(&s->asked, &q);
	if (front_answer_again(&s->front, &q, now) || asked_in_progress(&s->asked, &q)) {
		s->front.count.retransmissions++;
		return;
	}
	if (h->type == GTPC_CREATE_REQUEST)
		request_create(s, &q, h, now);
	else if (h->type == GTPC_UPDATE_REQUEST)
		request_update(s, &q, h, now);
	else
		request_delete(s, &q, h, now);
}

/* The header is no message's that we serve: counted, and answered where the protocol says so. */
static void gtpc_bad_header(
	struct signalling *s, const struct gtpc_peer *from, enum gtpc_verdict verdict, uint16_t seq)
{
	struct gtpc_counters *n = &s->front.count;
	uint8_t buf[GTPC_MSG_MAX];

	switch (verdict) {
	case GTPC_OK:
		break;
	case GTPC_DROP_SHORT:
		n->drop_short++;
		break;
	case GTPC_DROP_NOT_GTP:
		n->drop_not_gtp++;
		break;
	case GTPC_DROP_LENGTH:
		n->drop_length++;
		break;
	case GTPC_DROP_UNKNOWN_TYPE:
		n->drop_unknown_type++;
		break;
	case GTPC_ANSWER_VERSION:
		n->version_not_supported++;
		front_send(&s->front, from, buf, gtpc_encode_version_not_supported(buf, seq));
		break;
	case GTPC_ANSWER_EXTENSION:
		n->extension_not_supported++;
		front_send(&s->front, from, buf, gtpc_encode_supported_extension_headers(buf, seq));
		break;
	}
}

void gtpc_message(void *ctx, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now)
{
	struct signalling *s = ctx;
	enum gtpc_verdict verdict;
	struct gtpc_header h;

	s->front.count.rx++;
	if (!role_answers(s->env.role)) {
		s->front.count.drop_not_active++;
		return;
	}
	verdict = gtpc_decode_header(p, len, &h);
	if (verdict != GTPC_OK) {
		gtpc_bad_header(s, from, verdict, h.seq);
		return;
	}
	switch (h.type) {
	case GTPC_ECHO_REQUEST:
		gtpc_echo(s, from, h.seq);
		break;
	case GTPC_CREATE_REQUEST:
	case GTPC_UPDATE_REQUEST:
	case GTPC_DELETE_REQUEST:
		gtpc_request(s, from, &h, now);
		break;
	case GTPC_ECHO_RESPONSE:
	case GTPC_UPDATE_RESPONSE:
	case GTPC_DELETE_RESPONSE:
		gtpc_response(s, from, &h, now);
		break;
	default:
		s->front.count.drop_unknown_type++;
		break;
	}
}
