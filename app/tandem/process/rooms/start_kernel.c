/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel room is given at the start, and where its frames go. */
#include <errno.h>

#include "process/control.h"
#include "process/settings_rooms.h"

static bool start_kernel_frame(void *ctx, struct rte_mbuf *m, usec_t now)
{
	struct control *c = ctx;

	return signalling_frame(c->signalling, m, now);
}

static void start_kernel_claimed(void *ctx, const struct net_claim *claim)
{
	const struct control *c = ctx;

	pair_claimed(c->pair, claim);
}

int start_kernel(struct control *c)
{
	struct tandem *t = c->t;
	struct kernel_settings s = { .reactor = c->reactor,
		.fib = t->fib,
		.mbufs = t->mbufs,
		.punt = t->punt,
		.out = t->kernel_out[0],
		.n_ports = t->n_ports,
		.ops = { start_kernel_frame, start_kernel_claimed },
		.ctx = c,
		.secret = t->random.secret };

	settings_kernel_start(t->conf, &c->lists.placed, &s.start);
	for (unsigned int i = 0; i < t->n_ports; i++) {
		const struct port *p = &t->port[i];

		s.port[i] = (struct kernel_port){ .conf = p->conf,
			.id = p->id,
			.mac = p->mac,
			.under_ifindex = p->under_ifindex,
			.twin = p->twin,
			.up = &t->shared.port[p->id].up,
			.out = p->conf->roles & CONFIG_REPLICATION ? t->repl_port.kernel_out
								   : t->kernel_out[0] };
	}
	c->kernel = kernel_create(&s);
	if (c->kernel == NULL)
		return -errno;
	c->vips = kernel_vips(c->kernel);
	return 0;
}
