/* SPDX-License-Identifier: BSD-3-Clause */
/* rates: what grew between two answers to the same question, per second. */
#ifndef TANDEMCTL_RATES_H
#define TANDEMCTL_RATES_H

#include <jansson.h>

/* A copy of `now` (to be released), in which each counter that is greater than it was `before` has
 * its growth per second beside it: "rx_packets": 90, "rx_packets_per_s": 45. counters: its keys
 * name the counters, as the daemon said. One that counts time has no rate, nor has one that became
 * less: its owner started anew. NULL: there is no memory. */
json_t *rates_add(json_t *now, json_t *before, json_t *counters, double seconds);

#endif
