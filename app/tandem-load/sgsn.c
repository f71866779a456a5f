/* SPDX-License-Identifier: BSD-3-Clause */
/* PDP contexts as an SGSN makes, changes and ends them (TS 29.060 7.3), each request repeated after
 * T3 up to N3 times. A session's own TEID is its number; on the user plane the generation stands
 * above it, so that an update shows. */
#include <errno.h>
#include <stdlib.h>

#include "gtp/gtpu.h"
#include "load.h"

enum { GENERATION_SHIFT = 24, BURST = 64 };

static const uint8_t qos[] = { 0x00, 0x0b, 0x92, 0x1f };

/* A cookie: what was asked for, and of which session. */
enum { ASKED_SHIFT = 32 };

static unsigned int sgsn_of(const struct load *l, uint32_t i)
{
	return i % l->o->n_local;
}

static struct procedure *sgsn_procedure_of(struct load *l, uint8_t request)
{
	switch (request) {
	case GTPC_CREATE_REQUEST:
		return &l->procedure.create;
	case GTPC_UPDATE_REQUEST:
		return &l->procedure.update;
	default:
		return &l->procedure.delete;
	}
}

int sgsn_open(struct load *l)
{
	for (unsigned int i = 0; i < l->o->n_local; i++) {
		l->pending[i] = gtpc_pending_create();
		if (l->pending[i] == NULL)
			return -ENOMEM;
		gtpc_pending_times(l->pending[i], l->o->t3_ms * USEC_PER_MSEC, l->o->n3);
	}
	return 0;
}

void sgsn_close(struct load *l)
{
	for (unsigned int i = 0; i < l->o->n_local; i++)
		gtpc_pending_destroy(l->pending[i]);
}

/* The request about session i; the length, 0 if it cannot be made. */
static size_t sgsn_encode(
	const struct load *l, uint32_t i, uint8_t type, uint16_t seq, uint8_t *buf)
{
	const struct session *s = &l->session[i];
	struct ip_addr own = ip_addr_v4(l->o->local4[sgsn_of(l, i)]);
	struct gtpc_ask a = { .teid = s->ctl_teid,
		.seq = seq,
		.key = options_key(l->o, i),
		.has_recovery = type == GTPC_CREATE_REQUEST,
		.recovery = l->recovery,
		.ctl_teid = i + 1,
		.usr_teid =
			(i + 1) | (uint32_t)(type == GTPC_UPDATE_REQUEST ? s->asked : s->generation)
					  << GENERATION_SHIFT,
		.ctl = own,
		.usr = own,
		.apn = l->o->apn,
		.qos = qos,
		.qos_len = sizeof(qos) };

	if (type == GTPC_CREATE_REQUEST)
		return gtpc_encode_create_request(buf, &a);
	if (type == GTPC_UPDATE_REQUEST)
		return gtpc_encode_update_request(buf, &a);
	return gtpc_encode_delete_request(buf, s->ctl_teid, seq, (uint8_t)(a.key & 0xf), true);
}

/* False: no more requests can wait now. */
static bool sgsn_ask(struct load *l, uint32_t i, uint8_t type, usec_t now)
{
	struct session *s = &l->session[i];
	struct gtpc_pending *pending = l->pending[sgsn_of(l, i)];
	struct procedure *p = sgsn_procedure_of(l, type);
	uint32_t to4 = type == GTPC_CREATE_REQUEST ? l->o->ggsn4 : s->ctl4;
	struct gtpc_peer to = { ip_addr_v4(to4), GTPC_PORT };
	uint16_t seq = gtpc_pending_seq(pending);
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = sgsn_encode(l, i, type, seq, buf);

	if (gtpc_pending_add(pending, &to, seq, buf, len, (uint64_t)type << ASKED_SHIFT | i, now) <
		0)
		return false;
	l->link->ops->send(l->link, link_ctl(sgsn_of(l, i)), to4, GTPC_PORT, buf, len);
	l->waiting++;
	p->sent++;
	if (p->first == 0)
		p->first = now;
	s->asked_at = now;
	return true;
}

/* ---- answers ---- */

static void sgsn_created(struct load *l, struct session *s, const struct gtpc_reply *t)
{
	s->ctl_teid = t->ctl_teid;
	s->usr_teid = t->usr_teid;
	s->ctl4 = ip_addr_to_v4(&t->ctl);
	s->usr4 = ip_addr_to_v4(&t->usr);
	s->ue4 = ip_addr_to_v4(&t->ue);
	s->state = SESSION_UP;
	l->up_now++;
}

static void sgsn_failed(struct load *l, struct session *s, uint8_t request)
{
	if (request == GTPC_UPDATE_REQUEST) {
		if (s->state == SESSION_UPDATING)
			s->state = SESSION_UP;
		return;
	}
	s->state = SESSION_FAILED;
	l->failed++;
}

static void sgsn_answer(
	struct load *l, const struct link_in *in, const struct gtpc_header *h, usec_t now)
{
	struct gtpc_peer from = { ip_addr_v4(in->from4), in->from_port };
	struct gtpc_reply t;
	struct procedure *p;
	struct session *s;
	uint64_t cookie;
	uint8_t request;

	if (!gtpc_pending_answered(l->pending[in->endpoint / 2], &from, h->seq, &cookie)) {
		l->unexpected++; /* to a repetition, when the first was answered after all */
		return;
	}
	l->waiting--;
	request = (uint8_t)(cookie >> ASKED_SHIFT);
	s = &l->session[(uint32_t)cookie];
	p = sgsn_procedure_of(l, request);
	if (gtpc_decode_reply(h, &t) < 0 || h->type != request + 1 ||
		t.cause != GTPC_REQUEST_ACCEPTED) {
		p->refused++;
		l->refused_by_cause[h->type == request + 1 ? t.cause : 0]++;
		sgsn_failed(l, s, request);
		return;
	}
	p->accepted++;
	p->last = now;
	hist_add(&p->latency, now - s->asked_at);
	if (request == GTPC_CREATE_REQUEST) {
		sgsn_created(l, s, &t);
	} else if (request == GTPC_UPDATE_REQUEST && s->state == SESSION_UPDATING) {
		s->generation = s->asked;
		s->state = SESSION_UP;
	} else if (request == GTPC_DELETE_REQUEST) {
		s->state = SESSION_DELETED;
		l->up_now--;
	}
}

/* The GGSN ends a context (its header names it by our TEID). */
static void sgsn_ended(struct load *l, const struct link_in *in, const struct gtpc_header *h)
{
	uint8_t buf[GTPC_MSG_MAX];
	uint32_t i = h->teid - 1;
	bool known = h->teid >= 1 && h->teid <= l->o->sessions &&
		     l->session[i].state >= SESSION_UP && l->session[i].state <= SESSION_DELETING;
	size_t len = gtpc_encode_cause_response(buf, GTPC_DELETE_RESPONSE,
		known ? l->session[i].ctl_teid : 0, h->seq,
		known ? GTPC_REQUEST_ACCEPTED : GTPC_NON_EXISTENT, 0, false);

	if (known) {
		l->session[i].state = SESSION_ENDED;
		l->up_now--;
		l->ended_by_ggsn++;
	}
	l->link->ops->send(l->link, in->endpoint, in->from4, in->from_port, buf, len);
}

void sgsn_heard(struct load *l, const struct link_in *in, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	struct gtpc_header h;

	if (gtpc_decode_header(in->p, in->len, &h) != GTPC_OK) {
		l->foreign++;
		return;
	}
	switch (h.type) {
	case GTPC_CREATE_RESPONSE:
	case GTPC_UPDATE_RESPONSE:
	case GTPC_DELETE_RESPONSE:
		sgsn_answer(l, in, &h, now);
		break;
	case GTPC_ECHO_REQUEST:
		l->link->ops->send(l->link, in->endpoint, in->from4, in->from_port, buf,
			gtpc_encode_echo_response(buf, h.seq, l->recovery));
		break;
	case GTPC_DELETE_REQUEST:
		sgsn_ended(l, in, &h);
		break;
	default:
		l->foreign++;
		break;
	}
}

/* ---- requests ---- */

void sgsn_turn(struct load *l, usec_t now)
{
	for (unsigned int i = 0; i < l->o->n_local; i++) {
		struct gtpc_peer to;
		const uint8_t *msg;
		uint64_t cookie;
		size_t len;

		for (unsigned int n = 0;
			n < BURST && gtpc_pending_due(l->pending[i], now, &to, &msg, &len, &cookie);
			n++) {
			struct procedure *p =
				sgsn_procedure_of(l, (uint8_t)(cookie >> ASKED_SHIFT));

			if (len > 0) {
				p->retries++;
				l->link->ops->send(l->link, link_ctl(i), ip_addr_to_v4(&to.addr),
					to.port, msg, len);
				continue;
			}
			p->unanswered++;
			l->waiting--;
			sgsn_failed(
				l, &l->session[(uint32_t)cookie], (uint8_t)(cookie >> ASKED_SHIFT));
		}
	}
}

static unsigned int sgsn_room(const struct load *l, struct pace *p, usec_t now)
{
	unsigned int due = pace_due(p, now),
		     free_ = l->waiting < l->o->window ? l->o->window - l->waiting : 0;

	due = due < free_ ? due : free_;
	return due < BURST ? due : BURST;
}

void sgsn_create_turn(struct load *l, usec_t now)
{
	unsigned int n = sgsn_room(l, &l->pace.create, now);

	for (; n > 0 && l->next_create < l->o->sessions; n--) {
		if (!sgsn_ask(l, l->next_create, GTPC_CREATE_REQUEST, now))
			return;
		l->session[l->next_create++].state = SESSION_CREATING;
		l->pace.create.done++;
	}
}

void sgsn_update_turn(struct load *l, usec_t now)
{
	unsigned int n = l->o->update_rate > 0 ? sgsn_room(l, &l->pace.update, now) : 0;

	for (; n > 0; n--) {
		uint32_t i = (uint32_t)((uint64_t)random() % l->o->sessions);
		struct session *s = &l->session[i];

		l->pace.update.done++;
		if (s->state != SESSION_UP)
			continue;
		s->asked = (uint8_t)((s->generation + 1) & 0x7f);
		if (!sgsn_ask(l, i, GTPC_UPDATE_REQUEST, now))
			return;
		s->state = SESSION_UPDATING;
	}
}

void sgsn_delete_turn(struct load *l, usec_t now)
{
	unsigned int n = sgsn_room(l, &l->pace.delete, now);

	while (n > 0 && l->next_delete < l->o->sessions) {
		struct session *s = &l->session[l->next_delete];

		if (s->state == SESSION_UP || s->state == SESSION_UPDATING) {
			if (!sgsn_ask(l, l->next_delete, GTPC_DELETE_REQUEST, now))
				return;
			s->state = SESSION_DELETING;
			l->pace.delete.done++;
			n--;
		}
		l->next_delete++;
	}
}
