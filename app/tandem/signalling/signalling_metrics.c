/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of signalling, for whoever walks the registry: one snapshot has all. */
#include <string.h>

#include <rte_common.h>

#include "base/metrics.h"
#include "signalling/signalling.h"

static const struct metric signalling_gtpc_metrics[] = { GTPC_COUNTERS(METRIC) };
static const struct metric signalling_gate_metrics[] = { PDP_GATE_COUNTERS(METRIC) };
static const struct metric signalling_direct_metrics[] = { SIGNALLING_DIRECT_COUNTERS(METRIC) };
static const struct metric signalling_gtpu_metrics[] = { SIGNALLING_GTPU_COUNTERS(METRIC) };
static const struct metric signalling_peer_metrics[] = { SIGNALLING_PEER_COUNTERS(METRIC) };
static const struct metric signalling_request_metrics[] = {
	{ "requests_in_progress", "requests",
		"GTP-C requests are being worked on: they wait for a worker or the standby.",
		METRIC_GAUGE },
	{ "reassembled_dropped", "packets",
		"User packets put together from fragments were dropped for lack of room.",
		METRIC_COUNTER },
	PDP_ROW_COUNTERS(METRIC) GTPC_ANSWERED_COUNTERS(METRIC)
};

static void signalling_metrics_gtpc(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gtpc, n * sizeof(value[0]));
}

static void signalling_metrics_gate(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gate, n * sizeof(value[0]));
}

static void signalling_metrics_direct(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.direct, n * sizeof(value[0]));
}

static void signalling_metrics_gtpu(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gtpu, n * sizeof(value[0]));
}

static void signalling_metrics_peers(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.peers, n * sizeof(value[0]));
}

static void signalling_metrics_requests(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	(void)n;
	signalling_view(ctx, &v);
	value[0] = v.requests_in_progress;
	value[1] = v.frames_dropped;
	memcpy(value + 2, &v.rows, sizeof(v.rows));
	memcpy(value + 2 + sizeof(v.rows) / sizeof(value[0]), &v.answered, sizeof(v.answered));
}

static const struct metrics_table signalling_tables[] = {
	METRICS_TABLE("gtpc", NULL, signalling_gtpc_metrics),
	METRICS_TABLE("gate", NULL, signalling_gate_metrics),
	METRICS_TABLE("direct", NULL, signalling_direct_metrics),
	METRICS_TABLE("gtpu", NULL, signalling_gtpu_metrics),
	METRICS_TABLE("peers", NULL, signalling_peer_metrics),
	METRICS_TABLE("requests", NULL, signalling_request_metrics),
};
const struct metrics_room signalling_metrics = METRICS_ROOM("signalling", signalling_tables);

/* In the order of the tables. */
static metrics_read_fn *const signalling_reads[] = { signalling_metrics_gtpc,
	signalling_metrics_gate, signalling_metrics_direct, signalling_metrics_gtpu,
	signalling_metrics_peers, signalling_metrics_requests };
_Static_assert(RTE_DIM(signalling_reads) == RTE_DIM(signalling_tables), "one reader a table");

int signalling_metrics_register(struct metrics *m, struct signalling *s)
{
	int ret = 0;

	for (unsigned int i = 0; i < RTE_DIM(signalling_tables) && ret == 0; i++)
		ret = metrics_register(m, &signalling_tables[i], NULL, signalling_reads[i], s);
	return ret;
}
