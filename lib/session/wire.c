/* SPDX-License-Identifier: BSD-3-Clause */
/* Each group's writer stands beside its reader, in the same order. Room and length are checked once for a whole body,
 * whose size its bitmap tells: the steps within run on bare pointers. */
#include <errno.h>

#include "extra.h"
#include "slot.h"
#include "wire.h"

static const uint8_t group_bytes[] = { WIRE_IDENTITY, WIRE_TUNNEL, WIRE_QOS, WIRE_REQUEST, WIRE_USAGE32,
	WIRE_USAGE64, WIRE_USAGE64, WIRE_EXTRA };

unsigned int session_wire_size(uint8_t groups)
{
	unsigned int n = WIRE_HEAD;

	for (unsigned int i = 0; i < sizeof(group_bytes); i++)
		if (groups & 1 << i)
			n += group_bytes[i];
	return n;
}

static void put8(uint8_t **p, uint8_t v)
{
	*(*p)++ = v;
}
static uint8_t get8(const uint8_t **p)
{
	return *(*p)++;
}
static void put16(uint8_t **p, uint16_t v)
{
	put8(p, (uint8_t)(v >> 8));
	put8(p, (uint8_t)v);
}
static uint16_t get16(const uint8_t **p)
{
	uint16_t high = get8(p);

	return (uint16_t)(high << 8 | get8(p));
}
static void put32(uint8_t **p, uint32_t v)
{
	wire_put32(*p, v);
	*p += 4;
}
static uint32_t get32(const uint8_t **p)
{
	*p += 4;
	return wire_get32(*p - 4);
}
static void put64(uint8_t **p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p, (uint32_t)v);
}
static uint64_t get64(const uint8_t **p)
{
	uint64_t high = get32(p);

	return high << 32 | get32(p);
}
static void put(uint8_t **p, const void *from, size_t n)
{
	memcpy(*p, from, n);
	*p += n;
}
static void get(const uint8_t **p, void *to, size_t n)
{
	memcpy(to, *p, n);
	*p += n;
}

static void put_identity(uint8_t **p, const struct session_rec *r)
{
	put8(p, r->state);
	put8(p, r->apn);
	put8(p, r->pool);
	put8(p, r->pdp_type);
	put64(p, r->key);
	put(p, r->msisdn, sizeof(r->msisdn));
	put(p, r->ue.b, sizeof(r->ue.b));
	put64(p, r->created_ms);
	put32(p, r->charging_id);
}
static void get_identity(const uint8_t **p, struct session_rec *r)
{
	r->state = get8(p);
	r->apn = get8(p);
	r->pool = get8(p);
	r->pdp_type = get8(p);
	r->key = get64(p);
	get(p, r->msisdn, sizeof(r->msisdn));
	get(p, r->ue.b, sizeof(r->ue.b));
	r->created_ms = get64(p);
	r->charging_id = get32(p);
}

static void put_tunnel(uint8_t **p, const struct session_rec *r)
{
	put32(p, r->peer_ctl_teid);
	put32(p, r->peer_usr_teid);
	put(p, r->peer_ctl.b, sizeof(r->peer_ctl.b));
	put(p, r->peer_usr.b, sizeof(r->peer_usr.b));
}
static void get_tunnel(const uint8_t **p, struct session_rec *r)
{
	r->peer_ctl_teid = get32(p);
	r->peer_usr_teid = get32(p);
	get(p, r->peer_ctl.b, sizeof(r->peer_ctl.b));
	get(p, r->peer_usr.b, sizeof(r->peer_usr.b));
}

static void put_qos(uint8_t **p, const struct session_rec *r)
{
	put8(p, r->qos_len);
	put(p, r->qos, sizeof(r->qos));
}
static void get_qos(const uint8_t **p, struct session_rec *r)
{
	r->qos_len = get8(p);
	get(p, r->qos, sizeof(r->qos));
}

static void put_request(uint8_t **p, const struct session_rec *r)
{
	put8(p, r->has_recovery);
	put8(p, r->recovery);
	put8(p, r->req_type);
	put16(p, r->req_seq);
	put16(p, r->req_port);
	put(p, r->req_src.b, sizeof(r->req_src.b));
}
static void get_request(const uint8_t **p, struct session_rec *r)
{
	r->has_recovery = get8(p) != 0;
	r->recovery = get8(p);
	r->req_type = get8(p);
	r->req_seq = get16(p);
	r->req_port = get16(p);
	get(p, r->req_src.b, sizeof(r->req_src.b));
}

static void put_usage64(uint8_t **p, const struct session_usage *u)
{
	put64(p, u->up_pkts);
	put64(p, u->up_bytes);
	put64(p, u->dn_pkts);
	put64(p, u->dn_bytes);
}
static void get_usage64(const uint8_t **p, struct session_usage *u)
{
	u->up_pkts = get64(p);
	u->up_bytes = get64(p);
	u->dn_pkts = get64(p);
	u->dn_bytes = get64(p);
}

static uint8_t *put_usage32(uint8_t *p, const struct session_usage *u)
{
	wire_put32(p, (uint32_t)u->up_pkts);
	wire_put32(p + 4, (uint32_t)u->up_bytes);
	wire_put32(p + 8, (uint32_t)u->dn_pkts);
	wire_put32(p + 12, (uint32_t)u->dn_bytes);
	return p + WIRE_USAGE32;
}
static const uint8_t *get_usage32(const uint8_t *p, uint32_t low[4])
{
	for (unsigned int i = 0; i < 4; i++)
		low[i] = wire_get32(p + 4 * i);
	return p + WIRE_USAGE32;
}

static uint16_t usage_hi(const struct session_usage *u)
{
	return (uint16_t)((u->up_pkts >> 30) + (u->up_bytes >> 30) + (u->dn_pkts >> 30) +
			  (u->dn_bytes >> 30));
}

/* The micro checkpoint of a session that carries traffic: nearly all that is ever encoded. 0: not this easy. */
static uint8_t encode_usage32(const struct session_slot *s, struct wr *w)
{
	struct session_usage own = { usage_get(&s->up_pkts), usage_get(&s->up_bytes), usage_get(&s->dn_pkts),
		usage_get(&s->dn_bytes) };
	uint8_t *p;

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return 0;
	p = wr_room(w, WIRE_HEAD + WIRE_USAGE32);
	if (p == NULL)
		return 0;
	wire_put32(p, s->teid);
	p[4] = SESSION_G_USAGE32;
	put_usage32(p + WIRE_HEAD, &own);
	return SESSION_G_USAGE32;
}

bool session_put_usage(const struct session_slot *s, uint8_t p[SESSION_USAGE_BYTES])
{
	struct session_usage own = { usage_get(&s->up_pkts), usage_get(&s->up_bytes), usage_get(&s->dn_pkts),
		usage_get(&s->dn_bytes) };

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return false;
	wire_put32(p, s->teid);
	put_usage32(p + 4, &own);
	return true;
}

static void encode_groups(uint8_t *p, const struct session_rec *r, uint8_t groups, uint8_t side)
{
	put32(&p, r->handle);
	put8(&p, groups);
	if (groups & SESSION_G_IDENTITY)
		put_identity(&p, r);
	if (groups & SESSION_G_TUNNEL)
		put_tunnel(&p, r);
	if (groups & SESSION_G_QOS)
		put_qos(&p, r);
	if (groups & SESSION_G_REQUEST)
		put_request(&p, r);
	if (groups & SESSION_G_USAGE32)
		p = put_usage32(p, &r->usage[side]);
	if (groups & SESSION_G_USAGE64)
		put_usage64(&p, &r->usage[side]);
	if (groups & SESSION_G_OTHER64)
		put_usage64(&p, &r->usage[!side]);
	if (groups & SESSION_G_EXTRA)
		wire_extra_put(p, r);
}

uint8_t session_encode(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t groups, struct wr *w)
{
	struct session_slot *s = &t->shard[shard].slots[slot];
	struct session_slot copy;
	struct session_rec rec;
	uint16_t hi;
	uint8_t *p;

	if (groups == SESSION_G_USAGE32 && encode_usage32(s, w) != 0)
		return SESSION_G_USAGE32;
	slot_copy(s, &copy);
	slot_record(t, shard, slot, &copy, &rec);
	hi = usage_hi(&rec.usage[t->side]);
	groups &= SESSION_G_ALL;
	if (rec.state == SESSION_FREE)
		groups = copy.gen != 0 ? SLOT_G_FREE : SESSION_G_IDENTITY;
	else if (groups & SESSION_G_USAGE32 && hi != copy.usage_hi)
		groups |= SESSION_G_USAGE64;
	if (groups & SESSION_G_USAGE64)
		groups &= (uint8_t)~SESSION_G_USAGE32;
	p = wr_room(w, session_wire_size(groups));
	if (p == NULL)
		return 0;
	encode_groups(p, &rec, groups, t->side);
	if (groups & SESSION_G_USAGE64)
		s->usage_hi = hi;
	return groups;
}

static bool is_meant(const struct wire_body *b)
{
	const struct session_rec *r = &b->rec;

	if (b->groups & SESSION_G_IDENTITY && r->state != SESSION_FREE && r->state != SESSION_LIVE)
		return false;
	return !(b->groups & SESSION_G_QOS) || r->qos_len <= SESSION_QOS_MAX;
}

int wire_decode(struct rd *body, struct wire_body *b)
{
	const uint8_t *head = rd_bytes(body, WIRE_HEAD);
	const uint8_t *p;

	if (head == NULL || head[4] == 0)
		return -EBADMSG;
	b->rec.handle = wire_get32(head);
	b->groups = head[4] & SESSION_G_ALL;
	p = rd_bytes(body, session_wire_size(b->groups & ~SESSION_G_EXTRA) - WIRE_HEAD);
	if (p == NULL)
		return -EBADMSG;
	if (head[4] & SESSION_G_EXTRA) {
		int known = wire_extra_get(body, &b->rec);

		if (known < 0)
			return known;
		if (known == 0)
			b->groups &= (uint8_t)~SESSION_G_EXTRA;
	} else if (body->left > 0)
		return -EBADMSG;
	if (b->groups & SESSION_G_IDENTITY)
		get_identity(&p, &b->rec);
	if (b->groups & SESSION_G_TUNNEL)
		get_tunnel(&p, &b->rec);
	if (b->groups & SESSION_G_QOS)
		get_qos(&p, &b->rec);
	if (b->groups & SESSION_G_REQUEST)
		get_request(&p, &b->rec);
	if (b->groups & SESSION_G_USAGE32)
		p = get_usage32(p, b->low);
	if (b->groups & SESSION_G_USAGE64)
		get_usage64(&p, &b->sender);
	if (b->groups & SESSION_G_OTHER64)
		get_usage64(&p, &b->other);
	return is_meant(b) ? 0 : -EBADMSG;
}

int session_decode_late(struct rd *body, uint32_t *handle, struct session_usage *u)
{
	const uint8_t *p;

	if (body->left != WIRE_HEAD + WIRE_USAGE64)
		return -EBADMSG;
	p = rd_bytes(body, WIRE_HEAD + WIRE_USAGE64);
	if (p == NULL || p[4] != SESSION_G_USAGE64)
		return -EBADMSG;
	*handle = wire_get32(p);
	p += WIRE_HEAD;
	get_usage64(&p, u);
	return 0;
}
