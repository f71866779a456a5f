/* SPDX-License-Identifier: BSD-3-Clause */
/* Operators who load another configuration on one chassis and then on the other, while all that may
 * happen to a pair happens: what both must have the same, they never differ in, unless a chassis
 * went on alone. */
#include "process/settings_rooms.h"
#include "sim_case.h"

enum { FILES = 5, LOOK = 2 * MS };

static struct config next[2];
static bool waits[2];
static unsigned int file[2], runs; /* guard-period tells the files apart */
static bool apart;

/* Files 1 and 3 have an APN and a pool besides, and file 4 others of the same addresses, which must
 * wait until those have left. */
static void case_reload_lists(struct config *f, unsigned int number)
{
	static const char *const names[FILES] = { [1] = "zz", [3] = "zz", [4] = "yy" };
	struct config_pool *pool = &f->pools[1];
	struct config_apn *apn = &f->apns[1];

	f->srp.guard_period_s = number;
	f->n_pools = f->n_apns = names[number] != NULL ? 2 : 1;
	if (names[number] == NULL)
		return;
	*pool = f->pools[0];
	*apn = f->apns[0];
	pool->prefix = (struct ip_prefix){ ip_addr_v4(0x0ac80000), 24 };
	apn->pool_index = 1;
	snprintf(pool->name, sizeof(pool->name), "%s", names[number]);
	snprintf(apn->name, sizeof(apn->name), "%s", names[number]);
	snprintf(apn->pool, sizeof(apn->pool), "%s", names[number]);
}

static bool case_reload_good(const struct node *n)
{
	return n->up && !n->starting && n->t.control != NULL;
}

/* As the operator's room does it. */
static bool case_reload_run(struct node *n, const struct config *c)
{
	struct control *control = n->t.control;
	struct reload_made *made = lists_made_begin(control);
	char why[PLACED_WHY];
	bool good = made != NULL && lists_make(made, c) == 0 &&
		    configuration_ready(control, c, made, why) == 0 &&
		    configuration_agree(control, c, clock_us()) == 0;

	if (good)
		configuration_run(control, c, made, clock_us());
	lists_made_end(control, made);
	if (!good)
		return false;
	runs += n->conf.srp.guard_period_s != c->srp.guard_period_s;
	config_take_live(&n->conf, c);
	story(n->id, "runs file %u", c->srp.guard_period_s);
	waits[n->id] = false;
	return true;
}

static bool case_reload_file(int i, unsigned int number)
{
	struct node *n = &sim.node[i], *peer = &sim.node[!i];
	struct config c = n->conf;
	char why[PLACED_WHY];

	if (!n->up) /* the file is another when it starts */
		file[i] = number;
	if (!case_reload_good(n))
		return false;
	node_now = n;
	case_reload_lists(&c, file[i] = number);
	story(i, "loads file %u", number);
	switch (configuration_asks(n->t.control, &c)) {
	case SRP_RELOAD_NOW:
		apart = apart || peer->conf.srp.guard_period_s != number;
		return case_reload_run(n, &c);
	case SRP_RELOAD_WAIT:
		if (lists_fit(n->t.control, &c, why) < 0)
			return false;
		if (configuration_prepare(n->t.control, &c, clock_us()) < 0)
			broken(11, "chassis %c refuses what was to wait", 'A' + i);
		next[i] = c;
		return waits[i] = true;
	case SRP_RELOAD_BUSY:
		break;
	}
	return false;
}

static void case_reload_again(struct ev *e)
{
	int i = (int)rnd(2);

	if (sim.calm)
		return;
	case_reload_file(i, rnd(3) > 0 ? file[!i] : (unsigned int)rnd(FILES));
	ev_at(sim.now + 5 * MS + rnd(60 * MS), -1, case_reload_again);
}

/* When all is well the same file is loaded on both, until it is not refused. */
static void case_reload_last(int i)
{
	unsigned int goes_on_to =
		waits[i] ? next[i].srp.guard_period_s : sim.node[i].conf.srp.guard_period_s;

	if (sim.calm && goes_on_to != 0)
		case_reload_file(i, 0);
}

static bool case_reload_lost(const struct srp_info *k)
{
	return (k->alarms >> SRP_ALARM_PEER_LOST & 1) != 0;
}

/* Whoever takes the other for dead, or begins anew, goes on alone. */
static void case_reload_apart(void)
{
	const struct srp_info *k[2];

	for (int i = 0; i < 2; i++) {
		const struct node *n = &sim.node[i];

		k[i] = case_reload_good(n) ? pair_srp(n->t.control->pair) : NULL;
		waits[i] = waits[i] && k[i] != NULL && k[i]->next_since != USEC_NEVER;
		if (k[i] == NULL || case_reload_lost(k[i]))
			apart = true;
	}
	if (k[0] == NULL || k[1] == NULL || case_reload_lost(k[0]) || case_reload_lost(k[1]))
		return;
	if (k[0]->agreed && k[1]->agreed && !waits[0] && !waits[1] &&
		sim.node[0].conf.srp.guard_period_s == sim.node[1].conf.srp.guard_period_s)
		apart = false;
}

static void case_reload_look(struct ev *e)
{
	case_reload_apart();
	for (int i = 0; i < 2; i++) {
		struct node *n = &sim.node[i];

		if (!n->up) /* it will start with what was loaded last, whether that ran or not */
			case_reload_lists(&n->conf, file[i]);
		if (!case_reload_good(n))
			continue;
		node_now = n;
		if (waits[i] && configuration_is_due(n->t.control))
			case_reload_run(n, &next[i]);
		if (!apart && pair_srp(n->t.control->pair)->differs)
			broken(11, "chassis %c finds that the two differ, which nobody made them",
				'A' + i);
		case_reload_last(i);
	}
	ev_at(sim.now + LOOK, -1, case_reload_look);
}

void case_reload_setup(void)
{
	for (int i = 0; i < 2; i++) {
		case_reload_lists(&sim.node[i].conf, file[i] = 0);
		waits[i] = false;
	}
	apart = true;
	runs = 0;
	ev_at(400 * MS, -1, case_reload_look);
	ev_at(600 * MS, -1, case_reload_again);
}

void case_reload_check(void)
{
	for (int i = 0; i < 2; i++)
		if (sim.node[i].conf.srp.guard_period_s != 0 || waits[i])
			broken(11, "chassis %c does not run what both were given at last", 'A' + i);
	for (int i = 0; i < 2; i++)
		if (case_reload_good(&sim.node[i]) &&
			placed_places(&sim.node[i].t.control->lists.placed, PLACES_POOL) != 1)
			broken(11, "chassis %c has a pool yet that no session has", 'A' + i);
	if (sim.verbose)
		story(-1, "%u times another file was run", runs);
}
