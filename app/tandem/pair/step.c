/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of a role change, as srp orders them: each is a few messages to other cores and, when all
 * have answered, one srp_done(). Ownership of the shards changes hands only here, after the
 * previous writer let go. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "process/control.h"
#include "common/mutant.h"

/* Late packets are forwarded for half a minute at most; then their usage has as long again to get
 * through. */
enum { LATE_GIVE_UP_US = 60000000, LATE_MOST_US = 30000000 };

/* Recorded here, given to srp when what it asked for before has been carried out: an answer that
 * is there at once takes the same way as one of another core. */
static void finish(struct control *c, bool ok, uint64_t number, const char *why)
{
	struct step *s = &c->step;

	s->waiting = 0;
	s->answered = true;
	s->ok = ok;
	s->number = number;
	s->why = why;
	if (MUTANT(answer_in_step))
		pair_drain(c, c->now);
}

bool step_deliver(struct control *c, usec_t now)
{
	struct step s = c->step;

	if (!s.answered)
		return false;
	trace_step(c, s.step, clock_us());
	c->step = (struct step){ .step = SRP_STEP_NONE };
	if (!s.ok)
		LOG(WARNING, "step %s of term %lu: %s", srp_step_name(s.step),
			(unsigned long)s.term, s.why);
	srp_done(c->srp, s.step, s.term, s.ok, s.number, s.why, now);
	return true;
}

static void own_all(uint8_t (*who)(unsigned int shard))
{
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(T.table, i, who(i));
}

static uint8_t to_none(unsigned int shard)
{
	(void)shard;
	return SESSION_BY_NONE;
}

static uint8_t to_repl(unsigned int shard)
{
	(void)shard;
	return SESSION_BY_REPL;
}

static uint8_t to_worker(unsigned int shard)
{
	return T.shared.worker_of_shard[shard];
}

static int ask_workers(struct control *c, enum msg_type type, bool planned)
{
	struct msg m = { .type = (uint8_t)type, .term = c->step.term, .cookie = c->step.cookie };

	m.on = planned;
	c->step.waiting = T.n_workers;
	return control_to_workers(&m);
}

static int ask_repl(struct control *c, enum msg_type type)
{
	struct msg *m = msg_new(T.msgs, type);

	if (m == NULL)
		return -ENOMEM;
	m->term = c->step.term;
	m->old_term = c->step.old_term;
	m->cookie = c->step.cookie;
	c->step.waiting = 1;
	return door_send(&T.to_repl, m);
}

/* ---- VIPs and routes ---- */

/* Metric 0: away with it. */
static int route(
	struct control *c, const struct ip_addr *a, uint8_t len, uint32_t metric, const char *of)
{
	int ret = metric == 0 ? net_pool_route_del(c->kernel, a, len)
			      : net_pool_route_set(c->kernel, a, len, metric);

	if (ret < 0 && metric != 0)
		LOG(ERR, "%s: cannot install its route: %s", of, strerror(-ret));
	return ret;
}

/* What a routing daemon redistributes: the pools and, where routers decide, the VIPs. What makes
 * the kernel answer for a VIP has no metric, so each has a host route besides. The kernel looks at
 * its table `local` first: the host route counts only while the VIP is not there, and then what
 * comes for it ends in that route and is answered by nobody. */
static int routes(struct control *c, uint32_t metric)
{
	int ret = 0;

	for (unsigned int i = 0; i < T.conf->n_pools; i++) {
		const struct config_pool *p = &T.conf->pools[i];
		int err = p->srp_activate
				  ? route(c, &p->prefix.addr, p->prefix.len, metric, p->name)
				  : 0;

		ret = err < 0 ? err : ret;
	}
	for (unsigned int i = 0; i < T.conf->n_loopbacks && !T.conf->srp.l2; i++) {
		const struct config_loopback *l = &T.conf->loopbacks[i];
		uint8_t len = ip_addr_is_v4(&l->address) ? 32 : 128;
		int err = l->srp_activate ? route(c, &l->address, len, metric, l->name) : 0;

		ret = err < 0 ? err : ret;
	}
	return ret;
}

void control_announce_anew(struct control *c, usec_t now)
{
	c->announce_left = ANNOUNCEMENTS;
	c->announce_at = now;
}

int control_metric(struct control *c, uint8_t rm)
{
	c->rm = rm;
	return c->up ? routes(c, rm) : 0;
}

/* Where a VIP is (net.h says why): on shared subnets an address of lo, or of the twin. */
static unsigned int vip_where(const struct config_loopback *l)
{
	if (!T.conf->srp.l2)
		return NET_VIP_ROUTED;
	for (unsigned int k = 0; k < T.n_ports && !ip_addr_is_v4(&l->address); k++)
		if (strcmp(T.port[k].conf->name, l->port) == 0)
			return T.port[k].twin.ifindex;
	return if_nametoindex("lo");
}

int control_vip(struct control *c, const struct config_loopback *l, bool up)
{
	int ret = up ? net_vip_add(c->kernel, &l->address, vip_where(l))
		     : net_vip_del(c->kernel, &l->address, vip_where(l));

	if (ret < 0 && up)
		LOG(ERR, "loopback %s: cannot add its address%s: %s", l->name,
			ip_addr_is_v4(&l->address) ? "" : ", is IPv6 disabled in the kernel?",
			strerror(-ret));
	return ret;
}

static int activate(struct control *c, uint8_t rm, usec_t now)
{
	int ret = 0;

	c->up = true;
	c->lingers = c->in_standby = false;
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++) {
		const struct config_loopback *l = &T.conf->loopbacks[i];
		int err = l->srp_activate ? control_vip(c, l, true) : 0;

		ret = err < 0 ? err : ret;
	}
	if (control_metric(c, rm) < 0)
		ret = -EIO;
	control_announce_anew(c, now);
	control_announce(c, now);
	return ret;
}

static void vips_away(struct control *c)
{
	c->up = false;
	c->announce_left = 0;
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++)
		if (T.conf->loopbacks[i].srp_activate)
			control_vip(c, &T.conf->loopbacks[i], false);
}

void control_withdraw(struct control *c)
{
	if (!c->up && !c->lingers && !c->in_standby)
		return;
	if (c->up)
		vips_away(c);
	c->lingers = c->in_standby = false;
	routes(c, 0);
}

/* By advertise-in-standby; 0: not. */
static uint8_t standby_rm(const struct control *c, usec_t now)
{
	const struct config *f = T.conf;
	uint8_t have = c->in_standby || c->lingers ? c->rm : 0;

	if (!f->srp.advertise_in_standby || f->srp.l2)
		return 0;
	return srp_standby_rm(srp_info(c->srp), f->srp.hold_off_ms * USEC_PER_MSEC, have, now);
}

/* The routes alone: the VIPs are nobody's addresses here, and what a router sends although the
 * Active's path is the shorter one ends in a blackhole (VIP) or at workers that own nothing (pool).
 * activate() takes them over as they are. */
static void in_standby(struct control *c, uint8_t rm, usec_t now)
{
	if (rm == 0) {
		control_withdraw(c);
		return;
	}
	if (!c->in_standby)
		LOG(NOTICE, "advertise-in-standby: VIPs and pools are told with metric %u", rm);
	c->lingers = false;
	c->in_standby = true;
	c->rm = rm;
	if (routes(c, rm) < 0) { /* as in linger() */
		control_withdraw(c);
		c->routes_retry = now + USEC_PER_SEC;
	}
}

static void standby_turn(struct control *c, usec_t now)
{
	uint8_t rm;

	if (c->up || c->lingers || now < c->routes_retry)
		return;
	rm = standby_rm(c, now);
	if (rm != (c->in_standby ? c->rm : 0))
		in_standby(c, rm, now);
}

void control_routes_text(const struct control *c, char *text, size_t len, usec_t now)
{
	const struct srp_info *i = srp_info(c->srp);
	usec_t ends = i->last_change + T.conf->srp.hold_off_ms * USEC_PER_MSEC;

	if (c->up || c->lingers || c->in_standby)
		snprintf(text, len, "advertised, metric %u%s", c->rm,
			c->in_standby ? ", as standby"
			: c->lingers  ? ", until no late packet comes"
				      : "");
	else if (T.conf->srp.advertise_in_standby && i->state == SRP_STANDBY && now < ends)
		snprintf(text, len, "not advertised, hold-off-time ends in %lu ms",
			(unsigned long)((ends - now) / USEC_PER_MSEC));
	else
		snprintf(text, len, "not advertised");
}

/* Handed over: routers need time to learn the new Active's routes, and without any they drop what
 * they get. So ours stay, a longer path than its, for as long as late packets are forwarded
 * (late_ended; at most LATE_MOST). The addresses do not: nobody but the Active answers. */
static void linger(struct control *c, uint8_t rm, usec_t now)
{
	if (!MUTANT(address_stays))
		vips_away(c);
	c->up = false;
	c->lingers = true;
	c->linger_by = now + LATE_MOST_US;
	c->rm = rm;
	if (!MUTANT(route_preferred) && routes(c, rm) < 0)
		control_withdraw(c); /* what is not known to be the longer path must not stay */
}

/* Gratuitous ARP or unsolicited NA on the port of each VIP: at once, and a bounded number of times
 * more, only while we are active and only where the link is up. Who stood still first hears whether
 * the peer took over; it may have done so and ended since, then the segment still sends to it. */
void control_announce(struct control *c, usec_t now)
{
	static const usec_t gap[ANNOUNCEMENTS] = { 2000000, 1000000, 400000, 100000, 30000 };

	if (c->up && srp_info(c->srp)->mute)
		control_announce_anew(c, now);
	if (c->announce_left == 0 || now < c->announce_at || !c->up || srp_info(c->srp)->mute)
		return;
	c->announce_left--;
	c->announce_at = now + gap[c->announce_left];
	for (unsigned int i = 0; i < T.conf->n_loopbacks; i++) {
		const struct config_loopback *l = &T.conf->loopbacks[i];

		for (unsigned int k = 0; k < T.n_ports && l->srp_activate; k++) {
			struct port *p = &T.port[k];
			struct rte_mbuf *m;

			if (strcmp(p->conf->name, l->port) != 0 ||
				!atomic_load(&T.shared.port[p->id].up))
				continue;
			m = net_announce(T.mbufs, &p->mac, &l->address);
			if (m == NULL)
				continue;
			m->port = p->id;
			if (rte_ring_enqueue(T.kernel_out[0], m) < 0)
				rte_pktmbuf_free(m);
		}
	}
}

/* ---- begin ---- */

static void begin_write(struct control *c, usec_t now)
{
	if (c->step.old_term == 0 &&
		c->late_usage) /* asked again before our usage was through: it still goes */
		c->step.old_term = c->late_term;
	own_all(to_repl);
	c->late_usage = c->step.old_term != 0;
	atomic_store(&T.table->late_merge, c->late_usage);
	c->late_waiting = T.n_workers;
	c->late_drain = false;
	c->late_term = c->step.old_term;
	c->late_by = now + LATE_GIVE_UP_US;
	ask_repl(c, MSG_WRITE);
}

void step_begin(struct control *c, const struct srp_action *a, usec_t now)
{
	int ret;

	c->step = (struct step){
		.step = a->step, .term = a->term, .old_term = a->old_term, .cookie = ++c->cookie
	};
	switch (a->step) {
	case SRP_STEP_STOP:
		ask_repl(c, MSG_STOP);
		break;
	case SRP_STEP_OWN:
		c->owned = true;
		c->own_term = a->term;
		c->late_usage = false; /* whatever was unsent stays in our own set */
		atomic_store(&T.table->late_merge, false);
		own_all(to_worker);
		c->active_planned = a->planned;
		ask_workers(c, MSG_OWN, a->planned);
		if (MUTANT(own_not_awaited))
			finish(c, true, 0, "");
		break;
	case SRP_STEP_ACTIVATE:
		ret = activate(c, a->rm, now);
		c->answering = true;
		c->hold = false;
		c->became_active = now;
		signalling_activated(c->signalling, srp_info(c->srp)->term, c->active_planned, now);
		/* Planned, the other one is better off. Else there is no other: better without a
		 * route than not at all. */
		finish(c, ret == 0 || !c->active_planned, 0,
			ret == 0 ? "" : "an address or route could not be installed");
		break;
	case SRP_STEP_STREAM:
		ask_repl(c, MSG_START);
		break;
	case SRP_STEP_HOLD:
		c->hold = true; /* done when no commit waits: step_turn */
		break;
	case SRP_STEP_LATE:
		ask_workers(c, MSG_LATE, true);
		break;
	case SRP_STEP_RESUME:
		c->owned = true;
		c->own_term = a->term;
		ask_workers(c, MSG_RESUME, true);
		break;
	case SRP_STEP_DEACTIVATE:
		signalling_flush(
			c->signalling); /* what was answered leaves while it is ours to answer */
		if (a->planned && !T.conf->srp.l2 && !c->owned && !MUTANT(route_withdrawn))
			linger(c, a->rm, now);
		else
			control_withdraw(c);
		c->answering = c->hold = false;
		signalling_deactivated(c->signalling);
		finish(c, true, 0, "");
		break;
	case SRP_STEP_RELEASE:
		ask_workers(c, MSG_RELEASE, false);
		break;
	case SRP_STEP_WRITE:
		/* Owned: the peer took over before late mode was reached: nobody else may write
		 * yet. */
		if (c->owned && !MUTANT(written_before_release))
			ask_workers(c, MSG_RELEASE, false);
		else
			begin_write(c, now);
		break;
	case SRP_STEP_NONE:
		break;
	}
}

/* ---- answers ---- */

static void late_ended(struct control *c, const struct msg *m, usec_t now)
{
	if (!c->late_usage || m->term != c->late_term || c->late_waiting == 0 ||
		--c->late_waiting > 0)
		return;
	/* our usage has left; when it is acknowledged, the peer knows it all */
	c->late_drain = true;
	if (!c->up) /* and no worker forwards any more */
		in_standby(c, standby_rm(c, now), now);
}

static void late_over(struct control *c)
{
	struct msg *q = msg_new(T.msgs, MSG_LATE_STREAM_OFF);

	c->late_usage = c->late_drain = false;
	atomic_store(&T.table->late_merge, false);
	if (q != NULL)
		door_send(&T.to_repl, q);
}

static void late_turn(struct control *c, usec_t now)
{
	struct msg *q;

	if (c->lingers && now >= c->linger_by)
		in_standby(c, standby_rm(c, now), now);
	if (!c->late_usage)
		return;
	if (now >= c->late_by) {
		LOG(WARNING, "the Active does not take the usage that was counted here late: it is "
			     "given up");
		late_over(c);
		return;
	}
	if (!c->late_drain)
		return;
	q = msg_new(T.msgs, MSG_DRAIN);
	if (q == NULL)
		return; /* at the next turn */
	q->term = c->late_term;
	c->late_drain = door_send(&T.to_repl, q) < 0;
}

void step_done(struct control *c, const struct msg *m, usec_t now)
{
	struct step *s = &c->step;

	if (m->what == MSG_LATE_END) {
		late_ended(c, m, now);
		return;
	}
	if (m->what == MSG_DRAIN && m->cookie == 0) {
		if (c->late_usage && m->term == c->late_term)
			late_over(c);
		return;
	}
	if (m->cookie != s->cookie || s->step == SRP_STEP_NONE || s->waiting == 0 || s->answered)
		return;
	if (!m->ok) {
		finish(c, false, 0,
			m->what == MSG_DRAIN ? "the stream ended before everything was acknowledged"
					     : "a core refused a term that it knows to be old");
		return;
	}
	if (--s->waiting > 0)
		return;
	switch (s->step) {
	case SRP_STEP_STOP:
		own_all(to_none);
		finish(c, true, m->number, "");
		break;
	case SRP_STEP_RELEASE:
		c->owned = false;
		own_all(to_none);
		finish(c, true, 0, "");
		break;
	case SRP_STEP_LATE:
		if (s->draining || MUTANT(drain_not_awaited)) {
			finish(c, true, m->number, "");
			break;
		}
		c->owned = false;   /* they change nothing any more */
		s->draining = true; /* the workers have encoded all; now it must be acknowledged */
		ask_repl(c, MSG_DRAIN);
		break;
	case SRP_STEP_RESUME:
		if (s->draining) {
			c->hold = false;
			c->answering = true;
			/* The peer may have announced itself and ended since. */
			control_announce_anew(c, now);
			finish(c, true, 0, "");
			break;
		}
		s->draining = true;
		ask_repl(c, MSG_START);
		break;
	case SRP_STEP_WRITE:
		if (c->owned) {
			c->owned = false;
			begin_write(c, now);
			break;
		}
		finish(c, true, 0, "");
		break;
	default:
		finish(c, true, m->number, "");
		break;
	}
}

void step_turn(struct control *c, usec_t now)
{
	if (c->step.step == SRP_STEP_HOLD && !c->step.answered && signalling_idle(c->signalling))
		finish(c, true, 0, "");
	late_turn(c, now);
	standby_turn(c, now);
}
