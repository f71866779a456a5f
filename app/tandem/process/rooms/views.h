/* SPDX-License-Identifier: BSD-3-Clause */
/* views: what the operator's families of handlers are given, and how they reach the rooms that they
 * show: the one place that knows both. */
#ifndef TANDEM_PROCESS_VIEWS_H
#define TANDEM_PROCESS_VIEWS_H

#include "process/tandem.h"
#include "operator/operator.h"

struct control;

struct views {
	struct operator_start start;
	struct operator_pair pair;
	struct operator_srp srp;
	struct operator_audit audit;
	struct operator_table table;
	struct operator_gtp gtp;
	struct operator_worker worker[TANDEM_WORKERS];
	struct operator_cores cores;
	struct operator_monitors monitors;
	struct operator_history history;
};

/* Once all rooms are there. */
void views_fill(struct views *v, struct control *c, struct metrics *metrics);

#endif
