/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_repl: usage deltas of sessions in random order, from the active's dirty list to the
 * standby's slots and the acknowledgement back, through every function that the daemon has on that
 * way. The floor of the same run moves the same fields of the same slots in packets of the same
 * size over the same port, and does nothing else: no numbers, no order, no acknowledgement, no
 * check. Rounds of both take turns. With --crypto (bench crypto): two pairs of chassis, one of them
 * with AES-128-GCM; rounds of both take turns, and the plain one is the other's floor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "bench_json.h"
#include "bench_pair.h"
#include "bench_side.h"
#include "process/tandem.h"
#include "replicator/replicator.h"
#include "worker_priv.h"

enum {
	ROUNDS_MAX = 99,
	PER_PACKET = 64,
	RECORD = 20,
	AHEAD = 16,
	FLIGHT = 512,
	BURST = 32,
	FRAME = 42
};

struct round {
	double deltas_per_s, bytes, cycles[BENCH_SIDES];
	bool robbed;
};

/* ---- in the chassis ---- */

/* Sessions were used, and it is long ago: their slots are cold, and due. */
static void mark(struct bench_side *s, uint32_t n)
{
	struct dirty *d = &s->worker->sync.dirty;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t handle = s->order[(s->at + i) % s->pair->sessions];
		struct session_slot *slot = session_slot_of(bench_tandem.table, handle);

		slot->up_pkts++;
		slot->up_bytes += 100;
		slot->dn_pkts += 2;
		slot->dn_bytes += 1000;
		dirty_mark(d, slot, handle, SESSION_G_USAGE32);
	}
	for (unsigned int i = 0; i < SYNC_TICKS; i++)
		dirty_tick(d);
}

static int active_round(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	usec_t give_up = clock_us() + 20 * USEC_PER_SEC;
	struct sync *y = &s->worker->sync;
	uint64_t sent;

	mark(s, (uint32_t)arg[0]);
	bench_side_begin(s);
	sent = y->count.micro_sent;
	while ((y->count.micro_sent - sent < arg[0] || y->open != NULL || !rte_ring_empty(y->out) ||
		       atomic_load(&replicator_view(bench_tandem.repl)->unacked) > 0) &&
		clock_us() < give_up)
		bench_side_turn(s);
	bench_side_end(s);
	s->at = (s->at + (uint32_t)arg[0]) % s->pair->sessions;
	s->shared->out[0] = y->count.micro_sent - sent;
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

static uint8_t *put(uint8_t *p, const struct session_slot *s)
{
	const uint64_t v[] = { s->teid, s->up_pkts, s->up_bytes, s->dn_pkts, s->dn_bytes };

	for (unsigned int i = 0; i < 5; i++) {
		uint32_t be = rte_cpu_to_be_32((uint32_t)v[i]);

		memcpy(p + 4 * i, &be, 4);
	}
	return p + RECORD;
}

/* One packet's worth, each slot asked for a while before it is read. */
static void fill(struct bench_side *s, struct rte_mbuf *m, uint32_t from)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) + FRAME;

	for (uint32_t i = 0; i < PER_PACKET; i++) {
		const struct session_slot *next = session_slot_of(
			bench_tandem.table, s->order[(from + i + AHEAD) % s->pair->sessions]);

		rte_prefetch0(next);
		rte_prefetch0(&next->peer_usr_teid);
		p = put(p, session_slot_of(
				   bench_tandem.table, s->order[(from + i) % s->pair->sessions]));
	}
	m->data_len = (uint16_t)(FRAME + PER_PACKET * RECORD);
	m->pkt_len = m->data_len;
}

static int active_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	uint64_t packets = arg[0] / PER_PACKET, sent = 0;
	usec_t give_up = clock_us() + 5 * USEC_PER_SEC;
	struct rte_mbuf *m[BURST];

	mark(s, (uint32_t)arg[0]);
	dirty_forget(&s->worker->sync.dirty, bench_tandem.table);
	bench_side_begin(s);
	while (sent < packets && clock_us() < give_up) {
		uint64_t from = rte_rdtsc();
		uint16_t n = 0;

		if (sent - atomic_load(&s->shared->taken) > FLIGHT - BURST ||
			rte_pktmbuf_alloc_bulk(bench_tandem.stream_mbufs, m, BURST) < 0) {
			s->idle_cycles += rte_rdtsc() - from;
			continue;
		}
		for (unsigned int i = 0; i < BURST; i++)
			fill(s, m[i], s->at + (uint32_t)(sent + i) * PER_PACKET);
		while (n < BURST && clock_us() < give_up)
			n = (uint16_t)(n +
				       rte_eth_tx_burst(s->port, 0, m + n, (uint16_t)(BURST - n)));
		sent += BURST;
	}
	while (atomic_load(&s->shared->taken) < sent && clock_us() < give_up)
		rte_pause();
	bench_side_end(s);
	s->at = (s->at + (uint32_t)arg[0]) % s->pair->sessions;
	s->shared->out[0] = atomic_load(&s->shared->taken) * PER_PACKET;
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

static void take(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *) + FRAME;
	uint32_t v[5];

	for (unsigned int i = 0; i < PER_PACKET; i++) {
		memcpy(v, p + i * RECORD, 4);
		rte_prefetch0(&session_slot_of(bench_tandem.table, rte_be_to_cpu_32(v[0]))->other);
	}
	for (unsigned int i = 0; i < PER_PACKET; i++) {
		struct session_usage *u;

		memcpy(v, p + i * RECORD, sizeof(v));
		u = &session_slot_of(bench_tandem.table, rte_be_to_cpu_32(v[0]))->other;
		u->up_pkts = rte_be_to_cpu_32(v[1]);
		u->up_bytes = rte_be_to_cpu_32(v[2]);
		u->dn_pkts = rte_be_to_cpu_32(v[3]);
		u->dn_bytes = rte_be_to_cpu_32(v[4]);
	}
}

static int standby_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	struct rte_mbuf *m[BURST];

	(void)arg;
	bench_side_begin(s);
	while (!atomic_load_explicit(&s->shared->over, memory_order_relaxed)) {
		uint64_t from = rte_rdtsc();
		uint16_t n = rte_eth_rx_burst(s->port, 0, m, BURST);

		unsigned int taken = 0;

		/* A heartbeat of the round before may still be there. */
		for (uint16_t i = 0; i < n; i++)
			if (m[i]->data_len == FRAME + PER_PACKET * RECORD) {
				take(m[i]);
				taken++;
			}
		if (n > 0)
			rte_pktmbuf_free_bulk(m, n);
		else
			s->idle_cycles += rte_rdtsc() - from;
		atomic_fetch_add(&s->shared->taken, taken);
	}
	bench_side_end(s);
	return 0;
}

/* ---- in the bench ---- */

static int measure(struct bench_pair *p, bool flr, uint64_t n, struct round *r)
{
	const uint64_t arg[BENCH_ARGS] = { n };
	const struct bench_use *use = p->shared->use;

	if (bench_pair_run(p, flr ? active_floor : active_round,
		    flr ? standby_floor : bench_side_follow, arg) < 0) {
		fprintf(stderr, "repl: only %llu of %llu deltas got through\n",
			(unsigned long long)p->shared->out[0], (unsigned long long)n);
		return -1;
	}
	n = p->shared->out[0];
	r->deltas_per_s = (double)n / use[BENCH_ACTIVE].seconds;
	r->bytes = ((double)use[BENCH_ACTIVE].stream.tx_bytes +
			   FRAME * (double)use[BENCH_ACTIVE].stream.tx_packets) /
		   (double)n;
	r->robbed = false;
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		r->cycles[i] = use[i].cycles / (double)n;
		r->robbed |= use[i].robbed > 0;
	}
	return 0;
}

/* The median of what was measured while nobody else had the CPUs; where that never was, of the
 * better half. */
static double typical(const struct round *r, unsigned int n, size_t field, bool more_is_better)
{
	double v[ROUNDS_MAX];
	unsigned int k = 0;

	for (unsigned int i = 0; i < n; i++)
		if (!r[i].robbed)
			v[k++] = *(const double *)((const char *)&r[i] + field);
	if (k > 0)
		return bench_median(v, k);
	for (unsigned int i = 0; i < n; i++)
		v[i] = *(const double *)((const char *)&r[i] + field);
	return bench_quantile(v, n, more_is_better ? 0.75 : 0.25);
}

static void report(
	const struct bench_pair *p, const struct round *r, const struct round *f, unsigned int n)
{
	static const char *const side[] = { "plain-1M-active", "plain-1M-standby" };
	struct bench_line l = { .bench = "repl",
		.name = "plain-1M",
		.metric = "deltas_per_s",
		.unit = "deltas/s",
		.memory = p->huge_dir != NULL ? "hugepages" : "4k pages",
		.cpus = bench_pair_cpus(),
		.aim = 20e6 };

	l.value = typical(r, n, offsetof(struct round, deltas_per_s), true);
	l.flr = typical(f, n, offsetof(struct round, deltas_per_s), true);
	l.ratio = l.value / l.flr;
	l.ok = l.value >= l.aim;
	bench_line(&l);
	l.metric = "bytes_per_delta";
	l.unit = "bytes";
	l.value = typical(r, n, offsetof(struct round, bytes), false);
	l.flr = RECORD + (double)FRAME / PER_PACKET;
	l.ratio = l.flr / l.value;
	l.aim = 24;
	l.ok = l.value <= l.aim;
	bench_line(&l);
	l.metric = "cycles_per_delta";
	l.unit = "cycles";
	l.aim = 100;
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		l.name = side[i];
		l.value = typical(r, n, offsetof(struct round, cycles) + i * sizeof(double), false);
		l.flr = typical(f, n, offsetof(struct round, cycles) + i * sizeof(double), false);
		l.ratio = l.flr / l.value;
		l.ok = l.value <= l.aim;
		bench_line(&l);
	}
}

/* In sync, and streaming. */
static int begin(struct bench_pair *p)
{
	if (bench_pair_start(p) < 0 || bench_pair_run(p, NULL, bench_side_write, NULL) < 0)
		return -1;
	if (bench_pair_run(p, bench_side_join, bench_side_follow, NULL) == 0)
		return 0;
	fprintf(stderr, "repl: the standby never was in sync\n");
	return -1;
}

static int equal(struct bench_pair *p)
{
	if (bench_pair_run(p, bench_side_hash, bench_side_hash, NULL) == 0 &&
		p->shared->out[0] == p->shared->out[1])
		return 0;
	fprintf(stderr, "repl: the tables differ afterwards\n");
	return -1;
}

static void robbed(const struct round *r, unsigned int rounds)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < rounds; i++)
		n += r[i].robbed;
	if (n > 0)
		fprintf(stderr, "repl: somebody else took the CPU in %u of %u rounds: %s\n", n,
			rounds,
			n < rounds ? "these do not count"
				   : "none is clean, these are the better half's");
}

static int run(struct bench_pair *p, unsigned int rounds, uint64_t deltas)
{
	struct round real[ROUNDS_MAX], flr[ROUNDS_MAX];

	if (begin(p) < 0)
		return -1;
	for (unsigned int i = 0; i < rounds; i++)
		if (measure(p, false, deltas, &real[i]) < 0 ||
			measure(p, true, deltas, &flr[i]) < 0)
			return -1;
	report(p, real, flr, rounds);
	robbed(real, rounds);
	return equal(p);
}

static void report_crypto(const struct bench_pair *p, const struct round *r,
	const struct round *plain, unsigned int n)
{
	static const char *const side[] = { "encrypted-1M-active", "encrypted-1M-standby" };
	struct bench_line l = { "crypto", "encrypted-1M", "deltas_per_s", "deltas/s",
		.memory = p->huge_dir != NULL ? "hugepages" : "4k pages",
		.cpus = bench_pair_cpus() };

	l.value = typical(r, n, offsetof(struct round, deltas_per_s), true);
	l.flr = typical(plain, n, offsetof(struct round, deltas_per_s), true);
	l.ratio = l.value / l.flr;
	l.ok = true;
	bench_line(&l);
	bench_line(&(struct bench_line){ "crypto", "encrypted-1M", "encrypted_ratio", "ratio",
		l.ratio, .aim = 0.9, .ok = l.ratio >= 0.9, .memory = l.memory, .cpus = l.cpus });
	l.metric = "cycles_per_delta";
	l.unit = "cycles";
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		l.name = side[i];
		l.value = typical(r, n, offsetof(struct round, cycles) + i * sizeof(double), false);
		l.flr = typical(
			plain, n, offsetof(struct round, cycles) + i * sizeof(double), false);
		l.ratio = l.flr / l.value;
		bench_line(&l);
	}
}

static int run_crypto(struct bench_pair *plain, unsigned int rounds, uint64_t deltas)
{
	struct bench_pair secret = *plain;
	struct round r[ROUNDS_MAX], flr[ROUNDS_MAX];
	int ret = 0;

	secret.name = "crypto";
	secret.secret = true;
	if (begin(plain) < 0 || begin(&secret) < 0)
		ret = -1;
	for (unsigned int i = 0; ret == 0 && i < rounds; i++)
		if (measure(&secret, false, deltas, &r[i]) < 0 ||
			measure(plain, false, deltas, &flr[i]) < 0)
			ret = -1;
	if (ret == 0) {
		report_crypto(plain, r, flr, rounds);
		robbed(r, rounds);
		ret = equal(&secret);
	}
	bench_pair_stop(&secret);
	return ret;
}

int main(int argc, char **argv)
{
	struct bench_pair p = { .name = "repl", .sessions = 1000000, .megabytes = 704 };
	struct bench_options o = { .rounds = 61 };
	uint64_t deltas = 1 << 16;
	int ret;

	if (bench_options(argc, argv, &o) < 0)
		return 2;
	if (o.smoke) {
		p.sessions = 20000;
		p.megabytes = 256;
		deltas = 1 << 14;
		o.rounds = 3;
	}
	p.huge_dir = o.huge_dir;
	o.rounds = RTE_MIN(o.rounds, (unsigned int)ROUNDS_MAX);
	ret = o.crypto ? run_crypto(&p, o.rounds, deltas) : run(&p, o.rounds, deltas);
	bench_pair_stop(&p);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
