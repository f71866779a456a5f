/* SPDX-License-Identifier: BSD-3-Clause */
/* stream: the finished packets that a worker gives the replication core: one FIFO each way, and
 * what a packet says of itself beside its bytes. Filled by the worker, read by the replication
 * core; the mbuf belongs to whoever took it last. Nothing here is a call. */
#ifndef TANDEM_CORES_STREAM_H
#define TANDEM_CORES_STREAM_H

#include <stdint.h>

#include "repl/repl.h"

/* Packets that a FIFO holds. */
enum { STREAM_FIFO = 256 };

/* In the private area of a stream mbuf: what the packet holds, for acknowledgement and loss. */
struct stream_meta {
	uint16_t n;
	uint8_t owner;
	uint8_t version; /* of the stream that it was made for */
	repl_entry_t entry[REPL_ENTRIES];
};

#endif
