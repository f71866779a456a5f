/* SPDX-License-Identifier: BSD-3-Clause */
/* pages: of which size the pages of the EAL's memory are where it has no hugepages. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_memory.h>

#include "base/memory.h"

/* Set before the EAL starts, and read while it does. */
static bool pages_are_shared;

/* Without hugepages the EAL takes a memfd of this name for its memory, and a kernel gives shared
 * memory pages of 4 KiB unless it was told otherwise: to touch each of them once was most of the
 * CPU time of a start. Where there is no memfd the EAL takes private memory, for which
 * memory_huge_pages() asks for huge pages. This stands in front of libc's function; all other
 * memfds, as memif's regions, are made as ever. */
static const char eal_memfd[] = "nohuge";

int memfd_create(const char *name, unsigned int flags)
{
	if (pages_are_shared || strcmp(name, eal_memfd) != 0)
		return (int)syscall(SYS_memfd_create, name, flags);
	errno = ENOSYS;
	return -1;
}

void memory_share(void)
{
	pages_are_shared = true;
}

/* A kernel without transparent huge pages refuses, and the pages stay small. */
static int pages_ask(const struct rte_memseg_list *list, void *arg)
{
	(void)arg;
	(void)madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

void memory_huge_pages(void)
{
	if (!rte_eal_has_hugepages() && !pages_are_shared)
		rte_memseg_list_walk(pages_ask, NULL);
}
