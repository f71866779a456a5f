/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "process/boot.h"
#include "cores/memory.h"
#include "cores/stream.h"
#include "process/start_peers.h"
#include "process/tandem.h"

enum { MBUFS = 16384, MSGS = 32767, STREAM_MBUFS = 8191, DOOR = 16384, FRAMES = 2048 };

enum { BOOT_NAME = RTE_MEMPOOL_NAMESIZE /* the shortest: rings and tables take more */ };

/* The EAL knows rings, pools and tables by their names, which all chassis of a process share. */
static const char *boot_name(const struct tandem *t, const char *what, char name[BOOT_NAME])
{
	snprintf(name, BOOT_NAME, "c%u_%s", t->number, what);
	return name;
}

static struct rte_ring *boot_ring(const struct tandem *t, const char *what, unsigned int i,
	unsigned int n, unsigned int flags)
{
	char name[BOOT_NAME];

	snprintf(name, sizeof(name), "c%u_%s%u", t->number, what, i);
	return rte_ring_create(name, n, SOCKET_ID_ANY, flags);
}

static struct door boot_door(const struct tandem *t, const char *name, unsigned int i)
{
	return (struct door){ boot_ring(t, name, i, DOOR, RING_F_SP_ENQ | RING_F_SC_DEQ), t->msgs };
}

static void boot_events(struct tandem *t)
{
	const struct session_events_env env = { .worker = t->from_worker,
		.n_workers = t->n_workers,
		.replicator = &t->from_repl,
		.pool = t->msgs };

	session_events_init(&t->events, &env);
}

static uint16_t boot_stream_buffer_size(const struct tandem *t)
{
	for (unsigned int i = 0; i < t->conf->n_ports; i++)
		if (t->conf->ports[i].roles & CONFIG_REPLICATION)
			return (uint16_t)(RTE_PKTMBUF_HEADROOM +
					  RTE_MAX(t->conf->ports[i].mtu, 1500u));
	return RTE_MBUF_DEFAULT_BUF_SIZE;
}

static int boot_pools(struct tandem *t)
{
	char name[BOOT_NAME];
	uint32_t mtu = 1500;

	for (unsigned int i = 0; i < t->conf->n_ports; i++)
		mtu = RTE_MAX(mtu, t->conf->ports[i].mtu);
	t->mbufs = rte_pktmbuf_pool_create(boot_name(t, "mbufs", name), MBUFS - 1, 256, 0,
		(uint16_t)RTE_MAX((uint32_t)RTE_MBUF_DEFAULT_BUF_SIZE,
			RTE_PKTMBUF_HEADROOM +
				RTE_ALIGN_CEIL(mtu + 128, 1024)) /* a whole frame of af_packet */,
		SOCKET_ID_ANY);
	t->shared.indirect = rte_pktmbuf_pool_create(
		boot_name(t, "indirect", name), 4095, 128, 0, 0, SOCKET_ID_ANY);
	t->stream_mbufs = rte_pktmbuf_pool_create(boot_name(t, "stream", name), STREAM_MBUFS, 128,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN),
		boot_stream_buffer_size(t), SOCKET_ID_ANY);
	t->msgs = rte_mempool_create(boot_name(t, "msgs", name), MSGS, MSG_BYTES, 256, 0, NULL,
		NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	t->fib = fib_create(boot_name(t, "fib", name), SOCKET_ID_ANY);
	if (t->mbufs == NULL || t->shared.indirect == NULL || t->stream_mbufs == NULL ||
		t->msgs == NULL || t->fib == NULL) {
		LOG(ERR,
			"packet buffers cannot be had: give the EAL more memory (-m or hugepages) "
			"error=%s",
			LOG_TEXT(rte_strerror(rte_errno)));
		return -ENOMEM;
	}
	return 0;
}

int boot_memory(struct tandem *t)
{
	if (boot_pools(t) < 0)
		return -ENOMEM;
	for (unsigned int i = 0; i < t->n_workers; i++) {
		t->to_worker[i].door = boot_door(t, "to_worker", i);
		t->from_worker[i].door = boot_door(t, "from_worker", i);
		t->repl_to_worker[i].door = boot_door(t, "repl_to_worker", i);
		t->kernel_out[i] =
			boot_ring(t, "kernel_out", i, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
		t->handover[i] = boot_ring(t, "handover", i, FRAMES, RING_F_SC_DEQ);
		t->stream_out[i] =
			boot_ring(t, "stream_out", i, STREAM_FIFO, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (t->to_worker[i].door.ring == NULL || t->from_worker[i].door.ring == NULL ||
			t->repl_to_worker[i].door.ring == NULL || t->kernel_out[i] == NULL ||
			t->handover[i] == NULL || t->stream_out[i] == NULL)
			return -ENOMEM;
	}
	t->to_repl.door = boot_door(t, "to_repl", 0);
	t->from_repl.door = boot_door(t, "from_repl", 0);
	boot_events(t);
	t->punt = boot_ring(t, "punt", 0, FRAMES, RING_F_SC_DEQ);
	t->repl_port.kernel_out =
		boot_ring(t, "kernel_repl", 0, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return t->to_repl.door.ring != NULL && t->from_repl.door.ring != NULL && t->punt != NULL &&
			       t->repl_port.kernel_out != NULL
		       ? 0
		       : -ENOMEM;
}

void boot_memory_end(struct tandem *t)
{
	for (unsigned int i = 0; i < t->n_workers; i++) {
		rte_ring_free(t->to_worker[i].door.ring);
		rte_ring_free(t->from_worker[i].door.ring);
		rte_ring_free(t->repl_to_worker[i].door.ring);
		rte_ring_free(t->kernel_out[i]);
		rte_ring_free(t->handover[i]);
		rte_ring_free(t->stream_out[i]);
	}
	rte_ring_free(t->to_repl.door.ring);
	rte_ring_free(t->from_repl.door.ring);
	rte_ring_free(t->punt);
	rte_ring_free(t->repl_port.kernel_out);
	fib_destroy(t->fib);
	rte_mempool_free(t->msgs);
	rte_mempool_free(t->stream_mbufs);
	rte_mempool_free(t->shared.indirect);
	rte_mempool_free(t->mbufs);
}

int boot_tables(struct tandem *t)
{
	struct pool_conf pools[CONFIG_POOLS];
	struct session_params p = { .capacity = t->conf->table.max_sessions,
		.annex = (uint16_t)t->conf->table.annex,
		.n_apns = PLACES_MOST,
		.places = &t->shared.places,
		.mem = &memory_rte };

	for (unsigned int i = 0; i < t->conf->n_pools; i++) {
		const struct config_pool *f = &t->conf->pools[i];

		pools[i] = (struct pool_conf){ .instance = INSTANCE_MAIN,
			.prefix = f->prefix,
			.srp_activate = f->srp_activate };
		memcpy(pools[i].name, f->name, sizeof(pools[i].name));
		p.quarantine_s = RTE_MAX(p.quarantine_s, f->quarantine_s);
	}
	t->side = config_seat(t->conf);
	p.side = t->side;
	t->pools = pool_set_create(pools, t->conf->n_pools, &memory_rte);
	if (t->pools != NULL) {
		pool_places(t->pools, &t->shared.places);
		pool_hooks(t->pools, &p.hooks);
		p.hooks.event = session_events_notify;
		p.hooks.event_ctx = &t->events;
		p.hooks.peer_entry = start_peers_entry;
		p.hooks.peer_ctx = t->settings;
		t->table = session_table_create(&p);
	}
	if (t->table == NULL) {
		LOG(ERR,
			"the table of sessions cannot be had: give the EAL more memory sessions=%u "
			"memory_mb=%u error=%s",
			t->conf->table.max_sessions, t->conf->table.max_sessions / 3200 + 1,
			LOG_TEXT(strerror(errno)));
		return -ENOMEM;
	}
	t->shared.table = t->table;
	t->shared.pools = t->pools;
	t->shared.events = &t->events;
	t->shared.fib = t->fib;
	t->shared.gtp4 = ip_addr_to_v4(&config_gtp(t->conf)->address);
	t->shared.n_workers = t->n_workers;
	t->shared.direct = t->mbufs;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		t->shared.worker_of_shard[i] = (uint8_t)(i % t->n_workers);
	LOG(INFO, "the table of sessions is there seat=%u sessions=%u memory_mb=%.1f", t->side,
		t->table->n_slots * SESSION_SHARDS,
		(double)(t->table->bytes + t->pools->bytes) / 1e6);
	return 0;
}

void boot_tables_end(struct tandem *t)
{
	session_table_destroy(t->table);
	pool_set_destroy(t->pools);
}
