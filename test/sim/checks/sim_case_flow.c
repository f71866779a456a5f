/* SPDX-License-Identifier: BSD-3-Clause */
/* What replication may delay, and what it may cost where the path is slower than the changes: a
 * rate that is kept, and paths that are narrow, lose, or end at a slow chassis. A case is one of
 * the rows, by the seed. */
#include "sim_case.h"

/* Of CASE_STEP: 2 s, and 200 ms. */
enum { SLOW_STEPS = 20000, BURST_STEPS = 2000 };

static struct node *const a = &sim.node[0], *const b = &sim.node[1];

/* User packets, and a commit every 2 ms. */
static void live(unsigned int packets)
{
	for (unsigned int i = 0; i < packets; i++)
		case_count(a, case_any(a));
	if (sim.now / 2000 != (sim.now + CASE_STEP) / 2000)
		case_commit(a, case_any(a));
	case_step(CASE_STEP);
}

static void told(const char *what)
{
	unsigned int under_way, n = case_commits(&under_way);

	printf("%s: %u commits, p50 %llu us, p99 %llu us, most %llu us, %u under way\n", what, n,
		(unsigned long long)case_latency(50), (unsigned long long)case_latency(99),
		(unsigned long long)case_latency(100), under_way);
}

/* ---- replication-rate ---- */

static void check_rate(uint32_t mbits, uint64_t bytes, usec_t took, usec_t most)
{
	unsigned int under_way;

	case_commits(&under_way);
	printf("%4u Mbit/s: in sync after %llu ms at %.1f Mbit/s\n", mbits,
		(unsigned long long)took / MS, (double)bytes * 8 / (double)took);
	told("  meanwhile");
	if (!case_in_sync())
		broken(11, "%u Mbit/s: not in sync after %llu ms", mbits,
			(unsigned long long)took / MS);
	if (under_way >= 20 || case_latency(100) > most)
		broken(13, "%u Mbit/s: a commit took %llu us, and %u are under way", mbits,
			(unsigned long long)case_latency(100), under_way);
	if (bytes * 8 > mbits * took * 102 / 100 + 200000)
		broken(13, "%u Mbit/s: %llu bytes were sent in %llu us", mbits,
			(unsigned long long)bytes, (unsigned long long)took);
	if (bytes * 8 < mbits * took * 60 / 100)
		broken(13, "%u Mbit/s: less than 60 %% of it was used", mbits);
}

/* A full resync and live traffic at a low rate: signalling is not delayed by it, the rate is kept,
 * and it ends. */
void case_rate(void)
{
	static const struct {
		uint32_t mbits, sessions;
		usec_t most;
	} rates[] = { { 10, 2048, 10000 }, { 100, 16384, 5000 }, { 1000, 65536, 3000 } };
	unsigned int i = (unsigned int)((sim.seed + RTE_DIM(rates) - 1) % RTE_DIM(rates));
	uint64_t before;
	usec_t began;

	for (unsigned int k = 0; k < 2; k++)
		sim.node[k].conf.srp.replication_rate_mbps = rates[i].mbits;
	case_start(rates[i].sessions, 20);
	node_boot(1);
	if (!case_until(case_streams, 5 * USEC_PER_SEC))
		broken(11, "a standby came, and nothing is streamed to it");
	before = sim.wire[PATH_STREAM][TO_1].sent;
	began = sim.now;
	while (!sim.failed && !case_in_sync() && sim.now - began < 20 * USEC_PER_SEC)
		live(rates[i].mbits / 20 + 1);
	if (!sim.failed)
		check_rate(rates[i].mbits, sim.wire[PATH_STREAM][TO_1].sent - before,
			sim.now - began, rates[i].most);
}

/* ---- a slow path ---- */

struct slow_path {
	const char *what;
	unsigned int rate;    /* bytes a ms, 0: any number */
	usec_t queue;         /* what waits for it at most */
	unsigned int pace;    /* records that the standby applies a ms, 0: any number */
	unsigned int loss;    /* per mille */
	unsigned int packets; /* user packets a step */
	usec_t most;          /* of a commit, 99 % of them */
};

static const struct slow_path paths[] = {
	{ "100 Mbit/s link", 12500, 20480, 0, 0, 120, 50000 },
	{ "10 Mbit/s link", 1250, 51200, 0, 0, 120, 120000 },
	{ "slow standby", 0, 0, 400, 0, 120, 50000 },
	{ "1 % loss", 0, 0, 0, 10, 120, 20000 },
	{ "30 % loss", 0, 0, 0, 300, 48, 100000 },
};

/* All at once, as the path was never asked to take them. */
static void burst(void)
{
	for (uint32_t i = 0; i < sim.slots; i++)
		case_count(a, case_any(a));
}

static void narrow(const struct slow_path *p)
{
	struct wire *w = sim.wire[PATH_STREAM];

	w[TO_1].rate = p->rate;
	w[TO_1].queue = p->queue;
	w[TO_0].loss = w[TO_1].loss = p->loss;
	b->pace = p->pace;
	w[TO_1].sent = w[TO_1].lost = 0;
	a->again = 0;
}

static void check_slow(const struct slow_path *p)
{
	const struct wire *w = &sim.wire[PATH_STREAM][TO_1];
	unsigned int under_way;

	case_commits(&under_way);
	printf("%s: %.1f %% lost, repair %.2f x lost; window %u\n", p->what,
		(double)w->lost * 100 / (double)w->sent,
		w->lost > 0 ? (double)a->again / (double)w->lost : 0,
		repl_window(a->t.repl->stream));
	told("  meanwhile");
	if (a->again > 3 * w->lost + 10000)
		broken(13, "%s: %llu bytes repaired for %llu lost", p->what,
			(unsigned long long)a->again, (unsigned long long)w->lost);
	if (case_latency(99) > p->most || under_way >= 250)
		broken(13, "%s: of 100 commits one takes %llu us or more, and %u are under way",
			p->what, (unsigned long long)case_latency(99), under_way);
}

/* More changes than the path takes: they collapse; nothing grows, nobody is blocked, and it ends in
 * sync. That no more than the window is unacknowledged is looked at in each turn. */
void case_slow(void)
{
	const struct slow_path *p = &paths[(sim.seed + RTE_DIM(paths) - 1) % RTE_DIM(paths)];

	case_start(16384, 20);
	node_boot(1);
	if (!case_until(case_in_sync, 10 * USEC_PER_SEC))
		broken(11, "%s: no sync to begin with", p->what);
	narrow(p);
	case_forget();
	for (unsigned int i = 0; i < SLOW_STEPS && !sim.failed; i++) {
		if (i % BURST_STEPS == 0)
			burst();
		live(p->packets);
	}
	if (sim.failed)
		return;
	check_slow(p);
	if (!case_until(case_in_sync, 20 * USEC_PER_SEC))
		broken(11, "%s: not in sync at the end", p->what);
	sim.wire[PATH_STREAM][TO_0].loss = sim.wire[PATH_STREAM][TO_1].loss = 0;
	case_step(500 * MS);
	if (!sim.failed)
		check_pair(a, b);
}
