/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold. The owner's states are kept group by group as hashes; whatever a standby has is
 * looked up there. */
#include <stdlib.h>

#include <rte_bitmap.h>

#include "sim_pair.h"
#include "truth.h"

static const char *const group_names[] = { "identity", "tunnel", "qos", "request", "sender's usage",
	"other usage" };

struct node *peer_of(struct node *n)
{
	return &sim.node[!n->id];
}

uint32_t pos_of(const struct node *n, uint32_t handle)
{
	return session_handle_shard(handle) * PER_SHARD + session_handle_slot(n->t, handle);
}

static uint64_t mix(uint64_t h, const void *from, size_t len)
{
	const uint8_t *p = from;

	while (len-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

/* owner: whose set the sender's usage is. */
static uint64_t group_hash(const struct session_rec *r, unsigned int group, unsigned int owner)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) + group;
	const uint32_t tunnel[2] = { r->peer_ctl_teid, r->peer_usr_teid };
	const uint8_t request[3] = { r->has_recovery, r->recovery, r->req_type };
	const uint16_t from[2] = { r->req_seq, r->req_port };
	const uint8_t kind[4] = { r->state, r->apn, r->pool, r->pdp_type };

	switch (group) {
	case G_IDENTITY:
		h = mix(mix(h, kind, sizeof(kind)), &r->handle, sizeof(r->handle));
		h = mix(mix(h, &r->key, sizeof(r->key)), r->msisdn, sizeof(r->msisdn));
		h = mix(mix(h, &r->created_ms, sizeof(r->created_ms)), &r->ue, sizeof(r->ue));
		return mix(h, &r->charging_id, sizeof(r->charging_id));
	case G_TUNNEL:
		h = mix(mix(h, &r->peer_ctl, sizeof(r->peer_ctl)), &r->peer_usr,
			sizeof(r->peer_usr));
		return mix(h, tunnel, sizeof(tunnel));
	case G_QOS:
		return mix(mix(h, &r->qos_len, 1), r->qos, sizeof(r->qos));
	case G_REQUEST:
		h = mix(mix(h, request, sizeof(request)), from, sizeof(from));
		return mix(h, &r->req_src, sizeof(r->req_src));
	default:
		return mix(h, &r->usage[group == G_OWN ? owner : !owner], sizeof(r->usage[0]));
	}
}

static void read_pos(const struct node *n, uint32_t pos, struct session_rec *r)
{
	session_read_at(n->t, pos / PER_SHARD, pos % PER_SHARD, r);
}

/* ---- what the owner had ---- */

static void append(uint32_t pos, unsigned int group, uint64_t state)
{
	struct history *h = &sim.history[pos][group];

	if (h->n > 0 && h->state[h->n - 1] == state)
		return;
	if (h->n == h->room) {
		h->room = h->room == 0 ? 4 : 2 * h->room;
		h->state = realloc(h->state, h->room * sizeof(*h->state));
		if (h->state == NULL)
			abort();
	}
	h->state[h->n++] = state;
}

/* Writes down the groups first to last of a slot as its owner has it now. */
void history_push(struct node *n, uint32_t pos, unsigned int first, unsigned int last)
{
	struct session_rec r;

	read_pos(n, pos, &r);
	for (unsigned int g = first; g <= last; g++)
		append(pos, g, group_hash(&r, g, n->id));
}

/* A new term: its history begins with what its owner has. */
void history_term(struct node *n)
{
	for (uint32_t pos = 0; pos < SLOTS; pos++) {
		history_push(n, pos, 0, GROUPS - 1);
		for (unsigned int g = 0; g < GROUPS; g++)
			sim.start[pos][g] = sim.history[pos][g].n - 1;
	}
}

void history_free(void)
{
	for (uint32_t pos = 0; pos < SLOTS; pos++)
		for (unsigned int g = 0; g < GROUPS; g++)
			free(sim.history[pos][g].state);
}

/* The first place at or after `from` with that state; n: there is none. */
static uint32_t find(uint32_t pos, unsigned int group, uint32_t from, uint64_t state)
{
	const struct history *h = &sim.history[pos][group];

	while (from < h->n && h->state[from] != state)
		from++;
	return from;
}

/* A record was applied: what it carried is a state of this term's owner, and none older than the
 * last one. */
void check_applied(struct node *n, enum repl_kind kind, uint32_t handle, uint8_t groups)
{
	static const uint8_t bits[GROUPS] = { SESSION_G_IDENTITY, SESSION_G_TUNNEL, SESSION_G_QOS,
		SESSION_G_REQUEST, SESSION_G_USAGE32 | SESSION_G_USAGE64, SESSION_G_OTHER64 };
	uint32_t pos = pos_of(n, handle);
	struct session_rec r;

	if (sim.flip.set && sim.flip.pos == pos)
		return;
	read_pos(n, pos, &r);
	for (unsigned int g = 0; g < GROUPS; g++) {
		uint32_t from = RTE_MAX(n->seen[pos][g], sim.start[pos][g]), at;
		uint64_t state = group_hash(&r, g, !n->id);

		if (kind == REPL_DELTA && !(groups & bits[g]))
			continue;
		if (g == G_OTHER && n->t->late_merge) /* it may have counted more itself */
			continue;
		at = find(pos, g, from, state);
		if (at < sim.history[pos][g].n)
			n->seen[pos][g] = at;
		else if (find(pos, g, 0, state) < from)
			fail("chassis %u: slot %u, %s went back", n->id, pos, group_names[g]);
		else
			fail("chassis %u: slot %u, %s: a state that its owner never had", n->id,
				pos, group_names[g]);
	}
}

/* ---- commits ---- */

void commit_wait(struct node *n, uint32_t handle, uint32_t commit, uint32_t freed)
{
	struct pending *p = &sim.pending[sim.n_pending];
	uint32_t pos = pos_of(n, handle);

	if (n->id != sim.active || sim.n_pending == PENDING)
		return;
	*p = (struct pending){
		.handle = handle, .commit = commit, .since = sim.now, .freed = freed
	};
	for (unsigned int g = 0; g < PROMISED; g++)
		p->at[g] = sim.history[pos][g].n - 1;
	sim.n_pending++;
}

/* Whether a group in the slots of n is what was written at `at`, or newer. */
bool is_there(struct node *n, uint32_t pos, unsigned int group, uint32_t at)
{
	struct session_rec r;

	read_pos(n, pos, &r);
	return find(pos, group, at, group_hash(&r, group, n->id)) < sim.history[pos][group].n;
}

static void answered(struct node *n, const struct pending *p)
{
	uint32_t pos = pos_of(n, p->handle);
	struct node *peer = peer_of(n);

	sim.told_n++;
	if (p->freed != 0)
		sim.freed_told[p->freed] = true;
	for (unsigned int g = 0; g < PROMISED; g++) {
		sim.told[pos][g] = RTE_MAX(sim.told[pos][g], p->at[g] + 1);
		if (peer->up && repl_peer_incarnation(n->r) == peer->incarnation &&
			!is_there(peer, pos, g, p->at[g]) && !(sim.flip.set && sim.flip.pos == pos))
			fail("slot %u, %s: commit %u of %08x is acknowledged and not at the "
			     "standby",
				pos, group_names[g], p->commit, p->handle);
	}
}

/* As the gate does: whoever waits for this handle and commit, or an earlier one, is answered. */
void check_commit(struct node *n, uint32_t handle, uint32_t commit)
{
	if (n->id != sim.active || !n->active)
		return;
	for (unsigned int i = 0; i < sim.n_pending;) {
		struct pending *p = &sim.pending[i];

		if (p->handle != handle || ((commit - p->commit) & 0xffffff) >= 0x800000) {
			i++;
			continue;
		}
		answered(n, p);
		*p = sim.pending[--sim.n_pending];
	}
}

/* At a promotion all that was ever told is in the winner's slots. */
void check_promised(struct node *n)
{
	for (uint32_t pos = 0; pos < SLOTS; pos++)
		for (unsigned int g = 0; g < PROMISED; g++)
			if (sim.told[pos][g] != 0 && !is_there(n, pos, g, sim.told[pos][g] - 1))
				fail("chassis %u: slot %u, %s: what was told is lost", n->id, pos,
					group_names[g]);
}

/* ---- tables ---- */

static void check_free(struct node *n, uint32_t pos, const struct session_slot *s)
{
	struct session_shard *sh = &n->t->shard[pos / PER_SHARD];
	uint32_t handle = session_handle_make(n->t, pos / PER_SHARD, pos % PER_SHARD, s->gen);
	struct ip_addr last = ip_addr_v4(s->last_ue4);
	bool waits = s->flags & SESSION_F_QUARANTINE;
	uint32_t named = s->last_ue4 != 0 ? n->t->hooks.named(n->t->hooks.ctx, s->pool, &last) : 0;

	if (waits == (rte_bitmap_get(sh->free_map, pos % PER_SHARD) != 0))
		fail("chassis %u: slot %u is free, its quarantine and its bit disagree", n->id,
			pos);
	if (!waits && named == handle && s->gen != 0)
		fail("chassis %u: slot %u is free and still named by its address", n->id, pos);
}

static void check_live(struct node *n, uint32_t pos, const struct session_slot *s)
{
	struct session_shard *sh = &n->t->shard[pos / PER_SHARD];
	struct ip_addr ue = ip_addr_v4(s->ue4);
	struct session_rec r;

	if (s->teid != session_handle_make(n->t, pos / PER_SHARD, pos % PER_SHARD, s->gen))
		fail("chassis %u: slot %u has the handle %08x", n->id, pos, s->teid);
	if (n->t->hooks.named(n->t->hooks.ctx, s->pool, &ue) != s->teid)
		fail("chassis %u: slot %u: its address names another session", n->id, pos);
	if (rte_bitmap_get(sh->free_map, pos % PER_SHARD) != 0 || s->flags & SESSION_F_QUARANTINE)
		fail("chassis %u: slot %u is live and may be given out", n->id, pos);
	if (sim.handle[pos] != s->teid)
		return;
	read_pos(n, pos, &r);
	for (unsigned int side = 0; side < 2; side++) {
		const struct session_usage *u = &r.usage[side], *most = &sim.counted[pos][side];

		if (u->up_pkts > most->up_pkts || u->up_bytes > most->up_bytes ||
			u->dn_pkts > most->dn_pkts || u->dn_bytes > most->dn_bytes)
			fail("chassis %u: slot %u: usage of side %u is ahead of the truth", n->id,
				pos, side);
	}
}

static void check_pool(struct node *n)
{
	struct pool *p = &n->ps->p[0];

	for (uint32_t i = 1; i < ADDRESSES - 1; i++) {
		uint32_t handle = p->handle[i], ue4 = p->base4 + i;
		bool is_free = rte_bitmap_get(p->free_map[session_shard_of_ue4(ue4)],
				       i / SESSION_SHARDS) != 0;
		const struct session_slot *s = session_slot_of(n->t, handle);

		if (is_free != (handle == 0))
			fail("chassis %u: address %u: its bit and its handle disagree", n->id, i);
		if (handle != 0 && !(s->teid == handle && s->ue4 == ue4) &&
			!(s->teid == 0 && s->last_ue4 == ue4 && s->flags & SESSION_F_QUARANTINE))
			fail("chassis %u: address %u names %08x, which does not have it", n->id, i,
				handle);
	}
}

static void check_table(struct node *n)
{
	uint32_t live[SESSION_SHARDS] = { 0 };

	if (!n->up)
		return;
	for (uint32_t pos = 0; pos < SLOTS; pos++) {
		const struct session_slot *s = &n->t->shard[0].slots[pos];

		if (s->teid == 0) {
			check_free(n, pos, s);
			continue;
		}
		live[pos / PER_SHARD]++;
		check_live(n, pos, s);
	}
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		if (live[i] != n->t->shard[i].n_live)
			fail("chassis %u: shard %u counts %u live sessions and has %u", n->id, i,
				n->t->shard[i].n_live, live[i]);
	/* A session whose key or handle had rotted cannot be found in the index when it ends. */
	for (uint32_t key = 0; key < KEYS; key++)
		if (n->index[key] != 0 && session_find(n->t, n->index[key]) == NULL &&
			sim.flips == 0)
			fail("chassis %u: the index has %08x, which is dead", n->id, n->index[key]);
	check_pool(n);
}

void check_tables(void)
{
	for (unsigned int i = 0; i < 2; i++)
		if (!sim.flip.set || i == sim.active)
			check_table(&sim.node[i]);
}

/* ---- the audit ---- */

/* By the records: the digests are what is on trial. */
static bool same(uint32_t pos)
{
	struct session_rec a, b;

	read_pos(&sim.node[0], pos, &a);
	read_pos(&sim.node[1], pos, &b);
	for (unsigned int g = 0; g < GROUPS; g++)
		if (group_hash(&a, g, 0) != group_hash(&b, g, 0))
			return false;
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		if (wire_spoken.group[i].version <= version_agreed() &&
			session_extra(&a, wire_spoken.group[i].id) !=
				session_extra(&b, wire_spoken.group[i].id))
			return false;
	return sim.node[0].t->shard[0].slots[pos].gen == sim.node[1].t->shard[0].slots[pos].gen;
}

/* "In sync since T" is true: what the owner wrote well before T (the digest may have been under
 * way) is there. */
void check_vouched(void)
{
	struct node *n = &sim.node[sim.active], *standby = peer_of(n);
	const struct repl_status *st = repl_peer_status(n->r);
	usec_t since = st->in_sync_since_ms * 1000;

	if (!n->up || !standby->up || !n->on || since == 0 || standby->late || st->unmatched != 0 ||
		repl_peer_incarnation(n->r) != standby->incarnation)
		return;
	sim.vouched++;
	for (uint32_t pos = 0; pos < SLOTS; pos++)
		if (sim.changed[pos] + 300000 < since && !same(pos) &&
			!(sim.flip.set && sim.flip.pos == pos))
			fail("slot %u differs, although in sync since %llu us", pos,
				(unsigned long long)since);
}

void check_flip(void)
{
	if (!sim.flip.set)
		return;
	if (same(sim.flip.pos)) {
		sim.flip.set = false;
		sim.repaired++;
		story("the flipped bit is repaired after %llu us",
			(unsigned long long)(sim.now - sim.flip.at));
	} else if (sim.flip.at >= CALM && sim.now - sim.flip.at > AUDIT + 60000) {
		fail("slot %u: a flipped bit is not repaired within a cycle", sim.flip.pos);
	}
}

static void check_usage_end(uint32_t pos)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct session_rec r;

		read_pos(&sim.node[i], pos, &r);
		if (sim.exact[pos] && r.state == SESSION_LIVE && r.handle == sim.handle[pos] &&
			memcmp(r.usage, sim.counted[pos], sizeof(r.usage)) != 0)
			fail("chassis %u: slot %u: usage was lost", i, pos);
	}
}

static void check_truth(const struct node *n, const struct node *standby)
{
	const char *wrong[] = { truth_alone(n->r), truth_alone(standby->r),
		truth_between(n->r, standby->r), truth_between(standby->r, n->r) };
	struct repl_sent_records s;

	for (unsigned int i = 0; i < 4; i++)
		if (wrong[i] != NULL)
			fail("%s", wrong[i]);
	repl_sent_records(n->r, &s);
	if (s.peer.stream != s.stream)
		fail("the standby never told what it took");
}

void check_end(void)
{
	struct node *n = &sim.node[sim.active], *standby = peer_of(n);
	const struct repl_status *st = repl_peer_status(n->r);

	check_truth(n, standby);
	if (!n->on || sim.plan != PLAN_NONE || standby->late) {
		fail("no stream, or a change of roles not ended");
		return;
	}
	for (uint32_t pos = 0; pos < SLOTS; pos++) {
		if (!same(pos))
			fail("slot %u differs at the end", pos);
		check_usage_end(pos);
	}
	for (unsigned int i = 0; i < 2; i++)
		for (uint32_t pos = 0; pos < SLOTS; pos++) {
			const struct session_slot *s = &sim.node[i].t->shard[0].slots[pos];

			if (s->teid != 0 && sim.node[i].index[s->key % KEYS] != s->teid)
				fail("chassis %u: %08x is not in the index", i, s->teid);
		}
	if (audit_unmatched(standby->audit) != 0 || st->unmatched != 0 ||
		st->in_sync_since_ms * 1000 + 3 * AUDIT < sim.now)
		fail("%u buckets unmatched, in sync since %llu ms", st->unmatched,
			(unsigned long long)st->in_sync_since_ms);
	if (repl_unacked(n->r) > 0 && n->now - repl_oldest_unacked(n->r) > 50000)
		fail("%u packets never acknowledged", repl_unacked(n->r));
	for (unsigned int i = 0; i < sim.n_pending; i++)
		if (sim.now - sim.pending[i].since > 200000)
			fail("commit %u of %08x, from %llu us, was never acknowledged",
				sim.pending[i].commit, sim.pending[i].handle,
				(unsigned long long)sim.pending[i].since);
	if (sim.flip.set)
		fail("a flipped bit is left");
}
