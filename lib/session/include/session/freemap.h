/* SPDX-License-Identifier: BSD-3-Clause */
/* freemap: next-fit through an rte_bitmap of what may be given out. Owner: the shard's writer. */
#ifndef TANDEM_SESSION_FREEMAP_H
#define TANDEM_SESSION_FREEMAP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_bitmap.h>

/* The next set bit at or after the cursor's place in its group of 64, else of the next group that
 * has one. The bit stays set; the cursor moves behind it. n_bits: of the map. */
static inline bool freemap_next(
	struct rte_bitmap *map, uint32_t n_bits, uint32_t *cursor, uint32_t *pos)
{
	uint64_t group = map->array2[*cursor / 64] & UINT64_MAX << *cursor % 64;

	*pos = *cursor / 64 * 64;
	if (group == 0 && rte_bitmap_scan(map, pos, &group) == 0)
		return false;
	*pos += (uint32_t)__builtin_ctzll(group);
	*cursor = *pos + 1 < n_bits ? *pos + 1 : 0;
	return true;
}

#endif
