/* SPDX-License-Identifier: BSD-3-Clause */
/* One turn of the control core: what it does, and in which order. */
#include <rte_common.h>

#include "operator/reload.h"
#include "process/control.h"

enum { REST_NS = 1000000, WAITED_FOR_NS = 100000, DUE_NS = 20000 };

/* A packet waits in a worker for its next hop: after a promotion that is the first one to each
 * neighbour. */
static void turn_next_hops(struct control *c, usec_t now)
{
	const struct tandem *t = c->t;

	(void)now;
	for (unsigned int i = 0; i < t->n_workers; i++) {
		uint16_t port;
		uint32_t dst4;

		if (worker_unresolved(t->worker[i], &port, &dst4)) {
			struct ip_addr dst = ip_addr_v4(dst4);

			net_ops->mirror_want(kernel_mirror(c->kernel), port, &dst);
		}
	}
}

/* What is not urgent: the peer's address, neighbours to be asked again. */
static void turn_slow(struct control *c, usec_t now)
{
	const struct tandem *t = c->t;

	if (now < c->slow_at)
		return;
	c->slow_at = now + 5 * USEC_PER_MSEC;
	if (c->repl_adjacency == FIB_NONE)
		for (unsigned int i = 0; i < t->n_ports; i++)
			if (t->port[i].conf->roles & CONFIG_REPLICATION) {
				c->repl_adjacency = net_ops->mirror_keep(kernel_mirror(c->kernel),
					t->port[i].id, &t->conf->srp.stream_peer);
				replicator_peer(t->repl, c->repl_adjacency);
			}
	kernel_turn(c->kernel, now);
	journal_turn(c->journal, now);
	signalling_end_superseded(c->signalling);
	lists_turn(c, now);
	reload_turn(c->reload);
}

static void turn_leave(struct control *c, usec_t now)
{
	enum pair_leaving how = pair_leaving(c->pair, now);

	if (!c->stopping)
		return;
	if (now < c->stop_by && (how == PAIR_WAITS_FOR_PEER || how == PAIR_WAITS_FOR_USAGE))
		return;
	if (how == PAIR_WAITS_FOR_PEER)
		LOG(WARNING,
			"this chassis ends although the peer did not take over in time: see on the "
			"peer whether it is Active");
	else if (how != PAIR_LEAVES)
		LOG(WARNING,
			"no chassis took the usage that was counted here after the switchover: it "
			"is lost, see the replication path");
	control_stop(c);
}

static void turn_monitors(struct control *c, usec_t now)
{
	monitors_turn(c->monitors, now);
}

/* The stream was refused for its keys: the connection, which made them, is made again. */
static void turn_stream_alarms(struct control *c, usec_t now)
{
	if (!c->t->conf->srp.insecure &&
		replicator_alarms_turn(&c->repl_watch, c->t->repl, c->alarms, now))
		pair_key_exhausted(c->pair, now);
}

static void turn_signalling(struct control *c, usec_t now)
{
	signalling_turn(c->signalling, now);
}

/* Time in which we, or the core that listens to the peer, did not run: reported before anything
 * that waited meanwhile. */
static void turn_wake(struct control *c, usec_t now)
{
	usec_t stall;

	c->now = now = clock_us();
	stall = pulse_turn(&c->t->pulse_control, now);
	if (chassis_stood_still(c->t, now, stall))
		kernel_drop_stale(c->kernel);
	pair_woke(c->pair, stall, now);
}

static void turn_messages(struct control *c, usec_t now)
{
	(void)now;
	c->busy = control_messages(c);
}

static void turn_frames(struct control *c, usec_t now)
{
	c->busy |= kernel_frames(c->kernel, now);
}

/* Until a socket has something, a ring may have (rings wake nobody) or srp must judge. Soon, while
 * somebody waits for an answer or the role changes. */
static void turn_wait(struct control *c, usec_t now)
{
	usec_t due = pair_due(c->pair), left = due > now ? due - now : 0;
	long ns = REST_NS;

	if (!signalling_idle(c->signalling) || pair_is_brisk(c->pair, now))
		ns = WAITED_FOR_NS;
	if (left * 1000 < (usec_t)ns)
		ns = RTE_MAX((long)left * 1000, (long)DUE_NS);
	if (c->busy || signalling_indexing(c->signalling) || !c->t->conf->idle_sleep)
		ns = 0;
	reactor_wait(c->reactor, ns);
}

static void turn_sockets(struct control *c, usec_t now)
{
	(void)now;
	reactor_dispatch(c->reactor);
}

static void turn_watchdog(struct control *c, usec_t now)
{
	watchdog_repl(c->t, &c->replicator_seen, now);
}

/* A turn: all that it does, in this order. Each row is an event of its own: what it causes is
 * carried out before the next. */
static void (*const turn_rows[])(struct control *c, usec_t now) = {
	turn_wake,
	turn_messages,
	turn_frames,
	turn_wait,
	turn_wake,    /* a stopped process mostly stands in the wait: looked at before any timer */
	turn_sockets, /* before the timers: a core drains its input before a timer may fire */
	start_pair_feed, /* what the stream says, before the pair judges */
	turn_monitors,
	start_pair_judge,
	start_switchover_turn,
	start_pair_probes,
	start_pair_connect,
	turn_stream_alarms,
	turn_signalling,
	start_switchover_announce,
	turn_next_hops,
	turn_slow,
	turn_leave,
	turn_watchdog,
};

void control_turn(struct control *c)
{
	for (unsigned int i = 0; i < RTE_DIM(turn_rows); i++) {
		turn_rows[i](c, c->now);
		reactor_settle(c->reactor);
	}
}

int control_run(struct control *c)
{
	while (!atomic_load_explicit(&c->t->quit, memory_order_relaxed))
		control_turn(c);
	return 0;
}
