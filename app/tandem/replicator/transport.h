/* SPDX-License-Identifier: BSD-3-Clause */
/* transport: what carries packets of the stream to the peer and back. The replication core numbers,
 * seals, acknowledges and opens them; a transport knows addresses and devices, and nothing of what
 * is in a packet. Replication core only; nothing blocks. */
#ifndef TANDEM_TRANSPORT_H
#define TANDEM_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/* A packet of the stream that arrived, somewhere in a buffer. */
struct arrived {
	struct rte_mbuf *m;
	uint16_t at, len;
};

struct transport {
	/* The next packets, at most TRANSPORT_BURST, which the caller frees; how many. What else
	 * the device brought is handed on. *more: the device may have more. */
	unsigned int (*rx)(struct transport *t, struct arrived *a, bool *more);
	/* Sends n <= TRANSPORT_BURST packets, one segment each with headroom, and takes them. What
	 * cannot be sent is counted and freed: it is lost as on the way. */
	void (*tx)(struct transport *t, struct rte_mbuf **m, unsigned int n);
	/* Whether the peer can be reached: until then it is not worth while to seal a packet. */
	bool (*link)(const struct transport *t);
	uint16_t mtu;    /* bytes of a packet at most */
	uint16_t around; /* bytes that it puts around a packet, which count against the rate */
	/* Counts all that the device brought: the turn in which it grows is a busy one. */
	const uint64_t *brought;
};

enum { TRANSPORT_BURST = 32 };

#endif
