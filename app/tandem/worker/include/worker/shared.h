/* SPDX-License-Identifier: BSD-3-Clause */
/* shared: what all workers of a chassis look at for each packet. The control core fills it before
 * the workers run; after that it writes the carriers and
 * the places of numbers alone, and any core may read. Nothing here is
 * a call. */
#ifndef TANDEM_WORKER_SHARED_H
#define TANDEM_WORKER_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/places.h"
#include "session/session.h"

struct fib;
struct pool_set;
struct session_events;
struct rte_mempool;

enum { WORKER_MOST = 63 /* workers of a chassis */, WORKER_PORTS = 32 /* numbers of DPDK ports */ };

struct worker_shared {
	struct session_table *table;
	struct pool_set *pools;
	struct fib *fib;
	struct session_events *events; /* cores/session_event.h; each worker has its outbox there */
	struct places places;          /* w: control, while the others read */
	uint32_t gtp4;                 /* the VIP of GTP-U, host order */
	struct {
		uint8_t roles; /* enum config_role; 0: not ours */
		uint8_t bit;   /* of the port, as of peers_entry.ports */
		uint16_t mtu;
		/* the twin's own address (source of ICMP errors), host order; 0 none */
		uint32_t twin4;
		_Atomic bool up; /* w: control (link) */
	} port[WORKER_PORTS];
	unsigned int n_workers;
	uint8_t worker_of_shard[SESSION_SHARDS];
	struct rte_mempool *direct; /* for fragments (copied) and ICMP errors */
	/* spare: fragments are copies, so that ports need no scatter */
	struct rte_mempool *indirect;
};

#endif
