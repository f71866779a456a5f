/* SPDX-License-Identifier: BSD-3-Clause */
/* settings: what the room `signalling` is given of the configuration by the process: copied when it
 * is created, and a part again at each reload. Control core. */
#ifndef TANDEM_SIGNALLING_SETTINGS_H
#define TANDEM_SIGNALLING_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/usec.h"
#include "config/placed.h"

/* Of the configuration, what a restart alone changes. */
struct signalling_start {
	struct ip_addr gtp; /* the VIP of GTP */
	usec_t echo_us;     /* between Echo Requests to each SGSN; 0: none are sent */
	uint32_t max_sessions;
	/* The APNs at their places, which come and go with a reload: whoever drains is given to
	 * nobody anew. Their values are those of signalling_live. */
	const struct config_placed *placed;
};

/* Of an APN, what subscribers are answered and whether they are. */
struct signalling_apn {
	struct ip_addr dns[2];
	unsigned int n_dns;
	bool verified_only;
};

/* What a reload changes, too. */
struct signalling_live {
	bool direct;              /* services.gtp-direct */
	usec_t commit_timeout_us; /* longest time that an answer waits for the standby */
	struct signalling_apn apn[CONFIG_APNS]; /* by place in signalling_start.placed */
};

#endif
