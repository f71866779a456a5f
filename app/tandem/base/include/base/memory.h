/* SPDX-License-Identifier: BSD-3-Clause */
/* memory: where the rooms' objects and tables come from: the EAL (hugepages where there are any).
 * It may wait for a lock of the EAL: the control core calls it only while rooms are made and ended,
 * and what a reload needs is taken and given back by threads. */
#ifndef TANDEM_BASE_MEMORY_H
#define TANDEM_BASE_MEMORY_H

#include <stddef.h>

struct memory_ops {
	/* Zeroed, or NULL: there is none. align: a power of two; 0: as for any type. */
	void *(*take)(const char *name, size_t size, size_t align);
	void (*give)(void *p); /* NULL is allowed */
};

extern const struct memory_ops memory_eal;

/* This is memory_eal, unless the process chooses others before anything is taken. */
extern const struct memory_ops *memory_ops;

static inline void *memory_take(const char *name, size_t size, size_t align)
{
	return memory_ops->take(name, size, align);
}

static inline void memory_give(void *p)
{
	memory_ops->give(p);
}

/* Another process will map the EAL's memory (a vhost-user backend, memif without copies), so it
 * stays a file where there are no hugepages. Before the EAL starts. */
void memory_share(void);
/* Asks for huge pages for the EAL's memory where it has no hugepages, once the EAL has started and
 * before anything is taken from it. Where the kernel has none nothing changes. */
void memory_huge_pages(void);

#endif
