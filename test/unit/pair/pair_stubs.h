/* SPDX-License-Identifier: BSD-3-Clause */
/* pair_stubs: the rooms below `pair` as far as it calls them, for chassis that never reach a role
 * by themselves: nobody answers, no stream is heard, nothing is written, and a VIP is there when
 * the test says so. */
#ifndef TANDEM_TEST_PAIR_STUBS_H
#define TANDEM_TEST_PAIR_STUBS_H

#include "pair/settings.h"

extern const struct pair_ops pair_stubs_ops;

extern struct pair_stubs {
	bool confirmed;         /* by the kernel: all VIPs */
	unsigned int announced; /* how often the VIPs were announced */
	unsigned int probes;    /* how often it was asked who has the VIPs */
	bool listens;           /* for answers to that */
	uint64_t reserve;       /* of terms, that is to be written to disk; 0: none is */
} pair_stubs;

#endif
