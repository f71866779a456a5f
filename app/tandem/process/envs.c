/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers and the replication core are given when they are made. */
#include <string.h>

#include "process/boot.h"
#include "process/tandem.h"
#include "replicator/replicator.h"
#include "worker/worker.h"

static const struct port *replication_port(void)
{
	const struct port *p = NULL;

	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & CONFIG_REPLICATION)
			p = &T.port[i];
	return p;
}

struct worker *boot_worker(unsigned int number)
{
	struct worker_env e = { .number = number,
		.n_workers = T.n_workers,
		.settings = T.settings,
		.checkpoint_us = T.conf->srp.micro_checkpoint_interval_ms * USEC_PER_MSEC,
		.shared = &T.shared,
		.role = &T.role,
		.incarnation = T.incarnation,
		.stream_mtu = (uint16_t)replication_port()->conf->mtu,
		.orders = &T.to_worker[number],
		.reports = &T.from_worker[number],
		.stream_news = &T.repl_to_worker[number],
		.msgs = T.msgs,
		.punt = T.punt,
		.kernel_out = T.kernel_out[number],
		.handover = T.handover,
		.stream_out = T.stream_out[number],
		.stream_mbufs = T.stream_mbufs,
		.flow = &T.flow,
		.pulse = &T.pulse_worker[number],
		.pulse_of_replicator = &T.pulse_repl,
		.pair_time = &T.pair_time,
		.quit = &T.quit };

	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & (CONFIG_ACCESS | CONFIG_CORE))
			e.ports[e.n_ports++] = T.port[i].id;
	return worker_create(&e);
}

struct replicator *boot_replicator(void)
{
	const struct port *p = replication_port();
	const struct replicator_env e = { .conf = T.conf,
		.settings = T.settings,
		.table = T.table,
		.worker_of_shard = T.shared.worker_of_shard,
		.n_workers = T.n_workers,
		.fib = T.fib,
		.crypt = T.crypt,
		.side = T.side,
		.incarnation = T.incarnation,
		.port = p->id,
		.mtu = (uint16_t)p->conf->mtu,
		.mac = p->mac,
		.orders = &T.to_repl,
		.reports = &T.from_repl,
		.to_worker = T.repl_to_worker,
		.msgs = T.msgs,
		.outbox = &T.outbox,
		.punt = T.punt,
		.kernel_out = T.kernel_repl,
		.stream_out = T.stream_out,
		.stream_mbufs = T.stream_mbufs,
		.flow = &T.flow,
		.pulse = &T.pulse_repl,
		.pair_time = &T.pair_time,
		.pulse_of_control = &T.pulse_control,
		.pulse_of_worker = T.pulse_worker,
		.quit = &T.quit };

	return replicator_create(&e);
}
