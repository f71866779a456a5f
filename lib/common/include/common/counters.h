/* SPDX-License-Identifier: BSD-3-Clause */
/* counters: a figure is named once, in a list `#define FOO_COUNTERS(X) X(name, kind, unit, help)
 * ...`; struct, sum and every view follow from the list. kind: COUNTER, it only ever grows while
 * the process lives, or GAUGE, a level; unit: what is counted, "packets"; help: one whole sentence
 * for an operator, which stands alone. Figures have one writer; readers use counter_get and may be
 * a burst late. */
#ifndef TANDEM_COMMON_COUNTERS_H
#define TANDEM_COMMON_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#define COUNTER_FIELD(name, kind, unit, help) uint64_t name;
#define COUNTER_NAME(name, kind, unit, help)  #name,
#define COUNTER_ONE(name, kind, unit, help)   +1

/* struct s { name, name, ... } of uint64_t, `s_names[]` of text and `s_n` their number. */
#define COUNTERS_DEFINE(s, LIST)                                                                   \
	struct s {                                                                                 \
		LIST(COUNTER_FIELD)                                                                \
	};                                                                                         \
	enum { s##_n = 0 LIST(COUNTER_ONE) };                                                      \
	static const char *const s##_names[] __attribute__((unused)) = { LIST(COUNTER_NAME) }

/* Reads a counter that another core writes. */
static inline uint64_t counter_get(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

/* Adds the n counters of one struct of counters to another of the same type. */
static inline void counters_add(void *to, const void *from, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		((uint64_t *)to)[i] += counter_get((const uint64_t *)from + i);
}

#endif
