/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables under churn: few addresses, sessions that come, change and go, usage beyond 2^32, on a
 * stream that loses, turns round and breaks, in small packets out of small rings; chassis are
 * killed, hand over, are Active both at once, and come back. Then all is calm, and both tables must
 * be one. All of it is drawn from the seed. */
#include "sim_case.h"

enum {
	SESSIONS = 128,
	KEYS = 4096,
	BEAT = 10,
	AUDIT_US = 200 * MS,
	STEP = 2 * CASE_STEP,
	BAD = 3500 * MS, /* how long things go wrong */
	FLIPS = 3,
};

static struct node *const a = &sim.node[0], *const b = &sim.node[1];

static struct {
	unsigned int ops, traffic; /* per mille of steps; a step */
	uint16_t payload;          /* of packets of records */
	usec_t next, restart_at[2];
	bool quiet;     /* nothing comes, changes or goes any more */
	usec_t inexact; /* what was counted in sessions of before may be lost */
	unsigned int promotions;
	struct wire bad;
} tale;

/* ---- subscribers ---- */

static void octets(void *to, size_t n)
{
	for (uint8_t *p = to; n > 0; n--)
		*p++ = (uint8_t)rnd(256);
}

#define FILL_DEC(name)    octets(&r->name, sizeof(r->name));
#define FILL_HEX(name)    octets(&r->name, sizeof(r->name));
#define FILL_OCTETS(name) octets(r->name, sizeof(r->name));
#define FILL_HEAD(name)   r->name = (uint8_t)rnd(16);
#define FILL_NIBBLE(name) r->name = (uint8_t)rnd(16);
#define FILL_FLAG(name)   r->name = true;
#define FILL_ADDR(name)                                                                            \
	r->name = ip_addr_v4((uint32_t)rnd(UINT32_MAX) | 1);                                       \
	if (rnd(4) == 0)                                                                           \
		octets(r->name.b, sizeof(r->name.b));
#define FILL_UE(name)
#define FILL_MS(name)
#define FILL_SET_ANY(fill) fill
#define FILL_SET_ONCE(fill)

#define FILL_ROW(name, type, bytes, group, set, end, line, view) FILL_SET_##set(FILL_##type(name))

#define FILL_TAIL(name) octets(r->name, sizeof(r->name));

#define FILL_ANNEX_ROW(name, type, bytes, group, set, end, line, view)                             \
	if (rnd(2) == 0)                                                                           \
	FILL_##type(name)

static void fill_annex(struct session_annex *r)
{
	SESSION_COMMON_FIELDS(FILL_ANNEX_ROW)
	r->uli_len %= 1 + sizeof(r->uli);
	memset(r->uli + r->uli_len, 0, sizeof(r->uli) - r->uli_len);
	octets(&r->bearer, sizeof(r->bearer));
	r->class_len = (uint8_t)rnd(20);
	r->name_len = (uint8_t)rnd(19);
	octets(r->strings, r->class_len + r->name_len);
}

/* What an update may change. */
static void fill(struct session_rec *r)
{
	SESSION_FIELDS(FILL_ROW)
	r->qos_len = (uint8_t)(1 + rnd(SESSION_QOS_MAX));
	memset(r->qos + r->qos_len, 0, sizeof(r->qos) - r->qos_len);
	if (rnd(2) == 0) { /* no IPv6 */
		memset(r->ue6, 0, sizeof(r->ue6));
		r->pool6 = 0;
	}
	r->annex_use = 0;
	if (node_annex() > 0 && rnd(2) == 0)
		fill_annex(session_rec_annex(r));
	for (unsigned int i = 0; i < wire_spoken.groups; i++)
		session_extra_set(r, wire_spoken.group[i].id, rnd(65536));
}

static uint32_t now_s(void)
{
	return (uint32_t)(clock_ticks() / USEC_PER_SEC);
}

static void create(struct node *n, uint32_t shard)
{
	struct session_rec r = { .pdp_type = 0x21, .key = (1 + rnd(KEYS - 1)) << 4 };
	unsigned int w = case_worker(n, shard);

	if (session_index_find(&n->t.control->signalling->index, r.key) == 0 &&
		pool_pick(n->t.pools, case_numbers(n, &r), shard, &r.ue) == 0) {
		fill(&r);
		r.created_ms = sim.now / USEC_PER_SEC * 1000;
		if (session_create(n->t.table, (uint8_t)w, &r, now_s()) == 0)
			case_promise(n, r.handle);
	}
	case_worker_end(n);
}

static void change(struct node *n, const struct session_slot *s)
{
	struct session_rec r = { .handle = s->teid };
	unsigned int w = case_worker(n, session_handle_shard(r.handle));

	fill(&r);
	session_update(n->t.table, (uint8_t)w, &r,
		SESSION_G_TUNNEL | SESSION_G_QOS | SESSION_G_REQUEST | SESSION_G_EXTRA);
	case_promise(n, r.handle);
	case_worker_end(n);
}

static void erase(struct node *n, const struct session_slot *s)
{
	struct session_rec r = { .handle = s->teid };
	unsigned int w = case_worker(n, session_handle_shard(r.handle));

	const struct session_end end = {
		.why = SESSION_WHY_REQUEST, .request = &r, .now_s = now_s()
	};

	fill(&r);
	if (rnd(2))
		session_end(n->t.table, (uint8_t)w, r.handle, &end);
	else
		session_free(n->t.table, (uint8_t)w, r.handle, &end);
	case_promise(n, r.handle);
	case_worker_end(n);
}

/* The end of a session is acknowledged: its slot is free. */
static void acknowledge(struct node *n, uint32_t pos)
{
	uint32_t shard = pos / sim.per_shard, slot = pos % sim.per_shard,
		 handle = session_handle_make(
			 n->t.table, shard, slot, n->t.table->shard[shard].slots[slot].gen);
	unsigned int w = case_worker(n, shard);

	session_free(
		n->t.table, (uint8_t)w, handle, &(const struct session_end){ .now_s = now_s() });
	case_promise(n, handle);
	case_worker_end(n);
}

/* The first ending session behind a place of the table that is drawn. */
static bool any_ending(const struct node *n, uint32_t *pos)
{
	uint32_t from = (uint32_t)rnd(sim.slots);

	for (uint32_t i = 0; i < sim.slots; i++) {
		*pos = (from + i) % sim.slots;
		if (n->t.table->slots[*pos].state == SESSION_ENDING)
			return true;
	}
	return false;
}

/* A live session; NULL: none was found. The shards of `most` are what is looked at: fewer make hot
 * sessions. */
static struct session_slot *any(const struct node *n, unsigned int most)
{
	for (unsigned int i = 0; i < 32; i++) {
		struct session_slot *s = &n->t.table->shard[rnd(most)].slots[rnd(sim.per_shard)];

		if (s->teid != 0)
			return s;
	}
	return NULL;
}

static enum fastpath_mode mode_of(const struct node *n, uint32_t shard)
{
	return n->t.worker[n->t.shared.worker_of_shard[shard]]->fp.mode;
}

/* User packets; of those that come late, a few. Bytes grow fast, so that 2^30 and 2^32 are passed
 * in a run. */
static void traffic(struct node *n)
{
	struct session_slot *s = any(n, rnd(2) ? SESSION_SHARDS : 2);
	enum fastpath_mode mode =
		s != NULL ? mode_of(n, session_handle_shard(s->teid)) : FASTPATH_IDLE;

	if (mode == FASTPATH_OWN || (mode == FASTPATH_LATE && rnd(4) == 0))
		case_count_some(n, s, rnd(2),
			rnd(16) == 0 ? rnd((UINT64_C(1) << 27) / INNER) + 1 : 1 + rnd(3));
}

static bool writes(const struct node *n, uint32_t shard)
{
	const struct switchover *sw = n->t.control->switchover;
	const struct worker *w = n->t.worker[n->t.shared.worker_of_shard[shard]];

	return switchover_owns(sw) && switchover_answers(sw) && w->fp.mode == FASTPATH_OWN &&
	       w->term == switchover_own_term(sw);
}

static void subscribers(struct node *n)
{
	const struct session_slot *s;
	uint32_t shard = (uint32_t)rnd(SESSION_SHARDS);

	for (unsigned int i = 0; n->up && i < tale.traffic; i++)
		traffic(n);
	if (!n->up || rnd(1000) >= tale.ops)
		return;
	if (rnd(2)) {
		if (writes(n, shard))
			create(n, shard);
		return;
	}
	if (rnd(4) == 0 && any_ending(n, &shard) && writes(n, shard / sim.per_shard)) {
		acknowledge(n, shard);
		return;
	}
	s = any(n, SESSION_SHARDS);
	if (s == NULL || !writes(n, session_handle_shard(s->teid)))
		return;
	if (rnd(2))
		change(n, s);
	else
		erase(n, s);
}

/* ---- the pair ---- */

static void small(struct node *n)
{
	case_hurry(n, AUDIT_US);
	for (unsigned int w = 0; w < n->t.n_workers; w++)
		n->t.worker[w]->sync.payload = tale.payload;
}

static void boot(struct node *n)
{
	tale.restart_at[n->id] = 0;
	node_boot(n->id);
	small(n);
}

/* Whoever ended, killed or by itself, comes back. */
static void back(struct node *n)
{
	if (n->up)
		return;
	if (tale.restart_at[n->id] == 0) {
		tale.restart_at[n->id] = sim.now + 5 * MS + rnd(300 * MS);
		/* what it had counted late goes with it */
		tale.inexact = sim.now;
		case_forget();
	} else if (sim.now >= tale.restart_at[n->id]) {
		boot(n);
	}
}

static struct node *active(void)
{
	int i = node_active();

	return i >= 0 ? &sim.node[i] : NULL;
}

static bool is_paired(void)
{
	const struct node *n = active(), *standby = n != NULL ? &sim.node[!n->id] : NULL;
	const struct repl_status *st;

	if (n == NULL || !standby->up || standby->state != SRP_STANDBY || !n->t.repl->on)
		return false;
	st = repl_peer_status(n->t.repl->stream);
	return standby->vouched && st->in_sync_since_ms != 0 && st->unmatched == 0;
}

static void watch(void)
{
	const struct node *n = active();

	back(a);
	back(b);
	/* nobody acknowledges what a stream had that is no more */
	if (n == NULL || !n->t.repl->on)
		case_forget();
	if (sim.promotions == tale.promotions)
		return;
	tale.promotions = sim.promotions;
	case_forget();
	for (int i = 0; i < 2; i++)
		if (sim.node[i].owner_since + STEP >= sim.now && sim.node[i].unplanned != 0)
			tale.inexact = sim.now;
}

/* ---- what happens ---- */

static void mend(struct ev *e)
{
	wire_cut(e->a, TO_0, false);
	wire_cut(e->a, TO_1, false);
	story(-1, "path %u works again", e->a);
}

static void cut(unsigned int path, usec_t us)
{
	wire_cut(path, TO_0, true);
	wire_cut(path, TO_1, true);
	ev_at(sim.now + us, -1, mend)->a = path;
	sim.cuts++;
	story(-1, "path %u is cut for %llu ms", path, (unsigned long long)us / MS);
}

static void hand_over(struct node *n)
{
	char reason[SRP_REASON_MAX];

	if (node_hand_over(n->id, reason) == 0)
		node_wake(n->id, CONTROL, 10);
}

static void run(usec_t us)
{
	for (usec_t end = sim.now + us; !sim.failed && sim.now < end;) {
		watch();
		for (int i = 0; i < 2 && !tale.quiet; i++)
			subscribers(&sim.node[i]);
		case_step(STEP);
	}
}

/* What its last packets brought comes just when the other takes over, with a gap in it. */
static void die_heard_late(struct node *n)
{
	const struct node *other = &sim.node[!n->id];

	story(-1, "the stream keeps what chassis %c sends", 'A' + n->id);
	sim.wire[PATH_STREAM][!n->id].keeps = true;
	sim.wire[PATH_STREAM][!n->id].loss = 300;
	run(20 * MS + rnd(30 * MS));
	node_crash(n->id, false, "is killed");
	sim.wire[PATH_STREAM][!n->id].loss = tale.bad.loss;
	for (usec_t end = sim.now + 2000 * MS;
		!sim.failed && sim.now < end && other->up && other->state == SRP_STANDBY;)
		case_step(20);
	wire_let_go(PATH_STREAM, !n->id);
}

static void end_of(struct node *n)
{
	if (rnd(2))
		die_heard_late(n);
	else
		node_crash(n->id, rnd(4) == 0, "is killed");
}

static void stall(void)
{
	struct core *c = &sim.node[rnd(2)].core[REPLICATION];

	c->stalled = sim.now + rnd(30 * MS);
	sim.last_stall = RTE_MAX(sim.last_stall, c->stalled);
	sim.stalls++;
}

static void event(void)
{
	struct node *n = active();
	bool ready = is_paired();
	usec_t us;

	tale.next = sim.now + 50 * MS + rnd(250 * MS);
	switch (rnd(10)) {
	case 0:
	case 1:
		cut(PATH_STREAM, rnd(300 * MS));
		break;
	case 2:
		if (n != NULL)
			node_crash(!n->id, rnd(4) == 0, "is killed");
		break;
	case 3:
	case 4:
		if (ready)
			end_of(n);
		break;
	case 5:
	case 6:
	case 7:
		if (!ready)
			break;
		hand_over(n);
		if (rnd(4) != 0)
			break;
		run(rnd(30 * MS)); /* and they lose each other in the midst of it */
				   /* fallthrough */
	case 8:
		us = 500 * MS + rnd(400 * MS);
		cut(PATH_SRP, us);
		cut(PATH_STREAM, us - rnd(100 * MS));
		break;
	default:
		stall();
		break;
	}
}

/* ---- the world of a seed ---- */

static void path(const struct wire *like)
{
	case_path(like);
	for (unsigned int d = TO_0; d <= TO_1; d++) {
		struct wire *w = &sim.wire[PATH_STREAM][d];

		w->corrupt = like->corrupt;
		w->good_since = sim.now;
	}
}

static void draw(void)
{
	tale.bad = (struct wire){ .loss = (unsigned int)(rnd(3) == 0 ? 0 : rnd(120)),
		.corrupt = (unsigned int)rnd(10),
		.duplicate = (unsigned int)rnd(50),
		.reorder = (unsigned int)rnd(200),
		.delay = 20 + rnd(1500),
		.jitter = rnd(4000),
		.rate = rnd(3) == 0 ? 2000 + (unsigned int)rnd(6000) : 0 };
	tale.ops = (unsigned int)(20 + rnd(250));
	tale.traffic = (unsigned int)(1 + rnd(3));
	tale.payload = (uint16_t)(600 + rnd(800));
	sim.fifo = rnd(2) ? 8 : 0;
	sim.idle = 300 + rnd(700);
	sim.micro_ms = 20;
	for (int i = 0; i < 2; i++) {
		struct config *f = &sim.node[i].conf;

		f->pools[0].quarantine_s = 2;
		f->srp.micro_checkpoint_interval_ms = sim.micro_ms;
		f->srp.dead_multiplier = 6;
		f->srp.hello_interval_ms = 50;
		f->srp.dead_interval_ms = 200;
		sim.node[i].clock += rnd(USEC_PER_SEC);
	}
}

/* ---- the end ---- */

/* One bit of the Standby's copy is put right within a pass. */
static bool mended(void)
{
	const struct node *standby = &sim.node[sim.flip.node];

	return audit_unmatched(standby->t.repl->audit) == 0 && check_same(sim.flip.pos) &&
	       check_alike(sim.flip.pos);
}

static void flip(void)
{
	fault_flip();
	if (!sim.flip.set)
		return;
	if (!case_until(mended, AUDIT_US + 60 * MS))
		broken(12, "chassis %c: slot %u: a flipped bit is not repaired within a pass",
			'A' + sim.flip.node, sim.flip.pos);
	sim.flip.set = false;
}

/* Of sessions that nothing of could get lost. */
static void check_counted(const struct node *n)
{
	for (unsigned int i = 0; i < n->n_used && !sim.failed; i++) {
		uint32_t pos = n->used[i];
		struct session_rec r;
		const struct truth *t;

		session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
		t = r.state == SESSION_LIVE ? truth_of(r.handle, false) : NULL;
		if (t != NULL && t->created > tale.inexact &&
			memcmp(r.usage, t->use, sizeof(r.usage)) != 0)
			broken(7, "chassis %c: %08x: usage was lost", 'A' + n->id, r.handle);
	}
}

static void check_rest(const struct node *n, const struct node *standby)
{
	case_check_recent(n, AUDIT_US);
	if (case_oldest() < sim.now - 200 * MS)
		broken(13, "a commit of %llu ms ago was never acknowledged",
			(unsigned long long)(sim.now - case_oldest()) / MS);
	if (repl_count(n->t.repl->stream)->rx_malformed +
			repl_count(standby->t.repl->stream)->rx_malformed >
		0)
		broken(5, "a packet that nothing flipped a bit of is malformed");
	check_counted(n);
	check_counted(standby);
}

static bool run_until(bool (*is)(void), usec_t most)
{
	for (usec_t end = sim.now + most; !sim.failed && !is();) {
		if (sim.now >= end)
			return false;
		run(STEP);
	}
	return !sim.failed;
}

static struct node *old;

static bool is_handed_over(void)
{
	return old->state == SRP_STANDBY && is_paired() && !atomic_load(&old->t.table->late_merge);
}

static void release(struct node *n, const struct session_slot *s)
{
	struct session_rec r = { .handle = s->teid };
	unsigned int w = case_worker(n, session_handle_shard(r.handle));

	if (session_free(n->t.table, (uint8_t)w, r.handle,
		    &(const struct session_end){ .why = SESSION_WHY_REQUEST, .now_s = now_s() }) ==
		0)
		case_promise(n, r.handle);
	case_worker_end(n);
}

/* The same few slots are given out again and again within one reign, which the sessions of a story
 * are too few for: where the next one is looked for is nobody's promise. */
static void reuse(struct node *n)
{
	enum { ROUNDS = 4, EACH = 8, SHARD = 5 };
	struct session_shard *sh = &n->t.table->shard[SHARD];

	for (unsigned int round = 0; round < ROUNDS && !sim.failed; round++) {
		sh->cursor = 0;
		for (unsigned int i = 0; i < EACH && writes(n, SHARD); i++)
			create(n, SHARD);
		run(10 * MS);
		for (uint32_t i = 0; i < sim.per_shard && writes(n, SHARD); i++)
			if (sh->slots[i].teid != 0)
				release(n, &sh->slots[i]);
		run(2200 * MS);
	}
}

void case_tables(void)
{
	struct node *n;

	case_world(BEAT);
	draw();
	case_begin(SESSIONS);
	small(a);
	boot(b);
	path(&tale.bad);
	run_until(is_paired, 3 * USEC_PER_SEC);
	for (usec_t end = sim.now + BAD; !sim.failed && sim.now < end; run(STEP))
		if (sim.now >= tale.next)
			event();
	path(&(struct wire){ .delay = tale.bad.delay });
	if (!run_until(is_paired, 6 * USEC_PER_SEC))
		broken(11, "all is calm, and the pair does not come together");
	if (sim.failed)
		return;
	old = active();
	for (unsigned int i = 0; i < 40 && !sim.failed && old->state != SRP_STANDBY; i++) {
		if (old->state == SRP_ACTIVE)
			hand_over(old);
		run(100 * MS);
	}
	if (!run_until(is_handed_over, 4 * USEC_PER_SEC))
		broken(11, "all is calm, and chassis %c does not hand over", 'A' + old->id);
	run(400 * MS);
	tale.quiet = true;
	run(400 * MS);
	for (unsigned int i = 0; i < FLIPS && !sim.failed; i++)
		flip();
	run(600 * MS);
	n = active();
	if (sim.failed || n == NULL)
		return;
	check_pair(n, &sim.node[!n->id]);
	check_rest(n, &sim.node[!n->id]);
	reuse(n);
}
