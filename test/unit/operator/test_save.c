/* SPDX-License-Identifier: BSD-3-Clause */
/* A saved file is whole or as it was, and nothing is left beside it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"
#include "ut.h"

static char top[64], path[128], why[SAVE_WHY];

static void setup(void)
{
	snprintf(top, sizeof(top), "/tmp/test_save.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/tandem.conf", top);
	why[0] = '\0';
}

/* Every test ends with what it saved and nothing else. */
static void teardown(void)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(top), 0);
}

static bool holds(const char *file, const char *text)
{
	char got[64] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, got, sizeof(got) - 1) : -1;

	if (fd >= 0)
		close(fd);
	return n >= 0 && strcmp(got, text) == 0;
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_mode & 07777 : 0;
}

static int save(const char *file, const char *text)
{
	return save_text(file, text, strlen(text), why);
}

static void test_new_is_private(void)
{
	mode_t was = umask(0);

	CU_ASSERT_EQUAL(save(path, "one\n"), 0);
	umask(was);
	CU_ASSERT_TRUE(holds(path, "one\n"));
	CU_ASSERT_EQUAL(mode_of(path), 0600);
}

static void test_old_keeps_mode_and_owner(void)
{
	struct stat st;
	bool root = geteuid() == 0;

	CU_ASSERT_EQUAL(save(path, "a longer one\n"), 0);
	CU_ASSERT_EQUAL(chmod(path, 0640), 0);
	if (root)
		CU_ASSERT_EQUAL(chown(path, 0, 12), 0);
	CU_ASSERT_EQUAL(save(path, "two\n"), 0);
	CU_ASSERT_TRUE(holds(path, "two\n"));
	CU_ASSERT_EQUAL(mode_of(path), 0640);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_TRUE(!root || st.st_gid == 12);
}

static void test_relative(void)
{
	CU_ASSERT_EQUAL(save("test_save_relative.conf", "x\n"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "relative path"));
	CU_ASSERT_NOT_EQUAL(access("test_save_relative.conf", F_OK), 0);
	CU_ASSERT_EQUAL(save("", "x\n"), -EINVAL);
}

/* A folder, a device, a pipe, a link: nothing of them is replaced or written to. */
static void test_no_regular_file(void)
{
	char old[160];
	struct stat st;

	CU_ASSERT_EQUAL(save(top, "x\n"), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no regular file"));
	CU_ASSERT_EQUAL(save("/dev/null", "x\n"), -EINVAL);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(save(path, "x\n"), -EINVAL);
	unlink(path);
	snprintf(old, sizeof(old), "%s/old", top);
	CU_ASSERT_EQUAL(save(old, "old\n"), 0);
	CU_ASSERT_EQUAL(symlink(old, path), 0);
	CU_ASSERT_EQUAL(save(path, "x\n"), -EINVAL);
	CU_ASSERT_TRUE(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
	CU_ASSERT_TRUE(holds(old, "old\n"));
	unlink(old);
}

static void test_no_folder(void)
{
	char below[160], longer[PATH_MAX + 16];

	snprintf(below, sizeof(below), "%s/none/tandem.conf", top);
	CU_ASSERT_EQUAL(save(below, "x\n"), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	CU_ASSERT_EQUAL(save(longer, "x\n"), -ENAMETOOLONG);
}

/* A disk without room for all of it (here: a limit on the size of files). The old file stays as it
 * was. */
static void test_no_room(void)
{
	struct rlimit was, few;
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(save(path, "old\n"), 0);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &was), 0);
	few = was;
	few.rlim_cur = 1000;
	fflush(stdout);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &few), 0);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(save(path, text), -EFBIG);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &was), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "as it was"));
	CU_ASSERT_TRUE(holds(path, "old\n"));
}

int main(void)
{
	static CU_TestInfo tests[] = { { "new_is_private", test_new_is_private },
		{ "old_keeps_mode_and_owner", test_old_keeps_mode_and_owner },
		{ "relative", test_relative }, { "no_regular_file", test_no_regular_file },
		{ "no_folder", test_no_folder }, { "no_room", test_no_room }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "save", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
