/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath: what a worker does with user packets: G-PDU up and down, policing, counting, dirty
 * marks, hand-over to the owner, punting of all that is the kernel's. Bursts with prefetch; no
 * lock, allocation beyond mbufs, log or system call. One object a worker; only that worker calls
 * it. A burst function consumes all its mbufs. */
#ifndef TANDEM_FASTPATH_H
#define TANDEM_FASTPATH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/items.h"
#include "common/budget.h"
#include "common/counters.h"
#include "cores/role.h"
#include "cores/settings.h"
#include "session/dirty.h"
#include "pool/pool.h"
#include "session/session.h"
#include "worker/shared.h"

struct rte_mbuf;
struct rte_ring;

enum { FASTPATH_BURST = 32, FASTPATH_TX = 64, FASTPATH_HELD = 128, FASTPATH_HEARD = 256 };

/* What the worker may do with user packets. Set by the worker itself when control asks (own, late,
 * release). */
enum fastpath_mode {
	FASTPATH_IDLE, /* not the owner: user packets are dropped and counted, nothing is emitted */
	FASTPATH_OWN,  /* forward, count, mark dirty */
	/* forward, count in the own set under the slot's sequence count; change nothing else */
	FASTPATH_LATE,
};

// clang-format off
#define FASTPATH_COUNTERS(X) \
	X(up_rx_packets, COUNTER, "packets", \
		"User packets came from SGSNs in tunnels and were looked at, whether they were " \
		"forwarded or not.") \
	X(up_rx_bytes, COUNTER, "bytes", \
		"Bytes were in the user packets that came from SGSNs, without the headers of " \
		"their tunnels.") \
	X(up_tx_packets, COUNTER, "packets", \
		"User packets from SGSNs were forwarded to the core network.") \
	X(up_tx_bytes, COUNTER, "bytes", \
		"Bytes were in the user packets that were forwarded to the core network, IP " \
		"headers included.") \
	X(down_rx_packets, COUNTER, "packets", \
		"Packets for addresses that sessions have were looked at, whether they were " \
		"forwarded or not.") \
	X(down_rx_bytes, COUNTER, "bytes", \
		"Bytes were in the packets for addresses that sessions have, IP headers " \
		"included.") \
	X(down_tx_packets, COUNTER, "packets", \
		"Packets for subscribers were forwarded to SGSNs in tunnels.") \
	X(down_tx_bytes, COUNTER, "bytes", \
		"Bytes were in the packets that were forwarded to SGSNs, without the headers of " \
		"their tunnels.") \
	X(ue_to_ue, COUNTER, "packets", \
		"Packets of one subscriber went to another subscriber of this gateway.") \
	X(handed_over, COUNTER, "packets", \
		"Packets were given to the worker that owns their session.") \
	X(handed_in, COUNTER, "packets", \
		"Packets were taken from other cores because this worker owns their session.") \
	X(punted, COUNTER, "packets", \
		"Packets were given to the control core, for the kernel or for GTP-U " \
		"signalling.") \
	X(end_markers, COUNTER, "messages", \
		"End Markers of GTP-U were received and ignored.") \
	X(fragmented, COUNTER, "packets", \
		"Packets were sent in fragments because they were longer than the MTU of their " \
		"port.") \
	X(icmp_limited, COUNTER, "messages", \
		"ICMP errors were left out because their destination or the session had its " \
		"share.") \
	X(icmp_sent, COUNTER, "messages", \
		"ICMP errors were made about packets that could not be forwarded.") \
	X(late_packets, COUNTER, "packets", \
		"Packets were forwarded in late mode, behind the order to hand over.") \
	X(held, COUNTER, "waits", \
		"A packet began to wait for the link-layer address of its next hop; a packet " \
		"may wait more than once.") \
	X(drop_not_active, COUNTER, "packets", \
		"Packets were dropped because this chassis forwards none now, or because no " \
		"worker owns their session.") \
	X(drop_no_peer_user, COUNTER, "packets", \
		"GTP-U packets were dropped because no configured peer of their port has the " \
		"source.") \
	X(drop_no_peer_control, COUNTER, "messages", \
		"GTP-C messages were dropped by workers because no configured peer of their port " \
		"has the source.") \
	X(drop_no_session_up, COUNTER, "packets", \
		"Packets from SGSNs had a TEID of no session; for some of them an Error " \
		"Indication is sent.") \
	X(drop_no_session_down, COUNTER, "packets", \
		"Packets for addresses of our pools were dropped because no session has the " \
		"address.") \
	X(drop_spoofed, COUNTER, "packets", \
		"Packets of subscribers were dropped because their source is not the address of " \
		"the session.") \
	X(drop_policed_up, COUNTER, "packets", \
		"Packets of subscribers were dropped because they exceeded the uplink rate of " \
		"the APN.") \
	X(drop_policed_down, COUNTER, "packets", \
		"Packets for subscribers were dropped because they exceeded the downlink rate " \
		"of the APN.") \
	X(drop_action, COUNTER, "packets", \
		"Packets for subscribers were dropped because their session's downlink action " \
		"is another than to forward.") \
	X(drop_gtpu_version, COUNTER, "packets", \
		"GTP-U packets were dropped because they are not of GTP version 1.") \
	X(drop_gtpu_length, COUNTER, "packets", \
		"GTP-U packets were dropped because their length field does not fit, or a " \
		"header is cut.") \
	X(drop_gtpu_extension, COUNTER, "packets", \
		"GTP-U packets were dropped because their extension headers are malformed or " \
		"too long.") \
	X(drop_gtpu_unknown_type, COUNTER, "packets", \
		"GTP-U packets were dropped because their message type is not served.") \
	X(drop_gtpu_teid_zero, COUNTER, "packets", \
		"Packets from SGSNs were dropped because their TEID is 0, which is nobody's, and " \
		"were not answered.") \
	X(drop_inner_malformed, COUNTER, "packets", \
		"Packets of subscribers were dropped because the inner IPv4 header is " \
		"malformed.") \
	X(drop_inner_not_ipv4, COUNTER, "packets", \
		"Packets of subscribers were dropped because the inner packet is not IPv4.") \
	X(drop_outer_malformed, COUNTER, "packets", \
		"Packets were dropped because their outer IPv4 or UDP header is malformed, or " \
		"they are cut.") \
	X(drop_outer_checksum, COUNTER, "packets", \
		"Packets were dropped because the checksum of their outer IPv4 header is wrong.") \
	X(drop_ttl, COUNTER, "packets", \
		"Packets were dropped because their time to live ended here.") \
	X(drop_too_big, COUNTER, "packets", \
		"Packets were dropped because they are longer than the MTU and could not be " \
		"fragmented.") \
	X(drop_no_route, COUNTER, "packets", \
		"Packets were dropped because no route leads to their destination.") \
	X(drop_unresolved, COUNTER, "packets", \
		"Packets were dropped because the link-layer address of their next hop is not " \
		"known.") \
	X(drop_no_mbuf, COUNTER, "packets", \
		"Packets were dropped, or ICMP errors left out, because packet buffers had no " \
		"room.") \
	X(drop_tx_full, COUNTER, "packets", \
		"Packets were dropped because the transmit queue of their port was full.") \
	X(drop_punt_full, COUNTER, "packets", \
		"Packets for the control core were dropped because its queue was full.") \
	X(drop_handover_full, COUNTER, "packets", \
		"Packets for another worker were dropped because its queue was full.") \
	X(drop_link_down, COUNTER, "packets", \
		"Packets were dropped because the link of their port is down.") \
	X(drop_wrong_port, COUNTER, "packets", \
		"Packets were dropped because the port to their next hop does not have the role " \
		"for them.")
// clang-format on
COUNTERS_DEFINE(fastpath_counters, FASTPATH_COUNTERS);

struct fastpath {
	/* w: control before launch */
	struct worker_shared *sh;
	const struct settings *settings; /* of this turn: w: worker, at its beginning */
	const struct role *role;         /* until when this chassis may serve */
	uint8_t worker;                  /* number */
	uint16_t queue;                  /* tx queue on every port */
	struct dirty *dirty;
	struct rte_ring *punt; /* to control: mbuf->port names the port it came in on */
	/* Whole, unchanged frames to other workers; rings of several producers. */
	struct rte_ring *handover[WORKER_MOST];
	/* w: worker */
	enum fastpath_mode mode;
	bool streaming; /* mark dirty: a standby may be there */
	uint32_t now_s; /* second of the local clock, set by the worker once a turn */
	uint64_t now_tsc;
	uint64_t late_last_tsc; /* when the last late packet was forwarded */
	/* Packets with unknown TEIDs, which are punted to the kernel if control may answer them
	 * with an Error Indication, by their SGSN and TEID: it has such a budget, too, and counts.
	 * And ICMP errors of our own, by whom they go to and by session. See fastpath_budgets(). */
	bool answers_unknown;
	struct budget unknown, icmp;
	/* Sources of GTP-U that are a peer's at a port, by the settings of that number, 0: none
	 * yet. Only such are kept, so that a stranger moves nobody out. */
	uint32_t heard[WORKER_PORTS][FASTPATH_HEARD];
	uint64_t heard_by;
	/* The last connected destination without an adjacency: port << 32 | address, 0 none.
	 * Control takes it and has the kernel resolve it. w: worker, control */
	_Atomic uint64_t unresolved;
	/* Packets whose next hop is being resolved, as they came in: tried again until the window
	 * ends. A new active has asked no neighbour yet, and a planned switchover loses nothing. */
	struct rte_mbuf *held[FASTPATH_HELD];
	uint16_t n_held;
	uint64_t held_until, held_next, held_not_before; /* tsc */
	uint16_t ip_id;
	uint32_t tx_ports; /* bit a port with queued frames */
	struct {
		uint16_t n;
		struct rte_mbuf *m[FASTPATH_TX];
	} tx[WORKER_PORTS];
	struct fastpath_counters count; /* r: telemetry */
} __rte_cache_aligned;

/* What strangers may cause is full again; the clock's rate is known (base/clock.h). */
void fastpath_budgets(struct fastpath *f, const struct siphash_secret *secret);
/* A burst (n <= FASTPATH_BURST) received on a port. Packets leave by fastpath_flush at the
 * latest. */
void fastpath_rx(struct fastpath *f, uint16_t port, struct rte_mbuf **pkts, uint16_t n);
/* Frames that another worker handed over (mbuf->port names the port they came in on): never handed
 * over again. */
void fastpath_handed(struct fastpath *f, struct rte_mbuf **pkts, uint16_t n);
/* Puts a frame of the kernel's (from a twin) in the queue of `port`. */
void fastpath_send(struct fastpath *f, uint16_t port, struct rte_mbuf *m);
/* Sends what is queued; what a port does not take is dropped and counted. Call at the end of each
 * turn. */
void fastpath_flush(struct fastpath *f);
/* As worker_unresolved(). Control core. */
bool fastpath_unresolved(struct fastpath *f, uint16_t *port, uint32_t *dst4);
/* Frees what is held (shutdown). */
void fastpath_fini(struct fastpath *f);
/* Asks for the cache lines of the slots that are due to be encoded, at most n of them. Call it at
 * the begin of a turn that ends with dirty_next: the slots are long cold by then. */
void fastpath_prefetch_due(const struct fastpath *f, unsigned int n);

#endif
