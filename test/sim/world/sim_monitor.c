/* SPDX-License-Identifier: BSD-3-Clause */
/* No AAA servers, routers nor local monitors: the simulation has nobody who answers a probe or
 * reports a peer, and its chassis have none configured. */
#include "monitors_priv.h"

int aaa_open(struct monitors *m, usec_t now)
{
	return 0;
}

void aaa_close(struct monitors *m) {}
void aaa_probe(struct monitors *m, bool on, usec_t now) {}
void aaa_turn(struct monitors *m, usec_t now) {}

int routers_open(struct monitors *m, usec_t now)
{
	return 0;
}

void routers_close(struct monitors *m) {}
void routers_turn(struct monitors *m, usec_t now) {}

int local_open(struct monitors *m, usec_t now)
{
	return 0;
}

void local_close(struct monitors *m) {}
void local_turn(struct monitors *m, usec_t now) {}
