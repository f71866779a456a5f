/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_pair: what the story (sim_pair.c), the network, the chassis, their workers and the checks
 * share. A chassis is the daemon's own sync, repl, audit, session and pool, put together as
 * app/tandem puts them together, in virtual time. */
#ifndef TANDEM_SIM_PAIR_H
#define TANDEM_SIM_PAIR_H

#include "repl/audit.h"
#include "pool/pool.h"
#include "repl/repl.h"
#include "session/session.h"
#include "sync.h"

enum {
	WORKERS = 2,
	CAPACITY = 8192,
	SLOTS = CAPACITY, /* 128 a shard: two buckets */
	PER_SHARD = SLOTS / SESSION_SHARDS,
	BUCKETS = SLOTS / SESSION_BUCKET,
	POOL_BITS = 10,
	ADDRESSES = 1 << POOL_BITS,
	KEYS = 4096,
	STEP = 200,
	BEAT = 10000,
	PRESENT = 60000,    /* the peer is there when heard within this */
	INTERVAL = 20000,   /* micro checkpoint */
	AUDIT = 200000,     /* audit cycle */
	SECOND = 100000,    /* what the table takes for a second */
	QUARANTINE = 3,     /* of those */
	LATE_QUIET = 60000, /* late mode ends after so long without a late packet */
	LOST_QUIET = 100000,
	PLAN_MOST = 1500000,
	QUEUE = 8192,
	WIRE = 2048, /* packets under way at most */
	PACKET = 1500,
	CALM = 5000000, /* from then on nothing goes wrong any more */
	FLIP = 6200000, /* but for one bit */
	END = 7000000,
	PENDING = 512,
};

/* What a record's groups are compared by; the first four are what a commit promises. */
enum { G_IDENTITY, G_TUNNEL, G_QOS, G_REQUEST, G_OWN, G_OTHER, GROUPS, PROMISED = G_OWN };

enum mode { MODE_IDLE, MODE_OWN, MODE_LATE };

/* From the replication core to a worker. */
struct note {
	enum { NOTE_STREAM, NOTE_LOST, NOTE_WANT, NOTE_LATE } what;
	bool on, late;
	union {
		repl_entry_t entry;
		struct {
			unsigned int how;
			uint32_t bucket;
			uint64_t arg;
		} want;
		struct {
			uint32_t handle;
			struct session_usage usage;
		};
	};
};

struct worker {
	struct sync sync;
	struct note queue[QUEUE];
	uint32_t head, tail;
	enum mode mode;
	bool streaming, late_asked, late_pending, late_over;
	uint32_t late_mark;
	usec_t late_last;
};

struct node {
	unsigned int id; /* its side too */
	bool up;
	uint32_t incarnation;
	usec_t clock, now; /* own clock = virtual time + clock */
	usec_t stalled_until;
	struct session_table *t;
	struct pool_set *ps;
	struct repl *r;
	struct audit *audit;
	struct worker w[WORKERS];
	unsigned int n_workers;
	unsigned int next_worker; /* whose packets leave first */
	uint32_t index[KEYS];
	/* as in the replication core */
	bool active, late, on, draining, drained;
	repl_term_t term, old_term;
	usec_t lost_at, next_view;
	uint32_t quarantine_shard;
	/* checks */
	uint32_t seen[SLOTS][GROUPS]; /* index of the state that was applied last */
};

struct packet {
	usec_t at;
	size_t len;
	uint8_t bytes[PACKET];
};

/* One direction. */
struct wire {
	struct packet *p[WIRE];
	unsigned int n, budget;
};

/* All states that a group of a slot had at its owner. */
struct history {
	uint64_t *state;
	uint32_t n, room;
};

/* A commit that nobody acknowledged yet. */
struct pending {
	uint32_t handle, commit;
	uint32_t at[PROMISED];
	usec_t since;
	uint32_t freed; /* offset of the address that it freed, 0 none */
};

enum plan { PLAN_NONE, PLAN_HOLD, PLAN_LATE, PLAN_DRAIN, PLAN_STOP, PLAN_YIELD };

struct sim {
	uint64_t seed, random;
	usec_t now;
	bool verbose, failed, faults;
	struct node node[2];
	struct wire wire[2]; /* by receiver */
	unsigned int loss, duplicate, reorder, corrupt, rate, traffic,
		ops; /* per mille, but rate: packets a step */
	usec_t delay, jitter, cut_until;
	uint16_t payload;
	unsigned int ring;   /* which of the sizes */
	unsigned int active; /* the chassis with the highest term */
	repl_term_t term;
	usec_t next_event, restart_at, demote_at;
	bool restart_empty, hold;
	enum plan plan;
	usec_t plan_at, plan_since;
	struct {
		bool set;
		uint32_t pos;
		usec_t at;
	} flip;
	struct history history[SLOTS][GROUPS];
	uint32_t start[SLOTS][GROUPS], told[SLOTS][PROMISED]; /* told: index + 1 */
	usec_t changed[SLOTS];
	uint32_t handle[SLOTS]; /* of the session that `counted` is of */
	struct session_usage counted[SLOTS][2];
	bool exact[SLOTS]; /* nothing of it can be missing */
	usec_t freed[ADDRESSES],
		waits[ADDRESSES]; /* waits: when the quarantine was begun anew by a promotion */
	bool freed_told[ADDRESSES];
	struct pending pending[PENDING];
	unsigned int n_pending;
	unsigned int crashes, planned, aborted, splits, restarts, flips, repaired, told_n, vouched,
		cuts, ended_late;
};

extern struct sim sim;

/* sim_pair_net.c */
uint64_t rnd(uint64_t below);
bool chance(unsigned int per_mille);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void story(const char *format, ...) __attribute__((format(printf, 1, 2)));
void wire_put(unsigned int to, const uint8_t *bytes, size_t len);
void wire_run(unsigned int to);
void wire_clear(unsigned int to);
int pair_eal(void);
struct rte_mempool *pair_mbufs(void);
struct rte_ring *pair_ring(unsigned int node, unsigned int worker);

/* sim_pair_node.c */
void node_start(struct node *n, bool keep);
void node_stop(struct node *n, bool keep);
void node_turn(struct node *n);
void node_promote(struct node *n, repl_term_t term, repl_term_t old_term);
void node_write(struct node *n, repl_term_t term, repl_term_t old_term);
void node_raise(struct node *n, repl_term_t term);

/* sim_pair_worker.c */
bool worker_note(struct worker *w, const struct note *note);
void worker_turn(struct node *n, unsigned int number);
void worker_own(struct node *n);
void worker_late(struct node *n);
void worker_release(struct node *n);
void subscribers(struct node *n);

/* sim_pair_flight.c */
void flight_start(struct node *n, const repl_entry_t *e, unsigned int n_entries);
void flight_arrive(struct node *n, const uint8_t *bytes, size_t len);
/* The receiver's end, at a promotion. */
void flight_stop(struct node *n);

/* sim_pair_check.c */
struct node *peer_of(struct node *n);
uint32_t pos_of(const struct node *n, uint32_t handle);
void history_push(struct node *n, uint32_t pos, unsigned int first, unsigned int last);
void history_term(struct node *n);
void history_free(void);
bool is_there(struct node *n, uint32_t pos, unsigned int group, uint32_t at);
void check_applied(struct node *n, enum repl_kind kind, uint32_t handle, uint8_t groups);
void check_commit(struct node *n, uint32_t handle, uint32_t commit);
void check_promised(struct node *n);
void check_tables(void);
void check_vouched(void);
void check_flip(void);
void check_end(void);
void commit_wait(struct node *n, uint32_t handle, uint32_t commit, uint32_t freed);

/* The versions of the wire that the two chassis speak: 1, and in the next release's test build 2
 * too, by the seed. */
static inline uint8_t version_of(unsigned int node)
{
	return sim.seed >> node & 1 ? wire_spoken.version_min : wire_spoken.version_max;
}
static inline uint8_t version_agreed(void)
{
	return version_of(0) < version_of(1) ? version_of(0) : version_of(1);
}

#endif
