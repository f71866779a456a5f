/* SPDX-License-Identifier: BSD-3-Clause */
/* What the room `pair` is given at the start, what it asks of other rooms, and its part of a
 * turn. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "process/control.h"
#include "process/settings_rooms.h"
#include "process/start_peers.h"
#include "replicator/audit_watch.h"

static uint32_t start_pair_comparison_left(void *ctx, usec_t now)
{
	const struct control *c = ctx;
	struct audit_watch w;

	replicator_audit(c->t->repl, true, now, &w);
	return audit_watch_left_s(&w, now);
}

static void start_pair_became(void *ctx, bool active, enum monitor_type by, usec_t now)
{
	const struct control *c = ctx;

	monitors_role(c->monitors, active, by, now);
}

static void start_pair_listen_for_claims(void *ctx, bool on)
{
	const struct control *c = ctx;

	if (on)
		kernel_probe_begin(c->kernel);
	else
		kernel_probe_end(c->kernel);
}

static bool start_pair_probe(void *ctx)
{
	const struct control *c = ctx;

	return kernel_probe_send(c->kernel);
}

static int start_pair_drain(void *ctx, enum places_kind kind, const char *name, const char *what)
{
	return lists_hold(ctx, kind, name, what);
}

int start_pair(struct control *c, const struct srp_saved *saved)
{
	struct tandem *t = c->t;
	struct pair_settings s = { .seat = t->side,
		.incarnation = t->random.incarnation,
		.saved = *saved,
		.places = &t->shared.places,
		.alarms = c->alarms,
		.journal = c->journal,
		.switchover = c->switchover,
		.ops = { start_pair_comparison_left, start_pair_became,
			start_pair_listen_for_claims, start_pair_probe, start_pair_drain },
		.ctx = c };
	struct pair_connection connection = { .reactor = c->reactor,
		.alarms = c->alarms,
		.to_replicator = &t->to_repl,
		.msgs = t->msgs };
	struct pair_stream stream = { .replicator = t->repl,
		.to_replicator = &t->to_repl,
		.msgs = t->msgs,
		.pulse = &t->pulse_repl,
		.pair_time = &t->pair_time,
		.table = t->table };

	int ret = settings_pair_live(t->conf, &s.live);

	if (ret < 0)
		return ret;
	settings_pair_start(t->conf, &c->lists.placed, &s.start);
	memcpy(s.mac, t->port[0].mac.octet, sizeof(s.mac));
	c->pair = pair_create(&s, &connection, &stream);
	ret = c->pair != NULL ? 0 : -errno;
	settings_pair_live_end(&s.live);
	return ret;
}

int configuration_ready(struct control *c, const struct config *next, const struct reload_made *m,
	char why[PLACED_WHY])
{
	struct settings s;
	int ret = lists_fit(c, next, why);

	if (ret < 0)
		return ret;
	ret = c->lists.taken == NULL ? settings_of(next, &c->lists.next, &s) : -EBUSY;
	s.peers = lists_peers(m);
	if (ret == 0)
		ret = settings_ready(c->t->settings, &s);
	if (ret < 0)
		snprintf(why, PLACED_WHY, "the cores cannot be given their settings: %s",
			ret == -ENOSPC ? "too many names of GTP peers came and went: restart"
				       : strerror(-ret));
	return ret;
}

void configuration_run(
	struct control *c, const struct config *next, struct reload_made *m, usec_t now)
{
	settings_publish(c->t->settings);
	session_peers_changed(c->t->table);
	start_peers_say(settings_newest(c->t->settings)->peers);
	lists_run(c, next, m, now);
}

int configuration_agree(struct control *c, const struct config *next, usec_t now)
{
	struct signalling_live signalling;
	struct monitors_live monitors;
	struct switchover_live switchover;
	struct replicator_live replicator;
	struct pair_live pair;
	int ret = settings_pair_live(next, &pair);

	if (ret < 0)
		return ret;
	ret = pair_reconfigure(c->pair, &pair, now);
	settings_pair_live_end(&pair);
	if (ret < 0)
		return ret;
	settings_replicator_live(next, &replicator);
	replicator_reconfigure(c->t->repl, &replicator, now);
	settings_switchover_live(next, &switchover);
	switchover_reconfigure(c->switchover, &switchover);
	settings_signalling_live(next, &c->lists.next, &signalling);
	signalling_reconfigure(c->signalling, &signalling);
	settings_monitors_live(next, &monitors);
	monitors_rules(c->monitors, &monitors);
	return 0;
}

enum srp_reload configuration_asks(const struct control *c, const struct config *next)
{
	return pair_reload(c->pair, config_digest(next));
}

int configuration_prepare(struct control *c, const struct config *next, usec_t now)
{
	struct pair_live pair;
	int ret = settings_pair_live(next, &pair);

	if (ret < 0)
		return ret;
	ret = pair_prepare(c->pair, &pair, now);
	settings_pair_live_end(&pair);
	return ret;
}

bool configuration_is_due(const struct control *c)
{
	return pair_next_is_due(c->pair);
}

/* Raises or clears the alarm of an overdue audit. */
static void start_pair_audit_alarm(struct control *c, usec_t now)
{
	const char *name = srp_alarm_name(SRP_ALARM_AUDIT);
	struct audit_watch w;
	char text[SRP_REASON_MAX];
	bool on;

	replicator_audit(c->t->repl, pair_srp(c->pair)->state == SRP_ACTIVE, now, &w);
	on = audit_watch_overdue(&w, now, text, sizeof(text));
	if (on != alarms_is_raised(c->alarms, name)) /* the words change all the time */
		alarms_set(c->alarms, name, on, text, now);
}

/* After so long a stall a core may have lost the role: a reload changes how long the peer waits. */
static void start_pair_stale(struct tandem *t, usec_t us)
{
	pulse_stale_set(&t->pulse_control, us);
	pulse_stale_set(&t->pulse_repl, us);
	for (unsigned int i = 0; i < t->n_workers; i++)
		pulse_stale_set(&t->pulse_worker[i], us);
}

void start_pair_feed(struct control *c, usec_t now)
{
	pair_feed(c->pair, now);
	start_pair_stale(c->t, pair_srp(c->pair)->patience_us);
	start_pair_audit_alarm(c, now);
}

void start_pair_judge(struct control *c, usec_t now)
{
	pair_judge(c->pair, now);
}

void start_pair_probes(struct control *c, usec_t now)
{
	pair_probe(c->pair, now);
}

void start_pair_connect(struct control *c, usec_t now)
{
	pair_connect(c->pair, now);
}
