/* SPDX-License-Identifier: BSD-3-Clause */
/* gtpu_slow: the slow path of GTP-U (TS 29.281). What workers leave to the kernel arrives on the
 * VIP's UDP port 2152: Echo, Error Indication, G-PDUs without a session, and G-PDUs that the kernel
 * reassembled from fragments. Control core only. */
#ifndef TANDEM_SIGNALLING_GTPU_SLOW_H
#define TANDEM_SIGNALLING_GTPU_SLOW_H

#include "common/budget.h"
#include "heard.h"
#include "signalling/signalling.h"

struct gtpu_slow {
	const struct signalling_env *env;
	struct heard *heard; /* GTP-C's, too */
	int fd;
	struct signalling_gtpu_counters count;
	uint64_t frames_dropped; /* reassembled packets that found no room */
	/* From when on Error Indications are sent: not right after an unplanned promotion, for an
	 * SGSN gives the context up on one. */
	usec_t error_from;
	/* of Error Indications, whichever way their cause came: by SGSN and TEID */
	struct budget errors;
	uint8_t in[65536]; /* a datagram of any size */
};

/* 0 or -errno. */
int gtpu_slow_open(struct gtpu_slow *u, const struct signalling_env *env, struct heard *heard);
void gtpu_slow_close(struct gtpu_slow *u);
/* Serves what waits in the socket and is a peer's, within bounds. */
void gtpu_slow_receive(struct gtpu_slow *u, usec_t now);

#endif
