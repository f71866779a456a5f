/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/mutant.h"

#ifdef TANDEM_MUTANTS
#define MUTANT_NAME(name) #name,
static const char *const names[] = { "none", MUTANTS(MUTANT_NAME) };

enum mutant mutant_on = MUTANT_none;

bool mutant_set(const char *name)
{
	for (unsigned int i = 1; i < MUTANT_count; i++)
		if (strcmp(names[i], name) == 0) {
			mutant_on = (enum mutant)i;
			return true;
		}
	return false;
}
#endif
