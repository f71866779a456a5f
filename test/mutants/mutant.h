/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant: mistakes planted on purpose, to prove that the simulators would see them. Each is a patch
 * in this folder (patches.py); a *_mutants program is linked from copies of the product's files in
 * which all of them stand, and `--mutant NAME` turns one on. Test code only. */
#ifndef TANDEM_MUTANT_H
#define TANDEM_MUTANT_H

#include <stdbool.h>

/* Turns one on for the rest of the process. False, and why is printed: there is none of that name,
 * or this program has none at all. */
bool mutant_set(const char *name);

#endif
