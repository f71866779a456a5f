/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of signalling, for whoever walks the registry: one snapshot has all. */
#include <string.h>

#include <rte_common.h>

#include "base/metrics.h"
#include "signalling/signalling.h"

#define METRIC(name) { #name, NULL, NULL, METRIC_COUNTER },
static const struct metric signalling_gtpc_metrics[] = { GTPC_COUNTERS(METRIC) };
static const struct metric signalling_gate_metrics[] = { COMMIT_GATE_COUNTERS(METRIC) };
static const struct metric signalling_direct_metrics[] = { SIGNALLING_DIRECT_COUNTERS(METRIC) };
static const struct metric signalling_gtpu_metrics[] = { SIGNALLING_GTPU_COUNTERS(METRIC) };
#undef METRIC
static const struct metric signalling_request_metrics[] = {
	{ "requests_in_progress", "requests", "GTP-C requests wait for a worker or the peer.",
		METRIC_GAUGE },
	{ "requests_refused", "requests", "Too many requests were in progress.", METRIC_COUNTER },
	{ "reassembled_dropped", "packets", "Reassembled user packets found no room.",
		METRIC_COUNTER },
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

static void signalling_metrics_requests(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	(void)n;
	signalling_view(ctx, &v);
	value[0] = v.requests_in_progress;
	value[1] = v.requests_refused;
	value[2] = v.frames_dropped;
}

int signalling_metrics_register(struct metrics *m, struct signalling *s)
{
#define ADD(group, rows, read)                                                                     \
	metrics_register(m, "signalling", group, rows, RTE_DIM(rows), read, s)
	int ret[] = {
		ADD("gtpc", signalling_gtpc_metrics, signalling_metrics_gtpc),
		ADD("gate", signalling_gate_metrics, signalling_metrics_gate),
		ADD("direct", signalling_direct_metrics, signalling_metrics_direct),
		ADD("gtpu", signalling_gtpu_metrics, signalling_metrics_gtpu),
		ADD("requests", signalling_request_metrics, signalling_metrics_requests),
	};
#undef ADD

	for (unsigned int i = 0; i < RTE_DIM(ret); i++)
		if (ret[i] < 0)
			return ret[i];
	return 0;
}
