/* SPDX-License-Identifier: BSD-3-Clause */
/* What replication costs and what it may delay: `sim_flow [--sessions N] [--mutant NAME]
 * [CASE]...`. Bytes are of Ethernet frames, of both directions. Each case prints what it measured
 * and says what bound it broke, if any. */
#include <stdarg.h>
#include <stdlib.h>

#include "mutant.h"
#include "sim_flow.h"

static bool failed;
static uint32_t sessions = 65536;

static void check(bool good, const char *format, ...)
{
	va_list args;

	if (good)
		return;
	failed = true;
	fputs("FAILED: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static uint64_t bytes(void)
{
	return w.link[0].bytes + w.link[1].bytes;
}

/* Until the standby says that all matches; false: not within so many us. */
static bool settle(usec_t most)
{
	usec_t end = w.now + most;

	do
		bed_step();
	while (!bed_in_sync() && w.now < end);
	return bed_in_sync();
}

static uint64_t resync(const char *what)
{
	uint64_t before = bytes();
	usec_t began = w.now;

	bed_join();
	check(settle(60 * USEC_PER_SEC), "%s: not in sync after a minute", what);
	check(bed_equal(), "%s: the tables differ", what);
	printf("%-22s %10llu bytes %8llu us, wants: %u slot by slot, %u of slots, %u whole\n", what,
		(unsigned long long)(bytes() - before), (unsigned long long)(w.now - began),
		(unsigned int)audit_count(w.node[1].audit)->wants_level2,
		(unsigned int)audit_count(w.node[1].audit)->wants_slots,
		(unsigned int)audit_count(w.node[1].audit)->wants_whole);
	return bytes() - before;
}

/* While the standby is away, so many of the sessions change. */
static void miss(uint32_t n)
{
	bed_leave();
	while (n > 0) {
		unsigned int worker;
		struct session_slot *s = bed_any(&worker);
		struct session_rec r = { .handle = s->teid, .qos_len = 3, .req_seq = 777 };

		if (s->req_seq == 777)
			continue;
		if (session_update(w.node[0].t, (uint8_t)worker, &r,
			    SESSION_G_QOS | SESSION_G_REQUEST) < 0)
			abort();
		n--;
	}
}

/* Empty, equal, 1 % missed, and interrupted: what was brought once is not brought again. */
static void case_resync(void)
{
	uint64_t full, equal, missed, half;

	bed_start(sessions, 0);
	full = resync("empty");
	bed_leave();
	equal = resync("equal");
	miss(sessions / 100);
	missed = resync("1 % missed");
	check(equal * 1000 <= full * 2, "equal costs %.2f %%", (double)equal * 100 / (double)full);
	check(missed * 100 <= full * 2, "1 %% missed costs %.2f %%",
		(double)missed * 100 / (double)full);
	bed_stop();
	printf("of a full one: equal %.3f %%, 1 %% missed %.3f %%; a session: %.1f bytes\n",
		(double)equal * 100 / (double)full, (double)missed * 100 / (double)full,
		(double)full / sessions);

	bed_start(sessions, 0);
	half = bytes();
	bed_join();
	while (bytes() - half < full / 2)
		bed_step();
	half = bytes() - half;
	bed_leave();
	for (unsigned int i = 0; i < 50; i++)
		bed_step();
	half += resync("after half of it");
	check(half * 100 <= full * 102, "interrupted: %.2f %% in all",
		(double)half * 100 / (double)full);
	printf("interrupted at half: %.2f %% in all\n", (double)half * 100 / (double)full);
	bed_stop();
}

static int by_value(const void *a, const void *b)
{
	usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;

	return x < y ? -1 : x > y;
}

static usec_t latency(unsigned int per_cent)
{
	unsigned int n = RTE_MIN(w.n_latency, (unsigned int)RTE_DIM(w.latency));

	if (n == 0)
		return USEC_NEVER;
	qsort(w.latency, n, sizeof(w.latency[0]), by_value);
	return w.latency[(n - 1) * per_cent / 100];
}

/* User packets, and a commit every 2 ms. */
static void live(unsigned int packets)
{
	for (unsigned int i = 0; i < packets; i++) {
		unsigned int worker;
		struct session_slot *s = bed_any(&worker);

		bed_count(s, worker);
	}
	if (w.now % 2000 == 0)
		bed_commit();
	bed_step();
}

/* A full resync and live traffic at a low rate: signalling is not delayed by it, the rate is kept,
 * and it ends. */
static void case_rate(void)
{
	static const struct {
		uint32_t mbits, sessions;
		usec_t most;
	} rates[] = { { 10, 2048, 10000 }, { 100, 16384, 5000 }, { 1000, 65536, 3000 } };

	for (unsigned int i = 0; i < RTE_DIM(rates); i++) {
		uint64_t before;
		usec_t began, worst;

		bed_start(rates[i].sessions, rates[i].mbits);
		bed_join();
		before = w.link[1].bytes;
		began = w.now;
		while (!bed_in_sync() && w.now - began < 20 * USEC_PER_SEC)
			live(rates[i].mbits / 20 + 1);
		worst = latency(100);
		printf("%4u Mbit/s: in sync after %llu ms at %.1f Mbit/s; %u commits, p50 %llu us, "
		       "p99 %llu us, most %llu us; FIFO %u\n",
			rates[i].mbits, (unsigned long long)(w.now - began) / 1000,
			(double)(w.link[1].bytes - before) * 8 / (double)(w.now - began),
			w.n_latency, (unsigned long long)latency(50),
			(unsigned long long)latency(99), (unsigned long long)worst, w.fifo_most);
		check(bed_in_sync(), "%u Mbit/s: not in sync", rates[i].mbits);
		check(w.n_pending < 20 && worst <= rates[i].most,
			"%u Mbit/s: a commit took %llu us", rates[i].mbits,
			(unsigned long long)worst);
		check((w.link[1].bytes - before) * 8 <=
				rates[i].mbits * (w.now - began) * 102 / 100 + 200000,
			"%u Mbit/s: more was sent", rates[i].mbits);
		check((w.link[1].bytes - before) * 8 >= rates[i].mbits * (w.now - began) * 60 / 100,
			"%u Mbit/s: less than 60 %% of it was used", rates[i].mbits);
		bed_stop();
	}
}

struct path {
	const char *what;
	uint64_t link;        /* bytes a second */
	uint64_t queue;       /* bytes */
	uint64_t applied;     /* records a step at the standby */
	unsigned int loss;    /* per mille */
	unsigned int packets; /* user packets a step */
	usec_t most;          /* of a commit, 99 % of them */
};

static const struct path paths[] = {
	{ "100 Mbit/s link", 12500000, 256000, 0, 0, 1000, 50000 },
	{ "10 Mbit/s link", 1250000, 64000, 0, 0, 1000, 120000 },
	{ "slow standby", 0, 0, 40, 0, 1000, 50000 },
	{ "1 % loss", 0, 0, 0, 10, 1000, 20000 },
	{ "30 % loss", 0, 0, 0, 300, 400, 100000 },
};

/* More changes than the path takes: they collapse; nothing grows, nobody is blocked, and it ends in
 * sync. */
static void case_slow(void)
{
	for (unsigned int i = 0; i < RTE_DIM(paths); i++) {
		const struct path *p = &paths[i];
		const struct repl_counters *tx;
		uint64_t marks = 0, sent = 0, lost;
		usec_t began;

		bed_start(16384, 0);
		bed_join();
		check(settle(10 * USEC_PER_SEC), "%s: no sync to begin with", p->what);
		w.link[1].rate = p->link;
		w.link[1].queue = p->queue;
		w.link[0].loss = w.link[1].loss = p->loss;
		w.node[1].applied_most = p->applied;
		w.link[1].bytes = w.link[1].lost_bytes = w.repaired_bytes = 0;
		w.fifo_most = w.unacked_most = w.n_latency = 0;
		began = w.now;
		while (w.now - began < 3 * USEC_PER_SEC) {
			live(p->packets);
			marks += p->packets;
		}
		tx = repl_count(w.node[0].r);
		sent = tx->tx_entries;
		lost = w.link[1].lost_bytes;
		printf("%-16s %llu packets in %llu records; %.1f Mbit/s, %.1f %% lost, repair %.2f "
		       "x lost; commits p50 %llu us, p99 %llu us, %u under way; unacked %u, window "
		       "%u, FIFO %u\n",
			p->what, (unsigned long long)marks, (unsigned long long)sent,
			(double)w.link[1].bytes * 8 / (double)(w.now - began),
			(double)lost * 100 / (double)w.link[1].bytes,
			lost > 0 ? (double)w.repaired_bytes / (double)lost : 0,
			(unsigned long long)latency(50), (unsigned long long)latency(99),
			w.n_pending, w.unacked_most, repl_window(w.node[0].r), w.fifo_most);
		check(w.unacked_most <= REPL_WINDOW, "%s: %u unacknowledged", p->what,
			w.unacked_most);
		check(w.fifo_most <= STREAM_FIFO, "%s: FIFO %u", p->what, w.fifo_most);
		check(w.repaired_bytes <= 3 * lost + 10000, "%s: %llu bytes repaired for %llu lost",
			p->what, (unsigned long long)w.repaired_bytes, (unsigned long long)lost);
		check(latency(99) <= p->most && w.n_pending < 400, "%s: commits wait", p->what);
		check(settle(20 * USEC_PER_SEC), "%s: not in sync at the end", p->what);
		for (unsigned int k = 0; k < 5000; k++)
			bed_step();
		check(bed_equal(), "%s: the tables differ", p->what);
		bed_stop();
	}
}

static void case_flip(void)
{
	check(flip_all(), "a flipped bit");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = { { "resync", case_resync }, { "rate", case_rate }, { "slow", case_slow },
	{ "flip", case_flip } };

int main(int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
		if (strcmp(argv[i], "--sessions") == 0)
			sessions = (uint32_t)strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--mutant") != 0 || !mutant_set(argv[i + 1]))
			return EXIT_FAILURE;
	if (bed_eal() < 0)
		return EXIT_FAILURE;
	for (unsigned int c = 0; c < RTE_DIM(cases); c++) {
		bool asked = i == argc;

		for (int k = i; k < argc; k++)
			asked |= strcmp(argv[k], cases[c].name) == 0;
		if (asked)
			cases[c].run();
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
