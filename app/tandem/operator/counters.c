/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "counters.h"
#include "show.h"

enum { GROUP = 64 };

#define COUNTER(name, unit, help)                                                                  \
	{                                                                                          \
		name, unit, help, METRIC_COUNTER                                                   \
	}
#define GAUGE(name, unit, help)                                                                    \
	{                                                                                          \
		name, unit, help, METRIC_GAUGE                                                     \
	}

/* The shards' counters under the names that operators know. */
static const struct metric session_metrics[] = {
	COUNTER("applied_macro", "records", "Whole records were applied to the table."),
	COUNTER("applied_micro", "records", "Differences were applied to the table."),
	COUNTER("evicted", "sessions", "Sessions made room for a record of the peer."),
	COUNTER("refused_handle", "records", "Records named a slot that the table does not have."),
	COUNTER("refused_pool", "records", "Records had an address that no pool has."),
	COUNTER("refused_malformed", "records", "Records could not be decoded."),
	COUNTER("refused_not_owner", "records", "Records came from a side that owns no slots."),
};

static void counters_read_session(void *ctx, uint64_t *value, unsigned int n)
{
	struct session_counters sum = { 0 };

	(void)ctx;
	(void)n;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		counters_add(&sum, &T.table->shard[i].count, session_counters_n);
	value[0] = sum.applied_slot;
	value[1] = sum.applied_delta;
	value[2] = sum.evicted;
	value[3] = sum.refused_handle;
	value[4] = sum.refused_pool;
	value[5] = sum.refused_malformed;
	value[6] = sum.not_owner;
}

static const struct metric port_metrics[] = {
	COUNTER("rx_packets", "packets", "Packets were received."),
	COUNTER("rx_bytes", "bytes", "Bytes were received."),
	COUNTER("rx_missed", "packets", "Packets were lost because no queue had room."),
	COUNTER("tx_packets", "packets", "Packets were sent."),
	COUNTER("tx_bytes", "bytes", "Bytes were sent."),
	COUNTER("tx_errors", "packets", "Packets could not be sent."),
};

static void counters_read_port(void *ctx, uint64_t *value, unsigned int n)
{
	const struct port *p = ctx;
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

static const struct metric twin_metrics[] = {
	COUNTER("punted_to_kernel", "packets", "Frames were given to the kernel."),
	COUNTER("sent_for_kernel", "packets", "Frames of the kernel were sent."),
	COUNTER("frames_dropped", "packets", "Frames from or to the kernel were dropped."),
	COUNTER("msg_unknown", "messages", "Messages of other cores had no type that is known."),
};

static void counters_read_twins(void *ctx, uint64_t *value, unsigned int n)
{
	const struct control *c = ctx;
	struct kernel_view k;
	struct signalling_view v;

	(void)n;
	signalling_view(c->signalling, &v);
	kernel_view(c->kernel, &k);
	value[0] = k.to_kernel;
	value[1] = k.from_kernel;
	value[2] = k.frames_dropped + v.frames_dropped;
	value[3] = c->doors.unknown;
}

/* ---- signalling: one snapshot has all ---- */

#define METRIC(name) COUNTER(#name, NULL, NULL),
static const struct metric gtpc_metrics[] = { GTPC_COUNTERS(METRIC) };
static const struct metric gate_metrics[] = { COMMIT_GATE_COUNTERS(METRIC) };
static const struct metric direct_metrics[] = { SIGNALLING_DIRECT_COUNTERS(METRIC) };
static const struct metric gtpu_metrics[] = { SIGNALLING_GTPU_COUNTERS(METRIC) };
#undef METRIC
static const struct metric request_metrics[] = {
	GAUGE("requests_in_progress", "requests", "GTP-C requests wait for a worker or the peer."),
	COUNTER("requests_refused", "requests", "Too many requests were in progress."),
};

static void counters_read_gtpc(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gtpc, n * sizeof(value[0]));
}

static void counters_read_gate(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gate, n * sizeof(value[0]));
}

static void counters_read_direct(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.direct, n * sizeof(value[0]));
}

static void counters_read_gtpu(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	signalling_view(ctx, &v);
	memcpy(value, &v.gtpu, n * sizeof(value[0]));
}

static void counters_read_requests(void *ctx, uint64_t *value, unsigned int n)
{
	struct signalling_view v;

	(void)n;
	signalling_view(ctx, &v);
	value[0] = v.requests_in_progress;
	value[1] = v.requests_refused;
}

static const struct metric link_metrics[] = {
	COUNTER("connections_of_strangers", "connections",
		"SRP connections came from an address that is not the peer's."),
	COUNTER("handshakes_failed", "connections", "Somebody could not prove to be the peer."),
};

static void counters_read_link(void *ctx, uint64_t *value, unsigned int n)
{
	const struct control *c = ctx;
	struct pair_view v;

	(void)n;
	pair_view(c->pair, &v, clock_us());
	value[0] = v.strangers;
	value[1] = v.handshakes_failed;
}

static const struct metric stream_metrics[] = {
	GAUGE("unacknowledged_packets", "packets", "Packets wait for the peer's acknowledgement."),
	GAUGE("round_trip_us", "microseconds", "How long an acknowledgement takes, smoothed."),
	GAUGE("replication_rate_mbps", "megabits per second", "The rate that the stream may have."),
};

static void counters_read_stream(void *ctx, uint64_t *value, unsigned int n)
{
	const struct replicator_view *v = replicator_view(ctx);

	(void)n;
	value[0] = atomic_load(&v->unacked);
	value[1] = atomic_load(&v->srtt);
	value[2] = atomic_load(&v->rate_mbps);
}

#define ADD(room, group, rows, read, ctx)                                                          \
	metrics_register(c->metrics, room, group, rows, RTE_DIM(rows), read, ctx)
#define ADD_COUNTERS(room, group, kind, counters)                                                  \
	metrics_register_counters(c->metrics, room, group, kind##_names, kind##_n, counters)

static int counters_add_worker(struct control *c, unsigned int i)
{
	const struct worker *w = T.worker[i];
	char fastpath[GROUP], worker[GROUP], sync[GROUP];
	int ret;

	snprintf(fastpath, sizeof(fastpath), "fastpath/%u", i);
	snprintf(worker, sizeof(worker), "worker/%u", i);
	snprintf(sync, sizeof(sync), "sync/%u", i);
	ret = ADD_COUNTERS("worker", fastpath, fastpath_counters, &w->fp.count);
	if (ret == 0)
		ret = ADD_COUNTERS("worker", worker, worker_counters, &w->count);
	return ret < 0 ? ret : ADD_COUNTERS("worker", sync, sync_counters, &w->sync.count);
}

static int counters_add_port(struct control *c, struct port *p)
{
	char group[GROUP];

	snprintf(group, sizeof(group), "port/%s", p->conf->name);
	return ADD("kernel", group, port_metrics, counters_read_port, p);
}

/* Returns the first error. */
static int counters_add_rooms(struct control *c)
{
	struct replicator *r = T.repl;
	struct signalling *s = c->signalling;
	const struct crypt_counters *crypt = replicator_crypt_count(r);
	int ret[] = {
		ADD("session", "table", session_metrics, counters_read_session, NULL),
		ADD("kernel", "twins", twin_metrics, counters_read_twins, c),
		ADD_COUNTERS("kernel", "routing", net_mirror_counters,
			net_mirror_count(kernel_mirror(c->kernel))),
		ADD("signalling", "gtpc", gtpc_metrics, counters_read_gtpc, s),
		ADD("signalling", "gate", gate_metrics, counters_read_gate, s),
		ADD("signalling", "direct", direct_metrics, counters_read_direct, s),
		ADD("signalling", "gtpu", gtpu_metrics, counters_read_gtpu, s),
		ADD("signalling", "requests", request_metrics, counters_read_requests, s),
		ADD_COUNTERS("pair", "srp", srp_counters, &pair_srp(c->pair)->count),
		ADD("pair", "link", link_metrics, counters_read_link, c),
		ADD_COUNTERS("replicator", "stream", repl_counters, replicator_stream_count(r)),
		ADD_COUNTERS("replicator", "core", replicator_counters, replicator_count(r)),
		ADD_COUNTERS(
			"replicator", "port", replicator_port_counters, replicator_port_count(r)),
		ADD_COUNTERS("replicator", "audit", audit_counters, replicator_audit_count(r)),
		ADD_COUNTERS("replicator", "keys", keys_counters, replicator_keys_count(r)),
		ADD("replicator", "gauges", stream_metrics, counters_read_stream, r),
		crypt == NULL ? 0 : ADD_COUNTERS("replicator", "crypt", crypt_counters, crypt),
	};

	for (unsigned int i = 0; i < RTE_DIM(ret); i++)
		if (ret[i] < 0)
			return ret[i];
	return 0;
}

int counters_open(struct control *c)
{
	int ret;

	c->metrics = metrics_create();
	ret = c->metrics != NULL ? counters_add_rooms(c) : -ENOMEM;
	for (unsigned int i = 0; i < T.n_workers && ret == 0; i++)
		ret = counters_add_worker(c, i);
	for (unsigned int i = 0; i < T.n_ports && ret == 0; i++)
		ret = counters_add_port(c, &T.port[i]);
	if (ret < 0)
		LOG(ERR, "registry of counters: %s", strerror(-ret));
	return ret;
}

void counters_close(struct control *c)
{
	metrics_destroy(c->metrics);
	c->metrics = NULL;
}

static void counters_visit(void *ctx, const struct metrics_group *g)
{
	json_t *to = ctx;

	for (unsigned int i = 0; i < g->n; i++) {
		json_int_t before = json_integer_value(json_object_get(to, g->metric[i].name));

		json_object_set_new(
			to, g->metric[i].name, json_integer(before + (json_int_t)g->value[i]));
	}
}

void counters_show(struct control *c, json_t *to, const char *room, const char *group)
{
	json_t *sum = json_object();

	metrics_walk(c->metrics, room, group, counters_visit, sum);
	json_object_update(to, sum);
	json_decref(sum);
}
