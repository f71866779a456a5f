/* SPDX-License-Identifier: BSD-3-Clause */
/* What is monitored, and what the monitors ask of other rooms. */
#include <errno.h>

#include "process/control.h"

static bool watch_carrier(void *ctx, unsigned int port)
{
	(void)ctx;
	return atomic_load(&T.shared.port[T.port[port].id].up);
}

static bool watch_crypto_failed(void *ctx)
{
	(void)ctx;
	return atomic_load(&replicator_view(T.repl)->crypt_failed);
}

static void watch_verdict(void *ctx, const struct monitor_verdict *v, usec_t now)
{
	const struct control *c = ctx;

	pair_verdict(c->pair, v, now);
}

int watch_open(struct control *c)
{
	struct monitors_settings s = { .conf = T.conf,
		.reactor = c->reactor,
		.mirror = kernel_mirror(c->kernel),
		.alarms = c->alarms,
		.n_ports = T.n_ports,
		.ops = { watch_carrier, watch_crypto_failed, watch_verdict },
		.ctx = c };

	for (unsigned int i = 0; i < T.n_ports; i++) {
		s.port[i].conf = T.port[i].conf;
		s.port[i].id = T.port[i].id;
	}
	c->monitors = monitors_create(&s);
	return c->monitors != NULL ? 0 : -errno;
}
