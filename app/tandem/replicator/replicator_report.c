/* SPDX-License-Identifier: BSD-3-Clause */
/* What leaves the replication core for other cores. */
#include "replicator_priv.h"

bool replicator_to_worker(struct replicator *r, unsigned int w, struct repl_to_worker *m)
{
	if (repl_to_worker_send(&r->env.to_worker[w], m) == 0)
		return true;
	r->count.msg_no_room++;
	return false;
}

bool replicator_to_control(struct replicator *r, struct from_replicator *m)
{
	if (from_replicator_send(r->env.reports, m) == 0)
		return true;
	r->count.msg_no_room++;
	return false;
}
