/* SPDX-License-Identifier: BSD-3-Clause */
/* pair_stubs: the rooms below `pair` as far as it calls them, for chassis that never reach a role
 * by themselves: nobody answers, no stream is heard, and a VIP is there when the test says so. */
#ifndef TANDEM_TEST_PAIR_STUBS_H
#define TANDEM_TEST_PAIR_STUBS_H

#include "pair/settings.h"

extern const struct pair_ops pair_stubs_ops;

extern struct pair_stubs {
	bool confirmed;         /* by the kernel: all VIPs */
	unsigned int announced; /* how often the VIPs were announced */
} pair_stubs;

#endif
