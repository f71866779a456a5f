/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_repl: what the story and the network (sim_repl.c) share with the chassis
 * (sim_repl_node.c). */
#ifndef TANDEM_SIM_REPL_H
#define TANDEM_SIM_REPL_H

#include "repl/audit.h"
#include "repl/repl.h"

enum {
	SHARDS = 64,
	PER_SHARD = 2,
	BUCKETS = SHARDS * PER_SHARD,
	SLOTS = BUCKETS * 64,
	WORKERS = 2,
	STEP = 200,
	FLIP = 1200000,
	CALM = 1900000,
	END = 3400000,
	WIRE = 4096, /* packets under way at most */
	PACKET = 1400,
	LIFE = 30000,
	PAGE = 32, /* audit jobs a worker and turn */
};

#define USAGE (UINT64_C(1) << 63) /* beside the term: late usage */

struct node {
	unsigned int id;
	struct repl *r;
	struct audit *audit;
	struct audit_source *source[WORKERS];
	uint32_t incarnation;
	bool active, late;
	repl_term_t term;
	uint32_t version[SLOTS], ghost[SLOTS]; /* ghost: of the process that crashed */
	repl_term_t written[SLOTS];            /* term in which the version came */
	bool dirty[SLOTS];
	uint32_t list[SLOTS], head, n_dirty;
	uint32_t usage[SLOTS], usage_heard[SLOTS]; /* late usage: own, and the peer's as received */
	uint8_t pkt[PACKET];
	size_t len;
	repl_entry_t entry[REPL_ENTRIES];
	unsigned int n_entries;
	uint8_t owner;
	uint64_t number;     /* of the last packet sent */
	uint32_t heard_live; /* incarnation of which an undelayed packet came */
};

struct packet {
	usec_t sent, at;
	bool held;
	size_t len;
	uint8_t bytes[PACKET];
};

/* One direction. */
struct wire {
	struct packet *p[WIRE];
	unsigned int n, budget;
};

struct sim {
	uint64_t seed, random;
	usec_t now;
	bool verbose, failed, faults;
	struct node node[2];
	struct wire wire[2]; /* by receiver */
	/* per mille, but rate: packets a step */
	unsigned int loss, duplicate, reorder, again, rate, changes;
	usec_t delay, jitter, crash_at, cut_at, cut_until;
	bool cut_holds; /* a dead link that keeps what it was given, and lets it go in a burst */
	uint32_t version;
	usec_t changed[SLOTS]; /* when the active wrote it */
	unsigned int vouched;  /* checks made while the standby said that it was in sync */
};

extern struct sim sim;

/* A random number below, and whether a fault of that many per mille strikes. */
uint64_t rnd(uint64_t below);
bool chance(unsigned int per_mille);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void wire_put(unsigned int to, const uint8_t *bytes, size_t len);

void node_start(struct node *n, uint32_t incarnation);
void node_stop(struct node *n);
void node_join(struct node *n);
void node_mark(struct node *n, uint32_t slot);
void node_encode(struct node *n, unsigned int worker);
void node_traffic(struct node *n);

#endif
