/* SPDX-License-Identifier: BSD-3-Clause */
#include "views.h"

#include <string.h>

#include "process/control.h"
#include "process/settings_rooms.h"

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
	switchover_routes(c->switchover, v->routes, sizeof(v->routes), now);
	memcpy(v->waits_for, p.waits_for, sizeof(v->waits_for));
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
	const struct port *port = &c->t->port[i];

	*p = (struct operator_port){ .conf = port->conf,
		.mac = port->mac,
		.queues = port->n_rxq,
		.link_up = net_ops->mirror_link(kernel_mirror(c->kernel), port->id) };
}

/* ---- what each family is given ---- */

static void views_fill_pair(struct views *v, struct control *c, struct metrics *metrics)
{
	struct tandem *t = c->t;

	v->pair = (struct operator_pair){ .view = views_pair,
		.switchover = views_switchover,
		.validate_switchover = views_validate_switchover,
		.validate_configuration = views_validate_configuration,
		.ctx = c };
	v->srp = (struct operator_srp){ .start = &v->start,
		.pair = &v->pair,
		.journal = c->journal,
		.metrics = metrics,
		.replicator = t->repl,
		.signalling = c->signalling,
		.pair_time = &t->pair_time,
		.crypto_device = t->crypt != NULL ? crypt_ops->device(t->crypt) : NULL,
		.side = t->side,
		.started = c->started };
	v->audit = (struct operator_audit){
		.pair = &v->pair, .replicator = t->repl, .orders = &t->to_repl, .msgs = t->msgs
	};
}

static void views_fill_cores(struct views *v, struct control *c, struct metrics *metrics)
{
	struct tandem *t = c->t;

	for (unsigned int i = 0; i < t->n_workers; i++)
		v->worker[i] = (struct operator_worker){ .lcore = t->worker_lcore[i],
			.shards = worker_shards(t->worker[i]) };
	v->cores = (struct operator_cores){ .metrics = metrics,
		.worker = v->worker,
		.control_lcore = rte_get_main_lcore(),
		.replication_lcore = t->repl_lcore,
		.n_workers = t->n_workers,
		.n_ports = t->n_ports,
		.port = views_port,
		.ctx = c };
}

void views_fill(struct views *v, struct control *c, struct metrics *metrics)
{
	struct tandem *t = c->t;

	settings_operator_start(t->conf, &c->lists.placed, &v->start);
	views_fill_pair(v, c, metrics);
	views_fill_cores(v, c, metrics);
	v->table = (struct operator_table){ .start = &v->start,
		.places = &t->shared.places,
		.table = t->table,
		.pools = t->pools,
		.worker_of_shard = t->shared.worker_of_shard,
		.pair_time = &t->pair_time,
		.signalling = c->signalling };
	v->gtp = (struct operator_gtp){ .pair = &v->pair,
		.metrics = metrics,
		.signalling = c->signalling,
		.settings = t->settings,
		.n_ports = t->conf->n_ports,
		.ports = t->conf->ports };
	v->monitors = (struct operator_monitors){
		.pair = &v->pair, .metrics = metrics, .monitors = c->monitors
	};
	v->history = (struct operator_history){ .journal = c->journal, .alarms = c->alarms };
}
