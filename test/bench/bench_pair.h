/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_pair: two chassis for benches: two processes made by fork(), each with its own EAL, session
 * table, worker and replication core, all the daemon's own, and a memif port between them. What
 * control would order is ordered here; what control would be told is thrown away. The active's
 * worker and replication core take turns on one CPU, the standby's replication core has the other.
 * The benches' own process touches no CPU while the two run. */
#ifndef TANDEM_BENCH_PAIR_H
#define TANDEM_BENCH_PAIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "repl/repl.h"

enum { BENCH_ACTIVE, BENCH_STANDBY, BENCH_SIDES, BENCH_ARGS = 4 };

/* What a chassis did during one measurement. */
struct bench_use {
	double seconds; /* as the wall has it */
	/* of the TSC, while it had the CPU and found something to do */
	double cycles;
	long robbed;                 /* times that the kernel gave the CPU to somebody else */
	struct repl_counters stream; /* what was counted meanwhile */
};

enum { BENCH_SAMPLES = 20000, BENCH_STALLS = 20000 };

struct bench_span {
	uint64_t from, to; /* tsc */
};

/* Between the processes. */
struct bench_shared {
	_Atomic unsigned int here; /* chassis at the starting line */
	_Atomic bool over;         /* w: active. the measurement is at its end */
	_Atomic uint64_t taken;    /* w: standby. of the floor: packets received */
	_Atomic uint64_t stolen;   /* interruptions that either chassis noticed */
	struct bench_use use[BENCH_SIDES];
	/* What took from here to there; and when a chassis did not have the CPU, as it noticed
	 * afterwards. */
	struct bench_span sample[BENCH_SAMPLES], stall[BENCH_SIDES][BENCH_STALLS];
	unsigned int n_samples, n_stalls[BENCH_SIDES];
	uint64_t tsc_hz;
	uint64_t out[16]; /* results of a bench's own, by its own meaning */
};

struct bench_side;
typedef int (*bench_fn)(struct bench_side *s, const uint64_t arg[BENCH_ARGS]);

struct bench_pair {
	const char *name;     /* distinguishes pairs of one run */
	const char *huge_dir; /* NULL: without hugepages */
	bool secret;          /* the stream is encrypted */
	uint32_t sessions;
	unsigned int megabytes; /* of each chassis */
	struct bench_shared *shared;
	struct {
		pid_t pid;
		int ask, answer; /* pipes */
	} side[BENCH_SIDES];
};

/* What every bench takes on its command line. */
struct bench_options {
	const char *huge_dir;
	unsigned int rounds; /* with its default in it */
	uint32_t sessions;   /* bench_resync: only a table of so many; 0: all that it measures */
	bool smoke;          /* quick: whether it works at all */
	bool crypto;         /* bench_repl: encrypted beside plain text */
};
/* -1: usage was told. */
int bench_options(int argc, char **argv, struct bench_options *o);

/* Starts both chassis; the active has its sessions, the standby is empty and nothing streams. 0, or
 * -1 (and it said why). */
int bench_pair_start(struct bench_pair *p);
void bench_pair_stop(struct bench_pair *p);
/* Runs a function in each chassis (NULL: not in this one) at the same time and waits for both. 0,
 * or -1: one failed. */
int bench_pair_run(
	struct bench_pair *p, bench_fn active, bench_fn standby, const uint64_t arg[BENCH_ARGS]);
/* "standby's CPU is its own" and the like. */
const char *bench_pair_cpus(void);

#endif
