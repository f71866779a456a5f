/* SPDX-License-Identifier: BSD-3-Clause */
/* Switchovers by cause and transitions by the state they led to, for whoever walks the registry. */
#include <rte_common.h>

#include "base/metrics.h"
#include "journal/journal.h"

#define JOURNAL_SWITCHOVERS(X)                                                                     \
	X(AAA, "aaa_failure")                                                                      \
	X(BGP, "bgp_failure")                                                                      \
	X(BFD, "bfd_failure")                                                                      \
	X(DIAMETER, "diameter_failure")                                                            \
	X(DUAL_ACTIVE, "dual_active")                                                              \
	X(DUAL_STANDBY, "dual_standby")                                                            \
	X(DEAD_TIMER, "dead_timer_expiry")                                                         \
	X(FORCED, "forced")                                                                        \
	X(MANUAL, "manual")                                                                        \
	X(ROUTE, "route_failure")                                                                  \
	X(LINK, "link_failure")                                                                    \
	X(LOCAL_FAULT, "local_fault")                                                              \
	X(SHUTDOWN, "shutdown")
#define JOURNAL_TRANSITIONS(X)                                                                     \
	X(INIT, "init")                                                                            \
	X(STANDBY, "standby")                                                                      \
	X(PENDING_ACTIVE, "pending_active")                                                        \
	X(ACTIVE, "active")                                                                        \
	X(PENDING_STANDBY, "pending_standby")

#define JOURNAL_METRIC_SWITCHOVER(cause, name)                                                     \
	{ name, "switchovers", "Switchovers of this cause happened.", METRIC_COUNTER },
#define JOURNAL_METRIC_TRANSITION(state, name)                                                     \
	{ name, "transitions", "This chassis went to this state.", METRIC_COUNTER },
#define JOURNAL_CAUSE(cause, name) SRP_CAUSE_##cause,
#define JOURNAL_STATE(state, name) SRP_##state,

static const struct metric journal_switchover_metrics[] = { JOURNAL_SWITCHOVERS(
	JOURNAL_METRIC_SWITCHOVER) };
static const struct metric journal_transition_metrics[] = { JOURNAL_TRANSITIONS(
	JOURNAL_METRIC_TRANSITION) };
static const enum srp_cause journal_metric_causes[] = { JOURNAL_SWITCHOVERS(JOURNAL_CAUSE) };
static const enum srp_state journal_metric_states[] = { JOURNAL_TRANSITIONS(JOURNAL_STATE) };

static void journal_metrics_switchovers(void *ctx, uint64_t *value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		value[i] = journal_switchovers(ctx, journal_metric_causes[i]);
}

static void journal_metrics_transitions(void *ctx, uint64_t *value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		value[i] = journal_transitions(ctx, journal_metric_states[i]);
}

int journal_metrics_register(struct metrics *m, struct journal *j)
{
	int ret = metrics_register(m, "journal", "switchovers", journal_switchover_metrics,
		RTE_DIM(journal_switchover_metrics), journal_metrics_switchovers, j);

	return ret < 0 ? ret
		       : metrics_register(m, "journal", "transitions", journal_transition_metrics,
				 RTE_DIM(journal_transition_metrics), journal_metrics_transitions,
				 j);
}
