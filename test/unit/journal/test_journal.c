/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal as its users see it: transitions outlive the process, losses are counted, and a disk
 * that takes nothing raises an alarm and costs no entry. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal/journal.h"
#include "ut.h"
#include "ut_eal.h"

enum { GAVE_UP_AT = 5000, WAIT_S = 20 };

static char dir[64], history[96], older[96], reserve_file[96], numbers[96], numbers_new[96];
static struct alarms *alarms;
static struct journal *j;
static struct srp_saved saved;
static uint64_t live, ended;
static bool joined;
static usec_t pass; /* when the pass of the audit began that has ended */

static uint64_t get_live(void *ctx)
{
	(void)ctx;
	return live;
}

static uint64_t get_ended(void *ctx)
{
	(void)ctx;
	return ended;
}

static bool get_joined(void *ctx)
{
	(void)ctx;
	return joined;
}

static bool get_compared(void *ctx, usec_t since)
{
	(void)ctx;
	return pass >= since;
}

static void open_journal(void)
{
	struct journal_settings s = { .state_dir = dir,
		.alarms = alarms,
		.ops = { get_live, get_ended, get_joined, get_compared } };

	j = journal_open(&s, &saved);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_journal.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(history, sizeof(history), "%s/srp.history", dir);
	snprintf(older, sizeof(older), "%s/srp.history.1", dir);
	snprintf(reserve_file, sizeof(reserve_file), "%s/srp.state", dir);
	snprintf(numbers, sizeof(numbers), "%s/numbers.state", dir);
	snprintf(numbers_new, sizeof(numbers_new), "%s/numbers.state.new", dir);
	alarms = alarms_create();
	CU_ASSERT_PTR_NOT_NULL_FATAL(alarms);
	CU_ASSERT_EQUAL_FATAL(journal_alarms_register(alarms), 0);
	live = ended = 0;
	joined = false;
	pass = 0;
	open_journal();
}

static void teardown(void)
{
	journal_close(j);
	alarms_destroy(alarms);
	rmdir(history);
	unlink(history);
	unlink(older);
	unlink(reserve_file);
	rmdir(numbers);
	unlink(numbers);
	rmdir(numbers_new);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void move_at(enum srp_state from, enum srp_state to, enum srp_cause cause, usec_t now)
{
	struct srp_action a = { .from = from, .to = to, .cause = cause, .term = 6 };

	journal_role(j, &a, now);
}

static void move(enum srp_state from, enum srp_state to, enum srp_cause cause)
{
	move_at(from, to, cause, 1000);
}

/* Turns until the alarm is as wanted; false: it did not come to that in time. */
static bool turn_until_alarm(const char *name, bool raised)
{
	const struct timespec ms = { 0, 1000000 };
	time_t end = time(NULL) + WAIT_S;

	for (usec_t now = 1; alarms_is_raised(alarms, name) != raised; now += USEC_PER_SEC) {
		if (time(NULL) > end)
			return false;
		journal_turn(j, now);
		nanosleep(&ms, NULL); /* its thread is at work */
	}
	return true;
}

static bool turn_until(bool raised)
{
	return turn_until_alarm("history-not-saved", raised);
}

static void has_numbers(const char *want)
{
	char text[32];
	size_t len = 99;

	CU_ASSERT_EQUAL(journal_numbers(j, text, sizeof(text), &len), 0);
	CU_ASSERT_EQUAL_FATAL(len, strlen(want));
	CU_ASSERT_EQUAL(memcmp(text, want, len), 0);
}

static void test_numbers(void)
{
	char few[4];
	size_t len;

	has_numbers("");
	journal_save_numbers(j, "one", 3);
	journal_save_numbers(j, "three", 5);
	journal_close(j); /* written before it ends */
	open_journal();
	has_numbers("three");
	CU_ASSERT_EQUAL(journal_numbers(j, few, sizeof(few), &len), -EFBIG);
	unlink(numbers);
	CU_ASSERT_EQUAL(mkdir(numbers, 0700), 0);
	CU_ASSERT_TRUE(journal_numbers(j, few, sizeof(few), &len) < 0);
}

/* The file that cannot be made is a directory's name, so that the test fails for root too. */
static void test_numbers_not_saved(void)
{
	CU_ASSERT_EQUAL(mkdir(numbers_new, 0700), 0);
	journal_save_numbers(j, "one", 3);
	CU_ASSERT_TRUE(turn_until_alarm("numbers-not-saved", true));
	has_numbers("");
	CU_ASSERT_EQUAL(rmdir(numbers_new), 0);
	CU_ASSERT_TRUE(turn_until_alarm("numbers-not-saved", false));
	has_numbers("one");
}

static void test_outlives_the_process(void)
{
	struct history_entry *e;

	move(SRP_INIT, SRP_STANDBY, SRP_CAUSE_STARTUP);
	move(SRP_STANDBY, SRP_PENDING_ACTIVE, SRP_CAUSE_DEAD_TIMER);
	move(SRP_PENDING_ACTIVE, SRP_ACTIVE, SRP_CAUSE_DEAD_TIMER);
	CU_ASSERT_EQUAL(journal_switchovers(j, SRP_CAUSE_DEAD_TIMER), 1);
	CU_ASSERT_EQUAL(journal_switchovers(j, SRP_CAUSE_STARTUP), 0);
	CU_ASSERT_EQUAL(journal_transitions(j, SRP_STANDBY), 1);
	journal_ended(j, SESSION_WHY_REPLACED);
	journal_ended(j, SESSION_WHY_REPLACED);
	journal_ended(j, SESSION_WHY_END);
	CU_ASSERT_EQUAL(journal_ends(j, SESSION_WHY_REPLACED), 2);
	CU_ASSERT_EQUAL(journal_ends(j, SESSION_WHY_REQUEST), 0);
	e = journal_last(j);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	e->took_us = 4711;
	journal_changed(j, e);
	journal_close(j);
	open_journal();
	e = journal_last(j);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_EQUAL(e->number, 3);
	CU_ASSERT_EQUAL(e->to, SRP_ACTIVE);
	CU_ASSERT_EQUAL(e->took_us, 4711);
	CU_ASSERT_EQUAL(journal_switchovers(j, SRP_CAUSE_DEAD_TIMER), 0); /* since start */
	CU_ASSERT_EQUAL(history_first(journal_history(j)), 1);
}

static void test_reserve(void)
{
	struct pollfd p = { .fd = journal_fd(j), .events = POLLIN };
	uint64_t reserve = 0;
	int error = -1;

	CU_ASSERT_FALSE(journal_reserved(j, &reserve, &error));
	journal_reserve(j, 4000, 9);
	CU_ASSERT_EQUAL(poll(&p, 1, WAIT_S * 1000), 1);
	CU_ASSERT_TRUE(journal_reserved(j, &reserve, &error));
	CU_ASSERT_TRUE(reserve == 4000 && error == 0);
	journal_close(j);
	open_journal();
	CU_ASSERT_TRUE(saved.reserve == 4000 && saved.restart_counter == 9);
}

static void test_loss(void)
{
	struct history_entry *e;

	live = 100;
	joined = true;
	move(SRP_STANDBY, SRP_PENDING_ACTIVE, SRP_CAUSE_DEAD_TIMER);
	joined = false; /* only what was known when it began counts */
	move(SRP_PENDING_ACTIVE, SRP_ACTIVE, SRP_CAUSE_DEAD_TIMER);
	e = journal_last(j);
	CU_ASSERT_TRUE(e->loss == HISTORY_LOSS_KNOWN && e->known == 100 && e->vouched == 100);
	ended = 5;
	pass = GAVE_UP_AT - 1; /* of the time before it was Active */
	move_at(SRP_ACTIVE, SRP_PENDING_STANDBY, SRP_CAUSE_DUAL_ACTIVE, GAVE_UP_AT);
	ended = 12; /* the peer's records are here before this core hears that it is Standby */
	move_at(SRP_PENDING_STANDBY, SRP_STANDBY, SRP_CAUSE_DUAL_ACTIVE, GAVE_UP_AT + 20);
	e = journal_last(j);
	CU_ASSERT_EQUAL(e->loss, HISTORY_LOSS_COMPARING);
	journal_turn(j, GAVE_UP_AT + 30);
	CU_ASSERT_EQUAL(e->loss, HISTORY_LOSS_COMPARING);
	pass = GAVE_UP_AT + 10; /* as does its pass of the audit */
	journal_turn(j, GAVE_UP_AT + 40);
	CU_ASSERT_TRUE(e->loss == HISTORY_LOSS_KNOWN && e->freed == 7 && e->vouched == 93);
}

/* A directory stands where the file should: nothing can be added, then it can. */
static void test_disk_takes_nothing(void)
{
	CU_ASSERT_EQUAL_FATAL(mkdir(history, 0700), 0);
	move(SRP_INIT, SRP_STANDBY, SRP_CAUSE_STARTUP);
	CU_ASSERT_TRUE(turn_until(true));
	CU_ASSERT_PTR_NOT_NULL(strstr(alarms_get(alarms, 0)->text, dir));
	move(SRP_STANDBY, SRP_PENDING_ACTIVE, SRP_CAUSE_DEAD_TIMER);
	CU_ASSERT_EQUAL_FATAL(rmdir(history), 0);
	CU_ASSERT_TRUE(turn_until(false));
	CU_ASSERT_PTR_NOT_NULL(journal_alarm(j, 0));
	journal_close(j);
	open_journal();
	CU_ASSERT_PTR_NOT_NULL_FATAL(journal_last(j));
	CU_ASSERT_EQUAL(journal_last(j)->number, 2);
	CU_ASSERT_PTR_NOT_NULL(history_get(journal_history(j), 1));
}

static void test_alarms_that_are_over(void)
{
	char text[32];

	CU_ASSERT_PTR_NULL(journal_alarm(j, 0));
	for (unsigned int i = 0; i < JOURNAL_ALARMS + 3; i++) {
		snprintf(text, sizeof(text), "number %u", i);
		alarms_raise(alarms, "history-not-saved", text, i);
		alarms_clear(alarms, "history-not-saved", i);
	}
	CU_ASSERT_STRING_EQUAL(journal_alarm(j, 0)->text, "number 3");
	CU_ASSERT_STRING_EQUAL(journal_alarm(j, JOURNAL_ALARMS - 1)->text, "number 34");
	CU_ASSERT_STRING_EQUAL(journal_alarm(j, 0)->info->name, "history-not-saved");
	CU_ASSERT_PTR_NULL(journal_alarm(j, JOURNAL_ALARMS));
}

int main(void)
{
	CU_TestInfo tests[] = { { "transitions outlive the process", test_outlives_the_process },
		{ "numbers", test_numbers },
		{ "numbers that are not saved", test_numbers_not_saved },
		{ "the reserve", test_reserve }, { "what a switchover cost", test_loss },
		{ "a disk that takes nothing", test_disk_takes_nothing },
		{ "alarms that are over", test_alarms_that_are_over }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "journal", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_eal("test_journal") == 0 ? ut_run(suites) : EXIT_FAILURE;
}
