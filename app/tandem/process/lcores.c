/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_lcore.h>

#include "process/tandem.h"

int lcores_choose(struct tandem *t)
{
	const struct config *f = t->conf;
	unsigned int id, last = RTE_MAX_LCORE;
	bool taken[RTE_MAX_LCORE] = { 0 };

	if (rte_lcore_count() < 3) {
		LOG(ERR,
			"%u lcores: at least three are needed (control, replication, one worker): "
			"see --lcores",
			rte_lcore_count());
		return -EINVAL;
	}
	if (f->lcores.control >= 0 && (unsigned int)f->lcores.control != rte_get_main_lcore()) {
		LOG(ERR,
			"lcores.control is %d, but the EAL's main lcore is %u: start with "
			"--main-lcore %d",
			f->lcores.control, rte_get_main_lcore(), f->lcores.control);
		return -EINVAL;
	}
	RTE_LCORE_FOREACH_WORKER (id)
		last = id;
	t->repl_lcore = f->lcores.replication >= 0 ? (unsigned int)f->lcores.replication : last;
	if (!rte_lcore_is_enabled(t->repl_lcore) || t->repl_lcore == rte_get_main_lcore()) {
		LOG(ERR, "lcores.replication is %u: not one of the EAL's worker lcores",
			t->repl_lcore);
		return -EINVAL;
	}
	taken[t->repl_lcore] = true;
	if (f->lcores.n_workers > 0) {
		for (unsigned int i = 0; i < f->lcores.n_workers; i++) {
			id = (unsigned int)f->lcores.workers[i];
			if (id >= RTE_MAX_LCORE || !rte_lcore_is_enabled(id) || taken[id] ||
				id == rte_get_main_lcore()) {
				LOG(ERR, "lcores.workers: %u is not a free worker lcore of the EAL",
					id);
				return -EINVAL;
			}
			taken[id] = true;
			t->worker_lcore[t->n_workers++] = id;
		}
		return 0;
	}
	RTE_LCORE_FOREACH_WORKER (id) {
		if (!taken[id] && t->n_workers < TANDEM_WORKERS)
			t->worker_lcore[t->n_workers++] = id;
	}
	return 0;
}
