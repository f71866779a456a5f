/* SPDX-License-Identifier: BSD-3-Clause */
/* heard: whose GTP control hears: a datagram counts when the access port that it truly came in by
 * is one at which a configured peer with its source is heard. Workers have looked at what they saw
 * in one piece; here passes what the kernel put together, and all that did not come by a worker.
 * Control core only. */
#ifndef TANDEM_SIGNALLING_HEARD_H
#define TANDEM_SIGNALLING_HEARD_H

#include "signalling/signalling.h"

struct heard {
	const struct signalling_env *env;
	struct signalling_peer_counters count;
	struct signalling_peer_count *of; /* [PEER_NUMBERS_LAST + 1], by the entry's number */
};

/* 0 or -ENOMEM. heard_close() frees what there is. */
int heard_open(struct heard *h, const struct signalling_env *env);
void heard_close(struct heard *h);
/* The access port whose twin is that interface of the kernel, NULL: there is none, and that is
 * counted. */
const struct signalling_port *heard_port(struct heard *h, unsigned int ifindex);
/* Whether GTP-C, or GTP-U, from that address is heard at the port. NULL: it is no access port, and
 * nothing is heard there. Counted, by peer where there is one. */
bool heard_control(struct heard *h, const struct signalling_port *port, const struct ip_addr *from);
bool heard_user(struct heard *h, const struct signalling_port *port, const struct ip_addr *from);

#endif
