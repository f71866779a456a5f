/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the pair, for whoever walks the registry. */
#include "base/metrics.h"
#include "process/control.h"

static const struct metric pair_link_metrics[] = {
	{ "connections_of_strangers", "connections",
		"SRP connections came from an address that is not the peer's.", METRIC_COUNTER },
	{ "handshakes_failed", "connections", "Somebody could not prove to be the peer.",
		METRIC_COUNTER },
};

static void pair_metrics_link(void *ctx, uint64_t *value, unsigned int n)
{
	const struct control *c = ctx;

	(void)n;
	value[0] = c->link.strangers;
	value[1] = c->link.handshakes_failed;
}

int pair_metrics_register(struct metrics *m, struct control *c)
{
	int ret = metrics_register_counters(
		m, "pair", "srp", srp_counters_names, srp_counters_n, &srp_info(c->srp)->count);

	return ret < 0 ? ret
		       : metrics_register(m, "pair", "link", pair_link_metrics,
				 RTE_DIM(pair_link_metrics), pair_metrics_link, c);
}
