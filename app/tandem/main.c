/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem [EAL options] -- -c FILE [--check [--peer FILE]]: start-up is a table run forward, shutdown the same table run
 * backward. Exit codes: 0 ended as told, 1 the configuration is wrong, 2 usage, 3 could not start. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <rte_ring.h>

#include "control.h"
#include "memory.h"
#include "replicator.h"
#include "sync.h"
#include "tandem.h"
#include "telemetry.h"
#include "worker.h"

enum { EXIT_CONFIG = 1, EXIT_USAGE = 2, EXIT_START = 3 };
enum { MBUFS = 16384, MSGS = 32767, STREAM_MBUFS = 8191, DOOR = 16384, FRAMES = 2048 };

struct tandem T;
int tandem_logtype;

static const char usage[] =
	"usage: tandem [EAL options] -- -c FILE [--check [--peer FILE]]\n"
	"  -c, --config FILE  the chassis' configuration\n"
	"      --check        check it, say everything that is wrong with it, touch no device\n"
	"      --peer FILE    with --check: the other chassis' configuration; what must agree is compared\n"
	"      --print        with --check: print the configuration, defaults included\n"
	"      --knobs        print the table of all keys (Markdown)\n"
	"  -h, --help         this text\n"
	"At least three lcores are needed, e.g. --lcores 0@0,1@1,2@2 (control, workers, replication).\n";

struct options {
	const char *config, *peer;
	bool check, print;
};

/* ---- configuration ---- */

static int load(const char *file, struct config *c)
{
	struct config_report r;
	int ret = config_load(file, c, &r);

	if (r.text != NULL)
		fputs(r.text, stderr);
	else if (ret < 0)
		fprintf(stderr, "%s: %s\n", file, strerror(-ret));
	config_report_free(&r);
	return ret;
}

static int check(const struct options *o)
{
	struct config *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct config_report r = { 0 };
	int ret = a == NULL || b == NULL ? -ENOMEM : load(o->config, a);

	if (ret == 0 && o->peer != NULL)
		ret = load(o->peer, b);
	if (ret == 0 && o->peer != NULL) {
		ret = config_check_pair(a, b, &r);
		if (r.text != NULL)
			fputs(r.text, stderr);
		config_report_free(&r);
	}
	if (ret == 0 && o->print)
		config_print(a, stdout);
	if (ret == 0)
		fprintf(stderr, "%s: the configuration is valid\n", o->config);
	free(a);
	free(b);
	return ret == 0 ? EXIT_SUCCESS : EXIT_CONFIG;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' }, { "peer", required_argument, NULL, 'p' },
		{ "print", no_argument, NULL, 'P' }, { "knobs", no_argument, NULL, 'K' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int opt;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'p':
			o->peer = optarg;
			break;
		case 'P':
			o->print = true;
			break;
		case 'K':
			config_print_knobs(stdout);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			return -EINVAL;
		}
	if (o->config == NULL || optind < argc) {
		fputs(o->config == NULL ? "tandem: -c FILE is missing\n" : "tandem: too many arguments\n",
			stderr);
		fputs(usage, stderr);
		return -EINVAL;
	}
	return 0;
}

/* ---- boot stages ---- */

static struct rte_ring *ring(const char *name, unsigned int i, unsigned int n, unsigned int flags)
{
	char full[RTE_RING_NAMESIZE];

	snprintf(full, sizeof(full), "%s%u", name, i);
	return rte_ring_create(full, n, SOCKET_ID_ANY, flags);
}

static struct door door(const char *name, unsigned int i)
{
	return (struct door){ ring(name, i, DOOR, RING_F_SP_ENQ | RING_F_SC_DEQ), T.msgs };
}

static uint16_t stream_room(void)
{
	for (unsigned int i = 0; i < T.conf->n_ports; i++)
		if (T.conf->ports[i].roles & CONFIG_REPLICATION)
			return (uint16_t)(RTE_PKTMBUF_HEADROOM + RTE_MAX(T.conf->ports[i].mtu, 1500u));
	return RTE_MBUF_DEFAULT_BUF_SIZE;
}

static int memory_start(void)
{
	uint32_t mtu = 1500;

	for (unsigned int i = 0; i < T.conf->n_ports; i++)
		mtu = RTE_MAX(mtu, T.conf->ports[i].mtu);
	T.mbufs = rte_pktmbuf_pool_create("mbufs", MBUFS - 1, 256, 0,
		(uint16_t)RTE_MAX((uint32_t)RTE_MBUF_DEFAULT_BUF_SIZE, RTE_PKTMBUF_HEADROOM + mtu + 128),
		SOCKET_ID_ANY);
	T.indirect = rte_pktmbuf_pool_create("indirect", 4095, 128, 0, 0, SOCKET_ID_ANY);
	T.stream_mbufs = rte_pktmbuf_pool_create("stream", STREAM_MBUFS, 128,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN), stream_room(), SOCKET_ID_ANY);
	T.msgs =
		rte_mempool_create("msgs", MSGS, MSG_BYTES, 256, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	T.fib = fib_create("fib", SOCKET_ID_ANY);
	if (T.mbufs == NULL || T.indirect == NULL || T.stream_mbufs == NULL || T.msgs == NULL ||
		T.fib == NULL) {
		LOG(ERR, "buffers: %s: give the EAL more memory (-m or hugepages)", rte_strerror(rte_errno));
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < T.n_workers; i++) {
		T.to_worker[i] = door("to_worker", i);
		T.from_worker[i] = door("from_worker", i);
		T.repl_to_worker[i] = door("repl_to_worker", i);
		T.kernel_out[i] = ring("kernel_out", i, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
		T.handover[i] = ring("handover", i, FRAMES, RING_F_SC_DEQ);
		T.stream_out[i] = ring("stream_out", i, SYNC_FIFO, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (T.to_worker[i].ring == NULL || T.from_worker[i].ring == NULL ||
			T.repl_to_worker[i].ring == NULL || T.kernel_out[i] == NULL ||
			T.handover[i] == NULL || T.stream_out[i] == NULL)
			return -ENOMEM;
	}
	T.to_repl = door("to_repl", 0);
	T.from_repl = door("from_repl", 0);
	T.punt = ring("punt", 0, FRAMES, RING_F_SC_DEQ);
	T.kernel_repl = ring("kernel_repl", 0, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return T.to_repl.ring != NULL && T.from_repl.ring != NULL && T.punt != NULL && T.kernel_repl != NULL
		       ? 0
		       : -ENOMEM;
}

static void memory_stop(void)
{
	for (unsigned int i = 0; i < T.n_workers; i++) {
		rte_ring_free(T.to_worker[i].ring);
		rte_ring_free(T.from_worker[i].ring);
		rte_ring_free(T.repl_to_worker[i].ring);
		rte_ring_free(T.kernel_out[i]);
		rte_ring_free(T.handover[i]);
		rte_ring_free(T.stream_out[i]);
	}
	rte_ring_free(T.to_repl.ring);
	rte_ring_free(T.from_repl.ring);
	rte_ring_free(T.punt);
	rte_ring_free(T.kernel_repl);
	fib_destroy(T.fib);
	rte_mempool_free(T.msgs);
	rte_mempool_free(T.stream_mbufs);
	rte_mempool_free(T.indirect);
	rte_mempool_free(T.mbufs);
}

static int tables_start(void)
{
	struct pool_conf pools[CONFIG_POOLS];
	struct session_params p = {
		.capacity = T.conf->table.max_sessions, .n_apns = (uint8_t)T.conf->n_apns, .mem = &memory_rte
	};

	for (unsigned int i = 0; i < T.conf->n_pools; i++) {
		const struct config_pool *f = &T.conf->pools[i];

		pools[i] = (struct pool_conf){
			.prefix = f->prefix.addr, .prefix_len = f->prefix.len, .srp_activate = f->srp_activate
		};
		memcpy(pools[i].name, f->name, sizeof(pools[i].name));
		p.quarantine_s = RTE_MAX(p.quarantine_s, f->quarantine_s);
	}
	/* Known alone, equal on both: the lower address is side 0. */
	T.side = memcmp(T.conf->srp.bind.b, T.conf->srp.peer.b, 16) < 0 ? 0 : 1;
	p.side = T.side;
	T.pools = pool_set_create(pools, T.conf->n_pools, &memory_rte);
	if (T.pools != NULL) {
		pool_hooks(T.pools, &p.hooks);
		p.hooks.index = index_notify;
		T.table = session_table_create(&p);
	}
	if (T.table == NULL) {
		LOG(ERR, "a table of %u sessions: %s: give the EAL more memory (about %u MB for it)",
			T.conf->table.max_sessions, strerror(errno), T.conf->table.max_sessions / 3200 + 1);
		return -ENOMEM;
	}
	T.shared.table = T.table;
	T.shared.pools = T.pools;
	T.shared.fib = T.fib;
	T.shared.gtp4 = ip_addr_to_v4(&config_gtp(T.conf)->address);
	T.shared.n_workers = T.n_workers;
	T.shared.direct = T.mbufs;
	T.shared.indirect = T.indirect;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		T.shared.worker_of_shard[i] = (uint8_t)(i % T.n_workers);
	for (unsigned int i = 0; i < T.conf->n_apns; i++)
		if (fastpath_police(
			    &T.shared, i, T.conf->apns[i].ambr_up_kbps, T.conf->apns[i].ambr_down_kbps) < 0)
			return -EINVAL;
	LOG(INFO, "side %u, %u sessions in %.1f MB", T.side, T.table->n_slots * SESSION_SHARDS,
		(double)(T.table->bytes + T.pools->bytes) / 1e6);
	return 0;
}

static void tables_stop(void)
{
	session_table_destroy(T.table);
	pool_set_destroy(T.pools);
}

static int cores_start(void)
{
	T.stale_us = T.conf->srp.heartbeat_interval_ms * USEC_PER_MSEC * T.conf->srp.dead_multiplier;
	do
		T.incarnation = (uint32_t)rte_rand();
	while (T.incarnation == 0);
	for (unsigned int i = 0; i < T.n_workers; i++) {
		T.worker[i] = worker_create(i);
		if (T.worker[i] == NULL)
			return -ENOMEM;
	}
	T.repl = replicator_create();
	if (T.repl == NULL)
		return -ENOMEM;
	T.control = control_create();
	return T.control != NULL ? 0 : -EIO;
}

static void drain_mbufs(struct rte_ring *r)
{
	void *m;

	while (r != NULL && rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
}

static void cores_stop(void)
{
	control_destroy(T.control);
	replicator_destroy(T.repl);
	for (unsigned int i = 0; i < T.n_workers; i++) {
		worker_destroy(T.worker[i]);
		drain_mbufs(T.kernel_out[i]);
		drain_mbufs(T.handover[i]);
		drain_mbufs(T.stream_out[i]);
	}
	drain_mbufs(T.punt);
	drain_mbufs(T.kernel_repl);
}

static int launch(void)
{
	int ret = rte_eal_remote_launch(replicator_run, T.repl, T.repl_lcore);

	for (unsigned int i = 0; i < T.n_workers && ret == 0; i++)
		ret = rte_eal_remote_launch(worker_run, T.worker[i], T.worker_lcore[i]);
	return ret;
}

static void join(void)
{
	unsigned int id;

	atomic_store(&T.quit, true);
	RTE_LCORE_FOREACH_WORKER (id)
		rte_eal_wait_lcore(id);
}

static int telemetry_start(void)
{
	return T.conf->telemetry.enabled ? telemetry_register(T.conf->telemetry.control_socket) : 0;
}

static void nothing(void) {}

static const struct stage {
	const char *name;
	int (*start)(void);
	void (*stop)(void);
} stages[] = {
	{ "lcores", lcores_choose, nothing },
	{ "memory", memory_start, memory_stop },
	{ "tables", tables_start, tables_stop },
	{ "ports", ports_open, ports_close },
	{ "cores", cores_start, cores_stop },
	{ "telemetry", telemetry_start, nothing },
	{ "launch", launch, join },
};

/* Tells systemd (Type=notify) over its datagram socket. */
static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (path == NULL || strlen(path) >= sizeof(un.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(un.sun_path, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un, len) < 0)
		LOG(DEBUG, "cannot notify the service manager: %s", strerror(errno));
	close(fd);
}

static int run(void)
{
	unsigned int up;
	int ret = 0;

	for (up = 0; up < RTE_DIM(stages); up++) {
		ret = stages[up].start();
		if (ret < 0) {
			LOG(ERR, "start of %s failed: %s", stages[up].name, strerror(-ret));
			stages[up].stop();
			break;
		}
	}
	if (ret == 0) {
		LOG(NOTICE, "%s: ready", T.conf->chassis.name);
		notify("READY=1");
		ret = control_run(T.control);
		notify("STOPPING=1");
	}
	while (up-- > 0)
		stages[up].stop();
	return ret == 0 ? EXIT_SUCCESS : EXIT_START;
}

/* As the configuration says; --log-level of the EAL goes further where somebody asks for it. */
static void logs(void)
{
	static const struct {
		const char *name;
		uint32_t level;
	} levels[] = { { "debug", RTE_LOG_DEBUG }, { "info", RTE_LOG_INFO }, { "notice", RTE_LOG_NOTICE },
		{ "warning", RTE_LOG_WARNING }, { "error", RTE_LOG_ERR } };
	uint32_t level = RTE_LOG_INFO;

	for (unsigned int i = 0; i < RTE_DIM(levels); i++)
		if (strcmp(T.conf->log.level, levels[i].name) == 0)
			level = levels[i].level;
	tandem_logtype = rte_log_register_type_and_pick_level("tandem", level);
	if (!T.conf->log.syslog)
		rte_openlog_stream(stderr); /* the EAL's own stream goes to both */
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int split = 0, ret;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			split = i;
			break;
		}
	/* Without "--" all arguments are ours (--help, --check), so that nobody has to know the EAL for those. */
	if (parse(argc - split, argv + split, &o) < 0)
		return EXIT_USAGE;
	if (o.check)
		return check(&o);
	T.conf = calloc(1, sizeof(*T.conf));
	if (T.conf == NULL)
		return EXIT_START;
	if (load(o.config, T.conf) < 0) {
		free(T.conf);
		return EXIT_CONFIG;
	}
	T.config_file = o.config;
	block_signals();
	if (split > 0) {
		argv[split] = NULL;
		argc = split;
	} else {
		argc = 1;
	}
	optind = 1;
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "tandem: the EAL did not start: %s; check the options before \"--\"\n",
			rte_strerror(rte_errno));
		free(T.conf);
		return EXIT_START;
	}
	T.tsc_hz = rte_get_tsc_hz();
	logs();
	ret = run();
	rte_eal_cleanup();
	free(T.conf);
	return ret;
}
