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
			"there are too few lcores: at least three are needed (control, "
			"replication, one worker), see --lcores lcores=%u",
			rte_lcore_count());
		return -EINVAL;
	}
	if (f->lcores.control >= 0 && (unsigned int)f->lcores.control != rte_get_main_lcore()) {
		LOG(ERR,
			"lcores.control is not the main lcore of the EAL: start with the option "
			"--main-lcore and the same lcore lcore=%d main_lcore=%u",
			f->lcores.control, rte_get_main_lcore());
		return -EINVAL;
	}
	RTE_LCORE_FOREACH_WORKER (id)
		last = id;
	t->repl_lcore = f->lcores.replication >= 0 ? (unsigned int)f->lcores.replication : last;
	if (!rte_lcore_is_enabled(t->repl_lcore) || t->repl_lcore == rte_get_main_lcore()) {
		LOG(ERR,
			"lcores.replication is not one of the EAL's worker lcores: see --lcores "
			"lcore=%u",
			t->repl_lcore);
		return -EINVAL;
	}
	taken[t->repl_lcore] = true;
	if (f->lcores.n_workers > 0) {
		for (unsigned int i = 0; i < f->lcores.n_workers; i++) {
			id = (unsigned int)f->lcores.workers[i];
			if (id >= RTE_MAX_LCORE || !rte_lcore_is_enabled(id) || taken[id] ||
				id == rte_get_main_lcore()) {
				LOG(ERR,
					"lcores.workers has one that is not a free worker lcore of "
					"the EAL: see --lcores lcore=%u",
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
