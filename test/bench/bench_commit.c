/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_commit: from the control core's request to create a session to the answer that may leave,
 * because the standby has the session: request door, worker, stream, port, the standby's slots,
 * acknowledgement, the commit gate. Idle, and while 80 % of the deltas that can be
 * had are streamed. What an interruption of either process fell into is left out and told on
 * stderr. The floor of the same run sends a frame of that size there and back over the same port.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "bench_json.h"
#include "bench_pair.h"
#include "bench_side.h"
#include "cores/memory.h"
#include "pdp/pdp.h"
#include "process/tandem.h"
#include "replicator/replicator.h"
#include "worker_priv.h"

enum { FRAME = 340, EVERY_US = 500, BATCH = 128, BACKLOG = 1 << 15 };

enum { OUT_RATE }; /* out[] of the memory between the processes */

struct commit {
	struct pdp *pdp;
	struct bench_shared *shared;
	uint64_t asked[PDP_REQUESTS]; /* tsc, by id */
	unsigned int under_way;
	uint64_t key, marked;
};

static struct commit com;

/* ---- control, as far as it matters ---- */

/* The answer may leave. */
static void on_released(void *ctx, const struct pdp_answer *a, usec_t now)
{
	(void)ctx;
	(void)now;
	com.under_way--;
	if (a->cause != PDP_ACCEPTED)
		fprintf(stderr, "commit: create: cause %d\n", a->cause);
	else if (com.shared->n_samples < BENCH_SAMPLES)
		com.shared->sample[com.shared->n_samples++] =
			(struct bench_span){ com.asked[a->id % PDP_REQUESTS], rte_rdtsc() };
}

static bool on_order(void *ctx, const struct pdp_order *o)
{
	(void)ctx;
	return to_worker_send(&bench_tandem.to_worker[0],
		       to_worker_create(bench_tandem.msgs, BENCH_TERM, o->cookie, o->rec)) == 0;
}

static uint32_t on_find(void *ctx, uint64_t key)
{
	(void)ctx;
	(void)key;
	return 0; /* each subscriber is new */
}

static bool on_purge(void *ctx, const struct ip_addr *peer, uint8_t recovery)
{
	(void)ctx;
	(void)peer;
	(void)recovery;
	return true;
}

/* Its Recovery is not known; nobody asks for it here. */
static void on_ask_peer(void *ctx, const struct ip_addr *peer, usec_t now)
{
	(void)ctx;
	(void)peer;
	(void)now;
}

static void on_read(void *ctx, uint32_t handle, struct session_rec *rec)
{
	(void)ctx;
	session_read(bench_tandem.table, session_slot_of(bench_tandem.table, handle), rec);
}

static uint8_t on_owner_of(void *ctx, uint32_t handle)
{
	(void)ctx;
	(void)handle;
	return 0; /* the one worker */
}

static uint64_t on_count(void *ctx)
{
	(void)ctx;
	return bench_tandem.table->shard[0].n_live; /* there is room for all in any case */
}

static void on_news(
	void *ctx, enum pdp_news what, const struct ip_addr *addr, uint8_t recovery, uint8_t was)
{
	(void)ctx;
	(void)addr;
	(void)recovery;
	(void)was;
	if (what == PDP_PROTECTION_TIMEOUT)
		fprintf(stderr, "commit: the standby did not acknowledge in time\n");
}

static void create(void)
{
	static const struct pdp_apn apn = { 0 };
	const struct ip_addr peer = ip_addr_v4(0x0a080001);
	struct pdp_request q = { .id = com.key + 1,
		.kind = PDP_CREATE,
		.from = { .addr = peer, .port = 2123, .seq = (uint32_t)com.key },
		.apn = &apn,
		.rec = { .pdp_type = 0x21,
			.key = UINT64_C(0x2400200000000005) + (com.key << 4),
			.peer_usr_teid = 7,
			.peer_usr = peer,
			.peer_ctl = peer } };

	com.key++;
	memset(q.rec.msisdn, 0xff, sizeof(q.rec.msisdn));
	com.under_way++;
	com.asked[q.id % PDP_REQUESTS] = rte_rdtsc();
	pdp_begin(com.pdp, &q, clock_us());
}

static void on_committed(void *side, struct from_replicator_committed *m)
{
	(void)side;
	for (unsigned int i = 0; i < m->entries.n; i++)
		pdp_committed(com.pdp, repl_entry_handle(m->entries.entry[i]),
			repl_entry_commit(m->entries.entry[i]), clock_us());
}

static void on_answer(void *side, struct from_worker_answer *m)
{
	const struct pdp_time t = { .now = clock_us() };
	const struct pdp_done d = { .cookie = m->cookie,
		.owner = m->by,
		.error = m->error,
		.commit = m->commit,
		.rec = &m->rec };

	(void)side;
	pdp_answered(com.pdp, &d, &t);
}

static int open_control(struct bench_side *s)
{
	const struct pdp_env env = { .ops = { .order = on_order,
					     .purge = on_purge,
					     .ask_peer = on_ask_peer,
					     .answer = on_released,
					     .news = on_news,
					     .find = on_find,
					     .read = on_read,
					     .owner_of = on_owner_of,
					     .count = on_count },
		.mem = memory_rte,
		.secret = bench_tandem.random.secret,
		.max_sessions = UINT32_MAX,
		.n_owners = 1,
		.commit_timeout_us = bench_tandem.conf->srp.commit_timeout_ms * USEC_PER_MSEC };

	if (com.pdp != NULL)
		return 0;
	com.pdp = pdp_open(&env);
	if (com.pdp == NULL)
		return -errno;
	pdp_stream(com.pdp, true, clock_us());
	s->of_worker.answer = on_answer;
	s->of_replicator.committed = on_committed;
	return 0;
}

/* ---- in the chassis ---- */

static void mark(struct bench_side *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t handle = s->order[s->at++ % s->pair->sessions];
		struct session_slot *slot = session_slot_of(bench_tandem.table, handle);

		slot->up_pkts++;
		slot->up_bytes += 100;
		dirty_mark(&s->worker->sync.dirty, slot, handle, SESSION_G_USAGE32);
	}
	com.marked += n;
}

static uint32_t backlog(const struct bench_side *s)
{
	return s->worker->sync.dirty.normal.tail - s->worker->sync.dirty.normal.head;
}

/* How many deltas a second there can be: sessions are used as fast as their deltas get away. */
static int active_rate(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	struct dirty *d = &s->worker->sync.dirty;
	usec_t until = clock_us() + arg[0];
	uint64_t sent;

	bench_side_begin(s);
	sent = s->worker->sync.count.micro_sent;
	while (clock_us() < until) {
		if (backlog(s) < BACKLOG)
			mark(s, BATCH);
		dirty_due_now(d);
		bench_side_turn(s);
	}
	bench_side_end(s);
	s->shared->out[OUT_RATE] =
		(uint64_t)((double)(s->worker->sync.count.micro_sent - sent) / s->use->seconds);
	return 0;
}

/* arg: creates, deltas a second. */
static int active_creates(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	usec_t next = clock_us() + 20000, give_up = next + 60 * USEC_PER_SEC, from = clock_us();
	unsigned int asked = 0;
	int ret = open_control(s);

	if (ret < 0)
		return ret;
	com.shared = s->shared;
	s->shared->n_samples = com.under_way = 0;
	com.marked = 0;
	bench_side_begin(s);
	while ((asked < arg[0] || com.under_way > 0) && clock_us() < give_up) {
		usec_t now = clock_us();
		uint64_t due = (now - from) * arg[1] / USEC_PER_SEC;

		if (due > com.marked)
			mark(s, (uint32_t)RTE_MIN(due - com.marked, (uint64_t)BATCH));
		if (now >= next && asked < arg[0]) {
			create();
			asked++;
			next = now + EVERY_US / 2 + rte_rdtsc() % EVERY_US;
		}
		bench_side_turn(s);
		bench_side_stall(s);
	}
	bench_side_end(s);
	return s->shared->n_samples > 0 && com.under_way == 0 ? 0 : -ETIMEDOUT;
}

static int standby_creates(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	bench_side_begin(s);
	while (!atomic_load_explicit(&s->shared->over, memory_order_relaxed)) {
		bench_side_turn(s);
		bench_side_stall(s);
	}
	bench_side_end(s);
	return 0;
}

static int active_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	usec_t give_up = clock_us() + 20 * USEC_PER_SEC;
	struct rte_mbuf *m;
	struct bench_shared *shared = s->shared;

	shared->n_samples = 0;
	bench_side_begin(s);
	while (shared->n_samples < arg[0] && clock_us() < give_up) {
		uint64_t from = rte_rdtsc();
		bool back = false;

		m = rte_pktmbuf_alloc(bench_tandem.stream_mbufs);
		m->data_len = FRAME;
		m->pkt_len = FRAME;
		rte_eth_tx_burst(s->port, 0, &m, 1);
		while (!back && clock_us() < give_up)
			if (rte_eth_rx_burst(s->port, 0, &m, 1) == 1) {
				back = m->data_len == FRAME;
				rte_pktmbuf_free(m);
			}
		shared->sample[shared->n_samples++] = (struct bench_span){ from, rte_rdtsc() };
		bench_side_stall(s);
	}
	bench_side_end(s);
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

static int standby_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	struct rte_mbuf *m;

	bench_side_begin(s);
	while (!atomic_load_explicit(&s->shared->over, memory_order_relaxed)) {
		if (rte_eth_rx_burst(s->port, 0, &m, 1) == 1 &&
			rte_eth_tx_burst(s->port, 0, &m, 1) != 1)
			rte_pktmbuf_free(m);
		bench_side_stall(s);
	}
	bench_side_end(s);
	return 0;
}

/* ---- in the bench ---- */

/* p50 and p99 in us of the samples that no stall of either process met; how many did not count.
 * Both lists ascend in time. */
static unsigned int percentiles(const struct bench_shared *sh, double p[2])
{
	static double us[BENCH_SAMPLES];
	unsigned int n = 0, at[BENCH_SIDES] = { 0 };

	for (unsigned int i = 0; i < sh->n_samples; i++) {
		const struct bench_span *v = &sh->sample[i];
		bool met = false;

		for (unsigned int k = 0; k < BENCH_SIDES; k++) {
			/* an older sample may still reach back to a stall that ended: look a few
			 * back */
			unsigned int j = at[k] > 8 ? at[k] - 8 : 0;

			while (at[k] < sh->n_stalls[k] && sh->stall[k][at[k]].from < v->to)
				at[k]++;
			for (; j < at[k]; j++)
				met |= sh->stall[k][j].to > v->from && sh->stall[k][j].from < v->to;
		}
		if (!met)
			us[n++] = (double)(v->to - v->from) * 1e6 / (double)sh->tsc_hz;
	}
	p[0] = n > 0 ? bench_quantile(us, n, 0.5) : 0;
	p[1] = n > 0 ? bench_quantile(us, n, 0.99) : 0;
	return sh->n_samples - n;
}

static int measure(
	struct bench_pair *p, const char *name, uint64_t creates, uint64_t rate, double aim)
{
	static const char *const metric[] = { "commit_us_p50", "commit_us_p99" };
	const uint64_t arg[BENCH_ARGS] = { creates, rate };
	unsigned int left_out;
	double flr[2], us[2];

	if (bench_pair_run(p, active_floor, standby_floor, arg) < 0)
		return -1;
	percentiles(p->shared, flr);
	if (bench_pair_run(p, active_creates, standby_creates, arg) < 0) {
		fprintf(stderr, "commit: %s: answers are missing\n", name);
		return -1;
	}
	left_out = percentiles(p->shared, us);
	for (unsigned int i = 0; i < 2; i++)
		bench_line(&(struct bench_line){ "commit", name, metric[i], "us", us[i], flr[i],
			flr[i] / us[i], i == 1 ? aim : 0, us[i] > 0 && us[i] <= aim,
			p->huge_dir != NULL ? "hugepages" : "4k pages", bench_pair_cpus() });
	if (left_out > 0)
		fprintf(stderr,
			"commit: %s: somebody else took a CPU during %u of %u creates: these do "
			"not count\n",
			name, left_out, p->shared->n_samples);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench_pair p = { .name = "commit", .sessions = 1000000, .megabytes = 768 };
	struct bench_options o = { .rounds = 8000 }; /* here: creates a case */
	uint64_t calibrate = USEC_PER_SEC;
	int ret;

	if (bench_options(argc, argv, &o) < 0)
		return 2;
	if (o.smoke) {
		p.sessions = 20000;
		p.megabytes = 320;
		o.rounds = 200;
		calibrate = 100000;
	}
	o.rounds = RTE_MIN(o.rounds, (unsigned int)BENCH_SAMPLES);
	p.huge_dir = o.huge_dir;
	if (bench_pair_start(&p) < 0)
		return EXIT_FAILURE;
	ret = bench_pair_run(&p, NULL, bench_side_write, NULL);
	if (ret == 0)
		ret = bench_pair_run(&p, bench_side_join, bench_side_follow, NULL);
	if (ret == 0)
		ret = measure(&p, "idle", o.rounds, 0, 200);
	if (ret == 0)
		ret = bench_pair_run(&p, active_rate, bench_side_follow,
			(const uint64_t[BENCH_ARGS]){ calibrate });
	if (ret == 0)
		ret = measure(&p, "load80", o.rounds, p.shared->out[OUT_RATE] * 8 / 10, 1000);
	if (ret == 0)
		fprintf(stderr, "commit: load80 is %.1f M deltas/s\n",
			(double)p.shared->out[OUT_RATE] * 0.8e-6);
	bench_pair_stop(&p);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
