/* SPDX-License-Identifier: BSD-3-Clause */
/* Operators who load another configuration on one chassis, then on the other: a number, and the
 * times that go with it. */
#include "sim_srp.h"

enum { FILES = 6, AGAIN = 20 * MS };

static const struct {
	usec_t hello, dead, heartbeat;
	unsigned int multiplier;
} times[FILES] = {
	{ 100 * MS, 400 * MS, 20 * MS, 3 },
	{ 100 * MS, 400 * MS, 20 * MS, 3 },
	{ 200 * MS, 900 * MS, 100 * MS, 4 },
	{ 50 * MS, 300 * MS, 10 * MS, 3 },
	{ 150 * MS, 600 * MS, 60 * MS, 8 },
	{ 100 * MS, 300 * MS, 15 * MS, 5 },
};

static struct srp_conf reload_conf(const struct node *n, uint64_t file)
{
	struct srp_conf c = n->conf;

	c.config_digest = file + 1;
	c.hello_us = times[file].hello;
	c.dead_us = times[file].dead;
	c.heartbeat_us = times[file].heartbeat;
	c.dead_multiplier = times[file].multiplier;
	return c;
}

static bool reload_fits(const struct world *w, int i, uint64_t digest)
{
	return w->n[!i].s == NULL || w->n[!i].conf.config_digest == digest;
}

void reload_boot(struct world *w, int i)
{
	struct node *n = &w->n[i];

	n->conf = reload_conf(n, n->file);
	w->apart = w->apart || !reload_fits(w, i, n->conf.config_digest);
}

static void reload_take(struct world *w, int i, uint64_t file)
{
	struct node *n = &w->n[i];
	struct srp_conf c = reload_conf(n, file);

	lists_before_hello(w, i, file);
	if (srp_reconfigure(n->s, &c, w->now) < 0)
		return; /* the role is changing */
	trace(w, i, "runs %llu", (unsigned long long)file);
	w->reloads += n->conf.config_digest != c.config_digest;
	n->conf = c;
	lists_reload(w, i, file);
	n->beats++; /* the core that sends them begins anew */
	push(w, EV_SEND_BEAT, i, w->now + rnd(w, n->conf.heartbeat_us))->number = n->beats;
	drain(w, i);
}

void reload_file(struct world *w, int i, uint64_t file)
{
	struct node *n = &w->n[i];
	struct srp_conf c = reload_conf(n, file);
	enum srp_reload found = SRP_RELOAD_BUSY;

	n->file = file;
	if (n->s != NULL && w->now >= n->stalled_until)
		found = srp_reload(n->s, c.config_digest);
	trace(w, i, "loads %llu: %d", (unsigned long long)file, (int)found);
	if (n->s == NULL)
		return;
	if (found == SRP_RELOAD_BUSY) {
		push(w, EV_LOAD, i, w->now + AGAIN)->number = file;
	} else if (found == SRP_RELOAD_WAIT) {
		if (srp_prepare(n->s, &c, w->now) != 0)
			fail(w, "chassis %d: what was to wait was refused", i);
		drain(w, i);
	} else {
		w->apart = w->apart || !reload_fits(w, i, c.config_digest);
		reload_take(w, i, file);
		if (n->conf.config_digest != c.config_digest)
			push(w, EV_LOAD, i, w->now + AGAIN)->number = file;
	}
}

void reload_fault(struct world *w, int i)
{
	reload_file(w, i, rnd(w, 4) == 0 ? rnd(w, FILES) : w->n[!i].file);
}

/* Whoever takes the other for dead, rightly or not, goes on alone. */
static void reload_apart(struct world *w)
{
	bool same = w->n[0].s != NULL && w->n[1].s != NULL;

	for (int i = 0; i < 2; i++) {
		const struct srp_info *k = w->n[i].s != NULL ? srp_info(w->n[i].s) : NULL;

		if (k == NULL || (k->alarms >> SRP_ALARM_PEER_LOST & 1) != 0)
			w->apart = true;
		same = same && k != NULL && (k->alarms >> SRP_ALARM_PEER_LOST & 1) == 0 &&
		       k->next_since == USEC_NEVER && k->agreed &&
		       k->peer.config_digest == w->n[!i].conf.config_digest;
	}
	if (same && w->connected && w->n[0].conf.config_digest == w->n[1].conf.config_digest)
		w->apart = false;
}

void reload_turn(struct world *w, int i)
{
	struct node *n = &w->n[i];

	if (srp_next_is_due(n->s))
		reload_take(w, i, srp_info(n->s)->next_digest - 1);
	reload_apart(w);
	if (!w->apart && srp_info(n->s)->differs)
		fail(w, "chassis %d finds that the two differ, which nobody made them: %s", i,
			srp_info(n->s)->config_error);
}
