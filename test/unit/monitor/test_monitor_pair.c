/* SPDX-License-Identifier: BSD-3-Clause */
/* Two engines on a virtual clock that hand over as soon as one wants to: AAA dead for both, 200
 * flaps of each type; and one engine against a naive model that keeps all that ever happened. */
#include "monitor/monitor.h"
#include "ut.h"

#define SEC USEC_PER_SEC

enum { GUARD = 60, DAMPING = 60, FLAPS = 200 };

struct pair {
	struct monitor *m[2];
	int object[2][MONITOR_TYPES];
	unsigned int active, switchovers;
	usec_t now, last, closest; /* the last switchover; the least time between two */
	enum monitor_type cause;   /* of the last */
};

static void pair_up(struct pair *p, usec_t guard, usec_t damping)
{
	struct monitor_conf c;

	*p = (struct pair){ .closest = USEC_NEVER };
	monitor_conf_default(&c);
	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		c.type[t].guard = guard, c.type[t].damping = damping;
	for (unsigned int i = 0; i < 2; i++) {
		p->m[i] = monitor_create(&c, 0);
		if (p->m[i] == NULL)
			abort();
		for (unsigned int t = 0; t < MONITOR_TYPES; t++)
			p->object[i][t] = monitor_add(
				p->m[i], (enum monitor_type)t, "the one", NULL, NULL, 0);
	}
	monitor_role(p->m[0], true, MONITOR_NONE, 0);
}

static void pair_down(struct pair *p)
{
	monitor_destroy(p->m[0]);
	monitor_destroy(p->m[1]);
}

static void hand_over(struct pair *p, enum monitor_type by)
{
	if (p->now - p->last < p->closest)
		p->closest = p->now - p->last;
	p->last = p->now;
	p->cause = by;
	p->switchovers++;
	monitor_role(p->m[p->active], false, MONITOR_NONE, p->now);
	p->active ^= 1;
	monitor_role(p->m[p->active], true, by, p->now);
}

/* Time passes; whoever is Active hands over when it wants to. It is asked when it said it would
 * change, and then. */
static void run(struct pair *p, usec_t until)
{
	do {
		struct monitor_verdict own, peer;
		enum monitor_type by;

		monitor_verdict(p->m[p->active], p->now, &own);
		monitor_verdict(p->m[p->active ^ 1], p->now, &peer);
		by = monitor_request(&own, &peer.health);
		if (by != MONITOR_NONE) {
			hand_over(p, by);
			continue; /* the new one may want at once, which must not be */
		}
		p->now = own.due < until ? own.due : until;
	} while (p->now < until);
}

/* What the probes of the Active find, every 15 s; the Standby does not probe. */
static void probe(struct pair *p, const bool alive[2], usec_t until)
{
	while (p->now < until) {
		unsigned int a = p->active;
		usec_t next = p->now + 15 * SEC;

		monitor_report(p->m[a], p->object[a][MONITOR_AAA],
			alive[a] ? MONITOR_UP : MONITOR_DOWN, NULL, p->now);
		run(p, next < until ? next : until);
	}
}

/* No chassis reaches AAA: one switchover, whatever follows; then by hand, by BGP, and after a
 * reset. */
static void test_aaa_dead_for_both(void)
{
	const bool dead[2] = { false, false };
	struct pair p;

	pair_up(&p, GUARD * SEC, DAMPING * SEC);
	probe(&p, dead, 7 * 24 * 3600 * SEC);
	CU_ASSERT_EQUAL(p.switchovers, 1);
	CU_ASSERT_EQUAL(p.cause, MONITOR_AAA);
	CU_ASSERT_EQUAL(p.active, 1);
	CU_ASSERT_EQUAL(p.last, DAMPING * SEC); /* it was down as the guard began */
	/* by hand: the other one is free to hand back once, and then that one is not */
	hand_over(&p, MONITOR_NONE);
	probe(&p, dead, p.now + 24 * 3600 * SEC);
	CU_ASSERT_EQUAL(p.switchovers, 3);
	CU_ASSERT_EQUAL(p.active, 1);
	/* another failure moves it, though AAA is dead there too */
	monitor_report(p.m[1], p.object[1][MONITOR_BGP], MONITOR_DOWN, NULL, p.now);
	run(&p, p.now + SEC);
	CU_ASSERT_EQUAL(p.switchovers, 4);
	CU_ASSERT_EQUAL(p.cause, MONITOR_BGP);
	/* and AAA alone does not move it to where BGP is down */
	probe(&p, dead, p.now + 24 * 3600 * SEC);
	CU_ASSERT_EQUAL(p.switchovers, 4);
	monitor_report(p.m[1], p.object[1][MONITOR_BGP], MONITOR_UP, NULL, p.now);
	probe(&p, dead, p.now + 24 * 3600 * SEC);
	CU_ASSERT_EQUAL(p.switchovers, 5);
	CU_ASSERT_EQUAL(p.active, 1);
	CU_ASSERT_TRUE(monitor_reset(p.m[1], MONITOR_AAA, p.now));
	probe(&p, dead, p.now + 24 * 3600 * SEC);
	CU_ASSERT_EQUAL(p.switchovers, 6);
	CU_ASSERT_EQUAL(p.active, 0);
	pair_down(&p);
}

/* BGP dead for both, for a week, in any order: nobody tosses. */
static void test_dead_for_both(void)
{
	for (unsigned int t = 0; t < MONITOR_AAA; t++) {
		struct pair p;

		pair_up(&p, GUARD * SEC, DAMPING * SEC);
		monitor_report(p.m[0], p.object[0][t], MONITOR_DOWN, NULL, 0);
		run(&p, 100 * SEC);
		CU_ASSERT_EQUAL(p.switchovers, 1);
		monitor_report(p.m[1], p.object[1][t], MONITOR_DOWN, NULL, p.now);
		run(&p, 7 * 24 * 3600 * SEC);
		CU_ASSERT_EQUAL(p.switchovers, 1);
		monitor_report(p.m[0], p.object[0][t], MONITOR_UP, NULL, p.now);
		run(&p, p.now + 1);
		CU_ASSERT_EQUAL(p.switchovers, 2);
		CU_ASSERT_EQUAL(p.cause, t);
		pair_down(&p);
	}
}

/* A thing of a chassis goes down and up 200 times: no two switchovers are nearer than guard and
 * damping allow. Returns how many there were. */
static unsigned int flaps(
	enum monitor_type t, usec_t guard, usec_t damping, usec_t longest, uint64_t *seed)
{
	usec_t least = guard < damping ? guard : damping;
	struct pair p;

	pair_up(&p, guard, damping);
	for (unsigned int i = 0; i < FLAPS; i++) {
		unsigned int who =
			t == MONITOR_AAA ? p.active : (unsigned int)(ut_random(seed) % 2);

		monitor_report(p.m[who], p.object[who][t], MONITOR_DOWN, NULL, p.now);
		run(&p, p.now + 1 + ut_random(seed) % longest);
		monitor_report(p.m[who], p.object[who][t], MONITOR_UP, NULL, p.now);
		run(&p, p.now + 1 + ut_random(seed) % longest);
	}
	CU_ASSERT_TRUE(p.closest >= least);
	CU_ASSERT_TRUE(least == 0 || p.switchovers <= p.now / least);
	pair_down(&p);
	return p.switchovers;
}

static void test_flaps(void)
{
	static const struct {
		unsigned int guard, damping;
	} timers[] = { { 60, 60 }, { 60, 10 }, { 10, 60 }, { 3600, 1 }, { 0, 0 } };
	uint64_t seed = ut_seed(11);
	unsigned int total = 0;

	for (unsigned int t = 0; t < MONITOR_TYPES; t++)
		for (unsigned int i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
			usec_t guard = timers[i].guard * SEC, damping = timers[i].damping * SEC;
			/* quick ones never last; slow ones do, and outlast the guard */
			unsigned int quick =
				flaps((enum monitor_type)t, guard, damping, SEC, &seed);
			unsigned int slow =
				flaps((enum monitor_type)t, guard, damping, 300 * SEC, &seed);

			total += quick + slow;
			if (i == 0)
				printf("\n%s: %u switchovers by %u flaps of a second, %u by as "
				       "many of minutes ",
					monitor_type_name((enum monitor_type)t), quick, FLAPS,
					slow);
		}
	CU_ASSERT_TRUE(total > 0); /* bounded, not forbidden */
}

/* ---- the naive model ---- */
enum { THINGS = 14, GROUPS = 2, STEPS = 3000, SPANS = 60000 };

struct thing {
	bool there;
	int id;
	enum monitor_type type;
	unsigned int group;
	enum monitor_state state;
};

/* A time in which a member of a group was not down. */
struct span {
	enum monitor_type type;
	unsigned int group;
	usec_t to; /* USEC_NEVER: it is so now */
	unsigned int thing;
};

static struct thing thing[THINGS];
static struct span span[SPANS];
static unsigned int n_spans;
static bool m_active;
static enum monitor_type m_by;
static usec_t m_began;

static void model_set(unsigned int i, enum monitor_state s, usec_t now)
{
	struct thing *t = &thing[i];

	if (t->state != MONITOR_DOWN && s == MONITOR_DOWN)
		for (unsigned int k = 0; k < n_spans; k++)
			if (span[k].thing == i && span[k].to == USEC_NEVER)
				span[k].to = now;
	if (t->state == MONITOR_DOWN && s != MONITOR_DOWN)
		span[n_spans++] = (struct span){ t->type, t->group, USEC_NEVER, i };
	t->state = s;
}

static unsigned int model_count(unsigned int type, unsigned int group, int state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < THINGS; i++)
		if (thing[i].there && thing[i].type == type && thing[i].group == group &&
			(state < 0 || thing[i].state == (enum monitor_state)state))
			n++;
	return n;
}

static unsigned int model_alarms(unsigned int type, unsigned int group, bool revertible)
{
	unsigned int down = model_count(type, group, MONITOR_DOWN),
		     all = model_count(type, group, -1);
	bool failed = all > 0 && down == all, held = m_active && m_by == type && !revertible;

	return failed << MONITOR_ALARM_FAILED | (down > 0 && !failed) << MONITOR_ALARM_DEGRADED |
	       (model_count(type, group, MONITOR_UNKNOWN) > 0) << MONITOR_ALARM_UNKNOWN |
	       (failed && held) << MONITOR_ALARM_HELD;
}

static void model_verdict(const struct monitor_conf *c, usec_t now, struct monitor_verdict *v)
{
	*v = (struct monitor_verdict){ .due = USEC_NEVER };
	for (unsigned int t = 0; t < MONITOR_TYPES; t++) {
		bool known = true, any = false;

		for (unsigned int g = 0; g < GROUPS; g++) {
			unsigned int all = model_count(t, g, -1);
			usec_t from = m_began, at;

			any = any || all > 0;
			if (all == 0)
				continue;
			if (model_count(t, g, MONITOR_DOWN) < all) {
				known = known && model_count(t, g, MONITOR_UP) > 0;
				continue;
			}
			v->health.failed |= (uint8_t)(1U << t);
			for (unsigned int k = 0; k < n_spans; k++)
				if (span[k].type == t && span[k].group == g && span[k].to > from)
					from = span[k].to;
			at = from < m_began + c->type[t].guard ? from + c->type[t].damping : from;
			if (m_active && m_by == t && !c->type[t].revertible)
				v->held |= (uint8_t)(1U << t);
			else if (m_active && at <= now)
				v->acting |= (uint8_t)(1U << t);
			else if (m_active) {
				v->damped |= (uint8_t)(1U << t);
				v->due = at < v->due ? at : v->due;
			}
		}
		v->health.known |= (uint8_t)((known && any) << t);
	}
	v->damped &= (uint8_t)~v->acting;
}

static void model_role(bool active, enum monitor_type by, usec_t now)
{
	if (active == m_active)
		return;
	m_active = active, m_by = active ? by : MONITOR_NONE, m_began = now;
	for (unsigned int i = 0; i < THINGS && !active; i++)
		if (thing[i].there && thing[i].type == MONITOR_AAA)
			model_set(i, MONITOR_INIT, now);
}

static void model_reset(enum monitor_type type, usec_t now)
{
	if (m_by == type)
		m_by = MONITOR_NONE;
	for (unsigned int i = 0; i < THINGS; i++)
		if (thing[i].there && thing[i].type == type && thing[i].state == MONITOR_DOWN)
			model_set(i, MONITOR_INIT, now);
}

/* One thing comes, goes, or is reported on. */
static void change(struct monitor *m, unsigned int i, uint64_t r, usec_t now)
{
	struct thing *t = &thing[i];
	enum monitor_state s = r % 3 != 0 ? MONITOR_DOWN : (enum monitor_state)(r / 3 % 4);
	char name[16], group[16];

	if (t->there && r / 16 % 40 == 0) {
		CU_ASSERT_EQUAL(monitor_remove(m, t->id, now), 0);
		model_set(i, MONITOR_DOWN, now); /* ends its span */
		t->there = false;
	} else if (t->there) {
		CU_ASSERT_EQUAL(monitor_report(m, t->id, s, NULL, now), 0);
		if (t->type != MONITOR_AAA || m_active)
			model_set(i, s, now);
	} else {
		*t = (struct thing){ true, 0, (enum monitor_type)(r / 16 % MONITOR_TYPES),
			(unsigned int)(r / 256 % GROUPS), MONITOR_DOWN };
		snprintf(name, sizeof(name), "thing %u", i);
		snprintf(group, sizeof(group), "%u", t->group);
		t->id = monitor_add(m, t->type, name, NULL, t->group == 0 ? NULL : group, now);
		CU_ASSERT_TRUE(t->id >= 0);
		model_set(i, MONITOR_INIT, now);
	}
}

static bool same(const struct monitor_verdict *a, const struct monitor_verdict *b)
{
	return a->health.failed == b->health.failed && a->health.known == b->health.known &&
	       a->acting == b->acting && a->damped == b->damped && a->held == b->held &&
	       a->due == b->due;
}

static unsigned int stands[MONITOR_TYPES][GROUPS]; /* alarms, by the edges */

static bool step(struct monitor *m, const struct monitor_conf *c, uint64_t *seed, usec_t now)
{
	uint64_t r = ut_random(seed) >> 8, what = ut_random(seed) >> 8;
	struct monitor_verdict got, want;
	struct monitor_event e;
	bool fine = true;

	if (what % 24 == 0) {
		bool active = what / 24 % 3 != 0;

		monitor_role(m, active, (enum monitor_type)(r % (MONITOR_TYPES + 1)), now);
		model_role(active, (enum monitor_type)(r % (MONITOR_TYPES + 1)), now);
	} else if (what % 24 == 1) {
		monitor_reset(m, (enum monitor_type)(r % MONITOR_TYPES), now);
		model_reset((enum monitor_type)(r % MONITOR_TYPES), now);
	} else {
		change(m, (unsigned int)(what / 24 % THINGS), r, now);
	}
	monitor_verdict(m, now, &got);
	model_verdict(c, now, &want);
	fine = same(&got, &want);
	while (ut_random(seed) % 4 != 0 && monitor_next(m, &e)) /* not always all of them */
		if (e.object < 0)
			stands[e.type][e.group[0] != '\0'] ^= 1U << e.alarm;
	if (what / 1024 % 4 == 0) {
		while (monitor_next(m, &e))
			if (e.object < 0)
				stands[e.type][e.group[0] != '\0'] ^= 1U << e.alarm;
		for (unsigned int t = 0; t < MONITOR_TYPES; t++)
			for (unsigned int g = 0; g < GROUPS; g++)
				fine = fine &&
				       stands[t][g] == model_alarms(t, g, c->type[t].revertible);
	}
	return fine;
}

static void test_model(void)
{
	uint64_t seed = ut_seed(1);
	unsigned int acted = 0;

	for (unsigned int round = 0; round < 20; round++) {
		struct monitor_conf c;
		struct monitor *m;
		usec_t now = 5;
		unsigned int at = 0;

		for (unsigned int t = 0; t < MONITOR_TYPES; t++)
			c.type[t] = (struct monitor_rule){ ut_random(&seed) % 2,
				ut_random(&seed) % 100 * SEC, ut_random(&seed) % 100 * SEC };
		m = monitor_create(&c, now);
		memset(thing, 0, sizeof(thing));
		memset(stands, 0, sizeof(stands));
		n_spans = 0, m_active = false, m_by = MONITOR_NONE, m_began = now;
		while (at < STEPS && n_spans < SPANS - THINGS && step(m, &c, &seed, now)) {
			struct monitor_verdict v;

			monitor_verdict(m, now, &v);
			acted += v.acting != 0;
			now += ut_random(&seed) % 3 * (ut_random(&seed) % (8 * SEC));
			at++;
		}
		CU_ASSERT_EQUAL(at, STEPS);
		if (at != STEPS)
			fprintf(stderr, "round %u, step %u differs\n", round, at);
		monitor_destroy(m);
	}
	CU_ASSERT_TRUE(acted > 1000);
}

int main(void)
{
	CU_TestInfo tests[] = { { "aaa dead for both", test_aaa_dead_for_both },
		{ "dead for both", test_dead_for_both }, { "flaps", test_flaps },
		{ "model", test_model }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "monitor pair", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
