/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "cores/msg.h"
#include "cores/repl_to_worker.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"

#define MSG_ROW(DIR, dir, TYPE, name) [DIR##_##TYPE] = { #name, MSG_##DIR },

static const struct msg_row msg_rows[UINT8_MAX + 1] = { TO_WORKER_ROWS(MSG_ROW)
		FROM_WORKER_ROWS(MSG_ROW) TO_REPLICATOR_ROWS(MSG_ROW) FROM_REPLICATOR_ROWS(MSG_ROW)
			REPL_TO_WORKER_ROWS(MSG_ROW) };

const struct msg_row *msg_row(uint8_t type)
{
	return &msg_rows[type];
}

struct msg *msg_new(struct rte_mempool *pool, uint8_t type)
{
	void *p;
	struct msg *m;

	if (rte_mempool_get(pool, &p) < 0)
		return NULL;
	m = p;
	memset(p, 0, MSG_BYTES);
	m->type = type;
	return m;
}

void msg_free(struct rte_mempool *pool, void *m)
{
	rte_mempool_put(pool, m);
}

int door_send(const struct door *d, struct msg *m)
{
	if (rte_ring_enqueue(d->ring, m) == 0)
		return 0;
	msg_free(d->pool, m);
	return -ENOBUFS;
}

unsigned int door_room(const struct door *d)
{
	return rte_ring_free_count(d->ring);
}

struct msg *door_take(const struct door *d)
{
	void *m;

	return rte_ring_dequeue(d->ring, &m) == 0 ? m : NULL;
}
