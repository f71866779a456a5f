/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_fastpath: one worker that owns all shards, its sessions in random order, and a source of
 * frames for them. */
#ifndef TANDEM_BENCH_FASTPATH_H
#define TANDEM_BENCH_FASTPATH_H

#include "fastpath.h"
#include "net/fib.h"

enum { BENCH_INNER = 64 }; /* bytes */
#define BENCH_GTP UINT32_C(0x0a08000a)

struct bench_session {
	uint32_t teid;
	uint32_t teid_be, ue4_be;  /* as they stand in frames */
	uint16_t up_sum, down_sum; /* of the inner headers, as they stand */
};

struct bench {
	uint32_t n; /* sessions */
	bool huge;
	uint32_t capacity;
	uint64_t bytes; /* table, pool, dirty lists and index */
	struct session_table *table;
	struct pool_set *pools;
	struct fib *fib;
	struct worker_shared sh;
	struct settings settings; /* no APN is policed */
	struct role role;
	struct fastpath fp;
	struct dirty dirty;
	struct rte_mempool *pool;
	struct bench_session *order;
	uint32_t at;                /* position of the next frame */
	uint64_t offered;           /* packets given to the fast path */
	uint8_t up[128], down[128]; /* frames to begin with */
};

int bench_open(struct bench *b);
void bench_close(struct bench *b);
/* A burst of frames of the sessions from position `at` on; returns the next position. */
uint32_t bench_receive(struct bench *b, bool up, uint32_t at, struct rte_mbuf **m);

#endif
