/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of ports and their twins, for whoever walks the registry. */
#include <stdio.h>

#include <rte_ethdev.h>

#include "base/metrics.h"
#include "kernel_priv.h"

enum { KERNEL_GROUP = 64 };

static const struct metric kernel_port_metrics[] = {
	{ "rx_packets", "packets", "Packets were received.", METRIC_COUNTER },
	{ "rx_bytes", "bytes", "Bytes were received.", METRIC_COUNTER },
	{ "rx_missed", "packets", "Packets were lost because no queue had room.", METRIC_COUNTER },
	{ "tx_packets", "packets", "Packets were sent.", METRIC_COUNTER },
	{ "tx_bytes", "bytes", "Bytes were sent.", METRIC_COUNTER },
	{ "tx_errors", "packets", "Packets could not be sent.", METRIC_COUNTER },
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
	{ "punted_to_kernel", "packets", "Frames were given to the kernel.", METRIC_COUNTER },
	{ "sent_for_kernel", "packets", "Frames of the kernel were sent.", METRIC_COUNTER },
	{ "frames_dropped", "packets", "Frames from or to the kernel were dropped.",
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

int kernel_metrics_register(struct metrics *m, struct kernel *k)
{
	int ret = metrics_register(m, "kernel", "twins", kernel_twin_metrics,
		RTE_DIM(kernel_twin_metrics), kernel_metrics_twins, k);

	if (ret == 0)
		ret = metrics_register_counters(m, "kernel", "routing", net_mirror_counters_names,
			net_mirror_counters_n, net_ops->mirror_count(k->mirror));
	for (unsigned int i = 0; i < k->s.n_ports && ret == 0; i++) {
		char group[KERNEL_GROUP];

		snprintf(group, sizeof(group), "port/%s", k->s.port[i].conf->name);
		ret = metrics_register(m, "kernel", group, kernel_port_metrics,
			RTE_DIM(kernel_port_metrics), kernel_metrics_port, &k->s.port[i]);
	}
	return ret;
}
