/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the replication core, for whoever walks the registry. */
#include "base/metrics.h"
#include "replicator_priv.h"

/* What was applied to the table: the shards' counters under the names that operators know. */
static const struct metric replicator_table_metrics[] = {
	{ "applied_macro", "records", "Whole records were applied to the table.", METRIC_COUNTER },
	{ "applied_micro", "records", "Differences were applied to the table.", METRIC_COUNTER },
	{ "evicted", "sessions", "Sessions made room for a record of the peer.", METRIC_COUNTER },
	{ "refused_handle", "records", "Records named a slot that the table does not have.",
		METRIC_COUNTER },
	{ "refused_pool", "records", "Records had an address that no pool has.", METRIC_COUNTER },
	{ "refused_malformed", "records", "Records could not be decoded.", METRIC_COUNTER },
	{ "refused_not_owner", "records", "Records came from a side that owns no slots.",
		METRIC_COUNTER },
};

static void replicator_metrics_table(void *ctx, uint64_t *value, unsigned int n)
{
	const struct replicator *r = ctx;
	struct session_counters sum = { 0 };

	(void)n;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		counters_add(&sum, &r->env.table->shard[i].count, session_counters_n);
	value[0] = sum.applied_slot;
	value[1] = sum.applied_delta;
	value[2] = sum.evicted;
	value[3] = sum.refused_handle;
	value[4] = sum.refused_pool;
	value[5] = sum.refused_malformed;
	value[6] = sum.not_owner;
}

static const struct metric replicator_gauges[] = {
	{ "unacknowledged_packets", "packets", "Packets wait for the peer's acknowledgement.",
		METRIC_GAUGE },
	{ "round_trip_us", "microseconds", "How long an acknowledgement takes, smoothed.",
		METRIC_GAUGE },
	{ "replication_rate_mbps", "megabits per second",
		"The rate that the stream may have; 0: no limit.", METRIC_GAUGE },
};

static void replicator_metrics_gauges(void *ctx, uint64_t *value, unsigned int n)
{
	const struct replicator_view *v = replicator_view(ctx);

	(void)n;
	value[0] = atomic_load(&v->unacked);
	value[1] = atomic_load(&v->srtt);
	value[2] = atomic_load(&v->rate_mbps);
}

int replicator_metrics_register(struct metrics *m, struct replicator *r)
{
	const struct crypt_counters *crypt = replicator_crypt_count(r);
	const struct {
		const char *group;
		const char *const *names;
		unsigned int n;
		const void *counters;
	} groups[] = {
		{ "stream", repl_counters_names, repl_counters_n, replicator_stream_count(r) },
		{ "core", replicator_counters_names, replicator_counters_n, replicator_count(r) },
		{ "port", replicator_port_counters_names, replicator_port_counters_n,
			replicator_port_count(r) },
		{ "audit", audit_counters_names, audit_counters_n, replicator_audit_count(r) },
		{ "keys", keys_counters_names, keys_counters_n, replicator_keys_count(r) },
		{ "crypt", crypt_counters_names, crypt_counters_n, crypt },
	};
	int ret = metrics_register(m, "replicator", "table", replicator_table_metrics,
		RTE_DIM(replicator_table_metrics), replicator_metrics_table, r);

	if (ret == 0)
		ret = metrics_register(m, "replicator", "gauges", replicator_gauges,
			RTE_DIM(replicator_gauges), replicator_metrics_gauges, r);
	for (unsigned int i = 0; i < RTE_DIM(groups) && ret == 0; i++)
		if (groups[i].counters != NULL)
			ret = metrics_register_counters(m, "replicator", groups[i].group,
				groups[i].names, groups[i].n, groups[i].counters);
	return ret;
}
