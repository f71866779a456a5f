/* SPDX-License-Identifier: BSD-3-Clause */
/* What is monitored, and what the monitors ask of other rooms. */
#include <errno.h>

#include "process/control.h"
#include "process/settings_rooms.h"

static bool watch_carrier(void *ctx, unsigned int port)
{
	const struct control *c = ctx;
	const struct tandem *t = c->t;

	return atomic_load(&t->shared.port[t->port[port].id].up);
}

static bool watch_crypto_failed(void *ctx)
{
	const struct control *c = ctx;

	return atomic_load(&replicator_view(c->t->repl)->crypt_failed);
}

static void watch_verdict(void *ctx, const struct monitor_verdict *v, usec_t now)
{
	const struct control *c = ctx;

	pair_verdict(c->pair, v, now);
}

int watch_open(struct control *c)
{
	const struct tandem *t = c->t;
	struct monitors_settings s = { .reactor = c->reactor,
		.mirror = kernel_mirror(c->kernel),
		.alarms = c->alarms,
		.n_ports = t->n_ports,
		.ops = { watch_carrier, watch_crypto_failed, watch_verdict },
		.ctx = c };

	settings_monitors_start(t->conf, &s.start);
	settings_monitors_live(t->conf, &s.live);
	for (unsigned int i = 0; i < t->n_ports; i++) {
		s.port[i].conf = t->port[i].conf;
		s.port[i].id = t->port[i].id;
	}
	c->monitors = monitors_create(&s);
	return c->monitors != NULL ? 0 : -errno;
}
