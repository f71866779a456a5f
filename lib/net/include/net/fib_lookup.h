/* SPDX-License-Identifier: BSD-3-Clause */
/* fib_lookup: the look-up of a next hop in the fib, inlined, for each packet. It stands by itself
 * as rte_lpm.h is dear (common/mac.h says why). Workers, and the control core for frames of its
 * own. */
#ifndef TANDEM_NET_FIB_LOOKUP_H
#define TANDEM_NET_FIB_LOOKUP_H

#include <rte_lpm.h>

#include "net/fib.h"

/* For packets: dst4 in host order, in an instance that is known to be there (INSTANCE_MAIN always
 * is). Adjacency index; or FIB_GLEAN | port; or FIB_NONE: no route. */
static inline uint32_t fib_lookup4(const struct fib *f, uint16_t instance, uint32_t dst4)
{
	uint32_t nh;

	return rte_lpm_lookup(f->lpm[instance], dst4, &nh) == 0 ? nh : FIB_NONE;
}

/* The same for any address in any instance: where there is no table, there is no route. */
static inline uint32_t fib_lookup(const struct fib *f, uint16_t instance, const struct ip_addr *dst)
{
	if (!fib_has(f, instance, dst))
		return FIB_NONE;
	return fib_lookup4(f, instance, ip_addr_to_v4(dst));
}

#endif
