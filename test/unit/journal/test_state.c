/* SPDX-License-Identifier: BSD-3-Clause */
/* The durable reserve: what a real file system has at every moment is what the next process
 * reads. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/state.h"
#include "ut.h"
#include "ut_eal.h"

enum { WAIT_MS = 10000 };

static char top[64], dir[128], path[160], torn[160];

static int make(void)
{
	snprintf(top, sizeof(top), "/tmp/test_state.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/lib/tandem", top);
	snprintf(path, sizeof(path), "%s/srp.state", dir);
	snprintf(torn, sizeof(torn), "%s/srp.state.new", dir);
	return 0;
}

static int clear(void)
{
	char mid[96];

	snprintf(mid, sizeof(mid), "%s/lib", top);
	unlink(path);
	unlink(torn);
	rmdir(torn);
	rmdir(dir);
	rmdir(mid);
	return rmdir(top);
}

static void put(const char *file, const char *text)
{
	FILE *f = fopen(file, "we");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static struct state *open_with(uint64_t reserve, uint8_t counter)
{
	struct srp_saved saved = { .reserve = 77, .restart_counter = 77 };
	struct state *s = state_open(dir, &saved);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(saved.reserve, reserve);
	CU_ASSERT_EQUAL(saved.restart_counter, counter);
	return s;
}

/* The next write that ends, as the control core's epoll would see it. */
static int ended(struct state *s, uint64_t *reserve)
{
	struct pollfd fd = { .fd = state_fd(s), .events = POLLIN };
	int error = 1;

	CU_ASSERT_EQUAL(poll(&fd, 1, WAIT_MS), 1);
	CU_ASSERT_TRUE(state_saved(s, reserve, &error));
	return error;
}

static void test_absent(void)
{
	uint64_t reserve;
	int error;
	struct stat st;
	struct state *s = open_with(0, 0);

	CU_ASSERT_EQUAL(stat(dir, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777 & ~0750, 0);
	CU_ASSERT_FALSE(state_saved(s, &reserve, &error));
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	state_close(s);
	state_close(open_with(0, 0)); /* it is there now, and empty */
	state_close(NULL);
}

static void test_round_trip(void)
{
	static const struct {
		uint64_t reserve;
		uint8_t counter;
	} rows[] = { { 1, 0 }, { 1000, 1 }, { UINT64_MAX, 255 }, { 0, 0 }, { 4711, 200 } };
	uint64_t had = 0, reserve;
	uint8_t counter = 0;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct state *s = open_with(had, counter);
		int error;

		state_save(s, rows[i].reserve, rows[i].counter);
		CU_ASSERT_EQUAL(ended(s, &reserve), 0);
		CU_ASSERT_EQUAL(reserve, rows[i].reserve);
		CU_ASSERT_FALSE(state_saved(s, &reserve, &error)); /* once each */
		CU_ASSERT_NOT_EQUAL(access(torn, F_OK), 0);
		state_close(s);
		had = rows[i].reserve;
		counter = rows[i].counter;
	}
}

static void test_corrupt(void)
{
	static const char *const texts[] = { "", "tandem",
		"tandem-state 2 reserve 5 restart-counter 1\n",
		"tandem-state 1 reserve x restart-counter 1\n", "tandem-state 1 reserve 5\n",
		"tandem-state 1 reserve 5 restart-counter 256\n", "\x7f\x45\x4c\x46" };
	struct srp_saved saved;

	state_close(open_with(0, 0));
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(path, texts[i]);
		errno = 0;
		CU_ASSERT_PTR_NULL(state_open(dir, &saved));
		CU_ASSERT_EQUAL(errno, EBADMSG);
		if (errno != EBADMSG)
			fprintf(stderr, "%s: errno %d\n", texts[i], errno);
	}
	put(path, "tandem-state 1 reserve 5 restart-counter 1\n");
	state_close(open_with(5, 1));
}

/* A write that cannot be done is told, and the next one may be. The file that cannot be made is a
 * directory's name, so that the test fails for root too. */
static void test_unwritable(void)
{
	uint64_t reserve;
	struct state *s = open_with(0, 0);

	state_save(s, 10, 1);
	CU_ASSERT_EQUAL(ended(s, &reserve), 0);
	CU_ASSERT_EQUAL(mkdir(torn, 0700), 0);
	state_save(s, 20, 2);
	CU_ASSERT_EQUAL(ended(s, &reserve), -EISDIR);
	CU_ASSERT_EQUAL(reserve, 20);
	state_close(open_with(10, 1)); /* what is there is still the old one */
	CU_ASSERT_EQUAL(rmdir(torn), 0);
	state_save(s, 30, 3);
	CU_ASSERT_EQUAL(ended(s, &reserve), 0);
	CU_ASSERT_EQUAL(reserve, 30);
	state_close(s);
	state_close(open_with(30, 3));
}

/* The same as somebody whom permissions stop. */
static int unprivileged(void)
{
	struct srp_saved saved;
	struct pollfd fd;
	struct state *s;
	uint64_t reserve;
	int error = 0;

	if (geteuid() == 0 && seteuid(65534) < 0)
		return 10;
	s = state_open(dir, &saved);
	if (s == NULL)
		return 11;
	state_save(s, 99, 9);
	fd = (struct pollfd){ .fd = state_fd(s), .events = POLLIN };
	if (poll(&fd, 1, WAIT_MS) != 1 || !state_saved(s, &reserve, &error))
		return 12;
	state_close(s);
	return error == -EACCES ? 0 : 13;
}

static void test_permission(void)
{
	char mid[96];
	int status = -1;
	pid_t child;

	snprintf(mid, sizeof(mid), "%s/lib", top);
	state_close(open_with(0, 0));
	put(path, "tandem-state 1 reserve 5 restart-counter 1\n");
	CU_ASSERT_EQUAL(
		chmod(path, 0644) | chmod(top, 0755) | chmod(mid, 0755) | chmod(dir, 0555), 0);
	child = fork();
	if (child == 0)
		_exit(unprivileged());
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(chmod(dir, 0755), 0);
	state_close(open_with(5, 1));
}

/* Many at once: the last one is what is there in the end, and nothing older is told after it. */
static void test_newest_wins(void)
{
	struct state *s = open_with(0, 0);
	uint64_t reserve = 0, before = 0;

	for (uint64_t i = 1; i <= 200; i++)
		state_save(s, i, (uint8_t)i);
	while (reserve != 200) {
		CU_ASSERT_EQUAL_FATAL(ended(s, &reserve), 0);
		CU_ASSERT_TRUE_FATAL(reserve > before);
		before = reserve;
	}
	state_save(s, 201, 7);
	state_close(s); /* what was asked for is done before the end */
	state_close(open_with(201, 7));
}

/* A crash after part of the new file was written, before its rename. */
static void test_torn(void)
{
	uint64_t reserve;
	struct state *s = open_with(0, 0);

	state_save(s, 1000, 3);
	CU_ASSERT_EQUAL(ended(s, &reserve), 0);
	state_close(s);
	put(torn, "tandem-state 1 reserve 20");
	s = open_with(1000, 3);
	state_save(s, 2000, 4);
	CU_ASSERT_EQUAL(ended(s, &reserve), 0);
	state_close(s);
	CU_ASSERT_NOT_EQUAL(access(torn, F_OK), 0);
	state_close(open_with(2000, 4));
}

/* Where no directory can be. */
static void test_no_directory(void)
{
	struct srp_saved saved;
	char below[192];

	state_close(open_with(0, 0));
	put(path, "tandem-state 1 reserve 5 restart-counter 1\n");
	snprintf(below, sizeof(below), "%s/deeper", path);
	errno = 0;
	CU_ASSERT_PTR_NULL(state_open(below, &saved));
	CU_ASSERT_EQUAL(errno, ENOTDIR);
}

static void setup(void)
{
	CU_ASSERT_EQUAL(make(), 0);
}

static void teardown(void)
{
	CU_ASSERT_EQUAL(clear(), 0);
}

/* The thread of this process that has that name, or 0. */
static pid_t thread_of(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *d;
	pid_t found = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(tasks);
	while (found == 0 && (d = readdir(tasks)) != NULL) {
		char comm[320], is[32] = "";
		FILE *f;

		snprintf(comm, sizeof(comm), "/proc/self/task/%s/comm", d->d_name);
		f = fopen(comm, "re");
		if (f != NULL && fscanf(f, "%31s", is) == 1 && strcmp(is, name) == 0)
			found = (pid_t)strtol(d->d_name, NULL, 10);
		if (f != NULL)
			fclose(f);
	}
	closedir(tasks);
	return found;
}

static cpu_set_t all; /* the CPUs of this process before the EAL chose one */

/* The disk's thread runs beside the control core, not in its place: on no CPU of an lcore, where
 * there is another one. */
static void test_thread(void)
{
	struct state *s = open_with(0, 0);
	pid_t thread = thread_of("tandem-journal");
	cpu_set_t own, its;

	CU_ASSERT_NOT_EQUAL_FATAL(thread, 0);
	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof(own), &own), 0);
	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(thread, sizeof(its), &its), 0);
	CPU_AND(&own, &own, &its);
	CU_ASSERT_EQUAL(CPU_COUNT(&own), CPU_COUNT(&all) > 1 ? 0 : 1);
	state_close(s);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "nothing is there", test_absent },
		{ "round trip", test_round_trip }, { "corrupt", test_corrupt },
		{ "unwritable, then not", test_unwritable }, { "no permission", test_permission },
		{ "the newest wins", test_newest_wins }, { "crash before the rename", test_torn },
		{ "no directory", test_no_directory }, { "thread", test_thread },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "state", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	sched_getaffinity(0, sizeof(all), &all);
	return ut_eal("test_state") == 0 ? ut_run(suites) : EXIT_FAILURE;
}
