/* SPDX-License-Identifier: BSD-3-Clause */
/* What the signalling room is given at the start. */
#include <errno.h>
#include <sys/epoll.h>

#include "process/control.h"
#include "process/settings_rooms.h"

static void start_signalling_settled(void *ctx)
{
	struct control *c = ctx;

	reactor_settle(c->reactor);
}

static void start_signalling_gtpc(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;

	(void)s;
	(void)events;
	signalling_gtpc_ready(c->signalling, clock_us());
}

static void start_signalling_gtpu(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;

	(void)s;
	(void)events;
	signalling_gtpu_ready(c->signalling, clock_us());
}

/* Those of the access ports. */
static unsigned int start_signalling_ports(struct tandem *t, struct signalling_port *ports)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < t->n_ports; i++) {
		const struct port *p = &t->port[i];

		if (p->conf->roles & CONFIG_ACCESS)
			ports[n++] = (struct signalling_port){ .id = p->id,
				.mtu = (uint16_t)p->conf->mtu,
				.bit = t->shared.port[p->id].bit,
				.mac = p->mac,
				.twin_ifindex = p->twin.ifindex,
				.up = &t->shared.port[p->id].up };
	}
	return n;
}

int start_signalling(struct control *c)
{
	struct tandem *t = c->t;
	struct signalling_port ports[CONFIG_PORTS];
	struct signalling_env env = { .places = &t->shared.places,
		.vip4 = t->shared.gtp4,
		.secret = t->random.secret,
		.ports = ports,
		.n_ports = start_signalling_ports(t, ports),
		.settings = t->settings,
		.table = t->table,
		.fib = t->fib,
		.mirror = kernel_mirror(c->kernel),
		.n_workers = t->n_workers,
		.to_worker = t->to_worker,
		.worker_of_shard = t->shared.worker_of_shard,
		.msgs = t->msgs,
		.mbufs = t->mbufs,
		.transmit = t->kernel_out[0],
		.handover = t->handover,
		.role = &t->role,
		.settled = start_signalling_settled,
		.ctx = c };
	int ret;

	settings_signalling_start(t->conf, &c->lists.placed, &env.start);
	settings_signalling_live(t->conf, &c->lists.placed, &env.live);
	c->signalling = signalling_create(&env);
	if (c->signalling == NULL)
		return -errno;
	ret = reactor_watch(c->reactor, &c->signalling_src.gtpc, signalling_gtpc_fd(c->signalling),
		EPOLLIN, start_signalling_gtpc, c);
	if (ret == 0)
		ret = reactor_watch(c->reactor, &c->signalling_src.gtpu,
			signalling_gtpu_fd(c->signalling), EPOLLIN, start_signalling_gtpu, c);
	return ret;
}
