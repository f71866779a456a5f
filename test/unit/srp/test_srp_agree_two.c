/* SPDX-License-Identifier: BSD-3-Clause */
/* Reloads on two chassis at random, with a network between them that keeps an order and loses what
 * was on its way: at no moment do they differ, and in the end both run the same. */
#include <stdlib.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_agree_two_tests[];

enum { QUEUE = 64, STEPS = 1000, DIGESTS = 6 };

struct end {
	struct srp *s;
	struct srp_conf conf;
	uint8_t beat[SRP_BODY];
	uint16_t beat_len;
	struct {
		uint8_t msg[SRP_MSG_MAX];
		uint16_t len;
	} in[QUEUE]; /* on its way to this one */
	unsigned int n_in;
	unsigned int switched;
};

struct two {
	struct end end[2];
	usec_t now;
	uint64_t seed;
	bool connected, closed;
};

static struct srp_conf two_conf(uint8_t side, uint64_t digest)
{
	struct srp_conf c = rig_conf();

	c.side = side;
	c.config_digest = digest;
	c.mode = side == 0 ? SRP_PRIMARY : SRP_BACKUP;
	c.incarnation = side + 1u;
	c.hello_us = (20 + digest * 7 % 5) * MS;
	c.dead_us = c.hello_us * (usec_t)(3 + digest % 3);
	c.heartbeat_us = (usec_t)(1 + digest * 5 % 7) * 10 * MS;
	c.dead_multiplier = 3 + (unsigned int)(digest % 4);
	c.delay_us = 10 * MS;
	return c;
}

static usec_t two_window(const struct end *e)
{
	struct srp_conf c = two_conf(0, e->conf.config_digest);

	return c.heartbeat_us * c.dead_multiplier;
}

static void two_drain(struct two *w, unsigned int i)
{
	struct end *e = &w->end[i], *to = &w->end[!i];
	struct srp_action a;

	while (srp_next(e->s, &a)) {
		if (a.kind == SRP_ACT_RESERVE)
			srp_saved_reserve(e->s, a.number, true, w->now);
		if (a.kind == SRP_ACT_STEP)
			srp_done(e->s, a.step, a.term, true, 0, NULL, w->now);
		w->closed = w->closed || a.kind == SRP_ACT_CLOSE;
		if (a.kind == SRP_ACT_HEARTBEAT) {
			memcpy(e->beat, a.msg, a.len);
			e->beat_len = a.len;
		}
		if (a.kind == SRP_ACT_SEND && w->connected) {
			CU_ASSERT_TRUE_FATAL(to->n_in < QUEUE);
			memcpy(to->in[to->n_in].msg, a.msg, a.len);
			to->in[to->n_in++].len = a.len;
		}
	}
}

static void two_connect(struct two *w, bool on)
{
	if (w->connected == on)
		return;
	w->connected = on;
	w->closed = false;
	for (unsigned int i = 0; i < 2; i++) {
		w->end[i].n_in = 0;
		if (on)
			srp_connected(w->end[i].s, w->now);
		else
			srp_disconnected(w->end[i].s, false, w->now);
	}
	two_drain(w, 0);
	two_drain(w, 1);
}

static void two_deliver(struct two *w, unsigned int i)
{
	struct end *e = &w->end[i];

	if (e->n_in == 0)
		return;
	srp_message(e->s, e->in[0].msg, e->in[0].len, w->now);
	e->n_in--;
	memmove(&e->in[0], &e->in[1], e->n_in * sizeof(e->in[0]));
	two_drain(w, i);
}

static void two_beat(struct two *w, unsigned int i)
{
	struct srp_stream st = { .heard = w->now, .joined = true, .in_sync = true };

	srp_stream(w->end[!i].s, &st, w->now);
	srp_heartbeat(w->end[!i].s, w->end[i].beat, w->end[i].beat_len, true, w->now);
	two_drain(w, !i);
}

static void two_take(struct two *w, unsigned int i, uint64_t digest)
{
	struct end *e = &w->end[i];
	struct srp_conf c = two_conf((uint8_t)i, digest);

	if (srp_reconfigure(e->s, &c, w->now) == 0) {
		e->switched += digest != e->conf.config_digest;
		e->conf = c;
	}
	two_drain(w, i);
}

static enum srp_reload two_load(struct two *w, unsigned int i, uint64_t digest)
{
	struct srp_conf c = two_conf((uint8_t)i, digest);
	enum srp_reload found = srp_reload(w->end[i].s, digest);

	if (found == SRP_RELOAD_NOW)
		two_take(w, i, digest);
	if (found == SRP_RELOAD_WAIT)
		CU_ASSERT_EQUAL(srp_prepare(w->end[i].s, &c, w->now), 0);
	two_drain(w, i);
	return found;
}

static void two_run_due(struct two *w, unsigned int i)
{
	if (srp_next_is_due(w->end[i].s))
		two_take(w, i, srp_info(w->end[i].s)->next_digest);
}

/* Nothing forbids the stream, at no moment; and nobody is judged by less than it keeps to. */
static void two_check(const struct two *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct srp_info *one = srp_info(w->end[i].s), *other = srp_info(w->end[!i].s);

		CU_ASSERT_FALSE_FATAL(one->differs);
		CU_ASSERT_TRUE_FATAL(one->window_us >= two_window(&w->end[!i]));
		CU_ASSERT_TRUE_FATAL(one->dead_us >= w->end[!i].conf.dead_us);
		CU_ASSERT_TRUE_FATAL(one->heartbeat_us <= w->end[i].conf.heartbeat_us);
		CU_ASSERT_TRUE_FATAL(one->hello_us <= w->end[i].conf.hello_us);
		CU_ASSERT_TRUE_FATAL(one->patience_us <= other->window_us);
	}
}

static void two_begin(struct two *w, uint64_t seed)
{
	*w = (struct two){ .now = 1000 * MS, .seed = seed };
	for (unsigned int i = 0; i < 2; i++) {
		struct srp_saved saved = { .reserve = 5 };

		w->end[i].conf = two_conf((uint8_t)i, 1);
		w->end[i].s = srp_create(&w->end[i].conf, &saved, w->now);
		CU_ASSERT_PTR_NOT_NULL_FATAL(w->end[i].s);
		two_drain(w, i);
	}
	two_connect(w, true);
	for (unsigned int n = 0; n < 200; n++) {
		w->now += MS;
		for (unsigned int i = 0; i < 2; i++) {
			two_beat(w, i);
			two_deliver(w, i);
			srp_tick(w->end[i].s, w->now);
			two_drain(w, i);
		}
	}
	CU_ASSERT_EQUAL_FATAL(srp_info(w->end[0].s)->state, SRP_ACTIVE);
	CU_ASSERT_EQUAL_FATAL(srp_info(w->end[1].s)->state, SRP_STANDBY);
}

/* Both are told the same in the end, and run it, judging by it alone. */
static void two_settle(struct two *w)
{
	usec_t end;

	two_connect(w, true);
	for (unsigned int i = 0; i < 2;) {
		i += two_load(w, i, 1) != SRP_RELOAD_BUSY;
		for (unsigned int k = 0; k < 2; k++) {
			two_beat(w, k);
			two_deliver(w, k);
			two_run_due(w, k);
			two_check(w);
		}
		w->now += MS;
	}
	for (end = w->now + 3000 * MS; w->now < end; w->now += MS)
		for (unsigned int k = 0; k < 2; k++) {
			two_beat(w, k);
			two_deliver(w, k);
			two_run_due(w, k);
			srp_tick(w->end[k].s, w->now);
			two_drain(w, k);
			two_check(w);
		}
	for (unsigned int k = 0; k < 2; k++) {
		const struct srp_info *i = srp_info(w->end[k].s);

		CU_ASSERT_EQUAL(w->end[k].conf.config_digest, 1);
		CU_ASSERT_EQUAL(i->next_since, USEC_NEVER);
		CU_ASSERT_EQUAL(i->window_us, two_window(&w->end[k]));
		CU_ASSERT_EQUAL(i->patience_us, i->window_us);
		CU_ASSERT_EQUAL(i->heartbeat_us, w->end[k].conf.heartbeat_us);
		CU_ASSERT_EQUAL(i->hello_us, w->end[k].conf.hello_us);
		CU_ASSERT_EQUAL(i->dead_us, w->end[k].conf.dead_us);
	}
}

static void two_step(struct two *w)
{
	unsigned int i = ut_random(&w->seed) & 1;

	w->now += ut_random(&w->seed) % (ut_random(&w->seed) % 8 == 0 ? 60 : 3) * MS;
	two_beat(w, 0);
	two_beat(w, 1);
	switch (ut_random(&w->seed) % 16) {
	case 0:
		if (ut_random(&w->seed) % 4 == 0)
			two_load(w, i, 1 + ut_random(&w->seed) % DIGESTS);
		break;
	case 1: /* what waits on the other, or what that runs */
	case 2:
		if (srp_info(w->end[!i].s)->next_since != USEC_NEVER)
			two_load(w, i, srp_info(w->end[!i].s)->next_digest);
		else if (ut_random(&w->seed) % 8 == 0)
			two_load(w, i, w->end[!i].conf.config_digest);
		break;
	case 3:
		if (ut_random(&w->seed) % 8 == 0)
			two_connect(w, false);
		break;
	case 4:
		two_connect(w, true);
		break;
	case 5:
	case 6:
		two_run_due(w, i);
		break;
	case 7:
		srp_tick(w->end[i].s, w->now);
		two_drain(w, i);
		break;
	default:
		two_deliver(w, i);
		break;
	}
	if (w->closed)
		two_connect(w, false);
	two_check(w);
}

static void test_two(void)
{
	uint64_t seed = ut_seed(17);
	unsigned int switched = 0;

	for (unsigned int n = 0; n < 200; n++) {
		struct two *w = calloc(1, sizeof(*w));

		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		two_begin(w, ut_random(&seed));
		for (unsigned int k = 0; k < STEPS; k++)
			two_step(w);
		two_settle(w);
		switched += w->end[0].switched + w->end[1].switched;
		srp_destroy(w->end[0].s);
		srp_destroy(w->end[1].s);
		free(w);
	}
	/* It is not by standing still that nothing differs. */
	CU_ASSERT_TRUE(switched > 1000);
}

CU_TestInfo srp_agree_two_tests[] = {
	{ "two", test_two },
	CU_TEST_INFO_NULL,
};
