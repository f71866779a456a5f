/* SPDX-License-Identifier: BSD-3-Clause */
/* From `calm_at` on nothing goes wrong any more; and whatever went before, the pair then hands over
 * as it is told. */
#include "sim.h"

int node_active(void)
{
	for (int i = 0; i < 2; i++)
		if (sim.node[i].up && sim.node[i].state == SRP_ACTIVE)
			return i;
	return -1;
}

int node_hand_over(int i, char reason[SRP_REASON_MAX])
{
	int ret;

	node_now = &sim.node[i];
	ret = pair_switchover(sim.node[i].t.control->pair, false, reason, clock_us());
	story(i, "is told to hand over: %s", ret == 0 ? "begins" : reason);
	sim.planned += ret == 0;
	return ret;
}

static void calm(struct ev *e)
{
	sim.calm = true;
	sim.last_stall = RTE_MIN(sim.last_stall, sim.now); /* what stands still goes on */
	story(-1, "all is well from here");
	for (unsigned int p = 0; p < PATHS; p++)
		for (unsigned int d = 0; d < DIRECTIONS; d++) {
			struct wire *w = &sim.wire[p][d];

			wire_cut(p, d, false);
			if (w->loss > 0 || w->rate > 0)
				w->good_since = sim.now;
			w->loss = w->corrupt = w->duplicate = w->reorder = w->rate = 0;
		}
	for (int i = 0; i < 2; i++) {
		sim.node[i].host.disk_full = false;
		sim.node[i].host.fsync = 1 * MS;
		sim.node[i].msgs_left = sim.node[i].srp_left = 0;
		for (int k = 0; k < CORES; k++)
			sim.node[i].core[k].stalled = 0;
	}
}

/* Whatever went before: when all has been well for a while the pair hands over as it is told, and
 * loses nothing. */
static void last_switch(struct ev *e)
{
	char reason[SRP_REASON_MAX];
	int i = node_active();
	bool protects = i >= 0 && node_pdp(&sim.node[i]).is_protected;

	if (i < 0 || node_hand_over(i, reason) != 0) {
		broken(11, "all has been well for %u ms and nobody hands over: %s",
			LAST_SWITCH / MS, i < 0 ? "nobody is Active" : reason);
		return;
	}
	if (!protects)
		broken(11,
			"chassis %c answers without protection although all has been well for %u "
			"ms",
			'A' + i, LAST_SWITCH / MS);
	sim.last_switch = sim.now;
	node_wake(i, CONTROL, 10);
}

void calm_setup(void)
{
	ev_at(sim.calm_at, -1, calm);
	ev_at(sim.calm_at + LAST_SWITCH, -1, last_switch);
}
