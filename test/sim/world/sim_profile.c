/* SPDX-License-Identifier: BSD-3-Clause */
/* Profiles: which world a run is of, how large its tables are, and what is told of it. In `daemon`
 * all that may happen to a pair is drawn from the seed. The others are cases, on good paths but for
 * what they are about: what replication costs, what it may delay, and what the audit sees. */
#include "sim_case.h"

enum { POOL_BITS = 9 }; /* of `tables` */

static void daemon_run(void)
{
	fault_setup();
	traffic_setup();
	sgsn_setup();
	world_run(sim.end_at);
	if (!sim.failed && !sim.spoilt)
		check_end();
}

static void reload_run(void)
{
	case_reload_setup();
	daemon_run();
	if (!sim.failed && !sim.spoilt)
		case_reload_check();
}

static void numbers_run(void)
{
	sim.renumber = true;
	daemon_run();
}

/* per_shard: slots; handles: of all sessions of a run, two to the power of it. */
struct profile {
	const char *name, *is;
	uint32_t per_shard;
	unsigned int handle_bits;
	void (*run)(void);
};

static const struct profile profiles[] = {
	{ "daemon", "all that may happen, drawn from the seed", 64, 14, daemon_run },
	{ "reload", "the same, and other configurations, on one and then on the other", 64, 14,
		reload_run },
	{ "numbers", "starts with other APNs and pools, and lost lists, drawn from the seed", 64,
		14, numbers_run },
	{ "resync", "what a standby costs that comes, or comes back", 1024, 18, case_resync },
	{ "rate", "replication-rate is kept, and commits go first: seeds 1 to 3", 1024, 18,
		case_rate },
	{ "slow", "more changes than the path takes: seeds 1 to 5", 256, 17, case_slow },
	{ "flips", "every bit of a slot, flipped on either side: seeds 1 to 4", 64, 14,
		case_flips },
	{ "stream", "a stream on paths as bad as they come, drawn from the seed", 64, 14,
		case_stream },
	{ "tables", "few addresses, sessions that come and go, roles that change, from the seed",
		64, 15, case_tables },
};

const struct profile *profile_of(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

void profile_names(FILE *to)
{
	for (unsigned int i = 0; i < RTE_DIM(profiles); i++)
		fprintf(to, "  %-8s %s\n", profiles[i].name, profiles[i].is);
}

void profile_take(const struct profile *p)
{
	sim.profile = p;
	sim.per_shard = p->per_shard;
	sim.slots = SESSION_SHARDS * p->per_shard;
	sim.handle_bits = p->handle_bits;
	sim.handles = 1u << p->handle_bits;
	sim.is_case = p->run != daemon_run && p->run != reload_run && p->run != numbers_run;
	sim.pool_bits = p->run == case_tables ? POOL_BITS : rte_log2_u32(sim.slots) + sim.is_case;
}

static void remember(struct node *n)
{
	n->history = memory_zeroes(sim.slots * sizeof(n->history[0]), RTE_CACHE_LINE_SIZE);
	n->seen = memory_zeroes(sim.slots * sizeof(n->seen[0]), RTE_CACHE_LINE_SIZE);
	n->applied = memory_zeroes(sim.slots * sizeof(n->applied[0]), RTE_CACHE_LINE_SIZE);
	n->applied_handle =
		memory_zeroes(sim.slots * sizeof(n->applied_handle[0]), RTE_CACHE_LINE_SIZE);
	n->shadow = memory_zeroes(sim.slots * sizeof(n->shadow[0]), RTE_CACHE_LINE_SIZE);
	n->is_used = memory_zeroes(sim.slots * sizeof(n->is_used[0]), RTE_CACHE_LINE_SIZE);
	n->changed = memory_zeroes(sim.slots * sizeof(n->changed[0]), RTE_CACHE_LINE_SIZE);
	n->used = memory_zeroes(sim.slots * sizeof(n->used[0]), RTE_CACHE_LINE_SIZE);
}

void profile_run(void)
{
	remember(&sim.node[0]);
	remember(&sim.node[1]);
	sim.promise = memory_zeroes(sim.slots * sizeof(sim.promise[0]), RTE_CACHE_LINE_SIZE);
	sim.truth = memory_map(sim.handles * sizeof(sim.truth[0]));
	sim.truth_at = memory_map(sim.handles * sizeof(sim.truth_at[0]));
	sim.profile->run();
}
