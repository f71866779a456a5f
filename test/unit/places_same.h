/* SPDX-License-Identifier: BSD-3-Clause */
/* places_same: each number is its place, for tests whose chassis nobody numbers. Before other cores
 * read. */
#ifndef TANDEM_PLACES_SAME_H
#define TANDEM_PLACES_SAME_H

#include "common/places.h"

static inline void places_same(struct places *p)
{
	for (unsigned int k = 0; k < PLACES_KINDS; k++)
		for (unsigned int i = 0; i < PLACES_MOST; i++) {
			atomic_store(&p->at[k][i], (uint8_t)i);
			atomic_store(&p->number[k][i], (uint8_t)i);
		}
}

#endif
