/* SPDX-License-Identifier: BSD-3-Clause */
/* random: what is random of a chassis, and new at each start. Whoever makes the chassis chooses it
 * before its cores are made, and it is constant from then on: the daemon asks the kernel for it
 * (start.c), a simulator takes it from its seed. Any core. */
#ifndef TANDEM_PROCESS_RANDOM_H
#define TANDEM_PROCESS_RANDOM_H

#include <stdint.h>

#include "common/siphash.h"

struct tandem_random {
	uint32_t incarnation; /* not 0; the peer learns it */
	/* Nobody learns these: of hashes whose keys strangers choose, and of the order in which
	 * TEIDs are given out. */
	struct siphash_secret secret, generations;
};

#endif
