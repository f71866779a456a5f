/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/memory.h"

#include <rte_malloc.h>

static void *memory_eal_take(const char *name, size_t size, size_t align)
{
	return rte_zmalloc(name, size, (unsigned int)align);
}

static void memory_eal_give(void *p)
{
	rte_free(p);
}

const struct memory_ops memory_eal = { memory_eal_take, memory_eal_give };

const struct memory_ops *memory_ops = &memory_eal;
