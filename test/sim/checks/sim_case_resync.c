/* SPDX-License-Identifier: BSD-3-Clause */
/* What a standby costs: that comes empty, that was away for a while, and that was interrupted.
 * Bytes are of Ethernet frames that arrived, of both directions. */
#include "sim_case.h"

enum { SESSIONS = 65536, BEAT = 20 };

static struct node *const a = &sim.node[0], *const b = &sim.node[1];

static uint64_t brought(void)
{
	return a->brought + b->brought;
}

/* Until the standby says that all matches; the bytes that it took. */
static uint64_t settle(const char *what)
{
	const struct audit_counters *c;
	uint64_t before = brought();
	usec_t began = sim.now;

	if (!case_until(case_in_sync, 60 * USEC_PER_SEC))
		broken(11, "%s: not in sync after a minute", what);
	if (sim.failed)
		return 0;
	c = audit_count(b->t.repl->audit);
	printf("%-22s %10llu bytes %8llu us, wants: %u slot by slot, %u of slots, %u whole\n", what,
		(unsigned long long)(brought() - before), (unsigned long long)(sim.now - began),
		(unsigned int)c->wants_level2, (unsigned int)c->wants_slots,
		(unsigned int)c->wants_whole);
	return brought() - before;
}

/* While the standby is away so many of the sessions change. */
static void miss(uint32_t n)
{
	while (n > 0) {
		struct session_slot *s = case_any(a);
		struct session_rec r = { .handle = s->teid, .qos_len = 3, .req_seq = 777 };
		unsigned int w;

		if (s->req_seq == 777)
			continue;
		w = case_worker(a, session_handle_shard(r.handle));
		if (session_update(a->t.table, (uint8_t)w, &r, SESSION_G_QOS | SESSION_G_REQUEST) <
			0)
			broken(6, "a session cannot be changed");
		case_worker_end(a);
		n--;
	}
}

/* What was brought once is not brought again. */
static void interrupted(uint64_t full)
{
	uint64_t half;

	node_crash(1, false, "is killed");
	case_step(10 * MS);
	node_boot(1);
	half = brought();
	while (!sim.failed && brought() - half < full / 2)
		case_step(CASE_STEP);
	case_leave();
	half = brought() - half;
	case_join();
	half += settle("after half of it");
	if (half * 100 > full * 102)
		broken(13, "interrupted at half: %.2f %% in all",
			(double)half * 100 / (double)full);
	printf("interrupted at half: %.2f %% in all\n", (double)half * 100 / (double)full);
}

void case_resync(void)
{
	uint64_t full, equal, missed;

	case_start(SESSIONS, BEAT);
	node_boot(1);
	full = settle("empty");
	case_leave();
	case_join();
	equal = settle("equal");
	case_leave();
	miss(SESSIONS / 100);
	case_join();
	missed = settle("1 % missed");
	if (sim.failed)
		return;
	printf("of a full one: equal %.3f %%, 1 %% missed %.3f %%; a session: %.1f bytes\n",
		(double)equal * 100 / (double)full, (double)missed * 100 / (double)full,
		(double)full / SESSIONS);
	if (equal * 1000 > full * 2)
		broken(13, "equal costs %.2f %% of a full one", (double)equal * 100 / (double)full);
	/* Not as a share of a full one, which gets larger when records get smaller. */
	if (missed > 4 * SESSIONS)
		broken(13, "1 %% missed costs %.2f bytes for each session of the table",
			(double)missed / SESSIONS);
	interrupted(full);
	if (!sim.failed)
		check_pair(a, b);
}
