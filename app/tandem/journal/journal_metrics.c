/* SPDX-License-Identifier: BSD-3-Clause */
/* Switchovers by cause, transitions by the state they led to and ends of sessions by reason, for
 * whoever walks the registry. */
#include "base/metrics.h"
#include "journal/journal.h"

#define JOURNAL_SWITCHOVERS(X)                                                                     \
	X(AAA, "aaa_failure", "AAA servers had failed")                                            \
	X(BGP, "bgp_failure", "BGP peers had failed")                                              \
	X(BFD, "bfd_failure", "BFD sessions had failed")                                           \
	X(DIAMETER, "diameter_failure", "Diameter peers had failed")                               \
	X(DUAL_ACTIVE, "dual_active", "both chassis were Active")                                  \
	X(DUAL_STANDBY, "dual_standby", "both chassis were Standby")                               \
	X(DEAD_TIMER, "dead_timer_expiry", "the peer was silent for dead-interval")                \
	X(FORCED, "forced", "an operator forced them")                                             \
	X(MANUAL, "manual", "an operator asked for them")                                          \
	X(ROUTE, "route_failure", "monitored routes had failed")                                   \
	X(LINK, "link_failure", "monitored links had failed")                                      \
	X(LOCAL_FAULT, "local_fault", "the Active had a fault of its own")                         \
	X(SHUTDOWN, "shutdown", "the Active was shut down")
#define JOURNAL_TRANSITIONS(X)                                                                     \
	X(INIT, "init", "Init")                                                                    \
	X(STANDBY, "standby", "Standby")                                                           \
	X(PENDING_ACTIVE, "pending_active", "Pending-Active")                                      \
	X(ACTIVE, "active", "Active")                                                              \
	X(PENDING_STANDBY, "pending_standby", "Pending-Standby")

#define JOURNAL_METRIC_SWITCHOVER(cause, name, because)                                            \
	{ name, "switchovers", "Switchovers happened because " because ".", METRIC_COUNTER },
#define JOURNAL_METRIC_TRANSITION(state, name, word)                                               \
	{ name, "transitions", "This chassis became " word ".", METRIC_COUNTER },
#define JOURNAL_METRIC_END(VALUE, name, because)                                                   \
	{ #name, "sessions", "Sessions ended because " because ".", METRIC_COUNTER },
#define JOURNAL_WHY(VALUE, name, because)   SESSION_WHY_##VALUE,
#define JOURNAL_CAUSE(cause, name, because) SRP_CAUSE_##cause,
#define JOURNAL_STATE(state, name, word)    SRP_##state,

static const struct metric journal_switchover_metrics[] = { JOURNAL_SWITCHOVERS(
	JOURNAL_METRIC_SWITCHOVER) };
static const struct metric journal_transition_metrics[] = { JOURNAL_TRANSITIONS(
	JOURNAL_METRIC_TRANSITION) };
static const struct metric journal_end_metrics[] = { SESSION_WHYS(JOURNAL_METRIC_END) };
static const enum session_why journal_metric_whys[] = { SESSION_WHYS(JOURNAL_WHY) };
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

static void journal_metrics_ends(void *ctx, uint64_t *value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		value[i] = journal_ends(ctx, journal_metric_whys[i]);
}

enum { JOURNAL_TABLE_SWITCHOVERS, JOURNAL_TABLE_TRANSITIONS, JOURNAL_TABLE_ENDS };
static const struct metrics_table journal_tables[] = {
	[JOURNAL_TABLE_SWITCHOVERS] =
		METRICS_TABLE("switchovers", NULL, journal_switchover_metrics),
	[JOURNAL_TABLE_TRANSITIONS] =
		METRICS_TABLE("transitions", NULL, journal_transition_metrics),
	[JOURNAL_TABLE_ENDS] = METRICS_TABLE("sessions-ended", NULL, journal_end_metrics),
};
const struct metrics_room journal_metrics = METRICS_ROOM("journal", journal_tables);

int journal_metrics_register(struct metrics *m, struct journal *j)
{
	int ret = metrics_register(m, &journal_tables[JOURNAL_TABLE_SWITCHOVERS], NULL,
		journal_metrics_switchovers, j);

	if (ret == 0)
		ret = metrics_register(m, &journal_tables[JOURNAL_TABLE_TRANSITIONS], NULL,
			journal_metrics_transitions, j);
	if (ret == 0)
		ret = metrics_register(
			m, &journal_tables[JOURNAL_TABLE_ENDS], NULL, journal_metrics_ends, j);
	return ret;
}
