/* SPDX-License-Identifier: BSD-3-Clause */
/* The room's life and turn. */
#include "switchover/switchover.h"

#include <errno.h>

#include "base/memory.h"
#include "switchover_priv.h"

/* ---- life ---- */

struct switchover *switchover_create(const struct switchover_settings *s)
{
	struct switchover *sw = memory_take("switchover", sizeof(*sw), 0);

	if (sw == NULL) {
		LOG(ERR, "switchovers cannot be carried out: there is no memory");
		errno = ENOMEM;
		return NULL;
	}
	sw->start = s->start;
	sw->live = s->live;
	sw->vips = s->vips;
	sw->signalling = s->signalling;
	sw->to_worker = s->to_worker;
	sw->n_workers = s->n_workers;
	sw->to_replicator = s->to_replicator;
	sw->msgs = s->msgs;
	sw->table = s->table;
	sw->worker_of_shard = s->worker_of_shard;
	sw->role = s->role;
	return sw;
}

void switchover_destroy(struct switchover *sw)
{
	if (sw != NULL)
		memory_give(sw);
}

void switchover_follow(struct switchover *sw, const struct srp_info *election)
{
	sw->election = election;
}

void switchover_reconfigure(struct switchover *sw, const struct switchover_live *live)
{
	sw->live = *live;
}

/* ---- the loop ---- */

void switchover_turn(struct switchover *sw, usec_t now)
{
	step_turn(sw, now);
	late_turn(sw, now);
	routes_turn(sw, now);
}

/* Who stood still first hears whether the peer took over; it may have done so and ended since, then
 * the segment still sends to it. */
void switchover_announce(struct switchover *sw, usec_t now)
{
	if (switchover_must_not_answer(sw)) {
		vips_announce_anew(sw->vips, now);
		return;
	}
	vips_turn(sw->vips, now);
	if (sw->signalling_is == SWITCHOVER_NO_ADDRESS)
		step_signalling(sw);
	vips_announce(sw->vips, now);
}

void switchover_announce_anew(struct switchover *sw, usec_t now)
{
	vips_announce_anew(sw->vips, now);
}

void switchover_set_metric(struct switchover *sw, uint8_t route_modifier)
{
	if (!role_lapsed(sw->role, clock_ticks()))
		vips_set_metric(sw->vips, route_modifier);
}
