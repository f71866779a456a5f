/* SPDX-License-Identifier: BSD-3-Clause */
/* What control does with each message of the other cores: one row a type. */
#include <rte_common.h>

#include "process/control.h"

_Static_assert((int)MSG_WORKERS >= (int)TANDEM_WORKERS, "a mark for each worker");

/* ---- readers of what happens to sessions ---- */

static void of_event_index(struct control *c, const struct from_worker_event *e)
{
	signalling_index_event(c->signalling, e);
}

static void of_batch_index(struct control *c, const struct msg_batch *m)
{
	signalling_index_batch(c->signalling, m);
}

static void of_missed_index(struct control *c)
{
	signalling_index_missed(c->signalling);
}

static void of_event_notice(struct control *c, const struct from_worker_event *e)
{
	signalling_notice(c->signalling, e, c->now);
}

static void of_event_journal(struct control *c, const struct from_worker_event *e)
{
	if (e->kind == SESSION_ENDED)
		journal_ended(c->journal, (enum session_why)e->why);
}

/* All that want to know that a session began, changed or ended, in the order in which they are
 * called: nobody else decides it. Who reads what the stream brings (batch) is told as well when an
 * event found no room (missed), and reads the table again. An end by the owner is never missed. */
static const struct messages_reader {
	void (*event)(struct control *c, const struct from_worker_event *e);
	void (*batch)(struct control *c, const struct msg_batch *m);
	void (*missed)(struct control *c);
} messages_readers[] = {
	{ of_event_index, of_batch_index, of_missed_index },
	{ .event = of_event_notice },
	{ .event = of_event_journal },
};

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

static void messages_event(void *ctx, struct from_worker_event *m)
{
	struct control *c = ctx;

	for (unsigned int i = 0; i < RTE_DIM(messages_readers); i++)
		if (messages_readers[i].event != NULL)
			messages_readers[i].event(c, m);
}

static const struct from_worker_handlers of_worker = { .done = of_worker_done,
	.late_end = of_worker_late_end,
	.answer = of_worker_answer,
	.event = messages_event };

/* ---- of the replication core ---- */

static void of_repl_done(void *ctx, struct from_replicator_done *m)
{
	struct control *c = ctx;

	switchover_repl_done(c->switchover, m, c->now);
}

static void of_repl_late_drained(void *ctx, struct from_replicator_late_drained *m)
{
	struct control *c = ctx;

	switchover_late_drained(c->switchover, m, c->now);
}

static void of_repl_keyed(void *ctx, struct from_replicator_keyed *m)
{
	struct control *c = ctx;

	pair_keyed(c->pair, m, c->now);
}

static void messages_batch(void *ctx, struct from_replicator_batch *m)
{
	struct control *c = ctx;

	for (unsigned int i = 0; i < RTE_DIM(messages_readers); i++)
		if (messages_readers[i].batch != NULL)
			messages_readers[i].batch(c, &m->sessions);
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
	.batch = messages_batch,
	.committed = of_repl_committed,
	.stream_state = of_repl_stream_state,
	.heartbeat = of_repl_heartbeat };

static void of_settled(void *ctx)
{
	struct control *c = ctx;

	reactor_settle(c->reactor);
}

bool control_messages(struct control *c)
{
	bool busy = doors_turn(&c->doors);

	if (session_events_missed(&c->t->events))
		for (unsigned int i = 0; i < RTE_DIM(messages_readers); i++)
			if (messages_readers[i].missed != NULL)
				messages_readers[i].missed(c);
	return busy;
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
