/* SPDX-License-Identifier: BSD-3-Clause */
#include "views.h"

#include <string.h>

#include "process/control.h"

/* ---- the pair ---- */

static void views_pair(void *ctx, struct operator_pair_view *v, usec_t now)
{
	const struct control *c = ctx;
	struct pair_view p;

	pair_view(c->pair, &p, now);
	*v = (struct operator_pair_view){ .srp = pair_srp(c->pair),
		.peer_address = p.peer.address,
		.peer_health = pair_peer_health(c->pair),
		.differences = p.differences,
		.refused = p.refused,
		.replication_mtu = p.replication_mtu,
		.licensed = p.licensed,
		.pre_shared = p.pre_shared };
	memcpy(v->tie_breaker, p.tie_breaker, sizeof(v->tie_breaker));
	memcpy(v->routes, p.routes, sizeof(v->routes));
}

static int views_switchover(void *ctx, bool force, char reason[SRP_REASON_MAX], usec_t now)
{
	const struct control *c = ctx;

	return pair_switchover(c->pair, force, reason, now);
}

static int views_validate_switchover(void *ctx, char reason[SRP_REASON_MAX], usec_t now)
{
	const struct control *c = ctx;

	return pair_validate(c->pair, reason, now);
}

static int views_validate_configuration(void *ctx, char reason[SRP_REASON_MAX], usec_t now)
{
	const struct control *c = ctx;

	return pair_validate_configuration(c->pair, reason, now);
}

/* ---- ports ---- */

static void views_port(void *ctx, unsigned int i, struct operator_port *p)
{
	const struct control *c = ctx;
	const struct port *port = &T.port[i];

	*p = (struct operator_port){ .conf = port->conf,
		.mac = port->mac,
		.queues = port->n_rxq,
		.link_up = net_mirror_link(kernel_mirror(c->kernel), port->id) };
}

/* ---- what each family is given ---- */

static void views_fill_pair(struct views *v, struct control *c, struct metrics *metrics)
{
	v->pair = (struct operator_pair){ .view = views_pair,
		.switchover = views_switchover,
		.validate_switchover = views_validate_switchover,
		.validate_configuration = views_validate_configuration,
		.ctx = c };
	v->srp = (struct operator_srp){ .conf = T.conf,
		.pair = &v->pair,
		.journal = c->journal,
		.metrics = metrics,
		.replicator = T.repl,
		.signalling = c->signalling,
		.pair_time = &T.pair_time,
		.crypto_device = T.crypt != NULL ? crypt_device(T.crypt) : NULL,
		.side = T.side,
		.started = c->started };
	v->audit = (struct operator_audit){
		.pair = &v->pair, .replicator = T.repl, .orders = &T.to_repl, .msgs = T.msgs
	};
}

static void views_fill_cores(struct views *v, struct control *c, struct metrics *metrics)
{
	for (unsigned int i = 0; i < T.n_workers; i++)
		v->worker[i] = (struct operator_core){ .pulse = &T.pulse_worker[i],
			.lcore = T.worker_lcore[i],
			.shards = T.worker[i]->n_shards };
	v->cores = (struct operator_cores){ .metrics = metrics,
		.control = { .pulse = &T.pulse_control, .lcore = rte_get_main_lcore() },
		.replication = { .pulse = &T.pulse_repl, .lcore = T.repl_lcore },
		.worker = v->worker,
		.n_workers = T.n_workers,
		.n_ports = T.n_ports,
		.port = views_port,
		.ctx = c };
}

void views_fill(struct views *v, struct control *c, struct metrics *metrics)
{
	views_fill_pair(v, c, metrics);
	views_fill_cores(v, c, metrics);
	v->table = (struct operator_table){ .conf = T.conf,
		.table = T.table,
		.pools = T.pools,
		.worker_of_shard = T.shared.worker_of_shard,
		.pair_time = &T.pair_time,
		.signalling = c->signalling };
	v->gtp = (struct operator_gtp){
		.pair = &v->pair, .metrics = metrics, .signalling = c->signalling
	};
	v->monitors = (struct operator_monitors){
		.pair = &v->pair, .metrics = metrics, .monitors = c->monitors
	};
	v->history = (struct operator_history){ .journal = c->journal, .alarms = c->alarms };
}
