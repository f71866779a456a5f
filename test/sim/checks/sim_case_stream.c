/* SPDX-License-Identifier: BSD-3-Clause */
/* The stream on paths as bad as they come, drawn from the seed: they lose, double, turn round and
 * hold back, are cut, or keep all and let it go at once; the standby's core cannot take every
 * record at the first time, and its process ends and comes back empty. What is changed is
 * committed; then the roles change, with late usage; then all is calm, and all must be equal. */
#include "sim_case.h"

enum { SESSIONS = 2000, HOT = 300, BEAT = 10, AUDIT_US = 100 * MS, LONE = 20 };

static struct node *const a = &sim.node[0], *const b = &sim.node[1];

/* What a seed's path is like while it is bad, both ways. */
static struct wire bad;

static void draw(void)
{
	bad = (struct wire){ .loss = (unsigned int)(rnd(3) == 0 ? 0 : rnd(100)),
		.duplicate = (unsigned int)rnd(50),
		.reorder = (unsigned int)rnd(200),
		.delay = 20 + rnd(2000),
		.jitter = rnd(4000),
		.rate = rnd(4) == 0 ? 2000 + (unsigned int)rnd(20000) : 0 };
}

static void path(const struct wire *like, unsigned int again)
{
	case_path(like);
	sim.again = again;
}

static void calm(void)
{
	const struct wire good = { .delay = bad.delay };

	path(&good, 0);
}

/* A few sessions are hot. */
static struct session_slot *any(const struct node *n)
{
	struct session_slot *s = case_any(n);

	for (unsigned int i = 0; rnd(3) != 0 && i < 64 && (s->key >> 4) >= HOT; i++)
		s = case_any(n);
	return s;
}

static void changes(struct node *n, usec_t us, unsigned int most)
{
	for (usec_t end = sim.now + us; !sim.failed && sim.now < end;) {
		for (unsigned int i = (unsigned int)rnd(most) + 1; i > 0; i--) {
			if (rnd(2))
				case_commit(n, any(n));
			else
				case_count(n, any(n));
		}
		case_step(2 * CASE_STEP);
	}
}

static void restart(void)
{
	node_crash(1, false, "is killed");
	case_forget();
	case_step(5 * MS + rnd(50 * MS));
	node_boot(1);
	case_hurry(b, AUDIT_US);
}

/* A dead link that keeps what it was given. */
static void hold(usec_t us)
{
	story(-1, "the stream is held for %llu ms", (unsigned long long)us / MS);
	sim.wire[PATH_STREAM][TO_0].held = sim.wire[PATH_STREAM][TO_1].held = sim.now + us;
	changes(a, us + 100 * MS, 3);
}

/* Nothing comes back: no more than the window is under way, whatever is committed. */
static void cut(void)
{
	wire_cut(PATH_STREAM, TO_0, true);
	wire_cut(PATH_STREAM, TO_1, true);
	for (usec_t end = sim.now + 380 * MS; !sim.failed && sim.now < end;) {
		for (unsigned int i = 0; i < 6; i++)
			case_commit(a, case_any(a));
		case_step(CASE_STEP / 2);
	}
	story(a->id, "%u packets are unacknowledged", repl_unacked(a->t.repl->stream));
	wire_cut(PATH_STREAM, TO_0, false);
	wire_cut(PATH_STREAM, TO_1, false);
	case_forget();
	if (!case_until(case_in_sync, 20 * USEC_PER_SEC))
		broken(11, "not in sync after the stream was cut");
}

static bool nothing_waits(void)
{
	unsigned int under_way;

	case_commits(&under_way);
	return under_way == 0;
}

/* One commit and nothing behind it that would show its loss. */
static void lone(void)
{
	case_hurry(a, 60 * USEC_PER_SEC);
	case_leave();
	case_join();
	if (!case_until(case_in_sync, 20 * USEC_PER_SEC))
		broken(11, "not in sync after the stream was away");
	case_step(500 * MS);
	for (unsigned int i = 0; i < LONE && !sim.failed; i++) {
		case_forget();
		sim.wire[PATH_STREAM][TO_1].loss = 300;
		case_commit(a, case_any(a));
		if (!case_until(nothing_waits, 2 * USEC_PER_SEC))
			broken(13, "a commit with nothing behind it is never acknowledged");
	}
}

static bool handed_over(void)
{
	return control_is_up(b->t.control) && b->state == SRP_ACTIVE && a->state == SRP_STANDBY;
}

/* Packets of before still come to who hands over: they are counted late. */
static void late(usec_t us)
{
	for (usec_t end = sim.now + us; !sim.failed && sim.now < end; case_step(CASE_STEP)) {
		struct session_slot *s = case_any(a);
		unsigned int w = a->t.shared.worker_of_shard[session_handle_shard(s->teid)];

		if (a->t.worker[w]->fp.mode == FASTPATH_LATE)
			case_count(a, s);
	}
}

static void hand_over(void)
{
	char reason[SRP_REASON_MAX] = "";

	for (unsigned int i = 0; i < 100 && !sim.failed && !handed_over(); i++) {
		if (a->state == SRP_ACTIVE && node_hand_over(0, reason) == 0)
			node_wake(0, CONTROL, 10);
		late(200 * MS);
	}
	if (!handed_over())
		broken(11, "it does not hand over: %s", reason);
}

/* Nothing crashed since: all that was counted is at both. */
static void check_counted(const struct node *n)
{
	for (unsigned int i = 0; i < n->n_used && !sim.failed; i++) {
		uint32_t pos = n->used[i];
		struct session_rec r;
		const struct truth *t;

		session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
		t = r.state == SESSION_LIVE ? truth_of(r.handle, false) : NULL;
		if (t != NULL && memcmp(r.usage, t->use, sizeof(r.usage)) != 0)
			broken(7,
				"chassis %c: %08x: usage was lost: %llu and %llu of %llu and %llu",
				'A' + n->id, r.handle, (unsigned long long)r.usage[0].up_pkts,
				(unsigned long long)r.usage[1].up_pkts,
				(unsigned long long)t->use[0].up_pkts,
				(unsigned long long)t->use[1].up_pkts);
	}
}

/* Nothing is under way, all was compared within the last passes, and each hears the other. */
static void check_rest(void)
{
	enum { SOON = 25 * MS };
	const struct repl *tx = b->t.repl->stream, *rx = a->t.repl->stream;

	case_check_recent(b, AUDIT_US);
	if (repl_unacked(rx) > 0)
		broken(13, "%u packets of late usage are never acknowledged", repl_unacked(rx));
	if (!repl_hears_us(tx) || b->t.repl->now - repl_heard(tx) > SOON ||
		a->t.repl->now - repl_heard(rx) > SOON)
		broken(10, "all is calm, and a chassis does not hear the other");
	if (repl_count(tx)->rx_malformed + repl_count(rx)->rx_malformed > 0)
		broken(5, "a packet that nothing flipped a bit of is malformed");
}

void case_stream(void)
{
	draw();
	case_start(SESSIONS, BEAT);
	case_hurry(a, AUDIT_US);
	node_boot(1);
	case_hurry(b, AUDIT_US);
	if (!case_until(case_in_sync, 10 * USEC_PER_SEC))
		broken(11, "no sync to begin with");
	path(&bad, (unsigned int)rnd(10));
	changes(a, 300 * MS, 4);
	restart();
	changes(a, 600 * MS, rnd(4) == 0 ? 16 : 4);
	hold(100 * MS + rnd(300 * MS));
	changes(a, 200 * MS, 4);
	calm();
	cut();
	sim.idle = 500;
	lone();
	path(&bad, 0);
	hand_over();
	late(300 * MS);
	changes(b, 300 * MS, 4);
	calm();
	sim.idle = 1 * MS;
	case_step(4 * USEC_PER_SEC);
	if (sim.failed)
		return;
	check_pair(b, a);
	check_rest();
	check_counted(a);
	check_counted(b);
}
