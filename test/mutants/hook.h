/* SPDX-License-Identifier: BSD-3-Clause */
/* hook: the switches, for the copies in which the patches stand (cc -include). Test code only. */
#ifndef TANDEM_MUTANT_HOOK_H
#define TANDEM_MUTANT_HOOK_H

#include "mutant_names.h"

#define MUTANT_ENUM(name) MUTANT_##name,
enum mutant { MUTANT_none, MUTANTS(MUTANT_ENUM) MUTANT_count };

/* The one that is on. Set before a simulation begins (mutant_set), and read by all of its code. */
extern enum mutant mutant_on;

#define MUTANT(name) (mutant_on == MUTANT_##name)

#endif
