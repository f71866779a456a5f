/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of alarms: what is raised and cleared by name, and what readers of it see. */
#include <errno.h>
#include <string.h>

#include "base/alarms.h"
#include "ut.h"

static const struct alarm_info infos[] = {
	{ "door-open", "A door is open.", "Close it.", false },
	{ "light-on", "A light is on.", "Switch it off.", true },
};

static struct alarms *a;
static unsigned int n_over;
static char over_name[32], over_text[ALARM_TEXT];
static int64_t over_raised, over_cleared;

static void over(void *ctx, const struct alarm *was, int64_t cleared_us)
{
	CU_ASSERT_PTR_EQUAL(ctx, &n_over);
	n_over++;
	snprintf(over_name, sizeof(over_name), "%s", was->info->name);
	snprintf(over_text, sizeof(over_text), "%s", was->text);
	over_raised = was->wall_us;
	over_cleared = cleared_us;
}

static void setup(void)
{
	n_over = 0;
	a = alarms_create();
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL_FATAL(alarms_register(a, infos, 2), 0);
	alarms_reader(a, over, &n_over);
}

static void teardown(void)
{
	alarms_destroy(a);
}

static void test_registered_in_order(void)
{
	CU_ASSERT_STRING_EQUAL(alarms_get(a, 0)->info->name, "door-open");
	CU_ASSERT_STRING_EQUAL(alarms_get(a, 1)->info->name, "light-on");
	CU_ASSERT_PTR_NULL(alarms_get(a, 2));
	CU_ASSERT_FALSE(alarms_get(a, 0)->raised);
	CU_ASSERT_EQUAL(alarms_register(a, &infos[1], 1), -EEXIST);
	CU_ASSERT_PTR_NULL(alarms_get(a, 2));
}

/* An alarm that its room forgot to explain has texts all the same. */
static void test_unexplained(void)
{
	static const struct alarm_info bare = { .name = "bell-rings" },
				       nameless = { .meaning = "-" };
	const struct alarm *m;

	CU_ASSERT_EQUAL(alarms_register(a, &bare, 1), 0);
	m = alarms_get(a, 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_STRING_EQUAL(m->info->name, "bell-rings");
	CU_ASSERT_PTR_NOT_NULL_FATAL(m->info->meaning);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m->info->action);
	CU_ASSERT_STRING_EQUAL(m->info->meaning, ALARM_NO_MEANING);
	CU_ASSERT_STRING_EQUAL(m->info->action, ALARM_NO_ACTION);
	CU_ASSERT_EQUAL(alarms_register(a, &nameless, 1), -EINVAL);
	CU_ASSERT_PTR_NULL(alarms_get(a, 3));
}

static void test_raise_and_clear(void)
{
	const struct alarm *m = alarms_get(a, 0);

	alarms_clear(a, "door-open", 5);
	CU_ASSERT_EQUAL(n_over, 0); /* it was not raised */
	alarms_raise(a, "door-open", "the front door", 10);
	CU_ASSERT_TRUE(alarms_is_raised(a, "door-open"));
	CU_ASSERT_FALSE(alarms_is_raised(a, "light-on"));
	CU_ASSERT_TRUE(m->raised && m->since == 10 && m->wall_us > 0);
	CU_ASSERT_STRING_EQUAL(m->text, "the front door");
	/* Another text; the alarm is as old as it was. */
	alarms_set(a, "door-open", true, "both doors", 20);
	CU_ASSERT_STRING_EQUAL(m->text, "both doors");
	CU_ASSERT_EQUAL(m->since, 10);
	CU_ASSERT_EQUAL(n_over, 0);
	alarms_clear(a, "door-open", 30);
	CU_ASSERT_FALSE(m->raised);
	CU_ASSERT_EQUAL(m->since, 30);
	CU_ASSERT_EQUAL(n_over, 1);
	CU_ASSERT_STRING_EQUAL(over_name, "door-open");
	CU_ASSERT_STRING_EQUAL(over_text, "both doors");
	CU_ASSERT_TRUE(over_raised > 0 && over_cleared >= over_raised);
	alarms_clear(a, "door-open", 40);
	CU_ASSERT_EQUAL(n_over, 1);
	CU_ASSERT_EQUAL(m->since, 30);
}

static void test_unknown_name(void)
{
	alarms_raise(a, "no-such-alarm", "text", 1);
	CU_ASSERT_FALSE(alarms_is_raised(a, "no-such-alarm"));
	alarms_clear(a, "no-such-alarm", 2);
	CU_ASSERT_EQUAL(n_over, 0);
}

static void test_no_reader(void)
{
	alarms_reader(a, NULL, NULL);
	alarms_raise(a, "light-on", "upstairs", 1);
	alarms_clear(a, "light-on", 2);
	CU_ASSERT_EQUAL(n_over, 0);
	CU_ASSERT_FALSE(alarms_is_raised(a, "light-on"));
}

int main(void)
{
	CU_TestInfo tests[] = { { "in order of registration", test_registered_in_order },
		{ "unexplained", test_unexplained }, { "raise and clear", test_raise_and_clear },
		{ "unknown name", test_unknown_name }, { "no reader", test_no_reader },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "alarms", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
