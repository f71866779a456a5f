/* SPDX-License-Identifier: BSD-3-Clause */
/* SGSNs and their subscribers: GTPv1-C requests with T3 and N3 (TS 29.060 7.6), Recovery and
 * restarts of their own (TS 23.007). What an SGSN believes is kept here and compared with the
 * gateway at the end. */
#include "ie.h"
#include "sim.h"

enum { T3 = 250 * MS, N3 = 5 };

static struct wr begin(uint8_t *buf, uint8_t type, uint32_t teid, uint16_t seq)
{
	return gtp_begin(buf, 256, type, teid, seq);
}

static void post(const struct sub *s)
{
	uint8_t frame[FRAME];
	size_t len = frame_udp(
		frame, NULL, sim.sgsn[s->sgsn].addr, VIP_GTP, GTPC_PORT, GTPC_PORT, s->msg, s->len);

	world_to_gateway(ACCESS, frame, len);
}

static struct sub *of(uint32_t i, uint64_t seq)
{
	struct sub *s = &sim.sub[i];

	return s->state != SUB_IDLE && s->state != SUB_UP && s->seq == seq ? s : NULL;
}

static void timer(struct ev *e)
{
	struct sub *s = of(e->a, e->number);
	struct ev *again;

	if (s == NULL)
		return;
	if (++s->tries >= N3) { /* nobody knows whether it was carried out */
		story(-1, "subscriber %u: no answer to its %s", e->a,
			s->state == SUB_CREATE   ? "create"
			: s->state == SUB_UPDATE ? "update"
						 : "delete");
		s->state = s->state == SUB_UPDATE ? SUB_UP : SUB_IDLE;
		s->unsure = true;
		return;
	}
	post(s);
	again = ev_at(sim.now + T3, -1, timer);
	again->a = e->a;
	again->number = s->seq;
}

static void ask(struct sub *s, int state, const struct wr *w)
{
	struct ev *e;

	s->len = gtp_end(w, s->msg);
	s->state = state;
	s->tries = 0;
	post(s);
	e = ev_at(sim.now + T3, -1, timer);
	e->a = (uint32_t)(s - sim.sub);
	e->number = s->seq;
}

static void put_address(struct wr *w, uint32_t v4)
{
	const struct ip_addr a = ip_addr_v4(v4);

	ie_put_address(w, IE_GSN_ADDRESS, &a);
}

static void put_qos(struct wr *w)
{
	uint8_t qos[12];

	for (unsigned int i = 0; i < sizeof(qos); i++)
		qos[i] = (uint8_t)rnd(256);
	ie_put_bytes(w, IE_QOS, qos, sizeof(qos));
}

static void create(struct sub *s)
{
	static const uint8_t apn[] = "\x08internet", eua[2] = { 0xf1, 0x21 },
			     msisdn[7] = { 0x91, 1, 2, 3, 4, 5, 6 };
	struct sgsn *g = &sim.sgsn[s->sgsn];
	struct wr w;
	uint8_t imsi[8];

	s->seq = g->seq++;
	s->teid_c = (uint32_t)(1 + rnd(UINT32_MAX - 1));
	s->teid_u = (uint32_t)(1 + rnd(UINT32_MAX - 1));
	w = begin(s->msg, GTPC_CREATE_REQUEST, 0, s->seq);
	/* the key holds the digits in order: 15 of them and 0xf's */
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t hi = (uint8_t)(s->key >> (60 - 8 * i) & 0xf),
			lo = (uint8_t)(s->key >> (56 - 8 * i) & 0xf);

		imsi[i] = (uint8_t)((i == 7 ? 0xf : lo) << 4 | hi);
	}
	wr_u8(&w, IE_IMSI);
	wr_bytes(&w, imsi, 8);
	ie_put_u8(&w, IE_RECOVERY, g->recovery);
	ie_put_u8(&w, IE_SELECTION_MODE, 0);
	ie_put_u32(&w, IE_TEID_DATA, s->teid_u);
	ie_put_u32(&w, IE_TEID_CONTROL, s->teid_c);
	ie_put_u8(&w, IE_NSAPI, (uint8_t)(s->key & 0xf));
	ie_put_bytes(&w, IE_END_USER_ADDRESS, eua, sizeof(eua));
	ie_put_bytes(&w, IE_APN, apn, sizeof(apn) - 1);
	put_address(&w, g->addr);
	put_address(&w, g->addr);
	ie_put_bytes(&w, IE_MSISDN, msisdn, sizeof(msisdn));
	put_qos(&w);
	sim.creates++;
	ask(s, SUB_CREATE, &w);
}

static void update(struct sub *s)
{
	struct sgsn *g = &sim.sgsn[s->sgsn];
	struct wr w;

	s->seq = g->seq++;
	s->teid_u = (uint32_t)(1 + rnd(UINT32_MAX - 1));
	w = begin(s->msg, GTPC_UPDATE_REQUEST, s->gw, s->seq);
	if (rnd(2))
		ie_put_u8(&w, IE_RECOVERY, g->recovery);
	ie_put_u32(&w, IE_TEID_DATA, s->teid_u);
	ie_put_u32(&w, IE_TEID_CONTROL, s->teid_c);
	ie_put_u8(&w, IE_NSAPI, (uint8_t)(s->key & 0xf));
	put_address(&w, g->addr);
	put_address(&w, g->addr);
	put_qos(&w);
	ask(s, SUB_UPDATE, &w);
}

static void erase(struct sub *s)
{
	struct wr w;

	s->seq = sim.sgsn[s->sgsn].seq++;
	w = begin(s->msg, GTPC_DELETE_REQUEST, s->gw, s->seq);
	ie_put_u8(&w, IE_TEARDOWN, 0xff);
	ie_put_u8(&w, IE_NSAPI, (uint8_t)(s->key & 0xf));
	ask(s, SUB_DELETE, &w);
}

/* Subscribers come, change and go; in the end they keep still, so that both can be compared. */
static void ops(struct ev *e)
{
	struct sub *s = &sim.sub[rnd(sim.n_subs)];

	ev_at(sim.now + e->c / 2 + rnd(e->c), -1, ops)->c = e->c;
	if (sim.now + 2000 * MS > sim.end_at)
		return;
	if (s->state == SUB_IDLE)
		create(s);
	else if (s->state == SUB_UP && rnd(3) > 0)
		update(s);
	else if (s->state == SUB_UP)
		erase(s);
}

/* ---- what the gateway says ---- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void echo(unsigned int sgsn, const struct gtpc_header *h)
{
	uint8_t buf[GTPC_MSG_MAX], frame[FRAME];
	size_t len = gtpc_encode_echo_response(buf, h->seq, sim.sgsn[sgsn].recovery);

	world_to_gateway(ACCESS, frame,
		frame_udp(
			frame, NULL, sim.sgsn[sgsn].addr, VIP_GTP, GTPC_PORT, GTPC_PORT, buf, len));
}

/* The gateway ends a session of its own will. */
static void ended(unsigned int sgsn, const struct gtpc_header *h)
{
	uint8_t buf[GTPC_MSG_MAX], frame[FRAME];
	size_t len;

	for (unsigned int i = 0; i < sim.n_subs; i++)
		if (sim.sub[i].sgsn == sgsn && sim.sub[i].teid_c == h->teid &&
			sim.sub[i].state != SUB_IDLE) {
			sim.sub[i].state = SUB_IDLE;
			story(-1, "subscriber %u: ended by the gateway", i);
		}
	len = gtpc_encode_cause_response(
		buf, GTPC_DELETE_RESPONSE, 0, h->seq, GTPC_REQUEST_ACCEPTED, 0, false);
	world_to_gateway(ACCESS, frame,
		frame_udp(
			frame, NULL, sim.sgsn[sgsn].addr, VIP_GTP, GTPC_PORT, GTPC_PORT, buf, len));
}

/* No other that was told for certain, and that nobody ended, has the same TEID or address. But for
 * one that its maker never had: nothing tells it that the address is taken. */
static void check_leased(const struct sub *s)
{
	const struct node *maker = &sim.node[s->made_by & 1];

	for (unsigned int i = 0; i < sim.n_subs && sim.second_faults == 0; i++) {
		const struct sub *o = &sim.sub[i];
		const struct truth *t = truth_of(o->gw, false);

		if (o->lineage != s->lineage) /* a chassis began anew, alone and with nothing */
			continue;
		if (o == s || (o->state != SUB_UP && o->state != SUB_UPDATE) || o->unsure ||
			!o->told_safe || o->doubtful || t == NULL || t->freed != 0)
			continue;
		if (o->ue == s->ue && o->gw != s->gw &&
			promise_missing(maker, s->made_by >> 1, o->gw))
			continue;
		if (o->gw == s->gw || o->ue == s->ue)
			broken(16,
				"subscriber %u is given %s %08x of subscriber %u, who has it still",
				(unsigned int)(s - sim.sub), o->gw == s->gw ? "TEID" : "address",
				o->gw == s->gw ? s->gw : s->ue, i);
	}
}

static void answered(struct sub *s, const struct gtpc_header *h, const struct ies *ies)
{
	uint8_t cause = ies->at[IES_CAUSE][0].p != NULL ? ies->at[IES_CAUSE][0].p[0] : 0;

	if (cause != GTPC_REQUEST_ACCEPTED) {
		story(-1, "subscriber %u: refused with cause %u", (unsigned int)(s - sim.sub),
			cause);
		s->told_safe &= s->state == SUB_CREATE;
		s->state =
			/* for an update or delete: there is no such context, and nobody promised
			 * that */
			SUB_IDLE;
		return;
	}
	s->told_at = sim.now;
	if (s->state == SUB_CREATE) {
		const struct ie *eua = &ies->at[IES_END_USER_ADDRESS][0];

		s->gw = be32(ies->at[IES_TEID_CONTROL][0].p);
		s->ue = eua->p != NULL && eua->len >= 6 ? be32(eua->p + 2) : 0;
		s->unsure = false;
		check_leased(s);
	}
	s->state = s->state == SUB_DELETE ? SUB_IDLE : SUB_UP;
}

/* The gateway lost everything with a restart (TS 23.007 17.1.1): so do its contexts here. It may
 * not be so: the two chassis were apart, and the other one, which has the sessions, goes on. */
static void gateway_recovery(unsigned int sgsn, uint8_t value, const struct sub *but)
{
	struct sgsn *g = &sim.sgsn[sgsn];

	if (g->gw_known && g->gw_recovery != value) {
		story(-1, "SGSN %u: the gateway restarted, Recovery %u", sgsn, value);
		for (unsigned int i = 0; i < sim.n_subs; i++)
			if (sim.sub[i].sgsn == sgsn && &sim.sub[i] != but &&
				sim.sub[i].state != SUB_IDLE) {
				sim.sub[i].state = SUB_IDLE;
				sim.sub[i].unsure = true;
			}
	}
	g->gw_known = true;
	g->gw_recovery = value;
}

static void echo_path(struct ev *e)
{
	uint8_t buf[GTPC_MSG_MAX], frame[FRAME];
	struct sgsn *g = &sim.sgsn[e->a];

	ev_at(sim.now + 400 * MS, -1, echo_path)->a = e->a;
	world_to_gateway(ACCESS, frame,
		frame_udp(frame, NULL, g->addr, VIP_GTP, GTPC_PORT, GTPC_PORT, buf,
			gtpc_encode_echo_request(buf, g->seq++)));
}

void sgsn_input(unsigned int sgsn, const uint8_t *p, size_t len)
{
	struct gtpc_header h;
	struct ies ies;

	if (gtpc_decode_header(p, len, &h) != GTPC_OK)
		return;
	if (h.type == GTPC_ECHO_REQUEST) {
		echo(sgsn, &h);
		return;
	}
	if (h.type == GTPC_DELETE_REQUEST) {
		ended(sgsn, &h);
		return;
	}
	if (ies_find(h.ies, h.ies_len, &ies) < 0)
		return;
	if (h.type == GTPC_ECHO_RESPONSE && ies.at[IES_RECOVERY][0].p != NULL)
		gateway_recovery(sgsn, ies.at[IES_RECOVERY][0].p[0], NULL);
	for (unsigned int i = 0; i < sim.n_subs; i++) {
		struct sub *s = &sim.sub[i];
		static const uint8_t expected[] = { [SUB_CREATE] = GTPC_CREATE_RESPONSE,
			[SUB_UPDATE] = GTPC_UPDATE_RESPONSE,
			[SUB_DELETE] = GTPC_DELETE_RESPONSE };

		if (s->sgsn == sgsn && s->state != SUB_IDLE && s->state != SUB_UP &&
			s->seq == h.seq && expected[s->state] == h.type) {
			if (ies.at[IES_RECOVERY][0].p != NULL)
				gateway_recovery(sgsn, ies.at[IES_RECOVERY][0].p[0],
					s->state == SUB_CREATE ? s : NULL);
			if (s->state != SUB_IDLE)
				answered(s, &h, &ies);
			return;
		}
	}
}

void sgsn_error_indication(unsigned int sgsn, uint32_t teid)
{
	for (unsigned int i = 0; i < sim.n_subs; i++) {
		struct sub *s = &sim.sub[i];

		if (s->sgsn != sgsn || s->state != SUB_UP || s->gw != teid)
			continue;
		story(-1, "subscriber %u: an Error Indication ends it", i);
		s->state = SUB_IDLE;
	}
}

void sgsn_restart(unsigned int sgsn)
{
	struct sgsn *g = &sim.sgsn[sgsn];

	g->recovery++;
	g->seq = (uint16_t)rnd(100);
	g->restarted = sim.now;
	sim.restarts++;
	story(-1, "SGSN %u restarts, its Recovery is %u now", sgsn, g->recovery);
	for (unsigned int i = 0; i < sim.n_subs; i++)
		if (sim.sub[i].sgsn == sgsn)
			sim.sub[i].state = SUB_IDLE;
}

struct sub *sub_by_gw(uint32_t gw)
{
	for (unsigned int i = 0; i < sim.n_subs; i++)
		if (sim.sub[i].gw == gw &&
			(sim.sub[i].state == SUB_UP || sim.sub[i].state == SUB_UPDATE))
			return &sim.sub[i];
	return NULL;
}

void sgsn_setup(void)
{
	unsigned int n = 1 + (unsigned int)rnd(SGSNS);

	for (unsigned int i = 0; i < SGSNS; i++) {
		sim.sgsn[i].addr = SGSN_NET + 10 + i;
		sim.sgsn[i].recovery = (uint8_t)rnd(256);
		sim.sgsn[i].seq = (uint16_t)rnd(65536);
		ev_at(200 * MS + rnd(400 * MS), -1, echo_path)->a = i;
	}
	sim.n_subs = 20 + (unsigned int)rnd(SUBS - 20);
	for (unsigned int i = 0; i < sim.n_subs; i++) {
		uint64_t imsi = UINT64_C(0x001010000000000) | (uint64_t)(i / 100) << 8 |
				(uint64_t)(i / 10 % 10) << 4 | i % 10;

		sim.sub[i].key = imsi << 4 | 5;
		sim.sub[i].sgsn = (unsigned int)rnd(n);
	}
	ev_at(150 * MS, -1, ops)->c = (uint32_t)(2 * MS + rnd(12 * MS));
}
