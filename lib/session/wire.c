/* SPDX-License-Identifier: BSD-3-Clause */
/* Each group's writer stands beside its reader, in the same order. Room and length are checked once
 * for a whole body, whose size its bitmap gives: the steps within run on bare pointers. */
#include <errno.h>

#include <rte_pause.h>

#include "extra.h"
#include "slot.h"
#include "wire.h"

/* Bytes of what four groups there are, by their bits: a sum of as many conditions costs more than a
 * body. */
#define BYTES4(i, a, b, c, d)                                                                      \
	(((i)&1 ? (a) : 0) + ((i)&2 ? (b) : 0) + ((i)&4 ? (c) : 0) + ((i)&8 ? (d) : 0))
#define BYTES16(a, b, c, d)                                                                        \
	{                                                                                          \
		BYTES4(0, a, b, c, d), BYTES4(1, a, b, c, d), BYTES4(2, a, b, c, d),               \
			BYTES4(3, a, b, c, d), BYTES4(4, a, b, c, d), BYTES4(5, a, b, c, d),       \
			BYTES4(6, a, b, c, d), BYTES4(7, a, b, c, d), BYTES4(8, a, b, c, d),       \
			BYTES4(9, a, b, c, d), BYTES4(10, a, b, c, d), BYTES4(11, a, b, c, d),     \
			BYTES4(12, a, b, c, d), BYTES4(13, a, b, c, d), BYTES4(14, a, b, c, d),    \
			BYTES4(15, a, b, c, d)                                                     \
	}
static const uint8_t low_bytes[] = BYTES16(WIRE_IDENTITY, WIRE_TUNNEL, WIRE_QOS, WIRE_REQUEST);
static const uint8_t high_bytes[] = BYTES16(WIRE_USAGE32, WIRE_USAGE64, WIRE_USAGE64, 0);

/* Without EXTRA. */
static inline unsigned int size_of(uint8_t groups)
{
	return WIRE_HEAD + low_bytes[groups & 15] + high_bytes[groups >> 4];
}

unsigned int session_wire_size(uint8_t groups)
{
	return size_of(groups) + (groups & SESSION_G_EXTRA ? wire_extra_size() : 0);
}

static void wire_put8(uint8_t **p, uint8_t v)
{
	*(*p)++ = v;
}
static uint8_t wire_get8(const uint8_t **p)
{
	return *(*p)++;
}
static void wire_put16(uint8_t **p, uint16_t v)
{
	wire_put8(p, (uint8_t)(v >> 8));
	wire_put8(p, (uint8_t)v);
}
static uint16_t wire_get16(const uint8_t **p)
{
	uint16_t high = wire_get8(p);

	return (uint16_t)(high << 8 | wire_get8(p));
}
static void wire_add32(uint8_t **p, uint32_t v)
{
	wire_put32(*p, v);
	*p += 4;
}
static uint32_t wire_take32(const uint8_t **p)
{
	*p += 4;
	return wire_get32(*p - 4);
}
static void wire_put64(uint8_t **p, uint64_t v)
{
	v = rte_cpu_to_be_64(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}
static uint64_t wire_get64(const uint8_t **p)
{
	uint64_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return rte_be_to_cpu_64(v);
}
static void wire_put(uint8_t **p, const void *from, size_t n)
{
	memcpy(*p, from, n);
	*p += n;
}
static void wire_get(const uint8_t **p, void *to, size_t n)
{
	memcpy(to, *p, n);
	*p += n;
}

/* What a slot keeps in 32 bits. */
static void wire_put_address(uint8_t **p, uint32_t v4)
{
	struct ip_addr a = slot_address(v4);

	wire_put(p, a.b, sizeof(a.b));
}

static void wire_put_identity(uint8_t **p, const struct session_slot *s)
{
	bool live = s->teid != 0;
	uint32_t ue4 = live ? s->ue4 : s->last_ue4;

	wire_put8(p, live ? SESSION_LIVE : SESSION_FREE);
	wire_put8(p, s->apn);
	wire_put8(p, ue4 != 0 ? s->pool : SESSION_NO_POOL);
	wire_put8(p, s->pdp_type);
	wire_put64(p, s->key);
	wire_put(p, s->msisdn, sizeof(s->msisdn));
	wire_put_address(p, ue4);
	wire_put64(p, s->created_s * UINT64_C(1000));
	wire_add32(p, s->charging_id);
}
static void wire_get_identity(const uint8_t **p, struct session_rec *r)
{
	r->state = wire_get8(p);
	r->apn = wire_get8(p);
	r->pool = wire_get8(p);
	r->pdp_type = wire_get8(p);
	r->key = wire_get64(p);
	wire_get(p, r->msisdn, sizeof(r->msisdn));
	wire_get(p, r->ue.b, sizeof(r->ue.b));
	r->created_ms = wire_get64(p);
	r->charging_id = wire_take32(p);
}

static void wire_put_tunnel(uint8_t **p, const struct session_slot *s)
{
	wire_add32(p, s->peer_ctl_teid);
	wire_add32(p, s->peer_usr_teid);
	wire_put(p, s->peer_ctl, sizeof(s->peer_ctl));
	wire_put(p, s->peer_usr, sizeof(s->peer_usr));
}
static void wire_get_tunnel(const uint8_t **p, struct session_rec *r)
{
	r->peer_ctl_teid = wire_take32(p);
	r->peer_usr_teid = wire_take32(p);
	wire_get(p, r->peer_ctl.b, sizeof(r->peer_ctl.b));
	wire_get(p, r->peer_usr.b, sizeof(r->peer_usr.b));
}

static void wire_put_qos(uint8_t **p, const struct session_slot *s)
{
	wire_put8(p, s->qos_len);
	wire_put(p, s->qos, sizeof(s->qos));
}
static void wire_get_qos(const uint8_t **p, struct session_rec *r)
{
	r->qos_len = wire_get8(p);
	wire_get(p, r->qos, sizeof(r->qos));
}

static void wire_put_request(uint8_t **p, const struct session_slot *s)
{
	wire_put8(p, (s->flags & SESSION_F_RECOVERY) != 0);
	wire_put8(p, s->recovery);
	wire_put8(p, s->req_type);
	wire_put16(p, s->req_seq);
	wire_put16(p, s->req_port);
	wire_put_address(p, s->req_src4);
}
static void wire_get_request(const uint8_t **p, struct session_rec *r)
{
	r->has_recovery = wire_get8(p) != 0;
	r->recovery = wire_get8(p);
	r->req_type = wire_get8(p);
	r->req_seq = wire_get16(p);
	r->req_port = wire_get16(p);
	wire_get(p, r->req_src.b, sizeof(r->req_src.b));
}

static void wire_put_usage64(uint8_t **p, const struct session_usage *u)
{
	wire_put64(p, u->up_pkts);
	wire_put64(p, u->up_bytes);
	wire_put64(p, u->dn_pkts);
	wire_put64(p, u->dn_bytes);
}
static void wire_get_usage64(const uint8_t **p, struct session_usage *u)
{
	u->up_pkts = wire_get64(p);
	u->up_bytes = wire_get64(p);
	u->dn_pkts = wire_get64(p);
	u->dn_bytes = wire_get64(p);
}

static uint8_t *wire_put_usage32(uint8_t *p, const struct session_usage *u)
{
	wire_put32(p, (uint32_t)u->up_pkts);
	wire_put32(p + 4, (uint32_t)u->up_bytes);
	wire_put32(p + 8, (uint32_t)u->dn_pkts);
	wire_put32(p + 12, (uint32_t)u->dn_bytes);
	return p + WIRE_USAGE32;
}
static const uint8_t *wire_get_usage32(const uint8_t *p, uint32_t low[4])
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

/* The micro checkpoint of a session that carries traffic: nearly all that is ever encoded. 0: not
 * this easy. */
static uint8_t wire_encode_usage32(const struct session_slot *s, struct wr *w)
{
	struct session_usage own = { usage_get(&s->up_pkts), usage_get(&s->up_bytes),
		usage_get(&s->dn_pkts), usage_get(&s->dn_bytes) };
	uint8_t *p;

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return 0;
	p = wr_room(w, WIRE_HEAD + WIRE_USAGE32);
	if (p == NULL)
		return 0;
	wire_put32(p, s->teid);
	p[4] = SESSION_G_USAGE32;
	wire_put_usage32(p + WIRE_HEAD, &own);
	return SESSION_G_USAGE32;
}

bool session_put_usage(const struct session_slot *s, uint8_t p[SESSION_USAGE_BYTES])
{
	struct session_usage own = { usage_get(&s->up_pkts), usage_get(&s->up_bytes),
		usage_get(&s->dn_pkts), usage_get(&s->dn_bytes) };

	if (s->teid == 0 || usage_hi(&own) != s->usage_hi)
		return false;
	wire_put32(p, s->teid);
	wire_put_usage32(p + 4, &own);
	return true;
}

static void wire_encode_groups(uint8_t *p, const struct session_slot *s, uint32_t handle,
	uint8_t groups, const struct session_usage *own)
{
	wire_add32(&p, handle);
	wire_put8(&p, groups);
	if (groups & SESSION_G_IDENTITY)
		wire_put_identity(&p, s);
	if (groups & SESSION_G_TUNNEL)
		wire_put_tunnel(&p, s);
	if (groups & SESSION_G_QOS)
		wire_put_qos(&p, s);
	if (groups & SESSION_G_REQUEST)
		wire_put_request(&p, s);
	if (groups & SESSION_G_USAGE32)
		p = wire_put_usage32(p, own);
	if (groups & SESSION_G_USAGE64)
		wire_put_usage64(&p, own);
	if (groups & SESSION_G_OTHER64)
		wire_put_usage64(&p, &s->other);
	if (groups & SESSION_G_EXTRA)
		wire_extra_put(p, s);
}

/* As the slot stands, or as a writer is just changing it: the caller looks whether there was
 * one. */
static uint8_t wire_encode_once(const struct session_table *t, uint32_t shard, uint32_t slot,
	uint8_t groups, const struct session_usage *own, struct wr *w)
{
	const struct session_slot *s = &t->shard[shard].slots[slot];
	uint32_t handle = s->teid;
	uint8_t *p;

	groups &= session_groups(wire_spoken.version_max);
	if (handle == 0) {
		handle = session_handle_make(t, shard, slot, s->gen);
		groups = s->gen != 0 ? SLOT_G_FREE : SESSION_G_IDENTITY;
	} else if (groups & SESSION_G_USAGE32 && usage_hi(own) != s->usage_hi) {
		groups |= SESSION_G_USAGE64;
	}
	if (groups & SESSION_G_USAGE64)
		groups &= (uint8_t)~SESSION_G_USAGE32;
	p = wr_room(w, session_wire_size(groups));
	if (p == NULL)
		return 0;
	if (groups == SESSION_G_SLOT) /* of an audit: nothing is left to ask */
		wire_encode_groups(p, s, handle, SESSION_G_SLOT, own);
	else
		wire_encode_groups(p, s, handle, groups, own);
	return groups;
}

uint8_t session_encode(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t groups, struct wr *w)
{
	struct session_slot *s = &t->shard[shard].slots[slot];

	if (groups == SESSION_G_USAGE32 && wire_encode_usage32(s, w) != 0)
		return SESSION_G_USAGE32;
	for (;;) {
		/* R0, with W1 */
		uint32_t before = atomic_load_explicit(&s->seq, memory_order_acquire);
		struct session_usage own = { usage_get(&s->up_pkts), usage_get(&s->up_bytes),
			usage_get(&s->dn_pkts), usage_get(&s->dn_bytes) };
		struct wr at = *w;
		uint8_t written;

		if (before & 1) {
			rte_pause();
			continue;
		}
		written = wire_encode_once(t, shard, slot, groups, &own, &at);
		atomic_thread_fence(memory_order_acquire); /* R1, with W0 */
		if (atomic_load_explicit(&s->seq, memory_order_relaxed) != before)
			continue;
		*w = at;
		if (written & SESSION_G_USAGE64)
			s->usage_hi = usage_hi(&own);
		return written;
	}
}

static bool wire_is_meant(const struct wire_body *b)
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
	if ((head[4] & SESSION_G_SLOT) != SESSION_G_SLOT) /* else everything is overwritten */
		memset(b, 0, sizeof(*b));
	memset(b->rec.extra, 0, sizeof(b->rec.extra));
	b->rec.handle = wire_get32(head);
	b->groups = head[4] & SESSION_G_ALL;
	p = rd_bytes(body, size_of(b->groups) - WIRE_HEAD);
	if (p == NULL)
		return -EBADMSG;
	if (head[4] & SESSION_G_EXTRA) {
		int known = wire_extra_get(body, &b->rec);

		if (known < 0)
			return known;
		if (known > 0)
			b->groups |= SESSION_G_EXTRA;
	} else if (body->left > 0)
		return -EBADMSG;
	if (b->groups & SESSION_G_IDENTITY)
		wire_get_identity(&p, &b->rec);
	if (b->groups & SESSION_G_TUNNEL)
		wire_get_tunnel(&p, &b->rec);
	if (b->groups & SESSION_G_QOS)
		wire_get_qos(&p, &b->rec);
	if (b->groups & SESSION_G_REQUEST)
		wire_get_request(&p, &b->rec);
	if (b->groups & SESSION_G_USAGE32)
		p = wire_get_usage32(p, b->low);
	if (b->groups & SESSION_G_USAGE64)
		wire_get_usage64(&p, &b->sender);
	if (b->groups & SESSION_G_OTHER64)
		wire_get_usage64(&p, &b->other);
	return wire_is_meant(b) ? 0 : -EBADMSG;
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
	wire_get_usage64(&p, u);
	return 0;
}
