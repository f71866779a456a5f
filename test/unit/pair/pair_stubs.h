/* SPDX-License-Identifier: BSD-3-Clause */
/* pair_stubs: the rooms below `pair` as far as it calls them, for chassis that never reach a role:
 * no VIP is there, nobody answers, and no stream is heard. */
#ifndef TANDEM_TEST_PAIR_STUBS_H
#define TANDEM_TEST_PAIR_STUBS_H

#include "pair/settings.h"

extern const struct pair_ops pair_stubs_ops;

#endif
