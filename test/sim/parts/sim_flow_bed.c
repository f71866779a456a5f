/* SPDX-License-Identifier: BSD-3-Clause */
/* The two chassis and the link. Doors between cores are plain calls here: what they add is not what
 * is asked. */
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

#include "sim_flow.h"

enum { OUTSTANDING = 256, BURST = 32, MBUFS = 4095 };

struct world w;

static struct rte_mempool *mbufs;
static struct rte_ring *rings[WORKERS];

uint64_t rnd(uint64_t below)
{
	w.random ^= w.random >> 12;
	w.random ^= w.random << 25;
	w.random ^= w.random >> 27;
	return (w.random * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

int bed_eal(void)
{
	char prefix[48];
	const char *args[] = { "sim_flow", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "64", "-l", "0", "--log-level", "error", "--file-prefix", prefix };
	char *argv[RTE_DIM(args) + 1] = { 0 };

	snprintf(prefix, sizeof(prefix), "sim_flow_%d", (int)getpid());
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		argv[i] = (char *)(uintptr_t)args[i];
	if (rte_eal_init(RTE_DIM(args), argv) < 0)
		return -1;
	mbufs = rte_pktmbuf_pool_create("stream", MBUFS, 0,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN),
		RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
	for (unsigned int i = 0; i < WORKERS; i++) {
		rings[i] = rte_ring_create(i == 0 ? "out0" : "out1", STREAM_FIFO, SOCKET_ID_ANY,
			RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rings[i] == NULL)
			return -1;
	}
	return mbufs != NULL ? 0 : -1;
}

/* ---- the link ---- */

static void link_put(unsigned int to, const uint8_t *bytes, size_t len)
{
	struct link *l = &w.link[to];
	size_t frame = len + OUTER;
	usec_t wait = l->free_at > w.now ? l->free_at - w.now : 0;
	struct packet *p;

	l->bytes += frame;
	l->frames++;
	if (w.cut || rnd(1000) < l->loss ||
		(l->rate != 0 && wait * l->rate / 1000000 + frame > l->queue)) {
		l->lost_bytes += frame;
		return;
	}
	l->late = RTE_MAX(l->late, wait);
	l->free_at = w.now + wait + (l->rate != 0 ? frame * 1000000 / l->rate : 0);
	p = malloc(sizeof(*p) + len);
	if (p == NULL)
		abort();
	*p = (struct packet){ .at = l->free_at + l->delay, .len = len };
	memcpy(p->bytes, bytes, len);
	*l->last = p;
	l->last = &p->next;
}

static void link_run(unsigned int to)
{
	struct link *l = &w.link[to];
	struct node *n = &w.node[to];

	n->applied_step = 0;
	while (l->first != NULL && l->first->at <= w.now) {
		struct packet *p = l->first;

		if (n->applied_most != 0 && n->applied_step >= n->applied_most)
			break; /* a slow core: it waits in the port */
		l->first = p->next;
		if (l->first == NULL)
			l->last = &l->first;
		repl_input(n->r, p->bytes, p->len, w.now);
		free(p);
	}
}

/* ---- what the stream calls ---- */

static unsigned int worker_of(uint32_t shard)
{
	return shard % WORKERS;
}

static int on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct node *n = ctx;

	n->applied_step +=
		kind == REPL_USAGE ? (unsigned int)(body->left / SESSION_USAGE_BYTES) : 1;
	if (kind == REPL_USAGE)
		return session_apply_usage(n->t, SESSION_BY_REPL, body);
	return kind == REPL_SLOT ? session_apply_slot(n->t, SESSION_BY_REPL, body, 0)
				 : session_apply_delta(n->t, SESSION_BY_REPL, body);
}

static void on_digest(void *ctx, struct rd *body, usec_t now)
{
	audit_digest(((struct node *)ctx)->audit, body, now);
}

static void want_one(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct node *n = ctx;
	uint32_t many = how == AUDIT_WANT_WHOLE ? (uint32_t)RTE_MIN(arg, (uint64_t)OUTSTANDING) : 1;

	for (unsigned int i = 0; i < WORKERS && how == AUDIT_WANT_CYCLE; i++)
		sync_want(&n->sync[i], how, bucket, arg);
	for (uint32_t i = 0; i < many && how != AUDIT_WANT_CYCLE; i++)
		sync_want(&n->sync[worker_of((bucket + i) / n->t->buckets)], how, bucket + i,
			how == AUDIT_WANT_WHOLE ? 1 : arg);
}

static void on_want(void *ctx, struct rd *body, usec_t now)
{
	if (((struct node *)ctx)->active)
		audit_want_decode(body, want_one, ctx);
}

static void on_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t peer_pair_ms, usec_t now)
{
}

static void on_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (repl_entry_commit(e[i]) == 0)
			continue;
		for (unsigned int k = 0; k < w.n_pending; k++) {
			if (w.pending[k].handle != repl_entry_handle(e[i]) ||
				w.pending[k].commit > repl_entry_commit(e[i]))
				continue;
			w.latency[w.n_latency++ % RTE_DIM(w.latency)] = w.now - w.pending[k].at;
			w.pending[k] = w.pending[--w.n_pending];
			break;
		}
	}
}

static void on_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct node *me = ctx;

	for (unsigned int i = 0; i < n; i++)
		w.repaired_bytes +=
			3 + session_wire_size(repl_entry_groups(e[i]) & SESSION_G_USAGE32
						      ? SESSION_G_USAGE64
						      : repl_entry_groups(e[i]));
	sync_lost(&me->sync[owner], e, n);
}

static void on_peer_new(void *ctx, uint32_t incarnation) {}

static void on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	audit_restart(((struct node *)ctx)->audit, now);
}

static void on_want_fill(void *ctx, struct wr *out, usec_t pto, usec_t now)
{
	struct node *n = ctx;

	if (!n->active && repl_rx_stream(n->r) != 0)
		audit_want(n->audit, out, pto, now);
}

static void on_status(void *ctx, struct repl_status *st)
{
	struct node *n = ctx;
	usec_t since = audit_in_sync_since(n->audit);
	struct audit_pass pass;

	audit_pass(n->audit, &pass);
	*st = (struct repl_status){ .in_sync_since_ms = since == USEC_NEVER ? 0 : since / 1000 + 1,
		.buckets = SESSION_SHARDS * n->t->buckets,
		.unmatched = audit_unmatched(n->audit),
		.differing = pass.differing,
		.left = pass.left };
}

static uint64_t hash_bucket(void *ctx, uint32_t b)
{
	struct node *n = ctx;

	return session_hash_bucket(n->t, b / n->t->buckets, b % n->t->buckets);
}

static uint64_t hash_slot(void *ctx, uint32_t b, unsigned int slot)
{
	struct node *n = ctx;

	return session_hash_slot(
		n->t, b / n->t->buckets, b % n->t->buckets * SESSION_BUCKET + slot);
}

static bool bucket_empty(void *ctx, uint32_t b)
{
	const struct session_table *t = ((struct node *)ctx)->t;
	const struct session_slot *s =
		&t->shard[b / t->buckets].slots[b % t->buckets * SESSION_BUCKET];

	for (unsigned int i = 0; i < SESSION_BUCKET; i++)
		if (s[i].teid != 0 || s[i].gen != 0)
			return false;
	return true;
}

/* ---- a chassis ---- */

static void *mem_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}

static void mem_free(void *ctx, void *p)
{
	free(p);
}

static void node_start(unsigned int id, uint32_t sessions, uint32_t mbits)
{
	struct node *n = &w.node[id];
	struct repl_ops ops = { on_state, on_digest, on_want, on_heartbeat, on_acked, on_lost,
		on_peer_new, on_stream_new, on_want_fill, on_status, n };
	struct audit_hash hash = { hash_bucket, hash_slot, bucket_empty, n };
	struct repl_params rp = { .incarnation = ++w.incarnation,
		.heartbeat_us = BEAT,
		.life_us = 1000000,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = &ops,
		.alloc = mem_alloc,
		.free = mem_free };
	struct session_params p = {
		.capacity = sessions, .side = (uint8_t)id, .mem = &session_mem_libc
	};
	struct pool_conf conf = { .name = "p", .prefix = { ip_addr_v4(0x0a000000), 30 } };

	for (; conf.prefix.len > 9 &&
		(UINT64_C(1) << (32 - conf.prefix.len)) < UINT64_C(2) * sessions;)
		conf.prefix.len--;
	*n = (struct node){ .active = id == 0 };
	n->ps = pool_set_create(&conf, 1, &session_mem_libc);
	pool_hooks(n->ps, &p.hooks);
	n->t = session_table_create(&p);
	n->r = repl_create(&rp, w.now);
	n->audit = audit_create(SESSION_SHARDS * n->t->buckets, OUTSTANDING, &hash);
	flow_init(&n->flow, mbits, PAYLOAD + OUTER, WORKERS, STREAM_FIFO, w.now);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(n->t, i, n->active ? (uint8_t)worker_of(i) : SESSION_BY_REPL);
	repl_heartbeat(n->r, 2, (const uint8_t *)"hb", 2);
	if (!n->active) {
		repl_receive(n->r, REPL_RX_APPLY, 2, 0);
		return;
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		if (sync_init(&n->sync[i], n->t, (uint8_t)i, UINT64_C(0x5555555555555555) << i,
			    n->t->n_slots * SESSION_SHARDS / WORKERS, INTERVAL, mbufs, rings[i],
			    PAYLOAD, &session_mem_libc) < 0)
			abort();
		n->sync[i].limits = &n->limits;
	}
}

static void node_stop(struct node *n)
{
	struct rte_mbuf *m;

	for (unsigned int i = 0; n->active && i < WORKERS; i++) {
		sync_fini(&n->sync[i], &session_mem_libc);
		while (rte_ring_dequeue(rings[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	}
	audit_destroy(n->audit);
	repl_destroy(n->r);
	session_table_destroy(n->t);
	pool_set_destroy(n->ps);
}

void bed_start(uint32_t sessions, uint32_t mbits)
{
	memset(&w, 0, sizeof(w));
	w.random = 88172645463325252;
	w.now = 1000000;
	w.sessions = sessions;
	w.audit_us = 60 * USEC_PER_SEC;
	for (unsigned int i = 0; i < 2; i++) {
		w.link[i].last = &w.link[i].first;
		w.link[i].delay = 50;
		node_start(i, sessions, mbits);
	}
	for (uint32_t i = 0; i < sessions; i++) {
		struct session_rec r = {
			.pdp_type = 0x21, .key = (uint64_t)(i + 1) << 4, .qos_len = 3
		};
		uint32_t shard = i % SESSION_SHARDS;

		if (pool_pick(w.node[0].ps, 0, shard, &r.ue) < 0 ||
			session_create(w.node[0].t, (uint8_t)worker_of(shard), &r, 0) < 0)
			abort();
	}
	for (unsigned int i = 0; i < 200; i++)
		bed_step(); /* until they hear each other */
}

void bed_stop(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct link *l = &w.link[i];

		for (struct packet *p; (p = l->first) != NULL; free(p))
			l->first = p->next;
		node_stop(&w.node[i]);
	}
}

void bed_join(void)
{
	struct node *n = &w.node[0];

	repl_stream_start(n->r, 2, w.now);
	n->on = true;
	for (unsigned int i = 0; i < WORKERS; i++)
		sync_stream(&n->sync[i], true, false, w.audit_us, w.now);
}

/* The peer is not heard any more: what is under way is lost, what is finished is dropped. */
void bed_leave(void)
{
	struct node *n = &w.node[0];
	struct rte_mbuf *m;

	n->on = false;
	for (unsigned int i = 0; i < WORKERS; i++)
		sync_stream(&n->sync[i], false, false, 0, w.now);
	for (unsigned int i = 0; i < WORKERS; i++)
		while (rte_ring_dequeue(rings[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	repl_stream_stop(n->r);
}

static void send_state(struct node *n)
{
	unsigned int first = n->next_worker;

	for (unsigned int i = 0; i < WORKERS; i++) {
		unsigned int k = (first + i) % WORKERS;
		struct rte_mbuf *m[BURST];
		unsigned int many = RTE_MIN(repl_room(n->r), (unsigned int)BURST);

		w.fifo_most = RTE_MAX(w.fifo_most, rte_ring_count(rings[k]));
		many = RTE_MIN(many, flow_packets(&n->flow));
		many = rte_ring_dequeue_burst(rings[k], (void **)m, many, NULL);
		if (many > 0)
			n->next_worker = k + 1;
		for (unsigned int j = 0; j < many; j++) {
			struct stream_meta *meta = rte_mbuf_to_priv(m[j]);
			uint8_t *bytes = rte_pktmbuf_mtod(m[j], uint8_t *);
			int len = repl_seal(n->r, bytes, m[j]->data_len, meta->owner, meta->entry,
				meta->n, w.now);

			if (len < 0)
				abort();
			flow_sent(&n->flow, (unsigned int)len + OUTER);
			link_put(1, bytes, (size_t)len);
			rte_pktmbuf_free(m[j]);
		}
	}
}

static void node_turn(unsigned int id)
{
	struct node *n = &w.node[id];
	usec_t oldest = repl_oldest_unacked(n->r);
	struct flow_path path = { repl_room(n->r), repl_window(n->r), repl_unacked(n->r),
		oldest < w.now ? w.now - oldest : 0, repl_min_rtt(n->r) };
	uint8_t buf[2048];
	size_t len;

	flow_tick(&n->flow, w.now);
	flow_limit(&n->flow, &path, &n->limits);
	for (unsigned int i = 0; i < WORKERS && n->active; i++)
		sync_turn(&n->sync[i], w.now);
	repl_tick(n->r, w.now);
	if (n->on)
		send_state(n);
	while ((len = repl_poll(n->r, buf, PAYLOAD, w.now)) > 0) {
		flow_sent(&n->flow, (unsigned int)len + OUTER);
		link_put(!id, buf, len);
	}
}

void bed_step(void)
{
	w.now += STEP;
	for (unsigned int i = 0; i < 2; i++)
		link_run(i);
	for (unsigned int k = 0; k < TURNS; k++)
		node_turn(0);
	node_turn(1);
	audit_scan(w.node[1].audit);
	w.unacked_most = RTE_MAX(w.unacked_most, repl_unacked(w.node[0].r));
}

bool bed_equal(void)
{
	for (uint32_t b = 0; b < SESSION_SHARDS * w.node[0].t->buckets; b++)
		if (hash_bucket(&w.node[0], b) != hash_bucket(&w.node[1], b))
			return false;
	return true;
}

bool bed_same(const struct session_slot *a, const struct session_slot *b)
{
	const struct session_table *t[2] = { w.node[0].t, w.node[1].t };
	uint32_t at = (uint32_t)(a - t[0]->shard[0].slots), n = t[0]->n_slots;

	return (uint32_t)(b - t[1]->shard[0].slots) == at &&
	       session_hash_slot(t[0], at / n, at % n) == session_hash_slot(t[1], at / n, at % n);
}

bool bed_in_sync(void)
{
	const struct repl_status *st = repl_peer_status(w.node[0].r);

	return st->in_sync_since_ms != 0 && st->unmatched == 0 && st->left == 0;
}

struct session_slot *bed_any(unsigned int *worker)
{
	const struct session_table *t = w.node[0].t;

	for (;;) {
		uint32_t shard = (uint32_t)rnd(SESSION_SHARDS);
		struct session_slot *s = &t->shard[shard].slots[rnd(t->n_slots)];

		*worker = worker_of(shard);
		if (s->teid != 0)
			return s;
	}
}

void bed_commit(void)
{
	struct node *n = &w.node[0];
	unsigned int worker;
	struct session_slot *s = bed_any(&worker);
	struct session_rec r = { .handle = s->teid, .qos_len = 3, .req_seq = (uint16_t)rnd(65536) };

	session_update(n->t, (uint8_t)worker, &r, SESSION_G_QOS | SESSION_G_REQUEST);
	if (w.n_pending == PENDING)
		return;
	w.pending[w.n_pending].handle = s->teid;
	w.pending[w.n_pending].at = w.now;
	w.pending[w.n_pending].commit = sync_commit(&n->sync[worker], s->teid, w.now);
	w.n_pending += w.pending[w.n_pending].commit != 0;
}

void bed_count(struct session_slot *s, unsigned int worker)
{
	s->up_pkts++;
	s->up_bytes += 100;
	dirty_mark(&w.node[0].sync[worker].dirty, s, s->teid, SESSION_G_USAGE32);
}
