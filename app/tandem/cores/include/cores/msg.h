/* SPDX-License-Identifier: BSD-3-Clause */
/* msg: the doors between cores: small typed messages over rte_rings, one door each way between two
 * cores. A sender takes a message from the pool, the receiver gives it back. Nothing blocks: a full
 * door is told to the sender. Every message that changes who may write names the term; one of an
 * old term is refused. */
#ifndef TANDEM_MSG_H
#define TANDEM_MSG_H

#include <stdint.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "repl/keys.h"
#include "repl/repl.h"
#include "session/session.h"
#include "srp/srp.h"

enum msg_type {
	/* control -> worker */
	MSG_OWN,     /* own your shards (term); answered */
	MSG_LATE,    /* encode all that is dirty, then late mode (term); answered */
	MSG_RESUME,  /* back from late mode to owner (term); answered */
	MSG_RELEASE, /* let go (term); answered */
	/* worker -> control, as the `what` of MSG_DONE: late mode is over, its usage has left */
	MSG_LATE_END,
	MSG_CREATE,    /* rec; answered by MSG_ANSWER */
	MSG_UPDATE,    /* rec, groups; answered */
	MSG_DELETE,    /* rec.handle and its request; answered */
	MSG_PURGE,     /* sessions of SGSN `addr` whose Recovery differs from `recovery` end */
	MSG_PEER_GONE, /* sessions with user plane peer `addr` and TEID end (Error Indication) */
	/* replication core -> worker */
	MSG_STREAM,     /* on: a stream began (join), or off */
	MSG_LOST,       /* entries to be made dirty again */
	MSG_WANT,       /* the standby wants something */
	MSG_LATE_USAGE, /* the other side's usage, from a demoted peer */
	/* control -> replication core */
	MSG_STOP,  /* apply all that is held, then stop; answered (number) */
	MSG_WRITE, /* write the slots from now on (standby); answered */
	/* stream as active in `term`; late usage of `old_term` is welcome; answered */
	MSG_START,
	MSG_DRAIN,     /* answered (number = last packet) once everything sent is acknowledged */
	MSG_HEARTBEAT, /* body of heartbeats from now on, and back: the peer's */
	/* secrets of a new SRP connection; answered: from then on what they seal can be opened */
	MSG_KEY,
	MSG_KEY_USE,         /* a hello came over the connection of that key id: seal with it */
	MSG_LATE_STREAM_OFF, /* late usage is through */
	/* control -> replication core */
	MSG_RATE,    /* number: srp.replication-rate from now on, Mbit/s */
	MSG_RECHECK, /* compare everything now: as standby, or by asking the standby to */
	/* worker, replication core -> control */
	MSG_DONE,         /* `step` of `term` was carried out */
	MSG_ANSWER,       /* to create, update, delete */
	MSG_ENDED,        /* a session ended by itself: rec, reason */
	MSG_INDEX,        /* keys -> handles, live or not, in the order in which they happened */
	MSG_COMMITTED,    /* (handle, commit) pairs that the standby acknowledged */
	MSG_STREAM_STATE, /* protected or not */
};

enum { MSG_ENTRIES = 28, MSG_WANTS = 15, MSG_INDEX_ENTRIES = 18, MSG_BYTES = 256 };

enum msg_end { END_IDLE_TIMEOUT, END_SESSION_TIMEOUT, END_SGSN_RESTART, END_ERROR_INDICATION };

struct msg {
	uint8_t type, by;     /* by: worker number or SESSION_BY_REPL */
	uint8_t groups, what; /* what: msg_type answered, or how, or enum msg_end, or flags */
	int32_t error;        /* 0 / -errno */
	uint64_t cookie;      /* the sender's, given back with the answer */
	repl_term_t term;
	union {
		struct {
			struct session_rec rec;
			uint32_t commit;
		};
		struct {
			repl_term_t old_term;
			uint64_t number;
			bool ok, on;
			uint8_t version; /* MSG_STREAM: of the stream */
		};
		struct {
			uint16_t n;
			repl_entry_t entry[MSG_ENTRIES];
		};
		struct {
			uint16_t n_wants;
			struct {
				uint32_t bucket;
				uint8_t how;
				uint64_t arg;
			} __attribute__((packed)) want[MSG_WANTS];
		};
		struct {
			struct ip_addr addr;
			uint32_t teid;
			uint8_t recovery;
		};
		struct {
			uint32_t live; /* bit set of entries */
			uint8_t n_index;
			struct {
				uint64_t key;
				uint32_t handle;
			} __attribute__((packed)) index[MSG_INDEX_ENTRIES];
		};
		struct {
			uint32_t late_handle;
			struct session_usage usage;
		};
		struct {
			uint16_t len;
			bool fresh;
			uint64_t pair_ms;
			usec_t heard; /* when it was pair_ms: control may come to it much later */
			uint8_t body[128];
		};
		struct {
			uint16_t key_id;
			/* the hello was of another process of the peer than before */
			bool restarted;
			uint8_t tx_secret[KEYS_SECRET], rx_secret[KEYS_SECRET];
		};
	};
};

/* A door: one ring, single consumer. */
struct door {
	struct rte_ring *ring;
	struct rte_mempool *pool;
};

/* A zeroed message, or NULL: the pool is empty. */
struct msg *msg_new(struct rte_mempool *pool, enum msg_type type);
static inline void msg_free(struct rte_mempool *pool, struct msg *m)
{
	rte_mempool_put(pool, m);
}
/* 0, or -ENOBUFS: the door is full; then the message was given back. */
int door_send(const struct door *d, struct msg *m);
/* The next message, or NULL. */
static inline struct msg *door_take(const struct door *d)
{
	void *m;

	return rte_ring_dequeue(d->ring, &m) == 0 ? m : NULL;
}

#endif
