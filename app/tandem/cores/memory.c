/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_malloc.h>

#include "cores/memory.h"

static void *memory_take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return rte_zmalloc("table", size, (unsigned int)(align < 64 ? 64 : align));
}

static void memory_give(void *ctx, void *p)
{
	(void)ctx;
	rte_free(p);
}

const struct session_mem memory_rte = { memory_take, memory_give, NULL };
