/* SPDX-License-Identifier: BSD-3-Clause */
/* The procedures of lib/pdp under sequences of events that seeds draw: what the fuzzer does with
 * inputs that it mutates, here at once and for planted mistakes. --seeds A..B, --mutant NAME. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "mutant.h"
#include "pdp/pdp_rig.h"
#include "ut.h"

enum { EVENTS = 400 };

static struct rig world;

/* Whether nothing was wrong. */
static bool sim_run_seed(unsigned int seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	uint8_t data[2 * EVENTS];
	bool whole;

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(ut_random(&state) >> 40);
	rig_open(&world, ut_random(&state) >> 63, 1 << 20);
	whole = rig_run(&world, data, sizeof(data));
	if (!whole)
		printf("seed %u: %s\n", seed, world.broken);
	rig_close(&world);
	return whole;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seeds", required_argument, NULL, 's' },
		{ "mutant", required_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	unsigned int first = 1, last = 100;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's' && sscanf(optarg, "%u..%u", &first, &last) == 2)
			continue;
		if (option == 'm' && mutant_set(optarg))
			continue;
		fprintf(stderr, "usage: %s [--seeds A..B] [--mutant NAME]\n", argv[0]);
		return 2;
	}
	for (unsigned int seed = first; seed <= last; seed++)
		if (!sim_run_seed(seed))
			return EXIT_FAILURE;
	printf("seeds %u..%u: nothing is wrong\n", first, last);
	return EXIT_SUCCESS;
}
