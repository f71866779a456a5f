/* SPDX-License-Identifier: BSD-3-Clause */
/* fib: next hops for the workers: a table of each routing instance -> adjacency, mirrored from the
 * kernel by lib/net/mirror. One writer (control core); workers and the replication core read
 * without a lock. Nothing here asks the kernel. Whoever looks a next hop up includes fib_lookup.h.
 */
#ifndef TANDEM_NET_FIB_H
#define TANDEM_NET_FIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/mac.h"

struct rte_lpm;

enum { FIB_ADJ_MAX = 4096, FIB_ROUTES = 65536, FIB_TBL8 = 1024, FIB_NONE = 0xffff };

/* An adjacency: next hop on a port. One 64-bit word, so a reader never sees half a MAC: mac 48 |
 * port 8 | flags 8. */
enum { FIB_ADJ_VALID = 1, FIB_ADJ_USED = 2 };
struct fib_adj {
	_Atomic uint64_t word; /* w: control, r: workers */
	/* w: workers (a packet needs it resolved), r: control, cleared by it */
	_Atomic uint32_t wanted;
};

struct fib {
	struct fib_adj *adj; /* FIB_ADJ_MAX */
	/* w: control. moves whenever any route or adjacency changes: cached look-ups are stale */
	_Atomic uint32_t gen;
	int socket_id;
	/* Of each routing instance: IPv4, depth 1..32 -> adjacency index; see FIB_GLEAN. NULL:
	 * there is no such instance. w: control */
	struct rte_lpm *lpm[INSTANCES];
	struct mac_addr mac[32]; /* w: control at boot. source MAC by port id */
};

/* A next hop with this bit: a connected prefix; its low 16 bits are the twin's port. The packet's
 * own destination must be resolved by the kernel: punt it to that twin (the kernel sends it on, and
 * an adjacency of the host itself follows). */
enum { FIB_GLEAN = 1 << 20 };

/* Whether the instance has a table of the address's family. Workers forward IPv4 alone, so there is
 * none of IPv6. */
static inline bool fib_has(const struct fib *f, uint16_t instance, const struct ip_addr *a)
{
	return instance < INSTANCES && ip_addr_is_v4(a) && f->lpm[instance] != NULL;
}

/* The word of adjacency i. When it is not FIB_ADJ_VALID (not resolved now: punt or drop) it is
 * marked as wanted. */
static inline uint64_t fib_adj_word(struct fib *f, uint32_t i)
{
	struct fib_adj *a = &f->adj[i];
	uint64_t w = atomic_load_explicit(&a->word, memory_order_relaxed);

	if (__builtin_expect(!(w & FIB_ADJ_VALID), 0) &&
		atomic_load_explicit(&a->wanted, memory_order_relaxed) == 0)
		atomic_store_explicit(&a->wanted, 1, memory_order_relaxed);
	return w;
}

static inline uint16_t fib_word_port(uint64_t word)
{
	return (uint16_t)(word >> 8 & 0xff);
}

/* Destination MAC and port of adjacency i; false: not resolved now, as above. */
static inline bool fib_adj_get(struct fib *f, uint16_t i, struct mac_addr *dst, uint16_t *port)
{
	uint64_t w = fib_adj_word(f, i);

	if (!(w & FIB_ADJ_VALID))
		return false;
	*port = fib_word_port(w);
	for (int b = 0; b < 6; b++)
		dst->octet[b] = (uint8_t)(w >> (56 - 8 * b));
	return true;
}

/* With the tables of INSTANCE_MAIN. NULL + rte_errno. Control core, as all that follows. */
struct fib *fib_create(const char *name, int socket_id);
void fib_destroy(struct fib *f);
/* Makes the tables of one more instance, of 64 MB each; nothing happens where they are. 0; -EINVAL:
 * no such number; -errno. name: as of an rte_lpm. */
int fib_instance_open(struct fib *f, uint16_t instance, const char *name);
/* Writes the next hop of a prefix of at least one bit; `gen` has moved when it returns. 0; -ENOENT:
 * there is no table for it; -errno: it has no room, and what stood there before stands there
 * still. */
int fib_put(struct fib *f, uint16_t instance, const struct ip_prefix *to, uint32_t nh);
/* Removes a prefix of at least one bit; `gen` has moved when it returns. Errors as of fib_put(). */
int fib_remove(struct fib *f, uint16_t instance, const struct ip_prefix *to);

#endif
