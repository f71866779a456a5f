/* SPDX-License-Identifier: BSD-3-Clause */
/* Snapshots of settings: whole, the newest, and alive for as long as a core holds them. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "cores/settings.h"
#include "ut.h"

enum { READERS = 3, PUBLISHED = 300 };

static const char *const names[READERS] = { "worker 0", "worker 1", "the replication core" };
static struct settings_board *b;

/* All of it says the same number. */
static void fill(struct settings *s, uint32_t n)
{
	*s = (struct settings){ .n_apns = SETTINGS_APNS, .audit_us = n, .replication_mbps = n };
	for (unsigned int i = 0; i < SETTINGS_APNS; i++)
		s->apn[i].idle_timeout_s = s->apn[i].session_timeout_s = n;
}

static bool whole(const struct settings *s)
{
	bool good = s->audit_us == s->replication_mbps;

	for (unsigned int i = 0; i < SETTINGS_APNS; i++)
		good &= s->apn[i].idle_timeout_s == s->replication_mbps &&
			s->apn[i].session_timeout_s == s->replication_mbps;
	return good;
}

static void setup(void)
{
	struct settings s;

	fill(&s, 1);
	b = settings_create(&s, names, READERS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
}

static void teardown(void)
{
	settings_destroy(b);
}

static int publish(uint32_t n)
{
	struct settings s;

	int ret;

	fill(&s, n);
	ret = settings_ready(b, &s);
	if (ret == 0)
		settings_publish(b);
	return ret;
}

static void test_numbers(void)
{
	CU_ASSERT_EQUAL(settings_newest(b)->number, 1);
	CU_ASSERT_PTR_NULL(settings_holder(b));
	CU_ASSERT_EQUAL(publish(2), 0); /* nobody reads yet */
	CU_ASSERT_EQUAL(publish(3), 0);
	CU_ASSERT_EQUAL(settings_newest(b)->number, 3);
	CU_ASSERT_EQUAL(settings_newest(b)->replication_mbps, 3);
}

/* What is ready is seen by nobody before it is published, and what came behind it instead. */
static void test_ready(void)
{
	struct settings s;

	fill(&s, 2);
	CU_ASSERT_EQUAL(settings_ready(b, &s), 0);
	CU_ASSERT_EQUAL(settings_newest(b)->replication_mbps, 1);
	fill(&s, 3);
	CU_ASSERT_EQUAL(settings_ready(b, &s), 0);
	CU_ASSERT_EQUAL(settings_newest(b)->number, 1);
	settings_publish(b);
	CU_ASSERT_TRUE(settings_newest(b)->number == 2 && settings_newest(b)->audit_us == 3);
	settings_publish(b); /* nothing is ready */
	CU_ASSERT_EQUAL(settings_newest(b)->number, 2);
	CU_ASSERT_EQUAL(settings_ready(b, &s), 0); /* freed with the board */
}

/* At most two are alive, and who keeps the older is named. */
static void test_held(void)
{
	const struct settings *held;

	settings_join(b, 0);
	settings_join(b, 1);
	held = settings_turn(b, 0);
	settings_turn(b, 1);
	CU_ASSERT_EQUAL(publish(2), 0);
	CU_ASSERT_EQUAL(settings_turn(b, 1)->number, 2);
	CU_ASSERT_STRING_EQUAL(settings_holder(b), "worker 0");
	CU_ASSERT_EQUAL(publish(3), -EBUSY);
	CU_ASSERT_TRUE(held->number == 1 && whole(held)); /* it is alive */
	CU_ASSERT_EQUAL(settings_newest(b)->number, 2);   /* nothing was changed */
	CU_ASSERT_EQUAL(settings_turn(b, 0)->number, 2);
	CU_ASSERT_PTR_NULL(settings_holder(b));
	CU_ASSERT_EQUAL(publish(3), 0);
	settings_turn(b, 0);
	CU_ASSERT_STRING_EQUAL(settings_holder(b), "worker 1");
	settings_leave(b, 1); /* it has ended */
	CU_ASSERT_PTR_NULL(settings_holder(b));
	settings_leave(b, 0);
}

/* A number without an item has no limits; the table of numbers is the same in all snapshots. */
static void test_apns(void)
{
	static struct places p;
	struct settings s;
	struct settings_board *of;

	fill(&s, 1);
	s.apn[2].idle_timeout_s = 77;
	memset(&s.apn[SETTINGS_APNS], 0, sizeof(s.apn[0]));
	s.places = &p;
	places_init(&p);
	atomic_store(&p.at[PLACES_APN][200], 2);
	of = settings_create(&s, names, READERS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(of);
	CU_ASSERT_EQUAL(settings_apn_of(settings_newest(of), 200)->idle_timeout_s, 77);
	CU_ASSERT_PTR_EQUAL(
		settings_apn_of(settings_newest(of), 2), &settings_newest(of)->apn[SETTINGS_APNS]);
	s.places = NULL;
	s.apn[2].idle_timeout_s = 78;
	CU_ASSERT_EQUAL(settings_ready(of, &s), 0);
	settings_publish(of);
	CU_ASSERT_EQUAL(settings_apn_of(settings_newest(of), 200)->idle_timeout_s, 78);
	CU_ASSERT_EQUAL(settings_apn_of(&s, 2)->idle_timeout_s, 78); /* it counts places itself */
	CU_ASSERT_PTR_EQUAL(settings_apn_of(&s, 255), &s.apn[SETTINGS_APNS]);
	settings_destroy(of);
}

static void test_refused(void)
{
	struct settings s;

	fill(&s, 1);
	CU_ASSERT_PTR_NULL(settings_create(&s, names, SETTINGS_CORES + 1));
	CU_ASSERT_EQUAL(errno, EINVAL);
}

/* ---- cores that turn meanwhile ---- */

static struct {
	_Atomic bool quit;
	_Atomic uint64_t turns, torn, backwards;
} readers;

static void *reader(void *arg)
{
	unsigned int core = (unsigned int)(uintptr_t)arg;
	uint64_t number = 0;

	settings_join(b, core);
	while (!atomic_load(&readers.quit)) {
		const struct settings *s = settings_turn(b, core);

		atomic_fetch_add(&readers.torn, !whole(s));
		atomic_fetch_add(&readers.backwards, s->number < number);
		number = s->number;
		atomic_fetch_add(&readers.turns, 1);
		sched_yield(); /* there may be fewer CPUs than threads */
	}
	settings_leave(b, core);
	return NULL;
}

static void test_readers(void)
{
	pthread_t thread[READERS];
	unsigned int done = 0, busy = 0;

	memset(&readers, 0, sizeof(readers));
	for (uintptr_t i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, reader, (void *)i), 0);
	while (atomic_load(&readers.turns) < READERS)
		sched_yield();
	while (done < PUBLISHED) {
		int ret = publish(done + 2);

		done += ret == 0;
		busy += ret == -EBUSY;
		if (ret == -EBUSY)
			sched_yield();
	}
	atomic_store(&readers.quit, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&readers.torn), 0);
	CU_ASSERT_EQUAL(atomic_load(&readers.backwards), 0);
	CU_ASSERT_TRUE(busy > 0); /* else nobody held anything, and nothing was tried */
	CU_ASSERT_EQUAL(settings_newest(b)->number, PUBLISHED + 1);
	CU_ASSERT_PTR_NULL(settings_holder(b));
}

int main(void)
{
	static CU_TestInfo tests[] = { { "numbers", test_numbers }, { "ready", test_ready },
		{ "held", test_held }, { "refused", test_refused }, { "APNs by number", test_apns },
		{ "readers", test_readers }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "settings", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
