/* SPDX-License-Identifier: BSD-3-Clause */
/* What the monitors say becomes what lib/srp judges, and back: the one table of monitors' types and
 * srp's causes. Control core only. */
#ifndef TANDEM_PAIR_HEALTH_H
#define TANDEM_PAIR_HEALTH_H

#include "monitor/monitor.h"
#include "srp/srp.h"

struct control;

/* The monitors' callback; ctx: struct control. */
void health_verdict(void *ctx, const struct monitor_verdict *v, usec_t now);
/* At each change of srp's state. */
void health_role(struct control *c, const struct srp_action *a, usec_t now);
/* What the peer says of itself. */
struct monitor_health health_of_peer(const struct srp *s);

#endif
