/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "hook.h"
#include "mutant.h"

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
	fprintf(stderr, "there is no mutant %s: each is a patch in test/mutants\n", name);
	return false;
}
