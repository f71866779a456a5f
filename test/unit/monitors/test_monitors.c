/* SPDX-License-Identifier: BSD-3-Clause */
/* The monitors as their owner sees them: a level that changes elsewhere becomes a verdict in the
 * callback, an alarm, and a row of the view. */
#include <string.h>

#include "base/clock.h"
#include "monitors/monitors.h"
#include "process/settings_rooms.h"
#include "ut.h"

enum { FAULT = 1U << MONITOR_FAULT };

static struct config conf;
static struct alarms *alarms;
static struct monitors *m;
static bool failed;
static unsigned int n_verdicts;
static struct monitor_verdict last;

static bool no_carrier(void *ctx, unsigned int port)
{
	(void)ctx;
	(void)port;
	CU_FAIL("there is no port");
	return false;
}

static bool crypto_failed(void *ctx)
{
	(void)ctx;
	return failed;
}

static void verdict(void *ctx, const struct monitor_verdict *v, usec_t now)
{
	CU_ASSERT_PTR_EQUAL(ctx, &last);
	(void)now;
	n_verdicts++;
	last = *v;
}

/* No EAL has measured the TSC. */
static uint64_t unmeasured_hz(void)
{
	return UINT64_C(1000000000);
}

static const struct clock_ops *unmeasured_clock(void)
{
	static struct clock_ops ops;

	ops = clock_tsc;
	ops.hz = unmeasured_hz;
	return &ops;
}

static void setup(void)
{
	struct monitors_settings s = { .ops = { no_carrier, crypto_failed, verdict },
		.ctx = &last };

	clock_init(unmeasured_clock());
	snprintf(conf.chassis.name, sizeof(conf.chassis.name), "left");
	conf.monitors.fault_revertible = true;
	settings_monitors_start(&conf, &s.start);
	settings_monitors_live(&conf, &s.live);
	failed = false;
	n_verdicts = 0;
	s.alarms = alarms = alarms_create();
	CU_ASSERT_PTR_NOT_NULL_FATAL(alarms);
	CU_ASSERT_EQUAL_FATAL(monitors_alarms_register(alarms), 0);
	m = monitors_create(&s);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
}

static void teardown(void)
{
	monitors_destroy(m);
	alarms_destroy(alarms);
}

static void test_verdict_and_alarm(void)
{
	usec_t now = clock_us() + USEC_PER_SEC;

	monitors_turn(m, now);
	CU_ASSERT_EQUAL(n_verdicts, 1);
	CU_ASSERT_TRUE(last.health.known == FAULT && last.health.failed == 0);
	monitors_turn(m, now + 999); /* not yet */
	CU_ASSERT_EQUAL(n_verdicts, 1);
	failed = true;
	monitors_turn(m, now + 1000);
	CU_ASSERT_EQUAL(n_verdicts, 2);
	CU_ASSERT_TRUE(last.health.failed == FAULT && last.acting == 0);
	CU_ASSERT_TRUE(alarms_is_raised(alarms, "monitor-failed"));
	monitors_role(m, true, MONITOR_NONE, now + 1500);
	monitors_turn(m, now + 2000);
	CU_ASSERT_EQUAL(last.acting, FAULT);
	failed = false;
	monitors_turn(m, now + 3000);
	CU_ASSERT_TRUE(last.health.failed == 0 && last.acting == 0);
	CU_ASSERT_FALSE(alarms_is_raised(alarms, "monitor-failed"));
}

/* With a guard, a failure at the beginning acts only when it has lasted. */
static void test_rules_of_now(void)
{
	struct monitors_live live;
	usec_t now = clock_us() + USEC_PER_SEC;

	conf.srp.guard_period_s = 60;
	conf.srp.damping_period_s = 30;
	settings_monitors_live(&conf, &live);
	monitors_rules(m, &live);
	conf.srp.guard_period_s = conf.srp.damping_period_s = 0;
	monitors_role(m, true, MONITOR_NONE, now);
	failed = true;
	monitors_turn(m, now);
	CU_ASSERT_TRUE(last.acting == 0 && last.damped == FAULT);
	monitors_turn(m, now + 30 * USEC_PER_SEC);
	CU_ASSERT_EQUAL(last.acting, FAULT);
}

static void test_views(void)
{
	const struct monitor_object *o;
	struct monitor_verdict v;
	const char *address;

	failed = true;
	monitors_turn(m, clock_us() + USEC_PER_SEC);
	o = monitors_object(m, 0, &address);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT_STRING_EQUAL(o->name, "crypto-device");
	CU_ASSERT_STRING_EQUAL(o->context, "left");
	CU_ASSERT_STRING_EQUAL(o->why, "it does not answer");
	CU_ASSERT_STRING_EQUAL(address, "default");
	CU_ASSERT_EQUAL(o->state, MONITOR_DOWN);
	CU_ASSERT_PTR_NULL(monitors_object(m, 1, &address));
	monitors_verdict(m, clock_us() + 2 * USEC_PER_SEC, &v);
	CU_ASSERT_EQUAL(v.health.failed, FAULT);
	CU_ASSERT_EQUAL(monitors_servers(m), 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "verdict and alarm", test_verdict_and_alarm },
		{ "rules of now", test_rules_of_now }, { "views", test_views }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "monitors", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
