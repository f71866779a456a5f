/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of a run, which is a process of its own: nothing is given back. Page faults are what costs
 * here, so pages come many at once, and as huge ones where the kernel has them. */
#include <sys/mman.h>
#include <sys/stat.h>

#include <rte_memory.h>

#include "sim.h"

enum { HUGE_PAGE = 2 << 20, CHUNK = 16 << 20, LARGE = 4 << 20 };

#ifdef __has_feature /* clang's word for it */
#define SANITIZED (__has_feature(address_sanitizer))
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* The EAL's memory is a file that children would share: it becomes each process' own. The file has
 * few pages when the EAL has just started; what is not in it stays untouched. Without a file the
 * memory is the process' own already; the EAL then says -1, or 0, which may be any file. */
static int own_list(const struct rte_memseg_list *list, void *arg)
{
	int file =
		list->len > 0 && !list->external
			? rte_memseg_get_fd_thread_unsafe(rte_mem_virt2memseg(list->base_va, list))
			: -1;
	struct stat st;
	uint8_t *to;

	if (file < 0 || fstat(file, &st) != 0 || !S_ISREG(st.st_mode) ||
		(size_t)st.st_size != list->len)
		return 0;
	to = mmap(list->base_va, list->len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (to == MAP_FAILED)
		return -1;
	madvise(to, list->len, MADV_HUGEPAGE);
	for (off_t at = lseek(file, 0, SEEK_DATA), end; at >= 0; at = lseek(file, end, SEEK_DATA)) {
		end = lseek(file, at, SEEK_HOLE);
		if (end < 0 || pread(file, to + at, (size_t)(end - at), at) != end - at)
			return -1;
	}
	return 0;
}

int memory_own(void)
{
	return rte_memseg_list_walk(own_list, NULL);
}

void memory_pages(void *p, size_t len)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t from = (uintptr_t)p / 4096 * 4096;

	madvise((void *)from, (uintptr_t)p + len - from, MADV_POPULATE_WRITE);
#endif
}

/* Of the kernel itself: calloc() writes to all of it where MALLOC_PERTURB_ is set. */
void *memory_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

/* A sanitizer shall know each piece by itself. */
static void *take_apart(size_t size, size_t align)
{
	void *p = size >= 65536 ? calloc(1, size + align)
				: aligned_alloc(align, RTE_ALIGN(size, align));

	if (p == NULL)
		exit(2);
	if (size < 65536)
		return memset(p, 0, RTE_ALIGN(size, align));
	return (void *)RTE_ALIGN((uintptr_t)p, align);
}

void *memory_zeroes(size_t size, size_t align)
{
	static uintptr_t next, there, end; /* there: so far the pages are */
	uintptr_t at = RTE_ALIGN(next, align);

	if (SANITIZED)
		return take_apart(size, align);
	if (at + size > end) {
		size_t len = RTE_ALIGN(RTE_MAX(size, (size_t)CHUNK), (size_t)HUGE_PAGE);

		at = next = there = RTE_ALIGN((uintptr_t)memory_map(len + HUGE_PAGE), HUGE_PAGE);
		end = next + len;
		madvise((void *)next, len, MADV_HUGEPAGE);
	}
	next = at + size;
	if (next > there) {
		size_t more = RTE_ALIGN(next - there, (size_t)HUGE_PAGE);

		memory_pages((void *)there, more);
		there += more;
	}
	return (void *)at;
}

/* Of large pieces few pages are touched. */
static void *memory_sim_take(const char *name, size_t size, size_t align)
{
	size = RTE_MAX(size, (size_t)1);
	align = RTE_MAX(align, (size_t)RTE_CACHE_LINE_SIZE);
	return size >= LARGE && !SANITIZED ? memory_map(size) : memory_zeroes(size, align);
}

static void memory_sim_give(void *p) {}

const struct memory_ops memory_sim = { memory_sim_take, memory_sim_give };
