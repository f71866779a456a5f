/* SPDX-License-Identifier: BSD-3-Clause */
#include "session_index.h"

#include <errno.h>

#include <rte_prefetch.h>

#include "cores/memory.h"
#include "cores/from_worker.h"
#include "net/net.h"
#include "session/session.h"

/* Slots that are read, or places of the index that are looked at, in one turn: a turn must stay far
 * below the time after which a core counts as stalled, for in a stall nobody is judged dead. SPARE:
 * entries beyond one a slot, as an entry may be stale until the message of its end comes. */
enum { SESSION_INDEX_REBUILD = 256, SESSION_INDEX_SPARE = 64 };

int session_index_init(struct session_index *x, const struct signalling_env *env)
{
	struct imsi_index_params p = { .entries = env->table->n_slots * SESSION_SHARDS +
						  SESSION_INDEX_SPARE,
		.secret = env->secret,
		.mem = &memory_rte };

	*x = (struct session_index){
		.env = env, .rebuild_shard = SESSION_SHARDS, .imsi = imsi_index_create(&p)
	};
	return x->imsi != NULL ? 0 : -errno;
}

void session_index_fini(struct session_index *x)
{
	imsi_index_destroy(x->imsi);
}

/* The slot of a live session with that handle and key, or NULL. */
static const struct session_slot *session_index_slot(
	const struct session_index *x, uint32_t handle, uint64_t key)
{
	const struct session_slot *s = session_find(x->env->table, handle);

	return s != NULL && s->key == key ? s : NULL;
}

uint32_t session_index_find(const struct session_index *x, uint64_t key)
{
	uint32_t handle = imsi_index_find(x->imsi, key);

	return session_index_slot(x, handle, key) != NULL ? handle : 0;
}

/* A subscriber has one session for an NSAPI: the one that came last. An owner ends the one before
 * first, so two are alive only where the end of the first was not heard: its owner died before it
 * had reported it. */
static void session_index_supersede(struct session_index *x, uint64_t key, uint32_t handle)
{
	uint32_t was = session_index_find(x, key);

	if (was == 0 || was == handle)
		return;
	/* Beyond that number they stay until their SGSN restarts. */
	pdp_superseded_add(&x->superseded, key, was);
}

static uint32_t session_index_newest(void *ctx, uint64_t key)
{
	return session_index_find(ctx, key);
}

static bool session_index_lives(void *ctx, uint32_t handle, uint64_t key)
{
	return session_index_slot(ctx, handle, key) != NULL;
}

void session_index_superseded(struct session_index *x,
	void (*end)(void *ctx, uint32_t superseded, uint32_t by), void *ctx)
{
	const struct pdp_superseded_ops ops = { .find = session_index_newest,
		.lives = session_index_lives,
		.ctx = x,
		.end = end,
		.end_ctx = ctx };

	pdp_superseded_walk(&x->superseded, &ops);
}

static void session_index_add(struct session_index *x, uint64_t key, uint32_t handle)
{
	session_index_supersede(x, key, handle);
	/* A full index can only hold stale keys, as there are as many entries as slots: it is read
	 * anew. */
	if (imsi_index_set(x->imsi, key, handle) < 0)
		x->stale = true;
}

/* An SGSN that has a session will be sent packets: on a standby, too, the kernel is to know its
 * neighbour before a promotion needs it. What is behind a gateway is no neighbour, and
 * net_ops->mirror_want() leaves it alone. */
static void session_index_neighbour(struct session_index *x, uint32_t handle)
{
	const struct session_slot *s = session_find(x->env->table, handle);
	uint32_t sgsn4 = s != NULL ? session_peer_usr4(s) : 0;
	uint32_t *known = &x->sgsn4[sgsn4 % SESSION_INDEX_SGSNS];
	struct ip_addr sgsn = ip_addr_v4(sgsn4);

	if (sgsn4 == 0 || *known == sgsn4)
		return;
	*known = sgsn4;
	for (unsigned int i = 0; i < x->env->n_ports; i++)
		net_ops->mirror_want(x->env->mirror, x->env->ports[i].id, &sgsn);
}

/* The newest session of the key ended. On a standby the end of the one before it may be on its way
 * still, or lost: should this chassis become Active, a Create must find that session. */
static void session_index_remove(struct session_index *x, uint64_t key)
{
	const struct pdp_superseded_ops ops = { .lives = session_index_lives, .ctx = x };
	uint32_t before = pdp_superseded_before(&x->superseded, key, &ops);

	imsi_index_remove(x->imsi, key);
	if (before != 0 && imsi_index_set(x->imsi, key, before) < 0)
		x->stale = true;
}

static void session_index_entry(struct session_index *x, uint64_t key, uint32_t handle, bool live)
{
	if (live) {
		session_index_neighbour(x, handle);
		session_index_add(x, key, handle);
	} else if (imsi_index_find(x->imsi, key) == handle) {
		session_index_remove(x, key);
	}
}

void session_index_event(struct session_index *x, const struct from_worker_event *e)
{
	if (e->kind != SESSION_UPDATED)
		session_index_entry(x, e->rec.key, e->rec.handle, e->kind == SESSION_BEGUN);
}

void session_index_missed(struct session_index *x)
{
	x->stale = true;
}

void session_index_batch(struct session_index *x, const struct msg_batch *m)
{
	for (unsigned int i = 0; i < m->n; i++)
		rte_prefetch0(session_slot_of(x->env->table, m->entry[i].handle));
	for (unsigned int i = 0; i < m->n; i++)
		session_index_entry(x, m->entry[i].key, m->entry[i].handle, m->live >> i & 1);
}

/* Removes entries of sessions that are gone, a piece a turn. True: all have been looked at. */
static bool session_index_sweep(struct session_index *x)
{
	uint32_t handle;
	uint64_t key;

	x->sweep.left = SESSION_INDEX_REBUILD;
	while (imsi_index_next(x->imsi, &x->sweep, &key, &handle))
		if (session_index_slot(x, handle, key) == NULL)
			imsi_index_remove(x->imsi, key);
	return x->sweep.left > 0;
}

/* A session that is read: slots have no order in time, so one that began before the one in the
 * index takes no place. Of one second, what was heard counts. */
static void session_index_found(struct session_index *x, const struct session_rec *rec)
{
	uint32_t known = session_index_find(x, rec->key);
	struct session_rec other;

	if (known != 0 && known != rec->handle) {
		session_read(x->env->table, session_slot_of(x->env->table, known), &other);
		if (other.handle == known && other.created_ms >= rec->created_ms) {
			pdp_superseded_add(&x->superseded, rec->key, rec->handle);
			return;
		}
	}
	session_index_add(x, rec->key, rec->handle);
}

/* Reads the next slots. True: there are more. */
static bool session_index_read(struct session_index *x)
{
	const struct session_table *t = x->env->table;

	for (unsigned int i = 0; i < SESSION_INDEX_REBUILD && x->rebuild_shard < SESSION_SHARDS;
		i++) {
		struct session_rec rec;

		if (t->shard[x->rebuild_shard].slots[x->rebuild_slot].teid != 0) {
			session_read_at(t, x->rebuild_shard, x->rebuild_slot, &rec);
			if (rec.state == SESSION_LIVE)
				session_index_found(x, &rec);
		}
		if (++x->rebuild_slot == t->n_slots) {
			x->rebuild_slot = 0;
			x->rebuild_shard++;
		}
	}
	return x->rebuild_shard < SESSION_SHARDS;
}

/* What is in the index stays in force while it is read anew: an empty one would make two sessions
 * of one, and to clear it costs more than a turn may take. */
bool session_index_turn(struct session_index *x)
{
	if (x->rebuild_shard == SESSION_SHARDS && !x->sweeping) {
		if (!x->stale)
			return false;
		x->stale = false;
		x->sweeping = true;
		x->sweep.at = 0;
		x->rebuild_shard = 0;
		x->rebuild_slot = 0;
	}
	if (x->sweeping) {
		x->sweeping = !session_index_sweep(x);
		return true;
	}
	return session_index_read(x);
}

bool session_index_turning(const struct session_index *x)
{
	return x->sweeping || x->rebuild_shard < SESSION_SHARDS;
}
