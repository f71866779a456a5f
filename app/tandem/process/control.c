/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "process/control.h"
#include "process.h"

enum { REST_NS = 1000000, WAITED_FOR_NS = 100000, DUE_NS = 20000, WATCHDOG_GRACE_US = 1000000 };

/* An event of whatever kind is over. */
static void settled(void *ctx)
{
	struct control *c = ctx;

	pair_drain(c, c->now);
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
	srp_saved_reserve(c->srp, reserve, error == 0, c->now);
}

/* ---- life ---- */

static int srp_open(struct control *c, const struct srp_saved *saved)
{
	const struct config *f = T.conf;
	struct srp_conf *s = &c->srp_conf;
	static const uint8_t none[6];

	s->side = T.side;
	s->mode = f->chassis.primary ? SRP_PRIMARY : SRP_BACKUP;
	s->priority = (uint8_t)f->chassis.priority;
	memcpy(s->mac,
		memcmp(f->chassis.tie_breaker, none, 6) != 0 ? f->chassis.tie_breaker
							     : T.port[0].mac.addr_bytes,
		6);
	s->l2 = f->srp.l2;
	s->incarnation = T.incarnation;
	s->capacity = T.table->n_slots * SESSION_SHARDS;
	s->config_digest = config_digest(f);
	s->lines = c->lines;
	s->lines_len = c->lines_len;
	s->configuration_us = f->srp.configuration_interval_s * USEC_PER_SEC;
	s->unlicensed = !f->licensed;
	for (unsigned int i = 0; i < f->n_ports; i++)
		if (f->ports[i].roles & CONFIG_REPLICATION) {
			s->wire.mtu = (uint16_t)f->ports[i].mtu;
			snprintf(s->mtu_port, sizeof(s->mtu_port), "%s", f->ports[i].name);
		}
	s->wire.version_min = REPL_VERSION_MIN;
	s->wire.version_max = REPL_VERSION_MAX;
	s->hello_us = f->srp.hello_interval_ms * USEC_PER_MSEC;
	s->dead_us = f->srp.dead_interval_ms * USEC_PER_MSEC;
	s->delay_us = f->srp.delay_interval_ms * USEC_PER_MSEC;
	s->heartbeat_us = f->srp.heartbeat_interval_ms * USEC_PER_MSEC;
	s->pending_us = f->srp.pending_timeout_s * USEC_PER_SEC;
	s->dead_multiplier = f->srp.dead_multiplier;
	c->srp = srp_create(s, saved, clock_us());
	return c->srp != NULL ? 0 : -errno;
}

static const struct {
	const char *what;
	int (*open)(struct control *c);
} parts[] = {
	{ "signals", signals_open },
	{ "kernel addresses and routes", start_kernel },
	{ "signalling", start_signalling },
	{ "SRP socket", link_open },
	{ "monitors", watch_open },
	{ "configuration", configuration_open },
};

struct control *control_create(void)
{
	struct control *c = rte_zmalloc("control", sizeof(*c), 0);
	struct srp_saved saved;
	int ret = 0;

	if (c == NULL)
		return NULL;
	c->signals.fd = c->journal_src.fd = c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd =
		-1;
	c->link.listen.fd = -1;
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		c->link.conn[i].src.fd = -1;
	c->repl_adjacency = FIB_NONE;
	c->heard = USEC_NEVER;
	control_doors(c);
	c->started = c->now = clock_us();
	c->reactor = reactor_create(settled, c);
	c->pair = pair_create();
	if (c->reactor == NULL || c->pair == NULL) {
		LOG(ERR, "the control core cannot begin: %s", strerror(errno));
		pair_destroy(c->pair);
		reactor_destroy(c->reactor);
		rte_free(c);
		return NULL;
	}
	if (records_open(c, &saved) < 0) {
		control_destroy(c);
		return NULL;
	}
	reactor_watch(c->reactor, &c->journal_src, journal_fd(c->journal), EPOLLIN, on_journal, c);
	for (unsigned int i = 0; i < RTE_DIM(parts) && ret == 0; i++) {
		ret = parts[i].open(c);
		if (ret < 0)
			LOG(ERR, "%s: %s", parts[i].what, strerror(-ret));
	}
	if (ret == 0)
		ret = srp_open(c, &saved);
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
	reload_close(c);
	start_operator_end(c);
	link_close(c);
	monitors_destroy(c->monitors);
	c->monitors = NULL;
	signalling_destroy(c->signalling);
	c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd = -1;
	c->journal_src.fd = -1;
	kernel_destroy(c->kernel);
	srp_destroy(c->srp);
	configuration_close(c);
	records_close(c);
	reactor_unwatch(c->reactor, &c->signals);
	pair_destroy(c->pair);
	reactor_destroy(c->reactor);
	rte_free(c);
}

void control_stop(struct control *c)
{
	(void)c;
	atomic_store(&T.quit, true);
}

/* A packet waits in a worker for its next hop: after a promotion that is the first one to each
 * neighbour. */
static void unresolved(struct control *c)
{
	for (unsigned int i = 0; i < T.n_workers; i++) {
		_Atomic uint64_t *at = &T.worker[i]->fp.unresolved;
		uint64_t w = atomic_load_explicit(at, memory_order_relaxed) != 0
				     ? atomic_exchange(at, 0)
				     : 0;

		if (w != 0)
			net_mirror_want(kernel_mirror(c->kernel), (uint16_t)(w >> 32), (uint32_t)w);
	}
}

/* What is not urgent: the peer's address, neighbours to be asked again. */
static void slow(struct control *c, usec_t now)
{
	if (now < c->slow_at)
		return;
	c->slow_at = now + 5 * USEC_PER_MSEC;
	if (c->repl_adjacency == FIB_NONE)
		for (unsigned int i = 0; i < T.n_ports; i++)
			if (T.port[i].conf->roles & CONFIG_REPLICATION) {
				c->repl_adjacency = net_mirror_keep(kernel_mirror(c->kernel),
					T.port[i].id, &T.conf->srp.stream_peer);
				replicator_peer(T.repl, c->repl_adjacency);
			}
	kernel_turn(c->kernel, now);
	journal_turn(c->journal, srp_info(c->srp)->last_change, now);
	signalling_end_superseded(c->signalling);
}

/* Its process is gone, or another is there: nobody takes the usage that is still counted here. */
static bool heir_gone(const struct control *c, usec_t now)
{
	const struct replicator_view *v = replicator_view(T.repl);
	usec_t heard = atomic_load(&v->heard), dead = T.conf->srp.dead_interval_ms * USEC_PER_MSEC;

	if (heard == USEC_NEVER || atomic_load(&v->peer_incarnation) != c->heir)
		return true;
	return now >= RTE_MAX(heard, c->stood_until) + dead;
}

static bool may_leave(const struct control *c, usec_t now)
{
	return now >= c->stop_by ||
	       (c->goodbye && (!pair_late_usage(c->pair) || heir_gone(c, now)));
}

static void leave_turn(struct control *c, usec_t now)
{
	if (!c->stopping || !may_leave(c, now))
		return;
	if (!c->goodbye)
		LOG(WARNING, "the peer did not take over in time: going down all the same");
	else if (pair_late_usage(c->pair))
		LOG(WARNING,
			"nobody takes the usage that was counted here late: going down without");
	control_stop(c);
}

static void control_monitors(struct control *c, usec_t now)
{
	monitors_turn(c->monitors, now);
}

static void tick(struct control *c, usec_t now)
{
	srp_tick(c->srp, now);
}

/* The stream was refused for its keys: the connection, which made them, is made again. */
static void stream_alarms(struct control *c, usec_t now)
{
	if (!T.conf->srp.insecure && replicator_alarms_turn(&c->repl_watch, T.repl, c->alarms, now))
		link_drop(c, now);
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
	srp_feed, /* what the stream says, before srp judges */
	control_monitors,
	tick,
	pair_turn,
	probe_turn,
	link_turn,
	stream_alarms,
	signalling,
	pair_announce,
	next_hops,
	slow,
	leave_turn,
};

/* Time in which we, or the core that listens to the peer, did not run: told before anything that
 * waited meanwhile. */
/* What the replication core stood still and srp was not told yet. When control wakes up first from
 * a sleep of the whole process, the other has not even noticed its own. */
static usec_t repl_stalls(struct control *c, usec_t own, usec_t now)
{
	usec_t tick = atomic_load_explicit(&T.pulse_repl.tick, memory_order_relaxed);
	usec_t all = atomic_load_explicit(&T.pulse_repl.stalled_us, memory_order_relaxed);
	usec_t untold;

	if (own > 0 && now > tick + STALL_US)
		all += now - tick;
	untold = all > c->repl_stalled ? all - c->repl_stalled : 0;
	c->repl_stalled += untold;
	return untold;
}

static void stalls(struct control *c, usec_t own, usec_t now)
{
	usec_t repl = repl_stalls(c, own, now);

	if (own > 0)
		c->grace = now + WATCHDOG_GRACE_US;
	if (chassis_stood_still(now, own))
		kernel_drop_stale(c->kernel);
	if (own > 0 || repl > 0) {
		/* Both stood still together, mostly: the longer of the two is the time in which
		 * nobody listened. */
		c->stood_still += RTE_MAX(own, repl);
		c->stood_until = now;
		c->deaf += repl;
		srp_stood_still(c, own, repl, now);
		reactor_settle(c->reactor);
	}
}

/* Until a socket has something, a ring may have (rings wake nobody) or srp must judge. Soon, while
 * somebody waits for an answer or the role changes. */
static void rest(struct control *c, bool busy, usec_t now)
{
	usec_t due = srp_due(c->srp), left = due > now ? due - now : 0;
	long ns = REST_NS;

	if (!signalling_idle(c->signalling) || now < c->brisk_until)
		ns = WAITED_FOR_NS;
	if (left * 1000 < (usec_t)ns)
		ns = RTE_MAX((long)left * 1000, (long)DUE_NS);
	if (busy || !T.conf->idle_sleep)
		ns = 0;
	reactor_wait(c->reactor, ns);
}

void control_turn(struct control *c)
{
	usec_t now = clock_us(), stall = pulse_turn(&T.pulse_control, now);
	bool busy;

	c->now = now;
	stalls(c, stall, now);
	busy = doors_turn(&c->doors);
	busy |= kernel_frames(c->kernel, now) || signalling_indexing(c->signalling);
	reactor_settle(c->reactor);
	rest(c, busy, now);
	/* In here is where a stopped process mostly stands: looked at before any timer fires. */
	c->now = now = clock_us();
	stalls(c, pulse_turn(&T.pulse_control, now), now);
	/* Sockets first, then timers: a core drains its input before a timer may fire. */
	reactor_dispatch(c->reactor);
	for (unsigned int i = 0; i < RTE_DIM(timers); i++) {
		timers[i](c, now);
		reactor_settle(c->reactor);
	}
	if (now >= c->grace)
		watchdog_repl(now);
}

int control_run(struct control *c)
{
	while (!atomic_load_explicit(&T.quit, memory_order_relaxed))
		control_turn(c);
	return 0;
}
