/* SPDX-License-Identifier: BSD-3-Clause */
/* index: (IMSI, NSAPI) -> handle, the control core's own, fed by messages of whichever core writes
 * the slots. An entry is a hint: the slot decides. When a message found no room the whole index is
 * read from the slots again, piece by piece. */
#include <errno.h>
#include <string.h>

#include <rte_hash_crc.h>
#include <rte_lcore.h>
#include <rte_prefetch.h>

#include "process/control.h"

/* How many index messages may wait in a door, of a worker and of the replication core, whose hold
 * up to MSG_INDEX_ENTRIES: the answers to role changes need its room more, and wait for what is in
 * it, and there is another way to learn of a slot. REBUILD_SLOTS: a turn must stay far below
 * STALL_US, for in a stall nobody is judged dead. */
enum { REBUILD_SLOTS = 256, QUEUE_WORKERS = 4096, QUEUE_REPL = 1024 };

static struct msg *message_new(const struct door *door, unsigned int most)
{
	struct msg *m = NULL;

	if (rte_ring_count(door->ring) < most)
		m = msg_new(T.msgs, MSG_INDEX);
	if (m == NULL)
		atomic_store(&T.index_stale, true);
	return m;
}

static void put(struct msg *m, uint64_t key, uint32_t handle, bool live)
{
	m->index[m->n_index].key = key;
	m->index[m->n_index].handle = handle;
	m->live |= (uint32_t)live << m->n_index;
	m->n_index++;
}

static void tell(const struct door *door, struct msg *m)
{
	if (door_send(door, m) < 0)
		atomic_store(&T.index_stale, true);
}

/* Called on the core that writes the slot. A worker changes few sessions a turn, and its answers
 * follow at once; the stream may bring millions a second. */
void index_notify(void *ctx, uint64_t key, uint32_t handle, bool live)
{
	unsigned int lcore = rte_lcore_id();
	struct msg *m;

	(void)ctx;
	for (unsigned int i = 0; i < T.n_workers; i++)
		if (T.worker_lcore[i] == lcore) {
			m = message_new(&T.from_worker[i], QUEUE_WORKERS / (T.n_workers + 1) + 256);
			if (m == NULL)
				return;
			put(m, key, handle, live);
			tell(&T.from_worker[i], m);
			return;
		}
	if (T.index_open == NULL)
		T.index_open = message_new(&T.from_repl, QUEUE_REPL / (T.n_workers + 1) + 64);
	if (T.index_open == NULL)
		return;
	put(T.index_open, key, handle, live);
	if (T.index_open->n_index == MSG_INDEX_ENTRIES)
		index_flush();
}

void index_flush(void)
{
	if (T.index_open != NULL)
		tell(&T.from_repl, T.index_open);
	T.index_open = NULL;
}

int index_open(struct control *c)
{
	struct rte_hash_parameters p = { .name = "index",
		.entries = T.table->n_slots * SESSION_SHARDS + 64,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY };

	c->gtp.rebuild_shard = SESSION_SHARDS;
	c->gtp.index = rte_hash_create(&p);
	return c->gtp.index != NULL ? 0 : -ENOMEM;
}

void index_close(struct control *c)
{
	rte_hash_free(c->gtp.index);
}

static struct session_slot *live_slot(uint32_t handle, uint64_t key)
{
	struct session_slot *s = session_find(T.table, handle);

	return s != NULL && s->key == key ? s : NULL;
}

/* A subscriber has one session for an NSAPI: the one that came last. An owner ends the one before
 * first, so two are alive only where the end of the first was not heard: its owner died before it
 * had told of it. */
static void supersede(struct control *c, uint64_t key, uint32_t handle)
{
	struct gtp *g = &c->gtp;
	void *was;

	if (rte_hash_lookup_data(g->index, &key, &was) < 0 || (uint32_t)(uintptr_t)was == handle ||
		live_slot((uint32_t)(uintptr_t)was, key) == NULL)
		return;
	if (g->n_superseded < SUPERSEDED) /* beyond that they stay until their SGSN restarts */
		g->superseded[g->n_superseded++] =
			(struct superseded){ key, (uint32_t)(uintptr_t)was };
}

void index_superseded(struct control *c)
{
	struct gtp *g = &c->gtp;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < g->n_superseded; i++) {
		struct superseded *was = &g->superseded[i];
		uint32_t now = index_find(c, was->key);
		const struct session_slot *s = live_slot(was->handle, was->key);
		struct msg *m;

		if (s == NULL || now == 0 || now == was->handle)
			continue;
		g->superseded[kept++] = *was; /* until it is gone */
		m = c->owned && c->answering ? msg_new(T.msgs, MSG_DELETE) : NULL;
		if (m == NULL)
			continue;
		session_read(T.table, s, &m->rec);
		m->rec.handle = was->handle;
		m->term = c->own_term;
		m->cookie = 0; /* nobody waits for the answer */
		LOG(NOTICE, "session %08x ends: its subscriber has %08x, and its end was not heard",
			was->handle, now);
		door_send(&T.to_worker[T.shared.worker_of_shard[session_handle_shard(was->handle)]],
			m);
	}
	g->n_superseded = kept;
}

static void add(struct control *c, uint64_t key, uint32_t handle)
{
	supersede(c, key, handle);
	/* A full index can only hold stale keys (there are as many places as slots): read it
	 * anew. */
	if (rte_hash_add_key_data(c->gtp.index, &key, (void *)(uintptr_t)handle) < 0)
		atomic_store(&T.index_stale, true);
}

/* An SGSN that has a session will be sent packets: on a standby, too, the kernel is to know its
 * neighbour before a promotion needs it. What is behind a gateway is no neighbour, and
 * net_mirror_want() leaves it alone. */
static void neighbour(struct control *c, uint32_t handle)
{
	const struct session_slot *s = session_find(T.table, handle);
	uint32_t sgsn4 = s != NULL ? s->peer_usr4 : 0, *known = &c->gtp.sgsn4[sgsn4 % SGSNS_KNOWN];

	if (sgsn4 == 0 || *known == sgsn4)
		return;
	*known = sgsn4;
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & CONFIG_ACCESS)
			net_mirror_want(c->mirror, T.port[i].id, sgsn4);
}

static void entry(struct control *c, uint64_t key, uint32_t handle, bool live)
{
	void *data;

	if (live) {
		neighbour(c, handle);
		add(c, key, handle);
	} else if (rte_hash_lookup_data(c->gtp.index, &key, &data) >= 0 &&
		   (uint32_t)(uintptr_t)data == handle) {
		rte_hash_del_key(c->gtp.index, &key);
	}
}

void index_message(struct control *c, const struct msg *m)
{
	for (unsigned int i = 0; i < m->n_index; i++)
		rte_prefetch0(session_slot_of(T.table, m->index[i].handle));
	for (unsigned int i = 0; i < m->n_index; i++)
		entry(c, m->index[i].key, m->index[i].handle, m->live >> i & 1);
}

uint32_t index_find(struct control *c, uint64_t key)
{
	void *data;

	if (rte_hash_lookup_data(c->gtp.index, &key, &data) < 0)
		return 0;
	return live_slot((uint32_t)(uintptr_t)data, key) != NULL ? (uint32_t)(uintptr_t)data : 0;
}

/* Entries of sessions that are gone, a piece a turn. True when all have been looked at. */
static bool sweep(struct gtp *g)
{
	for (unsigned int i = 0; i < REBUILD_SLOTS; i++) {
		const void *key;
		void *data;
		uint64_t k;
		struct session_slot *s;

		if (rte_hash_iterate(g->index, &key, &data, &g->sweep_at) < 0)
			return true;
		memcpy(&k, key, sizeof(k));
		s = session_find(T.table, (uint32_t)(uintptr_t)data);
		if (s == NULL || s->key != k)
			rte_hash_del_key(g->index, &k);
	}
	return false;
}

/* What is in the index stays in force meanwhile: an empty one would make two sessions of one, and
 * to clear it costs more than a turn may take. */
bool index_turn(struct control *c)
{
	struct gtp *g = &c->gtp;
	if (g->rebuild_shard == SESSION_SHARDS && !g->sweeping) {
		if (!atomic_exchange(&T.index_stale, false))
			return false;
		g->sweeping = true;
		g->sweep_at = 0;
		g->rebuild_shard = 0;
		g->rebuild_slot = 0;
	}
	if (g->sweeping) {
		g->sweeping = !sweep(g);
		return true;
	}
	for (unsigned int i = 0; i < REBUILD_SLOTS && g->rebuild_shard < SESSION_SHARDS; i++) {
		struct session_rec rec;

		if (T.table->shard[g->rebuild_shard].slots[g->rebuild_slot].teid != 0) {
			session_read_at(T.table, g->rebuild_shard, g->rebuild_slot, &rec);
			if (rec.state == SESSION_LIVE)
				add(c, rec.key, rec.handle);
		}
		if (++g->rebuild_slot == T.table->n_slots) {
			g->rebuild_slot = 0;
			g->rebuild_shard++;
		}
	}
	return g->rebuild_shard < SESSION_SHARDS;
}
