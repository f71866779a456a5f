/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "base/clock.h"
#include "common/places.h"
#include "ctl_request.h"
#include "pool/pool.h"
#include "session/session.h"
#include "show.h"
#include "signalling/signalling.h"

static void show_digits(char *to, uint64_t key)
{
	for (int i = 0; i < 15; i++) {
		unsigned int d = (unsigned int)(key >> (60 - 4 * i)) & 0xf;

		if (d < 10)
			*to++ = (char)('0' + d);
	}
	*to = '\0';
}

static void show_bcd(char *to, const uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < 2 * n; i++) {
		unsigned int d = i % 2 == 0 ? p[i / 2] & 0xf : p[i / 2] >> 4;

		if (d > 9)
			break;
		*to++ = (char)('0' + d);
	}
	*to = '\0';
}

static json_t *show_usage(const struct session_usage *u)
{
	static const char *const counters[] = { "up_packets", "up_bytes", "down_packets",
		"down_bytes" };
	json_t *o = json_pack("{s:I,s:I,s:I,s:I}", counters[0], (json_int_t)u->up_pkts, counters[1],
		(json_int_t)u->up_bytes, counters[2], (json_int_t)u->dn_pkts, counters[3],
		(json_int_t)u->dn_bytes);

	show_mark_counters(o, counters, RTE_DIM(counters));
	return o;
}

/* "?": of a number that no item here has. */
static const char *show_name_at(
	const struct operator_table *f, enum places_kind kind, unsigned int at)
{
	const struct config_placed *p = f->start->placed;

	return at < placed_places(p, kind) && placed_state(p, kind, at) != PLACED_FREE
		       ? placed_name(p, kind, at)
		       : "?";
}

static const char *show_apn_name(const struct operator_table *f, uint8_t number)
{
	unsigned int at = places_of(f->places, PLACES_APN, number);

	return show_name_at(f, PLACES_APN, at);
}

static const char *show_pool_name(const struct operator_table *f, uint8_t number)
{
	unsigned int at = places_of(f->places, PLACES_POOL, number);

	return show_name_at(f, PLACES_POOL, at);
}

/* null: the pair has not given it one yet. */
static json_t *show_number_at(
	const struct operator_table *f, enum places_kind kind, unsigned int at)
{
	uint8_t number = places_number(f->places, kind, at);

	return number != 0 ? json_integer(number) : json_null();
}

static json_t *show_brief(const struct operator_table *f, const struct session_rec *r)
{
	char imsi[16], ue[IP_ADDR_TEXT], sgsn[IP_ADDR_TEXT], teid[16];
	struct session_usage total = { r->usage[0].up_pkts + r->usage[1].up_pkts,
		r->usage[0].up_bytes + r->usage[1].up_bytes,
		r->usage[0].dn_pkts + r->usage[1].dn_pkts,
		r->usage[0].dn_bytes + r->usage[1].dn_bytes };
	json_t *o, *u = show_usage(&total);

	show_digits(imsi, r->key);
	snprintf(teid, sizeof(teid), "0x%08x", r->handle);
	o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s}", "imsi", imsi, "nsapi",
		(json_int_t)(r->key & 0xf), "teid", teid, "ue_address", ip_addr_print(&r->ue, ue),
		"sgsn_user_address", ip_addr_print(&r->peer_usr, sgsn), "apn",
		show_apn_name(f, r->apn));
	json_object_update(o, u);
	json_decref(u);
	return o;
}

/* The record has a time of the pair's clock, which both chassis share; the date is by the clock of
 * this one. */
static void show_created(const struct operator_table *f, json_t *o, uint64_t created_ms)
{
	uint64_t pair = pair_time_ms(f->pair_time, clock_us());
	uint64_t age_ms = pair > created_ms ? pair - created_ms : 0;

	json_object_set_new(
		o, "created", show_time(clock_wall_us() - (int64_t)(age_ms * USEC_PER_MSEC)));
	json_object_set_new(o, "age_s", json_integer((json_int_t)(age_ms / 1000)));
	json_object_set_new(o, "created_ms", json_integer((json_int_t)created_ms));
}

static json_t *show_number(uint64_t v, bool hex, unsigned int bytes)
{
	char text[24];

	if (!hex)
		return json_integer((json_int_t)v);
	snprintf(text, sizeof(text), "0x%0*" PRIx64, 2 * (int)bytes, v);
	return json_string(text);
}

static json_t *show_octets(const uint8_t *p, unsigned int n)
{
	char text[2 * 32 + 1] = "";

	for (unsigned int i = 0; i < n && i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return json_string(text);
}

static json_t *show_address(const struct ip_addr *a)
{
	char text[IP_ADDR_TEXT];

	return json_string(ip_addr_print(a, text));
}

#define SHOW_DEC(name, bytes)    show_number(r->name, false, bytes)
#define SHOW_HEX(name, bytes)    show_number(r->name, true, bytes)
#define SHOW_OCTETS(name, bytes) show_octets(r->name, bytes)
#define SHOW_HEAD(name, bytes)   show_number(r->name, false, bytes)
#define SHOW_NIBBLE(name, bytes) show_number(r->name, false, bytes)
#define SHOW_FLAG(name, bytes)   json_boolean(r->name)
#define SHOW_ADDR(name, bytes)   show_address(&r->name)
#define SHOW_UE(name, bytes)     show_address(&r->name)
#define SHOW_MS(name, bytes)     show_number(r->name, false, bytes)
#define SHOW_ROW(name, type, bytes, group, set, end, line, view)                                   \
	if ((view)[0] != '\0')                                                                     \
		json_object_set_new(o, view, SHOW_##type(name, bytes));

#define SHOW_TAIL(name, bytes) show_octets(r->name, r->name##_len)

/* What few sessions have. */
static void show_annex(json_t *o, const struct session_annex *r)
{
	SESSION_COMMON_FIELDS(SHOW_ROW)
}

/* The fields of the list that are shown as they are. */
static void show_fields(json_t *o, const struct session_rec *r)
{
	SESSION_FIELDS(SHOW_ROW)
	if (r->annex_use != 0)
		show_annex(o, &r->annex);
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		json_object_set_new(o, wire_spoken.group[i].name,
			json_integer((json_int_t)session_extra(r, wire_spoken.group[i].id)));
}

static json_t *show_whole(const struct operator_table *f, const struct session_rec *r)
{
	char msisdn[2 * SESSION_MSISDN_MAX + 1];
	json_t *o = show_brief(f, r);

	show_bcd(msisdn, r->msisdn, sizeof(r->msisdn));
	json_object_set_new(o, "msisdn", json_string(msisdn));
	json_object_set_new(o, "apn_number", json_integer(r->apn));
	json_object_set_new(o, "pool", json_string(show_pool_name(f, r->pool)));
	json_object_set_new(o, "pool_number", json_integer(r->pool));
	json_object_set_new(o, "qos", show_octets(r->qos, r->qos_len));
	show_fields(o, r);
	show_created(f, o, r->created_ms);
	json_object_set_new(o, "sgsn_restart_counter",
		r->has_recovery ? json_integer(r->recovery) : json_null());
	json_object_set_new(o, "shard", json_integer(session_handle_shard(r->handle)));
	json_object_set_new(
		o, "worker", json_integer(f->worker_of_shard[session_handle_shard(r->handle)]));
	json_object_set_new(o, "usage_seat0", show_usage(&r->usage[0]));
	json_object_set_new(o, "usage_seat1", show_usage(&r->usage[1]));
	return o;
}

/* slots a command at most: control has other things to do within its second */
enum { SHOW_LOOKED_AT = 1 << 18 };

/* Calls `each` for live sessions, in order of their addresses, until it returns false. The pools'
 * arrays are a hundredth of the table, and end where the last session was found. */
static void show_walk(const struct operator_table *f, uint64_t total,
	bool (*each)(void *ctx, const struct session_rec *r), void *ctx)
{
	unsigned int looked = 0;

	for (unsigned int i = 0; i < POOL_MAX; i++) {
		const struct pool *p = pool_at(f->pools, i);

		for (uint32_t k = 0;
			p != NULL && k < p->size && total > 0 && looked < SHOW_LOOKED_AT; k++) {
			uint32_t handle = atomic_load_explicit(&p->handle[k], memory_order_relaxed);
			struct session_rec r;

			if (handle == 0)
				continue;
			looked++; /* it may be an address in quarantine */
			if (session_find(f->table, handle) == NULL)
				continue;
			session_read(f->table, session_slot_of(f->table, handle), &r);
			if (r.state != SESSION_LIVE)
				continue;
			total--;
			if (!each(ctx, &r))
				return;
		}
	}
}

struct show_listing {
	const struct operator_table *table;
	json_t *list;
	json_int_t limit;
};

static bool show_list_one(void *ctx, const struct session_rec *r)
{
	struct show_listing *l = ctx;

	json_array_append_new(l->list, show_brief(l->table, r));
	return (json_int_t)json_array_size(l->list) < l->limit;
}

json_t *show_sessions(void *family, json_t *args, usec_t now)
{
	const struct operator_table *f = family;
	struct show_listing l = { f, json_array(), request_limit(args) };
	json_int_t total = 0;

	(void)now;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		total += f->table->shard[i].n_live;
	show_walk(f, (uint64_t)total, show_list_one, &l);
	return json_pack("{s:I,s:I,s:I,s:o}", "total", total, "capacity",
		(json_int_t)f->start->max_sessions, "shown", (json_int_t)json_array_size(l.list),
		"sessions", l.list);
}

/* By IMSI all contexts of the subscriber, through the index: one look-up per NSAPI. */
static json_t *show_by_imsi(const struct operator_table *f, uint64_t key)
{
	json_t *list = json_array();

	for (unsigned int nsapi = 0; nsapi < 16; nsapi++) {
		uint32_t handle = signalling_find(f->signalling, key | nsapi);
		struct session_rec r;

		if (handle == 0)
			continue;
		session_read(f->table, session_slot_of(f->table, handle), &r);
		if (r.state == SESSION_LIVE)
			json_array_append_new(list, show_whole(f, &r));
	}
	if (json_array_size(list) > 0)
		return json_pack("{s:o}", "sessions", list);
	json_decref(list);
	return NULL;
}

json_t *show_session(void *family, json_t *args, usec_t now)
{
	const struct operator_table *f = family;
	struct ip_addr ue;
	uint32_t handle = 0;
	uint64_t key;
	struct session_rec r;
	bool in_pool;

	(void)now;
	switch (request_session(args, &ue, &handle, &key)) {
	case REQUEST_BY_UE:
		handle = pool_lookup(f->pools, INSTANCE_MAIN, &ue, &in_pool);
		break;
	case REQUEST_BY_IMSI:
		return show_by_imsi(f, key);
	default:
		break;
	}
	if (session_find(f->table, handle) == NULL)
		return NULL;
	session_read(f->table, session_slot_of(f->table, handle), &r);
	return r.state == SESSION_LIVE ? json_pack("{s:[o]}", "sessions", show_whole(f, &r)) : NULL;
}

static json_t *show_pool(const struct operator_table *f, unsigned int at)
{
	const struct pool *p = pool_at(f->pools, at);
	char text[IP_PREFIX_TEXT];

	return json_pack("{s:o,s:s,s:s,s:s,s:I,s:I,s:b,s:I}", "number",
		show_number_at(f, PLACES_POOL, at), "name", p->conf.name, "state",
		placed_state_name(f->start->placed->pool[at].state), "prefix",
		ip_prefix_print(&p->conf.prefix, text), "addresses", (json_int_t)p->size, "used",
		(json_int_t)pool_used(p), "srp_activate", p->conf.srp_activate, "quarantine_s",
		(json_int_t)f->table->quarantine_s);
}

json_t *show_pools(void *family, json_t *args, usec_t now)
{
	const struct operator_table *f = family;
	json_t *list = json_array();

	(void)args;
	(void)now;
	for (unsigned int i = 0; i < f->start->placed->n_pools; i++)
		if (pool_at(f->pools, i) != NULL)
			json_array_append_new(list, show_pool(f, i));
	return json_pack("{s:o}", "pools", list);
}

static json_t *show_apn(const struct operator_table *f, unsigned int at)
{
	const struct config_apn *a = &f->start->placed->apn[at].conf;
	uint32_t sessions =
		session_count_of_apn(f->table, places_number(f->places, PLACES_APN, at));

	return json_pack("{s:o,s:s,s:s,s:I,s:s,s:b,s:I,s:I,s:I,s:I}", "number",
		show_number_at(f, PLACES_APN, at), "name", a->name, "state",
		placed_state_name(f->start->placed->apn[at].state), "sessions",
		(json_int_t)sessions, "pool", a->pool, "verified_only", a->verified_only,
		"session_timeout_s", (json_int_t)a->session_timeout_s, "idle_timeout_s",
		(json_int_t)a->idle_timeout_s, "ambr_up_kbps", (json_int_t)a->ambr_up_kbps,
		"ambr_down_kbps", (json_int_t)a->ambr_down_kbps);
}

json_t *show_apns(void *family, json_t *args, usec_t now)
{
	const struct operator_table *f = family;
	json_t *list = json_array();

	(void)args;
	(void)now;
	for (unsigned int i = 0; i < f->start->placed->n_apns; i++)
		if (f->start->placed->apn[i].state != PLACED_FREE)
			json_array_append_new(list, show_apn(f, i));
	return json_pack("{s:o}", "apns", list);
}
