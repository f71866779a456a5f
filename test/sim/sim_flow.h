/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_flow: what the cases (sim_flow.c) and the bed (sim_flow_bed.c) share: one active chassis with
 * its workers, one standby, made of the daemon's own sync, repl, flow, audit, session and pool, and
 * between them a link that has a rate, a delay and a queue that overflows. Virtual time; no chance
 * but where a case asks for it. */
#ifndef TANDEM_SIM_FLOW_H
#define TANDEM_SIM_FLOW_H

#include "repl/audit.h"
#include "repl/flow.h"
#include "pool/pool.h"
#include "repl/repl.h"
#include "session/session.h"
#include "worker/sync.h"

enum {
	WORKERS = 2,
	STEP = 100,          /* us */
	TURNS = 16,          /* of a worker in a step */
	PAYLOAD = 1472 - 16, /* MTU 1500, 16 for a tag */
	OUTER = 42,          /* Ethernet, IPv4, UDP */
	INTERVAL = 100000,   /* micro checkpoint */
	BEAT = 10000,
	PENDING = 4096,
};

struct packet {
	struct packet *next;
	usec_t at;
	size_t len;
	uint8_t bytes[];
};

/* One direction. rate: bytes a second, 0 none; queue: bytes that wait at most; loss: per mille. */
struct link {
	uint64_t rate, queue;
	usec_t delay;
	unsigned int loss;
	struct packet *first, **last;
	usec_t free_at; /* when the last byte of what waits has left */
	uint64_t bytes, frames, lost_bytes,
		late; /* given to it; late: most us that a frame waited in the queue */
};

struct node {
	struct session_table *t;
	struct pool_set *ps;
	struct repl *r;
	struct audit *audit;
	struct flow flow;
	struct flow_limits limits;
	struct sync sync[WORKERS];
	unsigned int next_worker;
	bool active, on;
	/* records that this node applies in a step; 0: any number */
	uint64_t applied_most;
	uint64_t applied_step, rx_ring; /* frames that wait for it */
};

struct world {
	usec_t now;
	uint64_t random;
	struct node node[2]; /* 0 active, 1 standby */
	struct link link[2]; /* by receiver */
	uint32_t sessions, incarnation;
	bool cut;
	usec_t audit_us; /* audit-interval */
	/* commits under way, and what they took */
	struct {
		uint32_t handle, commit;
		usec_t at;
	} pending[PENDING];
	unsigned int n_pending;
	usec_t latency[65536];
	unsigned int n_latency;
	unsigned int fifo_most, unacked_most;
	uint64_t repaired_bytes;
};

extern struct world w;

uint64_t rnd(uint64_t below);
int bed_eal(void);
/* Two chassis, the active one with so many sessions, the standby empty; rate: replication-rate. */
void bed_start(uint32_t sessions, uint32_t mbits);
void bed_stop(void);
/* The active's stream begins; it is what a flap ends with. */
void bed_join(void);
void bed_leave(void);
void bed_step(void);
bool bed_equal(void);
/* Whether two slots, one of each chassis, hold the same. */
bool bed_same(const struct session_slot *a, const struct session_slot *b);
bool bed_in_sync(void);
/* A random live slot; its worker. */
struct session_slot *bed_any(unsigned int *worker);
void bed_commit(void);
void bed_count(struct session_slot *s, unsigned int worker);

/* sim_flow_flip.c */
bool flip_all(void);

#endif
