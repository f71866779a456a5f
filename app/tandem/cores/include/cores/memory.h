/* SPDX-License-Identifier: BSD-3-Clause */
/* memory: the daemon's allocator for tables: that of base/memory.h. The control core uses it, at
 * boot and shutdown alone: it may wait for a lock of the EAL. */
#ifndef TANDEM_MEMORY_H
#define TANDEM_MEMORY_H

#include "session/session.h"

extern const struct session_mem memory_rte;

#endif
