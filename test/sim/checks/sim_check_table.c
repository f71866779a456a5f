/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: what is derived from the slots agrees with them, usage with what was forwarded; and at
 * the end both chassis, and the SGSNs, with each other. */
#include <rte_bitmap.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "session/imsi_index.h"
#include "sim.h"
#include "truth.h"

static struct session_slot *slot(const struct node *n, uint32_t pos)
{
	return &n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
}

static bool flipped(const struct node *n, uint32_t pos)
{
	return sim.flip.set && (sim.flip.both || sim.flip.node == n->id) && sim.flip.pos == pos;
}

static void check_free(const struct node *n, uint32_t pos, const struct session_slot *s)
{
	const struct session_table *t = n->t.table;
	uint32_t handle = session_handle_make(t, pos / sim.per_shard, pos % sim.per_shard, s->gen);
	const struct ip_addr last = ip_addr_v4(s->ue4);
	bool waits = s->flags & SESSION_F_QUARANTINE;
	uint32_t named = s->ue4 != 0 ? t->hooks.named(t->hooks.ctx, s->pool, &last) : 0;

	bool given =
		rte_bitmap_get(t->shard[pos / sim.per_shard].free_map, pos % sim.per_shard) == 0;

	if (s->state == SESSION_ENDING && !given)
		broken(6, "chassis %c: the slot %u of an ending session may be given out",
			'A' + n->id, pos);
	if (s->state != SESSION_ENDING && waits != given)
		broken(6, "chassis %c: free slot %u: its quarantine and its bit disagree",
			'A' + n->id, pos);
	if (!waits && named == handle && s->gen != 0)
		broken(6, "chassis %c: free slot %u is still named by its address", 'A' + n->id,
			pos);
}

static bool ahead(const struct session_usage *u, const struct session_usage *of)
{
	return u->up_pkts > of->up_pkts || u->dn_pkts > of->dn_pkts || u->up_bytes > of->up_bytes ||
	       u->dn_bytes > of->dn_bytes;
}

static void check_live(const struct node *n, uint32_t pos, const struct session_slot *s)
{
	const struct session_table *t = n->t.table;
	const struct ip_addr ue = ip_addr_v4(s->ue4);
	const struct truth *truth = truth_of(s->teid, false);
	const struct session_usage own = { s->up_pkts, s->up_bytes, s->dn_pkts, s->dn_bytes };

	if (s->teid != session_handle_make(t, pos / sim.per_shard, pos % sim.per_shard, s->gen))
		broken(6, "chassis %c: slot %u has the handle %08x", 'A' + n->id, pos, s->teid);
	if (t->hooks.named(t->hooks.ctx, s->pool, &ue) != s->teid)
		broken(6, "chassis %c: slot %u: its address names another session", 'A' + n->id,
			pos);
	if (rte_bitmap_get(t->shard[pos / sim.per_shard].free_map, pos % sim.per_shard) != 0 ||
		s->flags & SESSION_F_QUARANTINE)
		broken(6, "chassis %c: live slot %u may be given out", 'A' + n->id, pos);
	numbers_check(n, pos, s);
	if (truth == NULL)
		broken(5, "chassis %c: slot %u: nobody ever made session %08x", 'A' + n->id, pos,
			s->teid);
	else if (ahead(&own, &truth->use[n->id]) || ahead(&s->other, &truth->use[!n->id]))
		broken(7, "chassis %c: %08x: usage of side %u is ahead of the truth", 'A' + n->id,
			s->teid, ahead(&own, &truth->use[n->id]) ? n->id : !n->id);
	else
		expiry_check(n, s->teid, truth);
}

static void check_pool(const struct node *n)
{
	const struct pool *p = node_pool(n);

	for (uint32_t i = 1; i < p->size - 1; i++) {
		uint32_t handle = p->handle[i], ue4 = p->base4 + i;
		bool is_free = rte_bitmap_get(p->free_map[session_shard_of_ue4(ue4)],
				       i / SESSION_SHARDS) != 0;
		const struct session_slot *s;

		if (is_free != (handle == 0))
			broken(6, "chassis %c: address %u: its bit and its handle disagree",
				'A' + n->id, i);
		if (handle == 0)
			continue;
		s = session_slot_of(n->t.table, handle);
		if (flipped(n, pos_of(n, handle)))
			continue;
		if (!(s->teid == handle && s->ue4 == ue4) &&
			!(s->teid == 0 && s->ue4 == ue4 && s->flags & SESSION_F_QUARANTINE))
			broken(6, "chassis %c: address %u names %08x, which does not have it",
				'A' + n->id, i, handle);
	}
}

/* ---- the index ---- */

enum { TOLD = 200 * MS }; /* control hears of what a writer did within that */

static const struct session_slot *slot_named(const struct node *n, uint32_t handle, uint64_t key)
{
	const struct session_slot *s = session_find(n->t.table, handle);

	return s != NULL && s->key == key ? s : NULL;
}

static bool settled(const struct node *n, uint32_t pos)
{
	usec_t since = RTE_MAX(n->changed[pos], RTE_MAX(sim.last_stall, n->booted));

	return sim.now > since + TOLD;
}

/* The index names each live session, or the one of the same subscriber that came later, and no dead
 * one. While it is read anew it may lack some. So it may on a standby whose copy is not complete
 * yet: the session that came later may have been ended at the Active, and the earlier one is dead
 * there too, which the audit has not yet said here. */
static void check_index(const struct node *n)
{
	bool complete = n->vouched || atomic_load(&n->t.role.owned);
	const struct session_index *x = &n->t.control->signalling->index;
	struct imsi_walk walk = { .left = UINT32_MAX };
	uint32_t handle;
	uint64_t key;

	if (session_index_turning(x) || x->stale || atomic_load(&n->t.events.missed) ||
		sim.flips > 0)
		return;
	for (unsigned int i = 0; i < n->n_used; i++) {
		const struct session_slot *s = slot(n, n->used[i]);

		if (complete && s->teid != 0 && settled(n, n->used[i]) &&
			session_index_find(x, s->key) == 0)
			broken(6, "chassis %c: %08x is not in the index", 'A' + n->id, s->teid);
	}
	while (imsi_index_next(x->imsi, &walk, &key, &handle))
		if (slot_named(n, handle, key) == NULL && settled(n, pos_of(n, handle)))
			broken(6, "chassis %c: the index has %08x, which is dead", 'A' + n->id,
				handle);
}

/* Whole slots, by the numbers of their APNs. A flipped number counts when its slot is written. */
static void check_counts(const struct node *n)
{
	uint32_t has[PLACES_NUMBERS] = { 0 };

	for (unsigned int i = 0; i < n->n_used; i++) {
		const struct session_slot *s = slot(n, n->used[i]);

		has[s->apn] += s->teid != 0 || s->state == SESSION_ENDING;
	}
	for (unsigned int i = 0; i < PLACES_NUMBERS && sim.flips == 0; i++) {
		uint32_t counts = session_count_of_apn(n->t.table, (uint8_t)i);

		if (counts != has[i])
			broken(6, "chassis %c: counts %u sessions of APN number %u and has %u",
				'A' + n->id, counts, i, has[i]);
	}
}

static void check_table(const struct node *n, bool all)
{
	const struct session_table *t = n->t.table;
	uint32_t live[SESSION_SHARDS] = { 0 };

	for (unsigned int i = 0; i < n->n_used; i++) {
		uint32_t pos = n->used[i];
		const struct session_slot *s = slot(n, pos);

		live[pos / sim.per_shard] += s->teid != 0;
		if (flipped(n, pos))
			continue;
		shadow_check(n, pos);
		if (s->teid != 0)
			check_live(n, pos, s);
		else if (s->gen != 0)
			check_free(n, pos, s);
	}
	/* A rotted TEID may have been 0 for a while. */
	for (unsigned int shard = 0; shard < SESSION_SHARDS && sim.flips == 0; shard++)
		if (live[shard] != t->shard[shard].n_live)
			broken(6, "chassis %c: shard %u counts %u live sessions and has %u",
				'A' + n->id, shard, t->shard[shard].n_live, live[shard]);
	if (!all)
		return;
	check_pool(n);
	check_index(n);
	check_counts(n);
}

void check_tables(bool all)
{
	for (unsigned int i = 0; i < 2; i++)
		if (sim.node[i].up)
			check_table(&sim.node[i], all);
}

/* ---- a flipped bit ---- */

bool check_same(uint32_t pos)
{
	uint32_t shard = pos / sim.per_shard, at = pos % sim.per_shard;
	uint8_t version = release_agreed();

	return session_hash_slot_in(sim.node[0].t.table, shard, at, version) ==
	       session_hash_slot_in(sim.node[1].t.table, shard, at, version);
}

bool check_alike(uint32_t pos)
{
	const struct session_table *t[2] = { sim.node[0].t.table, sim.node[1].t.table };
	uint32_t shard = pos / sim.per_shard, at = pos % sim.per_shard;
	struct session_rec a, b;
	bool alike;

	session_read_at(t[0], shard, at, &a);
	session_read_at(t[1], shard, at, &b);
	alike = t[0]->shard[shard].slots[at].gen == t[1]->shard[shard].slots[at].gen &&
		memcmp(a.usage, b.usage, sizeof(a.usage)) == 0;
	for (unsigned int g = 0; g < GROUPS; g++)
		alike &= group_hash(&a, g) == group_hash(&b, g);
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		alike &= wire_spoken.group[i].version > release_agreed() ||
			 session_extra(&a, wire_spoken.group[i].id) ==
				 session_extra(&b, wire_spoken.group[i].id);
	return alike;
}

void check_flip(void)
{
	struct node *n = &sim.node[sim.flip.node];

	if (!sim.flip.set)
		return;
	/* something worse came in between */
	if (!n->up || n->life != sim.flip.life || switchover_owns(n->t.control->switchover)) {
		sim.flip.set = false;
	} else if (sim.node[!n->id].up && check_same(sim.flip.pos)) {
		sim.flip.set = false;
		sim.repaired++;
		story(n->id, "the flipped bit is repaired after %llu ms",
			(unsigned long long)(sim.now - sim.flip.at) / MS);
	} else if (sim.last_fault < sim.flip.at &&
		   sim.now > sim.flip.at + n->conf.srp.audit_interval_s * USEC_PER_SEC + 200 * MS) {
		broken(12, "chassis %c: slot %u: a flipped bit is not repaired within a pass",
			'A' + n->id, sim.flip.pos);
	}
}

/* ---- the end ---- */

enum { AT_REST = 16 }; /* messages and packets that may be on their way when nothing much happens */

static void check_usage_end(const struct node *n, uint32_t pos)
{
	const struct session_slot *s = slot(n, pos);
	const struct truth *truth = s->teid != 0 ? truth_of(s->teid, false) : NULL;
	struct session_rec r;

	if (truth == NULL)
		return;
	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	for (unsigned int side = 0; side < 2; side++)
		if (sim.crashes == 0 && sim.dual == 0 && sim.parted == 0 &&
			memcmp(&r.usage[side], &truth->use[side], sizeof(r.usage[side])) != 0)
			broken(7,
				"chassis %c: %08x: usage of side %u: %llu up, %llu down of %llu "
				"and %llu, and nothing crashed",
				'A' + n->id, s->teid, side,
				(unsigned long long)r.usage[side].up_pkts,
				(unsigned long long)r.usage[side].dn_pkts,
				(unsigned long long)truth->use[side].up_pkts,
				(unsigned long long)truth->use[side].dn_pkts);
}

/* Lost without a promise broken, or confused with one that was. */
static bool in_doubt(const struct sub *s)
{
	for (unsigned int i = 0; i < sim.n_subs; i++)
		if (sim.sub[i].doubtful && sim.sub[i].gw == s->gw)
			return true;
	return false;
}

/* Its time was over, and its SGSN may not know it yet. */
static bool expired(uint32_t handle)
{
	const struct truth *t = truth_of(handle, false);

	return t != NULL && t->expired;
}

/* What an SGSN believes and what the gateway has. */
static void check_subs(const struct node *n)
{
	/* Sessions that both had who kept them are gone, and nobody tells their SGSNs unless all
	 * are; their TEIDs are given out again, so what is asked for one may hit another. */
	if (sim.second_faults > 0)
		return;
	for (unsigned int i = 0; i < sim.n_subs; i++) {
		const struct sub *s = &sim.sub[i];
		const struct session_slot *slot_of =
			s->gw != 0 ? session_find(n->t.table, s->gw) : NULL;

		if (s->state != SUB_UP || s->unsure || !s->told_safe || in_doubt(s) ||
			expired(s->gw))
			continue;
		if (slot_of == NULL || slot_of->key != s->key || slot_of->ue4 != s->ue)
			broken(9,
				"subscriber %u believes in session %08x, which chassis %c does not "
				"have",
				i, s->gw, 'A' + n->id);
		else if (slot_of->peer_usr_teid != s->teid_u || slot_of->peer_ctl_teid != s->teid_c)
			broken(9,
				"subscriber %u and chassis %c do not agree about the SGSN's TEIDs",
				i, 'A' + n->id);
		for (unsigned int k = 0; k < i; k++)
			if (sim.sub[k].state == SUB_UP && sim.sub[k].told_safe &&
				!sim.sub[k].unsure &&
				(sim.sub[k].gw == s->gw || sim.sub[k].ue == s->ue))
				broken(16, "subscribers %u and %u have the same address or TEID", k,
					i);
	}
	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		const struct session_slot *sl = slot(n, pos);
		bool wanted = sl->teid == 0;

		for (unsigned int i = 0; i < sim.n_subs && !wanted; i++) {
			const struct sub *s = &sim.sub[i];

			/* unsure, or told without protection: nobody promised that it is gone */
			wanted = s->key == sl->key &&
				 (s->state != SUB_IDLE || s->unsure || !s->told_safe ||
					 sim.sgsn[s->sgsn].restarted + 3000 * MS > sim.now);
		}
		if (!wanted)
			broken(9, "chassis %c has session %08x, which its SGSN ended", 'A' + n->id,
				sl->teid);
	}
}

void story_slot(const struct node *n, uint32_t pos)
{
	struct session_rec r;

	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	story(n->id,
		"slot %u: %08x state %u ue %08x key %llx teid %08x created %llu usage %llu/%llu "
		"%llu/%llu req %u %u",
		pos, r.handle, r.state, ip_addr_to_v4(&r.ue), (unsigned long long)r.key,
		r.peer_usr_teid, (unsigned long long)r.created_ms,
		(unsigned long long)r.usage[0].up_pkts, (unsigned long long)r.usage[0].dn_pkts,
		(unsigned long long)r.usage[1].up_pkts, (unsigned long long)r.usage[1].dn_pkts,
		r.req_type, r.req_seq);
}

/* It ended by itself within a flight. */
static bool on_the_way(uint32_t pos)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct session_slot *s = slot(&sim.node[i], pos);
		const struct truth *t = truth_of(s->teid, false);

		if (s->teid != 0 && t != NULL && t->freed != 0 && sim.now < t->freed + 100 * MS)
			return true;
	}
	return false;
}

static void check_stream(const struct node *n, const struct node *standby)
{
	const struct repl_status *st = repl_peer_status(n->t.repl->stream);
	uint64_t pair = repl_pair_ms(n->t.repl->stream, n->t.repl->now);
	struct pdp_view v = node_pdp(n);

	for (uint32_t pos = 0; pos < sim.slots; pos++)
		if (!(check_same(pos) && check_alike(pos)) && !on_the_way(pos)) {
			story_slot(n, pos);
			story_slot(standby, pos);
			broken(11, "slot %u differs at the end", pos);
		}
	if (!n->t.repl->on || st->unmatched != 0 || st->in_sync_since_ms == 0)
		broken(11, "chassis %c does not stream, or %u buckets do not match", 'A' + n->id,
			st->unmatched);
	else if (pair > st->in_sync_since_ms + 3000 * n->conf.srp.audit_interval_s)
		broken(11, "chassis %c: in sync since %llu ms", 'A' + n->id,
			(unsigned long long)(pair - st->in_sync_since_ms));
	if (!v.is_protected)
		broken(11, "chassis %c answers without protection although all is well",
			'A' + n->id);
	if (repl_unacked(n->t.repl->stream) > 0 &&
		n->t.repl->now - repl_oldest_unacked(n->t.repl->stream) > 200 * MS)
		broken(13, "%u packets are never acknowledged", repl_unacked(n->t.repl->stream));
	if (v.requests > 0)
		broken(15, "%u requests wait for ever", v.requests);
}

/* Of a pool, as rte_mempool_in_use_count(), which looks at the caches of all cores that there could
 * be: pages that nobody else touches. */
static unsigned int in_use(struct rte_mempool *pool)
{
	unsigned int n = rte_ring_count(pool->pool_data);

	for (unsigned int core = 0; core < CORES; core++)
		n += pool->local_cache[core].len;
	return pool->size - n;
}

/* Records sent are applied, superseded, refused or in flight, to the unit, by what both say; and
 * where no process took any with it, messages and packets went back to where they came from. */
static void check_accounts(const struct node *active, const struct node *standby)
{
	const struct repl *a = active->t.repl->stream, *b = standby->t.repl->stream;
	const char *wrong[] = { truth_alone(a), truth_alone(b), truth_between(a, b) };

	for (unsigned int i = 0; i < RTE_DIM(wrong); i++)
		if (wrong[i] != NULL)
			broken(2, "%s", wrong[i]);
	for (unsigned int i = 0; i < 2 && sim.crashes == 0; i++) {
		const struct tandem *t = &sim.node[i].t;
		unsigned int msgs = in_use(t->msgs), mbufs = in_use(t->mbufs),
			     packets = in_use(t->stream_mbufs);

		if (msgs > AT_REST || mbufs > AT_REST || packets > AT_REST)
			broken(13,
				"chassis %c: %u messages, %u frames and %u packets of the stream "
				"in use",
				'A' + i, msgs, mbufs, packets);
	}
}

/* Whether the Active has that session, and had it when the packet was sent. */
static bool lives(const struct node *active, const struct packet *p)
{
	const struct truth *t = truth_of(p->handle, false);

	return t != NULL && t->created < p->at && session_find(active->t.table, p->handle) != NULL;
}

/* Switchovers only, and on good paths: whatever was sent for a session that lives still went
 * through. Each side's routers converge on their own, so a first session can be there before the
 * other side has any route; from then on there always is one. So it is in every other run, too,
 * once all has been well for a while. */
static void check_packets(const struct node *active)
{
	for (uint32_t i = 0; i < sim.n_packets; i++) {
		const struct packet *p = &sim.packet[i];
		const struct sub *s = p->out == 0 ? sub_by_gw(p->handle) : NULL;

		if (s == NULL || s->state != SUB_UP || s->told_at >= p->at ||
			p->at < sim.routed[p->down ? CORE : ACCESS])
			continue;
		if (sim.quiet || (p->at > sim.calm_at + LAST_SWITCH / 2 && lives(active, p)))
			broken(8, "packet %u for %08x, %s, sent at %llu us, is lost", i, p->handle,
				p->down ? "down" : "up", (unsigned long long)p->at);
	}
}

static void check_slots(const struct node *active, const struct node *standby)
{
	check_tables(true);
	shadow_check_unused(active);
	shadow_check_unused(standby);
}

void check_pair(const struct node *active, const struct node *standby)
{
	check_slots(active, standby);
	check_stream(active, standby);
	check_accounts(active, standby);
}

void check_end(void)
{
	struct node *a = &sim.node[0], *b = &sim.node[1];

	if (!a->up || !b->up) {
		broken(10, "chassis %c is not there at the end", a->up ? 'B' : 'A');
		return;
	}
	if (a->state == SRP_STANDBY)
		RTE_SWAP(a, b);
	if (a->state != SRP_ACTIVE || b->state != SRP_STANDBY) {
		broken(10, "chassis %c is %s and chassis %c is %s at the end", 'A' + a->id,
			srp_state_name(a->state), 'A' + b->id, srp_state_name(b->state));
		return;
	}
	if (sim.answers == 0 || (sim.quiet && sim.forwarded == 0))
		broken(10, "nobody served the SGSNs");
	check_slots(a, b);
	check_packets(a);
	check_stream(a, b);
	check_accounts(a, b);
	repair_check();
	check_subs(a);
	use_check(a, false, true);
	for (uint32_t pos = 0; pos < sim.slots; pos++)
		check_usage_end(a, pos);
}
