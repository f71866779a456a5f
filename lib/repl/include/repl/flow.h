/* SPDX-License-Identifier: BSD-3-Clause */
/* flow: how fast the replication port sends, and what may be encoded for it (lib/repl/README.md
 * section 2): one token bucket over all that is sent, and for each worker how far its FIFO may fill
 * before deltas, and before bulk (answers to WANT, digests), have to wait as dirty slots. Commits
 * may use all of it. Pure; owned by the replication core, but for flow_limits, which any worker
 * reads. */
#ifndef TANDEM_FLOW_H
#define TANDEM_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/usec.h"

enum {
	FLOW_DELTA_US = 4000, /* what may wait in the FIFOs at the configured rate */
	FLOW_BULK_US = 1000,
	FLOW_QUEUE_US =
		/* how much longer than the quickest a round trip may take while bulk is sent, */
	2000,
	FLOW_DELTA_QUEUE_US = 10000, /* and while deltas are */
	FLOW_DEPTH_US = 1000,        /* depth of the bucket */
	FLOW_FEW = 8,                /* packets in flight that never hold anything back */
};

/* Packets that may be in a worker's FIFO before one more of deltas, or of bulk, is begun. 0:
 * none. */
struct flow_limits {
	_Atomic uint32_t delta, bulk;
};

/* Nothing is held back: for who has no flow. */
extern const struct flow_limits flow_unlimited;

struct flow {
	uint64_t rate;         /* bytes a second; 0: no limit */
	int64_t tokens, depth; /* millionths of a byte */
	usec_t at;
	unsigned int frame;
	uint32_t delta, bulk; /* of a worker's FIFO, while nothing else holds back */
};

/* mbits: Mbit/s of Ethernet frames (without preamble and FCS); 0: no limit. frame: bytes of a full
 * one. fifo: packets that each of the workers' FIFOs holds. */
void flow_init(struct flow *f, uint32_t mbits, unsigned int frame, unsigned int workers,
	unsigned int fifo, usec_t now);
/* Each turn: time passes. */
void flow_tick(struct flow *f, usec_t now);
/* How many packets with state may be sent now. What has no state (heartbeats, ACKs, the kernel's)
 * is sent at once. */
unsigned int flow_packets(const struct flow *f);
/* A frame went out. What did not wait is paid by what may. */
void flow_sent(struct flow *f, unsigned int bytes);

/* How the stream stands: repl_room, repl_window, repl_unacked; ages in us, 0 if there is none. */
struct flow_path {
	unsigned int room, window, unacked;
	usec_t oldest_age, min_rtt;
};

/* Computes what the workers may encode. A window that is nearly full is kept for commits; a round
 * trip that grows means that a queue grows somewhere (a slow link, a slow standby), and commits
 * would stand in it: bulk waits until it is gone, and deltas too when it is long. */
void flow_limit(const struct flow *f, const struct flow_path *p, struct flow_limits *l);

#endif
