/* SPDX-License-Identifier: BSD-3-Clause */
/* signalling: what the gateway says to SGSNs: GTP-C procedures (TS 29.060), the slow path of GTP-U
 * (TS 29.281), the SGSNs' paths, the commit gate and the index of sessions by subscriber.
 * A request of an SGSN becomes a message to the worker that owns the session; the worker's answer
 * becomes the response, which leaves when the standby has acknowledged what it promises. Nothing is
 * answered unless this chassis is active. The control core alone calls these functions; none
 * blocks. */
#ifndef TANDEM_SIGNALLING_H
#define TANDEM_SIGNALLING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/mac.h"
#include "common/places.h"
#include "common/siphash.h"
#include "common/usec.h"
#include "signalling/settings.h"
#include "signalling/view.h"

struct fib;
struct from_worker_answer;
struct from_worker_event;
struct metrics;
struct msg_batch;
struct msg_entries;
struct net_mirror;
struct role;
struct rte_mbuf;
struct rte_mempool;
struct rte_ring;
struct session_table;
struct settings_board;
struct to_worker_door;
struct signalling;

/* An access port: SGSNs are reached by it. */
struct signalling_port {
	uint16_t id, mtu;
	uint8_t bit; /* as of peers_entry.ports */
	struct mac_addr mac;
	unsigned int twin_ifindex; /* of the kernel's interface for it */
	const _Atomic bool *up;    /* its carrier */
};

/* What the room is given. It is copied, and what it points at outlives the room. */
struct signalling_env {
	struct signalling_start start;
	struct signalling_live live;
	/* of the numbers of APNs and pools; NULL: numbers are places */
	const struct places *places;
	uint32_t vip4;                /* start.gtp, host order */
	struct siphash_secret secret; /* of hashes whose keys subscribers and SGSNs choose */
	const struct signalling_port *ports;
	unsigned int n_ports;
	const struct settings_board *settings; /* whose newest has the peers that are heard */
	const struct session_table *table;
	struct fib *fib;           /* resolved next hops, for the direct path */
	struct net_mirror *mirror; /* asked to resolve SGSNs ahead of need */
	unsigned int n_workers;    /* their doors, and who owns a shard */
	const struct to_worker_door *to_worker;
	const uint8_t *worker_of_shard;
	struct rte_mempool *msgs;
	/* frames: buffers, a worker's ring to the wire, all workers' rings of user packets */
	struct rte_mempool *mbufs;
	struct rte_ring *transmit;
	struct rte_ring *const *handover;
	const struct role *role; /* as it is published, read whenever it matters */
	/* After each datagram of a socket, which is an event of its own. */
	void (*settled)(void *ctx);
	void *ctx;
};

/* Makes the room. NULL + errno, and the reason is logged. */
struct signalling *signalling_create(const struct signalling_env *env);
void signalling_destroy(struct signalling *s);
/* A reload: what is read from now on. */
void signalling_reconfigure(struct signalling *s, const struct signalling_live *live);

/* ---- datagrams ---- */

/* The socket of GTP-C, to be watched for input; the room owns it. */
int signalling_gtpc_fd(const struct signalling *s);
/* The socket of GTP-U, likewise. */
int signalling_gtpu_fd(const struct signalling *s);
/* Reads what came in on the socket of GTP-C. */
void signalling_gtpc_ready(struct signalling *s, usec_t now);
/* Reads what came in on the socket of GTP-U. */
void signalling_gtpu_ready(struct signalling *s, usec_t now);
/* A frame that came in on port m->port. True: it was GTP-C for us, and m is gone; false: it is the
 * kernel's, and m stays the caller's. */
bool signalling_frame(struct signalling *s, struct rte_mbuf *m, usec_t now);

/* Once in a turn: repetitions and deadlines, then all that waits in the output queue leaves. */
void signalling_turn(struct signalling *s, usec_t now);
/* The index is being read anew, and the next turn should not wait. */
bool signalling_indexing(const struct signalling *s);
/* What was said leaves now: before it stops being ours to say. */
void signalling_flush(struct signalling *s);

/* ---- messages of other cores ---- */

/* A worker has answered a request. */
void signalling_answered(struct signalling *s, const struct from_worker_answer *m, usec_t now);
/* The replication core reports commits that the standby acknowledged. */
void signalling_committed(struct signalling *s, const struct msg_entries *m, usec_t now);
/* A stream began, or ended, and with it the standby's protection. */
void signalling_stream(struct signalling *s, bool on, usec_t now);

/* ---- what happened to sessions: readers, called by process/messages.c ---- */

/* The index by subscriber: sessions began or ended, at their owner and in the stream. */
void signalling_index_event(struct signalling *s, const struct from_worker_event *e);
void signalling_index_batch(struct signalling *s, const struct msg_batch *m);
/* An event found no room: the index is read from the table again. */
void signalling_index_missed(struct signalling *s);
/* The notice to the SGSN of a session that the gateway has ended (TS 29.060 7.3.5). */
void signalling_notice(struct signalling *s, const struct from_worker_event *e, usec_t now);

/* ---- the role ---- */

/* The chassis became Active in `term`; planned: the peer handed over. */
void signalling_activated(struct signalling *s, uint64_t term, bool planned, usec_t now);
/* It no longer is: requests in progress are dropped; the new Active answers them anew. */
void signalling_deactivated(struct signalling *s);
/* No request is in progress. */
bool signalling_idle(const struct signalling *s);
/* A request in progress may give somebody a session of that APN, or an address of that pool, by
 * their places. */
bool signalling_names(const struct signalling *s, enum places_kind kind, unsigned int at);
/* Now and then: ends sessions whose subscriber has a newer one, where this chassis owns them. */
void signalling_end_superseded(struct signalling *s);

/* ---- for views ---- */

/* The live session of key (IMSI << 4 | NSAPI, as session_rec.key): its handle, 0 none. */
uint32_t signalling_find(const struct signalling *s, uint64_t key);

void signalling_view(const struct signalling *s, struct signalling_view *v);
/* What was counted of the entry of gtp-peers that has the number; 0 and up. */
struct signalling_peer_count signalling_peer(const struct signalling *s, uint16_t number);
/* Registers the figures of the view; unregistered before the room is destroyed. 0 or -errno. */
int signalling_metrics_register(struct metrics *m, struct signalling *s);
extern const struct metrics_room signalling_metrics; /* all of them */

#endif
