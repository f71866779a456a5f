/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_side: one chassis of a bench_pair, from inside its process: boot_*, worker_* and
 * replicator_* of the daemon, and a memif port. Called in that process only. */
#ifndef TANDEM_BENCH_SIDE_H
#define TANDEM_BENCH_SIDE_H

#include "bench_pair.h"
#include "cores/from_replicator.h"
#include "cores/from_worker.h"

struct tandem;
struct worker;

enum { BENCH_TERM = 1000 << 1 };

struct bench_side {
	unsigned int role; /* BENCH_ACTIVE, BENCH_STANDBY */
	const struct bench_pair *pair;
	struct bench_shared *shared;
	struct bench_use *use; /* this chassis' own */
	struct worker *worker;
	uint16_t port;
	uint32_t *order; /* active: handles, in random order */
	uint32_t at;     /* position in it */
	/* What control is told, by whoever wants to know: the rest is thrown away. */
	struct from_worker_handlers of_worker;
	struct from_replicator_handlers of_replicator;
	/* the measurement under way */
	struct repl_counters before;
	uint64_t begun, cpu_begun, idle_cycles;
	long robbed, robbed_seen;
	uint64_t looked;
};

extern struct tandem bench_tandem; /* the chassis of this process */

/* The EAL on that CPU, and everything up to the first turn. 0 or -errno. */
int bench_side_open(struct bench_side *s, unsigned int cpu);
void bench_side_close(struct bench_side *s);

/* One turn of each core of the chassis; whether it did something for the stream. */
bool bench_side_turn(struct bench_side *s);
/* Waits until the other chassis is there as well, then measures until the end. */
void bench_side_begin(struct bench_side *s);
void bench_side_end(struct bench_side *s);
/* After each turn of a measurement of times: notes that the kernel gave the CPU to somebody else
 * since the last call. */
void bench_side_stall(struct bench_side *s);
/* The standby's part of most measurements: it takes turns until the active says that it is over. */
int bench_side_follow(struct bench_side *s, const uint64_t arg[BENCH_ARGS]);
/* Standby: writes the slots from now on. */
int bench_side_write(struct bench_side *s, const uint64_t arg[BENCH_ARGS]);
/* Active: a new stream; it has begun, and the standby has said nothing of it yet. */
void bench_side_stream(struct bench_side *s);
/* Active: whether the standby said that it is in sync. */
bool bench_side_in_sync(void);
/* Active, while the standby follows: a new stream, measured until everything is in sync. */
int bench_side_join(struct bench_side *s, const uint64_t arg[BENCH_ARGS]);
/* A hash of the whole table, in out[role]. */
int bench_side_hash(struct bench_side *s, const uint64_t arg[BENCH_ARGS]);

#endif
