/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_resync: a standby that has nothing, or missed one session in a hundred, until it says that
 * it is in sync: from the active's first digest to its last word. The floor of the same run reads
 * the slots, one after the other, into packets of as many bytes, and the standby copies them to a
 * place of its own: no codec, no table, no hash, no acknowledgement. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "bench_json.h"
#include "bench_pair.h"
#include "bench_side.h"
#include "process/boot.h"
#include "process/tandem.h"
#include "replicator/replicator.h"
#include "worker_priv.h"

enum {
	ROUNDS_MAX = 15,
	FRAME = 42,
	RECORD = 201,
	PER_PACKET = 7,
	BURST = 32,
	FLIGHT = 512,
	SCRATCH = 1 << 18
};
enum { FULL, MISSED, LIVE }; /* arg[0] of prepare and join */
enum { LIVE_PER_S = 1000000, AUDIT_S = 60 };

/* ---- in the chassis ---- */

/* The standby's table, empty once more. */
static int standby_empty(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	int ret;

	boot_tables_end(&bench_tandem);
	ret = boot_tables(&bench_tandem);
	for (unsigned int i = 0; ret == 0 && i < SESSION_SHARDS; i++)
		session_own(bench_tandem.table, i, SESSION_BY_REPL);
	return ret;
}

/* One session in a hundred was used, and the standby was not told. */
static int active_miss(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	for (uint32_t i = 0; i < s->pair->sessions / 100; i++) {
		struct session_slot *slot =
			session_slot_of(bench_tandem.table, s->order[s->at++ % s->pair->sessions]);

		slot->up_pkts++;
		slot->up_bytes += 100;
	}
	return 0;
}

/* Sessions go on being used, so many a second. */
static void live(struct bench_side *s, uint64_t since)
{
	uint64_t due = (rte_rdtsc() - since) * LIVE_PER_S / clock_hz;

	for (; s->shared->out[2] < due; s->shared->out[2]++) {
		uint32_t handle = s->order[s->at++ % s->pair->sessions];
		struct session_slot *slot = session_slot_of(bench_tandem.table, handle);

		slot->up_pkts++;
		slot->up_bytes += 100;
		dirty_mark(&s->worker->sync.dirty, slot, handle, SESSION_G_USAGE32);
	}
}

static int active_live(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	usec_t give_up = clock_us() + 60 * USEC_PER_SEC;

	s->shared->out[2] = 0;
	bench_side_stream(s);
	bench_side_begin(s);
	while (!bench_side_in_sync() && clock_us() < give_up) {
		live(s, s->begun);
		bench_side_turn(s);
	}
	bench_side_end(s);
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

static int active_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	uint64_t packets = s->pair->sessions / PER_PACKET / BURST * BURST, sent = 0;
	usec_t give_up = clock_us() + 20 * USEC_PER_SEC;
	struct rte_mbuf *m[BURST];

	bench_side_begin(s);
	while (sent < packets && clock_us() < give_up) {
		uint16_t n = 0;

		if ((int64_t)(sent - atomic_load(&s->shared->taken)) > FLIGHT - BURST ||
			rte_pktmbuf_alloc_bulk(bench_tandem.stream_mbufs, m, BURST) < 0)
			continue;
		for (unsigned int i = 0; i < BURST; i++) {
			uint8_t *p = rte_pktmbuf_mtod(m[i], uint8_t *) + FRAME;

			for (unsigned int k = 0; k < PER_PACKET; k++, p += RECORD)
				memcpy(p, &bench_tandem.table->slots[(sent + i) * PER_PACKET + k],
					RECORD);
			m[i]->data_len = FRAME + PER_PACKET * RECORD;
			m[i]->pkt_len = m[i]->data_len;
		}
		while (n < BURST && clock_us() < give_up)
			n = (uint16_t)(n +
				       rte_eth_tx_burst(s->port, 0, m + n, (uint16_t)(BURST - n)));
		sent += BURST;
	}
	while (atomic_load(&s->shared->taken) < sent && clock_us() < give_up)
		rte_pause();
	bench_side_end(s);
	s->shared->out[0] = sent * PER_PACKET;
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

static int standby_floor(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	struct session_slot *to = rte_malloc("scratch", SCRATCH * sizeof(*to), 64);
	struct rte_mbuf *m[BURST];
	uint64_t at = 0;

	bench_side_begin(s); /* the other one waits for it */
	if (to == NULL)
		return -ENOMEM;
	while (!atomic_load_explicit(&s->shared->over, memory_order_relaxed)) {
		uint16_t n = rte_eth_rx_burst(s->port, 0, m, BURST);
		unsigned int taken = 0;

		for (uint16_t i = 0; i < n; i++) {
			const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *) + FRAME;

			if (m[i]->data_len != FRAME + PER_PACKET * RECORD)
				continue;
			for (unsigned int k = 0; k < PER_PACKET; k++, p += RECORD)
				memcpy((void *)&to[at++ % SCRATCH], p, RECORD);
			taken++;
		}
		if (n > 0)
			rte_pktmbuf_free_bulk(m, n);
		atomic_fetch_add(&s->shared->taken, taken);
	}
	bench_side_end(s);
	rte_free(to);
	return 0;
}

/* ---- in the bench ---- */

struct round {
	double per_s, bytes, cycles[BENCH_SIDES], busy[BENCH_SIDES];
};

static int measure(struct bench_pair *p, bench_fn active, bench_fn standby, struct round *r)
{
	const struct bench_use *use = p->shared->use;
	double n = p->sessions;

	if (bench_pair_run(p, active, standby, NULL) < 0) {
		fprintf(stderr, "resync: not in sync in time\n");
		return -1;
	}
	if (active == active_floor)
		n = (double)p->shared->out[0];
	r->per_s = n / use[BENCH_ACTIVE].seconds;
	r->bytes = 0;
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		r->bytes +=
			(double)use[i].stream.tx_bytes + FRAME * (double)use[i].stream.tx_packets;
		r->cycles[i] = use[i].cycles / n;
		r->busy[i] =
			use[i].cycles / (use[BENCH_ACTIVE].seconds * (double)p->shared->tsc_hz);
	}
	return 0;
}

static double best(const struct round *r, unsigned int n, size_t field, bool most)
{
	double v[ROUNDS_MAX] = { 0 };

	for (unsigned int i = 0; i < n; i++)
		v[i] = *(const double *)((const char *)&r[i] + field);
	return bench_quantile(v, n, most ? 1 : 0);
}

static void say(const struct bench_pair *p, const char *name, const struct round *r,
	const struct round *flr, unsigned int n, double aim)
{
	static const char *const side[] = { "active", "standby" };
	struct bench_line l = { "resync", name, "sessions_per_s", "sessions/s", .aim = aim,
		.memory = p->huge_dir != NULL ? "hugepages" : "4k pages",
		.cpus = bench_pair_cpus() };
	char full[64];

	l.value = best(r, n, offsetof(struct round, per_s), true);
	l.flr = best(flr, n, offsetof(struct round, per_s), true);
	l.ratio = l.value / l.flr;
	l.ok = l.value >= aim;
	bench_line(&l);
	l.flr = l.aim = 0;
	l.name = full;
	for (unsigned int i = 0; i < BENCH_SIDES; i++) {
		snprintf(full, sizeof(full), "%s-%s", name, side[i]);
		l.metric = "cycles_per_session";
		l.unit = "cycles";
		l.value = best(r, n, offsetof(struct round, cycles) + i * sizeof(double), false);
		bench_line(&l);
		/* Where both have much less than all, they wait: for each other, or for the CPU. */
		l.metric = "busy";
		l.unit = "of the time";
		l.value = best(r, n, offsetof(struct round, busy) + i * sizeof(double), true);
		bench_line(&l);
	}
}

/* The standby is equal to the active, to the bit. */
static int equal(struct bench_pair *p)
{
	if (bench_pair_run(p, bench_side_hash, bench_side_hash, NULL) == 0 &&
		p->shared->out[0] == p->shared->out[1])
		return 0;
	fprintf(stderr, "resync: the tables differ afterwards\n");
	return -1;
}

static int full(struct bench_pair *p, const char *name, bench_fn active, unsigned int rounds,
	double aim, double *bytes)
{
	struct round r[ROUNDS_MAX], flr[ROUNDS_MAX];

	for (unsigned int i = 0; i < rounds; i++) {
		if (bench_pair_run(p, NULL, standby_empty, NULL) < 0 ||
			measure(p, active_floor, standby_floor, &flr[i]) < 0 ||
			measure(p, active, bench_side_follow, &r[i]) < 0)
			return -1;
		if (active == bench_side_join && equal(p) < 0)
			return -1;
	}
	*bytes = best(r, rounds, offsetof(struct round, bytes), false);
	say(p, name, r, flr, rounds, aim);
	return 0;
}

static int missed(struct bench_pair *p, const char *name, unsigned int rounds, double whole)
{
	struct bench_line l = { "resync", name, "bytes_ratio", "ratio", .aim = 0.02,
		.memory = p->huge_dir != NULL ? "hugepages" : "4k pages" };
	struct round r[ROUNDS_MAX];

	for (unsigned int i = 0; i < rounds; i++)
		if (bench_pair_run(p, active_miss, NULL, NULL) < 0 ||
			measure(p, bench_side_join, bench_side_follow, &r[i]) < 0 || equal(p) < 0)
			return -1;
	l.value = best(r, rounds, offsetof(struct round, bytes), false) / whole;
	l.ok = l.value <= l.aim;
	bench_line(&l);
	return 0;
}

/* A whole pass over equal tables, as an audit is. Paced by audit-interval it takes this much of a
 * core: the worker's and the replication core's part together, so the worker's is less. */
static int audited(struct bench_pair *p, const char *name, unsigned int rounds)
{
	struct bench_line l = { "resync", name, "audit_percent", "% of a core", .aim = 1,
		.memory = p->huge_dir != NULL ? "hugepages" : "4k pages" };
	struct round r[ROUNDS_MAX];

	for (unsigned int i = 0; i < rounds; i++)
		if (measure(p, bench_side_join, bench_side_follow, &r[i]) < 0 || equal(p) < 0)
			return -1;
	l.value = 100 * best(r, rounds, offsetof(struct round, cycles), false) * p->sessions /
		  (AUDIT_S * (double)p->shared->tsc_hz);
	l.ok = l.value <= l.aim;
	bench_line(&l);
	return 0;
}

static int run(const char *size, uint32_t sessions, unsigned int megabytes, const char *huge,
	unsigned int rounds)
{
	struct bench_pair p = {
		.name = "resync", .sessions = sessions, .megabytes = megabytes, .huge_dir = huge
	};
	char name[4][32];
	double bytes, ignored;
	int ret;

	snprintf(name[0], sizeof(name[0]), "full-%s", size);
	snprintf(name[1], sizeof(name[1]), "missed1-%s", size);
	snprintf(name[2], sizeof(name[2]), "full-%s-live", size);
	snprintf(name[3], sizeof(name[3]), "audit-%s", size);
	ret = bench_pair_start(&p);
	if (ret == 0)
		ret = bench_pair_run(&p, NULL, bench_side_write, NULL);
	if (ret == 0)
		ret = full(&p, name[0], bench_side_join, rounds, 4e6, &bytes);
	if (ret == 0)
		ret = missed(&p, name[1], rounds, bytes);
	if (ret == 0)
		ret = audited(&p, name[3], rounds);
	if (ret == 0)
		ret = full(&p, name[2], active_live, rounds, 4e6, &ignored);
	bench_pair_stop(&p);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint32_t sessions;
		unsigned int megabytes, rounds;
	} sizes[] = { { "1M", 1000000, 768, ROUNDS_MAX }, { "4M", 4000000, 1792, 3 } };
	struct bench_options o = { .rounds = 5 };

	if (bench_options(argc, argv, &o) < 0)
		return 2;
	o.rounds = RTE_MIN(o.rounds, (unsigned int)ROUNDS_MAX);
	if (o.smoke)
		return run("20k", 20000, 320, o.huge_dir, 1) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	for (unsigned int i = 0; i < RTE_DIM(sizes); i++)
		if ((o.sessions == 0 || o.sessions == sizes[i].sessions) &&
			run(sizes[i].name, sizes[i].sessions, sizes[i].megabytes, o.huge_dir,
				RTE_MIN(o.rounds, sizes[i].rounds)) < 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
