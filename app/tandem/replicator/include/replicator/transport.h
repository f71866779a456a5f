/* SPDX-License-Identifier: BSD-3-Clause */
/* transport: what carries packets of the stream to the peer and back. The replication core numbers,
 * seals, acknowledges and opens packets; a transport knows addresses and devices, and nothing of
 * what is in a packet. `process` makes one (ethernet.h is all that there is) and gives it to the
 * replication core, which knows of it what stands here and no more. Nothing here blocks but
 * `destroy`, which may wait for a lock of the EAL. */
#ifndef TANDEM_REPLICATOR_TRANSPORT_H
#define TANDEM_REPLICATOR_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "replicator/counters.h"

struct rte_mbuf;
struct transport;

enum { TRANSPORT_BURST = 32 };

/* A packet of the stream that arrived: `len` bytes in the first segment of m, from `at` on. */
struct arrived {
	struct rte_mbuf *m;
	uint16_t at, len;
};

/* Each is called once a burst, never once a packet. */
struct transport_ops {
	/* The replication core calls it. It takes at most TRANSPORT_BURST units (frames, datagrams)
	 * off the device and writes those that are packets of the peer to a[], in the order in
	 * which they came; it returns how many these are. Their buffers belong to the caller from
	 * then on. What is no packet of the peer is not the caller's: it has been counted and
	 * freed, or handed to whom it belongs. *brought says how many units were taken off the
	 * device in all: above 0, the turn was a busy one; at TRANSPORT_BURST, the device may have
	 * more. */
	unsigned int (*rx)(struct transport *t, struct arrived *a, unsigned int *brought);
	/* The replication core calls it. It sends the n packets of m, 1 to TRANSPORT_BURST, in this
	 * order. Each has one segment of at most t->mtu bytes, with room for t->around bytes in
	 * front. The buffers belong to the transport from then on. A packet that cannot be sent is
	 * counted and freed: it is as if it were lost on the way. */
	void (*tx)(struct transport *t, struct rte_mbuf **m, unsigned int n);
	/* The replication core calls it before it seals a burst: whether the peer can be reached.
	 * While it returns false nothing is sealed and nothing is sent. */
	bool (*link)(const struct transport *t);
	/* The control core calls it, also while the replication core runs: the peer's address is
	 * behind this adjacency of the fib from now on (FIB_NONE: behind none). NULL: the device
	 * finds the way itself. */
	void (*peer)(struct transport *t, uint16_t adjacency);
	/* The control core calls it when no core uses the transport any more: all that it has is
	 * given back, and t is gone. */
	void (*destroy)(struct transport *t);
};

/* A transport has a struct of its own that begins with this one. The numbers are set before
 * the cores run, and they do not change. */
struct transport {
	const struct transport_ops *ops;
	/* Bytes of a packet at most, its tag included: REPL_ROOM_LEAST to REPL_PACKET_MAX. The
	 * workers fill packets up to here. */
	uint16_t mtu;
	uint16_t around; /* bytes that are put around a packet, which count against the rate */
	/* The transport counts here what concerns it; figures that do not concern it stay 0. Any
	 * core may read them (counter_get). */
	struct replicator_port_counters count;
};

#endif
