/* SPDX-License-Identifier: BSD-3-Clause */
/* A pair for cases: chassis A is Active with as many sessions as are wanted, chassis B comes when
 * it is told to; nothing is drawn but which session something happens to. What is done to sessions
 * is done in the name of the worker that owns them, through the door. */
#include "sim_case.h"

enum { PENDING = 1 << 16, LATENCIES = 65536 };

/* Commits under way, and what the others took. */
static struct {
	struct {
		struct node *by;
		unsigned int life;
		uint32_t handle, commit, state[GROUPS]; /* state: its place in the history */
		usec_t at;
	} pending[PENDING];
	unsigned int n_pending;
	usec_t took[LATENCIES];
	unsigned int n_took;
} commits;

static struct node *const a = &sim.node[0];

/* ---- the pair ---- */

static void configure(struct node *n, unsigned int beat)
{
	struct config *f = &n->conf;

	f->srp.heartbeat_interval_ms = beat;
	f->srp.dead_multiplier = 8;
	f->srp.hello_interval_ms = 100;
	f->srp.dead_interval_ms = 400;
	f->srp.delay_interval_ms = 150;
	f->srp.micro_checkpoint_interval_ms = 100;
	f->srp.audit_interval_s = 60;
	f->srp.commit_timeout_ms = 500;
	f->srp.pending_timeout_s = 2;
	f->srp.insecure = true;
	f->srp.l2 = false;
	n->host.fsync = 1 * MS;
	n->clock = UINT64_C(1000000000) * (usec_t)(n->id + 1);
}

void case_step(usec_t us)
{
	usec_t end = sim.now + us;

	world_run(end);
	sim.now = RTE_MAX(sim.now, end);
}

bool case_until(bool (*is)(void), usec_t most)
{
	for (usec_t end = sim.now + most; !sim.failed && !is();) {
		if (sim.now >= end)
			return false;
		case_step(CASE_STEP);
	}
	return !sim.failed;
}

static bool owns(void)
{
	return control_is_up(a->t.control) && a->state == SRP_ACTIVE;
}

bool case_streams(void)
{
	return a->t.repl->on;
}

bool case_in_sync(void)
{
	const struct repl_status *st = repl_peer_status(a->t.repl->stream);

	return a->t.repl->on && st->in_sync_since_ms != 0 && st->unmatched == 0 && st->left == 0;
}

uint8_t case_numbers(const struct node *n, struct session_rec *r)
{
	r->apn = places_number(&n->t.shared.places, PLACES_APN, 0);
	r->pool = places_number(&n->t.shared.places, PLACES_POOL, 0);
	return r->pool;
}

static void load(uint32_t sessions)
{
	for (uint32_t i = 0; i < sessions; i++) {
		struct session_rec r = {
			.pdp_type = 0x21, .key = (uint64_t)(i + 1) << 4, .qos_len = 3
		};
		uint32_t shard = i % SESSION_SHARDS;
		unsigned int w = case_worker(a, shard);

		if (pool_pick(a->t.pools, case_numbers(a, &r), shard, &r.ue) < 0 ||
			session_create(a->t.table, (uint8_t)w, &r, 0) < 0)
			broken(6, "no room for session %u of %u", i, sessions);
		case_worker_end(a);
		if (i % 512 == 511) /* the index follows */
			case_step(1 * MS);
	}
}

void case_world(unsigned int beat)
{
	sim.insecure = true;
	sim.secure = false;
	sim.calm = true;
	sim.l3 = true;
	sim.micro_ms = 100;
	sim.idle = CASE_STEP;
	sim.end_at = USEC_NEVER;
	for (unsigned int p = 0; p < PATHS; p++)
		for (unsigned int d = 0; d < DIRECTIONS; d++)
			sim.wire[p][d].delay = 50;
	for (int i = 0; i < 2; i++)
		configure(&sim.node[i], beat);
}

void case_begin(uint32_t sessions)
{
	node_boot(0);
	if (!case_until(owns, 10 * USEC_PER_SEC))
		broken(10, "a chassis alone does not become Active");
	load(sessions);
}

void case_start(uint32_t sessions, unsigned int beat)
{
	case_world(beat);
	case_begin(sessions);
}

void case_path(const struct wire *like)
{
	for (unsigned int d = TO_0; d <= TO_1; d++) {
		struct wire *w = &sim.wire[PATH_STREAM][d];

		w->loss = like->loss;
		w->duplicate = like->duplicate;
		w->reorder = like->reorder;
		w->delay = like->delay;
		w->jitter = like->jitter;
		w->rate = like->rate;
	}
}

void case_check_recent(const struct node *n, usec_t pass)
{
	uint64_t pair = repl_pair_ms(n->t.repl->stream, n->t.repl->now),
		 since = repl_peer_status(n->t.repl->stream)->in_sync_since_ms;

	if (pair > since + 3 * pass / MS)
		broken(11, "in sync since %llu ms only", (unsigned long long)(pair - since));
}

void case_leave(void)
{
	for (unsigned int d = TO_0; d <= TO_1; d++)
		wire_cut(PATH_STREAM, d, true);
	for (usec_t end = sim.now + 2000 * MS; a->t.repl->on && sim.now < end;)
		case_step(CASE_STEP);
	if (a->t.repl->on)
		broken(11, "the stream goes on though nobody hears it");
}

void case_join(void)
{
	for (unsigned int d = TO_0; d <= TO_1; d++)
		wire_cut(PATH_STREAM, d, false);
	if (!case_until(case_streams, 5 * USEC_PER_SEC))
		broken(11, "the peer is there, and nothing is streamed to it");
}

/* ---- what is done to sessions ---- */

unsigned int case_worker(struct node *n, uint32_t shard)
{
	unsigned int w = n->t.shared.worker_of_shard[shard];

	node_now = n;
	n->running = WORKER + (int)w;
	return w;
}

void case_worker_end(struct node *n)
{
	session_events_send(&n->t.events, (unsigned int)(n->running - WORKER), 0);
	n->running = -1;
}

struct session_slot *case_any(const struct node *n)
{
	for (;;) {
		struct session_slot *s =
			&n->t.table->shard[rnd(SESSION_SHARDS)].slots[rnd(sim.per_shard)];

		if (s->teid != 0)
			return s;
	}
}

/* Looked up once a session. */
static struct truth *truth_at(const struct node *n, const struct session_slot *s)
{
	static struct truth **known;
	struct truth **at;

	if (known == NULL)
		known = calloc(sim.slots, sizeof(*known));
	if (known == NULL)
		exit(2);
	at = &known[pos_of(n, s->teid)];
	if (*at == NULL || (*at)->handle != s->teid)
		*at = truth_of(s->teid, true);
	return *at;
}

void case_count_some(struct node *n, struct session_slot *s, bool down, uint64_t packets)
{
	struct worker *w = n->t.worker[case_worker(n, session_handle_shard(s->teid))];
	struct truth *t = truth_at(n, s);

	if (down) {
		s->dn_pkts += packets;
		s->dn_bytes += packets * INNER;
		t->use[n->id].dn_pkts += packets;
		t->use[n->id].dn_bytes += packets * INNER;
	} else {
		s->up_pkts += packets;
		s->up_bytes += packets * INNER;
		t->use[n->id].up_pkts += packets;
		t->use[n->id].up_bytes += packets * INNER;
	}
	t->last = t->last_at[n->id] = sim.now;
	shadow_forwarded(n, s->teid, down, packets);
	if (w->fp.streaming)
		dirty_mark(&w->sync.dirty, s, s->teid,
			w->fp.mode == FASTPATH_LATE ? SESSION_G_USAGE64 : SESSION_G_USAGE32);
	case_worker_end(n);
}

void case_promise(struct node *n, uint32_t handle)
{
	unsigned int w = (unsigned int)(n->running - WORKER), k = commits.n_pending;

	if (k == PENDING)
		return;
	commits.pending[k].by = n;
	commits.pending[k].life = n->life;
	commits.pending[k].handle = handle;
	commits.pending[k].at = sim.now;
	for (unsigned int g = 0; g < GROUPS; g++)
		commits.pending[k].state[g] = n->history[pos_of(n, handle)][g].n - 1;
	commits.pending[k].commit = sync_commit(&n->t.worker[w]->sync, handle, clock_ticks());
	commits.n_pending += commits.pending[k].commit != 0;
}

void case_commit(struct node *n, const struct session_slot *s)
{
	struct session_rec r = { .handle = s->teid, .qos_len = 3, .req_seq = (uint16_t)rnd(65536) };
	unsigned int w = case_worker(n, session_handle_shard(s->teid));

	session_update(n->t.table, (uint8_t)w, &r, SESSION_G_QOS | SESSION_G_REQUEST);
	case_promise(n, r.handle);
	case_worker_end(n);
}

/* What is acknowledged is there, or was when the other took over; and stays. */
static void check_there(unsigned int k)
{
	struct node *by = commits.pending[k].by, *peer = &sim.node[!by->id];
	const uint32_t handle = commits.pending[k].handle, *at = commits.pending[k].state;
	uint32_t pos = pos_of(by, handle);
	bool taken_over = switchover_owns(peer->t.control->switchover);
	struct session_rec r;

	session_read_at(peer->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	for (unsigned int g = 0; g < GROUPS && !(sim.flip.set && sim.flip.pos == pos); g++)
		if (taken_over ? !history_has(peer, pos, g, 0, by->history[pos][g].state[at[g]])
			       : !history_has(by, pos, g, at[g], group_hash(&r, g)))
			broken(2, "commit %u of %08x is acknowledged and not at the standby",
				commits.pending[k].commit, handle);
	promise_acked(by, handle, at);
}

void case_acked(const struct node *n, const struct msg_entries *m, bool there)
{
	for (unsigned int i = 0; i < m->n; i++)
		for (unsigned int k = 0; k < commits.n_pending; k++) {
			if (commits.pending[k].by != n || commits.pending[k].life != n->life ||
				commits.pending[k].handle != repl_entry_handle(m->entry[i]) ||
				commits.pending[k].commit > repl_entry_commit(m->entry[i]))
				continue;
			if (there)
				check_there(k);
			commits.took[commits.n_took++ % LATENCIES] =
				sim.now - commits.pending[k].at;
			commits.pending[k] = commits.pending[--commits.n_pending];
			break;
		}
}

static int by_value(const void *x, const void *y)
{
	usec_t p = *(const usec_t *)x, q = *(const usec_t *)y;

	return p < q ? -1 : p > q;
}

usec_t case_latency(unsigned int per_cent)
{
	unsigned int n = RTE_MIN(commits.n_took, (unsigned int)LATENCIES);

	if (n == 0)
		return USEC_NEVER;
	qsort(commits.took, n, sizeof(commits.took[0]), by_value);
	return commits.took[(n - 1) * per_cent / 100];
}

usec_t case_oldest(void)
{
	usec_t at = USEC_NEVER;

	for (unsigned int k = 0; k < commits.n_pending; k++)
		at = RTE_MIN(at, commits.pending[k].at);
	return at;
}

unsigned int case_commits(unsigned int *under_way)
{
	*under_way = commits.n_pending;
	return commits.n_took;
}

void case_forget(void)
{
	commits.n_took = commits.n_pending = 0;
}

void case_count(struct node *n, struct session_slot *s)
{
	case_count_some(n, s, false, 1);
}

void case_hurry(struct node *n, usec_t pass)
{
	struct settings *s = (struct settings *)(uintptr_t)settings_newest(n->t.settings);

	s->audit_us = pass;
}

/* ---- what it costs ---- */

/* Heartbeats come whether there is anything to say or not; what goes with them is what comes back
 * from it. */
void case_arrived(struct node *n, const uint8_t *frame, size_t len)
{
	enum { HEADERS = 42 };
	struct rd r;
	bool counts = false;

	if (!sim.is_case || len < HEADERS + REPL_HEADER)
		return;
	r = rd_init(frame + HEADERS + REPL_HEADER, len - HEADERS - REPL_HEADER);
	while (r.left > REPL_RECORD_HEAD && !counts) {
		uint8_t kind = rd_u8(&r);

		counts = kind != REPL_HEARTBEAT && kind != REPL_STATUS && kind != REPL_ACCOUNT;
		rd_bytes(&r, rd_u16(&r));
	}
	n->brought += counts ? len : 0;
}
