/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem [EAL options] -- -c FILE [--check [--peer FILE]]: start-up is a table run forward,
 * shutdown the same table run backward. Exit codes: 0 ended as told, 1 the configuration is wrong,
 * 2 usage, 3 could not start. */
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

#include "process/boot.h"
#include "process/control.h"
#include "monitors.h"
#include "replicator/crypt.h"
#include "replicator/replicator.h"
#include "worker/sync.h"
#include "cores/tandem.h"
#include "telemetry/telemetry.h"
#include "pair/tls.h"
#include "worker/worker.h"

enum { EXIT_CONFIG = 1, EXIT_USAGE = 2, EXIT_START = 3 };

static const char usage[] =
	"usage: tandem [EAL options] -- -c FILE [--check [--peer FILE]]\n"
	"  -c, --config FILE  the chassis' configuration\n"
	"      --check        check it, say everything that is wrong with it, touch no device\n"
	"      --peer FILE    with --check: the other chassis' configuration; what must agree is "
	"compared\n"
	"      --print        with --check: print the configuration, defaults included\n"
	"      --knobs        print the table of all keys (Markdown)\n"
	"  -h, --help         this text\n"
	"At least three lcores are needed, e.g. --lcores 0@0,1@1,2@2 (control, workers, "
	"replication).\n";

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

/* The files of secrets are there and can be used. */
static bool keys_good(const struct config *c)
{
	char why[TLS_WHY];
	struct tls *t = tls_create(c, why);

	if (t == NULL)
		fprintf(stderr, "%s: %s\n", c->file, why);
	tls_destroy(t);
	return t != NULL;
}

static bool secrets_good(const struct config *c)
{
	char why[SECRET_WHY];
	bool good = aaa_check(c, why);

	if (!good)
		fprintf(stderr, "%s: %s\n", c->file, why);
	return good;
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
	if (ret == 0 && !a->srp.insecure && !keys_good(a))
		ret = -EINVAL;
	if (ret == 0 && !secrets_good(a))
		ret = -EINVAL;
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
		fputs(o->config == NULL ? "tandem: -c FILE is missing\n"
					: "tandem: too many arguments\n",
			stderr);
		fputs(usage, stderr);
		return -EINVAL;
	}
	return 0;
}

/* ---- boot stages ---- */

static int crypto_start(void)
{
	char why[CRYPT_WHY];

	if (T.conf->srp.insecure) {
		LOG(WARNING,
			"srp.insecure: the stream and SRP are plain text, and nobody's identity is "
			"checked");
		return 0;
	}
	T.crypt = crypt_create(T.conf->srp.crypto_device, why);
	if (T.crypt == NULL) {
		LOG(ERR, "%s", why);
		return -ENODEV;
	}
	LOG(INFO, "replication: AES-128-GCM by %s", crypt_device(T.crypt));
	return 0;
}

static void crypto_stop(void)
{
	crypt_destroy(T.crypt);
}

static int cores_start(void)
{
	role_init(&T.role);
	tandem_pulses_init(
		T.conf->srp.heartbeat_interval_ms * USEC_PER_MSEC * T.conf->srp.dead_multiplier,
		T.conf->idle_sleep);
	do
		T.incarnation = (uint32_t)rte_rand();
	while (T.incarnation == 0);
	for (unsigned int i = 0; i < T.n_workers; i++) {
		T.worker[i] = boot_worker(i);
		if (T.worker[i] == NULL)
			return -ENOMEM;
	}
	T.repl = boot_replicator();
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
	{ "memory", boot_memory, boot_memory_end },
	{ "tables", boot_tables, boot_tables_end },
	{ "ports", ports_open, ports_close },
	{ "crypto", crypto_start, crypto_stop },
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

	if (path == NULL || strlen(path) >= sizeof(un.sun_path) ||
		(path[0] != '/' && path[0] != '@'))
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

static int log_thread(pthread_t *thread, void *(*body)(void *), void *arg)
{
	return rte_ctrl_thread_create(thread, "tandem-log", NULL, body, arg);
}

/* As the configuration says; --log-level of the EAL goes further where somebody asks for it. */
static void logs(void)
{
	struct log_settings s = log_defaults;
	int ret;

	log_init(log_level(T.conf->log.level));
	if (!T.conf->log.syslog)
		rte_openlog_stream(stderr); /* the EAL's own stream goes to both */
	s.spawn = log_thread;
	ret = log_start(&s);
	if (ret < 0)
		LOG(WARNING, "no thread for the log: %s; whoever logs waits for its output",
			strerror(-ret));
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
	/* Without "--" all arguments are ours (--help, --check), so that nobody has to know the EAL
	 * for those. */
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
		fprintf(stderr,
			"tandem: the EAL did not start: %s; check the options before \"--\"\n",
			rte_strerror(rte_errno));
		free(T.conf);
		return EXIT_START;
	}
	clock_init();
	logs();
	ret = run();
	log_stop();
	rte_eal_cleanup();
	free(T.conf);
	return ret;
}
