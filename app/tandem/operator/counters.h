/* SPDX-License-Identifier: BSD-3-Clause */
/* counters: registers the counters and gauges of every room, and puts groups of them into views. */
#ifndef TANDEM_OPERATOR_COUNTERS_H
#define TANDEM_OPERATOR_COUNTERS_H

#include <jansson.h>

#include "base/metrics.h"

struct control;

/* Fills c->metrics, once all rooms are there. 0 or -errno. counters_close() in either case. */
int counters_open(struct control *c);
void counters_close(struct control *c);
/* Adds the figures of the groups that room and group select (base/metrics.h) to an object, by their
 * names; those of several instances ("fastpath/0", "fastpath/1") are summed up. */
void counters_show(struct control *c, json_t *to, const char *room, const char *group);

#endif
