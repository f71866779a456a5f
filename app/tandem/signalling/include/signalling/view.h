/* SPDX-License-Identifier: BSD-3-Clause */
/* view: what the room has counted and how it stands, as signalling_view() copies it for views and
 * the registry of figures. The control core alone has such copies; nothing here is a call. */
#ifndef TANDEM_SIGNALLING_VIEW_H
#define TANDEM_SIGNALLING_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counters.h"
#include "gtp/gtpc.h"

/* protection_began: the standby acknowledged again, after answers went out without it. */
// clang-format off
#define COMMIT_GATE_COUNTERS(X) \
	X(commits) X(protected_answers) X(unprotected_answers) X(protection_ended_timeout) \
	X(protection_ended_stream) X(protection_began)
#define SIGNALLING_DIRECT_COUNTERS(X) X(rx_direct) X(rx_damaged) X(tx_direct)
#define SIGNALLING_GTPU_COUNTERS(X) \
	X(gtpu_echo_requests) X(error_indications_sent) X(error_indications_suppressed) \
	X(error_indications_received) X(gtpu_reassembled) X(gtpu_slow_dropped)
// clang-format on
COUNTERS_DEFINE(commit_gate_counters, COMMIT_GATE_COUNTERS);
COUNTERS_DEFINE(signalling_direct_counters, SIGNALLING_DIRECT_COUNTERS);
COUNTERS_DEFINE(signalling_gtpu_counters, SIGNALLING_GTPU_COUNTERS);

struct signalling_view {
	struct gtpc_counters gtpc;
	struct commit_gate_counters gate;
	struct signalling_direct_counters direct; /* GTP-C past the kernel */
	struct signalling_gtpu_counters gtpu;
	bool answering;         /* this chassis answers SGSNs now */
	bool answers_protected; /* answers wait for the standby's acknowledgement */
	unsigned int requests_in_progress;
	uint64_t requests_refused; /* for too many were in progress */
	uint64_t frames_dropped;   /* reassembled user packets that found no room */
};

#endif
