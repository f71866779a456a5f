/* SPDX-License-Identifier: BSD-3-Clause */
/* ut: the runner of every unit test: tables of suites in, exit status out. Asserts on the main
 * thread only. */
#ifndef TANDEM_UT_H
#define TANDEM_UT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

/* Anything that did not register or start is a failure, not a smaller suite. */
static inline int ut_run(CU_SuiteInfo *suites)
{
	unsigned int failed = 1;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	CU_basic_set_mode(CU_BRM_NORMAL);
	if (CU_register_suites(suites) == CUE_SUCCESS && CU_basic_run_tests() == CUE_SUCCESS)
		failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A seeded generator (xorshift64*), so that every random test can be replayed. */
static inline uint64_t ut_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* TANDEM_SEED of the environment, else `fallback`; printed, so that a failure names it. */
static inline uint64_t ut_seed(uint64_t fallback)
{
	const char *text = getenv("TANDEM_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : fallback;

	printf("seed %llu ", (unsigned long long)seed);
	return seed != 0 ? seed : 1;
}

#endif
