/* SPDX-License-Identifier: BSD-3-Clause */
/* No AAA servers: the simulation has nobody who answers a probe, and its chassis have none configured. */
#include "control_monitor.h"

int aaa_open(struct control *c, usec_t now)
{
	return 0;
}

void aaa_close(struct control *c) {}
void aaa_probe(struct control *c, bool on, usec_t now) {}
void aaa_turn(struct control *c, usec_t now) {}
