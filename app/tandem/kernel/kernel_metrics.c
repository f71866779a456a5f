/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of ports and their twins, for whoever walks the registry. */
#include <rte_ethdev.h>

#include "base/metrics.h"
#include "kernel_priv.h"

static const struct metric kernel_port_metrics[] = {
	{ "rx_packets", "packets", "Packets were received by the port.", METRIC_COUNTER },
	{ "rx_bytes", "bytes", "Bytes were received by the port.", METRIC_COUNTER },
	{ "rx_missed", "packets",
		"Packets were lost because the port's receive queues had no room.",
		METRIC_COUNTER },
	{ "tx_packets", "packets", "Packets were sent by the port.", METRIC_COUNTER },
	{ "tx_bytes", "bytes", "Bytes were sent by the port.", METRIC_COUNTER },
	{ "tx_errors", "packets", "Packets could not be sent by the port.", METRIC_COUNTER },
};

static void kernel_metrics_port(void *ctx, uint64_t *value, unsigned int n)
{
	const struct kernel_port *p = ctx;
	struct rte_eth_stats st = { 0 };

	(void)n;
	rte_eth_stats_get(p->id, &st);
	value[0] = st.ipackets;
	value[1] = st.ibytes;
	value[2] = st.imissed;
	value[3] = st.opackets;
	value[4] = st.obytes;
	value[5] = st.oerrors;
}

static const struct metric kernel_twin_metrics[] = {
	{ "punted_to_kernel", "frames", "Frames of ports were given to the kernel.",
		METRIC_COUNTER },
	{ "sent_for_kernel", "frames", "Frames of the kernel were passed on to be sent by a port.",
		METRIC_COUNTER },
	{ "frames_dropped", "frames", "Frames from or to the kernel were dropped.",
		METRIC_COUNTER },
};

static void kernel_metrics_twins(void *ctx, uint64_t *value, unsigned int n)
{
	struct kernel_view v;

	(void)n;
	kernel_view(ctx, &v);
	value[0] = v.to_kernel;
	value[1] = v.from_kernel;
	value[2] = v.frames_dropped;
}

static const struct metric kernel_routing_metrics[] = { NET_MIRROR_COUNTERS(METRIC) };

enum { KERNEL_TABLE_TWINS, KERNEL_TABLE_ROUTING, KERNEL_TABLE_PORT };
static const struct metrics_table kernel_tables[] = {
	[KERNEL_TABLE_TWINS] = METRICS_TABLE("twins", NULL, kernel_twin_metrics),
	[KERNEL_TABLE_ROUTING] = METRICS_TABLE("routing", NULL, kernel_routing_metrics),
	[KERNEL_TABLE_PORT] = METRICS_TABLE("port", "port", kernel_port_metrics),
};
const struct metrics_room kernel_metrics = METRICS_ROOM("kernel", kernel_tables);

int kernel_metrics_register(struct metrics *m, struct kernel *k)
{
	int ret = metrics_register(
		m, &kernel_tables[KERNEL_TABLE_TWINS], NULL, kernel_metrics_twins, k);

	if (ret == 0)
		ret = metrics_register_counters(m, &kernel_tables[KERNEL_TABLE_ROUTING], NULL,
			net_ops->mirror_count(k->mirror));
	for (unsigned int i = 0; i < k->s.n_ports && ret == 0; i++)
		ret = metrics_register(m, &kernel_tables[KERNEL_TABLE_PORT],
			k->s.port[i].conf->name, kernel_metrics_port, &k->s.port[i]);
	return ret;
}
