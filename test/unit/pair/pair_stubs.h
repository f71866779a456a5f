/* SPDX-License-Identifier: BSD-3-Clause */
/* pair_stubs: the rooms below `pair` as far as it calls them, for chassis that never reach a role
 * by themselves: no stream is heard, and nothing is written. `switchover` is the real one, on its
 * own stubs. */
#ifndef TANDEM_TEST_PAIR_STUBS_H
#define TANDEM_TEST_PAIR_STUBS_H

#include "pair/settings.h"

extern const struct pair_ops pair_stubs_ops;

extern struct pair_stubs {
	unsigned int probes;          /* how often it was asked who has the VIPs */
	bool listens;                 /* for answers to that */
	uint64_t reserve;             /* of terms, that is to be written to disk; 0: none is */
	const char *numbers;          /* the list on disk, NULL: there is none */
	struct config_placed *placed; /* where items of the peer's can be held, NULL: nowhere */
	usec_t life_us;               /* by which the stream judges heartbeats */
} pair_stubs;

#endif
