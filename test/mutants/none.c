/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "mutant.h"

/* For the programs that are linked from the product's files as they are. */
bool mutant_set(const char *name)
{
	fprintf(stderr,
		"--mutant %s: no mistake is planted in this program, but in the one whose name "
		"ends in _mutants\n",
		name);
	return false;
}
