/* SPDX-License-Identifier: BSD-3-Clause */
/* A chassis' workers, as app/tandem/worker.c does it, and the subscribers that make them work. */
#include <errno.h>

#include "sim_pair.h"

bool worker_note(struct worker *w, const struct note *note)
{
	if (w->tail - w->head == QUEUE)
		return false;
	w->queue[w->tail++ % QUEUE] = *note;
	return true;
}

static void late_usage(struct node *n, unsigned int number, const struct note *note)
{
	struct worker *w = &n->w[number];
	struct session_slot *s = session_find(n->t, note->handle);
	uint32_t pos = pos_of(n, note->handle);

	if (session_apply_late(n->t, (uint8_t)number, note->handle, &note->usage) == 0) {
		history_push(n, pos, G_OTHER, G_OTHER);
		sim.changed[pos] = sim.now;
	}
	if (s != NULL && w->streaming)
		dirty_mark(&w->sync.dirty, s, note->handle, SESSION_G_OTHER64);
}

static void stream(struct node *n, struct worker *w, bool on, bool late)
{
	w->sync.late = late;
	if (late) {
		w->sync.paused = false;
		w->late_asked = true;
		w->late_over = false;
		w->late_last = sim.now;
	}
	w->streaming = on;
	sync_version(&w->sync, version_agreed());
	sync_stream(&w->sync, on, late, AUDIT, n->now);
}

static void take(struct node *n, unsigned int number)
{
	struct worker *w = &n->w[number];

	for (unsigned int i = 0; i < 16 && w->head != w->tail; i++) {
		const struct note *note = &w->queue[w->head++ % QUEUE];

		switch (note->what) {
		case NOTE_STREAM:
			stream(n, w, note->on, note->late);
			break;
		case NOTE_LOST:
			sync_lost(&w->sync, &note->entry, 1);
			break;
		case NOTE_WANT:
			sync_want(&w->sync, note->want.how, note->want.bucket, note->want.arg);
			break;
		case NOTE_LATE:
			late_usage(n, number, note);
			break;
		}
	}
}

/* Handed over: until no late packet came for a while; then all that was counted leaves. */
static void late_turn(struct node *n, struct worker *w)
{
	uint32_t mark = w->sync.dirty.normal.tail;

	if (w->sync.late) {
		if (w->mode == MODE_LATE && sim.now - w->late_last < LATE_QUIET)
			return;
		w->mode = MODE_IDLE;
		if (!w->late_asked || !sync_drained(&w->sync, mark, n->now))
			return;
		w->late_asked = w->late_pending = false;
		w->late_over = true;
		return;
	}
	if (!w->late_asked || w->late_pending)
		return;
	if (w->sync.on && !sync_drained(&w->sync, w->late_mark, n->now))
		return;
	w->late_pending = true;
	w->sync.paused = true;
}

void worker_turn(struct node *n, unsigned int number)
{
	struct worker *w = &n->w[number];

	take(n, number);
	late_turn(n, w);
	sync_turn(&w->sync, n->now);
	if (w->mode == MODE_OWN && sim.now % 10000 == 0)
		for (unsigned int i = number; i < SESSION_SHARDS; i += n->n_workers)
			session_quarantine_expire(
				n->t, (uint8_t)number, i, (uint32_t)(n->now / SECOND), 64);
}

void worker_own(struct node *n)
{
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_quarantine_restart(n->t, i, (uint32_t)(n->now / SECOND));
	for (unsigned int i = 0; i < n->n_workers; i++) {
		struct worker *w = &n->w[i];

		w->late_asked = w->late_pending = w->late_over = false;
		w->sync.late = w->sync.paused = false;
		w->mode = MODE_OWN;
	}
}

void worker_late(struct node *n)
{
	for (unsigned int i = 0; i < n->n_workers; i++) {
		n->w[i].late_mark = sync_drain_begin(&n->w[i].sync);
		n->w[i].late_asked = true;
		n->w[i].mode = MODE_LATE;
	}
}

void worker_release(struct node *n)
{
	for (unsigned int i = 0; i < n->n_workers; i++) {
		n->w[i].mode = MODE_IDLE;
		n->w[i].late_asked = n->w[i].sync.paused = false;
	}
}

/* ---- subscribers ---- */

static void random_groups(struct session_rec *r)
{
	r->charging_id = (uint32_t)rnd(UINT32_MAX);
	r->peer_ctl_teid = (uint32_t)rnd(UINT32_MAX);
	r->peer_usr_teid = (uint32_t)rnd(UINT32_MAX);
	r->peer_ctl = ip_addr_v4((uint32_t)rnd(UINT32_MAX) | 1);
	r->peer_usr = ip_addr_v4((uint32_t)rnd(UINT32_MAX) | 1);
	r->qos_len = (uint8_t)(1 + rnd(SESSION_QOS_MAX));
	for (unsigned int i = 0; i < r->qos_len; i++)
		r->qos[i] = (uint8_t)rnd(256);
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		session_extra_set(r, wire_spoken.group[i].id, rnd(65536));
	r->has_recovery = true;
	r->recovery = (uint8_t)rnd(256);
	r->req_type = (uint8_t)(16 + rnd(6));
	r->req_seq = (uint16_t)rnd(65536);
	r->req_src = ip_addr_v4((uint32_t)rnd(UINT32_MAX) | 1);
}

/* A slot that signalling changed is committed as the worker commits it, and the promise is written
 * down. */
static void commit(struct node *n, unsigned int number, uint32_t handle, uint32_t freed)
{
	uint32_t pos = pos_of(n, handle), promise;

	sim.changed[pos] = sim.now;
	history_push(n, pos, 0, GROUPS - 1);
	promise = sync_commit(&n->w[number].sync, handle, n->now);
	if (promise != 0)
		commit_wait(n, handle, promise, freed);
}

static void create(struct node *n, unsigned int number)
{
	uint32_t shard = (uint32_t)rnd(SESSION_SHARDS / n->n_workers) * n->n_workers + number, pos,
		 offset;
	struct session_rec r = { .pdp_type = 0x21, .key = 1 + rnd(KEYS - 1) };
	usec_t wait = (QUARANTINE - 1) * SECOND, since;

	if (n->index[r.key] != 0 || pool_pick(n->ps, 0, shard, &r.ue) < 0)
		return;
	random_groups(&r);
	r.created_ms = sim.now / 1000 / 1000 * 1000;
	offset = ip_addr_to_v4(&r.ue) % ADDRESSES;
	since = RTE_MAX(sim.freed[offset], sim.waits[offset]);
	if (session_create(n->t, (uint8_t)number, &r, (uint32_t)(n->now / SECOND)) < 0)
		return;
	if (sim.active == n->id && sim.now - since < wait && since != 0)
		fail("chassis %u: address %u leased again %llu us after it was freed", n->id,
			offset, (unsigned long long)(sim.now - since));
	pos = pos_of(n, r.handle);
	sim.handle[pos] = r.handle;
	memset(sim.counted[pos], 0, sizeof(sim.counted[pos]));
	sim.exact[pos] = true;
	commit(n, number, r.handle, 0);
}

/* A live session of that worker. The shards of `most` are what is looked at: fewer make hot
 * sessions. */
static struct session_slot *any(struct node *n, unsigned int number, unsigned int most)
{
	for (unsigned int i = 0; i < 32; i++) {
		uint32_t shard = (uint32_t)rnd(most / n->n_workers) * n->n_workers + number;
		struct session_slot *s = &n->t->shard[shard].slots[rnd(PER_SHARD)];

		if (s->teid != 0)
			return s;
	}
	return NULL;
}

static void update(struct node *n, unsigned int number)
{
	struct session_slot *s = any(n, number, SESSION_SHARDS);
	struct session_rec r = { 0 };

	if (s == NULL)
		return;
	r.handle = s->teid;
	random_groups(&r);
	session_update(n->t, (uint8_t)number, &r,
		SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST | SESSION_G_EXTRA);
	commit(n, number, r.handle, 0);
}

static void erase(struct node *n, unsigned int number)
{
	struct session_slot *s = any(n, number, SESSION_SHARDS);
	struct session_rec r = { 0 };
	uint32_t offset;

	if (s == NULL)
		return;
	r.handle = s->teid;
	offset = s->ue4 % ADDRESSES;
	random_groups(&r);
	session_update(n->t, (uint8_t)number, &r, SESSION_G_REQUEST);
	session_free(n->t, (uint8_t)number, r.handle, (uint32_t)(n->now / SECOND));
	if (sim.active == n->id) {
		sim.freed[offset] = sim.now;
		sim.freed_told[offset] = false;
	}
	commit(n, number, r.handle, offset);
}

static void count(uint64_t *packets, uint64_t *truth)
{
	/* Bytes grow fast, so that 2^30 and 2^32 are passed in a run. */
	uint64_t n = 1 + rnd(3), bytes = rnd(16) == 0 ? rnd(UINT64_C(1) << 29) : n * rnd(1500);

	packets[0] += n;
	packets[1] += bytes;
	truth[0] += n;
	truth[1] += bytes;
}

/* User packets. In late mode only the own set grows. */
static void traffic(struct node *n, unsigned int number)
{
	struct worker *w = &n->w[number];
	struct session_slot *s = any(n, number, rnd(2) ? SESSION_SHARDS : 2);
	bool late = w->mode == MODE_LATE;
	struct session_usage *truth, nobodys = { 0 };
	uint32_t pos;

	if (s == NULL)
		return;
	pos = pos_of(n, s->teid);
	truth = sim.handle[pos] == s->teid ? &sim.counted[pos][n->id] : &nobodys;
	if (rnd(2))
		count(&s->up_pkts, &truth->up_pkts);
	else
		count(&s->dn_pkts, &truth->dn_pkts);
	if (w->streaming)
		dirty_mark(
			&w->sync.dirty, s, s->teid, late ? SESSION_G_USAGE64 : SESSION_G_USAGE32);
	if (n->active) {
		history_push(n, pos, G_OWN, G_OWN);
		sim.changed[pos] = sim.now;
	}
	if (late)
		w->late_last = sim.now;
}

void subscribers(struct node *n)
{
	unsigned int number = (unsigned int)rnd(n->n_workers);
	enum mode mode = n->w[number].mode;

	if (!n->up || mode == MODE_IDLE)
		return;
	for (unsigned int i = 0; i < sim.traffic; i++)
		if (mode == MODE_OWN || (rnd(4) == 0 && sim.plan_at + 300000 > sim.now))
			traffic(n, number);
	if (mode != MODE_OWN || (sim.hold && sim.active == n->id) || rnd(1000) >= sim.ops)
		return;
	switch (rnd(8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		create(n, number);
		break;
	case 4:
	case 5:
		update(n, number);
		break;
	default:
		erase(n, number);
		break;
	}
}
