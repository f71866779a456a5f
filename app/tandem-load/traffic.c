/* SPDX-License-Identifier: BSD-3-Clause */
/* User packets: UDP between a subscriber's address and the core host, each with its run, session,
 * number and time. Going round the sessions in a fixed stride makes neighbours in time strangers in
 * memory. */
#include <string.h>

#include "common/cursor.h"
#include "gtp/gtpu.h"
#include "load.h"

enum {
	MAGIC = 0x54644c64,
	BURST = 128,
	UE_PORT = 9,
	VERIFY_ROUNDS = 5,
	VERIFY_WAIT_US = 500000,
	TEID_MASK = 0xffffff
};

/* ---- the payload ---- */

struct stamp {
	uint32_t run, session, number;
	uint8_t direction;
	usec_t sent;
};

static void traffic_put_stamp(uint8_t *p, size_t len, const struct stamp *s)
{
	struct wr w = wr_init(p, len);

	wr_u32(&w, MAGIC);
	wr_u32(&w, s->run);
	wr_u32(&w, s->session);
	wr_u32(&w, s->number);
	wr_u64(&w, s->sent);
	wr_u32(&w, s->direction);
	memset(w.p, 0, w.left);
}

static bool traffic_get_stamp(const uint8_t *p, size_t len, struct stamp *s)
{
	struct rd r = rd_init(p, len);

	if (rd_u32(&r) != MAGIC)
		return false;
	s->run = rd_u32(&r);
	s->session = rd_u32(&r);
	s->number = rd_u32(&r);
	s->sent = rd_u64(&r);
	s->direction = (uint8_t)rd_u32(&r);
	return !r.bad;
}

/* ---- what comes ---- */

static void traffic_silence_ended(struct load *l, struct flow *f, usec_t now)
{
	struct silence q = { now - f->last, f->last, l->stalled - f->stalled_at_last };

	if (f->last != 0 && q.longest > f->silence.longest)
		f->silence = q;
	if (f->last != 0 && q.longest > f->interval.longest)
		f->interval = q;
	f->last = now;
	f->stalled_at_last = l->stalled;
}

static void traffic_heard(struct load *l, enum direction d, uint32_t want, const uint8_t *payload,
	size_t len, usec_t now)
{
	struct flow *f = &l->flow[d];
	struct session *s;
	struct stamp stamp;

	if (!traffic_get_stamp(payload, len, &stamp) || stamp.run != l->run ||
		stamp.direction != d || stamp.session >= l->o->sessions ||
		(want != UINT32_MAX && stamp.session != want) ||
		stamp.number >= l->session[stamp.session].sent[d]) {
		l->foreign++;
		return;
	}
	s = &l->session[stamp.session];
	traffic_silence_ended(l, f, now);
	s->alive |= (uint8_t)(1 << d);
	switch (track_heard(&s->track[d], stamp.number, now)) {
	case TRACK_DUPLICATE:
		f->duplicates++;
		return;
	case TRACK_STALE:
		f->stale++;
		return;
	case TRACK_REORDERED:
		f->reordered++;
		break;
	case TRACK_NEW:
		break;
	}
	f->received++;
	if (now >= stamp.sent)
		hist_add(&f->delay, now - stamp.sent);
}

void traffic_heard_core(struct load *l, const struct link_in *in, usec_t now)
{
	traffic_heard(l, UP, UINT32_MAX, in->p, in->len, now);
}

static void traffic_echo_u(struct load *l, const struct link_in *in, const struct gtpu *g)
{
	uint8_t buf[GTPU_MSG_MAX];

	l->link->ops->send(l->link, in->endpoint, in->from4, in->from_port, buf,
		gtpu_encode_echo_response(buf, g->seq));
}

static void traffic_tunnel(struct load *l, const struct session *s, uint8_t generation)
{
	if (generation != s->generation &&
		!(s->state == SESSION_UPDATING && generation == s->asked))
		l->old_tunnel++;
}

/* A G-PDU: the tunnel must be the session's, the packet for its address, and what is in it for that
 * session. */
static void traffic_g_pdu(
	struct load *l, const struct link_in *in, const struct gtpu *g, usec_t now)
{
	uint32_t i = (g->teid & TEID_MASK) - 1;
	const uint8_t *ip = in->p + g->offset;
	struct rd r = rd_init(ip, g->len);
	uint32_t to;
	size_t head;

	head = (size_t)(rd_u8(&r) & 0xf) * 4;
	rd_bytes(&r, 15);
	to = rd_u32(&r);
	if (r.bad || ip[0] >> 4 != 4 || head < 20 || g->len < head + 8 || ip[9] != 17 ||
		i >= l->o->sessions || to != l->session[i].ue4) {
		l->foreign++;
		return;
	}
	traffic_tunnel(l, &l->session[i], (uint8_t)(g->teid >> 24));
	traffic_heard(l, DOWN, i, ip + head + 8, g->len - head - 8, now);
}

void traffic_heard_gtpu(struct load *l, const struct link_in *in, usec_t now)
{
	struct gtpu g;

	if (gtpu_parse(in->p, in->len, &g) != GTPU_OK) {
		l->foreign++;
		return;
	}
	switch (g.type) {
	case GTPU_G_PDU:
		traffic_g_pdu(l, in, &g, now);
		break;
	case GTPU_ECHO_REQUEST:
		traffic_echo_u(l, in, &g);
		break;
	case GTPU_ERROR_INDICATION:
		/* counted and no more: the context stays, so that it shows whether it is served
		 * again */
		l->error_indications++;
		break;
	default:
		l->foreign++;
		break;
	}
}

/* ---- what goes ---- */

static void traffic_put_ip_udp(
	uint8_t *p, uint32_t from, uint32_t to, uint16_t to_port, size_t size)
{
	struct wr w = wr_init(p, LOAD_HEADERS);
	uint32_t sum = 0;

	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)size);
	wr_u32(&w, 0x00004000); /* may not be fragmented */
	wr_u32(&w, 0x40110000); /* TTL 64, UDP */
	wr_u32(&w, from);
	wr_u32(&w, to);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	wr_u16(&w, UE_PORT);
	wr_u16(&w, to_port);
	wr_u16(&w, (uint16_t)(size - 20));
	wr_u16(&w, 0); /* no checksum */
}

static void traffic_send_one(struct load *l, uint32_t i, enum direction d, usec_t now)
{
	struct session *s = &l->session[i];
	struct stamp stamp = { l->run, i, s->sent[d]++, (uint8_t)d, now };
	size_t size = l->o->size;
	uint8_t buf[GTPU_HEADER + LOAD_SIZE_MAX];

	l->flow[d].sent++;
	if (d == DOWN) {
		traffic_put_stamp(buf, size - LOAD_HEADERS, &stamp);
		l->link->ops->send(l->link, LINK_CORE, s->ue4, UE_PORT, buf, size - LOAD_HEADERS);
		return;
	}
	gtpu_header(buf, s->usr_teid, (uint16_t)size);
	traffic_put_ip_udp(buf + GTPU_HEADER, s->ue4, l->o->core4, (uint16_t)l->o->core_port, size);
	traffic_put_stamp(buf + GTPU_HEADER + LOAD_HEADERS, size - LOAD_HEADERS, &stamp);
	l->link->ops->send(
		l->link, link_usr(i % l->o->n_local), s->usr4, GTPU_PORT, buf, GTPU_HEADER + size);
}

static void traffic_rest(struct load *l)
{
	for (uint32_t i = 0; i < l->o->sessions; i++)
		for (unsigned int d = 0; d < DIRECTIONS; d++)
			track_rest(&l->session[i].track[d]);
	for (unsigned int d = 0; d < DIRECTIONS; d++)
		l->flow[d].last = 0;
}

static uint32_t traffic_gcd(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t c = a % b;

		a = b;
		b = c;
	}
	return a;
}

void traffic_begin(struct load *l, usec_t now)
{
	traffic_rest(l);
	l->n_active =
		l->o->active > 0 && l->o->active < l->o->sessions ? l->o->active : l->o->sessions;
	/* Near the golden ratio: one after the other lies far apart. */
	l->stride = (uint32_t)((double)l->n_active * 0.618) | 1;
	while (traffic_gcd(l->stride, l->n_active) != 1)
		l->stride += 2;
	pace_start(&l->pace.flow[UP], l->o->up, now);
	pace_start(&l->pace.flow[DOWN], l->o->down, now);
	pace_start(&l->pace.update, l->o->update_rate, now);
}

void traffic_turn(struct load *l, usec_t now)
{
	for (unsigned int d = 0; d < DIRECTIONS; d++) {
		unsigned int n = l->pace.flow[d].rate > 0 ? pace_due(&l->pace.flow[d], now) : 0;

		for (n = n < BURST ? n : BURST; n > 0; n--) {
			/* The active ones lie evenly among all. */
			uint32_t i = (uint32_t)((uint64_t)l->at[d] * l->o->sessions / l->n_active);

			l->at[d] = (l->at[d] + l->stride) % l->n_active;
			l->pace.flow[d].done++;
			if (session_carries(&l->session[i]))
				traffic_send_one(l, i, d, now);
		}
	}
}

/* ---- verification ---- */

void verify_begin(struct load *l, usec_t now)
{
	traffic_rest(l);
	for (uint32_t i = 0; i < l->o->sessions; i++)
		l->session[i].alive = 0;
	l->verify.round = 0;
	l->verify.at = 0;
	l->verify.round_end = 0;
	pace_start(&l->pace.verify, l->o->verify_rate, now);
}

static uint8_t traffic_wanted(const struct load *l)
{
	return (uint8_t)((l->o->up > 0) << UP | (l->o->down > 0) << DOWN);
}

static bool is_dead(const struct load *l, const struct session *s)
{
	return s->state == SESSION_ENDED ||
	       (session_carries(s) && (s->alive & traffic_wanted(l)) != traffic_wanted(l));
}

static void traffic_count_dead(struct load *l)
{
	l->verify.dead = 0;
	for (uint32_t i = 0; i < l->o->sessions; i++)
		l->verify.dead += is_dead(l, &l->session[i]);
}

void verify_turn(struct load *l, usec_t now)
{
	unsigned int n = pace_due(&l->pace.verify, now);

	for (n = n < BURST ? n : BURST; n > 0 && l->verify.at < l->o->sessions; l->verify.at++) {
		struct session *s = &l->session[l->verify.at];

		for (unsigned int d = 0; d < DIRECTIONS && session_carries(s); d++) {
			if ((traffic_wanted(l) & ~s->alive & 1 << d) == 0)
				continue;
			traffic_send_one(l, l->verify.at, d, now);
			l->pace.verify.done++;
			n -= n > 0;
		}
	}
	if (l->verify.at < l->o->sessions)
		return;
	if (l->verify.round_end == 0)
		l->verify.round_end = now + VERIFY_WAIT_US;
	if (now < l->verify.round_end)
		return;
	traffic_count_dead(l);
	if (l->verify.dead == 0 || ++l->verify.round >= VERIFY_ROUNDS) {
		l->verify.done = true;
		return;
	}
	l->verify.at = 0;
	l->verify.round_end = 0;
}
