/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes wrong in a run: its profile and its faults, drawn from the seed. After `calm_at`
 * nothing does. */
#include "sim.h"

enum { QUIET, LOSSY, CRASHES, PARTITIONS, STALLS, ALL, MIXES };

static const char *const mix_names[MIXES] = { "quiet", "lossy", "crashes", "partitions", "stalls",
	"all" };

/* ---- processes and machines ---- */

static void boot(struct ev *e)
{
	sim.node[e->node].starting = false;
	if (sim.node[e->node].up)
		return;
	node_boot(e->node);
	if (!sim.node[e->node].up)
		ev_at(sim.now + 200 * MS, e->node, boot);
}

/* Whoever ended by itself is started again, as a service manager does. */
static void watch(struct ev *e)
{
	for (int i = 0; i < 2; i++)
		if (!sim.node[i].up && !sim.node[i].starting) {
			sim.node[i].starting = true;
			ev_at(sim.now + 5 * MS + rnd(sim.calm ? 50 * MS : 400 * MS), i, boot);
		}
	ev_at(sim.now + 3 * MS, -1, watch);
}

/* Whether the other's disk remembers the terms of this chassis: where it was full until just now it
 * does not, and two disks that forget are more than anybody can make good. */
static bool remembered(int i)
{
	for (unsigned int k = 0; k < sim.n_terms; k++)
		if (sim.terms[k].node == i &&
			sim.terms[k].term >> 1 > sim.node[!i].host.disk.reserve)
			return false;
	return !sim.node[!i].host.disk_full;
}

/* Not gone but torn: the state file is none any more until somebody takes it away, and the history
 * ends within a line. */
static void tear(int i, size_t history_len)
{
	struct host *h = &sim.node[i].host;

	if (!widened(OF_DISKS, 2))
		return;
	h->disk_torn = true;
	h->history_len = history_len > 0 ? rnd_of(OF_DISKS, history_len) : 0;
	sim.torn++;
}

static void crash(int i)
{
	struct host *h = &sim.node[i].host;
	size_t was = h->history_len;

	switch (rnd(4)) {
	case 0:
		node_crash(i, true, "loses power");
		if (rnd(4) == 0 && !sim.node[!i].host.disk_lost && remembered(i)) {
			h->disk = (struct srp_saved){ 0 };
			h->disk_lost = true;
			h->history_len = h->numbers_len = 0;
			tear(i, was);
		}
		break;
	case 1:
		sim.node[i].msgs_left = 1 + (unsigned int)rnd(40);
		break;
	default:
		node_crash(i, false, "is killed");
		break;
	}
}

/* ---- roles ---- */

static void sleeps(struct ev *e)
{
	struct node *n = &sim.node[e->node];

	if (sim.calm || !n->up)
		return;
	sim.stalls++;
	sim.last_stall = RTE_MAX(sim.last_stall, sim.now + e->number);
	story(n->id, "the chassis stands still in the middle of it for %llu ms",
		(unsigned long long)e->number / MS);
	for (int k = 0; k < CORES; k++)
		n->core[k].stalled = RTE_MAX(n->core[k].stalled, sim.now + e->number);
}

static bool switch_over(void)
{
	char reason[SRP_REASON_MAX];
	int i = node_active(), ret;

	/* it would take no command either */
	if (i < 0 || sim.node[i].core[CONTROL].stalled > sim.now)
		return false;
	ret = node_hand_over(i, reason);
	/* The peer may take over before it comes to the hand-over. */
	if (ret == 0 && (sim.mix == STALLS || sim.mix == ALL) && rnd_aside(3) == 0)
		ev_at(sim.now + rnd_aside(1500), i, sleeps)->number =
			100 * MS + rnd_aside(900 * MS);
	node_wake(i, CONTROL, 10);
	return ret == 0;
}

/* Told to hand over, and a process ends at one of the messages of it: of those between its cores,
 * or of those to its peer. */
static void switch_and_crash(void)
{
	struct node *n;
	unsigned int left;

	if (!switch_over())
		return;
	left = 1 + (unsigned int)rnd(60);
	n = &sim.node[rnd(2)];
	if (!widened(OF_CRASHES, 3)) {
		n->msgs_left = left;
		return;
	}
	n->srp_left = 1 + (unsigned int)rnd_of(OF_CRASHES, 8);
	n->srp_sent = rnd_of(OF_CRASHES, 2);
}

/* ---- cores ---- */

static void stall(bool all)
{
	struct node *n = &sim.node[rnd(2)];
	usec_t us = rnd(4) == 0 ? rnd(700 * MS) : rnd(60 * MS);
	int core = (int)rnd(CORES);

	if (!n->up)
		return;
	if (all && rnd(3) == 0)
		us = 1000 * MS + rnd(1500 * MS);
	sim.stalls++;
	sim.last_stall = RTE_MAX(sim.last_stall, sim.now + us);
	story(n->id, "%s stands still for %llu ms",
		all                   ? "the chassis"
		: core == CONTROL     ? "control"
		: core == REPLICATION ? "replication"
				      : "a worker",
		(unsigned long long)us / MS);
	for (int i = 0; i < CORES; i++)
		if (all || i == core)
			n->core[i].stalled = RTE_MAX(n->core[i].stalled, sim.now + us);
}

/* ---- paths ---- */

static void mend(struct ev *e)
{
	wire_cut(e->a, e->b, false);
	story(-1, "path %u direction %u works again", e->a, e->b);
}

static void cut_for(unsigned int path, unsigned int direction, usec_t us)
{
	struct ev *e = ev_at(sim.now + us, -1, mend);

	e->a = path;
	e->b = direction;
	wire_cut(path, direction, true);
	story(-1, "path %u direction %u is cut for %llu ms", path, direction,
		(unsigned long long)us / MS);
}

/* On a shared subnet: the Standby starts again behind the cut, hears nobody for long enough, and
 * asks for the addresses that the Active has; or, of a kernel whose process was killed meanwhile,
 * had. */
static usec_t restart_alone(usec_t us)
{
	int i = node_active();

	if (sim.narrow || sim.l3 || (sim.mix != ALL && sim.mix != PARTITIONS) || i < 0 ||
		!sim.node[!i].up || sim.node[!i].starting || rnd_aside(2) == 0)
		return us;
	node_crash(!i, false, "is killed behind the cut");
	sim.node[!i].starting = true;
	ev_at(sim.now + rnd_aside(100 * MS), !i, boot);
	return 800 * MS + rnd_aside(800 * MS);
}

static void cut(void)
{
	usec_t us = rnd(3) == 0 ? rnd(900 * MS) : rnd(120 * MS);
	unsigned int what = (unsigned int)rnd(8);

	sim.cuts++;
	sim.parted += us > 20 * MS;
	switch (what) {
	case 0: /* the chassis lose each other altogether */
	case 1:
		us = restart_alone(us);
		for (unsigned int p = PATH_SRP; p <= PATH_STREAM; p++)
			for (unsigned int d = TO_0; d <= TO_1; d++)
				cut_for(p, d, us);
		break;
	case 2:
	case 3:
		cut_for(PATH_STREAM, TO_0, us);
		cut_for(PATH_STREAM, TO_1, us);
		break;
	case 4:
		cut_for(PATH_STREAM, (unsigned int)rnd(2), us);
		break;
	case 5:
		cut_for(PATH_SRP, (unsigned int)rnd(2), us);
		break;
	default:
		cut_for(PATH_ACCESS + (unsigned int)rnd(2), (unsigned int)rnd(DIRECTIONS), us);
		break;
	}
}

/* ---- keys ---- */

static void less_loss(struct ev *e)
{
	if (sim.calm)
		return;
	sim.wire[PATH_STREAM][TO_0].loss = e->a;
	sim.wire[PATH_STREAM][TO_1].loss = e->b;
	sim.wire[PATH_STREAM][TO_0].good_since = sim.wire[PATH_STREAM][TO_1].good_since = sim.now;
	story(-1, "the stream loses no more than before");
}

static void again(struct ev *e)
{
	if (sim.calm || sim.rekeys_due == 0)
		return;
	sim.rekeys_due--;
	story(-1, "the SRP connection is reset");
	tcp_reset();
	ev_at(sim.now + 5 * MS + rnd(rnd(2) ? 40 * MS : 300 * MS), -1, again);
}

/* Connection after connection, key after key, while the stream loses much. */
static void rekey(void)
{
	struct wire *w = sim.wire[PATH_STREAM];
	struct ev *e;

	if (sim.rekeys_due > 0)
		return;
	sim.rekeys++;
	sim.rekeys_due = 1 + (unsigned int)rnd(8);
	e = ev_at(sim.now + 100 * MS + rnd(900 * MS), -1, less_loss);
	e->a = w[TO_0].loss;
	e->b = w[TO_1].loss;
	for (unsigned int d = TO_0; d <= TO_1; d++)
		w[d].loss = 50 + (unsigned int)rnd(250);
	sim.parted++; /* with bad luck neither hears the other long enough */
	story(-1, "the stream loses %u and %u of 1000", w[TO_0].loss, w[TO_1].loss);
	ev_at(sim.now, -1, again);
}

/* ---- memory and disks ---- */

void fault_flip(void)
{
	static const struct {
		size_t at, bytes;
	} fields[] = {
#define FIELD(f) { offsetof(struct session_slot, f), sizeof(((struct session_slot *)0)->f) },

#define ROW(name, type, bytes, group, set, end, line, view) ROW_##type(name, type)

#define ROW_ALL(name, type)    { SESSION_ROW_AT(name, type), SESSION_ROW_SIZE(name, type) },
#define ROW_DEC(name, type)    ROW_ALL(name, type)
#define ROW_HEX(name, type)    ROW_ALL(name, type)
#define ROW_OCTETS(name, type) ROW_ALL(name, type)
#define ROW_HEAD(name, type)   ROW_ALL(name, type)
#define ROW_NIBBLE(name, type) ROW_ALL(name, type)
#define ROW_ADDR(name, type)   ROW_ALL(name, type)
#define ROW_UE(name, type)     ROW_ALL(name, type)
#define ROW_MS(name, type)     ROW_ALL(name, type)
/* of `flags` the other bits are local */
#define ROW_FLAG(name, type)
		SESSION_FIELDS(ROW) FIELD(teid) FIELD(gen) FIELD(up_pkts) FIELD(up_bytes)
			FIELD(dn_pkts) FIELD(dn_bytes) FIELD(other)
	};
	int i = node_active();
	struct node *n = &sim.node[!i];

	if (i < 0 || sim.flip.set || !n->up || !n->vouched || n->state != SRP_STANDBY ||
		atomic_load(&n->t.table->late_merge))
		return;
	for (unsigned int tries = 0; tries < 500; tries++) {
		uint32_t pos = (uint32_t)rnd(sim.slots);
		struct session_slot *s =
			&n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
		unsigned int f = (unsigned int)rnd(RTE_DIM(fields)),
			     bit = (unsigned int)rnd(fields[f].bytes * 8);

		if (s->teid == 0)
			continue;
		((uint8_t *)s)[fields[f].at + bit / 8] ^= (uint8_t)(1u << bit % 8);
		sim.flip.set = true;
		sim.flip.node = n->id;
		sim.flip.life = n->life;
		sim.flip.pos = pos;
		sim.flip.at = sim.now;
		sim.flips++;
		story(n->id, "slot %u: a bit flips at byte %zu", pos, fields[f].at + bit / 8);
		return;
	}
}

static void disk(int i)
{
	struct host *h = &sim.node[i].host;

	if (rnd(2)) {
		h->disk_full = !h->disk_full;
		story(i, "its disk is %s", h->disk_full ? "full" : "free again");
	} else {
		h->fsync = rnd(2) ? 1 + rnd(3 * MS) : rnd(800 * MS) + 1;
		story(i, "its disk takes %llu ms to write", (unsigned long long)h->fsync / MS);
	}
}

/* ---- one after the other ---- */

/* Profile `numbers`: the Standby loses its list, and starts again where it hears nobody and nobody
 * answers for its addresses: both are Active, and have numbers of their own. */
static void apart(struct ev *e)
{
	int i = node_active();
	usec_t us = 700 * MS + rnd_aside(500 * MS);

	if (sim.calm || i < 0 || !sim.node[!i].up || sim.node[!i].starting)
		return;
	sim.last_fault = sim.now;
	sim.cuts++;
	sim.parted++;
	node_crash(!i, false, "is killed, and loses its numbers");
	sim.node[!i].host.numbers_len = 0;
	sim.node[!i].starting = true;
	ev_at(sim.now + rnd_aside(50 * MS), !i, boot);
	for (unsigned int p = PATH_SRP; p <= PATH_STREAM; p++)
		for (unsigned int d = TO_0; d <= TO_1; d++)
			cut_for(p, d, us);
	cut_for(PATH_ACCESS, TO_0 + (unsigned int)i, us);
	cut_for(PATH_CORE, TO_0 + (unsigned int)i, us);
}

static void shutdown_signal(int i)
{
	sim.node[i].term_signal = sim.node[i].up;
	story(i, "gets SIGTERM");
}

static void once(void)
{
	static const uint8_t mixes[MIXES][11] = {
		/* planned, planned+crash, crash, cut, core stall, chassis stall, TCP reset, SGSN
		   restart, flip, disk, rekey */
		[QUIET] = { 6, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0 },
		[LOSSY] = { 3, 0, 0, 0, 0, 0, 1, 1, 1, 0, 3 },
		[CRASHES] = { 2, 3, 5, 0, 0, 0, 0, 1, 0, 1, 0 },
		[PARTITIONS] = { 2, 0, 0, 6, 0, 0, 2, 1, 0, 0, 2 },
		[STALLS] = { 3, 0, 0, 0, 4, 3, 0, 1, 0, 0, 0 },
		[ALL] = { 3, 2, 3, 3, 2, 2, 1, 1, 1, 1, 2 },
	};
	const uint8_t *mix = mixes[sim.mix];
	unsigned int total = 0, k = 0, pick;

	unsigned int kinds = RTE_DIM(mixes[0]) - !sim.secure;

	for (unsigned int i = 0; i < kinds; i++)
		total += mix[i];
	for (pick = (unsigned int)rnd(total); pick >= mix[k]; k++)
		pick -= mix[k];
	sim.last_fault = sim.now;
	switch (k) {
	case 0:
		switch_over();
		break;
	case 1:
		switch_and_crash();
		break;
	case 2:
		if (rnd(8) == 0)
			shutdown_signal((int)rnd(2));
		else
			crash((int)rnd(2));
		break;
	case 3:
		cut();
		break;
	case 4:
		stall(false);
		break;
	case 5:
		stall(true);
		break;
	case 6:
		tcp_reset();
		break;
	case 7:
		sgsn_restart((unsigned int)rnd(SGSNS));
		break;
	case 8:
		fault_flip();
		break;
	case 9:
		disk((int)rnd(2));
		break;
	default:
		rekey();
		break;
	}
}

static void fault(struct ev *e)
{
	if (sim.now >= sim.calm_at)
		return;
	if (!sim.flip.set) /* one thing at a time: what is promoted with it becomes the truth */
		once();
	ev_at(sim.now + 30 * MS + rnd(rnd(2) ? 120 * MS : 700 * MS), -1, fault);
}

/* ---- the world of a seed ---- */

static void wires(void)
{
	for (unsigned int p = 0; p < PATHS; p++)
		for (unsigned int d = 0; d < DIRECTIONS; d++) {
			struct wire *w = &sim.wire[p][d];

			w->delay = 20 + rnd(400);
			w->jitter = rnd(3 * MS);
			if (sim.mix == QUIET)
				continue;
			if (sim.mix == LOSSY || rnd(3) == 0) {
				w->loss = (unsigned int)(rnd(2) ? rnd(50) : 0);
				w->duplicate = p == PATH_STREAM ? (unsigned int)rnd(30) : 0;
				w->corrupt = p == PATH_STREAM ? (unsigned int)rnd(10) : 0;
				w->reorder = (unsigned int)rnd(200);
				w->rate = p == PATH_STREAM && rnd(4) == 0
						  ? (unsigned int)(300 + rnd(3000))
						  : 0;
			}
		}
}

/* In every fourth seed what users' packets and signalling go over doubles and holds back, too. What
 * is corrupted there its receiver's FCS finds: that is a loss. */
static void user_wires(void)
{
	if (sim.mix == QUIET || !widened(OF_PATHS, 4))
		return;
	for (unsigned int p = PATH_ACCESS; p <= PATH_CORE; p++)
		for (unsigned int d = 0; d < DIRECTIONS; d++) {
			struct wire *w = &sim.wire[p][d];

			if (rnd_of(OF_PATHS, 2) > 0)
				continue;
			w->duplicate = (unsigned int)rnd_of(OF_PATHS, 60);
			w->rate = rnd_of(OF_PATHS, 4) == 0
					  ? (unsigned int)(20 + rnd_of(OF_PATHS, 200))
					  : 0;
		}
}

static void knobs(struct node *n, unsigned int beat, unsigned int multiplier, unsigned int commit,
	unsigned int session_s, unsigned int idle_s)
{
	struct config *f = &n->conf;

	f->srp.heartbeat_interval_ms = beat;
	f->srp.dead_multiplier = multiplier;
	f->srp.hello_interval_ms = 100;
	f->srp.dead_interval_ms = 400;
	f->srp.delay_interval_ms = 150;
	f->srp.micro_checkpoint_interval_ms = sim.micro_ms;
	f->srp.audit_interval_s = 1;
	f->srp.commit_timeout_ms = commit;
	f->srp.pending_timeout_s = 2;
	f->srp.l2 = !sim.l3;
	/* A quarter of the seeds in L3 have routes on the Standby. By the seed's number: nothing
	 * else is drawn otherwise for it. */
	f->srp.advertise_in_standby = !sim.narrow && sim.l3 && sim.seed % 4 == 3;
	f->srp.hold_off_ms = (uint32_t)(sim.seed / 4 % 3 * 100);
	f->echo_interval_s = 1;
	f->apns[0].session_timeout_s = session_s;
	f->apns[0].idle_timeout_s = idle_s;
	n->host.fsync = 200 + rnd(5 * MS);
	n->clock = UINT64_C(1000000000) + rnd(UINT64_C(40000000000));
	n->drift = (int)rnd(201) - 100;
}

/* Most secure seeds run encrypted, the others as a pair that set insecure; most of these with
 * phases that are soon over, some with ids that soon come again. A phase of less would be used up
 * by the heartbeats that a peer does not hear while it is started again. */
static void secrets(void)
{
	sim.insecure = !sim.secure || rnd(5) == 0;
	for (int i = 0; i < 2; i++)
		sim.node[i].conf.srp.insecure = sim.insecure;
	if (!sim.secure)
		return;
	sim.phase_packets = rnd(3) == 0 ? 0 : 250 + rnd(rnd(2) ? 250 : 2000);
	sim.key_ids = rnd(4) == 0 ? 12 + (unsigned int)rnd(50) : 0;
}

void fault_setup(void)
{
	unsigned int beat = rnd(2) ? 10 : 20, multiplier, commit, session_s, idle_s;

	sim.mix = (unsigned int)rnd(MIXES);
	if (sim.renumber) /* it takes starts, and chassis that are Active apart */
		sim.mix = rnd_aside(2) == 0 ? CRASHES : ALL;
	sim.quiet = sim.mix == QUIET;
	sim.l3 = rnd(2);
	sim.micro_ms = (unsigned int)(10 + rnd(100));
	sim.idle = 300 + rnd(1200);
	multiplier = sim.mix == LOSSY ? 8 : 3 + (unsigned int)rnd(4);
	commit = (unsigned int)(20 + rnd(80));
	session_s = rnd_aside(4) == 0 ? 2 + (unsigned int)rnd_aside(2) : 0;
	idle_s = rnd_aside(4) == 0 ? 1 + (unsigned int)rnd_aside(2) : 0;
	for (int i = 0; i < 2; i++)
		knobs(&sim.node[i], beat, multiplier, commit, session_s, idle_s);
	wires();
	user_wires();
	secrets();
	sim.calm_at = 900 * MS + rnd(3) * (500 * MS + rnd(1000 * MS));
	sim.end_at = sim.calm_at + LAST_SWITCH + 2500 * MS;
	for (int i = 0; i < 2; i++)
		ev_at(rnd(50 * MS), i, boot);
	ev_at(500 * MS, -1, watch);
	if (sim.renumber && rnd_aside(2) == 0)
		ev_at(500 * MS + rnd_aside(300 * MS), -1, apart);
	ev_at(600 * MS + rnd(200 * MS), -1, fault);
	calm_setup();
	story(-1, "profile %s, %s, heartbeats %u ms x %u, %s, phases of %llu packets",
		mix_names[sim.mix], sim.l3 ? "L3" : "L2", beat, multiplier,
		sim.insecure ? "plain text" : "encrypted", (unsigned long long)sim.phase_packets);
}
