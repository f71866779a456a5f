/* SPDX-License-Identifier: BSD-3-Clause */
/* switchover_stubs: the rooms below `switchover` as far as it calls them: a VIP is there when the
 * test says so, and no answer of signalling waits. */
#ifndef TANDEM_TEST_SWITCHOVER_STUBS_H
#define TANDEM_TEST_SWITCHOVER_STUBS_H

#include <stdbool.h>

extern struct switchover_stubs {
	bool confirmed;         /* by the kernel: all VIPs */
	unsigned int announced; /* how often the VIPs were announced */
} switchover_stubs;

#endif
