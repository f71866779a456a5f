/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a worker, for whoever walks the registry. */
#include <stdio.h>

#include "base/metrics.h"
#include "worker_priv.h"

enum { WORKER_GROUP = 32 };

static int worker_metrics_group(struct metrics *m, const struct worker *w, const char *name,
	const char *const *names, unsigned int n, const void *counters)
{
	char group[WORKER_GROUP];

	snprintf(group, sizeof(group), "%s/%u", name, w->number);
	return metrics_register_counters(m, "worker", group, names, n, counters);
}

int worker_metrics_register(struct metrics *m, const struct worker *w)
{
	int ret = worker_metrics_group(
		m, w, "fastpath", fastpath_counters_names, fastpath_counters_n, &w->fp.count);

	if (ret == 0)
		ret = worker_metrics_group(
			m, w, "worker", worker_counters_names, worker_counters_n, &w->count);
	return ret < 0 ? ret
		       : worker_metrics_group(m, w, "sync", sync_counters_names, sync_counters_n,
				 &w->sync.count);
}
