/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/station.h"

enum { NOBODY = -1 };

struct peer {
	struct station_peer conf;
	bool used;
	bool reported_up; /* `session`'s last word */
	bool left;        /* `session` said that it will not report it any more */
	/* bit of each session that ever said that it is up: when that one says down, it means it */
	uint8_t been;
	enum monitor_state state;
	int session; /* which reported last, while it is open; or NOBODY */
	bool known;  /* reporter is set: the router that reported last, open or not */
	struct ip_addr reporter;
	usec_t since; /* when it was added */
};

struct session {
	struct station *station;
	struct bmp *bmp; /* NULL: not in use */
	struct ip_addr from;
	bool begun, settled;
	usec_t at;  /* of the Initiation */
	usec_t now; /* of the call that is under way */
};

struct station {
	usec_t settle;
	station_fn fn;
	void *ctx;
	struct peer peer[STATION_PEERS];
	struct session session[STATION_SESSIONS];
};

struct station *station_create(usec_t settle, station_fn fn, void *ctx)
{
	struct station *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->settle = settle;
	s->fn = fn;
	s->ctx = ctx;
	for (unsigned int i = 0; i < STATION_SESSIONS; i++)
		s->session[i].station = s;
	return s;
}

void station_destroy(struct station *s)
{
	if (s == NULL)
		return;
	for (unsigned int i = 0; i < STATION_SESSIONS; i++)
		bmp_destroy(s->session[i].bmp);
	free(s);
}

static bool station_same_peer(const struct station_peer *a, const struct station_peer *b)
{
	return ip_addr_equal(&a->addr, &b->addr) && a->of_vrf == b->of_vrf &&
	       (!a->of_vrf || a->distinguisher == b->distinguisher) &&
	       a->of_router == b->of_router &&
	       (!a->of_router || ip_addr_equal(&a->router, &b->router));
}

int station_add(struct station *s, const struct station_peer *p, usec_t now)
{
	int slot = -ENOSPC;

	for (int i = 0; i < STATION_PEERS; i++) {
		if (s->peer[i].used && station_same_peer(&s->peer[i].conf, p))
			return -EEXIST;
		if (!s->peer[i].used && slot < 0)
			slot = i;
	}
	if (slot >= 0)
		s->peer[slot] =
			(struct peer){ .conf = *p, .used = true, .session = NOBODY, .since = now };
	return slot;
}

int station_remove(struct station *s, int peer)
{
	if (peer < 0 || peer >= STATION_PEERS || !s->peer[peer].used)
		return -ENOENT;
	s->peer[peer].used = false;
	return 0;
}

static void station_say(
	struct station *s, unsigned int peer, enum monitor_state state, const char *why)
{
	s->peer[peer].state = state;
	s->fn(s->ctx, (int)peer, state, why);
}

/* Whether this router may report that peer. */
static bool station_may_report(const struct peer *p, const struct session *by)
{
	return p->used && (!p->conf.of_router || ip_addr_equal(&p->conf.router, &by->from));
}

static void station_reported(struct session *by, unsigned int i, const struct bmp_fact *f)
{
	struct station *s = by->station;
	struct peer *p = &s->peer[i];
	uint8_t me = (uint8_t)(1U << (by - s->session));

	p->session = (int)(by - s->session);
	p->known = true;
	p->reporter = by->from;
	p->left = f->type == BMP_PEER_DOWN && f->reason == BMP_DOWN_NOT_MONITORED;
	p->reported_up = f->type == BMP_PEER_UP;
	p->been |= p->reported_up ? me : 0;
	if (f->type == BMP_PEER_UP)
		station_say(s, i, MONITOR_UP, "");
	else if (p->left)
		station_say(s, i, MONITOR_UNKNOWN, f->text);
	else if ((p->been & me) != 0 || by->settled)
		station_say(s, i, MONITOR_DOWN, f->text);
}

static void station_on_fact(void *ctx, const struct bmp_fact *f)
{
	struct session *by = ctx;

	if (f->type == BMP_INITIATION && !by->begun) {
		by->begun = true;
		by->at = by->now;
	}
	if (f->type != BMP_PEER_UP && f->type != BMP_PEER_DOWN)
		return;
	for (unsigned int i = 0; i < STATION_PEERS; i++) {
		const struct peer *p = &by->station->peer[i];

		if (station_may_report(p, by) && ip_addr_equal(&p->conf.addr, &f->addr) &&
			(!p->conf.of_vrf || p->conf.distinguisher == f->distinguisher))
			station_reported(by, i, f);
	}
}

int station_open(struct station *s, const struct ip_addr *from, usec_t now)
{
	for (int i = 0; i < STATION_SESSIONS; i++) {
		struct session *n = &s->session[i];

		if (n->bmp != NULL)
			continue;
		*n = (struct session){ .station = s, .from = *from, .now = now };
		n->bmp = bmp_create(station_on_fact, n);
		return n->bmp != NULL ? i : -ENOMEM;
	}
	return -ENOSPC;
}

static struct session *station_find(struct station *s, int session)
{
	return session >= 0 && session < STATION_SESSIONS && s->session[session].bmp != NULL
		       ? &s->session[session]
		       : NULL;
}

static void station_lose(struct station *s, int session, const char *why)
{
	bmp_destroy(s->session[session].bmp);
	s->session[session].bmp = NULL;
	for (unsigned int i = 0; i < STATION_PEERS; i++) {
		struct peer *p = &s->peer[i];

		p->been &= (uint8_t) ~(1U << session);
		if (!p->used || p->session != session)
			continue;
		p->session = NOBODY;
		p->reported_up = p->left = false;
		station_say(s, i, MONITOR_UNKNOWN, why);
	}
}

int station_input(
	struct station *s, int session, const void *octets, size_t len, char *why, usec_t now)
{
	struct session *n = station_find(s, session);
	int ret;

	if (n == NULL)
		return -ENOENT;
	n->now = now;
	ret = bmp_input(n->bmp, octets, len);
	if (ret < 0) {
		char reason[BMP_TEXT];

		memcpy(reason, bmp_reason(n->bmp), BMP_TEXT);
		if (why != NULL)
			memcpy(why, reason, BMP_TEXT);
		station_lose(s, session, reason);
	}
	return ret;
}

int station_close(struct station *s, int session)
{
	if (station_find(s, session) == NULL)
		return -ENOENT;
	station_lose(s, session, "BMP session lost");
	return 0;
}

/* A router had its time: each peer that it did not report as up is down. A peer that another router
 * reported, or another session reports, is left to that one. */
static void station_settle(struct station *s, struct session *by)
{
	int me = (int)(by - s->session);

	by->settled = true;
	for (unsigned int i = 0; i < STATION_PEERS; i++) {
		struct peer *p = &s->peer[i];

		if (!station_may_report(p, by) || (p->session != me && p->session != NOBODY))
			continue;
		if (p->session == me && (p->reported_up || p->left || p->state == MONITOR_DOWN))
			continue;
		if (p->session == NOBODY && p->known && !ip_addr_equal(&p->reporter, &by->from))
			continue;
		p->session = me;
		p->known = true;
		p->reporter = by->from;
		station_say(s, i, MONITOR_DOWN, "not established");
	}
}

/* Who is still in Init waits for a router that has begun, or for the first one until it had its
 * time. */
static bool station_waits(const struct station *s, const struct peer *p)
{
	for (unsigned int i = 0; i < STATION_SESSIONS; i++) {
		const struct session *n = &s->session[i];

		if (n->bmp != NULL && n->begun && !n->settled && station_may_report(p, n))
			return true;
	}
	return false;
}

void station_tick(struct station *s, usec_t now)
{
	for (unsigned int i = 0; i < STATION_SESSIONS; i++) {
		struct session *n = &s->session[i];

		if (n->bmp != NULL && n->begun && !n->settled && now - n->at >= s->settle)
			station_settle(s, n);
	}
	for (unsigned int i = 0; i < STATION_PEERS; i++) {
		const struct peer *p = &s->peer[i];

		if (p->used && p->state == MONITOR_INIT && now - p->since >= s->settle &&
			!station_waits(s, p))
			station_say(s, i, MONITOR_UNKNOWN, "no BMP session reports it");
	}
}

usec_t station_due(const struct station *s)
{
	usec_t due = USEC_NEVER;

	for (unsigned int i = 0; i < STATION_SESSIONS; i++) {
		const struct session *n = &s->session[i];

		if (n->bmp != NULL && n->begun && !n->settled && n->at + s->settle < due)
			due = n->at + s->settle;
	}
	for (unsigned int i = 0; i < STATION_PEERS; i++) {
		const struct peer *p = &s->peer[i];

		if (p->used && p->state == MONITOR_INIT && p->since + s->settle < due &&
			!station_waits(s, p))
			due = p->since + s->settle;
	}
	return due;
}

const struct bmp_counters *station_count(const struct station *s, int session)
{
	return session >= 0 && session < STATION_SESSIONS && s->session[session].bmp != NULL
		       ? bmp_count(s->session[session].bmp)
		       : NULL;
}
