/* SPDX-License-Identifier: BSD-3-Clause */
/* ether: the same address as DPDK's type, for those who read and write frames. No header includes
 * this one but those of the fast path, for the reason that common/mac.h gives. Any core. */
#ifndef TANDEM_COMMON_ETHER_H
#define TANDEM_COMMON_ETHER_H

#include <rte_ether.h>

#include "common/mac.h"

_Static_assert(sizeof(struct mac_addr) == sizeof(struct rte_ether_addr) &&
		       _Alignof(struct mac_addr) == _Alignof(struct rte_ether_addr),
	"each may be read as the other");

static inline const struct rte_ether_addr *ether_of(const struct mac_addr *a)
{
	return (const struct rte_ether_addr *)a;
}

static inline const struct mac_addr *mac_of(const struct rte_ether_addr *a)
{
	return (const struct mac_addr *)a;
}

#endif
