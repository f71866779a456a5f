/* SPDX-License-Identifier: BSD-3-Clause */
/* Start-up is a table run forward, shutdown the same table run backward. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_random.h>
#include <rte_ring.h>

#include "base/sock.h"
#include "process/tandem.h"
#include "process.h"
#include "process/boot.h"
#include "replicator/crypt.h"
#include "replicator/replicator.h"
#include "telemetry/telemetry.h"
#include "worker/worker.h"

/* Waits until the kernel has random numbers, which it lacks only while the machine boots. */
static int start_secret(struct siphash_secret *s)
{
	ssize_t got = getrandom(s, sizeof(*s), 0);

	if (got == (ssize_t)sizeof(*s))
		return 0;
	LOG(ERR,
		"the kernel gives no random numbers, without which strangers could choose requests "
		"that are slow to serve, and compute TEIDs: allow this process to call getrandom() "
		"error=%s",
		LOG_TEXT(got < 0 ? strerror(errno) : "too few"));
	return got < 0 ? -errno : -EIO;
}

static int start_random(struct tandem *t)
{
	struct tandem_random *r = &t->random;
	int ret;

	do
		r->incarnation = (uint32_t)rte_rand();
	while (r->incarnation == 0);
	ret = start_secret(&r->secret);
	return ret < 0 ? ret : start_secret(&r->generations);
}

static int start_crypto(struct tandem *t)
{
	char why[CRYPT_WHY];

	if (t->conf->srp.insecure) {
		LOG(WARNING,
			"srp.insecure is true: the replication stream and SRP are plain text, and "
			"the peer's identity is not checked, which is for labs");
		return 0;
	}
	t->crypt = crypt_ops->create(t->conf->srp.crypto_device, t->number, why);
	if (t->crypt == NULL) {
		LOG(ERR,
			"the replication stream cannot be encrypted: see srp.crypto-device "
			"reason=%s",
			LOG_TEXT(why));
		return -ENODEV;
	}
	LOG(INFO, "the replication stream is encrypted with AES-128-GCM device=%s",
		LOG_TEXT(crypt_ops->device(t->crypt)));
	return 0;
}

static void start_crypto_end(struct tandem *t)
{
	crypt_ops->destroy(t->crypt);
}

static int start_cores(struct tandem *t)
{
	role_init(&t->role);
	tandem_pulses_init(t,
		t->conf->srp.heartbeat_interval_ms * USEC_PER_MSEC * t->conf->srp.dead_multiplier,
		t->conf->idle_sleep);
	for (unsigned int i = 0; i < t->n_workers; i++) {
		t->worker[i] = boot_worker(t, i);
		if (t->worker[i] == NULL)
			return -ENOMEM;
	}
	t->repl = boot_replicator(t);
	if (t->repl == NULL)
		return -ENOMEM;
	t->control = control_create(t);
	return t->control != NULL ? 0 : -EIO;
}

static void start_drain_mbufs(struct rte_ring *r)
{
	void *m;

	while (r != NULL && rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
}

static void start_cores_end(struct tandem *t)
{
	control_destroy(t->control);
	replicator_destroy(t->repl);
	for (unsigned int i = 0; i < t->n_workers; i++) {
		worker_destroy(t->worker[i]);
		start_drain_mbufs(t->kernel_out[i]);
		start_drain_mbufs(t->handover[i]);
		start_drain_mbufs(t->stream_out[i]);
	}
	start_drain_mbufs(t->punt);
	start_drain_mbufs(t->repl_port.kernel_out);
}

static int start_launch(struct tandem *t)
{
	int ret = rte_eal_remote_launch(replicator_run, t->repl, t->repl_lcore);

	for (unsigned int i = 0; i < t->n_workers && ret == 0; i++)
		ret = rte_eal_remote_launch(worker_run, t->worker[i], t->worker_lcore[i]);
	return ret;
}

static void start_join(struct tandem *t)
{
	atomic_store(&t->quit, true);
	for (unsigned int i = 0; i < t->n_workers; i++)
		rte_eal_wait_lcore(t->worker_lcore[i]);
	rte_eal_wait_lcore(t->repl_lcore);
}

static int start_telemetry(struct tandem *t)
{
	return t->conf->telemetry.enabled
		       ? telemetry_register(t->number, t->conf->telemetry.control_socket)
		       : 0;
}

static void start_nothing(struct tandem *t)
{
	(void)t;
}

static const struct stage {
	const char *name;
	int (*start)(struct tandem *t);
	void (*stop)(struct tandem *t);
} stages[] = {
	{ "lcores", lcores_choose, start_nothing },
	{ "memory", boot_memory, boot_memory_end },
	{ "random numbers", start_random, start_nothing },
	{ "settings", boot_settings, boot_settings_end },
	{ "tables", boot_tables, boot_tables_end },
	{ "ports", ports_open, ports_close },
	{ "crypto", start_crypto, start_crypto_end },
	{ "transport", boot_transport, boot_transport_end },
	{ "cores", start_cores, start_cores_end },
	{ "telemetry", start_telemetry, start_nothing },
	{ "launch", start_launch, start_join },
};

/* Notifies the service manager (systemd, Type=notify), if there is one: sd_notify(3) without its
 * library, one datagram. */
static void start_notify(const char *state)
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
	fd = sock_ops->socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sock_ops->send_to(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un, len) <
		0)
		LOG(DEBUG, "cannot notify the service manager error=%s", LOG_TEXT(strerror(errno)));
	sock_ops->close(fd);
}

int start_run(struct tandem *t)
{
	unsigned int up;
	int ret = 0;

	for (up = 0; up < RTE_DIM(stages); up++) {
		ret = stages[up].start(t);
		if (ret < 0) {
			LOG(ERR,
				"this chassis cannot start, as a part of it failed part=%s "
				"error=%s",
				LOG_TEXT(stages[up].name), LOG_TEXT(strerror(-ret)));
			stages[up].stop(t);
			break;
		}
	}
	if (ret == 0) {
		LOG(NOTICE, "this chassis is ready chassis=%s", LOG_TEXT(t->conf->chassis.name));
		start_notify("READY=1");
		ret = control_run(t->control);
		start_notify("STOPPING=1");
	}
	while (up-- > 0)
		stages[up].stop(t);
	return ret == 0 ? EXIT_SUCCESS : PROCESS_EXIT_START;
}
