/* SPDX-License-Identifier: BSD-3-Clause */
/* The door to the slots, watched: who writes, what each write made of a slot, and that what a
 * standby applies is something that its peer had, and nothing older than what it applied before. */
#include "sim.h"

static const char *const group_names[GROUPS] = { "identity", "tunnel", "qos", "request", "extra" };
static const uint8_t group_bits[GROUPS] = { SESSION_G_IDENTITY, SESSION_G_TUNNEL, SESSION_G_QOS,
	SESSION_G_REQUEST, SESSION_G_EXTRA };

uint32_t pos_of(const struct node *n, uint32_t handle)
{
	return session_handle_shard(handle) * sim.per_shard +
	       session_handle_slot(n->t.table, handle);
}

/* NULL: none of that handle, and none was wanted. */
struct truth *truth_of(uint32_t handle, bool make)
{
	uint32_t i = (handle ^ handle >> 13) * 0x9e3779b1u >> (32 - sim.handle_bits);

	for (; sim.truth_at[i] != 0; i = (i + 1) % sim.handles)
		if (sim.truth[sim.truth_at[i] - 1].handle == handle)
			return &sim.truth[sim.truth_at[i] - 1];
	if (!make)
		return NULL;
	sim.truth[sim.n_truths].handle = handle;
	sim.truth_at[i] = ++sim.n_truths;
	return &sim.truth[sim.n_truths - 1];
}

/* ---- states of slots ---- */

/* Eight bytes at once: it is asked for with each record and each look at a table. */
static uint64_t mix(uint64_t h, const void *from, size_t len)
{
	const uint8_t *p = from;
	size_t n;

	for (; len > 0; len -= n, p += n) {
		uint64_t word = 0;

		n = RTE_MIN(len, sizeof(word));
		memcpy(&word, p, n);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return h;
}

#define MIX_ROW(name, type, bytes, of, set, end, line, view)                                       \
	if (SESSION_BIT_##of == group_bits[group])                                                 \
		h = mix(h, &r->name, sizeof(r->name));

uint64_t group_hash(const struct session_rec *r, unsigned int group)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) + group;

	if (group == G_IDENTITY)
		h = mix(h, &r->handle, sizeof(r->handle));
	SESSION_FIELDS(MIX_ROW)
	if (group == G_EXTRA && r->annex_use != 0)
		h = mix(mix(h, &r->annex_use, 1), &r->annex,
			SESSION_ANNEX_FIXED + r->annex.class_len + r->annex.name_len);
	return h;
}

static void append(struct states *h, uint64_t state)
{
	if (h->n > 0 && h->state[h->n - 1] == state)
		return;
	if (h->n == h->room) {
		h->room = h->room == 0 ? 4 : 2 * h->room;
		h->state = realloc(h->state, h->room * sizeof(*h->state));
		if (h->state == NULL)
			exit(2);
	}
	h->state[h->n++] = state;
}

/* Writes down what a slot is at its owner now. */
void history_push(struct node *n, uint32_t pos)
{
	struct session_rec r;

	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	for (unsigned int g = 0; g < GROUPS; g++)
		append(&n->history[pos][g], group_hash(&r, g));
}

/* It owns the slots from now on: what it has is where its history begins. */
void history_begin(struct node *n)
{
	n->histories++;
	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		const struct session_slot *s =
			&n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];

		for (unsigned int g = 0; g < GROUPS; g++)
			n->history[pos][g].n = 0;
		if (s->gen != 0 || s->teid != 0)
			history_push(n, pos);
	}
}

static uint32_t find(const struct states *h, uint32_t from, uint64_t state)
{
	while (from < h->n && h->state[from] != state)
		from++;
	return from;
}

bool history_has(
	const struct node *author, uint32_t pos, unsigned int group, uint32_t from, uint64_t state)
{
	return find(&author->history[pos][group], from, state) < author->history[pos][group].n;
}

/* ---- the owner writes ---- */

static void written(struct node *n, uint32_t handle, unsigned int how)
{
	uint32_t pos = pos_of(n, handle);
	struct truth *t = truth_of(handle, true);

	history_push(n, pos);
	shadow_wrote(n, pos, how != DOOR_UPDATE);
	for (unsigned int g = 0; g < GROUPS; g++)
		t->at[how][g] = n->history[pos][g].n - 1;
}

/* A hand-over is taken back, and the worker, which has not let go yet, does not know it yet. */
static bool resumes(const struct control *c, const struct worker *w)
{
	return c->switchover->step.step == SRP_STEP_RESUME &&
	       w->term == c->switchover->step.old_term;
}

/* late: the peer's late usage, which has no other place to go while a hand-over may still be taken
 * back. */
static struct node *writer(
	struct session_table *t, uint8_t by, uint32_t shard, bool late, const char *what)
{
	struct node *n = node_of(t);
	const struct worker *w = by < WORKERS ? n->t.worker[by] : NULL;
	const struct control *c = n->t.control;

	if (w == NULL || n->running != WORKER + by)
		broken(1, "chassis %c: core %d would %s a session as worker %u", 'A' + n->id,
			n->running, what, by);
	else if (shard != UINT32_MAX && n->t.shared.worker_of_shard[shard] != by)
		broken(1,
			"chassis %c: worker %u would %s a session of shard %u, which is another's",
			'A' + n->id, by, what, shard);
	else if (late ? w->fp.mode == FASTPATH_IDLE
		      : w->fp.mode != FASTPATH_OWN || !switchover_owns(c->switchover) ||
				 (w->term != switchover_own_term(c->switchover) && !resumes(c, w)))
		broken(1,
			"chassis %c: worker %u would %s a session and does not own it in term %llu",
			'A' + n->id, by, what, (unsigned long long)w->term);
	return n;
}

int __wrap_session_create(
	struct session_table *t, uint8_t by, struct session_rec *rec, uint32_t now_s)
{
	struct node *n = writer(t, by, UINT32_MAX, false, "create");
	int ret = __real_session_create(t, by, rec, now_s);
	const struct node *other;
	struct truth *truth;

	if (ret < 0)
		return ret;
	lease_check(n, rec);
	teid_check(n, rec->handle);
	written(n, rec->handle, DOOR_CREATE);
	truth = truth_of(rec->handle, true);
	other = &sim.node[!n->id];
	if (truth->created != 0 && other->up && switchover_owns(other->t.control->switchover) &&
		session_find(other->t.table, rec->handle))
		broken(16, "chassis %c gives out TEID %08x, which is alive on the other",
			'A' + n->id, rec->handle);
	/* A chassis that begins anew, alone and empty, counts its generations anew: what was
	 * counted under a handle before may still be in a slot of the other. */
	truth->created = sim.now;
	truth->expired = false;
	truth->acked_life = 0;
	truth->freed = truth->last = truth->last_at[0] = truth->last_at[1] = 0;
	return 0;
}

int __wrap_session_update(
	struct session_table *t, uint8_t by, const struct session_rec *rec, uint8_t groups)
{
	struct node *n = writer(t, by, session_handle_shard(rec->handle), false, "change");
	int ret = __real_session_update(t, by, rec, groups);

	if (ret == 0)
		written(n, rec->handle, DOOR_UPDATE);
	return ret;
}

/* The session of the handle is over: nobody but its address remembers it. */
static void over(struct node *n, uint32_t handle, uint32_t ue4)
{
	lease_freed(n, handle, ue4);
	written(n, handle, DOOR_FREE);
	truth_of(handle, true)->freed = sim.now;
}

int __wrap_session_end(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end)
{
	struct node *n = writer(t, by, session_handle_shard(handle), false, "end");
	int ret = __real_session_end(t, by, handle, end);

	if (ret == 0)
		over(n, handle, session_slot_of(t, handle)->ue4);
	return ret;
}

/* What is left of a quarantine that began at the end is not to begin again. */
int __wrap_session_free(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end)
{
	struct node *n = writer(t, by, session_handle_shard(handle), false, "free");
	const struct session_slot *s = session_slot_of(t, handle);
	uint32_t ue4 = s->ue4, freed_s = s->freed_s;
	bool waits = s->flags & SESSION_F_QUARANTINE, ending = session_find(t, handle) == NULL;
	int ret = __real_session_free(t, by, handle, end);

	if (ret == 0 && !ending) {
		over(n, handle, ue4);
	} else if (ret == 0) {
		written(n, handle, DOOR_FREE);
		if (s->freed_s != freed_s || waits != ((s->flags & SESSION_F_QUARANTINE) != 0))
			broken(6, "chassis %c: slot of %08x waits again for what it has waited for",
				'A' + n->id, handle);
	}
	return ret;
}

int __wrap_session_apply_late(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_usage *u)
{
	struct node *n = node_of(t);
	const struct truth *truth = truth_of(handle, false);
	int ret = __real_session_apply_late(t, by, handle, u);

	if (ret == 0)
		shadow_wrote(n, pos_of(n, handle), false);
	if (truth != NULL && (u->up_pkts > truth->use[!n->id].up_pkts ||
				     u->dn_pkts > truth->use[!n->id].dn_pkts))
		broken(7, "chassis %c is told more late usage of %08x than there was", 'A' + n->id,
			handle);
	if (ret != -EPERM) /* the door is closed to a worker that let go */
		writer(t, by, session_handle_shard(handle), true, "count for");
	return ret;
}

/* ---- the standby applies ---- */

static void check_usage(struct node *n, uint32_t pos, const struct session_rec *r)
{
	struct session_usage *was = &n->applied[pos];
	const struct session_usage *now = &r->usage[!n->id];
	const struct truth *truth = truth_of(r->handle, false);

	if (r->state == SESSION_FREE)
		return;
	for (unsigned int side = 0; side < 2; side++)
		if (r->usage[side].up_bytes != INNER * r->usage[side].up_pkts ||
			r->usage[side].dn_bytes != INNER * r->usage[side].dn_pkts)
			broken(5, "chassis %c: usage of side %u of %08x is of two moments",
				'A' + n->id, side, r->handle);
	if (n->applied_handle[pos] == r->handle &&
		(now->up_pkts < was->up_pkts || now->dn_pkts < was->dn_pkts ||
			now->up_bytes < was->up_bytes || now->dn_bytes < was->dn_bytes))
		broken(5, "chassis %c: usage of %08x went back", 'A' + n->id, r->handle);
	if (truth == NULL ? now->up_pkts + now->dn_pkts > 0
			  : now->up_pkts > truth->use[!n->id].up_pkts ||
				    now->dn_pkts > truth->use[!n->id].dn_pkts)
		broken(7, "chassis %c: usage of %08x is ahead of the truth", 'A' + n->id,
			r->handle);
	*was = *now;
	n->applied_handle[pos] = r->handle;
}

/* Its owner, whose history is what may be applied; NULL: late, of a process that is gone, and its
 * history with it. */
static struct node *author_of(struct node *n)
{
	struct node *author = &sim.node[!n->id];

	if (repl_peer_incarnation(n->t.repl->stream) != author->t.random.incarnation)
		return NULL;
	/* Who lost its disk may use a term again while the other sleeps: another life all the
	 * same. */
	if (n->seen_term != author->own_term || n->seen_life != n->life ||
		n->seen_author != author->life) {
		n->seen_term = author->own_term;
		n->seen_life = n->life;
		n->seen_author = author->life;
		memset(n->seen, 0, sim.slots * sizeof(n->seen[0]));
		memset(n->applied_handle, 0, sim.slots * sizeof(n->applied_handle[0]));
	}
	return author;
}

static void check_applied(struct node *n, bool slot, uint32_t handle, uint8_t groups)
{
	struct node *author = author_of(n);
	uint32_t pos = pos_of(n, handle);
	struct session_rec r;

	if (author == NULL || (sim.flip.set && sim.flip.pos == pos))
		return;
	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	if ((r.handle & n->t.table->gen_mask) == 0)
		return; /* never used at its owner */
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct states *h = &author->history[pos][g];
		uint64_t state = group_hash(&r, g);
		uint32_t at;

		if (!slot && !(groups & group_bits[g]))
			continue;
		at = find(h, n->seen[pos][g], state);
		if (at < h->n) {
			n->seen[pos][g] = at;
		} else {
			story_slot(n, pos);
			story_slot(author, pos);
			story(n->id, "%s of %08x, groups %02x, %u states", slot ? "SLOT" : "DELTA",
				handle, groups, h->n);
			broken(5, "chassis %c: slot %u, %s: %s", 'A' + n->id, pos, group_names[g],
				find(h, 0, state) < h->n ? "went back"
							 : "a state that its owner never had");
		}
	}
	check_usage(n, pos, &r);
}

/* The core of a slow chassis is busy with each. */
static void paced(struct node *n, unsigned int records)
{
	if (n->pace == 0)
		return;
	n->applying = RTE_MAX(n->applying, sim.now * 1000) + records * (1000 * MS / n->pace);
}

static struct node *applier(struct session_table *t, uint8_t by)
{
	struct node *n = node_of(t);

	if (by != SESSION_BY_REPL || n->running != REPLICATION)
		broken(1, "chassis %c: core %d applies the stream", 'A' + n->id, n->running);
	for (unsigned int w = 0; w < n->t.n_workers; w++)
		if (n->t.worker[w]->fp.mode == FASTPATH_OWN)
			broken(1,
				"chassis %c: the stream is applied while worker %u owns its slots",
				'A' + n->id, w);
	return n;
}

static int apply(struct session_table *t, uint8_t by, struct rd *body, bool slot, uint32_t now_s)
{
	struct node *n = applier(t, by);
	struct rd head = *body;
	uint32_t handle = rd_u32(&head), shard = session_handle_shard(handle);
	uint8_t groups = rd_u8(&head);
	uint64_t evicted = t->shard[shard].count.evicted;
	int ret = chance(sim.again) ? -EAGAIN
		  : slot            ? __real_session_apply_slot(t, by, body, now_s)
				    : __real_session_apply_delta(t, by, body);

	paced(n, 1);
	if (ret == 0) {
		shadow_wrote(n, pos_of(n, handle), true);
		if (evicted != t->shard[shard].count.evicted)
			shadow_evicted(n, shard);
		check_applied(n, slot, handle, groups);
	} else if (ret != -ESTALE && !(ret == -EAGAIN && sim.again > 0) &&
		   !(sim.flip.both && sim.flip.pos == pos_of(n, handle)))
		broken(5, "chassis %c: a record of %08x is refused: %d", 'A' + n->id, handle, ret);
	return ret;
}

int __wrap_session_apply_slot(struct session_table *t, uint8_t by, struct rd *body, uint32_t now_s)
{
	return apply(t, by, body, true, now_s);
}

/* Of how many sessions that are there. */
static int usage_here(const struct session_table *t, struct rd body)
{
	int here = 0;

	while (body.left >= SESSION_USAGE_BYTES) {
		here += session_find(t, rd_u32(&body)) != NULL;
		rd_bytes(&body, SESSION_USAGE_BYTES - sizeof(uint32_t));
	}
	return here;
}

/* Many short ones in a body. */
int __wrap_session_apply_usage(struct session_table *t, uint8_t by, struct rd *body)
{
	struct node *n = applier(t, by), *author = author_of(n);
	struct rd each = *body;
	int here = usage_here(t, *body), ret = __real_session_apply_usage(t, by, body);
	struct session_rec r;

	if (ret >= 0 && ret != here)
		broken(5, "chassis %c: usage of %d sessions came, %d were applied", 'A' + n->id,
			here, ret);
	paced(n, (unsigned int)(each.left / SESSION_USAGE_BYTES));
	while (ret >= 0 && each.left >= SESSION_USAGE_BYTES) {
		uint32_t handle = rd_u32(&each), pos = pos_of(n, handle);

		rd_bytes(&each, SESSION_USAGE_BYTES - sizeof(handle));
		if (session_find(t, handle) == NULL)
			continue;
		shadow_wrote(n, pos, true);
		if (author == NULL || (sim.flip.set && sim.flip.pos == pos))
			continue;
		session_read_at(t, pos / sim.per_shard, pos % sim.per_shard, &r);
		check_usage(n, pos, &r);
	}
	return ret;
}

int __wrap_session_apply_delta(struct session_table *t, uint8_t by, struct rd *body)
{
	return apply(t, by, body, false, 0);
}
