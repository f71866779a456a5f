/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a worker, for whoever walks the registry. */
#include <stdio.h>

#include "base/metrics.h"
#include "worker_priv.h"

static const struct metric worker_fastpath_metrics[] = { FASTPATH_COUNTERS(METRIC) };
static const struct metric worker_worker_metrics[] = { WORKER_COUNTERS(METRIC) };
static const struct metric worker_sync_metrics[] = { SYNC_COUNTERS(METRIC) };

static const struct metrics_table worker_tables[] = {
	METRICS_TABLE("fastpath", "worker", worker_fastpath_metrics),
	METRICS_TABLE("worker", "worker", worker_worker_metrics),
	METRICS_TABLE("sync", "worker", worker_sync_metrics),
};
const struct metrics_room worker_metrics = METRICS_ROOM("worker", worker_tables);

int worker_metrics_register(struct metrics *m, const struct worker *w)
{
	/* In the order of the tables. */
	const void *const counters[] = { &w->fp.count, &w->count, &w->sync.count };
	char number[16];
	int ret = 0;

	_Static_assert(RTE_DIM(counters) == RTE_DIM(worker_tables), "one struct a table");
	snprintf(number, sizeof(number), "%u", w->number);
	for (unsigned int i = 0; i < RTE_DIM(worker_tables) && ret == 0; i++)
		ret = metrics_register_counters(m, &worker_tables[i], number, counters[i]);
	return ret;
}
