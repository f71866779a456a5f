/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_pair: a story of two chassis from a seed: subscribers come, change and go; the link loses,
 * reorders and breaks; chassis crash, take over, hand over and come back empty or stale. Then all
 * is calm, and both tables must be one. */
#include <getopt.h>
#include <stdlib.h>

#include <rte_eal.h>

#include "mutant.h"
#include "sim_pair.h"

static repl_term_t next_term(const struct node *n)
{
	return ((sim.term >> 1) + 1) << 1 | n->id;
}

static bool joined(const struct node *n)
{
	return n->up && !n->active && audit_in_sync_since(n->audit) != USEC_NEVER &&
	       n->term == sim.term;
}

/* What the winner keeps: what was told. Addresses in its quarantine wait anew; others that nobody
 * was told of are free. */
static void quarantines(struct node *n)
{
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		sim.waits[i] = 0;
		if (!sim.freed_told[i])
			sim.freed[i] = 0;
	}
	for (uint32_t pos = 0; pos < SLOTS; pos++) {
		const struct session_slot *s = &n->t->shard[0].slots[pos];
		uint32_t handle =
			session_handle_make(n->t, pos / PER_SHARD, pos % PER_SHARD, s->gen);

		/* What another session had since is that one's to keep. */
		if (s->teid == 0 && s->flags & SESSION_F_QUARANTINE &&
			n->ps->p[0].handle[s->last_ue4 % ADDRESSES] == handle)
			sim.waits[s->last_ue4 % ADDRESSES] = sim.now;
	}
}

static void promote(struct node *n, repl_term_t old_term)
{
	if (old_term == 0)
		flight_stop(n);
	check_promised(n);
	quarantines(n);
	if (old_term == 0)
		memset(sim.exact, 0, sizeof(sim.exact));
	node_promote(n, next_term(n), old_term);
	history_term(n);
	story("chassis %u is active in term %llu", n->id, (unsigned long long)sim.term);
}

static void crash(struct node *n, bool empty)
{
	if (n->late) /* what it counted since the hand-over goes with it */
		memset(sim.exact, 0, sizeof(sim.exact));
	node_stop(n, !empty);
	sim.restart_empty = empty;
	sim.restart_at = sim.now + 5000 + rnd(300000);
	sim.plan = PLAN_NONE;
	sim.hold = false;
	sim.crashes++;
	story("chassis %u crashes", n->id);
}

static void restart(struct node *n)
{
	sim.restart_at = 0;
	node_start(n, !sim.restart_empty);
	story("chassis %u is back, %s", n->id, sim.restart_empty ? "empty" : "stale");
}

/* ---- planned switchover ---- */

static void plan_next(enum plan plan)
{
	sim.plan = plan;
	sim.plan_at = sim.now + 500 + rnd(3000); /* a message between the chassis */
}

static bool workers_late(const struct node *n)
{
	for (unsigned int w = 0; w < n->n_workers; w++)
		if (!n->w[w].late_pending)
			return false;
	return true;
}

static void take_over(struct node *n, struct node *old)
{
	uint64_t last = repl_last_number(old->r), applied = repl_receive_stop(n->r, n->now);

	if (applied < last)
		fail("chassis %u applied up to %llu, chassis %u sent %llu", n->id,
			(unsigned long long)applied, old->id, (unsigned long long)last);
	/* The old one counts on in its own set, which the peer has not been told of. */
	for (uint32_t pos = 0; pos < SLOTS; pos++) {
		struct session_rec a, b;

		session_read_at(old->t, pos / PER_SHARD, pos % PER_SHARD, &a);
		session_read_at(n->t, pos / PER_SHARD, pos % PER_SHARD, &b);
		memset(&a.usage[old->id], 0, sizeof(a.usage[0]));
		memset(&b.usage[old->id], 0, sizeof(b.usage[0]));
		if (a.handle != b.handle || a.state != b.state ||
			a.peer_usr_teid != b.peer_usr_teid ||
			memcmp(a.usage, b.usage, sizeof(a.usage)) != 0)
			fail("slot %u is not handed over", pos);
	}
	promote(n, old->term);
}

static void plan_turn(void)
{
	struct node *a = &sim.node[sim.plan == PLAN_YIELD ? !sim.active : sim.active],
		    *b = peer_of(a);

	if (sim.plan == PLAN_NONE || sim.now < sim.plan_at)
		return;
	if (sim.plan != PLAN_YIELD &&
		(sim.now - sim.plan_since > PLAN_MOST || !joined(b) || !a->on ||
			(sim.plan == PLAN_STOP && rnd(4) == 0 /* refused */))) {
		story("the switchover is given up");
		sim.aborted++;
		sim.plan = PLAN_NONE;
		sim.hold = false;
		node_raise(a, next_term(a));
		history_term(a);
		if (b->up)
			node_write(b, sim.term, 0);
		return;
	}
	switch (sim.plan) {
	case PLAN_HOLD:
		if (sim.n_pending > 0 && sim.now - sim.plan_since < 50000)
			return;
		worker_late(a);
		plan_next(PLAN_LATE);
		break;
	case PLAN_LATE:
		if (!workers_late(a))
			return;
		a->draining = true;
		a->drained = false;
		plan_next(PLAN_DRAIN);
		break;
	case PLAN_DRAIN:
		if (a->drained)
			plan_next(PLAN_STOP);
		break;
	case PLAN_STOP:
		a->drained = false;
		take_over(b, a);
		plan_next(PLAN_YIELD);
		break;
	default: /* the old one learns that it was relieved */
		sim.planned++;
		sim.hold = false;
		sim.plan = PLAN_NONE;
		node_write(a, sim.term, b->old_term);
		story("chassis %u has handed over", a->id);
		break;
	}
}

/* ---- what happens ---- */

static void cut(usec_t us)
{
	sim.cut_until = sim.now + us;
	sim.cuts++;
	story("the link is cut for %llu us", (unsigned long long)us);
}

/* One bit of what the audit covers. */
static void flip(void)
{
	static const struct {
		size_t at, bytes;
	} fields[] = {
#define FIELD(f) { offsetof(struct session_slot, f), sizeof(((struct session_slot *)0)->f) }
		FIELD(teid), FIELD(ue4), FIELD(up_pkts), FIELD(up_bytes), FIELD(apn), FIELD(pool),
		FIELD(pdp_type), FIELD(peer_usr_teid), FIELD(peer_usr4), FIELD(dn_pkts),
		FIELD(dn_bytes), FIELD(gen), FIELD(charging_id), FIELD(key), FIELD(msisdn),
		FIELD(peer_ctl), FIELD(peer_usr), FIELD(peer_ctl_teid), FIELD(created_s),
		FIELD(other), FIELD(req_src4), FIELD(req_port), FIELD(req_seq), FIELD(req_type),
		FIELD(recovery), FIELD(qos_len), FIELD(qos)
	};
	struct node *n = &sim.node[!sim.active];

	if (sim.flip.set || !joined(n) || n->late || sim.plan != PLAN_NONE)
		return;
	for (unsigned int i = 0; i < 1000; i++) {
		uint32_t pos = (uint32_t)rnd(SLOTS);
		struct session_slot *s = &n->t->shard[0].slots[pos];
		unsigned int f = (unsigned int)rnd(RTE_DIM(fields)), bit;

		if (s->teid == 0)
			continue;
		bit = (unsigned int)rnd(fields[f].bytes * 8);
		((uint8_t *)s)[fields[f].at + bit / 8] ^= (uint8_t)(1U << bit % 8);
		sim.flip.set = true;
		sim.flip.pos = pos;
		sim.flip.at = sim.now;
		sim.flips++;
		story("chassis %u: slot %u: a bit flips at byte %zu", n->id, pos,
			fields[f].at + bit / 8);
		return;
	}
}

static void event(void)
{
	struct node *a = &sim.node[sim.active], *b = peer_of(a);
	bool ready = joined(b) && !b->late && !sim.flip.set && sim.demote_at == 0;

	sim.next_event = sim.now + 50000 + rnd(350000);
	switch (rnd(10)) {
	case 0:
	case 1:
		cut(rnd(300000));
		break;
	case 2:
		if (b->up && !b->active && sim.plan == PLAN_NONE && !sim.flip.set)
			crash(b, rnd(2));
		break;
	case 3:
	case 4:
		if (!ready || sim.plan >= PLAN_STOP)
			break;
		crash(a, rnd(2));
		promote(b, 0);
		break;
	case 5:
	case 6:
	case 7:
		if (!ready || sim.plan != PLAN_NONE)
			break;
		story("chassis %u hands over", a->id);
		sim.hold = true;
		sim.plan_since = sim.now;
		plan_next(PLAN_HOLD);
		break;
	case 8: /* both are active until the link is back */
		if (!ready || sim.plan != PLAN_NONE)
			break;
		cut(80000 + rnd(200000));
		promote(b, 0);
		sim.demote_at = sim.cut_until + rnd(20000);
		sim.splits++;
		break;
	default:
		if (rnd(2))
			flip();
		else
			sim.node[rnd(2)].stalled_until = sim.now + rnd(30000);
		break;
	}
}

static void events(void)
{
	struct node *b = &sim.node[!sim.active];

	if (sim.restart_at != 0 && sim.now >= sim.restart_at)
		restart(b);
	if (sim.demote_at != 0 && sim.now >= sim.demote_at) {
		sim.demote_at = 0;
		story("chassis %u gives way", b->id);
		node_write(b, sim.term, 0);
	}
	plan_turn();
	if (sim.faults && sim.now >= sim.next_event)
		event();
	if (sim.now == FLIP)
		flip();
}

/* ---- a run ---- */

static void setup(uint64_t seed, bool verbose)
{
	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	sim.verbose = verbose;
	sim.faults = true;
	sim.loss = (unsigned int)(rnd(3) == 0 ? 0 : rnd(120));
	sim.corrupt = (unsigned int)rnd(10);
	sim.duplicate = (unsigned int)rnd(50);
	sim.reorder = (unsigned int)rnd(200);
	sim.rate = (unsigned int)(rnd(3) == 0 ? 2 + rnd(4) : 5 + rnd(100));
	sim.traffic = (unsigned int)(1 + rnd(3));
	sim.ops = (unsigned int)(20 + rnd(250));
	sim.delay = 20 + rnd(1500);
	sim.jitter = rnd(4000);
	sim.payload = (uint16_t)(600 + rnd(800));
	sim.ring = (unsigned int)rnd(2);
	sim.next_event = 300000;
	sim.term = 2;
	for (unsigned int i = 0; i < 2; i++) {
		sim.node[i].id = i;
		sim.node[i].clock = 1000000 + rnd(UINT64_C(10000000000));
		node_start(&sim.node[i], false);
	}
	promote(&sim.node[0], 0);
	node_write(&sim.node[1], sim.term, 0);
}

static bool run(uint64_t seed, bool verbose)
{
	setup(seed, verbose);
	for (sim.now = STEP; sim.now < END && !sim.failed; sim.now += STEP) {
		sim.faults = sim.now < CALM;
		events();
		for (unsigned int i = 0; i < 2 && sim.now < END - 400000; i++)
			subscribers(&sim.node[i]);
		node_turn(&sim.node[0]);
		node_turn(&sim.node[1]);
		check_flip();
		if (sim.now % 40000 == 0)
			check_tables();
		if (sim.now % 50000 == 0)
			check_vouched();
	}
	if (!sim.failed)
		check_end();
	for (unsigned int i = 0; i < 2; i++) {
		node_stop(&sim.node[i], false);
		wire_clear(i);
	}
	history_free();
	if (!sim.failed && rte_mempool_in_use_count(pair_mbufs()) != 0)
		fail("%u mbufs leaked", rte_mempool_in_use_count(pair_mbufs()));
	if (verbose)
		printf("crashes %u, planned %u (given up %u), splits %u, restarts %u, cuts %u, "
		       "bits flipped %u (repaired %u), commits acknowledged %u, vouched for %u "
		       "times\n",
			sim.crashes, sim.planned, sim.aborted, sim.splits, sim.restarts, sim.cuts,
			sim.flips, sim.repaired, sim.told_n, sim.vouched);
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
	if (pair_eal() < 0) {
		fprintf(stderr, "sim_pair: the EAL did not start\n");
		return EXIT_FAILURE;
	}
	for (unsigned long long seed = from; seed <= to && !(planted && failed > 0); seed++)
		failed += !run(seed, verbose);
	printf("sim_pair: %llu seeds, %llu failed\n", to - from + 1, failed);
	rte_eal_cleanup();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
