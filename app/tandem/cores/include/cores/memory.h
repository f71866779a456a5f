/* SPDX-License-Identifier: BSD-3-Clause */
/* memory: the daemon's allocator for tables: EAL memory (hugepages where there are any). Boot and
 * shutdown only. */
#ifndef TANDEM_MEMORY_H
#define TANDEM_MEMORY_H

#include "session/session.h"

extern const struct session_mem memory_rte;

#endif
