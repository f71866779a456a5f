/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "cores/msg.h"

_Static_assert(sizeof(struct msg) <= MSG_BYTES, "a message is four cache lines");

struct msg *msg_new(struct rte_mempool *pool, enum msg_type type)
{
	void *p;
	struct msg *m;

	if (rte_mempool_get(pool, &p) < 0)
		return NULL;
	m = p;
	memset(m, 0, sizeof(*m));
	m->type = (uint8_t)type;
	return m;
}

int door_send(const struct door *d, struct msg *m)
{
	if (rte_ring_enqueue(d->ring, m) == 0)
		return 0;
	msg_free(d->pool, m);
	return -ENOBUFS;
}
