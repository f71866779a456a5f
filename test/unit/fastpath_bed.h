/* SPDX-License-Identifier: BSD-3-Clause */
/* fastpath_bed: two workers on ports made of rings, a table, a FIB, and a builder of frames that
 * shares no code with the fast path. One bed. */
#ifndef TANDEM_FASTPATH_BED_H
#define TANDEM_FASTPATH_BED_H

#include <stddef.h>
#include <string.h>

#include "fastpath.h"
#include "net/fib.h"
#include "ut.h"

#define IP4(a, b, c, d)                                                                            \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* ports; BED_DARK is a core port whose link is down, BED_NARROW one of MTU 576, BED_BOTH access and
 * core */
enum {
	BED_ACCESS,
	BED_CORE,
	BED_REPL,
	BED_DARK,
	BED_NARROW,
	BED_BOTH,
	BED_PORTS,
};
enum { BED_ADJ_SGSN = 1, BED_ADJ_CORE, BED_ADJ_SILENT, BED_ADJ_REPL, BED_ADJ_DARK, BED_ADJ_NARROW };
enum { BED_TX_RING = 256, BED_SESSIONS = 4 };

#define BED_GTP     IP4(10, 8, 0, 10)
#define BED_SGSN    IP4(10, 8, 0, 1)
#define BED_HOST    IP4(10, 9, 0, 2)
#define BED_TWIN(p) IP4(10, 7, (p), 1)
#define BED_UE(i)                                                                                  \
	IP4(172, 20, 1, (i)) /* even addresses belong to worker 0, odd ones to worker 1            \
			      * \ */

struct frame {
	uint16_t port, len;
	uint8_t b[4096];
};

struct bed {
	struct rte_mempool *pool, *direct;
	unsigned int pool_n, direct_n;
	struct session_table *t;
	struct pool_set *ps;
	struct fib *fib;
	struct worker_shared sh;
	struct settings settings;
	struct role role;
	struct fastpath w[2];
	struct dirty dirty[2];
	struct rte_ring *punt[2], *hand[2], *tx[BED_PORTS][2];
	uint32_t teid[BED_SESSIONS + 1]; /* of BED_UE(i), i from 1 */
};

extern struct bed bed;

/* Suites' init and cleanup: one bed for all of them, looked through for lost buffers after each. */
int bed_open(void);
int bed_close(void);
void bed_free(void);
/* Both workers as new: OWN, no counts, nothing queued. */
void bed_reset(void);
struct session_slot *bed_slot(unsigned int i);
/* A host route; nh FIB_NONE: no longer. 0 / -errno. */
int bed_route(uint32_t dst4, uint32_t nh);

/* An IPv4 header with a right checksum; flags: the 16 bits of flags and offset. */
void put_ip(uint8_t *p, uint32_t src, uint32_t dst, uint8_t proto, uint8_t ttl, uint16_t total,
	uint16_t id, uint16_t flags);
void put16(uint8_t *p, unsigned int v);
void put32(uint8_t *p, uint32_t v);
void sum_ip(uint8_t *p);
void put_eth(uint8_t *p, const uint8_t *dst, const uint8_t *src);
const uint8_t *mac_port(uint16_t port);
const uint8_t *mac_adj(uint16_t adj);

/* An inner packet of `total` bytes: UDP with a recognisable payload. */
void put_inner(uint8_t *p, uint32_t src, uint32_t dst, uint8_t ttl, uint16_t total, uint16_t flags);
/* Frames as the networks send them. */
void frame_up(struct frame *f, uint32_t teid, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags);
void frame_down(
	struct frame *f, uint32_t src, uint32_t dst, uint8_t ttl, uint16_t total, uint16_t flags);
/* What must come out. */
void want_up(struct frame *f, uint16_t adj, uint16_t port, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags);
void want_down(struct frame *f, uint32_t teid, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags);

struct rte_mbuf *bed_mbuf(const struct frame *f);
/* Receives f at worker w and flushes. */
void bed_rx(unsigned int w, const struct frame *f);
/* Lets worker w take what was handed to it; returns how many frames. */
unsigned int bed_handed(unsigned int w);
/* The next frame out of a ring, bytes copied; false: there is none. */
bool bed_take(struct rte_ring *r, struct frame *out);
bool bed_sent(unsigned int w, uint16_t port, struct frame *out);
/* Frames in every transmit ring of both workers. */
unsigned int bed_sent_n(void);
/* Sum of all counters of a worker that begin with `drop_`. */
uint64_t bed_drops(unsigned int w);
bool frame_equal(const char *what, const struct frame *got, const struct frame *want);

#endif
