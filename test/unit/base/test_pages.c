/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages of the EAL's memory where it has no hugepages: private and huge, but for devices that share
 * them; what other files of memory there are is made as ever. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "base/memory.h"
#include "ut.h"
#include "ut_eal.h"

/* The mapping that `p` lies in: the path of its file, and the line of its flags. */
static void mapping_of(const void *p, char path[256], char flags[256])
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long from, to;
	bool here = false;

	path[0] = flags[0] = '\0';
	CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx", &from, &to) == 2) {
			here = (unsigned long)p >= from && (unsigned long)p < to;
			if (here && strchr(line, '/') != NULL)
				snprintf(path, 256, "%s", strchr(line, '/'));
		} else if (here && sscanf(line, "VmFlags: %255[^\n]", flags) == 1) {
			break;
		}
	}
	fclose(maps);
}

static bool shared; /* the test was started with "shared" */

static void test_eal_memory(void)
{
	char path[256], flags[256];
	void *p = rte_malloc(NULL, 1 << 20, 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	mapping_of(p, path, flags);
	CU_ASSERT_EQUAL(strstr(path, "memfd:nohuge") != NULL, shared);
	/* Where the kernel has huge pages at all they are asked for. */
	if (!shared && access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0)
		CU_ASSERT_PTR_NOT_NULL(strstr(flags, "hg"));
	rte_free(p);
}

/* memif shares its rings by such a file, and vhost its memory. */
static void test_other_files_are_made(void)
{
	int fd = memfd_create("memif_region_0", MFD_ALLOW_SEALING);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 4096), 0);
	close(fd);
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = { { "the EAL's memory", test_eal_memory },
		{ "other files of memory are made", test_other_files_are_made },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "pages", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	shared = argc > 1 && strcmp(argv[1], "shared") == 0;
	if (shared)
		memory_share();
	if (ut_eal("pages") < 0)
		return 1;
	memory_huge_pages();
	return ut_run(suites);
}
