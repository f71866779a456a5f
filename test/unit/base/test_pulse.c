/* SPDX-License-Identifier: BSD-3-Clause */
/* pulse: when a core that has nothing to do sleeps (the test counts the naps in place of taking
 * them), who is said to have stood still, and what the watchdog does. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/pulse.h"
#include "ut.h"

static unsigned int naps;
static long nap_us; /* the last one */

int nanosleep(const struct timespec *asked, struct timespec *left)
{
	CU_ASSERT_EQUAL(asked->tv_sec, 0);
	nap_us = asked->tv_nsec / 1000;
	naps++;
	return 0;
}

/* Naps of so many turns in a row that had nothing to do. */
static unsigned int idle_turns(unsigned int n, unsigned int *idle, bool may_sleep)
{
	struct core_pulse pulse = { 0 };

	pulse_init(&pulse, 0, may_sleep);
	naps = 0;
	while (n-- > 0)
		pulse_rest(&pulse, false, idle);
	CU_ASSERT_EQUAL(atomic_load(&pulse.busy), 0);
	return naps;
}

/* A core that spins for longer takes the CPU from those that it waits for where they share one. */
static void test_twenty_idle_turns_then_naps(void)
{
	unsigned int idle = 0;

	CU_ASSERT_EQUAL(idle_turns(20, &idle, true), 0);
	CU_ASSERT_EQUAL(idle_turns(5, &idle, true), 5);
}

/* Each is longer than the one before, up to a length that no packet waits for too long. */
static void test_naps_lengthen(void)
{
	unsigned int idle = 0;

	idle_turns(21, &idle, true);
	CU_ASSERT_EQUAL(nap_us, 100);
	idle_turns(1, &idle, true);
	CU_ASSERT_EQUAL(nap_us, 200);
	idle_turns(3, &idle, true);
	CU_ASSERT_EQUAL(nap_us, 500);
	idle_turns(100, &idle, true);
	CU_ASSERT_EQUAL(nap_us, 500);
	idle = 0;
	idle_turns(21, &idle, true);
	CU_ASSERT_EQUAL(nap_us, 100);
}

static void test_work_starts_the_count_anew(void)
{
	struct core_pulse pulse = { 0 };
	unsigned int idle = 0;

	CU_ASSERT_EQUAL(idle_turns(21, &idle, true), 1);
	pulse_rest(&pulse, true, &idle);
	CU_ASSERT_EQUAL(atomic_load(&pulse.busy), 1);
	CU_ASSERT_EQUAL(naps, 1);
	CU_ASSERT_EQUAL(idle_turns(20, &idle, true), 0);
	CU_ASSERT_EQUAL(idle_turns(1, &idle, true), 1);
}

static void test_without_idle_sleep_no_nap(void)
{
	unsigned int idle = 0;

	CU_ASSERT_EQUAL(idle_turns(5000, &idle, false), 0);
}

/* Only a gap that is longer than stale_us makes a core stale, and another core counts only while it
 * stands still, or has just woken. */
static void test_stood_still(void)
{
	struct core_pulse p = { 0 };

	pulse_init(&p, 50000, false);
	CU_ASSERT_EQUAL(pulse_turn(&p, 1000000), 0);
	CU_ASSERT_EQUAL(pulse_turn(&p, 1001000), 0);
	CU_ASSERT_FALSE(pulse_stood_still(&p, 1051000, 60000));
	CU_ASSERT_TRUE(pulse_stood_still(&p, 1051001, 60000));
	CU_ASSERT_FALSE(pulse_stood_still(&p, 1051001, 50000));
	CU_ASSERT_EQUAL(pulse_turn(&p, 1061000), 60000);
	CU_ASSERT_EQUAL(atomic_load(&p.stalls), 1);
	CU_ASSERT_EQUAL(atomic_load(&p.stalled_us), 60000);
	CU_ASSERT_TRUE(pulse_stood_still(&p, 1062000, 60000));
}

/* How a child ends that watches a core which has turned once, and what it says. The watcher turns
 * each 1 ms for `us`, but that each `each` turns (0: never) it does not run for `stall` us. */
static int watch(usec_t us, unsigned int each, usec_t stall, char said[256])
{
	struct core_pulse p = { 0 }, own = { 0 };
	struct pulse_seen seen = { 0 };
	int fd[2], status = 0;
	ssize_t n;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	pulse_turn(&p, 5000000);
	pid = fork();
	if (pid == 0) {
		usec_t now = 5000000;

		dup2(fd[1], STDERR_FILENO);
		for (unsigned int i = 1; now <= 5000000 + us; i++) {
			pulse_turn(&own, now);
			pulse_watch(&seen, &own, &p, "worker", PULSE_PATIENCE_US, now);
			now += each > 0 && i % each == 0 ? stall : 1000;
		}
		_exit(0);
	}
	close(fd[1]);
	n = read(fd[0], said, 255);
	said[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_watchdog(void)
{
	char said[256];

	CU_ASSERT_EQUAL(watch(999000, 0, 0, said), 0);
	CU_ASSERT_STRING_EQUAL(said, "");
	CU_ASSERT_EQUAL(watch(1000000, 0, 0, said), SIGABRT);
	CU_ASSERT_STRING_EQUAL(said, "base: the worker core has not turned for too long, where it "
				     "stands is not known: this process ends, so that the peer "
				     "takes over core=worker silent_ms=1000\n");
}

/* A watcher on a machine that takes its CPU away now and then sees it all the same, and its own
 * absence is held against nobody. */
static void test_watchdog_with_stalls(void)
{
	char said[256];

	CU_ASSERT_EQUAL(watch(2000000, 100, 20000, said), SIGABRT); /* 20 ms of each 120 */
	CU_ASSERT_EQUAL(watch(10990000, 10, 10000000, said), 0);    /* a sleep of the machine */
	CU_ASSERT_EQUAL(watch(12000000, 900, 10000000, said), SIGABRT);
}

/* Until the kernel says that a thread of this process sleeps. */
static void wait_until_asleep(pid_t thread)
{
	char path[64], stat[96], *name;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	do {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
		stat[n > 0 ? n : 0] = '\0';
		name = strrchr(stat, ')');
	} while (name == NULL || name[2] != 'S');
}

static void *turn_once_and_wait(void *pulse)
{
	pulse_turn(pulse, 5000000);
	for (;;)
		pause();
	return NULL;
}

/* The last line tells where the core's thread is, so that its reader knows what to look for. */
static void test_watchdog_says_where(void)
{
	static struct core_pulse p, own;
	struct pulse_seen seen = { 0 };
	char said[256];
	int fd[2], status;
	ssize_t n;

	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	if (fork() == 0) {
		pthread_t other;

		dup2(fd[1], STDERR_FILENO);
		pthread_create(&other, NULL, turn_once_and_wait, &p);
		while (atomic_load(&p.thread) == 0)
			sched_yield();
		for (usec_t now = 5000000; now < 7000000; now += 1000) {
			/* It may not have come to sleep yet when the time has passed. */
			if (now == 5900000)
				wait_until_asleep(atomic_load(&p.thread));
			pulse_turn(&own, now);
			pulse_watch(&seen, &own, &p, "worker", PULSE_PATIENCE_US, now);
		}
		_exit(0);
	}
	close(fd[1]);
	n = read(fd[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	CU_ASSERT_TRUE(wait(&status) > 0 && WIFSIGNALED(status));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "for too long, it sleeps in the kernel's "));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, " core=worker silent_ms=1000\n"));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "twenty_idle_turns_then_naps", test_twenty_idle_turns_then_naps },
		{ "naps_lengthen", test_naps_lengthen },
		{ "work_starts_the_count_anew", test_work_starts_the_count_anew },
		{ "without_idle_sleep_no_nap", test_without_idle_sleep_no_nap },
		{ "stood_still", test_stood_still },
		{ "watchdog", test_watchdog },
		{ "watchdog_with_stalls", test_watchdog_with_stalls },
		{ "watchdog_says_where", test_watchdog_says_where },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = { { "pulse", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
