/* SPDX-License-Identifier: BSD-3-Clause */
/* places: which item of the configuration's lists of APNs and pools a number stands for, and the
 * number of each item. Slots and wire carry numbers, which never move (lib/numbers); arrays have
 * places, which each chassis counts by its own configuration. w: control, byte by byte, behind what
 * it puts at a place (release); r: any core, without a lock (acquire): a number that is in use
 * never changes its place. */
#ifndef TANDEM_COMMON_PLACES_H
#define TANDEM_COMMON_PLACES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum places_kind { PLACES_APN, PLACES_POOL, PLACES_KINDS };

enum {
	PLACES_NUMBERS = 256,     /* 1..254 are given; 0 is none, 255 a static address' pool */
	PLACES_MOST = 64,         /* items of a list */
	PLACES_NONE = PLACES_MOST /* of a number that no item has: one beyond the last place */
};

struct places {
	_Atomic uint8_t at[PLACES_KINDS][PLACES_NUMBERS];
	_Atomic uint8_t number[PLACES_KINDS][PLACES_MOST]; /* 0: it has none yet */
};

/* No number stands for anything. Before other cores read. */
static inline void places_init(struct places *p)
{
	for (unsigned int k = 0; k < PLACES_KINDS; k++) {
		for (unsigned int i = 0; i < PLACES_NUMBERS; i++)
			atomic_init(&p->at[k][i], (uint8_t)PLACES_NONE);
		for (unsigned int i = 0; i < PLACES_MOST; i++)
			atomic_init(&p->number[k][i], (uint8_t)0);
	}
}

/* The place of a number, PLACES_NONE: there is none. NULL: of whoever counts places itself, whose
 * numbers are places. */
static inline unsigned int places_of(const struct places *p, enum places_kind kind, uint8_t number)
{
	return p != NULL ? atomic_load_explicit(&p->at[kind][number], memory_order_acquire)
			 : number;
}

/* The number of a place below PLACES_MOST, 0: it has none yet. NULL: as places_of(). */
static inline uint8_t places_number(
	const struct places *p, enum places_kind kind, unsigned int index)
{
	return p != NULL ? atomic_load_explicit(&p->number[kind][index], memory_order_acquire)
			 : (uint8_t)index;
}

#endif
