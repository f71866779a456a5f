/* SPDX-License-Identifier: BSD-3-Clause */
/* counters: what the replication core counts beside lib/repl, of itself and of its port. */
#ifndef TANDEM_REPLICATOR_COUNTERS_H
#define TANDEM_REPLICATOR_COUNTERS_H

#include "common/counters.h"

// clang-format off
#define REPLICATOR_COUNTERS(X) \
	X(tx_unresolved, COUNTER, "packets", \
		"Packets to the peer were dropped because its link-layer address is not known.") \
	X(tx_unsealed, COUNTER, "packets", \
		"Packets to the peer were dropped because they could not be sealed.") \
	X(tx_no_mbuf, COUNTER, "attempts", \
		"No packet of our own could be made for the peer because no packet buffer was " \
		"free.") \
	X(msg_no_room, COUNTER, "messages", \
		"Messages to workers or to the control core were lost because there was no room " \
		"or no memory.") \
	X(msg_unknown, COUNTER, "messages", \
		"Messages of the control core were ignored because their type is not known.") \
	X(streams_restarted, COUNTER, "streams", \
		"Streams were begun anew because a worker did not learn which records were " \
		"lost.") \
	X(streams, COUNTER, "streams", \
		"Streams to a standby were begun.") \
	X(discarded, COUNTER, "packets", \
		"Packets of workers were discarded because their stream was over or had no room " \
		"for them.") \
	X(discarded_records, COUNTER, "records", \
		"Records were in packets of workers that were discarded; they are sent again.") \
	X(late_deltas, COUNTER, "records", \
		"Records of the peer's late usage came in and were passed on to workers.")
// clang-format on
COUNTERS_DEFINE(replicator_counters, REPLICATOR_COUNTERS);

/* Of the replication port. */
// clang-format off
#define REPLICATOR_PORT_COUNTERS(X) \
	X(rx_frames, COUNTER, "frames", \
		"Frames were received on the replication port.") \
	X(punted, COUNTER, "frames", \
		"Frames of the replication port were given to the control core, for the kernel.") \
	X(punt_full, COUNTER, "frames", \
		"Frames of the replication port for the kernel were dropped because the queue " \
		"was full.") \
	X(drop_checksum, COUNTER, "packets", \
		"Packets of the stream were dropped because a length or a checksum in them is " \
		"wrong.") \
	X(drop_not_peer, COUNTER, "packets", \
		"Packets of the stream were dropped because their source is not the peer's " \
		"address.") \
	X(tx_frames, COUNTER, "frames", \
		"Frames of the stream were sent by the replication port.") \
	X(tx_failed, COUNTER, "frames", \
		"Frames of the stream were lost because the replication port did not take them.")
// clang-format on
COUNTERS_DEFINE(replicator_port_counters, REPLICATOR_PORT_COUNTERS);

#endif
