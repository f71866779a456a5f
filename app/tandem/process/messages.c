/* SPDX-License-Identifier: BSD-3-Clause */
/* What control does with each message of the other cores: one row a type. */
#include "process/control.h"

_Static_assert((int)MSG_WORKERS >= (int)TANDEM_WORKERS, "a mark for each worker");

/* ---- of workers ---- */

static void of_worker_done(void *ctx, struct from_worker_done *m)
{
	struct control *c = ctx;

	switchover_worker_done(c->switchover, m, c->now);
}

static void of_worker_late_end(void *ctx, struct from_worker_late_end *m)
{
	struct control *c = ctx;

	switchover_late_ended(c->switchover, m, c->now);
}

static void of_worker_answer(void *ctx, struct from_worker_answer *m)
{
	struct control *c = ctx;

	signalling_answered(c->signalling, m, c->now);
}

static void of_worker_ended(void *ctx, struct from_worker_ended *m)
{
	struct control *c = ctx;

	signalling_ended(c->signalling, m, c->now);
}

static void of_worker_index(void *ctx, struct from_worker_index *m)
{
	struct control *c = ctx;

	signalling_indexed(c->signalling, &m->changes);
}

static const struct from_worker_handlers of_worker = { .done = of_worker_done,
	.late_end = of_worker_late_end,
	.answer = of_worker_answer,
	.ended = of_worker_ended,
	.index = of_worker_index };

/* ---- of the replication core ---- */

static void of_repl_done(void *ctx, struct from_replicator_done *m)
{
	struct control *c = ctx;

	switchover_repl_done(c->switchover, m, c->now);
}

static void of_repl_late_drained(void *ctx, struct from_replicator_late_drained *m)
{
	struct control *c = ctx;

	switchover_late_drained(c->switchover, m);
}

static void of_repl_keyed(void *ctx, struct from_replicator_keyed *m)
{
	struct control *c = ctx;

	pair_keyed(c->pair, m, c->now);
}

static void of_repl_index(void *ctx, struct from_replicator_index *m)
{
	struct control *c = ctx;

	signalling_indexed(c->signalling, &m->changes);
}

static void of_repl_committed(void *ctx, struct from_replicator_committed *m)
{
	struct control *c = ctx;

	signalling_committed(c->signalling, &m->entries, c->now);
}

static void of_repl_stream_state(void *ctx, struct from_replicator_stream_state *m)
{
	struct control *c = ctx;

	signalling_stream(c->signalling, m->on, c->now);
}

static void of_repl_heartbeat(void *ctx, struct from_replicator_heartbeat *m)
{
	struct control *c = ctx;

	pair_heartbeat(c->pair, m, c->now);
}

static const struct from_replicator_handlers of_repl = { .done = of_repl_done,
	.late_drained = of_repl_late_drained,
	.keyed = of_repl_keyed,
	.index = of_repl_index,
	.committed = of_repl_committed,
	.stream_state = of_repl_stream_state,
	.heartbeat = of_repl_heartbeat };

static void of_settled(void *ctx)
{
	struct control *c = ctx;

	reactor_settle(c->reactor);
}

void control_doors(struct control *c)
{
	struct tandem *t = c->t;
	const struct doors_conf conf = { .worker = t->from_worker,
		.n_workers = t->n_workers,
		.replicator = &t->from_repl,
		.of_worker = &of_worker,
		.of_replicator = &of_repl,
		.settled = of_settled,
		.ctx = c,
		.pool = t->msgs };

	doors_init(&c->doors, &conf);
}
