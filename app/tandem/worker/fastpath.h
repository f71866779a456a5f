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

#include "config/config.h"
#include "common/counters.h"
#include "cores/role.h"
#include "cores/settings.h"
#include "session/dirty.h"
#include "pool/pool.h"
#include "session/session.h"
#include "worker/shared.h"

struct rte_mbuf;
struct rte_ring;

enum { FASTPATH_BURST = 32, FASTPATH_TX = 64, FASTPATH_HELD = 128 };

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
	X(up_rx_packets) X(up_rx_bytes) X(up_tx_packets) X(up_tx_bytes) X(down_rx_packets) \
	X(down_rx_bytes) X(down_tx_packets) X(down_tx_bytes) X(ue_to_ue) X(handed_over) \
	X(handed_in) X(punted) X(end_markers) X(fragmented) X(icmp_sent) X(late_packets) X(held) \
	X(drop_not_active) X(drop_no_session_up) X(drop_no_session_down) X(drop_spoofed) \
	X(drop_policed_up) X(drop_policed_down) X(drop_gtpu_version) X(drop_gtpu_length) \
	X(drop_gtpu_extension) X(drop_gtpu_unknown_type) X(drop_inner_malformed) \
	X(drop_inner_not_ipv4) X(drop_outer_malformed) X(drop_outer_checksum) X(drop_ttl) \
	X(drop_too_big) X(drop_no_route) X(drop_unresolved) X(drop_no_mbuf) X(drop_tx_full) \
	X(drop_punt_full) X(drop_handover_full) X(drop_link_down) X(drop_wrong_port)
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
	/* The rate limit of packets with unknown TEIDs, which are punted to the kernel: control
	 * answers them with an Error Indication. */
	uint64_t ei_tokens_tsc;
	uint32_t ei_per_s; /* 0: none are punted */
	uint64_t icmp_tsc; /* ICMP errors of our own: rate limit */
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
/* Fills both token buckets of a slot (creation, promotion lazily: a slot with zero meter time is
 * full). */
void fastpath_meter_init(const struct settings *settings, struct session_slot *s);

#endif
