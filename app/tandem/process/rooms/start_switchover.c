/* SPDX-License-Identifier: BSD-3-Clause */
/* What the room `switchover` is given at the start, and its part of a turn. */
#include <errno.h>

#include "process/control.h"
#include "process/settings_rooms.h"

int start_switchover(struct control *c)
{
	struct tandem *t = c->t;
	struct switchover_settings s = { .vips = c->vips,
		.signalling = c->signalling,
		.to_worker = t->to_worker,
		.n_workers = t->n_workers,
		.to_replicator = &t->to_repl,
		.msgs = t->msgs,
		.table = t->table,
		.worker_of_shard = t->shared.worker_of_shard,
		.role = &t->role };

	settings_switchover_start(t->conf, &s.start);
	settings_switchover_live(t->conf, &s.live);
	c->switchover = switchover_create(&s);
	return c->switchover != NULL ? 0 : -errno;
}

void start_switchover_turn(struct control *c, usec_t now)
{
	switchover_turn(c->switchover, now);
}

void start_switchover_announce(struct control *c, usec_t now)
{
	switchover_announce(c->switchover, now);
}
