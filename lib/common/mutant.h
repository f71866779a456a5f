/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant: mistakes planted on purpose, to prove that the simulators would see them. `if (MUTANT(name))` is false for
 * the compiler in what is shipped; a test build (-DTANDEM_MUTANTS) turns one of them on by name (`sim --mutant NAME`).
 * Any core. A mutant's line in the list says what the mistake is; test/sim/mutants.py says which invariant sees it. */
#ifndef TANDEM_COMMON_MUTANT_H
#define TANDEM_COMMON_MUTANT_H

#include <stdbool.h>

// clang-format off
#define MUTANTS(X) \
	X(ack_on_receive) /* a packet that waits behind a gap is acknowledged */
// clang-format on

#define MUTANT_ENUM(name) MUTANT_##name,
enum mutant { MUTANT_none, MUTANTS(MUTANT_ENUM) MUTANT_count };

#ifdef TANDEM_MUTANTS
extern enum mutant mutant_on;
/* Turns one on for the rest of the process; false: there is none of that name. */
bool mutant_set(const char *name);
#define MUTANT(name) (mutant_on == MUTANT_##name)
#else
static inline bool mutant_set(const char *name)
{
	return false;
}
#define MUTANT(name) (MUTANT_##name == MUTANT_none)
#endif

#endif
