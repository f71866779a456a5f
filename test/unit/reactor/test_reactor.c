/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor: what is called when, and that each event is settled before the next. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "reactor/reactor.h"
#include "ut.h"

static struct reactor *r;
static struct source a, b;
static char said[256];

static void say(const char *what)
{
	strncat(said, what, sizeof(said) - strlen(said) - 1);
}

static void settled(void *ctx)
{
	(void)ctx;
	say(".");
}

static void setup(void)
{
	r = reactor_create(settled, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	a = b = (struct source){ .fd = -1 };
	said[0] = '\0';
}

static void teardown(void)
{
	reactor_unwatch(r, &a);
	reactor_unwatch(r, &b);
	reactor_destroy(r);
}

static void turn(void)
{
	said[0] = '\0';
	reactor_wait(r, 0);
	reactor_dispatch(r);
}

static void say_a(void *ctx, struct source *s, uint32_t events)
{
	(void)ctx;
	(void)s;
	say(events != 0 ? "a" : "A");
}

static void say_b(void *ctx, struct source *s, uint32_t events)
{
	(void)ctx;
	(void)s;
	(void)events;
	say("b");
}

static void end_both(void *ctx, struct source *s, uint32_t events)
{
	(void)ctx;
	(void)s;
	(void)events;
	say("x");
	reactor_unwatch(r, &a);
	reactor_unwatch(r, &b);
}

static void more(void *ctx, struct source *s, uint32_t events)
{
	unsigned int *left = ctx;

	say_a(ctx, s, events);
	if (--*left > 0)
		reactor_again(r, s);
}

static void watch(struct source *s, reactor_ready *ready, void *ctx)
{
	CU_ASSERT_EQUAL_FATAL(
		reactor_watch(r, s, eventfd(1, EFD_NONBLOCK), EPOLLIN, ready, ctx), 0);
}

static void test_each_is_settled(void)
{
	watch(&a, say_a, NULL);
	watch(&b, say_b, NULL);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "a.b.");
	reactor_change(r, &a, 0);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "b.");
}

/* What already waits for a handler is not handed to one that is gone. */
static void test_unwatched_is_not_called(void)
{
	watch(&a, end_both, NULL);
	watch(&b, end_both, NULL);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "x.");
	turn();
	CU_ASSERT_STRING_EQUAL(said, "");
	CU_ASSERT_EQUAL(a.fd, -1);
}

static void test_again(void)
{
	unsigned int left = 3;

	watch(&a, more, &left);
	reactor_change(r, &a, 0);
	reactor_again(r, &a);
	reactor_again(r, &a); /* once is enough */
	turn();
	CU_ASSERT_STRING_EQUAL(said, "A.A.A.");
	left = REACTOR_AGAIN + 2; /* a bound a turn */
	reactor_again(r, &a);
	turn();
	CU_ASSERT_EQUAL(strlen(said), 2 * REACTOR_AGAIN);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "A.A.");
	left = 2;
	reactor_again(r, &a);
	reactor_unwatch(r, &a);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "");
}

struct job {
	struct work work;
	int done;
};

static void job_run(struct work *w)
{
	((struct job *)w)->done = 1;
}

static void job_ended(void *ctx, struct work *w)
{
	CU_ASSERT_PTR_EQUAL(ctx, &said);
	CU_ASSERT_EQUAL(((struct job *)w)->done, 1);
	say("w");
}

static void test_work(void)
{
	static struct job j;

	j = (struct job){ .work = { .run = job_run, .ended = job_ended, .ctx = &said } };
	CU_ASSERT_EQUAL_FATAL(work_begin(r, &j.work, "job"), 0);
	while (said[0] == '\0') {
		reactor_wait(r, 100000000);
		reactor_dispatch(r);
	}
	CU_ASSERT_STRING_EQUAL(said, "w.");
	/* The end of a process does not hear of it. */
	j.work = (struct work){ .run = job_run, .ended = job_ended, .ctx = &said };
	CU_ASSERT_EQUAL_FATAL(work_begin(r, &j.work, "job"), 0);
	work_close(r, &j.work);
	turn();
	CU_ASSERT_STRING_EQUAL(said, "");
}

/* A thread that is not gone before the test has seen the end of its work. */
static struct {
	pthread_key_t key;
	sem_t seen, gone;
} slow;

/* At the thread's exit. */
static void slow_exit(void *value)
{
	struct timespec until;

	(void)value;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	while (sem_timedwait(&slow.seen, &until) < 0 && errno == EINTR)
		;
	sem_post(&slow.gone);
}

static void slow_run(struct work *w)
{
	((struct job *)w)->done = 1;
	pthread_setspecific(slow.key, &slow);
}

static void slow_ended(void *ctx, struct work *w)
{
	int gone = 0;

	job_ended(ctx, w);
	sem_getvalue(&slow.gone, &gone);
	CU_ASSERT_EQUAL(gone, 0);
	sem_post(&slow.seen);
}

/* The control core does not wait for the thread, only for its work. */
static void test_slow_exit(void)
{
	static struct job j;

	pthread_key_create(&slow.key, slow_exit);
	sem_init(&slow.seen, 0, 0);
	sem_init(&slow.gone, 0, 0);
	j = (struct job){ .work = { .run = slow_run, .ended = slow_ended, .ctx = &said } };
	CU_ASSERT_EQUAL_FATAL(work_begin(r, &j.work, "slow"), 0);
	while (said[0] == '\0') {
		reactor_wait(r, 100000000);
		reactor_dispatch(r);
	}
	CU_ASSERT_STRING_EQUAL(said, "w.");
	while (sem_wait(&slow.gone) < 0)
		;
	pthread_key_delete(slow.key);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "each event is settled", test_each_is_settled },
		{ "unwatched is not called", test_unwatched_is_not_called },
		{ "again", test_again }, { "work", test_work },
		{ "a thread that ends slowly", test_slow_exit }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "reactor", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_reactor", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "64", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_reactor_%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
