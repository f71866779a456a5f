/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_malloc.h>

#include "base/memory.h"

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return rte_zmalloc("table", size, (unsigned int)(align < 64 ? 64 : align));
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	rte_free(p);
}

const struct session_mem memory_rte = { take, give, NULL };
