/* SPDX-License-Identifier: BSD-3-Clause */
/* fib: next hops for the workers: rte_lpm -> adjacency, mirrored from the kernel by lib/net/mirror.
 * One writer (control core); workers and the replication core read without a lock. Nothing here
 * asks the kernel. */
#ifndef TANDEM_NET_FIB_H
#define TANDEM_NET_FIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_lpm.h>

enum { FIB_ADJ_MAX = 4096, FIB_ROUTES = 65536, FIB_TBL8 = 1024, FIB_NONE = 0xffff };

/* An adjacency: next hop on a port. One 64-bit word, so a reader never sees half a MAC: mac 48 |
 * port 8 | flags 8. */
enum { FIB_ADJ_VALID = 1, FIB_ADJ_USED = 2 };
struct fib_adj {
	_Atomic uint64_t word; /* w: control, r: workers */
	/* w: workers (a packet needs it resolved), r: control, cleared by it */
	_Atomic uint32_t wanted;
	uint32_t nh4;     /* w: control. next hop, host order */
	uint32_t ifindex; /* w: control */
	uint32_t refs;    /* w: control */
	/* connected routes: the destination itself is the next hop, found in `nh4` of host
	 * adjacencies (/32 routes) */
};

struct fib {
	struct rte_lpm *lpm;           /* depth 1..32 -> adjacency index; see FIB_GLEAN */
	struct fib_adj *adj;           /* FIB_ADJ_MAX */
	struct rte_ether_addr mac[32]; /* w: control at boot. source MAC by port id */
	/*w: control. moves whenever any route or adjacency changes: cached look-ups are stale */
	_Atomic uint32_t gen;
};

/* An LPM result with this bit: a connected prefix; its low 16 bits are the twin's port. The
 * packet's own destination must be resolved by the kernel: punt it to that twin (the kernel sends
 * it on, and a /32 adjacency follows). */
enum { FIB_GLEAN = 1 << 20 };

/* dst4: host order. Adjacency index; or FIB_GLEAN | port; or FIB_NONE: no route. */
static inline uint32_t fib_lookup(const struct fib *f, uint32_t dst4)
{
	uint32_t nh;

	return rte_lpm_lookup(f->lpm, dst4, &nh) == 0 ? nh : FIB_NONE;
}

/* Destination MAC and port of adjacency i; false: not resolved now (and it is marked as wanted:
 * punt or drop). */
static inline bool fib_adj_get(
	struct fib *f, uint16_t i, struct rte_ether_addr *dst, uint16_t *port)
{
	uint64_t w = atomic_load_explicit(&f->adj[i].word, memory_order_relaxed);

	if (!(w & FIB_ADJ_VALID)) {
		if (atomic_load_explicit(&f->adj[i].wanted, memory_order_relaxed) == 0)
			atomic_store_explicit(&f->adj[i].wanted, 1, memory_order_relaxed);
		return false;
	}
	*port = (uint16_t)(w >> 8 & 0xff);
	for (int b = 0; b < 6; b++)
		dst->addr_bytes[b] = (uint8_t)(w >> (56 - 8 * b));
	return true;
}

struct fib *fib_create(const char *name, int socket_id); /* NULL + rte_errno */
void fib_destroy(struct fib *f);

#endif
