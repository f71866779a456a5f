/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the replication core, for whoever walks the registry. */
#include <string.h>

#include "base/metrics.h"
#include "replicator_priv.h"

/* What was applied to the table: the shards' counters under the names that operators know. */
static const struct metric replicator_table_metrics[] = {
	{ "applied_macro", "records",
		"Records of whole slots of the peer were applied to the table.", METRIC_COUNTER },
	{ "applied_micro", "records", "Records of parts of slots were applied to the table.",
		METRIC_COUNTER },
	{ "evicted", "sessions",
		"Sessions were removed because a record of the peer gives their address to "
		"another session.",
		METRIC_COUNTER },
	{ "refused_handle", "requests",
		"Records or requests were refused because the slot does not have the session that "
		"they name.",
		METRIC_COUNTER },
	{ "refused_pool", "requests",
		"Records or requests were refused because no pool has their address.",
		METRIC_COUNTER },
	{ "refused_malformed", "records",
		"Records of the peer were refused because they are malformed.", METRIC_COUNTER },
	{ "refused_not_owner", "requests",
		"Records or requests were refused because whoever brought them does not own the "
		"shard.",
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
	{ "unacknowledged_packets", "packets",
		"Packets of the stream wait for the peer's acknowledgement.", METRIC_GAUGE },
	{ "round_trip_us", "microseconds",
		"An acknowledgement of the peer takes so long, as a smoothed mean.", METRIC_GAUGE },
	{ "replication_rate_mbps", "Mbit/s", "The stream may send so fast; 0 is without a limit.",
		METRIC_GAUGE },
};

static void replicator_metrics_gauges(void *ctx, uint64_t *value, unsigned int n)
{
	const struct replicator_view *v = replicator_view(ctx);

	(void)n;
	value[0] = atomic_load(&v->unacked);
	value[1] = atomic_load(&v->srtt);
	value[2] = atomic_load(&v->rate_mbps);
}

static const struct metric replicator_stream_metrics[] = { REPL_COUNTERS(METRIC) };
static const struct metric replicator_core_metrics[] = { REPLICATOR_COUNTERS(METRIC) };
static const struct metric replicator_port_metrics[] = { REPLICATOR_PORT_COUNTERS(METRIC) };
static const struct metric replicator_audit_metrics[] = { AUDIT_COUNTERS(METRIC) };
static const struct metric replicator_keys_metrics[] = { KEYS_COUNTERS(METRIC) };
static const struct metric replicator_crypt_metrics[] = { CRYPT_COUNTERS(METRIC) };

/* Those of the transport and of the kernel's frames, which have their rows each. */
static void replicator_metrics_port(void *ctx, uint64_t *value, unsigned int n)
{
	struct replicator_port_counters sum;

	replicator_port_count(ctx, &sum);
	memcpy(value, &sum, n * sizeof(*value));
}

/* The structs of counters have the first of them. */
enum {
	REPLICATOR_TABLE_PORT = 2,
	REPLICATOR_STRUCTS = 6,
	REPLICATOR_TABLE_TABLE = REPLICATOR_STRUCTS,
	REPLICATOR_TABLE_GAUGES
};
static const struct metrics_table replicator_tables[] = {
	METRICS_TABLE("stream", NULL, replicator_stream_metrics),
	METRICS_TABLE("core", NULL, replicator_core_metrics),
	[REPLICATOR_TABLE_PORT] = METRICS_TABLE("port", NULL, replicator_port_metrics),
	METRICS_TABLE("audit", NULL, replicator_audit_metrics),
	METRICS_TABLE("keys", NULL, replicator_keys_metrics),
	METRICS_TABLE("crypt", NULL, replicator_crypt_metrics),
	[REPLICATOR_TABLE_TABLE] = METRICS_TABLE("table", NULL, replicator_table_metrics),
	[REPLICATOR_TABLE_GAUGES] = METRICS_TABLE("gauges", NULL, replicator_gauges),
};
const struct metrics_room replicator_metrics = METRICS_ROOM("replicator", replicator_tables);

int replicator_metrics_register(struct metrics *m, struct replicator *r)
{
	/* In the order of the tables; the port's is a sum; crypt: NULL in plain text. */
	const void *const counters[] = { replicator_stream_count(r), replicator_count(r), NULL,
		replicator_audit_count(r), replicator_keys_count(r), replicator_crypt_count(r) };
	int ret = metrics_register(
		m, &replicator_tables[REPLICATOR_TABLE_TABLE], NULL, replicator_metrics_table, r);

	_Static_assert(RTE_DIM(counters) == REPLICATOR_STRUCTS, "one struct a table");
	if (ret == 0)
		ret = metrics_register(m, &replicator_tables[REPLICATOR_TABLE_GAUGES], NULL,
			replicator_metrics_gauges, r);
	for (unsigned int i = 0; i < RTE_DIM(counters) && ret == 0; i++)
		if (i == REPLICATOR_TABLE_PORT)
			ret = metrics_register(
				m, &replicator_tables[i], NULL, replicator_metrics_port, r);
		else if (counters[i] != NULL)
			ret = metrics_register_counters(
				m, &replicator_tables[i], NULL, counters[i]);
	return ret;
}
