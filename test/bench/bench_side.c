/* SPDX-License-Identifier: BSD-3-Clause */
#include "../unit/places_same.h"
#include "bench_side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "common/ether.h"
#include "process/boot.h"
#include "process/tandem.h"
#include "replicator/replicator.h"
#include "worker_priv.h"

enum { LINK_MS = 5000, DESC = 1024, SHORT_TURN = 20000, STALL_LEAST_US = 20 };

struct tandem bench_tandem;

static const uint32_t addresses[] = { 0x0a070001, 0x0a070002 };

static void configure(struct bench_side *s, struct config *f)
{
	unsigned int bits = 10;

	while (bits < 22 && (UINT32_C(1) << bits) < s->pair->sessions + 2 * SESSION_SHARDS)
		bits++;
	f->n_ports = f->n_pools = f->n_apns = f->n_loopbacks = 1;
	f->ports[0] =
		(struct config_port){ .name = "repl", .roles = CONFIG_REPLICATION, .mtu = 1500 };
	f->pools[0] = (struct config_pool){ .name = "bench",
		.prefix = { ip_addr_v4(0x64400000), (uint8_t)(32 - bits) },
		.srp_activate = true };
	f->srp.bind = f->srp.stream_bind = ip_addr_v4(addresses[s->role]);
	f->srp.peer = f->srp.stream_peer = ip_addr_v4(addresses[!s->role]);
	f->srp.stream_port = 8485;
	f->srp.insecure = !s->pair->secret;
	/* Between measurements the chassis lie still: that is no reason to begin anew. */
	f->srp.heartbeat_interval_ms = 100;
	f->srp.dead_multiplier = 3;
	f->srp.dead_interval_ms = 3600000;
	f->srp.micro_checkpoint_interval_ms = 100;
	f->srp.audit_interval_s = 60;
	f->srp.commit_timeout_ms = 50;
	f->table.max_sessions = s->pair->sessions;
}

static void socket_path(const struct bench_side *s, char *path, size_t size)
{
	snprintf(path, size, "/tmp/tandem_bench_%s_%d.sock", s->pair->name, (int)getppid());
}

static int open_port(struct bench_side *s)
{
	static const struct rte_eth_conf conf;
	struct rte_eth_link link = { 0 };
	struct rte_ether_addr mac;
	char args[256], path[128];

	socket_path(s, path, sizeof(path));
	snprintf(args, sizeof(args), "role=%s,socket=%s,socket-abstract=no,rsize=12,bsize=2048",
		s->role == BENCH_ACTIVE ? "server" : "client", path);
	if (s->role == BENCH_ACTIVE)
		unlink(path);
	if (rte_vdev_init("net_memif0", args) < 0 ||
		rte_eth_dev_get_port_by_name("net_memif0", &s->port) < 0)
		return -ENODEV;
	bench_tandem.n_ports = 1;
	bench_tandem.port[0].conf = &bench_tandem.conf->ports[0];
	bench_tandem.port[0].id = s->port;
	if (rte_eth_dev_configure(s->port, 1, 1, &conf) < 0 ||
		rte_eth_rx_queue_setup(s->port, 0, DESC, SOCKET_ID_ANY, NULL, bench_tandem.mbufs) <
			0 ||
		rte_eth_tx_queue_setup(s->port, 0, DESC, SOCKET_ID_ANY, NULL) < 0 ||
		rte_eth_dev_start(s->port) < 0 || rte_eth_macaddr_get(s->port, &mac) < 0)
		return -ENODEV;
	bench_tandem.port[0].mac = *mac_of(&mac);
	bench_tandem.fib->mac[s->port] = bench_tandem.port[0].mac;
	bench_tandem.fib->adj[0].word =
		UINT64_C(0x020000000000) << 16 | (uint64_t)s->port << 8 | FIB_ADJ_VALID;
	for (unsigned int i = 0; s->role == BENCH_STANDBY && i < LINK_MS; i++) {
		if (rte_eth_link_get_nowait(s->port, &link) == 0 &&
			link.link_status == RTE_ETH_LINK_UP)
			return 0;
		rte_delay_us_sleep(1000);
	}
	return s->role == BENCH_ACTIVE ? 0 : -ENETDOWN;
}

static int open_sessions(struct bench_side *s)
{
	uint64_t random = 20260101;
	uint32_t n = s->pair->sessions;

	s->order = malloc(n * sizeof(*s->order));
	if (s->order == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct session_rec rec = { .state = SESSION_LIVE,
			.pdp_type = 0x21,
			.key = UINT64_C(0x2400100000000005) + ((uint64_t)i << 4),
			.charging_id = i,
			.peer_ctl_teid = i + 1,
			.peer_usr_teid = i + 1,
			.peer_ctl = ip_addr_v4(0x0a080000 + (i & 255)),
			.peer_usr = ip_addr_v4(0x0a080000 + (i & 255)),
			.qos_len = 14,
			.qos = { 2, 0x0b, 0x92, 0x1f, 0x73, 0x96, 0xfe, 0xfe, 0x74, 0xfb, 0xff,
				0xff, 0, 0 },
			.has_recovery = true,
			.req_type = 16,
			.req_seq = (uint16_t)i,
			.req_port = 2123,
			.req_src = ip_addr_v4(0x0a080000 + (i & 255)) };

		memset(rec.msisdn, 0xff, sizeof(rec.msisdn));
		if (pool_pick(bench_tandem.pools, 0, i % SESSION_SHARDS, &rec.ue) < 0 ||
			session_create(bench_tandem.table, 0, &rec, 1) < 0)
			return -ENOSPC;
		s->order[i] = rec.handle;
	}
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k, was = s->order[i];

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		k = (uint32_t)(random % (i + 1));
		s->order[i] = s->order[k];
		s->order[k] = was;
	}
	return 0;
}

static int open_eal(struct bench_side *s, unsigned int cpu)
{
	char cores[16], prefix[64], megabytes[16];
	char *eal[] = { "bench", "-l", cores, "--no-shconf", "--no-pci", "--no-telemetry",
		"--log-level=4", "--file-prefix", prefix, "-m", megabytes, "--no-huge", NULL };
	int n = 12;

	snprintf(cores, sizeof(cores), "%u", cpu);
	snprintf(prefix, sizeof(prefix), "bench_%s_%u_%d", s->pair->name, s->role, (int)getppid());
	snprintf(megabytes, sizeof(megabytes), "%u", s->pair->megabytes);
	if (s->pair->huge_dir != NULL) {
		eal[11] = "--huge-dir";
		eal[n++] = (char *)(uintptr_t)s->pair->huge_dir;
	}
	return rte_eal_init(n, eal) < 0 ? -EIO : 0;
}

/* As if a TLS connection had agreed on them. */
static int keys(const struct bench_side *s)
{
	enum { KEY_ID = 77 };
	struct to_replicator *m = to_replicator_key(bench_tandem.msgs, 0);

	if (m == NULL)
		return -ENOMEM;
	memset(m->key.tx_secret, (int)s->role + 1, sizeof(m->key.tx_secret));
	memset(m->key.rx_secret, (int)!s->role + 1, sizeof(m->key.rx_secret));
	m->key.key_id = KEY_ID;
	if (to_replicator_send(&bench_tandem.to_repl, m) < 0)
		return -ENOBUFS;
	return to_replicator_send(
		&bench_tandem.to_repl, to_replicator_key_use(bench_tandem.msgs, KEY_ID, false));
}

static int crypt_open(const struct bench_side *s)
{
	char why[CRYPT_WHY];

	if (!s->pair->secret)
		return 0;
	bench_tandem.crypt = crypt_ops->create("", 0, why);
	if (bench_tandem.crypt == NULL)
		fprintf(stderr, "%s\n", why);
	return bench_tandem.crypt != NULL ? 0 : -ENODEV;
}

int bench_side_open(struct bench_side *s, unsigned int cpu)
{
	int ret = open_eal(s, cpu);

	bench_tandem.conf = calloc(1, sizeof(*bench_tandem.conf));
	if (ret < 0 || bench_tandem.conf == NULL)
		return ret < 0 ? ret : -ENOMEM;
	configure(s, bench_tandem.conf);
	clock_init(&clock_tsc);
	tandem_pulses_init(&bench_tandem, UINT64_MAX, bench_tandem.conf->idle_sleep);
	role_init(&bench_tandem.role);
	bench_tandem.random.incarnation = 100 + s->role;
	bench_tandem.n_workers = 1;
	bench_tandem.worker_lcore[0] = RTE_MAX_LCORE;
	bench_tandem.repl_lcore = rte_lcore_id();
	ret = boot_memory(&bench_tandem);
	if (ret == 0)
		ret = boot_settings(&bench_tandem);
	places_same(&bench_tandem.shared.places);
	if (ret == 0)
		ret = boot_tables(&bench_tandem);
	if (ret == 0)
		ret = open_port(s);
	if (ret == 0)
		ret = crypt_open(s);
	if (ret == 0)
		ret = boot_transport(&bench_tandem);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(bench_tandem.table, i, s->role == BENCH_ACTIVE ? 0 : SESSION_BY_REPL);
	bench_tandem.worker[0] = s->worker = boot_worker(&bench_tandem, 0);
	bench_tandem.repl = boot_replicator(&bench_tandem);
	if (s->worker == NULL || bench_tandem.repl == NULL)
		return -ENOMEM;
	replicator_peer(bench_tandem.repl, 0);
	if (s->pair->secret && keys(s) < 0)
		return -ENOMEM;
	return s->role == BENCH_ACTIVE ? open_sessions(s) : 0;
}

void bench_side_close(struct bench_side *s)
{
	char path[128];

	socket_path(s, path, sizeof(path));
	if (s->role == BENCH_ACTIVE)
		unlink(path);
	rte_eth_dev_stop(s->port);
	replicator_destroy(bench_tandem.repl);
	worker_destroy(s->worker);
	boot_transport_end(&bench_tandem);
	crypt_ops->destroy(bench_tandem.crypt);
	boot_tables_end(&bench_tandem);
	boot_settings_end(&bench_tandem);
	boot_memory_end(&bench_tandem);
	free(s->order);
	free(bench_tandem.conf);
}

static void beat(const char *body)
{
	to_replicator_send(
		&bench_tandem.to_repl, to_replicator_heartbeat(bench_tandem.msgs, BENCH_TERM,
					       (const uint8_t *)body, strlen(body), false));
}

/* What control would take. */
static void messages(struct bench_side *s)
{
	struct from_replicator *r;
	struct from_worker *w;
	struct repl_to_worker *t;

	while ((r = from_replicator_take(&bench_tandem.from_repl)) != NULL) {
		from_replicator_dispatch(&s->of_replicator, s, r);
		msg_free(bench_tandem.msgs, r);
	}
	while ((w = from_worker_take(&bench_tandem.from_worker[0])) != NULL) {
		from_worker_dispatch(&s->of_worker, s, w);
		msg_free(bench_tandem.msgs, w);
	}
	/* A standby's worker has nothing to do, and no core here: what it is told is thrown away
	 * too. */
	while (s->role != BENCH_ACTIVE &&
		(t = repl_to_worker_take(&bench_tandem.repl_to_worker[0])) != NULL)
		msg_free(bench_tandem.msgs, t);
}

/* What tells that a turn did something: packets of the stream either way, and what was encoded. */
static uint64_t work(const struct bench_side *s)
{
	const struct repl_counters *c = replicator_stream_count(bench_tandem.repl);
	const struct sync_counters *y = &s->worker->sync.count;

	return c->tx_packets + c->rx_packets + y->micro_sent + y->macro_sent + y->digests_sent +
	       y->wants + s->worker->count.msgs;
}

bool bench_side_turn(struct bench_side *s)
{
	uint64_t from = rte_rdtsc(), did = work(s), to;
	bool idle;

	if (s->role == BENCH_ACTIVE)
		worker_turn(s->worker);
	replicator_turn(bench_tandem.repl);
	to = rte_rdtsc();
	idle = work(s) == did;
	messages(s);
	/* A long one was interrupted, and that is not CPU time of ours. */
	if (!idle)
		from = to;
	to = rte_rdtsc();
	if (to - from < SHORT_TURN)
		s->idle_cycles += to - from;
	return !idle;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static long robbed(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

void bench_side_stall(struct bench_side *s)
{
	uint64_t now = rte_rdtsc(), from = s->looked;
	unsigned int *n = &s->shared->n_stalls[s->role];
	long was = s->robbed_seen;

	s->looked = now;
	if (now - from < clock_hz / USEC_PER_SEC * STALL_LEAST_US)
		return;
	s->robbed_seen = robbed();
	if (s->robbed_seen != was && *n < BENCH_STALLS)
		s->shared->stall[s->role][(*n)++] = (struct bench_span){ from, now };
}

void bench_side_begin(struct bench_side *s)
{
	atomic_fetch_add(&s->shared->here, 1);
	while (atomic_load(&s->shared->here) < BENCH_SIDES)
		rte_pause();
	s->before = *replicator_stream_count(bench_tandem.repl);
	s->robbed = s->robbed_seen = robbed();
	s->shared->n_stalls[s->role] = 0;
	s->shared->tsc_hz = clock_hz;
	s->looked = rte_rdtsc();
	s->idle_cycles = 0;
	s->cpu_begun = cpu_ns();
	s->begun = rte_rdtsc();
}

void bench_side_end(struct bench_side *s)
{
	uint64_t now = rte_rdtsc();
	const struct repl_counters *after = replicator_stream_count(bench_tandem.repl);

	s->use->cycles =
		(double)(cpu_ns() - s->cpu_begun) * (double)clock_hz / 1e9 - (double)s->idle_cycles;
	s->use->seconds = (double)(now - s->begun) / (double)clock_hz;
	s->use->robbed = robbed() - s->robbed;
	for (unsigned int i = 0; i < repl_counters_n; i++)
		((uint64_t *)&s->use->stream)[i] =
			((const uint64_t *)after)[i] - ((const uint64_t *)&s->before)[i];
	if (s->role == BENCH_ACTIVE)
		atomic_store(&s->shared->over, true);
}

int bench_side_follow(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	(void)arg;
	bench_side_begin(s);
	while (!atomic_load_explicit(&s->shared->over, memory_order_relaxed))
		bench_side_turn(s);
	bench_side_end(s);
	return 0;
}

int bench_side_write(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	(void)arg;
	beat("standby");
	to_replicator_send(
		&bench_tandem.to_repl, to_replicator_write(bench_tandem.msgs, BENCH_TERM, 0, 0));
	bench_side_turn(s);
	return 0;
}

void bench_side_stream(struct bench_side *s)
{
	beat("active");
	to_worker_send(
		&bench_tandem.to_worker[0], to_worker_own(bench_tandem.msgs, BENCH_TERM, 0, false));
	to_replicator_send(
		&bench_tandem.to_repl, to_replicator_start(bench_tandem.msgs, BENCH_TERM, 0));
	replicator_peer_applies(bench_tandem.repl,
		false); /* until what the standby said of the last stream is forgotten */
	for (usec_t until = clock_us() + 5 * USEC_PER_MSEC; clock_us() < until;)
		bench_side_turn(s);
	replicator_peer_applies(bench_tandem.repl, true);
}

bool bench_side_in_sync(void)
{
	return atomic_load_explicit(&replicator_view(bench_tandem.repl)->in_sync_since_ms,
		       memory_order_relaxed) != 0;
}

int bench_side_join(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	usec_t give_up = clock_us() + 60 * USEC_PER_SEC;

	(void)arg;
	bench_side_stream(s);
	bench_side_begin(s);
	while (!bench_side_in_sync() && clock_us() < give_up)
		bench_side_turn(s);
	bench_side_end(s);
	return clock_us() < give_up ? 0 : -ETIMEDOUT;
}

int bench_side_hash(struct bench_side *s, const uint64_t arg[BENCH_ARGS])
{
	uint64_t h = 0;

	(void)arg;
	for (uint32_t shard = 0; shard < SESSION_SHARDS; shard++)
		for (uint32_t b = 0; b < bench_tandem.table->buckets; b++)
			h = (h ^ session_hash_bucket(bench_tandem.table, shard, b)) *
			    UINT64_C(0x9e3779b97f4a7c15);
	s->shared->out[s->role] = h;
	return 0;
}
