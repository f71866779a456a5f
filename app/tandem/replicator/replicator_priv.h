/* SPDX-License-Identifier: BSD-3-Clause */
/* replicator_priv: what the files of the replication core share. Replication core only. */
#ifndef TANDEM_REPLICATOR_PRIV_H
#define TANDEM_REPLICATOR_PRIV_H

#include "base/clock.h"
#include "base/log.h"
#include "cores/stream.h"
#include "repl/flow.h"
#include "replicator/crypt.h"
#include "repl/keys.h"
#include "replicator/replicator.h"
#include "replicator/transport.h"
#include "replicator/twin_frames.h"

enum {
	REPLICATOR_BURST = 32,
	REPLICATOR_OUTSTANDING = 256, /* buckets that a standby may want at once */
};

/* What an order to drain waits for. */
struct replicator_drain {
	uint64_t cookie;
	repl_term_t term;
	bool on, late; /* late: of late usage, for which nobody waits as for a step */
};

/* Passes of the audit that an operator requested. The active sends the request to the standby a few
 * times; `heard` is the number of the last request that came to this chassis as standby. */
struct replicator_request {
	uint32_t number, heard;
	unsigned int left;
	usec_t at;
};

/* The standby's pass over the table, as it was last seen. */
struct replicator_pass {
	uint32_t left;
	usec_t began, ended;
};

/* By the watchdog. */
struct replicator_watched {
	struct pulse_seen control, worker[MSG_WORKERS];
};

/* The audit's interval, and the one by which matches are judged until then. */
struct replicator_pace {
	usec_t us, was_us, until;
};

struct replicator {
	struct replicator_env env;
	struct repl *stream;
	struct audit *audit;
	struct crypt *crypt; /* NULL: srp.insecure, plain text */
	struct keys keys;
	/* when a packet of the peer's address last came that could not be opened; 0 never */
	usec_t unopened;
	/* w: control. the peer says that it is Standby: what is sent is taken */
	_Atomic bool peer_applies;
	_Atomic bool peer_differs; /* w: control. the two configurations forbid a stream */
	uint64_t settings;         /* number of the snapshot that is kept to */
	struct flow flow;
	unsigned int next_worker;     /* whose finished packets go first */
	_Atomic uint8_t peer_version; /* w: control. that both speak */
	uint8_t version;              /* of the stream */
	/* role */
	repl_term_t term;
	bool active, late; /* late: standby that still sends its own late usage (of late_term) */
	bool writing;      /* the slots are ours to write (standby) */
	repl_term_t late_term;
	bool on;                 /* the stream runs */
	bool notified;           /* workers and control were notified that it does */
	unsigned int wants_left; /* buckets that this WANT may still ask for */
	struct replicator_drain drain;
	usec_t lost_at;
	int64_t pair_offset_us;
	struct replicator_request request;
	struct replicator_pass pass;
	_Atomic usec_t present_us;    /* w: control. The peer is there when heard within this */
	_Atomic usec_t life_us;       /* w: control */
	_Atomic usec_t heartbeat_us;  /* w: control */
	usec_t kept_life_us, beat_us; /* that the stream keeps to */
	struct replicator_pace pace;  /* w, r: control */
	struct from_replicator *committed; /* being filled */
	/* being filled while a WANT is decoded */
	struct repl_to_worker *want[MSG_WORKERS];
	usec_t next_view, now;
	struct replicator_watched watched;
	uint32_t quarantine_shard; /* the next whose quarantine is looked at, as standby */
	struct replicator_view view;
	struct replicator_counters count; /* r: telemetry */
};

/* replicator_stream.c: what the stream and the audit call back */
void replicator_ops(struct replicator *r, struct repl_ops *ops, struct audit_hash *hash);
/* Sends the acknowledged commits that were collected. */
void replicator_committed(struct replicator *r);
/* Begins a pass of the audit now, or asks the standby to. */
void replicator_request_pass(struct replicator *r);
void replicator_lost(struct replicator *r, uint8_t owner, const repl_entry_t *e, unsigned int n);

/* replicator_port.c: packets in and out; each true if there was something to do */
bool replicator_receive(struct replicator *r);
bool replicator_send_state(struct replicator *r);
bool replicator_send_control(struct replicator *r);
/* Most that the port sends from now on, Mbit/s; 0: no limit. What may be sent at once begins
 * anew. */
void replicator_rate(struct replicator *r, uint32_t mbits, usec_t now);
/* Notifies the workers of how much they may encode. */
void replicator_limits(struct replicator *r);

/* replicator_crypt.c */
int replicator_secure(struct replicator *r);
void replicator_keys_turn(struct replicator *r);
/* A connection's secrets, which are overwritten. False: they were not taken. */
bool replicator_key(struct replicator *r, struct to_replicator_key *m);
/* At most REPLICATOR_BURST; the frames stay the caller's. */
void replicator_take(struct replicator *r, const struct arrived *a, unsigned int n);
unsigned int replicator_seal(
	struct replicator *r, struct rte_mbuf **m, const int *slot, unsigned int n);

/* replicator_report.c. False, counted: the pool was empty or the door is full. */
bool replicator_to_worker(struct replicator *r, unsigned int w, struct repl_to_worker *m);
bool replicator_to_control(struct replicator *r, struct from_replicator *m);

/* replicator_role.c: orders of control, and when the stream runs */
extern const struct to_replicator_handlers replicator_of_control;
bool replicator_messages(struct replicator *r);
void replicator_presence(struct replicator *r);
void replicator_drained(struct replicator *r);

#endif
