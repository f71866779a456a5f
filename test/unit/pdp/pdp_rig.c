/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdp_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first thing that is wrong counts. */
void rig_broken(struct rig *r, const char *format, ...)
{
	va_list args;

	if (r->broken[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(r->broken, sizeof(r->broken), format, args);
	va_end(args);
}

uint64_t rig_key(unsigned int key)
{
	return UINT64_C(0x2620112345678000) + (uint64_t)key * 0x100 + 5;
}

struct ip_addr rig_peer(unsigned int peer)
{
	return ip_addr_v4(0x0a080001 + peer);
}

uint32_t rig_handle(unsigned int slot, uint8_t gen)
{
	return (uint32_t)(slot + 1) << 8 | gen;
}

unsigned int rig_slot_number(uint32_t handle)
{
	return ((handle >> 8) - 1) % RIG_SLOTS;
}

struct session_rec *rig_slot(struct rig *r, uint32_t handle)
{
	return &r->slot[rig_slot_number(handle)];
}

bool rig_lives(const struct rig *r, uint32_t handle)
{
	const struct session_rec *s = &r->slot[rig_slot_number(handle)];

	return handle != 0 && s->state == SESSION_LIVE && s->handle == handle;
}

/* The newest of the key: the index has that. */
uint32_t rig_find_key(const struct rig *r, uint64_t key)
{
	uint32_t found = 0;
	uint64_t created = 0;

	for (unsigned int i = 0; i < RIG_SLOTS; i++)
		if (r->slot[i].state == SESSION_LIVE && r->slot[i].key == key &&
			r->slot[i].created_ms > created) {
			created = r->slot[i].created_ms;
			found = r->slot[i].handle;
		}
	return found;
}

uint32_t rig_find(const struct rig *r, unsigned int key)
{
	return rig_find_key(r, rig_key(key));
}

unsigned int rig_live(const struct rig *r, unsigned int key)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RIG_SLOTS; i++)
		n += r->slot[i].state == SESSION_LIVE && r->slot[i].key == rig_key(key);
	return n;
}

/* ---- what lib/pdp asks ---- */

/* The session that an order is about, when it comes: its slot may be another's later. */
static uint64_t rig_key_of(struct rig *r, const struct session_rec *rec)
{
	return rec->key != 0 ? rec->key : rig_slot(r, rec->handle)->key;
}

/* Orders of a session come one after the other. */
static void rig_check_order(struct rig *r, const struct pdp_order *o)
{
	uint64_t key = rig_key_of(r, o->rec);
	const struct session_rec *s = rig_slot(r, o->rec->handle);

	for (unsigned int i = 0; i < r->n_orders; i++)
		if (!r->order[i].given_up && r->order[i].key == key)
			rig_broken(r, "two orders for one session at once");
	/* What is not the session's is the value of this very request. */
	if (o->kind == PDP_UPDATE && rig_lives(r, o->rec->handle) && o->rec->qos[0] != s->qos[0] &&
		o->rec->qos[0] != (uint8_t)(0x80 | o->rec->req_seq))
		rig_broken(r, "an Update begins with a QoS that the session does not have");
}

static bool rig_on_order(void *ctx, const struct pdp_order *o)
{
	struct rig *r = ctx;
	struct rig_order *x = &r->order[r->n_orders];

	rig_check_order(r, o);
	if (r->doors_full || r->n_orders == RIG_ORDERS)
		return false;
	*x = (struct rig_order){ .o = *o, .rec = *o->rec, .key = rig_key_of(r, o->rec) };
	r->n_orders++;
	return true;
}

static bool rig_on_purge(void *ctx, const struct ip_addr *peer, uint8_t recovery)
{
	struct rig *r = ctx;

	r->n_purges++;
	r->purged = *peer;
	return !r->doors_full;
}

static bool rig_on_aaa(void *ctx, uint64_t cookie, uint64_t id, const struct session_rec *rec)
{
	struct rig *r = ctx;

	if (r->no_aaa || r->n_aaa == RIG_AAA)
		return false;
	r->aaa[r->n_aaa++] = cookie;
	return true;
}

static void rig_on_ask_peer(void *ctx, const struct ip_addr *peer, usec_t now)
{
	struct rig *r = ctx;

	r->n_echoes++;
}

static bool rig_on_own(void *ctx, const struct pdp_own *o, usec_t now)
{
	struct rig *r = ctx;

	if (r->own_refused || r->n_own == RIG_OWN)
		return false;
	r->own[r->n_own++] = *o;
	return true;
}

/* What was promised without the standby is not waited for later. */
static void rig_unprotected(struct rig *r)
{
	memset(r->due, 0, sizeof(r->due));
}

/* What an accepted request promises is at the standby, or answers are not protected. */
static void rig_check_accepted(struct rig *r, const struct pdp_answer *a)
{
	unsigned int slot = rig_slot_number(a->rec->handle);
	const struct session_rec *s = &r->slot[slot];

	if (a->again && r->acked[slot] < r->due[slot])
		rig_broken(r, "a repetition was answered before the commit of what it repeats");
	if (a->again)
		return;
	if (r->is_protected && r->stream && r->acked[slot] < (uint32_t)a->rec->created_ms)
		rig_broken(r, "an answer left before its commit");
	if (a->kind == PDP_CREATE && rig_lives(r, a->rec->handle) &&
		!ip_addr_equal(&s->ue, &a->rec->ue))
		rig_broken(r, "an answer has another address than the session");
	for (unsigned int i = 0; a->kind == PDP_CREATE && i < RIG_SLOTS; i++)
		if (i != slot && r->slot[i].state == SESSION_LIVE &&
			ip_addr_equal(&r->slot[i].ue, &a->rec->ue))
			rig_broken(r, "an address was answered twice");
}

static void rig_on_answer(void *ctx, const struct pdp_answer *a, usec_t now)
{
	struct rig *r = ctx;
	struct rig_id *id = &r->id[a->id % RIG_IDS];

	if (a->id == 0 || a->id >= r->next_id || id->answered) {
		rig_broken(r, "request %u was answered twice, or was none", (unsigned int)a->id);
		return;
	}
	if (id->kind != a->kind)
		rig_broken(r, "a request was answered as one of another kind");
	*id = (struct rig_id){ .asked = true,
		.answered = true,
		.kind = a->kind,
		.cause = a->cause,
		.again = a->again,
		.handle = a->rec != NULL ? a->rec->handle : 0,
		.peer_teid = a->peer_teid };
	if (a->cause == PDP_ACCEPTED)
		rig_check_accepted(r, a);
}

static void rig_on_news(
	void *ctx, enum pdp_news what, const struct ip_addr *addr, uint8_t recovery, uint8_t was)
{
	struct rig *r = ctx;

	r->n_restarts += what == PDP_PEER_RESTARTED;
	r->n_silent += what == PDP_PEER_SILENT;
	r->n_back += what == PDP_PEER_BACK;
	r->n_timeouts += what == PDP_PROTECTION_TIMEOUT;
	if (what == PDP_PROTECTION_TIMEOUT) {
		r->is_protected = false;
		rig_unprotected(r);
	}
}

static uint32_t rig_on_find(void *ctx, uint64_t key)
{
	const struct rig *r = ctx;

	if (r->index_stale != 0)
		return r->index_stale;
	return r->index_behind ? 0 : rig_find_key(r, key);
}

static void rig_on_read(void *ctx, uint32_t handle, struct session_rec *rec)
{
	*rec = *rig_slot(ctx, handle);
}

static uint8_t rig_on_owner_of(void *ctx, uint32_t handle)
{
	return (uint8_t)(rig_slot_number(handle) % RIG_OWNERS);
}

static uint64_t rig_on_count(void *ctx)
{
	const struct rig *r = ctx;
	uint64_t n = 0;

	for (unsigned int i = 0; i < RIG_SLOTS; i++)
		n += r->slot[i].state == SESSION_LIVE;
	return n;
}

/* Megabytes, of which most is never looked at. */
static void *rig_alloc(void *ctx, size_t size, size_t align)
{
	return calloc(1, size);
}

static void rig_free(void *ctx, void *p)
{
	free(p);
}

struct siphash_secret rig_secret = { { 1 } };

void rig_open(struct rig *r, bool with_aaa, uint32_t max)
{
	struct pdp_env env = { .ops = { .order = rig_on_order,
				       .purge = rig_on_purge,
				       .ask_aaa = with_aaa ? rig_on_aaa : NULL,
				       .ask_peer = rig_on_ask_peer,
				       .own = rig_on_own,
				       .answer = rig_on_answer,
				       .news = rig_on_news,
				       .find = rig_on_find,
				       .read = rig_on_read,
				       .owner_of = rig_on_owner_of,
				       .count = rig_on_count,
				       .ctx = r },
		.mem = { rig_alloc, rig_free, NULL },
		.secret = rig_secret,
		.max_sessions = max,
		.n_owners = RIG_OWNERS,
		.echo_us = 60 * USEC_PER_SEC,
		.commit_timeout_us = RIG_TIMEOUT_US };

	memset(r, 0, sizeof(*r));
	r->t.now = USEC_PER_SEC;
	r->next_id = 1;
	r->pdp = pdp_open(&env);
	if (r->pdp == NULL)
		rig_broken(r, "no memory");
	else
		pdp_activated(r->pdp, 7);
}

void rig_close(struct rig *r)
{
	pdp_close(r->pdp);
	r->pdp = NULL;
}

/* ---- requests ---- */

static struct pdp_request rig_request(struct rig *r, enum pdp_kind kind, unsigned int peer)
{
	uint64_t id = r->next_id++;

	r->id[id % RIG_IDS] = (struct rig_id){ .asked = true, .kind = kind };
	return (struct pdp_request){ .id = id,
		.kind = kind,
		.from = { .addr = rig_peer(peer),
			.port = 2123,
			.seq = ++r->seq,
			.protocol = SESSION_GTPV1,
			.digest = r->digest,
			.type = (uint8_t)(RIG_TYPE + 2 * kind) },
		.nsapi = 5,
		.rec = { .peer_ctl = rig_peer(peer), .peer_usr = rig_peer(peer) } };
}

static uint64_t rig_ask(struct rig *r, const struct pdp_request *q)
{
	r->last = *q;
	pdp_begin(r->pdp, q, r->t.now);
	return q->id;
}

uint64_t rig_repeat(struct rig *r)
{
	struct pdp_request q = r->last;

	if (q.id == 0 || !r->id[q.id % RIG_IDS].answered)
		return 0;
	q.id = r->next_id++;
	r->id[q.id % RIG_IDS] = (struct rig_id){ .asked = true, .kind = q.kind };
	return rig_ask(r, &q);
}

uint64_t rig_create(struct rig *r, unsigned int peer, unsigned int key)
{
	static const struct pdp_apn apn = { .number = RIG_APN, .pool = RIG_POOL };
	struct pdp_request q = rig_request(r, PDP_CREATE, peer);

	q.apn = &apn;
	q.rec.key = rig_key(key);
	q.rec.pdp_type = 0x21;
	q.rec.peer_ctl_teid = 0x1000 + (uint32_t)q.id;
	q.rec.peer_usr_teid = 0x2000 + (uint32_t)q.id;
	q.rec.qos_len = 1;
	q.rec.qos[0] = 1;
	return rig_ask(r, &q);
}

uint64_t rig_update(struct rig *r, unsigned int peer, uint32_t handle, uint8_t has)
{
	struct pdp_request q = rig_request(r, PDP_UPDATE, peer);

	q.handle = handle;
	q.has = has | PDP_HAS_USR_TEID | PDP_HAS_USR_ADDR;
	q.rec.peer_ctl_teid = 0x3000 + (uint32_t)q.id;
	q.rec.peer_usr_teid = 0x4000 + (uint32_t)q.id;
	q.rec.qos_len = 1;
	q.rec.qos[0] = (uint8_t)(0x80 | q.from.seq); /* its own, see rig_check_order() */
	q.rec.recovery = 9;
	return rig_ask(r, &q);
}

uint64_t rig_delete(struct rig *r, unsigned int peer, uint32_t handle)
{
	struct pdp_request q = rig_request(r, PDP_DELETE, peer);

	q.handle = handle;
	return rig_ask(r, &q);
}

/* ---- standby, AAA, peers, time ---- */

void rig_ack(struct rig *r, unsigned int slot)
{
	if (!r->stream || r->acked[slot] == r->commit[slot])
		return;
	r->acked[slot] = r->commit[slot];
	r->is_protected = true;
	pdp_committed(r->pdp, rig_handle(slot, r->gen[slot]), r->commit[slot], r->t.now);
	if (r->gen[slot] > 1)
		pdp_committed(r->pdp, rig_handle(slot, (uint8_t)(r->gen[slot] - 1)),
			r->commit[slot], r->t.now);
}

void rig_stream(struct rig *r, bool on)
{
	r->stream = r->is_protected = on;
	rig_unprotected(r);
	pdp_stream(r->pdp, on, r->t.now);
}

void rig_aaa(struct rig *r, unsigned int i, bool accepted)
{
	uint64_t cookie = r->aaa[i];

	r->aaa[i] = r->aaa[--r->n_aaa];
	pdp_aaa_answered(r->pdp, cookie, accepted, r->t.now);
}

void rig_own(struct rig *r, unsigned int i, enum pdp_cause cause)
{
	struct pdp_own o = r->own[i];
	struct pdp_request got = { .kind = PDP_UPDATE,
		.has = PDP_HAS_USR_TEID | PDP_HAS_USR_ADDR,
		.rec = { .peer_usr_teid = 0x5000 + r->seq, .peer_usr = rig_peer(0) } };

	r->own[i] = r->own[--r->n_own];
	pdp_own_ended(r->pdp, o.cookie, cause, o.kind == PDP_OWN_UPDATE ? &got : NULL, r->t.now);
}

void rig_pass(struct rig *r, usec_t us)
{
	r->t.now += us;
	pdp_turn(r->pdp, &r->t, true);
}

void rig_deactivate(struct rig *r)
{
	r->is_protected = false;
	rig_unprotected(r);
	for (unsigned int i = 0; i < r->n_orders; i++)
		r->order[i].given_up = true;
	r->n_own = r->n_aaa = 0;
	pdp_deactivated(r->pdp, r->t.now);
	pdp_activated(r->pdp, 9);
}

void rig_settle(struct rig *r)
{
	struct pdp_view v;

	do {
		while (r->n_orders > 0)
			rig_carry_out(r, 0);
		for (unsigned int i = 0; i < RIG_SLOTS; i++)
			rig_ack(r, i);
		pdp_view(r->pdp, &v);
	} while (r->n_orders > 0);
}
