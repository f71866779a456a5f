/* SPDX-License-Identifier: BSD-3-Clause */
/* peer_numbers: the numbers by which slots name entries of peers. A name keeps its number for the
 * life of the process, over every reload; that of a removed entry is another's only when no slot
 * has it any more. Local to a chassis. Pure; the control core, or whoever owns the object. */
#ifndef TANDEM_PEER_NUMBERS_H
#define TANDEM_PEER_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/peers.h"

/* KNOWN: names that are known at a time, with those that were removed. Numbers are 1 to LAST. */
enum { PEER_NUMBERS_KNOWN = 4 * PEERS_MOST, PEER_NUMBERS_LAST = 2 * PEER_NUMBERS_KNOWN - 1 };

struct peer_numbers;

/* NULL: no memory. */
struct peer_numbers *peer_numbers_create(void);
void peer_numbers_destroy(struct peer_numbers *n);
/* Gives every entry of the table its number, before anybody else sees the table. used: whether a
 * slot has the number of an entry that was removed; NULL: nobody can say, so that none is given
 * again. 0; -ENOSPC: too many removed ones are in use yet, and nothing was given. */
int peer_numbers_give(struct peer_numbers *n, struct peers *p,
	bool (*used)(void *ctx, uint16_t number), void *ctx);

#endif
