/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_repl: two chassis' streams and audits over a network that loses, duplicates, reorders,
 * delays, throttles and partitions, all from a seed. A slot is a version number. The story of a
 * seed: left is active; the standby crashes and comes back empty; the link is cut; the roles flip,
 * with late usage; then all is calm, and all must be equal. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mutant.h"
#include "sim_repl.h"
#include "truth.h"

struct sim sim;

uint64_t rnd(uint64_t below)
{
	sim.random ^= sim.random >> 12;
	sim.random ^= sim.random << 25;
	sim.random ^= sim.random >> 27;
	return (sim.random * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

bool chance(unsigned int per_mille)
{
	return sim.faults && rnd(1000) < per_mille;
}

void fail(const char *format, ...)
{
	va_list args;

	if (sim.failed)
		return;
	sim.failed = true;
	fprintf(stderr, "seed %llu at %llu us: ", (unsigned long long)sim.seed,
		(unsigned long long)sim.now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* ---- the network ---- */

/* A number is used once in a process' life, so no nonce is ever used twice. */
static void check_number(struct node *n, const uint8_t *bytes)
{
	struct rd r = rd_init(bytes + 4, 8);
	uint64_t number = rd_u64(&r);

	if (number <= n->number)
		fail("number %llu is used again", (unsigned long long)number);
	n->number = number;
}

void wire_put(unsigned int to, const uint8_t *bytes, size_t len)
{
	struct wire *w = &sim.wire[to];
	bool cut = sim.now >= sim.cut_at && sim.now < sim.cut_until;
	struct packet *p;

	check_number(&sim.node[!to], bytes);
	if (w->n == WIRE || chance(sim.loss) || (cut && !sim.cut_holds))
		return;
	if (sim.faults && w->budget == 0)
		return;
	if (w->budget > 0)
		w->budget--;
	p = malloc(sizeof(*p));
	if (p == NULL)
		abort();
	p->sent = sim.now;
	p->held = cut;
	p->at = (cut ? sim.cut_until : sim.now) + sim.delay +
		(chance(sim.reorder) ? rnd(sim.jitter + 1) : 0);
	p->len = len;
	memcpy(p->bytes, bytes, len);
	w->p[w->n++] = p;
}

static void deliver(struct node *n, const struct packet *p)
{
	uint32_t peer = repl_peer_incarnation(n->r);
	usec_t heard = repl_heard(n->r);

	repl_input(n->r, p->bytes, p->len, sim.now);
	if (repl_heard(n->r) != heard && peer == repl_peer_incarnation(n->r) &&
		n->heard_live == peer &&
		sim.now - p->sent > LIFE + sim.delay + sim.jitter + 2 * STEP)
		fail("a packet of %llu us ago was taken for life",
			(unsigned long long)(sim.now - p->sent));
	if (!p->held)
		n->heard_live = repl_peer_incarnation(n->r);
}

static void wire_run(unsigned int to)
{
	struct wire *w = &sim.wire[to];
	unsigned int kept = 0, n = w->n;

	w->budget = sim.rate;
	for (unsigned int i = 0; i < n; i++) {
		struct packet *p = w->p[i];

		if (p->at > sim.now) {
			w->p[kept++] = p;
			continue;
		}
		deliver(&sim.node[to], p);
		if (chance(sim.duplicate)) {
			p->at = sim.now + rnd(5000);
			w->p[kept++] = p;
		} else {
			free(p);
		}
	}
	w->n = kept;
}

/* ---- the story ---- */

static void activate(struct node *n, repl_term_t term)
{
	n->active = true;
	n->late = false;
	n->term = term;
	repl_stream_start(n->r, term, sim.now);
	node_join(n);
}

static void clean(struct node *n)
{
	memset(n->dirty, 0, sizeof(n->dirty));
	n->n_dirty = 0;
}

static void crash(struct node *n)
{
	memcpy(n->ghost, n->version, sizeof(n->ghost));
	node_stop(n);
	memset(n->version, 0, sizeof(n->version));
	memset(n->written, 0, sizeof(n->written));
	clean(n);
	node_start(n, n->incarnation + 0x1000);
	repl_receive(n->r, REPL_RX_APPLY, 2, 0);
}

static void flip(void)
{
	struct node *old = &sim.node[0], *new = &sim.node[1];

	repl_receive_stop(new->r, sim.now);
	for (unsigned int w = 0; w < WORKERS; w++)
		audit_source_stop(old->source[w]);
	repl_stream_stop(old->r);
	clean(old);
	old->active = false;
	old->late = true;
	for (uint32_t slot = 0; slot < SLOTS; slot += 7) {
		old->usage[slot] = 1 + (uint32_t)rnd(1000);
		node_mark(old, slot);
	}
	repl_stream_late(old->r, old->term, sim.now);
	repl_receive(old->r, REPL_RX_APPLY, 5, 0);
	repl_receive(new->r, REPL_RX_LATE, 5, old->term);
	activate(new, 5);
}

static void node_turn(struct node *n)
{
	uint8_t buf[PACKET];
	size_t len;

	wire_run(n->id);
	repl_tick(n->r, sim.now);
	audit_scan(n->audit);
	for (unsigned int w = 0; w < WORKERS && (n->active || n->late); w++)
		node_encode(n, w);
	while ((len = repl_poll(n->r, buf, sizeof(buf), sim.now)) > 0)
		wire_put(!n->id, buf, len);
	if (repl_unacked(n->r) > REPL_WINDOW)
		fail("%u unacknowledged", repl_unacked(n->r));
	if (truth_alone(n->r) != NULL)
		fail("%s", truth_alone(n->r));
}

/* "In sync since T" must be true: what was written well before T (a digest may have been held by
 * the cut) is there. */
static void check_vouched(const struct node *active, const struct node *standby)
{
	usec_t since = repl_peer_status(active->r)->in_sync_since_ms * 1000;

	if (since == 0 || repl_peer_incarnation(active->r) != standby->incarnation)
		return;
	sim.vouched++;
	for (uint32_t i = 0; i < SLOTS; i++)
		if (sim.changed[i] + 400000 < since && standby->version[i] != active->version[i])
			fail("slot %u: in sync since %llu us, and %u instead of %u", i,
				(unsigned long long)since, standby->version[i], active->version[i]);
}

static void check_truth(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		const char *alone = truth_alone(sim.node[i].r);
		const char *between = truth_between(sim.node[i].r, sim.node[!i].r);

		if (alone != NULL || between != NULL)
			fail("%s", alone != NULL ? alone : between);
	}
}

static void check_end(void)
{
	struct node *standby = &sim.node[0], *active = &sim.node[1];
	const struct repl_status *st = repl_peer_status(active->r);

	for (uint32_t i = 0; i < SLOTS; i++) {
		if (standby->version[i] != active->version[i])
			fail("slot %u: %u at the active, %u at the standby", i, active->version[i],
				standby->version[i]);
		if (standby->usage[i] != active->usage_heard[i])
			fail("slot %u: late usage %u, heard %u", i, standby->usage[i],
				active->usage_heard[i]);
	}
	check_truth();
	/* The audit goes on, so something may be under way. */
	if ((repl_unacked(active->r) != 0 && sim.now - repl_oldest_unacked(active->r) > 20000) ||
		repl_unacked(standby->r) != 0)
		fail("%u and %u never acknowledged", repl_unacked(active->r),
			repl_unacked(standby->r));
	if (audit_unmatched(standby->audit) != 0 || st->unmatched != 0)
		fail("%u buckets do not match, %u said", audit_unmatched(standby->audit),
			st->unmatched);
	if (st->in_sync_since_ms * 1000 + 250000 < sim.now)
		fail("in sync since %llu ms only", (unsigned long long)st->in_sync_since_ms);
	if (!repl_hears_us(active->r) || sim.now - repl_heard(active->r) > 25000 ||
		sim.now - repl_heard(standby->r) > 25000)
		fail("not heard");
}

static void show(const struct node *n)
{
	const uint64_t *c = (const uint64_t *)repl_count(n->r),
		       *a = (const uint64_t *)audit_count(n->audit);

	printf("%s, incarnation %x:", n->id ? "right" : "left", n->incarnation);
	for (unsigned int i = 0; i < repl_counters_n; i++)
		if (c[i] != 0)
			printf(" %s %llu", repl_counters_names[i], (unsigned long long)c[i]);
	for (unsigned int i = 0; i < audit_counters_n; i++)
		printf(" %s %llu", audit_counters_names[i], (unsigned long long)a[i]);
	printf("\n");
}

static bool run(uint64_t seed, bool verbose)
{
	unsigned int vouched = 0;

	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	sim.verbose = verbose;
	sim.faults = true;
	sim.loss = (unsigned int)(rnd(3) == 0 ? 0 : rnd(100));
	sim.duplicate = (unsigned int)rnd(50);
	sim.reorder = (unsigned int)rnd(200);
	sim.again = (unsigned int)rnd(10);
	sim.rate = (unsigned int)(5 + rnd(100));
	sim.changes = (unsigned int)(1 + rnd(rnd(8) == 0 ? 64 : 8)); /* many fill the window */
	sim.delay = 20 + rnd(2000);
	sim.jitter = rnd(4000);
	sim.crash_at = 200000 + rnd(900) * 1000;
	sim.cut_at = 600000 + rnd(1000) * 1000;
	sim.cut_until = sim.cut_at + rnd(rnd(4) == 0 ? 600 : 300) * 1000;
	sim.cut_holds = rnd(2);
	for (unsigned int i = 0; i < 2; i++) {
		sim.node[i].id = i;
		node_start(&sim.node[i], 0x10 + i);
	}
	repl_receive(sim.node[1].r, REPL_RX_APPLY, 2, 0);
	activate(&sim.node[0], 2);
	for (sim.now = STEP; sim.now < END && !sim.failed; sim.now += STEP) {
		sim.faults = sim.now < CALM;
		for (unsigned int i = 0; sim.faults && i < sim.changes; i++)
			node_traffic(&sim.node[sim.node[1].active]);
		if (sim.now / STEP == sim.crash_at / STEP)
			crash(&sim.node[1]);
		if (sim.now == FLIP) {
			vouched = sim.vouched;
			flip();
		}
		if (sim.now % 50000 == 0)
			check_vouched(
				&sim.node[sim.node[1].active], &sim.node[!sim.node[1].active]);
		node_turn(&sim.node[0]);
		node_turn(&sim.node[1]);
	}
	if (!sim.failed)
		check_end();
	if (verbose)
		printf("vouched for at %u checks before the flip, %u after\n", vouched,
			sim.vouched - vouched);
	for (unsigned int i = 0; i < 2; i++) {
		if (verbose)
			show(&sim.node[i]);
		node_stop(&sim.node[i]);
		while (sim.wire[i].n > 0)
			free(sim.wire[i].p[--sim.wire[i].n]);
	}
	return !sim.failed;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'r' },
		{ "mutant", required_argument, NULL, 'm' }, { 0 } };
	unsigned long long from = 1, to = 20, failed = 0;
	bool verbose = false, planted = false;
	int c;

	while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (c == 's')
			from = to = strtoull(optarg, NULL, 0);
		else if (c == 'r' && sscanf(optarg, "%llu..%llu", &from, &to) == 2)
			continue;
		else if (c == 'm' && mutant_set(optarg))
			planted = true;
		else if (c == 'v')
			verbose = true;
		else
			return EXIT_FAILURE;
	}
	for (unsigned long long seed = from; seed <= to && !(planted && failed > 0); seed++)
		failed += !run(seed, verbose);
	printf("sim_repl: %llu seeds, %llu failed\n", to - from + 1, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
