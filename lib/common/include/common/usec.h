/* SPDX-License-Identifier: BSD-3-Clause */
/* usec: the one unit in which libraries are given time. They never read a clock: the caller passes
 * `now`. Any core. */
#ifndef TANDEM_COMMON_USEC_H
#define TANDEM_COMMON_USEC_H

#include <stdint.h>

/* Microseconds of the chassis' own monotonic clock (or of a simulator). 0 is a valid time. */
typedef uint64_t usec_t;

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_NEVER    UINT64_MAX

#endif
