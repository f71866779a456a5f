/* SPDX-License-Identifier: BSD-3-Clause */
/* tandem [EAL options] -- -c FILE [--check [--peer FILE]]. Exit codes: 0 ended by order, 1 the
 * configuration is wrong, 2 usage, 3 could not start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "base/memory.h"
#include "common/dpdk.h"
#include "process/tandem.h"
#include "process.h"

static int main_log_thread(pthread_t *thread, void *(*body)(void *), void *arg)
{
	return dpdk_control_thread(thread, "tandem-log", body, arg);
}

/* As the configuration says; --log-level of the EAL goes further where somebody asks for it. */
static void main_logs(const struct config *conf)
{
	struct log_settings s = log_defaults;
	int ret;

	log_init(log_level(conf->log.level));
	if (!conf->log.syslog)
		rte_openlog_stream(stderr); /* the EAL's own stream goes to both */
	s.spawn = main_log_thread;
	ret = log_start(&s);
	if (ret < 0)
		LOG(WARNING,
			"the thread of the log cannot be started: cores wait for the log's output, "
			"so start the daemon again error=%s",
			LOG_TEXT(strerror(-ret)));
}

/* Whether a device hands the EAL's memory to another process: without a file of it, virtio-user
 * gives its backend standard input, and says that its link is up. */
static bool main_shares(const char *device)
{
	return strstr(device, "virtio_user") != NULL || strstr(device, "zero-copy") != NULL;
}

static void main_memory(const struct config *conf, int argc, char **argv)
{
	bool shared = false;

	for (int i = 1; i < argc; i++)
		shared |= main_shares(argv[i]);
	for (unsigned int i = 0; i < conf->n_ports; i++)
		shared |= main_shares(conf->ports[i].device);
	if (shared)
		memory_share();
}

/* Where the EAL's options end. Without "--" all arguments are ours (--help, --check), so that
 * nobody has to know the EAL for those. */
static int main_split(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return 0;
}

int main(int argc, char **argv)
{
	static struct tandem chassis;
	struct tandem *t = &chassis;
	struct options o = { 0 };
	int split = main_split(argc, argv), ret;

	if (options_parse(argc - split, argv + split, &o) < 0)
		return PROCESS_EXIT_USAGE;
	if (o.check)
		return options_check(&o);
	t->conf = calloc(1, sizeof(*t->conf));
	if (t->conf == NULL)
		return PROCESS_EXIT_START;
	if (options_load(o.config, t->conf) < 0) {
		free(t->conf);
		return PROCESS_EXIT_CONFIG;
	}
	t->config_file = o.config;
	signals_block();
	if (split > 0) {
		argv[split] = NULL;
		argc = split;
	} else {
		argc = 1;
	}
	main_memory(t->conf, argc, argv);
	optind = 1;
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr,
			"tandem: the EAL did not start: %s; check the options before \"--\"\n",
			rte_strerror(rte_errno));
		free(t->conf);
		return PROCESS_EXIT_START;
	}
	memory_huge_pages();
	clock_init(&clock_tsc);
	main_logs(t->conf);
	ret = start_run(t);
	log_stop();
	rte_eal_cleanup();
	free(t->conf);
	return ret;
}
