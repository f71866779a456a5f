/* SPDX-License-Identifier: BSD-3-Clause */
/* view: what the room has counted and how it stands, as signalling_view() copies it for views and
 * the registry of figures. The control core alone has such copies; nothing here is a call. */
#ifndef TANDEM_SIGNALLING_VIEW_H
#define TANDEM_SIGNALLING_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counters.h"
#include "gtp/gtpc.h"
#include "pdp/pdp.h"

// clang-format off
#define SIGNALLING_DIRECT_COUNTERS(X) \
	X(rx_direct, COUNTER, "messages", \
		"GTP-C messages were taken from packets of access ports, past the kernel.") \
	X(rx_damaged, COUNTER, "packets", \
		"Packets on access ports that should hold GTP-C for this chassis were damaged.") \
	X(tx_direct, COUNTER, "messages", \
		"GTP-C messages were sent by access ports, past the kernel.")
#define SIGNALLING_GTPU_COUNTERS(X) \
	X(gtpu_echo_requests, COUNTER, "messages", \
		"Echo Requests of GTP-U were received and answered.") \
	X(error_indications_sent, COUNTER, "messages", \
		"Error Indications were sent for packets whose TEID no session has.") \
	X(error_indications_suppressed, COUNTER, "messages", \
		"Error Indications were left out because this chassis began to serve a moment " \
		"ago.") \
	X(error_indications_limited, COUNTER, "messages", \
		"Error Indications were left out because their SGSN or the TEID had its share.") \
	X(error_indications_received, COUNTER, "messages", \
		"Error Indications of SGSNs were received.") \
	X(gtpu_reassembled, COUNTER, "packets", \
		"User packets that came in fragments were put together and given to their " \
		"worker.") \
	X(gtpu_slow_dropped, COUNTER, "packets", \
		"GTP-U packets at the control core were dropped: malformed, or of a type that " \
		"is not served.")
#define SIGNALLING_PEER_COUNTERS(X) \
	X(gtpc_no_peer, COUNTER, "messages", \
		"GTP-C messages were dropped by control because no configured peer has their " \
		"source.") \
	X(gtpc_wrong_port, COUNTER, "messages", \
		"GTP-C messages were dropped because their peer is not heard at the port that " \
		"they came in by.") \
	X(gtpu_no_peer, COUNTER, "packets", \
		"GTP-U packets were dropped by control because no configured peer of their port " \
		"has the source.") \
	X(gtp_no_access_port, COUNTER, "messages", \
		"GTP messages were dropped because they came in by an interface that is no " \
		"access port.")
// clang-format on
COUNTERS_DEFINE(signalling_direct_counters, SIGNALLING_DIRECT_COUNTERS);
COUNTERS_DEFINE(signalling_gtpu_counters, SIGNALLING_GTPU_COUNTERS);
COUNTERS_DEFINE(signalling_peer_counters, SIGNALLING_PEER_COUNTERS);

/* Of one entry of gtp-peers, since it has its number. */
struct signalling_peer_count {
	uint64_t messages;   /* of GTP-C, that were heard */
	uint64_t wrong_port; /* of GTP-C, that came by a port at which it is not heard */
};

struct signalling_view {
	struct gtpc_counters gtpc;
	struct pdp_gate_counters gate;
	struct signalling_direct_counters direct; /* GTP-C past the kernel */
	struct signalling_gtpu_counters gtpu;
	struct signalling_peer_counters peers;
	bool answering;         /* this chassis answers SGSNs now */
	bool answers_protected; /* answers wait for the standby's acknowledgement */
	unsigned int requests_in_progress;
	struct pdp_row_counters rows; /* of requests that wait here for their answer, too */
	struct gtpc_answered_counters answered;
	uint64_t frames_dropped; /* reassembled user packets that found no room */
};

#endif
