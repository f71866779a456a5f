/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers and the replication core are given when they are made. */
#include <errno.h>
#include <string.h>

#include "process/boot.h"
#include "process/settings_rooms.h"
#include "process/tandem.h"
#include "replicator/ethernet.h"
#include "replicator/replicator.h"
#include "replicator/twin_frames.h"
#include "worker/worker.h"

static const struct port *envs_replication_port(const struct tandem *t)
{
	const struct port *p = NULL;

	for (unsigned int i = 0; i < t->n_ports; i++)
		if (t->port[i].conf->roles & CONFIG_REPLICATION)
			p = &t->port[i];
	return p;
}

/* Which transport carries the stream is decided here and nowhere else. */
int boot_transport(struct tandem *t)
{
	const struct port *p = envs_replication_port(t);
	struct ethernet_settings s = {
		.port = p->id, .port_mtu = (uint16_t)p->conf->mtu, .mac = p->mac, .fib = t->fib
	};

	t->repl_port.twin = s.twin = twin_frames_create(p->id, t->punt, t->repl_port.kernel_out);
	if (t->repl_port.twin == NULL)
		return -ENOMEM;
	settings_ethernet_start(t->conf, &s.start);
	t->repl_port.transport = ethernet_create(&s);
	return t->repl_port.transport != NULL ? 0 : -ENOMEM;
}

void boot_transport_end(struct tandem *t)
{
	if (t->repl_port.transport != NULL)
		t->repl_port.transport->ops->destroy(t->repl_port.transport);
	twin_frames_destroy(t->repl_port.twin);
}

struct worker *boot_worker(struct tandem *t, unsigned int number)
{
	struct worker_env e = { .number = number,
		.n_workers = t->n_workers,
		.settings = t->settings,
		.shared = &t->shared,
		.role = &t->role,
		.secret = &t->random.secret,
		.generations = &t->random.generations,
		.stream_packet = t->repl_port.transport->mtu,
		.orders = &t->to_worker[number],
		.reports = &t->from_worker[number],
		.stream_news = &t->repl_to_worker[number],
		.msgs = t->msgs,
		.punt = t->punt,
		.kernel_out = t->kernel_out[number],
		.handover = t->handover,
		.stream_out = t->stream_out[number],
		.stream_mbufs = t->stream_mbufs,
		.flow = &t->flow,
		.pulse = &t->pulse_worker[number],
		.pulse_of_replicator = &t->pulse_repl,
		.pair_time = &t->pair_time,
		.quit = &t->quit };

	for (unsigned int i = 0; i < t->n_ports; i++)
		if (t->port[i].conf->roles & (CONFIG_ACCESS | CONFIG_CORE))
			e.ports[e.n_ports++] = t->port[i].id;
	return worker_create(&e);
}

struct replicator *boot_replicator(struct tandem *t)
{
	struct replicator_env e = { .settings = t->settings,
		.table = t->table,
		.worker_of_shard = t->shared.worker_of_shard,
		.n_workers = t->n_workers,
		.crypt = t->crypt,
		.side = t->side,
		.incarnation = t->random.incarnation,
		.transport = t->repl_port.transport,
		.twin = t->repl_port.twin,
		.orders = &t->to_repl,
		.reports = &t->from_repl,
		.to_worker = t->repl_to_worker,
		.msgs = t->msgs,
		.batch = &t->events.batch,
		.stream_out = t->stream_out,
		.stream_mbufs = t->stream_mbufs,
		.flow = &t->flow,
		.pulse = &t->pulse_repl,
		.pair_time = &t->pair_time,
		.pulse_of_control = &t->pulse_control,
		.pulse_of_worker = t->pulse_worker,
		.quit = &t->quit };

	settings_replicator_start(t->conf, &e.start);
	settings_replicator_live(t->conf, &e.live);
	return replicator_create(&e);
}
