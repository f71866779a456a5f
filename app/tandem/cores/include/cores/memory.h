/* SPDX-License-Identifier: BSD-3-Clause */
/* memory: the daemon's allocator for tables: that of base/memory.h. Boot and shutdown only. */
#ifndef TANDEM_MEMORY_H
#define TANDEM_MEMORY_H

#include "session/session.h"

extern const struct session_mem memory_rte;

#endif
