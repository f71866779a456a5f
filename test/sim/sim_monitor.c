/* SPDX-License-Identifier: BSD-3-Clause */
/* No AAA servers, routers nor local monitors: the simulation has nobody who answers a probe or
 * reports a peer, and its chassis have none configured. */
#include "monitors.h"

int aaa_open(struct control *c, usec_t now)
{
	return 0;
}

void aaa_close(struct control *c) {}
void aaa_probe(struct control *c, bool on, usec_t now) {}
void aaa_turn(struct control *c, usec_t now) {}

int routers_open(struct control *c, usec_t now)
{
	return 0;
}

void routers_close(struct control *c) {}
void routers_turn(struct control *c, usec_t now) {}

int local_open(struct control *c, usec_t now)
{
	return 0;
}

void local_close(struct control *c) {}
void local_turn(struct control *c, usec_t now) {}
