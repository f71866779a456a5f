/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores/memory.h"

#include "base/memory.h"

static void *memory_table_take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return memory_take("table", size, align < 64 ? 64 : align);
}

static void memory_table_give(void *ctx, void *p)
{
	(void)ctx;
	memory_give(p);
}

const struct session_mem memory_rte = { memory_table_take, memory_table_give, NULL };
