/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_common.h>

#include "base/memory.h"
#include "operator/reload.h"
#include "process/control.h"
#include "process.h"

enum { REST_NS = 1000000, WAITED_FOR_NS = 100000, DUE_NS = 20000 };

/* An event of whatever kind is over. */
static void settled(void *ctx)
{
	struct control *c = ctx;

	pair_drain(c->pair, c->now);
}

/* ---- events ---- */

static void on_journal(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	uint64_t reserve;
	int error;

	(void)s;
	(void)events;
	if (!journal_reserved(c->journal, &reserve, &error))
		return;
	pair_reserved(c->pair, reserve, error == 0, c->now);
}

/* ---- life ---- */

static int control_pair_open(struct control *c)
{
	return start_pair(c, &c->saved);
}

static const struct {
	const char *what;
	int (*open)(struct control *c);
} parts[] = {
	{ "signals", signals_open },
	{ "kernel addresses and routes", start_kernel },
	{ "signalling", start_signalling },
	{ "pair", control_pair_open },
	{ "monitors", watch_open },
};

struct control *control_create(struct tandem *t)
{
	struct control *c = memory_take("control", sizeof(*c), 0);
	int ret = 0;

	if (c == NULL)
		return NULL;
	c->t = t;
	c->signals.fd = c->journal_src.fd = c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd =
		-1;
	c->repl_adjacency = FIB_NONE;
	control_doors(c);
	c->started = c->now = clock_us();
	c->reactor = reactor_create(settled, c);
	if (c->reactor == NULL) {
		LOG(ERR, "the control core cannot begin: %s", strerror(errno));
		memory_give(c);
		return NULL;
	}
	if (records_open(c, &c->saved) < 0) {
		control_destroy(c);
		return NULL;
	}
	reactor_watch(c->reactor, &c->journal_src, journal_fd(c->journal), EPOLLIN, on_journal, c);
	for (unsigned int i = 0; i < RTE_DIM(parts) && ret == 0; i++) {
		ret = parts[i].open(c);
		if (ret < 0)
			LOG(ERR, "the control core cannot begin with its %s: %s", parts[i].what,
				strerror(-ret));
	}
	if (ret == 0)
		ret = start_operator(c);
	if (ret < 0) {
		control_destroy(c);
		return NULL;
	}
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	return c;
}

void control_destroy(struct control *c)
{
	if (c == NULL)
		return;
	if (c->vips != NULL) /* before anything that answers for them ends */
		vips_withdraw(c->vips);
	doors_fini(&c->doors);
	start_operator_end(c);
	pair_destroy(c->pair);
	c->pair = NULL;
	monitors_destroy(c->monitors);
	c->monitors = NULL;
	signalling_destroy(c->signalling);
	c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd = -1;
	c->journal_src.fd = -1;
	kernel_destroy(c->kernel);
	records_close(c);
	reactor_unwatch(c->reactor, &c->signals);
	reactor_destroy(c->reactor);
	memory_give(c);
}

void control_stop(struct control *c)
{
	atomic_store(&c->t->quit, true);
}

/* A packet waits in a worker for its next hop: after a promotion that is the first one to each
 * neighbour. */
static void unresolved(struct control *c)
{
	const struct tandem *t = c->t;

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
static void slow(struct control *c, usec_t now)
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
	journal_turn(c->journal, pair_srp(c->pair)->last_change, now);
	signalling_end_superseded(c->signalling);
	reload_turn(c->reload);
}

static void leave_turn(struct control *c, usec_t now)
{
	enum pair_leaving how = pair_leaving(c->pair, now);

	if (!c->stopping)
		return;
	if (now < c->stop_by && (how == PAIR_WAITS_FOR_PEER || how == PAIR_WAITS_FOR_USAGE))
		return;
	if (how == PAIR_WAITS_FOR_PEER)
		LOG(WARNING, "the peer did not take over in time: going down all the same");
	else if (how != PAIR_LEAVES)
		LOG(WARNING, "the usage that was counted here late is lost, as no chassis took it");
	control_stop(c);
}

static void control_monitors(struct control *c, usec_t now)
{
	monitors_turn(c->monitors, now);
}

/* The stream was refused for its keys: the connection, which made them, is made again. */
static void stream_alarms(struct control *c, usec_t now)
{
	if (!c->t->conf->srp.insecure &&
		replicator_alarms_turn(&c->repl_watch, c->t->repl, c->alarms, now))
		pair_key_exhausted(c->pair, now);
}

static void signalling(struct control *c, usec_t now)
{
	signalling_turn(c->signalling, now);
}

static void next_hops(struct control *c, usec_t now)
{
	(void)now;
	unresolved(c);
}

/* What each turn does when messages, frames and sockets were served, in this order. Each row is an
 * event of its own: what it causes is carried out before the next. */
static void (*const timers[])(struct control *c, usec_t now) = {
	start_pair_feed, /* what the stream says, before the pair judges */
	control_monitors,
	start_pair_turn,
	stream_alarms,
	signalling,
	start_pair_announce,
	next_hops,
	slow,
	leave_turn,
};

/* Time in which we, or the core that listens to the peer, did not run: told before anything that
 * waited meanwhile. */
static void stalls(struct control *c, usec_t own, usec_t now)
{
	if (chassis_stood_still(c->t, now, own))
		kernel_drop_stale(c->kernel);
	if (pair_woke(c->pair, own, now))
		reactor_settle(c->reactor);
}

/* Until a socket has something, a ring may have (rings wake nobody) or srp must judge. Soon, while
 * somebody waits for an answer or the role changes. */
static void rest(struct control *c, bool busy, usec_t now)
{
	usec_t due = pair_due(c->pair), left = due > now ? due - now : 0;
	long ns = REST_NS;

	if (!signalling_idle(c->signalling) || pair_is_brisk(c->pair, now))
		ns = WAITED_FOR_NS;
	if (left * 1000 < (usec_t)ns)
		ns = RTE_MAX((long)left * 1000, (long)DUE_NS);
	if (busy || !c->t->conf->idle_sleep)
		ns = 0;
	reactor_wait(c->reactor, ns);
}

void control_turn(struct control *c)
{
	struct core_pulse *pulse = &c->t->pulse_control;
	usec_t now = clock_us(), stall = pulse_turn(pulse, now);
	bool busy;

	c->now = now;
	stalls(c, stall, now);
	busy = doors_turn(&c->doors);
	busy |= kernel_frames(c->kernel, now) || signalling_indexing(c->signalling);
	rest(c, busy, now);
	/* In here is where a stopped process mostly stands: looked at before any timer fires. */
	c->now = now = clock_us();
	stalls(c, pulse_turn(pulse, now), now);
	/* Sockets first, then timers: a core drains its input before a timer may fire. */
	reactor_dispatch(c->reactor);
	for (unsigned int i = 0; i < RTE_DIM(timers); i++) {
		timers[i](c, now);
		reactor_settle(c->reactor);
	}
	watchdog_repl(c->t, &c->replicator_seen, now);
}

int control_run(struct control *c)
{
	while (!atomic_load_explicit(&c->t->quit, memory_order_relaxed))
		control_turn(c);
	return 0;
}
